//! The JSON of RSpec (`--format json`).

use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::outcome::{Number, Outcome, Time};
use super::refusal::Refusal;
use super::suite::Suite;
use super::tally::{self, Tally};
use crate::record::test_run_v1::ReportTool;

/// Whether there are examples, and RSpec's sums or descriptions.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"examples\""]);
    let sums = sketch.has("summary.example_count") || sketch.has("summary_line");
    sketch.is("examples", Kind::Array) && (sums || sketch.has("examples[].full_description"))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let (mut suite, mut examples, mut outside) = (Suite::default(), false, Number::Absent);
    json.object(|json, key| {
        match key {
            "version" => tally.tool = json.told()?.map(|v| ReportTool { name: "RSpec".to_owned(), version: Some(v) }),
            "examples" => examples = json.array(|json| example(json, &mut suite, tally))?,
            "summary" => {
                json.object(|json, key| {
                    match key {
                        "example_count" => suite.claims.total = json.count()?,
                        "failure_count" => suite.claims.failed = json.count()?,
                        "pending_count" => suite.claims.skipped = json.count()?,
                        "errors_outside_of_examples_count" => outside = json.count()?,
                        _ => {}
                    }
                    Ok(())
                })?;
            }
            _ => {}
        }
        Ok(())
    })?;
    json.end()?;
    if !examples {
        return Err(json.lacks("examples"));
    }
    match outside {
        Number::Is(0) | Number::Absent => {}
        // a file that cannot be loaded, a hook around all examples
        Number::Is(n) => tally.fault(|| format!("{n} error(s) outside of the examples: counted as failed")),
        Number::Unreadable => tally.fault(|| "the number of errors outside of examples cannot be read".to_owned()),
    }
    suite.finish(tally);
    Ok(())
}

fn example(json: &mut Json<'_>, suite: &mut Suite, tally: &mut Tally) -> Result<(), Refusal> {
    let (mut full, mut short, mut file) = (Vec::new(), Vec::new(), Vec::new());
    let (mut outcome, mut word, mut time) = (None, None, Time::Absent);
    json.object(|json, key| {
        match key {
            "full_description" => json.name(&mut full)?,
            "description" => json.name(&mut short)?,
            "file_path" => json.name(&mut file)?,
            "status" => {
                word = json.told()?;
                outcome = word.as_deref().and_then(Outcome::of_strict_word);
            }
            "run_time" => time = json.time(1.0)?,
            _ => {}
        }
        Ok(())
    })?;
    let name = if full.is_empty() { &short } else { &full };
    if outcome.is_none() {
        tally.unknown(name, &word.unwrap_or_default());
    }
    let outcome = outcome.unwrap_or(Outcome::Errored);
    suite.case(&tally::Case { outcome, flaky: false, suite: &file, class: b"", name }, &time, 0, tally);
    Ok(())
}
