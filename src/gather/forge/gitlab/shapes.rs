//! What GitLab's API answers, as far as it is read. Any member may be absent or null: editions and versions differ.

use super::user::User;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};

/// A list that may be null.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(d).map(Option::unwrap_or_default)
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Project {
    pub id: Option<u64>,
    pub path_with_namespace: Option<String>,
    pub web_url: Option<String>,
    pub default_branch: Option<String>,
    pub merge_method: Option<String>,
    pub only_allow_merge_if_pipeline_succeeds: Option<bool>,
    pub allow_merge_on_skipped_pipeline: Option<bool>,
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
    pub author_name: Option<String>,
    pub author_email: Option<String>,
    pub committer_email: Option<String>,
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
    fn what_is_null_or_absent_is_not_told() {
        let mr: MergeRequest =
            serde_json::from_str(r#"{"iid":1,"labels":null,"merged_at":null,"author":null}"#).unwrap();
        assert_eq!((mr.labels.len(), mr.merged_at, mr.is_merged()), (0, None, false));
    }
}
