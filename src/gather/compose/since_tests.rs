//! What a forge may answer, and what the record says then.

use super::*;
use crate::record::RunRecord;
use crate::record::parts_v1::Ticket;
use serde_json::json;

const HEAD: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b";
const BASE: &str = "1111111111111111111111111111111111111111";
const TIP: &str = "2222222222222222222222222222222222222222";

fn gathered(changes: serde_json::Value) -> Gathered {
    let value = json!({
        "schemaVersion": "1.0.0", "recordId": uuid::Uuid::nil(), "recordedOn": "2026-11-23T10:00:00Z", "environment": "prod",
        "run": {"platform": "github", "id": "1", "attempt": 1, "outcome": "succeeded"},
        "repository": {"name": "acme/shop", "defaultBranch": "main"},
        "commit": {"sha": HEAD},
        "changes": changes,
        "tickets": [{"id": "SHOP-1", "namedIn": "branch"}],
        "tool": {"name": "vouchsafe", "version": "0.0.0"},
        "completeness": [{"section": "changes", "status": "unavailable", "why": "the forge was not asked"}],
        "provenance": [{"fact": "changes.via", "how": "eventFile"}],
    });
    let record: RunRecord = serde_json::from_value(value).unwrap();
    Gathered { record, warnings: Vec::new(), unreadable: Vec::new(), lacks: vec!["no event file was named".into()] }
}

fn pull(number: &str) -> Change {
    let value = json!({"via": "pullRequest", "pullRequest": {"number": number}, "commits": [HEAD]});
    serde_json::from_value(value).unwrap()
}

fn previous() -> Previous {
    Previous {
        address: "evidence/env=prod/date=2026-11-22/run=github-0-1/run.json".into(),
        sha256: crate::record::digest::Sha256Digest::of(b""),
        commit: BASE.into(),
        recorded_on: "2026-11-22T10:00:00Z".parse().unwrap(),
    }
}

fn answer(changes: Vec<Change>, missing: &[&str]) -> Answer {
    let missing = missing.iter().map(|m| (*m).to_owned()).collect();
    Answer {
        found: Found { changes, missing, source: "https://api.example".into() },
        previous: Some(previous()),
        doubts: Vec::new(),
    }
}

fn said(g: &Gathered, section: &str) -> (Status, String) {
    let all: Vec<_> = g.record.completeness.iter().filter(|c| c.section == section).collect();
    assert_eq!(all.len(), 1, "{section}");
    (all[0].status, all[0].why.clone().unwrap_or_default())
}

fn source<'a>(g: &'a Gathered, fact: &str) -> Option<(How, &'a str)> {
    g.record.provenance.iter().find(|p| p.fact == fact).map(|p| (p.how, p.source.as_deref().unwrap_or_default()))
}

#[test]
fn an_answer_without_gaps_is_complete() {
    let mut g = gathered(json!([]));
    let mut change = pull("7");
    change.tickets =
        ["SHOP-1", "SHOP-2", "SHOP-2"].map(|id| Ticket { id: id.into(), named_in: "pullRequestTitle".into() }).to_vec();
    g.asked(answer(vec![change.clone(), pull("6")], &[]));
    assert_eq!(said(&g, "changes"), (Status::Complete, String::new()));
    assert_eq!(g.record.changes, [change, pull("6")]);
    assert_eq!(g.record.previous, Some(previous()));
    assert_eq!(source(&g, "changes"), Some((How::Api, "https://api.example")));
    assert_eq!(source(&g, "changes.since"), Some((How::Derived, previous().address.as_str())));
    assert_eq!(source(&g, "changes.via"), None, "nothing of the event is left");
    let ids: Vec<_> = g.record.tickets.iter().map(|t| (t.id.as_str(), t.named_in.as_str())).collect();
    assert_eq!(ids, [("SHOP-1", "branch"), ("SHOP-2", "pullRequestTitle")]);
}

