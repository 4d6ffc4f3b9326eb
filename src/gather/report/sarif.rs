//! SARIF 2.1.0 (OASIS), the format that most scanners write: one gate for all runs of a file.
//!
//! A run whose `results` are absent or `null` has not told what it found (3.14.23), which is not the same as nothing.

mod level;
mod rules;

use super::gate::Scan;
use super::input::Input;
use super::json::{Json, Kind, Sketch};
use super::name::{NAME_LIMIT, kept};
use super::refusal::{Refusal, quoted};
use super::tally::Tally;
use crate::record::test_run_v1::ReportTool;
use level::{Found, Pending};
use rules::Rules;

const VERSION: &str = "2.1.0";

/// Whether there are runs of a tool.
pub(crate) fn recognises(head: &[u8]) -> bool {
    let sketch = Sketch::of(head, &["\"runs\""]);
    let schema = sketch.word("$schema").is_some_and(|schema| schema.contains("sarif"));
    let inside = ["tool", "results", "toolInfo", "invocations"].iter().any(|key| sketch.has(&format!("runs[].{key}")));
    sketch.has("runs") && (schema || inside || sketch.has("version") && !sketch.is("runs", Kind::Object))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut json = Json::open(input)?;
    let scan = Scan::new("error", "error", tally)?;
    let mut reading = Reading { tally, scan, tools: Vec::new(), runs: 0, told: 0, errors: 0 };
    let mut version = false;
    json.object(|json, key| {
        match key {
            "version" => {
                check_version(json)?;
                version = true;
            }
            "runs" => {
                json.array(|json| reading.run(json))?;
            }
            "inlineExternalProperties" => {
                json.array(|json| reading.elsewhere(json))?;
            }
            _ => {}
        }
        Ok(())
    })?;
    json.end()?;
    if !version {
        return Err(json.lacks("version"));
    }
    reading.finish();
    Ok(())
}

fn check_version(json: &mut Json<'_>) -> Result<(), Refusal> {
    match json.text()? {
        Some(VERSION) => Ok(()),
        other => {
            let other = other.map_or("no version".to_owned(), |version| format!("version {}", quoted(version)));
            let what = format!("it is SARIF of {other}, where only {VERSION} is read");
            Err(json.refuse(what).help("Let the tool write SARIF 2.1.0"))
        }
    }
}

struct Reading<'t> {
    tally: &'t mut Tally,
    scan: Scan,
    tools: Vec<ReportTool>,
    runs: u64,
    /// Runs that have told what they found.
    told: u64,
    /// Errors of their own that the tools note.
    errors: u64,
}

/// Tools that are named; a file of many runs is of few tools.
const TOOL_LIMIT: usize = 16;

impl Reading<'_> {
    fn run(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        self.runs += 1;
        let (mut rules, mut pending, mut results) = (Rules::default(), Pending::default(), false);
        let mut name = "the run".to_owned();
        let is_object = json.object(|json, key| {
            match key {
                "tool" => {
                    if let Some(tool) = rules.tool(json)? {
                        name = format!("the run of {}", quoted(&tool.name));
                        self.tool(tool);
                    }
                }
                "invocations" => self.invocations(json, &mut rules)?,
                "results" => {
                    results = json.array(|json| {
                        let found = Found::read(json)?;
                        self.found(found, &mut pending).map_err(|what| json.refuse(what))
                    })?;
                }
                "externalPropertyFileReferences" => self.elsewhere(json)?,
                "automationDetails" => {
                    json.object(|json, key| {
                        if key == "id" && self.tally.name.is_none() {
                            self.tally.name = json.told()?;
                        }
                        Ok(())
                    })?;
                }
                _ => {}
            }
            Ok(())
        })?;
        // the rules may stand behind the results
        rules.settle();
        for (found, n) in pending.all() {
            self.scan.findings(rules.level(&found).as_str(), n, self.tally);
        }
        if is_object && results {
            self.told += 1;
        } else {
            self.tally.partial(|| format!("{name} does not tell what it found: it has no `results`"));
        }
        Ok(())
    }

    fn found(&mut self, found: Found, pending: &mut Pending) -> Result<(), &'static str> {
        if found.suppressed {
            self.scan.suppressed(1);
        } else if found.absent {
            self.scan.absent(1);
        } else if let Some(level) = found.told() {
            self.scan.findings(level, 1, self.tally);
        } else {
            return pending.add(found);
        }
        Ok(())
    }

    /// Notes results that stand apart from their run, or in files of their own (3.14.2, 4.3).
    fn elsewhere(&mut self, json: &mut Json<'_>) -> Result<(), Refusal> {
        json.object(|json, key| {
            let mut parts = 0u64;
            if key == "results" {
                json.array(|_| {
                    parts += 1;
                    Ok(())
                })?;
            }
            if parts > 0 {
                self.tally
                    .partial(|| "some of the results stand outside their run, where they are not read".to_owned());
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Reads how the tool was run (3.20).
    fn invocations(&mut self, json: &mut Json<'_>, rules: &mut Rules) -> Result<(), Refusal> {
        let mut index = 0;
        json.array(|json| {
            let (mut successful, mut errors) = (None, 0);
            json.object(|json, key| {
                match key {
                    "executionSuccessful" => successful = json.flag()?,
                    "startTimeUtc" if self.tally.timestamp.is_none() => self.tally.timestamp = json.told()?,
                    "ruleConfigurationOverrides" => rules.overrides(json, index)?,
                    "toolExecutionNotifications" | "toolConfigurationNotifications" => {
                        json.array(|json| {
                            json.object(|json, key| {
                                errors += u64::from(key == "level" && json.text()? == Some("error"));
                                Ok(())
                            })?;
                            Ok(())
                        })?;
                    }
                    _ => {}
                }
                Ok(())
            })?;
            index += 1;
            match successful {
                Some(true) => {}
                Some(false) => {
                    self.tally.fault(|| "the scan says that it did not succeed: counted as failed".to_owned())
                }
                None => self.tally.warn(|| "an invocation does not say whether it succeeded".to_owned()),
            }
            self.errors += errors;
            Ok(())
        })?;
        Ok(())
    }

    fn tool(&mut self, tool: ReportTool) {
        if !self.tools.contains(&tool) && self.tools.len() < TOOL_LIMIT {
            self.tools.push(tool);
        }
    }

    fn finish(self) {
        let Self { tally, scan, mut tools, runs, told, errors } = self;
        tally.tool = if tools.len() == 1 {
            tools.pop()
        } else {
            let names: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
            let joined = names.join(", ");
            debug_assert!(joined.len() <= TOOL_LIMIT * (NAME_LIMIT + 200));
            (!tools.is_empty()).then(|| ReportTool { name: kept(joined.as_bytes()), version: None })
        };
        if runs == 0 {
            tally.partial(|| "it holds no run of any tool".to_owned());
        }
        // Semgrep without a rule that it understands, bandit without a file that it can parse: nothing found, and nothing looked at
        match errors {
            0 => {}
            n if scan.found_nothing() => tally.partial(|| {
                format!("the tool notes {n} error(s) of its own and found nothing: it may not have looked")
            }),
            n => tally.warn(|| format!("the tool notes {n} error(s) of its own")),
        }
        // absent is not zero: without any results there is no gate
        if told > 0 {
            scan.finish(tally);
        }
    }
}
