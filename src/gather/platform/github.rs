//! GitHub Actions (GitHub docs, "Variables reference"; `GITHUB_*` cannot be overridden by `env:`, `CI` can).

use super::actions;
use super::env::Env;
use super::facts::Reader;

pub(super) const VARIABLES: &[&str] = actions::VARIABLES;

/// Forgejo and Gitea set this one too, and are asked before.
pub(super) fn detects(env: &Env) -> bool {
    env.get("GITHUB_ACTIONS") == Some("true")
}

pub(super) fn read(r: &mut Reader) {
    actions::read(r, "GITHUB_ACTIONS");
    // without the server's address a link would guess that this is not GitHub Enterprise Server
    let Some(server) = r.peek("GITHUB_SERVER_URL").map(|s| s.trim_end_matches('/')) else { return };
    if let (Some(name), false) = (r.peek("GITHUB_REPOSITORY"), r.facts.run.id.is_empty()) {
        let (id, attempt) = (&r.facts.run.id, r.facts.run.attempt);
        let url = format!("{server}/{name}/actions/runs/{id}/attempts/{attempt}");
        let from = "GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT";
        r.facts.run.url = r.composed("run.url", from, &url);
        r.facts.run.invocation_id = r.composed("run.invocationId", from, &url);
    }
    // the form of https://actions.github.io/buildtypes/workflow/v1: a self-hosted runner is another builder
    if let Some(hosted) = r.peek("RUNNER_ENVIRONMENT") {
        let id = format!("{server}/actions/runner/{hosted}");
        r.facts.run.builder_id = r.composed("run.builderId", "GITHUB_SERVER_URL, RUNNER_ENVIRONMENT", &id);
    }
}
