//! Pushes to protected branches within a period: GitLab's own events of the project.

use super::changes::Desk;
use super::moved::{Moved, asked};
use super::protection::Protection;
use super::shapes::Event;
use super::user::User;
use super::{Asking, Collected, Period, audit, project, repository, unread};
use crate::gather::http::api::{List, Pages};
use chrono::{Days, NaiveDate};

pub(in super::super) fn pushes(asking: &Asking, period: &Period) -> Collected {
    let mut desk = Desk::default();
    let mut all = Collected { source: asking.api.place(), ..Collected::default() };
    all.repository = desk.settings(asking).map(repository);
    let standard = all.repository.as_ref().and_then(|r| r.default_branch.clone());
    let pages = events(asking, period);
    all.authentic = pages.read > 0;
    if let Some(e) = &pages.missing {
        all.missing.push(unread("the push events", e));
    }
    let mut protection = Protection::default();
    let mut elsewhere = 0_u64;
    for event in within(pages.items, period) {
        let data = event.push_data.clone().unwrap_or_default();
        if data.ref_type.as_deref().is_some_and(|kind| kind != "branch") {
            continue;
        }
        let (Some(branch), true) = (data.git_ref, data.ref_count.is_none_or(|n| n <= 1)) else {
            let on = event.created_at.map(|on| on.to_rfc3339()).unwrap_or_default();
            let many = data.ref_count.map(|n| n.to_string()).unwrap_or_else(|| "several".to_owned());
            all.missing.push(format!(
                "a push of {many} branches at once ({on}): GitLab keeps neither their names nor their commits"
            ));
            continue;
        };
        let protected = protection.of(asking, &branch, &mut all.missing);
        if protected == Some(false) && standard.as_deref() != Some(&branch) {
            elsewhere += 1;
            continue;
        }
        let moved = Moved {
            branch,
            before: data.commit_from,
            after: data.commit_to.filter(|_| data.action.as_deref() != Some("removed")),
            on: event.created_at,
            who: event.author.as_ref().and_then(User::known),
            protected,
        };
        let (push, bypasses) = asked(asking, &mut desk, moved);
        all.pushes.push(push);
        all.bypasses.extend(bypasses);
    }
    if elsewhere > 0 {
        all.passed_over.push(format!("{elsewhere} pushes to branches that are not protected"));
    }
    all.bypasses.extend(audit::of(asking, period, &mut all.missing));
    all.missing.extend(desk.missing);
    all
}

/// Push events of the days around a period. `after` and `before` are days, both exclusive, by the clock of the server's own zone: two
/// days more on each side hold all of the period, wherever that is. Oldest first, so that what is pushed meanwhile moves no page.
pub(super) fn events(asking: &Asking, period: &Period) -> Pages<Event> {
    let (from, to) = (period.from.date_naive(), period.to.date_naive());
    let after = from.checked_sub_days(Days::new(2)).unwrap_or(NaiveDate::MIN);
    let before = to.checked_add_days(Days::new(2)).unwrap_or(NaiveDate::MAX);
    let query = format!("action=pushed&after={after}&before={before}&sort=asc&per_page=100");
    asking.api.pages::<List<Event>>(&format!("{}/events?{query}", project(asking)))
}

/// Those of the period, oldest first, each once.
pub(super) fn within(mut events: Vec<Event>, period: &Period) -> Vec<Event> {
    events.retain(|event| event.created_at.is_some_and(|on| period.holds(on)));
    events.sort_by_key(|event| (event.created_at, event.id));
    events.dedup_by(|a, b| a.id.is_some() && a.id == b.id);
    events
}
