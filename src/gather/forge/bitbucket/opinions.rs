//! What people thought of a pull request, out of its activity log and of what its participants think now.
//!
//! The log says when an opinion was given; the participants say which still stands. Withdrawing one leaves no entry, and after the
//! merge Bitbucket refuses to withdraw, so what stands now stood at the merge.

use super::super::approval::is_same;
use super::super::brought;
use super::shapes::{Activity, Opinion, Participant, PullRequest, Update, User, actor};
use crate::record::parts_v1::Actor;
use crate::record::pull_request_v1::{Review, ReviewState};
use chrono::{DateTime, Utc};

/// Every opinion, oldest first. `whole`: the log is complete.
pub(super) fn of(told: &PullRequest, activity: &[Activity], whole: bool) -> Vec<Review> {
    let updates = updates(activity);
    let mut given: Vec<(ReviewState, &Opinion)> = Vec::new();
    for entry in activity {
        given.extend(entry.approval.as_ref().map(|o| (ReviewState::Approved, o)));
        given.extend(entry.changes_requested.as_ref().map(|o| (ReviewState::ChangesRequested, o)));
    }
    given.sort_by_key(|(_, opinion)| opinion.date);
    let participants = told.participants.as_deref().unwrap_or_default();
    let mut reviews: Vec<Review> = given
        .into_iter()
        .map(|(state, opinion)| {
            let commit = opinion.date.and_then(|on| head_at(&updates, on));
            let mut review = review(opinion.user.as_ref(), state);
            review.submitted_on = opinion.date;
            review.stale = stale(told.head(), commit, &updates, whole);
            review.commit = commit.map(str::to_owned);
            review.association = participants.iter().find(|p| is(p, &review.reviewer)).and_then(|p| p.role.clone());
            review
        })
        .collect();
    if told.participants.is_some() {
        for at in 0..reviews.len() {
            withdraw(&mut reviews, at, participants);
        }
    }
    for participant in participants {
        untimed(&mut reviews, participant);
    }
    reviews
}

/// The last opinion of somebody who thinks otherwise now was withdrawn, or reset when the source branch moved.
fn withdraw(reviews: &mut [Review], at: usize, participants: &[Participant]) {
    let Some(who) = reviews.get(at).map(|r| r.reviewer.clone()).filter(|who| *who != Actor::default()) else { return };
    let later = reviews.iter().skip(at + 1).any(|r| is_same(&r.reviewer, &who) == Some(true));
    let now = participants.iter().find(|p| is(p, &who)).and_then(thinks);
    if let Some(review) = reviews.get_mut(at).filter(|_| !later && now.is_none()) {
        review.dismissed_state = Some(review.state);
        review.state = ReviewState::Dismissed;
    }
}

/// An opinion that stands and that the log does not tell of: when it was given is not known.
fn untimed(reviews: &mut Vec<Review>, participant: &Participant) {
    let Some(state) = thinks(participant) else { return };
    let known = reviews.iter().rev().find(|r| is(participant, &r.reviewer));
    if known.is_none_or(|last| last.state != state) {
        let mut review = review(participant.user.as_ref(), state);
        review.association = participant.role.clone();
        reviews.push(review);
    }
}

fn review(user: Option<&User>, state: ReviewState) -> Review {
    Review {
        reviewer: actor(user).unwrap_or_default(),
        state,
        dismissed_state: None,
        submitted_on: None,
        commit: None,
        stale: None,
        bot: user.and_then(User::is_bot),
        author_is_reviewer: None,
        after_merge: None,
        on_behalf_of: Vec::new(),
        association: None,
        counts: None,
        why: None,
    }
}

fn is(participant: &Participant, who: &Actor) -> bool {
    actor(participant.user.as_ref()).is_some_and(|own| is_same(&own, who) == Some(true))
}

fn thinks(participant: &Participant) -> Option<ReviewState> {
    match participant.state.as_deref() {
        Some("approved") => Some(ReviewState::Approved),
        Some("changes_requested") => Some(ReviewState::ChangesRequested),
        _ if participant.approved == Some(true) => Some(ReviewState::Approved),
        _ => None,
    }
}

/// Updates with a date and a source commit, oldest first.
fn updates(activity: &[Activity]) -> Vec<(DateTime<Utc>, &str, &Update)> {
    let all = activity.iter().filter_map(|a| a.update.as_ref());
    let mut all: Vec<_> = all.filter_map(|u| Some((u.date?, u.source.as_ref()?.hash()?, u))).collect();
    all.sort_by_key(|(date, ..)| *date);
    all
}

/// The tip of the source branch at `on`.
fn head_at<'a>(updates: &[(DateTime<Utc>, &'a str, &Update)], on: DateTime<Utc>) -> Option<&'a str> {
    updates.iter().rev().find(|(date, ..)| *date <= on).map(|(_, hash, _)| *hash)
}

/// Whether the source branch moved after an opinion on `commit`.
fn stale(
    head: Option<&str>,
    commit: Option<&str>,
    updates: &[(DateTime<Utc>, &str, &Update)],
    whole: bool,
) -> Option<bool> {
    let head = head?;
    match commit {
        Some(commit) => Some(!same(head, commit)),
        // it never moved
        None if whole && !updates.is_empty() && updates.iter().all(|(_, hash, _)| same(head, hash)) => Some(false),
        None => None,
    }
}

fn same(a: &str, b: &str) -> bool {
    brought::is_abbreviation(a, b) || brought::is_abbreviation(b, a)
}

/// Who wrote commits of it, and who moved its source branch.
pub(super) fn contributors(own: &[brought::Commit], activity: &[Activity]) -> Vec<Actor> {
    let mut all: Vec<Actor> = own.iter().filter_map(|c| c.author.clone()).collect();
    let updates = updates(activity);
    for pair in updates.windows(2) {
        if let [(_, before, _), (_, after, update)] = pair
            && !same(before, after)
        {
            all.extend(actor(update.author.as_ref()));
        }
    }
    let mut once: Vec<Actor> = Vec::new();
    all.into_iter().for_each(|a| {
        if !once.contains(&a) {
            once.push(a)
        }
    });
    once
}
