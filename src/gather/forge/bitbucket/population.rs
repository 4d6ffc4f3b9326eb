//! What Bitbucket itself says happened within a period: pipelines, deployments, merged pull requests. It tells no pushes.

use super::super::brought::is_abbreviation;
use super::super::loose::date;
use super::changes;
use super::desk::{self, Desk};
use super::shapes::{Activity, Commit, Hash, Name, Paged, PullRequest, User, actor};
use super::{Asking, PULL_REQUESTS, Period, Population, event, repository, request, unread};
use crate::gather::forge::numbered;
use crate::gather::http::api::{Pages, segment};
use crate::record::population_v1::{Item, ItemKind, Query};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;

const PIPELINES: &str = "an access token with the scope `pipeline` may read it";
/// How much later than what stands before it in the list an item may have begun.
const DISORDER: TimeDelta = TimeDelta::days(1);

pub(in super::super) fn population(asking: &Asking, period: &Period) -> Population {
    let mut desk = Desk::default();
    let mut all = Population { repository: desk::told(asking, &mut desk).map(event::named), ..Population::default() };
    pipelines(asking, period, &mut all);
    deployments(asking, period, &mut all);
    merged(asking, period, &mut all);
    all.missing
        .push("pushes: Bitbucket keeps no log of them that its API tells; have it send the webhook `repo:push`".into());
    all.missing.extend(desk.missing);
    all
}

/// Puts a question in, with what came of it.
fn put<T>(
    asking: &Asking,
    all: &mut Population,
    what: ItemKind,
    pages: &Pages<T>,
    why: Option<String>,
    items: Vec<Item>,
) {
    all.missing.extend(why.clone());
    all.queries.push(Query {
        what,
        request: pages.request.clone(),
        asked_on: asking.api.now(),
        pages: pages.read,
        items: items.len() as u64,
        told: pages.told,
        complete: why.is_none(),
        why,
    });
    all.items.extend(items);
}

#[derive(Deserialize)]
struct Pipeline {
    uuid: Option<String>,
    build_number: Option<u64>,
    creator: Option<User>,
    state: Option<State>,
    target: Option<Target>,
    #[serde(default, deserialize_with = "date")]
    created_on: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Target {
    ref_name: Option<String>,
    commit: Option<Hash>,
    selector: Option<Selector>,
}

#[derive(Deserialize)]
struct Selector {
    #[serde(rename = "type")]
    kind: Option<String>,
    pattern: Option<String>,
}

/// `COMPLETED` with a result, `IN_PROGRESS` with a stage. Of deployments the time stands here, under one of two names.
#[derive(Deserialize)]
struct State {
    name: Option<String>,
    result: Option<Name>,
    stage: Option<Name>,
    status: Option<Name>,
    #[serde(default, deserialize_with = "date")]
    started_on: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "date")]
    start_date: Option<DateTime<Utc>>,
    deployer: Option<User>,
}

impl State {
    fn word(&self) -> Option<String> {
        let named = |n: &Option<Name>| n.as_ref().and_then(|n| n.name.clone());
        named(&self.result).or_else(|| named(&self.status)).or_else(|| named(&self.stage)).or_else(|| self.name.clone())
    }
}

fn bare(uuid: &str) -> String {
    uuid.trim_matches(['{', '}']).to_owned()
}

/// The list is newest first, and may lack the address of its next page.
fn pipelines(asking: &Asking, period: &Period, all: &mut Population) {
    let way = format!("{}/pipelines?sort=-created_on&pagelen=100", repository(asking));
    let id = |p: &Pipeline| p.uuid.clone().unwrap_or_default();
    let wanted = &mut |p: &Pipeline| p.created_on.is_none_or(|on| on >= period.from);
    let pages = numbered::pages::<Paged<Pipeline>>(asking.api, &way, id, wanted);
    let within = pages.items.iter().filter(|p| p.created_on.is_none_or(|on| period.holds(on)));
    let items = within.map(|p| {
        let target = p.target.as_ref();
        let selector = target.and_then(|t| t.selector.as_ref());
        Item {
            what: ItemKind::Run,
            id: p.uuid.as_deref().map(bare).or(p.build_number.map(|n| n.to_string())).unwrap_or_default(),
            attempt: None,
            name: selector.and_then(|s| s.pattern.clone().or_else(|| s.kind.clone())),
            url: p.build_number.map(|n| format!("https://bitbucket.org/{}/pipelines/results/{n}", asking.repository)),
            status: p.state.as_ref().and_then(State::word),
            on: p.created_on,
            commit: target.and_then(|t| t.commit.as_ref()?.hash.clone()),
            git_ref: target.and_then(|t| t.ref_name.clone()),
            environment: None,
            actor: actor(p.creator.as_ref()),
        }
    });
    let items = items.collect();
    let why = pages.missing.as_ref().map(|e| unread("pipelines", e, PIPELINES));
    put(asking, all, ItemKind::Run, &pages, why, items);
}

#[derive(Deserialize)]
struct Deployment {
    uuid: Option<String>,
    state: Option<State>,
    environment: Option<Environment>,
    release: Option<Release>,
}

