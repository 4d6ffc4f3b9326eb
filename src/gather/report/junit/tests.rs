//! What is JUnit's own: what odd reports are said to be, and any tree of suites and cases against its counts.

use crate::gather::report::read_from;
use crate::gather::report::tests::{assert_quiet, assert_refused, assert_warns, check_laws};
use crate::record::test_run_v1::{Counts, Verdict};
use proptest::prelude::*;

#[test]
fn warnings_say_what_is_odd() {
    let cases = [
        ("good_flaky.xml", "declares failures=1; found 0"),
        ("good_xinclude_is_not_followed.xml", "XInclude"),
        ("good_times_unreadable.xml", "2 time(s) cannot be read"),
        ("good_counts_unreadable.xml", "the number of failures cannot be read"),
        ("good_duplicates.xml", "2 test case(s) repeat"),
        ("fail_failure_in_output.xml", "stands inside another element"),
        ("fail_skipped_hides_failure.xml", "marked as skipped and has a failure"),
        ("fail_declared_more_than_shown.xml", "declares 1 more failed or errored than it shows"),
        ("fail_declared_by_root_only.xml", "the report declares errors=1; found 0"),
        ("fail_error_on_suite.xml", "suite `s` is errored outside any test case"),
        ("fail_status_alone.xml", "failed by its status attribute alone"),
        ("fail_status_unknown.xml", "the outcome word `perhaps` is unknown"),
        ("fail_rerun_without_failure.xml", "failed rerun"),
        ("fail_utf8_bom_declares_utf16.xml", "byte order mark"),
        ("empty_failing_todo.xml", "TODO"),
    ];
    for (name, want) in cases {
        assert_warns(&format!("junit/{name}"), want);
    }
    for name in ["good_thousands.xml", "good_crlf_and_tabs.xml", "empty_no_case.xml"] {
        assert_quiet(&format!("junit/{name}"));
    }
}

#[test]
fn refusals_say_where_and_what_to_do() {
    let cases = [
        (
            "refused_truncated_last_tag.xml",
            "line 2, column 93: the file ends where `testsuites` is still open. The file is",
        ),
        ("refused_two_documents.xml", "line 3, column 1: an XML declaration that is not the first thing"),
        ("refused_two_roots.xml", "line 3, column 1: a second root element. Give each"),
        ("refused_crossed_tags.xml", "line 2, column 52: `testsuite` is closed where `testcase` is open"),
        ("refused_xxe.xml", "entities"),
        ("refused_nul_tail.xml", "line 3, column 1: the character U+0000"),
        ("refused_invalid_utf8.xml", "line 2, column 49: bytes that are not UTF-8"),
        ("refused_undefined_entity.xml", "`&nbsp;`, an entity that is not defined"),
        ("refused_gzip.xml", "compressed with gzip. Unpack it first"),
        ("refused_html.xml", "a web page"),
        ("refused_lfs_pointer.xml", "git lfs pull"),
        ("refused_merge_conflict.xml", "line 3, column 1: the file holds the marks of a merge conflict"),
        ("refused_check_framework.xml", "Check"),
        ("refused_foreign_elements.xml", "`suite` elements"),
        ("refused_nested_257.xml", "nested more than 256 deep"),
        ("refused_other_root.xml", "`inventory`"),
        ("refused_escape_character.xml", "U+001B"),
    ];
    for (name, want) in cases {
        assert_refused(&format!("junit/{name}"), want);
    }
}

#[test]
fn the_head_is_recorded_and_never_counted() {
    let read = |text: &str| read_from(text.as_bytes(), "f", None);
    let run = read(
        "<testsuites name='r' tests='9' failures='0' timestamp='t'><testsuite tests='1'><testcase/></testsuite></testsuites>",
    );
    let declared = run.declared.unwrap();
    assert_eq!((declared.total, declared.failed, declared.errored, declared.skipped), (Some(9), Some(0), None, None));
    assert_eq!((run.name.as_deref(), run.timestamp.as_deref(), run.counts.unwrap().total), (Some("r"), Some("t"), 1));
    // without a head of its own: the sum of the suites directly below, and only where all of them say it
    let run = read(
        "<testsuites><testsuite tests='2' errors='0'><testsuite tests='1'/></testsuite><testsuite tests='3'/></testsuites>",
    );
    let declared = run.declared.unwrap();
    assert_eq!((declared.total, declared.errored), (Some(5), None));
    assert_eq!(read("<testsuites/>").declared, None);
}

