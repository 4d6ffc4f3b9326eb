use super::super::cases::{run_all, serve, with_api};
use super::super::{Found, Span};
use super::changes;
use crate::gather::http::loopback::Server;
use crate::record::change_v1::Via;
use crate::record::pull_request_v1::{Approved, PullRequest};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

#[test]
fn cases() {
    run_all("github", 100);
}

/// What a case's file holds, before anything of it is changed.
fn case(name: &str) -> Value {
    let file = folder().join(name).with_extension("json");
    serde_json::from_slice(&std::fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))).unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/forge/github")
}

fn start(case: &Value) -> Server {
    let routes: BTreeMap<String, Value> = serde_json::from_value(case["routes"].clone()).unwrap();
    serve("github", routes, Arc::new(Mutex::new(Vec::new())))
}

fn span(case: &Value) -> Span {
    let text = |name: &str| case[name].as_str().map(str::to_owned);
    Span { base: text("base"), head: text("head").unwrap(), branch: text("branch"), pull_request: None }
}

fn ask(server: &Server, span: &Span) -> Found {
    with_api(server, "shop/till", &mut |asking| changes(asking, span))
}

/// The requests of a span, without the address of the API.
fn asked(server: &Server) -> Vec<String> {
    server.asked().iter().map(|a| a.path.trim_start_matches("/api/repos/shop/till/").to_owned()).collect()
}

#[test]
fn one_pull_request_takes_ten_questions() {
    let case = case("yes_squash");
    let server = start(&case);
    let found = ask(&server, &span(&case));
    assert_eq!((found.changes.len(), found.source), (1, server.url("/api")));
    let asked = asked(&server);
    assert_eq!(asked.len(), 10, "{asked:#?}");
}

#[test]
fn a_token_that_is_refused_is_not_shown_again() {
    let case = case("unread_401");
    let server = start(&case);
    let found = ask(&server, &span(&case));
    assert_eq!(asked(&server).len(), 1);
    assert_eq!(found.missing.len(), 1, "{:?}", found.missing);
}

#[test]
fn what_is_refused_for_many_is_said_once() {
    let mut case = case("yes_revert");
    for number in [7, 8] {
        case["routes"][format!("repos/shop/till/pulls/{number}/reviews")] = json!({"$status": 403});
    }
    let found = ask(&start(&case), &span(&case));
    assert_eq!(found.missing.len(), 1, "{:?}", found.missing);
    assert!(found.missing[0].contains("all reviews of pull request 8") && found.missing[0].ends_with("with 1 more"));
    assert!(found.changes[1].missing[0].contains("all reviews of pull request 7"), "each says its own");
}

#[test]
fn a_run_for_an_open_pull_request_is_about_that_one() {
    let mut case = case("yes_squash");
    let trial = "ab".repeat(20);
    for member in ["merged_at", "merged_by"] {
        case["routes"]["repos/shop/till/pulls/7"][member] = Value::Null;
    }
    let own = PullRequest { number: "7".into(), ..PullRequest::default() };
    let span = Span { head: trial.clone(), pull_request: Some(own), base: Some("cd".repeat(20)), branch: None };
    let server = start(&case);
    let found = ask(&server, &span);
    assert_eq!(found.missing, Vec::<String>::new());
    let [change] = found.changes.as_slice() else { panic!("{:?}", found.changes) };
    let pull = change.pull_request.as_ref().unwrap();
    assert_eq!((change.via, &change.commits), (Via::PullRequest, &vec![trial]));
    assert_eq!((pull.merged_on, &pull.merge_commit), (None, &None), "a trial merge is no merge");
    assert_eq!(change.approval.as_ref().unwrap().verdict, Approved::Yes);
    assert!(change.checks.iter().all(|c| c.passed_at_merge.is_none()));
}

#[test]
fn a_name_that_is_none_is_not_asked_about() {
    let case = case("yes_squash");
    for name in ["till", "", "a/b/c", "/"] {
        let server = start(&case);
        let found = with_api(&server, name, &mut |asking| changes(asking, &span(&case)));
        assert!(found.changes.is_empty() && found.missing.len() == 1 && asked(&server).is_empty(), "{name}");
    }
}

