//! The XML formats besides JUnit: what is said of odd reports, what is recorded besides counts, and their limits.

use super::tests::{assert_quiet, assert_refused, assert_warns, check_laws, fixture, read_fixture};
use super::*;
use crate::record::test_run_v1::{Counts, Coverage, Covered, TimestampZone};
use proptest::prelude::*;

const DIALECTS: [&str; 8] =
    ["trx", "nunit2", "nunit3", "xunit", "open-test-reporting", "cobertura", "jacoco", "clover"];

fn read_one(format: &str, name: &str) -> TestRun {
    read_fixture(&format!("{format}/{name}"))
}

#[test]
fn every_encoding_of_a_document_reads_the_same() {
    for (folder, file) in [
        ("trx", "fail_failed.trx"),
        ("nunit2", "fail_words.xml"),
        ("nunit3", "fail_words.xml"),
        ("xunit", "fail_fail.xml"),
        ("open-test-reporting", "fail_words.xml"),
        ("cobertura", "empty_counted.xml"),
        ("jacoco", "empty_counters.xml"),
        ("clover", "empty_metrics.xml"),
    ] {
        let text = str::from_utf8(&fixture(&format!("{folder}/{file}")).bytes).unwrap();
        let (_, body) = text.split_once("?>").unwrap();
        let want = read_from(text.as_bytes(), "f", None);
        let declared = |name: &str| format!("<?xml version=\"1.0\" encoding=\"{name}\"?>{body}").into_bytes();
        let utf16 = |little: bool| -> Vec<u8> {
            let of = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
            format!("\u{FEFF}{body}").encode_utf16().flat_map(of).collect()
        };
        let bytes = [
            body.trim_start().into(),
            ["\u{FEFF}".as_bytes(), text.as_bytes()].concat(),
            declared("ISO-8859-1"),
            declared("windows-1252"),
            declared("US-ASCII"),
            format!("<?xml version=\"1.1\"?>{body}").into_bytes(),
            utf16(true),
            utf16(false),
        ];
        for (n, bytes) in bytes.iter().enumerate() {
            let mut run = read_from(&bytes[..], "f", None);
            check_laws(&run, bytes);
            (run.sha256, run.size) = (want.sha256, want.size);
            assert_eq!(run, want, "{folder} {n}");
        }
        for name in ["UTF-7", "UTF-32", "Shift_JIS"] {
            assert_eq!(read_from(&declared(name)[..], "f", None).verdict, Verdict::Refused, "{folder} {name}");
        }
    }
}

#[test]
fn warnings_say_what_is_odd() {
    let cases = [
        ("trx", "good_warning.trx", "test case `b` passed with a warning"),
        ("trx", "fail_unknown_word.trx", "the outcome word `Perhaps` is unknown"),
        ("trx", "fail_no_outcome.trx", "test case `b` says no outcome"),
        ("trx", "fail_summary_aborted.trx", "suite `run` is errored outside any test case"),
        ("trx", "fail_counters_more_than_shown.trx", "suite `run` declares 1 more failed or errored than it shows"),
        ("trx", "good_counters_unreadable.trx", "suite `run`: the number of tests cannot be read"),
        ("trx", "good_no_summary.trx", "whether the run came to its end is not told"),
        ("trx", "fail_parent_of_good_rows.trx", "suite `p` is failed outside any test case"),
        ("trx", "fail_duplicate.trx", "1 test case(s) repeat"),
        ("trx", "good_times_odd.trx", "the first is `soon`"),
        ("nunit2", "fail_suite_failed_alone.xml", "suite `S` is failed outside any test case"),
        ("nunit2", "fail_root_declares_errors.xml", "suite `run.dll` declares errors=1; found 0"),
        ("nunit2", "good_comma_time.xml", "the first is `0,5`"),
        ("nunit2", "fail_odd_flag.xml", "`neither True nor False`"),
        ("nunit3", "fail_failure_in_passed.xml", "test case `a` is told as passed and has a failure"),
        ("nunit3", "fail_teardown.xml", "suite `N.S` is errored outside any test case"),
        ("nunit3", "fail_declared_more_than_shown.xml", "declares failed=1; found 0"),
        ("nunit3", "good_words.xml", "test case `c` passed with a warning"),
        ("xunit", "fail_cleanup_error.xml", "suite `a.dll` is errored outside any test case"),
        ("xunit", "fail_errors_declared_only.xml", "suite `a.dll` declares errors=1; found 0"),
        ("open-test-reporting", "fail_never_finished.xml", "test `a` was started and never finished"),
        ("open-test-reporting", "fail_no_result.xml", "test `a` has no result"),
        ("open-test-reporting", "fail_finished_without_start.xml", "id `9` is finished and was never started"),
        ("open-test-reporting", "fail_container_failed.xml", "suite `C` is failed outside any test case"),
        (
            "cobertura",
            "empty_totals_and_lines_differ.xml",
            "declares 9 of 9 lines covered; its `line` elements make it 2 of 3",
        ),
        ("cobertura", "empty_rate_differs.xml", "declares a line rate of `0.99`; its numbers are 1 of 2"),
        ("cobertura", "empty_negative_hits.xml", "counted as not covered"),
    ];
    for (format, file, want) in cases {
        assert_warns(&format!("{format}/{file}"), want);
    }
    for (format, file) in [
        ("trx", "good_rows.trx"),
        ("trx", "fail_rows.trx"),
        ("trx", "good_jest.trx"),
        ("nunit2", "good_new_words.xml"),
        ("nunit2", "good_old_flags.xml"),
        ("nunit2", "fail_words.xml"),
        ("nunit2", "good_nunit.xml"),
        ("nunit3", "fail_words.xml"),
        ("nunit3", "good_parameters.xml"),
        ("nunit3", "good_void_failure.xml"),
        ("xunit", "good_words.xml"),
        ("xunit", "good_version_3.xml"),
        ("xunit", "fail_two_assemblies.xml"),
        ("xunit", "fail_version_1.xml"),
        ("open-test-reporting", "good_junit5.xml"),
        ("open-test-reporting", "good_hierarchy.xml"),
        ("cobertura", "empty_totals.xml"),
        ("cobertura", "empty_coverage_py.xml"),
    ] {
        assert_quiet(&format!("{format}/{file}"));
    }
}

