//! Populations as a fake of GitHub tells them.

use super::*;
use crate::gather::forge::cases::{serve, with_api};
use crate::gather::http::loopback::{Answer, Server};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

const DAY: (&str, &str) = ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z");

fn ask(server: &Server, (from, to): (&str, &str)) -> Population {
    let period = Period { from: time(from), to: time(to) };
    with_api(server, "example/shop", &mut |asking| of(asking, &period))
}

fn routes() -> BTreeMap<String, Value> {
    let all = json!({
        "repos/example/shop": {"id": 42, "full_name": "example/shop", "default_branch": "main"},
        "repos/example/shop/actions/runs": {"total_count": 2, "workflow_runs": [
            {"id": 900, "run_attempt": 2, "name": "deploy", "html_url": "https://github.example/runs/900", "status": "completed",
                "conclusion": "failure", "created_at": "2026-11-20T10:00:00Z", "head_sha": "abc", "head_branch": "main",
                "actor": {"id": 1, "login": "ada"}, "triggering_actor": {"id": 2, "login": "bob"}},
            {"id": 901, "run_attempt": 1, "status": "in_progress", "conclusion": null, "created_at": "2026-11-20T00:00:00Z"}
        ]},
        "repos/example/shop/deployments": [
            {"id": 3, "sha": "c3", "ref": "main", "environment": "prod", "created_at": "2026-11-21T00:00:00Z", "creator": null},
            {"id": 2, "sha": "c2", "ref": "main", "environment": "prod", "created_at": "2026-11-20T23:59:59Z", "creator": {"id": 1, "login": "ada"}},
            {"id": 1, "sha": "c1", "ref": "main", "environment": "prod", "created_at": "2026-11-19T10:00:00Z", "creator": null}
        ],
        "repos/example/shop/deployments/2/statuses": [{"state": "success"}],
        "repos/example/shop/pulls": [
            {"number": 5, "title": "Five", "merged_at": "2026-11-20T09:00:00Z", "updated_at": "2026-11-24T09:00:00Z", "merge_commit_sha": "m5", "base": {"ref": "main"}},
            {"number": 4, "title": "Closed", "merged_at": null, "updated_at": "2026-11-20T09:00:00Z"},
            {"number": 3, "title": "Old", "merged_at": "2026-11-18T09:00:00Z", "updated_at": "2026-11-19T09:00:00Z"}
        ],
        "repos/example/shop/activity": [
            {"before": "1", "after": "2", "ref": "refs/heads/topic", "timestamp": "2026-11-20T08:00:00Z", "activity_type": "push", "actor": {"id": 1, "login": "ada"}}
        ]
    });
    serde_json::from_value(all).unwrap()
}

#[test]
fn everything_within_the_period_is_named_with_its_question() {
    let found = ask(&serve("github", routes(), Arc::new(Mutex::new(vec![]))), DAY);
    assert_eq!(found.missing, Vec::<String>::new());
    let items: Vec<_> = found.items.iter().map(|i| (i.what, i.id.as_str(), i.status.as_deref())).collect();
    assert_eq!(
        items,
        [
            (ItemKind::Run, "900", Some("failure")),
            (ItemKind::Run, "901", Some("in_progress")),
            (ItemKind::Deployment, "2", Some("success")),
            (ItemKind::MergedPullRequest, "5", Some("merged")),
            (ItemKind::Push, "refs/heads/topic@2", Some("push")),
        ]
    );
    assert_eq!(found.items[0].actor.as_ref().unwrap().login.as_deref(), Some("bob"), "who started it again");
    assert_eq!(found.items[0].attempt, Some(2));
    let queries: Vec<_> = found.queries.iter().map(|q| (q.what, q.items, q.told, q.complete)).collect();
    assert_eq!(
        queries,
        [
            (ItemKind::Run, 2, Some(2), true),
            (ItemKind::Deployment, 1, None, true),
            (ItemKind::MergedPullRequest, 1, None, true),
            (ItemKind::Push, 1, None, true),
        ]
    );
    let request = &found.queries[0].request;
    assert!(
        request.contains("actions/runs?created=2026-11-20T00:00:00Z..2026-11-20T23:59:59Z&per_page=100"),
        "{request}"
    );
}

