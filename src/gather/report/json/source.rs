//! From bytes to checked UTF-8, a block at a time, and places for messages. Nothing here grows with the file.

use super::super::refusal::{Place, Refusal};
use super::INVALID;
use std::io::{ErrorKind, Read};

/// Bytes that are held at once. No token is ever held whole: a longer string goes on in memory of its own.
pub(super) const BLOCK: usize = 64 * 1024;

/// The text of one report.
pub(super) struct Source<'s> {
    from: &'s mut dyn Read,
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
    /// What stands behind `checked` is not UTF-8: told when reading gets there, so that the first fault is the one named.
    broken: bool,
}

impl<'s> Source<'s> {
    /// Reads `from`, which stands behind any byte order mark.
    pub(super) fn new(from: &'s mut dyn Read) -> Self {
        Self {
            from,
            text: vec![0; BLOCK],
            at: 0,
            checked: 0,
            filled: 0,
            base: 0,
            start: Place::START,
            token: 0,
            token_place: None,
            ended: false,
            broken: false,
        }
    }

    /// Remembers that a token begins here.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.token = self.base + self.at as u64;
        self.token_place = None;
    }

    /// Where the present token begins.
    pub(super) fn token_place(&self) -> Place {
        self.token_place.unwrap_or_else(|| self.start.after(&self.text[..(self.token - self.base) as usize]))
    }

    /// Where reading stands.
    pub(super) fn place(&self) -> Place {
        self.start.after(&self.text[..self.at])
    }

    /// What is at hand, at least one byte; nothing at the end of the file.
    #[inline]
    pub(super) fn ahead(&mut self) -> Result<&[u8], Refusal> {
        while self.at == self.checked && self.more()? {}
        Ok(&self.text[self.at..self.checked])
    }

    /// The next `n` bytes, fewer only at the end of the file. `n` is far below [`BLOCK`].
    #[inline]
    pub(super) fn peek(&mut self, n: usize) -> Result<&[u8], Refusal> {
        while self.checked - self.at < n && self.more()? {}
        Ok(&self.text[self.at..self.checked.min(self.at + n)])
    }

    /// Passes over `n` bytes that are at hand.
    #[inline]
    pub(super) fn consume(&mut self, n: usize) {
        self.at = (self.at + n).min(self.checked);
    }

    /// The `n` bytes that were consumed last; they stay until more is asked for.
    #[inline]
    pub(super) fn consumed(&self, n: usize) -> &[u8] {
        &self.text[self.at.saturating_sub(n)..self.at]
    }

    /// Reads and checks more; false at the end of the file.
    #[cold]
    fn more(&mut self) -> Result<bool, Refusal> {
        if self.broken {
            let place = self.start.after(&self.text[..self.checked]);
            return Err(Refusal::new("bytes that are not UTF-8, which JSON is written in (RFC 8259, section 8.1)")
                .at(place)
                .help("Let the tool write UTF-8"));
        }
        if self.ended {
            return Ok(false);
        }
        self.forget();
        let n = self.from.read(&mut self.text[self.filled..]).map_err(|error| match error.kind() {
            ErrorKind::FileTooLarge => Refusal::new("the file is larger than is read").help("Split the report"),
            _ => Refusal::new(format!("the file could not be read on: {error}")).at(self.place()),
        })?;
        self.filled += n;
        self.ended = n == 0;
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

    /// Moves `checked` over what is valid UTF-8.
    fn check(&mut self) {
        let new = &self.text[self.checked..self.filled];
        match std::str::from_utf8(new) {
            Ok(_) => self.checked = self.filled,
            Err(e) => {
                self.broken = e.error_len().is_some() || self.ended;
                self.checked += e.valid_up_to();
            }
        }
    }
}

/// The refusal of an encoding that is none of JSON's, by the first bytes of the file.
pub(super) fn encoding(head: &[u8]) -> Result<usize, Refusal> {
    let name = match head {
        [0xEF, 0xBB, 0xBF, ..] => return Ok(3),
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] | [0, 0, 0, _, ..] | [_, 0, 0, 0, ..] => "UTF-32",
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, ..] | [_, 0, ..] => "UTF-16",
        _ => return Ok(0),
    };
    let what = format!("the file is in {name}, and JSON is written in UTF-8 (RFC 8259, section 8.1)");
    Err(Refusal::new(what).at(Place::START).help(INVALID))
}
