//! A branch that moved: by which doors, and what that set aside.

use super::changes::{self, Brought, Desk};
use super::{Asking, Push, Span, commits};
use crate::gather::forge::{Bypass, bypass};
use crate::record::bypass_v1::{BypassKind, Certainty};
use crate::record::change_v1::Via;
use crate::record::parts_v1::Actor;
use chrono::{DateTime, Utc};

/// What is told of it.
pub(super) struct Moved {
    pub branch: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub on: Option<DateTime<Utc>>,
    pub who: Option<Actor>,
    pub protected: Option<bool>,
}

impl Moved {
    /// A push of which only this is known.
    pub(super) fn push(self) -> Push {
        Push {
            git_ref: format!("refs/heads/{}", self.branch),
            before: self.before,
            after: self.after,
            occurred_on: self.on,
            pusher: self.who,
            via: Via::Unknown,
            protected: self.protected,
            changes: Vec::new(),
            missing: Vec::new(),
        }
    }
}

/// Asks how its commits came.
pub(super) fn asked(asking: &Asking, desk: &mut Desk, moved: Moved) -> (Push, Vec<Bypass>) {
    let branch = moved.branch.clone();
    let mut push = moved.push();
    let brought = match (&push.before, &push.after) {
        (before, Some(after)) => {
            // a new branch holds what came onto others
            let branch = before.is_some().then_some(branch);
            let span = Span { base: before.clone(), head: after.clone(), branch, pull_request: None };
            changes::of(asking, &span, desk, &mut push.missing)
        }
        (_, None) => Vec::new(),
    };
    let rewritten = match (&push.before, &push.after) {
        (Some(before), Some(after)) => commits::goes_on(asking, before, after, &mut push.missing).map(|on| !on),
        _ => Some(false),
    };
    push.via = door(&push, &brought, rewritten);
    finish(push, brought)
}

/// The bypasses that follow, and those that GitLab itself noted.
pub(super) fn finish(mut push: Push, brought: Vec<Brought>) -> (Push, Vec<Bypass>) {
    push.changes = brought.iter().map(|b| b.change.clone()).collect();
    let mut found = bypass::of_push(&push);
    for one in &brought {
        noted(&push, one, &mut found);
    }
    push.missing.extend(bypass::doubts(&push));
    (push, found)
}

/// What was unknown of one commit stays unknown of the push, unless something worse is known.
fn door(push: &Push, brought: &[Brought], rewritten: Option<bool>) -> Via {
    let any = |via: Via| brought.iter().any(|b| b.change.via == via);
    match rewritten {
        Some(true) => Via::ForcePush,
        _ if push.after.is_none() || any(Via::DirectPush) => Via::DirectPush,
        None => Via::Unknown,
        Some(false) => {
            [Via::Unknown, Via::MergeQueue, Via::PullRequest].into_iter().find(|via| any(*via)).unwrap_or(Via::Unknown)
        }
    }
}

/// A request for changes that was merged past, a train that was not waited for: with what else was merged against the rules, since
/// it is one merge.
fn noted(push: &Push, brought: &Brought, found: &mut Vec<Bypass>) {
    let Some(request) = &brought.change.pull_request else { return };
    let mut what = Vec::new();
    if brought.overridden.is_some() {
        what.push("merged past a request for changes: GitLab noted that reviews were bypassed".to_owned());
    }
    if brought.skipped_train {
        what.push("merged at once, past the merge train in which it waited".to_owned());
    }
    if what.is_empty() || push.protected == Some(false) {
        return;
    }
    let actor = brought.overridden.as_ref().map(|(who, _)| who.clone()).filter(|who| *who != Actor::default());
    let same = |b: &&mut Bypass| {
        b.kind == BypassKind::AdminMerge && b.pull_request.as_ref().is_some_and(|p| p.number == request.number)
    };
    if let Some(known) = found.iter_mut().find(same) {
        known.what.extend(what);
        known.certainty = Certainty::Confirmed;
        return;
    }
    found.push(Bypass {
        kind: BypassKind::AdminMerge,
        certainty: Certainty::Confirmed,
        actor: actor.or_else(|| request.merged_by.clone()).or_else(|| push.pusher.clone()),
        occurred_on: request.merged_on.or(push.occurred_on),
        git_ref: Some(push.git_ref.clone()),
        before: push.before.clone(),
        commit: request.merge_commit.clone().or_else(|| push.after.clone()),
        pull_request: Some(request.clone()),
        what,
        reason: None,
        missing: Vec::new(),
    });
}
