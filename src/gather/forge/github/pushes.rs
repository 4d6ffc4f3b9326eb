//! Pushes to protected branches within a period, and the bypasses among them, as GitHub's API tells.

use super::activity::{self, Activity};
use super::answers::{Account, commit, missing, repo, sort_out};
use super::edits;
use super::protected::{self, Standing};
use super::suites;
use crate::gather::forge::{Asking, Collected, Found, Period, Push, Span, bypass};
use crate::record::change_v1::Via;
use crate::record::parts_v1::Repository;
use std::collections::{BTreeMap, BTreeSet};

/// Branches that GitHub makes for a merge queue and takes away again; nobody else may push there.
pub(super) const QUEUE: &str = "gh-readonly-queue/";

/// Everything that happened in `period` to the default branch, to protected branches, and to branches of which it cannot be told
/// whether they are protected.
pub(super) fn of(asking: &Asking, period: &Period) -> Collected {
    let mut all = Collected { source: asking.api.place(), ..Collected::default() };
    let default = match repo(asking) {
        Ok(repo) => {
            all.repository = Some(repo.repository());
            repo.default_branch
        }
        Err(e) => {
            all.repository = Some(Repository { name: Some(asking.repository.to_owned()), ..Repository::default() });
            all.missing.push(missing("which branch is the default one", &e, "`metadata: read`"));
            None
        }
    };
    let pages = activity::read(asking, period);
    all.authentic = pages.read > 0;
    all.missing.extend(pages.missing.map(|e| missing("pushes", &e, activity::PERMISSION)));
    let (mut moves, other) = sort_out(pages.items, "pushes");
    all.missing.extend(other);
    let branch = |a: &Activity| a.git_ref.strip_prefix("refs/heads/").is_some_and(|name| !name.starts_with(QUEUE));
    moves.retain(|a| period.holds(a.timestamp) && branch(a));
    moves.reverse();
    let standings = standings(asking, default.as_deref(), &moves, &mut all);
    for activity in moves {
        let Some(standing) = standings.get(&activity.git_ref) else { continue };
        let push = push(asking, activity, *standing);
        all.bypasses.extend(bypass::of_push(&push));
        all.pushes.push(push);
    }
    all.bypasses.extend(suites::bypasses(asking, period, &mut all.missing));
    all
}

/// What is known of the branches that are recorded, by their full ref.
fn standings(
    asking: &Asking,
    default: Option<&str>,
    moves: &[Activity],
    all: &mut Collected,
) -> BTreeMap<String, Standing> {
    let mut standings = BTreeMap::new();
    if moves.is_empty() {
        return standings;
    }
    let protected = protected::all(asking, &mut all.missing);
    let refs: BTreeSet<&str> = moves.iter().map(|a| a.git_ref.as_str()).collect();
    for git_ref in refs {
        let branch = git_ref.strip_prefix("refs/heads/").unwrap_or(git_ref);
        let last = moves.iter().rev().find(|a| a.git_ref == git_ref);
        let gone = last.is_some_and(|a| a.activity_type == "branch_deletion");
        let standing = protected.of(asking, branch, gone);
        if standing.is_recorded() || default == Some(branch) {
            standings.insert(git_ref.to_owned(), standing);
        } else if standing == Standing::Gone {
            all.passed_over.push(format!("`{git_ref}` was deleted, and nothing tells that it was protected"));
        }
    }
    standings
}

fn push(asking: &Asking, activity: Activity, standing: Standing) -> Push {
    let (before, after) = (commit(&activity.before), commit(&activity.after));
    let found = changes(asking, &activity.git_ref, before.as_deref(), after.as_deref());
    let mut push = Push {
        via: Via::Unknown,
        git_ref: activity.git_ref,
        before,
        after,
        occurred_on: Some(activity.timestamp),
        pusher: activity.actor.and_then(Account::actor),
        protected: standing.protected(),
        changes: found.changes,
        missing: found.missing,
    };
    push.via = match activity.activity_type.as_str() {
        "pr_merge" => Via::PullRequest,
        "merge_queue_merge" => Via::MergeQueue,
        "force_push" | "branch_deletion" => Via::ForcePush,
        "push" | "branch_creation" => door(&push),
        other => {
            push.missing.push(format!("GitHub calls this a `{other}`, which is not known here"));
            Via::Unknown
        }
    };
    edits::complete(asking, &mut push);
    push.missing.extend(bypass::doubts(&push));
    push
}

/// How the commits of a push came. A new branch takes over what others have: a pull request into another branch brought its
/// commits, too.
pub(super) fn changes(asking: &Asking, git_ref: &str, before: Option<&str>, after: Option<&str>) -> Found {
    let Some(head) = after else { return Found::default() };
    let branch = before.and_then(|_| git_ref.strip_prefix("refs/heads/"));
    let span = Span {
        base: before.map(str::to_owned),
        head: head.to_owned(),
        branch: branch.map(str::to_owned),
        pull_request: None,
    };
    super::changes(asking, &span)
}

/// The door of a push that GitHub calls a push: a merge by the API or by hand looks like that, too, so its commits decide.
pub(super) fn door(push: &Push) -> Via {
    let all = |fits: fn(Via) -> bool| !push.changes.is_empty() && push.changes.iter().all(|c| fits(c.via));
    if push.changes.iter().any(|c| c.via == Via::DirectPush) {
        Via::DirectPush
    } else if all(|via| via == Via::MergeQueue) {
        Via::MergeQueue
    } else if all(|via| matches!(via, Via::PullRequest | Via::MergeQueue)) {
        Via::PullRequest
    } else {
        Via::Unknown
    }
}

#[cfg(test)]
mod tests;
