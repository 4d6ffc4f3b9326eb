//! The exit codes: a contract, one table (README shows the same one).

use std::process::ExitCode;

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Done; everything asked for holds.
    Done,
    /// Could not do it: input, network, permission.
    Failed,
    /// Wrong words on the command line.
    Usage,
    /// Something does not verify.
    Unverified,
    /// Findings: gaps, exceptions, a lock that did not hold, unsupported records.
    Findings,
    /// A different record for this run, attempt and kind already stands.
    Different,
    /// Signed and kept on this machine, not delivered.
    Undelivered,
    /// The code of a command that `run` ran, or what `run` itself ends with before there is one.
    Of(u8),
}

impl Exit {
    /// The one of two answers that a person has to see: what does not verify weighs more than a finding.
    pub(crate) fn or(self, other: Self) -> Self {
        let rank = |e: Self| (e != Self::Done, e == Self::Findings || e == Self::Unverified, e == Self::Unverified);
        if rank(other) > rank(self) { other } else { self }
    }
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unverified => 3,
            Self::Findings => 4,
            Self::Different => 5,
            Self::Undelivered => 6,
            Self::Of(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
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
