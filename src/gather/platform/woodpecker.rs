//! Woodpecker CI (Woodpecker docs, "Environment variables"). Built-in variables cannot be overridden.

use super::env::Env;
use super::facts::{Reader, some};
use crate::record::change_v1::Via;
use crate::record::parts_v1::{Actor, How, Repository};
use crate::record::pull_request_v1::PullRequest;
use crate::record::run_v1::{Commit, Runner};

pub(super) const VARIABLES: &[&str] = &[
    "CI_COMMIT_PULL_REQUEST_LABELS",
    "CI_FORGE_TYPE",
    "CI_FORGE_URL",
    "CI_PIPELINE_DEPLOY_TASK",
    "CI_PIPELINE_PARENT",
    "CI_PREV_COMMIT_SHA",
    "CI_SYSTEM_VERSION",
];

pub(super) fn detects(env: &Env) -> bool {
    env.get("CI") == Some("woodpecker")
}

pub(super) fn read(r: &mut Reader) {
    r.told("run.platform", How::CiEnvironment, "CI");
    run(r);
    let login = r.text("operator.login", "CI_PIPELINE_AUTHOR");
    r.operator(Actor { login, ..Actor::default() });
    r.facts.environment = r.text("environment", "CI_PIPELINE_DEPLOY_TARGET");
    r.facts.repository = some(Repository {
        name: r.text("repository.name", "CI_REPO"),
        id: r.text("repository.id", "CI_REPO_REMOTE_ID"),
        url: r.url("repository.url", "CI_REPO_URL"),
        default_branch: r.text("repository.defaultBranch", "CI_REPO_DEFAULT_BRANCH"),
    });
    change(r);
    let (os, arch) = r.peek("CI_SYSTEM_PLATFORM").and_then(|v| v.split_once('/')).unzip();
    r.facts.runner = some(Runner {
        os: os.and_then(|v| r.take("runner.os", How::CiEnvironment, "CI_SYSTEM_PLATFORM", v)),
        arch: arch.and_then(|v| r.take("runner.arch", How::CiEnvironment, "CI_SYSTEM_PLATFORM", v)),
        ..Runner::default()
    });
    // version 2 only: later versions tell nothing
    r.outcome("CI_PIPELINE_STATUS");
}

fn run(r: &mut Reader) {
    r.facts.run.number = r.text("run.number", "CI_PIPELINE_NUMBER");
    // pipelines are numbered per repository: alone a number would meet that of another
    r.facts.run.id = match (r.peek("CI_REPO"), r.peek("CI_PIPELINE_NUMBER")) {
        (Some(name), Some(number)) => {
            r.derived("run.id", "CI_REPO, CI_PIPELINE_NUMBER", format!("{}-{number}", name.replace('/', "-")))
        }
        _ => r.text("run.id", "CI_PIPELINE_NUMBER"),
    }
    .unwrap_or_default();
    r.facts.run.url = r.url("run.url", "CI_PIPELINE_URL");
    r.facts.run.workflow = r.text("run.workflow", "CI_WORKFLOW_NAME");
    r.facts.run.job = r.text("run.job", "CI_STEP_NAME");
    r.facts.run.event = r.text("run.event", "CI_PIPELINE_EVENT");
    r.facts.run.started_on = match r.time("run.startedOn", "CI_PIPELINE_STARTED") {
        None => r.time("run.startedOn", "CI_PIPELINE_CREATED"),
        known => known,
    };
    r.facts.run.builder_id = r.url("run.builderId", "CI_SYSTEM_URL");
    r.facts.run.invocation_id = r.url("run.invocationId", "CI_PIPELINE_URL");
}

fn change(r: &mut Reader) {
    let request = r.peek("CI_COMMIT_PULL_REQUEST").is_some();
    let mut commit = Commit {
        sha: r.sha("commit.sha", "CI_COMMIT_SHA").unwrap_or_default(),
        git_ref: r.text("commit.ref", "CI_COMMIT_REF"),
        tag: r.text("commit.tag", "CI_COMMIT_TAG"),
        base_ref: r.text("commit.baseRef", "CI_COMMIT_TARGET_BRANCH"),
        ..Commit::default()
    };
    // for a pull request this is the branch it goes into, for a tag the default branch
    if !request && commit.tag.is_none() {
        commit.branch = r.text("commit.branch", "CI_COMMIT_BRANCH");
    }
    r.commit(commit);
    if request {
        r.facts.pull_request = Some(PullRequest {
            number: r.text("changes.pullRequest.number", "CI_COMMIT_PULL_REQUEST").unwrap_or_default(),
            url: r.url("changes.pullRequest.url", "CI_PIPELINE_FORGE_URL"),
            target: r.text("changes.pullRequest.target", "CI_COMMIT_TARGET_BRANCH"),
            source: r.text("changes.pullRequest.source", "CI_COMMIT_SOURCE_BRANCH"),
            ..PullRequest::default()
        });
        r.facts.via = Some(Via::PullRequest);
    }
}
