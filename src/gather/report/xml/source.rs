//! From bytes to checked characters: encoding, UTF-8 validity, the characters XML allows, and places for messages.
//!
//! A block at a time: nothing here grows with the file.

use super::super::refusal::{Place, Refusal};
use super::charset::{Charset, WRITE_UTF8};
use super::scan;
use encoding_rs::{Decoder, DecoderResult, Encoding};
use std::io::{self, Read};

/// Characters that are held at once, in bytes.
const BLOCK: usize = 32 * 1024;

/// Bytes of one tag. Only a tag is ever held whole; text, CDATA and comments run through.
pub(crate) const TAG_LIMIT: usize = 8 << 20;

/// Checked characters of one report.
pub(crate) struct Source<'s> {
    from: &'s mut dyn Read,
    decoder: Option<Decoder>,
    ascii: bool,
    raw: Vec<u8>,
    raw_at: usize,
    raw_to: usize,
    /// `text[at..checked]` may be read; `text[checked..filled]` begins a character whose end has not come yet.
    text: Vec<u8>,
    at: usize,
    checked: usize,
    filled: usize,
    /// Offset and place of `text[0]`.
    base: u64,
    start: Place,
    /// Where the present token begins.
    token: u64,
    token_place: Option<Place>,
    ended: bool,
    /// Found after `checked`; told when reading gets there, so that the first fault in the file is the one named.
    ahead: Option<Refusal>,
    fault: Option<Refusal>,
}

impl<'s> Source<'s> {
    /// Reads `from`, which stands at the file's first byte, as `charset`.
    pub(crate) fn new(from: &'s mut dyn Read, charset: &Charset) -> io::Result<Self> {
        from.read_exact(&mut [0; 3][..charset.mark])?;
        let decoder = charset.encoding.map(Encoding::new_decoder_without_bom_handling);
        let raw = vec![0; if decoder.is_some() { BLOCK / 4 } else { 0 }];
        Ok(Self {
            from,
            decoder,
            ascii: charset.ascii,
            raw,
            raw_at: 0,
            raw_to: 0,
            text: vec![0; BLOCK],
            at: 0,
            checked: 0,
            filled: 0,
            base: 0,
            start: Place::START,
            token: 0,
            token_place: None,
            ended: false,
            ahead: None,
            fault: None,
        })
    }

    /// Whether nothing but a byte order mark has been read.
    pub(crate) fn at_start(&self) -> bool {
        self.base == 0 && self.at == 0
    }

