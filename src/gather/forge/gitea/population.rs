//! What the server itself says happened within a period: runs of Actions, merged pull requests, pushes.

use super::pushes;
use super::shapes::{PullRequest, Repository, Run, Runs, actor};
use super::{Asking, Period, Population, READ, event, repository, unread};
use crate::gather::forge::numbered;
use crate::gather::http::api::{ApiError, List, Pages};
use crate::record::population_v1::{Item, ItemKind, Query};
use chrono::TimeDelta;

/// How long a run may wait for a runner before it starts.
const WAIT: TimeDelta = TimeDelta::days(1);

pub(in super::super) fn population(asking: &Asking, period: &Period) -> Population {
    let mut all = Population::default();
    match asking.api.get::<Repository>(&repository(asking)) {
        Ok(told) => all.repository = Some(event::named(&told)),
        Err(e) => all.missing.push(unread("the repository", &e, READ)),
    }
    runs(asking, period, &mut all);
    merged(asking, period, &mut all);
    pushed(asking, period, &mut all);
    all
}

/// Puts a question in, with what came of it.
fn put<T>(
    asking: &Asking,
    all: &mut Population,
    what: ItemKind,
    pages: Pages<T>,
    why: Option<String>,
    items: Vec<Item>,
) {
    let unread = pages.missing.as_ref().map(|e| unread(name(what), e, READ));
    let why = unread.or(why);
    all.missing.extend(why.clone());
    all.queries.push(Query {
        what,
        request: pages.request,
        asked_on: asking.api.now(),
        pages: pages.read,
        items: items.len() as u64,
        told: pages.told,
        complete: why.is_none(),
        why,
    });
    all.items.extend(items);
}

fn name(what: ItemKind) -> &'static str {
    match what {
        ItemKind::Run => "runs of Actions",
        ItemKind::Deployment => "deployments",
        ItemKind::MergedPullRequest => "merged pull requests",
        ItemKind::Push => "pushes",
    }
}

/// Newest first. Versions that do not list runs list their jobs, which name the run's number only.
fn runs(asking: &Asking, period: &Period, all: &mut Population) {
    let wanted = &mut |r: &Run| r.on().is_none_or(|on| on >= period.from - WAIT);
    let list = |what: &str| format!("{}/actions/{what}?limit=50", repository(asking));
    let mut pages = numbered::pages::<Runs>(asking.api, &list("runs"), |r| r.id.to_string(), wanted);
    let jobs = pages.read == 0 && matches!(pages.missing, Some(ApiError::NotFound(_)));
    if jobs {
        pages = numbered::pages::<Runs>(asking.api, &list("tasks"), |r| r.id.to_string(), wanted);
    }
    let mut items: Vec<Item> = Vec::new();
    let mut undated = false;
    for run in &pages.items {
        let on = run.on();
        undated |= on.is_none();
        if on.is_some_and(|on| !period.holds(on)) {
            continue;
        }
        let id = if jobs { run.run_number.unwrap_or_default() } else { run.id }.to_string();
        match items.iter_mut().find(|known| known.id == id) {
            // of several jobs of one run, the first began it
            Some(known) => known.on = known.on.min(on).or(on),
            None => items.push(item(run, id, jobs)),
        }
    }
    // what the pages tell of jobs counts jobs
    pages.told = pages.told.filter(|_| !jobs);
    let why = match (jobs, undated) {
        (true, _) => Some("this version lists jobs, not runs: ids are the runs' numbers".to_owned()),
        (false, true) => Some("some runs of Actions have no time, and are listed all the same".to_owned()),
        (false, false) => None,
    };
    put(asking, all, ItemKind::Run, pages, why, items);
}

fn item(run: &Run, id: String, jobs: bool) -> Item {
    let status = run.conclusion.clone().filter(|c| !c.is_empty()).or_else(|| run.status.clone());
    Item {
        what: ItemKind::Run,
        id,
        attempt: run.run_attempt.filter(|n| *n > 0),
        name: run.workflow_id.clone().or_else(|| run.path.clone()),
        url: run.html_url.clone(),
        status: status.filter(|_| !jobs),
        on: run.on(),
        commit: run.commit(),
        git_ref: run.git_ref(),
        environment: None,
        actor: run.actor(),
    }
}

/// What was merged in the period has changed since it began.
fn merged(asking: &Asking, period: &Period, all: &mut Population) {
    let way = format!("{}/pulls?state=closed&sort=recentupdate&limit=50", repository(asking));
    let wanted = &mut |pull: &PullRequest| pull.updated_at.is_none_or(|on| on >= period.from);
    let pages = asking.api.pages_while::<List<PullRequest>>(&way, wanted);
    let within = pages.items.iter().filter(|p| p.is_merged() && p.merged_at.is_none_or(|on| period.holds(on)));
    let items = within.map(|pull| Item {
        what: ItemKind::MergedPullRequest,
        id: pull.number.to_string(),
        attempt: None,
        name: pull.title.clone(),
        url: pull.html_url.clone(),
        status: Some("merged".to_owned()),
        on: pull.merged_at,
        commit: pull.merge_commit_sha.clone(),
        git_ref: pull.base.as_ref().and_then(|base| base.name.clone()),
        environment: None,
        actor: actor(pull.merged_by.as_ref()),
    });
    let items = items.collect();
    put(asking, all, ItemKind::MergedPullRequest, pages, None, items);
}

fn pushed(asking: &Asking, period: &Period, all: &mut Population) {
    let mut pages = pushes::feed(asking, period.from);
    let lines = std::mem::take(&mut pages.items);
    let told = pushes::told(lines, &mut Vec::new());
    let within = told.into_iter().filter(|t| period.holds(t.on));
    let items = within.map(|told| Item {
        what: ItemKind::Push,
        id: format!("refs/heads/{}@{}", told.branch, told.after.clone().unwrap_or_default()),
        attempt: None,
        name: None,
        url: None,
        status: None,
        on: Some(told.on),
        commit: told.after,
        git_ref: Some(format!("refs/heads/{}", told.branch)),
        environment: None,
        actor: told.who,
    });
    let items = items.collect();
    put(asking, all, ItemKind::Push, pages, None, items);
}
