//! Webhooks as GitHub sends them, and as others would.

use super::*;
use crate::gather::forge::PipelineFiles;
use crate::gather::forge::cases::{serve, with_api};
use crate::gather::forge::signature::tests::sign;
use crate::gather::http::Secret;
use crate::gather::tickets;
use crate::record::change_v1::Via;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

fn sha(of: &str) -> String {
    of.repeat(40)
}

fn push(branch: &str) -> Value {
    json!({
        "ref": format!("refs/heads/{branch}"), "before": sha("1"), "after": sha("2"),
        "created": false, "deleted": false, "forced": false, "base_ref": null, "compare": "https://github.example/compare",
        "commits": [
            {"id": sha("3"), "message": "SHOP-12: older", "added": ["src/a.rs"], "removed": [], "modified": [".github/workflows/ci.yml"]},
            {"id": sha("2"), "message": "newer", "added": [], "removed": ["Jenkinsfile"], "modified": ["src/a.rs"]}
        ],
        "head_commit": {"id": sha("2"), "message": "newer"},
        "pusher": {"name": "ada", "email": "ada@example.com"},
        "sender": {"login": "ada", "id": 7},
        "repository": {"id": 42, "full_name": "example/shop", "html_url": "https://github.example/example/shop",
            "default_branch": "main", "pushed_at": 1_795_608_000}
    })
}

fn with(mut body: Value, members: Value) -> Value {
    let Value::Object(members) = members else { panic!() };
    body.as_object_mut().unwrap().extend(members);
    body
}

fn told(
    headers: &[(&str, &str)],
    body: &[u8],
    secret: Option<&str>,
    asking: Option<&Asking>,
) -> Result<Collected, EventError> {
    let headers: Vec<_> = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let secret = secret.map(|s| Secret::new(s.into()));
    let (files, pattern) = (PipelineFiles::new(&[]).unwrap(), tickets::pattern(tickets::DEFAULT_PATTERN).unwrap());
    let event =
        Delivered { headers: &headers, body, secret: secret.as_ref(), pipeline_files: &files, tickets: &pattern };
    of(&event, asking)
}

fn plain(name: &str, body: Value) -> Collected {
    told(&[("X-GitHub-Event", name)], body.to_string().as_bytes(), None, None).unwrap()
}

/// With an API that answers by `routes`.
fn asked(body: Value, routes: Value) -> Collected {
    let server = serve("github", serde_json::from_value(routes).unwrap(), Arc::new(Mutex::new(vec![])));
    let body = body.to_string();
    with_api(&server, "example/shop", &mut |asking| {
        told(&[("x-github-event", "push")], body.as_bytes(), None, Some(asking)).unwrap()
    })
}

#[test]
fn only_githubs_own_signature_of_these_bytes_is_authentic() {
    let body = push("main").to_string().into_bytes();
    let good = format!("sha256={}", sign("s3cret", &body));
    let try_with = |headers: &[(&str, &str)], body: &[u8]| told(headers, body, Some("s3cret"), None);
    assert!(try_with(&[("x-hub-signature-256", &good)], &body).unwrap().authentic);
    assert!(try_with(&[("X-Hub-Signature-256", &good), ("X-Hub-Signature", "sha1=0")], &body).unwrap().authentic);

    let altered = String::from_utf8(body.clone()).unwrap().replace("ada", "eve").into_bytes();
    let other = format!("sha256={}", sign("other", &body));
    let cut = &good[..good.len() - 2];
    for (headers, body, piece) in [
        (&[("X-Hub-Signature-256", good.as_str())][..], &altered, "does not fit"),
        (&[("X-Hub-Signature-256", &other)], &body, "does not fit"),
        (&[("X-Hub-Signature-256", cut)], &body, "does not fit"),
        (&[("X-Hub-Signature-256", "sha256=")], &body, "does not fit"),
        (&[("X-Hub-Signature-256", &good[7..])], &body, "does not fit"),
        (&[("X-Hub-Signature", "sha1=0123456789abcdef0123456789abcdef01234567")], &body, "SHA-1"),
        (&[("X-GitHub-Event", "push")], &body, "nothing shows that GitHub sent it"),
        (&[], &body, "nothing shows that GitHub sent it"),
    ] {
        let Err(EventError::NotAuthentic(why)) = try_with(headers, body) else { panic!("{headers:?} was taken") };
        assert!(why.contains(piece) && !why.contains("s3cret"), "{why}");
    }
    assert!(!plain("push", push("main")).authentic, "nobody checked it");
}

