//! What stands beside the elements and is dropped: comments, CDATA, instructions, the declaration, a document type.

use super::super::refusal::{Refusal, quoted};
use super::attributes::{attributes, name_end};
use super::charset::Charset;
use super::{Found, INVALID, Xml};
use memchr::memchr;

/// Bytes of a document type; those of all known tools are shorter than 200.
const DOCTYPE_LIMIT: usize = 4096;

impl Xml<'_> {
    /// Drops a processing instruction, or reads the XML declaration at the start of the file.
    pub(super) fn instruction(&mut self) -> Result<Found, Refusal> {
        let first = self.source.at_start();
        let ahead = self.source.peek(64)?;
        let end = name_end(ahead, 2);
        let target = ahead[2..end].to_ascii_lowercase();
        let ends = matches!(&ahead[end..], [b' ' | b'\t' | b'\r' | b'\n', ..] | [b'?', b'>', ..]);
        match target.as_slice() {
            b"xml" if first => self.declaration(),
            b"xml" => {
                let what = "an XML declaration that is not the first thing in the file: two reports in one file, or \
                            something before the first";
                Err(self.here(what).help("Give each report its own file"))
            }
            b"" => Err(self.here("a processing instruction without a name").help(INVALID)),
            _ if !ends => Err(self.here("no space after the name of a processing instruction").help(INVALID)),
            _ => self.skip(2, b"?>", "a processing instruction"),
        }
    }

    /// Checks `<?xml version="…" encoding="…" standalone="…"?>` (XML 1.0, 2.8).
    fn declaration(&mut self) -> Result<Found, Refusal> {
        let improper = |place| Refusal::new("an XML declaration that is not one").at(place).help(INVALID);
        let text = self.source.peek(1024)?.to_vec();
        let place = self.source.place();
        let end = match text.starts_with(b"<?xml").then(|| attributes(&text, 5, false, &mut self.spans)) {
            Some(Ok(Some(end))) if text[end..].starts_with(b"?>") => end,
            Some(Err(refusal)) => return Err(refusal.at(place).help(INVALID)),
            _ => return Err(improper(place)),
        };
        let names: Vec<_> = self.spans.iter().map(|s| &text[s.name.clone()]).collect();
        let known: [&[&[u8]]; 4] = [
            &[b"version"],
            &[b"version", b"encoding"],
            &[b"version", b"standalone"],
            &[b"version", b"encoding", b"standalone"],
        ];
        if !known.contains(&names.as_slice()) {
            return Err(improper(place));
        }
        for span in &self.spans {
            let (name, value) = (&text[span.name.clone()], &text[span.value.clone()]);
            match (name, value) {
                (b"version", b"1.0") | (b"standalone", b"yes" | b"no") => {}
                (b"version", b"1.1") => self.xml11 = true,
                (b"version", other) => {
                    let other = quoted(&String::from_utf8_lossy(other));
                    return Err(self.here(format!("XML version {other}, where only 1.0 and 1.1 are read")));
                }
                (b"encoding", name) if Charset::knows(&String::from_utf8_lossy(name)) => {}
                _ => return Err(improper(place)),
            }
        }
        self.source.consume(end + 2);
        Ok(Found::Nothing)
    }

    /// Drops a comment or a CDATA section, skips a document type without a subset.
    pub(super) fn bang(&mut self) -> Result<Found, Refusal> {
        let (inside, prolog) = (!self.open.is_empty(), !self.root && !self.doctype);
        match self.source.peek(9)? {
            [b'<', b'!', b'-', b'-', ..] => self.skip(4, b"-->", "a comment"),
            b"<![CDATA[" if inside => self.skip(9, b"]]>", "a CDATA section"),
            b"<!DOCTYPE" if prolog => {
                self.doctype = true;
                self.skip_doctype()
            }
            _ => Err(self.here("a `<!` that begins nothing allowed here").help(INVALID)),
        }
    }

    /// Drops `opening` bytes and everything to `end`.
    fn skip(&mut self, opening: usize, end: &[u8], what: &str) -> Result<Found, Refusal> {
        self.source.consume(opening);
        loop {
            let text = self.source.ahead()?;
            if text.is_empty() {
                return Err(self.cut(what));
            }
            // the first byte of the end, unless what follows it is at hand and is something else
            let mut at = 0;
            while let Some(i) = memchr(end[0], &text[at..]) {
                at += i;
                if text.get(at + 1).is_none_or(|&b| b == end[1]) {
                    break;
                }
                at += 1;
            }
            if text.get(at).is_none_or(|&b| b != end[0]) {
                let rest = text.len();
                self.source.consume(rest);
                continue;
            }
            self.source.consume(at);
            let ahead = self.source.peek(end.len())?;
            if ahead == end {
                self.source.consume(end.len());
                return Ok(Found::Nothing);
            }
            // XML 1.0, 2.5: `--` must not occur within a comment
            if end == b"-->" && ahead.len() == 3 && ahead.starts_with(b"--") {
                return Err(self.here("`--` inside a comment").help(INVALID));
            }
            self.source.consume(1);
        }
    }

    /// Passes `<!DOCTYPE name SYSTEM "…">` by (XML 1.0, 2.8). What it points to is not fetched; a subset of its own could
    /// define entities that hide a failure, or that grow without bound, so it is refused.
    fn skip_doctype(&mut self) -> Result<Found, Refusal> {
        let text = self.source.peek(DOCTYPE_LIMIT)?;
        match doctype(&text["<!DOCTYPE".len()..]) {
            Some((rest, true)) => {
                let length = text.len() - rest.len();
                self.source.consume(length);
                Ok(Found::Nothing)
            }
            Some((_, false)) => {
                let what = "a document type with definitions of its own (entities), which are never read";
                Err(self.here(what).help("Let the tool write the report without a DTD"))
            }
            None => Err(self.here("a document type that cannot be read, or that does not end").help(INVALID)),
        }
    }
}

