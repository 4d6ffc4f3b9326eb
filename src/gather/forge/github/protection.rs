//! What a webhook about protection says was taken away: `branch_protection_rule`, `branch_protection_configuration` and
//! `repository_ruleset` (GitHub docs, "Webhook events and payloads"; the values by GitHub's OpenAPI description of them).

use super::answers::When;
use serde::Deserialize;
use serde_json::{Map, Value};

/// `off`, `non_admins` or `everyone`: for whom it is demanded.
const DEMANDS: &[&str] = &[
    "pull_request_reviews_enforcement_level",
    "required_status_checks_enforcement_level",
    "signature_requirement_enforcement_level",
    "linear_history_requirement_enforcement_level",
    "lock_branch_enforcement_level",
    "merge_queue_enforcement_level",
    "required_deployments_enforcement_level",
    "required_conversation_resolution_level",
];
/// The same words: to whom it is allowed.
const ALLOWANCES: &[&str] = &["allow_force_pushes_enforcement_level", "allow_deletions_enforcement_level"];
/// What protects when it is set.
const GUARDS: &[&str] = &[
    "admin_enforced",
    "authorized_actors_only",
    "authorized_dismissal_actors_only",
    "create_protected",
    "dismiss_stale_reviews_on_push",
    "ignore_approvals_from_contributors",
    "require_code_owner_review",
    "require_last_push_approval",
    "required_review_thread_resolution",
    "strict_required_status_checks_policy",
];
/// What lets something through when it is set.
const GAPS: &[&str] = &["do_not_enforce_on_create", "lock_allows_fork_sync"];
/// What means something only where something else is demanded: a rule that nobody was held to cannot be weakened.
const DEPENDS: &[(&str, &[&str])] = &[
    (
        "pull_request_reviews_enforcement_level",
        &[
            "required_approving_review_count",
            "dismiss_stale_reviews_on_push",
            "require_code_owner_review",
            "require_last_push_approval",
            "ignore_approvals_from_contributors",
            "authorized_dismissal_actors_only",
        ],
    ),
    ("required_status_checks_enforcement_level", &["required_status_checks", "strict_required_status_checks_policy"]),
    ("lock_branch_enforcement_level", &["lock_allows_fork_sync"]),
    ("authorized_actors_only", &["authorized_actor_names"]),
];

/// What became of protection; one line each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Turned {
    /// What was taken away.
    pub(super) weaker: Vec<String>,
    /// What changed in a way that is not known to be weaker or stronger.
    pub(super) unclear: Vec<String>,
}

/// A classic rule: its settings, as members by their names.
#[derive(Deserialize)]
pub(super) struct Rule {
    /// A branch, or a pattern of branches.
    pub(super) name: String,
    pub(super) created_at: Option<When>,
    pub(super) updated_at: Option<When>,
    #[serde(flatten)]
    settings: Map<String, Value>,
}

/// The former value of something.
#[derive(Deserialize)]
pub(super) struct From {
    #[serde(default)]
    from: Value,
}

/// Settings of a classic rule that changed.
pub(super) type RuleChanges = std::collections::BTreeMap<String, From>;

