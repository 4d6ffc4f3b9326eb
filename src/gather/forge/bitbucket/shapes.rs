//! Answers of Bitbucket Cloud's REST API 2.0 (Atlassian developer documentation, "The Bitbucket Cloud REST API"), as much of them as
//! is read. Fields are left out for accounts that are gone, forks that are deleted and branches that were removed.

use super::super::brought;
use super::super::loose::{date, list};
use crate::gather::http::api::Page;
use crate::record::parts_v1::Actor;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A page: its values, and the address of the next one.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub(super) struct Paged<T> {
    #[serde(deserialize_with = "list")]
    values: Vec<T>,
    next: Option<String>,
    size: Option<u64>,
}

impl<T: DeserializeOwned> Page for Paged<T> {
    type Item = T;
    fn open(self) -> (Vec<T>, Option<String>, Option<u64>) {
        (self.values, self.next, self.size)
    }
}

/// A person, a team, or an app; null where the account is gone.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct User {
    uuid: Option<String>,
    account_id: Option<String>,
    nickname: Option<String>,
    username: Option<String>,
    display_name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl User {
    /// The account by its id, which the pipeline's own variables name without braces. Nicknames are not unique.
    pub(super) fn actor(&self) -> Actor {
        let bare = |id: &String| id.trim_matches(['{', '}']).to_owned();
        Actor {
            id: self.uuid.as_ref().map(bare).or_else(|| self.account_id.clone()),
            login: self.nickname.clone().or_else(|| self.username.clone()),
            name: self.display_name.clone(),
        }
    }

    /// Whether it is no person. Access tokens act as `app_user`.
    pub(super) fn is_bot(&self) -> Option<bool> {
        self.kind.as_deref().map(|kind| kind != "user")
    }
}

/// The account, where one is named at all.
pub(super) fn actor(user: Option<&User>) -> Option<Actor> {
    user.map(User::actor).filter(|actor| *actor != Actor::default())
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Hash {
    pub hash: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Name {
    pub name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Link {
    pub href: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Links {
    pub html: Option<Link>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Repository {
    pub full_name: Option<String>,
    pub uuid: Option<String>,
    pub links: Option<Links>,
    pub mainbranch: Option<Name>,
}

/// One end of a pull request.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct End {
    pub branch: Option<Name>,
    /// Abbreviated to twelve digits.
    pub commit: Option<Hash>,
    pub repository: Option<Repository>,
}

impl End {
    pub(super) fn hash(&self) -> Option<&str> {
        self.commit.as_ref()?.hash.as_deref()
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.branch.as_ref()?.name.as_deref()
    }
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct PullRequest {
    pub id: u64,
    pub title: Option<String>,
    pub state: Option<String>,
    pub author: Option<User>,
    #[serde(default)]
    pub source: Option<End>,
    #[serde(default)]
    pub destination: Option<End>,
    /// Abbreviated to twelve digits.
    pub merge_commit: Option<Hash>,
    pub closed_by: Option<User>,
    /// In the detail only; absent in lists.
    pub participants: Option<Vec<Participant>>,
    pub links: Option<Links>,
}

impl PullRequest {
    pub(super) fn is_merged(&self) -> bool {
        self.state.as_deref() == Some("MERGED")
    }

    pub(super) fn candidate(&self) -> brought::Candidate {
        brought::Candidate {
            number: self.id.to_string(),
            merge_commit: self.merge_commit.as_ref().and_then(|c| c.hash.clone()).filter(|_| self.is_merged()),
            target: self.destination.as_ref().and_then(End::name).map(str::to_owned),
        }
    }

    pub(super) fn head(&self) -> Option<&str> {
        self.source.as_ref()?.hash()
    }

    pub(super) fn page(&self) -> Option<String> {
        self.links.as_ref()?.html.as_ref()?.href.clone()
    }
}

/// What somebody thinks of a pull request now.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Participant {
    pub user: Option<User>,
    pub role: Option<String>,
    pub approved: Option<bool>,
    /// `approved`, `changes_requested` or null.
    pub state: Option<String>,
}

/// One entry of a pull request's activity; exactly one field is there.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Activity {
    pub update: Option<Update>,
    pub approval: Option<Opinion>,
    pub changes_requested: Option<Opinion>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Update {
    #[serde(default, deserialize_with = "date")]
    pub date: Option<DateTime<Utc>>,
    pub state: Option<String>,
    /// Who made it.
    pub author: Option<User>,
    pub source: Option<End>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Opinion {
    #[serde(default, deserialize_with = "date")]
    pub date: Option<DateTime<Utc>>,
    pub user: Option<User>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Author {
    pub user: Option<User>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Commit {
    #[serde(default)]
    pub hash: String,
    pub message: Option<String>,
    #[serde(default, deserialize_with = "date")]
    pub date: Option<DateTime<Utc>>,
    pub author: Option<Author>,
    #[serde(default, deserialize_with = "list")]
    pub parents: Vec<Hash>,
}

impl From<Commit> for brought::Commit {
    fn from(commit: Commit) -> Self {
        Self {
            sha: commit.hash,
            parents: commit.parents.into_iter().filter_map(|p| p.hash).collect(),
            message: commit.message.unwrap_or_default(),
            made_on: commit.date,
            author: commit.author.as_ref().and_then(|a| actor(a.user.as_ref())),
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Status {
    pub key: Option<String>,
    pub name: Option<String>,
    /// `SUCCESSFUL`, `FAILED`, `INPROGRESS`, `STOPPED`.
    pub state: Option<String>,
    #[serde(default, deserialize_with = "date")]
    pub created_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "date")]
    pub updated_on: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Path {
    pub path: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Diff {
    pub old: Option<Path>,
    pub new: Option<Path>,
}
