//! Stories of the main job.

use crate::stage::{GREEN, RED, Stage};
use serde_json::json;

#[test]
fn a_first_attest_makes_a_key_trusts_it_and_everything_verifies() {
    let stage = Stage::new();
    stage.write("reports/unit.xml", GREEN);
    let first = stage.play(&["attest", "-e", "demo", "--report", "reports/*.xml", "--outcome", "success"]).exits(0);
    assert!(first.err.contains("made a signing key"), "{}", first.err);
    assert!(first.err.contains("trusting that key in this vault"), "{}", first.err);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let key = stage.at("home/.config/vouchsafe/signing-key.pem");
        assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    }
    stage.play(&["verify"]).exits(0);
    let listed = stage.play(&["list", "--json"]).exits(0).json_lines();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["verdict"], "valid");
    assert_eq!(listed[0]["testsPassed"], 2);
    let shown = stage.play(&["show"]).exits(0);
    assert!(shown.out.contains("reports/unit.xml passed: 2 tests, 2 passed"), "{}", shown.out);
    // The second call takes the same key.
    let second = stage.play(&["attest", "-e", "demo"]).exits(0);
    assert!(!second.err.contains("made a signing key"), "{}", second.err);
    assert_eq!(stage.records().len(), 2);
}

#[test]
fn the_platforms_variables_alone_are_enough() {
    let mut stage = Stage::new();
    for (name, value) in [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_RUN_ID", "99"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_SHA", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
    ] {
        stage.env.insert(name.into(), value.into());
    }
    let receipt = stage.play(&["attest", "--environment", "production", "--json"]).exits(0).json();
    assert_eq!(receipt["address"], "evidence/env=production/date=2026-11-23/run=github-99-1/run.json");
    let (_, bytes) = stage.only_record();
    let statement = Stage::statement(&bytes);
    assert_eq!(statement["predicateType"], "https://vouchsafe.dev/run/v1");
    let p = &statement["predicate"];
    assert_eq!(p["run"]["platform"], "github");
    assert_eq!(p["run"]["outcome"], "unknown");
    assert_eq!(p["commit"]["sha"], "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b");
    assert_eq!(p["repository"]["name"], "acme/shop");
    assert!(p.get("operator").is_none(), "nobody named one");
    let section =
        |name: &str| p["completeness"].as_array().unwrap().iter().find(|c| c["section"] == name).unwrap().clone();
    assert_eq!(section("operator")["status"], "unavailable");
    assert_eq!(section("commit")["status"], "partial");
    assert_eq!(section("run")["status"], "partial");
    let told = p["provenance"].as_array().unwrap();
    assert!(told.contains(&json!({"fact": "run.id", "how": "ciEnvironment", "source": "GITHUB_RUN_ID"})), "{told:?}");
    assert!(told.contains(&json!({"fact": "environment", "how": "flag", "source": "--environment"})), "{told:?}");
}

#[test]
fn the_receipt_says_everything_the_contract_names() {
    let stage = Stage::github();
    stage.write("r.xml", GREEN);
    let receipt = stage
        .play(&["attest", "-e", "production", "--report", "r.xml", "--outcome", "success", "--json"])
        .exits(0)
        .json();
    for field in ["address", "uri", "sha256", "versionId", "retention", "ledger", "keyid", "outcome", "warnings"] {
        assert!(receipt.get(field).is_some(), "{field} is missing: {receipt}");
    }
    assert_eq!(receipt["outcome"], "succeeded");
    assert_eq!(receipt["stored"], "created");
    let (address, bytes) = stage.only_record();
    assert_eq!(receipt["address"], json!(address));
    use sha2::Digest as _;
    let digest: String = sha2::Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(receipt["sha256"], json!(digest));
}

#[test]
fn a_step_that_runs_twice_meets_its_own_record() {
    let mut stage = Stage::github();
    stage.write("r.xml", GREEN);
    let words = ["attest", "-e", "production", "--report", "r.xml", "--outcome", "success", "--json"];
    let first = stage.play(&words).exits(0).json();
    stage.now += chrono::TimeDelta::minutes(3);
    let second = stage.play(&words).exits(0).json();
    assert_eq!(second["stored"], "sameClaims");
    assert_eq!((&first["sha256"], &first["address"]), (&second["sha256"], &second["address"]));
    assert_eq!(stage.records().len(), 1);
}

