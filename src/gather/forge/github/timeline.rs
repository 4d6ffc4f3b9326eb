//! What happened around a pull request: reviews that were dismissed and what they had said, a source branch that was rewritten,
//! the merge queue. Asked only where it can matter: it has an item for every comment and commit.

use super::pull::title;
use super::reviews::Told;
use super::round::Round;
use super::rules::Ruled;
use super::shapes::{Event, Pull};
use crate::record::pull_request_v1::ReviewState;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// The account that merges what a merge queue lets through.
const QUEUE: &str = "github-merge-queue";
/// The queue says that a pull request left it when it is merged, too; so long before the merge is for another reason.
const LEFT: TimeDelta = TimeDelta::seconds(30);

/// What the timeline tells.
#[derive(Default)]
pub(super) struct Timeline {
    /// By review: what it had said, and when it was dismissed.
    pub(super) dismissed: BTreeMap<i64, (Option<ReviewState>, Option<DateTime<Utc>>)>,
    /// When the source branch was rewritten.
    pub(super) rewritten: Vec<DateTime<Utc>>,
    /// Whether a merge queue merged it. Absent when nothing was asked that could tell.
    pub(super) by_queue: Option<bool>,
    /// Why dismissals are not all known.
    pub(super) unread: Option<String>,
}

pub(super) fn read(round: &mut Round, pull: &Pull, ruled: &Ruled, told: &Told, missing: &mut Vec<String>) -> Timeline {
    let mut timeline = Timeline::default();
    let merger = pull.merged_by.as_ref().and_then(|u| u.login.as_deref()).unwrap_or_default();
    let by_account = merger.trim_end_matches("[bot]") == QUEUE;
    timeline.by_queue = by_account.then_some(true);
    let asks_for_queue = !by_account && pull.merged_at.is_some() && ruled.queue != Some(false);
    let dismissed = told.items.iter().any(|r| r.state.as_deref() == Some("DISMISSED"));
    let unplaced = told.items.iter().any(|r| r.state.as_deref() == Some("APPROVED") && r.commit_id.is_none());
    if !asks_for_queue && !dismissed && !unplaced {
        return timeline;
    }
    let (events, unread) = round.list::<Event>(&format!("issues/{}/timeline", pull.number), "pull-requests: read");
    let mut queued = false;
    for event in events {
        let in_time = |at: DateTime<Utc>| pull.merged_at.is_none_or(|merged| at <= merged);
        match (event.event.as_deref(), event.created_at) {
            (Some("review_dismissed"), at) => {
                let was = event.dismissed_review.unwrap_or_default();
                let state = was.state.as_deref().and_then(super::reviews::state);
                timeline.dismissed.extend(was.review_id.map(|id| (id, (state, at))));
            }
            (Some("head_ref_force_pushed"), Some(at)) => timeline.rewritten.push(at),
            (Some("added_to_merge_queue"), Some(at)) if in_time(at) => queued = true,
            (Some("removed_from_merge_queue"), Some(at)) if pull.merged_at.is_some_and(|merged| at < merged - LEFT) => {
                queued = false;
            }
            _ => {}
        }
    }
    let placed = |id: i64| matches!(timeline.dismissed.get(&id), Some((Some(_), Some(_))));
    let mut of_dismissed = told.items.iter().filter(|r| r.state.as_deref() == Some("DISMISSED"));
    let untold = pull.merged_at.is_some() && of_dismissed.any(|r| !r.id.is_some_and(placed));
    if let Some(unread) = &unread {
        missing.push(round.say("the timeline", &title(pull), unread));
        timeline.by_queue = timeline.by_queue.or(queued.then_some(true));
    } else {
        timeline.by_queue = timeline.by_queue.or(Some(queued));
    }
    timeline.unread = match unread {
        Some(unread) if untold => Some(format!("the timeline could not be read: {}", unread.why)),
        None if untold => {
            let why = "the timeline does not say when a review was dismissed, nor what it had said";
            missing.push(round.note("dismissals", &title(pull), why));
            Some(why.to_owned())
        }
        _ => None,
    };
    timeline
}
