//! Webhooks of GitHub, and the event files of its workflows, which have the same bodies (GitHub docs, "Webhook events and
//! payloads", "Validating webhook deliveries").
//!
//! GitHub tells a merge twice: by a `pull_request` that is closed and by the `push` of its commits. The push is what is recorded:
//! it alone tells the commits before and after, so both ways of collecting come to one address.

use super::answers::{Account, Repo};
use super::protection::{Rule, RuleChanges, Ruleset, RulesetChanges, Turned};
use super::push_event;
use crate::gather::forge::{Asking, Bypass, Collected, Delivered, EventError, signature};
use crate::record::bypass_v1::{BypassKind, Certainty};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// What is common to events.
#[derive(Deserialize)]
struct Event {
    action: Option<String>,
    sender: Option<Account>,
    repository: Option<Repo>,
    pull_request: Option<PullRequest>,
    rule: Option<Rule>,
    repository_ruleset: Option<Ruleset>,
}

#[derive(Deserialize)]
struct PullRequest {
    number: Option<u64>,
    merged: Option<bool>,
}

#[derive(Deserialize)]
struct Edited<T> {
    changes: Option<T>,
}

/// Members by which an event is known that came without its headers. GitLab's and Gitea's pushes look much like GitHub's: they lack
/// `forced`, and what they tell of has no `node_id`.
#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "ref")]
    git_ref: Option<IgnoredAny>,
    before: Option<IgnoredAny>,
    after: Option<IgnoredAny>,
    forced: Option<IgnoredAny>,
    action: Option<IgnoredAny>,
    pull_request: Option<serde_json::Value>,
    review: Option<IgnoredAny>,
    rule: Option<IgnoredAny>,
    repository_ruleset: Option<IgnoredAny>,
    merge_group: Option<IgnoredAny>,
    zen: Option<IgnoredAny>,
}

/// What the event tells.
pub(super) fn of(event: &Delivered, asking: Option<&Asking>) -> Result<Collected, EventError> {
    if event.secret.is_some() {
        authenticate(event)?;
    }
    let name = match event.header("x-github-event") {
        Some(name) => name.to_owned(),
        None => by_shape(event.body)?.to_owned(),
    };
    let mut all = match name.as_str() {
        "push" => push_event::of(event, asking)?,
        other => about_protection(other, event.body)?,
    };
    all.authentic = event.secret.is_some();
    if all.source.is_empty() {
        all.source = format!("webhook `{name}`");
    }
    Ok(all)
}

/// `X-Hub-Signature-256` is over the body as it was sent. `X-Hub-Signature` is SHA-1, which is not accepted.
fn authenticate(event: &Delivered) -> Result<(), EventError> {
    let Some(secret) = event.secret else { return Ok(()) };
    let no = |why: &str| Err(EventError::NotAuthentic(why.to_owned()));
    match event.header("x-hub-signature-256") {
        None if event.header("x-hub-signature").is_some() => no(
            "the webhook is signed by X-Hub-Signature only, which is SHA-1; hand over X-Hub-Signature-256, which comes with it",
        ),
        None => no("the webhook has no X-Hub-Signature-256, so nothing shows that GitHub sent it"),
        Some(given) => match given.strip_prefix("sha256=") {
            Some(hex) if signature::hmac_sha256_hex(secret, event.body, hex) => Ok(()),
            _ => no("X-Hub-Signature-256 does not fit the body and the secret: one of them is not what GitHub had"),
        },
    }
}

/// The name of an event whose headers were not handed over.
fn by_shape(body: &[u8]) -> Result<&'static str, EventError> {
    let shape: Shape = parse(body)?;
    let push = [&shape.git_ref, &shape.before, &shape.after, &shape.forced].iter().all(|member| member.is_some());
    let request = shape.pull_request.is_some_and(|r| r.get("node_id").is_some()) && shape.review.is_none();
    Ok(match shape.action {
        None if push => "push",
        None if shape.zen.is_some() => "ping",
        Some(_) if shape.rule.is_some() => "branch_protection_rule",
        Some(_) if shape.repository_ruleset.is_some() => "repository_ruleset",
        Some(_) if shape.merge_group.is_some() => "merge_group",
        Some(_) if request => "pull_request",
        _ => return Err(EventError::Unknown("hand over its X-GitHub-Event header".to_owned())),
    })
}

/// The body. A message names a line and a column, and nothing of the body.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, EventError> {
    let shape = |what: String| Err(EventError::Shape(what));
    if body.starts_with(b"payload=") {
        return shape("it is a form; choose `application/json` as the content type of the webhook".to_owned());
    }
    // serde would take a list for the members of a structure
    if !body.trim_ascii_start().starts_with(b"{") {
        return shape("it is no JSON object".to_owned());
    }
    serde_json::from_slice(body).or_else(|e| {
        let what = if e.is_data() { "a member is missing or of another kind" } else { "it is not JSON" };
        shape(format!("{what} at line {} column {}", e.line(), e.column()))
    })
}