#[test]
fn more_than_can_be_looked_at_is_said() {
    let sha = |i: usize| format!("{i:040x}");
    let commits: Vec<_> = (1..=305).map(|i| json!({"sha": sha(i), "parents": [{"sha": sha(i - 1)}], "commit": {"committer": {"date": "2026-11-01T00:00:00Z"}}})).collect();
    let mut routes = json!({
        format!("repos/shop/till/compare/{}...{}", sha(0), sha(305)): {"total_commits": 305, "commits": commits},
    });
    for i in 1..=305 {
        routes[format!("repos/shop/till/commits/{}/pulls", sha(i))] = json!([]);
    }
    let case = json!({"routes": routes, "base": sha(0), "head": sha(305)});
    let found = ask(&start(&case), &span(&case));
    let [pushed, unknown] = found.changes.as_slice() else { panic!("{:?}", found.changes) };
    assert_eq!((pushed.via, pushed.commits.len(), pushed.commit_count), (Via::DirectPush, 100, Some(300)));
    assert_eq!((unknown.via, unknown.commits.len(), unknown.commit_count), (Via::Unknown, 5, None));
    assert!(found.missing[0].contains("no more than 300 commits"), "{:?}", found.missing);
}

/// Every place in `value` that holds something, as a JSON pointer.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    if !at.is_empty() {
        all.push(at.to_owned());
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                places(member, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| places(item, &format!("{at}/{i}"), all)),
        _ => {}
    }
}

/// The cases with such a verdict, by the beginning of their names.
fn names(verdict: &str) -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path());
    let names = files.map(|f| f.file_stem().unwrap().to_str().unwrap().to_owned());
    // the big ones take long and show nothing more
    let mut names: Vec<_> =
        names.filter(|n| n.starts_with(verdict) && !n.contains("250") && !n.contains("260")).collect();
    names.sort();
    names
}

/// The case with one place of one answer set to `to`.
fn spoilt(name: &str, pick: usize, at: usize, to: &Value) -> (Value, String) {
    let mut case = case(name);
    let routes = case["routes"].as_object_mut().unwrap();
    let Some(route) = routes.keys().nth(pick % routes.len().max(1)).cloned() else { return (case, String::new()) };
    let mut all = Vec::new();
    places(&routes[&route], "", &mut all);
    all.retain(|p| !p.contains("/$"));
    if all.is_empty() {
        return (case, String::new());
    }
    let place = all[at % all.len()].clone();
    *routes[&route].pointer_mut(&place).unwrap() = to.clone();
    (case, format!("{name} {route} {place} {to}"))
}

proptest! {
    #[test]
    fn whatever_stands_in_an_answer_something_is_told(pick: usize, at: usize, n: usize, to in prop_oneof![
        Just(json!(null)), Just(json!([])), Just(json!({})), Just(json!("")), Just(json!("../x?y#z\u{202e}")),
        Just(json!(-1)), Just(json!(1.5)), Just(json!(i64::MAX)), Just(json!(u64::MAX)), Just(json!(true)), Just(json!([null])),
    ]) {
        let all = names("");
        let name = &all[n % all.len()];
        let (case, what) = spoilt(name, pick, at, &to);
        let found = ask(&start(&case), &span(&case));
        let silent = ["unread_rollback", "unread_same_commit"].contains(&name.as_str());
        prop_assert!(silent || !found.changes.is_empty() || !found.missing.is_empty(), "{}", what);
    }

    /// A member that is null where the answer had something may leave it unknown. It is never what makes an approval of it.
    #[test]
    fn a_null_makes_no_approval(pick: usize, at: usize, n: usize) {
        let all = names("no_");
        let name = &all[n % all.len()];
        let (case, what) = spoilt(name, pick, at, &Value::Null);
        // how many are asked for is the rules' to say, and a commit without an account is nobody's
        let rules = ["rules/", "protection", "no_two"].iter().any(|part| what.contains(part));
        let wrote = what.contains("/7/commits");
        if rules || wrote {
            return Ok(());
        }
        let found = ask(&start(&case), &span(&case));
        let judged = |number: &str| found.changes.iter().find(|c| c.pull_request.as_ref().is_some_and(|p| p.number == number));
        let verdict = judged("7").and_then(|c| c.approval.as_ref()).map(|a| a.verdict);
        prop_assert!(verdict != Some(Approved::Yes), "{}: {:#?}", what, found);
    }
}
