//! Which claims of a token a record keeps: a fixed list, so that what an issuer thinks of next enters no record by itself.

use crate::seal::token::{self, Claims};
use std::collections::BTreeMap;

/// Claims in one word, by their names.
pub(crate) type Words = BTreeMap<String, String>;

/// The list. Who signed, for whom, about whom, when (RFC 7519); then who ran what, where and for which commit.
const KEPT: &[&str] = &[
    "aud",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "sub",
    // GitHub and Forgejo
    "actor",
    "actor_id",
    "base_ref",
    "check_run_id",
    "environment",
    "event_name",
    "head_ref",
    "job_workflow_ref",
    "job_workflow_sha",
    "ref",
    "ref_protected",
    "ref_type",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "run_attempt",
    "run_id",
    "run_number",
    "runner_environment",
    "sha",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    // GitLab
    "ci_config_ref_uri",
    "ci_config_sha",
    "deployment_tier",
    "environment_protected",
    "job_id",
    "job_source",
    "namespace_id",
    "namespace_path",
    "pipeline_id",
    "pipeline_source",
    "project_id",
    "project_path",
    "project_visibility",
    "ref_path",
    "runner_id",
    "user_access_level",
    "user_id",
    "user_login",
    // CircleCI
    "oidc.circleci.com/job-id",
    "oidc.circleci.com/org-id",
    "oidc.circleci.com/pipeline-definition-id",
    "oidc.circleci.com/pipeline-id",
    "oidc.circleci.com/project-id",
    "oidc.circleci.com/ssh-rerun",
    "oidc.circleci.com/vcs-origin",
    "oidc.circleci.com/vcs-ref",
    "oidc.circleci.com/workflow-id",
    // Bitbucket
    "branchName",
    "deploymentEnvironmentUuid",
    "pipelineUuid",
    "repositoryUuid",
    "stepUuid",
    "workspaceUuid",
    // Buildkite
    "agent_id",
    "build_branch",
    "build_commit",
    "build_number",
    "build_source",
    "build_tag",
    "organization_id",
    "organization_slug",
    "pipeline_slug",
    "step_key",
];

/// Claims with a mail address in them, kept only where somebody wants them.
const MAIL: &[&str] = &["email", "email_verified", "user_email", "build_creator_email"];

/// What is kept of `claims`.
pub(crate) fn kept(claims: &Claims, with_mail: bool) -> Words {
    let names = KEPT.iter().chain(MAIL.iter().filter(|_| with_mail));
    let word = |name: &str| match name {
        "aud" => Some(claims.audiences().join(", ")).filter(|aud| !aud.is_empty() && aud.len() <= 1024),
        _ => claims.word(name),
    };
    let named = names.filter(|name| with_mail || !token::is_mail(name));
    named.filter_map(|name| Some(((*name).to_owned(), word(name)?))).collect()
}
