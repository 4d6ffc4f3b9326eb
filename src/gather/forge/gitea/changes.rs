//! The pull requests that brought the commits of a span.

use super::super::brought::{self, Asks, Belongs, By, Candidate, Way, name_commits, short};
use super::rules::Known;
use super::shapes::{Commit, Compare, PullRequest};
use super::{Asking, Found, READ, Span, files, repository, request, say, unread};
use crate::gather::http::api::{ApiError, List, segment};
use crate::gather::tickets;
use crate::record::change_v1::{Change, Via};
use chrono::{DateTime, TimeDelta, Utc};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Seconds that are waited, one after the other, for a pull request that is not told as merged yet.
const WAITS: &[u32] = &[2, 5, 10];
/// How far the clock that made a commit may be ahead of the server's.
const SKEW: TimeDelta = TimeDelta::days(1);

/// What is asked once, however often it is looked at.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) rules: BTreeMap<String, Known>,
    /// The commits of pull requests, newest first; `None` where they could not be read.
    own: BTreeMap<String, Option<Vec<brought::Commit>>>,
    requests: BTreeMap<String, PullRequest>,
    /// What could not be read, and is of no single change.
    pub(super) missing: Vec<String>,
}

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
    let (merged, whole) = match oldest {
        Some(oldest) => merged(asking, &commits, oldest, desk),
        None => (Vec::new(), false),
    };
    let cell = RefCell::new(&mut *desk);
    let asks = Asks {
        belongs: &mut |commit| if whole { Belongs::Untold } else { cell.borrow_mut().belongs(asking, commit) },
        own: &mut |candidate| cell.borrow_mut().own(asking, &candidate.number).clone(),
    };
    let ways = brought::ways(&commits, span.branch.as_deref(), &merged, whole, asks);
    ways.into_iter().map(|way| change(asking, way, &commits, desk)).collect()
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
fn without(asking: &Asking, via: Via, commits: &[&brought::Commit]) -> Change {
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
        match between(asking, base, &span.head) {
            Ok((commits, cut)) => {
                if let Some(cut) = cut {
                    say(&mut desk.missing, cut);
                }
                return commits;
            }
            Err(e) => {
                let what = format!("the commits since {} (only {} is told of)", short(base), short(&span.head));
                say(&mut desk.missing, unread(&what, &e, READ));
            }
        }
    }
    let way = format!("{repository}/git/commits/{}?stat=false&files=false&verification=false", segment(&span.head));
    match asking.api.get::<Commit>(&way) {
        Ok(commit) => vec![commit.into()],
        Err(e) => {
            say(&mut desk.missing, unread(&format!("commit {}", short(&span.head)), &e, READ));
            vec![brought::Commit { sha: span.head.clone(), ..brought::Commit::default() }]
        }
    }
}

/// The commits that `head` has and `base` has not, newest first, and a sentence if these are not all.
pub(super) fn between(
    asking: &Asking,
    base: &str,
    head: &str,
) -> Result<(Vec<brought::Commit>, Option<String>), ApiError> {
    let way = format!("{}/compare/{}...{}", repository(asking), segment(base), segment(head));
    let told = asking.api.get::<Compare>(&way)?;
    let listed = told.commits.len() as u64;
    let total = told.total_commits.unwrap_or(listed);
    let cut = (total > listed).then(|| format!("{listed} of {total} commits since {} are told of", short(base)));
    let all: Vec<brought::Commit> = told.commits.into_iter().map(Into::into).collect();
    Ok((brought::newest_first(all), cut))
}

/// The pull requests that were merged since the oldest commit was made, and whether these are all. A fresh commit is waited for:
/// it is on the branch before its pull request says so.
fn merged(
    asking: &Asking,
    commits: &[brought::Commit],
    oldest: DateTime<Utc>,
    desk: &mut Desk,
) -> (Vec<Candidate>, bool) {
    let mut waits = WAITS.iter();
    loop {
        let (found, error) = merged_since(asking, oldest - SKEW);
        let found: Vec<Candidate> = found.iter().map(PullRequest::candidate).collect();
        if let Some(e) = error {
            say(&mut desk.missing, unread("the merged pull requests", &e, READ));
            return (found, false);
        }
        let newest = commits.first();
        let fresh =
            newest.and_then(|c| c.made_on).is_some_and(|on| (asking.api.now() - on).abs() < TimeDelta::minutes(5));
        let bound = |c: &brought::Commit| found.iter().any(|f| f.merge_commit.as_deref() == Some(&c.sha));
        if !fresh || newest.is_some_and(bound) || !waits.next().is_some_and(|seconds| asking.api.wait(*seconds)) {
            return (found, true);
        }
    }
}

/// Merged pull requests that changed since `since`, and so all that were merged since then.
pub(super) fn merged_since(asking: &Asking, since: DateTime<Utc>) -> (Vec<PullRequest>, Option<ApiError>) {
    let way = format!("{}/pulls?state=closed&sort=recentupdate&limit=50", repository(asking));
    let wanted = &mut |pull: &PullRequest| pull.updated_at.is_none_or(|on| on >= since);
    let pages = asking.api.pages_while::<List<PullRequest>>(&way, wanted);
    (pages.items.into_iter().filter(PullRequest::is_merged).collect(), pages.missing)
}

/// The pull request for which the pipeline runs.
fn not_merged(asking: &Asking, number: &str, span: &Span, desk: &mut Desk) -> Vec<Change> {
    if let Err(e) = desk.request(asking, number) {
        say(&mut desk.missing, unread(&format!("pull request {number}, for which it runs"), &e, READ));
        return Vec::new();
    }
    let mut change = request::of(asking, number, None, None, desk);
    name_commits(&mut change, vec![span.head.clone()]);
    vec![change]
}

impl Desk {
    /// A whole pull request.
    pub(super) fn request(&mut self, asking: &Asking, number: &str) -> Result<&PullRequest, ApiError> {
        let way = format!("{}/pulls/{}", repository(asking), segment(number));
        if !self.requests.contains_key(number) {
            let read = asking.api.get::<PullRequest>(&way)?;
            if read.number.to_string() != number {
                return Err(ApiError::Shape(format!("`{way}`"), "it is another pull request".into()));
            }
            self.requests.insert(number.to_owned(), read);
        }
        self.requests.get(number).ok_or(ApiError::NotFound(way))
    }

    /// The commits of a pull request, newest first.
    pub(super) fn own(&mut self, asking: &Asking, number: &str) -> &Option<Vec<brought::Commit>> {
        self.own.entry(number.to_owned()).or_insert_with(|| {
            let query = "limit=50&verification=false&files=false";
            let way = format!("{}/pulls/{}/commits?{query}", repository(asking), segment(number));
            let pages = asking.api.pages::<List<Commit>>(&way);
            let all = || brought::newest_first(pages.items.into_iter().map(Into::into).collect());
            pages.missing.is_none().then(all)
        })
    }

    /// The pull request whose merge left a commit behind. "Not found" means that there is none, or that this version does not tell.
    fn belongs(&mut self, asking: &Asking, commit: &brought::Commit) -> Belongs {
        let way = format!("{}/commits/{}/pull", repository(asking), segment(&commit.sha));
        match asking.api.find::<PullRequest>(&way) {
            Ok(Some(found)) => Belongs::To(vec![found.candidate()]),
            Ok(None) => Belongs::Untold,
            Err(e) => {
                say(&mut self.missing, unread(&format!("the pull request of commit {}", short(&commit.sha)), &e, READ));
                Belongs::Never
            }
        }
    }
}
