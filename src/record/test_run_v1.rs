//! One report as the record states it: counts, verdict, failing names, the report's own digest. Frozen once released.

use super::digest::Sha256Digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// The verdict.
    pub verdict: Verdict,
    /// The counts. Absent when refused: absent is not zero.
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
