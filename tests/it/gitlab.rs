//! GitLab's template, its component and the pages keep their word: the component is the template with inputs, and each variable
//! that they name is one. What a pipeline makes of them is found by tests/outside/gitlab and tests/outside/platforms.

use crate::stage::Stage;
use std::collections::BTreeSet;

/// Variables of the template itself, and what `--dotenv` writes: no twins of flags.
const OWN: &[&str] = &[
    "VOUCHSAFE_JOB_IMAGE",
    "VOUCHSAFE_VERSION",
    "VOUCHSAFE_BIN",
    "VOUCHSAFE_BIN_URL",
    "VOUCHSAFE_BIN_SHA256",
    "VOUCHSAFE_AWS_ID_TOKEN",
    "VOUCHSAFE_PASSPHRASE",
    "VOUCHSAFE_RECORD_ADDRESS",
    "VOUCHSAFE_RECORD_URI",
    "VOUCHSAFE_RECORD_SHA256",
    "VOUCHSAFE_RECORD_OUTCOME",
    "VOUCHSAFE_RECORD_BUNDLE_PATH",
];

/// Inputs that are no variables.
const NO_VARIABLES: &[&str] = &["name", "stage", "rules", "job-image"];

const VARIABLES: &str = "    GIT_STRATEGY: fetch\n";

fn file(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The twins that the program itself documents.
fn twins() -> BTreeSet<String> {
    let stage = Stage::new();
    let mut twins = BTreeSet::new();
    for command in ["attest", "run", "flush"] {
        let help = stage.play(&[command, "--help"]).exits(0).out;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        twins.extend(help.split("[env: ").skip(1).map(|rest| rest.split(']').next().unwrap().to_owned()));
    }
    twins
}

/// Every VOUCHSAFE_… word.
fn variables(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
    words.filter(|w| w.starts_with("VOUCHSAFE_") && !w.ends_with('_')).map(str::to_owned).collect()
}

/// Names of the component's inputs.
fn inputs(header: &str) -> Vec<&str> {
    let below = header.split("\n  inputs:\n").nth(1).unwrap();
    let keys = below.lines().filter_map(|l| l.strip_prefix("    ")?.strip_suffix(':'));
    keys.filter(|k| !k.starts_with(' ')).collect()
}

/// The one source is the template; the component is made from it. To make it again after a change of the template:
/// `VOUCHSAFE_WRITE_COMPONENT=1 cargo test --test it gitlab`.
#[test]
fn the_component_is_the_template_with_inputs() {
    let component = file("templates/attest.yml");
    let (header, body) = component.split_once("\n---\n").unwrap();
    let template = file(".gitlab-ci-template.yml");
    let start = template.find("\n.vouchsafe:\n").unwrap() + 1;
    let mut made = template[start..].to_owned();
    let settings = inputs(header).into_iter().filter(|i| !NO_VARIABLES.contains(i));
    let settings: String = settings
        .map(|i| format!("    VOUCHSAFE_{}: '$[[ inputs.{i} ]]'\n", i.replace('-', "_").to_uppercase()))
        .collect();
    for (from, to) in [
        (".vouchsafe:\n  stage: .post\n", ".$[[ inputs.name ]]:\n  stage: $[[ inputs.stage ]]\n"),
        ("name: $VOUCHSAFE_JOB_IMAGE", "name: $[[ inputs.job-image ]]"),
        ("  rules:\n    - if: $CI_PIPELINE_SOURCE\n", "  rules: $[[ inputs.rules ]]\n"),
        (VARIABLES, &format!("{VARIABLES}{settings}")),
        ("\n.vouchsafe:program:", "\n.$[[ inputs.name ]]:program:"),
        ("[.vouchsafe:program, script]", "[\".$[[ inputs.name ]]:program\", script]"),
        ("\nvouchsafe:success:", "\n$[[ inputs.name ]]:success:"),
        ("\nvouchsafe:failure:", "\n$[[ inputs.name ]]:failure:"),
        ("extends: .vouchsafe\n", "extends: .$[[ inputs.name ]]\n"),
    ] {
        assert!(made.contains(from), "the template has no {from:?} any more");
        made = made.replace(from, to);
    }
    if option_env!("VOUCHSAFE_WRITE_COMPONENT").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/attest.yml");
        std::fs::write(path, format!("{header}\n---\n{made}")).unwrap();
    }
    let differs = body.lines().zip(made.lines()).find(|(is, should)| is != should);
    let again = "VOUCHSAFE_WRITE_COMPONENT=1 cargo test --test it gitlab makes it again";
    assert_eq!(differs, None, "{again}");
    assert_eq!(body.len(), made.len(), "{again}");
}

#[test]
fn every_variable_of_template_component_pages_and_examples_is_one() {
    let known = twins();
    let mut seen = BTreeSet::new();
    let mut texts = vec![
        file(".gitlab-ci-template.yml"),
        file("templates/attest.yml"),
        file("docs/GITLAB.md"),
        file("docs/PLATFORMS.md"),
    ];
    for folder in ["examples/gitlab", "examples/platforms", "examples/shop"] {
        let entries = std::fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        texts.extend(entries.map(|e| std::fs::read_to_string(e.unwrap().path()).unwrap()));
    }
    assert!(texts.len() > 20, "the examples are not where they were");
    for text in texts {
        seen.extend(variables(&text));
    }
    for name in &seen {
        assert!(known.contains(name) || OWN.contains(&name.as_str()), "{name} is no flag's twin");
    }
    // A setting of the template that is a flag's twin, too, would mean two things.
    for own in OWN.iter().filter(|o| **o != "VOUCHSAFE_PASSPHRASE") {
        assert!(!known.contains(*own), "{own} is a flag's twin");
        assert!(seen.contains(*own), "{own} is said nowhere");
    }
}

#[test]
fn the_inputs_that_are_variables_are_flags_of_attest() {
    let component = file("templates/attest.yml");
    let known = twins();
    let inputs = inputs(component.split_once("\n---\n").unwrap().0);
    assert!(inputs.len() > 15, "{inputs:?}");
    for input in inputs.iter().filter(|i| !NO_VARIABLES.contains(i)) {
        let name = format!("VOUCHSAFE_{}", input.replace('-', "_").to_uppercase());
        assert!(known.contains(&name) || OWN.contains(&name.as_str()), "{input}");
    }
}

#[test]
fn every_file_that_the_pages_link_is_there() {
    for page in ["docs/GITLAB.md", "docs/PLATFORMS.md"] {
        let text = file(page);
        let links: Vec<&str> = text.split("](../").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
        assert!(links.len() >= 2, "{page}");
        for link in links {
            let path = format!("{}/{link}", env!("CARGO_MANIFEST_DIR"));
            assert!(std::path::Path::new(&path).exists(), "{page}: {link}");
        }
    }
}
