//! The JSON of `npm audit` (npm 7 and later: report version 2) and of npm 6 and pnpm (`advisories`).

use super::gate::Scan;
use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::outcome::Number;
use super::refusal::{Refusal, quoted};
use super::tally::Tally;
use crate::record::test_run_v1::ReportTool;

/// Whether it is a report of either version, or the error that npm writes in its place.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let words = ["\"auditReportVersion\"", "\"advisories\"", "\"error\""];
    let Some(word) = words.iter().find(|word| memchr::memmem::find(head, word.as_bytes()).is_some()) else {
        return false;
    };
    let sketch = Sketch::of(head, &[word]);
    let old = sketch.is("advisories", Kind::Object)
        && (sketch.has("metadata") || sketch.has("actions") || sketch.has("muted"));
    let failed = sketch.has("error.summary") && sketch.has("error.detail");
    sketch.has("auditReportVersion") || old || failed
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let mut scan = Scan::new("high", "critical", tally)?;
    let (mut list, mut new, mut claims) = (false, false, Vec::new());
    json.object(|json, key| {
        match key {
            "auditReportVersion" => {
                let version = json.number_or_text()?;
                if version != "2" {
                    let what = format!("its auditReportVersion is {}, where only 2 is read", quoted(&version));
                    return Err(json.refuse(what));
                }
            }
            "error" if json.kind()? == Kind::Object => {
                return Err(json
                    .refuse("npm could not make the audit, and says so")
                    .help("Look at what `npm audit` says, and run it again"));
            }
            "vulnerabilities" | "advisories" => {
                new |= key == "vulnerabilities";
                list |= json.object(|json, _| {
                    scan.findings(&json.told_at("severity")?.unwrap_or_default(), 1, tally);
                    Ok(())
                })?;
            }
            "metadata" => metadata(json, &mut claims)?,
            _ => {}
        }
        Ok(())
    })?;
    json.end()?;
    if !list {
        return Err(json.lacks("vulnerabilities"));
    }
    for (word, claimed) in claims {
        match claimed {
            // npm 6 counts every place where a package is installed
            Number::Is(n) if new || scan.of(word) == 0 => scan.claims(word, n, tally),
            Number::Unreadable => tally.warn(|| format!("the number of {word} vulnerabilities cannot be read")),
            _ => {}
        }
    }
    tally.tool = Some(ReportTool { name: "npm audit".to_owned(), version: None });
    scan.finish(tally);
    Ok(())
}

/// Reads the sums by severity.
fn metadata(json: &mut Json<'_>, claims: &mut Vec<(&'static str, Number)>) -> Result<(), Refusal> {
    json.object(|json, key| {
        if key == "vulnerabilities" {
            json.object(|json, key| {
                let words = ["info", "low", "moderate", "high", "critical"];
                if let Some(word) = words.iter().find(|word| **word == key) {
                    claims.push((word, json.count()?));
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}
