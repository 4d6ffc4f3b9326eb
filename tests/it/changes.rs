//! What a record says of the changes since the previous deployment, and what it says where the forge does not tell.

use crate::fake_github::{Answer, Asked, COMMITS, Github, TOKEN, tip};
use crate::stage::{Played, Stage, code};
use serde_json::{Value, json};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

const ATTEST: [&str; 5] = ["attest", "--environment", "production", "--outcome", "success"];

fn everything(_: &Asked) -> Option<Answer> {
    None
}

/// A run of the newest commit, with a token.
fn stage(github: &Github) -> Stage {
    let mut stage = Stage::github();
    stage.env.insert("GITHUB_SERVER_URL".into(), github.server());
    stage.env.insert("GITHUB_API_URL".into(), github.url());
    stage.env.insert("GITHUB_REPOSITORY_ID".into(), "81".into());
    stage.env.insert("GITHUB_TOKEN".into(), TOKEN.into());
    stage
}

fn attest(stage: &Stage, more: &[&str]) -> Played {
    stage.play(&[&ATTEST[..], more].concat())
}

/// Leaves the record of a deployment before, made without asking anybody.
fn deploy_before(stage: &mut Stage, commit: &str) -> String {
    let now = stage.now;
    stage.now = "2026-11-21T10:00:00Z".parse().unwrap();
    stage.env.insert("GITHUB_RUN_ID".into(), "4000".into());
    stage.env.insert("GITHUB_SHA".into(), commit.into());
    attest(stage, &["--api", "never"]).exits(0);
    stage.env.insert("GITHUB_RUN_ID".into(), "4711".into());
    stage.env.insert("GITHUB_SHA".into(), COMMITS[0].into());
    stage.now = now;
    stage.only_record().0
}

/// Where the record of run 4711 stands.
fn record_address(stage: &Stage) -> String {
    stage.records().into_iter().find(|r| r.contains("run=github-4711-") || r.contains("run=manual-")).unwrap()
}

fn record(stage: &Stage) -> Value {
    let bytes = std::fs::read(stage.at(".vouchsafe").join(record_address(stage))).unwrap();
    Stage::statement(&bytes)["predicate"].clone()
}

/// Status and reasons of the section.
fn section(record: &Value) -> (String, String) {
    let all = record["completeness"].as_array().unwrap();
    let said: Vec<&Value> = all.iter().filter(|c| c["section"] == "changes").collect();
    assert_eq!(said.len(), 1);
    (said[0]["status"].as_str().unwrap().to_owned(), said[0]["why"].as_str().unwrap_or_default().to_owned())
}

fn numbers(record: &Value) -> Vec<&str> {
    let changes = record["changes"].as_array().unwrap();
    changes.iter().map(|c| c["pullRequest"]["number"].as_str().unwrap_or("none")).collect()
}

fn source<'a>(record: &'a Value, fact: &str) -> Option<&'a str> {
    record["provenance"].as_array().unwrap().iter().find(|p| p["fact"] == fact)?["source"].as_str()
}

/// The token is in nothing that was said or kept, and no other host was shown it.
#[track_caller]
fn kept_secret(stage: &Stage, github: &Github, played: &[&Played]) {
    for said in played {
        assert!(!said.out.contains(TOKEN) && !said.err.contains(TOKEN), "{}\n{}", said.out, said.err);
    }
    for file in stage.files("") {
        let bytes = std::fs::read(stage.at(&file)).unwrap();
        let found = bytes.windows(TOKEN.len()).any(|w| w == TOKEN.as_bytes());
        assert!(!found || file == "token", "{file}");
    }
    for asked in github.asked() {
        assert!(asked.token.is_none() || asked.host.starts_with("127.0.0.1:"), "{asked:?}");
    }
}

