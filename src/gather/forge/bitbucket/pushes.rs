//! Pushes of a period. Bitbucket Cloud keeps no log of them that its API tells: merges are told by their pull requests, and commits
//! on a branch that no pull request brought stand for pushes of which nobody says who made them, when and from where. That is said
//! every time; who needs more has the webhook `repo:push` sent.

use super::super::brought::{self, By, Candidate, Way, name_commits};
use super::super::{Push, moved};
use super::changes;
use super::desk::{self, Desk};
use super::shapes::{Commit, Name, Paged};
use super::{Asking, Collected, PULL_REQUESTS, Period, event, repository, request, rules, say, unread};
use crate::gather::http::api::segment;
use crate::record::change_v1::Via;
use chrono::{DateTime, TimeDelta, Utc};

/// Said every time.
const NO_LOG: &str = "who pushed what and when, which history was rewritten and which branches were deleted: Bitbucket keeps no log of pushes that its API tells; have it send the webhook `repo:push`";
/// How far commits may lie behind the moment at which they came.
const SKEW: TimeDelta = TimeDelta::days(1);

pub(in super::super) fn pushes(asking: &Asking, period: &Period) -> Collected {
    let mut desk = Desk::default();
    let mut all = Collected { source: asking.api.place(), missing: vec![NO_LOG.to_owned()], ..Collected::default() };
    all.repository = desk::told(asking, &mut desk).map(event::named);
    all.authentic = all.repository.is_some();
    let mut found: Vec<Push> = Vec::new();
    for branch in branches(asking, &mut desk) {
        found.extend(of(asking, &branch, period, &mut desk));
    }
    found.sort_by_key(|push| push.occurred_on);
    found.into_iter().for_each(|push| moved::put(push, &mut all));
    desk.missing.into_iter().for_each(|sentence| say(&mut all.missing, sentence));
    all
}

