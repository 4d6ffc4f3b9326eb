//! The JSON of Trivy (`--format json`, schema 2): vulnerabilities, misconfigurations, secrets and licences, by target.

use super::gate::Scan;
use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::refusal::{Refusal, quoted};
use super::tally::Tally;
use crate::record::test_run_v1::ReportTool;

/// Whether it has Trivy's own keys.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"SchemaVersion\""]);
    sketch.is("SchemaVersion", Kind::Number)
        && ["ArtifactName", "ArtifactType", "Results"].iter().any(|key| sketch.has(key))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let mut scan = Scan::new("high", "critical", tally)?;
    let (mut version, mut results) = (None, false);
    json.object(|json, key| {
        match key {
            "SchemaVersion" => {
                let schema = json.number_or_text()?;
                if schema != "2" {
                    return Err(json.refuse(format!("its SchemaVersion is {}, where only 2 is read", quoted(&schema))));
                }
            }
            "ArtifactName" => tally.name = json.told()?,
            "CreatedAt" => tally.timestamp = json.told()?,
            "Trivy" => version = json.told_at("Version")?,
            "Results" => {
                results = json.array(|json| {
                    json.object(|json, key| findings(json, key, &mut scan, tally))?;
                    Ok(())
                })?;
            }
            _ => {}
        }
        Ok(())
    })?;
    json.end()?;
    tally.tool = Some(ReportTool { name: "Trivy".to_owned(), version });
    if results {
        scan.finish(tally);
    } else {
        tally.partial(|| "it has no `Results`: Trivy found nothing that it could scan".to_owned());
    }
    Ok(())
}

/// Reads what was found in one target.
fn findings(json: &mut Json<'_>, key: &str, scan: &mut Scan, tally: &mut Tally) -> Result<(), Refusal> {
    match key {
        "Vulnerabilities" | "Misconfigurations" | "Secrets" | "Licenses" => {
            json.array(|json| {
                let (mut severity, mut status) = (String::new(), None);
                json.object(|json, key| {
                    match key {
                        "Severity" => severity = json.told()?.unwrap_or_default(),
                        "Status" => status = json.told()?,
                        _ => {}
                    }
                    Ok(())
                })?;
                // a check that passed is listed with `--include-non-failures`
                match (key, status.as_deref()) {
                    ("Misconfigurations", Some("PASS")) => {}
                    ("Misconfigurations", Some("EXCEPTION")) => scan.suppressed(1),
                    _ => scan.findings(&severity, 1, tally),
                }
                Ok(())
            })?;
        }
        // what `.trivyignore` or a VEX document set aside, with `--show-suppressed`
        "ExperimentalModifiedFindings" => scan.suppressed(json.length()?),
        _ => {}
    }
    Ok(())
}
