//! Reports that are one JSON document: what holds of all of them, and what is said of them beside their counts.

use super::lines_tests::EVENTS;
use super::tests::{Fixture, assert_quiet, assert_refused, assert_warns, fixtures};
use super::*;
use crate::record::test_run_v1::{Counts, Gate, TimestampZone};
use proptest::prelude::*;
use serde_json::{Value, json};

fn text(value: &Value) -> TestRun {
    read_from(value.to_string().as_bytes(), "f", None)
}

/// Writes `value` with the keys of every object in one order or the other.
fn written(value: &Value, backwards: bool, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            if backwards {
                members.reverse();
            }
            out.push('{');
            for (i, (key, value)) in members.into_iter().enumerate() {
                *out += if i > 0 { "," } else { "" };
                *out += &format!("{}:", Value::from(key.as_str()));
                written(value, backwards, out);
            }
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            for (i, value) in values.iter().enumerate() {
                *out += if i > 0 { ",\n" } else { "" };
                written(value, backwards, out);
            }
            out.push(']');
        }
        other => *out += &other.to_string(),
    }
}

#[test]
fn the_order_of_keys_changes_nothing_that_counts() {
    let mut tried = 0;
    for Fixture { label, bytes, .. } in fixtures().iter().filter(|f| !EVENTS.contains(&f.format.as_str())) {
        let plain = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let run = read_from(&bytes[..], "f", None);
        // a key that stands twice is lost on the way through serde_json
        let twice = run.error.as_ref().is_some_and(|error| error.contains("stands twice"));
        // as is a number that it has no room for
        let huge = label == "hostile/ctrf/good_number_huge.json";
        let Some(value) = serde_json::from_slice::<Value>(plain).ok().filter(|_| !twice && !huge) else { continue };
        tried += 1;
        for backwards in [false, true] {
            let mut text = String::new();
            written(&value, backwards, &mut text);
            let other = read_from(text.as_bytes(), "f", None);
            let seen = |run: &TestRun| {
                (run.verdict, run.format.clone(), run.counts, run.gate.clone(), run.tool.clone(), run.declared)
            };
            let mut theirs = seen(&other);
            if run.verdict == Verdict::Refused {
                // which fault stands first depends on the order
                theirs.1 = run.format.clone();
            }
            assert_eq!(theirs, seen(&run), "{label}, backwards: {backwards}\n{:?}", other.error);
        }
    }
    assert!(tried > 150, "{tried}");
}

#[test]
fn warnings_say_what_is_odd() {
    let cases = [
        ("ctrf/fail_status_unknown.json", "test case `x`: the outcome `finished?` is unknown: counted as errored"),
        ("ctrf/good_pending_and_other.json", "`other` is neither passed nor failed: counted as skipped"),
        ("ctrf/fail_summary_says_more_failed.json", "the report declares 1 more failed or errored than it shows"),
        ("ctrf/fail_summary_says_all_passed.json", "the report declares failures=0; found 1"),
        ("ctrf/empty_declares_passes.json", "the report declares tests=3; found 0"),
        ("ctrf/good_number_huge.json", "the number of failures cannot be read"),
        ("jest/fail_suite_does_not_load.json", "suite `/b.test.js` is errored outside any test case"),
        ("jest/fail_runtime_errors_declared_only.json", "suites that could not run"),
        ("jest/fail_success_false_alone.json", "`success: false`"),
        ("mocha/fail_hook.json", "hook for \"b\"` is failed outside any test case"),
        ("mocha/fail_test_in_no_list.json", "1 test(s) are in none of the lists"),
        ("rspec/fail_errors_outside.json", "1 error(s) outside of the examples"),
        ("playwright/fail_expected_but_failed.json", "told to be expected and came to `failed`: counted as failed"),
        ("playwright/fail_errors_outside.json", "1 error(s) outside of the tests"),
        ("cucumber/fail_status_unknown.json", "`perhaps` is unknown"),
        ("sarif/fail_level_unknown.sarif", "the severity `fatal` is unknown: counted as reaching the threshold"),
        ("sarif/fail_execution_unsuccessful.sarif", "did not succeed"),
        ("sarif/empty_results_absent.sarif", "the run of `tool` does not tell what it found: it has no `results`"),
        ("sarif/empty_no_run.sarif", "no run of any tool"),
        ("trivy/empty_no_results.json", "nothing that it could scan"),
        ("trivy/good_low.json", "1 finding(s) of unknown severity do not reach the threshold"),
        ("semgrep/fail_scan_error.json", "1 error(s) of its own"),
        ("bandit/empty_file_not_scanned.json", "1 file(s) could not be scanned"),
        ("npm-audit/fail_metadata_says_more.json", "declares `critical` 1; found 0"),
        ("cargo-audit/fail_count_says_more.json", "declares 2 vulnerabilities and lists 1"),
        ("cargo-deny/fail_no_summary.jsonl", "did not finish"),
    ];
    for (name, want) in cases {
        assert_warns(name, want);
    }
    for name in [
        "ctrf/good_keys_in_any_order.json",
        "jest/good_todo_and_pending.json",
        "mochawesome/good_nested.json",
        "sarif/good_warnings.sarif",
    ] {
        assert_quiet(name);
    }
}

