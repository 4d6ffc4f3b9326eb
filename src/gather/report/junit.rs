//! JUnit XML of any producer. There is no standard: what stands here is what tools write, named where it matters.
//!
//! Cases are counted, never believed: a header may say less than its body shows (jest-junit), or more (a suite that
//! did not load). Where both speak, the worse one holds.

mod case;

use super::input::Input;
use super::name::{cut, kept};
use super::outcome::{Number, Outcome, Time};
use super::recognise::xml_root;
use super::refusal::{Refusal, quoted};
use super::suite::{Claims, Suite};
use super::tally::{self, Tally};
use super::xml::{Event, Tag, Value, Xml};
use case::{OpenCase, Pool};

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
    let mut xml = Xml::open(input)?;
    if let Some(warning) = xml.warning.take() {
        tally.warn(|| warning);
    }
    let mut reading =
        Reading { tally, open: Vec::new(), suites: Pool::default(), cases: Pool::default(), foreign: None };
    loop {
        match xml.next()? {
            Event::Open(tag) => {
                if reading.open.is_empty() {
                    check_root(&tag)?;
                }
                reading.open(&tag);
            }
            Event::Close => reading.close(),
            Event::End => break,
        }
    }
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

/// Takes a name over.
#[inline]
fn take(value: Value<'_>, into: &mut Vec<u8>) {
    into.clear();
    value.append_to(into);
    cut(into);
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
    suites: Pool<Suite>,
    cases: Pool<OpenCase>,
    /// The first element of another format, where a suite should hold cases.
    foreign: Option<String>,
}

impl Reading<'_> {
    fn open(&mut self, tag: &Tag<'_>) {
        let kind = match tag.local() {
            b"testcase" => self.open_case(tag),
            b"testsuite" | b"testsuites" => self.open_suite(tag),
            other => self.open_other(other, tag),
        };
        self.open.push(kind);
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Kind::Case) => self.close_case(),
            Some(Kind::Suite) => self.close_suite(),
            _ => {}
        }
    }

    fn open_suite(&mut self, tag: &Tag<'_>) -> Kind {
        let suite = self.suites.push();
        suite.reset();
        let mut claims = Claims::default();
        let mut stated = None;
        for (name, value) in tag.attributes() {
            match name {
                b"name" => take(value, &mut suite.name),
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

    fn close_suite(&mut self) {
        let Some(suite) = self.suites.pop() else { return };
        let result = suite.close(self.tally);
        let head = suite.head();
        match self.suites.last() {
            Some(above) => above.absorb(result),
            None => self.tally.declared = head,
        }
    }

    fn open_case(&mut self, tag: &Tag<'_>) -> Kind {
        let case = self.cases.push();
        case.reset();
        for (name, value) in tag.attributes() {
            match name {
                b"name" => take(value, &mut case.name),
                b"classname" => take(value, &mut case.class),
                // PHPUnit writes both, some tools only this one
                b"class" if case.class.is_empty() => take(value, &mut case.class),
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
        let mut none = Suite::default();
        let suite = self.suites.last().unwrap_or(&mut none);
        suite.own.case(outcome, case.flaky + case.rerun + u64::from(case.todo && outcome == Outcome::Skipped));
        if case.tells_nothing() {
            suite.own.nameless();
        }
        let found =
            tally::Case { outcome, flaky: case.flaky > 0, suite: &suite.name, class: &case.class, name: &case.name };
        self.tally.case(&found);
        self.tally.time(&case.time, outcome != Outcome::Skipped);
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
                if let Some(suite) = self.suites.last() {
                    suite.own.broken();
                    self.tally.broken(&suite.label(), outcome);
                }
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
