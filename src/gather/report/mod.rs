//! Reports of tests, in the formats that tools write.
//!
//! The one unforgivable error is to let a run that failed, did not finish or was never read look like success. So
//! [`open`] never fails: what cannot be read becomes a test run whose verdict says so.

mod archive;
mod ask;
mod bandit;
mod cargo_audit;
mod cargo_deny;
mod clover;
mod cobertura;
mod coverage;
mod ctrf;
mod cucumber;
mod dart_json;
mod decoded;
#[cfg(test)]
mod dialect_tests;
#[cfg(test)]
mod document_tests;
mod eight;
mod events;
mod gate;
mod gitleaks;
mod go_test_json;
mod grype;
mod hashing;
mod held;
mod input;
mod jacoco;
mod jest;
mod json;
mod junit;
mod lcov;
mod libtest_json;
mod lines;
#[cfg(test)]
mod lines_tests;
mod mocha;
mod mochawesome;
mod name;
mod npm_audit;
mod nunit2;
mod nunit3;
mod open;
mod open_test_reporting;
mod outcome;
mod playwright;
mod recognise;
mod refusal;
mod reports;
mod rspec;
mod runs;
mod sarif;
mod semgrep;
mod source;
mod strangers;
mod suite;
mod tally;
mod tap;
#[cfg(test)]
mod tests;
mod trivy;
mod trx;
mod xml;
mod xunit;

use super::Progress;
use crate::record::test_run_v1::{TestRun, Verdict};
#[cfg(any(test, fuzzing))]
use input::FILE_LIMIT;
use input::{HEAD, Input};
use open::{is_report, looks_broken};
use refusal::Refusal;
pub(crate) use refusal::quoted;
use std::io::Read;
#[cfg(test)]
use std::path::Path;
use tally::Tally;

pub(crate) use archive::Archive;
#[cfg(fuzzing)]
pub(crate) use archive::fuzz as fuzz_archive;
pub(crate) use ask::{Ask, THRESHOLDS};
pub(crate) use open::{Opened, open};
pub(crate) use reports::Reports;

/// A report format.
pub(crate) struct Format {
    /// The word for it, in the record and for `--format`.
    pub(crate) name: &'static str,
    /// Whether a file that begins with these bytes (64 KiB, or all of it) is of this format.
    recognises: fn(&[u8]) -> bool,
    /// Reads a whole report and adds it up.
    read: Reader,
}

/// Reads a whole report and adds it up.
type Reader = fn(&mut Input<'_>, &mut Tally) -> Result<(), Refusal>;

/// TABLE of the report formats; the first that recognises a file reads it.
pub(crate) const FORMATS: &[Format] = &[
    // XML
    row("junit", junit::recognises, junit::read),
    row("trx", trx::recognises, trx::read),
    row("nunit2", nunit2::recognises, nunit2::read),
    row("nunit3", nunit3::recognises, nunit3::read),
    row("xunit", xunit::recognises, xunit::read),
    row("open-test-reporting", open_test_reporting::recognises, open_test_reporting::read),
    row("cobertura", cobertura::recognises, cobertura::read),
    row("jacoco", jacoco::recognises, jacoco::read),
    row("clover", clover::recognises, clover::read),
    // lines
    row("go-test-json", go_test_json::recognises, go_test_json::read),
    row("libtest-json", libtest_json::recognises, libtest_json::read),
    row("dart-json", dart_json::recognises, dart_json::read),
    row("lcov", lcov::recognises, lcov::read),
    // one JSON document
    row("ctrf", ctrf::recognises, ctrf::read),
    row("jest", jest::recognises, jest::read),
    row("mocha", mocha::recognises, mocha::read),
    row("mochawesome", mochawesome::recognises, mochawesome::read),
    row("playwright", playwright::recognises, playwright::read),
    row("cucumber", cucumber::recognises, cucumber::read),
    row("rspec", rspec::recognises, rspec::read),
    row("sarif", sarif::recognises, sarif::read),
    row("trivy", trivy::recognises, trivy::read),
    row("grype", grype::recognises, grype::read),
    row("semgrep", semgrep::recognises, semgrep::read),
    row("bandit", bandit::recognises, bandit::read),
    row("gitleaks", gitleaks::recognises, gitleaks::read),
    row("npm-audit", npm_audit::recognises, npm_audit::read),
    row("cargo-audit", cargo_audit::recognises, cargo_audit::read),
    row("cargo-deny", cargo_deny::recognises, cargo_deny::read),
    // last: it is the least particular
    row("tap", tap::recognises, tap::read),
];

const fn row(name: &'static str, recognises: fn(&[u8]) -> bool, read: Reader) -> Format {
    Format { name, recognises, read }
}

/// Reads the report at `path`, as what was named.
#[cfg(test)]
pub(crate) fn read(path: &Path, shown: &str, ask: &Ask, progress: &mut Progress<'_>) -> TestRun {
    let mut reports = Reports::default();
    open(path, shown, ask, true, &mut reports, progress);
    reports.finish().0.remove(0)
}

/// Reads a report from `reader`: [`read`] without a file, for tests and fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_from(mut reader: impl Read, shown: &str, forced: Option<&str>) -> TestRun {
    let ask = Ask { forced: forced.map(str::to_owned), ..Ask::default() };
    read_with(&mut reader, shown, None, &ask, FILE_LIMIT, &mut |_, _, _| {})
}

