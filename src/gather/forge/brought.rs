//! Which pull request brought which commits of a span, for forges that name the commit that a merge left behind.
//!
//! A pull request is bound by its merge commit, never by its number: the number in a message is what somebody wrote. What came by
//! it is worked out from the graph and from the commits that it lists.

use crate::record::change_v1::Change;
use crate::record::parts_v1::Actor;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// Commits that one change names.
const MOST_NAMED: usize = 100;

/// A commit as a forge lists it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Commit {
    pub(super) sha: String,
    pub(super) parents: Vec<String>,
    pub(super) message: String,
    /// When it was made, by the clock of who made it.
    pub(super) made_on: Option<DateTime<Utc>>,
    /// The account of who wrote it, where the forge knows it.
    pub(super) author: Option<Actor>,
}

/// What the forge tells of a merged pull request before anybody looks closer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Candidate {
    pub(super) number: String,
    /// The commit that the merge left behind; Bitbucket names its first twelve digits.
    pub(super) merge_commit: Option<String>,
    /// The branch it went into.
    pub(super) target: Option<String>,
}

/// What a forge says when it is asked which pull requests a commit belongs to.
pub(super) enum Belongs {
    /// To these.
    To(Vec<Candidate>),
    /// It does not say of this one.
    Untold,
    /// It says of none, so the next one need not be asked about.
    Never,
}

/// One way by which commits came: places in the span, newest first.
#[derive(Debug, PartialEq)]
pub(super) struct Way {
    pub(super) by: By,
    pub(super) at: Vec<usize>,
}

/// By which door.
#[derive(Debug, PartialEq)]
pub(super) enum By {
    /// A pull request, merged by this method where that can be told.
    Request(Candidate, Option<&'static str>),
    /// No pull request.
    Nothing,
    /// It cannot be told.
    Unknown,
}

/// Where its questions go.
pub(super) struct Asks<'a> {
    /// The pull requests of a commit.
    pub(super) belongs: &'a mut dyn FnMut(&Commit) -> Belongs,
    /// The commits of a pull request, newest first; `None` where they cannot be read.
    pub(super) own: &'a mut dyn FnMut(&Candidate) -> Option<Vec<Commit>>,
}