#[test]
fn a_different_record_for_the_same_run_is_kept_beside_the_first_and_exits_5() {
    let stage = Stage::github();
    stage.write("r.xml", GREEN);
    let words = ["attest", "-e", "production", "--report", "r.xml", "--json"];
    stage.play(&words).exits(0);
    let (address, before) = stage.only_record();
    stage.write("r.xml", RED);
    let second = stage.play(&words).exits(5);
    assert_eq!(second.json()["stored"], "conflict");
    assert_eq!(second.json()["conflictsWith"], json!(address));
    assert_eq!(std::fs::read(stage.at(".vouchsafe").join(&address)).unwrap(), before, "the first is untouched");
    assert_eq!(stage.records().len(), 2, "both are in sight");
    stage.play(&["verify"]).exits(0);
    // Two components of one run are two records, not a conflict.
    stage.play(&["attest", "-e", "production", "--report", "r.xml", "--component", "api"]).exits(0);
}

#[test]
fn a_failed_run_is_evidence_too() {
    let stage = Stage::github();
    stage.write("r.xml", RED);
    stage.play(&["attest", "-e", "production", "--report", "r.xml", "--outcome", "failure"]).exits(0);
    let listed = stage.play(&["list", "--json"]).exits(0).json_lines();
    assert_eq!((&listed[0]["outcome"], &listed[0]["tests"]), (&json!("failed"), &json!("failed")));
    let stage = Stage::github();
    stage.write("r.xml", RED);
    stage.play(&["attest", "-e", "production", "--report", "r.xml", "--fail-on", "tests"]).exits(4);
    assert_eq!(stage.records().len(), 1, "the record is stored before the step fails");
}

#[test]
fn needs_tell_the_outcome_and_a_hopeful_word_does_not_paint_over_it() {
    let stage = Stage::github();
    let needs = r#"{"build":{"result":"success","outputs":{}},"deploy":{"result":"failure","outputs":{}}}"#;
    let run = stage.play(&["attest", "-e", "p", "--needs", needs, "--outcome", "success", "--json"]).exits(0);
    assert_eq!(run.json()["outcome"], "failed");
    assert!(run.err.contains("told outcome `succeeded`"), "{}", run.err);
    let (_, bytes) = stage.only_record();
    let jobs = &Stage::statement(&bytes)["predicate"]["run"]["jobs"];
    assert!(jobs.as_array().unwrap().contains(&json!({"name": "deploy", "result": "failure"})), "{jobs}");
}

#[test]
fn a_skipped_job_is_not_painted_over_by_the_word_of_this_job() {
    let skipped = r#"{"build":{"result":"success"},"deploy":{"result":"skipped"}}"#;
    let succeeded = r#"{"build":{"result":"success"}}"#;
    for (needs, word, want) in [
        (skipped, "success", "unknown"),
        (skipped, "failure", "failed"),
        (succeeded, "success", "succeeded"),
        (succeeded, "cancelled", "cancelled"),
        ("{}", "success", "succeeded"),
    ] {
        let dry =
            Stage::github().play(&["attest", "-e", "p", "--needs", needs, "--outcome", word, "--dry-run", "--json"]);
        assert_eq!(dry.exits(0).json()["predicate"]["run"]["outcome"], want, "{needs} {word}");
    }
}

#[test]
fn a_dry_run_prints_the_statement_and_stores_nothing() {
    let stage = Stage::github();
    stage.write("dist/app.bin", b"hello");
    let dry = stage.play(&["attest", "-e", "p", "--artifact", "dist/*", "--dry-run", "--json"]).exits(0);
    let statement = dry.json();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["subject"][0]["name"], "dist/app.bin");
    assert_eq!(
        statement["subject"][0]["digest"]["sha256"],
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    );
    assert_eq!(statement["subject"][1]["digest"]["gitCommit"], "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b");
    assert!(!stage.at(".vouchsafe").exists() && stage.files("home").is_empty(), "nothing was made");
}

