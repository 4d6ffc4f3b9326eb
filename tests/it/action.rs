//! The action and its page keep their word: inputs are flags, both scripts pass each of them on, nothing is pasted into a script.
//! What act and the linters find is found by tests/outside/action.

use crate::stage::Stage;
use std::collections::BTreeSet;

/// Inputs of the action itself, which are no flags of `attest`.
const OWN: &[&str] = &["image-name", "image-digest", "passphrase", "version", "binary-path", "github-token"];

/// Flags that are no inputs: the action says them itself, or GitHub says better, or they make no record.
const NO_INPUTS: &[&str] = &[
    "output",
    "step-outputs",
    "summary",
    "dotenv",
    "json",
    "dry-run",
    "run-id",
    "commit",
    "count-attempts",
    "id-token",
    "help",
];

fn file(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The names at the first level of indentation below `section:`.
fn names(yaml: &str, section: &str) -> BTreeSet<String> {
    let body = yaml.split(&format!("\n{section}:\n")).nth(1).unwrap();
    let body = body.lines().take_while(|l| l.is_empty() || l.starts_with(' '));
    let keys = body.filter_map(|l| l.strip_prefix("  ")?.strip_suffix(':'));
    keys.filter(|k| !k.starts_with([' ', '#'])).map(str::to_owned).collect()
}

fn flags() -> BTreeSet<String> {
    let help = Stage::new().play(&["attest", "--help"]).exits(0).out;
    let lines = help.lines().map(str::trim_start).filter(|l| l.starts_with('-'));
    let long = lines.filter_map(|l| l.split_whitespace().find_map(|w| w.strip_prefix("--")));
    long.map(str::to_owned).collect()
}

/// The names in the scripts' lists: upper case, with underscores.
fn listed(script: &str, from: &str, to: &str) -> Vec<String> {
    let list = script.split(from).nth(1).unwrap().split(to).next().unwrap();
    let words = list.split(|c: char| !(c.is_ascii_uppercase() || c == '_')).filter(|w| !w.is_empty());
    words.map(|w| w.to_lowercase().replace('_', "-")).collect()
}

#[test]
fn every_flag_of_attest_is_an_input_and_every_input_is_a_flag() {
    let mut inputs = names(&file("action.yml"), "inputs");
    assert!(inputs.len() > 40, "{inputs:?}");
    for own in OWN {
        assert!(inputs.remove(*own), "{own} is no input");
    }
    let mut flags = flags();
    for none in NO_INPUTS {
        assert!(flags.remove(*none), "{none} is no flag");
    }
    // the flag is on its way (exit codes of test commands); then these lines go
    if !flags.contains("test-exit") {
        inputs.remove("test-exit");
    }
    assert_eq!(inputs, flags);
}

#[test]
fn both_scripts_pass_every_input_on() {
    let mut passed = names(&file("action.yml"), "inputs");
    for own in ["image-name", "image-digest", "version", "binary-path", "github-token"] {
        passed.remove(own);
    }
    let sh = listed(&file("action/attest.sh"), "for name in ", "; do");
    let ps1 = listed(&file("action/attest.ps1"), "$names = @(", ")");
    assert_eq!(sh, ps1);
    assert_eq!(sh.iter().cloned().collect::<BTreeSet<_>>(), passed);
    assert_eq!(sh.len(), passed.len(), "one of them twice");
}

/// GitHub docs, "Secure use reference": an expression inside a script is replaced before the shell sees it.
#[test]
fn expressions_stand_in_env_and_nowhere_in_a_script() {
    let action = file("action.yml");
    let steps = action.split("\nruns:\n").nth(1).unwrap();
    let (mut env, mut said) = (false, 0);
    for line in steps.lines() {
        let key = line.trim();
        if line.starts_with("      ") && !line.starts_with("        ") {
            env = key == "env:";
        }
        if line.contains("${{") {
            assert!(env && line.starts_with("        "), "an expression outside env: {line}");
            said += 1;
        }
        assert!(!key.starts_with("run:") || key.contains("GITHUB_ACTION_PATH"), "{line}");
    }
    assert!(said > 80, "only {said} expressions were seen");
    // these name a folder of the host inside a container job (actions/runner#2185)
    for wrong in ["github.action_path", "github.workspace", "runner.temp", "runner.tool_cache"] {
        assert!(!action.contains(wrong), "{wrong}");
    }
}

#[test]
fn unix_and_windows_are_given_the_same() {
    let action = file("action.yml");
    let blocks: Vec<BTreeSet<&str>> = action
        .split("        PROGRAM: ")
        .skip(1)
        .map(|b| b.lines().skip(1).take_while(|l| l.starts_with("        INPUT_")).collect())
        .collect();
    assert_eq!(blocks.len(), 2);
    assert_eq!(blocks[0], blocks[1]);
    for line in &blocks[0] {
        let (variable, value) = line.trim().split_once(": ").unwrap();
        let input = variable.strip_prefix("INPUT_").unwrap().to_lowercase().replace('_', "-");
        assert_eq!(value, format!("${{{{ inputs.{input} }}}}"));
    }
}

#[test]
fn outputs_are_those_that_the_program_writes() {
    let action = file("action.yml");
    let stage = Stage::github();
    stage.play(&["attest", "--environment", "demo", "--step-outputs", "out", "--output", "b.json"]).exits(0);
    let text = std::fs::read_to_string(stage.at("out")).unwrap();
    let written: BTreeSet<String> =
        text.lines().filter_map(|l| l.split_once("<<vouchsafe_")).map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names(&action, "outputs"), written);
    for name in written {
        assert!(
            action.contains(&format!("steps.attest.outputs.{name} || steps.attest-windows.outputs.{name} ")),
            "{name}"
        );
    }
}

