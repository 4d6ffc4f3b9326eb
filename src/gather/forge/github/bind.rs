//! Which pull request brought which commits. A pull request is bound by its merge commit, never by its number: GitHub names for a
//! commit every pull request that ever held it.

use super::pull;
use super::round::{Round, Unread};
use super::shapes::{Commit, Pull};
use crate::gather::http::api::segment;
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};

/// Commits for which GitHub is asked one by one.
const MOST_COMMITS: usize = 300;
/// Pull requests that are looked at.
const MOST_PULLS: usize = 100;
/// How long GitHub may take to know which pull request a commit came by.
const LATE: TimeDelta = TimeDelta::minutes(10);
/// Seconds that are waited for that, one after the other.
const WAITS: [u32; 4] = [2, 4, 8, 16];

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
    fn takes(&mut self, commit: &Commit) -> bool {
        let same = |c: &Commit| c.sha == commit.sha || c.print().is_some() && c.print() == commit.print();
        let takes = self.inner && self.own.iter().flatten().any(same);
        if takes {
            self.commits.push(commit.sha.clone());
        }
        takes
    }
}

/// What came by which door.
#[derive(Default)]
pub(super) struct Doors {
    pub(super) pulls: Vec<Bound>,
    /// Commits that no pull request brought.
    pub(super) pushed: Vec<Commit>,
    /// Commits of which it cannot be told.
    pub(super) unknown: Vec<Commit>,
}

/// The span as a graph.
struct Graph<'a> {
    commits: &'a [Commit],
    at: BTreeMap<&'a str, usize>,
}

