//! The commits of a span.

use super::shapes::{Commit, Compare};
use super::{Asking, Span, project, short, unread};
use crate::gather::http::api::{List, segment};

/// Those of `head` that `base` does not have, newest first; with no base, or one that cannot be compared with, `head` alone.
pub(super) fn of(asking: &Asking, span: &Span, missing: &mut Vec<String>) -> Vec<Commit> {
    let Some(base) = span.base.as_deref().filter(|base| *base != span.head) else {
        return if span.base.is_some() { Vec::new() } else { vec![one(asking, &span.head)] };
    };
    let way = project(asking);
    // from the commit where both part: `straight` would list what only the old one has, too
    let compare = format!("{way}/repository/compare?from={}&to={}&straight=false", segment(base), segment(&span.head));
    let refused = match asking.api.get::<Compare>(&compare) {
        Ok(compare) => return newest_first(compare.commits, &span.head),
        Err(e) => e,
    };
    // a job's token may list commits where it may not compare
    let range = format!("{way}/repository/commits?ref_name={}..{}&per_page=100", segment(base), segment(&span.head));
    let listed = asking.api.pages::<List<Commit>>(&range);
    match listed.missing {
        None => listed.items,
        Some(_) => {
            let what = format!("the commits between {} and {}", short(base), short(&span.head));
            missing.push(format!("{}; only the deployed commit itself is looked at", unread(&what, &refused)));
            vec![one(asking, &span.head)]
        }
    }
}

/// A commit by itself. Its parents tell how it was merged; without them that stays open.
fn one(asking: &Asking, sha: &str) -> Commit {
    let way = format!("{}/repository/commits/{}", project(asking), segment(sha));
    let read = asking.api.get::<Commit>(&way).ok().filter(|commit| commit.id == sha);
    read.unwrap_or_else(|| Commit { id: sha.to_owned(), ..Commit::default() })
}

/// GitLab compares from the oldest to the newest.
fn newest_first(mut commits: Vec<Commit>, head: &str) -> Vec<Commit> {
    if commits.first().is_some_and(|first| first.id != head) {
        commits.reverse();
    }
    commits
}

/// Whether history went on from `before` to `after`: anything else is rewritten history.
pub(super) fn goes_on(asking: &Asking, before: &str, after: &str, missing: &mut Vec<String>) -> Option<bool> {
    let refs = format!("refs%5B%5D={}&refs%5B%5D={}", segment(before), segment(after));
    match asking.api.find::<Option<Commit>>(&format!("{}/repository/merge_base?{refs}", project(asking))) {
        Ok(Some(Some(base))) => Some(base.id == before),
        // both were there when they were pushed: a commit that is gone was thrown away
        Ok(_) => {
            missing.push(format!(
                "whether history was rewritten from {} to {} cannot be told: GitLab knows no common commit",
                short(before),
                short(after)
            ));
            None
        }
        Err(e) => {
            let what = format!("whether history was rewritten from {} to {}", short(before), short(after));
            missing.push(unread(&what, &e));
            None
        }
    }
}
