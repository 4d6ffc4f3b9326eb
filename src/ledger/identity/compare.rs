//! What a token says and what the record says, side by side.

use super::claims::Words;
use crate::record::RunRecord;
use crate::record::parts_v1::{Actor, How, Provenance};

/// What it means that two differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// The token is another run's.
    Run,
    /// The token is another repository's.
    Repository,
    /// The record says something else about the same run.
    Fact,
}

/// A claim, what it is about, and what a record says of that.
struct Pair {
    claim: &'static str,
    what: &'static str,
    recorded: fn(&RunRecord) -> Option<String>,
    weight: Weight,
}

const fn pair(
    claim: &'static str,
    what: &'static str,
    recorded: fn(&RunRecord) -> Option<String>,
    weight: Weight,
) -> Pair {
    Pair { claim, what, recorded, weight }
}

/// A difference.
pub(super) struct Difference {
    pub(super) weight: Weight,
    pub(super) told: String,
}

use Weight::{Fact, Repository, Run};

/// GitHub docs, "OpenID Connect reference"; Forgejo docs, "Actions: Security OpenID Connect".
const ACTIONS: &[Pair] = &[
    pair("run_id", "the run", run_id, Run),
    pair("run_attempt", "the attempt", |r| Some(r.run.attempt.to_string()), Run),
    pair("repository", "the repository", repository, Repository),
    pair("repository_id", "the repository's id", repository_id, Repository),
    pair("sha", "the commit", commit, Fact),
    pair("ref", "the ref", |r| r.commit.as_ref()?.git_ref.clone(), Fact),
    pair("event_name", "the event", event, Fact),
    pair("actor", "the actor", |r| starter(r)?.login, Fact),
    pair("actor_id", "the actor's id", |r| starter(r)?.id, Fact),
    pair("workflow_ref", "the workflow", |r| r.run.workflow_ref.clone(), Fact),
    pair("workflow_sha", "the workflow's commit", |r| r.run.workflow_sha.clone(), Fact),
    pair("runner_environment", "the kind of runner", |r| r.runner.as_ref()?.environment.clone(), Fact),
];

/// GitLab docs, "OpenID Connect (OIDC) Authentication Using ID Tokens". `ref` is a short name.
const GITLAB: &[Pair] = &[
    pair("pipeline_id", "the pipeline", run_id, Run),
    pair("job_id", "the job", job_id, Run),
    pair("project_path", "the project", repository, Repository),
    pair("project_id", "the project's id", repository_id, Repository),
    pair("sha", "the commit", commit, Fact),
    pair("ref", "the ref", branch_or_tag, Fact),
    pair("pipeline_source", "the event", event, Fact),
    pair("user_login", "the user", |r| starter(r)?.login, Fact),
    pair("user_id", "the user's id", |r| starter(r)?.id, Fact),
    pair("environment", "the environment", environment, Fact),
    pair("runner_id", "the runner", |r| r.runner.as_ref()?.id.clone(), Fact),
];

/// CircleCI docs, "Using OpenID Connect tokens in jobs".
const CIRCLECI: &[Pair] = &[
    pair("oidc.circleci.com/workflow-id", "the workflow", run_id, Run),
    pair("oidc.circleci.com/job-id", "the job", job_id, Run),
    pair("oidc.circleci.com/project-id", "the project's id", repository_id, Repository),
    pair("oidc.circleci.com/vcs-ref", "the ref", |r| r.commit.as_ref()?.git_ref.clone(), Fact),
];

/// Atlassian support, "Integrate Pipelines with resource servers using OIDC".
const BITBUCKET: &[Pair] = &[
    pair("pipelineUuid", "the pipeline", run_id, Run),
    pair("stepUuid", "the step", job_id, Run),
    pair("repositoryUuid", "the repository's id", repository_id, Repository),
    pair("branchName", "the branch", |r| r.commit.as_ref()?.branch.clone(), Fact),
];

