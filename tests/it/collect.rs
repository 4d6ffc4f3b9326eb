//! What reaches a protected branch is recorded once, by whichever way it is told, and what was set aside with it.

use crate::fake_github::{Asked, COMMITS, Github, TOKEN};
use crate::stage::{Played, Stage};
use serde_json::{Value, json};

const SECRET: &str = "It's a secret to everybody";
/// 2026-11-23T09:59:58Z.
const PUSHED: i64 = 1_795_427_998;

/// GitHub's `push`, as its webhook sends it: the members that are read (GitHub docs, "Webhook events and payloads").
fn push(after: &str, forced: bool, pushed_at: i64) -> Value {
    json!({
        "ref": "refs/heads/main", "before": COMMITS[1], "after": after, "forced": forced, "created": false, "deleted": false,
        "pusher": {"name": "mallory"}, "sender": {"login": "mallory", "id": 666, "type": "User"},
        "repository": {
            "id": 81, "full_name": "acme/shop", "html_url": "https://github.com/acme/shop", "default_branch": "main",
            "pushed_at": pushed_at,
        },
        "commits": [{"id": after, "message": "SHOP-12 quick fix", "timestamp": "2026-11-23T09:59:58Z",
            "added": [], "removed": [], "modified": [".github/workflows/deploy.yml"]}],
    })
}

fn signature(secret: &str, body: &[u8]) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let hex: String = ring::hmac::sign(&key, body).as_ref().iter().map(|b| format!("{b:02x}")).collect();
    format!("X-Hub-Signature-256: sha256={hex}")
}

/// A stage with this event; the secret of the webhook is in its variable.
fn stage(event: &Value) -> Stage {
    let mut stage = Stage::new();
    stage.env.insert("VOUCHSAFE_WEBHOOK_SECRET".into(), SECRET.into());
    stage.write("event.json", event.to_string());
    stage
}

const EVENT: [&str; 5] = ["collect", "--event", "event.json", "--event-header", "X-GitHub-Event: push"];

/// Hands over the event, signed by GitHub.
fn collect(stage: &Stage, more: &[&str]) -> Played {
    let signed = signature(SECRET, &std::fs::read(stage.at("event.json")).unwrap());
    stage.play(&[&EVENT[..], &["--event-header", &signed], more].concat())
}

/// The records of the vault whose kind is `kind`, in the order of their addresses.
fn records(stage: &Stage, kind: &str) -> Vec<Value> {
    let all = stage.records().into_iter().map(|r| std::fs::read(stage.at(".vouchsafe").join(r)).unwrap());
    let statements = all.map(|bytes| Stage::statement(&bytes));
    let of_kind = |s: &Value| s["predicateType"] == format!("https://vouchsafe.dev/{kind}/v1");
    statements.filter(of_kind).map(|s| s["predicate"].clone()).collect()
}

fn section<'a>(record: &'a Value, name: &str) -> (&'a str, &'a str) {
    let all = record["completeness"].as_array().unwrap();
    let section = all.iter().find(|c| c["section"] == name).unwrap();
    (section["status"].as_str().unwrap(), section["why"].as_str().unwrap_or_default())
}