#[test]
fn refusals_say_where_and_what_to_do() {
    let cases = [
        ("ctrf/refused_results_twice.json", "line 3, column 1: the key `results` stands twice in one object"),
        ("ctrf/refused_tests_null.json", "it has no `results.tests`. Check that"),
        ("ctrf/refused_tests_is_object.json", "an object stands where an array should"),
        (
            "ctrf/refused_trailing_data.json",
            "line 2, column 1: something stands after the end of the document. Give each",
        ),
        ("ctrf/refused_comment.json", "in no report format"),
        ("ctrf/refused_latin_1.json", "bytes that are not UTF-8"),
        ("ctrf/refused_utf16.json", "JSON in UTF-16"),
        ("ctrf/refused_empty_list.json", "an empty list, which several tools write when they find nothing. Say which"),
        ("ctrf/refused_merge_conflict.json", "the file holds the marks of a merge conflict. Resolve"),
        ("sarif/refused_version_2_0_0.sarif", "it is SARIF of version `2.0.0`, where only 2.1.0 is read. Let the tool"),
        ("sarif/refused_version_last.sarif", "SARIF of version `2.0.0-csd.2.beta.2019-01-09`"),
        ("sarif/refused_version_missing.sarif", "it has no `version`"),
        ("npm-audit/refused_error.json", "npm could not make the audit, and says so. Look at"),
        ("trivy/refused_schema_3.json", "its SchemaVersion is `3`, where only 2 is read"),
    ];
    for (name, want) in cases {
        assert_refused(name, want);
    }
}

#[test]
fn a_list_without_anything_is_read_where_its_format_is_told() {
    for (format, verdict) in [("gitleaks", Verdict::Passed), ("cucumber", Verdict::Empty), ("ctrf", Verdict::Refused)] {
        assert_eq!(read_from(&b" []\n"[..], "f", Some(format)).verdict, verdict, "{format}");
    }
    assert_eq!(read_from(&b"null"[..], "f", Some("gitleaks")).verdict, Verdict::Refused);
}