/// Events other than pushes.
fn about_protection(name: &str, body: &[u8]) -> Result<Collected, EventError> {
    let event: Event = parse(body)?;
    let action = event.action.as_deref().unwrap_or_default();
    let mut all = Collected { repository: event.repository.as_ref().map(Repo::repository), ..Collected::default() };
    let turned = match (name, action) {
        ("branch_protection_rule", "deleted" | "edited") => {
            let rule = event.rule.as_ref().ok_or_else(|| EventError::Shape("it has no `rule`".to_owned()))?;
            let turned = match action {
                "deleted" => gone(),
                _ => rule.edited(parse::<Edited<RuleChanges>>(body)?.changes.as_ref()),
            };
            let plain = !rule.name.contains(['*', '?', '[']);
            let git_ref = plain.then(|| format!("refs/heads/{}", rule.name));
            let edited_on = edited_on(action, rule.created_at, rule.updated_at);
            Some((turned, format!("protection of `{}`", rule.name), git_ref, edited_on))
        }
        ("branch_protection_configuration", "disabled") => {
            let turned = Turned { weaker: vec!["all of it was switched off".to_owned()], ..Turned::default() };
            Some((turned, "branch protection".to_owned(), None, None))
        }
        ("repository_ruleset", "deleted" | "edited") => {
            let missing = || EventError::Shape("it has no `repository_ruleset`".to_owned());
            let ruleset = event.repository_ruleset.as_ref().ok_or_else(missing)?;
            let turned = match action {
                "deleted" if ruleset.is_active() => gone(),
                "deleted" => Turned::default(),
                _ => ruleset.edited(parse::<Edited<RulesetChanges>>(body)?.changes.as_ref()),
            };
            let edited_on = edited_on(action, ruleset.created_at, ruleset.updated_at);
            Some((turned, format!("ruleset `{}`", ruleset.name), None, edited_on))
        }
        _ => None,
    };
    match turned {
        Some((turned, _, _, _)) if turned == Turned::default() => {
            all.passed_over.push(format!("`{name}` {action}: nothing that was in force became weaker"));
        }
        Some((turned, what, git_ref, occurred_on)) => {
            let actor = event.sender.and_then(Account::actor);
            all.bypasses.push(Bypass { actor, git_ref, occurred_on, ..weakened(turned, &what) });
        }
        None => all.passed_over.push(passed_over(name, action, event.pull_request.as_ref())),
    }
    Ok(all)
}

fn gone() -> Turned {
    Turned { weaker: vec!["it was deleted".to_owned()], ..Turned::default() }
}

/// When an edit was made. Of a deletion no time is told: the rule has that of its last edit.
fn edited_on(
    action: &str,
    created: Option<super::answers::When>,
    updated: Option<super::answers::When>,
) -> Option<DateTime<Utc>> {
    let (created, updated) = (created.and_then(|w| w.time()), updated.and_then(|w| w.time()));
    updated.filter(|updated| action == "edited" && created.is_some_and(|created| created < *updated))
}

/// Weaker by what the platform says; by our own reckoning where it says only that something changed.
fn weakened(turned: Turned, what: &str) -> Bypass {
    let unclear = !turned.unclear.is_empty();
    let certainty = if turned.weaker.is_empty() { Certainty::Derived } else { Certainty::Confirmed };
    let lines = turned.weaker.into_iter().chain(turned.unclear);
    let said = unclear.then(|| "whether all of this takes protection away cannot be told from the webhook".to_owned());
    Bypass {
        kind: BypassKind::ProtectionChange,
        certainty,
        actor: None,
        occurred_on: None,
        git_ref: None,
        before: None,
        commit: None,
        pull_request: None,
        what: lines.map(|line| format!("{what}: {line}")).collect(),
        reason: None,
        missing: said.into_iter().collect(),
    }
}

fn passed_over(name: &str, action: &str, request: Option<&PullRequest>) -> String {
    match request {
        Some(r) if name == "pull_request" && action == "closed" && r.merged == Some(true) => {
            let number = r.number.map(|n| format!(" {n}")).unwrap_or_default();
            format!("pull request{number} was merged: the push of its commits is what is recorded")
        }
        _ if action.is_empty() => format!("`{name}`: no push, and nothing about protection"),
        _ => format!("`{name}` {action}: no push, and nothing about protection"),
    }
}

#[cfg(test)]
mod tests;
