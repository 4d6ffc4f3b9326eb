//! What the server itself says happened within a period: runs of Actions, merged pull requests, pushes.

use super::super::loose::{date, list};
use super::pushes;
use super::shapes::{PullRequest, Repository, User, actor};
use super::{Asking, Period, Population, READ, event, repository, unread};
use crate::gather::forge::numbered;
use crate::gather::http::api::{ApiError, List, Page, Pages};
use crate::record::parts_v1::Actor;
use crate::record::population_v1::{Item, ItemKind, Query};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

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

/// Runs of Actions: Gitea and Forgejo name the same things differently.
#[derive(Clone, Debug, Default, Deserialize)]
struct Run {
    #[serde(default)]
    id: i64,
    run_attempt: Option<u32>,
    run_number: Option<i64>,
    /// The workflow's file.
    path: Option<String>,
    workflow_id: Option<String>,
    html_url: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
    #[serde(default, deserialize_with = "date")]
    created_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "date")]
    created: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "date")]
    started_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "date")]
    run_started_at: Option<DateTime<Utc>>,
    head_sha: Option<String>,
    commit_sha: Option<String>,
    head_branch: Option<String>,
    prettyref: Option<String>,
    trigger_user: Option<User>,
    trigger_actor: Option<User>,
    actor: Option<User>,
}

impl Run {
    /// When it was created, else when it started.
    fn on(&self) -> Option<DateTime<Utc>> {
        self.created_at.or(self.created).or(self.started_at).or(self.run_started_at)
    }

    fn commit(&self) -> Option<String> {
        self.head_sha.clone().or_else(|| self.commit_sha.clone())
    }

    fn git_ref(&self) -> Option<String> {
        self.head_branch.clone().or_else(|| self.prettyref.clone())
    }

    fn actor(&self) -> Option<Actor> {
        [&self.trigger_user, &self.trigger_actor, &self.actor].into_iter().find_map(|user| actor(user.as_ref()))
    }
}

#[derive(Clone, Debug, Deserialize)]
struct Runs {
    total_count: Option<u64>,
    #[serde(deserialize_with = "list")]
    workflow_runs: Vec<Run>,
}

impl Page for Runs {
    type Item = Run;
    fn open(self) -> (Vec<Run>, Option<String>, Option<u64>) {
        (self.workflow_runs, None, self.total_count)
    }
}