#[test]
fn refusals_say_where_and_what_to_do() {
    let cases = [
        (
            "trx",
            "refused_cppunit.trx",
            "line 2, column 1: its root is `TestRun` without the namespace of Visual Studio",
        ),
        ("trx", "refused_other_namespace.trx", "TeamTest/2030`, which no version of TRX has"),
        ("trx", "refused_entity.trx", "entities"),
        ("open-test-reporting", "refused_version_9.xml", "Open Test Reporting `9.0.0`, where 0.1.0 and 0.2.0 are read"),
        ("open-test-reporting", "refused_started_twice.xml", "line 2, column "),
        ("open-test-reporting", "refused_junit5_crash.xml", "the file ends where `e:events` is still open"),
        ("cobertura", "refused_more_than_all.xml", "line 3, column 1: it covers 3 lines of 2"),
        ("cobertura", "refused_number_unreadable.xml", "the number in `lines-covered`, `two`, cannot be read"),
        ("cobertura", "refused_rate_only.xml", "neither totals nor lines"),
        ("jacoco", "refused_counter_twice.xml", "the counter of lines stands twice"),
        ("jacoco", "refused_parts_only.xml", "no counters of the report as a whole"),
        ("clover", "refused_metrics_twice.xml", "the metrics of a project stand twice"),
        ("strangers", "refused_boost_log.xml", "--logger=JUNIT"),
        ("strangers", "refused_catch2.xml", "--reporter junit"),
        ("strangers", "refused_robot.xml", "rebot --xunit"),
        ("strangers", "refused_site.xml", "ctest --output-junit"),
        ("strangers", "refused_coverage_of_another.xml", "`coverage`, and no report begins so"),
        ("strangers", "refused_maven_assembly.xml", "`assembly`, and no report begins so"),
        ("strangers", "refused_other_events.xml", "`events`, and no report begins so"),
        ("strangers", "refused_report_of_another.xml", "`report`, and no report begins so"),
    ];
    for (format, file, want) in cases {
        assert_refused(&format!("{format}/{file}"), want);
    }
}

#[test]
fn what_a_forced_format_does_not_know_is_refused() {
    for (text, format, want) in [
        ("<assembly/>", "xunit", "says nothing of tests"),
        ("<events/>", "open-test-reporting", "not in a namespace of Open Test Reporting"),
        ("<report/>", "jacoco", "no counters"),
        ("<coverage/>", "clover", "no `metrics`"),
    ] {
        let error = read_from(text.as_bytes(), "f", Some(format)).error.unwrap();
        assert!(error.contains(want), "{error}");
    }
    for format in FORMATS.iter().filter(|format| DIALECTS.contains(&format.name)) {
        let run = read_from(&b"<other><testcase/></other>"[..], "f", Some(format.name));
        let error = run.error.unwrap();
        assert!(error.contains("line 1, column 1: its root") && error.contains("`other`"), "{error}");
    }
}

