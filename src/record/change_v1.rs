//! How a commit got onto its branch: pull request, reviews, checks. Frozen once released.

use super::parts_v1::{Actor, Ticket};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One way that commits of this run came in since the previous deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change {
    /// By which door.
    pub via: Via,
    /// The pull or merge request. Absent for a push without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PullRequest>,
    /// Every review that the platform told of, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<Review>,
    /// Tickets named by this change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<Ticket>,
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
}

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
    /// Who merged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_by: Option<Actor>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_on: Option<DateTime<Utc>>,
    /// `merge`, `squash` or `rebase`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Whether it comes from a fork. Absent when nobody told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_fork: Option<bool>,
}

/// One review. An approval is a review with state `approved`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Review {
    /// Who reviewed.
    pub reviewer: Actor,
    /// What they said.
    pub state: ReviewState,
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
