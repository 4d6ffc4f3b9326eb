//! Gitea Actions, and Forgejo's runner before version 7: GitHub's variables under Gitea's marker.

use super::actions;
use super::env::Env;
use super::facts::Reader;
use crate::record::parts_v1::Status;

pub(super) const VARIABLES: &[&str] =
    &["GITHUB_ACTION", "GITHUB_ACTION_REF", "GITHUB_ACTION_REPOSITORY", "GITEA_ACTIONS_RUNNER_VERSION"];

pub(super) fn detects(env: &Env) -> bool {
    env.get("GITEA_ACTIONS") == Some("true")
}

pub(super) fn read(r: &mut Reader) {
    actions::read(r, "GITEA_ACTIONS");
    // Up to 1.25 a run's page is under its number, from 1.26 under its id (go-gitea/gitea#36842), and each shape opens
    // somebody else's run on the other. No variable tells the version: no link is better than a wrong one.
    r.lacks("run", Status::Partial, "Gitea moved the page of a run between versions, so its address cannot be told");
}
