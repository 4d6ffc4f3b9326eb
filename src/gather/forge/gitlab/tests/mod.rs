//! Everything against a server that answers as GitLab does.

mod event;
mod population;
mod pushes;

use super::{Collected, Period, Span};
use crate::gather::forge::Asking;
use crate::gather::forge::cases::{self, serve, with_api};
use crate::record::bypass_v1::{BypassKind, Certainty};
use crate::record::pull_request_v1::PullRequest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const PROJECT: &str = "projects/shop%2Fapi";

#[test]
fn every_case_in_the_folder_is_told_as_its_name_says() {
    cases::run_all("gitlab", 22);
}

fn sha(c: char) -> String {
    c.to_string().repeat(40)
}

/// The routes of a project whose `main` is protected; more of them below it.
fn routes(more: Value) -> BTreeMap<String, Value> {
    let mut all = json!({
        "": {"id": 7, "path_with_namespace": "shop/api", "web_url": "https://gitlab.example.test/shop/api",
             "default_branch": "main", "only_allow_merge_if_pipeline_succeeds": true},
        "/repository/branches/main": {"protected": true},
        "/protected_branches": [{"name": "main"}, {"name": "release-*"}],
        "/protected_branches/main": {"name": "main", "push_access_levels": [{"access_level": 0}]},
        "/audit_events": [],
    });
    let more = more.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    all.as_object().unwrap().iter().map(|(path, answer)| (format!("{PROJECT}{path}"), answer.clone())).collect()
}

/// The routes of a merged request: `merge` into `main` with the tip `tip`, and whether bob approved it.
fn merged(number: u32, merge: char, tip: char, approved: bool, pipeline: &str) -> Value {
    let way = format!("/merge_requests/{number}");
    let bob = json!({"id": 12, "username": "bob", "name": "Bob"});
    let request = json!({
        "iid": number, "title": "Cents", "state": "merged", "author": {"id": 11, "username": "ann"}, "target_branch": "main",
        "source_branch": "SHOP-7-cents", "sha": sha(tip), "merge_commit_sha": sha(merge), "merged_at": "2026-11-24T10:00:00Z",
        "merge_user": {"id": 13, "username": "cyd"},
        "head_pipeline": {"id": 70, "sha": sha(tip), "status": pipeline, "created_at": "2026-11-24T08:00:00Z",
                          "updated_at": "2026-11-24T08:30:00Z", "finished_at": "2026-11-24T08:30:00Z"},
    });
    let note = json!({"id": 1, "system": true, "body": "approved this merge request", "author": bob, "created_at": "2026-11-24T09:00:00Z"});
    json!({
        way.clone(): request,
        format!("/repository/commits/{}/merge_requests", sha(merge)): [request],
        format!("{way}/commits"): [{"id": sha(tip), "parent_ids": [sha('0')]}],
        format!("{way}/notes"): if approved { json!([note]) } else { json!([]) },
        format!("{way}/approvals"): {"approvals_required": 1, "approved_by": if approved { json!([{"user": bob}]) } else { json!([]) }},
        format!("{way}/versions"): [{"id": 1, "head_commit_sha": sha(tip), "created_at": "2026-11-24T08:00:00Z"}],
        format!("{way}/pipelines"): [],
        format!("{way}/diffs"): [{"new_path": "src/pay.rs", "old_path": "src/pay.rs"}],
    })
}

fn with(mut routes: Value, more: Value) -> Value {
    routes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    routes
}

fn pushed(id: u64, time: &str, branch: &str, from: Option<char>, to: Option<char>) -> Value {
    let action = match (from, to) {
        (None, _) => "created",
        (_, None) => "removed",
        _ => "pushed",
    };
    json!({
        "id": id, "action_name": "pushed to", "created_at": time, "author": {"id": 13, "username": "cyd", "name": "Cyd"},
        "push_data": {"commit_count": 1, "action": action, "ref_type": "branch", "ref": branch, "ref_count": null,
                      "commit_from": from.map(sha), "commit_to": to.map(sha)},
    })
}

fn day() -> Period {
    Period { from: "2026-11-24T00:00:00Z".parse().unwrap(), to: "2026-11-25T00:00:00Z".parse().unwrap() }
}

fn ask<T>(routes: BTreeMap<String, Value>, question: &mut dyn FnMut(&Asking) -> T) -> (T, Vec<String>) {
    let server = serve("gitlab", routes, Arc::new(Mutex::new(Vec::new())));
    let told = with_api(&server, "shop/api", question);
    (told, server.asked().into_iter().map(|asked| asked.path).collect())
}

fn kinds(all: &Collected) -> Vec<(BypassKind, Certainty)> {
    all.bypasses.iter().map(|b| (b.kind, b.certainty)).collect()
}

fn base(id: char) -> Value {
    json!({"id": sha(id)})
}

#[test]
fn a_merge_request_that_is_not_merged_is_what_the_run_is_for() {
    let mut more = merged(5, 'a', 'b', true, "running");
    let request = &mut more["/merge_requests/5"];
    for name in ["merged_at", "merge_user", "merge_commit_sha"] {
        request[name] = Value::Null;
    }
    request["state"] = json!("opened");
    let open = PullRequest { number: "5".into(), ..PullRequest::default() };
    let span = Span { head: sha('9'), pull_request: Some(open), ..Span::default() };
    let (found, _) = ask(routes(more), &mut |asking| (cases::forge("gitlab").changes)(asking, &span));
    let [change] = &found.changes[..] else { panic!("{found:#?}") };
    assert_eq!((change.commits.clone(), change.approval.as_ref().unwrap().verdict.as_str()), (vec![sha('9')], "yes"));
    let request = change.pull_request.as_ref().unwrap();
    assert_eq!((request.merged_on, request.merge_commit.clone(), request.method.clone()), (None, None, None));
    assert_eq!(change.checks[0].passed_at_merge, None);
}
