//! The JSON of `cargo audit` (`--json`): any vulnerability fails it; its warnings are of crates that nobody looks after.

use super::gate::Scan;
use super::input::Input;
use super::json::{Json, Sketch};
use super::outcome::Number;
use super::refusal::Refusal;
use super::tally::Tally;
use crate::record::test_run_v1::ReportTool;

/// Whether it is about a lockfile and what is wrong with it.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"vulnerabilities\""]);
    let about = sketch.has("lockfile") || sketch.has("database");
    about && (sketch.has("vulnerabilities.found") || sketch.has("vulnerabilities.list"))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let mut scan = Scan::new("high", "critical", tally)?;
    let (mut list, mut found, mut count) = (false, None, Number::Absent);
    json.object(|json, key| {
        match key {
            "vulnerabilities" => {
                json.object(|json, key| {
                    match key {
                        "found" => found = json.flag()?,
                        "count" => count = json.count()?,
                        "list" => {
                            list = json.array(|_| {
                                // it gives vectors and no words, and fails for each
                                scan.kind("vulnerability", "critical", 1);
                                Ok(())
                            })?;
                        }
                        _ => {}
                    }
                    Ok(())
                })?;
            }
            // `unmaintained`, `unsound`, `yanked`: a list of each
            "warnings" => {
                json.object(|json, kind| {
                    json.array(|_| {
                        scan.kind(kind, "warning", 1);
                        Ok(())
                    })?;
                    Ok(())
                })?;
            }
            _ => {}
        }
        Ok(())
    })?;
    json.end()?;
    if !list {
        return Err(json.lacks("vulnerabilities.list"));
    }
    let listed = scan.of("vulnerability");
    let claimed = count.known().unwrap_or_default().max(u64::from(found == Some(true)));
    if claimed > listed {
        tally.fault(|| format!("it declares {claimed} vulnerabilities and lists {listed}: counted as failed"));
    }
    tally.tool = Some(ReportTool { name: "cargo-audit".to_owned(), version: None });
    scan.finish(tally);
    Ok(())
}
