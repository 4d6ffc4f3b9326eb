//! A strict, bounded XML tokenizer for reports: elements and their attributes, nothing else.
//!
//! Our own and not quick-xml, which is lenient by design and holds every token whole: with what XML 1.0 calls
//! well-formed checked behind it, all that was left to it was to find the next `>`, and that a second time. The tests hold
//! both against each other. Character data, CDATA and comments are checked and dropped while they stream by: no report
//! keeps an outcome in them, and a report may hold gigabytes of them. No DTD is read, no entity expanded, nothing fetched.

mod aside;
mod attributes;
mod charset;
mod check;
mod scan;
mod walk;

#[cfg(test)]
mod tests;

use super::decoded::Decoded;
use super::input::Input;
use super::refusal::{Refusal, quoted};
use super::source::Source;
pub(crate) use attributes::Value;
use attributes::{Opening, REFERENCE_LIMIT, Span, opening, reference};
pub(crate) use charset::Charset;
use memchr::{memchr, memmem};
use std::borrow::Cow;
pub(crate) use walk::{Elements, walk};

/// Bytes that are held at once, unless a tag is longer.
const BLOCK: usize = 32 * 1024;

/// Bytes of one tag. Only a tag is ever held whole; text, CDATA and comments run through.
pub(crate) const TAG_LIMIT: usize = 8 << 20;

/// Elements inside each other.
pub(crate) const DEPTH_LIMIT: usize = 256;

/// Bytes in which a reader may ask for a word.
const WORD_LIMIT: usize = 96;

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

    /// Names, as written, and values.
    #[inline]
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&'a [u8], Value<'a>)> + use<'a> {
        let (bytes, xml11) = (self.bytes, self.xml11);
        self.spans.iter().map(move |s| (&bytes[s.name.clone()], Value::new(bytes, s, xml11)))
    }

    /// Refuses a root element that has none of these names.
    pub(crate) fn must_be(&self, names: &[&str], whose: &str) -> Result<(), Refusal> {
        if names.iter().any(|name| name.as_bytes() == self.local()) {
            return Ok(());
        }
        let (found, names) = (String::from_utf8_lossy(self.name), names.join("` or `"));
        Err(Refusal::new(format!("its root element is {}, where {whose} has `{names}`", quoted(&found))))
    }

    /// The value of one attribute, as text.
    pub(crate) fn attribute(&self, name: &[u8]) -> Option<Cow<'a, str>> {
        self.attributes().find(|(n, _)| *n == name).map(|(_, value)| value.text())
    }

    /// The namespace that this tag itself declares for its own prefix.
    pub(crate) fn namespace(&self) -> Option<Cow<'a, str>> {
        let prefix = self.name.strip_suffix(self.local()).unwrap_or_default();
        let mut found = self.attributes().filter(|(name, _)| match prefix.strip_suffix(b":") {
            None => *name == b"xmlns",
            Some(prefix) => name.strip_prefix(b"xmlns:") == Some(prefix),
        });
        found.next().map(|(_, uri)| uri.text())
    }
}

/// A name without its prefix.
#[inline]
pub(crate) fn local(name: &[u8]) -> &[u8] {
    if scan::letters(name) == name.len() {
        return name;
    }
    name.iter().rposition(|&b| b == b':').map_or(name, |i| &name[i + 1..])
}

/// Reads one document.
pub(crate) struct Xml<'s> {
    source: Source<'s>,
    spans: Vec<Span>,
    /// Names of the open elements, one behind the other, and where each begins.
    names: Vec<u8>,
    open: Vec<usize>,
    /// The element that was just opened has no content.
    close: bool,
    root: bool,
    doctype: bool,
    xml11: bool,
    /// Said of the document as a whole.
    pub(crate) warning: Option<String>,
}

/// What a tag turned out to be.
enum Found {
    Opened { name: usize, length: usize },
    Closed,
    Nothing,
}

