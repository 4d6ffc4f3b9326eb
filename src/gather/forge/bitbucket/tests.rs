use super::super::cases::{self, forge, serve, with_api};
use super::super::signature::tests::sign;
use super::super::{Collected, Delivered, EventError, Period, PipelineFiles, Span};
use crate::gather::http::Secret;
use crate::gather::tickets;
use crate::record::population_v1::ItemKind;
use crate::record::pull_request_v1::PullRequest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[test]
fn cases_say_what_they_should() {
    cases::run_all("bitbucket", 12);
}

const R: &str = "repositories/acme/shop";

fn sha(c: &str) -> String {
    c.repeat(40)
}

fn period() -> Period {
    Period { from: "2026-11-21T00:00:00Z".parse().unwrap(), to: "2026-11-22T00:00:00Z".parse().unwrap() }
}

/// The routes of a case, and more.
fn routes(case: &str, more: &[(&str, Value)]) -> BTreeMap<String, Value> {
    let file = format!("{}/fixtures/forge/bitbucket/{case}.json", env!("CARGO_MANIFEST_DIR"));
    let case: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut routes: BTreeMap<String, Value> = serde_json::from_value(case["routes"].clone()).unwrap();
    routes.extend(more.iter().map(|(path, answer)| (format!("{R}{path}"), answer.clone())));
    routes.insert(
        R.into(),
        json!({"full_name": "acme/shop", "uuid": "{1}", "mainbranch": {"name": "main"}, "links": {"html": {"href": "https://bitbucket.org/acme/shop"}}}),
    );
    routes
}

fn told(
    headers: &[(&str, &str)],
    body: &[u8],
    secret: Option<&str>,
    api: Option<BTreeMap<String, Value>>,
) -> Result<Collected, EventError> {
    let headers: Vec<(String, String)> = headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
    let secret = secret.map(|s| Secret::new(s.into()));
    let (tickets, files) = (tickets::pattern(tickets::DEFAULT_PATTERN).unwrap(), PipelineFiles::new(&[]).unwrap());
    let event =
        Delivered { headers: &headers, body, secret: secret.as_ref(), pipeline_files: &files, tickets: &tickets };
    let ask = forge("bitbucket").event;
    match api {
        None => ask(&event, None),
        Some(routes) => {
            let server = serve("bitbucket", routes, Arc::new(Mutex::new(Vec::new())));
            with_api(&server, "acme/shop", &mut |asking| ask(&event, Some(asking)))
        }
    }
}

fn side(branch: &str, c: &str) -> Value {
    json!({"type": "branch", "name": branch, "target": {"type": "commit", "hash": sha(c), "date": "2026-11-21T12:00:00+00:00"}})
}

fn push(changes: Value) -> Vec<u8> {
    let actor = json!({"type": "user", "uuid": "{b0000000-0000-4000-8000-000000000000}", "nickname": "bob"});
    let repository = json!({"full_name": "acme/shop", "uuid": "{1}"});
    json!({"actor": actor, "repository": repository, "push": {"changes": changes}}).to_string().into_bytes()
}

#[test]
fn one_delivery_moves_several_branches() {
    let body = push(json!([
        {"old": side("main", "a"), "new": side("main", "d"), "forced": false, "truncated": false, "commits": []},
        {"old": side("topic", "a"), "new": side("topic", "b"), "forced": true},
        {"old": side("main", "a"), "new": null, "closed": true},
        {"old": null, "new": {"type": "tag", "name": "v1", "target": {"hash": sha("d")}}, "created": true},
    ]));
    let hex = format!("sha256={}", sign("s3", &body));
    let key = ("X-Event-Key", "repo:push");
    let all = told(&[key, ("X-Hub-Signature", &hex)], &body, Some("s3"), Some(routes("yes_merge", &[]))).unwrap();
    assert!(all.authentic);
    assert_eq!(all.repository.as_ref().unwrap().name.as_deref(), Some("acme/shop"));
    let pushes: Vec<_> = all.pushes.iter().map(|p| (p.git_ref.as_str(), p.via.as_str(), p.protected)).collect();
    assert_eq!(pushes, [("refs/heads/main", "pullRequest", Some(true)), ("refs/heads/main", "forcePush", Some(true))]);
    assert_eq!(all.pushes[0].changes[0].pull_request.as_ref().unwrap().number, "1");
    assert_eq!(all.pushes[0].pusher.as_ref().unwrap().id.as_deref(), Some("b0000000-0000-4000-8000-000000000000"));
    let kinds: Vec<_> = all.bypasses.iter().map(|b| b.kind.as_str()).collect();
    assert_eq!(kinds, ["forcePush"], "the merge kept the rules, the deletion took history away");
    assert_eq!(all.passed_over, ["`refs/heads/topic` is not protected", "`v1` is not a branch"]);
    assert_eq!(all.missing, [""; 0]);
}