#[test]
fn the_pull_requests_since_the_previous_deployment_are_in_the_record() {
    let github = Github::start(everything);
    let mut stage = stage(&github);
    let before = deploy_before(&mut stage, COMMITS[2]);
    let summary = stage.at("summary.md").display().to_string();
    let told = attest(&stage, &["--summary", &summary, "--require-changes"]).exits(0);
    let record = record(&stage);
    assert_eq!(numbers(&record), ["8", "7"], "{record:#}");
    assert_eq!(section(&record), ("complete".to_owned(), String::new()));
    assert_eq!(record["previous"]["address"], before);
    assert_eq!(record["previous"]["commit"], COMMITS[2]);
    assert_eq!(source(&record, "changes.since"), Some(before.as_str()));
    assert_eq!(source(&record, "changes"), Some(github.url().as_str()));
    assert_eq!(record["changes"][0]["approval"]["verdict"], "yes");
    assert_eq!(record["changes"][1]["approval"]["verdict"], "no");
    let tickets: Vec<&str> = record["tickets"].as_array().unwrap().iter().map(|t| t["id"].as_str().unwrap()).collect();
    assert_eq!(tickets, ["SHOP-8", "SHOP-7"]);
    assert!(told.err.contains("#8 SHOP-8: mend the till: approved"), "{}", told.err);
    assert!(told.err.contains("#7 SHOP-7: mend the till: not approved"), "{}", told.err);
    let summary = std::fs::read_to_string(summary).unwrap();
    assert!(
        summary.contains("pull request <code>8</code> <code>SHOP-8&#58; mend the till</code>: approved"),
        "{summary}"
    );
    let shown = stage.play(&["show", record_address(&stage).as_str()]).exits(0);
    assert!(
        shown.out.contains("#7 SHOP-7: mend the till: not approved") && shown.out.contains(&before),
        "{}",
        shown.out
    );
    kept_secret(&stage, &github, &[&told]);
    // the same step again meets its own record, whatever the forge says by then
    attest(&stage, &["--api", "never"]).exits(0);
    assert_eq!(stage.records().len(), 2);
}

#[test]
fn without_a_previous_deployment_the_commit_by_itself_is_asked_about() {
    let github = Github::start(everything);
    let stage = stage(&github);
    attest(&stage, &["--require-changes"]).exits(0);
    let record = record(&stage);
    assert_eq!(numbers(&record), ["8"]);
    assert!(record["previous"].is_null());
    assert!(source(&record, "changes.since").unwrap().contains("no deployment before this one is known"));
    assert!(!github.asked().iter().any(|a| a.path.contains("/compare/")), "there is nothing to compare with");
}

#[test]
fn the_same_commit_again_brings_no_changes() {
    let github = Github::start(everything);
    let mut stage = stage(&github);
    deploy_before(&mut stage, COMMITS[0]);
    attest(&stage, &["--require-changes"]).exits(0);
    let record = record(&stage);
    assert_eq!((numbers(&record), section(&record).0.as_str()), (Vec::new(), "complete"));
    assert_eq!(github.asked().len(), 0);
}

/// Not merged, so there is no deployment to compare with; its reviews are told as they stand.
#[test]
fn a_run_for_an_open_pull_request_is_about_that_one() {
    let github = Github::start(everything);
    let mut stage = stage(&github);
    deploy_before(&mut stage, COMMITS[2]);
    let event = json!({"pull_request": {"number": 9, "title": "SHOP-9: mend the till",
        "head": {"ref": "till-9", "sha": tip(9)}, "base": {"ref": "main"}}});
    let event = stage.write("event.json", event.to_string()).display().to_string();
    for (name, value) in [
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_EVENT_PATH", event.as_str()),
        ("GITHUB_REF", "refs/pull/9/merge"),
        ("GITHUB_HEAD_REF", "till-9"),
        ("GITHUB_BASE_REF", "main"),
    ] {
        stage.env.insert(name.into(), value.into());
    }
    let told = attest(&stage, &[]).exits(0);
    let record = record(&stage);
    assert_eq!(numbers(&record), ["9"], "{}", told.err);
    assert!(record["previous"].is_null());
    assert_eq!(record["changes"][0]["approval"]["verdict"], "yes", "{:#}", record["changes"]);
    assert!(!github.asked().iter().any(|a| a.path.contains("/compare/")));
}

#[test]
fn a_rollback_brings_no_changes() {
    let github = Github::start(everything);
    let mut stage = stage(&github);
    deploy_before(&mut stage, COMMITS[0]);
    stage.env.insert("GITHUB_SHA".into(), COMMITS[2].into());
    let told = attest(&stage, &["--require-changes"]).exits(0);
    let record = record(&stage);
    assert_eq!(record["previous"]["commit"], COMMITS[0]);
    assert_eq!(numbers(&record), Vec::<&str>::new(), "{record:#}");
    assert!(told.err.contains("  change    none that was not there before"), "{}", told.err);
}

