//! A report that is a stream of JSON objects, one a line, with other output between them.
//!
//! Of an object only some members are read; the rest is passed over without being held.

mod object;
mod plain;
mod strings;

use super::input::Input;
use super::lines::{self, Lines};
use super::refusal::Refusal;
use super::tally::Tally;
use object::object;
pub(crate) use object::{Name, Value};
use strings::Strings;

/// What stands in a line.
pub(crate) enum Event<'l, const N: usize> {
    /// An object; its members in the order of the names.
    Object([Value<'l>; N]),
    /// Something else: what a test or a build has printed.
    Output(&'l [u8]),
}

/// The events of one report.
pub(crate) struct Events<'s> {
    lines: Lines<'s>,
    /// A long line, shortened.
    short: Vec<u8>,
}

impl<'s> Events<'s> {
    /// Begins at the first byte of `input`.
    pub(crate) fn open(input: &'s mut Input<'_>) -> Result<Self, Refusal> {
        Ok(Self { lines: Lines::open(input)?, short: Vec::new() })
    }

    /// The next line that is not blank, with its number; nothing at the end of the file.
    #[inline]
    pub(crate) fn next<const N: usize>(&mut self, names: &[Name; N]) -> Result<Option<(u64, Event<'_, N>)>, Refusal> {
        loop {
            if !self.lines.advance()? {
                return Ok(None);
            }
            if !self.lines.text().trim_ascii_start().is_empty() {
                break;
            }
        }
        let number = self.lines.number();
        if !self.lines.text().trim_ascii_start().starts_with(b"{") {
            return Ok(Some((number, Event::Output(self.lines.text()))));
        }
        let line = if self.lines.long() {
            self.short = shortened(&mut self.lines)?;
            &self.short
        } else {
            self.lines.text()
        };
        object(line, names, number).map(|members| Some((number, Event::Object(members))))
    }
}

/// Lines that are no event of a report's format, counted.
#[derive(Default)]
pub(crate) struct Strangers {
    lines: u64,
    first: u64,
}

impl Strangers {
    /// One more, with its number.
    pub(crate) fn add(&mut self, number: u64) {
        if self.lines == 0 {
            self.first = number;
        }
        self.lines += 1;
    }

    /// Says how many there were; not what stands in them, which is for no record.
    pub(crate) fn finish(&self, tally: &mut Tally) {
        let Self { lines, first } = self;
        if *lines > 0 {
            tally.warn(|| {
                format!("{lines} line(s) are no events of this format and were passed over; the first is line {first}")
            });
        }
    }
}

/// The members of the first object in `head`, a file's first bytes, that `known` recognises.
pub(crate) fn recognises<const N: usize>(head: &[u8], names: &[Name; N], known: fn(&[Value<'_>; N]) -> bool) -> bool {
    let text = lines::preview(head);
    let objects = text.lines().filter(|line| line.trim_start().starts_with('{'));
    objects.take(100).any(|line| object(line.as_bytes(), names, 1).is_ok_and(|members| known(&members)))
}

/// A long line without the ends of its long strings.
fn shortened(lines: &mut Lines<'_>) -> Result<Vec<u8>, Refusal> {
    let (mut short, mut strings) = (Vec::new(), Strings::default());
    lines.pieces(&mut |piece| {
        for &b in piece {
            if strings.pass(b)? {
                short.push(b);
            }
        }
        if short.len() <= lines::KEPT {
            return Ok(());
        }
        let what = "the line is longer than 1 MiB, and not for one long string: that is the most that is read";
        Err(Refusal::new(what).help("Check which format the tool writes"))
    })?;
    Ok(short)
}
