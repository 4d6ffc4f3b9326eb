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
    cases::run_all("forgejo", 12);
}

const R: &str = "repos/acme/shop";

fn sha(c: &str) -> String {
    c.repeat(40)
}

fn period() -> Period {
    Period { from: "2026-11-21T00:00:00Z".parse().unwrap(), to: "2026-11-22T00:00:00Z".parse().unwrap() }
}

/// The routes of a case, and more. History was not rewritten unless more says so.
fn routes(case: &str, more: &[(&str, Value)]) -> BTreeMap<String, Value> {
    let file = format!("{}/fixtures/forge/forgejo/{case}.json", env!("CARGO_MANIFEST_DIR"));
    let case: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut routes: BTreeMap<String, Value> = serde_json::from_value(case["routes"].clone()).unwrap();
    let (base, head) = (case["base"].as_str().unwrap(), case["head"].as_str().unwrap());
    routes.insert(format!("{R}/compare/{head}...{base}"), json!({"total_commits": 0, "commits": null}));
    routes.insert(R.into(), json!({"id": 1, "full_name": "acme/shop", "default_branch": "main", "html_url": "https://git.example.com/acme/shop"}));
    routes.extend(more.iter().map(|(path, answer)| (format!("{R}{path}"), answer.clone())));
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
    let ask = forge("gitea").event;
    match api {
        None => ask(&event, None),
        Some(routes) => {
            let server = serve("gitea", routes, Arc::new(Mutex::new(Vec::new())));
            with_api(&server, "acme/shop", &mut |asking| ask(&event, Some(asking)))
        }
    }
}

fn push(git_ref: &str, before: &str, after: &str, commits: Value) -> Vec<u8> {
    json!({"ref": git_ref, "before": sha(before), "after": sha(after), "commits": commits, "total_commits": 1,
        "repository": {"id": 1, "full_name": "acme/shop", "default_branch": "main", "html_url": "https://git.example.com/acme/shop"},
        "pusher": {"id": 12, "login": "bob"}, "sender": {"id": 12, "login": "bob"}})
    .to_string()
    .into_bytes()
}

#[test]
fn a_push_is_completed_by_the_api() {
    let body = push("refs/heads/main", "a", "d", json!([]));
    let hex = sign("s3", &body);
    for headers in [
        vec![("X-Forgejo-Event", "push"), ("X-Gitea-Event", "push"), ("X-Forgejo-Signature", hex.as_str())],
        vec![("x-gitea-event", "push"), ("x-gitea-signature", hex.as_str())],
        vec![("X-GitHub-Event", "push"), ("X-Hub-Signature-256", &format!("sha256={hex}"))],
    ] {
        let all = told(&headers, &body, Some("s3"), Some(routes("yes_merge", &[]))).unwrap();
        assert!(all.authentic && all.bypasses.is_empty() && all.missing.is_empty(), "{all:?}");
        let push = &all.pushes[0];
        assert_eq!((push.via.as_str(), push.protected), ("pullRequest", Some(true)));
        assert_eq!(push.pusher.as_ref().unwrap().id.as_deref(), Some("12"));
        assert_eq!(push.missing, [""; 0]);
    }
}

/// The pipeline of a pull request runs before the merge.
#[test]
fn an_open_pull_request_is_judged_as_it_stands() {
    let mut routes = routes("yes_merge", &[]);
    let open = routes.get_mut(&format!("{R}/pulls/1")).unwrap();
    open["merged"] = json!(false);
    let server = serve("forgejo", routes, Arc::new(Mutex::new(Vec::new())));
    let asked = |number: &str| {
        let pull_request = Some(PullRequest { number: number.into(), ..PullRequest::default() });
        let span = Span { head: sha("9"), pull_request, ..Span::default() };
        with_api(&server, "acme/shop", &mut |asking| (forge("forgejo").changes)(asking, &span))
    };
    let found = asked("1");
    let change = &found.changes[0];
    assert_eq!(change.approval.as_ref().unwrap().verdict.as_str(), "yes", "{change:?}");
    let told = change.pull_request.as_ref().unwrap();
    assert_eq!((told.merged_on, told.merge_commit.as_ref(), told.head.clone()), (None, None, Some(sha("c"))));
    assert_eq!(asked("2").changes, []);
    assert!(asked("2").missing[0].contains("pull request 2"));
}

#[test]
fn history_that_went_away_is_seen_by_comparing_backwards() {
    let lost = json!({"total_commits": 1, "commits": [{"sha": sha("f")}]});
    let back = format!("/compare/{}...{}", sha("e"), sha("a"));
    let branch = json!({"name": "main", "protected": true, "required_approvals": 1});
    let api = routes("direct_push", &[(&back, lost), ("/branches/main", branch)]);
    let all = told(&[], &push("refs/heads/main", "a", "e", json!([])), None, Some(api)).unwrap();
    assert_eq!(all.pushes[0].via.as_str(), "forcePush");
    assert_eq!(all.bypasses.iter().map(|b| b.kind.as_str()).collect::<Vec<_>>(), ["forcePush", "pipelineEdit"]);
    let gone = routes(
        "direct_push",
        &[(&back, json!({"$status": 404})), ("/branches/main", json!({"name": "main", "protected": true}))],
    );
    let all = told(&[], &push("refs/heads/main", "a", "e", json!([])), None, Some(gone)).unwrap();
    assert!(all.pushes[0].missing.iter().any(|m| m.starts_with("whether history was rewritten")), "{all:?}");
}

