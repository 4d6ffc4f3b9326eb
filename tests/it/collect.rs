//! What reaches a protected branch is recorded once, by whichever way it is told, and what was set aside with it.

use crate::stage::{Played, Stage};
use serde_json::{Value, json};

const BEFORE: &str = "1111111111111111111111111111111111111111";
const AFTER: &str = "2222222222222222222222222222222222222222";
const PUBLIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/test-public.pem");

/// GitHub's `push`, as its webhook sends it: the members that are read (GitHub docs, "Webhook events and payloads").
fn push(after: &str, forced: bool) -> Value {
    json!({
        "ref": "refs/heads/main", "before": BEFORE, "after": after, "forced": forced, "created": false, "deleted": false,
        "pusher": {"name": "mallory"}, "sender": {"login": "mallory", "id": 666, "type": "User"},
        "repository": {
            "id": 81, "full_name": "acme/shop", "html_url": "https://github.com/acme/shop", "default_branch": "main",
            "pushed_at": 1_795_514_400,
        },
        "head_commit": {"id": after, "timestamp": "2026-11-23T09:59:58Z"},
        "commits": [{"id": after, "message": "SHOP-12 quick fix", "timestamp": "2026-11-23T09:59:58Z",
            "added": [], "removed": [], "modified": [".github/workflows/deploy.yml"]}],
    })
}

fn signature(secret: &str, body: &[u8]) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let hex: String = ring::hmac::sign(&key, body).as_ref().iter().map(|b| format!("{b:02x}")).collect();
    format!("X-Hub-Signature-256: sha256={hex}")
}

fn stage(event: &Value) -> Stage {
    let mut stage = Stage::new();
    stage.env.insert("VOUCHSAFE_WEBHOOK_SECRET".into(), "It's a secret to everybody".into());
    stage.write("event.json", event.to_string());
    stage
}

const EVENT: [&str; 5] = ["collect", "--event", "event.json", "--event-header", "X-GitHub-Event: push"];

fn collect(stage: &Stage, more: &[&str]) -> Played {
    let body = std::fs::read(stage.at("event.json")).unwrap();
    let signed = signature("It's a secret to everybody", &body);
    stage.play(&[&EVENT[..], &["--event-header", &signed], more].concat())
}

/// The records of the vault whose kind is `kind`.
fn records(stage: &Stage, kind: &str) -> Vec<Value> {
    let all = stage.records().into_iter().map(|r| std::fs::read(stage.at(".vouchsafe").join(r)).unwrap());
    let statements = all.map(|bytes| Stage::statement(&bytes));
    let of_kind = |s: &Value| s["predicateType"] == format!("https://vouchsafe.dev/{kind}/v1");
    statements.filter(of_kind).map(|s| s["predicate"].clone()).collect()
}

#[test]
fn a_push_that_nobody_asked_for_is_a_change_and_a_bypass() {
    let stage = stage(&push(AFTER, true));
    let played = collect(&stage, &["--json", "--ticket", "INC-7"]).exits(0);
    println!("{}\n{}", played.out, played.err);
    let lines = played.json_lines();
    println!("{:#}", json!(records(&stage, "change")));
    println!("{:#}", json!(records(&stage, "bypass")));
    println!("{:#?}", stage.records());
    println!("{}", collect(&stage, &[]).exits(0).err);
    println!("{}", stage.play(&["list"]).exits(0).out);
    println!("{}", stage.play(&["verify"]).exits(0).out);
    panic!("{lines:?}");
}
