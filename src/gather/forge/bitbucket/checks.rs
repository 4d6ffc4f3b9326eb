//! Build statuses of what was merged.

use super::shapes::{Paged, Status};
use super::{Asking, PULL_REQUESTS, repository, unread};
use crate::gather::http::api::segment;
use crate::record::pull_request_v1::{Check, PullRequest};

/// The statuses of the tip of the source branch. `builds`: how many have to pass; where any do, none of them may fail.
pub(super) fn of(asking: &Asking, request: &PullRequest, builds: Option<u32>, missing: &mut Vec<String>) -> Vec<Check> {
    let Some(head) = &request.head else {
        missing.push("its builds, because the commit that was merged is not told".to_owned());
        return Vec::new();
    };
    let way = format!("{}/commit/{}/statuses?pagelen=100", repository(asking), segment(head));
    let pages = asking.api.pages::<Paged<Status>>(&way);
    let whole = pages.missing.is_none();
    if let Some(e) = pages.missing {
        missing.push(unread("its builds", &e, PULL_REQUESTS));
    }
    let mut checks: Vec<Check> = pages.items.iter().map(|s| check(s, request, builds.map(|n| n > 0))).collect();
    if whole && request.merged_on.is_some() {
        checks.extend(too_few(&checks, builds.unwrap_or_default()));
    }
    checks
}

/// Bitbucket asks for a number of builds, not for builds by name: where too few had passed, that is a check that did not.
fn too_few(checks: &[Check], needed: u32) -> Option<Check> {
    let passed = checks.iter().filter(|c| c.passed_at_merge == Some(true)).count();
    let told = checks.iter().all(|c| c.passed_at_merge.is_some());
    (told && passed < needed as usize).then(|| Check {
        name: format!("at least {needed} passing builds"),
        result: format!("{passed}"),
        finished_on: None,
        required: Some(true),
        passed_at_merge: Some(false),
    })
}

fn check(status: &Status, request: &PullRequest, required: Option<bool>) -> Check {
    let state = status.state.as_deref().unwrap_or_default();
    Check {
        name: status.name.clone().or_else(|| status.key.clone()).unwrap_or_default(),
        result: state.to_owned(),
        finished_on: status.updated_on.filter(|_| !["INPROGRESS", ""].contains(&state)),
        required,
        passed_at_merge: passed(status, request),
    }
}

/// A status is overwritten when a build runs again: one that was written after the merge tells nothing of what stood before, unless
/// there was none.
fn passed(status: &Status, request: &PullRequest) -> Option<bool> {
    let merged = request.merged_on?;
    if status.created_on.is_some_and(|on| on > merged) {
        return Some(false);
    }
    status.updated_on.filter(|on| *on <= merged).map(|_| status.state.as_deref() == Some("SUCCESSFUL"))
}
