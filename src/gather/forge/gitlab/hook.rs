//! Bodies of webhooks (GitLab docs, "Webhook events"), as far as they are read.

use super::user::User;
use crate::record::parts_v1::Repository;
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer};

/// What every body has.
#[derive(Deserialize)]
pub(super) struct Kind {
    pub object_kind: Option<String>,
    pub event_name: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
pub(super) struct Project {
    pub id: Option<u64>,
    pub path_with_namespace: Option<String>,
    pub web_url: Option<String>,
    pub default_branch: Option<String>,
}

impl Project {
    pub(super) fn repository(&self) -> Repository {
        Repository {
            name: self.path_with_namespace.clone(),
            id: self.id.map(|id| id.to_string()),
            url: self.web_url.clone(),
            default_branch: self.default_branch.clone(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Push {
    pub before: String,
    pub after: String,
    #[serde(rename = "ref")]
    pub git_ref: String,
    pub ref_protected: Option<bool>,
    pub user_id: Option<u64>,
    pub user_username: Option<String>,
    pub user_name: Option<String>,
    pub project: Option<Project>,
    #[serde(default, deserialize_with = "list")]
    pub commits: Vec<Commit>,
    pub total_commits_count: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct Commit {
    pub id: String,
    #[serde(default, deserialize_with = "list")]
    pub added: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    pub modified: Vec<String>,
    #[serde(default, deserialize_with = "list")]
    pub removed: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Merge {
    pub user: Option<User>,
    pub project: Option<Project>,
    pub object_attributes: Attributes,
    #[serde(default, deserialize_with = "list")]
    pub labels: Vec<Label>,
}

#[derive(Deserialize)]
pub(super) struct Attributes {
    pub iid: u64,
    pub title: Option<String>,
    pub description: Option<String>,
    pub url: Option<String>,
    pub action: Option<String>,
    pub state: Option<String>,
    pub target_branch: Option<String>,
    pub source_branch: Option<String>,
    pub source_project_id: Option<u64>,
    pub target_project_id: Option<u64>,
    pub author_id: Option<u64>,
    pub merge_commit_sha: Option<String>,
    pub squash_commit_sha: Option<String>,
    pub last_commit: Option<Tip>,
    pub updated_at: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Tip {
    pub id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Label {
    pub title: Option<String>,
}

fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(d).map(Option::unwrap_or_default)
}

/// A time in either of the ways in which hooks write them: `2026-11-24T10:00:00Z`, or `2026-11-24 10:00:00 UTC` of old.
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    let old =
        || NaiveDateTime::parse_from_str(text.trim_end_matches(" UTC"), "%Y-%m-%d %H:%M:%S").ok().map(|t| t.and_utc());
    DateTime::parse_from_rfc3339(text).ok().map(|t| t.to_utc()).or_else(old)
}