/// Every way in which a token may have too few rights: the record is written, says what is unknown and why, and the exit is 0
/// unless --require-changes is said.
#[test]
fn a_token_that_may_too_little_stops_nobody_and_is_told() {
    type Refusal = fn(&Asked) -> Option<Answer>;
    let cases: [(&str, Refusal, &str); 5] = [
        ("401", |_| Some((401, vec![], json!({"message": "Bad credentials"}))), "401"),
        (
            "403 for reviews",
            |a| {
                let needs = ("x-accepted-github-permissions", "pull_requests=read".to_owned());
                a.path.contains("/reviews").then(|| (403, vec![needs], json!({"message": "Resource not accessible"})))
            },
            "it needs pull_requests=read",
        ),
        ("403 for all", |_| Some((403, vec![], json!({"message": "no"}))), "403"),
        ("404 for all", |_| Some((404, vec![], json!({"message": "Not Found"}))), "404"),
        (
            "a limit that ends tomorrow",
            |_| {
                let headers =
                    vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", "1795600000".to_owned())];
                Some((403, headers, json!({"message": "API rate limit exceeded"})))
            },
            "asked too often",
        ),
    ];
    for (name, refusal, says) in cases {
        let github = Github::start(refusal);
        let mut stage = stage(&github);
        deploy_before(&mut stage, COMMITS[2]);
        let dry = attest(&stage, &["--dry-run", "--require-changes", "--api-patience", "0"]).exits(4);
        let told = attest(&stage, &["--api-patience", "0"]).exits(0);
        let (status, why) = section(&record(&stage));
        assert_ne!(status, "complete", "{name}");
        assert!(why.contains(says) && why.contains("with the token of GITHUB_TOKEN"), "{name}: {why}");
        assert!(told.err.contains("changes   "), "{name}: {}", told.err);
        let again = attest(&stage, &["--require-changes", "--api-patience", "0", "--component", "again"]).exits(4);
        assert!(again.err.contains("not all changes") && again.err.contains(says), "{name}: {}", again.err);
        assert_eq!(stage.records().len(), 3, "{name}: the record is stored all the same");
        assert!(!github.asked().is_empty(), "{name}");
        kept_secret(&stage, &github, &[&dry, &told, &again]);
    }
}

#[test]
fn who_is_not_to_be_asked_is_not_asked() {
    let github = Github::start(everything);
    let mut stage = stage(&github);
    attest(&stage, &["--api", "never"]).exits(0);
    assert_eq!(section(&record(&stage)).0, "unavailable");
    assert!(section(&record(&stage)).1.contains("--api never"));
    let stored = attest(&stage, &["--api", "never", "--require-changes", "--component", "a"]).exits(4);
    assert!(stored.err.contains("--api never"), "{}", stored.err);

    stage.env.remove("GITHUB_TOKEN");
    let told = attest(&stage, &["--component", "b"]).exits(0);
    assert!(told.err.contains("there is no token for github"), "{}", told.err);
    assert!(told.err.contains("pull-requests: read"), "{}", told.err);
    attest(&stage, &["--component", "c", "--require-changes"]).exits(4);
    assert_eq!(github.asked().len(), 0);
    assert_eq!(stage.records().len(), 4);
}

#[test]
fn a_token_may_be_a_file_or_itself_and_is_never_quoted() {
    for (given, asks) in [("token", true), (TOKEN, true), ("./gone", false), ("empty", false), ("broken", false)] {
        let github = Github::start(everything);
        let mut stage = stage(&github);
        stage.env.remove("GITHUB_TOKEN");
        stage.write("token", format!("{TOKEN}\n"));
        stage.write("empty", "\n");
        stage.write("broken", format!("{TOKEN} {TOKEN}"));
        let told = attest(&stage, &["--api-token", given, "--api-url", &github.url()]).exits(0);
        assert_eq!(github.asked().is_empty(), !asks, "{given}: {}", told.err);
        assert_eq!(section(&record(&stage)).0 == "complete", asks, "{given}: {}", told.err);
        std::fs::remove_file(stage.at("broken")).unwrap();
        kept_secret(&stage, &github, &[&told]);

        // the same by its twin
        stage.env.insert("VOUCHSAFE_API_TOKEN".into(), given.into());
        stage.env.insert("VOUCHSAFE_API_URL".into(), github.url());
        let told = attest(&stage, &["--component", "twin"]).exits(0);
        kept_secret(&stage, &github, &[&told]);
    }
}

