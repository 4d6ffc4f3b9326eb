//! JUnit XML of any producer. There is no standard: what stands here is what tools write, named where it matters.
//!
//! Cases are counted, never believed: a header may say less than its body shows (jest-junit), or more (a suite that
//! did not load). Where both speak, the worse one holds.

mod case;
#[cfg(test)]
mod tests;

use super::input::Input;
use super::name::kept;
use super::outcome::{Number, Outcome, Time};
use super::recognise::xml_root;
use super::refusal::{Refusal, quoted};
use super::suite::{Claims, Found, Pool, Suites};
use super::tally::Tally;
use super::xml::{Elements, Tag, walk};
use case::OpenCase;

/// The unit test framework for C, "Check", calls its root `testsuites` as well and means something else.
const FOREIGN: &str = "http://check.sourceforge.net/ns";

/// Elements of other formats that stand where JUnit has its `testcase`.
const NOT_JUNIT: [&[u8]; 7] = [b"suite", b"test", b"case", b"test-suite", b"test-case", b"assembly", b"UnitTestResult"];

/// Whether the root element is that of a JUnit report.
pub(crate) fn recognises(head: &[u8]) -> bool {
    matches!(xml_root(head).as_deref(), Some("testsuites" | "testsuite"))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut reading =
        Reading { tally, open: Vec::new(), suites: Suites::default(), cases: Pool::default(), foreign: None };
    walk(input, &mut reading)?;
    let foreign = reading.foreign;
    match foreign {
        Some(name) if tally.counts.total == 0 => {
            let what = format!("it has no `testcase`, but {} elements, which JUnit does not have", quoted(&name));
            Err(Refusal::new(what).help("Check which format the tool writes"))
        }
        _ => Ok(()),
    }
}

fn check_root(tag: &Tag<'_>) -> Result<(), Refusal> {
    let name = String::from_utf8_lossy(tag.qualified());
    if !matches!(tag.local(), b"testsuites" | b"testsuite") {
        let what = format!("its root element is {}, where JUnit has `testsuites` or `testsuite`", quoted(&name));
        return Err(Refusal::new(what));
    }
    if tag.namespace().is_some_and(|uri| uri.trim_end_matches('/') == FOREIGN) {
        return Err(Refusal::new("it is in the format of the Check framework, which is not JUnit")
            .help("Let Check write TAP or Subunit, or convert the report"));
    }
    Ok(())
}

/// What an open element is to us.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Suite,
    Case,
    /// A failure's inside, or an earlier run's: what stands in there has been counted with it.
    Muted,
    Other,
}

struct Reading<'t> {
    tally: &'t mut Tally,
    open: Vec<Kind>,
    suites: Suites,
    cases: Pool<OpenCase>,
    /// The first element of another format, where a suite should hold cases.
    foreign: Option<String>,
}

impl Elements for Reading<'_> {
    fn tally(&mut self) -> &mut Tally {
        self.tally
    }

    #[inline]
    fn open(&mut self, tag: &Tag<'_>) -> Result<bool, Refusal> {
        if self.open.is_empty() {
            check_root(tag)?;
        }
        let kind = match tag.local() {
            b"testcase" => self.open_case(tag),
            b"testsuite" | b"testsuites" => self.open_suite(tag),
            other => self.open_other(other, tag),
        };
        self.open.push(kind);
        Ok(false)
    }

    #[inline]
    fn close(&mut self) -> Result<(), Refusal> {
        match self.open.pop() {
            Some(Kind::Case) => self.close_case(),
            Some(Kind::Suite) => self.suites.close(self.tally),
            _ => {}
        }
        Ok(())
    }
}

