//! A pull request, and all commits of the span that came with it.

use super::pull;
use super::round::{Round, Unread};
use super::shapes::{Commit, Pull};
use std::collections::{BTreeMap, BTreeSet};

/// A pull request and the commits of the span that it brought.
pub(super) struct Bound {
    pub(super) pull: Pull,
    /// Newest first.
    pub(super) commits: Vec<String>,
    /// Commits of its own branch, as far as GitHub lists them; `None` where they could not be read.
    pub(super) own: Option<Vec<Commit>>,
    /// Why not all of them are known.
    pub(super) own_cut: Option<String>,
    /// `merge`, `squash`, `rebase`, `fastForward`.
    pub(super) method: Option<&'static str>,
    /// Whether its merge commit is not of the span: only commits of its own branch are.
    inner: bool,
    pub(super) missing: Vec<String>,
}

impl Bound {
    /// Takes a commit that came with others of its branch.
    pub(super) fn takes(&mut self, commit: &Commit) -> bool {
        let same = |c: &Commit| c.sha == commit.sha || c.print().is_some() && c.print() == commit.print();
        let takes = self.inner && self.own.iter().flatten().any(same);
        if takes {
            self.commits.push(commit.sha.clone());
        }
        takes
    }
}

/// The span as a graph.
pub(super) struct Graph<'a> {
    pub(super) commits: &'a [Commit],
    pub(super) at: BTreeMap<&'a str, usize>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(commits: &'a [Commit]) -> Self {
        Self { commits, at: commits.iter().enumerate().map(|(i, c)| (c.sha.as_str(), i)).collect() }
    }

    /// Everything within the span that can be reached from `from`.
    fn reach(&self, from: &[&str]) -> BTreeSet<usize> {
        let mut todo: Vec<usize> = from.iter().filter_map(|sha| self.at.get(sha).copied()).collect();
        let mut seen = BTreeSet::new();
        while let Some(i) = todo.pop() {
            if seen.insert(i) {
                let parents = self.commits.get(i).map(Commit::parents).unwrap_or_default();
                todo.extend(parents.iter().filter_map(|sha| self.at.get(sha).copied()));
            }
        }
        seen
    }
}

/// The commits of a pull request's own branch, and why not all of them are known.
pub(super) fn own(round: &mut Round, pull: &Pull) -> (Vec<Commit>, Option<Unread>) {
    let (own, unread) = round.list::<Commit>(&format!("pulls/{}/commits", pull.number), "pull-requests: read");
    // GitHub lists no more than 250 (REST docs, "List commits on a pull request")
    let told = pull.commits.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > own.len());
    let cut = told.map(|n| Unread::told(&format!("GitHub lists {} of {n}", own.len())));
    (own, unread.or(cut))
}

/// How a pull request became `merged`.
pub(super) fn method(merged: &Commit, own: &[Commit]) -> Option<&'static str> {
    if merged.parents().len() > 1 {
        return Some("merge");
    }
    if merged.parents().is_empty() || own.is_empty() {
        return None;
    }
    if own.iter().any(|c| c.sha == merged.sha) {
        // its own last commit, pushed by hand
        return Some("fastForward");
    }
    // a rebase keeps author, time and message; a squash is written when it is merged
    let print = merged.print()?;
    Some(if own.iter().any(|c| c.print() == Some(print)) { "rebase" } else { "squash" })
}

/// Binds a pull request to the commit at `i`, and to all others of the span that came with it.
pub(super) fn bind(round: &mut Round, pull: Pull, i: usize, graph: &Graph, taken: &mut BTreeSet<usize>) -> Bound {
    let (own, cut) = own(round, &pull);
    let mut missing = Vec::new();
    if let Some(unread) = &cut {
        missing.push(round.say("all commits", &pull::title(&pull), unread));
    }
    let commit = graph.commits.get(i).cloned().unwrap_or_default();
    let became = pull.became(&commit.sha);
    let method = if became { method(&commit, &own) } else { None };
    let mut mine = BTreeSet::from([i]);
    let listed = own.iter().filter_map(|c| graph.at.get(c.sha.as_str()).copied());
    let parents = commit.parents();
    match method {
        Some("merge") => {
            let merged = parents.get(1..).unwrap_or_default();
            if merged.iter().any(|sha| Some(*sha) == pull.head.sha.as_deref()) {
                let before = graph.reach(parents.get(..1).unwrap_or_default());
                mine.extend(graph.reach(merged).difference(&before));
            } else {
                // merged by hand: whatever else came with it is not the pull request's
                mine.extend(listed);
            }
        }
        Some("fastForward") => mine.extend(listed),
        Some("rebase") => {
            let prints: BTreeSet<_> = own.iter().filter_map(Commit::print).collect();
            let mut at = Some(&commit);
            for _ in 1..own.len() {
                at = at.and_then(|c| graph.at.get(*c.parents().first()?)).and_then(|i| graph.commits.get(*i));
                let Some(next) = at.filter(|c| c.parents().len() == 1) else { break };
                if !next.print().is_some_and(|print| prints.contains(&print)) {
                    break;
                }
                mine.extend(graph.at.get(next.sha.as_str()));
            }
        }
        _ => {}
    }
    mine.retain(|j| *j == i || !taken.contains(j));
    taken.extend(&mine);
    let commits = mine.iter().filter_map(|j| graph.commits.get(*j)).map(|c| c.sha.clone()).collect();
    let (own_cut, known) = (cut.map(|unread| unread.why), !own.is_empty());
    Bound { pull, commits, own: known.then_some(own), own_cut, method, inner: !became, missing }
}

/// A pull request that is open, with the commit that the platform runs for.
pub(super) fn unmerged(round: &mut Round, pull: Pull, head: &str) -> Bound {
    let (own, cut) = own(round, &pull);
    let missing = cut.iter().map(|unread| round.say("all commits", &pull::title(&pull), unread)).collect();
    let own_cut = cut.map(|unread| unread.why);
    let own = (!own.is_empty()).then_some(own);
    Bound { pull, commits: vec![head.to_owned()], own, own_cut, method: None, inner: false, missing }
}
