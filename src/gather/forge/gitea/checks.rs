//! Checks of what was merged. Every report of a check is kept, so what stood at the merge is known.

use super::rules::Known;
use super::shapes::Status;
use super::{Asking, READ, repository, unread};
use crate::gather::http::api::{List, segment};
use crate::record::pull_request_v1::{Check, PullRequest, Rules};
use globset::GlobBuilder;

/// The checks of what was merged.
pub(super) fn of(asking: &Asking, request: &PullRequest, known: &Known, missing: &mut Vec<String>) -> Vec<Check> {
    let Some(head) = &request.head else {
        missing.push("its checks, because the commit that was merged is not told".to_owned());
        return Vec::new();
    };
    let way = format!("{}/commits/{}/statuses?limit=50", repository(asking), segment(head));
    let pages = asking.api.pages::<List<Status>>(&way);
    let whole = pages.missing.is_none();
    if let Some(e) = pages.missing {
        missing.push(unread("its checks", &e, READ));
    }
    let mut all = pages.items;
    all.sort_by_key(|s| (s.created_at, s.id));
    let mut checks: Vec<Check> = Vec::new();
    for name in all.iter().filter_map(|s| s.context.as_ref()) {
        if !checks.iter().any(|c| c.name == *name) {
            checks.push(check(name, &all, request, known, whole));
        }
    }
    checks
}

fn check(name: &str, all: &[Status], request: &PullRequest, known: &Known, whole: bool) -> Check {
    let own = || all.iter().filter(|s| s.context.as_deref() == Some(name));
    let last = own().next_back();
    let state = |s: &Status| s.status.clone().unwrap_or_default();
    let result = last.map(state).unwrap_or_default();
    let ended = |s: &&Status| s.status.as_deref().is_some_and(|s| s != "pending");
    let dated = own().all(|s| s.created_at.is_some());
    let at_merge = request.merged_on.filter(|_| dated && whole).map(|merged| {
        own().rfind(|s| s.created_at.is_some_and(|on| on <= merged)).is_some_and(|s| state(s) == "success")
    });
    Check {
        name: name.to_owned(),
        result,
        finished_on: last.filter(ended).and_then(|s| s.created_at),
        required: known.rules.as_ref().map(|rules| rules.required_checks.iter().any(|p| is_meant(p, name))),
        passed_at_merge: at_merge,
    }
}

/// Required checks are named by patterns.
fn is_meant(pattern: &str, name: &str) -> bool {
    let glob = GlobBuilder::new(pattern).literal_separator(false).build();
    pattern == name || glob.is_ok_and(|glob| glob.compile_matcher().is_match(name))
}

/// The rules with the names of the checks that their patterns meant; a pattern that met none stays.
pub(super) fn named(mut rules: Rules, checks: &[Check]) -> Rules {
    let mut names: Vec<String> = Vec::new();
    for pattern in &rules.required_checks {
        let met: Vec<&Check> = checks.iter().filter(|c| is_meant(pattern, &c.name)).collect();
        let these = if met.is_empty() { vec![pattern.clone()] } else { met.iter().map(|c| c.name.clone()).collect() };
        these.into_iter().for_each(|name| {
            if !names.contains(&name) {
                names.push(name)
            }
        });
    }
    rules.required_checks = names;
    rules
}
