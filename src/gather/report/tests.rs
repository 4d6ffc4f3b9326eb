//! Reports as a whole: every file of the fixtures meets the verdict in its name, and the laws that hold for any file.

use super::*;
use crate::record::digest::Sha256Digest;
use crate::record::test_run_v1::Counts;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

/// Every XML file of both folders, with its name.
fn fixtures() -> Vec<(String, PathBuf)> {
    let folders = ["reports/junit", "hostile/junit"];
    let mut out: Vec<_> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(format!("{FIXTURES}/{folder}")).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "xml"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path))
        .collect();
    out.sort();
    out
}

fn expected() -> BTreeMap<String, Counts> {
    let mut out = BTreeMap::new();
    for folder in ["reports/junit", "hostile/junit"] {
        for line in std::fs::read_to_string(format!("{FIXTURES}/{folder}/expected.tsv")).unwrap().lines().skip(1) {
            let (file, numbers) = line.split_once('\t').unwrap();
            let [total, passed, failed, errored, skipped, flaky] =
                numbers.split('\t').map(|n| n.parse().unwrap()).collect::<Vec<u64>>().try_into().unwrap();
            out.insert(file.to_owned(), Counts { total, passed, failed, errored, skipped, flaky });
        }
    }
    out
}

/// Gives `step` bytes a read: what is read must not depend on how it arrives.
struct Trickle<'b>(&'b [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(self.0.len()).min(into.len());
        into[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

/// What holds of every test run, whatever was read.
fn check_laws(run: &TestRun, bytes: &[u8]) {
    assert_eq!(run.sha256, Some(Sha256Digest::of(bytes)));
    assert_eq!(run.size, Some(bytes.len() as u64));
    assert_eq!(run.counts.is_none(), run.verdict == Verdict::Refused);
    assert_eq!(run.error.is_some(), run.verdict == Verdict::Refused);
    if let Some(c) = run.counts {
        assert_eq!(c.total, c.passed + c.failed + c.errored + c.skipped);
        assert!(c.flaky <= c.passed);
        let bad = c.failed + c.errored;
        assert!(bad == 0 || run.verdict == Verdict::Failed);
        assert!(run.verdict != Verdict::Passed || c.passed > 0);
        assert!(run.failing.len() as u64 + run.failing_omitted >= bad);
    }
}

#[test]
fn every_fixture_meets_the_verdict_in_its_name() {
    let (mut expected, mut wrong) = (expected(), Vec::new());
    let files = fixtures();
    assert!(files.len() > 100, "fixtures are missing");
    for (name, path) in files {
        let run = read(&path, &name, None, &mut |_, _, _| {});
        check_laws(&run, &std::fs::read(&path).unwrap());
        let want = match name.split('_').next() {
            Some("good") => Verdict::Passed,
            Some("fail") => Verdict::Failed,
            Some("empty") => Verdict::Empty,
            _ => Verdict::Refused,
        };
        if run.verdict != want || run.counts != expected.remove(&name) {
            wrong.push(format!("{name}: {:?} {:?} {:?}", run.verdict, run.counts, run.error));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(expected.is_empty(), "no such files: {expected:?}");
}

#[test]
fn nothing_depends_on_how_the_bytes_arrive() {
    for (name, path) in fixtures() {
        let bytes = std::fs::read(path).unwrap();
        let whole = read_from(&bytes[..], &name, None);
        for step in [1, 7] {
            assert_eq!(read_from(Trickle(&bytes, step), &name, None), whole, "{name}");
        }
    }
}

#[test]
fn a_report_that_is_cut_before_its_end_is_refused_wherever_it_is_cut() {
    for (name, path) in fixtures().iter().filter(|(name, _)| name.starts_with("good_")) {
        let bytes = std::fs::read(path).unwrap();
        let last = bytes.windows(2).rposition(|w| w == b"</").unwrap();
        let end = last + bytes[last..].iter().position(|&b| b == b'>').unwrap();
        for cut in 0..=end {
            let run = read_from(&bytes[..cut], name, None);
            assert_eq!(run.verdict, Verdict::Refused, "{name} cut to {cut} bytes");
        }
    }
}

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
        let run = read(Path::new(&format!("{FIXTURES}/hostile/junit/{name}")), name, None, &mut |_, _, _| {});
        assert!(run.warnings.iter().any(|w| w.contains(want)), "{name}: {:?}", run.warnings);
    }
    for name in ["good_thousands.xml", "good_crlf_and_tabs.xml", "empty_no_case.xml"] {
        let run = read(Path::new(&format!("{FIXTURES}/hostile/junit/{name}")), name, None, &mut |_, _, _| {});
        assert_eq!(run.warnings, Vec::<String>::new(), "{name}");
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
        ("refused_other_root.xml", "neither totals nor lines"),
        ("refused_escape_character.xml", "U+001B"),
    ];
    for (name, want) in cases {
        let run = read(Path::new(&format!("{FIXTURES}/hostile/junit/{name}")), name, None, &mut |_, _, _| {});
        let error = run.error.unwrap();
        assert!(error.contains(want), "{error}");
        assert!(error.starts_with(&format!("could not read `{name}` as a ")), "{error}");
    }
}

#[test]
fn no_message_carries_what_an_entity_points_to_or_a_control_character() {
    for (name, path) in fixtures() {
        let run = read(&path, &name, None, &mut |_, _, _| {});
        for text in run.warnings.iter().chain(&run.error) {
            assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{name}: {text:?}");
        }
    }
}

#[test]
fn what_cannot_be_opened_is_refused_without_a_digest() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none.xml"), folder.path().to_owned()] {
        let run = read(&path, "shown", Some("junit"), &mut |_, _, _| {});
        assert_eq!((run.verdict, run.sha256, run.counts), (Verdict::Refused, None, None));
        assert!(run.error.unwrap().starts_with("could not read `shown` as a junit report: "));
    }
}

