//! Approvals of a merge request: what the list of them holds now, and what GitLab noted about each when it happened.
//!
//! The list has no history and, before GitLab 18, no time; a job's token may not read it. The notes have both, and anybody who may
//! read the merge request reads them. Each fills the gaps of the other.

use super::notes::{self, Noted, What};
use super::shapes::{ApprovalRule, ApprovalState, Approvals, Commit, MergeRequest, Reviewer};
use super::user::User;
use super::versions::{self, Versions};
use super::{Asking, merge_request, unread};
use crate::gather::forge::approval::{Case, is_same, judge};
use crate::gather::http::api::{ApiError, List};
use crate::record::parts_v1::Actor;
use crate::record::pull_request_v1::{Approval, Approved, PullRequest, Review, ReviewState, Rules};
use chrono::{DateTime, Utc};

/// What was made of them.
pub(super) struct Reviewed {
    pub reviews: Vec<Review>,
    pub approval: Approval,
    /// Who merged past a request for changes, and when.
    pub overridden: Option<(Actor, Option<DateTime<Utc>>)>,
}

pub(super) fn of(
    asking: &Asking,
    mr: &MergeRequest,
    commits: &[Commit],
    pull_request: &PullRequest,
    rules: &mut Rules,
    missing: &mut Vec<String>,
) -> Reviewed {
    let way = merge_request(asking, &pull_request.number);
    let listed = asking.api.get::<Approvals>(&format!("{way}/approvals"));
    let (noted, cut) = notes::of(asking, &pull_request.number);
    let mut reviews = of_notes(&noted, mr.merged_at);
    let mut incomplete = None;
    if let Some(e) = &cut {
        missing.push(unread("the notes of GitLab about it, which tell who approved and took that back,", e));
        if !of_reviewers(asking, &way, &mut reviews) {
            incomplete = Some("the notes about it could not be read");
        }
    }
    let state = match &listed {
        Ok(listed) => {
            with_list(&mut reviews, listed);
            rules.required_approvals = listed.approvals_required;
            state(asking, &way, missing)
        }
        Err(e) => {
            let without = if cut.is_none() {
                "; they are taken from the notes about it, and how many it needs is not known"
            } else {
                ""
            };
            missing.push(format!("{}{without}", unread("its approvals", e)));
            if cut.is_some() {
                incomplete = Some("neither approvals nor the notes about them could be read");
            }
            None
        }
    };
    if let Some(most) = state.iter().flat_map(|s| &s.rules).filter_map(|rule| rule.approvals_required).max() {
        // one person may meet several rules; their sum is no number of people
        rules.required_approvals = Some(most);
    }
    let versions = if reviews.is_empty() && !noted.iter().any(|n| n.what == What::Pushed) {
        Ok(Versions::default())
    } else {
        versions::of(asking, &pull_request.number)
    };
    if let Err(e) = &versions {
        missing.push(unread("the versions of its source branch, which tell what an approval was given for,", e));
    }
    let versions = versions.unwrap_or_default();
    for review in &mut reviews {
        (review.commit, review.stale) = versions.stale(review.submitted_on, mr.sha.as_deref());
    }
    let wrote = contributors(&noted, &versions, commits);
    if commits.iter().any(|c| is_namesake(c, mr, &reviews, &wrote)) {
        missing.push("a commit of it was written by somebody of the same name as a reviewer: whether it is the same person is not known".to_owned());
    }
    let unmet = state.iter().flat_map(|s| &s.rules).find(|rule| is_unmet(rule));
    let case = Case {
        pull_request,
        contributors: cut.is_none().then_some(&wrote),
        rules: Some(rules),
        may: &|review| may(state.as_ref().map_or(&[], |state| &state.rules), review),
        incomplete,
    };
    let mut approval = judge(&case, &mut reviews);
    if let (Approved::Yes, Some(rule)) = (approval.verdict, unmet) {
        approval.verdict = Approved::No;
        approval.why = format!("the approval rule {} is not met; {}", name(rule), approval.why);
    }
    let overridden = noted.iter().rev().find(|n| matches!(n.what, What::Overridden | What::NotOverridden));
    let overridden = overridden.filter(|n| n.what == What::Overridden).map(|n| (n.who.actor(), n.on));
    Reviewed { reviews, approval, overridden }
}

