//! What was set aside is reviewed afterwards by somebody else, and what is not is overdue.

use crate::stage::{Played, Stage};
use serde_json::{Value, json};

/// A vault with one emergency of `ada`, recorded on Monday the 23rd, due on Wednesday.
fn stage() -> Stage {
    let stage = Stage::new();
    let words = [
        "attest",
        "-e",
        "production",
        "--run-id",
        "7",
        "--emergency",
        "--reason",
        "checkout is down",
        "--ticket",
        "INC-7",
    ];
    stage.play(&words).exits(0);
    assert_eq!(stage.records().len(), 2, "{:?}", stage.records());
    stage
}

fn address(stage: &Stage, kind: &str) -> String {
    stage.records().into_iter().find(|r| r.contains(&format!("/{kind}.")) || r.contains(&format!("/{kind}-"))).unwrap()
}

fn predicate(stage: &Stage, address: &str) -> Value {
    Stage::statement(&std::fs::read(stage.at(".vouchsafe").join(address)).unwrap())["predicate"].clone()
}

fn review(stage: &Stage, which: &str, more: &[&str]) -> Played {
    stage.play(&[&["review", which], more].concat())
}

/// The only thing that has to be reviewed.
fn listed(stage: &Stage, exit: u8) -> Value {
    let lines = stage.play(&["review", "--list", "--json"]).exits(exit).json_lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].clone()
}

#[test]
fn an_emergency_is_one_thing_with_two_records_that_a_review_of_either_settles() {
    for kind in ["bypass", "run"] {
        let mut stage = stage();
        let due = listed(&stage, 0);
        assert_eq!(
            (&due["state"], &due["dueOn"], &due["by"][0]["login"]),
            (&json!("due"), &json!("2026-11-25"), &json!("ada"))
        );
        assert_eq!((&due["what"]["kind"], &due["also"]["kind"]), (&json!("bypass"), &json!("run")), "{due}");
        // The day itself is in time; the one after it is not.
        stage.now = "2026-11-25T23:59:59Z".parse().unwrap();
        listed(&stage, 0);
        stage.now += chrono::TimeDelta::seconds(1);
        assert_eq!(listed(&stage, 4)["state"], "overdue");
        let played = stage.play(&["review", "--list"]).exits(4);
        assert!(played.out.contains("overdue") && played.out.contains("checkout is down"), "{}", played.out);
        assert!(played.err.contains("1 bypass is overdue"), "{}", played.err);

        let which = address(&stage, kind);
        let more = ["--decision", "accepted", "--comment", "looked at the diff", "--reviewer", "grace", "--json"];
        let receipt = review(&stage, &which, &more).exits(0).json();
        let record = predicate(&stage, receipt["address"].as_str().unwrap());
        let stored = stage.at(".vouchsafe").join(&which);
        let sha256 = {
            use sha2::Digest as _;
            let hash = sha2::Sha256::digest(std::fs::read(stored).unwrap());
            hash.iter().map(|b| format!("{b:02x}")).collect::<String>()
        };
        assert_eq!(
            record["answers"],
            json!({"sha256": sha256, "address": which, "kind": kind, "recordId": predicate(&stage, &which)["recordId"]})
        );
        assert_eq!((&record["environment"], &record["reviewer"]["how"]), (&json!("production"), &json!("flag")));
        assert_eq!((&record["reviewerIsActor"], &record["dueOn"]), (&json!(false), &json!("2026-11-25")));
        let late = listed(&stage, 0);
        assert_eq!((&late["state"], &late["reviews"][0]["counts"]), (&json!("reviewed late"), &json!(true)), "{late}");
        assert!(stage.play(&["show", receipt["address"].as_str().unwrap()]).exits(0).out.contains("so it came late"));
        stage.play(&["verify"]).exits(0);
    }
}