#[test]
fn coverage_is_a_figure_and_no_verdict() {
    let of = |covered, total| Some(Covered { covered, total });
    let cases = [
        ("cobertura", "empty_totals.xml", of(1, 2), of(0, 0), None),
        ("cobertura", "empty_counted.xml", of(2, 3), of(1, 2), None),
        ("cobertura", "empty_coverage_py.xml", of(4, 6), of(1, 2), None),
        ("cobertura", "empty_gcovr.xml", of(4, 5), of(1, 2), None),
        ("jacoco", "empty_gcovr.xml", of(4, 5), of(1, 2), of(2, 2)),
        ("clover", "empty_gcovr.xml", of(4, 5), of(0, 0), of(0, 0)),
        ("clover", "empty_istanbul.xml", of(2, 2), of(1, 2), of(1, 2)),
        ("cobertura", "empty_istanbul.xml", of(2, 2), of(1, 2), None),
        ("cobertura", "empty_no_line_to_cover.xml", of(0, 0), None, None),
        ("jacoco", "empty_counters.xml", of(8, 10), of(3, 4), of(4, 4)),
        ("jacoco", "empty_jacoco.xml", of(1, 1), of(1, 2), of(1, 3)),
        ("clover", "empty_metrics.xml", of(8, 10), of(3, 4), of(4, 4)),
    ];
    for (format, file, lines, branches, functions) in cases {
        let run = read_one(format, file);
        assert_eq!(run.coverage, Some(Coverage { lines, branches, functions }), "{format}/{file}");
        assert_eq!((run.verdict, run.counts), (Verdict::Empty, None));
    }
}

#[test]
fn heads_are_recorded_and_never_counted() {
    let run = read_one("nunit3", "fail_words.xml");
    let declared = run.declared.unwrap();
    assert_eq!((declared.total, declared.failed, declared.errored), (Some(6), Some(5), None));
    assert_eq!(run.timestamp_zone, Some(TimestampZone::Known), "{:?}", run.timestamp);
    let run = read_one("xunit", "good_version_3.xml");
    let tool = run.tool.unwrap();
    assert_eq!((tool.name.as_str(), tool.version.as_deref()), ("xUnit.net v3", Some("3.2.0+1")));
    assert_eq!(run.timestamp.as_deref(), Some("2026-11-25T10:00:00.1234567+00:00"));
    assert_eq!(run.duration_seconds, Some(0.5));
    let run = read_one("nunit2", "good_new_words.xml");
    assert_eq!(
        (run.timestamp.as_deref(), run.timestamp_zone),
        (Some("2026-11-25T10:00:00"), Some(TimestampZone::Unknown))
    );
    let run = read_one("trx", "good_times_odd.trx");
    assert_eq!((run.name.as_deref(), run.duration_seconds), (Some("run"), None));
    assert_eq!(read_one("open-test-reporting", "good_parallel.xml").duration_seconds, Some(1.0));
}

#[test]
fn a_failing_test_of_trx_is_named_with_its_class_wherever_that_is_told() {
    for file in ["fail_definitions_first.trx", "fail_mocha.trx", "fail_jest.trx"] {
        let run = read_one("trx", file);
        assert!(run.failing.iter().all(|test| test.suite.is_some()), "{file}: {:?}", run.failing);
    }
}

#[test]
fn tests_may_be_open_up_to_a_limit() {
    let of = |n: usize| {
        let root = "<e:events xmlns:e=\"https://schemas.opentest4j.org/reporting/events/0.2.0\">";
        let started: String = (0..n).map(|n| format!("<e:started id=\"{n}\" name=\"t\"/>")).collect();
        read_from(format!("{root}{started}</e:events>").as_bytes(), "f", None)
    };
    let run = of(10_000);
    assert_eq!((run.verdict, run.counts.unwrap().errored), (Verdict::Failed, 10_000));
    assert!(of(10_001).error.unwrap().contains("more than 10000 tests are started and not finished"));
}

