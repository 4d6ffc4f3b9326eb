//! Bad input is normal: a sentence that says what to do, the exit code of the table, nothing lost, no panic.

use crate::stage::{GREEN, Stage};

#[test]
fn a_report_that_cannot_be_read_is_said_in_the_record_and_fails_the_step_afterwards() {
    for (pattern, file, bytes, why) in [
        ("missing/*.xml", "", &b""[..], "matched no file"),
        ("cut.xml", "cut.xml", b"<testsuite><testcase name=\"a\"/>", "refused"),
        ("bin.xml", "bin.xml", b"\x1f\x8b\x08\x00rubbish", "refused"),
        ("empty.xml", "empty.xml", b"", "refused"),
        (
            "xxe.xml",
            "xxe.xml",
            b"<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><testsuite>&e;</testsuite>",
            "refused",
        ),
    ] {
        let stage = Stage::github();
        if !file.is_empty() {
            stage.write(file, bytes);
        }
        let played = stage.play(&["attest", "-e", "p", "--report", pattern, "--json"]).exits(1);
        assert!(played.err.contains(why), "{pattern}: {}", played.err);
        assert!(played.json()["address"].is_string(), "the receipt is printed all the same");
        let (_, bundle) = stage.only_record();
        let p = &Stage::statement(&bundle)["predicate"];
        let tests = p["completeness"].as_array().unwrap().iter().find(|c| c["section"] == "tests").unwrap();
        assert_ne!(tests["status"], "complete", "{pattern}");
        assert!(tests["why"].as_str().unwrap().contains(why), "{tests}");
        let stage = Stage::github();
        if !file.is_empty() {
            stage.write(file, bytes);
        }
        stage.play(&["attest", "-e", "p", "--report", pattern, "--fail-on", "never"]).exits(0);
    }
}

#[test]
fn wrong_words_exit_2_and_say_the_right_ones() {
    let stage = Stage::new();
    for (words, says) in [
        (vec!["attest"], "--environment"),
        (vec!["attest", "-e", " "], "--environment"),
        (vec!["attest", "-e", "p", "--outcome", "splendid"], "success"),
        (vec!["attest", "-e", "p", "--needs", "{not json"], "needs"),
        (vec!["attest", "-e", "p", "--retain", "soon", "--lock-mode", "compliance"], "400d"),
        (vec!["attest", "-e", "p", "--ticket-pattern", "("], "regular expression"),
        (vec!["attest", "-e", "p", "--fail-on", "rain"], "tests"),
        (vec!["attest", "-e", "p", "--commit", "HEAD~1"], "git rev-parse"),
        (vec!["atest"], "attest"),
        (vec!["schema", "run/v9"], "--list"),
        (vec![], "Usage"),
    ] {
        let played = stage.play(&words).exits(2);
        assert!(played.err.contains(says), "{words:?}: {}", played.err);
        assert!(stage.records().is_empty(), "{words:?}");
    }
}

#[test]
fn a_vault_with_a_typo_names_the_known_ones() {
    let mut stage = Stage::new();
    stage.env.insert("AWS_ACCESS_KEY_ID".into(), "x".into());
    stage.env.insert("AWS_SECRET_ACCESS_KEY".into(), "y".into());
    for url in ["s4://bucket", "s3:/bucket", "s3://", "S3//bucket:x", "http://bucket"] {
        let played = stage.play(&["attest", "-e", "p", "--vault", url]).exits(1);
        assert!(played.err.contains("s3://") && played.err.contains("error:"), "{url}: {}", played.err);
    }
}

#[test]
fn a_run_id_cannot_climb_out_of_its_folder() {
    for id in ["../../../../etc/cron.d/x", "/etc/passwd", "..", "a/b\\c", "x\0y", "", "%2e%2e%2f", "ünï\u{202e}"] {
        let mut stage = Stage::github();
        stage.env.insert("GITHUB_RUN_ID".into(), id.into());
        stage.env.insert("GITHUB_RUN_ATTEMPT".into(), "../1".into());
        stage.play(&["attest", "-e", "../../up", "--component", "../../../x"]).exits(0);
        let (address, _) = stage.only_record();
        let segments: Vec<&str> = address.split('/').collect();
        assert_eq!(segments.len(), 5, "{address}");
        let plain =
            |s: &&str| !s.starts_with('.') && s.chars().all(|c| c.is_ascii_alphanumeric() || "._=-".contains(c));
        assert!(segments.iter().all(plain), "{address}");
        stage.play(&["verify"]).exits(0);
        stage.play(&["list", "--environment", "../../up"]).exits(0);
    }
}

