//! Buildkite (Buildkite docs, "Environment variables").

use super::env::{Env, repository_name};
use super::facts::{Reader, some};
use crate::record::change_v1::Via;
use crate::record::parts_v1::{Actor, How, Outcome, Repository, Status};
use crate::record::pull_request_v1::PullRequest;
use crate::record::run_v1::{Commit, Runner};

pub(super) const VARIABLES: &[&str] = &[
    "BUILDKITE_AGENT_META_DATA_QUEUE",
    "BUILDKITE_CLUSTER_NAME",
    "BUILDKITE_GITHUB_DEPLOYMENT_ID",
    "BUILDKITE_PARALLEL_JOB",
    "BUILDKITE_PARALLEL_JOB_COUNT",
    "BUILDKITE_PIPELINE_ID",
    "BUILDKITE_REBUILT_FROM_BUILD_ID",
    "BUILDKITE_TRIGGERED_FROM_BUILD_ID",
];

pub(super) fn detects(env: &Env) -> bool {
    env.get("BUILDKITE") == Some("true")
}

pub(super) fn read(r: &mut Reader) {
    r.told("run.platform", How::CiEnvironment, "BUILDKITE");
    run(r);
    people(r);
    r.facts.environment = r.text("environment", "BUILDKITE_GITHUB_DEPLOYMENT_ENVIRONMENT");
    let name = r.peek("BUILDKITE_REPO").and_then(repository_name);
    r.facts.repository = some(Repository {
        name: name.and_then(|name| r.derived("repository.name", "BUILDKITE_REPO", name)),
        url: r.url("repository.url", "BUILDKITE_REPO"),
        default_branch: r.text("repository.defaultBranch", "BUILDKITE_PIPELINE_DEFAULT_BRANCH"),
        id: None,
    });
    commit(r);
    pull_request(r);
    r.facts.runner = some(Runner {
        name: r.text("runner.name", "BUILDKITE_AGENT_NAME"),
        id: r.text("runner.id", "BUILDKITE_AGENT_ID"),
        environment: r.text("runner.environment", "BUILDKITE_COMPUTE_TYPE"),
        ..Runner::default()
    });
    // both are told to hooks only: a command does not know yet how it ends
    r.job_outcome("BUILDKITE_COMMAND_EXIT_STATUS");
    if r.is_true("BUILDKITE_JOB_CANCELLED") {
        r.facts.run.outcome = Outcome::Cancelled;
        r.facts.provenance.retain(|p| p.fact != "run.outcome");
        r.told("run.outcome", How::CiEnvironment, "BUILDKITE_JOB_CANCELLED");
    }
}

fn run(r: &mut Reader) {
    r.facts.run.id = r.text("run.id", "BUILDKITE_BUILD_ID").unwrap_or_default();
    r.facts.run.number = r.text("run.number", "BUILDKITE_BUILD_NUMBER");
    r.facts.run.attempt = r.number("run.attempt", "BUILDKITE_RETRY_COUNT").unwrap_or(0).saturating_add(1);
    r.facts.run.url = r.url("run.url", "BUILDKITE_BUILD_URL");
    r.facts.run.workflow = r.text("run.workflow", "BUILDKITE_PIPELINE_SLUG");
    r.facts.run.job = r.first("run.job", &["BUILDKITE_STEP_KEY", "BUILDKITE_LABEL"]);
    r.facts.run.job_id = r.text("run.jobId", "BUILDKITE_JOB_ID");
    r.facts.run.event = r.text("run.event", "BUILDKITE_SOURCE");
    if let Some((url, job)) = r.facts.run.url.clone().zip(r.peek("BUILDKITE_JOB_ID")) {
        let from = "BUILDKITE_BUILD_URL, BUILDKITE_JOB_ID";
        r.facts.run.invocation_id = r.derived("run.invocationId", from, format!("{url}#{job}"));
    }
}