#[test]
fn who_wrote_it_and_when_and_how_long_it_took() {
    let ctrf = text(
        &json!({"reportFormat": "CTRF", "specVersion": "1.0.0", "timestamp": "2026-11-22T22:49:09.290Z", "results": {
        "tool": {"name": "mocha", "version": "11.0"}, "environment": {"reportName": "nightly"}, "summary": {"start": 1},
        "tests": [{"name": "a", "status": "passed", "duration": 1500}, {"name": "b", "status": "failed", "duration": 250, "suite": ["s", "t"]}]}}),
    );
    let tool = ctrf.tool.unwrap();
    assert_eq!((tool.name.as_str(), tool.version.as_deref()), ("mocha", Some("11.0")));
    assert_eq!((ctrf.name.as_deref(), ctrf.duration_seconds), (Some("nightly"), Some(1.75)));
    assert_eq!((ctrf.timestamp_zone, ctrf.failing[0].suite.as_deref()), (Some(TimestampZone::Known), Some("s > t")));
    let jest = text(
        &json!({"numTotalTests": 1, "startTime": 1_764_000_000_000_u64, "testResults": [{"name": "/a.js", "status": "failed",
        "assertionResults": [{"fullName": "A b", "title": "b", "status": "failed", "duration": 20}]}]}),
    );
    assert_eq!((jest.timestamp.as_deref(), jest.timestamp_zone), (Some("1764000000000"), Some(TimestampZone::Known)));
    assert_eq!((jest.failing[0].name.as_str(), jest.failing[0].suite.as_deref()), ("A b", Some("/a.js")));
    let cucumber = text(
        &json!([{"keyword": "Feature", "uri": "f", "elements": [{"type": "scenario", "name": "a", "line": 3, "steps": [
        {"result": {"status": "passed", "duration": 250_000_000}}, {"result": {"status": "passed", "duration": 1_000_000}}]}]}]),
    );
    assert_eq!(cucumber.duration_seconds, Some(0.251));
    let sarif = text(&json!({"version": "2.1.0", "runs": [
        {"tool": {"driver": {"name": "a", "semanticVersion": "1"}}, "results": [], "automationDetails": {"id": "ci/1"},
            "invocations": [{"executionSuccessful": true, "startTimeUtc": "2026-11-22T22:49:09Z"}]},
        {"tool": {"driver": {"name": "b"}}, "results": []}]}));
    assert_eq!((sarif.tool.unwrap().name.as_str(), sarif.name.as_deref()), ("a, b", Some("ci/1")));
    assert_eq!((sarif.timestamp.as_deref(), sarif.counts), (Some("2026-11-22T22:49:09Z"), None));
}

/// Reads `value` as `format`, with a threshold that somebody told.
fn with_threshold(format: &str, threshold: &str, value: &Value) -> Gate {
    let text = value.to_string();
    let (mut from, mut quiet) = (text.as_bytes(), |_: &str, _: u64, _: Option<u64>| {});
    let mut input = Input::new(&mut from, "f", None, u64::MAX, &mut quiet);
    let mut tally = Tally::default();
    tally.threshold = Some(threshold.to_owned());
    (format_named(format).unwrap().read)(&mut input, &mut tally).unwrap();
    tally.finish().gate.unwrap()
}

#[test]
fn a_threshold_that_is_told_is_that_of_the_gate() {
    let sarif = json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "a"}}, "results": [{"level": "note"}, {"level": "warning"}, {"level": "error"}, {"kind": "pass"}]}]});
    let audit = json!({"database": {}, "vulnerabilities": {"found": true, "count": 1, "list": [{}]}, "warnings": {"yanked": [{}]}});
    for (format, value, threshold, reached) in [
        ("sarif", &sarif, "any", 4),
        ("sarif", &sarif, "low", 3),
        ("sarif", &sarif, "warning", 2),
        ("sarif", &sarif, "high", 1),
        ("sarif", &sarif, "critical", 1),
        ("cargo-audit", &audit, "medium", 2),
        ("cargo-audit", &audit, "critical", 1),
    ] {
        let gate = with_threshold(format, threshold, value);
        assert_eq!((gate.reached, gate.threshold.as_str()), (reached, threshold), "{format} {threshold}");
    }
}

/// A status of CTRF with the counts it must come to: passed, failed, errored, skipped, flaky.
const STATUSES: [(&str, bool, [u64; 5]); 8] = [
    ("passed", false, [1, 0, 0, 0, 0]),
    ("passed", true, [1, 0, 0, 0, 1]),
    ("failed", false, [0, 1, 0, 0, 0]),
    ("failed", true, [0, 1, 0, 0, 0]),
    ("pending", false, [0, 0, 0, 1, 0]),
    ("skipped", false, [0, 0, 0, 1, 0]),
    ("other", false, [0, 0, 0, 1, 0]),
    ("Passed", false, [0, 0, 1, 0, 0]),
];

