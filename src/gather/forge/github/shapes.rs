//! What GitHub's REST API answers with, as far as it is read. Every member may be absent or null: old servers lack some, deleted
//! accounts and repositories leave nulls, and a record must come out of it all the same.

use crate::record::parts_v1::Actor;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};

/// Longest text that is kept of one member, in bytes.
const LONGEST: usize = 4096;

/// `null` as nothing.
pub(super) fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(d: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(d)?.unwrap_or_default())
}

/// A time; one that cannot be read is as good as none.
fn time<'de, D: Deserializer<'de>>(d: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(Option::<String>::deserialize(d)?.and_then(|text| text.parse().ok()))
}

/// A text that others wrote, cut where it would fill the record.
pub(super) fn short(text: &str) -> String {
    let end = (0..=LONGEST.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned()
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User {
    pub(super) id: Option<i64>,
    pub(super) login: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

impl User {
    /// Whether it is a machine account.
    pub(super) fn is_bot(&self) -> Option<bool> {
        match (self.kind.as_deref(), self.login.as_deref()) {
            (Some("Bot"), _) => Some(true),
            (_, Some(login)) if login.ends_with("[bot]") => Some(true),
            (Some(_), _) => Some(false),
            (None, _) => None,
        }
    }
}

/// Who a user is; nobody for a deleted account, which the API tells as null or as the user `ghost`.
pub(super) fn actor(user: Option<&User>) -> Option<Actor> {
    let user = user.filter(|u| u.id != Some(10137) && (u.id.is_some() || u.login.is_some()))?;
    Some(Actor { id: user.id.map(|id| id.to_string()), login: user.login.as_deref().map(short), name: None })
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sha {
    pub(super) sha: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Person {
    pub(super) email: Option<String>,
    #[serde(deserialize_with = "time")]
    pub(super) date: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Written {
    #[serde(deserialize_with = "or_empty")]
    pub(super) author: Person,
    #[serde(deserialize_with = "or_empty")]
    pub(super) committer: Person,
    #[serde(deserialize_with = "or_empty")]
    pub(super) message: String,
}

/// `commits/{sha}`, and an item of `compare` and of `pulls/{n}/commits`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Commit {
    #[serde(deserialize_with = "or_empty")]
    pub(super) sha: String,
    #[serde(deserialize_with = "or_empty")]
    pub(super) parents: Vec<Sha>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) commit: Written,
    pub(super) author: Option<User>,
    pub(super) committer: Option<User>,
}

impl Commit {
    /// Its parents, the branch it was put on first.
    pub(super) fn parents(&self) -> Vec<&str> {
        self.parents.iter().filter_map(|p| p.sha.as_deref()).collect()
    }

    /// What stays when a commit is rebased: author, their time, and the message.
    pub(super) fn print(&self) -> Option<(&str, DateTime<Utc>, &str)> {
        let author = &self.commit.author;
        Some((author.email.as_deref()?, author.date?, self.commit.message.trim()))
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Repo {
    pub(super) id: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct End {
    #[serde(rename = "ref")]
    pub(super) name: Option<String>,
    pub(super) sha: Option<String>,
    pub(super) repo: Option<Repo>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Label {
    pub(super) name: Option<String>,
}

/// `pulls/{n}`, and an item of `commits/{sha}/pulls`, which lacks who merged and how much there is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pull {
    pub(super) id: Option<i64>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) number: i64,
    pub(super) html_url: Option<String>,
    pub(super) title: Option<String>,
    pub(super) body: Option<String>,
    pub(super) user: Option<User>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) base: End,
    #[serde(deserialize_with = "or_empty")]
    pub(super) head: End,
    pub(super) merge_commit_sha: Option<String>,
    #[serde(deserialize_with = "time")]
    pub(super) merged_at: Option<DateTime<Utc>>,
    pub(super) merged_by: Option<User>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) labels: Vec<Label>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) requested_reviewers: Vec<User>,
    pub(super) commits: Option<i64>,
    pub(super) changed_files: Option<i64>,
}

impl Pull {
    /// Whether it was merged, and `sha` is what it became.
    pub(super) fn became(&self, sha: &str) -> bool {
        self.merged_at.is_some() && self.merge_commit_sha.as_deref() == Some(sha)
    }

    /// Whether it goes into `branch`, where one is known.
    pub(super) fn goes_into(&self, branch: Option<&str>) -> bool {
        branch.is_none_or(|branch| self.base.name.as_deref() == Some(branch))
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReviewItem {
    pub(super) id: Option<i64>,
    pub(super) user: Option<User>,
    pub(super) state: Option<String>,
    #[serde(deserialize_with = "time")]
    pub(super) submitted_at: Option<DateTime<Utc>>,
    pub(super) commit_id: Option<String>,
    pub(super) author_association: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DismissedReview {
    pub(super) state: Option<String>,
    pub(super) review_id: Option<i64>,
}

/// An item of `issues/{n}/timeline`; kinds of event have members of their own.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    pub(super) event: Option<String>,
    #[serde(deserialize_with = "time")]
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) dismissed_review: Option<DismissedReview>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct App {
    pub(super) id: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CheckRun {
    pub(super) name: Option<String>,
    pub(super) status: Option<String>,
    pub(super) conclusion: Option<String>,
    #[serde(deserialize_with = "time")]
    pub(super) started_at: Option<DateTime<Utc>>,
    #[serde(deserialize_with = "time")]
    pub(super) completed_at: Option<DateTime<Utc>>,
    pub(super) app: Option<App>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    pub(super) context: Option<String>,
    pub(super) state: Option<String>,
    #[serde(deserialize_with = "time")]
    pub(super) updated_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    pub(super) filename: Option<String>,
    pub(super) previous_filename: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Permission {
    pub(super) permission: Option<String>,
}

/// A check that rules ask for: `context` in all of its places, with the app that has to tell it where one was said.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RequiredCheck {
    pub(super) context: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Parameters {
    pub(super) required_approving_review_count: Option<i64>,
    pub(super) dismiss_stale_reviews_on_push: Option<bool>,
    pub(super) require_code_owner_review: Option<bool>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) required_status_checks: Vec<RequiredCheck>,
}

/// An item of `rules/branches/{b}`: a rule of a ruleset that is in force there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Rule {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(deserialize_with = "readable")]
    pub(super) parameters: Option<Parameters>,
}

/// Parameters of a rule that is not read here may have members of the same names and other types.
fn readable<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Parameters>, D::Error> {
    let value = serde_json::Value::deserialize(d)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ChecksAsked {
    #[serde(deserialize_with = "or_empty")]
    pub(super) contexts: Vec<String>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) checks: Vec<RequiredCheck>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReviewsAsked {
    pub(super) required_approving_review_count: Option<i64>,
    pub(super) dismiss_stale_reviews: Option<bool>,
    pub(super) require_code_owner_reviews: Option<bool>,
}

/// `branches/{b}/protection`, and the short form of it within `branches/{b}`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Protection {
    pub(super) enabled: Option<bool>,
    pub(super) required_status_checks: Option<ChecksAsked>,
    pub(super) required_pull_request_reviews: Option<ReviewsAsked>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Branch {
    pub(super) protected: Option<bool>,
    pub(super) protection: Option<Protection>,
}
