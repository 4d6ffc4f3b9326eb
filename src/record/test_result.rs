//! The standard predicate `https://in-toto.io/attestation/test-result/v0.1`, for policies that ask for it by name.
//!
//! in-toto attestation, `spec/predicates/test-result.md`. Our own record says more; this says it in the words of others.

use super::digest::DigestSet;
use super::run_v1::RunRecord;
use super::test_run_v1::{TestRun, Verdict};
use serde::Serialize;

/// Its predicate type.
pub(crate) const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// The predicate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestResult {
    /// `PASSED`, `WARNED` or `FAILED`.
    result: &'static str,
    /// What the result was read from: the report, by digest.
    configuration: Vec<Descriptor>,
    /// Page of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Names of tests that failed or broke, as many as the record holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed_tests: Vec<String>,
}

/// An in-toto ResourceDescriptor with name and digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Descriptor {
    name: String,
    digest: DigestSet,
}

/// What the standard predicate says of one report; `None` for a report that could not be read: nothing is known then.
///
/// No test at all is `FAILED`: whoever asks for this predicate asks whether tests passed. Passed with something to
/// say (a flaky test, a header that counts otherwise, a command that failed and whose reports are not known) is `WARNED`.
pub(crate) fn test_result(record: &RunRecord, test: &TestRun) -> Option<TestResult> {
    let strayed = record.test_commands.iter().any(|c| c.exit_code != 0 && c.reports.is_empty());
    let noted = strayed || !test.warnings.is_empty() || test.counts.is_some_and(|c| c.flaky > 0);
    let result = match test.verdict {
        Verdict::Passed if noted => "WARNED",
        Verdict::Passed => "PASSED",
        Verdict::Failed | Verdict::Empty => "FAILED",
        Verdict::Refused => return None,
    };
    let name = |f: &super::test_run_v1::FailingTest| match &f.suite {
        Some(suite) => format!("{suite}.{}", f.name),
        None => f.name.clone(),
    };
    Some(TestResult {
        result,
        configuration: vec![Descriptor { name: test.file.clone(), digest: DigestSet::sha256(test.sha256?) }],
        url: record.run.url.clone(),
        failed_tests: test.failing.iter().map(name).collect(),
    })
}