#[test]
fn what_is_missing_is_said_once_and_bounded() {
    let mut g = gathered(json!([]));
    let mut change = pull("7");
    change.missing = vec!["reviews were refused (403)".into(), "checks were refused (403)".into()];
    g.asked(answer(vec![change], &["reviews were refused (403)"]));
    let (status, why) = said(&g, "changes");
    assert_eq!(status, Status::Partial);
    assert_eq!(why, "reviews were refused (403); pull request 7: checks were refused (403)");

    let mut g = gathered(json!([]));
    let many: Vec<String> = (0..13).map(|n| format!("{n} {}", "ü".repeat(1000))).collect();
    g.asked(answer(Vec::new(), &many.iter().map(String::as_str).collect::<Vec<_>>()));
    let (status, why) = said(&g, "changes");
    assert_eq!(status, Status::Unavailable, "nothing was learned");
    assert!(why.ends_with("; and 3 more") && why.len() < 7000, "{}", why.len());
}

#[test]
fn a_doubt_about_the_base_is_partial() {
    let mut g = gathered(json!([]));
    g.asked(Answer { doubts: vec!["nobody knows".into()], previous: None, ..answer(vec![pull("7")], &[]) });
    assert_eq!(said(&g, "changes"), (Status::Partial, "nobody knows".to_owned()));
    assert!(source(&g, "changes.since").unwrap().1.contains("no deployment before"));
}

#[test]
fn without_an_answer_the_platforms_word_stands() {
    let own = json!([{"via": "mergeQueue"}]);
    let mut g = gathered(own.clone());
    g.not_asked("there is no token".into());
    assert_eq!(said(&g, "changes"), (Status::Partial, "no event file was named; there is no token".to_owned()));
    assert_eq!(g.record.changes.len(), 1);
    let mut g = gathered(json!([]));
    g.not_asked("there is no token".into());
    assert_eq!(said(&g, "changes").0, Status::Unavailable);
    // the queue's own commit is not where the API would look
    let mut g = gathered(own);
    g.asked(answer(Vec::new(), &[]));
    assert_eq!(g.record.changes[0].via, Via::MergeQueue);
    assert!(source(&g, "changes.via").is_some(), "and it still has its own source");
}

#[test]
fn a_run_for_a_pull_request_asks_for_it_alone() {
    let own = json!([{"via": "pullRequest", "pullRequest": {"number": "7", "head": TIP, "target": "main"}}]);
    let mut g = gathered(own.clone());
    let span = g.span(Some(&previous())).unwrap();
    assert_eq!((span.base, span.head.as_str(), span.branch.as_deref()), (None, TIP, Some("main")));
    assert_eq!(span.pull_request.unwrap().number, "7");
    // a forge that found the commit and not the request knows less than the platform
    let direct = Change { commits: vec![HEAD.into()], ..Change::by(Via::DirectPush) };
    g.asked(Answer { previous: None, ..answer(vec![direct], &[]) });
    assert_eq!(g.record.changes.len(), 1);
    assert_eq!(g.record.changes[0].pull_request.as_ref().unwrap().number, "7");
    assert!(said(&g, "changes").1.contains("it is not merged"));

    let mut g = gathered(own);
    g.asked(Answer { previous: None, ..answer(vec![pull("7")], &[]) });
    assert_eq!((g.record.changes, g.record.completeness[0].status), (vec![pull("7")], Status::Complete));
}

#[test]
fn a_push_that_rewrote_history_stays_one() {
    let own = json!([{"via": "forcePush"}]);
    let mut g = gathered(own.clone());
    let direct = Change { commits: vec![HEAD.into()], ..Change::by(Via::DirectPush) };
    g.asked(answer(vec![direct.clone()], &[]));
    assert_eq!(g.record.changes, [Change { via: Via::ForcePush, ..direct.clone() }]);
    let mut g = gathered(own);
    g.asked(answer(vec![pull("7")], &[]));
    assert_eq!(g.record.changes, [pull("7"), Change { via: Via::ForcePush, ..direct }]);
}

#[test]
fn a_span_reaches_from_the_previous_deployment_to_the_commit() {
    let mut g = gathered(json!([]));
    let span = g.span(Some(&previous())).unwrap();
    assert_eq!((span.base.as_deref(), span.head.as_str(), span.branch.as_deref()), (Some(BASE), HEAD, Some("main")));
    let commit = g.record.commit.as_mut().unwrap();
    commit.branch = Some("release".into());
    let span = g.span(None).unwrap();
    assert_eq!((span.base, span.branch.as_deref()), (None, Some("release")));
    g.record.commit = None;
    assert!(g.span(None).unwrap_err().contains("no commit"));
}
