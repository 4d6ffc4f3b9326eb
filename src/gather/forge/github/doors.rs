//! The doors by which commits came, one after the other.

use super::bind::{Bound, Graph, bind};
use super::found::pulls_of;
use super::round::Round;
use super::shapes::Commit;
use std::collections::BTreeSet;

/// Commits for which GitHub is asked one by one.
const MOST_COMMITS: usize = 300;
/// Pull requests that are looked at.
const MOST_PULLS: usize = 100;

/// What came by which door.
#[derive(Default)]
pub(super) struct Doors {
    pub(super) pulls: Vec<Bound>,
    /// Commits that no pull request brought.
    pub(super) pushed: Vec<Commit>,
    /// Commits of which it cannot be told.
    pub(super) unknown: Vec<Commit>,
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
