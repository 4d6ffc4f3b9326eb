//! The JSON of Playwright Test (`--reporter=json`): suites in suites, in them specs, and a test for every project.

use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::name::{cut, kept};
use super::outcome::{Number, Outcome, Time};
use super::refusal::{Refusal, quoted};
use super::suite::Suite;
use super::tally::{self, Tally};
use crate::record::test_run_v1::ReportTool;

/// Whether there are suites of specs, or Playwright's sums.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"suites\""]);
    let sums = sketch.has("stats.unexpected") || (sketch.has("config.projects") && sketch.has("errors"));
    sketch.is("suites", Kind::Array) && (sums || sketch.has("suites[].specs") || sketch.has("suites[].suites[].specs"))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let mut reading = Reading { tally, report: Suite::default(), path: Vec::new() };
    let (mut suites, mut errors) = (false, 0u64);
    json.object(|json, key| {
        match key {
            "config" => reading.config(json)?,
            "suites" => suites = json.array(|json| reading.suite(json))?,
            "errors" => {
                json.array(|_| {
                    errors += 1;
                    Ok(())
                })?;
            }
            "stats" => reading.stats(json)?,
            _ => {}
        }
        Ok(())
    })?;
    json.end()?;
    if !suites {
        return Err(json.lacks("suites"));
    }
    if errors > 0 {
        // a file that cannot be loaded, a global set-up that fails
        reading.tally.fault(|| format!("{errors} error(s) outside of the tests: counted as failed"));
    }
    reading.report.finish(reading.tally);
    Ok(())
}

struct Reading<'t> {
    tally: &'t mut Tally,
    report: Suite,
    /// Titles of the suites that are open, from the file on.
    path: Vec<u8>,
}

/// A test of one project.
#[derive(Default)]
struct Test {
    project: Vec<u8>,
    status: Option<String>,
    /// What it was to come to; `passed` unless it tells otherwise.
    expected: Option<String>,
    /// What its last run came to.
    last: Option<String>,
    runs: u64,
    seconds: f64,
    untimed: bool,
}

impl Reading<'_> {
    fn config(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        let mut version = None;
        json.object(|json, key| {
            if key == "version" {
                version = json.told()?;
            }
            Ok(())
        })?;
        self.tally.tool = Some(ReportTool { name: "Playwright".to_owned(), version });
        Ok(())
    }

    fn stats(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        let (mut good, claims) = ([Number::Absent; 2], &mut self.report.claims);
        json.object(|json, key| {
            match key {
                "expected" => good[0] = json.count()?,
                "flaky" => good[1] = json.count()?,
                "unexpected" => claims.failed = json.count()?,
                "skipped" => claims.skipped = json.count()?,
                "startTime" => self.tally.timestamp = json.told()?,
                _ => {}
            }
            Ok(())
        })?;
        claims.total = good[0].plus(good[1]).plus(claims.failed).plus(claims.skipped);
        Ok(())
    }

    /// Reads a suite and those in it; how deep they go is the tokenizer's to limit.
    fn suite(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        let above = self.path.len();
        json.object(|json, key| {
            match key {
                "title" => {
                    self.path.truncate(above);
                    if let Some(title) = json.text()?.filter(|title| !title.is_empty()) {
                        self.path.extend_from_slice(if above > 0 { " › ".as_bytes() } else { b"" });
                        self.path.extend_from_slice(kept(title.as_bytes()).as_bytes());
                    }
                }
                "specs" => {
                    json.array(|json| self.spec(json))?;
                }
                "suites" => {
                    json.array(|json| self.suite(json))?;
                }
                _ => {}
            }
            Ok(())
        })?;
        self.path.truncate(above);
        Ok(())
    }

    fn spec(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        let (mut title, mut ok, mut tests) = (Vec::new(), None, Vec::new());
        json.object(|json, key| {
            match key {
                "title" => json.name(&mut title)?,
                "ok" => ok = json.flag()?,
                "tests" => {
                    json.array(|json| {
                        if tests.len() == TEST_LIMIT {
                            return Err(json.refuse("a spec has more tests than are kept"));
                        }
                        tests.push(Test::read(json)?);
                        Ok(())
                    })?;
                }
                _ => {}
            }
            Ok(())
        })?;
        let mut bad = false;
        for test in &tests {
            bad |= self.add(test, &title) >= Outcome::Failed;
        }
        if ok == Some(false) && !bad {
            self.report.broken(&String::from_utf8_lossy(&title), Outcome::Failed, self.tally);
        }
        Ok(())
    }

    fn add(&mut self, test: &Test, title: &[u8]) -> Outcome {
        let (mut outcome, mut flaky) = match test.status.as_deref() {
            Some("expected") => (Outcome::Passed, false),
            Some("flaky") => (Outcome::Passed, true),
            // by Ctrl-C or the time-out of the whole run, in the middle of it
            Some("skipped") if test.last.as_deref() == Some("interrupted") => {
                let title = quoted(&String::from_utf8_lossy(title));
                self.tally.warn(|| format!("test {title} was interrupted and is told as skipped: counted as errored"));
                (Outcome::Errored, false)
            }
            Some("skipped") => (Outcome::Skipped, false),
            Some("unexpected") => (Outcome::Failed, false),
            other => {
                self.tally.unknown(title, other.unwrap_or_default());
                (Outcome::Errored, false)
            }
        };
        let expected = test.expected.as_deref().unwrap_or("passed");
        if outcome == Outcome::Passed && test.last.as_deref() != Some(expected) {
            let status = test.status.as_deref().unwrap_or_default();
            self.tally.warn(|| {
                let (title, last) =
                    (quoted(&String::from_utf8_lossy(title)), test.last.as_deref().unwrap_or("nothing"));
                format!("test {title} is told to be {status} and came to {}: counted as failed", quoted(last))
            });
            (outcome, flaky) = (Outcome::Failed, false);
        }
        let time = if test.runs == 0 || test.untimed { Time::Absent } else { Time::Seconds(test.seconds) };
        let mut class = self.path.clone();
        cut(&mut class);
        let case = tally::Case { outcome, flaky, suite: &test.project, class: &class, name: title };
        self.report.case(&case, &time, u64::from(flaky), self.tally);
        outcome
    }
}

/// Tests of one spec: one for every project, and as often as it is repeated.
pub(crate) const TEST_LIMIT: usize = 10_000;

impl Test {
    fn read(json: &mut Json<'_>) -> Result<Self, Refusal> {
        let mut test = Self::default();
        json.object(|json, key| {
            match key {
                "projectName" => json.name(&mut test.project)?,
                "status" => test.status = json.told()?,
                "expectedStatus" => test.expected = json.told()?,
                "results" => {
                    json.array(|json| test.run(json))?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(test)
    }

    fn run(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        self.runs += 1;
        self.last = None;
        json.object(|json, key| {
            match key {
                "status" => self.last = json.told()?,
                "duration" => match json.time(1000.0)? {
                    Time::Seconds(seconds) => self.seconds += seconds,
                    _ => self.untimed = true,
                },
                _ => {}
            }
            Ok(())
        })?;
        Ok(())
    }
}
