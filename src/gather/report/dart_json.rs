//! The JSON reporter of Dart's and Flutter's tests, by `json_reporter.md` of `package:test`.
//!
//! A test that loads a suite or sets it up is hidden as long as nothing is wrong with it. An error may come after the
//! test has ended; then it has failed.

use super::events::{self, Event, Events, Name, Strangers, Value};
use super::input::Input;
use super::name::{digest64, kept};
use super::outcome::Outcome;
use super::refusal::{Place, Refusal, quoted};
use super::runs::{Runs, Test};
use super::tally::Tally;
use crate::record::test_run_v1::ReportTool;
use std::collections::HashMap;

/// Suites whose paths are held.
const SUITE_LIMIT: usize = 5_000;

const NAMES: [Name; 15] = [
    ("", "type"),
    ("", "testID"),
    ("", "result"),
    ("", "hidden"),
    ("", "skipped"),
    ("", "isFailure"),
    ("", "success"),
    ("", "time"),
    ("", "protocolVersion"),
    ("", "runnerVersion"),
    ("test", "id"),
    ("test", "name"),
    ("test", "suiteID"),
    ("suite", "id"),
    ("suite", "path"),
];

/// Whether there is an event of this reporter among the first lines.
pub(crate) fn recognises(head: &[u8]) -> bool {
    events::recognises(head, &NAMES, |members| {
        let [kind, id, _, _, _, _, _, _, protocol, _, test, _, _, suite, _] = members;
        match kind.text() {
            "start" => *protocol != Value::Absent,
            "testStart" => *test != Value::Absent,
            "testDone" => *id != Value::Absent,
            "suite" => *suite != Value::Absent,
            _ => false,
        }
    })
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut events = Events::open(input)?;
    let mut reading = Reading::default();
    while let Some((line, event)) = events.next(&NAMES)? {
        match event {
            Event::Object(members) => {
                reading.event(&members, line, tally).map_err(|r| r.at(Place { line, column: 1 }))?
            }
            // Flutter's tool writes lines of its own, which are arrays
            Event::Output(_) => reading.strangers.add(line),
        }
    }
    reading.finish(tally);
    Ok(())
}

#[derive(Default)]
struct Reading {
    runs: Runs,
    /// How many runs have begun: a test's number is only of its own.
    run: u64,
    /// The present run has begun and not ended.
    open: bool,
    suites: HashMap<u64, String>,
    /// Runs that say that they failed.
    unsuccessful: u64,
    strangers: Strangers,
}

impl Reading {
    fn event(&mut self, members: &[Value<'_>; 15], line: u64, tally: &mut Tally) -> Result<(), Refusal> {
        let [kind, id, result, hidden, skipped, is_failure, success, time, _, version, test, name, of, suite, path] =
            members;
        match kind.text() {
            "start" => {
                self.end_run(None, tally);
                (self.run, self.open) = (self.run + 1, true);
                self.suites.clear();
                let version = matches!(version, Value::Text(_)).then(|| kept(version.text().as_bytes()));
                tally.tool.get_or_insert(ReportTool { name: "dart test".into(), version });
            }
            "suite" if self.suites.len() < SUITE_LIMIT => {
                self.suites.insert(number(suite)?, kept(path.text().as_bytes()));
            }
            "testStart" => {
                self.open = true;
                let suite = of.whole().and_then(|id| self.suites.get(&id)).map_or("", String::as_str);
                let test = Test { suite, name: name.text(), ..self.test(number(test)?) };
                self.runs.begin(test)?;
            }
            "testDone" => {
                let id = number(id)?;
                let late = format!("test {id}");
                let test = Test { name: &late, ..self.test(id) };
                let outcome = match result.text() {
                    "success" if hidden.is_true() => {
                        self.runs.forget(test);
                        return Ok(());
                    }
                    "success" if skipped.is_true() => Outcome::Skipped,
                    "success" => Outcome::Passed,
                    "failure" => Outcome::Failed,
                    "error" => Outcome::Errored,
                    word => {
                        tally.warn(|| format!("the result {} is unknown: counted as errored", quoted(word)));
                        Outcome::Errored
                    }
                };
                self.runs.end(test, outcome, false);
            }
            "error" => {
                let id = number(id)?;
                let late = format!("test {id}");
                let outcome = if is_failure.is_true() { Outcome::Failed } else { Outcome::Errored };
                self.runs.taint(Test { name: &late, ..self.test(id) }, outcome);
            }
            "done" => {
                tally.time(&time.time(1e3), true);
                self.end_run(Some(success), tally);
            }
            "suite" | "group" | "allSuites" | "print" | "debug" => {}
            _ => self.strangers.add(line),
        }
        Ok(())
    }

    fn test(&self, id: u64) -> Test<'static> {
        Test { group: self.run, test: digest64(self.run, &id.to_le_bytes()), suite: "", name: "" }
    }

    /// `success` is absent where a run ends without saying so.
    fn end_run(&mut self, success: Option<&Value<'_>>, tally: &mut Tally) {
        self.runs.close(self.run, |_| false);
        if !std::mem::take(&mut self.open) {
            return;
        }
        match success {
            Some(Value::Flag(true)) => {}
            Some(Value::Flag(false)) => self.unsuccessful += 1,
            Some(_) => tally.fault(|| "the run was ended before all tests had".into()),
            None => tally.fault(|| "the run has begun and not ended: the report is cut".into()),
        }
    }

    fn finish(mut self, tally: &mut Tally) {
        self.end_run(None, tally);
        self.runs.finish(tally);
        if self.unsuccessful > 0 && tally.counts.failed + tally.counts.errored == 0 {
            tally.fault(|| "the run says that it failed, and no test of it did".into());
        }
        self.strangers.finish(tally);
    }
}

fn number(id: &Value<'_>) -> Result<u64, Refusal> {
    id.whole().ok_or_else(|| Refusal::new("an event without the number of what it is about"))
}
