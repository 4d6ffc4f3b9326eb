//! What reviews come to. One rule for all forges:
//!
//! Of every reviewer the last opinion counts that they gave before the merge; a comment is no opinion. An opinion is an approval
//! if it is in favour, was not dismissed, is by a person who is neither the author nor wrote any of the commits, who may approve,
//! and if the source branch did not move after it. Whoever may approve, asked for changes and did not take that back stands
//! against. What cannot be told makes the verdict unknown as soon as it could turn it: unknown is not no, and not yes.

use crate::record::parts_v1::Actor;
use crate::record::pull_request_v1::{Approval, Approved, PullRequest, Review, ReviewState, Rules};
use chrono::{DateTime, Utc};

/// What a verdict over reviews stands on.
pub(super) struct Case<'a> {
    /// The pull request: its author, head and merge.
    pub(super) pull_request: &'a PullRequest,
    /// Who wrote or pushed commits of it, beside its author. `None` where that could not be read.
    pub(super) contributors: Option<&'a [Actor]>,
    /// Rules of the target branch, where they could be read.
    pub(super) rules: Option<&'a Rules>,
    /// Whether the reviewer may approve; `None` where that cannot be told.
    pub(super) may: &'a dyn Fn(&Review) -> Option<bool>,
    /// Why not all reviews are known; `None` when they are.
    pub(super) incomplete: Option<&'a str>,
}

/// Judges `reviews`, which are in the order in which they were given, and says of each whether it counts and why.
pub(super) fn judge(case: &Case, reviews: &mut [Review]) -> Approval {
    let merged_on = case.pull_request.merged_on;
    for review in reviews.iter_mut() {
        review.after_merge = after(review.submitted_on, merged_on);
        let same = case.pull_request.author.as_ref().and_then(|author| is_same(author, &review.reviewer));
        review.author_is_reviewer = review.author_is_reviewer.or(same);
    }
    let mut against = Against::default();
    for at in 0..reviews.len() {
        let (earlier, later) = reviews.split_at_mut(at + 1);
        let Some(review) = earlier.last_mut() else { continue };
        let superseded = superseded(case, review, later);
        let (counts, why) = one(case, review, superseded);
        match stands_against(case, review, superseded) {
            Some(true) => against.certain.push(name(&review.reviewer)),
            None => against.doubtful.push(name(&review.reviewer)),
            Some(false) => {}
        }
        review.counts = counts;
        review.why = Some(why.to_owned());
    }
    verdict(case, reviews, &against)
}

/// Who asked for changes.
#[derive(Default)]
struct Against {
    /// And did not take that back.
    certain: Vec<String>,
    /// And it cannot be told whether that stood at the merge.
    doubtful: Vec<String>,
}

/// Whether one of `later` took the place of `review`: another opinion of the same person, given before the merge.
fn superseded(case: &Case, review: &Review, later: &[Review]) -> Option<bool> {
    let mut doubt = false;
    for other in later.iter().filter(|r| is_opinion(r) && r.after_merge != Some(true)) {
        let timed = other.after_merge.is_some() || !merged(case);
        let same = match (is_gone(&other.reviewer), is_gone(&review.reviewer)) {
            // an account that is there is none that is gone
            (true, false) | (false, true) => Some(false),
            _ => is_same(&other.reviewer, &review.reviewer),
        };
        match same {
            Some(true) if timed => return Some(true),
            Some(false) => {}
            // one that may be of the same person, or may have been given in time
            _ => doubt = true,
        }
    }
    if doubt { None } else { Some(false) }
}

fn is_gone(actor: &Actor) -> bool {
    *actor == Actor::default()
}

fn is_opinion(review: &Review) -> bool {
    review.state != ReviewState::Commented
}

/// Whether a review asks for changes, and stood at the merge.
fn stands_against(case: &Case, review: &Review, superseded: Option<bool>) -> Option<bool> {
    let may = (case.may)(review);
    let asks = review.state == ReviewState::ChangesRequested;
    if !asks || superseded == Some(true) || review.after_merge == Some(true) || may == Some(false) {
        return Some(false);
    }
    let certain = superseded == Some(false) && may == Some(true) && (review.after_merge.is_some() || !merged(case));
    certain.then_some(true)
}

