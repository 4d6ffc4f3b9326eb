//! What GitLab says happened within a period: pipelines, deployments, merges and pushes.

use super::shapes::{Deployment, Event, MergeRequest, Pipeline, Project};
use super::user::User;
use super::{Asking, Period, Population, project, pushes, repository, unread};
use crate::gather::http::api::{List, Pages, segment};
use crate::record::population_v1::{Item, ItemKind, Query};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use std::collections::HashSet;

pub(in super::super) fn population(asking: &Asking, period: &Period) -> Population {
    let mut all = Population::default();
    match asking.api.get::<Project>(&project(asking)) {
        Ok(settings) => all.repository = Some(repository(&settings)),
        Err(e) => all.missing.push(unread("the project itself", &e)),
    }
    // what began in the period was touched since it began; a second more, since "after" leaves out the moment itself
    let since = segment(&(period.from - TimeDelta::seconds(1)).to_rfc3339_opts(SecondsFormat::Secs, true));
    let newest = "sort=desc&per_page=100";

    // newest first by id, which is the order in which they were made: what begins meanwhile repeats items and skips none
    for source in ["", "&source=parent_pipeline"] {
        let way = format!("pipelines?updated_after={since}&order_by=id&{newest}{source}");
        let pages = read::<Pipeline>(asking, &way);
        add(asking, &mut all, ItemKind::Run, "the pipelines", pages, &mut |p| run(p, period));
    }
    let way = format!("deployments?updated_after={since}&order_by=updated_at&{newest}");
    let pages = read::<Deployment>(asking, &way);
    add(asking, &mut all, ItemKind::Deployment, "the deployments", pages, &mut |d| deployment(d, period));
    let way = format!("merge_requests?state=merged&scope=all&updated_after={since}&order_by=updated_at&{newest}");
    let pages = read::<MergeRequest>(asking, &way);
    add(asking, &mut all, ItemKind::MergedPullRequest, "the merged merge requests", pages, &mut |m| merged(m, period));
    let mut pages = pushes::events(asking, period);
    pages.items = pushes::within(std::mem::take(&mut pages.items), period);
    let many =
        pages.items.iter().filter(|e| e.push_data.as_ref().is_some_and(|d| d.ref_count.is_some_and(|n| n > 1))).count();
    if many > 0 {
        all.missing.push(format!(
            "{many} pushes of several branches at once: GitLab keeps neither their names nor their commits"
        ));
    }
    add(asking, &mut all, ItemKind::Push, "the push events", pages, &mut push);
    all
}

fn read<T: DeserializeOwned>(asking: &Asking, way: &str) -> Pages<T> {
    asking.api.pages::<List<T>>(&format!("{}/{way}", project(asking)))
}

/// Adds what a question named within the period, each once, and the question itself.
fn add<T>(
    asking: &Asking,
    all: &mut Population,
    what: ItemKind,
    name: &str,
    pages: Pages<T>,
    item: &mut dyn FnMut(T) -> Option<Item>,
) {
    let why = pages.missing.as_ref().map(|e| unread(name, e));
    let mut seen = HashSet::new();
    let mut items: Vec<Item> =
        pages.items.into_iter().filter_map(item).filter(|i| seen.insert((i.id.clone(), i.on))).collect();
    items.sort_by_key(|item| item.on);
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

fn item(what: ItemKind, id: String) -> Item {
    Item {
        what,
        id,
        attempt: None,
        name: None,
        url: None,
        status: None,
        on: None,
        commit: None,
        git_ref: None,
        environment: None,
        actor: None,
    }
}

/// What has no time may lie in the period, and is not left out.
fn holds(period: &Period, on: Option<DateTime<Utc>>) -> bool {
    on.is_none_or(|on| period.holds(on))
}

fn run(p: Pipeline, period: &Period) -> Option<Item> {
    holds(period, p.created_at).then_some(())?;
    Some(Item {
        name: p.name,
        url: p.web_url,
        status: p.status,
        on: p.created_at,
        commit: p.sha,
        git_ref: p.git_ref,
        actor: p.user.as_ref().and_then(User::known),
        ..item(ItemKind::Run, p.id?.to_string())
    })
}

/// A deployment waits from the start of its pipeline; it happens when its job starts.
fn deployment(d: Deployment, period: &Period) -> Option<Item> {
    let on = d.deployable.as_ref().and_then(|job| job.started_at).or(d.created_at);
    holds(period, on).then_some(())?;
    let environment = d.environment.and_then(|e| e.name);
    Some(Item {
        name: environment.clone(),
        environment,
        url: d.deployable.and_then(|job| job.web_url),
        status: d.status,
        on,
        commit: d.sha,
        git_ref: d.git_ref,
        actor: d.user.as_ref().and_then(User::known),
        ..item(ItemKind::Deployment, d.id?.to_string())
    })
}

fn merged(mr: MergeRequest, period: &Period) -> Option<Item> {
    (mr.is_merged() && holds(period, mr.merged_at)).then_some(())?;
    Some(Item {
        name: mr.title.clone(),
        url: mr.web_url.clone(),
        status: mr.state.clone(),
        on: mr.merged_at,
        commit: mr.result().cloned(),
        git_ref: mr.target_branch.clone(),
        actor: mr.merger().and_then(User::known),
        ..item(ItemKind::MergedPullRequest, mr.iid.to_string())
    })
}

fn push(event: Event) -> Option<Item> {
    let data = event.push_data.unwrap_or_default();
    let branch = data.git_ref.filter(|_| data.ref_type.as_deref() == Some("branch"))?;
    let git_ref = format!("refs/heads/{branch}");
    let after = data.commit_to.filter(|_| data.action.as_deref() != Some("removed"));
    Some(Item {
        status: data.action,
        on: event.created_at,
        actor: event.author.as_ref().and_then(User::known),
        commit: after.clone(),
        ..item(ItemKind::Push, format!("{git_ref}@{}", after.as_deref().unwrap_or("deleted")))
    })
    .map(|item| Item { git_ref: Some(git_ref), ..item })
}
