//! The JSON of Mocha (`--reporter json`): the lists `passes`, `failures` and `pending` tell the outcomes.
//!
//! `tests` names all of them without an outcome; one that is in no other list has none.

use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::outcome::{Outcome, Time};
use super::refusal::Refusal;
use super::suite::Suite;
use super::tally::{self, Tally};

/// Whether there are Mocha's lists and sums.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"fullTitle\""]);
    let lists = ["tests", "passes", "failures", "pending"].iter().filter(|list| sketch.is(list, Kind::Array)).count();
    let tests =
        sketch.has("tests[].fullTitle") || sketch.has("passes[].fullTitle") || sketch.has("failures[].fullTitle");
    (tests && (lists > 1 || sketch.has("stats"))) || empty(head)
}

/// A run without tests has nothing but its sums.
fn empty(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"stats\"", "\"passes\"", "\"failures\""]);
    let lists = ["tests", "passes", "failures", "pending"].iter().all(|list| sketch.is(list, Kind::Array));
    lists && sketch.has("stats.suites")
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let mut reading = Reading { tally, suite: Suite::default(), listed: None, told: 0, lists: false };
    json.object(|json, key| reading.member(json, key))?;
    json.end()?;
    if !reading.lists && reading.listed.is_none() {
        return Err(json.lacks("passes"));
    }
    reading.finish();
    Ok(())
}

struct Reading<'t> {
    tally: &'t mut Tally,
    suite: Suite,
    /// How many are in `tests`.
    listed: Option<u64>,
    /// How many tests have an outcome.
    told: u64,
    /// There is a list with an outcome.
    lists: bool,
}

impl Reading<'_> {
    fn member(&mut self, json: &mut Json<'_>, key: &str) -> Result<(), Refusal> {
        match key {
            "stats" => self.stats(json)?,
            "tests" => {
                let mut n = 0;
                json.array(|_| {
                    n += 1;
                    Ok(())
                })?;
                self.listed = Some(n);
            }
            "passes" => self.list(json, Outcome::Passed)?,
            "failures" => self.list(json, Outcome::Failed)?,
            "pending" => self.list(json, Outcome::Skipped)?,
            _ => {}
        }
        Ok(())
    }

    fn stats(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        json.object(|json, key| {
            let claims = &mut self.suite.claims;
            match key {
                "tests" => claims.total = json.count()?,
                "failures" => claims.failed = json.count()?,
                "pending" => claims.skipped = json.count()?,
                "start" => self.tally.timestamp = json.told()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(())
    }

    fn list(&mut self, json: &mut Json<'_>, outcome: Outcome) -> Result<(), Refusal> {
        self.lists |= json.array(|json| {
            let (mut title, mut full, mut file) = (Vec::new(), Vec::new(), Vec::new());
            let (mut time, mut retries) = (Time::Absent, 0);
            json.object(|json, key| {
                match key {
                    "title" => json.name(&mut title)?,
                    "fullTitle" => json.name(&mut full)?,
                    "file" => json.name(&mut file)?,
                    "duration" => time = json.time(1000.0)?,
                    "currentRetry" => retries = json.count()?.known().unwrap_or_default(),
                    _ => {}
                }
                Ok(())
            })?;
            let name = if full.is_empty() { &title } else { &full };
            // `"before each" hook for "x"`: no test, and in no other list
            if outcome == Outcome::Failed && is_hook(&title) {
                self.suite.broken(&String::from_utf8_lossy(name), outcome, self.tally);
                return Ok(());
            }
            self.told += 1;
            let passed = outcome == Outcome::Passed;
            let case = tally::Case { outcome, flaky: passed && retries > 0, suite: &file, class: b"", name };
            self.suite.case(&case, &time, if passed { retries } else { 0 }, self.tally);
            Ok(())
        })?;
        Ok(())
    }

    fn finish(mut self) {
        let untold = self.listed.unwrap_or_default().saturating_sub(self.told);
        for _ in 0..untold {
            let case = tally::Case { outcome: Outcome::Errored, flaky: false, suite: b"", class: b"", name: b"" };
            self.suite.case(&case, &Time::Absent, 0, self.tally);
        }
        if untold > 0 {
            self.tally.warn(|| {
                format!("{untold} test(s) are in none of the lists that tell the outcome: counted as errored")
            });
        }
        self.suite.finish(self.tally);
    }
}

/// Whether a title is that of a hook.
pub(crate) fn is_hook(title: &[u8]) -> bool {
    let hooks: [&[u8]; 4] =
        [b"\"before each\" hook", b"\"after each\" hook", b"\"before all\" hook", b"\"after all\" hook"];
    hooks.iter().any(|hook| title.starts_with(hook))
}
