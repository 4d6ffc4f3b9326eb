//! Clover XML, which PHPUnit, Istanbul and OpenClover write. The metrics of the project count.

use super::coverage::{covered, number};
use super::input::Input;
use super::name::kept;
use super::recognise::root_tag;
use super::refusal::{Refusal, quoted};
use super::tally::Tally;
use super::xml::{Elements, Tag, walk};
use crate::record::test_run_v1::{Coverage, Covered};

/// Whether the root element is that of Clover; Cobertura's is called the same.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let says = |tag: &str| tag.contains("generated=") || tag.contains("clover=");
    root_tag(head).is_some_and(|(name, tag)| name == "coverage" && says(&tag))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut reading = Reading { tally, depth: 0, project: false, coverage: None };
    walk(input, &mut reading)?;
    let coverage = reading.coverage.take();
    let none = || Refusal::new("it has no `metrics` of a project, so what it covers is not told");
    let coverage = coverage.filter(|coverage| *coverage != Coverage::default()).ok_or_else(none)?;
    reading.tally.coverage = Some(coverage);
    Ok(())
}

struct Reading<'t> {
    tally: &'t mut Tally,
    depth: usize,
    /// The element directly below the root is `project`, and not `testproject`.
    project: bool,
    coverage: Option<Coverage>,
}

impl Elements for Reading<'_> {
    fn tally(&mut self) -> &mut Tally {
        self.tally
    }

    fn open(&mut self, tag: &Tag<'_>) -> Result<bool, Refusal> {
        match (self.depth, tag.local()) {
            (0, b"coverage") => {
                self.tally.timestamp = tag.attribute(b"generated").map(|at| kept(at.as_bytes()));
            }
            (0, _) => {
                let name = String::from_utf8_lossy(tag.qualified());
                return Err(Refusal::new(format!(
                    "its root element is {}, where Clover has `coverage`",
                    quoted(&name)
                )));
            }
            (1, name) => {
                self.project = name == b"project";
                if let (true, Some(name)) = (self.project, tag.attribute(b"name")) {
                    self.tally.name = Some(kept(name.as_bytes()));
                }
            }
            (2, b"metrics") if self.project => {
                if self.coverage.is_some() {
                    return Err(Refusal::new("the metrics of a project stand twice"));
                }
                self.coverage = Some(Coverage {
                    // the lines that hold one
                    lines: part(tag, "statements", "coveredstatements")?,
                    branches: part(tag, "conditionals", "coveredconditionals")?,
                    functions: part(tag, "methods", "coveredmethods")?,
                });
            }
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

fn part(tag: &Tag<'_>, total: &str, part: &str) -> Result<Option<Covered>, Refusal> {
    let both = number(tag, part)?.zip(number(tag, total)?);
    both.map(|(part, whole)| covered(total, part, whole)).transpose()
}