/// Whoever released a blocked step answers for what comes after it.
fn people(r: &mut Reader) {
    if r.peek("BUILDKITE_UNBLOCKER_ID").or(r.peek("BUILDKITE_UNBLOCKER")).is_some() {
        let unblocker = Actor {
            id: r.text("operator.id", "BUILDKITE_UNBLOCKER_ID"),
            name: r.text("operator.name", "BUILDKITE_UNBLOCKER"),
            login: None,
        };
        r.operator(unblocker);
        let name = r.text("run.initiator.name", "BUILDKITE_BUILD_CREATOR");
        r.facts.run.initiator = some(Actor { name, ..Actor::default() });
        return;
    }
    let name = r.text("operator.name", "BUILDKITE_BUILD_CREATOR");
    r.operator(Actor { name, ..Actor::default() });
    if r.facts.operator.is_some() && r.peek("BUILDKITE_SOURCE") == Some("webhook") {
        let why = "after a webhook Buildkite takes the name from the commit, which its author can set at will";
        r.lacks("operator", Status::Partial, why);
    }
}

fn commit(r: &mut Reader) {
    let tag = r.text("commit.tag", "BUILDKITE_TAG");
    let merge_base = r.peek("BUILDKITE_MERGE_QUEUE_BASE_BRANCH");
    let base = ["BUILDKITE_PULL_REQUEST_BASE_BRANCH", "BUILDKITE_MERGE_QUEUE_BASE_BRANCH"];
    let mut commit = Commit { base_ref: r.first("commit.baseRef", &base), ..Commit::default() };
    // `HEAD` until the checkout: then only the local repository knows
    if r.peek("BUILDKITE_COMMIT").is_some_and(|sha| sha != "HEAD") {
        commit.sha = r.sha("commit.sha", "BUILDKITE_COMMIT").unwrap_or_default();
    }
    // for a tag it holds the tag once more, for a fork `user:branch`, which git does not allow as a name
    if tag.is_none() && r.peek("BUILDKITE_BRANCH").is_some_and(|name| !name.contains(':')) {
        commit.branch = r.text("commit.branch", "BUILDKITE_BRANCH");
    }
    commit.git_ref = match (&commit.branch, &tag) {
        (_, Some(tag)) => r.derived("commit.ref", "BUILDKITE_TAG", format!("refs/tags/{tag}")),
        (Some(branch), None) => r.derived("commit.ref", "BUILDKITE_BRANCH", format!("refs/heads/{branch}")),
        (None, None) => None,
    };
    commit.tag = tag;
    r.commit(commit);
    if merge_base.is_some() {
        r.facts.via = Some(Via::MergeQueue);
    }
}

/// `BUILDKITE_PULL_REQUEST` is the word `false` where there is none.
fn pull_request(r: &mut Reader) {
    if r.peek("BUILDKITE_PULL_REQUEST").is_none_or(|n| n == "false") {
        return;
    }
    // the two addresses differ in scheme (`git://`, `git@`), so their names are compared
    let theirs = r.peek("BUILDKITE_PULL_REQUEST_REPO").and_then(repository_name);
    let fork = theirs.zip(r.peek("BUILDKITE_REPO").and_then(repository_name)).map(|(theirs, ours)| theirs != ours);
    if fork.is_some() {
        r.told("changes.pullRequest.fromFork", How::Derived, "BUILDKITE_PULL_REQUEST_REPO, BUILDKITE_REPO");
    }
    r.facts.pull_request = Some(PullRequest {
        number: r.text("changes.pullRequest.number", "BUILDKITE_PULL_REQUEST").unwrap_or_default(),
        target: r.text("changes.pullRequest.target", "BUILDKITE_PULL_REQUEST_BASE_BRANCH"),
        source: r.text("changes.pullRequest.source", "BUILDKITE_BRANCH"),
        from_fork: fork,
        ..PullRequest::default()
    });
    r.facts.via = Some(Via::PullRequest);
}