#[test]
fn a_direct_push_is_a_bypass_and_so_is_the_pipeline_that_it_edits() {
    let body = push(json!([{"old": side("main", "a"), "new": side("main", "e")}]));
    let rules = json!({"$pages": [[{"kind": "push", "branch_match_kind": "glob", "pattern": "main"}]]});
    let routes = routes("direct_push", &[("/branch-restrictions", rules)]);
    let all = told(&[], &body, None, Some(routes)).unwrap();
    let kinds: Vec<_> = all.bypasses.iter().map(|b| b.kind.as_str()).collect();
    assert_eq!(kinds, ["directPush", "pipelineEdit"]);
    assert!(!all.authentic, "no secret was given");
}

#[test]
fn without_the_api_the_event_tells_what_it_knows() {
    let commits = json!([{"hash": sha("d"), "message": "SHOP-7 till"}]);
    let body = push(
        json!([{"old": side("main", "a"), "new": side("main", "d"), "forced": true, "truncated": true, "commits": commits}]),
    );
    let all = told(&[("x-event-key", "repo:push")], &body, None, None).unwrap();
    let push = &all.pushes[0];
    assert_eq!(
        (push.via.as_str(), push.protected, push.before.as_deref()),
        ("forcePush", None, Some(sha("a").as_str()))
    );
    assert_eq!(push.changes[0].tickets[0].id, "SHOP-7");
    assert_eq!(push.changes[0].pipeline_files, None, "unknown is not none");
    assert!(push.missing.iter().any(|m| m.contains("the event names 1 of its commits")), "{:?}", push.missing);
    assert!(all.bypasses.is_empty());
}

#[test]
fn what_is_not_from_bitbucket_is_refused() {
    let body = push(json!([]));
    let good = format!("sha256={}", sign("s3", &body));
    let other = format!("sha256={}", sign("s4", &body));
    for (headers, wanted) in [
        (vec![], "there is no X-Hub-Signature"),
        (vec![("X-Hub-Signature", other.as_str())], "does not fit"),
        (vec![("X-Hub-Signature", good.trim_start_matches("sha256="))], "does not fit"),
        (vec![("X-Hub-Signature", "sha256=")], "does not fit"),
    ] {
        let refused = told(&headers, &body, Some("s3"), None).unwrap_err().to_string();
        assert!(refused.contains(wanted) && !refused.contains("s3"), "{refused}");
    }
    assert!(told(&[("x-hub-signature", &good)], &body, Some("s3"), None).is_ok(), "whatever the case of the name");
    for (body, wanted) in [
        (&b"[]"[..], "no JSON object"),
        (b"{\"push\": ", "it is not JSON at line 1"),
        (b"{}", "X-Event-Key"),
        (b"{\"push\": {\"changes\": 3}}", "another kind"),
        (b"", "no JSON object"),
    ] {
        let refused = told(&[], body, None, None).unwrap_err().to_string();
        assert!(refused.contains(wanted), "{refused}");
    }
    let merged = told(&[("X-Event-Key", "pullrequest:fulfilled")], b"{\"pullrequest\": {}}", None, None).unwrap();
    assert!(merged.pushes.is_empty() && merged.passed_over[0].contains("the push of its merge"), "{merged:?}");
    let else_ = told(&[("X-Event-Key", "repo:fork")], b"{}", None, None).unwrap();
    assert_eq!(else_.passed_over, ["`repo:fork`: no branch moved"]);
}

