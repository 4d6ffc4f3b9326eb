//! What many of GitHub's answers hold (GitHub's OpenAPI description of its REST API, version 2022-11-28).

use crate::gather::forge::Asking;
use crate::gather::http::api::{ApiError, segment};
use crate::record::parts_v1::{Actor, Repository};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// One item of a list: in the shape that we know, or in another one, which is said and not dropped. GitHub's own example of
/// `/activity` does not have the shape that its description demands.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Told<T> {
    /// As described.
    As(T),
    /// Otherwise.
    Other(IgnoredAny),
}

impl<T> Told<T> {
    /// The item, where it has the shape.
    pub(super) fn known(&self) -> Option<&T> {
        match self {
            Self::As(item) => Some(item),
            Self::Other(_) => None,
        }
    }
}

/// Those that have the shape, and a sentence about how many have not.
pub(super) fn sort_out<T>(items: Vec<Told<T>>, what: &str) -> (Vec<T>, Option<String>) {
    let all = items.len();
    let known: Vec<T> =
        items.into_iter().filter_map(|i| if let Told::As(item) = i { Some(item) } else { None }).collect();
    let other = all - known.len();
    let said =
        (other > 0).then(|| format!("{other} of {all} {what}: GitHub told them in another shape than it describes"));
    (known, said)
}

const GHOST: i64 = 10_137;

/// An account.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Account {
    id: Option<i64>,
    login: Option<String>,
}

impl Account {
    /// As it stands in a record. Logins can be renamed and used by others; the id stays. Nobody where the account is gone: GitHub
    /// puts the user `ghost` in its place.
    pub(super) fn actor(self) -> Option<Actor> {
        let gone = self.id == Some(GHOST) || self.id.is_none() && self.login.is_none();
        (!gone).then(|| Actor { id: self.id.map(|id| id.to_string()), login: self.login, name: None })
    }
}

/// A repository, in an answer or in a webhook.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Repo {
    id: Option<i64>,
    pub(super) full_name: Option<String>,
    html_url: Option<String>,
    pub(super) default_branch: Option<String>,
    pub(super) pushed_at: Option<When>,
}

impl Repo {
    /// As it stands in a record.
    pub(super) fn repository(&self) -> Repository {
        Repository {
            name: self.full_name.clone(),
            id: self.id.map(|id| id.to_string()),
            url: self.html_url.clone(),
            default_branch: self.default_branch.clone(),
        }
    }
}

/// A moment: in answers text (RFC 3339), in push events seconds since 1970.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum When {
    /// Seconds since 1970.
    Seconds(i64),
    /// A date and a time.
    Text(chrono::DateTime<chrono::Utc>),
}

impl When {
    /// As a time, where there is one.
    pub(super) fn time(self) -> Option<chrono::DateTime<chrono::Utc>> {
        match self {
            Self::Seconds(seconds) => chrono::DateTime::from_timestamp(seconds, 0),
            Self::Text(time) => Some(time),
        }
    }
}

/// The path of the repository.
pub(super) fn path(asking: &Asking) -> String {
    let name: Vec<String> = asking.repository.split('/').map(segment).collect();
    format!("repos/{}", name.join("/"))
}

/// The repository itself.
pub(super) fn repo(asking: &Asking) -> Result<Repo, ApiError> {
    asking.api.get(&path(asking))
}

/// The commit, unless it is the one of only zeros, by which GitHub means that there is none.
pub(super) fn commit(sha: &str) -> Option<String> {
    sha.bytes().any(|b| b != b'0').then(|| sha.to_owned())
}

/// What could not be read, and the permission that would help if the token is what is wrong.
pub(super) fn missing(what: &str, error: &ApiError, permission: &str) -> String {
    let help = if error.is_refusal() { format!("; it needs {permission}") } else { String::new() };
    format!("{what}: {error}{help}")
}
