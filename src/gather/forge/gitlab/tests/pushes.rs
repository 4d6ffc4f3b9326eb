//! Pushes of a period, and what they set aside.

use super::*;
use crate::record::change_v1::Via;

fn pushes(more: Value) -> Collected {
    ask(routes(more), &mut |asking| (cases::forge("gitlab").pushes)(asking, &day())).0
}

#[test]
fn a_merge_is_a_push_that_a_merge_request_brought() {
    let all = pushes(with(
        merged(5, 'a', 'b', true, "success"),
        json!({
            "/events": {"$pages": [[pushed(1, "2026-11-23T23:59:59Z", "main", Some('0'), Some('1'))],
                                   [pushed(2, "2026-11-24T10:00:01Z", "main", Some('c'), Some('a')),
                                    pushed(3, "2026-11-24T11:00:00Z", "feature", Some('c'), Some('d')),
                                    pushed(4, "2026-11-25T00:00:00Z", "main", Some('a'), Some('e'))]]},
            "/repository/compare": {"commits": [{"id": sha('b'), "parent_ids": [sha('c')]}, {"id": sha('a'), "parent_ids": [sha('c'), sha('b')]}]},
            "/repository/merge_base": base('c'),
        }),
    ));
    assert_eq!(all.missing, Vec::<String>::new());
    let [push] = &all.pushes[..] else { panic!("{:#?}", all.pushes) };
    assert_eq!((push.via, push.protected, push.git_ref.as_str()), (Via::PullRequest, Some(true), "refs/heads/main"));
    assert_eq!(push.changes[0].commits, [sha('a'), sha('b')]);
    assert_eq!(push.pusher.as_ref().unwrap().login.as_deref(), Some("cyd"));
    assert!(all.bypasses.is_empty(), "{:#?}", all.bypasses);
    assert_eq!(all.passed_over, ["1 pushes to branches that are not protected"]);
    assert!(all.authentic);
    assert_eq!(all.repository.unwrap().default_branch.as_deref(), Some("main"));
}

#[test]
fn the_days_that_are_asked_for_hold_the_period_in_every_zone() {
    let told = ask(routes(json!({"/events": []})), &mut |asking| (cases::forge("gitlab").pushes)(asking, &day()));
    let asked = told.1.iter().find(|path| path.contains("/events?")).unwrap();
    assert!(asked.contains("after=2026-11-22") && asked.contains("before=2026-11-27"), "{asked}");
}

#[test]
fn direct_pushes_force_pushes_and_deletions_are_told_apart() {
    let all = pushes(json!({
        "/events": [pushed(1, "2026-11-24T10:00:00Z", "main", Some('c'), Some('d')),
                    pushed(2, "2026-11-24T11:00:00Z", "release-1", Some('d'), Some('e')),
                    pushed(3, "2026-11-24T12:00:00Z", "release-1", Some('e'), None),
                    {"id": 4, "created_at": "2026-11-24T13:00:00Z", "push_data": {"ref_type": "branch", "ref": null, "ref_count": 5}},
                    {"id": 5, "created_at": "2026-11-24T13:00:00Z", "push_data": {"ref_type": "tag", "ref": "v1", "commit_to": sha('d')}}],
        "/repository/branches/release-1": {"protected": true},
        "/protected_branches/release-1": {"$status": 404, "$body": {}},
        format!("/repository/compare?to={}", sha('d')): {"commits": [{"id": sha('d'), "parent_ids": [sha('c')]}]},
        format!("/repository/compare?to={}", sha('e')): {"commits": [{"id": sha('e'), "parent_ids": [sha('c')]}]},
        format!("/repository/commits/{}/merge_requests", sha('d')): [],
        format!("/repository/commits/{}/merge_requests", sha('e')): [],
        format!("/repository/commits/{}/diff", sha('d')): [{"new_path": ".gitlab-ci.yml", "old_path": ".gitlab-ci.yml"}],
        format!("/repository/commits/{}/diff", sha('e')): [],
        "/repository/merge_base": base('c'),
    }));
    let via: Vec<Via> = all.pushes.iter().map(|p| p.via).collect();
    assert_eq!(via, [Via::DirectPush, Via::ForcePush, Via::DirectPush]);
    use BypassKind::{DirectPush, ForcePush, PipelineEdit};
    let derived = Certainty::Derived;
    assert_eq!(
        kinds(&all),
        [(DirectPush, derived), (PipelineEdit, derived), (ForcePush, derived), (ForcePush, derived)]
    );
    assert_eq!(all.bypasses[1].what, [".gitlab-ci.yml"]);
    assert!(all.missing.len() == 1 && all.missing[0].contains("5 branches at once"), "{:?}", all.missing);
}

