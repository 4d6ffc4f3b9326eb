//! LCOV tracefiles, by geninfo(1): how much of the code was reached, a figure and no verdict.
//!
//! A record says of one source file how many lines, branches and functions there are (`LF`, `BRF`, `FNF`) and were
//! reached (`LH`, `BRH`, `FNH`); where it does not say so, its `DA`, `BRDA`, `FN` and `FNDA` are counted.

use super::input::Input;
use super::lines::{self, Lines};
use super::name::{AsItIs, digest64};
use super::outcome::{NUMBER_LIMIT, Number};
use super::refusal::{Place, Refusal, quoted};
use super::tally::{IDENTITY_LIMIT, Tally};
use crate::record::test_run_v1::{Coverage, Covered};
use std::collections::HashSet;
use std::hash::BuildHasherDefault;

/// Whether the first line that says something begins a record.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let text = lines::preview(head);
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.starts_with("TN:") || line.starts_with("SF:"))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut lines = Lines::open(input)?;
    let mut reading = Reading::default();
    while lines.advance()? {
        let place = Place { line: lines.number(), column: 1 };
        reading.line(lines.text(), tally).map_err(|refusal| refusal.at(place))?;
    }
    reading.finish(tally).map_err(|refusal| refusal.at(Place { line: lines.number().max(1), column: 1 }))
}

#[derive(Default)]
struct Reading {
    /// The record that is open.
    record: Option<Record>,
    records: u64,
    lines: Covered,
    branches: Covered,
    functions: Covered,
    seen: HashSet<u64, BuildHasherDefault<AsItIs>>,
    repeated: u64,
    strangers: u64,
}

/// What is said of one source file.
#[derive(Default)]
struct Record {
    lines: Kind,
    branches: Kind,
    functions: Kind,
}

/// Things of one kind, as declared and as shown.
#[derive(Default)]
struct Kind {
    total: Number,
    covered: Number,
    shown: Covered,
}

impl Kind {
    fn show(&mut self, covered: bool) {
        self.shown.total += 1;
        self.shown.covered += u64::from(covered);
    }

    /// What it comes to, and a warning.
    fn close(&self, what: &str, sum: &mut Covered, tally: &mut Tally) -> Result<(), Refusal> {
        let total = self.total.known().unwrap_or(self.shown.total);
        let covered = self.covered.known().unwrap_or(self.shown.covered);
        if self.shown.total > 0 && (total, covered) != (self.shown.total, self.shown.covered) {
            let Covered { covered: hit, total: of } = self.shown;
            tally.warn(|| format!("a record declares {covered} of {total} {what} and shows {hit} of {of}"));
        }
        if covered > total {
            return Err(Refusal::new(format!("a record says that {covered} of {total} {what} were reached")));
        }
        sum.total = (sum.total + total).min(NUMBER_LIMIT);
        sum.covered = (sum.covered + covered).min(NUMBER_LIMIT);
        Ok(())
    }
}

impl Reading {
    fn line(&mut self, text: &[u8], tally: &mut Tally) -> Result<(), Refusal> {
        let text = text.trim_ascii();
        if text.is_empty() || text.starts_with(b"#") {
            return Ok(());
        }
        if text == b"end_of_record" {
            return self.close(tally);
        }
        let colon = memchr::memchr(b':', text).unwrap_or(text.len());
        let (key, value) = (&text[..colon], text.get(colon + 1..).unwrap_or_default());
        if key == b"SF" {
            if self.record.is_some() {
                return Err(Refusal::new("a record begins where another has not ended").help("Write the report again"));
            }
            self.record = Some(Record::default());
            self.identify(value);
            return Ok(());
        }
        let known = matches!(
            key,
            b"DA" | b"LF" | b"LH" | b"BRDA" | b"BRF" | b"BRH" | b"FN" | b"FNL" | b"FNDA" | b"FNA" | b"FNF" | b"FNH"
        );
        // VER, MCDC and what else there may be
        if !known {
            self.strangers += u64::from(!matches!(key, b"TN" | b"VER" | b"MCDC" | b"MCF" | b"MCH"));
            return Ok(());
        }
        let Some(record) = &mut self.record else {
            let what = format!("{} outside a record", quoted(&String::from_utf8_lossy(key)));
            return Err(Refusal::new(what).help("The beginning of the report is missing"));
        };
        let field = |n: usize| value.split(|&b| b == b',').nth(n).unwrap_or_default();
        match key {
            b"DA" => record.lines.show(reached(field(1))?),
            b"BRDA" => record.branches.show(reached(field(3))?),
            b"FN" | b"FNL" => record.functions.shown.total += 1,
            b"FNDA" => record.functions.shown.covered += u64::from(reached(field(0))?),
            b"FNA" => record.functions.shown.covered += u64::from(reached(field(1))?),
            b"LF" => record.lines.total = number(value)?,
            b"LH" => record.lines.covered = number(value)?,
            b"BRF" => record.branches.total = number(value)?,
            b"BRH" => record.branches.covered = number(value)?,
            b"FNF" => record.functions.total = number(value)?,
            _ => record.functions.covered = number(value)?,
        }
        Ok(())
    }

    fn identify(&mut self, path: &[u8]) {
        if self.seen.len() < IDENTITY_LIMIT {
            self.repeated += u64::from(!self.seen.insert(digest64(0, path)));
        }
    }

    fn close(&mut self, tally: &mut Tally) -> Result<(), Refusal> {
        let Some(record) = self.record.take() else {
            return Err(Refusal::new("a record ends that has not begun").help("The beginning of the report is missing"));
        };
        self.records += 1;
        record.lines.close("lines", &mut self.lines, tally)?;
        record.branches.close("branches", &mut self.branches, tally)?;
        record.functions.close("functions", &mut self.functions, tally)
    }

    fn finish(self, tally: &mut Tally) -> Result<(), Refusal> {
        if self.record.is_some() {
            return Err(Refusal::new("the file ends inside a record: it is cut").help("Write the report again"));
        }
        if self.records == 0 {
            return Err(Refusal::new("there is no record in it").help("Check that the tests ran with coverage"));
        }
        if self.repeated > 0 {
            let n = self.repeated;
            tally.warn(|| format!("{n} record(s) are of a source file that had one already: both are counted"));
        }
        if self.strangers > 0 {
            tally.warn(|| format!("{} line(s) are of no kind that is known", self.strangers));
        }
        let known = |covered: Covered| (covered.total > 0).then_some(covered);
        tally.coverage = Some(Coverage {
            lines: Some(self.lines),
            branches: known(self.branches),
            functions: known(self.functions),
        });
        Ok(())
    }
}

/// Whether something was reached: how often it was, or `-` for what could not be.
fn reached(times: &[u8]) -> Result<bool, Refusal> {
    let text = String::from_utf8_lossy(times);
    let text = text.trim();
    if text == "-" {
        return Ok(false);
    }
    match text.parse::<f64>() {
        // gcov has been known to count below zero
        Ok(n) if n.is_finite() => Ok(n > 0.0),
        _ => Err(Refusal::new(format!("{} where a number of times belongs", quoted(text)))),
    }
}

fn number(value: &[u8]) -> Result<Number, Refusal> {
    let text = String::from_utf8_lossy(value);
    match Number::parse(&text) {
        Number::Is(n) => Ok(Number::Is(n)),
        _ => Err(Refusal::new(format!("{} where a number belongs", quoted(&text)))),
    }
}
