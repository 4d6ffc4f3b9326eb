//! Reports as a whole: every file of the fixtures meets the verdict in its name, and the laws that hold for any file.

use super::lines_tests::EVENTS;
use super::*;
use crate::record::digest::Sha256Digest;
use crate::record::test_run_v1::Covered;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

pub(super) const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

/// A report of the fixtures.
pub(super) struct Fixture {
    /// Its folder and name, `hostile/junit/good_flaky.xml`: how its row in a table is found and how it is told.
    pub(super) label: String,
    /// Its folder's name, which is its format's.
    pub(super) format: String,
    /// The verdict that its name begins with.
    pub(super) verdict: Verdict,
    pub(super) bytes: Vec<u8>,
    path: PathBuf,
}

/// Every report in every folder of `fixtures/reports` and `fixtures/hostile`.
pub(super) fn fixtures() -> &'static [Fixture] {
    static ALL: LazyLock<Vec<Fixture>> = LazyLock::new(find);
    &ALL
}

/// The report that is called so, `junit/good_flaky.xml`, hostile or not.
pub(super) fn fixture(name: &str) -> &'static Fixture {
    let called = |f: &&Fixture| f.label.split_once('/').is_some_and(|(_, rest)| rest == name);
    fixtures().iter().find(called).unwrap_or_else(|| panic!("no fixture is called {name}"))
}

/// Reads the report that is called so.
pub(super) fn read_fixture(name: &str) -> TestRun {
    read(&fixture(name).path, name, &Ask::default(), &mut |_, _, _| {})
}

fn find() -> Vec<Fixture> {
    let mut out = Vec::new();
    for (folder, format) in folders() {
        for entry in std::fs::read_dir(format!("{FIXTURES}/{folder}")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.ends_with(".tsv") || name.ends_with(".md") {
                continue;
            }
            let verdict = match name.split('_').next() {
                Some("good") => Verdict::Passed,
                Some("fail") => Verdict::Failed,
                Some("empty") => Verdict::Empty,
                Some("refused") => Verdict::Refused,
                _ => panic!("{folder}/{name} does not begin with its verdict"),
            };
            let (label, format) = (format!("{folder}/{name}"), format.clone());
            out.push(Fixture { label, format, verdict, bytes: std::fs::read(&path).unwrap(), path });
        }
    }
    out.sort_by(|a, b| a.label.cmp(&b.label));
    out
}

/// The folders of reports, as `hostile/junit`, and their last part.
fn folders() -> Vec<(String, String)> {
    let under = |kind: &'static str| {
        let entries = std::fs::read_dir(format!("{FIXTURES}/{kind}")).unwrap();
        let folders = entries.map(Result::unwrap).filter(|entry| entry.path().is_dir());
        folders
            .map(move |entry| entry.file_name().to_string_lossy().into_owned())
            .map(move |name| (format!("{kind}/{name}"), name))
    };
    under("reports").chain(under("hostile")).collect()
}

/// One of the warnings of the report that is called so says `want`.
pub(super) fn assert_warns(name: &str, want: &str) {
    let run = read_fixture(name);
    assert!(run.warnings.iter().any(|warning| warning.contains(want)), "{name}: {:?}", run.warnings);
}

/// The report that is called so has nothing odd.
pub(super) fn assert_quiet(name: &str) {
    assert_eq!(read_fixture(name).warnings, Vec::<String>::new(), "{name}");
}

/// The report that is called so is refused, and the refusal says `want`.
pub(super) fn assert_refused(name: &str, want: &str) {
    let error = read_fixture(name).error.unwrap_or_default();
    assert!(error.contains(want), "{name}: {error}");
    assert!(error.starts_with(&format!("could not read `{name}` as a ")), "{error}");
}

