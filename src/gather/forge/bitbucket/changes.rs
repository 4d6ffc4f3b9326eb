//! The pull requests that brought the commits of a span.

use super::super::brought::{self, Asks, By, Candidate, Way, name_commits, short};
use super::desk::Desk;
use super::shapes::{Commit, Paged, PullRequest};
use super::{Asking, Found, PULL_REQUESTS, Span, files, repository, request, say, unread};
use crate::gather::http::api::{ApiError, segment};
use crate::gather::tickets;
use crate::record::change_v1::{Change, Via};
use chrono::{DateTime, TimeDelta, Utc};
use std::cell::RefCell;

/// Seconds that are waited, one after the other, for what Bitbucket does not know yet.
pub(super) const WAITS: &[u32] = &[2, 5, 10];
/// How far the clock that made a commit may be ahead of Bitbucket's.
const SKEW: TimeDelta = TimeDelta::days(1);

pub(in super::super) fn changes(asking: &Asking, span: &Span) -> Found {
    let mut desk = Desk::default();
    let changes = of(asking, span, &mut desk);
    Found { changes, missing: desk.missing, source: asking.api.place() }
}

/// One a pull request, newest first, and one for commits that none brought.
pub(super) fn of(asking: &Asking, span: &Span, desk: &mut Desk) -> Vec<Change> {
    if let Some(open) = &span.pull_request {
        return not_merged(asking, &open.number, span, desk);
    }
    let commits = listed(asking, span, desk);
    let oldest = commits.iter().filter_map(|c| c.made_on).min();
    let ways = match oldest {
        Some(oldest) => ways(asking, &commits, oldest - SKEW, span.branch.as_deref(), desk).0,
        None => vec![Way { by: By::Unknown, at: (0..commits.len()).collect() }],
    };
    ways.into_iter().filter(|way| !way.at.is_empty()).map(|way| change(asking, way, &commits, desk)).collect()
}

/// How commits came that were made since `since`, and what was merged since then.
pub(super) fn ways(
    asking: &Asking,
    commits: &[brought::Commit],
    since: DateTime<Utc>,
    branch: Option<&str>,
    desk: &mut Desk,
) -> (Vec<Way>, Vec<Candidate>) {
    let (merged, whole) = merged(asking, commits, since, branch, desk);
    let cell = RefCell::new(desk);
    let asks = Asks {
        belongs: &mut |commit| cell.borrow_mut().belongs(asking, commit, whole),
        own: &mut |candidate| cell.borrow_mut().own(asking, &candidate.number).clone(),
    };
    (brought::ways(commits, branch, &merged, whole, asks), merged)
}

/// What one merge brought of `commits`.
pub(super) fn bound(asking: &Asking, commits: &[brought::Commit], merge: Candidate, desk: &mut Desk) -> Option<Way> {
    let asks = Asks {
        belongs: &mut |_| brought::Belongs::Never,
        own: &mut |candidate| desk.own(asking, &candidate.number).clone(),
    };
    let ways = brought::ways(commits, None, &[merge], false, asks);
    ways.into_iter().find(|way| matches!(way.by, By::Request(..)))
}

fn change(asking: &Asking, way: Way, commits: &[brought::Commit], desk: &mut Desk) -> Change {
    let came: Vec<&brought::Commit> = way.at.iter().filter_map(|at| commits.get(*at)).collect();
    let mut change = match way.by {
        By::Request(candidate, method) => request::of(asking, &candidate.number, method, came.first().copied(), desk),
        By::Nothing => without(asking, Via::DirectPush, &came),
        By::Unknown => without(asking, Via::Unknown, &came),
    };
    name_commits(&mut change, came.iter().map(|c| c.sha.clone()).collect());
    change
}

/// Commits that no pull request is known to have brought.
pub(super) fn without(asking: &Asking, via: Via, commits: &[&brought::Commit]) -> Change {
    let mut change = Change::by(via);
    if via == Via::Unknown {
        change.missing.push("by which door they came: no pull request is bound to them by what its merge left behind, and that none brought them cannot be told".to_owned());
    }
    let messages: Vec<(&str, &str)> = commits.iter().map(|c| ("commitMessage", c.message.as_str())).collect();
    change.tickets = tickets::find(asking.tickets, &messages);
    change.pipeline_files = files::of_commits(asking, commits, &mut change.missing);
    change
}

