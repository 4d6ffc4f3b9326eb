//! Azure Pipelines (Microsoft Learn, "Use predefined variables"). Predefined variables cannot be overridden.

use super::env::{Env, segment};
use super::facts::{Reader, some};
use crate::record::change_v1::Via;
use crate::record::parts_v1::{Actor, How, Repository};
use crate::record::pull_request_v1::PullRequest;
use crate::record::run_v1::{Commit, Runner};

pub(super) const VARIABLES: &[&str] = &[
    "AGENT_VERSION",
    "BUILD_DEFINITIONVERSION",
    "BUILD_REPOSITORY_PROVIDER",
    "ENVIRONMENT_ID",
    "ENVIRONMENT_RESOURCENAME",
    "SYSTEM_DEFINITIONID",
    "SYSTEM_PHASENAME",
    "SYSTEM_STAGENAME",
];

pub(super) fn detects(env: &Env) -> bool {
    env.get("TF_BUILD").is_some_and(|v| v.eq_ignore_ascii_case("true"))
}

pub(super) fn read(r: &mut Reader) {
    r.told("run.platform", How::CiEnvironment, "TF_BUILD");
    run(r);
    people(r);
    r.facts.environment = r.text("environment", "ENVIRONMENT_NAME");
    r.facts.repository = some(Repository {
        name: r.text("repository.name", "BUILD_REPOSITORY_NAME"),
        id: r.text("repository.id", "BUILD_REPOSITORY_ID"),
        url: r.url("repository.url", "BUILD_REPOSITORY_URI"),
        default_branch: None,
    });
    commit(r);
    if r.peek("SYSTEM_PULLREQUEST_PULLREQUESTID").or(r.peek("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER")).is_some() {
        pull_request(r);
    }
    r.facts.runner = some(Runner {
        name: r.text("runner.name", "AGENT_NAME"),
        id: r.text("runner.id", "AGENT_ID"),
        os: r.text("runner.os", "AGENT_OS"),
        arch: r.text("runner.arch", "AGENT_OSARCHITECTURE"),
        image: r.hosted_image(),
        environment: None,
    });
    r.job_outcome("AGENT_JOBSTATUS");
}

fn run(r: &mut Reader) {
    r.facts.run.id = r.text("run.id", "BUILD_BUILDID").unwrap_or_default();
    r.facts.run.number = r.text("run.number", "BUILD_BUILDNUMBER");
    r.facts.run.workflow = r.text("run.workflow", "BUILD_DEFINITIONNAME");
    r.facts.run.job = r.first("run.job", &["SYSTEM_JOBNAME", "SYSTEM_JOBDISPLAYNAME"]);
    r.facts.run.job_id = r.text("run.jobId", "SYSTEM_JOBID");
    r.facts.run.event = r.text("run.event", "BUILD_REASON");
    r.facts.run.started_on = r.time("run.startedOn", "SYSTEM_PIPELINESTARTTIME");
    // a retried stage may start its jobs at 1 again: the larger of the two tells this attempt from the one before
    let attempts = ["SYSTEM_STAGEATTEMPT", "SYSTEM_JOBATTEMPT"];
    let latest = attempts.into_iter().max_by_key(|v| r.peek(v).and_then(|n| n.parse::<u32>().ok()));
    r.facts.run.attempt = latest.and_then(|v| r.number("run.attempt", v)).unwrap_or(1).max(1);
    let place = r.peek("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI").zip(r.peek("SYSTEM_TEAMPROJECT"));
    if let (Some((collection, project)), false) = (place, r.facts.run.id.is_empty()) {
        let (collection, project) = (collection.trim_end_matches('/'), segment(project));
        let url = format!("{collection}/{project}/_build/results?buildId={}", r.facts.run.id);
        let from = "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI, SYSTEM_TEAMPROJECT, BUILD_BUILDID";
        let invocation = format!("{url}#attempt-{}", r.facts.run.attempt);
        r.facts.run.url = r.composed("run.url", from, &url);
        r.facts.run.invocation_id = r.composed("run.invocationId", from, &invocation);
    }
}