#[test]
fn without_the_api_the_event_tells_what_it_knows() {
    let commits = json!([{"id": sha("d"), "message": "SHOP-7", "added": [], "removed": null, "modified": [".gitea/workflows/ci.yml"]}]);
    let all = told(&[], &push("refs/heads/main", "a", "d", commits), None, None).unwrap();
    let push = &all.pushes[0];
    assert_eq!((push.via.as_str(), push.protected), ("unknown", None));
    assert_eq!(push.changes[0].pipeline_files.as_deref(), Some(&[".gitea/workflows/ci.yml".to_owned()][..]));
    assert_eq!(push.changes[0].tickets[0].id, "SHOP-7");
    assert_eq!(all.bypasses.iter().map(|b| b.kind.as_str()).collect::<Vec<_>>(), ["pipelineEdit"]);
    let topic = told(&[], &super::tests::push("refs/heads/topic", "a", "d", json!([])), None, None).unwrap();
    assert!(topic.pushes.is_empty() && topic.passed_over[0].contains("not the default branch"));
}

#[test]
fn what_is_no_push_to_a_branch_is_passed_over_and_what_is_forged_refused() {
    let tag = told(&[("X-Gitea-Event", "push")], &push("refs/tags/v1", "0", "d", json!([])), None, None).unwrap();
    assert_eq!(tag.passed_over, ["`refs/tags/v1` is not a branch"]);
    let merged = told(
        &[("X-Forgejo-Event", "pull_request")],
        b"{\"action\":\"closed\",\"pull_request\":{\"merged\":true}}",
        None,
        None,
    )
    .unwrap();
    assert!(merged.passed_over[0].contains("the push is what is recorded"));
    let body = push("refs/heads/main", "a", "d", json!([]));
    let good = sign("s3", &body);
    for (headers, wanted) in [
        (vec![], "there is no X-Forgejo-Signature nor X-Gitea-Signature nor X-Hub-Signature-256"),
        (vec![("X-Gitea-Signature", "00")], "does not fit"),
        (vec![("X-Hub-Signature-256", good.as_str())], "does not fit"),
        // the forge's own header decides
        (vec![("X-Forgejo-Signature", "00"), ("X-Gitea-Signature", good.as_str())], "does not fit"),
    ] {
        let refused = told(&headers, &body, Some("s3"), None).unwrap_err().to_string();
        assert!(refused.contains(wanted) && !refused.contains("s3"), "{refused}");
    }
    for (body, wanted) in [
        (&b"null"[..], "no JSON object"),
        (b"{\"ref\":", "not JSON"),
        (b"{}", "X-Gitea-Event"),
        (b"{\"commits\":7}", "another kind"),
    ] {
        let refused = told(&[], body, None, None).unwrap_err().to_string();
        assert!(refused.contains(wanted), "{refused}");
    }
}

fn line(id: u64, on: &str, before: &str, after: &str) -> Value {
    let content = json!({"Commits": [{"Sha1": sha(after), "Message": "x"}], "HeadCommit": {"Sha1": sha(after)},
        "CompareURL": format!("acme/shop/compare/{}...{}", sha(before), sha(after)), "Len": 1});
    json!({"id": id, "op_type": "commit_repo", "act_user": {"id": 12, "login": "bob"}, "ref_name": "refs/heads/main",
        "content": content.to_string(), "created": on})
}

fn asked_for(feed: Value, more: &[(&str, Value)]) -> Collected {
    let routes = routes("yes_merge", &[&[("/activities/feeds", feed)][..], more].concat());
    let server = serve("forgejo", routes, Arc::new(Mutex::new(Vec::new())));
    with_api(&server, "acme/shop", &mut |asking| (forge("forgejo").pushes)(asking, &period()))
}

#[test]
fn the_feed_tells_pushes_once_and_on_every_page() {
    let push = line(9, "2026-11-21T12:00:01Z", "a", "d");
    let watcher = line(8, "2026-11-21T12:00:01Z", "a", "d");
    let other = json!({"id": 7, "op_type": "comment_pull", "content": "1|nice", "created": "2026-11-21T11:00:00Z"});
    let branch = json!({"id": 6, "op_type": "commit_repo", "ref_name": "refs/heads/x", "content": "", "created": "2026-11-21T11:00:00Z"});
    let before = line(5, "2026-11-20T12:00:00Z", "0", "a");
    let all = asked_for(json!({"$pages": [[other, branch], [push, watcher], [before]]}), &[]);
    assert_eq!(all.pushes.len(), 1, "{:?}", all.pushes);
    let push = &all.pushes[0];
    assert_eq!(
        (push.via.as_str(), push.before.clone(), push.after.clone()),
        ("pullRequest", Some(sha("a")), Some(sha("d")))
    );
    assert_eq!(push.occurred_on, Some("2026-11-21T12:00:01Z".parse().unwrap()));
    assert_eq!(push.pusher.as_ref().unwrap().login.as_deref(), Some("bob"));
    assert!(all.missing.is_empty() && all.bypasses.is_empty() && all.authentic, "{all:?}");
}

