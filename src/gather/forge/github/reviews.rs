//! Reviews of a pull request: all of them, with what the pull request itself says of each, for the one rule in `approval.rs`.

use super::super::approval::{self, Case};
use super::pull::title;
use super::round::{Round, Unread};
use super::shapes::{Permission, Pull, ReviewItem, User, actor, short};
use super::timeline::Timeline;
use crate::gather::http::api::segment;
use crate::gather::report::quoted;
use crate::record::parts_v1::Actor;
use crate::record::pull_request_v1::{Approval, PullRequest, Review, ReviewState, Rules};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// Reviews that are kept; where there are more, comments are left out first.
const MOST: usize = 1000;
/// How long after a merge somebody's rights are still taken for those that they had at the merge.
const RIGHTS_LAST: TimeDelta = TimeDelta::days(7);

/// Reviews as GitHub tells them, oldest first.
pub(super) struct Told {
    pub(super) items: Vec<ReviewItem>,
    /// Why they are not all.
    unread: Option<String>,
}

pub(super) fn read(round: &mut Round, pull: &Pull, missing: &mut Vec<String>) -> Told {
    let (mut items, unread) =
        round.list::<ReviewItem>(&format!("pulls/{}/reviews", pull.number), "pull-requests: read");
    // one that is not submitted yet is seen by who writes it only
    items.retain(|r| r.state.as_deref() != Some("PENDING"));
    let strange = items.iter().any(|r| r.state.as_deref().and_then(state).is_none());
    let mut unread = unread.or(strange.then(|| Unread::told("a review has a state that is not known here")));
    if items.len() > MOST {
        items.retain(|r| r.state.as_deref() != Some("COMMENTED"));
        let cut = items.len().saturating_sub(MOST);
        if cut > 0 {
            items.drain(..cut);
            unread = unread.or(Some(Unread::told(&format!("no more than {MOST} of them are kept"))));
        }
    }
    if let Some(unread) = &unread {
        missing.push(round.say("all reviews", &title(pull), unread));
    }
    Told { items, unread: unread.map(|u| u.why) }
}

/// What a state's word means, in the capitals of reviews or the small letters of the timeline.
pub(super) fn state(word: &str) -> Option<ReviewState> {
    match word.to_ascii_lowercase().as_str() {
        "approved" => Some(ReviewState::Approved),
        "changes_requested" => Some(ReviewState::ChangesRequested),
        "commented" => Some(ReviewState::Commented),
        "dismissed" => Some(ReviewState::Dismissed),
        _ => None,
    }
}

/// What a verdict needs beside the reviews.
pub(super) struct Beside<'a> {
    pub(super) contributors: Option<&'a [Actor]>,
    /// Why those are not all.
    pub(super) cut: Option<String>,
    pub(super) rules: Option<&'a Rules>,
}

/// The reviews and what they come to.
pub(super) fn judged(
    round: &mut Round,
    pull: &Pull,
    facts: &PullRequest,
    told: Told,
    timeline: &Timeline,
    beside: Beside,
    missing: &mut Vec<String>,
) -> (Vec<Review>, Approval) {
    let users: Vec<_> = told.items.iter().map(|r| r.user.clone()).collect();
    let mut late = Vec::new();
    let mut reviews: Vec<Review> = told.items.iter().map(|item| review(item, pull, timeline, &mut late)).collect();
    let rights = rights(round, pull, &reviews, &users, missing);
    let may = |review: &Review| match review.association.as_deref() {
        // who may be a machine account, or the author, for all that is told
        _ if (review.bot.is_none() || review.reviewer.id.is_none()) && review.reviewer != Actor::default() => None,
        Some("OWNER" | "MEMBER" | "COLLABORATOR") => Some(true),
        Some("FIRST_TIMER" | "FIRST_TIME_CONTRIBUTOR" | "MANNEQUIN") => Some(false),
        _ => review.reviewer.login.as_ref().and_then(|login| rights.get(login).copied().flatten()),
    };
    let cut = beside.contributors.and(beside.cut).map(|why| format!("not all who wrote its commits are known: {why}"));
    let incomplete = told.unread.or_else(|| timeline.unread.clone()).or(cut);
    let case = Case {
        pull_request: facts,
        contributors: beside.contributors,
        rules: beside.rules,
        may: &may,
        incomplete: incomplete.as_deref(),
    };
    let approval = approval::judge(&case, &mut reviews);
    let again: Vec<Actor> = pull.requested_reviewers.iter().filter_map(|u| actor(Some(u))).collect();
    for (at, review) in reviews.iter_mut().enumerate() {
        let mut add = |more: &str| review.why = review.why.take().map(|why| format!("{why}; {more}"));
        if late.iter().any(|id| Some(*id) == told.items.get(at).and_then(|i| i.id)) {
            add("it was dismissed, but only after the merge");
        }
        if again.iter().any(|a| approval::is_same(a, &review.reviewer) == Some(true)) {
            review.why =
                review.why.take().map(|why| format!("{why}; their review was asked for again and is still open"));
        }
    }
    (reviews, approval)
}

