//! A report that is lines: checked, numbered, one at a time, and never held whole when they are long.
//!
//! UTF-8, with a byte order mark or without; UTF-16 by its mark, which is what `>` writes in Windows PowerShell. A line
//! ends with U+000A, and U+000D before it belongs to its end.

use super::input::Input;
use super::refusal::{Place, Refusal, count};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::Range;

/// Bytes of a line that are kept.
pub(crate) const KEPT: usize = 1 << 20;

/// Bytes that are read at once.
const BLOCK: usize = 64 * 1024;

const WRITE_UTF8: &str = "Let the tool that writes it use UTF-8";

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
        let head = input.head().map_err(|e| Refusal::new(format!("the file could not be read: {e}")))?;
        if matches!(head, [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..]) {
            return Err(Refusal::new("it is UTF-32, which is not read").help(WRITE_UTF8).at(Place::START));
        }
        let (encoding, mark) = Encoding::for_bom(head).unwrap_or((UTF_8, 0));
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
        let lines = Self {
            from: Decoded {
                from: input,
                decoder,
                raw: vec![0; BLOCK / 4],
                at: 0,
                to: 0,
                malformed: false,
                done: false,
            },
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
        };
        lines.from.from.read_exact(&mut [0; 3][..mark]).map_err(|e| lines.unread(&e))?;
        Ok(lines)
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
                self.unended = !self.line.is_empty();
                return Ok(self.unended);
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

    fn unread(&self, error: &io::Error) -> Refusal {
        match error.kind() {
            io::ErrorKind::FileTooLarge => Refusal::new("the file is larger than is read").help("Split the report"),
            _ => Refusal::new(format!("the file could not be read on: {error}")).at(self.place()),
        }
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
        let n = self.from.fill(&mut self.text[self.filled..]).map_err(|e| self.unread(&e))?;
        self.filled += n;
        self.ended = n == 0;
        self.check();
        Ok(true)
    }

    /// Moves `checked` over what is valid, up to the first fault.
    fn check(&mut self) {
        let new = &self.text[self.checked..self.filled];
        let (mut valid, mut fault) = match std::str::from_utf8(new) {
            Ok(_) => (new.len(), None),
            Err(e) if e.error_len().is_none() && !self.ended => (e.valid_up_to(), None),
            Err(e) => (e.valid_up_to(), Some(Refusal::new("bytes that are not UTF-8").help(WRITE_UTF8))),
        };
        if let Some(i) = memchr::memchr(0, &new[..valid]) {
            let help = "A disk that was full leaves such files, and UTF-16 without a byte order mark looks like this";
            (valid, fault) = (i, Some(Refusal::new("the character U+0000, which no text holds").help(help)));
        }
        if self.ended && fault.is_none() && self.from.malformed {
            let what = "bytes that are no character in the encoding of this file";
            fault = Some(Refusal::new(what).help(WRITE_UTF8));
        }
        self.checked += valid;
        if fault.is_some() {
            self.filled = self.checked;
            self.ended = true;
            self.ahead = fault;
        }
    }
}

/// The bytes of a report, in UTF-8 whatever it is written in.
struct Decoded<'s> {
    from: &'s mut dyn Read,
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    at: usize,
    to: usize,
    /// What follows is no character in the file's encoding: it ends here.
    malformed: bool,
    done: bool,
}

impl Decoded<'_> {
    /// Reads into `into`, at least 64 KiB; 0 at the end.
    fn fill(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(decoder) = &mut self.decoder else { return self.from.read(into) };
        while !self.malformed && !self.done {
            if self.at == self.to {
                (self.at, self.to) = (0, self.from.read(&mut self.raw)?);
            }
            let last = self.to == 0;
            let (result, read, written) =
                decoder.decode_to_utf8_without_replacement(&self.raw[self.at..self.to], into, last);
            self.at += read;
            self.malformed = matches!(result, DecoderResult::Malformed(..));
            self.done = last && result == DecoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}

/// The first characters of a file, for telling its format.
pub(crate) fn preview(head: &[u8]) -> Cow<'_, str> {
    let (encoding, mark) = Encoding::for_bom(head).unwrap_or((UTF_8, 0));
    encoding.decode_without_bom_handling(&head[mark..]).0
}
