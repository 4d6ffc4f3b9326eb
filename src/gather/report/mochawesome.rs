//! The JSON of mochawesome, a reporter of Mocha and Cypress: suites in suites, with their tests and hooks.

use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::outcome::{Number, Outcome, Time};
use super::refusal::Refusal;
use super::suite::Suite;
use super::tally::{self, Tally};
use crate::record::test_run_v1::ReportTool;

/// Whether there are suites, and mochawesome's sums.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"results\"", "\"stats\""]);
    let sums = ["stats.testsRegistered", "stats.passPercent", "meta.mochawesome"].iter().any(|key| sketch.has(key));
    sketch.is("results", Kind::Array) && (sums || sketch.has("results[].beforeHooks"))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let mut reading = Reading { tally, report: Suite::default() };
    let mut results = false;
    json.object(|json, key| {
        match key {
            "stats" => reading.stats(json)?,
            "results" => results = json.array(|json| reading.suite(json, b""))?,
            "meta" => reading.meta(json)?,
            _ => {}
        }
        Ok(())
    })?;
    json.end()?;
    if !results {
        return Err(json.lacks("results"));
    }
    reading.report.finish(reading.tally);
    Ok(())
}

struct Reading<'t> {
    tally: &'t mut Tally,
    report: Suite,
}

impl Reading<'_> {
    fn stats(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        let mut run = Number::Absent;
        json.object(|json, key| {
            let claims = &mut self.report.claims;
            match key {
                "tests" => run = json.count()?,
                "failures" => claims.failed = json.count()?,
                "pending" => claims.skipped = json.count()?,
                // those that a failed hook kept from running, which `tests` leaves out
                "skipped" => claims.disabled = json.count()?,
                "start" => self.tally.timestamp = json.told()?,
                _ => {}
            }
            Ok(())
        })?;
        self.report.claims.total = run.plus(self.report.claims.disabled);
        Ok(())
    }

    fn meta(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        json.object(|json, key| {
            if key == "mocha" {
                json.object(|json, key| {
                    if key == "version" {
                        let version = json.told()?;
                        self.tally.tool = Some(ReportTool { name: "Mocha".to_owned(), version });
                    }
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Reads a suite and those in it; how deep they go is the tokenizer's to limit.
    fn suite(&mut self, json: &mut Json<'_>, above: &[u8]) -> Result<(), Refusal> {
        let mut file = above.to_vec();
        json.object(|json, key| {
            match key {
                "file" => {
                    let mut own = Vec::new();
                    json.name(&mut own)?;
                    if !own.is_empty() {
                        file = own;
                    }
                }
                "tests" | "beforeHooks" | "afterHooks" => {
                    json.array(|json| self.test(json, &file, key != "tests"))?;
                }
                "suites" => {
                    json.array(|json| self.suite(json, &file))?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(())
    }

    fn test(&mut self, json: &mut Json<'_>, file: &[u8], hook: bool) -> Result<(), Refusal> {
        let (mut full, mut title, mut time) = (Vec::new(), Vec::new(), Time::Absent);
        let (mut outcome, mut hook) = (None, hook);
        json.object(|json, key| {
            let marks = match key {
                "fail" => Some(Outcome::Failed),
                "pass" => Some(Outcome::Passed),
                "pending" | "skipped" => Some(Outcome::Skipped),
                _ => None,
            };
            match key {
                "fullTitle" => json.name(&mut full)?,
                "title" => json.name(&mut title)?,
                "duration" => time = json.time(1000.0)?,
                "isHook" => hook |= json.flag()? == Some(true),
                "state" => {
                    if let Some(word) = json.text()? {
                        outcome = outcome.max(Some(Outcome::of_strict_word(word).unwrap_or(Outcome::Errored)));
                    }
                }
                _ if marks.is_some() && json.flag()? == Some(true) => outcome = outcome.max(marks),
                _ => {}
            }
            Ok(())
        })?;
        let name = if full.is_empty() { &title } else { &full };
        if hook {
            if outcome >= Some(Outcome::Failed) {
                self.report.broken(&String::from_utf8_lossy(name), Outcome::Failed, self.tally);
            }
            return Ok(());
        }
        if outcome.is_none() {
            self.tally.unknown(name, "");
        }
        let outcome = outcome.unwrap_or(Outcome::Errored);
        let case = tally::Case { outcome, flaky: false, suite: file, class: b"", name };
        self.report.case(&case, &time, 0, self.tally);
        Ok(())
    }
}
