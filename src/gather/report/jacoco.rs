//! JaCoCo XML. The counters of the report as a whole count; those of packages, classes and methods are parts of them.

use super::coverage::{covered, number};
use super::input::Input;
use super::name::kept;
use super::recognise::root_tag;
use super::refusal::{Refusal, quoted};
use super::tally::Tally;
use super::xml::{Elements, Tag, walk};
use crate::record::test_run_v1::{Coverage, Covered};

/// Whether the root element is that of JaCoCo. Others are called `report` too; its document type is not.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let inside = ["JACOCO", "<sessioninfo", "<counter "];
    let says = |name: &str| {
        name == "report" && inside.iter().any(|word| memchr::memmem::find(head, word.as_bytes()).is_some())
    };
    root_tag(head).is_some_and(|(name, _)| says(&name))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut reading = Reading { tally, depth: 0, coverage: Coverage::default() };
    walk(input, &mut reading)?;
    let coverage = reading.coverage;
    if coverage == Coverage::default() {
        return Err(Refusal::new("it has no counters of the report as a whole, so what it covers is not told")
            .help("Check that the tests ran with JaCoCo's agent, and that there are classes to cover"));
    }
    reading.tally.coverage = Some(coverage);
    Ok(())
}

struct Reading<'t> {
    tally: &'t mut Tally,
    depth: usize,
    coverage: Coverage,
}

impl Elements for Reading<'_> {
    fn tally(&mut self) -> &mut Tally {
        self.tally
    }

    fn open(&mut self, tag: &Tag<'_>) -> Result<bool, Refusal> {
        match (self.depth, tag.local()) {
            (0, b"report") => self.tally.name = tag.attribute(b"name").map(|name| kept(name.as_bytes())),
            (0, _) => {
                let name = String::from_utf8_lossy(tag.qualified());
                return Err(Refusal::new(format!("its root element is {}, where JaCoCo has `report`", quoted(&name))));
            }
            (1, b"counter") => self.counter(tag)?,
            _ => {}
        }
        self.depth += 1;
        Ok(false)
    }

    fn close(&mut self) -> Result<(), Refusal> {
        self.depth -= 1;
        Ok(())
    }
}

impl Reading<'_> {
    fn counter(&mut self, tag: &Tag<'_>) -> Result<(), Refusal> {
        let kind = tag.attribute(b"type").unwrap_or_default();
        let (what, into) = match &*kind {
            "LINE" => ("lines", &mut self.coverage.lines),
            "BRANCH" => ("branches", &mut self.coverage.branches),
            "METHOD" => ("methods", &mut self.coverage.functions),
            // instructions, complexity, classes
            _ => return Ok(()),
        };
        let (Some(missed), Some(part)) = (number(tag, "missed")?, number(tag, "covered")?) else {
            return Err(Refusal::new(format!("the counter of {what} has no `missed` or no `covered`")));
        };
        if into.is_some() {
            return Err(Refusal::new(format!("the counter of {what} stands twice")));
        }
        let Covered { covered, total } = covered(what, part, missed.saturating_add(part))?;
        *into = Some(Covered { covered, total });
        Ok(())
    }
}
