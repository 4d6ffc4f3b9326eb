//! The exit codes: a contract, one table (README shows the same one).

use std::process::ExitCode;

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Done; everything asked for holds.
    Done = 0,
    /// Could not do it: input, network, permission.
    Failed = 1,
    /// Wrong words on the command line.
    Usage = 2,
    /// Something does not verify.
    Unverified = 3,
    /// Findings: gaps, exceptions, a lock that did not hold, unsupported records.
    Findings = 4,
    /// A different record for this run, attempt and kind already stands.
    Different = 5,
    /// Signed and kept on this machine, not delivered.
    Undelivered = 6,
}

impl Exit {
    /// The one of two answers that a person has to see: what does not verify weighs more than a finding.
    pub(crate) fn or(self, other: Self) -> Self {
        let rank = |e: Self| (e != Self::Done, e == Self::Findings || e == Self::Unverified, e == Self::Unverified);
        if rank(other) > rank(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// A failure that carries its exit code and, where there is one, the way out.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The code.
    pub(crate) exit: Exit,
    /// What failed, where, why.
    pub(crate) error: anyhow::Error,
    /// What to do next.
    pub(crate) help: Option<String>,
}

impl Failure {
    /// Wrong words, with the way out.
    pub(crate) fn usage(error: impl Into<String>, help: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, error: anyhow::anyhow!("{}", error.into()), help: Some(help.into()) }
    }

    /// Could not do it, with the way out.
    pub(crate) fn failed(error: impl Into<anyhow::Error>, help: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, error: error.into(), help: Some(help.into()) }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { exit: Exit::Failed, error: error.into(), help: None }
    }
}

/// What a command answers.
pub(crate) type Answer = Result<Exit, Failure>;
