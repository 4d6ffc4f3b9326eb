//! JSON as we write it: compact, and with everything that could act on a reader's terminal or page escaped.
//!
//! Names are kept exactly (an escape is the same string to every JSON reader), but ESC, C1 controls, bidirectional
//! controls, line separators and invisible characters never stand raw in what we sign or print.

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use std::io::{self, Write};

/// Compact JSON, one line.
pub(crate) fn to_vec<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(1024);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Careful(CompactFormatter)))?;
    Ok(out)
}

/// Compact JSON as text.
pub(crate) fn to_string<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    Ok(String::from_utf8_lossy(&to_vec(value)?).into_owned())
}

/// Indented JSON, for files and screens that people read.
pub(crate) fn to_string_pretty<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    let mut out = Vec::with_capacity(1024);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Careful(PrettyFormatter::new())))?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Whether a character could change what a terminal or page shows of the text around it.
pub(crate) fn acts(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'           // C0, DEL, C1
        | '\u{ad}' | '\u{61c}' | '\u{180e}'                // soft hyphen, Arabic letter mark, Mongolian separator
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' // zero width, marks, separators, embeddings, overrides
        | '\u{2060}'..='\u{206f}' | '\u{feff}'             // joiners, isolates, deprecated controls, BOM
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}') // annotations, tags
}

struct Careful<F>(F);

/// Passes everything on except string fragments.
impl<F: Formatter> Formatter for Careful<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        escape(writer, fragment, acts)
    }
    /// JSON that somebody else wrote: outside its strings nothing that acts can stand but the white space of the format.
    fn write_raw_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        escape(writer, fragment, |c| acts(c) && !c.is_ascii_whitespace())
    }
    fn begin_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.begin_array(w)
    }
    fn end_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_array(w)
    }
    fn begin_array_value<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(w, first)
    }
    fn end_array_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_array_value(w)
    }
    fn begin_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.begin_object(w)
    }
    fn end_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_object(w)
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(w, first)
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.begin_object_value(w)
    }
    fn end_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_object_value(w)
    }
}

fn escape<W: ?Sized + Write>(writer: &mut W, text: &str, wanted: fn(char) -> bool) -> io::Result<()> {
    let mut plain = 0;
    for (at, c) in text.char_indices().filter(|&(_, c)| wanted(c)) {
        writer.write_all(&text.as_bytes()[plain..at])?;
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(writer, "\\u{unit:04x}")?;
        }
        plain = at + c.len_utf8();
    }
    writer.write_all(&text.as_bytes()[plain..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_comes_back_exactly_and_nothing_acts(text: String, tail in "[\u{7f}-\u{9f}\u{200b}-\u{202e}\u{e0001}]{0,3}") {
            let text = text + &tail;
            for json in [to_string(&text).unwrap(), to_string_pretty(&[&text]).unwrap()] {
                prop_assert!(json.chars().all(|c| c == '\n' || !acts(c)), "{}", json);
            }
            prop_assert_eq!(serde_json::from_slice::<String>(&to_vec(&text).unwrap()).unwrap(), text);
        }
    }
}
