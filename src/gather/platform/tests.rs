//! `fixtures/platforms/<platform>.<case>.env` beside `<platform>.<case>.expected.json`: a new case is two files.

use super::*;
use crate::record::parts_v1::Outcome;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/platforms");

/// `NAME=value` lines; `#` begins a remark; `fixture:` in front of a value stands for this folder.
fn snapshot(path: &Path) -> Env {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(|line| {
        let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("{line}"));
        let value = value.strip_prefix("fixture:").map_or(value.to_owned(), |file| format!("{FOLDER}/{file}"));
        (name.to_owned(), value)
    });
    Env::new(lines.collect())
}

fn cases() -> Vec<(String, Env)> {
    let mut cases: Vec<_> = std::fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "env"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), snapshot(&path)))
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(cases.len() >= 30, "{}", cases.len());
    cases
}

/// The platform is in the file's name, the facts in the file beside it. To accept a change, paste what is printed.
#[test]
fn every_snapshot_gives_the_facts_beside_it() {
    let mut wrong = String::new();
    for (case, env) in cases() {
        let platform = detect(&env);
        assert_eq!(Some(platform.name), case.split('.').next(), "{case}");
        let got = serde_json::to_string_pretty(&platform.read(&env)).unwrap() + "\n";
        let want = std::fs::read_to_string(format!("{FOLDER}/{case}.expected.json")).unwrap_or_default();
        if got != want {
            wrong += &format!("=== {case}.expected.json\n{got}");
        }
    }
    assert!(wrong.is_empty(), "these facts are not the expected ones:\n{wrong}=== end");
}

#[test]
fn every_platform_has_a_snapshot() {
    let seen: BTreeSet<_> = cases().iter().map(|(_, env)| detect(env).name).collect();
    assert_eq!(seen, PLATFORMS.iter().map(|p| p.name).collect());
}

/// Paths of all facts in serialised facts, `run.id`; lists count as one fact.
fn paths(value: &serde_json::Value, at: &str, out: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                paths(value, &if at.is_empty() { name.clone() } else { format!("{at}.{name}") }, out);
            }
        }
        serde_json::Value::Null => {}
        _ => {
            out.insert(at.to_owned());
        }
    }
}

/// The law of this folder: no fact without its source, no source without its fact.
#[test]
fn every_fact_names_its_source() {
    for (case, env) in cases() {
        let facts = detect(&env).read(&env);
        let mut found = BTreeSet::new();
        paths(&serde_json::to_value(&facts).unwrap(), "", &mut found);
        // how we know the operator is no fact about them; the first attempt and an unknown outcome are nobody's claim
        let silent = ["provenance", "completeness", "warnings", "via", "operator.how", "run.attempt", "run.outcome"];
        let found: BTreeSet<_> = found
            .into_iter()
            .map(|path| path.replace("commitWithoutId.", "commit.").replace("pullRequest.", "changes.pullRequest."))
            .filter(|path| !(silent.contains(&path.as_str()) || path == "run.platform" && case == "manual"))
            .filter(|path| path != "commit.sha" || facts.commit.is_some())
            .filter(|path| path != "run.id" || !facts.run.id.is_empty())
            .collect();
        let named: BTreeSet<_> = facts.provenance.iter().map(|p| p.fact.clone()).collect();
        let told: BTreeSet<_> = named.iter().filter(|f| !silent.contains(&f.as_str())).cloned().collect();
        assert_eq!(found, told, "{case}");
        assert_eq!(named.len(), facts.provenance.len(), "{case}: a fact has two sources: {:?}", facts.provenance);
        assert_eq!(named.contains("run.outcome"), facts.run.outcome != Outcome::Unknown, "{case}");
    }
}

/// What is a fact already must not be kept a second time.
#[test]
fn allow_lists_hold_no_facts() {
    for (case, env) in cases() {
        let platform = detect(&env);
        for source in platform.read(&env).provenance.iter().filter_map(|p| p.source.as_deref()) {
            // a derived fact names its sources, and is not the value of any of them
            let twice = !source.contains(", ") && platform.variables.contains(&source);
            assert!(!twice, "{case}: {source}");
        }
    }
}

