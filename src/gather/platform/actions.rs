//! The variables that GitHub Actions, Gitea Actions and Forgejo Actions share (GitHub docs, "Variables reference").

use super::event;
use super::facts::{Reader, some};
use crate::record::change_v1::Via;
use crate::record::parts_v1::{Actor, How, Repository};
use crate::record::pull_request_v1::PullRequest;
use crate::record::run_v1::{Commit, Runner};

/// Harmless variables of the whole family.
pub(super) const VARIABLES: &[&str] =
    &["GITHUB_ACTION", "GITHUB_ACTION_REF", "GITHUB_ACTION_REPOSITORY", "GITHUB_REPOSITORY_OWNER_ID"];

/// Reads all but the addresses, whose shape differs between the three.
pub(super) fn read(r: &mut Reader, marker: &str) {
    r.told("run.platform", How::CiEnvironment, marker);
    run(r);
    people(r);
    r.facts.repository = some(Repository {
        name: r.text("repository.name", "GITHUB_REPOSITORY"),
        id: r.text("repository.id", "GITHUB_REPOSITORY_ID"),
        url: r.peek("GITHUB_SERVER_URL").zip(r.peek("GITHUB_REPOSITORY")).and_then(|(server, name)| {
            let url = format!("{}/{name}", server.trim_end_matches('/'));
            r.composed("repository.url", "GITHUB_SERVER_URL, GITHUB_REPOSITORY", &url)
        }),
        default_branch: None,
    });
    commit(r);
    r.facts.runner = some(Runner {
        name: r.text("runner.name", "RUNNER_NAME"),
        os: r.text("runner.os", "RUNNER_OS"),
        arch: r.text("runner.arch", "RUNNER_ARCH"),
        environment: r.text("runner.environment", "RUNNER_ENVIRONMENT"),
        image: r.hosted_image(),
        id: None,
    });
    event::read(r);
}

fn run(r: &mut Reader) {
    r.facts.run.id = r.text("run.id", "GITHUB_RUN_ID").unwrap_or_default();
    r.facts.run.attempt = r.number("run.attempt", "GITHUB_RUN_ATTEMPT").unwrap_or(1).max(1);
    r.facts.run.number = r.text("run.number", "GITHUB_RUN_NUMBER");
    r.facts.run.workflow = r.text("run.workflow", "GITHUB_WORKFLOW");
    r.facts.run.workflow_ref = r.text("run.workflowRef", "GITHUB_WORKFLOW_REF");
    r.facts.run.workflow_sha = r.sha("run.workflowSha", "GITHUB_WORKFLOW_SHA");
    r.facts.run.job = r.text("run.job", "GITHUB_JOB");
    r.facts.run.event = r.text("run.event", "GITHUB_EVENT_NAME");
}

/// After a re-run the triggering actor is who pressed the button; `GITHUB_ACTOR` stays whoever came first, and the id
/// in `GITHUB_ACTOR_ID` is theirs alone.
fn people(r: &mut Reader) {
    let (actor, again) = (r.peek("GITHUB_ACTOR"), r.peek("GITHUB_TRIGGERING_ACTOR"));
    if again.is_some() && again != actor {
        let login = r.text("operator.login", "GITHUB_TRIGGERING_ACTOR");
        r.operator(Actor { login, ..Actor::default() });
        r.facts.run.initiator = some(Actor {
            id: r.text("run.initiator.id", "GITHUB_ACTOR_ID"),
            login: r.text("run.initiator.login", "GITHUB_ACTOR"),
            name: None,
        });
    } else {
        let login = r.first("operator.login", &["GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"]);
        let id = r.text("operator.id", "GITHUB_ACTOR_ID");
        r.operator(Actor { id, login, name: None });
    }
}

fn commit(r: &mut Reader) {
    let git_ref = r.peek("GITHUB_REF").unwrap_or_default();
    let mut commit = Commit {
        sha: r.sha("commit.sha", "GITHUB_SHA").unwrap_or_default(),
        git_ref: r.text("commit.ref", "GITHUB_REF"),
        base_ref: r.text("commit.baseRef", "GITHUB_BASE_REF"),
        ref_protected: r.flag("commit.refProtected", "GITHUB_REF_PROTECTED"),
        ..Commit::default()
    };
    if let Some(branch) = git_ref.strip_prefix("refs/heads/") {
        commit.branch = r.take("commit.branch", How::CiEnvironment, "GITHUB_REF", branch);
    } else if let Some(tag) = git_ref.strip_prefix("refs/tags/") {
        commit.tag = r.take("commit.tag", How::CiEnvironment, "GITHUB_REF", tag);
    }
    r.commit(commit);
    // refs/pull/<n>/merge on GitHub, refs/pull/<n>/head on Gitea and Forgejo
    if let Some(number) = git_ref.strip_prefix("refs/pull/").and_then(|rest| rest.split('/').next()) {
        r.facts.pull_request = Some(PullRequest {
            number: r.take("changes.pullRequest.number", How::CiEnvironment, "GITHUB_REF", number).unwrap_or_default(),
            target: r.text("changes.pullRequest.target", "GITHUB_BASE_REF"),
            source: r.text("changes.pullRequest.source", "GITHUB_HEAD_REF"),
            ..PullRequest::default()
        });
        r.facts.via = Some(Via::PullRequest);
    }
}
