//! Workflow runs of a period: a search of GitHub's, which tells no more than a thousand.

use super::answers::{Account, Told, path};
use super::population::{add, bare, put};
use crate::gather::forge::{Asking, Period, Population};
use crate::gather::http::api::Page;
use crate::record::population_v1::{Item, ItemKind};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;

/// Runs that one search answers at most (REST API, "List workflow runs for a repository").
const MOST_FOUND: u64 = 1000;
/// Searches into which a period is cut.
const MOST_SEARCHES: usize = 200;

#[derive(Deserialize)]
struct Runs {
    total_count: Option<u64>,
    workflow_runs: Option<Vec<Told<Run>>>,
}

#[derive(Deserialize)]
struct Counted {
    total_count: u64,
}

#[derive(Deserialize)]
struct Run {
    id: i64,
    run_attempt: Option<u32>,
    name: Option<String>,
    html_url: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
    created_at: DateTime<Utc>,
    head_sha: Option<String>,
    head_branch: Option<String>,
    actor: Option<Account>,
    triggering_actor: Option<Account>,
}

impl Page for Runs {
    type Item = Told<Run>;
    fn open(self) -> (Vec<Told<Run>>, Option<String>, Option<u64>) {
        (self.workflow_runs.unwrap_or_default(), None, self.total_count)
    }
}

/// Runs are found by when they were created; a run that was started again stands under its first day, with its last attempt. One
/// search answers no more than a thousand, so the period is halved until each part has fewer.
pub(super) fn of(asking: &Asking, period: &Period, all: &mut Population) {
    let what = "workflow runs";
    let Some(last) = period.to.checked_sub_signed(TimeDelta::nanoseconds(1)) else { return };
    let mut parts = vec![(period.from.timestamp(), last.timestamp())];
    let mut searches = 0;
    while let Some((from, to)) = parts.pop() {
        if from > to {
            continue;
        }
        searches += 1;
        let request = format!("{}/actions/runs?created={}..{}", path(asking), second(from), second(to));
        let count = asking.api.get::<Counted>(&format!("{request}&per_page=1"));
        let full = count.as_ref().is_ok_and(|c| c.total_count >= MOST_FOUND);
        if full && from < to && searches < MOST_SEARCHES {
            let middle = from + (to - from) / 2;
            parts.push((middle + 1, to));
            parts.push((from, middle));
            continue;
        }
        let mut pages = asking.api.pages::<Runs>(&format!("{request}&per_page=100&exclude_pull_requests=true"));
        if let (Err(e), None) = (count, &pages.missing) {
            // without their number nobody knows whether there were too many
            pages.missing = Some(e);
        }
        let found = add(asking, all, ItemKind::Run, what, "`actions: read`", pages);
        let found = found.into_iter().filter(|r| period.holds(r.created_at)).map(|r| Item {
            id: r.id.to_string(),
            attempt: r.run_attempt,
            name: r.name,
            url: r.html_url,
            status: r.conclusion.or(r.status),
            on: Some(r.created_at),
            commit: r.head_sha,
            git_ref: r.head_branch,
            actor: r.triggering_actor.or(r.actor).and_then(Account::actor),
            ..bare(ItemKind::Run)
        });
        put(all, found);
    }
}

/// A second of the clock, as searches want it.
fn second(at: i64) -> String {
    let time = DateTime::from_timestamp(at, 0).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
