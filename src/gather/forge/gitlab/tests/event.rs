//! Webhooks, alone and completed by the API.

use super::*;
use crate::gather::forge::PipelineFiles;
use crate::gather::forge::gitlab::{Delivered, EventError, Push};
use crate::gather::http::Secret;
use crate::gather::tickets;
use crate::record::change_v1::Via;

fn deliver(
    headers: &[(&str, &str)],
    body: &str,
    secret: Option<&str>,
    asking: Option<&Asking>,
) -> Result<Collected, EventError> {
    let headers: Vec<(String, String)> = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let secret = secret.map(|s| Secret::new(s.to_owned()));
    let (files, pattern) = (PipelineFiles::new(&[]).unwrap(), tickets::pattern(tickets::DEFAULT_PATTERN).unwrap());
    let delivered = Delivered {
        headers: &headers,
        body: body.as_bytes(),
        secret: secret.as_ref(),
        pipeline_files: &files,
        tickets: &pattern,
    };
    (cases::forge("gitlab").event)(&delivered, asking)
}

fn push_hook(before: &str, after: &str, protected: bool, commits: Value, total: u64) -> String {
    json!({
        "object_kind": "push", "event_name": "push", "before": before, "after": after, "ref": "refs/heads/main", "ref_protected": protected,
        "user_id": 13, "user_username": "cyd", "user_name": "Cyd", "commits": commits, "total_commits_count": total,
        "project": {"id": 7, "path_with_namespace": "shop/api", "web_url": "https://gitlab.example.test/shop/api", "default_branch": "main"},
    })
    .to_string()
}

fn one(collected: &Collected) -> &Push {
    assert_eq!(collected.pushes.len(), 1, "{collected:#?}");
    &collected.pushes[0]
}

#[test]
fn a_hook_is_only_authentic_with_its_token() {
    let body = push_hook(&sha('c'), &sha('d'), true, json!([]), 0);
    let given = |header: &[(&str, &str)], secret| deliver(header, &body, secret, None).map(|c| c.authentic);
    assert_eq!(given(&[("x-gitlab-token", "s3cret")], Some("s3cret")), Ok(true));
    assert_eq!(given(&[("X-Gitlab-Token", "s3cret")], None), Ok(false));
    for header in [&[("X-Gitlab-Token", "s3cre")][..], &[("X-Gitlab-Token", "")], &[]] {
        let Err(EventError::NotAuthentic(why)) = given(header, Some("s3cret")) else { panic!("{header:?}") };
        assert!(!why.contains("s3cre"), "{why}");
    }
}

#[test]
fn a_push_hook_alone_tells_little_and_says_so() {
    let commits =
        json!([{"id": sha('d'), "message": "x", "added": [".gitlab-ci.yml"], "modified": null, "removed": []}]);
    let told = deliver(&[], &push_hook(&sha('c'), &sha('d'), true, commits.clone(), 1), None, None).unwrap();
    let push = one(&told);
    assert_eq!((push.via, push.before.clone(), push.after.clone()), (Via::Unknown, Some(sha('c')), Some(sha('d'))));
    assert_eq!(push.changes[0].pipeline_files, Some(vec![".gitlab-ci.yml".to_owned()]));
    assert!(push.missing.iter().any(|m| m.contains("--api-token")), "{:?}", push.missing);
    assert_eq!(kinds(&told), [(BypassKind::PipelineEdit, Certainty::Derived)]);

    let many: Vec<Value> = (0..20).map(|_| json!({"id": sha('d')})).collect();
    let told = deliver(&[], &push_hook(&sha('c'), &sha('d'), true, json!(many), 45), None, None).unwrap();
    assert_eq!((one(&told).changes[0].commit_count, &one(&told).changes[0].pipeline_files), (Some(45), &None));
    assert!(one(&told).missing.iter().any(|m| m.contains("20 of its 45 commits")));

    let zeros = sha('0');
    let told = deliver(&[], &push_hook(&zeros, &sha('d'), true, commits, 1), None, None).unwrap();
    assert_eq!(one(&told).before, None);
    let told = deliver(&[], &push_hook(&sha('c'), &zeros, true, json!([]), 0), None, None).unwrap();
    assert_eq!((one(&told).after.clone(), one(&told).via), (None, Via::DirectPush));
    assert_eq!(kinds(&told), [(BypassKind::ForcePush, Certainty::Derived)], "a deleted branch has lost its history");
}

