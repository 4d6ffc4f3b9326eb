//! The JSON lines of `cargo deny --format json check`: one object a finding, and the sums in the last.

use super::gate::Scan;
use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::refusal::Refusal;
use super::tally::Tally;
use crate::record::test_run_v1::ReportTool;

/// Whether it begins with a line of cargo-deny.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"type\"", "\"fields\""]);
    matches!(sketch.word("type"), Some("diagnostic" | "summary" | "log")) && sketch.is("fields", Kind::Object)
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open_many(input)?;
    let mut reading = Reading { scan: Scan::new("error", "error", tally)?, tally, errors: None };
    while json.another()? {
        let mut line = Line::default();
        json.object(|json, key| {
            match key {
                "type" => line.kind = json.told()?.unwrap_or_default(),
                "fields" => line.fields(json)?,
                _ => {}
            }
            Ok(())
        })?;
        reading.add(&line);
    }
    json.end()?;
    reading.finish();
    Ok(())
}

struct Reading<'t> {
    scan: Scan,
    tally: &'t mut Tally,
    /// Errors that the sums declare, where there are sums.
    errors: Option<u64>,
}

/// One line; `type` may stand behind `fields`.
#[derive(Default)]
struct Line {
    kind: String,
    severity: String,
    /// Of a line of the log.
    level: String,
    /// Of the sums.
    errors: u64,
}

impl Line {
    fn fields(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        json.object(|json, key| {
            match key {
                "severity" => self.severity = json.told()?.unwrap_or_default(),
                "level" => self.level = json.told()?.unwrap_or_default(),
                "advisories" | "bans" | "licenses" | "sources" if json.kind()? == Kind::Object => {
                    json.object(|json, key| {
                        if key == "errors" {
                            self.errors += json.count()?.known().unwrap_or_default();
                        }
                        Ok(())
                    })?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(())
    }
}

impl Reading<'_> {
    fn add(&mut self, line: &Line) {
        match line.kind.as_str() {
            "diagnostic" => self.scan.findings(&line.severity, 1, self.tally),
            "summary" => self.errors = Some(self.errors.unwrap_or_default() + line.errors),
            "log" if line.level.eq_ignore_ascii_case("error") => {
                self.tally.fault(|| "cargo-deny met an error of its own: counted as failed".to_owned());
            }
            _ => {}
        }
    }

    fn finish(self) {
        let Self { scan, tally, errors } = self;
        let listed = scan.of("error");
        match errors {
            None => tally.fault(|| "the sums are missing at its end: cargo-deny did not finish".to_owned()),
            Some(claimed) if claimed > listed => {
                tally.fault(|| format!("it declares {claimed} errors and lists {listed}: counted as failed"));
            }
            Some(_) => {}
        }
        tally.tool = Some(ReportTool { name: "cargo-deny".to_owned(), version: None });
        scan.finish(tally);
    }
}
