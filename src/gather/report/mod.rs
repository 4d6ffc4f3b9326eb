//! Reports of tests, in the formats that tools write.
//!
//! The one unforgivable error is to let a run that failed, did not finish or was never read look like success. So
//! [`read`] never fails: what cannot be read becomes a test run whose verdict says so.

mod clover;
mod cobertura;
mod coverage;
mod dart_json;
mod events;
mod go_test_json;
mod hashing;
mod input;
mod jacoco;
mod json;
mod junit;
mod lcov;
mod libtest_json;
mod lines;
mod name;
mod nunit2;
mod nunit3;
mod open_test_reporting;
mod outcome;
mod recognise;
mod refusal;
mod runs;
mod strangers;
mod suite;
mod tally;
mod tap;
#[cfg(test)]
mod tests;
mod trx;
mod xml;
mod xunit;

use super::Progress;
use crate::record::test_run_v1::{TestRun, Verdict};
use input::{FILE_LIMIT, Input};
use refusal::Refusal;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tally::Tally;

/// A report format.
pub(crate) struct Format {
    /// The word for it, in the record and for `--format`.
    pub(crate) name: &'static str,
    /// Whether a file that begins with these bytes (64 KiB, or all of it) is of this format.
    recognises: fn(&[u8]) -> bool,
    /// Reads a whole report and adds it up.
    read: fn(&mut Input<'_>, &mut Tally) -> Result<(), Refusal>,
}

/// TABLE of the report formats; the first that recognises a file reads it.
pub(crate) const FORMATS: &[Format] = &[
    Format { name: "junit", recognises: junit::recognises, read: junit::read },
    Format { name: "trx", recognises: trx::recognises, read: trx::read },
    Format { name: "nunit2", recognises: nunit2::recognises, read: nunit2::read },
    Format { name: "nunit3", recognises: nunit3::recognises, read: nunit3::read },
    Format { name: "xunit", recognises: xunit::recognises, read: xunit::read },
    Format {
        name: "open-test-reporting",
        recognises: open_test_reporting::recognises,
        read: open_test_reporting::read,
    },
    Format { name: "cobertura", recognises: cobertura::recognises, read: cobertura::read },
    Format { name: "jacoco", recognises: jacoco::recognises, read: jacoco::read },
    Format { name: "clover", recognises: clover::recognises, read: clover::read },
    Format { name: "go-test-json", recognises: go_test_json::recognises, read: go_test_json::read },
    Format { name: "libtest-json", recognises: libtest_json::recognises, read: libtest_json::read },
    Format { name: "dart-json", recognises: dart_json::recognises, read: dart_json::read },
    Format { name: "lcov", recognises: lcov::recognises, read: lcov::read },
    // last: it is the least particular
    Format { name: "tap", recognises: tap::recognises, read: tap::read },
];

/// Least severities that a person may ask to fail a gate, in the words of the scanners.
pub(crate) const THRESHOLDS: &[&str] = &["critical", "high", "medium", "low", "error", "warning", "note", "any"];

/// What was asked for, besides the report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    /// A row of [`FORMATS`] by name; switches recognition off.
    pub(crate) forced: Option<String>,
    /// Least severity that fails a gate: one of [`THRESHOLDS`]. Without it each format has its own.
    pub(crate) threshold: Option<String>,
}

/// Reads the report at `path`, once and in constant memory, hashing every byte of it.
///
/// `shown` is how the path is told. What cannot be opened or read has the verdict `refused`, an `error` that says what,
/// where and what to do, and no counts.
pub(crate) fn read(path: &Path, shown: &str, ask: &Ask, progress: &mut Progress<'_>) -> TestRun {
    let opened = File::open(path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
    let why = match opened {
        Ok((mut file, metadata)) if metadata.is_file() => {
            return read_with(&mut file, shown, Some(metadata.len()), ask, FILE_LIMIT, progress);
        }
        Ok((_, metadata)) if metadata.is_dir() => "it is a folder".to_owned(),
        Ok(_) => "it is not a regular file".to_owned(),
        Err(error) => error.to_string(),
    };
    let refusal = Refusal::new(why).help("Check the path, and that the step which writes the report has run");
    refused(shown, ask.forced.as_deref().and_then(format_named), &refusal)
}

/// Reads a report from `reader`: [`read`] without a file, for tests and fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_from(mut reader: impl Read, shown: &str, forced: Option<&str>) -> TestRun {
    let ask = Ask { forced: forced.map(str::to_owned), threshold: None };
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

fn format_named(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

fn choose(input: &mut Input<'_>, forced: Option<&str>) -> Result<&'static Format, Refusal> {
    let known = || FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ");
    if let Some(name) = forced {
        let unknown = || Refusal::new(format!("there is no report format `{name}`; there are: {}", known()));
        return format_named(name).ok_or_else(unknown);
    }
    let head = input.head().map_err(|e| Refusal::new(format!("the file could not be read: {e}")))?;
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