proptest! {
    #[test]
    fn counts_are_conserved(tests in prop::collection::vec((0..STATUSES.len(), "\\PC{0,12}"), 0..30)) {
        let mut sums = [0; 5];
        let list: Vec<_> = tests.iter().map(|(which, name)| {
            let (status, flaky, counts) = STATUSES[*which];
            sums = std::array::from_fn(|i| sums[i] + counts[i]);
            json!({"name": name, "status": status, "flaky": flaky, "duration": 1})
        }).collect();
        let run = text(&json!({"reportFormat": "CTRF", "results": {"tool": {"name": "t"}, "summary": {}, "tests": list}}));
        let [passed, failed, errored, skipped, flaky] = sums;
        let total = tests.len() as u64;
        prop_assert_eq!(run.counts, Some(Counts { total, passed, failed, errored, skipped, flaky }), "{:?}", run.error);
        let want = if failed + errored > 0 { Verdict::Failed } else if passed > 0 { Verdict::Passed } else { Verdict::Empty };
        prop_assert_eq!(run.verdict, want);
        let named: Vec<_> = run.failing.iter().map(|test| test.name.as_str()).collect();
        let want: Vec<_> = tests.iter().filter(|(which, _)| matches!(which, 2 | 3 | 7)).map(|(_, name)| name.as_str()).collect();
        prop_assert_eq!(named, want);
    }

    #[test]
    fn levels_are_those_of_the_procedure_in_the_standard(
        rules in prop::collection::vec(prop::option::of(0..4usize), 0..4),
        results in prop::collection::vec((prop::option::of(0..4usize), 0..6usize, 0..3u8, any::<bool>()), 0..12),
        override_of in (0..4usize, 0..4usize),
        results_first: bool,
    ) {
        const LEVELS: [&str; 4] = ["none", "note", "warning", "error"];
        let list: Vec<_> = rules.iter().enumerate().map(|(i, level)| match level {
            Some(level) => json!({"id": format!("R{i}"), "defaultConfiguration": {"level": LEVELS[*level]}}),
            None => json!({"id": format!("R{i}")}),
        }).collect();
        let mut want = [0u64; 4];
        let found: Vec<_> = results.iter().map(|(level, rule, how, linked)| {
            let mut result = match how {
                0 => json!({"ruleId": format!("R{rule}")}),
                1 => json!({"ruleId": format!("R{rule}/sub")}),
                _ => json!({"ruleId": "elsewhere", "ruleIndex": rule}),
            };
            if let Some(level) = level {
                result["level"] = LEVELS[*level].into();
            }
            if *linked {
                result["provenance"] = json!({"invocationIndex": 0});
            }
            let overridden = (*linked && override_of.0 == *rule && (*rule < rules.len() || *how == 0)).then_some(override_of.1);
            want[level.or(overridden).or(rules.get(*rule).copied().flatten()).unwrap_or(2)] += 1;
            result
        }).collect();
        let tool = json!({"driver": {"name": "t", "rules": list}});
        let invocations = json!([{"executionSuccessful": true, "ruleConfigurationOverrides": [
            {"descriptor": {"id": format!("R{}", override_of.0)}, "configuration": {"level": LEVELS[override_of.1]}}]}]);
        let (found, tool, invocations) = (Value::from(found).to_string(), tool.to_string(), invocations.to_string());
        let run = match results_first {
            true => format!("\"results\":{found},\"tool\":{tool},\"invocations\":{invocations}"),
            false => format!("\"invocations\":{invocations},\"tool\":{tool},\"results\":{found}"),
        };
        let run = read_from(format!("{{\"version\":\"2.1.0\",\"runs\":[{{{run}}}]}}").as_bytes(), "f", None);
        let gate = run.gate.unwrap();
        for (level, want) in LEVELS.iter().zip(want) {
            prop_assert_eq!(gate.by_severity.get(*level).copied().unwrap_or_default(), want, "{}", level);
        }
        prop_assert_eq!((gate.findings, gate.reached), (results.len() as u64, want[3]));
    }
}
