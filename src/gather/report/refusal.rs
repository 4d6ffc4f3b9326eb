//! Why a file was not read as a report, and where in it.

use std::fmt;

/// A place in a report: both counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Line; lines end with U+000A.
    pub(crate) line: u64,
    /// Character in the line.
    pub(crate) column: u64,
}

impl Place {
    /// Where every file begins.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// The place after `text`, which begins here.
    pub(crate) fn after(self, text: &[u8]) -> Self {
        let lines = count(text, |b| b == b'\n');
        let last = memchr::memrchr(b'\n', text).map_or(text, |i| &text[i + 1..]);
        // a character is every byte that does not continue one (RFC 3629, section 3)
        let characters = count(last, |b| b & 0xC0 != 0x80);
        let column = if lines == 0 { self.column } else { 1 };
        Self { line: self.line + lines, column: column + characters }
    }
}

/// Why a report is refused. One pointer wide: it is in the result of every step of reading.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) struct Refusal(Box<Why>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Why {
    what: String,
    place: Option<Place>,
    help: &'static str,
}

impl Refusal {
    /// `what` is wrong with the file as a whole.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(Box::new(Why { what: what.into(), place: None, help: "" }))
    }

    /// The same, at `place`, unless its place is known already.
    pub(crate) fn at(mut self, place: Place) -> Self {
        self.0.place.get_or_insert(place);
        self
    }

    /// The same, with what to do about it: one sentence without its full stop.
    pub(crate) fn help(mut self, help: &'static str) -> Self {
        self.0.help = help;
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Why { what, place, help } = &*self.0;
        if let Some(Place { line, column }) = place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(what)?;
        if help.is_empty() { Ok(()) } else { write!(f, ". {help}") }
    }
}

/// Text from a report for use inside a message: at most 60 characters, nothing that moves a terminal.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(64) + 2);
    out.push('`');
    for c in text.chars().take(60) {
        match c {
            // bidi controls reorder what a reader sees (Unicode TR36, section 2.3); the rest is what Rust escapes
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' => {
                out.extend(c.escape_unicode());
            }
            '\'' | '"' | '\\' => out.push(c),
            c => out.extend(c.escape_debug()),
        }
    }
    out.push_str(if text.chars().nth(60).is_some() { "…`" } else { "`" });
    out
}

/// How many bytes are such.
#[inline]
pub(crate) fn count(text: &[u8], such: impl Fn(u8) -> bool) -> u64 {
    // sums of bytes, which cannot overflow over 192 of them, are made into vectors; sums of u64 are not worth it
    text.chunks(192).map(|block| u64::from(block.iter().fold(0u8, |sum, &b| sum + u8::from(such(b))))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters() {
        let cases = [("", 1, 1), ("a", 1, 2), ("é", 1, 2), ("a\n", 2, 1), ("a\r\nbé", 2, 3), ("\n\n\n", 4, 1)];
        for (text, line, column) in cases {
            assert_eq!(Place::START.after(text.as_bytes()), Place { line, column }, "{text:?}");
        }
        assert_eq!(Place::START.after(b"ab").after(b"c"), Place { line: 1, column: 4 });
    }

    #[test]
    fn quoted_text_is_short_and_inert() {
        assert_eq!(quoted("a'b"), "`a'b`");
        assert_eq!(quoted("\u{1b}[2J\n\u{202e}x"), "`\\u{1b}[2J\\n\\u{202e}x`");
        assert_eq!(quoted(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
        assert_eq!(quoted(&"é".repeat(60)), format!("`{}`", "é".repeat(60)));
    }
}