#[test]
fn a_review_of_ones_own_is_kept_and_does_not_count() {
    let stage = stage();
    let bypass = address(&stage, "bypass");
    let own = review(&stage, &bypass, &["--decision", "accepted", "--reviewer", "ADA"]).exits(0);
    assert!(own.err.contains("this review does not count"), "{}", own.err);
    let listed_now = listed(&stage, 0);
    assert_eq!(
        (&listed_now["state"], &listed_now["reviews"][0]["why"]),
        (&json!("due"), &json!("by the one who did it"))
    );
    // Without a word about who reviews it is the user of this machine: the same one.
    let by_machine = review(&stage, &bypass, &["--decision", "rejected"]).exits(0);
    assert!(by_machine.err.contains("does not count"), "{}", by_machine.err);
    // Somebody else, who is not content.
    review(&stage, &bypass, &["--decision", "follow-up", "--ticket", "SHOP-99", "--reviewer", "grace"]).exits(0);
    let settled = listed(&stage, 0);
    assert_eq!((&settled["state"], settled["reviews"].as_array().unwrap().len()), (&json!("reviewed"), 3), "{settled}");
    // Said twice it is one review; something else by the same person is kept beside it.
    let again = ["--decision", "followUp", "--ticket", "SHOP-99", "--reviewer", "grace"];
    review(&stage, &bypass, &again).exits(0);
    assert_eq!(stage.records().len(), 5);
    review(&stage, &bypass, &["--decision", "followUp", "--ticket", "SHOP-100", "--reviewer", "grace"]).exits(5);
}

#[test]
fn the_reviewer_is_who_a_flag_a_token_the_run_or_the_machine_names() {
    let mut stage = stage();
    let bypass = address(&stage, "bypass");
    stage.env.extend(Stage::github().env.into_iter().filter(|(name, _)| name.starts_with("GITHUB_")));
    let receipt = review(&stage, &bypass, &["--decision", "accepted", "--json"]).exits(0).json();
    let record = predicate(&stage, receipt["address"].as_str().unwrap());
    assert_eq!((&record["reviewer"]["login"], &record["reviewer"]["how"]), (&json!("grace"), &json!("ciEnvironment")));
    assert_eq!(record["run"]["id"], "4711");
    let both =
        review(&stage, &bypass, &["--decision", "accepted", "--reviewer", "x", "--operator-token", "eyJ"]).exits(2);
    assert!(both.err.contains("both name"), "{}", both.err);
    let broken =
        review(&stage, &bypass, &["--decision", "accepted", "--operator-token", "eyJhbGciOiJub25lIn0.e30."]).exits(1);
    assert!(broken.err.contains("names nobody"), "{}", broken.err);
    stage.env.retain(|name, _| !name.starts_with("GITHUB_"));
    stage.user = None;
    review(&stage, &bypass, &["--decision", "accepted"]).exits(1);
}

#[test]
fn what_does_not_verify_is_not_answered() {
    let stage = stage();
    let bypass = address(&stage, "bypass");
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys");
    let public = format!("{keys}/test-public.pem");
    let more = ["--decision", "accepted", "--reviewer", "grace"];
    let stranger = review(&stage, &bypass, &[&more[..], &["--key", &public]].concat()).exits(3);
    assert!(stranger.err.contains("untrusted"), "{}", stranger.err);
    let file = stage.at(".vouchsafe").join(&bypass);
    let good = std::fs::read_to_string(&file).unwrap();
    let mut bad = std::fs::metadata(&file).unwrap().permissions();
    #[allow(clippy::permissions_set_readonly_false, reason = "a file of the test's own folder")]
    bad.set_readonly(false);
    std::fs::set_permissions(&file, bad).unwrap();
    std::fs::write(&file, good.replace("\"sig\":\"", "\"sig\":\"AA")).unwrap();
    review(&stage, &bypass, &more).exits(3);
    assert_eq!(stage.records().len(), 2, "nothing was signed");
    // Nor does the list leave it out in silence: its run still waits, and the rest is told.
    let played = stage.play(&["review", "--list", "--json"]).exits(3);
    assert!(played.err.contains("1 record does not verify"), "{}", played.err);
    assert_eq!(played.json_lines()[0]["what"]["kind"], "run");
}

#[test]
fn it_is_found_by_record_id_and_digest_and_nothing_else_is() {
    let stage = stage();
    let record = listed(&stage, 0);
    let more = ["--decision", "accepted", "--reviewer", "grace", "--json"];
    let by_id = review(&stage, record["what"]["recordId"].as_str().unwrap(), &more).exits(0).json();
    let by_digest = review(&stage, record["what"]["sha256"].as_str().unwrap(), &more).exits(0).json();
    assert_eq!((&by_id["address"], &by_digest["stored"]), (&by_digest["address"], &json!("sameClaims")));
    review(&stage, by_id["address"].as_str().unwrap(), &more).exits(1);
    for (words, exit) in [
        (vec!["review", "7", "--decision", "accepted"], 2),
        (vec!["review", "evidence/env=p/date=2026-11-23/run=x-1-1/run.json", "--decision", "accepted"], 1),
        (vec!["review", "01a207d9-2100-7a11-8000-000000000009", "--decision", "accepted"], 1),
        (vec!["review", "--decision", "accepted"], 2),
        (vec!["review", "x"], 2),
        (vec!["review", "x", "--decision", "maybe"], 2),
    ] {
        let played = stage.play(&words).exits(exit);
        assert!(!played.err.is_empty(), "{words:?}");
    }
    let none = Stage::new();
    none.play(&["attest", "-e", "p"]).exits(0);
    assert!(none.play(&["review", "--list"]).exits(0).err.contains("nothing here has to be reviewed"));
}

