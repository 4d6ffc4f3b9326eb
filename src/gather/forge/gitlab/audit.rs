//! Audit events (Premium; a Maintainer reads those of everybody): protection that was taken away or weakened.

use super::shapes::AuditEvent;
use super::{Asking, Period, project, unread};
use crate::gather::forge::Bypass;
use crate::gather::http::api::{List, segment};
use crate::record::bypass_v1::{BypassKind, Certainty};
use crate::record::parts_v1::Actor;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

/// Words of what is changed that has to do with how changes get onto a branch.
const ABOUT: &[&str] = &[
    "approval",
    "approve",
    "approver",
    "force push",
    "force_push",
    "allowed to push",
    "allowed to merge",
    "push access",
    "merge access",
    "code owner",
    "code_owner",
    "protected branch",
    "protected_branch",
    "pipeline succeeds",
    "pipeline_succeeds",
    "skipped_pipeline",
    "skipped pipeline",
];
/// Settings that are weaker when they are on; all others are stronger.
const WEAK: &[&str] =
    &["allow force push", "allow_force_push", "skipped_pipeline", "skipped pipeline", "merge_requests_author_approval"];

/// What an event did to protection.
#[derive(Debug, PartialEq, Eq)]
enum Did {
    /// Taken away, weakened, or changed in a way that cannot be told.
    Weakened(String),
    /// Added or strengthened.
    Strengthened,
}

/// The weakenings of a period, and how many events were none.
pub(super) fn of(asking: &Asking, period: &Period, missing: &mut Vec<String>) -> Vec<Bypass> {
    let time = |t: DateTime<Utc>| segment(&t.to_rfc3339_opts(SecondsFormat::Secs, true));
    let way = format!(
        "{}/audit_events?created_after={}&created_before={}&per_page=100&pagination=keyset&order_by=id&sort=desc",
        project(asking),
        time(period.from),
        time(period.to)
    );
    let pages = asking.api.pages::<List<AuditEvent>>(&way);
    if let Some(e) = &pages.missing {
        missing.push(format!(
            "{}; that needs GitLab Premium and the role of a Maintainer, and without it nobody sees that protection was weakened",
            unread("the audit events", e)
        ));
    }
    let mut events: Vec<AuditEvent> = pages.items;
    events.retain(|event| event.created_at.is_some_and(|on| period.holds(on)));
    events.sort_by_key(|event| (event.created_at, event.id));
    events.dedup_by_key(|event| event.id);
    events.iter().filter_map(bypass).collect()
}

fn bypass(event: &AuditEvent) -> Option<Bypass> {
    let Some(Did::Weakened(what)) = understand(event) else { return None };
    let branch = text(&event.details, "target_details").filter(|_| {
        text(&event.details, "target_type").is_some_and(|t| t.replace('_', "").eq_ignore_ascii_case("protectedbranch"))
    });
    let name = text(&event.details, "author_name");
    let id = event.author_id.filter(|id| *id > 0).map(|id| id.to_string());
    Some(Bypass {
        kind: BypassKind::ProtectionChange,
        certainty: Certainty::Confirmed,
        actor: (id.is_some() || name.is_some()).then_some(Actor { id, login: None, name }),
        occurred_on: event.created_at,
        git_ref: branch.filter(|b| !b.contains('*')).map(|b| format!("refs/heads/{b}")),
        before: None,
        commit: None,
        pull_request: None,
        what: vec![what],
        reason: None,
        missing: Vec::new(),
    })
}