#[test]
fn a_push_without_the_api_tells_its_commits_and_what_is_not_known() {
    let found = plain("push", push("main"));
    let [push] = &found.pushes[..] else { panic!("{found:?}") };
    assert_eq!((push.via, push.protected), (Via::Unknown, None));
    assert_eq!((push.before.clone(), push.after.clone()), (Some(sha("1")), Some(sha("2"))));
    assert_eq!(push.occurred_on, Some("2026-11-25T12:00:00Z".parse().unwrap()));
    assert_eq!(push.pusher.as_ref().unwrap().id.as_deref(), Some("7"));
    let [change] = &push.changes[..] else { panic!("{push:?}") };
    assert_eq!(change.commits, [sha("2"), sha("3")], "newest first");
    assert_eq!(change.pipeline_files.clone().unwrap(), [".github/workflows/ci.yml", "Jenkinsfile"]);
    assert_eq!(change.tickets[0].id, "SHOP-12");
    assert!(change.missing[0].contains("--api-token"), "{:?}", change.missing);
    let kinds: Vec<_> = found.bypasses.iter().map(|b| b.kind).collect();
    assert_eq!(kinds, [BypassKind::PipelineEdit]);
    assert_eq!(found.repository.unwrap().default_branch.as_deref(), Some("main"));
}

#[test]
fn forced_created_deleted() {
    let via = |members: Value| {
        let found = plain("push", with(push("main"), members));
        (
            found.pushes[0].via,
            found.pushes[0].before.is_some(),
            found.pushes[0].after.is_some(),
            found.pushes[0].changes.len(),
        )
    };
    assert_eq!(via(json!({"forced": true})), (Via::ForcePush, true, true, 1));
    assert_eq!(via(json!({"created": true, "before": sha("0")})), (Via::Unknown, false, true, 1));
    let deleted = json!({"deleted": true, "after": sha("0"), "commits": [], "head_commit": null});
    assert_eq!(via(deleted), (Via::ForcePush, true, false, 0));
}

#[test]
fn other_branches_and_tags_are_passed_over_with_a_line() {
    let tag = plain("push", with(push("main"), json!({"ref": "refs/tags/v1"})));
    assert_eq!((tag.pushes.len(), tag.passed_over), (0, vec!["`refs/tags/v1` is not a branch".to_owned()]));
    let queue = plain("push", push("gh-readonly-queue/main/pr-5-abc"));
    assert!(queue.pushes.is_empty() && queue.passed_over[0].contains("merge queue"), "{queue:?}");
    let topic = plain("push", push("topic"));
    assert!(topic.pushes.is_empty() && topic.passed_over[0].contains("not the default branch"), "{topic:?}");
    // which branch is the default one is not told, so it may be this one
    let unsure = plain("push", with(push("topic"), json!({"repository": {"full_name": "example/shop"}})));
    assert_eq!((unsure.pushes.len(), unsure.pushes[0].occurred_on), (1, None));
}

#[test]
fn the_api_tells_which_branches_are_protected() {
    let open = json!({"name": "topic", "protected": false});
    let by_ruleset = asked(
        push("topic"),
        json!({"repos/example/shop/branches/topic": open, "repos/example/shop/rules/branches/topic": [{"type": "x"}, {"type": "deletion"}]}),
    );
    assert_eq!(by_ruleset.pushes[0].protected, Some(true));
    assert!(by_ruleset.source.starts_with("webhook `push`, http"), "{}", by_ruleset.source);
    let not = asked(
        push("topic"),
        json!({"repos/example/shop/branches/topic": open, "repos/example/shop/rules/branches/topic": []}),
    );
    assert_eq!((not.pushes.len(), not.passed_over), (0, vec!["`refs/heads/topic` is not protected".to_owned()]));
    let gone = asked(push("topic"), json!({"repos/example/shop/rules/branches/topic": []}));
    assert!(gone.pushes.is_empty() && gone.passed_over[0].contains("is gone"), "{gone:?}");
    let classic = asked(
        with(push("topic"), json!({"forced": true})),
        json!({"repos/example/shop/branches/topic": {"name": "topic", "protected": true}}),
    );
    assert!(classic.bypasses.iter().any(|b| b.kind == BypassKind::ForcePush), "{classic:?}");
    let refused = asked(push("topic"), json!({"repos/example/shop/branches/topic": {"$status": 403, "$body": {}}}));
    assert_eq!((refused.pushes.len(), refused.pushes[0].protected), (1, None));
    assert!(refused.pushes[0].missing[0].contains("`contents: read`"), "{:?}", refused.pushes[0].missing);
}

