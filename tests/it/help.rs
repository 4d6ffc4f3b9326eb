//! `--help` teaches: every command has an example or its exit codes, every flag says its twin.

use crate::stage::Stage;

const COMMANDS: &[&str] = &[
    "attest",
    "run",
    "verify",
    "list",
    "show",
    "inspect",
    "doctor",
    "key new",
    "key show",
    "key trust",
    "ledger show",
    "ledger compact",
    "ledger adopt",
    "ledger anchor",
    "schema",
    "completions",
];

#[test]
fn every_command_explains_itself() {
    let stage = Stage::new();
    let top = stage.play(&["--help"]).exits(0).out;
    for command in COMMANDS {
        let mut words: Vec<&str> = command.split(' ').collect();
        assert!(top.contains(words[0]), "{command} is not in --help");
        words.push("--help");
        let help = stage.play(&words).exits(0).out;
        assert!(help.contains("Example") || help.contains("Exit codes"), "{command}: {help}");
        let options = help.split_once("Options:").map_or("", |(_, options)| options);
        let options = options.split("\nExample").next().unwrap().split("\nExit codes").next().unwrap();
        let flags = options.lines().filter(|l| l.trim_start().starts_with("--") || l.trim_start().starts_with('-'));
        let flags: Vec<&str> = flags.filter_map(|l| l.split_whitespace().find(|w| w.starts_with("--"))).collect();
        for flag in flags.iter().filter(|f| **f != "--help") {
            let twin = format!(
                "VOUCHSAFE_{}",
                flag.trim_start_matches("--").trim_end_matches(',').replace('-', "_").to_uppercase()
            );
            assert!(help.replace("\n", " ").contains(&twin), "{command} {flag} does not say {twin}:\n{help}");
        }
    }
    assert!(stage.play(&["--version"]).exits(0).out.starts_with("vouchsafe "));
}

#[test]
fn completions_are_scripts() {
    for (shell, says) in [("bash", "_vouchsafe"), ("zsh", "#compdef vouchsafe"), ("fish", "complete -c vouchsafe")] {
        assert!(Stage::new().play(&["completions", shell]).exits(0).out.contains(says), "{shell}");
    }
    Stage::new().play(&["completions", "cmd.exe"]).exits(2);
}