#[test]
fn an_event_of_another_repository_is_not_asked_about() {
    let body = json!({"repository": {"full_name": "acme/other"}, "push": {"changes": [{"old": side("main", "a"), "new": side("main", "d")}]}});
    let all = told(&[], body.to_string().as_bytes(), None, Some(routes("yes_merge", &[]))).unwrap();
    assert_eq!(all.pushes[0].changes[0].pull_request, None);
    assert!(all.missing[0].contains("`acme/other`"), "{:?}", all.missing);
}

/// Of the branch's commits: a merge, and one on top of it that nobody reviewed.
#[test]
fn a_period_tells_merges_and_commits_that_none_brought() {
    let case = routes("yes_then_direct", &[]);
    let commits = case[&format!("{R}/commits/{}?exclude={}", sha("e"), sha("a"))].clone();
    let routes = routes(
        "yes_then_direct",
        &[("/commits/main", commits), ("/refs/branches", json!({"$pages": [[{"name": "main"}], [{"name": "topic"}]]}))],
    );
    let server = serve("bitbucket", routes, Arc::new(Mutex::new(Vec::new())));
    let all = with_api(&server, "acme/shop", &mut |asking| (forge("bitbucket").pushes)(asking, &period()));
    let mut told: Vec<_> = all.pushes.iter().map(|p| (p.via.as_str(), p.before.clone(), p.after.clone())).collect();
    told.sort();
    let expected = [("directPush", Some(sha("d")), Some(sha("e"))), ("pullRequest", Some(sha("a")), Some(sha("d")))];
    assert_eq!(told, expected);
    let direct = all.pushes.iter().find(|p| p.via.as_str() == "directPush").unwrap();
    assert_eq!((direct.occurred_on, &direct.pusher), (None, &None), "nobody tells");
    let merge = all.pushes.iter().find(|p| p.via.as_str() == "pullRequest").unwrap();
    assert_eq!(merge.occurred_on, Some("2026-11-21T12:00:00Z".parse().unwrap()));
    assert_eq!(all.bypasses.iter().map(|b| b.kind.as_str()).collect::<Vec<_>>(), ["directPush"]);
    assert!(all.missing[0].contains("keeps no log of pushes") && all.authentic, "{all:?}");
}

/// A fast forward brings commits that are much older than it.
#[test]
fn a_merge_of_old_commits_is_told_too() {
    let old =
        json!({"$pages": [[{"hash": sha("c"), "date": "2026-10-01T00:00:00Z", "parents": [{"hash": sha("b")}]}]]});
    let routes = routes("yes_fast_forward", &[("/commits/main", old), ("/refs/branches", json!({"$pages": [[]]}))]);
    let server = serve("bitbucket", routes, Arc::new(Mutex::new(Vec::new())));
    let all = with_api(&server, "acme/shop", &mut |asking| (forge("bitbucket").pushes)(asking, &period()));
    let told: Vec<_> = all.pushes.iter().map(|p| (p.via.as_str(), p.before.clone(), p.after.clone())).collect();
    assert_eq!(told, [("pullRequest", Some(sha("a")), Some(sha("c")))]);
    assert_eq!(all.pushes[0].changes[0].commits, [sha("c"), sha("b")]);
}

/// The pipeline of a pull request runs before the merge.
#[test]
fn an_open_pull_request_is_judged_as_it_stands() {
    let mut routes = routes("yes_merge", &[]);
    let open = routes.get_mut(&format!("{R}/pullrequests/1")).unwrap();
    open["state"] = json!("OPEN");
    let activity = routes[&format!("{R}/pullrequests/1/activity")]["$pages"][0].as_array().unwrap()[1..].to_vec();
    routes.insert(format!("{R}/pullrequests/1/activity"), json!({"$pages": [activity]}));
    let server = serve("bitbucket", routes, Arc::new(Mutex::new(Vec::new())));
    let asked = |number: &str, head: &str| {
        let pull_request = Some(PullRequest { number: number.into(), ..PullRequest::default() });
        let span = Span { head: sha(head), pull_request, ..Span::default() };
        with_api(&server, "acme/shop", &mut |asking| (forge("bitbucket").changes)(asking, &span))
    };
    let found = asked("1", "c");
    let change = &found.changes[0];
    assert_eq!(change.approval.as_ref().unwrap().verdict.as_str(), "yes", "{change:?}");
    assert_eq!(change.pull_request.as_ref().unwrap().merged_on, None);
    assert!(change.missing.is_empty() && found.missing.is_empty(), "{found:?}");
    assert!(asked("1", "e").changes[0].missing[0].contains("has moved on"));
    let none = asked("2", "c");
    assert!(none.changes.is_empty() && none.missing[0].contains("pull request 2"), "{none:?}");
}

