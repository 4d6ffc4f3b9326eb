//! Deployments by hand. Real processes, terminals and signals are in `tests/outside/run/`.

use crate::stage::{RED, Stage, code};
use serde_json::json;
use std::cell::RefCell;
use std::ffi::OsString;
use std::rc::Rc;
use vouchsafe::Ended;

const RUN: [&str; 5] = ["run", "--environment", "production", "--reason", "SHOP-12 cannot wait"];

fn words<'a>(more: &[&'a str]) -> Vec<&'a str> {
    RUN.iter().copied().chain(more.iter().copied()).collect()
}

fn predicate(stage: &Stage) -> serde_json::Value {
    Stage::statement(&stage.only_record().1)["predicate"].clone()
}

fn waiting(stage: &Stage) -> Vec<String> {
    stage.files(".vouchsafe-spool").into_iter().filter(|f| f.ends_with(".json")).collect()
}

#[test]
fn the_commands_code_is_the_answer_and_the_record_tells_of_it() {
    for (ends, outcome) in [(0, "succeeded"), (3, "failed"), (125, "failed")] {
        let mut stage = Stage::new();
        stage.command = Rc::new(move |_| code(ends));
        let words = words(&["--ticket", "SHOP-12", "--", "./deploy.sh", "v1", "--password", "hunter2", "--token=abc"]);
        let played = stage.play(&words).exits(ends as u8);
        assert_eq!(played.out, "", "standard output is the command's");
        let p = predicate(&stage);
        let manual = json!({
            "command": ["./deploy.sh", "v1", "--password", "[redacted]", "--token=[redacted]"], "exitCode": ends,
            "host": "bastion", "osUser": "ada", "tty": false, "reason": "SHOP-12 cannot wait",
        });
        assert_eq!(p["manual"], manual);
        assert_eq!((&p["run"]["outcome"], &p["run"]["platform"]), (&outcome.into(), &"manual".into()));
        assert_eq!((&p["operator"]["login"], &p["operator"]["how"]), (&"ada".into(), &"osUser".into()));
        assert!(p["run"]["startedOn"].is_string() && p["run"]["finishedOn"].is_string());
        assert!(!String::from_utf8(stage.only_record().1).unwrap().contains("hunter2"));
        assert_eq!(waiting(&stage), Vec::<String>::new(), "the first word about it has gone");
        stage.play(&["verify"]).exits(0);
    }
}

#[test]
fn the_command_gets_its_words_untouched_and_none_of_our_secrets() {
    let mut stage = Stage::new();
    let seen = Rc::new(RefCell::new(None));
    let note = Rc::clone(&seen);
    stage.command = Rc::new(move |launch| {
        let with: Vec<&str> = launch.with.iter().map(|(name, _)| *name).collect();
        *note.borrow_mut() = Some((launch.program.clone(), launch.args.clone(), launch.without.clone(), with));
        code(0)
    });
    stage.play(&words(&["--", "./deploy.sh", "", "a b", "--", "--json", "--password=x"])).exits(0);
    let (program, args, without, with) = seen.borrow_mut().take().unwrap();
    assert_eq!(program, "./deploy.sh");
    assert_eq!(args, ["", "a b", "--", "--json", "--password=x"].map(OsString::from));
    let ours = ["SIGNING_KEY", "PASSPHRASE", "OPERATOR_TOKEN", "API_TOKEN", "ID_TOKEN", "WEBHOOK_SECRET"]
        .map(|n| format!("VOUCHSAFE_{n}"));
    assert_eq!(without, ours);
    assert_eq!(with, ["VOUCHSAFE_WRAPPED"]);
}

#[test]
fn before_the_command_began_it_is_125_and_nothing_was_started() {
    let stage = Stage::new();
    for (bad, says) in [
        (vec!["run", "--", "true"], "no environment"),
        (vec!["run", "-e", "p"], "COMMAND"),
        (vec!["run", "-e", "p", "--nonsense", "--", "true"], "--nonsense"),
        (vec!["run", "-e", "p", "true"], "true"),
        (vec!["run", "-e", "p", "--redact", "(", "--", "true"], "--redact"),
        (vec!["run", "-e", "p", "--vault", "ftp://x/y", "--", "true"], "ftp"),
        (vec!["run", "-e", "p", "--vault", "s3://evidence", "--", "true"], "no signing key"),
        (vec!["run", "-e", "p", "--signing-key", "none.pem", "--", "true"], "none.pem"),
        (vec!["run", "-e", "p", "--emergency", "--", "true"], "--reason"),
        (vec!["run", "-e", "p", "-C", "nowhere", "--", "true"], "nowhere"),
    ] {
        let played = stage.play(&bad).exits(125);
        assert!(played.err.contains(says), "{bad:?}: {}", played.err);
        assert!(played.err.contains("error: ") && played.out.is_empty(), "{}", played.err);
    }
    assert!(stage.play(&["run", "--help"]).exits(0).out.contains("Exit codes"));
    let mut wrong = Stage::new();
    wrong.env.insert("VOUCHSAFE_STRICT".into(), "perhaps".into());
    assert!(wrong.play(&["run", "-e", "p", "--", "true"]).exits(125).err.contains("VOUCHSAFE_STRICT"));
}

