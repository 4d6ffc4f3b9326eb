//! The pull request of one commit. It is bound by its merge commit, never by its number: GitHub names for a commit every pull request
//! that ever held it.

use super::bind::{Graph, method, own};
use super::pull;
use super::round::{Round, Unread};
use super::shapes::{Commit, Pull};
use crate::gather::http::api::segment;
use chrono::TimeDelta;

/// How long GitHub may take to know which pull request a commit came by.
const LATE: TimeDelta = TimeDelta::minutes(10);
/// Seconds that are waited for that, one after the other.
const WAITS: [u32; 4] = [2, 4, 8, 16];

/// The pull requests that brought `commit` onto `branch`. None: nobody can be told to have reviewed it there.
pub(super) fn pulls_of(
    round: &mut Round,
    commit: &Commit,
    branch: Option<&str>,
    graph: &Graph,
) -> Result<Vec<Pull>, Unread> {
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
