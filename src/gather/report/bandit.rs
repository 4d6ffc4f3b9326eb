//! The JSON of Bandit (`--format json`).

use super::gate::Scan;
use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::refusal::Refusal;
use super::tally::Tally;
use crate::record::test_run_v1::ReportTool;

/// Whether there are results, and Bandit's metrics or its words.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"results\""]);
    let metrics = sketch.has("metrics._totals") || (sketch.has("generated_at") && sketch.is("metrics", Kind::Object));
    (sketch.has("results") && metrics) || sketch.has("results[].issue_severity")
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let mut scan = Scan::new("high", "high", tally)?;
    let (mut results, mut unread) = (false, 0);
    json.object(|json, key| {
        match key {
            "generated_at" => tally.timestamp = json.told()?,
            "errors" => unread = json.length()?,
            "results" => {
                results = json.array(|json| {
                    scan.findings(&json.told_at("issue_severity")?.unwrap_or_default(), 1, tally);
                    Ok(())
                })?;
            }
            _ => {}
        }
        Ok(())
    })?;
    json.end()?;
    if !results {
        return Err(json.lacks("results"));
    }
    if unread > 0 {
        tally.partial(|| format!("{unread} file(s) could not be scanned"));
    }
    tally.tool = Some(ReportTool { name: "Bandit".to_owned(), version: None });
    scan.finish(tally);
    Ok(())
}