/// Walks a span from its newest commit. `merged` are the pull requests that were merged since its oldest commit; `whole` says
/// whether these are all of them, so that what is bound to none came by none.
pub(super) fn ways(
    commits: &[Commit],
    branch: Option<&str>,
    merged: &[Candidate],
    whole: bool,
    asks: Asks,
) -> Vec<Way> {
    let places: HashMap<&str, usize> = commits.iter().enumerate().map(|(at, c)| (c.sha.as_str(), at)).collect();
    let (mut taken, mut told): (HashSet<usize>, bool) = (HashSet::new(), true);
    let (mut ways, mut direct, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for (at, commit) in commits.iter().enumerate() {
        if taken.contains(&at) {
            continue;
        }
        let here = |c: &&Candidate| {
            let into = branch.is_none() || c.target.is_none() || c.target.as_deref() == branch;
            into && c.merge_commit.as_deref().is_some_and(|merge| is_abbreviation(merge, &commit.sha))
        };
        let mut bound = merged.iter().find(here).cloned();
        let mut doubtful = !told && !whole;
        if bound.is_none() && told {
            match (asks.belongs)(commit) {
                Belongs::To(all) => {
                    bound = all.iter().find(here).cloned();
                    // it was reviewed, and what the merge left behind is not here
                    doubtful = bound.is_none() && all.iter().any(|c| branch.is_none() || c.target.as_deref() == branch);
                }
                Belongs::Untold => doubtful = !whole,
                Belongs::Never => (told, doubtful) = (false, !whole),
            }
        }
        match bound {
            Some(request) => {
                let own = (asks.own)(&request);
                let (mut came, method) = came(commits, &places, at, own.as_deref());
                came.retain(|place| taken.insert(*place));
                ways.push(Way { by: By::Request(request, method), at: came });
            }
            None if doubtful => unknown.push(at),
            None => direct.push(at),
        }
    }
    // a merge that was looked at later may have brought what none was found for
    for (by, at) in [(By::Nothing, direct), (By::Unknown, unknown)] {
        let at: Vec<usize> = at.into_iter().filter(|at| !taken.contains(at)).collect();
        if !at.is_empty() {
            ways.push(Way { by, at });
        }
    }
    ways
}

/// What came with the merge commit at `at`, and by which method.
fn came(
    commits: &[Commit],
    places: &HashMap<&str, usize>,
    at: usize,
    own: Option<&[Commit]>,
) -> (Vec<usize>, Option<&'static str>) {
    let Some(merge) = commits.get(at) else { return (Vec::new(), None) };
    let mut all: HashSet<usize> = HashSet::from([at]);
    let listed = own.unwrap_or_default();
    all.extend(listed.iter().filter_map(|c| places.get(c.sha.as_str()).copied()));
    if let [first, rest @ ..] = merge.parents.as_slice()
        && !rest.is_empty()
    {
        let before = reach(commits, places, std::slice::from_ref(first));
        all.extend(reach(commits, places, rest).into_iter().filter(|place| !before.contains(place)));
        return (sorted(all), Some("merge"));
    }
    if listed.iter().any(|c| c.sha == merge.sha) {
        return (sorted(all), Some("fastForward"));
    }
    match rebased(commits, places, at, listed) {
        Some(line) if line.len() > 1 => {
            all.extend(line);
            (sorted(all), Some("rebase"))
        }
        // of one commit nobody can say whether it was squashed or rebased
        Some(_) => (sorted(all), None),
        None => (sorted(all), own.map(|_| "squash")),
    }
}

/// The places that `from` reach.
fn reach(commits: &[Commit], places: &HashMap<&str, usize>, from: &[String]) -> HashSet<usize> {
    let mut seen = HashSet::new();
    let mut next: Vec<usize> = from.iter().filter_map(|sha| places.get(sha.as_str()).copied()).collect();
    while let Some(at) = next.pop() {
        if seen.insert(at) {
            let parents = commits.get(at).map(|c| c.parents.as_slice()).unwrap_or_default();
            next.extend(parents.iter().filter_map(|sha| places.get(sha.as_str()).copied()));
        }
    }
    seen
}

/// The line of commits that ends at `at` and says the same as the pull request's own, one for one. Merges into the source branch
/// do not survive a rebase.
fn rebased(commits: &[Commit], places: &HashMap<&str, usize>, at: usize, own: &[Commit]) -> Option<Vec<usize>> {
    let (mut line, mut next) = (Vec::new(), Some(at));
    for commit in own.iter().filter(|c| c.parents.len() < 2) {
        // older ones may lie before the span
        let Some(place) = next else { break };
        let here = commits.get(place)?;
        if here.message.trim() != commit.message.trim() {
            return None;
        }
        line.push(place);
        next = here.parents.first().and_then(|sha| places.get(sha.as_str()).copied());
    }
    (!line.is_empty()).then_some(line)
}

fn sorted(all: HashSet<usize>) -> Vec<usize> {
    let mut all: Vec<usize> = all.into_iter().collect();
    all.sort_unstable();
    all
}

/// Whether `short` is a commit id, or the beginning of one that is long enough to mean one commit of a repository.
pub(super) fn is_abbreviation(short: &str, sha: &str) -> bool {
    short.len() >= 7 && sha.len() >= short.len() && sha.is_char_boundary(short.len()) && {
        sha.split_at(short.len()).0.eq_ignore_ascii_case(short)
    }
}

/// Names the commits of a change, as many as a record names.
pub(super) fn name_commits(change: &mut Change, commits: Vec<String>) {
    change.commit_count = (commits.len() > MOST_NAMED).then_some(commits.len() as u64);
    change.commits = commits;
    change.commits.truncate(MOST_NAMED);
}

/// Newest first, whichever way they were listed.
pub(super) fn newest_first(mut commits: Vec<Commit>) -> Vec<Commit> {
    let is_parent = |c: &Commit| commits.iter().any(|other| other.parents.contains(&c.sha));
    let turned = commits.first().is_some_and(is_parent) && commits.last().is_some_and(|c| !is_parent(c));
    if turned {
        commits.reverse();
    }
    commits
}

/// A commit id as people read it.
pub(super) fn short(sha: &str) -> &str {
    sha.get(..12).unwrap_or(sha)
}

#[cfg(test)]
#[path = "brought_tests.rs"]
mod tests;