#[test]
fn what_cannot_be_used_is_told_and_stops_only_what_it_is_for() {
    let github = Github::start(everything);
    let stage = stage(&github);
    stage.write("no.pem", "nothing of the kind");
    for (component, file, says) in [("a", "gone.pem", "could not read --ca-file"), ("b", "no.pem", "authorities")] {
        let told = attest(&stage, &["--ca-file", file, "--component", component]).exits(0);
        assert!(told.err.contains(says), "{}", told.err);
    }
    assert_eq!((stage.records().len(), github.asked().len()), (2, 0));
    let wrong = attest(&stage, &["--pipeline-file", "a["]).exits(2);
    assert!(wrong.err.contains("--pipeline-file `a[`"), "{}", wrong.err);
    attest(&stage, &["--forge", "sourceforge"]).exits(2);
    attest(&stage, &["--api-patience", "soon"]).exits(2);
    stage.play(&["run", "-e", "p", "--reason", "x", "--pipeline-file", "a[", "--", "true"]).exits(125);
    let beat = stage.play(&["attest", "-e", "p", "--heartbeat", "--require-changes"]).exits(2);
    assert!(beat.err.contains("--require-changes"), "{}", beat.err);
    assert_eq!(stage.records().len(), 2);
}

#[test]
fn a_redirect_to_another_host_does_not_get_the_token() {
    let there = Arc::new(OnceLock::<String>::new());
    let told = Arc::clone(&there);
    let github = Github::start(move |asked| {
        let there = told.get()?;
        asked
            .host
            .starts_with("127.0.0.1:")
            .then(|| (302, vec![("location", format!("{there}{}", asked.path))], json!({})))
    });
    there.set(github.other_host()).unwrap();
    let stage = stage(&github);
    let told = attest(&stage, &[]).exits(0);
    assert_ne!(section(&record(&stage)).0, "complete");
    kept_secret(&stage, &github, &[&told]);
}

#[test]
fn a_vault_that_cannot_be_looked_through_is_told() {
    let github = Github::start(everything);
    let mut stage = stage(&github);
    deploy_before(&mut stage, COMMITS[2]);
    // what stands there now is signed by nobody
    let address = stage.only_record().0;
    stage.write(&format!(".vouchsafe/{address}"), "{}");
    attest(&stage, &[]).exits(0);
    let (status, why) = section(&record(&stage));
    assert_eq!(status, "partial");
    assert!(why.contains("does not count here") && why.contains("github-4000-1"), "{why}");
}

#[test]
fn the_command_does_not_wait_for_the_forge() {
    let github = Github::start(everything);
    let mut stage = stage(&github);
    let github = Rc::new(github);
    let seen = Rc::clone(&github);
    stage.command = Rc::new(move |_| {
        assert_eq!(seen.asked().len(), 0, "asked before the command began");
        code(0)
    });
    let words = ["run", "--environment", "production", "--reason", "by hand", "--require-changes", "--", "true"];
    stage.play(&words).exits(0);
    assert_eq!(numbers(&record(&stage)), ["8"]);
    assert!(!github.asked().is_empty());

    // a command that succeeded, and changes that are not known
    stage.env.remove("GITHUB_TOKEN");
    let mut again = words.to_vec();
    again.splice(1..1, ["--component", "again"]);
    stage.command = Rc::new(|_| code(0));
    stage.play(&again).exits(4);
    stage.command = Rc::new(|_| code(3));
    again[2] = "red";
    stage.play(&again).exits(3);
}

/// By hand, the remote tells what the repository is; a token of a platform's variable does not go to it.
#[test]
fn by_hand_the_address_of_the_repository_tells_whom_to_ask() {
    let github = Github::start(everything);
    let stage = Stage::new();
    stage.write(".git/HEAD", "ref: refs/heads/main\n");
    stage.write(".git/config", "[remote \"origin\"]\n\turl = git@github.com:acme/shop.git\n");
    std::fs::create_dir_all(stage.at(".git/objects")).unwrap();
    std::fs::create_dir_all(stage.at(".git/refs")).unwrap();
    let url = github.url();
    let told = attest(&stage, &["--commit", COMMITS[0], "--api-token", TOKEN, "--api-url", &url]).exits(0);
    assert_eq!(numbers(&record(&stage)), ["8"], "{}", told.err);
    kept_secret(&stage, &github, &[&told]);
}

/// Two questions that nobody answers are enough: a deployment does not wait for the rest of them.
#[test]
fn an_api_that_does_not_answer_is_not_asked_on() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    std::thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        });
    });
    let mut stage = stage(&Github::start(everything));
    stage.env.insert("GITHUB_API_URL".into(), format!("{url}/api/v3"));
    stage.env.insert("GITHUB_SERVER_URL".into(), url);
    deploy_before(&mut stage, COMMITS[2]);
    let told = attest(&stage, &[]).exits(0);
    assert_ne!(section(&record(&stage)).0, "complete", "{}", told.err);
    // three tries a question
    let calls = calls.load(Ordering::SeqCst);
    assert!((1..=6).contains(&calls), "{calls}");
}
