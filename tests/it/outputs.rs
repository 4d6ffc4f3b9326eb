//! What a pipeline reads afterwards: summary, step outputs, dotenv; and attempts that the vault counts.

use crate::stage::{GREEN, Stage};

const HOSTILE: &str = "</code><img src=x onerror=alert(1)>|`$(touch pwned)` ::add-mask::x ##[group]y @all\u{202e}";

fn attest<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ["attest", "-e", "production"].into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn the_summary_tells_what_was_recorded_and_lets_nothing_act() {
    let mut stage = Stage::github();
    stage.env.insert("GITHUB_REF".into(), format!("refs/heads/{HOSTILE}"));
    stage.env.insert("GITHUB_REF_NAME".into(), HOSTILE.into());
    let name = HOSTILE.replace('<', "&lt;").replace('\u{202e}', "");
    let red = format!(r#"<testsuite name="s"><testcase classname="c" name="{name}"><failure/></testcase></testsuite>"#);
    stage.write("junit.xml", red);
    let needs = serde_json::json!({"build": {"result": "success"}, HOSTILE: {"result": "failure"}}).to_string();
    let sarif = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"message":{"text":"m"}}]}]}"#;
    stage.write("scan.sarif", sarif);
    stage.write("lcov.info", "SF:a\nDA:1,1\nDA:2,0\nend_of_record\n");
    let words = attest(&[
        "--report",
        "junit.xml",
        "--report",
        "scan.sarif",
        "--report",
        "lcov.info",
        "--test-exit",
        "unit=3",
        "--needs",
        &needs,
        "--ticket",
        HOSTILE,
        "--summary",
        "s.md",
        "--artifact",
        "junit.xml",
    ]);
    let played = stage.play(&words).exits(0);
    let text = std::fs::read_to_string(stage.at("s.md")).unwrap();
    assert!(text.starts_with("### vouchsafe: recorded, failed in <code>production</code>\n"), "{text}");
    for row in
        ["Run", "Operator", "Commit", "Tests", "Artifacts", "Tickets", "Approvals", "Bypasses", "Lock", "Address"]
    {
        assert!(text.contains(&format!("\n| {row} | ")), "{row}: {text}");
    }
    assert!(text.contains("none declared") && text.contains("not all known") && text.contains("vouchsafe.dev/ledger/"));
    for acts in ["<img", "$(touch", "::add-mask", "##[", "@all", "\u{202e}"] {
        assert!(!text.contains(acts), "{acts}: {text}");
    }
    for line in played.err.lines() {
        let ours = ["::warning title=vouchsafe::", "::error title=vouchsafe::"].iter().any(|c| line.starts_with(c));
        assert!(ours || !line.trim_start().starts_with("::"), "{line}");
        assert!(!line.contains("##["), "{line}");
    }
    assert!(played.err.contains("::warning title=vouchsafe::tests failed"), "{}", played.err);
}

#[test]
fn a_summary_is_left_out_rather_than_making_the_whole_too_large() {
    for (standing, written) in [(10, true), (1024 * 1024 - 100, false)] {
        let stage = Stage::github();
        stage.write("s.md", "x".repeat(standing));
        let played = stage.play(&attest(&["--summary", "s.md"])).exits(0);
        let size = std::fs::metadata(stage.at("s.md")).unwrap().len() as usize;
        assert_eq!(size > standing, written);
        assert_eq!(played.err.contains("larger than 1 MiB"), !written, "{}", played.err);
    }
}

#[test]
fn a_summary_stays_small_whatever_is_in_the_record() {
    let stage = Stage::github();
    let mut cases = String::new();
    for n in 0..5000 {
        cases += &format!(r#"<testcase name="{n}{}"><failure/></testcase>"#, "é".repeat(2000));
    }
    stage.write("junit.xml", format!("<testsuite>{cases}</testsuite>"));
    stage.play(&attest(&["--report", "junit.xml", "--summary", "s.md"])).exits(0);
    let text = std::fs::read_to_string(stage.at("s.md")).unwrap();
    assert!(text.len() < 64 * 1024, "{}", text.len());
    assert!(text.contains("and 181 more") && text.contains("Tests that did not pass: 201"), "{text}");
}

/// Reads the file as GitHub's runner does (actions/runner, `FileCommandManager.cs`).
fn github_outputs(text: &str) -> Vec<(String, String)> {
    let mut lines = text.lines();
    let mut out = Vec::new();
    while let Some(line) = lines.next() {
        let (name, word) = line.split_once("<<").unwrap();
        let value: Vec<&str> = lines.by_ref().take_while(|l| *l != word).collect();
        out.push((name.to_owned(), value.join("\n")));
    }
    out
}

#[test]
fn later_steps_and_jobs_get_the_receipt() {
    let stage = Stage::github();
    stage.write("o.txt", "earlier<<X\n1\nX\n");
    let words = attest(&[
        "--step-outputs",
        "o.txt",
        "--dotenv",
        "d.env",
        "--output",
        "b.json",
        "--json",
        "--outcome",
        "success",
    ]);
    let receipt = stage.play(&words).exits(0).json();
    let text = std::fs::read_to_string(stage.at("o.txt")).unwrap();
    let outputs = github_outputs(&text);
    let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["earlier", "bundle-path", "address", "uri", "sha256", "outcome", "checkpoint"]);
    let value = |name: &str| outputs.iter().find(|(n, _)| n == name).unwrap().1.clone();
    assert_eq!(value("bundle-path"), stage.at("b.json").display().to_string());
    assert_eq!(value("address"), receipt["address"].as_str().unwrap());
    assert_eq!(value("outcome"), "succeeded");
    assert_eq!(value("checkpoint"), receipt["ledger"]["checkpoint"].as_str().unwrap().trim_end_matches('\n'));
    let words: Vec<&str> = text.lines().filter_map(|l| l.split_once("<<vouchsafe_").map(|(_, word)| word)).collect();
    assert_eq!(words.iter().collect::<std::collections::BTreeSet<_>>().len(), 6, "each value has its own word");
    let dotenv = std::fs::read_to_string(stage.at("d.env")).unwrap();
    let names: Vec<&str> = dotenv.lines().map(|l| l.split_once('=').unwrap().0).collect();
    let want = ["BUNDLE_PATH", "ADDRESS", "URI", "SHA256", "OUTCOME"].map(|name| format!("VOUCHSAFE_RECORD_{name}"));
    assert_eq!(names, want, "the checkpoint has several lines and is not among them");
}