#[test]
fn every_input_is_described_and_the_table_of_digests_has_its_shape() {
    let action = file("action.yml");
    for input in names(&action, "inputs") {
        let rest = action.split(&format!("\n  {input}:\n    description: ")).nth(1);
        assert!(rest.is_some_and(|r| r.lines().next().unwrap().len() > 15), "{input} is not described");
    }
    for line in file("action/checksums.txt").lines() {
        let (digest, name) = line.split_once("  ").unwrap();
        assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{line}");
        assert!(name.starts_with("vouchsafe-") && (name.ends_with(".tar.gz") || name.ends_with(".zip")), "{line}");
    }
}

/// What the parser quotes is anybody's text; on a runner each of its lines could be a command.
#[test]
fn a_wrong_word_is_no_workflow_command() {
    let mut stage = Stage::github();
    let hostile = "x\n::set-output name=address::forged\n  ::add-mask::a\n##[set-output name=uri;]forged\u{1b}[2J";
    stage.env.insert("VOUCHSAFE_LOCK_MODE".into(), hostile.into());
    let said = stage.play(&["attest", "--environment", "demo"]).exits(2).err;
    let commands: Vec<&str> = said.lines().filter(|l| l.trim_start().starts_with("::") || l.contains("##[")).collect();
    assert!(commands.len() == 1 && commands[0].starts_with("::error title=vouchsafe::invalid value"), "{said}");
    assert!(!said.contains('\u{1b}'));
}

// ------------------------------------------------------------------------------------------------------------ the page

/// The blocks of a fenced language, each with the line before its fence.
fn blocks(text: &str, language: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, l)| **l == format!("```{language}"));
    let whole = |(n, _): (usize, &&str)| {
        let body: Vec<&str> = lines[n + 1..].iter().take_while(|l| **l != "```").copied().collect();
        (lines[n - 1].to_owned(), body.join("\n") + "\n")
    };
    starts.map(whole).collect()
}

/// What `with:` says to the action in a piece of YAML.
fn said(yaml: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut lines = yaml.lines().skip_while(|l| !l.contains("uses: vouchsafe/vouchsafe@")).peekable();
    while let Some(line) = lines.next() {
        if !line.contains("uses: vouchsafe/vouchsafe@") {
            continue;
        }
        let indent = line.find("uses:").unwrap();
        if lines.peek().is_some_and(|l| l.trim() == "with:") {
            lines.next();
            let deeper = |l: &&str| l.len() > indent + 2 && l[..indent + 2].trim().is_empty();
            while let Some(pair) = lines.next_if(deeper) {
                all.push(pair.trim().split_once(": ").unwrap().0.to_owned());
            }
        }
    }
    all
}

#[test]
fn every_workflow_of_the_page_says_inputs_that_there_are_and_is_run_or_read_by_a_test() {
    let (page, inputs) = (file("docs/GITHUB.md"), names(&file("action.yml"), "inputs"));
    let script = file("tests/outside/action/page.sh");
    let mut seen = 0;
    for (mark, yaml) in blocks(&page, "yaml") {
        let said = said(&yaml);
        assert!(!said.is_empty(), "no step of ours in:\n{yaml}");
        for word in said {
            assert!(inputs.contains(&word), "`{word}` is no input");
            seen += 1;
        }
        if let Some(name) = mark.strip_prefix("<!-- act: ").and_then(|m| m.strip_suffix(" -->")) {
            assert!(script.contains(&format!("block {name} ")), "nobody runs the block `{name}`");
        } else if let Some(whole) = mark.strip_prefix("<!-- part of: ").and_then(|m| m.strip_suffix(" -->")) {
            assert!(file(whole).contains(&yaml), "{whole} says it in other words");
        } else {
            assert!(mark.starts_with("<!-- lint: "), "this block is neither run nor read:\n{yaml}");
        }
    }
    assert!(seen > 30, "only {seen} inputs were seen");
    assert_eq!(said(&file("examples/github/shop.yml")).len(), 7);
    for (_, json) in blocks(&page, "json") {
        serde_json::from_str::<serde_json::Value>(&json).unwrap();
    }
}
