//! The JSON of Jest (`--json`) and of Vitest (`--reporter=json`), which writes the same.
//!
//! A file that cannot be loaded is a failed suite without a single assertion: Jest's numbers call that no failed test.

use super::held::Held;
use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::name::kept;
use super::outcome::{Outcome, Time};
use super::refusal::Refusal;
use super::suite::Suite;
use super::tally::{self, Tally};

/// Whether there are results by file, or their sums.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"testResults\""]);
    let sums = ["numTotalTests", "numTotalTestSuites", "numFailedTests"].iter().any(|key| sketch.has(key));
    sketch.is("testResults", Kind::Array) && (sums || sketch.has("testResults[].assertionResults"))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let mut reading = Reading {
        tally,
        suite: Suite::default(),
        held: Held::default(),
        test: Test::default(),
        broken: 0,
        results: false,
        success: None,
        broken_claimed: 0,
        suites_claimed: 0,
    };
    json.object(|json, key| reading.member(json, key))?;
    json.end()?;
    if !reading.results {
        return Err(json.lacks("testResults"));
    }
    reading.finish();
    Ok(())
}

struct Reading<'t> {
    tally: &'t mut Tally,
    suite: Suite,
    /// Cases of the file that is read: its name stands behind them.
    held: Held,
    test: Test,
    /// Files that failed outside their tests.
    broken: u64,
    /// There is a list of results.
    results: bool,
    success: Option<bool>,
    /// Files that could not be run, and files (Jest) or blocks (Vitest) that failed, as the head claims.
    broken_claimed: u64,
    suites_claimed: u64,
}

/// One assertion result; what was allocated is used again.
#[derive(Default)]
struct Test {
    title: Vec<u8>,
    full: Vec<u8>,
    outcome: Option<Outcome>,
    /// The word for the outcome, where it means nothing to us.
    word: String,
    time: Time,
    /// Runs before the last.
    retries: u64,
}

impl Reading<'_> {
    fn member(&mut self, json: &mut Json<'_>, key: &str) -> Result<(), Refusal> {
        let claims = &mut self.suite.claims;
        match key {
            "numTotalTests" => claims.total = json.count()?,
            "numFailedTests" => claims.failed = json.count()?,
            "numPendingTests" => claims.skipped = json.count()?,
            "numTodoTests" => claims.disabled = json.count()?,
            "numRuntimeErrorTestSuites" => self.broken_claimed = json.count()?.known().unwrap_or_default(),
            "numFailedTestSuites" => self.suites_claimed = json.count()?.known().unwrap_or_default(),
            "success" => self.success = json.flag()?,
            // milliseconds since 1970
            "startTime" => self.tally.timestamp = Some(json.number_or_text()?).filter(|text| text.len() > 1),
            "testResults" => self.results = json.array(|json| self.file(json))?,
            _ => {}
        }
        Ok(())
    }

    /// Reads the results of one test file.
    fn file(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        let (mut name, mut status, mut shown) = (Vec::new(), None, false);
        json.object(|json, key| {
            match key {
                "name" | "testFilePath" => json.name(&mut name)?,
                "status" => status = json.told()?,
                "assertionResults" => {
                    json.array(|json| {
                        self.test.clear();
                        json.object(|json, key| self.test.member(json, key))?;
                        shown |= self.add() >= Outcome::Failed;
                        if self.held.is_full() {
                            self.held.release(&name, &mut self.suite, self.tally);
                        }
                        Ok(())
                    })?;
                }
                _ => {}
            }
            Ok(())
        })?;
        self.held.release(&name, &mut self.suite, self.tally);
        let outcome = match status.as_deref() {
            // of a file whose tests are all skipped, or some of them by `test.only`
            None | Some("focused") => None,
            Some(word) => Outcome::of_strict_word(word).or(Some(Outcome::Errored)),
        };
        if outcome >= Some(Outcome::Failed) && !shown {
            self.broken += 1;
            self.suite.broken(&String::from_utf8_lossy(&name), Outcome::Errored, self.tally);
        }
        Ok(())
    }

    /// Adds the test that was read.
    fn add(&mut self) -> Outcome {
        let Test { title, full, outcome, word, time, retries } = &mut self.test;
        let name = if full.is_empty() { title } else { full };
        if outcome.is_none() {
            self.tally.unknown(name, word);
        }
        let outcome = outcome.unwrap_or(Outcome::Errored);
        let (explained, passed) = (*retries, outcome == Outcome::Passed);
        let case = tally::Case { outcome, flaky: passed && explained > 0, suite: b"", class: b"", name };
        self.held.add(&case, std::mem::take(time), if passed { explained } else { 0 });
        outcome
    }

    fn finish(self) {
        let Self { tally, suite, broken, success, broken_claimed, suites_claimed, .. } = self;
        let bad = tally.counts.failed + tally.counts.errored + broken;
        if broken_claimed > broken {
            tally.understates("the report's number of suites that could not run", broken_claimed - broken);
        } else if suites_claimed > 0 && bad == 0 {
            tally.understates("the report's number of failed suites", suites_claimed);
        } else if success == Some(false) && bad == 0 {
            // Jest: snapshots that are obsolete or unwritten under `--ci`; Vitest: errors outside all tests
            tally.fault(|| "the report says `success: false` and shows no failure: counted as failed".to_owned());
        }
        suite.finish(tally);
    }
}

impl Test {
    fn clear(&mut self) {
        let Self { mut title, mut full, .. } = std::mem::take(self);
        title.clear();
        full.clear();
        *self = Self { title, full, ..Self::default() };
    }

    fn member(&mut self, json: &mut Json<'_>, key: &str) -> Result<(), Refusal> {
        match key {
            "title" => json.name(&mut self.title)?,
            "fullName" => json.name(&mut self.full)?,
            "status" => {
                let word = json.text()?.unwrap_or_default();
                self.outcome = Outcome::of_strict_word(word);
                self.word = if self.outcome.is_none() { kept(word.as_bytes()) } else { String::new() };
            }
            "duration" => self.time = json.time(1000.0)?,
            // how often `jest.retryTimes` let it run
            "invocations" => self.retries = self.retries.max(json.count()?.known().unwrap_or(1).saturating_sub(1)),
            // Vitest: the failures before the run that passed
            "failureMessages" => {
                let mut messages = 0;
                json.array(|_| {
                    messages += 1;
                    Ok(())
                })?;
                self.retries = self.retries.max(messages);
            }
            _ => {}
        }
        Ok(())
    }
}