#[test]
fn what_is_not_delivered_is_told_and_may_be_no_failure() {
    for (policy, ends) in [("fail", 6), ("warn", 0)] {
        let stage = Stage::github();
        stage.play(&["key", "new"]).exits(0);
        let key = stage.at("home/.config/vouchsafe/signing-key.pem").display().to_string();
        let words = attest(&[
            "--vault",
            "s3://evidence",
            "--signing-key",
            &key,
            "--on-upload-failure",
            policy,
            "--summary",
            "s.md",
            "--step-outputs",
            "o.txt",
            "--output",
            "b.json",
        ]);
        let played = stage.play(&words).exits(ends);
        let level = if ends == 0 { "::warning" } else { "::error" };
        let told = played.err.lines().any(|l| l.starts_with(level) && l.contains("could not store the record"));
        assert!(told && played.err.contains("flush"), "{}", played.err);
        let text = std::fs::read_to_string(stage.at("s.md")).unwrap();
        assert!(text.starts_with("### vouchsafe: signed, not delivered yet"), "{text}");
        assert!(!text.contains("| Address |"));
        let outputs = github_outputs(&std::fs::read_to_string(stage.at("o.txt")).unwrap());
        let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["bundle-path", "outcome"], "absent is not empty");
        assert_eq!(stage.files(".vouchsafe-spool").iter().filter(|f| f.ends_with(".json")).count(), 1);
    }
}

#[test]
fn outputs_that_cannot_be_written_cost_no_record() {
    let stage = Stage::github();
    let words = attest(&["--summary", "no/s.md", "--step-outputs", "no/o.txt", "--dotenv", "no/d.env"]);
    let played = stage.play(&words).exits(0);
    assert_eq!(played.err.matches("warning: the ").count(), 3, "{}", played.err);
    assert_eq!(stage.records().len(), 1);
}

fn gitlab(stage: &mut Stage, job: &str) {
    for (name, value) in [
        ("GITLAB_CI", "true"),
        ("CI_PIPELINE_ID", "900"),
        ("CI_PROJECT_PATH", "acme/shop"),
        ("CI_COMMIT_SHA", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
        ("CI_JOB_ID", job),
    ] {
        stage.env.insert(name.into(), value.into());
    }
}

#[test]
fn a_retried_job_is_a_later_attempt_where_the_vault_counts_them() {
    let mut stage = Stage::new();
    stage.write("green.xml", GREEN);
    gitlab(&mut stage, "1");
    let count = ["--count-attempts", "--json", "--output", "b.json"];
    let with = |outcome: &'static str| attest(&[&count[..], &["--outcome", outcome]].concat());
    let receipt = |stage: &Stage, outcome| stage.play(&with(outcome)).exits(0).json();
    assert!(receipt(&stage, "failed")["address"].as_str().unwrap().contains("run=gitlab-900-1/"));
    gitlab(&mut stage, "2");
    let second = receipt(&stage, "success");
    assert!(second["address"].as_str().unwrap().contains("run=gitlab-900-2/"), "{second}");
    assert_eq!(second["stored"], "created");
    let stands = std::fs::read(stage.at(".vouchsafe").join(second["address"].as_str().unwrap())).unwrap();
    assert_eq!(stands, std::fs::read(stage.at("b.json")).unwrap(), "the copy is what stands");
    let p = &Stage::statement(&stands)["predicate"];
    assert_eq!((&p["run"]["attempt"], &p["run"]["jobId"]), (&2.into(), &"2".into()));
    // the same jobs again: their own records stand
    assert_eq!(receipt(&stage, "success")["stored"], "sameClaims");
    gitlab(&mut stage, "3");
    assert!(receipt(&stage, "success")["address"].as_str().unwrap().contains("run=gitlab-900-3/"));
    assert_eq!(stage.records().len(), 3);
    stage.play(&["verify"]).exits(0);
    // without being asked to count, two jobs that differ are a contradiction, as before
    gitlab(&mut stage, "4");
    let played = stage.play(&attest(&["--outcome", "cancelled"])).exits(5);
    assert!(played.err.contains("--count-attempts"), "{}", played.err);
    // and one job that contradicts itself is one in any case
    gitlab(&mut stage, "1");
    stage.play(&with("success")).exits(5);
}

#[test]
fn a_platform_that_counts_attempts_is_believed() {
    let mut stage = Stage::github();
    stage.env.insert("GITHUB_JOB".into(), "a".into());
    stage.play(&attest(&["--count-attempts", "--outcome", "failed"])).exits(0);
    stage.env.insert("GITHUB_JOB".into(), "b".into());
    stage.play(&attest(&["--count-attempts", "--outcome", "success"])).exits(5);
}
