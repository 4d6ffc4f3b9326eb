//! The JSON of Semgrep and Opengrep (`--json`).

use super::gate::Scan;
use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::refusal::Refusal;
use super::tally::Tally;
use crate::record::test_run_v1::ReportTool;

/// Whether there are results of checks, or the list of what was scanned.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"results\""]);
    let scanned = sketch.has("paths.scanned") && sketch.is("errors", Kind::Array);
    sketch.is("results", Kind::Array) && (scanned || sketch.has("results[].check_id") && sketch.has("results[].path"))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let mut scan = Scan::new("error", "critical", tally)?;
    let (mut results, mut version, mut errors, mut notes) = (false, None, 0, 0);
    json.object(|json, key| {
        match key {
            "version" => version = json.told()?,
            "results" => results = json.array(|json| result(json, &mut scan, tally))?,
            "errors" => {
                json.array(|json| {
                    let level = json.told_at("level")?;
                    // a file that is only partly understood is a `warn`
                    *if matches!(level.as_deref(), Some("warn" | "info")) { &mut notes } else { &mut errors } += 1u64;
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
    if notes > 0 {
        tally.warn(|| format!("the scan notes {notes} problem(s) of its own"));
    }
    if errors > 0 {
        tally.fault(|| format!("the scan met {errors} error(s) of its own: counted as failed"));
    }
    tally.tool = Some(ReportTool { name: "Semgrep".to_owned(), version });
    scan.finish(tally);
    Ok(())
}

fn result(json: &mut Json<'_>, scan: &mut Scan, tally: &mut Tally) -> Result<(), Refusal> {
    let (mut severity, mut ignored) = (String::new(), false);
    json.object(|json, key| {
        if key == "extra" {
            json.object(|json, key| {
                match key {
                    "severity" => severity = json.told()?.unwrap_or_default(),
                    // by `nosemgrep` in the source, with `--disable-nosem`
                    "is_ignored" => ignored = json.flag()? == Some(true),
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    if ignored {
        scan.suppressed(1);
    } else {
        scan.findings(&severity, 1, tally);
    }
    Ok(())
}
