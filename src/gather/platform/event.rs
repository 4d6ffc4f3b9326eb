//! The event payload at `GITHUB_EVENT_PATH` (GitHub docs, "Webhook events and payloads"). Any earlier step of the job
//! can change this file: it is a claim like the variables, and a broken one is told, never an error.

use super::env::without_credentials;
use super::facts::Reader;
use crate::record::change_v1::Via;
use crate::record::parts_v1::{Actor, How, Status};
use crate::record::pull_request_v1::PullRequest;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::fs::File;
use std::io::Read as _;

const SOURCE: &str = "GITHUB_EVENT_PATH";

/// Largest event that is read. GitHub caps webhook payloads at 25 MB; those are pushes of thousands of commits.
const LARGEST: u64 = 8 * 1024 * 1024;

#[derive(Default, Deserialize)]
struct Event {
    before: Option<String>,
    forced: Option<bool>,
    pull_request: Option<Pull>,
    merge_group: Option<serde::de::IgnoredAny>,
    deployment: Option<Deployment>,
    repository: Option<Repo>,
}

#[derive(Deserialize)]
struct Pull {
    number: Option<u64>,
    html_url: Option<String>,
    title: Option<String>,
    user: Option<User>,
    head: Option<End>,
    base: Option<End>,
    merged_by: Option<User>,
    merged_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct User {
    id: Option<u64>,
    login: Option<String>,
}

#[derive(Deserialize)]
struct End {
    #[serde(rename = "ref")]
    name: Option<String>,
    sha: Option<String>,
    repo: Option<Repo>,
}

#[derive(Deserialize)]
struct Repo {
    id: Option<u64>,
    full_name: Option<String>,
    html_url: Option<String>,
    default_branch: Option<String>,
}

#[derive(Deserialize)]
struct Deployment {
    environment: Option<String>,
}

/// Adds what the event file tells to what the variables told; where both tell the same, the variable stands.
pub(super) fn read(r: &mut Reader) {
    let Some(path) = r.peek(SOURCE) else {
        r.lacks("changes", Status::Partial, "no event file was named, so only variables tell of the change");
        return;
    };
    match load(path) {
        Ok(event) => merge(r, event),
        Err(why) => {
            r.warn(format!("could not read the event file that `{SOURCE}` names: {why}"));
            r.lacks(
                "changes",
                Status::Partial,
                "the event file could not be read, so only variables tell of the change",
            );
        }
    }
}

/// The cause of a failure never quotes the file: serde's own messages would.
fn load(path: &str) -> Result<Event, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| e.kind().to_string())?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| e.kind().to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    serde_json::from_slice(&bytes).map_err(|e| {
        let what = if e.is_data() { "not the shape of an event" } else { "not JSON" };
        format!("{what} at line {} column {}", e.line(), e.column())
    })
}

fn merge(r: &mut Reader, event: Event) {
    if let Some(repo) = &event.repository {
        repository(r, repo);
    }
    let before = event.before.and_then(|sha| r.commit_id("commit.before", How::EventFile, SOURCE, &sha));
    if let Some(commit) = r.facts.commit.as_mut().or(r.facts.commit_without_id.as_mut()) {
        commit.before = before;
    }
    if let Some(pull) = event.pull_request {
        pull_request(r, pull);
    } else if event.merge_group.is_some() {
        r.facts.via = Some(Via::MergeQueue);
    } else if event.forced == Some(true) {
        r.facts.via = Some(Via::ForcePush);
    }
    if let Some(name) = event.deployment.and_then(|d| d.environment) {
        r.facts.environment = r.take("environment", How::EventFile, SOURCE, &name);
    }
}

fn repository(r: &mut Reader, repo: &Repo) {
    let mut ours = r.facts.repository.take().unwrap_or_default();
    let took = |r: &mut Reader, fact: &str, value: Option<String>| {
        value.and_then(|v| r.take(fact, How::EventFile, SOURCE, &without_credentials(&v)))
    };
    if ours.name.is_none() {
        ours.name = took(r, "repository.name", repo.full_name.clone());
    }
    if ours.id.is_none() {
        ours.id = took(r, "repository.id", repo.id.map(|id| id.to_string()));
    }
    if ours.url.is_none() {
        ours.url = took(r, "repository.url", repo.html_url.clone());
    }
    ours.default_branch = took(r, "repository.defaultBranch", repo.default_branch.clone());
    r.facts.repository = super::facts::some(ours);
}

fn pull_request(r: &mut Reader, pull: Pull) {
    let mut ours = r.facts.pull_request.take().unwrap_or_default();
    let take = |r: &mut Reader, fact: &str, value: Option<String>| {
        value.and_then(|v| r.take(&format!("changes.pullRequest.{fact}"), How::EventFile, SOURCE, &v))
    };
    if ours.number.is_empty() {
        ours.number = take(r, "number", pull.number.map(|n| n.to_string())).unwrap_or_default();
    }
    ours.url = take(r, "url", pull.html_url.map(|u| without_credentials(&u)));
    ours.title = take(r, "title", pull.title);
    ours.author = pull.user.and_then(|u| actor(r, "author", u));
    ours.merged_by = pull.merged_by.and_then(|u| actor(r, "mergedBy", u));
    ours.merged_on = pull.merged_at.inspect(|_| r.told("changes.pullRequest.mergedOn", How::EventFile, SOURCE));
    let (head, base) = (pull.head, pull.base);
    // `.fork` says that the repository is a fork of something, not that this request crosses repositories
    let full_name = |end: &Option<End>| end.as_ref()?.repo.as_ref()?.full_name.clone();
    if let Some((from, into)) = full_name(&head).zip(full_name(&base)) {
        ours.from_fork = Some(from != into);
        r.told("changes.pullRequest.fromFork", How::EventFile, SOURCE);
    }
    if ours.target.is_none() {
        ours.target = take(r, "target", base.and_then(|b| b.name));
    }
    if let Some(head) = head {
        if ours.source.is_none() {
            ours.source = take(r, "source", head.name);
        }
        if let Some(sha) = head.sha {
            ours.head = r.commit_id("changes.pullRequest.head", How::EventFile, SOURCE, &sha);
        }
    }
    head_of_merge(r, &ours);
    r.facts.pull_request = Some(ours);
}

/// On `pull_request` GitHub runs a merge commit that exists nowhere else; on `pull_request_target` the base branch.
/// Only the first has a head of its own.
fn head_of_merge(r: &mut Reader, pull: &PullRequest) {
    let Some(commit) = r.facts.commit.as_mut() else { return };
    let on_pull_ref = commit.git_ref.as_deref().is_some_and(|name| name.starts_with("refs/pull/"));
    if on_pull_ref && pull.head.as_ref().is_some_and(|head| *head != commit.sha) {
        commit.head_sha = pull.head.clone();
        r.told("commit.headSha", How::EventFile, SOURCE);
    }
    if on_pull_ref {
        r.facts.via = Some(Via::PullRequest);
    }
}

fn actor(r: &mut Reader, fact: &str, user: User) -> Option<Actor> {
    let mut take = |part: &str, value: Option<String>| {
        value.and_then(|v| r.take(&format!("changes.pullRequest.{fact}.{part}"), How::EventFile, SOURCE, &v))
    };
    let id = take("id", user.id.map(|id| id.to_string()));
    super::facts::some(Actor { id, login: take("login", user.login), name: None })
}
