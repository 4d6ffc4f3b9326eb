//! The commits of a span: those of its head that its base does not have.
//!
//! A head that is behind its base (a rollback) brings nothing that is new: no commits, and nothing is missing. A head that left its
//! base aside (rewritten history, another branch) brings its own commits, as `git log BASE..HEAD` would list them.

use super::super::Span;
use super::round::Round;
use super::shapes::{Commit, or_empty};
use crate::gather::http::api::{Page, segment};
use serde::Deserialize;

/// `compare/{base}...{head}`. Its commits are in the order of time; GitHub lists all of them, a page at a time.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Compared {
    total_commits: Option<i64>,
    #[serde(deserialize_with = "or_empty")]
    commits: Vec<Commit>,
}

impl Page for Compared {
    type Item = Commit;
    fn open(self) -> (Vec<Commit>, Option<String>, Option<u64>) {
        (self.commits, None, self.total_commits.and_then(|n| u64::try_from(n).ok()))
    }
}

/// The commits, newest first.
pub(super) fn commits(round: &mut Round, span: &Span) -> Vec<Commit> {
    let head = || Commit { sha: span.head.clone(), ..Commit::default() };
    let Some(base) = &span.base else {
        return match round.get::<Commit>(&format!("commits/{}", segment(&span.head)), "contents: read") {
            Ok(commit) => vec![Commit { sha: span.head.clone(), ..commit }],
            Err(unread) => {
                round.say("the parents", &format!("commit {}", span.head), &unread);
                vec![head()]
            }
        };
    };
    if *base == span.head {
        return Vec::new();
    }
    let path = format!("compare/{}...{}", segment(base), segment(&span.head));
    let (mut commits, told, unread) = round.pages::<Compared>(&path, "contents: read");
    commits.retain(|c| !c.sha.is_empty());
    let since = format!("{base}..{}", span.head);
    if let Some(unread) = unread {
        round.say("the commits", &since, &unread);
        if !commits.iter().any(|c| c.sha == span.head) {
            commits.push(head());
        }
    } else if let Some(told) = told.filter(|told| *told > commits.len() as u64) {
        round.note("all commits", &since, &format!("GitHub lists {} of {told}", commits.len()));
    }
    commits.reverse();
    commits
}
