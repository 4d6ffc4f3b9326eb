//! What a push shows of controls that were set aside. One rule for all forges.
//!
//! Only what is known is a bypass. What could be one and cannot be told is said by [`doubts`], never left out: who reads the
//! record must not take it for a push that kept every rule.

use super::{Bypass, Push};
use crate::record::bypass_v1::{BypassKind, Certainty};
use crate::record::change_v1::{Change, Via};
use crate::record::pull_request_v1::{Approved, Check, Rules};

/// Commits that are named one by one.
const MOST_NAMED: usize = 10;
/// Files that are named one by one.
const MOST_FILES: usize = 100;

/// The bypasses that follow from what the forge tells of a push.
pub(super) fn of_push(push: &Push) -> Vec<Bypass> {
    let mut found = Vec::new();
    if push.protected == Some(true) {
        found.extend(around_requests(push));
    }
    if push.protected != Some(false) {
        found.extend(push.changes.iter().filter_map(|change| against_rules(push, change)));
    }
    found.extend(push.changes.iter().filter_map(|change| pipeline_edit(push, change)));
    found
}

/// What could be a bypass, and cannot be told; one sentence each, for the push's `missing`.
pub(super) fn doubts(push: &Push) -> Vec<String> {
    let mut all = Vec::new();
    let around = matches!(push.via, Via::DirectPush | Via::ForcePush);
    if push.protected.is_none() && around {
        all.push(
            "whether this push set protection aside, because it cannot be told whether the branch is protected".into(),
        );
    }
    if push.protected == Some(true) && push.via == Via::Unknown && !has_direct(push) {
        all.push("whether this push went round pull requests, because it cannot be told how its commits came".into());
    }
    if push.protected != Some(false) {
        all.extend(push.changes.iter().filter_map(undecided));
    }
    all
}

/// Commits that came by no pull request, and history that went away. A deleted branch has lost all of its history.
fn around_requests(push: &Push) -> Option<Bypass> {
    let direct = || push.changes.iter().filter(|c| c.via == Via::DirectPush && c.pull_request.is_none());
    let mut what: Vec<String> = direct().filter_map(without_request).collect();
    let kind = match (push.after.is_some(), push.via) {
        (false, _) => {
            what.insert(0, format!("{} was deleted", push.git_ref));
            BypassKind::ForcePush
        }
        (true, Via::ForcePush) => {
            let before = push.before.as_deref().unwrap_or("an unknown commit");
            what.insert(0, format!("history of {} was rewritten: {before} was its tip", push.git_ref));
            BypassKind::ForcePush
        }
        (true, Via::DirectPush) => BypassKind::DirectPush,
        (true, Via::Unknown) if has_direct(push) => BypassKind::DirectPush,
        (true, Via::Unknown | Via::PullRequest | Via::MergeQueue) => return None,
    };
    if what.is_empty() {
        what.push(format!("{} was pushed to without a pull request", push.git_ref));
    }
    let free = |c: &Change| c.rules.as_ref().is_some_and(asks_for_nothing);
    if kind == BypassKind::DirectPush && !push.changes.is_empty() && push.changes.iter().all(free) {
        return None;
    }
    Some(derived(kind, push, None, what))
}

/// Whether rules let everybody push whose commits they are: then a direct push sets nothing aside. They are those in force when they
/// were asked for.
fn asks_for_nothing(rules: &Rules) -> bool {
    rules.pull_request_required == Some(false)
        && rules.required_approvals.unwrap_or(0) == 0
        && rules.required_checks.is_empty()
}

fn has_direct(push: &Push) -> bool {
    push.changes.iter().any(|c| c.via == Via::DirectPush)
}

fn without_request(change: &Change) -> Option<String> {
    let count = change.commit_count.unwrap_or(change.commits.len() as u64);
    let named = change.commits.get(..MOST_NAMED).unwrap_or(&change.commits);
    let more = if count > named.len() as u64 { ", …" } else { "" };
    let commits = if count == 1 { "1 commit".to_owned() } else { format!("{count} commits") };
    (count > 0).then(|| format!("{commits} without a pull request: {}{more}", named.join(", ")))
}

