//! `https://vouchsafe.dev/change/v1`: how commits got onto a branch. Frozen once released.

use super::digest::Sha256Digest;
use super::parts_v1::{Actor, Completeness, Provenance, Repository, Run, Ticket, Tool};
use super::pull_request_v1::{Approval, Check, PullRequest, Review, Rules};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The record of one push to a protected branch: by whatever door it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangeRecord {
    /// Semantic version of this shape. Same major: fields are only added.
    pub schema_version: String,
    /// UUIDv7 of this record.
    pub record_id: Uuid,
    /// When the record was made, by the clock of the machine that made it.
    pub recorded_on: DateTime<Utc>,
    /// The environment in whose ledger the record stands.
    pub environment: String,
    /// The run in which it was recorded, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<Repository>,
    /// The platform that told: `github`, `gitlab` …
    pub platform: String,
    /// Full ref that moved, `refs/heads/main`.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// When it moved, as the platform tells. Absent where it tells no time of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_on: Option<DateTime<Utc>>,
    /// Day (UTC) under which the record is filed: of the event, or of the record where the event has no time.
    pub filed_on: chrono::NaiveDate,
    /// By which door.
    pub via: Via,
    /// Commit at which the branch stood. Absent when the branch is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Commit at which the branch stands. Absent when it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Who pushed or merged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pusher: Option<Actor>,
    /// Whether the branch is protected. Absent when it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
    /// The ways by which its commits came: one a pull request, and one for commits that no pull request brought.
    pub changes: Vec<Change>,
    /// The record of the same push that this one completes: both stand, and this one knows what that one could not learn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completes: Option<Completes>,
    /// The program that wrote this.
    pub tool: Tool,
    /// One line a section: complete, partial or unavailable, and why.
    pub completeness: Vec<Completeness>,
    /// Where each fact came from.
    pub provenance: Vec<Provenance>,
}

/// A record that another one completes, by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Completes {
    /// Its address in the vault.
    pub address: String,
    /// SHA-256 of the stored object, as it was read.
    pub sha256: Sha256Digest,
}

/// One way that commits came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change {
    /// By which door.
    pub via: Via,
    /// Commits on the target branch that came this way, newest first. At most a hundred are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<String>,
    /// How many they are, where more came than are named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_count: Option<u64>,
    /// The pull or merge request. Absent for a push without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PullRequest>,
    /// Every review that the platform told of, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<Review>,
    /// What the reviews come to. Absent where reviews were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Checks on what was merged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Rules of the target branch. Absent when they could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
    /// Files among the changed ones that decide what a pipeline does. Absent when the changed files could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_files: Option<Vec<String>>,
    /// Tickets named by this change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<Ticket>,
    /// What could not be learned of this change, and what would help.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

impl Change {
    /// A change of which only the door is known.
    pub(crate) fn by(via: Via) -> Self {
        Self {
            via,
            commits: Vec::new(),
            commit_count: None,
            pull_request: None,
            reviews: Vec::new(),
            approval: None,
            checks: Vec::new(),
            rules: None,
            pipeline_files: None,
            tickets: Vec::new(),
            missing: Vec::new(),
        }
    }
}

/// The door by which commits reached a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Via {
    /// A pull or merge request.
    PullRequest,
    /// A merge queue or train.
    MergeQueue,
    /// A push with no request.
    DirectPush,
    /// A push that rewrote history.
    ForcePush,
    /// Not known: what would tell could not be read.
    Unknown,
}

impl Via {
    /// The word as it stands in the record.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PullRequest => "pullRequest",
            Self::MergeQueue => "mergeQueue",
            Self::DirectPush => "directPush",
            Self::ForcePush => "forcePush",
            Self::Unknown => "unknown",
        }
    }
}
