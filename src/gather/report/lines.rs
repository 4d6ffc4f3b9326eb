//! A report that is lines: checked, numbered, one at a time, and never held whole when they are long.
//!
//! UTF-8, with a byte order mark or without; UTF-16 by its mark, which is what `>` writes in Windows PowerShell. A line
//! ends with U+000A, and U+000D before it belongs to its end.

use super::decoded::{Decoded, WRITE_UTF8, unread, valid};
use super::input::Input;
use super::refusal::{Place, Refusal, count};
use encoding_rs::{Encoding, UTF_8};
use std::borrow::Cow;
use std::ops::Range;

/// Bytes of a line that are kept.
pub(crate) const KEPT: usize = 1 << 20;

/// Bytes that are read at once.
const BLOCK: usize = 64 * 1024;

/// The lines of one report; what they hold is valid UTF-8 without U+0000.
pub(crate) struct Lines<'s> {
    from: Decoded<'s>,
    /// `text[at..checked]` may be read; `text[checked..filled]` begins a character whose end has not come yet.
    text: Vec<u8>,
    at: usize,
    checked: usize,
    filled: usize,
    /// The present line, without its end, where it is whole.
    line: Range<usize>,
    number: u64,
    /// Characters of the present line that were dropped.
    dropped: u64,
    /// The present line is long and has not been passed over.
    long: bool,
    ended: bool,
    unended: bool,
    /// Found after `checked`; told when reading gets there.
    ahead: Option<Refusal>,
}

impl<'s> Lines<'s> {
    /// Begins at the first byte of `input`.
    pub(crate) fn open(input: &'s mut Input<'_>) -> Result<Self, Refusal> {
        let head = input.head()?;
        if matches!(head, [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..]) {
            return Err(Refusal::new("it is UTF-32, which is not read").help(WRITE_UTF8).at(Place::START));
        }
        let (encoding, mark) = Encoding::for_bom(head).unwrap_or((UTF_8, 0));
        Ok(Self {
            from: Decoded::new(input, mark, Some(encoding).filter(|encoding| *encoding != UTF_8))?,
            text: vec![0; 2 * BLOCK],
            at: 0,
            checked: 0,
            filled: 0,
            line: 0..0,
            number: 0,
            dropped: 0,
            long: false,
            ended: false,
            unended: false,
            ahead: None,
        })
    }

    /// Goes on to the next line; false at the end of the file.
    #[inline]
    pub(crate) fn advance(&mut self) -> Result<bool, Refusal> {
        if self.long {
            self.pieces(&mut |_| Ok(()))?;
        }
        self.number += 1;
        self.dropped = 0;
        let mut searched = 0;
        loop {
            if let Some(i) = memchr::memchr(b'\n', &self.text[self.at + searched..self.checked]) {
                let end = self.at + searched + i;
                let cut = usize::from(end > self.at && self.text[end - 1] == b'\r');
                self.line = self.at..end - cut;
                self.at = end + 1;
                return Ok(true);
            }
            searched = self.checked - self.at;
            if searched > KEPT {
                self.long = true;
                return Ok(true);
            }
            if !self.more()? {
                self.line = self.at..self.checked;
                self.at = self.checked;
                self.unended |= !self.line.is_empty();
                return Ok(!self.line.is_empty());
            }
        }
    }

    /// The present line without its end; of a long one, what is kept: whole characters.
    #[inline]
    pub(crate) fn text(&self) -> &[u8] {
        if !self.long {
            return &self.text[self.line.clone()];
        }
        let line = &self.text[self.at..self.checked];
        let end = (0..=KEPT).rev().find(|&end| line.get(end).is_none_or(|b| b & 0xC0 != 0x80));
        &line[..end.unwrap_or(0)]
    }

    /// Whether the present line is longer than what is kept of it.
    pub(crate) fn long(&self) -> bool {
        self.long
    }

    /// Gives all of a long line, piece by piece.
    pub(crate) fn pieces(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<(), Refusal>) -> Result<(), Refusal> {
        self.long = false;
        loop {
            let ahead = &self.text[self.at..self.checked];
            let end = memchr::memchr(b'\n', ahead);
            let piece = &ahead[..end.unwrap_or(ahead.len())];
            let place = Place { line: self.number, column: self.dropped + 1 };
            each(piece).map_err(|refusal| refusal.at(place))?;
            self.dropped += count(piece, |b| b & 0xC0 != 0x80);
            self.at += piece.len() + usize::from(end.is_some());
            if end.is_some() {
                return Ok(());
            }
            if !self.more()? {
                self.unended = true;
                return Ok(());
            }
        }
    }

    /// The number of the present line, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether the file stops inside its last line.
    pub(crate) fn unended(&self) -> bool {
        self.unended
    }

    /// Where the checked text ends; there is no end of a line before it.
    fn place(&self) -> Place {
        let column = self.dropped + 1 + count(&self.text[self.at..self.checked], |b| b & 0xC0 != 0x80);
        Place { line: self.number.max(1), column }
    }

    /// Reads and checks more; false at the end of the file.
    #[cold]
    fn more(&mut self) -> Result<bool, Refusal> {
        if let Some(refusal) = self.ahead.take() {
            return Err(refusal.at(self.place()));
        }
        if self.ended {
            return Ok(false);
        }
        self.text.copy_within(self.at..self.filled, 0);
        (self.checked, self.filled, self.at) = (self.checked - self.at, self.filled - self.at, 0);
        // only a line can need more room than a block
        if self.text.len() - self.filled < BLOCK {
            self.text.resize(2 * self.text.len(), 0);
        }
        let n = self.from.fill(&mut self.text[self.filled..]).map_err(|e| unread(&e, self.place()))?;
        self.filled += n;
        self.ended = n == 0;
        self.check();
        Ok(true)
    }

    /// Moves `checked` over what is valid, up to the first fault.
    fn check(&mut self) {
        let new = &self.text[self.checked..self.filled];
        let (mut valid, broken) = valid(new, self.ended);
        let mut fault = broken.then(|| Refusal::new("bytes that are not UTF-8").help(WRITE_UTF8));
        if let Some(i) = memchr::memchr(0, &new[..valid]) {
            let help = "A disk that was full leaves such files, and UTF-16 without a byte order mark looks like this";
            (valid, fault) = (i, Some(Refusal::new("the character U+0000, which no text holds").help(help)));
        }
        fault = fault.or_else(|| self.from.fault().filter(|_| self.ended));
        self.checked += valid;
        if fault.is_some() {
            self.filled = self.checked;
            self.ended = true;
            self.ahead = fault;
        }
    }
}

/// The first characters of a file, for telling its format.
pub(crate) fn preview(head: &[u8]) -> Cow<'_, str> {
    let (encoding, mark) = Encoding::for_bom(head).unwrap_or((UTF_8, 0));
    encoding.decode_without_bom_handling(&head[mark..]).0
}