impl Reading<'_> {
    fn open_suite(&mut self, tag: &Tag<'_>) -> Kind {
        let suite = self.suites.open();
        let mut claims = Claims::default();
        let mut stated = None;
        for (name, value) in tag.attributes() {
            match name {
                b"name" => value.name_into(&mut suite.name),
                b"tests" => claims.total = Number::parse(&value.text()),
                b"failures" => claims.failed = Number::parse(&value.text()),
                b"errors" => claims.errored = Number::parse(&value.text()),
                // `skips` is nose's and unittest-xml's, `skip` older nose's, `ignored` Eclipse's
                b"skipped" | b"skips" | b"skip" | b"ignored" => claims.skipped = Number::parse(&value.text()),
                b"disabled" => claims.disabled = Number::parse(&value.text()),
                b"timestamp" if self.tally.timestamp.is_none() => self.tally.timestamp = Some(kept(&value.bytes())),
                b"status" | b"result" => stated = Outcome::of_word(&value.text()).max(stated),
                _ => {}
            }
        }
        (suite.claims, suite.stated) = (claims, stated);
        if self.tally.name.is_none() && !suite.name.is_empty() {
            self.tally.name = Some(suite.label().into_owned());
        }
        Kind::Suite
    }

    fn open_case(&mut self, tag: &Tag<'_>) -> Kind {
        let case = self.cases.push();
        case.reset();
        for (name, value) in tag.attributes() {
            match name {
                b"name" => value.name_into(&mut case.name),
                b"classname" => value.name_into(&mut case.class),
                // PHPUnit writes both, some tools only this one
                b"class" if case.class.is_empty() => value.name_into(&mut case.class),
                b"time" => case.time = Time::parse(&value.bytes()),
                // GoogleTest and CTest say by `status` and `result` what others say by an element
                b"status" | b"result" => match Outcome::of_word(&value.text()) {
                    Some(outcome) => case.stated = case.stated.max(Some(outcome)),
                    None => {
                        case.unknown_word = true;
                        self.tally.warn(|| format!("the outcome word {} is unknown", quoted(&value.text())));
                    }
                },
                _ => {}
            }
        }
        Kind::Case
    }

    fn close_case(&mut self) {
        let Some(case) = self.cases.pop() else { return };
        let (outcome, note) = case.outcome();
        let explained = case.flaky + case.rerun + u64::from(case.todo && outcome == Outcome::Skipped);
        let OpenCase { class, name, time, .. } = case;
        let found = Found { outcome, flaky: case.flaky > 0, explained, class, name, id: b"", time };
        self.suites.case(&found, self.tally);
        if let Some(note) = note {
            self.tally.warn(|| format!("test case {} {note}", quoted(&String::from_utf8_lossy(&case.name))));
        }
    }

    fn open_other(&mut self, local: &[u8], tag: &Tag<'_>) -> Kind {
        if local == b"include" {
            self.tally.warn(|| "an `include` element (XInclude) was not followed".to_owned());
        }
        // what it speaks of: the innermost case or suite, unless something muted stands between
        let about = self.open.iter().rev().find(|kind| **kind != Kind::Other).copied();
        let outcome = match local {
            _ if about == Some(Kind::Muted) => return Kind::Other,
            _ if local.eq_ignore_ascii_case(b"failure") => Some(Outcome::Failed),
            _ if local.eq_ignore_ascii_case(b"error") => Some(Outcome::Errored),
            _ => None,
        };
        let direct = self.open.last() != Some(&Kind::Other);
        if outcome.is_some() && !direct {
            // perhaps only output that was not escaped; a failure that is not one does less harm than one overlooked
            let name = String::from_utf8_lossy(local);
            self.tally.warn(|| format!("{} stands inside another element than a test case: counted", quoted(&name)));
        }
        match (about, outcome) {
            (Some(Kind::Case), _) => return self.inside_case(local, tag, outcome, direct),
            (_, Some(outcome)) => {
                self.suites.broken(outcome, self.tally);
                return Kind::Muted;
            }
            _ if direct && self.foreign.is_none() && NOT_JUNIT.contains(&local) => {
                self.foreign = Some(String::from_utf8_lossy(local).into_owned());
            }
            _ => {}
        }
        Kind::Other
    }

    fn inside_case(&mut self, local: &[u8], tag: &Tag<'_>, outcome: Option<Outcome>, direct: bool) -> Kind {
        let Some(case) = self.cases.last() else { return Kind::Other };
        match (outcome, local) {
            (Some(Outcome::Errored), _) => case.errored = true,
            (Some(_), _) => case.failed = true,
            // the runs before the last one: Maven Surefire's rerunFailingTestsCount, cargo-nextest's retries
            (None, b"flakyFailure" | b"flakyError") if direct => case.flaky += 1,
            (None, b"rerunFailure" | b"rerunError") if direct => case.rerun += 1,
            (None, b"skipped" | b"skip" | b"ignored" | b"disabled" | b"notrun" | b"pending") => {
                case.skipped = true;
                case.todo |= tag.attributes().any(|(name, value)| name == b"type" && &*value.bytes() == b"todo");
                // not muted: being skipped never hides a failure
                return Kind::Other;
            }
            _ => return Kind::Other,
        }
        Kind::Muted
    }
}
