//! A report as `inspect` answers it.

use crate::export::{figures, shown};
use crate::gather::report::Archive;
use crate::record::test_run_v1::{TestRun, Verdict};
use serde_json::{Value, json};

/// The contract of `inspect --json`; what is absent is left out, never zero.
pub(super) fn json(t: &TestRun, archive: Option<&Archive>) -> Value {
    let mut out = json!({
        "file": t.file, "format": t.format, "sha256": t.sha256, "size": t.size, "verdict": t.verdict.as_str(),
        "warnings": t.warnings,
    });
    let Some(object) = out.as_object_mut() else { return out };
    let mut add = |name: &str, value: Value| drop(object.insert(name.to_owned(), value));
    if let Some(c) = &t.counts {
        for (name, n) in [
            ("total", c.total),
            ("passed", c.passed),
            ("failed", c.failed),
            ("errored", c.errored),
            ("skipped", c.skipped),
            ("flaky", c.flaky),
        ] {
            add(name, n.into());
        }
    }
    if let Some(gate) = &t.gate {
        if t.counts.is_none() {
            add("total", gate.findings.into());
        }
        add("gate", json!(gate));
    }
    for (name, value) in [
        ("coverage", t.coverage.map(|c| json!(c))),
        ("declared", t.declared.map(|d| json!(d))),
        ("tool", t.tool.as_ref().map(|tool| json!(tool))),
        ("archive", archive.map(|a| json!({"file": a.file, "sha256": a.sha256}))),
    ] {
        if let Some(value) = value {
            add(name, value);
        }
    }
    if t.verdict == Verdict::Refused {
        add("error", t.error.as_deref().unwrap_or("it cannot be read").into());
    }
    out
}

/// The same for people: one line, then one for each warning.
pub(super) fn told(t: &TestRun) -> String {
    let says = match t.verdict {
        Verdict::Refused => format!("refused: {}", t.error.as_deref().unwrap_or("it cannot be read")),
        // coverage alone has no verdict worth a word
        Verdict::Empty if t.counts.is_none() && t.coverage.is_some() => figured(figures::source(t), t),
        verdict => figured(format!("{} ({})", verdict.as_str(), figures::source(t)), t),
    };
    let mut out = shown::line(&format!("{}: {says}", t.file)).into_owned();
    for warning in &t.warnings {
        out += &format!("\n  note: {}", shown::line(warning));
    }
    out
}

fn figured(head: String, t: &TestRun) -> String {
    figures::figures(t).map_or(head.clone(), |figures| format!("{head}: {figures}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gather::report::{Ask, Reports, open};
    use crate::record::test_run_v1::{Coverage, Covered, Gate, ReportTool};
    use std::path::Path;

    fn refused() -> TestRun {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let mut reports = Reports::default();
        open(Path::new(path), "x", &Ask::default(), true, &mut reports, &mut |_, _, _| {});
        reports.finish().0.remove(0)
    }

    #[test]
    fn json_keeps_the_contract_of_every_field() {
        let answer = json(&refused(), None);
        assert_eq!(answer["verdict"], "refused");
        assert!(answer.get("total").is_none(), "absent is not zero");
        assert!(answer["error"].is_string() && answer["sha256"].is_string());
        assert!(crate::record::json::to_string(&answer).unwrap().len() > 10);
    }

    #[test]
    fn scans_and_coverage_have_figures_of_their_own() {
        let mut run = TestRun { verdict: Verdict::Failed, error: None, format: Some("sarif".into()), ..refused() };
        run.tool = Some(ReportTool { name: "ruff\u{1b}[2J".into(), version: Some("0.6".into()) });
        let by_severity = [("error".to_owned(), 2), ("warning".to_owned(), 1)].into();
        run.gate = Some(Gate { findings: 3, by_severity, threshold: "error".into(), reached: 2, ..Gate::default() });
        let answer = json(&run, None);
        assert_eq!((&answer["total"], &answer["gate"]["reached"]), (&3.into(), &2.into()));
        assert!(answer.get("passed").is_none() && answer.get("coverage").is_none());
        assert_eq!(
            told(&run),
            "x: failed (sarif, ruff[U+001B][2J 0.6): 3 findings: 2 error, 1 warning; threshold error"
        );
        (run.gate, run.tool, run.format, run.verdict) = (None, None, Some("lcov".into()), Verdict::Empty);
        run.coverage = Some(Coverage { lines: Some(Covered { covered: 540, total: 650 }), ..Coverage::default() });
        let answer = json(&run, None);
        assert!(answer.get("total").is_none() && answer.get("failed").is_none(), "coverage counts no tests: {answer}");
        assert_eq!(answer["coverage"]["lines"]["covered"], 540);
        assert_eq!(told(&run), "x: lcov: 83.0 % of lines (540 of 650)");
    }
}