/// Buildkite docs, "buildkite-agent oidc".
const BUILDKITE: &[Pair] = &[
    pair("job_id", "the job", job_id, Run),
    pair("build_number", "the build's number", |r| r.run.number.clone(), Run),
    pair("build_commit", "the commit", commit, Fact),
    pair("build_branch", "the branch", branch_or_tag, Fact),
    pair("build_source", "the event", event, Fact),
];

/// TABLE of what can be compared, by platform.
const PLATFORMS: &[(&str, &[Pair])] = &[
    ("github", ACTIONS),
    ("forgejo", ACTIONS),
    ("gitlab", GITLAB),
    ("circleci", CIRCLECI),
    ("bitbucket", BITBUCKET),
    ("buildkite", BUILDKITE),
];

/// Where claims and record differ, in words.
pub(crate) fn contradictions(claims: &Words, record: &RunRecord) -> Vec<String> {
    with(claims, record).into_iter().map(|difference| difference.told).collect()
}

/// Where claims and record differ. What only one of them says is no difference.
pub(super) fn with(claims: &Words, record: &RunRecord) -> Vec<Difference> {
    let mut all = Vec::new();
    for pair in pairs(record) {
        let Some((claimed, recorded)) = claims.get(pair.claim).zip((pair.recorded)(record)) else { continue };
        if !same(claimed, &recorded) {
            let told = format!("the token says that {} is `{claimed}`, the record says `{recorded}`", pair.what);
            all.push(Difference { weight: pair.weight, told });
        }
    }
    all
}

/// Whether the claims say which run it is, and say that it is the record's.
pub(super) fn names_the_run(claims: &Words, record: &RunRecord) -> bool {
    let same = |pair: &Pair| {
        claims.get(pair.claim).zip((pair.recorded)(record)).is_some_and(|(claimed, recorded)| same(claimed, &recorded))
    };
    // An attempt alone is no name.
    pairs(record).iter().any(|pair| pair.weight == Run && pair.claim != "run_attempt" && same(pair))
}

fn pairs(record: &RunRecord) -> &'static [Pair] {
    PLATFORMS.iter().find(|(name, _)| *name == record.run.platform).map_or(&[], |(_, pairs)| pairs)
}

/// Commit ids and UUIDs are the same in either case, and with or without braces.
fn same(a: &str, b: &str) -> bool {
    let bare = |text: &str| text.trim_matches(['{', '}']).to_owned();
    let (a, b) = (bare(a), bare(b));
    let hex = a.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-');
    a == b || (hex && a.eq_ignore_ascii_case(&b))
}

fn run_id(r: &RunRecord) -> Option<String> {
    Some(r.run.id.clone())
}

fn job_id(r: &RunRecord) -> Option<String> {
    r.run.job_id.clone()
}

fn event(r: &RunRecord) -> Option<String> {
    r.run.event.clone()
}

/// Only where the platform's own variable named it. A record speaks of what was deployed to, and is often made by a job of another
/// environment, which keeps the key; then the two have different names and nothing is wrong.
fn environment(r: &RunRecord) -> Option<String> {
    let told = |p: &Provenance| p.fact == "environment" && p.how == How::CiEnvironment;
    r.provenance.iter().any(told).then(|| r.environment.clone())
}

fn repository(r: &RunRecord) -> Option<String> {
    r.repository.as_ref()?.name.clone()
}

fn repository_id(r: &RunRecord) -> Option<String> {
    r.repository.as_ref()?.id.clone()
}

fn commit(r: &RunRecord) -> Option<String> {
    r.commit.as_ref().map(|c| c.sha.clone()).filter(|sha| !sha.is_empty())
}

fn branch_or_tag(r: &RunRecord) -> Option<String> {
    let commit = r.commit.as_ref()?;
    commit.tag.clone().or_else(|| commit.branch.clone())
}

/// Who set the run off, where the platform's variables say it. A word on the command line speaks of somebody else.
fn starter(r: &RunRecord) -> Option<Actor> {
    let operator = || {
        let o = r.operator.as_ref().filter(|o| o.how == How::CiEnvironment)?;
        Some(Actor { id: o.id.clone(), login: o.login.clone(), name: None })
    };
    r.run.initiator.clone().or_else(operator)
}
