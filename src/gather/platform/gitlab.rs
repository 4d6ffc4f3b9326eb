//! GitLab CI (GitLab docs, "Predefined CI/CD variables reference"). Pipeline variables may override these.

use super::env::Env;
use super::facts::{Reader, some};
use crate::record::change_v1::Via;
use crate::record::parts_v1::{Actor, How, Repository};
use crate::record::pull_request_v1::PullRequest;
use crate::record::run_v1::{Commit, Runner};

pub(super) const VARIABLES: &[&str] = &[
    "CI_CONCURRENT_ID",
    "CI_DEPLOY_FREEZE",
    "CI_DISPOSABLE_ENVIRONMENT",
    "CI_ENVIRONMENT_ACTION",
    "CI_ENVIRONMENT_TIER",
    "CI_ENVIRONMENT_URL",
    "CI_JOB_MANUAL",
    "CI_JOB_STAGE",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA",
    "CI_MERGE_REQUEST_EVENT_TYPE",
    "CI_NODE_INDEX",
    "CI_NODE_TOTAL",
    "CI_PIPELINE_TRIGGERED",
    "CI_RUNNER_TAGS",
    "CI_RUNNER_VERSION",
    "CI_SERVER_VERSION",
];

/// gitlab-ci-local sets `GITLAB_CI=false`: it is not GitLab, and says so.
pub(super) fn detects(env: &Env) -> bool {
    env.get("GITLAB_CI") == Some("true")
}

pub(super) fn read(r: &mut Reader) {
    r.told("run.platform", How::CiEnvironment, "GITLAB_CI");
    run(r);
    let actor = Actor {
        id: r.text("operator.id", "GITLAB_USER_ID"),
        login: r.text("operator.login", "GITLAB_USER_LOGIN"),
        name: r.text("operator.name", "GITLAB_USER_NAME"),
    };
    r.operator(actor);
    r.facts.environment = r.text("environment", "CI_ENVIRONMENT_NAME");
    r.facts.repository = some(Repository {
        name: r.text("repository.name", "CI_PROJECT_PATH"),
        id: r.text("repository.id", "CI_PROJECT_ID"),
        url: r.url("repository.url", "CI_PROJECT_URL"),
        default_branch: r.text("repository.defaultBranch", "CI_DEFAULT_BRANCH"),
    });
    commit(r);
    // the IID: `CI_MERGE_REQUEST_ID` is unique over the whole instance and in no address
    if r.peek("CI_MERGE_REQUEST_IID").is_some() {
        merge_request(r);
    }
    let (os, arch) = r.peek("CI_RUNNER_EXECUTABLE_ARCH").and_then(|v| v.split_once('/')).unzip();
    r.facts.runner = some(Runner {
        name: r.text("runner.name", "CI_RUNNER_DESCRIPTION"),
        id: r.text("runner.id", "CI_RUNNER_ID"),
        os: os.and_then(|v| r.take("runner.os", How::CiEnvironment, "CI_RUNNER_EXECUTABLE_ARCH", v)),
        arch: arch.and_then(|v| r.take("runner.arch", How::CiEnvironment, "CI_RUNNER_EXECUTABLE_ARCH", v)),
        image: r.text("runner.image", "CI_JOB_IMAGE"),
        environment: None,
    });
    // `running` in the script itself; the word of the job only in `after_script`
    r.job_outcome("CI_JOB_STATUS");
}

