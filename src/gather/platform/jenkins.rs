//! Jenkins: core, git plugin, branch-api and build-user-vars variables. Jenkins tells no outcome to a step; the pipeline
//! passes `currentBuild.currentResult` with the outcome flag.

use super::env::{Env, repository_name};
use super::facts::{Reader, some};
use crate::record::change_v1::Via;
use crate::record::parts_v1::{Actor, How, Repository};
use crate::record::pull_request_v1::PullRequest;
use crate::record::run_v1::{Commit, Runner};

pub(super) const VARIABLES: &[&str] = &["BRANCH_IS_PRIMARY", "EXECUTOR_NUMBER", "GIT_PREVIOUS_COMMIT", "NODE_LABELS"];

/// `JENKINS_URL` exists only where an administrator has set it.
pub(super) fn detects(env: &Env) -> bool {
    env.get("JENKINS_URL").is_some() || env.get("BUILD_TAG").is_some_and(|tag| tag.starts_with("jenkins-"))
}

pub(super) fn read(r: &mut Reader) {
    let marker = if r.peek("JENKINS_URL").is_some() { "JENKINS_URL" } else { "BUILD_TAG" };
    r.told("run.platform", How::CiEnvironment, marker);
    run(r);
    let user = Actor {
        login: r.text("operator.login", "BUILD_USER_ID"),
        name: r.text("operator.name", "BUILD_USER"),
        id: None,
    };
    r.operator(user);
    let name = r.peek("GIT_URL").and_then(repository_name);
    r.facts.repository = some(Repository {
        name: name.and_then(|name| r.derived("repository.name", "GIT_URL", name)),
        url: r.url("repository.url", "GIT_URL"),
        ..Repository::default()
    });
    commit(r);
    if r.peek("CHANGE_ID").is_some() {
        pull_request(r);
    }
    r.facts.runner = some(Runner { name: r.text("runner.name", "NODE_NAME"), ..Runner::default() });
}

fn run(r: &mut Reader) {
    let job = r.peek("JOB_NAME").zip(r.peek("BUILD_NUMBER"));
    r.facts.run.id = match (r.text("run.id", "BUILD_TAG"), job) {
        (Some(tag), _) => tag,
        (None, Some((job, number))) => {
            let id = format!("jenkins-{}-{number}", job.replace('/', "-"));
            r.derived("run.id", "JOB_NAME, BUILD_NUMBER", id).unwrap_or_default()
        }
        (None, None) => String::new(),
    };
    r.facts.run.number = r.text("run.number", "BUILD_NUMBER");
    r.facts.run.url = r.url("run.url", "BUILD_URL");
    // `JOB_NAME` is the project, not a job of a run
    r.facts.run.workflow = r.text("run.workflow", "JOB_NAME");
    r.facts.run.job = r.text("run.job", "STAGE_NAME");
    r.facts.run.builder_id = r.url("run.builderId", "JENKINS_URL");
    r.facts.run.invocation_id = r.url("run.invocationId", "BUILD_URL");
}

fn commit(r: &mut Reader) {
    let request = r.peek("CHANGE_ID").is_some();
    let mut commit = Commit {
        sha: r.sha("commit.sha", "GIT_COMMIT").unwrap_or_default(),
        tag: r.text("commit.tag", "TAG_NAME"),
        base_ref: r.text("commit.baseRef", "CHANGE_TARGET"),
        ..Commit::default()
    };
    // for a pull request `BRANCH_NAME` is `PR-12`, for a tag the tag
    if !request && commit.tag.is_none() {
        commit.branch = r.text("commit.branch", "BRANCH_NAME");
        if let (None, Some(name)) = (&commit.branch, r.peek("GIT_BRANCH")) {
            let name = name.strip_prefix("refs/remotes/").unwrap_or(name);
            let name = name.strip_prefix("origin/").unwrap_or(name);
            // `detached` is the git plugin's word for no branch
            if name != "detached" {
                commit.branch = r.take("commit.branch", How::CiEnvironment, "GIT_BRANCH", name);
            }
        }
    }
    commit.git_ref = match (&commit.branch, &commit.tag) {
        (_, Some(tag)) => r.derived("commit.ref", "TAG_NAME", format!("refs/tags/{tag}")),
        (Some(branch), None) => r.derived("commit.ref", "BRANCH_NAME, GIT_BRANCH", format!("refs/heads/{branch}")),
        (None, None) => None,
    };
    r.commit(commit);
}

fn pull_request(r: &mut Reader) {
    r.facts.pull_request = Some(PullRequest {
        number: r.text("changes.pullRequest.number", "CHANGE_ID").unwrap_or_default(),
        url: r.url("changes.pullRequest.url", "CHANGE_URL"),
        title: r.text("changes.pullRequest.title", "CHANGE_TITLE"),
        author: some(Actor {
            login: r.text("changes.pullRequest.author.login", "CHANGE_AUTHOR"),
            name: r.text("changes.pullRequest.author.name", "CHANGE_AUTHOR_DISPLAY_NAME"),
            id: None,
        }),
        target: r.text("changes.pullRequest.target", "CHANGE_TARGET"),
        source: r.text("changes.pullRequest.source", "CHANGE_BRANCH"),
        // named only for forks, and only by newer plugins: its absence tells nothing
        from_fork: r.peek("CHANGE_FORK").map(|_| {
            r.told("changes.pullRequest.fromFork", How::CiEnvironment, "CHANGE_FORK");
            true
        }),
        ..PullRequest::default()
    });
    r.facts.via = Some(Via::PullRequest);
}
