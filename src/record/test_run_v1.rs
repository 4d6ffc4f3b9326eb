//! One report as the record states it: counts, verdict, failing names, the report's own digest. Frozen once released.

use super::digest::Sha256Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a report says, in this order of precedence: refused, failed, empty, passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Verdict {
    /// At least one test ran and none failed.
    Passed,
    /// Something failed, or the report says more failed than it shows.
    Failed,
    /// No test ran. Not a success.
    Empty,
    /// The file cannot be read as a report. Not a success.
    Refused,
}

impl Verdict {
    /// The word as it stands in the record.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Empty => "empty",
            Self::Refused => "refused",
        }
    }
}

/// Test cases by outcome; each case counts once. `total = passed + failed + errored + skipped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    /// All test cases found.
    pub total: u64,
    /// Passed.
    pub passed: u64,
    /// An assertion failed.
    pub failed: u64,
    /// Something broke outside an assertion.
    pub errored: u64,
    /// Did not run.
    pub skipped: u64,
    /// Of the passed: how many failed first and passed on a rerun.
    pub flaky: u64,
}

/// What the report's own header claims, where it claims anything. Never used as the counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Declared {
    /// Tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<u64>,
    /// Errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errored: Option<u64>,
    /// Skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u64>,
}

/// A test that did not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FailingTest {
    /// Suite or class, as the report writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// Name, byte for byte unless it was too long.
    pub name: String,
    /// `failed` or `errored`.
    pub outcome: String,
}

/// The program that wrote a report, where the report tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReportTool {
    /// Its name, as the report writes it.
    pub name: String,
    /// Its version, as the report writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// What is known about the zone of a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TimestampZone {
    /// The report names it (RFC 3339, or seconds since 1970).
    Known,
    /// Local time of a machine whose zone nobody told. Never taken for UTC.
    Unknown,
}

/// What a scanner found, and what its gate makes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Gate {
    /// All findings in the report, also those that are suppressed or gone since the baseline.
    pub findings: u64,
    /// Findings that count, by the scanner's own word for their severity.
    pub by_severity: BTreeMap<String, u64>,
    /// Findings that somebody set aside.
    pub suppressed: u64,
    /// Findings of a baseline that are there no more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub absent: u64,
    /// Least severity that fails the gate.
    pub threshold: String,
    /// Findings that count and reach it.
    pub reached: u64,
}

/// A part of a whole, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Covered {
    /// How many were reached.
    pub covered: u64,
    /// Of how many.
    pub total: u64,
}

/// How much of the code the tests reached. A figure beside the tests, never a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Coverage {
    /// Lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Covered>,
    /// Branches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branches: Option<Covered>,
    /// Functions or methods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub functions: Option<Covered>,
}

/// One report, read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestRun {
    /// The report's path as it was given, relative where possible.
    pub file: String,
    /// `junit`, … Absent when the file was not recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Name of the whole run or first suite, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// SHA-256 of the file, so that anybody can recount. Absent only when the file could not be opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// Bytes in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The program that wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<ReportTool>,
    /// The verdict.
    pub verdict: Verdict,
    /// The counts. Absent when refused, and where the report is of a scan or of coverage: absent is not zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// The header's claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<Declared>,
    /// Tests that failed or errored, as many as fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<FailingTest>,
    /// How many failing tests are not named above.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failing_omitted: u64,
    /// Sum of the test cases' times, in seconds. Absent when any of them could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<f64>,
    /// First timestamp, as the report writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// Whether that timestamp says in which zone it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp_zone: Option<TimestampZone>,
    /// What a scan found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// What the tests reached. The verdict of a report that holds nothing else is `empty`: it ran no test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// Exit code of the command that wrote the report, where it was told. Not 0: the verdict is `failed`, whatever the
    /// report says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// What a reader should know: mismatches, odd statuses, what was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Why the file was refused, and where in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}