/// A retried job is a new `CI_JOB_ID` in the same pipeline: GitLab counts no attempts.
fn run(r: &mut Reader) {
    r.facts.run.id = r.text("run.id", "CI_PIPELINE_ID").unwrap_or_default();
    r.facts.run.number = r.text("run.number", "CI_PIPELINE_IID");
    r.facts.run.url = r.url("run.url", "CI_PIPELINE_URL");
    r.facts.run.workflow = r.text("run.workflow", "CI_PIPELINE_NAME");
    r.facts.run.workflow_ref = r.text("run.workflowRef", "CI_CONFIG_PATH");
    r.facts.run.job = r.text("run.job", "CI_JOB_NAME");
    r.facts.run.job_id = r.text("run.jobId", "CI_JOB_ID");
    r.facts.run.event = r.text("run.event", "CI_PIPELINE_SOURCE");
    r.facts.run.started_on = match r.time("run.startedOn", "CI_PIPELINE_CREATED_AT") {
        None => r.time("run.startedOn", "CI_JOB_STARTED_AT"),
        known => known,
    };
    r.facts.run.invocation_id = r.url("run.invocationId", "CI_JOB_URL");
    // the form of the provenance that GitLab Runner itself writes
    if let Some((project, runner)) = r.peek("CI_PROJECT_URL").zip(r.peek("CI_RUNNER_ID")) {
        let id = format!("{project}/-/runners/{runner}");
        r.facts.run.builder_id = r.composed("run.builderId", "CI_PROJECT_URL, CI_RUNNER_ID", &id);
    }
}

fn commit(r: &mut Reader) {
    let mut commit = Commit {
        sha: r.sha("commit.sha", "CI_COMMIT_SHA").unwrap_or_default(),
        // unset in merge request and tag pipelines
        branch: r.text("commit.branch", "CI_COMMIT_BRANCH"),
        tag: r.text("commit.tag", "CI_COMMIT_TAG"),
        base_ref: r.text("commit.baseRef", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),
        before: r.sha("commit.before", "CI_COMMIT_BEFORE_SHA"),
        ref_protected: r.flag("commit.refProtected", "CI_COMMIT_REF_PROTECTED"),
        ..Commit::default()
    };
    commit.git_ref = match (&commit.branch, &commit.tag) {
        (_, Some(tag)) => r.derived("commit.ref", "CI_COMMIT_TAG", format!("refs/tags/{tag}")),
        (Some(branch), None) => r.derived("commit.ref", "CI_COMMIT_BRANCH", format!("refs/heads/{branch}")),
        (None, None) => r.text("commit.ref", "CI_MERGE_REQUEST_REF_PATH"),
    };
    // merged results and merge trains run a commit that GitLab made; the tip of the source branch is told apart
    let head = r.peek("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA");
    if head.is_some_and(|head| !head.eq_ignore_ascii_case(&commit.sha)) {
        commit.head_sha = r.sha("commit.headSha", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA");
    }
    r.commit(commit);
}

fn merge_request(r: &mut Reader) {
    let fork = r.peek("CI_MERGE_REQUEST_SOURCE_PROJECT_ID").zip(r.peek("CI_MERGE_REQUEST_PROJECT_ID"));
    let page = r.peek("CI_MERGE_REQUEST_PROJECT_URL").zip(r.peek("CI_MERGE_REQUEST_IID"));
    let detached = r.peek("CI_MERGE_REQUEST_EVENT_TYPE") == Some("detached");
    let mut request = PullRequest {
        number: r.text("changes.pullRequest.number", "CI_MERGE_REQUEST_IID").unwrap_or_default(),
        title: r.text("changes.pullRequest.title", "CI_MERGE_REQUEST_TITLE"),
        target: r.text("changes.pullRequest.target", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),
        source: r.text("changes.pullRequest.source", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"),
        head: r.sha("changes.pullRequest.head", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"),
        ..PullRequest::default()
    };
    if request.head.is_none() && detached {
        request.head = r.sha("changes.pullRequest.head", "CI_COMMIT_SHA");
    }
    if let Some((project, iid)) = page {
        let from = "CI_MERGE_REQUEST_PROJECT_URL, CI_MERGE_REQUEST_IID";
        request.url = r.composed("changes.pullRequest.url", from, &format!("{project}/-/merge_requests/{iid}"));
    }
    if let Some((source, target)) = fork {
        request.from_fork = Some(source != target);
        let from = "CI_MERGE_REQUEST_SOURCE_PROJECT_ID, CI_MERGE_REQUEST_PROJECT_ID";
        r.told("changes.pullRequest.fromFork", How::Derived, from);
    }
    r.facts.pull_request = Some(request);
    let train = r.peek("CI_MERGE_REQUEST_EVENT_TYPE") == Some("merge_train");
    r.facts.via = Some(if train { Via::MergeQueue } else { Via::PullRequest });
}
