//! The XML of NUnit 3 and 4. A suite holds suites, also one for every test that has parameters.

use super::input::Input;
use super::name::kept;
use super::outcome::{Number, Outcome, Time};
use super::recognise::xml_root;
use super::refusal::{Refusal, quoted};
use super::suite::{Pool, Row, Suites};
use super::tally::Tally;
use super::xml::{Elements, Tag, walk};
use crate::record::test_run_v1::ReportTool;

/// Whether the root element is that of NUnit 3: a run, or one suite of it as the framework alone writes it.
pub(crate) fn recognises(head: &[u8]) -> bool {
    matches!(xml_root(head).as_deref(), Some("test-run" | "test-suite"))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    walk(input, &mut Reading { tally, open: Vec::new(), suites: Suites::default(), rows: Pool::default() })
}

/// What `result` and `label` mean together (NUnit, "Test Result XML Format": ResultState).
fn outcome(result: &str, label: &str) -> Option<Outcome> {
    Some(match result.trim().to_ascii_lowercase().as_str() {
        "passed" | "warning" => Outcome::Passed,
        "skipped" | "inconclusive" => Outcome::Skipped,
        // it broke, or could not be run to its end; another label is a message (`Test exceeded Timeout value`)
        "failed" if ["error", "cancelled", "invalid"].contains(&label.trim().to_ascii_lowercase().as_str()) => {
            Outcome::Errored
        }
        "failed" => Outcome::Failed,
        _ => return None,
    })
}

/// What an open element is to us.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Suite,
    Case,
    Other,
}

struct Reading<'t> {
    tally: &'t mut Tally,
    open: Vec<Kind>,
    suites: Suites,
    rows: Pool<Row>,
}

impl Elements for Reading<'_> {
    fn tally(&mut self) -> &mut Tally {
        self.tally
    }

    fn open(&mut self, tag: &Tag<'_>) -> Result<bool, Refusal> {
        let name = tag.local();
        if self.open.is_empty() && !matches!(name, b"test-run" | b"test-suite") {
            let name = String::from_utf8_lossy(tag.qualified());
            return Err(Refusal::new(format!("its root element is {}, where NUnit 3 has `test-run`", quoted(&name))));
        }
        let kind = match name {
            b"test-run" | b"test-suite" => self.open_suite(tag),
            b"test-case" => self.open_case(tag),
            b"failure" => {
                if let (Some(Kind::Case), Some(row)) = (self.open.last(), self.rows.last()) {
                    row.failure = true;
                }
                Kind::Other
            }
            b"environment" if self.tally.tool.as_ref().is_none_or(|tool| tool.version.is_none()) => {
                self.tool(tag.attribute(b"framework-version").as_deref());
                Kind::Other
            }
            _ => Kind::Other,
        };
        self.open.push(kind);
        Ok(false)
    }

    fn close(&mut self) -> Result<(), Refusal> {
        match self.open.pop() {
            Some(Kind::Suite) => self.suites.close(self.tally),
            Some(Kind::Case) => {
                if let Some(row) = self.rows.pop() {
                    row.count(&mut self.suites, self.tally);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Reading<'_> {
    fn tool(&mut self, version: Option<&str>) {
        let version = version.map(|version| kept(version.as_bytes()));
        self.tally.tool = Some(ReportTool { name: "NUnit".into(), version });
    }

    fn open_suite(&mut self, tag: &Tag<'_>) -> Kind {
        let (mut result, mut label, mut site) = (None, "".into(), "".into());
        let suite = self.suites.open();
        for (name, value) in tag.attributes() {
            let number = || Number::parse(&value.text());
            let claims = &mut suite.claims;
            match name {
                b"fullname" => value.name_into(&mut suite.name),
                b"name" if suite.name.is_empty() => value.name_into(&mut suite.name),
                b"total" => claims.total = number(),
                b"passed" | b"warnings" => claims.passed = claims.passed.plus(number()),
                b"failed" => claims.bad = number(),
                b"skipped" => claims.skipped = number(),
                b"inconclusive" => claims.disabled = number(),
                b"result" => result = Some(value.text()),
                b"label" => label = value.text(),
                b"site" => site = value.text(),
                b"start-time" if self.tally.timestamp.is_none() => {
                    self.tally.timestamp = Some(kept(&value.bytes()));
                }
                _ => {}
            }
        }
        // a suite need not say how it ended; what it says and nobody understands is not good
        suite.stated = result.as_deref().map(|word| outcome(word, &label).unwrap_or(Outcome::Errored));
        if self.tally.name.is_none() && !suite.name.is_empty() {
            self.tally.name = Some(suite.label().into_owned());
        }
        let bad = suite.stated.filter(|stated| *stated >= Outcome::Failed);
        // by its children otherwise, or by the setup of a suite above
        if let (Some(bad), "setup" | "teardown") = (bad, site.to_ascii_lowercase().as_str()) {
            self.suites.broken(bad, self.tally);
        }
        Kind::Suite
    }

    fn open_case(&mut self, tag: &Tag<'_>) -> Kind {
        let row = self.rows.push();
        row.reset();
        let (mut result, mut label) = (None, "".into());
        for (name, value) in tag.attributes() {
            match name {
                b"name" => value.name_into(&mut row.name),
                b"classname" => value.name_into(&mut row.class),
                b"id" => value.name_into(&mut row.id),
                b"duration" => row.time = Time::parse(&value.bytes()),
                b"result" => result = Some(value.text()),
                b"label" => label = value.text(),
                _ => {}
            }
        }
        if let Some(word) = result {
            row.says(&word, outcome(&word, &label), self.tally);
            if word.eq_ignore_ascii_case("warning") {
                let name = String::from_utf8_lossy(&row.name);
                self.tally.warn(|| format!("test case {} passed with a warning", quoted(&name)));
            }
        }
        Kind::Case
    }
}
