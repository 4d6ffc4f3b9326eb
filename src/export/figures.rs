//! What one report says, in one line.

use super::shown::many;
use crate::record::test_run_v1::{Covered, Gate, TestRun};

/// `junit, pytest 8.3.4`: the format, and who wrote it.
pub(crate) fn source(run: &TestRun) -> String {
    let mut out = run.format.clone().unwrap_or_else(|| "unknown format".to_owned());
    if let Some(tool) = &run.tool {
        out += &format!(", {}", tool.name);
        if let Some(version) = &tool.version {
            out += &format!(" {version}");
        }
    }
    out
}

/// The figures of tests, scan and coverage, whichever there are.
pub(crate) fn figures(run: &TestRun) -> Option<String> {
    let counts = run.counts.map(|c| {
        let flaky = if c.flaky > 0 { format!(", {} flaky", c.flaky) } else { String::new() };
        let tests = many(c.total, "test", "tests");
        format!(
            "{tests}, {} passed, {} failed, {} errored, {} skipped{flaky}",
            c.passed, c.failed, c.errored, c.skipped
        )
    });
    let coverage = run.coverage.map(|c| {
        let part = |what, covered: Option<Covered>| covered.map(|covered| share(covered, what));
        let parts = [part("lines", c.lines), part("branches", c.branches), part("functions", c.functions)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "no figure of coverage".to_owned() } else { parts.join(", ") }
    });
    let all: Vec<String> = [counts, run.gate.as_ref().map(findings), coverage].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// `3 findings: 2 error, 1 warning; threshold error`.
fn findings(gate: &Gate) -> String {
    let mut out = many(gate.findings, "finding", "findings");
    let mut parts: Vec<String> = gate.by_severity.iter().map(|(word, n)| format!("{n} {word}")).collect();
    parts.extend((gate.suppressed > 0).then(|| format!("{} suppressed", gate.suppressed)));
    parts.extend((gate.absent > 0).then(|| format!("{} gone", gate.absent)));
    if !parts.is_empty() {
        out += &format!(": {}", parts.join(", "));
    }
    format!("{out}; threshold {}", gate.threshold)
}

/// `83.1 % of lines (540 of 650)`. Rounded down: 99.96 % is not all.
fn share(Covered { covered, total }: Covered, what: &str) -> String {
    if total == 0 {
        return format!("no {what} to cover");
    }
    let tenths = u128::from(covered) * 1000 / u128::from(total);
    format!("{}.{} % of {what} ({covered} of {total})", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_down_and_nothing_is_no_share() {
        for (covered, total, want) in [
            (540, 650, "83.0 % of lines (540 of 650)"),
            (2999, 3000, "99.9 % of lines (2999 of 3000)"),
            (1, 1, "100.0 % of lines (1 of 1)"),
            (0, 7, "0.0 % of lines (0 of 7)"),
            (0, 0, "no lines to cover"),
        ] {
            assert_eq!(share(Covered { covered, total }, "lines"), want);
        }
    }

    #[test]
    fn a_gate_is_told_with_its_threshold() {
        let mut gate = Gate { findings: 4, suppressed: 1, threshold: "error".into(), reached: 2, ..Gate::default() };
        gate.by_severity = [("error".to_owned(), 2), ("warning".to_owned(), 1)].into();
        assert_eq!(findings(&gate), "4 findings: 2 error, 1 warning, 1 suppressed; threshold error");
        assert_eq!(findings(&Gate { threshold: "high".into(), ..Gate::default() }), "0 findings; threshold high");
    }
}