#[test]
fn an_emergency_that_ran_twice_leaves_what_ran_once() {
    let mut stage = stage();
    let words = [
        "attest",
        "-e",
        "production",
        "--run-id",
        "7",
        "--emergency",
        "--reason",
        "checkout is down",
        "--ticket",
        "INC-7",
    ];
    stage.now += chrono::TimeDelta::minutes(5);
    let again = stage.play(&words).exits(0);
    assert!(again.err.contains("already recorded: emergencyDeploy by ada"), "{}", again.err);
    assert_eq!(stage.records().len(), 2);
    let wrapped = Stage::new();
    let code = |code| move |_: &vouchsafe::Launch| crate::stage::code(code);
    let mut wrapped = Stage { command: std::rc::Rc::new(code(3)), ..wrapped };
    wrapped.lasts = chrono::TimeDelta::minutes(1);
    wrapped
        .play(&["run", "-e", "production", "--emergency", "--reason", "down", "--component", "api", "--", "deploy"])
        .exits(3);
    let folders: Vec<String> = wrapped.records().iter().map(|r| r.rsplit_once('/').unwrap().0.to_owned()).collect();
    assert_eq!((folders.len(), &folders[0]), (2, &folders[1]), "the bypass stands beside the run");
    assert!(wrapped.records().iter().any(|r| r.ends_with("/bypass-api.json")), "{:?}", wrapped.records());
    let bypass = predicate(&wrapped, &address(&wrapped, "bypass"));
    assert_eq!((&bypass["certainty"], &bypass["actor"]["login"]), (&json!("declared"), &json!("ada")));
    assert_eq!(listed(&wrapped, 0)["also"]["kind"], "run");
}

#[test]
fn a_retried_job_has_its_bypass_beside_its_own_attempt() {
    let mut stage = Stage::new();
    for (name, value) in [
        ("GITLAB_CI", "true"),
        ("CI_PIPELINE_ID", "99"),
        ("CI_JOB_ID", "1001"),
        ("CI_PROJECT_PATH", "acme/shop"),
        ("CI_COMMIT_SHA", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
        ("GITLAB_USER_LOGIN", "grace"),
    ] {
        stage.env.insert(name.into(), value.into());
    }
    let plain = ["attest", "-e", "production", "--count-attempts", "--api", "never"];
    let emergency = [&plain[..], &["--emergency", "--reason", "down"]].concat();
    // The first try was an ordinary one; the second, by another job of the same pipeline, an emergency.
    stage.play(&plain).exits(0);
    stage.env.insert("CI_JOB_ID".into(), "1002".into());
    stage.play(&emergency).exits(0);
    stage.play(&emergency).exits(0);
    let records = stage.records();
    let bypasses: Vec<&String> = records.iter().filter(|r| r.contains("/bypass")).collect();
    assert_eq!((records.len(), bypasses.len()), (3, 1), "{records:?}");
    assert!(bypasses[0].contains("run=gitlab-99-2/"), "{records:?}");

    // The same out of the spool, where run and bypass were signed as the first attempt.
    stage.env.insert("CI_JOB_ID".into(), "1003".into());
    stage.play(&["key", "new", "--output", "k.pem"]).exits(0);
    for (name, value) in
        [("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")]
    {
        stage.env.insert(name.into(), value.into());
    }
    let key = stage.at("home/.config/vouchsafe/signing-key.pem").display().to_string();
    let away = [&emergency[..], &["--vault", "s3://evidence", "--signing-key", &key]].concat();
    stage.play(&away).exits(6);
    stage.play(&["flush", "--vault", ".vouchsafe"]).exits(0);
    let records = stage.records();
    assert!(records.iter().any(|r| r.contains("run=gitlab-99-3/bypass.json")), "{records:?}");
    assert!(records.iter().any(|r| r.contains("run=gitlab-99-3/run.json")), "{records:?}");
    assert_eq!(records.len(), 5, "{records:?}");
    stage.play(&["verify"]).exits(0);
}
