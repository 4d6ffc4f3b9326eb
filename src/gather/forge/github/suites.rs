//! Bypasses that GitHub itself tells: suites of rule evaluations that ended with `bypass`. GitHub keeps them for a month, and
//! tells them to who administers the repository.

use super::answers::{Told, commit, missing, path, sort_out};
use crate::gather::forge::{Asking, Bypass, Period};
use crate::gather::http::api::{ApiError, List};
use crate::record::bypass_v1::{BypassKind, Certainty};
use crate::record::parts_v1::Actor;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

/// Suites whose evaluations are asked for.
const MOST_OPENED: usize = 200;
const PERMISSION: &str = "Administration: read, which an app's or a person's token may have and GITHUB_TOKEN cannot";

#[derive(Deserialize)]
struct Suite {
    id: i64,
    actor_id: Option<i64>,
    actor_name: Option<String>,
    before_sha: Option<String>,
    after_sha: Option<String>,
    #[serde(rename = "ref")]
    git_ref: Option<String>,
    pushed_at: Option<DateTime<Utc>>,
    result: Option<String>,
}

#[derive(Deserialize)]
struct Opened {
    #[serde(default)]
    rule_evaluations: Option<Vec<Told<Evaluation>>>,
}

#[derive(Deserialize)]
struct Evaluation {
    rule_source: Option<Source>,
    enforcement: Option<String>,
    result: Option<String>,
    rule_type: Option<String>,
    details: Option<String>,
}

#[derive(Deserialize)]
struct Source {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
}

/// The bypasses of the period, oldest first.
pub(super) fn bypasses(asking: &Asking, period: &Period, said: &mut Vec<String>) -> Vec<Bypass> {
    let age = asking.api.now() - period.from;
    let window = if age <= TimeDelta::minutes(50) { "hour" } else { super::activity::window(age).unwrap_or("year") };
    let window = if matches!(window, "quarter" | "year") { "month" } else { window };
    if age > TimeDelta::days(30) {
        said.push("bypasses of rulesets that are older than a month: GitHub tells no older ones".to_owned());
    }
    let all = format!("{}/rulesets/rule-suites", path(asking));
    let request = format!("{all}?rule_suite_result=bypass&time_period={window}&per_page=100");
    let pages = asking.api.pages::<List<Told<Suite>>>(&request);
    said.extend(pages.missing.map(|e| missing("bypasses of rulesets", &e, PERMISSION)));
    let (suites, other) = sort_out(pages.items, "bypasses of rulesets");
    said.extend(other);
    let is_bypass = |s: &Suite| s.result.as_deref().is_none_or(|r| r == "bypass");
    let (dated, undated): (Vec<Suite>, Vec<Suite>) =
        suites.into_iter().filter(is_bypass).partition(|s| s.pushed_at.is_some());
    if !undated.is_empty() {
        said.push(format!("{} bypasses of rulesets: GitHub tells no time of them", undated.len()));
    }
    let mut dated: Vec<Suite> = dated.into_iter().filter(|s| s.pushed_at.is_some_and(|t| period.holds(t))).collect();
    dated.sort_by_key(|s| s.pushed_at);
    dated.into_iter().enumerate().map(|(at, suite)| bypass(asking, &all, suite, at < MOST_OPENED)).collect()
}

fn bypass(asking: &Asking, all: &str, suite: Suite, open: bool) -> Bypass {
    let opened = open.then(|| asking.api.get::<Opened>(&format!("{all}/{}", suite.id)));
    let (mut what, said) = match opened {
        Some(Ok(opened)) => set_aside(opened),
        Some(Err(e)) => (vec![], Some(unread(&e))),
        None => (vec![], Some(format!("which rules: only the first {MOST_OPENED} bypasses were looked into"))),
    };
    if what.is_empty() {
        what.push(format!("rule suite {}", suite.id));
    }
    let actor = Actor { id: suite.actor_id.map(|id| id.to_string()), login: suite.actor_name, name: None };
    Bypass {
        kind: BypassKind::RulesetBypass,
        certainty: Certainty::Confirmed,
        actor: (actor != Actor::default()).then_some(actor),
        occurred_on: suite.pushed_at,
        git_ref: suite.git_ref,
        before: suite.before_sha.as_deref().and_then(commit),
        commit: suite.after_sha.as_deref().and_then(commit),
        pull_request: None,
        what,
        reason: None,
        missing: said.into_iter().collect(),
    }
}

fn unread(e: &ApiError) -> String {
    missing("which rules", e, PERMISSION)
}

/// The rules that were in force and not kept; rules that are only tried out (`evaluate`) hold nobody up.
fn set_aside(opened: Opened) -> (Vec<String>, Option<String>) {
    let (all, said) = sort_out(opened.rule_evaluations.unwrap_or_default(), "rules");
    let broken = |e: &&Evaluation| {
        e.result.as_deref() == Some("fail")
            && e.enforcement.as_deref().is_none_or(|enforcement| enforcement == "active")
    };
    let line = |e: &Evaluation| {
        let rule = e.rule_type.as_deref().unwrap_or("a rule");
        let source = e.rule_source.as_ref();
        let from = match source.and_then(|s| s.kind.as_deref()) {
            Some("protected_branch") => " of the branch's protection".to_owned(),
            _ => source.and_then(|s| s.name.as_ref()).map(|name| format!(" of ruleset `{name}`")).unwrap_or_default(),
        };
        let details = e.details.as_deref().map(|d| format!(": {d}")).unwrap_or_default();
        format!("`{rule}`{from}{details}")
    };
    (all.iter().filter(broken).map(line).collect(), said)
}