/// Reads `bytes` as every format in turn and asserts what must hold of any answer. For `fuzz/`.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    for forced in std::iter::once(None).chain(FORMATS.iter().map(|format| Some(format.name))) {
        let run = read_from(bytes, "fuzz", forced);
        let figures = run.gate.is_some() || run.coverage.is_some();
        assert_eq!(run.counts.is_none() && !figures, run.verdict == Verdict::Refused);
        let counts = run.counts.unwrap_or_default();
        assert_eq!(counts.total, counts.passed + counts.failed + counts.errored + counts.skipped);
        assert!(run.verdict != Verdict::Passed || counts.failed + counts.errored == 0);
        let clean = run.gate.is_some_and(|gate| gate.reached == 0);
        assert!(run.verdict != Verdict::Passed || counts.passed > 0 || clean);
        assert_eq!(run.size, Some(bytes.len() as u64));
    }
}

fn read_with(
    from: &mut dyn Read,
    shown: &str,
    size: Option<u64>,
    ask: &Ask,
    limit: u64,
    progress: &mut Progress<'_>,
) -> TestRun {
    let mut progress = |what: &str, done: u64, of: Option<u64>| progress(what, done, of);
    let mut input = Input::new(from, shown, size, limit, &mut progress);
    let mut tally = Tally::default();
    tally.threshold.clone_from(&ask.threshold);
    let (format, mut result) = match choose(&mut input, ask.forced.as_deref()) {
        Ok(format) => (Some(format), (format.read)(&mut input, &mut tally)),
        Err(refusal) => (None, Err(refusal)),
    };
    // the digest covers every byte, also of a report that was refused half-way
    let over = input.over_limit();
    let digest = input.finish();
    if over {
        result = Err(Refusal::new(format!("it is larger than {} GiB", limit >> 30)).help("Split the report"));
    }
    if let Err(error) = &digest {
        result = result.and(Err(Refusal::new(format!("the file could not be read to its end: {error}"))));
    }
    let mut run = match result {
        Ok(()) => tally.finish(),
        Err(refusal) => refused(shown, format, &refusal),
    };
    run.file = shown.to_owned();
    run.format = format.map(|format| format.name.to_owned());
    if let Ok((sha256, size)) = digest {
        (run.sha256, run.size) = (Some(sha256), Some(size));
    }
    run
}

/// The names of all formats.
pub(crate) fn known() -> String {
    FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ")
}

fn format_named(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

fn choose(input: &mut Input<'_>, forced: Option<&str>) -> Result<&'static Format, Refusal> {
    if let Some(name) = forced {
        let unknown = || Refusal::new(format!("there is no report format `{name}`; there are: {}", known()));
        return format_named(name).ok_or_else(unknown);
    }
    let head = input.head()?;
    FORMATS.iter().find(|format| (format.recognises)(head)).ok_or_else(|| recognise::stranger(head, &known()))
}

/// A test run that was not read.
fn refused(shown: &str, format: Option<&Format>, refusal: &Refusal) -> TestRun {
    let as_what = format.map_or("a report".to_owned(), |format| format!("a {} report", format.name));
    TestRun {
        file: shown.to_owned(),
        format: format.map(|format| format.name.to_owned()),
        name: None,
        sha256: None,
        size: None,
        tool: None,
        verdict: Verdict::Refused,
        counts: None,
        declared: None,
        failing: Vec::new(),
        failing_omitted: 0,
        duration_seconds: None,
        timestamp: None,
        timestamp_zone: None,
        gate: None,
        coverage: None,
        exit_code: None,
        warnings: Vec::new(),
        error: Some(format!("could not read `{shown}` as {as_what}: {refusal}")),
    }
}
