//! What GitHub itself says happened within a period: workflow runs, deployments, merged pull requests, pushes.

use super::answers::{Account, Repo, Told, commit, missing, path, repo, sort_out};
use super::{activity, runs};
use crate::gather::forge::{Asking, Period, Population};
use crate::gather::http::api::{ApiError, List, Pages};
use crate::record::parts_v1::Repository;
use crate::record::population_v1::{Item, ItemKind, Query};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// Deployments whose status is asked for.
const MOST_STATUSES: usize = 300;

/// All of it.
pub(super) fn of(asking: &Asking, period: &Period) -> Population {
    let mut all = Population::default();
    match repo(asking) {
        Ok(repo) => all.repository = Some(Repo::repository(&repo)),
        Err(e) => {
            all.repository = Some(Repository { name: Some(asking.repository.to_owned()), ..Repository::default() });
            all.missing.push(missing("the repository", &e, "`metadata: read`"));
        }
    }
    runs::of(asking, period, &mut all);
    deployments(asking, period, &mut all);
    merged(asking, period, &mut all);
    pushes(asking, period, &mut all);
    all
}

/// A question whose answer was read as far as `pages` says.
pub(super) fn add<T>(
    asking: &Asking,
    all: &mut Population,
    kind: ItemKind,
    what: &str,
    needs: &str,
    pages: Pages<Told<T>>,
) -> Vec<T> {
    let came = pages.items.len() as u64;
    let (items, other) = sort_out(pages.items, what);
    let why = pages.missing.as_ref().map(|e| missing(what, e, needs)).or(other);
    let fewer = || pages.told.filter(|told| came < *told).map(|told| format!("{what}: of {told} only {came} came"));
    let why = why.or_else(fewer);
    all.missing.extend(why.clone());
    all.queries.push(Query {
        what: kind,
        request: pages.request,
        asked_on: asking.api.now(),
        pages: pages.read,
        items: 0,
        told: pages.told,
        complete: why.is_none(),
        why,
    });
    items
}

/// Puts the items in, and counts them with the question that they answer.
pub(super) fn put(all: &mut Population, items: impl Iterator<Item = Item>) {
    let before = all.items.len();
    all.items.extend(items);
    let count = (all.items.len() - before) as u64;
    if let Some(query) = all.queries.last_mut() {
        query.items = count;
    }
}

#[derive(Deserialize)]
struct Deployment {
    id: i64,
    sha: Option<String>,
    #[serde(rename = "ref")]
    git_ref: Option<String>,
    environment: Option<String>,
    creator: Option<Account>,
    created_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct Status {
    state: Option<String>,
}

/// They cannot be asked for by time, and come newest first.
fn deployments(asking: &Asking, period: &Period, all: &mut Population) {
    let (what, needs) = ("deployments", "`deployments: read`");
    let list = format!("{}/deployments", path(asking));
    let wanted = &mut |d: &Told<Deployment>| d.known().is_none_or(|d| d.created_at >= period.from);
    let pages = asking.api.pages_while::<List<Told<Deployment>>>(&format!("{list}?per_page=100"), wanted);
    let mut found = add(asking, all, ItemKind::Deployment, what, needs, pages);
    found.retain(|d| period.holds(d.created_at));
    if found.len() > MOST_STATUSES {
        all.missing.push(format!(
            "how deployments ended: only the {MOST_STATUSES} newest of {} were asked about",
            found.len()
        ));
    }
    let mut unread: Option<(ApiError, u32)> = None;
    let mut status = |at: usize, id: i64| {
        if at >= MOST_STATUSES {
            return None;
        }
        match asking.api.get::<Vec<Status>>(&format!("{list}/{id}/statuses?per_page=1")) {
            Ok(statuses) => statuses.into_iter().next()?.state,
            Err(e) => {
                let before = unread.take().map_or(0, |(_, n)| n);
                unread = Some((e, before + 1));
                None
            }
        }
    };
    let items: Vec<Item> = found
        .into_iter()
        .enumerate()
        .map(|(at, d)| Item {
            id: d.id.to_string(),
            name: d.environment.clone(),
            status: status(at, d.id),
            on: Some(d.created_at),
            commit: d.sha,
            git_ref: d.git_ref,
            environment: d.environment,
            actor: d.creator.and_then(Account::actor),
            ..bare(ItemKind::Deployment)
        })
        .collect();
    put(all, items.into_iter());
    if let Some((e, n)) = unread {
        all.missing.push(missing(&format!("how {n} deployments ended"), &e, needs));
    }
}

#[derive(Deserialize)]
struct Merged {
    number: i64,
    title: Option<String>,
    html_url: Option<String>,
    merged_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
    merge_commit_sha: Option<String>,
    base: Option<Base>,
}

#[derive(Deserialize)]
struct Base {
    #[serde(rename = "ref")]
    git_ref: Option<String>,
}

/// Whatever was merged within the period has not been updated before it. Who merged is not in the list.
fn merged(asking: &Asking, period: &Period, all: &mut Population) {
    let request = format!("{}/pulls?state=closed&sort=updated&direction=desc&per_page=100", path(asking));
    let wanted = &mut |told: &Told<Merged>| told.known().is_none_or(|p| p.updated_at >= period.from);
    let pages = asking.api.pages_while::<List<Told<Merged>>>(&request, wanted);
    let found = add(asking, all, ItemKind::MergedPullRequest, "merged pull requests", "`pull-requests: read`", pages);
    let found = found.into_iter().filter(|p| p.merged_at.is_some_and(|t| period.holds(t))).map(|p| Item {
        id: p.number.to_string(),
        name: p.title,
        url: p.html_url,
        status: Some("merged".to_owned()),
        on: p.merged_at,
        commit: p.merge_commit_sha,
        git_ref: p.base.and_then(|b| b.git_ref),
        ..bare(ItemKind::MergedPullRequest)
    });
    put(all, found);
}

/// Of all branches.
fn pushes(asking: &Asking, period: &Period, all: &mut Population) {
    let pages = activity::read(asking, period);
    let found = add(asking, all, ItemKind::Push, "pushes", activity::PERMISSION, pages);
    let found = found.into_iter().filter(|a| period.holds(a.timestamp) && a.git_ref.starts_with("refs/heads/"));
    let items = found.map(|a| Item {
        id: format!("{}@{}", a.git_ref, a.after),
        status: Some(a.activity_type),
        on: Some(a.timestamp),
        commit: commit(&a.after),
        git_ref: Some(a.git_ref),
        actor: a.actor.and_then(Account::actor),
        ..bare(ItemKind::Push)
    });
    put(all, items);
}

/// An item of which only is known what it is.
pub(super) fn bare(what: ItemKind) -> Item {
    Item {
        what,
        id: String::new(),
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

#[cfg(test)]
mod tests;