/// Who keeps their activity private is not in the feed; their pushes leave gaps.
#[test]
fn a_push_that_the_feed_hides_is_missed() {
    let gap = asked_for(
        json!({"$pages": [[line(9, "2026-11-21T12:00:01Z", "a", "d"), line(8, "2026-11-21T09:00:00Z", "1", "2")]]}),
        &[],
    );
    assert!(
        gap.missing.iter().any(|m| m.contains("pushes to main between") && m.contains("activity private")),
        "{:?}",
        gap.missing
    );
    let tip =
        json!({"name": "main", "protected": true, "commit": {"id": sha("9"), "timestamp": "2026-11-21T13:00:00Z"}});
    let after =
        asked_for(json!({"$pages": [[line(9, "2026-11-21T12:00:01Z", "a", "d")]]}), &[("/branches/main", tip.clone())]);
    assert!(after.missing.iter().any(|m| m.contains("pushes to main after")), "{:?}", after.missing);
    let none = asked_for(json!({"$pages": [[]]}), &[("/branches/main", tip)]);
    assert!(
        none.pushes.is_empty() && none.missing.iter().any(|m| m.contains("whose last commit was made at")),
        "{:?}",
        none.missing
    );
}

#[test]
fn a_population_reads_all_pages_of_both_kinds_of_runs() {
    let gitea = |id: u64, on: &str| json!({"id": id, "run_attempt": 2, "run_number": id, "path": "ci.yml@main", "status": "completed", "conclusion": "success", "head_sha": sha("d"), "head_branch": "main", "started_at": on});
    let forgejo = json!({"id": 4, "index_in_repo": 1, "workflow_id": "ci.yml", "status": "failure", "commit_sha": sha("d"), "prettyref": "main", "trigger_user": {"id": 12, "login": "bob"}, "created": "2026-11-21T08:00:00Z", "started": "2026-11-21T08:01:00Z"});
    let old = gitea(1, "2026-11-01T08:00:00Z");
    let runs = |page: Value, total: u64| json!({"total_count": total, "workflow_runs": page});
    let first = runs(json!([gitea(6, "2026-11-22T08:00:00Z"), gitea(5, "2026-11-21T08:00:00Z")]), 4);
    let second = runs(json!([forgejo, old]), 4);
    let feed = json!({"$pages": [[line(9, "2026-11-21T12:00:01Z", "a", "d")]]});
    let more = [("/actions/runs", first), ("/actions/runs?page=2", second), ("/activities/feeds", feed)];
    let server = serve("forgejo", routes("yes_merge", &more), Arc::new(Mutex::new(Vec::new())));
    let all = with_api(&server, "acme/shop", &mut |asking| (forge("forgejo").population)(asking, &period()));
    let items: Vec<_> = all.items.iter().map(|i| (i.what, i.id.as_str(), i.status.as_deref())).collect();
    let pushed = format!("refs/heads/main@{}", sha("d"));
    let expected = [
        (ItemKind::Run, "5", Some("success")),
        (ItemKind::Run, "4", Some("failure")),
        (ItemKind::MergedPullRequest, "1", Some("merged")),
        (ItemKind::Push, pushed.as_str(), None),
    ];
    assert_eq!(items, expected);
    assert_eq!(all.items[1].actor.as_ref().unwrap().login.as_deref(), Some("bob"));
    assert!(all.queries.iter().all(|q| q.complete) && all.missing.is_empty(), "{:?}", all.queries);
    assert_eq!((all.queries[0].pages, all.queries[0].told), (2, Some(4)));
}

#[test]
fn versions_without_runs_tell_jobs_and_a_refusal_is_no_empty_answer() {
    let job = |id: u64, run: u64| json!({"id": id, "run_number": run, "status": "success", "created_at": "2026-11-21T08:00:00Z", "workflow_id": "ci.yml"});
    let jobs = json!({"total_count": 3, "workflow_runs": [job(9, 5), job(8, 5), job(7, 4)]});
    let more = [("/actions/tasks", jobs), ("/activities/feeds", json!({"$status": 403}))];
    let server = serve("gitea", routes("yes_merge", &more), Arc::new(Mutex::new(Vec::new())));
    let all = with_api(&server, "acme/shop", &mut |asking| (forge("gitea").population)(asking, &period()));
    let runs: Vec<_> = all.items.iter().filter(|i| i.what == ItemKind::Run).map(|i| i.id.as_str()).collect();
    assert_eq!(runs, ["5", "4"], "a run is named once");
    assert!(all.queries[0].why.as_deref().unwrap().contains("jobs, not runs") && !all.queries[0].complete);
    assert!(!all.queries[2].complete && all.missing.iter().any(|m| m.contains("read:repository")), "{:?}", all.missing);
}
