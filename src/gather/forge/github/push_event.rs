//! The `push` event. It tells commits before and after, who pushed, whether history was rewritten and (in webhooks) which files
//! changed; not by which door the commits came, nor whether the branch is protected. The API tells that, where there is one.

use super::answers::{Account, Repo, When, commit};
use super::edits;
use super::event::parse;
use super::protected::{self, Standing};
use super::pushes;
use crate::gather::forge::{Asking, Collected, Delivered, EventError, Push, bypass};
use crate::gather::tickets;
use crate::record::change_v1::{Change, Via};
use crate::record::parts_v1::Actor;
use serde::Deserialize;

/// Commits that a webhook lists at most.
const CAP: usize = 2048;
/// Commits that GitHub's timelines and older servers list.
const OLD_CAP: usize = 20;
/// Commits that a change names.
const MOST_NAMED: usize = 100;

#[derive(Deserialize)]
struct PushEvent {
    #[serde(rename = "ref")]
    git_ref: String,
    before: String,
    after: String,
    forced: Option<bool>,
    pusher: Option<Pusher>,
    sender: Option<Account>,
    repository: Option<Repo>,
    commits: Option<Vec<Commit>>,
}

#[derive(Deserialize)]
struct Pusher {
    name: Option<String>,
}

/// In the event files of workflows, commits come without their files.
#[derive(Deserialize)]
struct Commit {
    id: String,
    message: Option<String>,
    added: Option<Vec<String>>,
    removed: Option<Vec<String>>,
    modified: Option<Vec<String>>,
}

/// The push, where it is one to a branch that is recorded: a protected one, or the default one.
pub(super) fn of(event: &Delivered, asking: Option<&Asking>) -> Result<Collected, EventError> {
    let told: PushEvent = parse(event.body)?;
    let mut all = Collected { repository: told.repository.as_ref().map(Repo::repository), ..Collected::default() };
    let Some(branch) = told.git_ref.strip_prefix("refs/heads/") else {
        all.passed_over.push(format!("`{}` is not a branch", told.git_ref));
        return Ok(all);
    };
    let name = told.repository.as_ref().and_then(|r| r.full_name.as_deref());
    let other = |a: &&Asking| name.is_some_and(|name| !name.eq_ignore_ascii_case(a.repository));
    let mut said: Vec<String> = Vec::new();
    if branch.starts_with(pushes::QUEUE) {
        all.passed_over.push(format!("`{}` is a branch of the merge queue's own", told.git_ref));
        return Ok(all);
    }
    if let (Some(a), Some(name)) = (asking.filter(other), name) {
        said.push(format!(
            "what the API knows: the event is of `{name}`, and the API was asked about `{}`",
            a.repository
        ));
    }
    let asking = asking.filter(|a| !other(a));
    let (standing, unread) = match asking {
        Some(asking) => protected::one(asking, branch),
        None => (Standing::Unread, None),
    };
    said.extend(unread);
    let default = told.repository.as_ref().and_then(|r| r.default_branch.as_deref());
    let is_default = default == Some(branch);
    // Without the API nothing tells which other branches are protected, and most are not.
    if !is_default && (asking.is_none() && default.is_some() || !standing.is_recorded()) {
        let why = match (asking.is_some(), standing) {
            (true, Standing::Open) => "is not protected",
            (true, _) => "is gone, and nothing tells that it was protected",
            (false, _) => "is not the default branch, and without the API nothing tells that it is protected",
        };
        all.passed_over.push(format!("`{}` {why}", told.git_ref));
        return Ok(all);
    }
    if let Some(asking) = asking {
        all.source = format!("webhook `push`, {}", asking.api.place());
    }
    let push = push(told, event, asking, standing, said);
    all.bypasses = bypass::of_push(&push);
    all.pushes.push(push);
    Ok(all)
}

fn push(
    told: PushEvent,
    event: &Delivered,
    asking: Option<&Asking>,
    standing: Standing,
    mut said: Vec<String>,
) -> Push {
    let (before, after) = (commit(&told.before), commit(&told.after));
    let mut changes = match asking {
        Some(asking) => {
            let found = pushes::changes(asking, &told.git_ref, before.as_deref(), after.as_deref());
            said.extend(found.missing);
            found.changes
        }
        None => Vec::new(),
    };
    if after.is_some() {
        let own = own_change(told.commits.as_deref(), event, asking.is_some(), &mut said);
        match changes.as_mut_slice() {
            [] => changes.push(own),
            [only] if only.pipeline_files.is_none() => only.pipeline_files = own.pipeline_files,
            _ => {}
        }
    }
    let named = told.pusher.and_then(|p| p.name).map(|name| Actor { login: Some(name), ..Actor::default() });
    let mut push = Push {
        via: Via::Unknown,
        git_ref: told.git_ref,
        before,
        after,
        occurred_on: told.repository.and_then(|r| r.pushed_at).and_then(When::time),
        pusher: told.sender.and_then(Account::actor).or(named),
        protected: standing.protected(),
        changes,
        missing: said,
    };
    push.via = match push.after {
        None => Via::ForcePush,
        Some(_) if told.forced == Some(true) => Via::ForcePush,
        Some(_) => pushes::door(&push),
    };
    if let Some(asking) = asking {
        edits::complete(asking, &mut push);
    }
    push.missing.extend(bypass::doubts(&push));
    push
}

/// What the event itself tells of its commits.
fn own_change(commits: Option<&[Commit]>, event: &Delivered, asked: bool, said: &mut Vec<String>) -> Change {
    let mut change = Change::by(Via::Unknown);
    let commits = commits.unwrap_or_default();
    change.commits = commits.iter().rev().take(MOST_NAMED).map(|c| c.id.clone()).collect();
    change.commit_count = (commits.len() > MOST_NAMED).then_some(commits.len() as u64);
    let cut = commits.len() >= CAP || commits.len() == OLD_CAP && !asked;
    let told = commits.iter().all(|c| c.added.is_some() || c.removed.is_some() || c.modified.is_some());
    if told && !commits.is_empty() {
        let lists = commits.iter().flat_map(|c| [&c.added, &c.removed, &c.modified]);
        let files = lists.flatten().flatten().map(String::as_str);
        change.pipeline_files = Some(event.pipeline_files.among(files));
    }
    let messages: Vec<(&str, &str)> = commits.iter().filter_map(|c| Some(("commit", c.message.as_deref()?))).collect();
    change.tickets = tickets::find(event.tickets, &messages);
    if !asked {
        let what = "by which door the commits came, reviews and checks: the API was not asked; say --api-token";
        change.missing.push(what.to_owned());
        if !told {
            said.push("which files changed: the event does not tell".to_owned());
        }
    }
    if cut {
        said.push(format!("the event lists {} commits, and ends there: more may have come", commits.len()));
    }
    change
}