/// Whether one review counts as an approval, and why.
fn one(case: &Case, review: &Review, superseded: Option<bool>) -> (Option<bool>, &'static str) {
    let no = |why| (Some(false), why);
    match review.state {
        ReviewState::Commented => return no("a comment is no opinion"),
        ReviewState::ChangesRequested if superseded == Some(true) => return no("taken back by a later review"),
        ReviewState::ChangesRequested if review.after_merge == Some(true) => return no("given after the merge"),
        ReviewState::ChangesRequested if (case.may)(review) == Some(false) => {
            return no("asks for changes, and is by somebody who may not approve");
        }
        ReviewState::ChangesRequested => return no("asks for changes"),
        ReviewState::Dismissed => return no("dismissed"),
        ReviewState::Approved => {}
    }
    if superseded == Some(true) {
        return no("replaced by a later review of the same person");
    }
    if review.after_merge == Some(true) {
        return no("given after the merge");
    }
    if review.bot == Some(true) {
        return no("given by a machine account");
    }
    if review.author_is_reviewer == Some(true) {
        return no("given by the author");
    }
    let wrote = |a: &Actor| is_same(a, &review.reviewer) == Some(true);
    if case.contributors.is_some_and(|all| all.iter().any(wrote)) {
        return no("given by somebody who wrote commits of it");
    }
    if review.stale == Some(true) {
        return no("the source branch moved after it");
    }
    let may = (case.may)(review);
    if may == Some(false) {
        return no("given by somebody who may not approve");
    }
    let doubts = [
        (is_gone(&review.reviewer), "the account of the reviewer is gone, so nobody can be named"),
        (review.author_is_reviewer.is_none(), "the author is not known, so it may be their own"),
        (case.contributors.is_none(), "who wrote its commits could not be read, so it may be one of them"),
        (review.stale.is_none(), "which commit it was given for cannot be told"),
        (merged(case) && review.after_merge.is_none(), "when it was given cannot be told"),
        (superseded.is_none(), "whether a later review replaced it cannot be told"),
        (may.is_none(), "whether they may approve cannot be told"),
    ];
    match doubts.into_iter().find(|(doubt, _)| *doubt) {
        Some((_, why)) => (None, why),
        None => (Some(true), "in favour of what was merged, by somebody else than the author"),
    }
}

fn merged(case: &Case) -> bool {
    case.pull_request.merged_on.is_some()
}

fn verdict(case: &Case, reviews: &[Review], against: &Against) -> Approval {
    let distinct = |wanted: Option<bool>| {
        let mut people: Vec<&Actor> = Vec::new();
        for review in reviews.iter().filter(|r| r.counts == wanted) {
            // Of accounts that are gone nobody can say whether they are one.
            if is_gone(&review.reviewer) || !people.iter().any(|p| is_same(p, &review.reviewer) == Some(true)) {
                people.push(&review.reviewer);
            }
        }
        u32::try_from(people.len()).unwrap_or(u32::MAX)
    };
    let (counted, doubtful) = (distinct(Some(true)), distinct(None));
    let required = case.rules.and_then(|r| r.required_approvals);
    let needed = required.unwrap_or(1).max(1);
    let of = |n: u32| if n == 1 { "1 approval counts".to_owned() } else { format!("{n} approvals count") };
    let asked = match required {
        Some(0) => "; the rules ask for none".to_owned(),
        Some(n) => format!("; the rules ask for {n}"),
        None => String::new(),
    };
    let (verdict, why) = if let Some(why) = case.incomplete {
        // What is not known may take back what is: a request for changes as well as an approval.
        (Approved::Unknown, format!("not all reviews are known: {why}"))
    } else if !against.certain.is_empty() {
        (Approved::No, format!("{} asked for changes and did not take that back", against.certain.join(", ")))
    } else if counted >= needed && !against.doubtful.is_empty() {
        let who = against.doubtful.join(", ");
        (Approved::Unknown, format!("{}{asked}; whether {who} stood against it cannot be told", of(counted)))
    } else if counted >= needed {
        (Approved::Yes, format!("{}{asked}", of(counted)))
    } else if counted.saturating_add(doubtful) >= needed {
        let doubts = reviews.iter().find(|r| r.counts.is_none()).and_then(|r| r.why.as_deref()).unwrap_or_default();
        (Approved::Unknown, format!("{}{asked}; of {doubtful} more it cannot be told: {doubts}", of(counted)))
    } else if counted == 0 {
        let why = match reviews.iter().rev().find(|r| r.state == ReviewState::Approved).and_then(|r| r.why.as_deref()) {
            Some(why) => format!("no approval counts: the last one was {why}"),
            None => "nobody approved it".to_owned(),
        };
        (Approved::No, format!("{why}{asked}"))
    } else {
        (Approved::No, format!("{}{asked}", of(counted)))
    };
    Approval { verdict, counted, required, why }
}

/// Whether `time` is after the merge.
fn after(time: Option<DateTime<Utc>>, merged_on: Option<DateTime<Utc>>) -> Option<bool> {
    time.zip(merged_on).map(|(time, merged)| time > merged)
}

/// Whether two actors are one: by id where both have one, since logins can be renamed and reused; else by login. `None` where
/// neither can be compared.
pub(super) fn is_same(a: &Actor, b: &Actor) -> Option<bool> {
    match ((&a.id, &b.id), (&a.login, &b.login)) {
        ((Some(a), Some(b)), _) => Some(a == b),
        (_, (Some(a), Some(b))) => Some(a.eq_ignore_ascii_case(b)),
        _ => None,
    }
}

fn name(actor: &Actor) -> String {
    actor.login.clone().or_else(|| actor.id.clone()).unwrap_or_else(|| "somebody whose account is gone".to_owned())
}

#[cfg(test)]
#[path = "approval_tests.rs"]
mod tests;