#[derive(Clone, Deserialize)]
struct Environment {
    uuid: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Release {
    name: Option<String>,
    url: Option<String>,
    commit: Option<Hash>,
    #[serde(default, deserialize_with = "date")]
    created_on: Option<DateTime<Utc>>,
}

impl Deployment {
    fn on(&self) -> Option<DateTime<Utc>> {
        let started = self.state.as_ref().and_then(|s| s.started_on.or(s.start_date));
        started.or_else(|| self.release.as_ref().and_then(|r| r.created_on))
    }
}

/// What waits to be deployed has not happened.
fn deployments(asking: &Asking, period: &Period, all: &mut Population) {
    let way = format!("{}/deployments?sort=-state.started_on&pagelen=100", repository(asking));
    let id = |d: &Deployment| d.uuid.clone().unwrap_or_default();
    let wanted = &mut |d: &Deployment| d.on().is_none_or(|on| on >= period.from - DISORDER);
    let pages = numbered::pages::<Paged<Deployment>>(asking.api, &way, id, wanted);
    let mut why = pages.missing.as_ref().map(|e| unread("deployments", e, PIPELINES));
    let started = |d: &&Deployment| d.state.as_ref().is_none_or(|s| s.name.as_deref() != Some("UNDEPLOYED"));
    let within: Vec<&Deployment> =
        pages.items.iter().filter(started).filter(|d| d.on().is_none_or(|on| period.holds(on))).collect();
    let mut names = BTreeMap::new();
    if within.iter().any(|d| d.environment.as_ref().is_some_and(|e| e.name.is_none())) {
        let way = format!("{}/environments?pagelen=100", repository(asking));
        let read = asking.api.pages::<Paged<Environment>>(&way);
        if let Some(e) = read.missing {
            why = why.or(Some(unread("names of environments", &e, PIPELINES)));
        }
        names.extend(read.items.into_iter().filter_map(|e| Some((e.uuid?, e.name?))));
    }
    let items = within.into_iter().map(|d| {
        let release = d.release.as_ref();
        let environment = d.environment.as_ref();
        Item {
            what: ItemKind::Deployment,
            id: d.uuid.as_deref().map(bare).unwrap_or_default(),
            attempt: None,
            name: release.and_then(|r| r.name.clone()),
            url: release.and_then(|r| r.url.clone()),
            status: d.state.as_ref().and_then(State::word),
            on: d.on(),
            commit: release.and_then(|r| r.commit.as_ref()?.hash.clone()),
            git_ref: None,
            environment: environment.and_then(|e| e.name.clone().or_else(|| names.get(e.uuid.as_ref()?).cloned())),
            actor: actor(d.state.as_ref().and_then(|s| s.deployer.as_ref())),
        }
    });
    let items = items.collect();
    put(asking, all, ItemKind::Deployment, &pages, why, items);
}

/// The list tells when a pull request changed; its own activity when it was merged.
fn merged(asking: &Asking, period: &Period, all: &mut Population) {
    let pages = asking.api.pages::<Paged<PullRequest>>(&changes::merged_way(asking, period.from, None));
    let mut why = pages.missing.as_ref().map(|e| unread("merged pull requests", e, PULL_REQUESTS));
    let mut items = Vec::new();
    for pull in pages.items.iter().filter(|p| p.is_merged()) {
        let way = format!("{}/pullrequests/{}/activity?pagelen=50", repository(asking), segment(&pull.id.to_string()));
        let is_merge = |a: &Activity| request::merged_on(std::slice::from_ref(a)).is_some();
        let (mut found, mut on) = (false, None);
        let activity = asking.api.pages_while::<Paged<Activity>>(&way, &mut |a| {
            if is_merge(a) {
                (found, on) = (true, request::merged_on(std::slice::from_ref(a)));
            }
            !found
        });
        if on.is_none() {
            let what = format!("when pull request {} was merged", pull.id);
            let sentence = activity.missing.as_ref().map_or(what.clone(), |e| unread(&what, e, PULL_REQUESTS));
            why = why.or(Some(sentence));
        }
        if on.is_none_or(|on| period.holds(on)) {
            items.push(Item {
                what: ItemKind::MergedPullRequest,
                id: pull.id.to_string(),
                attempt: None,
                name: pull.title.clone(),
                url: pull.page(),
                status: pull.state.clone(),
                on,
                commit: pull.merge_commit.as_ref().and_then(|c| c.hash.as_deref()).map(|short| whole(asking, short)),
                git_ref: pull.destination.as_ref().and_then(|end| end.name()).map(str::to_owned),
                environment: None,
                actor: actor(pull.closed_by.as_ref()),
            });
        }
    }
    put(asking, all, ItemKind::MergedPullRequest, &pages, why, items);
}

/// A commit's whole id; as it was told where it cannot be read.
fn whole(asking: &Asking, short: &str) -> String {
    let read = asking.api.get::<Commit>(&format!("{}/commit/{}", repository(asking), segment(short)));
    read.ok().map(|c| c.hash).filter(|sha| is_abbreviation(short, sha)).unwrap_or_else(|| short.to_owned())
}
