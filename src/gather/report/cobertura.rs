//! Cobertura XML, which coverage.py, gcovr, Istanbul, Coverlet and many others write.
//!
//! The totals of the root are the report's word for itself; where it has none, the lines are counted.

use super::coverage::{check_rate, covered, number};
use super::input::Input;
use super::outcome::Number;
use super::recognise::root_tag;
use super::refusal::{Refusal, quoted};
use super::tally::Tally;
use super::xml::{Elements, Tag, walk};
use crate::record::test_run_v1::{Coverage, Covered};

/// Whether the root element is that of Cobertura.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let says = |tag: &str| tag.contains("line-rate") || tag.contains("lines-valid");
    root_tag(head).is_some_and(|(name, tag)| name == "coverage" && says(&tag))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut reading = Reading::new(tally);
    walk(input, &mut reading)?;
    reading.end()
}

/// A part of a whole while it is counted.
#[derive(Clone, Copy, Default)]
struct Count {
    covered: u64,
    total: u64,
}

struct Reading<'t> {
    tally: &'t mut Tally,
    depth: usize,
    /// Depth of the innermost `methods`, whose lines stand in the class once more.
    methods: Option<usize>,
    line_rate: Option<String>,
    branch_rate: Option<String>,
    lines: Option<Covered>,
    branches: Option<Covered>,
    counted_lines: Count,
    counted_branches: Count,
}

impl<'t> Reading<'t> {
    fn new(tally: &'t mut Tally) -> Self {
        Self {
            tally,
            depth: 0,
            methods: None,
            line_rate: None,
            branch_rate: None,
            lines: None,
            branches: None,
            counted_lines: Count::default(),
            counted_branches: Count::default(),
        }
    }
}

impl Elements for Reading<'_> {
    fn tally(&mut self) -> &mut Tally {
        self.tally
    }

    fn open(&mut self, tag: &Tag<'_>) -> Result<bool, Refusal> {
        match tag.local() {
            name if self.depth == 0 => {
                if name != b"coverage" {
                    let name = String::from_utf8_lossy(tag.qualified());
                    let what = format!("its root element is {}, where Cobertura has `coverage`", quoted(&name));
                    return Err(Refusal::new(what));
                }
                self.root(tag)?;
            }
            b"methods" if self.methods.is_none() => self.methods = Some(self.depth),
            b"line" if self.methods.is_none() => self.line(tag)?,
            _ => {}
        }
        self.depth += 1;
        Ok(false)
    }

    fn close(&mut self) -> Result<(), Refusal> {
        self.depth -= 1;
        if self.methods == Some(self.depth) {
            self.methods = None;
        }
        Ok(())
    }
}

impl Reading<'_> {
    fn root(&mut self, tag: &Tag<'_>) -> Result<(), Refusal> {
        let text = |name: &[u8]| tag.attribute(name).map(std::borrow::Cow::into_owned);
        (self.line_rate, self.branch_rate) = (text(b"line-rate"), text(b"branch-rate"));
        // seconds or thousandths of them, or a date
        self.tally.timestamp = text(b"timestamp").filter(|at| !at.is_empty());
        let both = |part: &str, whole: &str| -> Result<Option<(u64, u64)>, Refusal> {
            Ok(number(tag, part)?.zip(number(tag, whole)?))
        };
        if let Some((part, whole)) = both("lines-covered", "lines-valid")? {
            self.lines = Some(covered("lines", part, whole)?);
        }
        if let Some((part, whole)) = both("branches-covered", "branches-valid")? {
            self.branches = Some(covered("branches", part, whole)?);
        }
        Ok(())
    }

    fn line(&mut self, tag: &Tag<'_>) -> Result<(), Refusal> {
        self.counted_lines.total += 1;
        match tag.attribute(b"hits").map_or(Number::Absent, |hits| Number::parse(&hits)) {
            Number::Is(hits) => self.counted_lines.covered += u64::from(hits > 0),
            // gcov can write a count below nothing
            _ => self.tally.warn(|| "the `hits` of a line cannot be read: counted as not covered".into()),
        }
        if let Some(text) = tag.attribute(b"condition-coverage") {
            // `50% (1/2)`
            let parts = text.split_once('(').and_then(|(_, rest)| rest.split_once(')')?.0.split_once('/'));
            match parts.map(|(part, whole)| (Number::parse(part), Number::parse(whole))) {
                Some((Number::Is(part), Number::Is(whole))) => {
                    covered("branches", part, whole)?;
                    let Count { covered, total } = self.counted_branches;
                    let (covered, total) = (covered.saturating_add(part), total.saturating_add(whole));
                    self.counted_branches = Count { covered, total };
                }
                _ => self.tally.warn(|| format!("the branches of a line, {}, cannot be read", quoted(&text))),
            }
        }
        Ok(())
    }

    fn end(self) -> Result<(), Refusal> {
        let Self { tally, counted_lines: Count { covered, total }, counted_branches, .. } = self;
        let counted = (total > 0).then_some(Covered { covered, total });
        if let (Some(said), Some(counted)) = (self.lines, counted)
            && said != counted
        {
            tally.warn(|| {
                let Covered { covered, total } = said;
                let found = format!("{} of {}", counted.covered, counted.total);
                format!("declares {covered} of {total} lines covered; its `line` elements make it {found}")
            });
        }
        let lines = self.lines.or(counted).ok_or_else(|| {
            Refusal::new("it has neither totals nor lines, so what it covers is not told")
                .help("Check that the tests ran with coverage switched on")
        })?;
        let Count { covered, total } = counted_branches;
        let branches = self.branches.or((total > 0).then_some(Covered { covered, total }));
        check_rate("line", self.line_rate.as_deref(), Some(lines), tally);
        check_rate("branch", self.branch_rate.as_deref(), branches, tally);
        tally.coverage = Some(Coverage { lines: Some(lines), branches, functions: None });
        Ok(())
    }
}