/// Who it was requested for answers for it; who queued it is often a service account of Azure's own.
fn people(r: &mut Reader) {
    let operator = Actor {
        id: r.text("operator.id", "BUILD_REQUESTEDFORID"),
        name: r.text("operator.name", "BUILD_REQUESTEDFOR"),
        login: None,
    };
    r.operator(operator);
    if r.peek("BUILD_QUEUEDBYID") != r.peek("BUILD_REQUESTEDFORID") || r.peek("BUILD_REQUESTEDFORID").is_none() {
        r.facts.run.initiator = some(Actor {
            id: r.text("run.initiator.id", "BUILD_QUEUEDBYID"),
            name: r.text("run.initiator.name", "BUILD_QUEUEDBY"),
            login: None,
        });
    }
}

fn commit(r: &mut Reader) {
    let git_ref = r.peek("BUILD_SOURCEBRANCH").unwrap_or_default();
    let mut commit = Commit {
        sha: r.sha("commit.sha", "BUILD_SOURCEVERSION").unwrap_or_default(),
        git_ref: r.text("commit.ref", "BUILD_SOURCEBRANCH"),
        base_ref: branch(r, "commit.baseRef", "SYSTEM_PULLREQUEST_TARGETBRANCH"),
        // a pull request runs a merge commit that Azure made
        head_sha: r.sha("commit.headSha", "SYSTEM_PULLREQUEST_SOURCECOMMITID"),
        ..Commit::default()
    };
    if let Some(name) = git_ref.strip_prefix("refs/heads/") {
        commit.branch = r.take("commit.branch", How::CiEnvironment, "BUILD_SOURCEBRANCH", name);
    } else if let Some(name) = git_ref.strip_prefix("refs/tags/") {
        commit.tag = r.take("commit.tag", How::CiEnvironment, "BUILD_SOURCEBRANCH", name);
    }
    r.commit(commit);
}

/// The documentation shows full refs for a pull request's branches, agents in the field short ones: both are read.
fn branch(r: &mut Reader, fact: &str, variable: &str) -> Option<String> {
    let name = r.peek(variable)?;
    r.take(fact, How::CiEnvironment, variable, name.strip_prefix("refs/heads/").unwrap_or(name))
}

fn pull_request(r: &mut Reader) {
    // the number is GitHub's; the id is what Azure Repos shows, and for GitHub a number nobody sees
    let numbers = ["SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "SYSTEM_PULLREQUEST_PULLREQUESTID"];
    let number = r.first("changes.pullRequest.number", &numbers).unwrap_or_default();
    let page = match r.peek("BUILD_REPOSITORY_PROVIDER") {
        Some("TfsGit") => Some("pullrequest"),
        Some("GitHub") => Some("pull"),
        _ => None,
    };
    let url = page.zip(r.facts.repository.as_ref().and_then(|repo| repo.url.clone())).and_then(|(page, repository)| {
        let repository = repository.trim_end_matches('/').trim_end_matches(".git").to_owned();
        r.derived("changes.pullRequest.url", "BUILD_REPOSITORY_URI", format!("{repository}/{page}/{number}"))
    });
    r.facts.pull_request = Some(PullRequest {
        number,
        url,
        target: branch(r, "changes.pullRequest.target", "SYSTEM_PULLREQUEST_TARGETBRANCH"),
        source: branch(r, "changes.pullRequest.source", "SYSTEM_PULLREQUEST_SOURCEBRANCH"),
        head: r.sha("changes.pullRequest.head", "SYSTEM_PULLREQUEST_SOURCECOMMITID"),
        from_fork: r.flag("changes.pullRequest.fromFork", "SYSTEM_PULLREQUEST_ISFORK"),
        ..PullRequest::default()
    });
    r.facts.via = Some(Via::PullRequest);
}