#[test]
fn the_api_completes_a_push_hook() {
    let more = with(
        merged(5, 'a', 'b', true, "success"),
        json!({
            "/repository/compare": {"commits": [{"id": sha('a'), "parent_ids": [sha('c'), sha('b')]}]},
            "/repository/merge_base": base('c'),
        }),
    );
    let body = push_hook(&sha('c'), &sha('a'), true, json!([]), 2);
    let (told, _) = ask(routes(more.clone()), &mut |asking| deliver(&[], &body, None, Some(asking)).unwrap());
    let push = one(&told);
    assert_eq!((push.via, push.missing.clone()), (Via::PullRequest, vec![]));
    assert_eq!(push.changes[0].approval.as_ref().unwrap().verdict.as_str(), "yes");
    let other = body.replace("shop/api", "shop/web");
    let (told, asked) = ask(routes(more), &mut |asking| deliver(&[], &other, None, Some(asking)).unwrap());
    assert!(one(&told).missing.iter().any(|m| m.contains("another project")));
    assert!(asked.is_empty(), "{asked:?}");
}

fn merge_hook(action: &str) -> String {
    json!({
        "object_kind": "merge_request", "user": {"id": 13, "username": "cyd", "name": "Cyd"},
        "project": {"id": 7, "path_with_namespace": "shop/api", "default_branch": "main"},
        "labels": [{"title": "hotfix"}],
        "object_attributes": {
            "iid": 5, "title": "Cents (PAY-3)", "state": "merged", "action": action, "target_branch": "main", "source_branch": "SHOP-7-cents",
            "author_id": 11, "merge_commit_sha": sha('a'), "last_commit": {"id": sha('b')}, "updated_at": "2026-11-24 10:00:00 UTC",
            "source_project_id": 8, "target_project_id": 7, "description": null,
        },
    })
    .to_string()
}

#[test]
fn a_merge_hook_is_a_push_by_its_merge_request() {
    let told = deliver(&[], &merge_hook("merge"), None, None).unwrap();
    let push = one(&told);
    assert_eq!((push.via, push.after.clone(), push.before.clone()), (Via::PullRequest, Some(sha('a')), None));
    assert_eq!(push.occurred_on.unwrap().to_rfc3339(), "2026-11-24T10:00:00+00:00");
    let change = &push.changes[0];
    let request = change.pull_request.as_ref().unwrap();
    assert_eq!((request.from_fork, &request.labels[..]), (Some(true), &["hotfix".to_owned()][..]));
    let tickets: Vec<&str> = change.tickets.iter().map(|t| t.id.as_str()).collect();
    assert_eq!(tickets, ["PAY-3", "SHOP-7"]);
    assert!(change.approval.is_none() && push.missing.iter().any(|m| m.contains("--api-token")));
    let passed = deliver(&[], &merge_hook("approved"), None, None).unwrap();
    assert!(passed.pushes.is_empty() && passed.passed_over.len() == 1);

    let more = merged(5, 'a', 'b', true, "success");
    let (told, _) = ask(routes(more), &mut |asking| deliver(&[], &merge_hook("merge"), None, Some(asking)).unwrap());
    assert_eq!(one(&told).protected, Some(true));
    assert_eq!(one(&told).changes[0].approval.as_ref().unwrap().verdict.as_str(), "yes");
}

#[test]
fn what_is_no_event_is_refused_and_other_events_are_passed_over() {
    for kind in ["tag_push", "pipeline", "note", "deployment"] {
        let told = deliver(&[], &json!({"object_kind": kind}).to_string(), None, None).unwrap();
        assert!(told.pushes.is_empty() && told.passed_over[0].starts_with(kind));
    }
    for body in [r#"{"object_kind":"\u001b[31m"}"#, r#"{"ref":"refs/heads/main"}"#, "{}"] {
        assert!(
            matches!(deliver(&[], body, None, None), Err(EventError::Unknown(why)) if !why.contains('\u{1b}')),
            "{body}"
        );
    }
    let bad_sha = push_hook("../../users", &sha('d'), true, json!([]), 0);
    for body in
        ["", "[1", r#"{"object_kind":"push"}"#, r#"{"object_kind":"merge_request","object_attributes":{}}"#, &bad_sha]
    {
        assert!(matches!(deliver(&[], body, None, None), Err(EventError::Shape(_))), "{body}");
    }
    let unprotected =
        push_hook(&sha('c'), &sha('d'), false, json!([]), 0).replace("refs/heads/main", "refs/heads/topic");
    assert_eq!(deliver(&[], &unprotected, None, None).unwrap().passed_over.len(), 1);
}
