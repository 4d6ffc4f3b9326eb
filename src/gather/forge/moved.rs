//! A branch that moved, for forges that tell little of it themselves: which door it was, and what a webhook alone tells.

use super::brought::name_commits;
use super::{Asking, Bypass, Collected, Delivered, EventError, Push, bypass, signature};
use crate::gather::tickets;
use crate::record::change_v1::{Change, Via};
use serde::de::DeserializeOwned;

/// Puts a push in, with what it shows and what cannot be told of it.
pub(super) fn put(mut push: Push, all: &mut Collected) {
    push.missing.extend(bypass::doubts(&push));
    let found: Vec<Bypass> = bypass::of_push(&push);
    all.bypasses.extend(found);
    all.pushes.push(push);
}

/// The door of a push, by the doors of its commits. A deleted branch has lost its history.
pub(super) fn door(after: Option<&str>, forced: bool, changes: &[Change]) -> Via {
    let all = |via: Via| !changes.is_empty() && changes.iter().all(|c| c.via == via);
    if after.is_none() || forced {
        Via::ForcePush
    } else if changes.iter().any(|c| c.via == Via::DirectPush) {
        Via::DirectPush
    } else if all(Via::PullRequest) {
        Via::PullRequest
    } else {
        Via::Unknown
    }
}

/// A commit as webhooks name it; files where they tell them.
pub(super) struct Named {
    pub(super) sha: String,
    pub(super) message: String,
    pub(super) files: Option<Vec<String>>,
}

/// What a webhook tells of its commits, newest first. `whole`: it tells all of them.
pub(super) fn unasked(event: &Delivered, commits: &[Named], total: Option<u64>, whole: bool) -> Change {
    let mut change = Change::by(Via::Unknown);
    let files: Option<Vec<&str>> = commits
        .iter()
        .map(|c| c.files.as_ref())
        .collect::<Option<Vec<_>>>()
        .map(|all| all.into_iter().flatten().map(String::as_str).collect());
    let found = files.map(|files| event.pipeline_files.among(files));
    // files that are none of these say nothing of commits that are not told
    change.pipeline_files = found.filter(|found| whole && !commits.is_empty() || !found.is_empty());
    let messages: Vec<(&str, &str)> = commits.iter().map(|c| ("commitMessage", c.message.as_str())).collect();
    change.tickets = tickets::find(event.tickets, &messages);
    name_commits(&mut change, commits.iter().map(|c| c.sha.clone()).collect());
    change.commit_count = total.filter(|total| *total > change.commits.len() as u64);
    change
        .missing
        .push("by which door its commits came, reviews and checks: the API was not asked; say --api-token".into());
    change
}

/// Whether the webhook is signed by the secret: `headers` are those that may carry the signature, with what stands before it.
pub(super) fn authentic(event: &Delivered, headers: &[(&str, &str)]) -> Result<bool, EventError> {
    let Some(secret) = event.secret else { return Ok(false) };
    let given = headers.iter().find_map(|(name, prefix)| Some((name, event.header(name)?.strip_prefix(prefix))));
    let names = || headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" nor ");
    match given {
        Some((_, Some(hex))) if signature::hmac_sha256_hex(secret, event.body, hex) => Ok(true),
        Some((name, _)) => Err(EventError::NotAuthentic(format!("{name} does not fit the body and the secret"))),
        None => Err(EventError::NotAuthentic(format!("there is no {}, so nothing shows who sent it", names()))),
    }
}

/// The body. A message names a line and a column, and nothing of the body.
pub(super) fn body<T: DeserializeOwned>(event: &Delivered) -> Result<T, EventError> {
    // serde would take a list for the members of a structure
    if !event.body.trim_ascii_start().starts_with(b"{") {
        return Err(EventError::Shape("it is no JSON object".to_owned()));
    }
    serde_json::from_slice(event.body).map_err(|e| {
        let what = if e.is_data() { "a member is missing or of another kind" } else { "it is not JSON" };
        EventError::Shape(format!("{what} at line {} column {}", e.line(), e.column()))
    })
}

/// A commit's id; zeros mean that there is none.
pub(super) fn commit(sha: &str) -> Option<String> {
    let hex = matches!(sha.len(), 40 | 64) && sha.bytes().all(|b| b.is_ascii_hexdigit());
    (hex && sha.bytes().any(|b| b != b'0')).then(|| sha.to_ascii_lowercase())
}

/// The API, unless it is asked about another repository than the event is of.
pub(super) fn same<'a, 'b>(
    asking: Option<&'a Asking<'b>>,
    name: Option<&str>,
    said: &mut Vec<String>,
) -> Option<&'a Asking<'b>> {
    let (asking, name) = (asking?, name?);
    if name.eq_ignore_ascii_case(asking.repository) {
        return Some(asking);
    }
    said.push(format!(
        "what the API knows: the event is of `{name}`, and the API was asked about `{}`",
        asking.repository
    ));
    None
}
