//! What a forge told, the same for all of them.

use crate::record::bypass_v1::{BypassKind, Certainty};
use crate::record::change_v1::{Change, Via};
use crate::record::parts_v1::{Actor, Repository};
use crate::record::population_v1::{Item, Query};
use crate::record::pull_request_v1::PullRequest;
use chrono::{DateTime, Utc};

/// Commits that were deployed: those of `head` that `base` does not have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Span {
    /// Commit of the previous deployment; without it only `head` itself is asked about.
    pub(crate) base: Option<String>,
    /// Commit that is deployed.
    pub(crate) head: String,
    /// Branch that it was taken from, where it is known: a pull request into another branch did not bring it here.
    pub(crate) branch: Option<String>,
    /// The pull request for which the platform runs, where the run is for one: it is not merged, and `head` may be a commit that
    /// the platform made for the run.
    pub(crate) pull_request: Option<PullRequest>,
}

/// The changes of a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// One a pull request, newest first, and one for commits that no pull request brought.
    pub(crate) changes: Vec<Change>,
    /// What could not be read, and what would help; one sentence each. Empty: the changes are complete.
    pub(crate) missing: Vec<String>,
    /// The API that answered, for provenance; no secrets.
    pub(crate) source: String,
}

/// Two moments; the second is exclusive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    /// First moment.
    pub(crate) from: DateTime<Utc>,
    /// First moment after it.
    pub(crate) to: DateTime<Utc>,
}

impl Period {
    /// Whether `time` lies in it.
    pub(crate) fn holds(&self, time: DateTime<Utc>) -> bool {
        self.from <= time && time < self.to
    }
}

/// What was collected.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Collected {
    /// The repository, as the forge names it.
    pub(crate) repository: Option<Repository>,
    /// Pushes to protected branches, oldest first.
    pub(crate) pushes: Vec<Push>,
    /// Controls that were set aside, those that the pushes show included.
    pub(crate) bypasses: Vec<Bypass>,
    /// Events that were understood and are none of these: one line each, for people.
    pub(crate) passed_over: Vec<String>,
    /// What could not be read, and what would help; one sentence each. Empty: nothing of the period is missing.
    pub(crate) missing: Vec<String>,
    /// The API or the event that told, for provenance.
    pub(crate) source: String,
    /// Whether a signature of the forge stands behind it (a webhook whose secret was checked), or its API answered.
    pub(crate) authentic: bool,
}

/// One push: a branch moved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Push {
    /// Full ref, `refs/heads/main`.
    pub(crate) git_ref: String,
    /// Commit before; absent for a new branch.
    pub(crate) before: Option<String>,
    /// Commit after; absent for a deleted branch.
    pub(crate) after: Option<String>,
    /// When, by the forge's clock.
    pub(crate) occurred_on: Option<DateTime<Utc>>,
    /// Who.
    pub(crate) pusher: Option<Actor>,
    /// By which door.
    pub(crate) via: Via,
    /// Whether the branch is protected.
    pub(crate) protected: Option<bool>,
    /// The ways by which its commits came.
    pub(crate) changes: Vec<Change>,
    /// What could not be read of this push.
    pub(crate) missing: Vec<String>,
}

/// A control that was set aside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bypass {
    /// Which.
    pub(crate) kind: BypassKind,
    /// How certain it is.
    pub(crate) certainty: Certainty,
    /// Who.
    pub(crate) actor: Option<Actor>,
    /// When, by the forge's clock.
    pub(crate) occurred_on: Option<DateTime<Utc>>,
    /// Full ref.
    pub(crate) git_ref: Option<String>,
    /// Commit before.
    pub(crate) before: Option<String>,
    /// Commit that it brought.
    pub(crate) commit: Option<String>,
    /// The pull request.
    pub(crate) pull_request: Option<PullRequest>,
    /// The rules, checks or files; one line each.
    pub(crate) what: Vec<String>,
    /// Why, where the forge has it from somebody.
    pub(crate) reason: Option<String>,
    /// What could not be read of it.
    pub(crate) missing: Vec<String>,
}

/// What the forge says happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Population {
    /// The repository, as the forge names it.
    pub(crate) repository: Option<Repository>,
    /// What was asked.
    pub(crate) queries: Vec<Query>,
    /// What it named.
    pub(crate) items: Vec<Item>,
    /// What could not be read, and what would help.
    pub(crate) missing: Vec<String>,
}

/// A webhook as it came in.
pub(crate) struct Delivered<'a> {
    /// Its headers, where they were handed over; names in any case.
    pub(crate) headers: &'a [(String, String)],
    /// Its body, byte for byte: signatures are over these bytes.
    pub(crate) body: &'a [u8],
    /// The secret that the forge was given for it.
    pub(crate) secret: Option<&'a crate::gather::http::Secret>,
    /// Which files decide what a pipeline does.
    pub(crate) pipeline_files: &'a super::PipelineFiles,
    /// How a ticket looks.
    pub(crate) tickets: &'a regex::Regex,
}

impl Delivered<'_> {
    /// A header by its name, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Why a webhook says nothing. Never quotes the secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EventError {
    /// The body is no event of this forge.
    #[error("it is no event that is known here: {0}")]
    Unknown(String),
    /// The body is not what its kind of event holds.
    #[error("it does not have the shape of its event: {0}")]
    Shape(String),
    /// The signature or token does not fit the secret.
    #[error("{0}")]
    NotAuthentic(String),
}
