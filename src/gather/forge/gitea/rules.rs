//! Protection of a branch, as it stands when it is asked for.

use super::changes::Desk;
use super::shapes::{Branch, Protection};
use super::{ADMIN, Asking, READ, repository, say, unread};
use crate::gather::http::api::segment;
use crate::record::pull_request_v1::Rules;

/// What is known of a branch's rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// `None` where they could not be read. Names of checks are patterns.
    pub(super) rules: Option<Rules>,
}

/// The rules of `branch`.
pub(super) fn of<'a>(asking: &Asking, branch: &str, desk: &'a mut Desk) -> &'a Known {
    if !desk.rules.contains_key(branch) {
        let read = if branch.is_empty() { Known::default() } else { read(asking, branch, &mut desk.missing) };
        desk.rules.insert(branch.to_owned(), read);
    }
    desk.rules.entry(branch.to_owned()).or_default()
}

/// What everybody may read of the rule stands in the branch; the rule itself tells more.
fn read(asking: &Asking, branch: &str, missing: &mut Vec<String>) -> Known {
    let way = format!("{}/branches/{}", repository(asking), segment(branch));
    let told = match asking.api.get::<Branch>(&way) {
        Ok(told) => told,
        Err(e) => {
            say(missing, unread(&format!("the rules of branch {branch}"), &e, READ));
            return Known::default();
        }
    };
    if told.protected == Some(false) {
        let none = Rules { protected: Some(false), pull_request_required: Some(false), ..Rules::default() };
        return Known { rules: Some(Rules { required_approvals: Some(0), dismiss_stale: Some(false), ..none }) };
    }
    let checks = |on: Option<bool>, names: Vec<String>| if on == Some(true) { names } else { Vec::new() };
    let mut rules = Rules {
        protected: told.protected,
        required_approvals: told.required_approvals,
        required_checks: checks(told.enable_status_check, told.status_check_contexts),
        ..Rules::default()
    };
    let name = told.effective_branch_protection_name.filter(|n| !n.is_empty()).unwrap_or_else(|| branch.to_owned());
    match asking.api.get::<Protection>(&format!("{}/branch_protections/{}", repository(asking), segment(&name))) {
        Ok(whole) => {
            rules.pull_request_required = whole.enable_push.map(|push| !push);
            rules.required_approvals = whole.required_approvals.or(rules.required_approvals);
            rules.dismiss_stale = whole.dismiss_stale_approvals;
            rules.required_checks = checks(whole.enable_status_check, whole.status_check_contexts);
        }
        Err(e) => {
            let what =
                format!("whether branch {branch} may be pushed to, and whether approvals are dismissed when it moves");
            say(missing, unread(&what, &e, ADMIN));
        }
    }
    Known { rules: Some(rules) }
}
