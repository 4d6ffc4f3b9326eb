//! Webhooks of Bitbucket Cloud (Atlassian support, "Event payloads", "Manage webhooks": secrets).
//!
//! A merge is told twice: as `pullrequest:fulfilled` and as the `repo:push` of its commits. The push is what is recorded: it alone
//! tells the commits before and after. One push may move several branches.

use super::super::loose::list;
use super::super::moved::{self, Named};
use super::super::{Delivered, Push};
use super::changes;
use super::desk::{self, Desk};
use super::shapes::{Repository, User, actor};
use super::{Asking, Collected, EventError, Span, rules};
use crate::record::parts_v1;
use serde::Deserialize;

#[derive(Deserialize)]
struct Event {
    actor: Option<User>,
    repository: Option<Repository>,
    push: Option<Moves>,
    pullrequest: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Moves {
    #[serde(deserialize_with = "list")]
    changes: Vec<Move>,
}

/// One ref that moved. `old` is null for a new one, `new` for a deleted one.
#[derive(Deserialize)]
struct Move {
    old: Option<Ref>,
    new: Option<Ref>,
    forced: Option<bool>,
    /// Whether there are more commits than the five that are named.
    truncated: Option<bool>,
    #[serde(default, deserialize_with = "list")]
    commits: Vec<super::shapes::Commit>,
}

#[derive(Deserialize)]
struct Ref {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    target: Option<super::shapes::Hash>,
}

impl Ref {
    fn hash(&self) -> Option<String> {
        moved::commit(self.target.as_ref()?.hash.as_deref()?)
    }
}

pub(in super::super) fn event(event: &Delivered, asking: Option<&Asking>) -> Result<Collected, EventError> {
    let authentic = moved::authentic(event, &[("X-Hub-Signature", "sha256=")])?;
    let told: Event = moved::body(event)?;
    let key = match (event.header("x-event-key"), &told) {
        (Some(key), _) => key.to_owned(),
        (None, Event { push: Some(_), .. }) => "repo:push".to_owned(),
        (None, Event { pullrequest: Some(_), .. }) => "pullrequest".to_owned(),
        (None, _) => return Err(EventError::Unknown("hand over its X-Event-Key header".to_owned())),
    };
    let mut all = Collected { authentic, source: format!("webhook `{key}`"), ..Collected::default() };
    all.repository = told.repository.as_ref().map(named);
    if key != "repo:push" {
        all.passed_over.push(match key.as_str() {
            "pullrequest:fulfilled" => "`pullrequest:fulfilled`: the push of its merge is what is recorded".to_owned(),
            other => format!("`{other}`: no branch moved"),
        });
        return Ok(all);
    }
    let Some(push) = told.push else { return Err(EventError::Shape("it has no `push`".to_owned())) };
    let name = told.repository.as_ref().and_then(|r| r.full_name.as_deref());
    let asking = moved::same(asking, name, &mut all.missing);
    if let Some(asking) = asking {
        all.source = format!("webhook `{key}`, {}", asking.api.place());
    }
    let mut desk = Desk::default();
    for one in push.changes {
        of(&one, actor(told.actor.as_ref()), event, asking, &mut desk, &mut all);
    }
    all.missing.extend(desk.missing);
    Ok(all)
}

/// The repository, as it is named in records.
pub(super) fn named(told: &Repository) -> parts_v1::Repository {
    parts_v1::Repository {
        name: told.full_name.clone(),
        id: told.uuid.as_ref().map(|id| id.trim_matches(['{', '}']).to_owned()),
        url: told.links.as_ref().and_then(|l| l.html.as_ref()?.href.clone()),
        default_branch: told.mainbranch.as_ref().and_then(|b| b.name.clone()),
    }
}

fn of(
    one: &Move,
    pusher: Option<parts_v1::Actor>,
    event: &Delivered,
    asking: Option<&Asking>,
    desk: &mut Desk,
    all: &mut Collected,
) {
    let Some(end) = one.new.as_ref().or(one.old.as_ref()) else { return };
    let branch = end.name.clone().unwrap_or_default();
    if end.kind.as_deref() != Some("branch") || branch.is_empty() {
        all.passed_over.push(format!("`{branch}` is not a branch"));
        return;
    }
    let known = asking.and_then(|asking| rules::of(asking, &branch, desk).rules.clone());
    let protected = known.as_ref().and_then(|rules| rules.protected);
    if let Some(asking) = asking.filter(|_| protected != Some(true)) {
        let main = desk::main_branch(asking, desk).cloned();
        let why = match (protected, &main) {
            (_, Some(main)) if *main == branch => None,
            (Some(_), _) => Some("is not protected"),
            (None, Some(_)) => Some("is not the main branch, and whether it is protected cannot be told"),
            (None, None) => None,
        };
        if let Some(why) = why {
            all.passed_over.push(format!("`refs/heads/{branch}` {why}"));
            return;
        }
    }
    let (before, after) = (one.old.as_ref().and_then(Ref::hash), one.new.as_ref().and_then(Ref::hash));
    let mut missing = Vec::new();
    let told = match (asking, &after) {
        (_, None) => Vec::new(),
        (Some(asking), Some(head)) => {
            let into = before.as_ref().map(|_| branch.clone());
            changes::of(
                asking,
                &Span { base: before.clone(), head: head.clone(), branch: into, pull_request: None },
                desk,
            )
        }
        (None, Some(_)) => {
            let message = |c: &super::shapes::Commit| c.message.clone().unwrap_or_default();
            let commits = one.commits.iter().map(|c| Named { sha: c.hash.clone(), message: message(c), files: None });
            if one.truncated == Some(true) {
                missing.push(format!("the event names {} of its commits, and more came", one.commits.len()));
            }
            missing.push("which files changed: the event does not tell".to_owned());
            vec![moved::unasked(event, &commits.collect::<Vec<_>>(), None, false)]
        }
    };
    let via = moved::door(after.as_deref(), one.forced == Some(true), &told);
    let push = Push {
        git_ref: format!("refs/heads/{branch}"),
        before,
        after,
        // the event tells no time of its own
        occurred_on: None,
        pusher,
        via,
        protected,
        changes: told,
        missing,
    };
    moved::put(push, all);
}
