//! Edits of protection, one line a case.

use super::*;
use serde_json::json;

/// Weaker and unclear lines of an edit of a classic rule: the setting, what it was, what it is.
fn rule(settings: &Value, name: &str, from: Value) -> (usize, usize) {
    let mut rule = json!({"name": "main"});
    rule.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let rule: Rule = serde_json::from_value(rule).unwrap();
    let changes: RuleChanges = serde_json::from_value(json!({name: {"from": from}})).unwrap();
    let turned = rule.edited(Some(&changes));
    (turned.weaker.len(), turned.unclear.len())
}

#[test]
fn settings_of_a_classic_rule() {
    let (weaker, same, unclear) = ((1, 0), (0, 0), (0, 1));
    let level = |name: &str, from: &str, now: &str| rule(&json!({name: now}), name, json!(from));
    let flag = |name: &str, from: Value, now: bool| rule(&json!({name: now}), name, from);
    for name in DEMANDS {
        assert_eq!(level(name, "everyone", "off"), weaker, "{name}");
        assert_eq!(level(name, "everyone", "non_admins"), weaker, "{name}");
        assert_eq!(level(name, "off", "non_admins"), same, "{name}");
        assert_eq!(level(name, "everyone", "somebody"), unclear, "{name}");
    }
    for name in ALLOWANCES {
        assert_eq!(level(name, "off", "everyone"), weaker, "{name}");
        assert_eq!(level(name, "everyone", "off"), same, "{name}");
    }
    for name in GUARDS {
        assert_eq!(flag(name, json!(true), false), weaker, "{name}");
        assert_eq!(flag(name, json!(false), true), same, "{name}");
        assert_eq!(flag(name, json!(null), false), same, "{name}");
    }
    assert_eq!(flag("lock_allows_fork_sync", json!(false), true), weaker);
    let count = "required_approving_review_count";
    assert_eq!(rule(&json!({count: 1}), count, json!(2)), weaker);
    assert_eq!(rule(&json!({count: 2}), count, json!(1)), same);
    let checks = "required_status_checks";
    assert_eq!(rule(&json!({checks: ["test"]}), checks, json!(["test", "scan"])), weaker);
    assert_eq!(rule(&json!({checks: ["test", "scan"]}), checks, json!(["test"])), same);
    assert_eq!(rule(&json!({checks: ["b"]}), checks, json!(["a"])), weaker);
    let people = "authorized_actor_names";
    assert_eq!(rule(&json!({people: ["ada", "eve"]}), people, json!(["ada"])), weaker);
    assert_eq!(rule(&json!({people: ["ada"]}), people, json!(["ada", "eve"])), same);
    assert_eq!(rule(&json!({"new_setting": 1}), "new_setting", json!(2)), unclear);
}

#[test]
fn what_nobody_was_held_to_cannot_be_weakened() {
    let (level, count) = ("pull_request_reviews_enforcement_level", "required_approving_review_count");
    assert_eq!(rule(&json!({level: "off", count: 1}), count, json!(2)), (0, 0));
    assert_eq!(rule(&json!({level: "non_admins", count: 1}), count, json!(2)), (1, 0));
    let people = "authorized_actor_names";
    assert_eq!(rule(&json!({"authorized_actors_only": false, people: ["eve"]}), people, json!([])), (0, 0));
    // switched off together with what it depends on: the former level counts
    let rule: Rule = serde_json::from_value(json!({"name": "main", level: "off", count: 0})).unwrap();
    let changes = json!({level: {"from": "everyone"}, count: {"from": 1}});
    let turned = rule.edited(Some(&serde_json::from_value(changes).unwrap()));
    assert_eq!(turned.weaker.len(), 2, "{turned:?}");
}

#[test]
fn an_edit_that_tells_nothing_is_unclear() {
    let rule: Rule = serde_json::from_value(json!({"name": "main"})).unwrap();
    assert_eq!(rule.edited(None).unclear.len(), 1);
    assert_eq!(rule.edited(Some(&RuleChanges::new())).unclear.len(), 1);
}

#[test]
fn edits_of_a_ruleset() {
    let edited = |enforcement: &str, changes: Value| {
        let ruleset: Ruleset = serde_json::from_value(json!({"name": "Main", "enforcement": enforcement})).unwrap();
        ruleset.edited(Some(&serde_json::from_value(changes).unwrap()))
    };
    let updated = |parameters: Value, from: Value| {
        let rule = json!({"type": "pull_request", "parameters": parameters});
        json!({"rules": {"updated": [{"rule": rule, "changes": {"configuration": {"from": from.to_string()}}}]}})
    };
    let branches = |name: &str, from: Value, now: Value| {
        let change = json!({"condition": {"ref_name": {name: now}}, "changes": {name: {"from": from}}});
        json!({"conditions": {"updated": [change]}})
    };
    let check = |name: &str| json!({"context": name, "integration_id": 5});
    // enforcement as it is, changes, weaker lines, unclear lines
    let cases = [
        ("active", json!({"name": {"from": "Old"}}), 0, 0),
        ("evaluate", json!({"enforcement": {"from": "active"}}), 1, 0),
        ("active", json!({"enforcement": {"from": "disabled"}, "rules": {"deleted": [{"type": "deletion"}]}}), 0, 0),
        ("disabled", json!({"rules": {"deleted": [{"type": "deletion"}]}}), 0, 0),
        ("active", json!({"rules": {"deleted": [{"type": "deletion"}], "added": [{"type": "x"}]}}), 1, 0),
        ("active", json!({"rules": {"added": [{"type": "x"}]}}), 0, 0),
        (
            "active",
            updated(json!({"required_approving_review_count": 1}), json!({"required_approving_review_count": 2})),
            1,
            0,
        ),
        (
            "active",
            updated(json!({"required_approving_review_count": 3}), json!({"required_approving_review_count": 2})),
            0,
            0,
        ),
        (
            "active",
            updated(
                json!({"required_status_checks": [check("a")]}),
                json!({"required_status_checks": [check("a"), check("b")]}),
            ),
            1,
            0,
        ),
        ("active", updated(json!({}), json!({"require_code_owner_review": true})), 1, 0),
        ("active", updated(json!({"allowed_merge_methods": ["merge"]}), json!({"allowed_merge_methods": []})), 0, 1),
        ("active", json!({"rules": {"updated": [{"rule": {"type": "x"}, "changes": {}}]}}), 0, 1),
        (
            "active",
            json!({"rules": {"updated": [{"rule": {"type": "x"}, "changes": {"configuration": {"from": "no JSON"}}}]}}),
            0,
            1,
        ),
        ("active", branches("include", json!(["refs/heads/main", "refs/heads/x"]), json!(["refs/heads/main"])), 1, 0),
        ("active", branches("include", json!(["refs/heads/main"]), json!(["refs/heads/main", "refs/heads/x"])), 0, 0),
        ("active", branches("exclude", json!([]), json!(["refs/heads/main"])), 1, 0),
        ("active", json!({"conditions": {"added": [{}]}}), 0, 1),
        ("active", json!({}), 0, 1),
    ];
    for (at, (enforcement, changes, weaker, unclear)) in cases.into_iter().enumerate() {
        let turned = edited(enforcement, changes);
        assert_eq!((turned.weaker.len(), turned.unclear.len()), (weaker, unclear), "case {at}: {turned:?}");
    }
}
