//! What GitLab's API answers, as far as it is read. Any member may be absent or null: editions and versions differ.

use crate::record::parts_v1::Actor;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};

/// The name under which GitLab keeps what deleted accounts left (GitLab docs, "Deleting a user account").
const GHOST: &str = "ghost";

/// A list that may be null.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(d).map(Option::unwrap_or_default)
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct User {
    pub id: Option<u64>,
    pub username: Option<String>,
    pub name: Option<String>,
    pub bot: Option<bool>,
}

impl User {
    /// Who it is; nobody who can be named where the account is gone.
    pub(super) fn actor(&self) -> Actor {
        if self.is_ghost() {
            return Actor::default();
        }
        let some = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
        Actor { id: self.id.map(|id| id.to_string()), login: some(&self.username), name: some(&self.name) }
    }

    /// Who it is, if it is anybody.
    pub(super) fn known(&self) -> Option<Actor> {
        Some(self.actor()).filter(|actor| *actor != Actor::default())
    }

    pub(super) fn is_ghost(&self) -> bool {
        // `ghost1` is the one of an instance on which somebody was called `ghost` already
        let rest = self.username.as_deref().and_then(|name| name.strip_prefix(GHOST));
        rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit())) && self.name.as_deref() == Some("Ghost User")
            || self.username.as_deref() == Some(GHOST)
    }

    /// Whether it is a machine account: as told, else by the names that GitLab gives to the accounts of access tokens and services
    /// (GitLab docs, "Internal users", "Service accounts"). Whoever named a machine like a person is not seen.
    pub(super) fn is_bot(&self) -> Option<bool> {
        self.bot.or_else(|| self.username.as_deref().map(is_bot_name).filter(|bot| *bot))
    }
}

fn is_bot_name(name: &str) -> bool {
    let of_token = |prefix: &str| {
        let rest = name.strip_prefix(prefix).unwrap_or_default();
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        // `_bot`, `_bot2` of old, `_bot_<random>` of today
        let last = after.strip_prefix("_bot").map(|last| last.trim_start_matches(|c: char| c.is_ascii_digit()));
        after.len() < rest.len() && last.is_some_and(|last| last.is_empty() || last.starts_with('_'))
    };
    let service = name.starts_with("service_account_");
    let own = ["GitLabDuo", "support-bot", "alert-bot", "gitlab-security-bot", "gitlab-bot", "GitLab-Admin-Bot"];
    of_token("project_") || of_token("group_") || service || own.contains(&name)
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Project {
    pub id: Option<u64>,
    pub path_with_namespace: Option<String>,
    pub web_url: Option<String>,
    pub default_branch: Option<String>,
    pub merge_method: Option<String>,
    pub only_allow_merge_if_pipeline_succeeds: Option<bool>,
    pub ci_config_path: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct MergeRequest {
    pub iid: u64,
    pub title: Option<String>,
    pub description: Option<String>,
    pub state: Option<String>,
    pub web_url: Option<String>,
    pub author: Option<User>,
    pub target_branch: Option<String>,
    pub source_branch: Option<String>,
    pub source_project_id: Option<u64>,
    pub target_project_id: Option<u64>,
    pub sha: Option<String>,
    pub merge_commit_sha: Option<String>,
    pub squash_commit_sha: Option<String>,
    pub squash: Option<bool>,
    pub merge_user: Option<User>,
    pub merged_by: Option<User>,
    pub merged_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "list")]
    pub labels: Vec<String>,
    pub head_pipeline: Option<Pipeline>,
    pub changes_count: Option<String>,
}

impl MergeRequest {
    pub(super) fn is_merged(&self) -> bool {
        self.state.as_deref() == Some("merged")
    }

    /// Who merged it: `merged_by` is its name of old.
    pub(super) fn merger(&self) -> Option<&User> {
        self.merge_user.as_ref().or(self.merged_by.as_ref())
    }