#[test]
fn the_api_of_another_repository_is_not_asked() {
    let other = json!({"repository": {"full_name": "example/other", "default_branch": "main"}});
    let found = asked(with(push("main"), other), json!({}));
    assert_eq!((found.pushes.len(), found.pushes[0].protected), (1, None));
    assert!(found.pushes[0].missing[0].contains("`example/other`"), "{:?}", found.pushes[0].missing);
}

#[test]
fn lists_that_are_cut_and_commits_without_files_are_said() {
    let said = |n: usize| {
        let commits: Vec<Value> = (0..n).map(|n| json!({"id": format!("{n}"), "message": "m", "added": []})).collect();
        let push = plain("push", with(push("main"), json!({"commits": commits}))).pushes.remove(0);
        (push.missing.join("|"), push.changes[0].commits.len(), push.changes[0].commit_count)
    };
    assert_eq!(said(3), (String::new(), 3, None));
    assert!(said(20).0.contains("lists 20 commits"));
    let (missing, named, count) = said(2048);
    assert!(missing.contains("lists 2048 commits") && named == 100 && count == Some(2048), "{missing}");
    // as in the event file of a workflow
    let bare = json!({"commits": [{"id": sha("2"), "message": "m"}]});
    let push = plain("push", with(push("main"), bare)).pushes.remove(0);
    assert_eq!(push.changes[0].pipeline_files, None);
    assert!(push.missing[0].contains("which files changed"), "{:?}", push.missing);
}

#[test]
fn a_merge_is_told_by_its_push() {
    let merged = json!({"action": "closed", "number": 5, "pull_request": {"number": 5, "merged": true}, "repository": {"full_name": "example/shop"}});
    let found = plain("pull_request", merged.clone());
    assert!(found.pushes.is_empty() && found.passed_over[0].contains("pull request 5 was merged"), "{found:?}");
    let opened = with(merged, json!({"action": "opened"}));
    for (name, body) in
        [("pull_request", opened), ("merge_group", json!({"action": "checks_requested"})), ("ping", json!({}))]
    {
        let found = plain(name, body);
        assert!(found.pushes.is_empty() && found.passed_over[0].contains(&format!("`{name}`")), "{found:?}");
    }
}

#[test]
fn protection_that_becomes_weaker_is_a_confirmed_bypass() {
    let rule = json!({"name": "main", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-11-25T11:00:00Z",
        "pull_request_reviews_enforcement_level": "everyone", "required_approving_review_count": 1});
    let edit = |from: u32| {
        json!({"action": "edited", "rule": rule, "changes": {"required_approving_review_count": {"from": from}},
        "sender": {"login": "root", "id": 1}, "repository": {"full_name": "example/shop"}})
    };
    let found = plain("branch_protection_rule", edit(2));
    let [bypass] = &found.bypasses[..] else { panic!("{found:?}") };
    assert_eq!((bypass.kind, bypass.certainty), (BypassKind::ProtectionChange, Certainty::Confirmed));
    assert_eq!(bypass.what, ["protection of `main`: `required_approving_review_count`: 2 → 1"]);
    assert_eq!(bypass.git_ref.as_deref(), Some("refs/heads/main"));
    assert_eq!(bypass.actor.as_ref().unwrap().login.as_deref(), Some("root"));
    assert_eq!(bypass.occurred_on, Some("2026-11-25T11:00:00Z".parse().unwrap()));

    let stronger = plain("branch_protection_rule", edit(0));
    assert!(
        stronger.bypasses.is_empty() && stronger.passed_over[0].contains("nothing that was in force became weaker")
    );

    let deleted = plain("branch_protection_rule", with(edit(2), json!({"action": "deleted", "changes": null})));
    assert_eq!(deleted.bypasses[0].what, ["protection of `main`: it was deleted"]);
    assert_eq!(deleted.bypasses[0].occurred_on, None, "its time is that of the last edit");
    let pattern = json!({"action": "deleted", "rule": {"name": "release/*"}});
    assert_eq!(plain("branch_protection_rule", pattern).bypasses[0].git_ref, None);
    let off = json!({"action": "disabled", "repository": {"full_name": "example/shop"}, "sender": {"login": "root"}});
    assert_eq!(plain("branch_protection_configuration", off).bypasses[0].certainty, Certainty::Confirmed);
}

