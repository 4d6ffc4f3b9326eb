//! CircleCI (CircleCI docs, "Project values and variables"). No variable tells the outcome or the event.

use super::env::Env;
use super::facts::{Reader, some};
use crate::record::change_v1::Via;
use crate::record::parts_v1::{Actor, How, Repository};
use crate::record::pull_request_v1::PullRequest;
use crate::record::run_v1::Commit;

pub(super) const VARIABLES: &[&str] = &[
    "CIRCLE_BUILD_NUM",
    "CIRCLE_NODE_INDEX",
    "CIRCLE_NODE_TOTAL",
    "CIRCLE_ORGANIZATION_ID",
    "CIRCLE_PIPELINE_ID",
    "CIRCLE_PR_REPONAME",
];

pub(super) fn detects(env: &Env) -> bool {
    env.get("CIRCLECI") == Some("true")
}

pub(super) fn read(r: &mut Reader) {
    r.told("run.platform", How::CiEnvironment, "CIRCLECI");
    run(r);
    let login = r.text("operator.login", "CIRCLE_USERNAME");
    r.operator(Actor { login, ..Actor::default() });
    let name = r.peek("CIRCLE_PROJECT_USERNAME").zip(r.peek("CIRCLE_PROJECT_REPONAME"));
    r.facts.repository = some(Repository {
        name: name.and_then(|(owner, repository)| {
            let from = "CIRCLE_PROJECT_USERNAME, CIRCLE_PROJECT_REPONAME";
            r.derived("repository.name", from, format!("{owner}/{repository}"))
        }),
        id: r.text("repository.id", "CIRCLE_PROJECT_ID"),
        url: r.url("repository.url", "CIRCLE_REPOSITORY_URL"),
        default_branch: None,
    });
    commit(r);
    pull_request(r);
}

/// A rerun is a new workflow id in the same pipeline: the workflow is the run, and there are no attempts.
fn run(r: &mut Reader) {
    r.facts.run.id = r.first("run.id", &["CIRCLE_WORKFLOW_ID", "CIRCLE_PIPELINE_ID"]).unwrap_or_default();
    r.facts.run.job = r.text("run.job", "CIRCLE_JOB");
    r.facts.run.job_id = r.text("run.jobId", "CIRCLE_WORKFLOW_JOB_ID");
    let cloud = r.peek("CIRCLE_BUILD_URL").is_none_or(|url| {
        ["https://circleci.com/", "https://app.circleci.com/"].iter().any(|host| url.starts_with(host))
    });
    if let (true, Some(id)) = (cloud, r.peek("CIRCLE_WORKFLOW_ID")) {
        let url = format!("https://app.circleci.com/pipelines/workflows/{id}");
        r.facts.run.url = r.derived("run.url", "CIRCLE_WORKFLOW_ID", url.clone());
        r.facts.run.invocation_id = r.derived("run.invocationId", "CIRCLE_WORKFLOW_ID", url);
    } else {
        // a server of one's own: only the page of the job is told
        r.facts.run.url = r.url("run.url", "CIRCLE_BUILD_URL");
        r.facts.run.invocation_id = r.url("run.invocationId", "CIRCLE_BUILD_URL");
    }
}

fn commit(r: &mut Reader) {
    let mut commit = Commit {
        sha: r.sha("commit.sha", "CIRCLE_SHA1").unwrap_or_default(),
        tag: r.text("commit.tag", "CIRCLE_TAG"),
        ..Commit::default()
    };
    match r.peek("CIRCLE_BRANCH") {
        // a fork's pull request: `pull/12` is no branch of this repository
        Some(name) if name.starts_with("pull/") => {
            commit.git_ref = r.derived("commit.ref", "CIRCLE_BRANCH", format!("refs/{name}/head"));
        }
        Some(name) => {
            commit.branch = r.text("commit.branch", "CIRCLE_BRANCH");
            commit.git_ref = r.derived("commit.ref", "CIRCLE_BRANCH", format!("refs/heads/{name}"));
        }
        None => {
            let tag = commit.tag.clone();
            commit.git_ref = tag.and_then(|tag| r.derived("commit.ref", "CIRCLE_TAG", format!("refs/tags/{tag}")));
        }
    }
    r.commit(commit);
}

/// The number stands in the address of the pull request; `CIRCLE_PR_NUMBER` exists for forks only.
fn pull_request(r: &mut Reader) {
    let page = r.peek("CIRCLE_PULL_REQUEST").or(r.peek("CIRCLE_PULL_REQUESTS").and_then(|all| all.split(',').next()));
    let last = page.and_then(|url| url.trim_end_matches('/').rsplit('/').next());
    let number = match last.filter(|n| n.bytes().all(|b| b.is_ascii_digit())) {
        Some(number) => r.derived("changes.pullRequest.number", "CIRCLE_PULL_REQUEST", number.to_owned()),
        None => r.text("changes.pullRequest.number", "CIRCLE_PR_NUMBER"),
    };
    let Some(number) = number else { return };
    let fork = r.peek("CIRCLE_PR_NUMBER").is_some();
    if fork {
        r.told("changes.pullRequest.fromFork", How::CiEnvironment, "CIRCLE_PR_NUMBER");
    }
    r.facts.pull_request = Some(PullRequest {
        number,
        url: page.and_then(|url| {
            let url = super::env::without_credentials(url);
            r.take("changes.pullRequest.url", How::CiEnvironment, "CIRCLE_PULL_REQUEST", &url)
        }),
        author: r
            .text("changes.pullRequest.author.login", "CIRCLE_PR_USERNAME")
            .map(|login| Actor { login: Some(login), ..Actor::default() }),
        source: r
            .peek("CIRCLE_BRANCH")
            .filter(|name| !name.starts_with("pull/"))
            .and_then(|_| r.text("changes.pullRequest.source", "CIRCLE_BRANCH")),
        from_fork: fork.then_some(true),
        ..PullRequest::default()
    });
    r.facts.via = Some(Via::PullRequest);
}