#[test]
fn what_cannot_be_started_is_recorded_too() {
    for (kind, ends) in [(std::io::ErrorKind::NotFound, 127), (std::io::ErrorKind::PermissionDenied, 126)] {
        let mut stage = Stage::new();
        stage.command = Rc::new(move |_| Err(kind.into()));
        let played = stage.play(&words(&["--", "./nope"])).exits(ends);
        assert!(played.err.contains("could not start `./nope`") && played.err.contains("help: "), "{}", played.err);
        let p = predicate(&stage);
        assert_eq!(p["run"]["outcome"], "failed");
        assert!(p["manual"]["notStarted"].is_string() && p["manual"].get("exitCode").is_none());
    }
}

#[test]
fn signals_are_told_apart_from_failures() {
    for (signal, ends, outcome) in [(15, 143, "cancelled"), (2, 130, "cancelled"), (9, 137, "failed")] {
        let mut stage = Stage::new();
        stage.command = Rc::new(move |_| Ok(Ended { code: None, signal: Some(signal), stopped_by: None }));
        stage.play(&words(&["--", "sleep", "9"])).exits(ends);
        let p = predicate(&stage);
        assert_eq!((&p["run"]["outcome"], &p["manual"]["signal"]), (&outcome.into(), &signal.into()));
    }
}

#[test]
fn trouble_with_the_evidence_is_told_and_fails_only_where_it_was_asked_for() {
    for (ends, strict, want) in [(0, false, 0), (0, true, 6), (3, false, 3), (3, true, 3)] {
        let mut stage = Stage::new();
        stage.play(&["key", "new"]).exits(0);
        let key = stage.at("home/.config/vouchsafe/signing-key.pem").display().to_string();
        stage.command = Rc::new(move |_| code(ends));
        let mut words = words(&["--vault", "s3://evidence", "--signing-key", &key]);
        words.extend(strict.then_some("--strict"));
        words.extend(["--", "true"]);
        let played = stage.play(&words).exits(want);
        assert!(played.err.contains("could not store the record") && played.err.contains("flush"), "{}", played.err);
        // the record itself, and not the first word beside it
        let waits = waiting(&stage);
        assert_eq!(waits.len(), 1);
        let bundle = std::fs::read(stage.at(".vouchsafe-spool").join(&waits[0])).unwrap();
        assert_eq!(Stage::statement(&bundle)["predicate"]["manual"]["exitCode"], ends);
        stage.play(&["flush", "--vault", "later"]).exits(0);
        let public = stage.play(&["key", "show", "--pem", "--signing-key", &key]).exits(0).out;
        stage.write("public.pem", public);
        stage.play(&["verify", "--vault", "later", "--key", "public.pem"]).exits(0);
    }
}

#[test]
fn while_the_command_runs_a_first_word_about_it_lies_in_the_spool() {
    let mut stage = Stage::new();
    let spool = stage.at(".vouchsafe-spool");
    let seen = Rc::new(RefCell::new(Vec::new()));
    let note = Rc::clone(&seen);
    stage.command = Rc::new(move |_| {
        for entry in std::fs::read_dir(&spool).unwrap().map(|e| e.unwrap().path()) {
            if entry.extension().is_some_and(|x| x == "json") {
                note.borrow_mut().push(std::fs::read(entry).unwrap());
            }
        }
        code(0)
    });
    stage.play(&words(&["--report", "none/*.xml", "--", "./deploy.sh"])).exits(0);
    let seen = seen.borrow();
    assert_eq!(seen.len(), 1);
    let p = &Stage::statement(&seen[0])["predicate"];
    assert_eq!((&p["run"]["outcome"], &p["manual"]["command"]), (&"unknown".into(), &json!(["./deploy.sh"])));
    assert!(p["run"].get("finishedOn").is_none() && p["manual"].get("exitCode").is_none());
    let run = p["completeness"].as_array().unwrap().iter().find(|c| c["section"] == "run").unwrap().clone();
    assert!(run["why"].as_str().unwrap().contains("before the command began"), "{run}");
    assert_eq!(predicate(&stage)["run"]["id"], p["run"]["id"], "both speak of one run");
}