#[test]
fn a_population_names_its_questions_and_how_far_they_went() {
    let pipeline = |n: u64, on: &str| {
        json!({"uuid": format!("{{p{n}}}"), "build_number": n, "created_on": on, "creator": {"uuid": "{u}", "type": "user"},
            "state": {"name": "COMPLETED", "result": {"name": "SUCCESSFUL"}},
            "target": {"ref_name": "main", "commit": {"hash": sha("d")}, "selector": {"type": "branches", "pattern": "main"}}})
    };
    let late = pipeline(3, "2026-11-22T09:00:00Z");
    let pipelines = json!({"$pages": [[late, pipeline(2, "2026-11-21T12:05:00Z")], [pipeline(1, "2026-11-21T08:00:00Z"), pipeline(0, "2026-11-20T08:00:00Z")], [pipeline(9, "2026-11-19T08:00:00Z")]]});
    let deployment = json!({"uuid": "{d1}", "environment": {"uuid": "{e1}"}, "release": {"name": "#2", "commit": {"hash": sha("d")}},
        "state": {"name": "COMPLETED", "status": {"name": "SUCCESSFUL"}, "start_date": "2026-11-21T12:30:00Z"}});
    let waiting =
        json!({"uuid": "{d2}", "state": {"name": "UNDEPLOYED"}, "release": {"created_on": "2026-11-21T12:30:00Z"}});
    let routes = routes(
        "yes_merge",
        &[
            ("/pipelines", pipelines),
            ("/deployments", json!({"$pages": [[waiting, deployment]]})),
            (&format!("/commit/{}", &sha("d")[..12]), json!({"hash": sha("d")})),
            ("/environments", json!({"$pages": [[{"uuid": "{e1}", "name": "Production"}]]})),
        ],
    );
    let server = serve("bitbucket", routes, Arc::new(Mutex::new(Vec::new())));
    let all = with_api(&server, "acme/shop", &mut |asking| (forge("bitbucket").population)(asking, &period()));
    let items: Vec<_> =
        all.items.iter().map(|i| (i.what, i.id.as_str(), i.status.as_deref(), i.environment.as_deref())).collect();
    let expected = [
        (ItemKind::Run, "p2", Some("SUCCESSFUL"), None),
        (ItemKind::Run, "p1", Some("SUCCESSFUL"), None),
        (ItemKind::Deployment, "d1", Some("SUCCESSFUL"), Some("Production")),
        (ItemKind::MergedPullRequest, "1", Some("MERGED"), None),
    ];
    assert_eq!(items, expected);
    assert_eq!(all.items[3].commit, Some(sha("d")), "in full");
    let queries: Vec<_> = all.queries.iter().map(|q| (q.what, q.pages, q.items, q.complete)).collect();
    assert_eq!(queries[0], (ItemKind::Run, 2, 2, true), "pages behind the period are not read");
    assert_eq!(queries.len(), 3);
    assert!(
        all.queries.iter().all(|q| q.complete && q.request.contains("/repositories/acme/shop/")),
        "{:?}",
        all.queries
    );
    assert_eq!(all.missing.len(), 1, "pushes: {:?}", all.missing);
}

#[test]
fn a_refused_population_is_no_empty_one() {
    let server = serve("bitbucket", BTreeMap::new(), Arc::new(Mutex::new(Vec::new())));
    let all = with_api(&server, "acme/shop", &mut |asking| (forge("bitbucket").population)(asking, &period()));
    assert_eq!(all.items, []);
    assert!(all.queries.len() == 3 && all.queries.iter().all(|q| !q.complete && q.why.is_some()), "{:?}", all.queries);
    assert!(all.missing.iter().any(|m| m.contains("scope `pipeline`")), "{:?}", all.missing);
    let pushes = with_api(&server, "acme/shop", &mut |asking| (forge("bitbucket").pushes)(asking, &period()));
    assert!(pushes.pushes.is_empty() && !pushes.authentic && pushes.missing.len() > 2, "{pushes:?}");
}