#[test]
fn a_read_error_leaves_no_digest() {
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let n = self.0.min(into.len());
            self.0 -= n;
            into[..n].fill(b' ');
            if n == 0 { Err(std::io::Error::other("the disk is gone")) } else { Ok(n) }
        }
    }
    for n in [0, 10, 200_000] {
        for forced in [None, Some("junit")] {
            let run = read_from(Broken(n), "f", forced);
            assert_eq!((run.verdict, run.sha256), (Verdict::Refused, None), "{n} {:?}", run.error);
        }
    }
}

/// A report of `n` bytes or a little more, with its number of cases.
fn long(n: usize) -> (Vec<u8>, u64) {
    let (mut text, mut cases) = (String::from("<testsuite>\n"), 0);
    while text.len() < n {
        text += &format!("<testcase name='{cases}' time='1'/>\n");
        cases += 1;
    }
    ((text + "</testsuite>\n").into_bytes(), cases)
}

#[test]
fn a_long_report_is_hashed_to_its_end_wherever_its_reading_stops() {
    let (whole, cases) = long(3 << 20);
    let run = read_from(&whole[..], "f", None);
    check_laws(&run, &whole);
    assert_eq!((run.verdict, run.counts.unwrap().total), (Verdict::Passed, cases));
    for step in [1000, 300_000] {
        assert_eq!(read_from(Trickle(&whole, step), "f", None), run, "{step}");
    }
    for at in [40, 100_000, 1 << 20, 2 << 20, whole.len() - 3] {
        let mut broken = whole.clone();
        broken[at] = 1;
        let run = read_from(&broken[..], "f", None);
        check_laws(&run, &broken);
        let lines = whole[..at].iter().filter(|&&b| b == b'\n').count() + 1;
        let error = run.error.unwrap();
        assert!(error.contains(&format!("line {lines}, ")) && error.contains("U+0001"), "{at}: {error}");
    }
}

#[test]
fn a_long_report_that_cannot_be_read_on_has_no_digest() {
    /// Fails where it would end.
    struct Fails<'b>(&'b [u8]);
    impl Read for Fails<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() { Err(std::io::Error::other("the disk is gone")) } else { self.0.read(into) }
        }
    }
    let (whole, _) = long(3 << 20);
    for end in [0, 100, 100_000, 2 << 20, whole.len()] {
        let run = read_from(Fails(&whole[..end]), "f", Some("junit"));
        assert_eq!((run.verdict, run.sha256, run.size), (Verdict::Refused, None, None), "{end}");
        assert!(run.error.unwrap().contains("the disk is gone"));
        // refused before the disk goes: the refusal stays, and there is still no digest
        let run = read_from(Fails(&[b"<testsuite></x>", &whole[..end]].concat()), "f", Some("junit"));
        assert_eq!((run.verdict, run.sha256, run.size), (Verdict::Refused, None, None), "{end}");
    }
}

#[test]
fn an_empty_file_has_the_digest_of_nothing() {
    for forced in [None, Some("junit")] {
        let run = read_from(&b""[..], "f", forced);
        check_laws(&run, b"");
        assert_eq!(run.verdict, Verdict::Refused);
    }
}

#[test]
fn a_format_can_be_forced_and_an_unknown_one_is_named() {
    let run = read_from(&b"<coverage/>"[..], "f", Some("junit"));
    assert_eq!((run.verdict, run.format.as_deref()), (Verdict::Refused, Some("junit")));
    let run = read_from(&b"<testsuites/>"[..], "f", Some("nothing"));
    assert!(run.error.unwrap().contains("no report format `nothing`; there are: junit, "));
    assert_eq!(run.sha256, Some(Sha256Digest::of(b"<testsuites/>")));
}

#[test]
fn a_file_over_the_limit_is_refused_and_still_hashed() {
    let mut bytes = b"<testsuite><testcase name='a'/>".to_vec();
    bytes.resize(300_000, b' ');
    bytes.extend_from_slice(b"</testsuite>");
    let size = bytes.len() as u64;
    for (limit, want) in [(size, Verdict::Passed), (size - 1, Verdict::Refused), (10, Verdict::Refused)] {
        let run = read_with(&mut &bytes[..], "f", None, None, limit, &mut |_, _, _| {});
        check_laws(&run, &bytes);
        assert_eq!(run.verdict, want, "{limit}");
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

    #[test]
    fn no_mutation_breaks_a_law(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..6),
    ) {
        let files = fixtures();
        let mut bytes = std::fs::read(&which.get(&files).1).unwrap();
        for (at, byte, how) in edits {
            let at = at.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ if at < bytes.len() => { bytes.remove(at); }
                _ => {}
            }
        }
        for forced in [None, Some("junit")] {
            check_laws(&read_from(&bytes[..], "f", forced), &bytes);
        }
    }
}