/// The commits of the span, newest first.
fn listed(asking: &Asking, span: &Span, desk: &mut Desk) -> Vec<brought::Commit> {
    let repository = repository(asking);
    if let Some(base) = &span.base {
        let way = format!("{repository}/commits/{}?exclude={}&pagelen=100", segment(&span.head), segment(base));
        let pages = asking.api.pages::<Paged<Commit>>(&way);
        let what = format!("the commits since {}", short(base));
        match pages.missing {
            None => return pages.items.into_iter().map(Into::into).collect(),
            Some(e) if pages.items.is_empty() => {
                say(
                    &mut desk.missing,
                    unread(&format!("{what} (only {} is told of)", short(&span.head)), &e, PULL_REQUESTS),
                );
            }
            Some(e) => {
                say(&mut desk.missing, unread(&what, &e, PULL_REQUESTS));
                return pages.items.into_iter().map(Into::into).collect();
            }
        }
    }
    match asking.api.get::<Commit>(&format!("{repository}/commit/{}", segment(&span.head))) {
        Ok(commit) => vec![commit.into()],
        Err(e) => {
            say(&mut desk.missing, unread(&format!("commit {}", short(&span.head)), &e, PULL_REQUESTS));
            vec![brought::Commit { sha: span.head.clone(), ..brought::Commit::default() }]
        }
    }
}

/// The pull requests that were merged since then, and whether these are all. A fresh commit is waited for:
/// it is on the branch before its pull request says so.
fn merged(
    asking: &Asking,
    commits: &[brought::Commit],
    since: DateTime<Utc>,
    branch: Option<&str>,
    desk: &mut Desk,
) -> (Vec<Candidate>, bool) {
    let mut waits = WAITS.iter();
    loop {
        let (found, error) = merged_since(asking, since, branch);
        if let Some(e) = error {
            say(&mut desk.missing, unread("the merged pull requests", &e, PULL_REQUESTS));
            return (found.iter().map(PullRequest::candidate).collect(), false);
        }
        let found: Vec<Candidate> = found.iter().map(PullRequest::candidate).collect();
        let newest = commits.first();
        let fresh =
            newest.and_then(|c| c.made_on).is_some_and(|on| (asking.api.now() - on).abs() < TimeDelta::minutes(5));
        let bound = |c: &brought::Commit| {
            found.iter().any(|f| f.merge_commit.as_deref().is_some_and(|merge| brought::is_abbreviation(merge, &c.sha)))
        };
        if !fresh || newest.is_some_and(bound) || !waits.next().is_some_and(|seconds| asking.api.wait(*seconds)) {
            return (found, true);
        }
    }
}

/// Merged pull requests that changed since `since`, and so all that were merged since then.
pub(super) fn merged_since(
    asking: &Asking,
    since: DateTime<Utc>,
    branch: Option<&str>,
) -> (Vec<PullRequest>, Option<ApiError>) {
    let pages = asking.api.pages::<Paged<PullRequest>>(&merged_way(asking, since, branch));
    (pages.items.into_iter().filter(PullRequest::is_merged).collect(), pages.missing)
}

/// Dates stand in queries without quotes (Atlassian developer documentation, "Filter and sort API objects").
pub(super) fn merged_way(asking: &Asking, since: DateTime<Utc>, branch: Option<&str>) -> String {
    let mut query = format!("state=\"MERGED\" AND updated_on>={}", since.format("%Y-%m-%dT%H:%M:%S+00:00"));
    if let Some(branch) = branch.filter(|b| !b.contains(['"', '\\'])) {
        query.push_str(&format!(" AND destination.branch.name=\"{branch}\""));
    }
    format!("{}/pullrequests?state=MERGED&sort=-updated_on&pagelen=50&q={}", repository(asking), segment(&query))
}

/// The pull request for which the pipeline runs.
fn not_merged(asking: &Asking, number: &str, span: &Span, desk: &mut Desk) -> Vec<Change> {
    if let Err(e) = desk.request(asking, number) {
        say(&mut desk.missing, unread(&format!("pull request {number}, for which it runs"), &e, PULL_REQUESTS));
        return Vec::new();
    }
    let mut change = request::of(asking, number, None, None, desk);
    let head = change.pull_request.as_ref().and_then(|p| p.head.as_deref());
    if head.is_some_and(|head| !brought::is_abbreviation(head, &span.head)) {
        change.missing.push(format!("its source branch has moved on since {} was taken from it", short(&span.head)));
    }
    name_commits(&mut change, vec![span.head.clone()]);
    vec![change]
}
