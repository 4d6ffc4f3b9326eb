//! `--help` teaches: every command has an example or its exit codes, every flag says its twin.

use crate::stage::Stage;

const COMMANDS: &[&str] = &[
    "attest",
    "run",
    "collect",
    "review",
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
    "man",
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

#[test]
fn every_command_has_its_page() {
    let mut stage = Stage::new();
    stage.env.insert("SOURCE_DATE_EPOCH".into(), "1700000000".into());
    let top = stage.play(&["man"]).exits(0).out;
    assert!(top.contains(".TH vouchsafe 1 2023-11-14 \"vouchsafe "), "{top}");
    stage.play(&["man", "pages/man1"]).exits(0);
    for command in COMMANDS {
        let file = stage.dir.path().join(format!("pages/man1/vouchsafe-{}.1", command.replace(' ', "-")));
        let page = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert!(page.contains(".SH EXAMPLE") || page.contains(".SH EXIT STATUS"), "{command}: {page}");
        assert!(!page.contains(" --"), "{command}: a minus that cannot be copied\n{page}");
    }
    // the same day, the same bytes
    stage.play(&["man", "again"]).exits(0);
    let bytes = |dir: &str| std::fs::read(stage.dir.path().join(format!("{dir}/vouchsafe-attest.1"))).unwrap();
    assert_eq!(bytes("pages/man1"), bytes("again"));
    std::fs::write(stage.dir.path().join("a-file"), "").unwrap();
    stage.play(&["man", "a-file"]).exits(1);
}
