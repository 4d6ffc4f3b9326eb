//! Webhooks of Forgejo and Gitea (their docs, "Webhooks"; go-gitea/gitea `modules/structs/hook.go`).
//!
//! A merge is told twice: as a `pull_request` that is closed and as the `push` of its commits. The push is what is recorded: it
//! alone tells the commits before and after.

use super::super::loose::list;
use super::super::moved::{self, Named};
use super::super::{Delivered, Push};
use super::changes::{self, Desk};
use super::shapes::{Repository, User, actor};
use super::{Asking, Collected, EventError, Span, rules, unread};
use crate::record::parts_v1;
use serde::Deserialize;

/// Names of the headers, the forge's own first: Forgejo sends Gitea's, too, and both send GitHub's.
const EVENT: &[&str] = &["x-forgejo-event", "x-gitea-event", "x-gogs-event", "x-github-event"];
const SIGNATURE: &[(&str, &str)] =
    &[("X-Forgejo-Signature", ""), ("X-Gitea-Signature", ""), ("X-Hub-Signature-256", "sha256=")];

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "ref")]
    git_ref: Option<String>,
    before: Option<String>,
    after: Option<String>,
    #[serde(default, deserialize_with = "list")]
    commits: Vec<Commit>,
    total_commits: Option<u64>,
    pusher: Option<User>,
    sender: Option<User>,
    repository: Option<Repository>,
    pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Commit {
    #[serde(default)]
    id: String,
    message: Option<String>,
    added: Option<Vec<String>>,
    removed: Option<Vec<String>>,
    modified: Option<Vec<String>>,
}

pub(in super::super) fn event(event: &Delivered, asking: Option<&Asking>) -> Result<Collected, EventError> {
    let authentic = moved::authentic(event, SIGNATURE)?;
    let told: Event = moved::body(event)?;
    let name = match EVENT.iter().find_map(|name| event.header(name)) {
        Some(name) => name.to_owned(),
        None if told.git_ref.is_some() && told.before.is_some() && told.after.is_some() => "push".to_owned(),
        None if told.pull_request.is_some() => "pull_request".to_owned(),
        None => return Err(EventError::Unknown("hand over its X-Gitea-Event or X-Forgejo-Event header".to_owned())),
    };
    let mut all = Collected { authentic, source: format!("webhook `{name}`"), ..Collected::default() };
    all.repository = told.repository.as_ref().map(named);
    if name != "push" {
        all.passed_over.push(match name.as_str() {
            "pull_request" => "`pull_request`: of a merge the push is what is recorded".to_owned(),
            other => format!("`{other}`: no branch moved"),
        });
        return Ok(all);
    }
    push(&told, event, asking, &mut all)?;
    Ok(all)
}

/// The repository, as it is named in records.
pub(super) fn named(told: &Repository) -> parts_v1::Repository {
    parts_v1::Repository {
        name: told.full_name.clone(),
        id: told.id.map(|id| id.to_string()),
        url: told.html_url.clone(),
        default_branch: told.default_branch.clone(),
    }
}

fn push(told: &Event, event: &Delivered, asking: Option<&Asking>, all: &mut Collected) -> Result<(), EventError> {
    let git_ref = told.git_ref.clone().ok_or_else(|| EventError::Shape("it has no `ref`".to_owned()))?;
    let Some(branch) = git_ref.strip_prefix("refs/heads/") else {
        all.passed_over.push(format!("`{git_ref}` is not a branch"));
        return Ok(());
    };
    let repository = told.repository.as_ref();
    let asking = moved::same(asking, repository.and_then(|r| r.full_name.as_deref()), &mut all.missing);
    let default = repository.and_then(|r| r.default_branch.as_deref());
    let mut desk = Desk::default();
    let protected = asking.and_then(|asking| rules::of(asking, branch, &mut desk).rules.as_ref()?.protected);
    if default != Some(branch) && protected != Some(true) && (asking.is_some() || default.is_some()) {
        let why = match (asking, protected) {
            (Some(_), Some(_)) => "is not protected",
            (Some(_), None) => "is not the default branch, and whether it is protected cannot be told",
            (None, _) => "is not the default branch, and without the API nothing tells that it is protected",
        };
        all.passed_over.push(format!("`{git_ref}` {why}"));
        return Ok(());
    }
    if let Some(asking) = asking {
        all.source = format!("{}, {}", all.source, asking.api.place());
    }
    let side = |sha: &Option<String>| sha.as_deref().and_then(moved::commit);
    let who = told.pusher.as_ref().or(told.sender.as_ref());
    let push = Push {
        // the event tells no time of its own
        occurred_on: None,
        pusher: actor(who),
        protected,
        ..moved(asking, branch, side(&told.before), side(&told.after), &mut desk)
    };
    let push = if asking.is_none() { unasked(told, event, push) } else { push };
    all.missing.append(&mut desk.missing);
    moved::put(push, all);
    Ok(())
}

/// A branch that moved, with what the API tells of it. Neither events nor feeds say whether history was rewritten: it was where the
/// commit before is not among those that the branch has now.
pub(super) fn moved(
    asking: Option<&Asking>,
    branch: &str,
    before: Option<String>,
    after: Option<String>,
    desk: &mut Desk,
) -> Push {
    let (mut told, mut missing, mut forced) = (Vec::new(), Vec::new(), false);
    if let (Some(asking), Some(head)) = (asking, &after) {
        let into = before.as_ref().map(|_| branch.to_owned());
        told = changes::of(
            asking,
            &Span { base: before.clone(), head: head.clone(), branch: into, pull_request: None },
            desk,
        );
        if let Some(before) = &before {
            match changes::between(asking, head, before) {
                Ok((lost, _)) => forced = !lost.is_empty(),
                Err(e) => missing.push(unread("whether history was rewritten", &e, super::READ)),
            }
        }
    }
    Push {
        via: moved::door(after.as_deref(), forced, &told),
        git_ref: format!("refs/heads/{branch}"),
        before,
        after,
        occurred_on: None,
        pusher: None,
        protected: None,
        changes: told,
        missing,
    }
}

/// What the event itself tells.
fn unasked(told: &Event, event: &Delivered, mut push: Push) -> Push {
    if push.after.is_none() {
        return push;
    }
    let files = |c: &Commit| {
        let lists = [&c.added, &c.removed, &c.modified];
        lists.iter().any(|l| l.is_some()).then(|| lists.into_iter().flatten().flatten().cloned().collect())
    };
    let commits: Vec<Named> = told
        .commits
        .iter()
        .map(|c| Named { sha: c.id.clone(), message: c.message.clone().unwrap_or_default(), files: files(c) })
        .collect();
    let whole = told.total_commits.is_some_and(|total| total == commits.len() as u64);
    if !whole {
        push.missing.push(format!("the event names {} of its commits, and more may have come", commits.len()));
    }
    push.missing.push("whether history was rewritten: the event does not tell".to_owned());
    push.changes = vec![moved::unasked(event, &commits, told.total_commits, whole)];
    push
}
