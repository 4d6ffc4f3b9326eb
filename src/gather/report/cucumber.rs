//! The JSON of Cucumber (`--format json`, of JavaScript, Ruby, the JVM) and of behave: a case is a scenario.
//!
//! A scenario fails where a step or hook of it failed, is undefined, pending or ambiguous: so do the tools themselves.

use super::held::Held;
use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::name::kept;
use super::outcome::{Outcome, Time};
use super::refusal::Refusal;
use super::suite::Suite;
use super::tally::{self, Tally};

/// Whether it is a list of features.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"keyword\""]);
    sketch.is("[]", Kind::Object)
        && sketch.has("[].keyword") | sketch.has("[].elements[].keyword")
        && ["elements", "uri", "location"].iter().any(|key| sketch.has(&format!("[].{key}")))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let mut reading = Reading { tally, report: Suite::default(), held: Held::default(), background: Steps::default() };
    if !json.array(|json| reading.feature(json))? {
        return Err(json.refuse("it is `null`, where Cucumber writes a list of features"));
    }
    json.end()?;
    reading.report.finish(reading.tally);
    Ok(())
}

struct Reading<'t> {
    tally: &'t mut Tally,
    report: Suite,
    /// Scenarios of the feature that is read: its name stands behind them.
    held: Held,
    /// What the background came to that runs before the next scenario; the JVM writes it as an element of its own.
    background: Steps,
}

/// What steps and hooks came to.
#[derive(Default)]
struct Steps {
    worst: Option<Outcome>,
    /// Steps, without hooks.
    steps: u64,
    /// Steps that do not tell what they came to.
    untold: u64,
    /// The first word that means nothing to us.
    word: Option<String>,
    seconds: f64,
    untimed: bool,
}

impl Reading<'_> {
    fn feature(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        let (mut name, mut status, mut shown) = (Vec::new(), None, false);
        json.object(|json, key| {
            match key {
                "name" => json.name(&mut name)?,
                "status" => status = json.told()?,
                "elements" => {
                    json.array(|json| {
                        shown |= self.element(json)?;
                        if self.held.is_full() {
                            self.held.release(&name, &mut self.report, self.tally);
                        }
                        Ok(())
                    })?;
                }
                _ => {}
            }
            Ok(())
        })?;
        self.held.release(&name, &mut self.report, self.tally);
        // behave: a hook around the feature
        let outcome = status.map(|word| of_step(&word).unwrap_or(Outcome::Errored));
        let background = std::mem::take(&mut self.background).worst;
        let bad = outcome.max(background).filter(|worst| *worst >= Outcome::Failed);
        if let Some(outcome) = bad.filter(|_| !shown) {
            self.report.broken(&String::from_utf8_lossy(&name), outcome, self.tally);
        }
        Ok(())
    }

    /// Reads a scenario or a background; whether it failed.
    fn element(&mut self, json: &mut Json<'_>) -> Result<bool, Refusal> {
        let (mut name, mut line, mut background, mut status) = (Vec::new(), String::new(), false, None);
        let mut steps = Steps::default();
        json.object(|json, key| {
            match key {
                "name" => json.name(&mut name)?,
                // the examples of an outline have one name
                "line" => line = json.number_or_text()?,
                "location" => line = json.told()?.unwrap_or_default(),
                "type" => background = json.text()? == Some("background"),
                "status" => status = json.told()?,
                "steps" => {
                    json.array(|json| {
                        steps.steps += 1;
                        steps.step(json)
                    })?;
                }
                "before" | "after" => steps.hooks(json)?,
                _ => {}
            }
            Ok(())
        })?;
        if background {
            // behave lists the steps of a background without results
            steps.untold = 0;
            self.background = steps;
            return Ok(false);
        }
        Ok(self.scenario(&name, &line, &steps, status.as_deref()) >= Outcome::Failed)
    }

    fn scenario(&mut self, name: &[u8], line: &str, steps: &Steps, status: Option<&str>) -> Outcome {
        let before = std::mem::take(&mut self.background);
        let told = status.map(|word| of_step(word).unwrap_or(Outcome::Errored));
        let mut outcome = steps.worst.max(before.worst).max(told).unwrap_or(Outcome::Skipped);
        let ran = steps.steps + before.steps;
        if outcome == Outcome::Passed && ran == 0 {
            outcome = Outcome::Skipped;
        }
        let unknown = steps.word.as_deref().or(before.word.as_deref());
        if let Some(word) = unknown {
            self.tally.unknown(name, word);
        } else if steps.untold > 0 && told.is_none() {
            outcome = Outcome::Errored;
            self.tally.unknown(name, "");
        }
        let time = match steps.untimed || before.untimed || ran == 0 {
            true => Time::Absent,
            false => Time::Seconds(steps.seconds + before.seconds),
        };
        let case = tally::Case { outcome, flaky: false, suite: line.as_bytes(), class: b"", name };
        self.held.add(&case, time, 0);
        outcome
    }
}

impl Steps {
    /// Reads a step, and the hooks around it.
    fn step(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        let mut told = false;
        json.object(|json, key| {
            match key {
                "result" => told = self.result(json)?,
                "before" | "after" => self.hooks(json)?,
                _ => {}
            }
            Ok(())
        })?;
        self.untold += u64::from(!told);
        Ok(())
    }

    fn hooks(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        if json.kind()? != Kind::Array {
            return Ok(());
        }
        json.array(|json| {
            json.object(|json, key| {
                if key == "result" {
                    self.result(json)?;
                }
                Ok(())
            })?;
            Ok(())
        })?;
        Ok(())
    }

    /// Reads a result; whether it tells what came out.
    fn result(&mut self, json: &mut Json<'_>) -> Result<bool, Refusal> {
        let (mut told, mut timed) = (false, false);
        json.object(|json, key| {
            match key {
                "status" => {
                    let word = json.text()?.unwrap_or_default();
                    let outcome = of_step(word);
                    if outcome.is_none() && self.word.is_none() {
                        self.word = Some(kept(word.as_bytes()));
                    }
                    self.worst = self.worst.max(Some(outcome.unwrap_or(Outcome::Errored)));
                    told = true;
                }
                "duration" => {
                    let text = json.number_or_text()?;
                    // nanoseconds of Cucumber are whole, seconds of behave are not
                    let per_second = if text.bytes().all(|b| b.is_ascii_digit()) { 1e9 } else { 1.0 };
                    if let Time::Seconds(value) = Time::parse(text.as_bytes()) {
                        self.seconds += value / per_second;
                        timed = true;
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        // what did not run has no duration
        self.untimed |= !timed && self.worst == Some(Outcome::Passed);
        Ok(told)
    }
}

/// What the word for a step means.
fn of_step(word: &str) -> Option<Outcome> {
    match word.to_ascii_lowercase().as_str() {
        "undefined" | "pending" | "ambiguous" => Some(Outcome::Failed),
        _ => Outcome::of_strict_word(word),
    }
}