/// By its type, which GitLab tells since 16; else by its words.
fn understand(event: &AuditEvent) -> Option<Did> {
    let details = &event.details;
    let kind = event.event_name.clone().or_else(|| text(details, "event_name")).unwrap_or_default();
    let message = text(details, "custom_message").unwrap_or_default();
    let of = || text(details, "target_details").map(|t| format!(" `{t}`")).unwrap_or_default();
    let removed = text(details, "remove").is_some_and(|what| what.contains("protected_branch"));
    if kind == "protected_branch_removed" || removed || message.starts_with("Unprotected branch") {
        return Some(Did::Weakened(format!("protection of the branch{} was removed", of())));
    }
    if kind == "approval_rule_deleted" || message.starts_with("Deleted approval rule") {
        return Some(Did::Weakened(format!(
            "an approval rule was deleted: {}",
            if message.is_empty() { of() } else { message }
        )));
    }
    let change = text(details, "change").unwrap_or_default();
    let words = format!("{kind} {change} {message}").to_ascii_lowercase();
    if !ABOUT.iter().any(|word| words.contains(word)) || kind.ends_with("_created") || text(details, "add").is_some() {
        return None;
    }
    // approving is no change of a rule
    if change.is_empty() && !kind.starts_with("protected_branch_") && !kind.contains("approval_rule") {
        return None;
    }
    let (from, to) = (text(details, "from"), text(details, "to"));
    let told = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    let label = if change.is_empty() { if message.is_empty() { kind } else { message } } else { change };
    if stronger(&words, from.as_deref(), to.as_deref()) {
        return Some(Did::Strengthened);
    }
    Some(Did::Weakened(match (&from, &to) {
        (None, None) => format!("{label}{}", of()),
        _ => format!("{label}: from {} to {}{}", told(&from), told(&to), of()),
    }))
}

/// Whether a change certainly made it stricter.
fn stronger(words: &str, from: Option<&str>, to: Option<&str>) -> bool {
    let number = |t: Option<&str>| t.and_then(|t| t.trim().parse::<u32>().ok());
    if let (Some(from), Some(to)) = (number(from), number(to)) {
        return to >= from;
    }
    match to {
        Some("true") => !WEAK.iter().any(|word| words.contains(word)),
        Some("false") => WEAK.iter().any(|word| words.contains(word)),
        _ => false,
    }
}

/// A member of the details as text; empty is nothing.
fn text(details: &Value, name: &str) -> Option<String> {
    match details.get(name)? {
        Value::String(text) => Some(text.clone()).filter(|t| !t.is_empty()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn weakenings_are_told_from_the_rest() {
        let weakened = |text: &str| Some(Did::Weakened(text.to_owned()));
        for (event, did) in [
            (
                json!({"event_name": "protected_branch_removed", "details": {"target_details": "main", "custom_message": "Unprotected branch"}}),
                weakened("protection of the branch `main` was removed"),
            ),
            (
                json!({"details": {"remove": "protected_branch", "target_details": "v*"}}),
                weakened("protection of the branch `v*` was removed"),
            ),
            (
                json!({"details": {"change": "prevent merge request approval from authors", "from": "true", "to": "false"}}),
                weakened("prevent merge request approval from authors: from true to false"),
            ),
            (
                json!({"details": {"change": "prevent merge request approval from committers", "from": "", "to": "true"}}),
                Some(Did::Strengthened),
            ),
            (
                json!({"details": {"change": "allow force push", "from": false, "to": true, "target_details": "main"}}),
                weakened("allow force push: from false to true `main`"),
            ),
            (json!({"details": {"change": "allow force push", "from": true, "to": false}}), Some(Did::Strengthened)),
            (
                json!({"details": {"change": "number of required approvals", "from": 2, "to": 1}}),
                weakened("number of required approvals: from 2 to 1"),
            ),
            (
                json!({"details": {"change": "number of required approvals", "from": 1, "to": 2}}),
                Some(Did::Strengthened),
            ),
            (
                json!({"event_name": "protected_branch_updated", "details": {"change": "allowed to push", "from": "No one", "to": "Maintainers"}}),
                weakened("allowed to push: from No one to Maintainers"),
            ),
            (
                json!({"event_name": "approval_rule_deleted", "details": {"custom_message": "Deleted approval rule Security"}}),
                weakened("an approval rule was deleted: Deleted approval rule Security"),
            ),
            (json!({"event_name": "protected_branch_created", "details": {"add": "protected_branch"}}), None),
            (
                json!({"event_name": "merge_request_approval_operation", "details": {"custom_message": "Approved merge request !5"}}),
                None,
            ),
            (json!({"details": {"change": "visibility", "from": "Private", "to": "Public"}}), None),
            (json!({"details": null}), None),
        ] {
            let read: AuditEvent = serde_json::from_value(event.clone()).unwrap();
            assert_eq!(understand(&read), did, "{event}");
        }
    }
}