/// A pull request that was merged although required checks had not succeeded, or approvals that the rules ask for were missing.
fn against_rules(push: &Push, change: &Change) -> Option<Bypass> {
    let request = change.pull_request.as_ref()?;
    let failed = |c: &&Check| c.required == Some(true) && c.passed_at_merge == Some(false) && !is_passed_over(c);
    let mut what: Vec<String> = change
        .checks
        .iter()
        .filter(failed)
        .map(|c| {
            format!(
                "the required check `{}` had not succeeded when it was merged; it ended with `{}`",
                c.name, c.result
            )
        })
        .collect();
    // Where all checks could be read, one that is not among them never ran.
    if change.missing.is_empty() {
        let required = change.rules.iter().flat_map(|rules| &rules.required_checks);
        let absent = required.filter(|name| !change.checks.iter().any(|c| &c.name == *name));
        what.extend(absent.map(|name| format!("the required check `{name}` was never reported")));
    }
    if let Some(approval) = change.approval.as_ref().filter(|a| a.verdict == Approved::No)
        && asks_for_approval(change)
    {
        what.push(format!("approvals: {}", approval.why));
    }
    if what.is_empty() {
        return None;
    }
    let mut bypass = derived(BypassKind::AdminMerge, push, Some(change), what);
    bypass.actor = request.merged_by.clone().or_else(|| push.pusher.clone());
    bypass.occurred_on = request.merged_on.or(push.occurred_on);
    Some(bypass)
}

/// A check that did not run. Nothing was checked, and yet platforms take it for success: nobody had to set a rule aside to merge.
fn is_passed_over(check: &Check) -> bool {
    matches!(check.result.as_str(), "skipped" | "neutral")
}

fn asks_for_approval(change: &Change) -> bool {
    let told = change.approval.as_ref().and_then(|a| a.required);
    told.or_else(|| change.rules.as_ref()?.required_approvals).is_some_and(|n| n > 0)
}

/// A merge of which it cannot be told whether it kept the rules.
fn undecided(change: &Change) -> Option<String> {
    let request = change.pull_request.as_ref()?;
    let unsure = |c: &&Check| c.required == Some(true) && c.passed_at_merge.is_none();
    let mut why: Vec<String> = change.checks.iter().filter(unsure).map(|c| format!("check `{}`", c.name)).collect();
    if let Some(approval) = change.approval.as_ref().filter(|a| a.verdict == Approved::Unknown)
        && asks_for_approval(change)
    {
        why.push(format!("approvals: {}", approval.why));
    }
    let why = (!why.is_empty()).then(|| why.join("; "))?;
    Some(format!("whether pull request {} was merged against the rules cannot be told ({why})", request.number))
}

/// Who edits these files edits the controls, whoever approved it.
fn pipeline_edit(push: &Push, change: &Change) -> Option<Bypass> {
    let files = change.pipeline_files.as_ref().filter(|files| !files.is_empty())?;
    let mut what: Vec<String> = files.iter().take(MOST_FILES).cloned().collect();
    if files.len() > MOST_FILES {
        what.push(format!("… and {} more", files.len() - MOST_FILES));
    }
    Some(derived(BypassKind::PipelineEdit, push, Some(change), what))
}

fn derived(kind: BypassKind, push: &Push, change: Option<&Change>, what: Vec<String>) -> Bypass {
    let request = change.and_then(|c| c.pull_request.clone());
    // of several changes in one push, each has a commit of its own
    let merged = request.as_ref().and_then(|r| r.merge_commit.clone());
    let own = merged.or_else(|| change?.commits.first().cloned());
    Bypass {
        kind,
        certainty: Certainty::Derived,
        actor: push.pusher.clone(),
        occurred_on: push.occurred_on,
        git_ref: Some(push.git_ref.clone()),
        before: push.before.clone(),
        commit: own.or_else(|| push.after.clone()),
        pull_request: request,
        what,
        reason: None,
        missing: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
