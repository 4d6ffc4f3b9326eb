//! README and pages keep their word: their commands parse, its table is the program's, its example has the record's shape.

use crate::stage::{GREEN, Stage};

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

/// The blocks of a fenced language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_first_command_works_on_the_committed_reports() {
    let first = blocks(&readme(), "sh")[0].lines().next().unwrap().to_owned();
    assert_eq!(first, "cargo run --release -- attest --environment demo --report 'fixtures/reports/**/*.xml'");
    let stage = Stage::new();
    let vault = stage.at("vault").display().to_string();
    let played = stage.play(&[
        "attest",
        "--environment",
        "demo",
        "--report",
        "fixtures/reports/**/*.xml",
        "-C",
        env!("CARGO_MANIFEST_DIR"),
        "--vault",
        &vault,
        "--json",
    ]);
    let receipt = played.exits(0).json();
    assert_eq!(receipt["stored"], "created");
    let shown = stage.play(&["show", "--vault", &vault, "--json"]).exits(0).json();
    let tests = shown["statement"]["predicate"]["tests"].as_array().unwrap().clone();
    assert!(tests.len() >= 8, "{} reports of real tools", tests.len());
    assert!(tests.iter().all(|t| t["verdict"] != "refused"));
}

/// README and every page of docs/, by name.
fn pages() -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|e| e.unwrap().path());
    let mut pages: Vec<_> = docs.filter(|p| p.extension().is_some_and(|x| x == "md")).collect();
    pages.push(root.join("README.md"));
    pages
        .iter()
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(p).unwrap()))
        .collect()
}

#[test]
fn every_vouchsafe_command_of_every_page_has_words_that_the_program_knows() {
    let mut seen = 0;
    for (page, text) in pages() {
        for block in blocks(&text, "sh") {
            for line in block.replace("\\\n", " ").lines().filter(|l| l.trim_start().starts_with("vouchsafe ")) {
                // what stands behind `--`, a pipe or a comment is not ours
                let line = line.split(" -- ").next().unwrap().split(['#', '>', '|', ';']).next().unwrap();
                let flags: Vec<&str> = line.split_whitespace().filter(|w| w.starts_with("--")).collect();
                let mut words: Vec<&str> =
                    line.split_whitespace().skip(1).take_while(|w| !w.starts_with('-')).collect();
                words.retain(|w| w.chars().all(|c| c.is_ascii_lowercase()) && w.len() > 2);
                words.push("--help");
                let help = Stage::new().play(&words).exits(0).out;
                for flag in flags {
                    let flag = flag.split('=').next().unwrap();
                    assert!(help.contains(flag), "{page}: {line}: {flag}");
                }
                seen += 1;
            }
        }
    }
    assert!(seen >= 25, "only {seen} commands were found");
}

#[test]
fn the_readmes_toml_and_json_are_real() {
    let readme = readme();
    let stage = Stage::github();
    stage.write("vouchsafe.toml", &blocks(&readme, "toml")[0]);
    stage.write("target/junit/a.xml", GREEN);
    let dry = stage.play(&["attest", "--dry-run", "--json"]).exits(0).json();
    assert_eq!(dry["predicate"]["environment"], "staging");
    assert_eq!(dry["predicate"]["tests"][0]["verdict"], "passed");
    // Every field that the README shows is a field of what is written.
    let shown: serde_json::Value = serde_json::from_str(&blocks(&readme, "json")[0]).unwrap();
    let schema = Stage::new().play(&["schema"]).exits(0).out;
    let mut stack = vec![&shown["predicate"]];
    while let Some(value) = stack.pop() {
        match value {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    assert!(schema.contains(&format!("\"{name}\"")), "{name} is not in the schema");
                    stack.push(value);
                }
            }
            serde_json::Value::Array(values) => stack.extend(values),
            _ => {}
        }
    }
}

#[test]
fn the_exit_codes_are_the_contract() {
    let readme = readme();
    let table = readme.split("## Exit codes").nth(1).unwrap();
    let codes: Vec<&str> = table.lines().filter_map(|l| l.strip_prefix("| ")?.split(" |").next()).collect();
    assert_eq!(codes, ["code", "0", "1", "2", "3", "4", "5", "6"]);
}
