//! The JSON of Grype (`--output json`): `matches` count, `ignoredMatches` were set aside.

use super::gate::Scan;
use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::refusal::Refusal;
use super::tally::Tally;
use crate::record::test_run_v1::ReportTool;

/// Whether there are matches, and Grype's name or its parts.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"matches\""]);
    let own =
        sketch.word("descriptor.name") == Some("grype") || sketch.has("ignoredMatches") || sketch.has("descriptor.db");
    sketch.has("matches") && !sketch.is("matches", Kind::Object) && (own || sketch.has("matches[].vulnerability"))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let mut scan = Scan::new("high", "critical", tally)?;
    let (mut matches, mut version) = (false, None);
    json.object(|json, key| {
        match key {
            "matches" => {
                matches = json.array(|json| {
                    let severity = severity(json)?;
                    scan.findings(&severity, 1, tally);
                    Ok(())
                })?;
            }
            "ignoredMatches" => scan.suppressed(json.length()?),
            "descriptor" => {
                json.object(|json, key| {
                    match key {
                        "version" => version = json.told()?,
                        "timestamp" => tally.timestamp = json.told()?,
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
    if !matches {
        return Err(json.lacks("matches"));
    }
    tally.tool = Some(ReportTool { name: "Grype".to_owned(), version });
    scan.finish(tally);
    Ok(())
}

fn severity(json: &mut Json<'_>) -> Result<String, Refusal> {
    let mut severity = String::new();
    json.object(|json, key| {
        if key == "vulnerability" {
            severity = json.told_at("severity")?.unwrap_or_default();
        }
        Ok(())
    })?;
    Ok(severity)
}
