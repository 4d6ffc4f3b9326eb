//! A strict, bounded XML tokenizer for reports: elements and their attributes, nothing else.
//!
//! quick-xml finds the tags; it is lenient by design, so what XML 1.0 calls well-formed is checked here. Character
//! data, CDATA and comments are checked and dropped while they stream by: no report keeps an outcome in them, and a
//! report may hold gigabytes of them. No DTD is read, no entity expanded, nothing fetched.

mod attributes;
mod source;

#[cfg(test)]
mod tests;

use super::input::Input;
use super::refusal::{Refusal, quoted};
use attributes::{REFERENCE_LIMIT, Span, name_end, reference, spans, unescape};
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::Event as Token;
use quick_xml::reader::Reader;
pub(crate) use source::Charset;
use source::Source;
use std::borrow::Cow;
use std::io::{self, BufRead as _};

/// Elements inside each other.
pub(crate) const DEPTH_LIMIT: usize = 256;

const TRUNCATED: &str = "The file is cut short: let its writer finish before it is read, or run the tests again";
const INVALID: &str = "It is not well-formed XML: report it to the authors of the tool that wrote it";

/// What comes next in a report.
pub(crate) enum Event<'a> {
    /// An element begins. One without content is closed by the next event all the same.
    Open(Tag<'a>),
    /// The innermost element ends.
    Close,
    /// The document is over and was well-formed.
    End,
}

/// A tag that opens an element.
pub(crate) struct Tag<'a> {
    bytes: &'a [u8],
    name: &'a [u8],
    spans: &'a [Span],
    xml11: bool,
}

impl<'a> Tag<'a> {
    /// The name as it is written, prefix and all.
    pub(crate) fn qualified(&self) -> &'a [u8] {
        self.name
    }

    /// The name without a namespace prefix.
    pub(crate) fn local(&self) -> &'a [u8] {
        local(self.name)
    }

    /// Names, as written, and values, unescaped; values borrow where they stand for themselves.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&'a [u8], Cow<'a, str>)> + use<'a> {
        let (bytes, xml11) = (self.bytes, self.xml11);
        let value = move |s: &Span| unescape(&bytes[s.value.clone()], s.plain, xml11);
        self.spans.iter().map(move |s| (&bytes[s.name.clone()], value(s)))
    }

    /// The namespace that this tag itself declares for its own prefix.
    pub(crate) fn namespace(&self) -> Option<Cow<'a, str>> {
        let prefix = self.name.strip_suffix(self.local()).unwrap_or_default();
        let mut found = self.attributes().filter(|(name, _)| match prefix.strip_suffix(b":") {
            None => *name == b"xmlns",
            Some(prefix) => name.strip_prefix(b"xmlns:") == Some(prefix),
        });
        found.next().map(|(_, uri)| uri)
    }
}

/// A name without its prefix.
pub(crate) fn local(name: &[u8]) -> &[u8] {
    name.iter().rposition(|&b| b == b':').map_or(name, |i| &name[i + 1..])
}

/// Reads one document.
pub(crate) struct Xml<'s> {
    reader: Reader<Source<'s>>,
    buf: Vec<u8>,
    spans: Vec<Span>,
    depth: usize,
    close: bool,
    root: bool,
    doctype: bool,
    xml11: bool,
    /// Said of the document as a whole.
    pub(crate) warning: Option<String>,
}

impl<'s> Xml<'s> {
    /// Begins to read `input`, whose encoding its first bytes tell.
    pub(crate) fn open(input: &'s mut Input<'_>) -> Result<Self, Refusal> {
        let unreadable = |e: io::Error| Refusal::new(format!("the file could not be read: {e}"));
        let charset = Charset::detect(input.head().map_err(unreadable)?)?;
        let reader = Reader::from_reader(Source::new(input, &charset).map_err(unreadable)?);
        let warning = charset.overruled.map(|name| {
            format!(
                "declares the encoding {} and begins with the byte order mark of UTF-8: read as UTF-8",
                quoted(&name)
            )
        });
        let (buf, spans) = (Vec::new(), Vec::new());
        Ok(Self { reader, buf, spans, depth: 0, close: false, root: false, doctype: false, xml11: false, warning })
    }