/// One review. Those that were dismissed only after the merge stood at the merge: they are added to `late`.
fn review(item: &ReviewItem, pull: &Pull, timeline: &Timeline, late: &mut Vec<i64>) -> Review {
    let mut is = item.state.as_deref().and_then(state).unwrap_or(ReviewState::Commented);
    let mut was = None;
    if let (ReviewState::Dismissed, Some((former, at))) = (is, item.id.and_then(|id| timeline.dismissed.get(&id))) {
        was = *former;
        let after = at.zip(pull.merged_at).is_some_and(|(at, merged)| at > merged);
        if let (true, Some(former)) = (after, *former) {
            (is, was) = (former, None);
            late.extend(item.id);
        }
    }
    let stale = match (&item.commit_id, &pull.head.sha) {
        (Some(reviewed), Some(head)) => Some(reviewed != head),
        // the commit is gone when the branch was rewritten after the review
        _ if item.submitted_at.is_some_and(|on| timeline.rewritten.iter().any(|at| *at > on)) => Some(true),
        _ => None,
    };
    Review {
        reviewer: actor(item.user.as_ref()).unwrap_or_default(),
        state: is,
        dismissed_state: was,
        submitted_on: item.submitted_at,
        commit: item.commit_id.as_deref().map(short),
        stale,
        bot: item.user.as_ref().and_then(User::is_bot),
        author_is_reviewer: None,
        after_merge: None,
        // REST does not tell for which team they spoke
        on_behalf_of: Vec::new(),
        association: item.author_association.as_deref().map(short),
        counts: None,
        why: None,
    }
}

/// The rights of those whose association does not tell them: a member whose membership is private looks like anybody.
fn rights(
    round: &mut Round,
    pull: &Pull,
    reviews: &[Review],
    users: &[Option<User>],
    missing: &mut Vec<String>,
) -> BTreeMap<String, Option<bool>> {
    let mut rights = BTreeMap::new();
    let author = pull.user.as_ref().and_then(|u| u.id);
    for (review, user) in reviews.iter().zip(users) {
        let Some(login) = &review.reviewer.login else { continue };
        let opinion = matches!(review.state, ReviewState::Approved | ReviewState::ChangesRequested);
        let told = ["OWNER", "MEMBER", "COLLABORATOR", "FIRST_TIMER", "FIRST_TIME_CONTRIBUTOR", "MANNEQUIN"];
        let told = review.association.as_deref().is_some_and(|a| told.contains(&a));
        let own = author.is_some() && user.as_ref().and_then(|u| u.id) == author;
        if !opinion || told || own || review.bot == Some(true) || rights.contains_key(login) {
            continue;
        }
        let may = match of(round, login) {
            Ok(may) => {
                let now = round.asking.api.now();
                let long_ago = pull.merged_at.is_some_and(|at| now - at > RIGHTS_LAST);
                // who may not today may have left since
                (may || !long_ago).then_some(may)
            }
            Err(why) => {
                let whose = quoted(login);
                missing.push(round.note("the rights", &whose, &why));
                None
            }
        };
        rights.insert(login.clone(), may);
    }
    rights
}

fn of(round: &mut Round, login: &str) -> Result<bool, String> {
    if let Some(known) = round.rights.get(login) {
        return known.clone();
    }
    let path = format!("collaborators/{}/permission", segment(login));
    let told = match round.get::<Permission>(&path, "metadata: read") {
        Ok(told) => match told.permission.as_deref() {
            Some("admin" | "write" | "maintain") => Ok(true),
            Some("read" | "none" | "triage") => Ok(false),
            _ => Err("GitHub's word for them is not known here".to_owned()),
        },
        Err(unread) => Err(unread.why),
    };
    round.rights.insert(login.to_owned(), told.clone());
    told
}