#[test]
fn a_merge_against_the_rules_and_past_a_request_for_changes_is_one_bypass() {
    let base = |more: Value| {
        let own = json!({
            "/events": [pushed(2, "2026-11-24T10:00:01Z", "main", Some('c'), Some('a'))],
            "/repository/compare": {"commits": [{"id": sha('a'), "parent_ids": [sha('c'), sha('b')]}]},
            "/repository/merge_base": base('c'),
        });
        with(own, more)
    };
    let failed = pushes(with(merged(5, 'a', 'b', false, "failed"), base(json!({}))));
    assert_eq!(kinds(&failed), [(BypassKind::AdminMerge, Certainty::Derived)]);
    assert_eq!(failed.bypasses[0].actor.as_ref().unwrap().login.as_deref(), Some("cyd"));
    let what = failed.bypasses[0].what.join("\n");
    assert!(what.contains("`pipeline` had not succeeded") && what.contains("nobody approved it"), "{what}");

    let dan = json!({"id": 14, "username": "dan"});
    let notes = json!({"/merge_requests/5/notes": [
        {"id": 1, "system": true, "body": "requested changes", "author": dan, "created_at": "2026-11-24T09:00:00Z"},
        {"id": 2, "system": true, "body": "bypassed reviews on this merge request", "author": {"id": 13, "username": "cyd"}, "created_at": "2026-11-24T09:50:00Z"},
    ]});
    let past = pushes(with(merged(5, 'a', 'b', false, "success"), base(notes)));
    assert_eq!(kinds(&past), [(BypassKind::AdminMerge, Certainty::Confirmed)]);
    let what = past.bypasses[0].what.join("\n");
    assert!(what.contains("dan asked for changes") && what.contains("reviews were bypassed"), "{what}");
}

#[test]
fn audit_events_confirm_that_protection_was_weakened() {
    let all = pushes(json!({
        "/events": [],
        "/audit_events": [
            {"id": 9, "author_id": 1, "created_at": "2026-11-24T10:00:00Z", "event_name": "protected_branch_removed",
             "details": {"author_name": "Root", "target_type": "ProtectedBranch", "target_details": "main"}},
            {"id": 8, "author_id": 1, "created_at": "2026-11-24T09:00:00Z",
             "details": {"author_name": "Root", "change": "prevent merge request approval from authors", "from": "true", "to": "false"}},
            {"id": 7, "author_id": 1, "created_at": "2026-11-24T08:00:00Z",
             "details": {"change": "prevent merge request approval from authors", "from": "false", "to": "true"}},
            {"id": 6, "created_at": "2026-11-23T08:00:00Z", "event_name": "protected_branch_removed", "details": {}},
        ],
    }));
    assert_eq!(kinds(&all), [(BypassKind::ProtectionChange, Certainty::Confirmed); 2]);
    assert_eq!(all.bypasses[1].git_ref.as_deref(), Some("refs/heads/main"));
    assert_eq!(all.bypasses[1].actor.as_ref().unwrap().id.as_deref(), Some("1"));
    assert_eq!(all.missing, Vec::<String>::new());
}

#[test]
fn what_may_not_be_read_is_said_and_nothing_fails() {
    for status in [401, 403, 404, 500] {
        let refused = json!({"$status": status, "$body": {}});
        let mut all = routes(json!({"/events": refused, "/audit_events": refused, "/protected_branches": refused}));
        all.insert(PROJECT.to_owned(), refused.clone());
        let told = ask(all, &mut |asking| (cases::forge("gitlab").pushes)(asking, &day())).0;
        let said = told.missing.join("\n");
        assert!(said.contains("the push events") && said.contains("the audit events"), "{status}: {said}");
        assert_eq!(said.contains("read_api"), status != 500, "{status}: {said}");
        assert!(told.pushes.is_empty() && !told.authentic);
    }
}

#[test]
fn where_the_list_of_protected_branches_is_refused_each_branch_tells() {
    let all = pushes(json!({
        "/events": [pushed(1, "2026-11-24T10:00:00Z", "main", Some('c'), None), pushed(2, "2026-11-24T10:00:00Z", "topic", Some('c'), None)],
        "/protected_branches": {"$status": 403, "$body": {}},
        "/repository/branches/topic": {"protected": false},
    }));
    assert_eq!(all.pushes.len(), 1);
    assert_eq!(all.pushes[0].protected, Some(true));
}

#[test]
fn a_new_branch_holds_what_came_onto_others() {
    let created = |branch: &str, to: char| {
        json!({"/events": [pushed(1, "2026-11-24T10:00:00Z", branch, None, Some(to))],
        "/repository/branches/release-2": {"protected": true}, "/protected_branches/release-2": {"$status": 404, "$body": {}},
        format!("/repository/commits/{}", sha('a')): {"id": sha('a'), "parent_ids": [sha('c'), sha('b')]},
        format!("/repository/commits/{}/merge_requests", sha('d')): [],
        format!("/repository/commits/{}/diff", sha('d')): []})
    };
    let merged_before = pushes(with(merged(5, 'a', 'b', true, "success"), created("release-2", 'a')));
    assert_eq!((merged_before.pushes[0].via, merged_before.pushes[0].before.clone()), (Via::PullRequest, None));
    assert_eq!(kinds(&merged_before), []);
    let never = pushes(created("release-2", 'd'));
    assert_eq!(kinds(&never), [(BypassKind::DirectPush, Certainty::Derived)]);
}
