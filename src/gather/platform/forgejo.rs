//! Forgejo Actions, runner 7 and later: GitHub's variables under a marker of its own (and Gitea's marker too).

use super::actions;
use super::env::Env;
use super::facts::Reader;

pub(super) const VARIABLES: &[&str] = actions::VARIABLES;

pub(super) fn detects(env: &Env) -> bool {
    env.get("FORGEJO_ACTIONS") == Some("true")
}

pub(super) fn read(r: &mut Reader) {
    actions::read(r, "FORGEJO_ACTIONS");
    // Forgejo serves a run under its number in the repository; under `GITHUB_RUN_ID` stands another run, or none
    let (server, name) = (r.peek("GITHUB_SERVER_URL"), r.peek("GITHUB_REPOSITORY"));
    if let (Some(server), Some(name), Some(number)) = (server, name, r.peek("GITHUB_RUN_NUMBER")) {
        let url = format!("{}/{name}/actions/runs/{number}", server.trim_end_matches('/'));
        let from = "GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_NUMBER";
        r.facts.run.url = r.composed("run.url", from, &url);
        let invocation = format!("{url}#attempt-{}", r.facts.run.attempt);
        r.facts.run.invocation_id = r.composed("run.invocationId", from, &invocation);
    }
}
