//! The XML of NUnit 2, which many tools outside .NET write as well.

use super::input::Input;
use super::name::kept;
use super::outcome::{Number, Outcome, Time};
use super::recognise::xml_root;
use super::refusal::{Refusal, quoted};
use super::suite::{Pool, Row, Suites};
use super::tally::Tally;
use super::xml::{Elements, Tag, walk};
use crate::record::test_run_v1::ReportTool;

/// Whether the root element is that of NUnit 2.
pub(crate) fn recognises(head: &[u8]) -> bool {
    xml_root(head).as_deref() == Some("test-results")
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    walk(input, &mut Reading { tally, open: Vec::new(), suites: Suites::default(), rows: Pool::default() })
}

/// What `result` means (`NUnit.Core.ResultState`, since 2.5).
fn outcome(word: &str) -> Option<Outcome> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "success" => Outcome::Passed,
        "failure" => Outcome::Failed,
        "error" | "notrunnable" | "invalid" | "cancelled" => Outcome::Errored,
        "ignored" | "skipped" | "inconclusive" => Outcome::Skipped,
        _ => return None,
    })
}

/// What `executed` and `success` mean, which is all that NUnit before 2.5 says. Whether it was an assertion, it does not.
fn older(executed: Option<bool>, success: Option<bool>) -> Option<Outcome> {
    match (executed, success) {
        (Some(false), _) => Some(Outcome::Skipped),
        (_, Some(true)) => Some(Outcome::Passed),
        (_, Some(false)) => Some(Outcome::Failed),
        (_, None) => None,
    }
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
        if self.open.is_empty() && name != b"test-results" {
            let name = String::from_utf8_lossy(tag.qualified());
            return Err(Refusal::new(format!(
                "its root element is {}, where NUnit 2 has `test-results`",
                quoted(&name)
            )));
        }
        let kind = match name {
            b"test-results" => self.open_results(tag),
            b"test-suite" => self.open_suite(tag),
            b"test-case" => self.open_case(tag),
            b"failure" => {
                if let (Some(Kind::Case), Some(row)) = (self.open.last(), self.rows.last()) {
                    row.failure = true;
                }
                Kind::Other
            }
            b"environment" if self.tally.tool.is_none() => {
                let version = tag.attribute(b"nunit-version").map(|version| kept(version.as_bytes()));
                self.tally.tool = version.map(|version| ReportTool { name: "NUnit".into(), version: Some(version) });
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

/// `True` and `False`; anything else says nothing.
fn flag(text: &str) -> Option<bool> {
    match text.trim() {
        word if word.eq_ignore_ascii_case("true") => Some(true),
        word if word.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

impl Reading<'_> {
    fn open_results(&mut self, tag: &Tag<'_>) -> Kind {
        let suite = self.suites.open();
        let (mut date, mut time, mut invalid) = (None, None, Number::Absent);
        for (name, value) in tag.attributes() {
            let number = || Number::parse(&value.text());
            let claims = &mut suite.claims;
            match name {
                b"name" => value.name_into(&mut suite.name),
                // what was not run is not in `total`
                b"total" => claims.total = number(),
                b"not-run" => claims.beside = number(),
                b"failures" => claims.failed = number(),
                b"errors" => claims.errored = number(),
                b"invalid" => invalid = number(),
                b"ignored" | b"skipped" => claims.skipped = claims.skipped.plus(number()),
                b"inconclusive" => claims.disabled = number(),
                b"date" => date = Some(value.text()),
                b"time" => time = Some(value.text()),
                _ => {}
            }
        }
        suite.claims.errored = suite.claims.errored.plus(invalid);
        if let (Some(date), Some(time), None) = (date, time, &self.tally.timestamp) {
            self.tally.timestamp = Some(kept(format!("{date}T{time}").as_bytes()));
        }
        if self.tally.name.is_none() && !suite.name.is_empty() {
            self.tally.name = Some(suite.label().into_owned());
        }
        Kind::Suite
    }

    /// A suite has no numbers. Where it failed and nothing in it did, its setup or its teardown has.
    fn open_suite(&mut self, tag: &Tag<'_>) -> Kind {
        let suite = self.suites.open();
        for (name, value) in tag.attributes() {
            let stated = match name {
                b"name" => {
                    value.name_into(&mut suite.name);
                    None
                }
                b"result" => Some(outcome(&value.text()).unwrap_or(Outcome::Errored)),
                b"success" => flag(&value.text()).filter(|success| !success).map(|_| Outcome::Failed),
                _ => None,
            };
            suite.stated = suite.stated.max(stated);
        }
        Kind::Suite
    }

    fn open_case(&mut self, tag: &Tag<'_>) -> Kind {
        let row = self.rows.push();
        row.reset();
        let (mut result, mut executed, mut success, mut odd) = (None, None, None, false);
        for (name, value) in tag.attributes() {
            match name {
                b"name" => value.name_into(&mut row.name),
                b"time" => row.time = Time::parse(&value.bytes()),
                b"result" => result = Some(value.text()),
                b"executed" | b"success" => {
                    let said = flag(&value.text());
                    odd |= said.is_none();
                    *(if name == b"executed" { &mut executed } else { &mut success }) = said;
                }
                _ => {}
            }
        }
        let older = older(executed, success);
        match result {
            _ if odd => row.says("neither True nor False", None, self.tally),
            Some(word) => {
                let meaning = outcome(&word);
                row.says(&word, meaning, self.tally);
                // not run, whatever else is said; or a word that is better than the flag beside it
                if meaning == Some(Outcome::Passed) {
                    row.stated = row.stated.max(older);
                }
            }
            None if older.is_some() => row.says("", older, self.tally),
            None => {}
        }
        Kind::Case
    }
}
