//! Bitbucket Pipelines (Atlassian support, "Variables and secrets"). Users may override every one of these variables.

use super::env::Env;
use super::facts::{Reader, some};
use crate::record::change_v1::Via;
use crate::record::parts_v1::{Actor, How, Repository};
use crate::record::pull_request_v1::PullRequest;
use crate::record::run_v1::Commit;

pub(super) const VARIABLES: &[&str] = &[
    "BITBUCKET_DEPLOYMENT_ENVIRONMENT_UUID",
    "BITBUCKET_PARALLEL_STEP",
    "BITBUCKET_PARALLEL_STEP_COUNT",
    "BITBUCKET_PR_DESTINATION_COMMIT",
    "BITBUCKET_PROJECT_KEY",
    "BITBUCKET_WORKSPACE",
];

pub(super) fn detects(env: &Env) -> bool {
    env.get("BITBUCKET_BUILD_NUMBER").is_some()
}

pub(super) fn read(r: &mut Reader) {
    r.told("run.platform", How::CiEnvironment, "BITBUCKET_BUILD_NUMBER");
    run(r);
    let id = r.bare("operator.id", "BITBUCKET_STEP_TRIGGERER_UUID");
    r.operator(Actor { id, ..Actor::default() });
    r.facts.environment = r.text("environment", "BITBUCKET_DEPLOYMENT_ENVIRONMENT");
    r.facts.repository = some(Repository {
        name: r.text("repository.name", "BITBUCKET_REPO_FULL_NAME"),
        id: r.bare("repository.id", "BITBUCKET_REPO_UUID"),
        url: r.url("repository.url", "BITBUCKET_GIT_HTTP_ORIGIN"),
        default_branch: None,
    });
    change(r);
    // in `after-script` only
    r.job_outcome("BITBUCKET_EXIT_CODE");
}

fn run(r: &mut Reader) {
    let number = r.text("run.number", "BITBUCKET_BUILD_NUMBER").unwrap_or_default();
    let name = r.peek("BITBUCKET_REPO_FULL_NAME");
    r.facts.run.id = match (r.bare("run.id", "BITBUCKET_PIPELINE_UUID"), name) {
        (Some(id), _) => id,
        // build numbers count per repository: alone they would meet those of another
        (None, Some(name)) => {
            let id = format!("{}-{number}", name.replace('/', "-"));
            r.derived("run.id", "BITBUCKET_REPO_FULL_NAME, BITBUCKET_BUILD_NUMBER", id).unwrap_or_default()
        }
        (None, None) => r.text("run.id", "BITBUCKET_BUILD_NUMBER").unwrap_or_default(),
    };
    if let Some(name) = name {
        let url = format!("https://bitbucket.org/{name}/pipelines/results/{number}");
        let from = "BITBUCKET_REPO_FULL_NAME, BITBUCKET_BUILD_NUMBER";
        r.facts.run.url = r.derived("run.url", from, url.clone());
        r.facts.run.invocation_id = r.derived("run.invocationId", from, url);
    }
    r.facts.run.number = some(number);
    r.facts.run.job_id = r.bare("run.jobId", "BITBUCKET_STEP_UUID");
}

fn change(r: &mut Reader) {
    let request = r.peek("BITBUCKET_PR_ID").is_some();
    let mut commit = Commit {
        sha: r.sha("commit.sha", "BITBUCKET_COMMIT").unwrap_or_default(),
        branch: r.text("commit.branch", "BITBUCKET_BRANCH"),
        tag: r.text("commit.tag", "BITBUCKET_TAG"),
        base_ref: r.text("commit.baseRef", "BITBUCKET_PR_DESTINATION_BRANCH"),
        ..Commit::default()
    };
    commit.git_ref = match (&commit.branch, &commit.tag) {
        (_, Some(tag)) => r.derived("commit.ref", "BITBUCKET_TAG", format!("refs/tags/{tag}")),
        (Some(branch), None) => r.derived("commit.ref", "BITBUCKET_BRANCH", format!("refs/heads/{branch}")),
        (None, None) => None,
    };
    r.commit(commit);
    if request {
        let page = r.peek("BITBUCKET_REPO_FULL_NAME").zip(r.peek("BITBUCKET_PR_ID")).and_then(|(name, id)| {
            let url = format!("https://bitbucket.org/{name}/pull-requests/{id}");
            r.derived("changes.pullRequest.url", "BITBUCKET_REPO_FULL_NAME, BITBUCKET_PR_ID", url)
        });
        r.facts.pull_request = Some(PullRequest {
            number: r.text("changes.pullRequest.number", "BITBUCKET_PR_ID").unwrap_or_default(),
            url: page,
            target: r.text("changes.pullRequest.target", "BITBUCKET_PR_DESTINATION_BRANCH"),
            source: r.text("changes.pullRequest.source", "BITBUCKET_BRANCH"),
            ..PullRequest::default()
        });
        r.facts.via = Some(Via::PullRequest);
    }
}
