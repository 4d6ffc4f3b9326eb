//! The XML of xUnit.net: version 1 (`class`), version 2 and 3 (`collection`). Also what Fixie and others write.

use super::input::Input;
use super::name::kept;
use super::outcome::{Number, Outcome, Time};
use super::recognise::root_tag;
use super::refusal::Refusal;
use super::suite::{Kind, Tree};
use super::tally::Tally;
use super::xml::{Elements, Tag, walk};
use crate::record::test_run_v1::ReportTool;

/// What the root element of version 1 says, one of them at least. Maven and Windows have an `assembly` as well.
const VERSION_1: [&str; 4] = ["total", "run-date", "test-framework", "environment"];

/// Whether the root element is that of xUnit.net.
pub(crate) fn recognises(head: &[u8]) -> bool {
    root_tag(head).is_some_and(|(name, tag)| match name.as_str() {
        "assemblies" => true,
        "assembly" => VERSION_1.iter().any(|attribute| tag.contains(attribute)),
        _ => false,
    })
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    walk(input, &mut Reading(Tree::new(tally)))
}

fn outcome(word: &str) -> Option<Outcome> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "pass" => Outcome::Passed,
        "fail" => Outcome::Failed,
        "skip" | "notrun" => Outcome::Skipped,
        _ => return None,
    })
}

struct Reading<'t>(Tree<'t>);

impl Elements for Reading<'_> {
    fn tally(&mut self) -> &mut Tally {
        self.0.tally
    }

    fn open(&mut self, tag: &Tag<'_>) -> Result<bool, Refusal> {
        let name = tag.local();
        if self.0.at_root() {
            tag.must_be(&["assemblies", "assembly"], "xUnit.net")?;
            if name == b"assembly" && !VERSION_1.iter().any(|one| tag.attribute(one.as_bytes()).is_some()) {
                return Err(Refusal::new("its root is an `assembly` that says nothing of tests"));
            }
        }
        let kind = match name {
            b"assemblies" | b"assembly" | b"collection" | b"class" => self.open_suite(tag),
            b"test" => self.open_test(tag),
            // `error` is a cleanup that failed or a fixture that broke; it holds a `failure`
            b"failure" | b"error" => self.failure(name == b"error"),
            _ => Kind::Other,
        };
        self.0.push(kind);
        Ok(false)
    }

    fn close(&mut self) -> Result<(), Refusal> {
        self.0.pop();
        Ok(())
    }
}

impl Reading<'_> {
    fn open_suite(&mut self, tag: &Tag<'_>) -> Kind {
        let suite = self.0.suites.open();
        let (mut date, mut time) = (None, None);
        for (name, value) in tag.attributes() {
            let number = || Number::parse(&value.text());
            match name {
                b"name" => value.name_into(&mut suite.name),
                b"total" => suite.claims.total = number(),
                b"passed" => suite.claims.passed = number(),
                b"failed" => suite.claims.bad = number(),
                b"errors" => suite.claims.broken = number(),
                b"skipped" => suite.claims.skipped = number(),
                b"not-run" => suite.claims.disabled = number(),
                b"run-date" => date = Some(value.text()),
                b"run-time" => time = Some(value.text()),
                // round-trip: with its zone
                b"start-rtf" | b"timestamp" if self.0.tally.timestamp.is_none() => {
                    self.0.tally.timestamp = Some(kept(&value.bytes()));
                }
                b"test-framework" if self.0.tally.tool.is_none() => self.0.tally.tool = Some(tool(&value.text())),
                _ => {}
            }
        }
        if let (Some(date), Some(time), None) = (date, time, &self.0.tally.timestamp) {
            self.0.tally.timestamp = Some(kept(format!("{date}T{time}").as_bytes()));
        }
        self.0.name_run();
        Kind::Suite
    }

    fn open_test(&mut self, tag: &Tag<'_>) -> Kind {
        let row = self.0.rows.push();
        row.reset();
        for (name, value) in tag.attributes() {
            match name {
                b"name" => value.name_into(&mut row.name),
                b"type" => value.name_into(&mut row.class),
                b"id" => value.name_into(&mut row.id),
                b"time" => row.time = Time::parse(&value.bytes()),
                b"result" => {
                    let word = value.text();
                    row.says(&word, outcome(&word), self.0.tally);
                }
                _ => {}
            }
        }
        Kind::Test
    }

    fn failure(&mut self, error: bool) -> Kind {
        match self.0.about() {
            Some(Kind::Test) => {
                if let Some(row) = self.0.rows.last() {
                    row.failures += 1;
                }
            }
            Some(Kind::Suite) => {
                let outcome = if error { Outcome::Errored } else { Outcome::Failed };
                self.0.suites.broken(outcome, self.0.tally);
            }
            _ => {}
        }
        Kind::Failure
    }
}

/// `xUnit.net 2.0.0.2785`: the last word is the version where it begins like one.
fn tool(text: &str) -> ReportTool {
    let split = text.trim().rsplit_once(' ').filter(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()));
    let (name, version) = split.map_or((text.trim(), None), |(name, version)| (name, Some(version)));
    ReportTool { name: kept(name.as_bytes()), version: version.map(|version| kept(version.as_bytes())) }
}