#[test]
fn rulesets_that_are_deleted_or_edited() {
    let event = |action: &str, enforcement: &str, changes: Value| {
        let ruleset = json!({"id": 3, "name": "Main", "source": "example/shop", "enforcement": enforcement});
        let body =
            json!({"action": action, "repository_ruleset": ruleset, "changes": changes, "sender": {"login": "root"}});
        plain("repository_ruleset", body)
    };
    assert_eq!(event("deleted", "active", Value::Null).bypasses[0].what, ["ruleset `Main`: it was deleted"]);
    assert!(event("deleted", "evaluate", Value::Null).bypasses.is_empty(), "it held nobody up");
    assert!(event("created", "active", Value::Null).bypasses.is_empty());
    let off = event("edited", "disabled", json!({"enforcement": {"from": "active"}}));
    assert_eq!(off.bypasses[0].what, ["ruleset `Main`: `enforcement`: active → disabled"]);
    let silent = event("edited", "active", json!({}));
    assert_eq!(silent.bypasses[0].certainty, Certainty::Derived);
    assert!(silent.bypasses[0].missing[0].contains("cannot be told"), "{silent:?}");
}

#[test]
fn events_are_known_by_their_shape_without_headers() {
    let by_shape = |body: Value| told(&[], body.to_string().as_bytes(), None, None);
    assert_eq!(by_shape(push("main")).unwrap().pushes.len(), 1);
    assert_eq!(by_shape(json!({"action": "deleted", "rule": {"name": "main"}})).unwrap().bypasses.len(), 1);
    let ruleset = json!({"action": "deleted", "repository_ruleset": {"name": "Main", "enforcement": "active"}});
    assert_eq!(by_shape(ruleset).unwrap().bypasses.len(), 1);
    let merged = json!({"action": "closed", "pull_request": {"node_id": "PR_x", "number": 5, "merged": true}});
    assert!(by_shape(merged).unwrap().passed_over[0].contains("merged"));
    assert!(by_shape(json!({"zen": "x", "hook": {}})).unwrap().passed_over[0].contains("`ping`"));
    let review = json!({"action": "submitted", "pull_request": {"node_id": "PR_x"}, "review": {}});
    let gitlab = json!({"object_kind": "push", "ref": "refs/heads/main", "before": "1", "after": "2", "commits": []});
    let gitea = json!({"ref": "refs/heads/main", "before": "1", "after": "2", "compare_url": "", "pusher": {"login": "ada"}, "commits": []});
    let request = json!({"action": "closed", "number": 5, "pull_request": {"number": 5, "merged": true}});
    let other = json!({"action": {"is": "an object"}});
    for unknown in [json!({}), review, json!({"action": "started"}), gitlab, gitea, request, other] {
        assert!(matches!(by_shape(unknown), Err(EventError::Unknown(_))));
    }
}

#[test]
fn bodies_that_are_no_events_are_refused_without_a_word_of_them() {
    let text = |name: &str, body: &str| match told(&[("X-GitHub-Event", name)], body.as_bytes(), None, None) {
        Err(e) => e.to_string(),
        Ok(found) => panic!("{found:?}"),
    };
    assert!(text("push", "{\"ref\": \"hunter2").contains("not JSON at line 1"));
    assert!(!text("push", "{\"ref\": \"hunter2").contains("hunter2"));
    assert!(text("push", "{\"ref\": 5}").contains("a member is missing or of another kind"));
    assert!(text("push", "{}").contains("a member is missing"));
    assert!(text("push", "payload=%7B%7D").contains("application/json"));
    assert!(text("push", &format!("{{\"x\": {}", "[".repeat(100_000))).contains("not JSON"));
    assert!(text("push", r#"["refs/heads/main", "1", "2"]"#).contains("no JSON object"));
    assert!(text("branch_protection_rule", r#"{"action": "edited"}"#).contains("no `rule`"));
    assert!(text("repository_ruleset", r#"{"action": "deleted"}"#).contains("no `repository_ruleset`"));
    assert!(text("push", "").contains("no JSON object"));
}
