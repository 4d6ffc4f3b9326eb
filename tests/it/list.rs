//! Stories of asking: every production deployment of a quarter, as table, CSV and JSON.

use crate::stage::{GREEN, Stage};

fn history() -> Stage {
    let mut stage = Stage::github();
    stage.write("r.xml", GREEN);
    for (day, environment, run) in [
        ("2026-06-30T23:59:59Z", "production", "1"),
        ("2026-07-01T00:00:00Z", "production", "2"),
        ("2026-08-15T12:00:00Z", "staging", "3"),
        ("2026-09-30T23:59:59Z", "production", "4"),
        ("2026-10-01T00:00:00Z", "production", "5"),
    ] {
        stage.now = day.parse().unwrap();
        stage.env.insert("GITHUB_RUN_ID".into(), run.into());
        stage.play(&["attest", "-e", environment, "--report", "r.xml", "--outcome", "success"]).exits(0);
    }
    stage.now = "2026-10-30T12:00:00Z".parse().unwrap();
    stage
}

fn runs(stage: &Stage, words: &[&str]) -> Vec<String> {
    let words = [&["list", "--json"], words].concat();
    let lines = stage.play(&words).exits(0).json_lines();
    lines.iter().map(|l| l["runId"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_production_deployment_of_a_quarter() {
    let stage = history();
    for (words, want) in [
        (vec!["--environment", "production", "--quarter", "2026-Q3"], vec!["2", "4"]),
        (vec!["--environment", "production", "--from", "2026-07-01", "--to", "2026-09-30"], vec!["2", "4"]),
        (vec!["--from", "2026-09-30"], vec!["4", "5"]),
        (vec!["--last", "30d"], vec!["5"]),
        (vec!["--environment", "staging"], vec!["3"]),
        (vec!["--environment", "staging", "--environment", "production", "--quarter", "2026-Q3"], vec!["2", "4", "3"]),
        (vec!["--run", "4"], vec!["4"]),
        (vec!["--commit", "9f86d08", "--last", "13mo"], vec!["1", "2", "4", "5", "3"]),
        (vec!["--commit", "0000000"], vec![]),
        (vec!["--operator", "grace", "--to", "2026-06-30"], vec!["1"]),
        (vec!["--operator", "nobody"], vec![]),
    ] {
        assert_eq!(runs(&stage, &words), want, "{words:?}");
    }
    for bad in [
        vec!["--quarter", "2026"],
        vec!["--last", "soon"],
        vec!["--quarter", "2026-Q3", "--last", "30d"],
        vec!["--from", "2026-09-30", "--to", "2026-09-01"],
        vec!["--from", "yesterday"],
    ] {
        stage.play(&[&["list"], &bad[..]].concat()).exits(2);
    }
}

#[test]
fn csv_has_full_identifiers_and_no_formula() {
    let stage = Stage::github();
    let mut stage = stage;
    stage.env.insert("GITHUB_REF".into(), "refs/heads/x".into());
    stage.env.insert("GITHUB_TRIGGERING_ACTOR".into(), "=HYPERLINK(\"http://evil\")".into());
    stage.play(&["attest", "-e", "@prod", "--component=-1+1"]).exits(0);
    let csv = stage.play(&["list", "--format", "csv"]).exits(0).out;
    assert!(csv.starts_with('\u{feff}'), "Excel needs the mark");
    let mut reader = csv::Reader::from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers().unwrap().clone();
    let row = reader.records().next().unwrap().unwrap();
    let cell = |name: &str| row[header.iter().position(|h| h == name).unwrap()].to_owned();
    assert_eq!(cell("environment"), "'@prod");
    assert_eq!(cell("component"), "'-1+1");
    assert_eq!(cell("operator"), "'=HYPERLINK(\"http://evil\")");
    assert_eq!(cell("commit"), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b");
    assert_eq!(cell("testsTotal"), "", "no report is absent, not zero");
    assert_eq!(cell("sha256").len(), 64);
    for field in row.iter() {
        assert!(!field.starts_with(['=', '+', '-', '@', '\t', '\r']), "{field}");
    }
}

#[test]
fn names_of_others_cannot_act_on_a_terminal() {
    let mut stage = Stage::github();
    stage.env.insert("GITHUB_TRIGGERING_ACTOR".into(), "eve\u{1b}[2J\u{202e}gpj".into());
    let xml = GREEN.replace("\"one\"", "\"\u{202e}one\u{9b}31m\"").replace("tests=\"2\"", "tests=\"3\"");
    stage.write("r.xml", xml);
    stage.play(&["attest", "-e", "prod\u{202e}", "--report", "r.xml"]).exits(0);
    for words in [
        vec!["list"],
        vec!["list", "--json"],
        vec!["list", "--format", "csv"],
        vec!["show"],
        vec!["show", "--json"],
        vec!["verify"],
    ] {
        let played = stage.play(&words);
        for text in [&played.out, &played.err] {
            let acts = |c: char| (c.is_control() && c != '\n' && c != '\r') || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!text.chars().any(acts), "{words:?}: {text:?}");
        }
    }
    // The signed bytes hold the name exactly.
    let shown = stage.play(&["show", "--json"]).exits(0).json();
    assert_eq!(shown["statement"]["predicate"]["operator"]["login"], "eve\u{1b}[2J\u{202e}gpj");
}

#[test]
fn show_finds_the_newest_a_run_a_commit_or_a_record() {
    let stage = history();
    let run = |words: &[&str]| {
        let shown = stage.play(&[&["show", "--json"], words].concat()).exits(0).json();
        shown["statement"]["predicate"]["run"]["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(run(&[]), "5", "the newest");
    assert_eq!(run(&["4"]), "4");
    let first = stage.play(&["show", "1", "--json"]).exits(0).json();
    let record = first["statement"]["predicate"]["recordId"].as_str().unwrap().to_owned();
    assert_eq!(run(&[&record]), "1");
    assert_eq!(run(&[first["address"].as_str().unwrap()]), "1");
    let several = stage.play(&["show", "9f86d08"]).exits(1);
    assert!(several.err.contains("several records") && several.err.contains("run=github-3-1"), "{}", several.err);
    stage.play(&["show", "nothing-like-it"]).exits(1);
    stage.play(&["show", "evidence/../../etc/passwd"]).exits(1);
    stage.play(&["show", "evidence/env=production/none.json"]).exits(1);
}

#[test]
fn the_table_is_for_people() {
    let stage = history();
    let table = stage.play(&["list", "--environment", "staging"]).exits(0).out;
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(table.contains("staging") && table.contains("valid") && table.contains("succeeded"), "{table}");
    let none = stage.play(&["list", "--environment", "nowhere"]).exits(0);
    assert!(none.err.contains("no record"), "{}", none.err);
}

/// What others put among the records stops nobody, and is said.
#[cfg(unix)]
#[test]
fn what_is_no_address_does_not_block_the_list() {
    let stage = Stage::github();
    stage.play(&["attest", "-e", "prod", "--vault", "v"]).exits(0);
    stage.write("v/evidence/env=prod/back\\slash.json", "{}");
    let listed = stage.play(&["list", "--vault", "v", "--json"]).exits(0);
    assert_eq!(listed.json_lines().len(), 1);
    assert!(listed.err.contains("passed over") && listed.err.contains("slash"), "{}", listed.err);
    stage.play(&["show", "--vault", "v"]).exits(0);
    stage.play(&["verify", "--vault", "v"]).exits(4);
}
