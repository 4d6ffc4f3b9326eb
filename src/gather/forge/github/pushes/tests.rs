//! Periods as a fake of GitHub tells them.

use super::*;
use crate::gather::forge::cases::{serve, with_api};
use crate::record::bypass_v1::{BypassKind, Certainty};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

type Routes = BTreeMap<String, Value>;

/// Hours before the fake's now, 2026-11-25T12:00:00Z.
fn ago(hours: i64) -> String {
    let now: chrono::DateTime<chrono::Utc> = "2026-11-25T12:00:00Z".parse().unwrap();
    (now - chrono::TimeDelta::hours(hours)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn sha(of: &str) -> String {
    if of == "0" { "0".repeat(40) } else { of.repeat(40)[..40].to_owned() }
}

fn activity(kind: &str, branch: &str, before: &str, after: &str, hours: i64) -> Value {
    json!({"id": 1, "node_id": "x", "before": sha(before), "after": sha(after), "ref": format!("refs/heads/{branch}"),
        "timestamp": ago(hours), "activity_type": kind, "actor": {"login": "ada", "id": 7, "type": "User"}})
}

fn routes(activities: Value) -> Routes {
    let all = json!({
        "repos/example/shop": {"id": 42, "full_name": "example/shop", "html_url": "https://github.example/example/shop", "default_branch": "main"},
        "repos/example/shop/activity": activities,
        "repos/example/shop/branches?protected=true": [{"name": "main", "protected": true}, {"name": "release/1", "protected": true}],
        "repos/example/shop/rulesets/rule-suites": []
    });
    serde_json::from_value(all).unwrap()
}

/// What the last `hours` come to, and the paths that were asked.
fn collect(routes: Routes, hours: i64) -> (Collected, Vec<String>) {
    let unrouted = Arc::new(Mutex::new(vec![]));
    let server = serve("github", routes, unrouted);
    let period = Period { from: ago(hours).parse().unwrap(), to: ago(0).parse().unwrap() };
    let found = with_api(&server, "example/shop", &mut |asking| of(asking, &period));
    (found, server.asked().into_iter().map(|a| a.path).collect())
}

fn moved(push: &Push) -> String {
    let short = |sha: &Option<String>| sha.as_ref().map_or("-".into(), |s| s[..1].to_owned());
    format!("{} {}..{} {}", push.git_ref, short(&push.before), short(&push.after), push.via.as_str())
}

#[test]
fn every_type_on_every_page_is_told_oldest_first() {
    let pages = json!({"$pages": [
        [activity("push", "main", "5", "6", 1), activity("merge_queue_merge", "main", "4", "5", 2)],
        [activity("pr_merge", "main", "3", "4", 3), activity("force_push", "release/1", "8", "3", 4)],
        [activity("branch_creation", "release/1", "0", "8", 5), activity("branch_deletion", "main", "9", "0", 6)]
    ]});
    let (found, asked) = collect(routes(pages), 26);
    assert_eq!(
        found.pushes.iter().map(moved).collect::<Vec<_>>(),
        [
            "refs/heads/main 9..- forcePush",
            "refs/heads/release/1 -..8 unknown",
            "refs/heads/release/1 8..3 forcePush",
            "refs/heads/main 3..4 pullRequest",
            "refs/heads/main 4..5 mergeQueue",
            "refs/heads/main 5..6 unknown",
        ]
    );
    let kinds: Vec<_> = found.bypasses.iter().map(|b| (b.kind, b.what[0].as_str())).collect();
    assert_eq!(kinds[0], (BypassKind::ForcePush, "refs/heads/main was deleted"));
    assert_eq!((kinds.len(), kinds[1].0), (2, BypassKind::ForcePush));
    let last = found.pushes.last().unwrap();
    assert_eq!(last.pusher.as_ref().unwrap().id.as_deref(), Some("7"));
    assert_eq!((last.protected, last.occurred_on), (Some(true), Some(ago(1).parse().unwrap())));
    assert_eq!(found.repository.as_ref().unwrap().id.as_deref(), Some("42"));
    assert!(found.authentic);
    assert_eq!(found.missing, Vec::<String>::new());
    assert!(asked.iter().any(|p| p.contains("activity?per_page=100&time_period=week")), "{asked:?}");
}

/// The first moment belongs to a period, the last one to the next.
#[test]
fn edges_of_a_period() {
    let all = json!([
        activity("pr_merge", "main", "4", "5", 0),
        activity("pr_merge", "main", "3", "4", 1),
        activity("pr_merge", "main", "2", "3", 26),
        activity("pr_merge", "main", "1", "2", 27)
    ]);
    let (found, _) = collect(routes(all), 26);
    let told: Vec<_> = found.pushes.iter().map(moved).collect();
    assert_eq!(told, ["refs/heads/main 2..3 pullRequest", "refs/heads/main 3..4 pullRequest"]);
}

#[test]
fn pages_behind_the_period_are_not_asked_for() {
    let pages = json!({"$pages": [
        [activity("pr_merge", "main", "4", "5", 1), activity("pr_merge", "main", "3", "4", 40)],
        [activity("pr_merge", "main", "2", "3", 41)]
    ]});
    let (found, asked) = collect(routes(pages), 26);
    assert_eq!(found.pushes.len(), 1);
    assert!(!asked.iter().any(|p| p.contains("page=2")), "{asked:?}");
}

#[test]
fn an_empty_period_is_complete_and_empty() {
    let (found, asked) = collect(routes(json!([])), 20);
    assert_eq!((found.pushes.len(), found.bypasses.len(), found.missing.len()), (0, 0, 0));
    assert!(found.authentic);
    assert!(asked.iter().any(|p| p.ends_with("time_period=day")), "{asked:?}");
}

/// Protection by name, by rulesets for a branch that is gone, not at all.
#[test]
fn only_protected_branches_and_the_default_one_are_recorded() {
    let mut routes = routes(json!([
        activity("branch_deletion", "topic", "7", "0", 1),
        activity("branch_deletion", "hotfix", "6", "0", 2),
        activity("push", "wip", "5", "6", 3),
        activity("push", "main", "4", "5", 4),
        activity("push", "topic", "4", "7", 5)
    ]));
    routes.insert("repos/example/shop/branches?protected=true".into(), json!([]));
    routes.insert("repos/example/shop/rules/branches/hotfix".into(), json!([{"type": "deletion"}]));
    routes.insert("repos/example/shop/rules/branches/topic".into(), json!([]));
    let (found, _) = collect(routes, 26);
    let told: Vec<_> = found.pushes.iter().map(|p| (moved(p), p.protected)).collect();
    let main = ("refs/heads/main 4..5 unknown".to_owned(), Some(false));
    assert_eq!(told, [main, ("refs/heads/hotfix 6..- forcePush".to_owned(), Some(true))]);
    assert_eq!(found.passed_over, ["`refs/heads/topic` was deleted, and nothing tells that it was protected"]);
    assert_eq!(found.missing, Vec::<String>::new());
}

/// A ruleset for all branches that is about names or signatures lets everybody push and rewrite.
#[test]
fn a_branch_whose_rulesets_guard_nothing_is_not_protected() {
    let all = json!([
        activity("force_push", "wip", "1", "2", 1),
        activity("force_push", "held", "1", "2", 2),
        activity("force_push", "unread", "1", "2", 3),
        activity("push", "gh-readonly-queue/main/pr-5", "1", "2", 4)
    ]);
    let mut routes = routes(all);
    let by_ruleset = |name: &str| json!({"name": name, "protected": true, "protection": {"enabled": false}});
    let listed =
        json!([by_ruleset("wip"), by_ruleset("held"), by_ruleset("unread"), by_ruleset("gh-readonly-queue/main/pr-5")]);
    routes.insert("repos/example/shop/branches?protected=true".into(), listed);
    let names = json!([{"type": "branch_name_pattern"}, {"type": "required_signatures"}]);
    routes.insert("repos/example/shop/rules/branches/wip".into(), names);
    routes.insert("repos/example/shop/rules/branches/held".into(), json!([{"type": "non_fast_forward"}]));
    let (found, _) = collect(routes, 26);
    let told: Vec<_> = found.pushes.iter().map(|p| (p.git_ref.as_str(), p.protected)).collect();
    assert_eq!(told, [("refs/heads/unread", Some(true)), ("refs/heads/held", Some(true))]);
}

#[test]
fn protection_that_cannot_be_read_is_unknown_and_the_push_is_recorded() {
    let mut routes =
        routes(json!([activity("force_push", "side", "1", "2", 1), activity("push", "main", "3", "4", 2)]));
    routes.insert("repos/example/shop/branches?protected=true".into(), json!({"$status": 403, "$body": {}}));
    routes.insert("repos/example/shop/rules/branches/main".into(), json!([{"type": "pull_request"}]));
    routes.insert("repos/example/shop/rules/branches/side".into(), json!([]));
    let (found, _) = collect(routes, 26);
    let told: Vec<_> = found.pushes.iter().map(|p| (p.git_ref.as_str(), p.protected)).collect();
    assert_eq!(told, [("refs/heads/main", Some(true)), ("refs/heads/side", None)]);
    assert!(found.missing[0].contains("(403)") && found.missing[0].contains("`contents: read`"), "{:?}", found.missing);
    assert!(found.bypasses.is_empty(), "unknown is no bypass");
    let said = &found.pushes[1].missing;
    assert!(said.iter().any(|s| s.contains("whether the branch is protected")), "{said:?}");
}

/// GitHub's own example of this answer is of an older shape.
#[test]
fn items_of_another_shape_are_said() {
    let old = json!({"id": 2, "node_id": "y", "before": sha("1"), "after": sha("2"), "ref": "refs/heads/main",
        "pushed_at": ago(1), "push_type": "normal", "pusher": {"login": "ada"}});
    let (found, _) = collect(routes(json!([old, activity("pr_merge", "main", "1", "2", 2)])), 26);
    assert_eq!(found.pushes.len(), 1);
    assert_eq!(found.missing, ["1 of 2 pushes: GitHub told them in another shape than it describes"]);
}

/// GitHub names nobody, or the user `ghost`, where the account is gone.
#[test]
fn accounts_that_are_gone_are_nobody() {
    let mut gone = activity("force_push", "main", "1", "2", 2);
    for actor in [json!(null), json!({"login": "ghost", "id": 10137})] {
        gone["actor"] = actor;
        assert_eq!(collect(routes(json!([gone])), 26).0.pushes[0].pusher, None);
    }
}

#[test]
fn a_type_that_is_not_known_is_an_unknown_door() {
    let (found, _) = collect(routes(json!([activity("teleport", "main", "1", "2", 2)])), 26);
    assert_eq!(found.pushes[0].via, Via::Unknown);
    let said = &found.pushes[0].missing;
    assert!(said.iter().any(|s| s.contains("`teleport`")), "{said:?}");
}

fn suite(id: u32, hours: i64) -> Value {
    json!({"id": id, "actor_id": 12, "actor_name": "root", "before_sha": sha("a"), "after_sha": sha("b"),
        "ref": "refs/heads/main", "repository_id": 42, "repository_name": "shop", "pushed_at": ago(hours), "result": "bypass"})
}

#[test]
fn a_rule_suite_is_a_confirmed_bypass_and_names_the_rules() {
    let mut routes = routes(json!([]));
    let list = json!({"$pages": [[suite(21, 1), suite(22, 2)], [suite(23, 27)]]});
    routes.insert("repos/example/shop/rulesets/rule-suites".into(), list);
    let rules = json!({"id": 21, "rule_evaluations": [
        {"rule_source": {"type": "ruleset", "id": 2, "name": "Main"}, "enforcement": "active", "result": "pass", "rule_type": "deletion"},
        {"rule_source": {"type": "ruleset", "id": 2, "name": "Main"}, "enforcement": "active", "result": "fail", "rule_type": "required_status_checks"},
        {"rule_source": {"type": "protected_branch"}, "enforcement": "active", "result": "fail", "rule_type": "pull_request", "details": "By a pull request only."},
        {"rule_source": {"type": "ruleset", "id": 3, "name": "Tried out"}, "enforcement": "evaluate", "result": "fail", "rule_type": "commit_message_pattern"}
    ]});
    routes.insert("repos/example/shop/rulesets/rule-suites/21".into(), rules);
    let (found, asked) = collect(routes, 26);
    let first = &found.bypasses[1];
    assert_eq!(found.bypasses.len(), 2, "the third one is older");
    assert_eq!((first.kind, first.certainty), (BypassKind::RulesetBypass, Certainty::Confirmed));
    assert_eq!(
        first.what,
        [
            "`required_status_checks` of ruleset `Main`",
            "`pull_request` of the branch's protection: By a pull request only."
        ]
    );
    assert_eq!(first.actor.as_ref().unwrap().login.as_deref(), Some("root"));
    assert_eq!((first.before.clone(), first.commit.clone()), (Some(sha("a")), Some(sha("b"))));
    assert_eq!(first.missing, Vec::<String>::new());
    // the one that cannot be opened is told, too
    assert_eq!(found.bypasses[0].what, ["rule suite 22"]);
    assert!(found.bypasses[0].missing[0].contains("Administration: read"), "{:?}", found.bypasses[0].missing);
    assert!(asked.iter().any(|p| p.contains("rule_suite_result=bypass&time_period=week&per_page=100")), "{asked:?}");
}

#[test]
fn rule_suites_that_are_refused_are_said() {
    for status in [403, 404] {
        let mut routes = routes(json!([]));
        routes.insert("repos/example/shop/rulesets/rule-suites".into(), json!({"$status": status, "$body": {}}));
        let (found, _) = collect(routes, 26);
        let [said] = &found.missing[..] else { panic!("{:?}", found.missing) };
        assert!(said.contains("Administration: read") && said.contains("GITHUB_TOKEN cannot"), "{said}");
        assert!(found.authentic);
    }
}

#[test]
fn a_period_longer_than_github_keeps_rule_suites_is_said() {
    let (found, asked) = collect(routes(json!([])), 24 * 40);
    assert!(found.missing[0].contains("older than a month"), "{:?}", found.missing);
    assert!(asked.iter().any(|p| p.contains("time_period=month&per_page")), "{asked:?}");
    assert!(asked.iter().any(|p| p.contains("activity?per_page=100&time_period=quarter")), "{asked:?}");
}

#[test]
fn nothing_that_can_be_read_is_no_empty_period() {
    let (found, _) = collect(Routes::new(), 26);
    assert!(!found.authentic);
    assert_eq!((found.pushes.len(), found.missing.len()), (0, 3), "{:?}", found.missing);
    assert_eq!(found.repository.unwrap().name.as_deref(), Some("example/shop"));
}

#[test]
fn the_commits_decide_which_door_a_push_took() {
    use crate::record::change_v1::Change;
    let mut push = collect(routes(json!([activity("push", "main", "1", "2", 2)])), 26).0.pushes.remove(0);
    let cases: &[(&[Via], Via)] = &[
        (&[], Via::Unknown),
        (&[Via::PullRequest], Via::PullRequest),
        (&[Via::PullRequest, Via::MergeQueue], Via::PullRequest),
        (&[Via::MergeQueue, Via::MergeQueue], Via::MergeQueue),
        (&[Via::PullRequest, Via::DirectPush], Via::DirectPush),
        (&[Via::PullRequest, Via::Unknown], Via::Unknown),
        (&[Via::Unknown, Via::DirectPush], Via::DirectPush),
    ];
    for (all, wanted) in cases {
        push.changes = all.iter().map(|via| Change::by(*via)).collect();
        assert_eq!(door(&push), *wanted, "{all:?}");
    }
}

/// A commit of nobody's pull request, and one that a pull request brought, both of which GitHub calls a push.
#[test]
fn a_push_is_direct_if_no_pull_request_brought_its_commits() {
    let at = |sha: &str| format!("repos/example/shop/commits/{sha}");
    let commit = |of: &str, parent: &str| {
        let who = json!({"name": "ada", "email": "ada@example.com", "date": ago(3)});
        json!({"sha": sha(of), "parents": [{"sha": sha(parent)}], "author": {"id": 7, "login": "ada", "type": "User"},
            "commit": {"author": who, "committer": who, "message": "SHOP-1: change"}, "files": [{"filename": "Jenkinsfile"}]})
    };
    let pull = json!({"id": 5, "number": 5, "state": "closed", "title": "Five", "user": {"id": 7, "login": "ada", "type": "User"},
        "base": {"ref": "main", "sha": sha("1"), "repo": {"id": 42}}, "head": {"ref": "topic", "sha": sha("9"), "repo": {"id": 42}},
        "merge_commit_sha": sha("2"), "merged_at": ago(3), "merged": true, "merged_by": {"id": 8, "login": "bob", "type": "User"}, "commits": 1});
    let mut routes = routes(json!([activity("push", "main", "2", "3", 2), activity("push", "main", "1", "2", 3)]));
    for (of, parent, pulls) in [("2", "1", json!([pull])), ("3", "2", json!([]))] {
        let compared = json!({"total_commits": 1, "commits": [commit(of, parent)], "files": [{"filename": "Jenkinsfile"}], "status": "ahead"});
        routes.insert(format!("repos/example/shop/compare/{}...{}", sha(parent), sha(of)), compared);
        routes.insert(at(&sha(of)), commit(of, parent));
        routes.insert(format!("{}/pulls", at(&sha(of))), pulls);
    }
    routes.insert("repos/example/shop/pulls/5".into(), pull);
    routes.insert(
        "repos/example/shop/rules/branches/main".into(),
        json!([{"type": "pull_request", "parameters": {"required_approving_review_count": 0}}]),
    );
    let (found, _) = collect(routes, 26);
    let told: Vec<_> = found.pushes.iter().map(moved).collect();
    assert_eq!(told, ["refs/heads/main 1..2 pullRequest", "refs/heads/main 2..3 directPush"]);
    let direct: Vec<_> =
        found.bypasses.iter().filter(|b| b.commit == Some(sha("3"))).map(|b| (b.kind, b.what.clone())).collect();
    let line = format!("1 commit without a pull request: {}", sha("3"));
    assert_eq!(
        direct,
        [(BypassKind::DirectPush, vec![line]), (BypassKind::PipelineEdit, vec!["Jenkinsfile".to_owned()])]
    );
}
