//! Reviews of a pull request, and whose word counts.

use super::shapes::{self, actor};
use super::{Asking, READ, repository, unread};
use crate::gather::forge::approval::is_same;
use crate::gather::forge::numbered;
use crate::gather::http::api::{List, segment};
use crate::record::pull_request_v1::{Review, ReviewState};

/// The reviews of one pull request.
pub(super) struct Given {
    /// Oldest first.
    pub(super) reviews: Vec<Review>,
    /// Of each whether the server counts its author's word.
    official: Vec<Option<bool>>,
    /// Why these are not all.
    pub(super) missing: Option<String>,
}

impl Given {
    /// Whether the reviewer may approve. The server says "official" of those who may; where no rule is there, old versions say it of
    /// nobody (`models/issues`, `IsOfficialReviewer`).
    pub(super) fn may(&self, review: &Review, protected: Option<bool>) -> Option<bool> {
        let same = |r: &Review| {
            r.submitted_on == review.submitted_on && r.state == review.state && r.reviewer == review.reviewer
        };
        let official = self.reviews.iter().position(same).and_then(|at| self.official.get(at).copied().flatten());
        match official {
            Some(true) => Some(true),
            Some(false) if protected == Some(true) => Some(false),
            _ => None,
        }
    }
}

pub(super) fn of(asking: &Asking, number: &str, head: Option<&str>, missing: &mut Vec<String>) -> Given {
    let way = format!("{}/pulls/{}/reviews?limit=50", repository(asking), segment(number));
    // the answer does not say where its next page is
    let pages = numbered::pages::<List<shapes::Review>>(asking.api, &way, |r| r.id.to_string(), &mut |_| true);
    let incomplete = pages.missing.map(|e| unread("its reviews", &e, READ));
    missing.extend(incomplete.clone());
    let mut all = pages.items;
    all.sort_by_key(|r| (r.submitted_at, r.id));
    let mut given = Given { reviews: Vec::new(), official: Vec::new(), missing: incomplete };
    for (at, told) in all.iter().enumerate() {
        let Some(mut review) = review(told, head) else { continue };
        // who is asked again has not said anything yet
        let asked = |later: &shapes::Review| {
            let who = actor(later.user.as_ref());
            later.state.as_deref() == Some("REQUEST_REVIEW")
                && who.is_some_and(|who| is_same(&who, &review.reviewer) == Some(true))
        };
        let again = all.iter().skip(at + 1).any(asked);
        if (told.dismissed == Some(true) || again && told.official == Some(false))
            && review.state != ReviewState::Commented
        {
            review.dismissed_state = Some(review.state);
            review.state = ReviewState::Dismissed;
        }
        given.reviews.push(review);
        given.official.push(told.official);
    }
    given
}

/// `None` for what is no review: a request for one, or a draft that only its author sees.
fn review(told: &shapes::Review, head: Option<&str>) -> Option<Review> {
    let state = match told.state.as_deref()? {
        "APPROVED" => ReviewState::Approved,
        "REQUEST_CHANGES" => ReviewState::ChangesRequested,
        "COMMENT" => ReviewState::Commented,
        _ => return None,
    };
    let commit = told.commit_id.clone().filter(|sha| !sha.is_empty());
    // the server calls a review stale only if the difference to the target changed
    let moved = head.zip(commit.as_deref()).map(|(head, commit)| head != commit);
    let stale = if told.stale == Some(true) { Some(true) } else { moved };
    Some(Review {
        reviewer: actor(told.user.as_ref()).unwrap_or_default(),
        state,
        dismissed_state: None,
        submitted_on: told.submitted_at,
        commit,
        stale,
        bot: told.user.as_ref().and_then(shapes::User::is_bot),
        author_is_reviewer: None,
        after_merge: None,
        on_behalf_of: told.team.iter().filter_map(|t| t.name.clone()).collect(),
        association: None,
        counts: None,
        why: None,
    })
}
