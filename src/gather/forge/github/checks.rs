//! Checks on what was merged, as they stood at the merge.
//!
//! A check that was skipped, or ended neutral, satisfies GitHub's rules and yet nothing was checked: it keeps its word, and did not
//! pass. One that was run again after the merge is told by its last run before it.

use super::pull::title;
use super::round::Round;
use super::rules::Ruled;
use super::shapes::{CheckRun, Pull, Status, or_empty, short};
use crate::gather::http::api::{Page, segment};
use crate::record::change_v1::Via;
use crate::record::pull_request_v1::Check;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Checks that a change names; the required ones first.
const MOST: usize = 200;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Runs {
    #[serde(deserialize_with = "or_empty")]
    check_runs: Vec<CheckRun>,
}

impl Page for Runs {
    type Item = CheckRun;
    fn open(self) -> (Vec<CheckRun>, Option<String>, Option<u64>) {
        (self.check_runs, None, None)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Statuses {
    #[serde(deserialize_with = "or_empty")]
    statuses: Vec<Status>,
}

impl Page for Statuses {
    type Item = Status;
    fn open(self) -> (Vec<Status>, Option<String>, Option<u64>) {
        (self.statuses, None, None)
    }
}

/// The checks of a pull request: on its head, and with a merge queue on what the queue had merged for trial.
pub(super) fn read(round: &mut Round, pull: &Pull, via: Via, ruled: &Ruled, missing: &mut Vec<String>) -> Vec<Check> {
    let queued = (via == Via::MergeQueue).then_some(pull.merge_commit_sha.as_deref()).flatten();
    let (mut all, mut whole) = (BTreeMap::new(), true);
    for commit in [pull.head.sha.as_deref(), queued].into_iter().flatten() {
        let commit = segment(commit);
        let (runs, unread) = round.pages_of::<Runs>(&format!("commits/{commit}/check-runs?filter=all"), "checks: read");
        if let Some(unread) = &unread {
            missing.push(round.say("the check runs", &title(pull), unread));
        }
        let (statuses, also) = round.pages_of::<Statuses>(&format!("commits/{commit}/status"), "statuses: read");
        if let Some(unread) = &also {
            missing.push(round.say("the commit statuses", &title(pull), unread));
        }
        whole &= unread.is_none() && also.is_none();
        // what was found on the queue's trial takes the place of what was found on the head
        all.extend(at_merge(runs, pull.merged_at));
        all.extend(statuses.into_iter().filter_map(|s| status(s, pull.merged_at)));
    }
    let mut checks: Vec<Check> = all.into_values().collect();
    require(&mut checks, ruled, whole && pull.head.sha.is_some(), pull.merged_at.is_some());
    if checks.len() > MOST {
        let why = format!("the first {MOST} of {} are named", checks.len());
        missing.push(round.note("all checks", &title(pull), &why));
        checks.sort_by_key(|c| c.required != Some(true));
        checks.truncate(MOST);
    }
    checks
}

/// Whose check it is, and its name.
type Key = (Option<i64>, String);

/// Of every check the run that stood at the merge: the last that had begun by then, else the last of all.
fn at_merge(runs: Vec<CheckRun>, merged: Option<DateTime<Utc>>) -> BTreeMap<Key, Check> {
    let mut best: BTreeMap<Key, CheckRun> = BTreeMap::new();
    for run in runs {
        let Some(name) = &run.name else { continue };
        let key = (run.app.as_ref().and_then(|a| a.id), short(name));
        let rank = |run: &CheckRun| {
            let begun = merged.zip(run.started_at).is_none_or(|(merged, started)| started <= merged);
            (begun, run.started_at)
        };
        match best.get(&key) {
            Some(known) if rank(known) >= rank(&run) => {}
            _ => {
                best.insert(key, run);
            }
        }
    }
    let check = |(key, run): (Key, CheckRun)| {
        let result = run.conclusion.or(run.status).unwrap_or_else(|| "unknown".to_owned());
        let check = Check {
            name: key.1.clone(),
            result: short(&result),
            finished_on: run.completed_at,
            required: None,
            passed_at_merge: passed(result == "success", run.completed_at, merged),
        };
        (key, check)
    };
    best.into_iter().map(check).collect()
}

/// Whether it had succeeded by the merge.
fn passed(success: bool, finished: Option<DateTime<Utc>>, merged: Option<DateTime<Utc>>) -> Option<bool> {
    match (success, finished, merged) {
        (_, _, None) => None,
        (false, _, Some(_)) => Some(false),
        (true, Some(finished), Some(merged)) => Some(finished <= merged),
        (true, None, Some(_)) => None,
    }
}

/// A commit status. Only the last one of each name is told: one that is younger than the merge does not say how it stood then.
fn status(status: Status, merged: Option<DateTime<Utc>>) -> Option<(Key, Check)> {
    let name = short(&status.context?);
    let result = short(&status.state.unwrap_or_else(|| "unknown".to_owned()));
    let late = status.updated_at.zip(merged).is_some_and(|(at, merged)| at > merged);
    let passed_at_merge = if late { None } else { passed(result == "success", status.updated_at, merged) };
    let check = Check { name: name.clone(), result, finished_on: status.updated_at, required: None, passed_at_merge };
    // an app has its own checks of that name
    Some(((Some(-1), name), check))
}

/// Says which are required, and names those that are and were never told: GitHub shows them as expected.
fn require(checks: &mut Vec<Check>, ruled: &Ruled, whole: bool, merged: bool) {
    let Some(rules) = &ruled.rules else { return };
    for check in checks.iter_mut() {
        let named = rules.required_checks.contains(&check.name);
        check.required = (named || ruled.checks_known).then_some(named);
    }
    for name in rules.required_checks.iter().filter(|_| whole) {
        if !checks.iter().any(|c| c.name == *name) {
            checks.push(Check {
                name: name.clone(),
                result: "expected".to_owned(),
                finished_on: None,
                required: Some(true),
                passed_at_merge: merged.then_some(false),
            });
        }
    }
}