    /// The commit on the target branch that the merge ended with. A fast-forward made none: the tip of the source itself stands there.
    pub(super) fn result(&self) -> Option<&String> {
        self.merge_commit_sha.as_ref().or(self.squash_commit_sha.as_ref()).or(self.sha.as_ref())
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Pipeline {
    pub id: Option<u64>,
    pub name: Option<String>,
    pub sha: Option<String>,
    #[serde(rename = "ref")]
    pub git_ref: Option<String>,
    pub status: Option<String>,
    pub web_url: Option<String>,
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub user: Option<User>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Commit {
    pub id: String,
    #[serde(default, deserialize_with = "list")]
    pub parent_ids: Vec<String>,
    pub committed_date: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Compare {
    #[serde(default, deserialize_with = "list")]
    pub commits: Vec<Commit>,
}

/// Of a merge request, a commit or a comparison.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Diff {
    pub old_path: Option<String>,
    pub new_path: Option<String>,
}

/// The old way to the files of a merge request.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Changes {
    #[serde(default, deserialize_with = "list")]
    pub changes: Vec<Diff>,
    pub overflow: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Approvals {
    pub approvals_required: Option<u32>,
    #[serde(default, deserialize_with = "list")]
    pub approved_by: Vec<ApprovedBy>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ApprovedBy {
    pub user: Option<User>,
    pub approved_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ApprovalState {
    #[serde(default, deserialize_with = "list")]
    pub rules: Vec<ApprovalRule>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ApprovalRule {
    pub name: Option<String>,
    pub rule_type: Option<String>,
    pub approvals_required: Option<u32>,
    #[serde(default, deserialize_with = "list")]
    pub eligible_approvers: Vec<User>,
    pub contains_hidden_groups: Option<bool>,
    #[serde(default, deserialize_with = "list")]
    pub approved_by: Vec<User>,
    pub approved: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Note {
    pub id: Option<u64>,
    pub body: Option<String>,
    pub author: Option<User>,
    pub created_at: Option<DateTime<Utc>>,
    pub system: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Reviewer {
    pub user: Option<User>,
    pub state: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Version {
    pub id: Option<u64>,
    pub head_commit_sha: Option<String>,
    pub created_at: Option<DateTime<Utc>>,
    pub patch_id_sha: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Car {
    pub status: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Branch {
    pub protected: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ProtectedBranch {
    pub name: Option<String>,
    pub push_access_levels: Option<Vec<Access>>,
    pub code_owner_approval_required: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Access {
    pub access_level: Option<u32>,
    pub user_id: Option<u64>,
    pub group_id: Option<u64>,
    pub deploy_key_id: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ApprovalSettings {
    pub reset_approvals_on_push: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Issue {
    /// A number for GitLab's own, a text for those of other trackers.
    pub id: Option<serde_json::Value>,
    pub iid: Option<u64>,
}

/// An event of the project.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Event {
    pub id: Option<u64>,
    pub created_at: Option<DateTime<Utc>>,
    pub author: Option<User>,
    pub push_data: Option<PushData>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct PushData {
    pub action: Option<String>,
    pub ref_type: Option<String>,
    pub commit_from: Option<String>,
    pub commit_to: Option<String>,
    #[serde(rename = "ref")]
    pub git_ref: Option<String>,
    pub ref_count: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct AuditEvent {
    pub id: Option<u64>,
    pub author_id: Option<i64>,
    pub created_at: Option<DateTime<Utc>>,
    pub event_name: Option<String>,
    #[serde(default)]
    pub details: serde_json::Value,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Deployment {
    pub id: Option<u64>,
    pub status: Option<String>,
    pub created_at: Option<DateTime<Utc>>,
    pub sha: Option<String>,
    #[serde(rename = "ref")]
    pub git_ref: Option<String>,
    pub user: Option<User>,
    pub environment: Option<Environment>,
    pub deployable: Option<Deployable>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Environment {
    pub name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Deployable {
    pub web_url: Option<String>,
    pub started_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_and_accounts_that_are_gone_are_known_by_their_names() {
        let user = |name: &str| User { id: Some(1), username: Some(name.into()), ..User::default() };
        let bots = ["project_7_bot", "project_7_bot_0a1b", "group_12_bot_ff", "project_7_bot1", "service_account_group_1_x"];
        for name in bots {
            assert_eq!(user(name).is_bot(), Some(true), "{name}");
        }
        for name in ["project_bot", "project_x_bot", "roberta", "bot", "project_7_botanist", "ghost"] {
            assert_eq!(user(name).is_bot(), None, "{name}: may still be a machine");
        }
        assert_eq!(User { bot: Some(false), ..user("project_7_bot") }.is_bot(), Some(false), "what is told counts");
        assert_eq!(user("ghost").actor(), Actor::default());
        assert_ne!(user("ghostwriter").actor(), Actor::default());
        assert_ne!(user("ghost1").actor(), Actor::default(), "unless it is called Ghost User");
    }

    #[test]
    fn what_is_null_or_absent_is_not_told() {
        let mr: MergeRequest = serde_json::from_str(r#"{"iid":1,"labels":null,"merged_at":null,"author":null}"#).unwrap();
        assert_eq!((mr.labels.len(), mr.merged_at, mr.is_merged()), (0, None, false));
    }
}