impl<'s> Xml<'s> {
    /// Begins to read `input`, whose encoding its first bytes tell.
    pub(crate) fn open(input: &'s mut Input<'_>) -> Result<Self, Refusal> {
        let charset = Charset::detect(input.head()?)?;
        let check = if charset.ascii { check::check::<true> } else { check::check::<false> };
        let source = Source::new(Decoded::new(input, charset.mark, charset.encoding)?, BLOCK, check);
        let warning = charset.overruled.map(|name| {
            format!(
                "declares the encoding {} and begins with the byte order mark of UTF-8: read as UTF-8",
                quoted(&name)
            )
        });
        let (spans, names, open) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { source, spans, names, open, close: false, root: false, doctype: false, xml11: false, warning })
    }

    /// What stands in the element that was opened last, trimmed, where that is all there is in it and it is short: text,
    /// or one CDATA section. It stays to be read.
    fn word(&mut self) -> Result<Option<String>, Refusal> {
        if self.close {
            return Ok(Some(String::new()));
        }
        let ahead = self.source.peek(WORD_LIMIT)?.trim_ascii_start();
        let cdata = ahead.strip_prefix(b"<![CDATA[");
        let found = match cdata {
            Some(text) => memmem::find(text, b"]]>").map(|end| (&text[..end], &text[end + 3..])),
            None => memchr(b'<', ahead).map(|end| (&ahead[..end], &ahead[end..])),
        };
        let whole = found.filter(|(_, after)| after.trim_ascii_start().starts_with(b"</"));
        Ok(whole.map(|(text, _)| String::from_utf8_lossy(text.trim_ascii()).into_owned()))
    }

    /// The refusal for `what`, placed at the token that was read last.
    pub(crate) fn refuse(&self, what: impl Into<String>) -> Refusal {
        Refusal::new(what).at(self.source.token_place())
    }

    /// The next event.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Event<'_>, Refusal> {
        if std::mem::take(&mut self.close) {
            return Ok(Event::Close);
        }
        loop {
            if !self.characters()? {
                return self.end();
            }
            match self.tag()? {
                Found::Opened { name, length } => {
                    let bytes = self.source.consumed(length);
                    let tag = Tag { bytes, name: &bytes[1..name], spans: &self.spans, xml11: self.xml11 };
                    return Ok(Event::Open(tag));
                }
                Found::Closed => return Ok(Event::Close),
                Found::Nothing => {}
            }
        }
    }

    /// Drops character data up to the next `<`; false at the end of the file.
    #[inline]
    fn characters(&mut self) -> Result<bool, Refusal> {
        loop {
            let inside = !self.open.is_empty();
            let text = self.source.ahead()?;
            if text.is_empty() {
                return Ok(false);
            }
            let found = if inside { scan::markup(text) } else { text.iter().position(|b| !b" \t\r\n".contains(b)) };
            let (length, stop) = found.map_or((text.len(), None), |i| (i, Some(text[i])));
            self.source.consume(length);
            match stop {
                None => {}
                Some(b'<') => return Ok(true),
                Some(b'&') if inside => {
                    let xml11 = self.xml11;
                    let read = reference(self.source.peek(REFERENCE_LIMIT)?, xml11);
                    let (_, length) = read.map_err(|what| self.here(what).help(INVALID))?;
                    self.source.consume(length);
                }
                // XML 1.0, 2.4: `]]>` must not appear in character data
                Some(b']') if inside => {
                    if self.source.peek(3)? == b"]]>" {
                        return Err(self.here("`]]>` outside a CDATA section").help(INVALID));
                    }
                    self.source.consume(1);
                }
                Some(_) if self.root => {
                    return Err(self.here("something stands after the end of the document").help(INVALID));
                }
                Some(_) => return Err(self.here("text stands before the document begins").help(INVALID)),
            }
        }
    }

    /// Reads what begins with the `<` that is next.
    #[inline]
    fn tag(&mut self) -> Result<Found, Refusal> {
        self.source.begin();
        match self.source.peek(2)?.get(1).copied() {
            Some(b'/') => self.closing(),
            Some(b'!') => self.bang(),
            Some(b'?') => self.instruction(),
            Some(b'<') if self.source.peek(8)? == b"<<<<<<< " => {
                let help = "Resolve it, or better: run the tests again";
                Err(self.here("the file holds the marks of a merge conflict").help(help))
            }
            None => Err(self.cut("a tag")),
            Some(_) => self.opening(),
        }
    }

    #[inline]
    fn opening(&mut self) -> Result<Found, Refusal> {
        let Opening { name, end, empty } = loop {
            let text = self.source.ahead()?;
            match opening(text, self.xml11, &mut self.spans) {
                Ok(Some(opening)) => break opening,
                Ok(None) => self.lengthen("a tag")?,
                Err(refusal) => return Err(refusal.at(self.source.place()).help(INVALID)),
            }
        };
        if end > TAG_LIMIT {
            return Err(self.too_long());
        }
        if self.root && self.open.is_empty() {
            return Err(self.here("a second root element").help("Give each report its own file"));
        }
        if self.open.len() == DEPTH_LIMIT {
            return Err(self.here(format!("elements are nested more than {DEPTH_LIMIT} deep")));
        }
        self.source.consume(end);
        (self.root, self.close) = (true, empty);
        if !empty {
            self.open.push(self.names.len());
            self.names.extend_from_slice(&self.source.consumed(end)[1..name]);
        }
        Ok(Found::Opened { name, length: end })
    }

    #[inline]
    fn closing(&mut self) -> Result<Found, Refusal> {
        let end = loop {
            let text = self.source.ahead()?;
            match memchr(b'>', text) {
                Some(end) => break end,
                None => self.lengthen("a tag")?,
            }
        };
        self.source.consume(end + 1);
        let name = self.source.consumed(end + 1)[2..end].trim_ascii_end();
        let Some(start) = self.open.pop() else {
            let what = format!("{} is closed and was never opened", quoted(&String::from_utf8_lossy(name)));
            return Err(self.refuse(what).help(INVALID));
        };
        if self.names[start..] != *name {
            let (found, open) = (String::from_utf8_lossy(name), String::from_utf8_lossy(&self.names[start..]));
            let what = format!("{} is closed where {} is open", quoted(&found), quoted(&open));
            return Err(self.refuse(what).help(INVALID));
        }
        self.names.truncate(start);
        Ok(Found::Closed)
    }

    fn end(&self) -> Result<Event<'_>, Refusal> {
        if let Some(&start) = self.open.last() {
            let name = String::from_utf8_lossy(&self.names[start..]);
            return Err(self.here(format!("the file ends where {} is still open", quoted(&name))).help(TRUNCATED));
        }
        if !self.root {
            return Err(self.here("the file ends before any element").help(TRUNCATED));
        }
        Ok(Event::End)
    }

    /// Brings the rest of `what` to hand.
    fn lengthen(&mut self, what: &str) -> Result<(), Refusal> {
        let have = self.source.at_hand().len();
        if have > TAG_LIMIT {
            return Err(self.too_long());
        }
        // twice as much as there is
        let ahead = self.source.peek((2 * have).clamp(1, TAG_LIMIT + 1))?;
        if ahead.len() > have { Ok(()) } else { Err(self.cut(what)) }
    }

    /// The refusal of a tag that begins here and is longer than [`TAG_LIMIT`].
    fn too_long(&self) -> Refusal {
        self.here(format!("a tag is longer than {} MiB, which is the most that is read", TAG_LIMIT >> 20))
    }

    fn cut(&self, what: &str) -> Refusal {
        self.refuse(format!("{what} that begins here does not end")).help(TRUNCATED)
    }

    fn here(&self, what: impl Into<String>) -> Refusal {
        Refusal::new(what).at(self.source.place())
    }
}
