//! Drone (Drone docs, "Environment reference").

use super::env::Env;
use super::facts::{Reader, some};
use crate::record::change_v1::Via;
use crate::record::parts_v1::{Actor, How, Repository};
use crate::record::pull_request_v1::PullRequest;
use crate::record::run_v1::{Commit, Runner};

pub(super) const VARIABLES: &[&str] =
    &["DRONE_BUILD_ACTION", "DRONE_BUILD_PARENT", "DRONE_FAILED_STAGES", "DRONE_FAILED_STEPS", "DRONE_SYSTEM_VERSION"];

pub(super) fn detects(env: &Env) -> bool {
    env.get("DRONE") == Some("true")
}

pub(super) fn read(r: &mut Reader) {
    r.told("run.platform", How::CiEnvironment, "DRONE");
    run(r);
    // `@hook` and `@cron` are not people, and the author of the commit need not have pushed it
    if r.peek("DRONE_BUILD_TRIGGER").is_some_and(|who| !who.starts_with('@')) {
        let login = r.text("operator.login", "DRONE_BUILD_TRIGGER");
        r.operator(Actor { login, ..Actor::default() });
    }
    r.facts.environment = r.text("environment", "DRONE_DEPLOY_TO");
    r.facts.repository = some(Repository {
        name: r.text("repository.name", "DRONE_REPO"),
        url: r.url("repository.url", "DRONE_REPO_LINK"),
        default_branch: r.text("repository.defaultBranch", "DRONE_REPO_BRANCH"),
        id: None,
    });
    change(r);
    r.facts.runner = some(Runner {
        name: r.text("runner.name", "DRONE_STAGE_MACHINE"),
        os: r.text("runner.os", "DRONE_STAGE_OS"),
        arch: r.text("runner.arch", "DRONE_STAGE_ARCH"),
        ..Runner::default()
    });
    r.outcome("DRONE_BUILD_STATUS");
}

fn run(r: &mut Reader) {
    r.facts.run.number = r.text("run.number", "DRONE_BUILD_NUMBER");
    // builds are numbered per repository: alone a number would meet that of another
    r.facts.run.id = match (r.peek("DRONE_REPO"), r.peek("DRONE_BUILD_NUMBER")) {
        (Some(name), Some(number)) => {
            r.derived("run.id", "DRONE_REPO, DRONE_BUILD_NUMBER", format!("{}-{number}", name.replace('/', "-")))
        }
        _ => r.text("run.id", "DRONE_BUILD_NUMBER"),
    }
    .unwrap_or_default();
    r.facts.run.url = r.url("run.url", "DRONE_BUILD_LINK");
    r.facts.run.workflow = r.text("run.workflow", "DRONE_STAGE_NAME");
    r.facts.run.job = r.text("run.job", "DRONE_STEP_NAME");
    r.facts.run.event = r.text("run.event", "DRONE_BUILD_EVENT");
    r.facts.run.started_on = r.time("run.startedOn", "DRONE_BUILD_STARTED");
    r.facts.run.invocation_id = r.url("run.invocationId", "DRONE_BUILD_LINK");
}

fn change(r: &mut Reader) {
    let request = r.peek("DRONE_PULL_REQUEST").is_some();
    let mut commit = Commit {
        sha: r.sha("commit.sha", "DRONE_COMMIT_SHA").unwrap_or_default(),
        git_ref: r.text("commit.ref", "DRONE_COMMIT_REF"),
        tag: r.text("commit.tag", "DRONE_TAG"),
        before: r.sha("commit.before", "DRONE_COMMIT_BEFORE"),
        ..Commit::default()
    };
    if request {
        commit.base_ref = r.text("commit.baseRef", "DRONE_TARGET_BRANCH");
    } else if commit.tag.is_none() {
        commit.branch = r.text("commit.branch", "DRONE_COMMIT_BRANCH");
    }
    r.commit(commit);
    if request {
        r.facts.pull_request = Some(PullRequest {
            number: r.text("changes.pullRequest.number", "DRONE_PULL_REQUEST").unwrap_or_default(),
            url: r.url("changes.pullRequest.url", "DRONE_COMMIT_LINK"),
            title: r.text("changes.pullRequest.title", "DRONE_PULL_REQUEST_TITLE"),
            target: r.text("changes.pullRequest.target", "DRONE_TARGET_BRANCH"),
            source: r.text("changes.pullRequest.source", "DRONE_SOURCE_BRANCH"),
            ..PullRequest::default()
        });
        r.facts.via = Some(Via::PullRequest);
    }
}
