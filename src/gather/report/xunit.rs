//! The XML of xUnit.net: version 1 (`class`), version 2 and 3 (`collection`). Also what Fixie and others write.

use super::input::Input;
use super::name::kept;
use super::outcome::{Number, Outcome, Time};
use super::recognise::xml_root;
use super::refusal::{Refusal, quoted};
use super::suite::{Pool, Row, Suites};
use super::tally::Tally;
use super::xml::{Elements, Tag, walk};
use crate::record::test_run_v1::ReportTool;

/// Whether the root element is that of xUnit.net.
pub(crate) fn recognises(head: &[u8]) -> bool {
    matches!(xml_root(head).as_deref(), Some("assemblies" | "assembly"))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    walk(input, &mut Reading { tally, open: Vec::new(), suites: Suites::default(), rows: Pool::default() })
}

fn outcome(word: &str) -> Option<Outcome> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "pass" => Outcome::Passed,
        "fail" => Outcome::Failed,
        "skip" | "notrun" => Outcome::Skipped,
        _ => return None,
    })
}

/// What an open element is to us.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Suite,
    Test,
    /// A failure's inside.
    Muted,
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
        if self.open.is_empty() && !matches!(name, b"assemblies" | b"assembly") {
            let name = String::from_utf8_lossy(tag.qualified());
            let what = format!("its root element is {}, where xUnit.net has `assemblies`", quoted(&name));
            return Err(Refusal::new(what));
        }
        let kind = match name {
            b"assemblies" | b"assembly" | b"collection" | b"class" => self.open_suite(tag),
            b"test" => self.open_test(tag),
            // `error` is a cleanup that failed or a fixture that broke; it holds a `failure`
            b"failure" | b"error" => self.failure(name == b"error"),
            _ => Kind::Other,
        };
        self.open.push(kind);
        Ok(false)
    }

    fn close(&mut self) -> Result<(), Refusal> {
        match self.open.pop() {
            Some(Kind::Suite) => self.suites.close(self.tally),
            Some(Kind::Test) => {
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
    fn open_suite(&mut self, tag: &Tag<'_>) -> Kind {
        let suite = self.suites.open();
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
                b"start-rtf" | b"timestamp" if self.tally.timestamp.is_none() => {
                    self.tally.timestamp = Some(kept(&value.bytes()));
                }
                b"test-framework" if self.tally.tool.is_none() => self.tally.tool = Some(tool(&value.text())),
                _ => {}
            }
        }
        if let (Some(date), Some(time), None) = (date, time, &self.tally.timestamp) {
            self.tally.timestamp = Some(kept(format!("{date}T{time}").as_bytes()));
        }
        if self.tally.name.is_none() && !suite.name.is_empty() {
            self.tally.name = Some(suite.label().into_owned());
        }
        Kind::Suite
    }

    fn open_test(&mut self, tag: &Tag<'_>) -> Kind {
        let row = self.rows.push();
        row.reset();
        for (name, value) in tag.attributes() {
            match name {
                b"name" => value.name_into(&mut row.name),
                b"type" => value.name_into(&mut row.class),
                b"id" => value.name_into(&mut row.id),
                b"time" => row.time = Time::parse(&value.bytes()),
                b"result" => {
                    let word = value.text();
                    row.says(&word, outcome(&word), self.tally);
                }
                _ => {}
            }
        }
        Kind::Test
    }

    fn failure(&mut self, error: bool) -> Kind {
        let about = self.open.iter().rev().find(|kind| **kind != Kind::Other);
        match about {
            Some(Kind::Test) => {
                if let Some(row) = self.rows.last() {
                    row.failure = true;
                }
            }
            Some(Kind::Suite) => {
                let outcome = if error { Outcome::Errored } else { Outcome::Failed };
                self.suites.broken(outcome, self.tally);
            }
            _ => {}
        }
        Kind::Muted
    }
}

/// `xUnit.net 2.0.0.2785`: the last word is the version where it begins like one.
fn tool(text: &str) -> ReportTool {
    let split = text.trim().rsplit_once(' ').filter(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()));
    let (name, version) = split.map_or((text.trim(), None), |(name, version)| (name, Some(version)));
    ReportTool { name: kept(name.as_bytes()), version: version.map(|version| kept(version.as_bytes())) }
}