#[test]
fn a_variable_that_looks_like_a_secret_never_enters() {
    let mut stage = Stage::github();
    let token = format!("ghp_{}", "0123456789abcdefABCDEF0123456789abcd");
    stage.env.insert("DEPLOY_TOKEN".into(), token.clone());
    stage.env.insert("INNOCENT".into(), token.clone());
    stage.env.insert("REGION".into(), "eu-west-1".into());
    let words = ["attest", "-e", "p", "--env", "DEPLOY_TOKEN", "--env", "INNOCENT", "--env", "REGION", "--env", "NOPE"];
    let played = stage.play(&words).exits(0);
    assert!(
        played.err.contains("DEPLOY_TOKEN") && played.err.contains("INNOCENT") && played.err.contains("NOPE"),
        "{}",
        played.err
    );
    let (_, bundle) = stage.only_record();
    let statement = Stage::statement(&bundle).to_string();
    assert!(!statement.contains(&token) && !played.err.contains(&token));
    assert!(statement.contains("eu-west-1"));
}

#[test]
fn a_clock_that_is_far_off_is_the_records_own_claim_and_trust_windows_catch_it() {
    let mut stage = Stage::github();
    stage.now = "1999-12-31T23:59:59Z".parse().unwrap();
    stage.play(&["attest", "-e", "p"]).exits(0);
    let pem = stage.play(&["key", "show", "--pem"]).exits(0).out;
    stage.write("public.pem", pem);
    stage.play(&["key", "trust", "public.pem", "--trust", "t.json", "--valid-from", "2026-01-01"]).exits(0);
    let verified = stage.play(&["verify", "--trust", "t.json"]).exits(3);
    assert!(verified.out.contains("untrusted"), "{}", verified.out);
}

#[test]
fn a_working_directory_that_is_not_there_is_said() {
    let stage = Stage::new();
    let played = stage.play(&["attest", "-e", "p", "-C", "nowhere"]).exits(1);
    assert!(played.err.contains("nowhere"), "{}", played.err);
}

#[test]
fn a_lock_that_a_folder_cannot_give_is_a_finding_and_the_record_stands() {
    let stage = Stage::github();
    stage.write("r.xml", GREEN);
    let played =
        stage.play(&["attest", "-e", "p", "--report", "r.xml", "--lock-mode", "compliance", "--json"]).exits(4);
    assert_eq!(played.json()["retention"], serde_json::Value::Null, "the receipt says that there is no lock");
    assert!(played.err.contains("lock"), "{}", played.err);
    assert_eq!(stage.records().len(), 1, "nothing is lost");
}

#[cfg(target_os = "linux")]
#[test]
fn a_vault_that_cannot_be_written_keeps_the_signed_record_here() {
    let stage = Stage::github();
    // A file where the folder should be: nobody, root included, can make the vault there.
    stage.write("blocked", "not a folder");
    stage.play(&["key", "new"]).exits(0);
    let key = stage.at("home/.config/vouchsafe/signing-key.pem").display().to_string();
    let pem = stage.play(&["key", "show", "--pem"]).exits(0).out;
    stage.write("public.pem", pem);
    let words = ["attest", "-e", "p", "--vault", "s3://evidence", "--signing-key", &key];
    let mut stage = stage;
    for (name, value) in
        [("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")]
    {
        stage.env.insert(name.into(), value.into());
    }
    let played = stage.play(&words).exits(6);
    assert!(played.err.contains("error: could not store the record"), "{}", played.err);
    let bundles = |stage: &Stage| -> Vec<String> {
        stage.files(".vouchsafe-spool").into_iter().filter(|f| f.ends_with(".json")).collect()
    };
    let kept = bundles(&stage);
    assert_eq!(kept.len(), 1);
    stage.play(&["verify", &format!(".vouchsafe-spool/{}", kept[0]), "--key", "public.pem"]).exits(0);
    // A file where the folder should be: nobody, root included, can make a vault there, and it is said.
    let blocked = stage.play(&["attest", "-e", "p", "--vault", "blocked/vault"]);
    assert!(blocked.err.contains("blocked/vault"), "{}", blocked.err);
    blocked.exits(1);
    // Nobody can make a folder here either, but only the put finds out.
    let read_only = stage.play(&["attest", "-e", "p", "--vault", "/proc/vouchsafe"]).exits(6);
    assert!(read_only.err.contains("/proc/vouchsafe"), "{}", read_only.err);
    assert_eq!(bundles(&stage).len(), 2, "kept too");
}