/// The main branch, and those that are protected.
fn branches(asking: &Asking, desk: &mut Desk) -> Vec<String> {
    let main = desk::main_branch(asking, desk).cloned();
    let mut all: Vec<String> = main.into_iter().collect();
    let way = format!("{}/refs/branches?pagelen=100", repository(asking));
    let pages = asking.api.pages::<Paged<Name>>(&way);
    if let Some(e) = pages.missing {
        say(&mut desk.missing, unread("branches other than the main one", &e, PULL_REQUESTS));
    }
    for name in pages.items.into_iter().filter_map(|b| b.name) {
        let protected = rules::of(asking, &name, desk).rules.as_ref().and_then(|r| r.protected);
        if protected == Some(true) && !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

fn of(asking: &Asking, branch: &str, period: &Period, desk: &mut Desk) -> Vec<Push> {
    let way = format!("{}/commits/{}?pagelen=100", repository(asking), segment(branch));
    let since = period.from - SKEW;
    let pages = asking.api.pages_while::<Paged<Commit>>(&way, &mut |c| c.date.is_none_or(|on| on >= since));
    if let Some(e) = pages.missing {
        say(&mut desk.missing, unread(&format!("commits of {branch}"), &e, PULL_REQUESTS));
    }
    let commits: Vec<brought::Commit> = pages.items.into_iter().map(Into::into).collect();
    let protected = rules::of(asking, branch, desk).rules.as_ref().and_then(|r| r.protected);
    let (ways, merged) = changes::ways(asking, &commits, since, Some(branch), desk);
    let mut pushes = Vec::new();
    // commits may be much older than their merge
    for candidate in merged.into_iter().filter(|c| c.target.as_deref() == Some(branch) && !is_among(c, &ways)) {
        let line = left_behind(asking, &candidate, desk);
        let alone = changes::bound(asking, &line, candidate, desk);
        pushes.extend(alone.into_iter().filter_map(|way| merge(asking, way, &line, branch, period, desk)));
    }
    for way in ways {
        match way.by {
            By::Request(..) => pushes.extend(merge(asking, way, &commits, branch, period, desk)),
            By::Nothing | By::Unknown => {
                let via = if way.by == By::Nothing { Via::DirectPush } else { Via::Unknown };
                let lines = lines(&way.at, &commits, period);
                pushes.extend(lines.iter().map(|line| direct(asking, via, line, branch)));
            }
        }
    }
    pushes.into_iter().map(|push| Push { protected, ..push }).collect()
}

fn is_among(candidate: &Candidate, ways: &[Way]) -> bool {
    ways.iter().any(|way| matches!(&way.by, By::Request(known, _) if known.number == candidate.number))
}

/// The commit that a merge left behind, with those that came along where it is one of the pull request's own.
fn left_behind(asking: &Asking, candidate: &Candidate, desk: &mut Desk) -> Vec<brought::Commit> {
    let short = candidate.merge_commit.as_deref().unwrap_or_default();
    let own = desk.own(asking, &candidate.number).clone().unwrap_or_default();
    if own.first().is_some_and(|tip| brought::is_abbreviation(short, &tip.sha)) {
        return own;
    }
    match asking.api.get::<Commit>(&format!("{}/commit/{}", repository(asking), segment(short))) {
        Ok(commit) => vec![commit.into()],
        Err(e) => {
            let what = format!("what the merge of pull request {} left behind", candidate.number);
            say(&mut desk.missing, unread(&what, &e, PULL_REQUESTS));
            Vec::new()
        }
    }
}

/// A merge of the period.
fn merge(
    asking: &Asking,
    way: Way,
    commits: &[brought::Commit],
    branch: &str,
    period: &Period,
    desk: &mut Desk,
) -> Option<Push> {
    let By::Request(candidate, method) = way.by else { return None };
    let came: Vec<&brought::Commit> = way.at.iter().filter_map(|at| commits.get(*at)).collect();
    let tip = came.first()?;
    let mut change = request::of(asking, &candidate.number, method, Some(tip), desk);
    name_commits(&mut change, came.iter().map(|c| c.sha.clone()).collect());
    let told = change.pull_request.clone().unwrap_or_default();
    let mut missing = Vec::new();
    match told.merged_on {
        Some(on) if !period.holds(on) => return None,
        Some(_) => {}
        None => missing.push("when it was merged, and so whether that was in the period".to_owned()),
    }
    // a merge or a squash stands on what the branch was; of a fast forward only the lowest commit does
    let lowest = if ["merge", "squash"].contains(&method.unwrap_or_default()) { Some(tip) } else { came.last() };
    Some(Push {
        git_ref: format!("refs/heads/{branch}"),
        before: lowest.and_then(|c| c.parents.first().cloned()),
        after: Some(tip.sha.clone()),
        occurred_on: told.merged_on,
        pusher: told.merged_by,
        via: Via::PullRequest,
        protected: None,
        changes: vec![change],
        missing,
    })
}

/// Commits that came by no pull request, one line of the branch each with what it merged, newest first; those of the period by the
/// clock of who made them.
fn lines<'a>(at: &[usize], commits: &'a [brought::Commit], period: &Period) -> Vec<Vec<&'a brought::Commit>> {
    let mut chain: Vec<&str> = Vec::new();
    let mut next = commits.first();
    while let Some(commit) = next {
        chain.push(&commit.sha);
        next = commit
            .parents
            .first()
            .and_then(|sha| commits.iter().find(|c| c.sha == *sha && !chain.contains(&sha.as_str())));
    }
    let own: Vec<&brought::Commit> = at.iter().filter_map(|at| commits.get(*at)).collect();
    let mut lines: Vec<Vec<&brought::Commit>> = Vec::new();
    for commit in own {
        match lines.last_mut().filter(|_| !chain.contains(&commit.sha.as_str())) {
            Some(line) => line.push(commit),
            None => lines.push(vec![commit]),
        }
    }
    let within = |line: &Vec<&brought::Commit>| {
        line.first().and_then(|c| c.made_on).is_none_or(|on: DateTime<Utc>| period.holds(on))
    };
    lines.into_iter().filter(within).collect()
}

fn direct(asking: &Asking, via: Via, line: &[&brought::Commit], branch: &str) -> Push {
    let mut change = changes::without(asking, via, line);
    name_commits(&mut change, line.iter().map(|c| c.sha.clone()).collect());
    let tip = line.first();
    Push {
        git_ref: format!("refs/heads/{branch}"),
        before: tip.and_then(|c| c.parents.first().cloned()),
        after: tip.map(|c| c.sha.clone()),
        occurred_on: None,
        pusher: None,
        via,
        protected: None,
        changes: vec![change],
        missing: vec![
            "who pushed it, when, and together with which others: Bitbucket keeps no log of pushes".to_owned(),
        ],
    }
}