/// A report as a tree of which everything is known.
#[derive(Clone, Debug)]
enum Node {
    Suite(String, Vec<Node>),
    Case(String, usize),
}

/// What stands in a case, its attributes, and the counts it must come to.
const CASES: [(&str, &str, [u64; 5]); 9] = [
    ("", "", [1, 0, 0, 0, 0]),
    ("<skipped/>", "", [0, 0, 0, 1, 0]),
    ("", " status=\"notrun\"", [0, 0, 0, 1, 0]),
    ("<failure>x</failure>", "", [0, 1, 0, 0, 0]),
    ("<error message=\"&lt;\"/>", "", [0, 0, 1, 0, 0]),
    ("<skipped/><failure/>", "", [0, 1, 0, 0, 0]),
    ("<failure/><failure/><error/>", " status=\"run\"", [0, 0, 1, 0, 0]),
    ("<flakyFailure><stackTrace/></flakyFailure>", "", [1, 0, 0, 0, 1]),
    ("<failure/><rerunFailure/><system-out><![CDATA[<failure/>]]></system-out>", "", [0, 1, 0, 0, 0]),
];

fn node() -> impl Strategy<Value = Node> {
    let name = "[ -~é\u{1F600}\n\t]{0,12}";
    let case = (name, 0..CASES.len()).prop_map(|(name, kind)| Node::Case(name, kind));
    case.prop_recursive(5, 60, 6, move |inner| {
        (name, prop::collection::vec(inner, 0..6)).prop_map(|(name, nodes)| Node::Suite(name, nodes))
    })
}

fn escape(text: &str) -> String {
    let escaped = |c: char| match c {
        '<' | '&' | '"' | '\n' | '\t' => format!("&#{};", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

fn render(node: &Node, out: &mut String) -> [u64; 5] {
    match node {
        Node::Case(name, kind) => {
            let (inside, attributes, counts) = CASES[*kind];
            *out += &format!("<testcase name=\"{}\"{attributes}>{inside}</testcase>\n", escape(name));
            counts
        }
        Node::Suite(name, nodes) => {
            let mut inside = String::new();
            let counts =
                nodes.iter().map(|n| render(n, &mut inside)).fold([0; 5], |a, b| std::array::from_fn(|i| a[i] + b[i]));
            let [passed, failed, errored, skipped, _] = counts;
            let total = passed + failed + errored + skipped;
            *out += &format!(
                "<testsuite name=\"{}\" tests=\"{total}\" failures=\"{failed}\" errors=\"{errored}\" skipped=\"{skipped}\">{inside}</testsuite>",
                escape(name)
            );
            counts
        }
    }
}

proptest! {
    #[test]
    fn counts_are_conserved(nodes in prop::collection::vec(node(), 0..6)) {
        let mut text = String::from("<?xml version=\"1.0\"?>\n<testsuites>");
        let sums = nodes.iter().map(|n| render(n, &mut text)).fold([0; 5], |a, b| std::array::from_fn(|i| a[i] + b[i]));
        text += "</testsuites>";
        let run = read_from(text.as_bytes(), "f", None);
        let [passed, failed, errored, skipped, flaky] = sums;
        let total = passed + failed + errored + skipped;
        prop_assert_eq!(run.counts, Some(Counts { total, passed, failed, errored, skipped, flaky }), "{:?}", run.error);
        let bad = failed + errored > 0;
        let want = if bad { Verdict::Failed } else if passed > 0 { Verdict::Passed } else { Verdict::Empty };
        prop_assert_eq!(run.verdict, want);
        prop_assert!(!run.warnings.iter().any(|w| w.contains("declares")), "{:?}", run.warnings);
        check_laws(&run, text.as_bytes());
    }

    #[test]
    fn names_come_back_as_they_were(name in "[^\u{0}-\u{1F}\u{FFFE}\u{FFFF}]{1,40}", class in "[ -~]{1,10}") {
        let text = format!("<testsuite><testcase classname=\"{}\" name=\"{}\"><failure/></testcase></testsuite>", escape(&class), escape(&name));
        let run = read_from(text.as_bytes(), "f", None);
        prop_assert_eq!((&run.failing[0].name, run.failing[0].suite.as_ref()), (&name, Some(&class)));
    }
}