impl<'a> Graph<'a> {
    fn new(commits: &'a [Commit]) -> Self {
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

/// The doors by which `commits` (newest first) came onto `branch`.
pub(super) fn doors(round: &mut Round, commits: &[Commit], branch: Option<&str>) -> Doors {
    let graph = Graph::new(commits);
    let (mut doors, mut taken, mut asked) = (Doors::default(), BTreeSet::new(), 0);
    for (i, commit) in commits.iter().enumerate() {
        if taken.contains(&i) || doors.pulls.iter_mut().any(|bound| bound.takes(commit)) {
            continue;
        }
        let of = format!("commit {}", commit.sha);
        if asked >= MOST_COMMITS || doors.pulls.len() >= MOST_PULLS {
            let why = format!("no more than {MOST_COMMITS} commits and {MOST_PULLS} pull requests are looked at");
            round.note("the pull request", &of, &why);
            doors.unknown.push(commit.clone());
            continue;
        }
        asked += 1;
        match pulls_of(round, commit, branch, &graph) {
            Ok(found) if found.is_empty() => doors.pushed.push(commit.clone()),
            Ok(found) => {
                for pull in found {
                    if let Some(known) = doors.pulls.iter_mut().find(|b| b.pull.number == pull.number) {
                        known.commits.push(commit.sha.clone());
                        continue;
                    }
                    let bound = bind(round, pull, i, &graph, &mut taken);
                    doors.pulls.push(bound);
                }
            }
            Err(unread) => {
                round.say("the pull request", &of, &unread);
                doors.unknown.push(commit.clone());
            }
        }
    }
    doors
}

/// The pull requests that brought `commit` onto `branch`. None: nobody can be told to have reviewed it there.
fn pulls_of(round: &mut Round, commit: &Commit, branch: Option<&str>, graph: &Graph) -> Result<Vec<Pull>, Unread> {
    let mut named = associated(round, commit);
    let mut found = merged_as(round, named.as_deref().unwrap_or_default(), commit, branch)?;
    if found.is_empty() {
        // GitHub writes the number into the subject long before it knows the association; the merge commit decides all the same.
        if let Some(number) = number_in(&commit.commit.message) {
            let pull = pull::detail(round, number);
            found.extend(pull.ok().filter(|p| p.became(&commit.sha) && p.goes_into(branch)));
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    if matches!(&named, Ok(none) if none.is_empty()) {
        named = wait_for(round, commit);
        found = merged_as(round, named.as_deref().unwrap_or_default(), commit, branch)?;
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let mut others = named?;
    others.retain(|p| p.merged_at.is_some() && p.goes_into(branch));
    others.sort_by_key(|p| p.merged_at);
    for other in others {
        if let Some(pull) = brought(round, &other, commit, graph)? {
            return Ok(vec![pull]);
        }
    }
    Ok(Vec::new())
}

fn associated(round: &mut Round, commit: &Commit) -> Result<Vec<Pull>, Unread> {
    let path = format!("commits/{}/pulls", segment(&commit.sha));
    match round.list(&path, "pull-requests: read") {
        (pulls, None) => Ok(pulls),
        (_, Some(unread)) => Err(unread),
    }
}

/// Asks again for a commit that is so new that GitHub may not know its pull request yet.
fn wait_for(round: &mut Round, commit: &Commit) -> Result<Vec<Pull>, Unread> {
    let now = round.asking.api.now();
    let is_new = commit.commit.committer.date.is_none_or(|date| now - date < LATE);
    if !is_new || round.waited {
        return Ok(Vec::new());
    }
    for seconds in WAITS {
        if !round.asking.api.wait(seconds) {
            let why = "GitHub names none yet, and there is no time left to wait until it may; say --api-patience";
            return Err(Unread::told(why));
        }
        let pulls = associated(round, commit)?;
        if !pulls.is_empty() {
            return Ok(pulls);
        }
    }
    round.waited = true;
    Ok(Vec::new())
}

/// Those of `named` that became this very commit.
fn merged_as(round: &mut Round, named: &[Pull], commit: &Commit, branch: Option<&str>) -> Result<Vec<Pull>, Unread> {
    let mut found = Vec::new();
    for pull in named.iter().filter(|p| p.became(&commit.sha) && p.goes_into(branch)) {
        let detail = pull::detail(round, pull.number)?;
        // a fork lists what its parent merged: there the number is another pull request's
        if detail.became(&commit.sha) && (detail.id == pull.id || pull.id.is_none()) {
            found.push(detail);
        }
    }
    Ok(found)
}

/// The pull request `other`, if it brought `commit` though it became another one: as an inner commit of a merge or a rebase.
fn brought(round: &mut Round, other: &Pull, commit: &Commit, graph: &Graph) -> Result<Option<Pull>, Unread> {
    let Some(merge) = other.merge_commit_sha.as_deref() else { return Ok(None) };
    let detail = pull::detail(round, other.number)?;
    if !detail.became(merge) || detail.id != other.id && other.id.is_some() {
        return Ok(None);
    }
    let fetched: Commit;
    let merged = match graph.at.get(merge).and_then(|i| graph.commits.get(*i)) {
        Some(merged) => merged,
        None => {
            fetched = round.get(&format!("commits/{}", segment(merge)), "contents: read")?;
            &fetched
        }
    };
    let (own, cut) = own(round, &detail);
    if let Some(unread) = cut.filter(|_| own.is_empty()) {
        return Err(unread);
    }
    let same = |c: &Commit| c.sha == commit.sha;
    let alike = |c: &Commit| c.print().is_some() && c.print() == commit.print();
    Ok(match method(merged, &own) {
        // what was squashed is on the branch only as the one commit that it became
        Some("squash") | None => None,
        Some("rebase") => own.iter().any(alike).then_some(detail),
        _ => own.iter().any(same).then_some(detail),
    })
}

/// The commits of a pull request's own branch, and why not all of them are known.
fn own(round: &mut Round, pull: &Pull) -> (Vec<Commit>, Option<Unread>) {
    let (own, unread) = round.list::<Commit>(&format!("pulls/{}/commits", pull.number), "pull-requests: read");
    // GitHub lists no more than 250 (REST docs, "List commits on a pull request")
    let told = pull.commits.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > own.len());
    let cut = told.map(|n| Unread::told(&format!("GitHub lists {} of {n}", own.len())));
    (own, unread.or(cut))
}

/// How a pull request became `merged`.
fn method(merged: &Commit, own: &[Commit]) -> Option<&'static str> {
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
fn bind(round: &mut Round, pull: Pull, i: usize, graph: &Graph, taken: &mut BTreeSet<usize>) -> Bound {
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

/// The number in `Merge pull request #7 from …` or at the end of `Title (#7)`.
fn number_in(message: &str) -> Option<i64> {
    let subject = message.lines().next()?.trim();
    let number = match subject.strip_prefix("Merge pull request #") {
        Some(rest) => rest.split(' ').next()?,
        None => subject.strip_suffix(')')?.rsplit_once("(#")?.1,
    };
    if number.len() > 9 || !number.bytes().all(|b| b.is_ascii_digit()) { None } else { number.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_that_github_writes_into_a_subject_is_found() {
        for (message, number) in [
            ("Merge pull request #7 from o/b\n\ntitle", Some(7)),
            ("Fix (#3) the till (#12)", Some(12)),
            ("Fix (#12)\n\n(#13)", Some(12)),
            ("Fix #12", None),
            ("Fix (#)", None),
            ("Fix (#12345678901)", None),
            ("Fix (#-1)", None),
            ("", None),
        ] {
            assert_eq!(number_in(message), number, "{message}");
        }
    }
}