#[test]
fn the_standard_test_result_is_written_too() {
    let stage = Stage::github();
    stage.write("a.xml", GREEN);
    stage.write("b.xml", RED);
    stage.write("c.xml", "<testsuite/>");
    stage.write("d.xml", "not a report");
    let words =
        ["attest", "-e", "p", "--report", "*.xml", "--emit", "test-result", "--emit-dir", "out", "--fail-on", "never"];
    stage.play(&words).exits(0);
    let results: Vec<_> = (1..=3)
        .map(|n| Stage::statement(&std::fs::read(stage.at(format!("out/test-result-{n}.json"))).unwrap()))
        .collect();
    assert!(!stage.at("out/test-result-4.json").exists(), "nothing is known of a refused report");
    let said: Vec<_> = results.iter().map(|s| s["predicate"]["result"].as_str().unwrap()).collect();
    assert_eq!(said, ["PASSED", "FAILED", "FAILED"], "no test at all is not passed");
    assert_eq!(results[0]["predicateType"], "https://in-toto.io/attestation/test-result/v0.1");
    assert_eq!(results[1]["predicate"]["failedTests"], json!(["a.two"]));
    assert_eq!(results[1]["predicate"]["configuration"][0]["name"], "b.xml");
    assert_eq!(results[0]["subject"][0]["digest"]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn with_nothing_else_the_first_report_is_the_subject_or_the_record_itself() {
    let stage = Stage::new();
    stage.write("r.xml", GREEN);
    let with = stage.play(&["attest", "-e", "p", "--report", "r.xml", "--dry-run", "--json"]).exits(0).json();
    assert_eq!(with["subject"][0]["name"], "r.xml");
    assert_eq!(with["subject"][0]["digest"]["sha256"], with["predicate"]["tests"][0]["sha256"]);
    let without = stage.play(&["attest", "-e", "p", "--dry-run", "--json"]).exits(0).json();
    assert_eq!(without["subject"][0]["name"], "record");
    assert_eq!(without["subject"][0]["digest"]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn a_variable_or_the_file_stands_in_for_a_flag_and_the_flag_wins() {
    let mut stage = Stage::github();
    stage.write("vouchsafe.toml", "environment = \"from-file\"\n[attest]\nticket = [\"SHOP-1\", \"SHOP-2\"]\n");
    let statement = |played: crate::stage::Played| played.exits(0).json()["predicate"].clone();
    let file = statement(stage.play(&["attest", "--dry-run", "--json"]));
    assert_eq!(file["environment"], "from-file");
    assert_eq!(file["tickets"].as_array().unwrap().len(), 2);
    let told = file["provenance"].as_array().unwrap();
    assert!(
        told.contains(&json!({"fact": "environment", "how": "configuration", "source": "vouchsafe.toml"})),
        "{told:?}"
    );
    stage.env.insert("VOUCHSAFE_ENVIRONMENT".into(), "from-variable".into());
    stage.env.insert("VOUCHSAFE_TICKET".into(), "A-1\nB-2\nC-3".into());
    let variable = statement(stage.play(&["attest", "--dry-run", "--json"]));
    assert_eq!(variable["environment"], "from-variable");
    assert_eq!(variable["tickets"].as_array().unwrap().len(), 3);
    let flag = statement(stage.play(&["attest", "--dry-run", "--json", "--environment", "from-flag"]));
    assert_eq!(flag["environment"], "from-flag");
    stage.env.insert("VOUCHSAFE_DRY_RUN".into(), "maybe".into());
    stage.play(&["attest"]).exits(2);
    stage.env.remove("VOUCHSAFE_DRY_RUN");
    stage.write("vouchsafe.toml", "enviroment = \"typo\"\n");
    let typo = stage.play(&["attest", "--dry-run"]).exits(2);
    assert!(typo.err.contains("enviroment"), "{}", typo.err);
}

/// Paths of all facts of a record, list positions left out.
fn facts(value: &serde_json::Value, path: &str, out: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                facts(value, &path, out);
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|v| facts(v, path, out)),
        _ => out.push(path.to_owned()),
    }
}

#[test]
fn every_fact_says_how_it_became_known() {
    let stage = Stage::github();
    stage.write("r.xml", RED);
    stage.write("dist/app.bin", b"hello");
    let image = format!("registry.example/shop@sha256:{}", "ab".repeat(32));
    let github = [
        "attest",
        "-e",
        "p",
        "--component",
        "api",
        "--report",
        "r.xml",
        "--artifact",
        "dist/*",
        "--image",
        &image,
        "--ticket",
        "A-1",
        "--operator",
        "eve",
        "--on-behalf-of",
        "ada",
        "--outcome",
        "failure",
        "--dry-run",
        "--json",
    ];
    let mut by_hand = Stage::new();
    by_hand.env.insert("REGION".into(), "eu".into());
    let manual = [
        "attest",
        "-e",
        "p",
        "--reason",
        "pager",
        "--env",
        "REGION",
        "--commit",
        &"ab".repeat(20),
        "--dry-run",
        "--json",
    ];
    for played in [stage.play(&github), by_hand.play(&manual)] {
        let record = played.exits(0).json()["predicate"].clone();
        let known: Vec<String> =
            record["provenance"].as_array().unwrap().iter().map(|p| p["fact"].as_str().unwrap().to_owned()).collect();
        let mut all = Vec::new();
        facts(&record, "", &mut all);
        // Made by the program itself, or the saying itself.
        let own = ["schemaVersion", "recordId", "recordedOn", "tool", "completeness", "provenance"];
        for fact in all.iter().filter(|f| !own.contains(&f.split('.').next().unwrap()) && !f.ends_with(".how")) {
            let told = known.iter().any(|k| fact == k || fact.starts_with(&format!("{k}.")));
            assert!(told, "nothing says where `{fact}` comes from: {known:?}");
        }
        for fact in &known {
            let there = all.iter().any(|f| f == fact || f.starts_with(&format!("{fact}.")));
            assert!(there, "`{fact}` has a source and is not in the record");
        }
    }
}

fn archive(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/fixtures/archives/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn an_archive_is_attested_by_its_reports_and_named_with_its_digest() {
    let stage = Stage::github();
    stage.write("out/ci.zip", archive("fail_archiver.zip"));
    stage.write("r.xml", GREEN);
    let words = ["attest", "-e", "p", "--report", "out/*.zip", "--report", "r.xml", "--dry-run", "--json"];
    let record = stage.play(&words).exits(0).json()["predicate"].clone();
    let files: Vec<_> = record["tests"].as_array().unwrap().iter().map(|t| t["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["out/ci.zip!junit/a.xml", "out/ci.zip!junit/b.xml", "r.xml"]);
    use sha2::Digest as _;
    let digest: String =
        sha2::Sha256::digest(archive("fail_archiver.zip")).iter().map(|b| format!("{b:02x}")).collect();
    let source = format!("out/ci.zip sha256:{digest}");
    let told = record["provenance"].as_array().unwrap();
    assert!(told.contains(&json!({"fact": "tests", "how": "file", "source": source})), "{told:?}");
    assert!(told.contains(&json!({"fact": "tests", "how": "file", "source": "--report"})), "{told:?}");
    // cut short: one refused report, and nothing of what could be read
    stage.write("out/ci.zip", &archive("fail_archiver.zip")[..540]);
    let cut = stage.play(&words).exits(1).json()["predicate"].clone();
    assert_eq!((&cut["tests"][0]["file"], &cut["tests"][0]["verdict"]), (&json!("out/ci.zip"), &json!("refused")));
    assert_eq!(cut["tests"].as_array().unwrap().len(), 2);
}

#[test]
fn an_exit_code_outweighs_what_a_report_says() {
    let stage = Stage::github();
    stage.write("r/jest.xml", "<testsuites tests=\"0\"/>");
    stage.write("r/unit.xml", GREEN);
    stage.write("r/red.xml", RED);
    stage.write("r/cut.xml", "<testsuite>");
    let words = ["attest", "-e", "p", "--report", "r/*.xml", "--fail-on", "never", "--json", "--dry-run"];
    let exits = ["--test-exit", "jest.xml=1", "--test-exit", "r/[uc]*.xml=137", "--test-exit", "red.xml=0"];
    let record = stage.play(&[&words[..], &exits].concat()).exits(0).json()["predicate"].clone();
    let told: Vec<_> = record["tests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| (t["file"].as_str().unwrap(), t["verdict"].as_str().unwrap(), t["exitCode"].as_i64()))
        .collect();
    assert_eq!(
        told,
        [
            ("r/cut.xml", "refused", Some(137)),
            ("r/jest.xml", "failed", Some(1)),
            ("r/red.xml", "failed", Some(0)),
            ("r/unit.xml", "failed", Some(137)),
        ]
    );
    let warnings = record["tests"][1]["warnings"].to_string();
    assert!(warnings.contains("its command `jest.xml` ended with 1, the report says empty"), "{warnings}");
    assert_eq!(
        record["testCommands"][1],
        json!({"name": "r/[uc]*.xml", "exitCode": 137, "reports": ["r/cut.xml", "r/unit.xml"]})
    );
}

#[test]
fn a_command_without_a_report_still_counts() {
    let stage = Stage::github();
    stage.write("r.xml", GREEN);
    let words = ["attest", "-e", "p", "--report", "r.xml", "--emit", "test-result", "--emit-dir", "out"];
    stage.play(&[&words[..], &["--test-exit", "lint=0", "--fail-on", "tests"]].concat()).exits(0);
    let stage = Stage::github();
    stage.write("r.xml", GREEN);
    let failed = stage.play(&[&words[..], &["--test-exit", "e2e=-1", "--fail-on", "tests"]].concat()).exits(4);
    assert!(failed.err.contains("--test-exit `e2e` is of no report here"), "{}", failed.err);
    assert!(failed.err.contains("command   e2e ended with -1"), "{}", failed.err);
    let listed = stage.play(&["list", "--json"]).exits(0).json_lines();
    assert_eq!((&listed[0]["tests"], &listed[0]["commandsFailed"]), (&json!("failed"), &json!(1)));
    assert_eq!(listed[0].get("findings").filter(|f| !f.is_null()), None, "absent is not zero");
    let shown = stage.play(&["show"]).exits(0);
    assert!(shown.out.contains("command      e2e ended with -1, no report of it"), "{}", shown.out);
    let emitted = Stage::statement(&std::fs::read(stage.at("out/test-result-1.json")).unwrap());
    assert_eq!(emitted["predicate"]["result"], "WARNED", "nobody knows whose report it is");
    // without any report, and from the twin
    let mut stage = Stage::github();
    stage.env.insert("VOUCHSAFE_TEST_EXIT".into(), "unit=1\nlint=0".into());
    stage.play(&["attest", "-e", "p", "--fail-on", "tests"]).exits(4);
    let (_, bytes) = stage.only_record();
    let record = Stage::statement(&bytes)["predicate"].clone();
    assert_eq!(record["testCommands"].as_array().unwrap().len(), 2);
    let told = record["provenance"].as_array().unwrap();
    assert!(
        told.contains(&json!({"fact": "testCommands", "how": "flag", "source": "VOUCHSAFE_TEST_EXIT"})),
        "{told:?}"
    );
    for wrong in ["x", "=1", "x=", "x=one", "x=1.5", "x=99999999999"] {
        let wrong = stage.play(&["attest", "-e", "p", "--test-exit", wrong]).exits(2);
        assert!(wrong.err.contains("is not NAME=CODE"), "{}", wrong.err);
    }
}

#[test]
fn more_names_than_a_record_holds_are_counted_and_the_record_is_written() {
    let stage = Stage::github();
    let case = |n: usize| format!("<testcase name=\"{n:03}{}\"><failure/></testcase>", "n".repeat(1000));
    let red = format!("<testsuite>{}</testsuite>", (0..200).map(case).collect::<String>());
    for n in 0..125 {
        stage.write(&format!("r/{n:03}.xml"), &red);
    }
    stage.play(&["attest", "-e", "p", "--report", "r/*.xml"]).exits(0);
    let (_, bytes) = stage.only_record();
    assert!(bytes.len() < 16 << 20, "{}", bytes.len());
    let record = Stage::statement(&bytes)["predicate"].clone();
    let tests = record["tests"].as_array().unwrap();
    assert_eq!(tests.len(), 125);
    let named = |t: &serde_json::Value| t["failing"].as_array().map_or(0, Vec::len) as u64;
    assert!(tests.iter().all(|t| named(t) + t["failingOmitted"].as_u64().unwrap_or(0) == 200));
    assert_eq!(named(&tests[0]), 200);
    let why = record["completeness"].to_string();
    assert!(why.contains("reports name fewer of their failing tests than they hold"), "{why}");
    stage.play(&["verify"]).exits(0);
}