    /// The refusal for `what`, placed at the token that was read last.
    pub(crate) fn refuse(&self, what: impl Into<String>) -> Refusal {
        Refusal::new(what).at(self.reader.get_ref().token_place())
    }

    /// The next event.
    pub(crate) fn next(&mut self) -> Result<Event<'_>, Refusal> {
        if std::mem::take(&mut self.close) {
            self.depth -= 1;
            return Ok(Event::Close);
        }
        loop {
            if !self.characters()? {
                return self.end();
            }
            let second = self.peek(2)?.get(1).copied();
            match second {
                Some(b'!') => self.bang()?,
                Some(b'<') if self.peek(8)?.starts_with(b"<<<<<<< ") => {
                    let help = "Resolve it, or better: run the tests again";
                    return Err(self.here("the file holds the marks of a merge conflict").help(help));
                }
                _ => {
                    if let Some(open) = self.tag()? {
                        return Ok(if open { Event::Open(self.opened()) } else { Event::Close });
                    }
                }
            }
        }
    }

    /// Drops character data up to the next `<`; false at the end of the file.
    fn characters(&mut self) -> Result<bool, Refusal> {
        loop {
            let inside = self.depth > 0;
            let source = self.reader.get_mut();
            let text = match source.fill_buf() {
                Ok([]) => return Ok(false),
                Ok(text) => text,
                Err(e) => return Err(source.refusal(&e)),
            };
            let found = if inside { find(text) } else { text.iter().position(|b| !b" \t\r\n".contains(b)) };
            let (length, stop) = found.map_or((text.len(), None), |i| (i, Some(text[i])));
            source.consume(length);
            match stop {
                None => {}
                Some(b'<') => return Ok(true),
                Some(b'&') if inside => {
                    let xml11 = self.xml11;
                    let (_, length) =
                        reference(self.peek(REFERENCE_LIMIT)?, xml11).map_err(|what| self.here(what).help(INVALID))?;
                    self.reader.get_mut().consume(length);
                }
                // XML 1.0, 2.4: `]]>` must not appear in character data
                Some(b']') if inside => {
                    if self.peek(3)?.starts_with(b"]]>") {
                        return Err(self.here("`]]>` outside a CDATA section").help(INVALID));
                    }
                    self.reader.get_mut().consume(1);
                }
                Some(_) if self.root => {
                    return Err(self.here("something stands after the end of the document").help(INVALID));
                }
                Some(_) => return Err(self.here("text stands before the document begins").help(INVALID)),
            }
        }
    }

    /// Reads a tag, a processing instruction or the XML declaration; tells whether an element opened or closed.
    fn tag(&mut self) -> Result<Option<bool>, Refusal> {
        self.buf.clear();
        let first = self.reader.get_ref().at_start();
        self.reader.get_mut().begin(true);
        let token = self.reader.read_event_into(&mut self.buf);
        let (empty, length) = match token {
            Ok(Token::Start(tag)) => (false, tag.len()),
            Ok(Token::Empty(tag)) => (true, tag.len()),
            Ok(Token::End(_)) => {
                self.depth -= 1;
                self.reader.get_mut().end_tag();
                return Ok(Some(false));
            }
            Ok(Token::Decl(_)) if first => return self.declaration(),
            Ok(Token::Decl(_)) => {
                let what = "an XML declaration that is not the first thing in the file: two reports in one file, or \
                            something before the first";
                return Err(self.refuse(what).help("Give each report its own file"));
            }
            Ok(Token::PI(_)) => {
                let target = &self.buf[2..name_end(&self.buf, 2).max(2)];
                if target.is_empty() || target.eq_ignore_ascii_case(b"xml") {
                    return Err(self.refuse("a processing instruction without a proper name").help(INVALID));
                }
                self.reader.get_mut().end_tag();
                return Ok(None);
            }
            Ok(_) => return Err(self.refuse("markup that cannot be read").help(INVALID)),
            Err(error) => return Err(self.malformed(error)),
        };
        self.reader.get_mut().end_tag();
        if self.root && self.depth == 0 {
            return Err(self.refuse("a second root element").help("Give each report its own file"));
        }
        let content = &self.buf[..=length];
        let name = name_end(content, 1);
        let checked = if name == 1 {
            Err(Refusal::new("a `<` that begins no tag"))
        } else {
            spans(content, name, self.xml11, &mut self.spans)
        };
        checked.map_err(|refusal| refusal.at(self.reader.get_ref().token_place()).help(INVALID))?;
        if self.depth == DEPTH_LIMIT {
            return Err(self.refuse(format!("elements are nested more than {DEPTH_LIMIT} deep")));
        }
        self.depth += 1;
        self.root = true;
        self.close = empty;
        Ok(Some(true))
    }

    /// The tag that `tag` has just read.
    fn opened(&self) -> Tag<'_> {
        let name = name_end(&self.buf, 1);
        Tag { bytes: &self.buf, name: &self.buf[1..name], spans: &self.spans, xml11: self.xml11 }
    }

    /// Checks `<?xml version="…" encoding="…" standalone="…"?>` (XML 1.0, 2.8).
    fn declaration(&mut self) -> Result<Option<bool>, Refusal> {
        self.reader.get_mut().end_tag();
        let content = &self.buf[..self.buf.len().saturating_sub(2)];
        let checked = spans(content, 5.min(content.len()), false, &mut self.spans);
        checked.map_err(|refusal| refusal.at(self.reader.get_ref().token_place()).help(INVALID))?;
        let attributes: Vec<_> =
            self.spans.iter().map(|s| (&self.buf[s.name.clone()], &self.buf[s.value.clone()])).collect();
        let names: Vec<_> = attributes.iter().map(|(name, _)| *name).collect();
        let known: [&[&[u8]]; 4] = [
            &[b"version"],
            &[b"version", b"encoding"],
            &[b"version", b"standalone"],
            &[b"version", b"encoding", b"standalone"],
        ];
        if !known.contains(&names.as_slice()) {
            return Err(self.refuse("an XML declaration that is not one").help(INVALID));
        }
        match attributes[0].1 {
            b"1.0" => {}
            b"1.1" => self.xml11 = true,
            other => {
                let other = quoted(&String::from_utf8_lossy(other));
                return Err(self.refuse(format!("XML version {other}, where only 1.0 and 1.1 are read")));
            }
        }
        Ok(None)
    }

    /// Drops a comment or a CDATA section, skips a document type without a subset.
    fn bang(&mut self) -> Result<(), Refusal> {
        self.reader.get_mut().begin(false);
        let (inside, prolog) = (self.depth > 0, !self.root && !self.doctype);
        match self.peek(9)? {
            [b'<', b'!', b'-', b'-', ..] => return self.skip(4, *b"-->", "a comment"),
            b"<![CDATA[" if inside => return self.skip(9, *b"]]>", "a CDATA section"),
            b"<!DOCTYPE" if prolog => {
                self.doctype = true;
                return self.skip_doctype();
            }
            _ => {}
        }
        Err(self.here("a `<!` that begins nothing allowed here").help(INVALID))
    }

    /// Drops `opening` bytes and everything to `end`.
    fn skip(&mut self, opening: usize, end: [u8; 3], what: &str) -> Result<(), Refusal> {
        self.reader.get_mut().consume(opening);
        loop {
            let source = self.reader.get_mut();
            let text = match source.fill_buf() {
                Ok([]) => return Err(self.refuse(format!("{what} that begins here does not end")).help(TRUNCATED)),
                Ok(text) => text,
                Err(e) => return Err(source.refusal(&e)),
            };
            let hit = text.chunks(64).position(|chunk| chunk.iter().fold(false, |any, &b| any | (b == end[0])));
            let from = hit.map_or(text.len(), |i| i * 64);
            let at = text[from..].iter().position(|&b| b == end[0]).map_or(text.len(), |i| from + i);
            source.consume(at);
            let ahead = self.peek(3)?;
            if ahead == end {
                self.reader.get_mut().consume(3);
                return Ok(());
            }
            // XML 1.0, 2.5: `--` must not occur within a comment
            if ahead.starts_with(b"--") && end[0] == b'-' && ahead.len() == 3 {
                return Err(self.here("`--` inside a comment").help(INVALID));
            }
            let one = ahead.len().min(1);
            self.reader.get_mut().consume(one);
        }
    }

    /// Passes `<!DOCTYPE name SYSTEM "…">` by. What it points to is not fetched; a subset of its own could define
    /// entities that hide a failure, or that grow without bound, so it is refused.
    fn skip_doctype(&mut self) -> Result<(), Refusal> {
        let mut quote = None;
        loop {
            let source = self.reader.get_mut();
            let b = match source.fill_buf() {
                Ok([]) => return Err(self.refuse("a document type that does not end").help(TRUNCATED)),
                Ok(text) => text[0],
                Err(e) => return Err(source.refusal(&e)),
            };
            match (quote, b) {
                (Some(q), b) if q == b => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(b),
                (None, b'[') => {
                    let what = "a document type with definitions of its own (entities), which are never read";
                    return Err(self.here(what).help("Let the tool write the report without a DTD"));
                }
                (None, b'>') => {
                    source.consume(1);
                    return Ok(());
                }
                _ => {}
            }
            source.consume(1);
        }
    }

    fn end(&self) -> Result<Event<'_>, Refusal> {
        if self.depth > 0 {
            let what = format!("the file ends inside {} element(s)", self.depth);
            return Err(self.here(what).help(TRUNCATED));
        }
        if !self.root {
            return Err(self.here("the file ends before any element").help(TRUNCATED));
        }
        Ok(Event::End)
    }

    fn here(&self, what: impl Into<String>) -> Refusal {
        Refusal::new(what).at(self.reader.get_ref().place())
    }

    fn peek(&mut self, n: usize) -> Result<&[u8], Refusal> {
        let source = self.reader.get_mut();
        // the answer is asked for twice because a borrow that is returned on one path lasts on all (rustc, NLL problem 3)
        if let Err(e) = source.peek(n) {
            return Err(source.refusal(&e));
        }
        source.peek(n).map_err(|e| Refusal::new(e.to_string()))
    }

    /// What quick-xml did not like.
    fn malformed(&mut self, error: Error) -> Refusal {
        let (what, help) = match error {
            Error::Io(e) => return self.reader.get_mut().refusal(&e),
            Error::IllFormed(IllFormedError::MismatchedEndTag { expected, found }) => {
                (format!("{} is closed where {} is open", quoted(&found), quoted(&expected)), INVALID)
            }
            Error::IllFormed(IllFormedError::UnmatchedEndTag(name)) => {
                (format!("{} is closed and was never opened", quoted(&name)), INVALID)
            }
            Error::Syntax(_) => ("a tag that begins here does not end".to_owned(), TRUNCATED),
            other => (other.to_string(), INVALID),
        };
        self.refuse(what).help(help)
    }
}

/// The next byte that means something in character data.
fn find(text: &[u8]) -> Option<usize> {
    let stop = |b: u8| (b == b'<') | (b == b'&') | (b == b']');
    let mut at = 0;
    for chunk in text.chunks(32) {
        // branch-free, so that the compiler makes vectors of it
        if chunk.iter().fold(false, |any, &b| any | stop(b)) {
            return chunk.iter().position(|&b| stop(b)).map(|i| at + i);
        }
        at += chunk.len();
    }
    None
}