#[derive(Deserialize)]
pub(super) struct Ruleset {
    pub(super) name: String,
    enforcement: String,
    pub(super) created_at: Option<When>,
    pub(super) updated_at: Option<When>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RulesetChanges {
    name: Option<From>,
    enforcement: Option<From>,
    conditions: Option<Changed>,
    rules: Option<Changed>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Changed {
    added: Vec<Value>,
    deleted: Vec<Value>,
    updated: Vec<Updated>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Updated {
    rule: Value,
    condition: Value,
    changes: Map<String, Value>,
}

impl Rule {
    /// What `changes` took away.
    pub(super) fn edited(&self, changes: Option<&RuleChanges>) -> Turned {
        let mut turned = Turned::default();
        let former = |name: &str| changes.and_then(|c| Some(&c.get(name)?.from)).or_else(|| self.settings.get(name));
        for (name, From { from }) in changes.into_iter().flatten() {
            let gate = DEPENDS.iter().find(|(_, all)| all.contains(&name.as_str())).map(|(gate, _)| *gate);
            let off = |value: &Value| value == "off" || value == &Value::Bool(false);
            if !gate.and_then(former).is_some_and(off) {
                turned.add(&format!("`{name}`"), name, from, self.settings.get(name).unwrap_or(&Value::Null));
            }
        }
        turned.told_at_all(changes.is_some_and(|c| !c.is_empty()))
    }
}

impl Ruleset {
    /// Whether it held anybody up as it stands.
    pub(super) fn is_active(&self) -> bool {
        self.enforcement == "active"
    }

    /// What `changes` took away.
    pub(super) fn edited(&self, changes: Option<&RulesetChanges>) -> Turned {
        let none = RulesetChanges::default();
        let changes = changes.unwrap_or(&none);
        let mut turned = Turned::default();
        let before = changes.enforcement.as_ref().and_then(|c| c.from.as_str()).unwrap_or(&self.enforcement);
        if before != "active" {
            return turned;
        }
        if !self.is_active() {
            turned.weaker.push(format!("`enforcement`: {before} → {}", self.enforcement));
        }
        for rule in changes.rules.iter().flat_map(|r| &r.deleted) {
            turned.weaker.push(format!("rule `{}` was taken out", kind(rule)));
        }
        for updated in changes.rules.iter().flat_map(|r| &r.updated) {
            turned.rule(updated);
        }
        for updated in changes.conditions.iter().flat_map(|c| &c.updated) {
            let names = updated.condition.get("ref_name").unwrap_or(&Value::Null);
            for (name, change) in &updated.changes {
                let from = change.get("from").unwrap_or(&Value::Null);
                turned.add(&format!("`{name}` of its branches"), name, from, names.get(name).unwrap_or(&Value::Null));
            }
        }
        let moved = changes.conditions.iter().flat_map(|c| c.added.iter().chain(&c.deleted)).count();
        if moved > 0 {
            turned.unclear.push("the branches that it is for changed".to_owned());
        }
        let told = changes.name.is_some() || changes.enforcement.is_some();
        turned.told_at_all(told || changes.conditions.is_some() || changes.rules.is_some())
    }
}

impl Turned {
    /// An edit that tells nothing of what it changed: who may bypass a ruleset is among what webhooks do not tell.
    fn told_at_all(mut self, told: bool) -> Self {
        if !told {
            self.unclear.push("it was edited, and the webhook does not tell what changed".to_owned());
        }
        self
    }

    fn rule(&mut self, updated: &Updated) {
        let kind = kind(&updated.rule);
        let none = Map::new();
        let now = updated.rule.get("parameters").and_then(Value::as_object).unwrap_or(&none);
        // its former parameters come as JSON within a text
        let from = updated.changes.get("configuration").and_then(|c| c.get("from")).and_then(Value::as_str);
        let Some(from) = from.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok()) else {
            return self.unclear.push(format!("rule `{kind}` changed"));
        };
        for name in from.keys().chain(now.keys().filter(|name| !from.contains_key(*name))) {
            let value = |all: &Map<String, Value>| all.get(name).cloned().unwrap_or_default();
            self.add(&format!("rule `{kind}`, `{name}`"), name, &value(&from), &value(now));
        }
    }

    fn add(&mut self, what: &str, name: &str, from: &Value, now: &Value) {
        let line = || format!("{what}: {} → {}", brief(from), brief(now));
        match turn(name, from, now) {
            Some(false) => {}
            Some(true) => self.weaker.push(line()),
            None => self.unclear.push(line()),
        }
    }
}

fn kind(rule: &Value) -> &str {
    rule.get("type").and_then(Value::as_str).unwrap_or("unknown")
}

fn brief(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let cut: String = text.chars().take(200).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// Whether the change of a setting takes protection away; `None` where that is not known.
fn turn(name: &str, from: &Value, now: &Value) -> Option<bool> {
    let level = |value: &Value| ["off", "non_admins", "everyone"].iter().position(|word| value == word);
    let flag = |value: &Value| value.as_bool().or_else(|| value.is_null().then_some(false));
    let lost =
        |a: &Value, b: &Value| Some(names(a)?.iter().any(|name| !names(b).is_some_and(|all| all.contains(name))));
    match name {
        _ if from == now => Some(false),
        _ if DEMANDS.contains(&name) => Some(level(now)? < level(from)?),
        _ if ALLOWANCES.contains(&name) => Some(level(now)? > level(from)?),
        _ if GUARDS.contains(&name) => Some(flag(from)? && !flag(now)?),
        _ if GAPS.contains(&name) => Some(!flag(from)? && flag(now)?),
        "required_approving_review_count" => Some(now.as_u64().unwrap_or(0) < from.as_u64().unwrap_or(0)),
        "required_status_checks" | "include" => lost(from, now),
        "authorized_actor_names" | "exclude" => lost(now, from),
        _ => None,
    }
}

/// The names in a list; of a check its name and who has to report it.
fn names(list: &Value) -> Option<Vec<String>> {
    if list.is_null() {
        return Some(Vec::new());
    }
    let name = |item: &Value| match item {
        Value::String(name) => name.clone(),
        other => other.get("context").map_or_else(|| other.to_string(), |name| brief_check(name, other)),
    };
    Some(list.as_array()?.iter().map(name).collect())
}

fn brief_check(name: &Value, check: &Value) -> String {
    format!("{name} by {}", check.get("integration_id").unwrap_or(&Value::Null))
}

#[cfg(test)]
mod tests;
