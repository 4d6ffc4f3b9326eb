use super::*;
use crate::record;
use serde_json::{Value, json};

fn entry(kind: &str, name: &str, record: Value) -> Entry {
    let common = json!({
        "schemaVersion": "1.0.0", "recordId": "01a207d9-2100-7a11-8000-000000000001", "recordedOn": "2026-11-23T10:00:00Z",
        "environment": "p", "tool": {"name": "vouchsafe", "version": "0"}, "completeness": [], "provenance": [],
    });
    let mut all = common.as_object().unwrap().clone();
    all.extend(record.as_object().unwrap().clone());
    let bytes = serde_json::to_vec(&all).unwrap();
    let read = record::read(&format!("https://vouchsafe.dev/{kind}/v1"), &bytes).unwrap();
    let address = format!("evidence/env=p/date=2026-11-23/run=github-1-1/{name}.json");
    let mut entry = Entry::unread(&address, String::new());
    entry.sha256 = Some(Sha256Digest::of(address.as_bytes()));
    entry.verdict = Verdict::Valid;
    entry.record = Some(read.record);
    entry
}

fn bypass(name: &str, kind: &str, login: &str) -> Entry {
    entry(
        "bypass",
        name,
        json!({"platform": "github", "kind": kind, "certainty": "derived", "filedOn": "2026-11-23", "what": ["x"],
               "actor": {"login": login}, "reviewDueOn": "2026-11-25"}),
    )
}

fn run(name: &str, due: &str) -> Entry {
    entry(
        "run",
        name,
        json!({"run": {"platform": "github", "id": "1", "attempt": 1, "outcome": "succeeded"},
               "operator": {"login": "ada", "how": "ciEnvironment", "onBehalfOf": {"login": "eve"}},
               "emergency": {"reason": "down", "reviewDueOn": due}}),
    )
}

fn review(of: &Entry, login: &str, change: impl FnOnce(&mut Value)) -> Entry {
    let mut record = json!({
        "answers": {"sha256": of.sha256.unwrap(), "address": of.address, "kind": "bypass",
                    "recordId": "01a207d9-2100-7a11-8000-000000000001"},
        "reviewer": {"login": login, "how": "flag"}, "decision": "accepted",
    });
    change(&mut record);
    entry("review", &format!("review-{login}"), record)
}

fn paired(entries: &[&Entry]) -> Vec<Waiting> {
    let mut reviews = Reviews::default();
    entries.iter().for_each(|entry| reviews.see(entry));
    reviews.paired()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn whose_review_counts() {
    let done = bypass("bypass-x", "directPush", "ada");
    let twice = |v: &mut Value| v["reviewerIsActor"] = json!(true);
    let elsewhere = |v: &mut Value| v["environment"] = json!("staging");
    let late = |v: &mut Value| v["recordedOn"] = json!("2026-11-26T00:00:00Z");
    let in_time = |v: &mut Value| v["recordedOn"] = json!("2026-11-25T23:59:59Z");
    let rejected = |v: &mut Value| v["decision"] = json!("rejected");
    let same = |_: &mut Value| {};
    let cases: [(&str, Entry, State); 8] = [
        ("somebody else", review(&done, "grace", same), State::Reviewed),
        ("who says no has reviewed it, too", review(&done, "grace", rejected), State::Reviewed),
        ("the last day is in time", review(&done, "grace", in_time), State::Reviewed),
        ("the day after is not", review(&done, "grace", late), State::Late),
        ("the one who did it", review(&done, "Ada", same), State::Overdue),
        ("who was known to be the one when it was signed", review(&done, "ada2", twice), State::Overdue),
        ("a key of another environment", review(&done, "grace", elsewhere), State::Overdue),
        ("of something else", review(&bypass("bypass-y", "directPush", "ada"), "grace", same), State::Overdue),
    ];
    for (name, review, want) in cases {
        let all = paired(&[&review, &done]);
        assert_eq!((all.len(), all[0].state(day("2026-11-27"))), (1, want), "{name}: {all:?}");
    }
    let unsigned = Entry { verdict: Verdict::Untrusted, ..review(&done, "grace", same) };
    let mut reviews = Reviews::default();
    [&done, &unsigned].iter().for_each(|entry| reviews.see(entry));
    assert_eq!(reviews.unverified, 1);
    assert_eq!(reviews.paired()[0].state(day("2026-11-25")), State::Due);
}

#[test]
fn an_emergency_is_one_and_only_with_its_own_run() {
    let emergency = bypass("bypass", "emergencyDeploy", "ada");
    let all = paired(&[&emergency, &run("run", "2026-11-24")]);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].what.kind, all[0].also.as_ref().unwrap().kind), ("bypass", "run"));
    assert_eq!(all[0].due_on, Some(day("2026-11-24")), "the earlier day");
    // For whom it was done counts as having done it.
    let own = review(&emergency, "eve", |_| {});
    assert_eq!(paired(&[&emergency, &run("run", "2026-11-25"), &own])[0].settled(), None);
    // Another component, or another kind of bypass in the same folder, is another thing.
    assert_eq!(paired(&[&emergency, &run("run-api", "2026-11-25")]).len(), 2);
    assert_eq!(paired(&[&bypass("bypass", "directPush", "ada"), &run("run", "2026-11-25")]).len(), 2);
    // An emergency whose bypass is not there waits all the same.
    assert_eq!(paired(&[&run("run", "2026-11-25")])[0].what.kind, "run");
    let ordinary =
        entry("run", "run", json!({"run": {"platform": "github", "id": "1", "attempt": 1, "outcome": "failed"}}));
    assert!(paired(&[&ordinary]).is_empty());
}

#[test]
fn who_is_the_same() {
    let actor = |id: Option<&str>, login: Option<&str>| Actor {
        id: id.map(Into::into),
        login: login.map(Into::into),
        name: Some("Same Name".into()),
    };
    for (a, b, want) in [
        (actor(Some("1"), Some("ada")), actor(Some("1"), Some("renamed")), Some(true)),
        (actor(Some("1"), Some("ada")), actor(Some("2"), Some("grace")), Some(false)),
        (actor(Some("1"), Some("ada")), actor(Some("https://sso#7"), Some("Ada")), Some(true)),
        (actor(None, Some("ada")), actor(Some("2"), Some("ADA")), Some(true)),
        (actor(None, Some("ada")), actor(None, Some("grace")), Some(false)),
        (actor(Some("1"), None), actor(None, Some("ada")), None),
        (actor(None, None), actor(None, None), None),
    ] {
        assert_eq!((is_same(&a, &b), is_same(&b, &a)), (want, want), "{a:?} {b:?}");
    }
}
