//! From bytes to checked UTF-8, a block at a time, and places for messages. Nothing here grows with the file.

use super::decoded::{Decoded, unread};
use super::refusal::{Place, Refusal};

/// The least room for a read. What is looked at as a whole may leave less of a block, which grows then.
const ROOM: usize = 16 * 1024;

/// How many of these bytes are valid, and what is wrong behind them; the flag says that nothing follows.
pub(super) type Check = fn(&[u8], bool) -> (usize, Option<Refusal>);

/// The checked text of one report.
pub(super) struct Source<'s> {
    from: Decoded<'s>,
    check: Check,
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
    /// Found behind `checked`; told when reading gets there, so that the first fault in the file is the one named.
    ahead: Option<Refusal>,
}

impl<'s> Source<'s> {
    /// Reads `from`, of which `block` bytes are held at once. No token is held whole unless it is asked for.
    pub(super) fn new(from: Decoded<'s>, block: usize, check: Check) -> Self {
        Self {
            from,
            check,
            text: vec![0; block],
            at: 0,
            checked: 0,
            filled: 0,
            base: 0,
            start: Place::START,
            token: 0,
            token_place: None,
            ended: false,
            ahead: None,
        }
    }

    /// Whether nothing but a byte order mark has been read.
    pub(super) fn at_start(&self) -> bool {
        self.base == 0 && self.at == 0
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

    /// What is at hand, perhaps nothing.
    #[inline]
    pub(super) fn at_hand(&self) -> &[u8] {
        &self.text[self.at..self.checked]
    }

    /// What is at hand, at least one byte; nothing at the end of the file.
    #[inline]
    pub(super) fn ahead(&mut self) -> Result<&[u8], Refusal> {
        while self.at == self.checked && self.more()? {}
        Ok(&self.text[self.at..self.checked])
    }

    /// The next `n` bytes, fewer only at the end of the file.
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
        if let Some(refusal) = self.ahead.take() {
            return Err(refusal.at(self.start.after(&self.text[..self.checked])));
        }
        if self.ended {
            return Ok(false);
        }
        self.forget();
        if self.text.len() - self.filled < ROOM {
            self.text.resize(2 * self.text.len(), 0);
        }
        let n = self.from.fill(&mut self.text[self.filled..]).map_err(|e| unread(&e, self.place()))?;
        self.filled += n;
        self.ended = n == 0;
        let (valid, fault) = (self.check)(&self.text[self.checked..self.filled], self.ended);
        self.checked += valid;
        self.ahead = fault.or_else(|| self.from.fault().filter(|_| self.ended));
        if self.ahead.is_some() {
            self.filled = self.checked;
            self.ended = true;
        }
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
}
