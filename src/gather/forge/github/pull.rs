//! A pull request as a change: who, what, by which door, and what people and checks said of it.

use super::bind::Bound;
use super::round::{Round, Unread};
use super::shapes::{Commit, File, Pull, actor, short};
use super::{checks, reviews, rules, timeline};
use crate::gather::tickets;
use crate::record::change_v1::{Change, Via};
use crate::record::parts_v1::Actor;
use crate::record::pull_request_v1::PullRequest;
use chrono::TimeDelta;

/// Commits that a change names.
const MOST_NAMED: usize = 100;
/// Labels that are kept.
const MOST_LABELS: usize = 100;
/// How long GitHub may take to say who merged (seen: more than 7 s), and what is waited for it, in seconds.
const LATE: (TimeDelta, [u32; 4]) = (TimeDelta::minutes(10), [2, 4, 8, 16]);

/// A pull request's own page of the API. Right after a merge GitHub does not know yet who merged.
pub(super) fn detail(round: &mut Round, number: i64) -> Result<Pull, Unread> {
    let path = format!("pulls/{number}");
    let mut pull: Pull = round.get(&path, "pull-requests: read")?;
    let now = round.asking.api.now();
    for seconds in LATE.1 {
        let is_late = pull.merged_by.is_none() && pull.merged_at.is_some_and(|at| now - at < LATE.0);
        if !is_late || !round.asking.api.wait(seconds) {
            break;
        }
        pull = round.get(&path, "pull-requests: read")?;
    }
    Ok(pull)
}

/// How it is called in sentences.
pub(super) fn title(pull: &Pull) -> String {
    format!("pull request {}", pull.number)
}

/// The facts of it alone.
pub(super) fn pull_request(pull: &Pull, method: Option<&str>) -> PullRequest {
    let text = |text: &Option<String>| text.as_deref().map(short);
    let from_fork = match (pull.base.repo.as_ref().and_then(|r| r.id), pull.head.repo.as_ref().and_then(|r| r.id)) {
        (Some(base), Some(head)) => Some(base != head),
        _ => None,
    };
    PullRequest {
        number: pull.number.to_string(),
        url: text(&pull.html_url),
        title: text(&pull.title),
        author: actor(pull.user.as_ref()),
        target: text(&pull.base.name),
        source: text(&pull.head.name),
        head: text(&pull.head.sha),
        // of a pull request that is open, GitHub names a trial merge there
        merge_commit: pull.merged_at.and_then(|_| text(&pull.merge_commit_sha)),
        merged_by: actor(pull.merged_by.as_ref()),
        merged_on: pull.merged_at,
        method: method.map(str::to_owned),
        from_fork,
        labels: pull.labels.iter().filter_map(|l| l.name.as_deref()).take(MOST_LABELS).map(short).collect(),
    }
}

/// Everything about a pull request.
pub(super) fn change(round: &mut Round, bound: Bound) -> Change {
    let Bound { pull, commits, own, own_cut, method, mut missing, .. } = bound;
    let of = title(&pull);
    let target = pull.base.name.clone().unwrap_or_default();
    let ruled = rules::of(round, &target);
    let told = reviews::read(round, &pull, &mut missing);
    let timeline = timeline::read(round, &pull, &ruled, &told, &mut missing);
    let facts = pull_request(&pull, method);
    let via = match timeline.by_queue {
        Some(true) => Via::MergeQueue,
        _ => Via::PullRequest,
    };
    if pull.merged_at.is_some() && facts.merged_by.is_none() {
        missing.push(round.note("who merged it", &of, "GitHub does not tell"));
    }
    let wrote = own.as_deref().map(contributors);
    let (reviews, approval) = reviews::judged(
        round,
        &pull,
        &facts,
        told,
        &timeline,
        reviews::Beside { contributors: wrote.as_deref(), cut: own_cut, rules: ruled.rules.as_ref() },
        &mut missing,
    );
    let checks = checks::read(round, &pull, via, &ruled, &mut missing);
    let texts = [("pullRequestTitle", &pull.title), ("branch", &pull.head.name), ("pullRequestBody", &pull.body)];
    let texts: Vec<_> = texts.iter().filter_map(|(place, text)| Some((*place, text.as_deref()?))).collect();
    let pipeline_files = files(round, &pull, &mut missing);
    Change {
        pull_request: Some(facts),
        reviews,
        approval: Some(approval),
        checks,
        rules: ruled.rules,
        pipeline_files,
        tickets: tickets::find(round.asking.tickets, &texts),
        missing,
        ..named(via, commits)
    }
}

/// A change with its commits, the first of which are named.
pub(super) fn named(via: Via, mut commits: Vec<String>) -> Change {
    let count = commits.len();
    commits.truncate(MOST_NAMED);
    let commit_count = (count > MOST_NAMED).then_some(count as u64);
    Change { commits, commit_count, ..Change::by(via) }
}

/// Who wrote or committed them: accounts, GitHub's own (`web-flow`, which reviews nothing) among them. An address that no account has
/// is nobody's.
fn contributors(own: &[Commit]) -> Vec<Actor> {
    let mut all: Vec<Actor> = Vec::new();
    for user in own.iter().flat_map(|c| [&c.author, &c.committer]).flatten() {
        all.extend(actor(Some(user)).filter(|a| !all.contains(a)));
    }
    all
}

/// The files among the changed ones that decide what a pipeline does. Where a file came from counts like where it went.
pub(super) fn files(round: &mut Round, pull: &Pull, missing: &mut Vec<String>) -> Option<Vec<String>> {
    let (files, unread) = round.list::<File>(&format!("pulls/{}/files", pull.number), "pull-requests: read");
    // GitHub lists no more than 3000 (REST docs, "List pull requests files")
    let told = pull.changed_files.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > files.len());
    let cut = told.map(|n| Unread::told(&format!("GitHub lists {} of {n}", files.len())));
    let unread = unread.or(cut);
    if let Some(unread) = &unread {
        missing.push(round.say("all files", &title(pull), unread));
    }
    let paths = files.iter().flat_map(|f| [&f.filename, &f.previous_filename]).flatten().map(String::as_str);
    let found = round.asking.pipeline_files.among(paths);
    (unread.is_none() || !files.is_empty()).then_some(found)
}
