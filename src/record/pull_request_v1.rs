//! A pull request, what people said of it, and what was checked: parts of a change. Frozen once released.

use super::parts_v1::Actor;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A pull request (GitLab: merge request).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PullRequest {
    /// The number that people see in its page's address.
    pub number: String,
    /// Its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who opened it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Actor>,
    /// Branch it goes into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Branch it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Tip of the source branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The commit on the target branch that the platform names as the result of the merge (of a merge, a squash, or the last one
    /// of a rebase). A pull request is bound to a commit by this, never by its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge_commit: Option<String>,
    /// Who merged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_by: Option<Actor>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_on: Option<DateTime<Utc>>,
    /// `merge`, `squash`, `rebase` or `fastForward`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Whether it comes from a fork. Absent when nobody told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_fork: Option<bool>,
    /// Labels, which may be what an emergency is known by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

/// One review. An approval is a review with state `approved`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Review {
    /// Who reviewed. Without an id and a login where the account is deleted.
    pub reviewer: Actor,
    /// What they said.
    pub state: ReviewState,
    /// What they had said before it was dismissed, where the platform tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dismissed_state: Option<ReviewState>,
    /// When. GitLab's free edition may not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_on: Option<DateTime<Utc>>,
    /// The commit that was reviewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Whether the source branch moved afterwards. Absent when it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<bool>,
    /// Whether the reviewer is a machine account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot: Option<bool>,
    /// Whether the reviewer wrote the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_is_reviewer: Option<bool>,
    /// Whether it came after the merge. Absent when it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_merge: Option<bool>,
    /// Teams or groups for which they spoke.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_behalf_of: Vec<String>,
    /// What the platform calls their relation to the repository: `MEMBER`, `OWNER`, `NONE` … in its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub association: Option<String>,
    /// Whether it counts as an approval. Absent when that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<bool>,
    /// Why it counts, or does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What a review says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ReviewState {
    /// In favour.
    Approved,
    /// Against, until it is changed.
    ChangesRequested,
    /// Neither.
    Commented,
    /// Withdrawn by somebody.
    Dismissed,
}

/// What all reviews together come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Approval {
    /// Whether somebody else than the author had approved what was merged when it was merged.
    pub verdict: Approved,
    /// People whose approval counts.
    pub counted: u32,
    /// Approvals that the rules asked for. Absent when the rules could not be read or do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<u32>,
    /// Why, in one sentence.
    pub why: String,
}

/// A verdict over approvals. Unknown is not no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Approved {
    /// Enough approvals count, and nobody who counts was against it.
    Yes,
    /// Too few, or somebody was against it.
    No,
    /// Something that could turn it could not be read.
    Unknown,
}

impl Approved {
    /// The word as it stands in the record.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// A check on the commit that was merged (GitHub: check run or commit status; GitLab: pipeline).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Check {
    /// Its name.
    pub name: String,
    /// What it ended with, in the platform's own word: `success`, `failure`, `skipped`, `pending` …
    pub result: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<DateTime<Utc>>,
    /// Whether the rules ask for it. Absent when they could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Whether it had succeeded when the pull request was merged. Absent when it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed_at_merge: Option<bool>,
}

/// The rules of the target branch that were in force when they were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rules {
    /// Whether the branch is protected at all. Absent when it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
    /// Whether changes have to come by a pull request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request_required: Option<bool>,
    /// Approvals that are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_approvals: Option<u32>,
    /// Whether approvals are dismissed when the source branch moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dismiss_stale: Option<bool>,
    /// Whether the owners of the code have to approve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_owners: Option<bool>,
    /// Names of checks that have to succeed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_checks: Vec<String>,
}
