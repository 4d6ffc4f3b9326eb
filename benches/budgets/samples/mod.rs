//! Reports of any size, as the tools write them: small cases, nearly all passed, every fiftieth skipped.
//!
//! Nothing here is read from `src/`: a writer that shares the reader's mistakes would measure them as right.

mod json;
mod lines;
mod xml;

use super::stage::write_junit;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Cases of one suite, class, package or file.
const PER_SUITE: u64 = 100;

/// One report format that is read as a stream.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    /// The hidden words of the floors, [`super::floors`].
    pub(crate) floors: &'static [&'static str],
    body: Body,
    told: fn(&Value, u64) -> bool,
}

enum Body {
    /// Writes a report of about so many bytes: (bytes, cases).
    Whole(fn(&Path, u64) -> Result<(u64, u64)>),
    /// What stands before the suites, one suite, and what stands behind them; twice where a format goes over its cases
    /// twice. The heads and the end are told how many suites there are.
    Parts(&'static [Part], fn(u64) -> String),
}

struct Part {
    head: fn(u64) -> String,
    suite: fn(&mut String, u64),
}

const TOKENS: &[&str] = &["floor-tokens", "floor-tokens-sha256"];
/// From a reader, which costs serde_json most of its speed, and from memory, where all of the file must be.
const JSON: &[&str] = &["floor-json", "floor-json-slice", "floor-json-slice-sha256"];
const JSON_LINES: &[&str] = &["floor-json-lines", "floor-json-lines-sha256"];
/// A loop over lines does next to nothing: beside it sha256 is the floor.
const LINES: &[&str] = &["floor-lines", "floor-lines-sha256"];

/// TABLE of the formats.
pub(crate) const SAMPLES: &[Sample] = &[
    Sample { name: "junit", floors: TOKENS, body: Body::Whole(write_junit), told: failed },
    row("trx", TOKENS, xml::TRX, xml::trx_end, passed),
    row("nunit3", TOKENS, xml::NUNIT3, xml::nunit3_end, passed),
    row("xunit", TOKENS, xml::XUNIT, xml::xunit_end, passed),
    row("cobertura", TOKENS, xml::COBERTURA, xml::cobertura_end, covered),
    row("go-test-json", JSON_LINES, lines::GO, lines::nothing, passed),
    row("libtest-json", JSON_LINES, lines::LIBTEST, lines::libtest_end, passed),
    row("tap", LINES, lines::TAP, lines::tap_end, passed),
    row("lcov", LINES, lines::LCOV, lines::nothing, covered),
    row("ctrf", JSON, json::CTRF, json::ctrf_end, passed),
    row("jest", JSON, json::JEST, json::jest_end, passed),
    row("sarif", JSON, json::SARIF, json::sarif_end, below_the_gate),
];

const fn row(
    name: &'static str,
    floors: &'static [&'static str],
    parts: &'static [Part],
    end: fn(u64) -> String,
    told: fn(&Value, u64) -> bool,
) -> Sample {
    Sample { name, floors, body: Body::Parts(parts, end), told }
}

impl Sample {
    /// Writes a report of about so many bytes: (bytes, cases).
    pub(crate) fn write(&self, path: &Path, bytes: u64) -> Result<(u64, u64)> {
        let (parts, end) = match &self.body {
            Body::Whole(write) => return write(path, bytes),
            Body::Parts(parts, end) => (*parts, end),
        };
        let mut text = String::new();
        parts.iter().for_each(|part| (part.suite)(&mut text, 10_000));
        let suites = (bytes / text.len() as u64).max(1);
        let mut out = Counting { to: BufWriter::new(File::create(path)?), written: 0 };
        for part in parts {
            out.write((part.head)(suites).as_bytes())?;
            for suite in 0..suites {
                text.clear();
                (part.suite)(&mut text, suite);
                out.write(text.as_bytes())?;
            }
        }
        out.write(end(suites).as_bytes())?;
        out.to.flush()?;
        Ok((out.written, suites * PER_SUITE))
    }

    /// The rate counts only if the whole file was read, as what it is, and nothing about it was odd.
    pub(crate) fn check(&self, inspected: &[u8], cases: u64) -> Result<()> {
        let told: Value = serde_json::from_slice(inspected).context("could not read inspect's JSON")?;
        // the one thing to say of a good report of this size
        let known =
            |warning: &Value| warning.as_str().is_some_and(|w| w.contains("were not looked for after the first"));
        let odd = told["warnings"].as_array().is_none_or(|warnings| !warnings.iter().all(known));
        let right = told["format"] == self.name && !odd && (self.told)(&told, cases);
        ensure!(right, "inspect does not tell of a {} report of {cases} cases: {told}", self.name);
        Ok(())
    }
}

struct Counting {
    to: BufWriter<File>,
    written: u64,
}

impl Counting {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.written += bytes.len() as u64;
        Ok(self.to.write_all(bytes)?)
    }
}

const fn is_skipped(case: u64) -> bool {
    case.is_multiple_of(50)
}

/// How many of so many suites' cases are skipped.
const fn skipped(suites: u64) -> u64 {
    suites * (PER_SUITE / 50)
}

fn passed(told: &Value, cases: u64) -> bool {
    told["verdict"] == "passed" && told["total"] == cases && told["skipped"] == skipped(cases / PER_SUITE)
}

/// Two of a hundred failed, with a stack.
fn failed(told: &Value, cases: u64) -> bool {
    told["verdict"] == "failed" && told["total"] == cases && told["failed"] == cases / 50
}

/// Coverage is no success: a line is a case here, and one that was not reached counts as skipped.
fn covered(told: &Value, cases: u64) -> bool {
    let lines = json!({"covered": cases - skipped(cases / PER_SUITE), "total": cases});
    told["verdict"] == "empty" && told["coverage"]["lines"] == lines
}

/// A finding is a case, and none reaches `error`.
fn below_the_gate(told: &Value, cases: u64) -> bool {
    told["verdict"] == "passed" && told["gate"]["findings"] == cases && told["gate"]["reached"] == 0
}
