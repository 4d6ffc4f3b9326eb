//! The rules of a branch that are in force when they are asked for.

use super::shapes::{ApprovalSettings, Branch, Project, ProtectedBranch};
use super::{Asking, project, say, unread};
use crate::gather::http::api::{ApiError, segment};
use crate::record::pull_request_v1::Rules;

/// The check that `only_allow_merge_if_pipeline_succeeds` asks for.
pub(super) const PIPELINE: &str = "pipeline";

/// What is known of the rules of `branch`; approvals are asked for by each merge request of its own (`approvals.rs`).
pub(super) fn of(asking: &Asking, branch: &str, settings: Option<&Project>, missing: &mut Vec<String>) -> Rules {
    let (way, name) = (project(asking), segment(branch));
    let mut rules = Rules::default();
    if settings.is_some_and(|s| s.only_allow_merge_if_pipeline_succeeds == Some(true)) {
        rules.required_checks.push(PIPELINE.to_owned());
    }
    match asking.api.find::<Branch>(&format!("{way}/repository/branches/{name}")) {
        Ok(found) => rules.protected = found.and_then(|branch| branch.protected),
        Err(e) => say(missing, unread("whether the target branch is protected", &e)),
    }
    if rules.protected == Some(false) {
        rules.pull_request_required = Some(false);
        return rules;
    }
    match asking.api.get::<ProtectedBranch>(&format!("{way}/protected_branches/{name}")) {
        Ok(protection) => {
            rules.protected = Some(true);
            rules.code_owners = protection.code_owner_approval_required;
            // an empty list is what "no one" of old looks like
            let nobody = |levels: &Vec<super::shapes::Access>| {
                levels
                    .iter()
                    .all(|a| a.access_level == Some(0) && a.user_id.or(a.group_id).or(a.deploy_key_id).is_none())
            };
            rules.pull_request_required = protection.push_access_levels.as_ref().map(nobody);
        }
        // protected by a pattern, or by the group
        Err(ApiError::NotFound(_)) => {}
        Err(e) => say(missing, unread("who may push to the target branch", &e)),
    }
    // of Premium; the free edition has none
    match asking.api.find::<ApprovalSettings>(&format!("{way}/approvals")) {
        Ok(found) => rules.dismiss_stale = found.and_then(|s| s.reset_approvals_on_push),
        Err(ApiError::Forbidden(..) | ApiError::Unauthorized(_)) => {}
        Err(e) => say(missing, unread("the approval settings of the project", &e)),
    }
    rules
}
