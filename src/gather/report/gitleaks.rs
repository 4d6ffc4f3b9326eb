//! The JSON of gitleaks (`--report-format json`): a list of leaks. What leaked is not read.
//!
//! gitleaks writes `[]` when it finds nothing, and so do others: that is read only where its format is told.

use super::gate::Scan;
use super::input::Input;
use super::json::{Json, Sketch};
use super::refusal::Refusal;
use super::tally::Tally;
use crate::record::test_run_v1::ReportTool;

/// Whether it is a list of leaks.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"RuleID\""]);
    sketch.has("[].RuleID")
        && ["Fingerprint", "Secret", "Match", "StartLine"].iter().any(|key| sketch.has(&format!("[].{key}")))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let mut scan = Scan::new("any", "critical", tally)?;
    let list = json.array(|json| {
        // gitleaks ranks no leak above another: each is as bad as can be
        json.object(|_, _| Ok(()))?;
        scan.kind("leak", "critical", 1);
        Ok(())
    })?;
    if !list {
        return Err(json.refuse("it is `null`, where gitleaks writes a list"));
    }
    json.end()?;
    tally.tool = Some(ReportTool { name: "gitleaks".to_owned(), version: None });
    scan.finish(tally);
    Ok(())
}