fn review(who: &User, state: ReviewState, on: Option<DateTime<Utc>>) -> Review {
    Review {
        reviewer: who.actor(),
        state,
        dismissed_state: None,
        submitted_on: on,
        commit: None,
        stale: None,
        bot: who.is_bot(),
        author_is_reviewer: None,
        after_merge: None,
        on_behalf_of: Vec::new(),
        association: None,
        counts: None,
        why: None,
    }
}

/// The log as reviews. What was taken back after the merge stood at the merge.
fn of_notes(noted: &[Noted], merged: Option<DateTime<Utc>>) -> Vec<Review> {
    let mut reviews: Vec<Review> = Vec::new();
    for note in noted {
        let late = matches!((note.on, merged), (Some(on), Some(merged)) if on > merged);
        match &note.what {
            What::Approved => reviews.push(review(&note.who, ReviewState::Approved, note.on)),
            What::ChangesRequested => reviews.push(review(&note.who, ReviewState::ChangesRequested, note.on)),
            What::Unapproved if !late => {
                let who = note.who.actor();
                reviews.iter_mut().filter(|r| is_same(&r.reviewer, &who) == Some(true)).for_each(dismiss);
            }
            What::Reset(names) if !late => {
                let named = |r: &Review| {
                    r.reviewer
                        .login
                        .as_ref()
                        .is_some_and(|login| names.iter().any(|name| name.eq_ignore_ascii_case(login)))
                };
                reviews.iter_mut().filter(|r| named(r)).for_each(dismiss);
            }
            _ => {}
        }
    }
    reviews
}

/// A request for changes stands until its author approves.
fn dismiss(review: &mut Review) {
    if review.state == ReviewState::Approved {
        review.state = ReviewState::Dismissed;
        review.dismissed_state = Some(ReviewState::Approved);
    }
}

/// What the list of approvals adds: times, and approvals that nobody noted. An approval that it does not hold any more was taken away.
fn with_list(reviews: &mut Vec<Review>, listed: &Approvals) {
    let actors: Vec<Actor> = listed.approved_by.iter().filter_map(|a| a.user.as_ref()).map(User::actor).collect();
    for review in reviews.iter_mut().filter(|r| r.reviewer != Actor::default()) {
        if !actors.iter().any(|actor| is_same(actor, &review.reviewer) == Some(true)) {
            dismiss(review);
        }
    }
    let gone = reviews.iter().filter(|r| r.reviewer == Actor::default()).count();
    let mut gone_listed = 0;
    for approved in &listed.approved_by {
        let user = approved.user.clone().unwrap_or_default();
        let who = user.actor();
        if who == Actor::default() {
            gone_listed += 1;
            if gone_listed > gone {
                reviews.push(review(&user, ReviewState::Approved, approved.approved_at));
            }
            continue;
        }
        let last = reviews.iter_mut().rev().find(|r| is_same(&r.reviewer, &who) == Some(true));
        match last {
            Some(last) if last.state == ReviewState::Approved => {
                last.submitted_on = approved.approved_at.or(last.submitted_on)
            }
            // asked for changes afterwards: that is the later opinion
            Some(last) if last.state == ReviewState::ChangesRequested && approved.approved_at <= last.submitted_on => {}
            _ => reviews.push(review(&user, ReviewState::Approved, approved.approved_at)),
        }
    }
    reviews.sort_by_key(|r| r.submitted_on);
}

/// Who asked for changes, where no note tells it; whether that could be read.
fn of_reviewers(asking: &Asking, way: &str, reviews: &mut Vec<Review>) -> bool {
    let pages = asking.api.pages::<List<Reviewer>>(&format!("{way}/reviewers?per_page=100"));
    for reviewer in pages.items.iter().filter(|r| r.state.as_deref() == Some("requested_changes")) {
        let user = reviewer.user.clone().unwrap_or_default();
        reviews.push(review(&user, ReviewState::ChangesRequested, None));
    }
    pages.missing.is_none()
}