#[test]
fn depth_and_names_have_their_limits_in_every_format() {
    let deep = |open: &str, close: &str, inner: &str, n: usize| {
        let root = "<test-run>";
        format!("{root}{}{inner}{}</test-run>", open.repeat(n), close.repeat(n))
    };
    let case = format!("<test-case name=\"{}\" result=\"Failed\"/>", "x".repeat(5000));
    let at = read_from(deep("<test-suite>", "</test-suite>", &case, 254).as_bytes(), "f", None);
    assert_eq!((at.verdict, at.counts.unwrap().failed), (Verdict::Failed, 1));
    assert!(at.failing[0].name.len() < 1200 && at.failing[0].name.contains("5000 bytes"), "{}", at.failing[0].name);
    let past = read_from(deep("<test-suite>", "</test-suite>", &case, 255).as_bytes(), "f", None);
    assert!(past.error.unwrap().contains("deep"));
}

/// A case of each format, in its words, and what it must come to: passed, skipped, failed, errored.
type Words = (&'static str, fn(&str, usize) -> String, [&'static str; 4], fn(&str) -> String);

const WORDS: [Words; 4] = [
    (
        "trx",
        |word, n| format!("<UnitTestResult testName='t{n}' testId='{n}' outcome='{word}'/>"),
        ["Passed", "NotExecuted", "Failed", "Timeout"],
        |cases| {
            format!(
                "<TestRun xmlns='http://microsoft.com/schemas/VisualStudio/TeamTest/2010'><Results>{cases}</Results>\
                 <ResultSummary outcome='Completed'/></TestRun>"
            )
        },
    ),
    (
        "nunit2",
        |word, n| format!("<test-case name='t{n}' result='{word}'/>"),
        ["Success", "Ignored", "Failure", "Error"],
        |cases| format!("<test-results><test-suite><results>{cases}</results></test-suite></test-results>"),
    ),
    (
        "nunit3",
        |word, n| format!("<test-case name='t{n}' id='{n}' {word}/>"),
        ["result='Passed'", "result='Skipped'", "result='Failed'", "result='Failed' label='Error'"],
        |cases| format!("<test-run><test-suite>{cases}</test-suite></test-run>"),
    ),
    (
        "xunit",
        |word, n| format!("<test name='t{n}' {word}/>"),
        ["result='Pass'", "result='Skip'", "result='Fail'", ""],
        |cases| format!("<assemblies><assembly><collection>{cases}</collection></assembly></assemblies>"),
    ),
];

proptest! {
    #[test]
    fn counts_are_conserved(kinds in prop::collection::vec(0..4usize, 0..40)) {
        for (format, case, words, whole) in WORDS {
            let cases: String = kinds.iter().enumerate().map(|(n, &kind)| case(words[kind], n)).collect();
            let text = whole(&cases);
            let run = read_from(text.as_bytes(), "f", None);
            let of = |kind: usize| kinds.iter().filter(|k| **k == kind).count() as u64;
            let want = Counts { total: kinds.len() as u64, passed: of(0), skipped: of(1), failed: of(2), errored: of(3), flaky: 0 };
            prop_assert_eq!((run.format.as_deref(), run.counts), (Some(format), Some(want)), "{:?}", run.error);
            let bad = want.failed + want.errored > 0;
            let verdict = if bad { Verdict::Failed } else if want.passed > 0 { Verdict::Passed } else { Verdict::Empty };
            prop_assert_eq!(run.verdict, verdict);
            prop_assert_eq!(run.failing.len() as u64, want.failed + want.errored);
        }
    }
}

#[test]
fn classes_of_trx_are_kept_up_to_a_limit_and_waited_for_without_one() {
    let definition = |n: usize| format!("<UnitTest id='{n}'><TestMethod className='N.C{n}, assembly'/></UnitTest>");
    let result = |n: usize| format!("<UnitTestResult testId='{n}' testName='t{n}' outcome='Failed'/>");
    let (last, past) = (9_999, 10_000);
    let run = |inside: String| {
        let root = "<TestRun xmlns='http://microsoft.com/schemas/VisualStudio/TeamTest/2010'>";
        read_from(format!("{root}{inside}<ResultSummary outcome='Failed'/></TestRun>").as_bytes(), "f", None)
    };
    let suites = |run: TestRun| run.failing.into_iter().map(|test| test.suite).collect::<Vec<_>>();
    let definitions: String = (0..=past).map(definition).collect();
    let before = run(format!("{definitions}{}{}", result(last), result(past)));
    assert_eq!(suites(before), [Some("N.C9999".into()), None]);
    let after = run(format!("{}{}{definitions}", result(last), result(past)));
    assert_eq!(suites(after), [Some("N.C9999".into()), Some("N.C10000".into())]);
}
