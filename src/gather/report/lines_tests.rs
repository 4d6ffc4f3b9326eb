//! Formats that are lines: what is said of odd reports, the laws of such formats, and their limits.

use super::tally::IDENTITY_LIMIT;
use super::tests::{Fixture, assert_quiet, assert_warns, check_laws, fixture, fixtures, read_fixture};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Formats that are a JSON object a line, which says by itself whether more must come.
pub(super) const EVENTS: [&str; 4] = ["go-test-json", "libtest-json", "dart-json", "cargo-deny"];

fn read_bytes(bytes: &[u8]) -> TestRun {
    read_from(bytes, "f", None)
}

/// Whether everything that has begun in these events has ended, told without any of our readers.
fn all_ended(format: &str, text: &str) -> bool {
    let mut open = std::collections::BTreeSet::new();
    // cargo-deny has its sums to come
    let mut suites = i32::from(format == "cargo-deny");
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let Ok(event) = serde_json::from_str::<serde_json::Value>(line) else {
            // serde_json's values are not nested as deep as we read
            if line.ends_with('}') { continue } else { return false }
        };
        let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        match format {
            "go-test-json" if word("Test").is_empty() && ["pass", "fail", "skip"].contains(&&*word("Action")) => {
                open.remove(&word("Package"));
            }
            // what is printed late does not begin a package again
            "go-test-json" if ["start", "run"].contains(&&*word("Action")) => {
                open.insert(word("Package"));
            }
            "libtest-json" if word("type") == "suite" => suites += if word("event") == "started" { 1 } else { -1 },
            "dart-json" if word("type") == "start" => suites += 1,
            "dart-json" if word("type") == "done" => suites -= 1,
            "cargo-deny" if word("type") == "summary" => suites -= 1,
            _ => {}
        }
    }
    open.is_empty() && suites == 0
}

#[test]
fn events_that_are_cut_before_all_has_ended_are_no_success() {
    let passed = |f: &&Fixture| f.verdict == Verdict::Passed && EVENTS.contains(&f.format.as_str());
    for Fixture { label, format, bytes, .. } in fixtures().iter().filter(passed) {
        let Ok(text) = str::from_utf8(bytes) else { continue };
        for cut in (0..text.len()).step_by(1 + text.len() / 1500).filter(|&cut| text.is_char_boundary(cut)) {
            let run = read_from(&text.as_bytes()[..cut], "f", Some(format));
            assert!(run.verdict != Verdict::Passed || all_ended(format, &text[..cut]), "{label} cut to {cut} bytes");
        }
    }
}

#[test]
fn warnings_say_what_is_odd() {
    let cases = [
        ("tap/fail_no_plan.tap", "line 3: there is no plan"),
        ("tap/fail_plan_for_more.tap", "the plan is for another number of test points"),
        ("tap/fail_number_twice.tap", "line 4: a number is that of another test point"),
        ("tap/fail_number_outside_plan.tap", "outside the plan"),
        ("tap/fail_two_documents.tap", "line 3: a second plan"),
        ("tap/fail_ok_after_last_plan.tap", "line 3: a test point stands after the plan"),
        ("tap/fail_bail_out.tap", "line 3: Bail out!"),
        ("tap/fail_subtest_inside_ok.tap", "line 4: the test point is ok and its subtest failed"),
        ("tap/fail_subtest_without_its_point.tap", "no test point stands for it"),
        ("tap/fail_strict_noise.tap", "`pragma +strict`"),
        ("tap/fail_comment_says_so.tap", "a comment declares 1 more failed"),
        ("tap/fail_exit_code_in_comment.tap", "line 3: a comment says that the program ended with an error"),
        ("tap/fail_cut_inside_yaml.tap", "inside a YAML block"),
        ("tap/good_todo.tap", "1 test point(s) are marked as TODO and ok"),
        ("tap/good_times.tap", "1 test point(s) are marked as TODO and did not run"),
        ("tap/empty_all_todo_fail.tap", "1 test point(s) fail and are marked as TODO"),
        ("tap/good_skip_not_ok.tap", "not ok and marked as SKIP"),
        ("tap/good_any_order.tap", "another order"),
        ("tap/good_noise.tap", "5 line(s) are not TAP and were passed over; the first is line 1"),
        ("tap/good_last_line_without_end.tap", "the last line has no end"),
        ("go-test-json/fail_package_only.json", "package `example.org/a` failed, and none of its tests did"),
        ("go-test-json/fail_package_without_end.json", "package `example.org/a` has begun and not ended"),
        ("go-test-json/fail_build_of_no_package.json", "`example.org/b` could not be built"),
        ("go-test-json/fail_plain_build_line.json", "a plain line says that package `example.org/b` failed"),
        ("go-test-json/fail_package_though_run_again.json", "failed in the end"),
        ("go-test-json/good_other_output.json", "5 line(s) are no events"),
        ("go-test-json/good_unknown_action_beside.json", "the action `shrug` is unknown"),
        ("libtest-json/fail_suite_without_end.json", "a suite has begun and not ended"),
        ("libtest-json/fail_suite_only.json", "is failed outside any test case"),
        ("libtest-json/fail_declared_more_than_shown.json", "a suite declares 1 more failed"),
        ("libtest-json/fail_could_not_compile.json", "line 5 is cargo's: `error: could not compile"),
        ("libtest-json/good_timeout_is_no_end.json", "test `a` took very long"),
        ("dart-json/fail_without_done.json", "the report is cut"),
        ("dart-json/fail_done_says_so.json", "no test of it did"),
        ("dart-json/fail_done_says_null.json", "ended before all tests had"),
        ("lcov/empty_same_file_twice.info", "1 record(s) are of a source file that had one already"),
        ("lcov/empty_declared_differs.info", "declares 3 of 3 lines and shows 1 of 2"),
    ];
    for (name, want) in cases {
        assert_warns(name, want);
    }
    for name in [
        "tap/good_subtests.tap",
        "tap/good_yaml_holds_points.tap",
        "go-test-json/good_run_again_and_passed.json",
        "lcov/empty_counted.info",
    ] {
        assert_quiet(name);
    }
}

