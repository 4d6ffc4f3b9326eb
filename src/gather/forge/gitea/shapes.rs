//! Answers of the API of Gitea and Forgejo (their swagger description; go-gitea/gitea `modules/structs`), as much of them as is read.

use super::super::brought;
use super::super::loose::{date, list};
use crate::record::parts_v1::Actor;
use chrono::{DateTime, Utc};
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct User {
    id: Option<i64>,
    login: Option<String>,
    username: Option<String>,
    full_name: Option<String>,
}

impl User {
    /// The account. A deleted one is told as `Ghost`, whose id is -1 (`models/user`, `NewGhostUser`).
    fn actor(&self) -> Actor {
        if self.id == Some(-1) {
            return Actor::default();
        }
        Actor {
            id: self.id.filter(|id| *id != 0).map(|id| id.to_string()),
            login: self.login.clone().or_else(|| self.username.clone()).filter(|l| !l.is_empty()),
            name: self.full_name.clone().filter(|n| !n.is_empty()),
        }
    }

    /// The server's own accounts have ids below -1; of the others the API does not tell.
    pub(super) fn is_bot(&self) -> Option<bool> {
        self.id.filter(|id| *id < -1).map(|_| true)
    }
}

/// The account, where one is named at all.
pub(super) fn actor(user: Option<&User>) -> Option<Actor> {
    user.map(User::actor).filter(|actor| *actor != Actor::default())
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Named {
    pub name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Repository {
    pub id: Option<i64>,
    pub full_name: Option<String>,
    pub html_url: Option<String>,
    pub default_branch: Option<String>,
}

/// One end of a pull request.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct End {
    /// The branch, whatever became of it; `ref` may be `refs/pull/1/head`.
    pub label: Option<String>,
    #[serde(rename = "ref")]
    pub name: Option<String>,
    pub sha: Option<String>,
    /// -1 when the fork was deleted.
    pub repo_id: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct PullRequest {
    pub number: u64,
    pub title: Option<String>,
    pub html_url: Option<String>,
    pub user: Option<User>,
    #[serde(default, deserialize_with = "list")]
    pub labels: Vec<Named>,
    pub merged: Option<bool>,
    #[serde(default, deserialize_with = "date")]
    pub merged_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "date")]
    pub updated_at: Option<DateTime<Utc>>,
    pub merge_commit_sha: Option<String>,
    pub merged_by: Option<User>,
    pub base: Option<End>,
    pub head: Option<End>,
}

impl PullRequest {
    pub(super) fn is_merged(&self) -> bool {
        self.merged == Some(true)
    }

    pub(super) fn candidate(&self) -> brought::Candidate {
        brought::Candidate {
            number: self.number.to_string(),
            merge_commit: self.merge_commit_sha.clone().filter(|_| self.is_merged()),
            target: self.base.as_ref().and_then(|base| base.name.clone()),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Review {
    #[serde(default)]
    pub id: i64,
    pub user: Option<User>,
    pub team: Option<Named>,
    /// `APPROVED`, `REQUEST_CHANGES`, `COMMENT`, `PENDING`, `REQUEST_REVIEW`.
    pub state: Option<String>,
    pub stale: Option<bool>,
    pub official: Option<bool>,
    pub dismissed: Option<bool>,
    pub commit_id: Option<String>,
    #[serde(default, deserialize_with = "date")]
    pub submitted_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Signature {
    #[serde(default, deserialize_with = "date")]
    pub date: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Text {
    pub message: Option<String>,
    pub committer: Option<Signature>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Sha {
    pub sha: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct File {
    pub filename: Option<String>,
    pub previous_filename: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Commit {
    #[serde(default)]
    pub sha: String,
    pub commit: Option<Text>,
    /// The account that the author's address belongs to.
    pub author: Option<User>,
    #[serde(default, deserialize_with = "list")]
    pub parents: Vec<Sha>,
    /// Absent or null where they were not asked for.
    pub files: Option<Vec<File>>,
}

impl From<Commit> for brought::Commit {
    fn from(commit: Commit) -> Self {
        let text = commit.commit.unwrap_or_default();
        Self {
            sha: commit.sha,
            parents: commit.parents.into_iter().filter_map(|p| p.sha).collect(),
            message: text.message.unwrap_or_default(),
            made_on: text.committer.and_then(|c| c.date),
            author: actor(commit.author.as_ref()),
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Compare {
    pub total_commits: Option<u64>,
    #[serde(default, deserialize_with = "list")]
    pub commits: Vec<Commit>,
}

/// One report of a check; each later one is a row of its own.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Status {
    #[serde(default)]
    pub id: i64,
    pub context: Option<String>,
    /// `success`, `failure`, `error`, `pending`, `warning`.
    pub status: Option<String>,
    #[serde(default, deserialize_with = "date")]
    pub created_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Branch {
    pub commit: Option<Tip>,
    pub protected: Option<bool>,
    pub required_approvals: Option<u32>,
    pub enable_status_check: Option<bool>,
    #[serde(default, deserialize_with = "list")]
    pub status_check_contexts: Vec<String>,
    /// Empty for who does not administer the repository.
    pub effective_branch_protection_name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Tip {
    pub id: Option<String>,
    /// When the commit was made.
    #[serde(default, deserialize_with = "date")]
    pub timestamp: Option<DateTime<Utc>>,
}

/// The whole rule, which only who administers the repository may read.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Protection {
    pub enable_push: Option<bool>,
    pub required_approvals: Option<u32>,
    pub enable_status_check: Option<bool>,
    #[serde(default, deserialize_with = "list")]
    pub status_check_contexts: Vec<String>,
    pub dismiss_stale_approvals: Option<bool>,
}