/// The rows of a table that a folder may have, by the label of the report: numbers, `-` for one that is absent.
fn table<const N: usize>(file: &str) -> BTreeMap<String, [Option<u64>; N]> {
    let mut out = BTreeMap::new();
    for (folder, _) in folders() {
        let Ok(text) = std::fs::read_to_string(format!("{FIXTURES}/{folder}/{file}")) else { continue };
        for line in text.lines().skip(1) {
            let (name, numbers) = line.split_once('\t').unwrap();
            let numbers: Vec<_> = numbers.split('\t').map(|n| (n != "-").then(|| n.parse().unwrap())).collect();
            let row = numbers.try_into().unwrap_or_else(|row| panic!("{folder}/{file}: {name}: {row:?}"));
            assert!(out.insert(format!("{folder}/{name}"), row).is_none(), "{folder}/{file} has {name} twice");
        }
    }
    out
}

/// Gives `step` bytes a read: what is read must not depend on how it arrives.
pub(super) struct Trickle<'b>(pub(super) &'b [u8], pub(super) usize);

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(self.0.len()).min(into.len());
        into[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

/// What holds of every test run, whatever was read.
pub(super) fn check_laws(run: &TestRun, bytes: &[u8]) {
    assert_eq!(run.sha256, Some(Sha256Digest::of(bytes)));
    assert_eq!(run.size, Some(bytes.len() as u64));
    assert_eq!(run.error.is_some(), run.verdict == Verdict::Refused);
    assert!(run.format.is_some() || run.error.as_ref().is_some_and(|error| error.contains("as a report")));
    for text in run.warnings.iter().chain(&run.error) {
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
    }
    let figures = run.gate.is_some() || run.coverage.is_some();
    if run.verdict == Verdict::Refused {
        assert!(run.counts.is_none() && !figures);
    } else {
        assert!(run.counts.is_some() || figures);
    }
    assert!(run.counts.is_none() || run.coverage.is_none());
    if let Some(c) = run.counts {
        assert_eq!(c.total, c.passed + c.failed + c.errored + c.skipped);
        assert!(c.flaky <= c.passed);
        let bad = c.failed + c.errored;
        assert!(bad == 0 || run.verdict == Verdict::Failed);
        assert!(run.verdict != Verdict::Passed || c.passed > 0 || run.gate.is_some());
        assert!(run.failing.len() as u64 + run.failing_omitted >= bad);
    }
    if let Some(gate) = &run.gate {
        assert!(gate.reached == 0 || run.verdict == Verdict::Failed);
        assert!(gate.reached <= gate.by_severity.values().sum());
        assert!(gate.by_severity.values().sum::<u64>() + gate.suppressed + gate.absent <= gate.findings);
    }
    if run.counts.is_none() && run.gate.is_none() {
        assert!(run.verdict != Verdict::Passed, "a figure alone is no success");
    }
}

#[test]
fn every_fixture_meets_the_verdict_in_its_name_and_the_numbers_in_its_folder() {
    let mut counts = table::<6>("expected.tsv");
    let mut gates = table::<2>("gates.tsv");
    let mut coverages = table::<6>("coverage.tsv");
    let files = fixtures();
    assert!(files.len() > 1000, "fixtures are missing");
    let mut wrong = Vec::new();
    for Fixture { label, format, verdict, bytes, path } in files {
        let run = read(path, label, &Ask::default(), &mut |_, _, _| {});
        check_laws(&run, bytes);
        let found = run.counts.map(|c| [c.total, c.passed, c.failed, c.errored, c.skipped, c.flaky].map(Some));
        let gate = run.gate.as_ref().map(|gate| [gate.findings, gate.reached].map(Some));
        let coverage = run.coverage.map(|c| {
            let part = |part: Option<Covered>| [part.map(|p| p.covered), part.map(|p| p.total)];
            let [[a, b], [c, d], [e, f]] = [part(c.lines), part(c.branches), part(c.functions)];
            [a, b, c, d, e, f]
        });
        let numbers =
            counts.remove(label) == found && gates.remove(label) == gate && coverages.remove(label) == coverage;
        // what was refused may have been no report at all
        let recognised = match &run.format {
            Some(found) => found == format,
            None => *verdict == Verdict::Refused,
        };
        if run.verdict != *verdict || !numbers || !recognised {
            let TestRun { format, verdict, error, warnings, .. } = run;
            wrong.push(format!(
                "{label}: {format:?} {verdict:?} {found:?} {gate:?} {coverage:?} {error:?} {warnings:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        counts.is_empty() && gates.is_empty() && coverages.is_empty(),
        "no such files: {counts:?} {gates:?} {coverages:?}"
    );
}

#[test]
fn nothing_depends_on_how_the_bytes_arrive() {
    for Fixture { label, bytes, .. } in fixtures() {
        let whole = read_from(&bytes[..], label, None);
        for step in [1, 7] {
            assert_eq!(read_from(Trickle(bytes, step), label, None), whole, "{label}");
        }
    }
}

/// A format that is one document knows where it ends. One of lines does not, and has tests of its own.
#[test]
fn a_document_that_is_cut_before_its_end_is_never_a_success() {
    for Fixture { label, format, verdict, bytes, .. } in fixtures() {
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
        // in UTF-16 as well
        let xml = matches!(text, [b'<', ..] | [0xFF, 0xFE, b'<', ..] | [0xFE, 0xFF, 0, b'<', ..]);
        let end = match (verdict, text) {
            (Verdict::Refused, _) => continue,
            (_, _) if xml => {
                let closes = |w: &[u8]| matches!(w, [b'<', b'/', ..] | [b'<', 0, b'/']);
                match bytes.windows(3).rposition(closes) {
                    Some(last) => last + bytes[last..].iter().position(|&b| b == b'>').unwrap(),
                    // a root without content
                    None => bytes.iter().rposition(|&b| b == b'>').unwrap(),
                }
            }
            (Verdict::Passed, [b'{' | b'[', ..]) if !EVENTS.contains(&format.as_str()) => {
                bytes.trim_ascii_end().len() - 1
            }
            _ => continue,
        };
        // every place in a small file, a thousand in a large one
        let step = if end < 1500 { 1 } else { 1 + end / 1000 };
        for cut in (0..end).step_by(step).chain([end]) {
            let run = read_from(&bytes[..cut], label, None);
            assert_ne!(run.verdict, Verdict::Passed, "{label} cut to {cut} bytes");
            assert!(run.verdict == Verdict::Refused || !xml, "{label} cut to {cut} bytes");
        }
    }
}

#[test]
fn what_cannot_be_opened_is_refused_without_a_digest() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none.xml"), folder.path().to_owned()] {
        let run = read(&path, "shown", &Ask { forced: Some("junit".into()), ..Ask::default() }, &mut |_, _, _| {});
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
    let run = read_from(&b"<inventory/>"[..], "f", Some("junit"));
    assert_eq!((run.verdict, run.format.as_deref()), (Verdict::Refused, Some("junit")));
    let run = read_from(&b"<testsuites/>"[..], "f", Some("sonnet"));
    assert!(run.error.unwrap().contains("no report format `sonnet`; there are: junit, "));
    assert_eq!(run.sha256, Some(Sha256Digest::of(b"<testsuites/>")));
}

#[test]
fn a_file_over_the_limit_is_refused_and_still_hashed() {
    let mut bytes = b"<testsuite><testcase name='a'/>".to_vec();
    bytes.resize(300_000, b' ');
    bytes.extend_from_slice(b"</testsuite>");
    let size = bytes.len() as u64;
    for (limit, want) in [(size, Verdict::Passed), (size - 1, Verdict::Refused), (10, Verdict::Refused)] {
        let run = read_with(&mut &bytes[..], "f", None, &Ask::default(), limit, &mut |_, _, _| {});
        check_laws(&run, &bytes);
        assert_eq!(run.verdict, want, "{limit}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_mutation_breaks_a_law(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6),
    ) {
        let mut bytes = which.get(fixtures()).bytes.clone();
        for (at, byte, how) in edits {
            let at = at.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                2 => bytes.truncate(at),
                _ if at < bytes.len() => { bytes.remove(at); }
                _ => {}
            }
        }
        for forced in std::iter::once(None).chain(FORMATS.iter().map(|format| Some(format.name))) {
            check_laws(&read_from(&bytes[..], "f", forced), &bytes);
        }
    }
}