#[test]
fn refusals_say_where_and_what_to_do() {
    let cases = [
        ("tap/refused_invalid_utf8.tap", "line 2, column 8: bytes that are not UTF-8. Let"),
        ("tap/refused_nul_tail.tap", "line 3, column 1: the character U+0000"),
        ("tap/refused_utf32.tap", "line 1, column 1: it is UTF-32"),
        ("tap/refused_nested_65.tap", "line 67, column 1: subtests are nested more than 64 deep"),
        ("tap/refused_go_test_plain.tap", "in no report format that is known here"),
        (
            "go-test-json/refused_cut.json",
            "line 4, column 38: not a JSON object: EOF while parsing a string. The file is cut",
        ),
        ("go-test-json/refused_cut_in_the_middle.json", "line 4, column "),
        (
            "go-test-json/refused_two_on_a_line.json",
            "line 3, column 73: not a JSON object: trailing characters. Let nothing else",
        ),
        (
            "go-test-json/refused_duplicate_key.json",
            "line 4, column 25: not a JSON object: the member `Action` stands there twice",
        ),
        ("go-test-json/refused_test_is_null.json", "line 4, column 1: an event whose `Test` is no string"),
        ("go-test-json/refused_nested_129.json", "line 4, column 1: arrays and objects are nested more than 128 deep"),
        (
            "go-test-json/refused_name_too_long.json",
            "line 4, column 11051: not a JSON object: a name or a word is longer than 10 KiB",
        ),
        ("dart-json/refused_duplicate_inside.json", "the member `id` stands there twice"),
        ("libtest-json/refused_test_without_name.json", "line 2, column 1: a test without a name"),
        ("lcov/refused_cut.info", "line 5, column 1: the file ends inside a record: it is cut"),
        ("lcov/refused_lines_outside.info", "line 2, column 1: `DA` outside a record"),
        ("lcov/refused_more_hit_than_found.info", "line 4, column 1: a record says that 2 of 1 lines were reached"),
    ];
    let mut wrong = Vec::new();
    for (name, want) in cases {
        let Fixture { format, bytes, .. } = fixture(name);
        let forced = name.contains("utf32").then_some(format.as_str());
        let error = read_from(&bytes[..], "f", forced).error.unwrap();
        if !error.contains(want) {
            wrong.push(format!("{name}: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_times_and_what_is_declared() {
    let failing = |run: &TestRun| -> Vec<(String, String)> {
        run.failing.iter().map(|f| (f.suite.clone().unwrap_or_default(), f.name.clone())).collect()
    };
    let pair = |suite: &str, name: &str| (suite.to_owned(), name.to_owned());
    let go = read_fixture("go-test-json/fail_go.json");
    assert_eq!(failing(&go), [("TestWrong"), ("TestWrong/inner")].map(|name| pair("example.org/shop/fails", name)));
    assert!(go.duration_seconds.is_some() && go.timestamp.is_some_and(|t| t.starts_with("2026-")));
    let nextest = read_fixture("libtest-json/fail_nextest_plus_timeout.json");
    assert_eq!(failing(&nextest), [pair("shop::aborts", "second"), pair("shop::slow", "slow")]);
    let libtest = read_fixture("libtest-json/good_libtest.json");
    assert_eq!(libtest.declared.map(|d| (d.total, d.failed, d.skipped)), Some((Some(3), Some(0), Some(1))));
    assert_eq!(libtest.duration_seconds, Some(0.006810613));
    let tap = read_fixture("tap/good_times.tap");
    assert_eq!((tap.duration_seconds, tap.declared.unwrap().total), (Some(2.0155), Some(4)));
    let odd = read_fixture("tap/fail_escape_characters_in_name.tap");
    assert_eq!(failing(&odd), [pair("", "\u{1b}[2J\u{202e} moc")]);
    let dart = read_fixture("dart-json/fail_failure.json");
    assert_eq!(failing(&dart), [pair("test/sum_test.dart", "adds"), pair("test/sum_test.dart", "b")]);
    assert_eq!(dart.tool.map(|tool| (tool.name, tool.version)), Some(("dart test".into(), Some("1.25.0".into()))));
    assert_eq!(dart.duration_seconds, Some(1.5));
}

/// A stream of TAP of which everything is known: what its points are, and whether its plan comes last.
fn tap(points: &[usize], last: bool) -> String {
    const POINTS: [&str; 5] = ["ok {} - a", "not ok {} - b", "ok {} # SKIP", "not ok {} - c # TODO", "ok {}"];
    let plan = format!("1..{}\n", points.len());
    let lines = points.iter().enumerate().map(|(i, &kind)| POINTS[kind].replace("{}", &(i + 1).to_string()) + "\n");
    let lines: String = lines.collect();
    if last { lines + &plan } else { plan + &lines }
}

proptest! {
    #[test]
    fn tap_counts_every_point_and_needs_all_of_its_plan(
        points in prop::collection::vec(0..5usize, 1..12),
        last in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = tap(&points, last);
        let run = read_bytes(text.as_bytes());
        let of = |kinds: &[usize]| points.iter().filter(|kind| kinds.contains(kind)).count() as u64;
        let counts = run.counts.unwrap();
        prop_assert_eq!(
            [counts.total, counts.passed, counts.failed, counts.skipped],
            [points.len() as u64, of(&[0, 4]), of(&[1]), of(&[2, 3])]
        );
        prop_assert_eq!(run.verdict == Verdict::Passed, of(&[1]) == 0 && of(&[0, 4]) > 0);
        // cut before the line that makes it whole: the plan's, or that of the last point
        let cut = cut.index(text[..text.len() - 1].rfind('\n').map_or(1, |end| end + 2));
        let run = read_from(&text.as_bytes()[..cut], "f", Some("tap"));
        prop_assert!(run.verdict != Verdict::Passed, "{:?}", &text[..cut]);
    }

    /// Every test is told by its last end, whatever is told between.
    #[test]
    fn go_counts_every_test_once_by_its_last_end(events in prop::collection::vec((0..3usize, 0..4usize, 0..5usize), 0..60)) {
        let mut text = String::from("{\"Action\":\"start\",\"Package\":\"p0\"}\n");
        let (mut open, mut ended) = (BTreeMap::new(), BTreeMap::<_, (u8, bool)>::new());
        for (package, test, what) in events {
            let key = (package, test);
            let word = ["run", "pass", "fail", "skip", "output"][what];
            text += &format!("{{\"Action\":\"{word}\",\"Package\":\"p{package}\",\"Test\":\"T{test}\"}}\n");
            if what == 0 {
                open.insert(key, ());
            }
            if (1..4).contains(&what) {
                open.remove(&key);
                let (last, failed) = ended.get(&key).copied().unwrap_or((0, false));
                let skipped_after_failure = last == 2 && what == 3;
                let outcome = if skipped_after_failure { 2 } else { what as u8 };
                ended.insert(key, (outcome, failed || last == 2));
            }
        }
        for (key, ()) in open {
            let failed = ended.get(&key).is_some_and(|(last, failed)| *failed || *last == 2);
            ended.insert(key, (2, failed));
        }
        for package in 0..3 {
            text += &format!("{{\"Action\":\"pass\",\"Package\":\"p{package}\",\"Elapsed\":0.5}}\n");
        }
        let run = read_bytes(text.as_bytes());
        check_laws(&run, text.as_bytes());
        let of = |kind: u8| ended.values().filter(|(last, _)| *last == kind).count() as u64;
        let flaky = ended.values().filter(|(last, failed)| *last == 1 && *failed).count() as u64;
        let c = run.counts.unwrap();
        prop_assert_eq!([c.passed, c.failed, c.skipped, c.flaky], [of(1), of(2), of(3), flaky]);
        prop_assert_eq!(run.failing.len() as u64, of(2));
    }
}

fn go(action: &str, test: &str) -> String {
    let test = if test.is_empty() { String::new() } else { format!(",\"Test\":\"{test}\"") };
    format!("{{\"Action\":\"{action}\",\"Package\":\"p\"{test}}}\n")
}

#[test]
fn a_line_of_any_length_is_read_and_not_held() {
    let long = "x\\n\u{e9}\\u00e9".repeat(400_000);
    let output = format!("{{\"Output\":\"{long}\",\"Action\":\"output\",\"Package\":\"p\",\"Test\":\"T\"}}\n");
    let whole = go("run", "T") + &output + &go("pass", "T") + &go("pass", "");
    let run = read_bytes(whole.as_bytes());
    assert_eq!(
        (run.verdict, run.counts.unwrap().passed, &*run.warnings),
        (Verdict::Passed, 1, &[][..]),
        "{:?}",
        run.error
    );
    // what is wrong in a part that is not held is found as well
    for (bad, want) in [("\\q", "an escape"), ("\\u00g0", "an escape"), ("\u{1}", "a control character")] {
        let at = 2_000_000 + output.as_bytes()[2_000_000..].iter().position(|&b| b == b'x').unwrap();
        let broken = go("run", "T") + &output[..at] + bad + &output[at..] + &go("pass", "T") + &go("pass", "");
        let error = read_bytes(broken.as_bytes()).error.unwrap();
        assert!(error.contains("line 2, column ") && error.contains(want), "{error}");
    }
    let named = go("run", "T") + &go("run", &"T".repeat(2 << 20));
    assert!(read_bytes(named.as_bytes()).error.unwrap().contains("longer than 10 KiB"));
    let members = format!("{{\"Action\":\"output\",\"Package\":\"p\",{}\"z\":0}}\n", "\"y\":0,".repeat(1 << 18));
    let error = read_bytes((go("run", "T") + &members).as_bytes()).error.unwrap();
    assert!(error.contains("longer than 1 MiB"), "{error}");
    let plain = go("run", "T") + &"x".repeat(3 << 20) + "\n" + &go("pass", "T") + &go("pass", "");
    assert_eq!(read_bytes(plain.as_bytes()).verdict, Verdict::Passed);
    let tap = format!("1..2\nok 1 - {0}\n# {0}\nnot ok 2 - {0}", "\u{e9}".repeat(1 << 20));
    let run = read_bytes(tap.as_bytes());
    assert_eq!((run.verdict, run.failing.len()), (Verdict::Failed, 1));
    assert!(run.failing[0].name.len() < 2000 && run.failing[0].name.contains("sha256"));
}

#[test]
fn more_tests_than_are_remembered_are_still_counted_and_none_is_mended() {
    let many = IDENTITY_LIMIT + 2;
    let mut text = String::new();
    for i in 0..many {
        let word = if i >= IDENTITY_LIMIT { "fail" } else { "pass" };
        text += &go(word, &i.to_string());
    }
    // a test that is remembered is mended, one that is not stays failed
    text += &(go("fail", "1") + &go("pass", "1") + &go("pass", &(many - 1).to_string()) + &go("pass", ""));
    let run = read_bytes(text.as_bytes());
    let c = run.counts.unwrap();
    assert_eq!((c.total, c.failed, c.flaky, run.verdict), (many as u64 + 1, 2, 1, Verdict::Failed));
    assert_eq!(run.failing.len(), 2);
    assert!(run.warnings.iter().any(|w| w.contains("were not looked for")), "{:?}", run.warnings);
}

#[test]
fn tests_that_are_open_at_once_are_followed_up_to_a_limit() {
    let open = |n: usize| {
        let begun: String = (0..n).map(|i| go("run", &format!("{i:0>1000}"))).collect();
        read_bytes((begun + &go("pass", "")).as_bytes())
    };
    let room = (16 << 20) / 1080;
    assert_eq!(open(room - 1).counts.unwrap().failed, room as u64 - 1);
    assert!(open(room + 1).error.unwrap().contains("tests are open at once"));
    let packages = |n: usize| {
        let begun: String = (0..n).map(|i| format!("{{\"Action\":\"start\",\"Package\":\"p{i}\"}}\n")).collect();
        read_bytes(begun.as_bytes())
    };
    assert_eq!(packages(2000).verdict, Verdict::Failed);
    assert!(packages(2001).error.unwrap().contains("more than 2000 packages are open at once"));
}

#[test]
fn failing_names_stop_at_their_limit_and_are_counted_on() {
    let text: String = (0..1000).map(|i| go("fail", &i.to_string())).collect();
    let text = text + &go("fail", "");
    let run = read_bytes(text.as_bytes());
    check_laws(&run, text.as_bytes());
    assert_eq!((run.failing.len(), run.failing_omitted, run.counts.unwrap().failed), (200, 800, 1000));
}