#[test]
fn a_push_is_a_change_and_what_it_set_aside_a_bypass() {
    let mut stage = stage(&push(COMMITS[0], false, PUSHED));
    let lines = collect(&stage, &["--json", "--ticket", "INC-7", "--review-days", "1"]).exits(0).json_lines();
    let kinds: Vec<&str> = lines.iter().map(|l| l["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["change", "bypass", "summary"]);
    assert_eq!((&lines[0]["stored"], &lines[1]["reviewDueOn"]), (&json!("created"), &json!("2026-11-24")));
    let sum = &lines[2];
    assert_eq!((&sum["changes"], &sum["bypasses"], &sum["recorded"]), (&json!(1), &json!(1), &json!(2)), "{sum}");

    let change = &records(&stage, "change")[0];
    assert_eq!((&change["after"], &change["filedOn"]), (&json!(COMMITS[0]), &json!("2026-11-23")));
    assert_eq!((&change["pusher"]["login"], &change["environment"]), (&json!("mallory"), &json!("source")));
    assert_eq!(section(change, "source").0, "complete");
    assert_eq!(section(change, "changes").0, "partial", "nobody asked the API");
    assert!(change["run"].is_null(), "no CI run");
    let bypass = &records(&stage, "bypass")[0];
    assert_eq!((&bypass["kind"], &bypass["ticket"]), (&json!("pipelineEdit"), &json!("INC-7")));
    assert_eq!(bypass["what"], json!([".github/workflows/deploy.yml"]));
    assert_eq!(section(bypass, "bypass"), ("partial", "nobody said why"));

    // Told a second time, an hour later and in a CI run: nothing is added, and nothing is wrong.
    stage.now += chrono::TimeDelta::hours(1);
    stage.env.extend(Stage::github().env.into_iter().filter(|(name, _)| name.starts_with("GITHUB_")));
    let again = collect(&stage, &["--json", "--ticket", "INC-8", "--api", "never"]).exits(0).json_lines();
    assert_eq!((&again[0]["stored"], &again[2]["alreadyRecorded"]), (&json!("sameClaims"), &json!(2)));
    assert_eq!((stage.records().len(), &records(&stage, "bypass")[0]["ticket"]), (2, &json!("INC-7")));
    let told = collect(&stage, &["--api", "never"]).exits(0).err;
    assert!(told.contains("2 recorded before") && told.contains("/env=source\n"), "{told}");
    stage.play(&["verify"]).exits(0);
}

#[test]
fn bypasses_can_fail_the_step_after_they_are_recorded() {
    let stage = stage(&push(COMMITS[0], false, PUSHED));
    let played = collect(&stage, &["--fail-on", "bypasses"]).exits(4);
    assert!(played.err.contains("vouchsafe review"), "{}", played.err);
    assert_eq!(stage.records().len(), 2);
    // Nobody asked the API, so not everything is known.
    let told = collect(&stage, &["--fail-on", "incomplete"]).exits(1);
    assert!(told.err.contains("in this event: 1 change, 1 bypass, 2 recorded before"), "{}", told.err);
}

#[test]
fn what_the_forge_did_not_sign_is_refused_or_said() {
    let mut stage = stage(&push(COMMITS[0], false, PUSHED));
    let body = std::fs::read(stage.at("event.json")).unwrap();
    let wrong = signature("guessed", &body);
    for (header, says) in [
        (wrong.as_str(), "X-Hub-Signature-256"),
        ("X-Hub-Signature: sha1=00", "SHA-1"),
        ("X-GitHub-Delivery: 1", "no X-Hub-Signature-256"),
    ] {
        let refused = stage.play(&[&EVENT[..], &["--event-header", header, "--json"]].concat()).exits(3);
        assert!(refused.err.contains(says), "{}", refused.err);
        assert!(!refused.err.contains(SECRET) && refused.out.is_empty(), "{}", refused.err);
    }
    // A byte more, and the signature is another's.
    let signed = signature(SECRET, &body);
    stage.write("event.json", [&body[..], b" "].concat());
    stage.play(&[&EVENT[..], &["--event-header", &signed]].concat()).exits(3);
    assert_eq!(stage.files(".vouchsafe"), Vec::<String>::new());

    // Without a secret it is recorded, and says that anybody may have sent it. The token is not spent on it.
    stage.write("event.json", &body);
    stage.env.remove("VOUCHSAFE_WEBHOOK_SECRET");
    let github = Github::start(|_: &Asked| None);
    stage.env.insert("GITHUB_SERVER_URL".into(), github.server());
    stage.env.insert("GITHUB_API_URL".into(), github.url());
    stage.env.insert("GITHUB_TOKEN".into(), TOKEN.into());
    stage.env.insert("GITHUB_REPOSITORY".into(), "acme/shop".into());
    let played = stage.play(&EVENT).exits(0);
    assert!(played.err.contains("warning: nobody checked that the forge sent this"), "{}", played.err);
    assert_eq!(github.asked().len(), 0);
    let change = &records(&stage, "change")[0];
    assert_eq!(section(change, "source").0, "partial");
    assert!(section(change, "changes").1.contains("--webhook-secret"), "{change}");
}

#[test]
fn the_secret_is_in_a_file_or_in_its_variable_and_never_told() {
    let mut stage = stage(&push(COMMITS[0], false, PUSHED));
    stage.env.remove("VOUCHSAFE_WEBHOOK_SECRET");
    stage.write("hook.txt", format!("{SECRET}\n"));
    stage.write("empty.txt", "\n");
    collect(&stage, &["--webhook-secret", "hook.txt"]).exits(0);
    let played = collect(&stage, &["--webhook-secret", SECRET]).exits(1);
    assert!(played.err.contains("VOUCHSAFE_WEBHOOK_SECRET") && !played.err.contains(SECRET), "{}", played.err);
    assert!(collect(&stage, &["--webhook-secret", "empty.txt"]).exits(1).err.contains("is empty"));
    let header = stage.play(&["collect", "--event", "event.json", "--event-header", "glpat-1234"]).exits(2);
    assert!(header.err.contains("number 1") && !header.err.contains("glpat"), "{}", header.err);
}

#[test]
fn what_the_api_adds_stands_beside_what_the_webhook_told() {
    let mut stage = stage(&push(COMMITS[0], false, PUSHED));
    collect(&stage, &["--api", "never"]).exits(0);
    let activity = |asked: &Asked| {
        let row = json!({"id": 1, "before": COMMITS[1], "after": COMMITS[0], "ref": "refs/heads/main",
            "timestamp": "2026-11-23T09:59:57Z", "activity_type": "pr_merge", "actor": {"login": "mallory", "id": 666}});
        asked.path.contains("/activity").then(|| (200, vec![], json!([row])))
    };
    let github = Github::start(activity);
    stage.env.extend(Stage::github().env.into_iter().filter(|(name, _)| name.starts_with("GITHUB_")));
    stage.env.insert("GITHUB_SERVER_URL".into(), github.server());
    stage.env.insert("GITHUB_API_URL".into(), github.url());
    stage.env.insert("GITHUB_TOKEN".into(), TOKEN.into());
    stage.now += chrono::TimeDelta::hours(12);
    let polled = stage.play(&["collect", "--since", "26h", "--json"]).exits(0);
    let changes = records(&stage, "change");
    assert_eq!(changes.len(), 2, "{}\n{}", polled.out, polled.err);
    let (first, second) = (&changes[0], &changes[1]);
    assert_eq!((section(first, "changes").0, section(second, "changes")), ("partial", ("complete", "")), "{second}");
    assert_eq!(second["changes"][0]["approval"]["verdict"], "yes", "{second}");
    assert_eq!(second["run"]["id"], "4711");
    let standing = stage.records().into_iter().find(|r| r.contains("/change-") && !r.contains("completes")).unwrap();
    assert_eq!(second["completes"]["address"], standing, "it names what it completes");
    stage.play(&["verify"]).exits(0);

    // From now on nothing is new, whoever tells it.
    let n = stage.records().len();
    let again = stage.play(&["collect", "--since", "26h", "--json"]).exits(0).json_lines();
    assert_eq!((&again[0]["stored"], stage.records().len()), (&json!("sameClaims"), n), "{again:?}");
    collect(&stage, &["--api", "never"]).exits(0);
    assert_eq!(stage.records().len(), n);
    let shown = stage.play(&["show", standing.as_str()]).exits(0).out;
    assert!(shown.contains("came by") && shown.contains("refs/heads/main"), "{shown}");
}

#[test]
fn around_midnight_one_event_stays_one() {
    const MIDNIGHT: i64 = PUSHED + 2 + 14 * 3600;
    let mut stage = stage(&push(COMMITS[0], false, MIDNIGHT - 2));
    stage.now = "2026-11-24T00:00:30Z".parse().unwrap();
    collect(&stage, &[]).exits(0);
    assert!(stage.records().iter().all(|r| r.contains("date=2026-11-23")), "{:?}", stage.records());
    // The clock of another server is three seconds ahead.
    stage.write("event.json", push(COMMITS[0], false, MIDNIGHT + 1).to_string());
    let again = collect(&stage, &["--json"]).exits(0).json_lines();
    assert_eq!((&again[2]["alreadyRecorded"], stage.records().len()), (&json!(2), 2), "{again:?}");
    // A day later it is another event.
    stage.write("event.json", push(COMMITS[0], false, MIDNIGHT + 86_400).to_string());
    stage.now += chrono::TimeDelta::hours(25);
    collect(&stage, &[]).exits(0);
    assert_eq!(stage.records().len(), 4);
}

#[test]
fn what_is_only_not_known_contradicts_nothing() {
    let stage = stage(&push(COMMITS[0], true, PUSHED));
    collect(&stage, &["--api", "never"]).exits(0);
    assert_eq!(records(&stage, "change")[0]["via"], "forcePush");
    stage.write("event.json", push(COMMITS[0], false, PUSHED).to_string());
    let lines = collect(&stage, &["--api", "never", "--json"]).exits(0).json_lines();
    assert_eq!(lines[0]["stored"], "sameClaims", "{lines:?}");
}

#[test]
fn a_conflict_is_kept_and_does_not_stop_the_others() {
    let stage = stage(&push(COMMITS[0], false, PUSHED));
    collect(&stage, &[]).exits(0);
    // To who believes another key, what stands there says nothing.
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys");
    let (private, public) = (format!("{keys}/test-private.pem"), format!("{keys}/test-public.pem"));
    let lines = collect(&stage, &["--signing-key", &private, "--key", &public, "--json"]).exits(5).json_lines();
    assert_eq!((lines.len(), &lines[2]["conflicts"]), (3, &json!(2)), "{lines:?}");
    assert_eq!(stage.records().iter().filter(|r| r.contains(".conflict-")).count(), 2);
}

#[test]
fn events_of_nothing_that_is_recorded() {
    let stage = stage(
        &json!({"zen": "Keep it logically awesome.", "hook_id": 1, "repository": {"id": 81, "full_name": "acme/shop"}}),
    );
    let ping = ["collect", "--event", "-", "--json", "--event-header"];
    let played = stage.play(&["collect", "--event", "event.json", "--json", "--event-header", "X-GitHub-Event: ping"]);
    assert_eq!(played.code, 3, "the secret is in its variable, and this is not signed: {}", played.err);
    let body = std::fs::read(stage.at("event.json")).unwrap();
    let signed = signature(SECRET, &body);
    let words = [
        "collect",
        "--event",
        "event.json",
        "--json",
        "--event-header",
        "X-GitHub-Event: ping",
        "--fail-on",
        "incomplete",
        "--event-header",
        &signed,
    ];
    let lines = stage.play(&words).exits(0).json_lines();
    assert_eq!((lines.len(), lines[0]["passedOver"].as_array().unwrap().len()), (1, 1), "{lines:?}");
    assert_eq!(stage.files(".vouchsafe"), Vec::<String>::new(), "nothing to record makes no vault");
    // Bad input is normal.
    for (body, says) in [("", "event"), ("[]", "event"), ("{\"ref\":", "event"), ("\u{0}", "event"), ("{}", "event")] {
        let mut stage = Stage::new();
        stage.write("event.json", body);
        for words in [&EVENT[..], &EVENT[..3]] {
            let played = stage.play(words).exits(1);
            assert!(played.err.contains(says) && played.err.contains("help: "), "{body:?}: {}", played.err);
        }
        stage.typed = Some("{}");
        stage.play(&[&ping[..], &["X-Gitlab-Event: Push Hook"]].concat()).exits(1);
    }
}

#[test]
fn nothing_is_stored_by_a_dry_run() {
    let stage = stage(&push(COMMITS[0], false, PUSHED));
    let lines = collect(&stage, &["--dry-run"]).exits(0).json_lines();
    let types: Vec<&str> = lines.iter().map(|l| l["predicateType"].as_str().unwrap()).collect();
    assert_eq!(types, ["https://vouchsafe.dev/change/v1", "https://vouchsafe.dev/bypass/v1"]);
    assert_eq!(lines[0]["subject"][1]["digest"]["gitCommit"], COMMITS[0]);
    assert_eq!(stage.files(".vouchsafe"), Vec::<String>::new());
}

#[test]
fn a_store_that_does_not_answer_is_asked_once_and_everything_is_kept() {
    let mut stage = stage(&push(COMMITS[0], false, PUSHED));
    stage.play(&["key", "new"]).exits(0);
    let key = stage.at("home/.config/vouchsafe/signing-key.pem").display().to_string();
    for (name, value) in
        [("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")]
    {
        stage.env.insert(name.into(), value.into());
    }
    let played = collect(&stage, &["--vault", "s3://evidence", "--signing-key", &key, "--json"]).exits(6);
    assert_eq!(played.json_lines()[0]["undelivered"], 2, "{}", played.err);
    let done = stage.play(&["flush", "--vault", "v", "--json"]).exits(0).json_lines();
    assert_eq!(done.len(), 2);
    assert_eq!(stage.files("v/evidence").iter().filter(|f| f.ends_with(".json")).count(), 2);
}

#[test]
fn wrong_words_say_what_would_be_right() {
    let stage = stage(&push(COMMITS[0], false, PUSHED));
    for (words, says) in [
        (vec!["collect"], "--since 26h"),
        (vec!["collect", "--population"], "--since 7d"),
        (vec!["collect", "--event", "event.json", "--since", "1h"], "run the command twice"),
        (vec!["collect", "--since", "soon"], "as in 15m"),
        (vec!["collect", "--from", "yesterday"], "2026-11-01"),
        (vec!["collect", "--from", "2026-11-30"], "lies ahead"),
        (vec!["collect", "--since", "1h", "-e", " "], "--environment"),
        (vec!["collect", "--since", "1h", "--ticket-pattern", "("], "regular expression"),
        (vec!["collect", "--since", "1h", "--pipeline-file", "a["], "glob"),
    ] {
        let played = stage.play(&words).exits(2);
        assert!(played.err.contains(says), "{words:?}: {}", played.err);
    }
    // Nobody to ask.
    let played = stage.play(&["collect", "--since", "1h"]).exits(1);
    assert!(played.err.contains("--repository OWNER/NAME"), "{}", played.err);
    let played = collect(&stage, &["--repository", "acme/other"]).exits(1);
    assert!(played.err.contains("`acme/shop`, and not of `acme/other`"), "{}", played.err);
    assert_eq!(stage.files(".vouchsafe"), Vec::<String>::new());
}

#[test]
fn names_of_others_are_shown_and_not_acted_on() {
    let mut event = push(COMMITS[0], false, PUSHED);
    event["sender"]["login"] = json!("m\u{1b}[2Jallory\u{202e}");
    event["commits"][0]["modified"] = json!([".github/workflows/\u{1b}]0;x\u{7}.yml"]);
    let stage = stage(&event);
    let played = collect(&stage, &[]).exits(0);
    let bypass = stage.records().into_iter().find(|r| r.contains("/bypass-")).unwrap();
    let outputs = [
        played.err,
        stage.play(&["show", &bypass]).exits(0).out,
        stage.play(&["list", "--format", "csv"]).exits(0).out,
        stage.play(&["review", "--list"]).exits(0).out,
        stage.play(&["show", COMMITS[0]]).exits(1).err,
    ];
    for text in outputs {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }
}

#[test]
fn what_the_platform_says_happened_is_a_population() {
    let mut stage = Stage::github();
    let runs = |asked: &Asked| {
        let run = json!({"id": 900, "run_attempt": 2, "name": "deploy", "status": "completed", "conclusion": "success",
            "created_at": "2026-11-23T08:00:00Z", "run_started_at": "2026-11-23T08:00:00Z", "event": "push",
            "head_sha": COMMITS[0], "head_branch": "main", "html_url": "https://github.com/acme/shop/actions/runs/900",
            "actor": {"login": "ada", "id": 1, "type": "User"}});
        asked.path.contains("/actions/runs").then(|| (200, vec![], json!({"total_count": 1, "workflow_runs": [run]})))
    };
    let github = Github::start(runs);
    stage.env.insert("GITHUB_SERVER_URL".into(), github.server());
    stage.env.insert("GITHUB_API_URL".into(), github.url());
    stage.env.insert("GITHUB_TOKEN".into(), TOKEN.into());
    let lines = stage.play(&["collect", "--population", "--from", "2026-11-23", "--json"]).exits(0).json_lines();
    assert_eq!((&lines[0]["kind"], &lines[1]["populations"]), (&json!("population"), &json!(1)), "{lines:?}");
    let record = &records(&stage, "population")[0];
    assert_eq!((&record["from"], &record["to"]), (&json!("2026-11-23T00:00:00Z"), &json!("2026-11-23T10:00:00Z")));
    assert!(record["items"].as_array().unwrap().iter().any(|i| i["what"] == "run" && i["id"] == "900"), "{record}");
    assert_eq!(section(record, "items").0, "partial", "this GitHub knows of no deployments: {record}");
    stage.play(&["verify"]).exits(0);
    // A token that may not: nothing is recorded, and that is no success.
    let closed = Github::start(|_: &Asked| Some((403, vec![], json!({"message": "no"}))));
    stage.env.insert("GITHUB_SERVER_URL".into(), closed.server());
    stage.env.insert("GITHUB_API_URL".into(), closed.url());
    for words in [vec!["collect", "--population", "--since", "2h"], vec!["collect", "--since", "2h"]] {
        let played = stage.play(&words).exits(1);
        assert!(played.err.contains("403"), "{}", played.err);
    }
    assert_eq!(stage.records().len(), 1);
}

/// The token of a workflow may never read rule suites: said, and no failure of every night on which nothing happened.
#[test]
fn a_quiet_night_is_no_failure() {
    let mut stage = Stage::github();
    let nothing = |asked: &Asked| asked.path.contains("/activity").then(|| (200, vec![], json!([])));
    let github = Github::start(nothing);
    stage.env.insert("GITHUB_SERVER_URL".into(), github.server());
    stage.env.insert("GITHUB_API_URL".into(), github.url());
    stage.env.insert("GITHUB_TOKEN".into(), TOKEN.into());
    let played = stage.play(&["collect", "--since", "26h"]).exits(0);
    assert!(
        played.err.contains("0 changes, 0 bypasses") && played.err.contains("bypasses of rulesets"),
        "{}",
        played.err
    );
    stage.play(&["collect", "--since", "26h", "--fail-on", "incomplete"]).exits(1);
    assert_eq!(stage.files(".vouchsafe"), Vec::<String>::new());
}