#[test]
fn a_spool_that_cannot_be_written_to_keeps_nobody_from_deploying() {
    let mut stage = Stage::new();
    stage.command = Rc::new(|_| code(0));
    stage.write("occupied", "a file");
    let played = stage.play(&words(&["--spool", "occupied/spool", "--", "true"])).exits(0);
    assert!(played.err.contains("if this wrapper is killed, nothing will tell of it"), "{}", played.err);
    assert_eq!(predicate(&stage)["run"]["outcome"], "succeeded");
}

#[test]
fn a_folder_that_takes_no_record_leaves_one_word_in_the_spool_and_not_two() {
    let mut stage = Stage::new();
    stage.play(&["key", "new"]).exits(0);
    stage.write("vault/evidence", "a file where a folder should be");
    stage.command = Rc::new(|_| code(0));
    let played = stage.play(&words(&["--vault", "vault", "--strict", "--", "true"])).exits(6);
    assert!(played.err.contains("could not store the record"), "{}", played.err);
    let waits = waiting(&stage);
    assert_eq!(waits.len(), 1);
    let bundle = std::fs::read(stage.at(".vouchsafe-spool").join(&waits[0])).unwrap();
    assert_eq!(Stage::statement(&bundle)["predicate"]["run"]["outcome"], "succeeded");
}

#[test]
fn a_person_who_sits_there_is_asked_why() {
    let without = ["run", "--environment", "production", "--", "true"];
    for (typed, want) in
        [("the queue is stuck\nyes\n", "the queue is stuck"), ("\n \n checkout is down ", "checkout is down")]
    {
        let mut stage = Stage::new();
        stage.typed = Some(typed);
        stage.command = Rc::new(|_| code(0));
        let played = stage.play(&without).exits(0);
        assert!(played.err.contains("Why is this done by hand?"), "{}", played.err);
        assert_eq!(
            (&predicate(&stage)["manual"]["reason"], &predicate(&stage)["manual"]["tty"]),
            (&want.into(), &true.into())
        );
    }
    for silent in ["", "\n\n\n\nlate\n"] {
        let mut stage = Stage::new();
        stage.typed = Some(silent);
        let played = stage.play(&without).exits(125);
        assert!(played.err.contains("nothing was run"), "{}", played.err);
    }
    // nobody is asked who said it, and in a pipeline nobody is there
    let mut said = Stage::new();
    said.typed = Some("");
    said.command = Rc::new(|_| code(0));
    said.play(&words(&["--", "true"])).exits(0);
    let mut pipeline = Stage::github();
    pipeline.command = Rc::new(|_| code(0));
    pipeline.play(&without).exits(0);
    let p = predicate(&pipeline);
    assert_eq!((&p["run"]["platform"], &p["manual"]["exitCode"]), (&"github".into(), &0.into()));
    let manual = p["completeness"].as_array().unwrap().iter().find(|c| c["section"] == "manual").unwrap().clone();
    assert_eq!(manual["status"], "partial");
}

#[test]
fn an_emergency_is_recorded_with_its_day_of_review() {
    let mut stage = Stage::new();
    stage.command = Rc::new(|_| code(0));
    let more = ["--emergency", "--ticket", "INC-7", "--approved-by", "grace", "--", "true"];
    let played = stage.play(&words(&more)).exits(0);
    assert!(played.err.contains("an emergency, recorded as such, to be reviewed by 2026-11-25"), "{}", played.err);
    let want = json!({
        "reason": "SHOP-12 cannot wait", "ticket": "INC-7", "approvedBy": {"login": "grace"}, "reviewDueOn": "2026-11-25",
    });
    let run = stage.records().into_iter().find(|r| r.ends_with("/run.json")).unwrap();
    let bundle = std::fs::read(stage.at(".vouchsafe").join(run)).unwrap();
    assert_eq!(Stage::statement(&bundle)["predicate"]["emergency"], want);
    assert!(played.err.contains("recorded: emergencyDeploy by ada"), "{}", played.err);
}