#[test]
fn what_is_refused_is_incomplete_and_says_what_would_help() {
    let mut routes = routes();
    for (path, status) in [("actions/runs", 403), ("pulls", 404), ("deployments/2/statuses", 403)] {
        routes.insert(format!("repos/example/shop/{path}"), json!({"$status": status, "$body": {}}));
    }
    let found = ask(&serve("github", routes, Arc::new(Mutex::new(vec![]))), DAY);
    let complete: Vec<_> = found.queries.iter().map(|q| (q.complete, q.why.is_none())).collect();
    assert_eq!(complete, [(false, false), (true, true), (false, false), (true, true)]);
    for (said, piece) in
        found.missing.iter().zip(["`actions: read`", "how 1 deployments ended", "`pull-requests: read`"])
    {
        assert!(said.contains(piece), "{said}");
    }
    assert_eq!(found.items.iter().find(|i| i.what == ItemKind::Deployment).unwrap().status, None);
}

#[test]
fn fewer_runs_than_the_platform_counts_are_incomplete() {
    let mut routes = routes();
    routes.get_mut("repos/example/shop/actions/runs").unwrap()["total_count"] = json!(3);
    let found = ask(&serve("github", routes, Arc::new(Mutex::new(vec![]))), DAY);
    assert_eq!((found.queries[0].complete, found.queries[0].told), (false, Some(3)));
    assert!(found.missing[0].contains("of 3 only 2 came"), "{:?}", found.missing);
}

/// A stateful fake: 2 500 runs, spread evenly or all in one second, and never more than a thousand a search.
fn busy(at: fn(u64) -> i64) -> Server {
    Server::start(move |asked, _| {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        if !path.ends_with("/actions/runs") {
            return Answer::With(200, vec![], if path.ends_with("shop") { b"{}".to_vec() } else { b"[]".to_vec() });
        }
        let get = |name: &str| query.split('&').find_map(|p| p.strip_prefix(name)).map(str::to_owned);
        let created = get("created=").unwrap();
        let (from, to) = created.split_once("..").unwrap();
        let (from, to) = (time(from).timestamp(), time(to).timestamp());
        let size: usize = get("per_page=").unwrap().parse().unwrap();
        let page: usize = get("page=").map_or(1, |n| n.parse().unwrap());
        let all: Vec<u64> = (0..2500).filter(|n| (from..=to).contains(&at(*n))).collect();
        let found = &all[..all.len().min(1000)];
        let run = |n: &u64| json!({"id": n, "created_at": DateTime::from_timestamp(at(*n), 0).unwrap()});
        let runs: Vec<Value> = found.iter().skip((page - 1) * size).take(size).map(run).collect();
        let next = format!(
            "<http://{}{path}?{}&page={}>; rel=\"next\"",
            asked.header("host").unwrap(),
            query.split("&page=").next().unwrap(),
            page + 1
        );
        let link = if page * size < found.len() { vec![("link", next)] } else { vec![] };
        Answer::With(200, link, json!({"total_count": all.len(), "workflow_runs": runs}).to_string().into_bytes())
    })
}

const BEGAN: i64 = 1_795_132_800; // 2026-11-20T00:00:00Z

#[test]
fn more_runs_than_one_search_tells_are_found_in_halves() {
    let found = ask(&busy(|n| BEGAN + 34 * n as i64), DAY);
    let mut ids: Vec<u64> = found.items.iter().map(|i| i.id.parse().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..2500).collect::<Vec<_>>(), "each once");
    assert_eq!(found.missing, Vec::<String>::new());
    let runs: Vec<_> = found.queries.iter().filter(|q| q.what == ItemKind::Run).collect();
    assert!(runs.len() == 4 && runs.iter().all(|q| q.complete && q.items < 1000), "{runs:#?}");
    assert_eq!(runs.iter().map(|q| q.items).sum::<u64>(), 2500);
}

#[test]
fn more_runs_in_one_second_than_a_search_tells_are_incomplete() {
    let found = ask(&busy(|_| BEGAN + 5), DAY);
    let cut: Vec<_> = found.queries.iter().filter(|q| !q.complete).collect();
    assert_eq!((cut.len(), cut[0].items, cut[0].told), (1, 1000, Some(2500)));
    assert!(found.missing[0].contains("of 2500 only 1000 came"), "{:?}", found.missing);
}