/// What follows ` name SYSTEM "…">`, or `false` before a subset.
fn doctype(text: &[u8]) -> Option<(&[u8], bool)> {
    let name = text.trim_ascii_start();
    let end = name_end(name, 0);
    if name.len() == text.len() || end == 0 {
        return None;
    }
    let mut rest = &name[end..];
    let (keyword, literals) = match rest.trim_ascii_start() {
        id if id.starts_with(b"SYSTEM") => (id, 1),
        id if id.starts_with(b"PUBLIC") => (id, 2),
        _ => (rest, 0),
    };
    if literals > 0 {
        rest = &keyword["SYSTEM".len()..];
    }
    for _ in 0..literals {
        let [quote @ (b'"' | b'\''), literal @ ..] = rest.trim_ascii_start() else { return None };
        if !rest.first()?.is_ascii_whitespace() {
            return None;
        }
        rest = &literal[memchr(*quote, literal)? + 1..];
    }
    match rest.trim_ascii_start() {
        [b'>', rest @ ..] => Some((rest, true)),
        [b'[', rest @ ..] => Some((rest, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_types_are_read_as_xml_writes_them() {
        for good in [" a>", "\n a >", " a SYSTEM 'x'>", " a SYSTEM \"'>[\" >", " a PUBLIC \"x\" 'y'>"] {
            assert_eq!(doctype(good.as_bytes()), Some((&b""[..], true)), "{good}");
        }
        for subset in [" a[", " a [<!ENTITY", " a SYSTEM 'x' ["] {
            assert!(matches!(doctype(subset.as_bytes()), Some((_, false))), "{subset}");
        }
        for bad in [
            "a>",
            " >",
            " a",
            " a SYSTEM>",
            " a SYSTEM'x'>",
            " a SYSTEM 'x",
            " a PUBLIC 'x'>",
            " a b>",
            " a SYSTEM 'x' y>",
            " 1>",
        ] {
            assert_eq!(doctype(bad.as_bytes()), None, "{bad}");
        }
    }
}