    /// Remembers that a token begins here.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.token = self.base + self.at as u64;
        self.token_place = None;
    }

    /// Where the present token begins.
    pub(crate) fn token_place(&self) -> Place {
        self.token_place.unwrap_or_else(|| self.start.after(&self.text[..(self.token - self.base) as usize]))
    }

    /// Where reading stands.
    pub(crate) fn place(&self) -> Place {
        self.start.after(&self.text[..self.at])
    }

    /// The refusal behind an I/O error that this source gave.
    pub(crate) fn refusal(&mut self, error: &io::Error) -> Refusal {
        let place = self.place();
        self.fault.take().unwrap_or_else(|| match error.kind() {
            io::ErrorKind::FileTooLarge => Refusal::new("the file is larger than is read").help("Split the report"),
            _ => Refusal::new(format!("the file could not be read on: {error}")).at(place),
        })
    }

    /// What is at hand, at least one byte; nothing at the end of the file.
    #[inline]
    pub(crate) fn ahead(&mut self) -> io::Result<&[u8]> {
        while self.at == self.checked && self.more()? {}
        Ok(&self.text[self.at..self.checked])
    }

    /// The next `n` bytes, fewer only at the end of the file.
    #[inline]
    pub(crate) fn peek(&mut self, n: usize) -> io::Result<&[u8]> {
        while self.checked - self.at < n && self.more()? {}
        Ok(&self.text[self.at..self.checked.min(self.at + n)])
    }

    /// Brings more of a tag to hand, twice as much as there is; false at the end of the file.
    pub(crate) fn lengthen(&mut self) -> Result<bool, Refusal> {
        let have = self.checked - self.at;
        if have > TAG_LIMIT {
            return Err(self.too_long());
        }
        let more = self.peek((2 * have).clamp(1, TAG_LIMIT + 1)).map(|ahead| ahead.len() > have);
        more.map_err(|e| self.refusal(&e))
    }

    /// The refusal of a tag that begins here and is longer than [`TAG_LIMIT`].
    pub(crate) fn too_long(&self) -> Refusal {
        let what = format!("a tag is longer than {} MiB, which is the most that is read", TAG_LIMIT >> 20);
        Refusal::new(what).at(self.place())
    }

    /// Passes over `n` bytes that are at hand.
    #[inline]
    pub(crate) fn consume(&mut self, n: usize) {
        self.at = (self.at + n).min(self.checked);
    }

    /// The `n` bytes that were consumed last; they stay until more is asked for.
    #[inline]
    pub(crate) fn consumed(&self, n: usize) -> &[u8] {
        &self.text[self.at.saturating_sub(n)..self.at]
    }

    /// Reads and checks more; false at the end of the file.
    fn more(&mut self) -> io::Result<bool> {
        if let Some(refusal) = self.ahead.take() {
            let place = self.start.after(&self.text[..self.checked]);
            self.fault = Some(refusal.at(place));
            return Err(io::Error::other("not a character"));
        }
        if self.ended {
            return Ok(false);
        }
        self.forget();
        // only a tag that is held whole can need more room than a block
        if self.text.len() - self.filled < BLOCK / 2 {
            self.text.resize(2 * self.text.len(), 0);
        }
        match self.decoder {
            Some(_) => self.decode()?,
            None => self.fill()?,
        }
        self.check();
        Ok(true)
    }

    /// Drops what has been read and keeps the book of places.
    fn forget(&mut self) {
        if self.token_place.is_none() && self.token < self.base + self.at as u64 {
            self.token_place = Some(self.token_place());
        }
        self.start = self.start.after(&self.text[..self.at]);
        self.base += self.at as u64;
        self.text.copy_within(self.at..self.filled, 0);
        (self.checked, self.filled, self.at) = (self.checked - self.at, self.filled - self.at, 0);
    }

    fn fill(&mut self) -> io::Result<()> {
        let n = self.from.read(&mut self.text[self.filled..])?;
        self.filled += n;
        self.ended = n == 0;
        Ok(())
    }

    fn decode(&mut self) -> io::Result<()> {
        if self.raw_at == self.raw_to {
            self.raw_to = self.from.read(&mut self.raw)?;
            self.raw_at = 0;
        }
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let last = self.raw_at == self.raw_to;
        let (raw, text) = (&self.raw[self.raw_at..self.raw_to], &mut self.text[self.filled..]);
        let (result, read, written) = decoder.decode_to_utf8_without_replacement(raw, text, last);
        self.raw_at += read;
        self.filled += written;
        if let DecoderResult::Malformed(..) = result {
            let what = "bytes that are no character in the encoding of this file";
            self.ahead = Some(Refusal::new(what).help(WRITE_UTF8));
            self.ended = true;
        }
        self.ended |= last && result == DecoderResult::InputEmpty;
        Ok(())
    }

    /// Moves `checked` over what is valid UTF-8 and allowed in XML, up to the first fault.
    fn check(&mut self) {
        let new = &self.text[self.checked..self.filled];
        if scan::is_plain(new) {
            self.checked = self.filled;
            return;
        }
        let (valid, mut fault) = match std::str::from_utf8(new) {
            Ok(_) => (new.len(), None),
            Err(e) if e.error_len().is_none() && !self.ended => (e.valid_up_to(), None),
            Err(e) => (e.valid_up_to(), Some(Refusal::new("bytes that are not UTF-8").help(WRITE_UTF8))),
        };
        let mut end = valid;
        if let Some(i) = scan::forbidden(&new[..valid], self.ascii) {
            end = i;
            fault = Some(forbidden(&new[i..], self.ascii));
        }
        self.checked += end;
        if fault.is_some() {
            self.filled = self.checked;
            self.ended = true;
            self.ahead = fault;
        }
    }
}

/// The refusal for the character that `text` begins with.
fn forbidden(text: &[u8], ascii: bool) -> Refusal {
    let c = text.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()).unwrap_or('\u{FFFD}');
    if ascii && !c.is_ascii() {
        return Refusal::new("it declares US-ASCII and holds other characters").help(WRITE_UTF8);
    }
    Refusal::new(format!("the character U+{:04X} is not allowed in XML", u32::from(c)))
        .help("Let the tool that writes it leave control characters out")
}