/// The rules of Premium as they stood at the merge. The free edition has none, and says 404.
fn state(asking: &Asking, way: &str, missing: &mut Vec<String>) -> Option<ApprovalState> {
    match asking.api.find::<ApprovalState>(&format!("{way}/approval_state")) {
        Ok(state) => state,
        Err(ApiError::Forbidden(..)) => None,
        Err(e) => {
            missing.push(unread("its approval rules", &e));
            None
        }
    }
}

fn is_unmet(rule: &ApprovalRule) -> bool {
    rule.approved == Some(false) && rule.approvals_required.is_some_and(|n| n > 0)
}

fn name(rule: &ApprovalRule) -> String {
    let name = rule.name.as_deref().filter(|n| !n.is_empty()).or(rule.rule_type.as_deref()).unwrap_or("without a name");
    format!("`{name}`: {} of {}", rule.approved_by.len(), rule.approvals_required.unwrap_or_default())
}

/// Whether somebody may approve. GitLab takes opinions from nobody below the role of a Developer, so who gave one may, unless the
/// rules name others. Asking for changes holds up a merge whoever the rules name.
fn may(rules: &[ApprovalRule], review: &Review) -> Option<bool> {
    let asking: Vec<&ApprovalRule> = rules.iter().filter(|r| r.approvals_required.is_some_and(|n| n > 0)).collect();
    let anybody = asking.is_empty() || asking.iter().any(|r| r.rule_type.as_deref() == Some("any_approver"));
    if anybody || review.state == ReviewState::ChangesRequested {
        return Some(true);
    }
    let named = |r: &ApprovalRule| {
        r.eligible_approvers.iter().chain(&r.approved_by).any(|u| is_same(&u.actor(), &review.reviewer) == Some(true))
    };
    if asking.iter().any(|r| named(r)) {
        return Some(true);
    }
    (!asking.iter().any(|r| r.contains_hidden_groups == Some(true))).then_some(false)
}

/// Who wrote it, as far as GitLab ties that to an account: who pushed to it once it was open, and whose commits carry the address
/// that GitLab gives to an account. Other addresses are nobody's id.
fn contributors(noted: &[Noted], versions: &Versions, commits: &[Commit]) -> Vec<Actor> {
    let pushed = noted.iter().filter(|n| n.what == What::Pushed && versions.changed(n.on));
    let private = commits.iter().flat_map(|c| [&c.author_email, &c.committer_email]).flatten();
    pushed.filter_map(|n| n.who.known()).chain(private.filter_map(|address| of_private_address(address))).collect()
}

/// `12-bob@users.noreply.gitlab.com` (GitLab docs, "Use an automatically-generated private commit email").
fn of_private_address(address: &str) -> Option<Actor> {
    let (account, host) = address.split_once('@')?;
    let (id, login) = account.split_once('-').filter(|_| host.starts_with("users.noreply."))?;
    let id = Some(id).filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()));
    Some(Actor { id: Some(id?.to_owned()), login: Some(login.to_owned()), name: None })
}

/// Whether a commit names as its author somebody who is called as an approver is, and not as the author of the merge request. A name
/// is no identity: it changes no verdict.
fn is_namesake(commit: &Commit, mr: &MergeRequest, reviews: &[Review], wrote: &[Actor]) -> bool {
    let Some(name) = commit.author_name.as_deref().filter(|name| !name.is_empty()) else { return false };
    let known = |r: &Review| wrote.iter().any(|a| is_same(a, &r.reviewer) == Some(true));
    let called = |r: &Review| r.state == ReviewState::Approved && r.reviewer.name.as_deref() == Some(name) && !known(r);
    mr.author.as_ref().is_none_or(|a| a.name.as_deref() != Some(name)) && reviews.iter().any(called)
}
