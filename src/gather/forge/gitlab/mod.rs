//! GitLab: gitlab.com and hosts that people run themselves (GitLab docs, "REST API").
//!
//! A `CI_JOB_TOKEN` may read merge requests and their notes, and neither approvals, rules nor events: what it may not is said, and
//! approvals are then taken from the notes that GitLab itself writes.

mod approvals;
mod audit;
mod changes;
mod checks;
mod commits;
mod event;
mod files;
mod hook;
mod merge_requests;
mod moved;
mod notes;
mod population;
mod protection;
mod pushes;
mod reach;
mod rules;
mod shapes;
mod user;
mod versions;

pub(super) use changes::changes;
pub(super) use event::event;
pub(super) use population::population;
pub(super) use pushes::pushes;
pub(super) use reach::reach;

use super::{Asking, Collected, Delivered, EventError, Found, Given, Period, Population, Push, Reach, Span};
use crate::gather::http::api::{ApiError, segment};
use crate::record::parts_v1::Repository;
use shapes::Project;

/// The way to the project: by its id where that is known, since names move.
fn project(asking: &Asking) -> String {
    format!("projects/{}", segment(asking.repository_id.unwrap_or(asking.repository)))
}

/// The way to a merge request.
fn merge_request(asking: &Asking, iid: &str) -> String {
    format!("{}/merge_requests/{}", project(asking), segment(iid))
}

/// One sentence for what could not be read, with what would help.
fn unread(what: &str, error: &ApiError) -> String {
    let help = "; a token with scope read_api reads it (CI_JOB_TOKEN may not; give --api-token)";
    format!("{what} could not be read: {error}{}", if error.is_refusal() { help } else { "" })
}

/// The project as GitLab names it.
fn repository(project: &Project) -> Repository {
    Repository {
        name: project.path_with_namespace.clone(),
        id: project.id.map(|id| id.to_string()),
        url: project.web_url.clone(),
        default_branch: project.default_branch.clone(),
    }
}

/// Adds a sentence once.
fn say(missing: &mut Vec<String>, sentence: String) {
    if !missing.contains(&sentence) {
        missing.push(sentence);
    }
}

/// The first characters of a commit's id, for people.
fn short(sha: &str) -> &str {
    sha.get(..12).unwrap_or(sha)
}

#[cfg(test)]
mod tests;