#[test]
fn arguments_stay_out_on_request() {
    let mut stage = Stage::new();
    stage.command = Rc::new(|_| code(0));
    stage.play(&words(&["--redact-all", "--", "./deploy.sh", "a", "b"])).exits(0);
    assert_eq!(predicate(&stage)["manual"]["command"], json!(["./deploy.sh", "[2 redacted]"]));
    let mut stage = Stage::new();
    stage.command = Rc::new(|_| code(0));
    stage.play(&words(&["--redact", "^cust", "--", "./deploy.sh", "cust-1", "b"])).exits(0);
    assert_eq!(predicate(&stage)["manual"]["command"], json!(["./deploy.sh", "[redacted]", "b"]));
}

#[test]
fn what_the_command_wrote_is_in_the_record() {
    let mut stage = Stage::new();
    let at = stage.at("out/smoke.xml");
    stage.command = Rc::new(move |_| {
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(&at, RED).unwrap();
        code(0)
    });
    let played = stage.play(&words(&["--report", "out/*.xml", "--", "./deploy.sh"])).exits(0);
    assert!(played.err.contains("tests failed"), "{}", played.err);
    assert_eq!(predicate(&stage)["tests"][0]["verdict"], "failed");
}

/// `{"alg":"RS256","kid":"r"}` over issuer, subject, preferred_username and a time that is long over; signed by nobody.
fn token(expires: i64) -> String {
    use base64::Engine as _;
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let claims = format!(
        r#"{{"iss":"https://sso.test","sub":"4711","preferred_username":"grace","email":"g@example.test","name":"Grace","exp":{expires}}}"#
    );
    format!("{}.{}.{}", part(r#"{"alg":"RS256","kid":"r"}"#), part(&claims), part("nobody"))
}

#[test]
fn a_token_names_the_operator_and_a_bad_one_stops_nobody() {
    let later = 4_000_000_000;
    let keys = r#"{"keys":[{"kty":"RSA","kid":"r","n":"AQAB","e":"AQAB"}]}"#;
    for (token, jwks, login, how, says) in [
        (token(later), None, "grace", "flag", "was not checked"),
        (token(later), Some(keys), "ada", "osUser", "signature does not hold"),
        (token(later), Some("{}"), "ada", "osUser", "key set cannot be read"),
        (token(1_700_000_000), None, "ada", "osUser", "expired"),
        ("eyJ.x".into(), None, "ada", "osUser", "no JSON Web Token"),
        ("nowhere.jwt".into(), None, "ada", "osUser", "could not read the file of the token"),
        ("gho_opaque0123456789abcdef".into(), None, "ada", "osUser", "could not read the file of the token"),
    ] {
        let mut stage = Stage::new();
        stage.command = Rc::new(|_| code(0));
        stage.env.insert("VOUCHSAFE_OPERATOR_TOKEN".into(), token.clone());
        if let Some(jwks) = jwks {
            stage.write("jwks.json", jwks);
            stage.env.insert("VOUCHSAFE_OPERATOR_JWKS".into(), "jwks.json".into());
        }
        let played = stage.play(&words(&["--", "true"])).exits(0);
        assert!(played.err.contains(says), "{says}: {}", played.err);
        let p = predicate(&stage);
        assert_eq!((&p["operator"]["login"], &p["operator"]["how"]), (&login.into(), &how.into()), "{says}");
        let of = p["completeness"].as_array().unwrap().iter().find(|c| c["section"] == "operator").unwrap().clone();
        assert_eq!(of["status"], "partial", "{of}");
        assert!(of["why"].as_str().unwrap().contains(says), "{of}");
        let bundle = String::from_utf8(stage.only_record().1).unwrap();
        assert!(!played.err.contains(&token[..]), "no token is printed");
        let statement = Stage::statement(bundle.as_bytes()).to_string();
        assert!(!statement.contains(&token[..]), "and none is recorded");
        assert!(!statement.contains("g@example.test"), "no mail address");
        if login == "grace" {
            assert_eq!(p["operator"]["id"], "https://sso.test#4711");
        }
    }
}

#[test]
fn a_token_that_expires_while_the_command_runs_has_named_the_operator_all_the_same() {
    let mut stage = Stage::new();
    stage.command = Rc::new(|_| code(0));
    stage.lasts = chrono::TimeDelta::hours(2);
    let expires = (stage.now + chrono::TimeDelta::minutes(5)).timestamp();
    stage.env.insert("VOUCHSAFE_OPERATOR_TOKEN".into(), token(expires));
    stage.play(&words(&["--", "./deploy.sh"])).exits(0);
    let p = predicate(&stage);
    assert_eq!(p["operator"]["login"], "grace");
    assert_eq!(
        (&p["run"]["startedOn"], &p["run"]["finishedOn"]),
        (&"2026-11-23T10:00:00Z".into(), &"2026-11-23T12:00:00Z".into())
    );
}
