//! CTRF, the Common Test Report Format (ctrf.io): `results.tests` is counted, `results.summary` is only compared with it.

use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::outcome::{Number, Outcome, Time};
use super::refusal::{Refusal, quoted};
use super::suite::{Claims, Suite};
use super::tally::{self, Tally};
use crate::record::test_run_v1::ReportTool;

/// Whether it says so, or has the parts that reports from before it had to say so have.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"results\""]);
    let parts = sketch.has("results.tool") && (sketch.has("results.tests") || sketch.has("results.summary"));
    (sketch.word("reportFormat") == Some("CTRF") && sketch.has("results")) || parts
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let mut reading = Reading { tally, suite: Suite::default(), test: Test::default(), tests: false, started: None };
    json.object(|json, key| {
        match key {
            "reportFormat" => {
                if let Some(other) = json.text()?.filter(|text| *text != "CTRF").map(quoted) {
                    return Err(json.refuse(format!("the report format {other}, where CTRF says `CTRF`")));
                }
            }
            "timestamp" => reading.tally.timestamp = json.told()?,
            "results" => {
                json.object(|json, key| reading.results(json, key))?;
            }
            _ => {}
        }
        Ok(())
    })?;
    json.end()?;
    if !reading.tests {
        return Err(json.lacks("results.tests"));
    }
    if reading.tally.timestamp.is_none() {
        reading.tally.timestamp = reading.started;
    }
    reading.suite.finish(reading.tally);
    Ok(())
}

struct Reading<'t> {
    tally: &'t mut Tally,
    suite: Suite,
    test: Test,
    /// There is a list of tests.
    tests: bool,
    /// When the summary says the run began.
    started: Option<String>,
}

/// One test; what was allocated is used again.
#[derive(Default)]
struct Test {
    name: Vec<u8>,
    /// Names of the suites around it, the outermost first.
    suite: Vec<u8>,
    file: Vec<u8>,
    outcome: Option<Outcome>,
    /// The word for the outcome, where it means nothing to us.
    word: Option<String>,
    time: Time,
    flaky: Option<bool>,
    retries: u64,
    start: Number,
    stop: Number,
}

impl Reading<'_> {
    fn results(&mut self, json: &mut Json<'_>, key: &str) -> Result<(), Refusal> {
        match key {
            "tool" => self.tally.tool = tool(json)?,
            "summary" => self.summary(json)?,
            "environment" => {
                json.object(|json, key| {
                    if key == "reportName" {
                        self.tally.name = json.told()?;
                    }
                    Ok(())
                })?;
            }
            "tests" => {
                self.tests = json.array(|json| {
                    self.test.clear();
                    json.object(|json, key| self.test.member(json, key))?;
                    self.add();
                    Ok(())
                })?;
            }
            _ => {}
        }
        Ok(())
    }

    fn summary(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        let mut claims = Claims::default();
        json.object(|json, key| {
            match key {
                "tests" => claims.total = json.count()?,
                "failed" => claims.failed = json.count()?,
                "skipped" => claims.skipped = json.count()?.plus(claims.skipped),
                "pending" | "other" => claims.disabled = json.count()?.plus(claims.disabled),
                "start" => self.started = Some(json.number_or_text()?).filter(|text| text.len() > 1),
                _ => {}
            }
            Ok(())
        })?;
        self.suite.claims = claims;
        Ok(())
    }

    /// Adds the test that was read.
    fn add(&mut self) {
        let Test { name, suite, file, outcome, word, time, flaky, retries, start, stop } = &self.test;
        let mut outcome = outcome.unwrap_or(Outcome::Errored);
        // pytest's reporter leaves the test in which the run was interrupted so: passed, and never stopped
        if outcome == Outcome::Passed && start.known().zip(stop.known()).is_some_and(|(start, stop)| stop < start) {
            outcome = Outcome::Errored;
            let name = quoted(&String::from_utf8_lossy(name));
            self.tally.warn(|| format!("test case {name} stops before it starts: it never ended, counted as errored"));
        }
        match word {
            Some(word) if outcome == Outcome::Skipped => self.tally.warn(|| {
                let name = quoted(&String::from_utf8_lossy(name));
                format!(
                    "test case {name}: the status {} is neither passed nor failed: counted as skipped",
                    quoted(word)
                )
            }),
            Some(word) => self.tally.unknown(name, word),
            None => {}
        }
        let passed = outcome == Outcome::Passed;
        let flaky = passed && flaky.unwrap_or(*retries > 0);
        let case = tally::Case { outcome, flaky, suite: file, class: suite, name };
        self.suite.case(&case, time, if passed { *retries } else { 0 }, self.tally);
    }
}

impl Test {
    fn clear(&mut self) {
        let Self { mut name, mut suite, mut file, .. } = std::mem::take(self);
        name.clear();
        suite.clear();
        file.clear();
        *self = Self { name, suite, file, word: Some(String::new()), ..Self::default() };
    }

    fn member(&mut self, json: &mut Json<'_>, key: &str) -> Result<(), Refusal> {
        match key {
            "name" => json.name(&mut self.name)?,
            "filePath" => json.name(&mut self.file)?,
            // a list of names since 0.0.15, one name before
            "suite" if json.kind()? == Kind::Array => {
                json.array(|json| {
                    if let Some(name) = json.text()? {
                        if !self.suite.is_empty() {
                            self.suite.extend_from_slice(b" > ");
                        }
                        self.suite.extend_from_slice(name.as_bytes());
                        super::name::cut(&mut self.suite);
                    }
                    Ok(())
                })?;
            }
            "suite" => json.name(&mut self.suite)?,
            "status" => {
                let word = json.text()?.unwrap_or_default();
                (self.outcome, self.word) = match word {
                    "other" => (Some(Outcome::Skipped), Some(super::name::kept(word.as_bytes()))),
                    _ => match Outcome::of_strict_word(word) {
                        Some(outcome) => (Some(outcome), None),
                        None => (None, Some(super::name::kept(word.as_bytes()))),
                    },
                };
            }
            "duration" => self.time = json.time(1000.0)?,
            "start" => self.start = json.count()?,
            "stop" => self.stop = json.count()?,
            "flaky" => self.flaky = json.flag()?,
            "retries" => self.retries = json.count()?.known().unwrap_or_default(),
            _ => {}
        }
        Ok(())
    }
}

fn tool(json: &mut Json<'_>) -> Result<Option<ReportTool>, Refusal> {
    let (mut name, mut version) = (None, None);
    json.object(|json, key| {
        match key {
            "name" => name = json.told()?,
            "version" => version = json.told()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(name.map(|name| ReportTool { name, version }))
}