#[test]
fn the_platforms_variables_alone_are_enough() {
    let sha = "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d";
    let pairs = [("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "7"), ("GITHUB_REPOSITORY", "a/b"), ("GITHUB_SHA", sha)];
    let env = Env::new(pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect());
    let facts = detect(&env).read(&env);
    assert_eq!((facts.run.platform.as_str(), facts.run.id.as_str(), facts.run.attempt), ("github", "7", 1));
    assert_eq!(facts.commit.unwrap().sha, sha);
    assert_eq!(facts.warnings, [""; 0]);
}

#[test]
fn detection_tells_the_lookalikes_apart() {
    let table = [
        ("GITHUB_ACTIONS=true GITEA_ACTIONS=true FORGEJO_ACTIONS=true", "forgejo"),
        ("GITHUB_ACTIONS=true GITEA_ACTIONS=true", "gitea"),
        ("GITHUB_ACTIONS=true CI=true", "github"),
        ("GITHUB_ACTIONS=false", "manual"),
        ("GITLAB_CI=true", "gitlab"),
        ("GITLAB_CI=false CI=true CI_PIPELINE_ID=1", "manual"),
        ("BITBUCKET_BUILD_NUMBER=1", "bitbucket"),
        ("BITBUCKET_BUILD_NUMBER=", "manual"),
        ("TF_BUILD=True", "azure"),
        ("JENKINS_URL=https://ci.example.com/", "jenkins"),
        ("BUILD_TAG=jenkins-shop-1", "jenkins"),
        ("BUILD_TAG=v1", "manual"),
        ("CIRCLECI=true", "circleci"),
        ("BUILDKITE=true", "buildkite"),
        ("CI=woodpecker", "woodpecker"),
        ("CI=drone DRONE=true", "drone"),
        ("CI=true", "manual"),
        ("", "manual"),
    ];
    for (text, want) in table {
        let pairs = text.split_ascii_whitespace().filter_map(|p| p.split_once('='));
        let env = Env::new(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect());
        assert_eq!(detect(&env).name, want, "{text}");
        assert_eq!(by_name(want).map(|p| p.name), Some(want));
    }
    assert!(by_name("travis").is_none());
}

#[test]
fn event_files_that_cannot_be_read_are_told_and_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event.json");
    let deep = "[".repeat(1 << 20);
    let big = format!("\"{}\"", "x".repeat(9 << 20));
    let table = ["", "hunter2", r#"{"before": ["hunter2"]}"#, "[\"hunter2\"]", "\"hunter2\"", &deep, &big];
    for (i, text) in table.iter().enumerate() {
        std::fs::write(&path, text).unwrap();
        let file = if i == 0 { folder.path().join("nowhere.json") } else { path.clone() };
        let pairs = [("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "7"), ("GITHUB_EVENT_PATH", file.to_str().unwrap())];
        let env = Env::new(pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect());
        let facts = detect(&env).read(&env);
        assert_eq!(facts.warnings.len(), 1, "{text:.40}");
        assert!(facts.completeness.iter().any(|c| c.section == "changes"), "{text:.40}");
        let said = format!("{:?}", facts);
        assert!(!said.contains("hunter2") && !said.contains(folder.path().to_str().unwrap()), "{said}");
    }
}

/// Odd values are left out with a warning that does not repeat them.
#[test]
fn odd_values_are_warned_of_and_never_quoted() {
    for name in ["GITHUB_SHA", "GITHUB_RUN_ATTEMPT", "GITHUB_REF_PROTECTED", "GITHUB_WORKFLOW_SHA"] {
        let pairs = [("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "7"), (name, "hunter2")];
        let env = Env::new(pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect());
        let facts = detect(&env).read(&env);
        assert_eq!(facts.warnings.len(), 1, "{name}");
        assert!(!format!("{facts:?}").contains("hunter2"), "{name}");
    }
    let pairs = [("GITLAB_CI", "true"), ("CI_JOB_STATUS", "hunter2"), ("CI_PIPELINE_CREATED_AT", "hunter2")];
    let env = Env::new(pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect());
    let facts = detect(&env).read(&env);
    assert_eq!((facts.warnings.len(), facts.run.outcome), (3, Outcome::Unknown), "{:?}", facts.warnings);
    assert!(!format!("{facts:?}").contains("hunter2"));
}

/// Every variable that any snapshot knows, for the properties below.
fn names() -> Vec<String> {
    let all = cases().into_iter().flat_map(|(_, env)| env.names().map(str::to_owned).collect::<Vec<_>>());
    all.collect::<BTreeSet<_>>().into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_environment_makes_any_platform_panic_or_overflow(
        values in prop::collection::vec((any::<prop::sample::Index>(), "\\PC{0,12}|[0-9]{1,12}|true|https://a:b@c/d|refs/pull/"), 0..60),
    ) {
        let names = names();
        let pairs: BTreeMap<_, _> = values.into_iter().map(|(i, v)| (i.get(&names).clone(), v)).collect();
        let env = Env::new(pairs);
        for platform in PLATFORMS {
            let facts = platform.read(&env);
            prop_assert!(facts.run.attempt >= 1);
            prop_assert!(facts.commit.is_none_or(|c| matches!(c.sha.len(), 40 | 64)));
            for address in [facts.run.url, facts.repository.and_then(|r| r.url)].into_iter().flatten() {
                prop_assert!(!address.starts_with("https://a:b@"), "{}", address);
            }
        }
    }
}
