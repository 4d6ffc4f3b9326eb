//! Stories of the ledger: compacted, proven, mended, anchored.

use crate::stage::{GREEN, Stage};
use serde_json::{Value, json};

/// A stage on which so many runs were attested, and its public key in `public.pem`.
fn attested(runs: usize) -> Stage {
    let stage = Stage::new();
    for run in 0..runs {
        stage.play(&["attest", "-e", "prod", "--run-id", &format!("r{run}"), "--outcome", "success"]).exits(0);
    }
    let pem = stage.play(&["key", "show", "--pem"]).exits(0).out;
    stage.write("public.pem", pem);
    stage
}

fn slot(stage: &Stage, number: u64) -> std::path::PathBuf {
    stage.at(format!(".vouchsafe/ledger/env=prod/{:012}", 999_999_999_999 - number))
}

fn record(stage: &Stage, run: &str) -> String {
    let name = format!("run=manual-{run}-1/run.json");
    stage.records().into_iter().find(|address| address.ends_with(&name)).unwrap()
}

#[test]
fn compact_writes_tiles_once() {
    let stage = attested(5);
    let first = stage.play(&["ledger", "compact", "--json"]).exits(0).json();
    assert_eq!((&first["environment"], &first["size"], &first["written"]), (&json!("prod"), &json!(5), &json!(3)));
    let tiles = |stage: &Stage| -> Vec<String> {
        let all = stage.files(".vouchsafe/ledger/env=prod").into_iter();
        all.filter(|f| f.contains('/') && !f.ends_with(".tags")).collect()
    };
    assert_eq!(tiles(&stage), ["checkpoints/000000000005", "tile/0/000.p/5", "tile/entries/000.p/5"]);
    let again = stage.play(&["ledger", "compact", "-e", "prod", "--check"]).exits(0);
    assert!(again.err.contains("prod: 5 leaves, 0 tiles written, 3 stood there already"), "{}", again.err);
    stage.play(&["attest", "-e", "prod", "--run-id", "more"]).exits(0);
    stage.play(&["attest", "-e", "other", "--run-id", "more"]).exits(0);
    let all = stage.play(&["ledger", "compact", "--json"]).exits(0).json_lines();
    assert_eq!(all.iter().map(|l| l["written"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 3]);
    // Everything still reads: tiles stand beside the slots.
    stage.play(&["verify"]).exits(0);
    stage.play(&["attest", "-e", "prod", "--run-id", "after"]).exits(0);
}

#[test]
fn compact_writes_nothing_of_a_broken_ledger_and_names_what_is_no_tile() {
    let stage = attested(4);
    std::fs::write(stage.at(".vouchsafe/ledger/env=prod/tile"), "x").unwrap();
    stage.play(&["ledger", "compact"]).exits(1);
    std::fs::remove_file(stage.at(".vouchsafe/ledger/env=prod/tile")).unwrap();
    stage.write(".vouchsafe/ledger/env=prod/tile/0/000.p/4", "x");
    let wrong = stage.play(&["ledger", "compact", "--json"]).exits(3);
    assert_eq!(wrong.json()["wrong"], json!(["ledger/env=prod/tile/0/000.p/4"]));
    std::fs::remove_file(slot(&stage, 2)).unwrap();
    let broken = stage.play(&["ledger", "compact"]).exits(3);
    assert!(broken.err.contains("slot 2 of ledger/env=prod/ is missing"), "{}", broken.err);
    let empty = Stage::new();
    assert!(empty.play(&["ledger", "compact"]).exits(1).err.contains("no key is trusted"));
    let none = stage.play(&["ledger", "compact", "-e", "nowhere"]).exits(1);
    assert!(none.err.contains("there is no ledger in ledger/env=nowhere/"), "{}", none.err);
    let other = stage.play(&["key", "new", "--output", "other.pem"]).exits(0);
    stage.write("other.pub", other.out);
    let stranger = stage.play(&["ledger", "compact", "--key", "other.pub"]).exits(3);
    assert!(stranger.err.contains("--key PUBLIC.pem"), "{}", stranger.err);
}

#[test]
fn a_proof_is_checked_with_the_public_key_and_nothing_else() {
    let stage = attested(11);
    let address = record(&stage, "r7");
    stage.play(&["show", "r7", "--proof", "r7.tlog-proof"]).exits(0);
    let text = std::fs::read_to_string(stage.at("r7.tlog-proof")).unwrap();
    assert_eq!(stage.play(&["show", &address, "--proof"]).exits(0).out, text, "the same on standard output");
    // Somewhere else, where there is no vault and no trust.
    let away = Stage::new();
    away.write("r7.tlog-proof", &text);
    away.write("record.json", std::fs::read(stage.at(".vouchsafe").join(&address)).unwrap());
    away.write("public.pem", std::fs::read(stage.at("public.pem")).unwrap());
    away.play(&["verify", "r7.tlog-proof"]).exits(1);
    let told = away.play(&["verify", "r7.tlog-proof", "--key", "public.pem"]).exits(0);
    for words in ["valid", &address, "leaf      7 of 11", "vouchsafe.dev/ledger/"] {
        assert!(told.out.contains(words), "{words}: {}", told.out);
    }
    let words = ["verify", "record.json", "--proof", "r7.tlog-proof", "--key", "public.pem", "--json"];
    let proven = away.play(&words).exits(0).json();
    assert_eq!(
        (&proven["verdict"], &proven["address"], &proven["index"]),
        (&json!("valid"), &json!(address), &json!(7))
    );
    assert_eq!(proven["environment"], "prod");
    away.play(&["verify", "record.json", "--proof", "gone", "--key", "public.pem"]).exits(1);
}

#[test]
fn whatever_is_wrong_with_a_proof_is_told_and_exits_3() {
    let stage = attested(11);
    stage.play(&["show", "r7", "--proof", "good"]).exits(0);
    stage.play(&["show", "r8", "--proof", "other"]).exits(0);
    let (good, other) = ["good", "other"].map(|f| std::fs::read_to_string(stage.at(f)).unwrap()).into();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (ours, theirs) = (lines(&good), lines(&other));
    let with = |n: usize, line: &str| {
        let mut bent = ours.clone();
        bent[n] = line.to_owned();
        bent.join("\n") + "\n"
    };
    let size = ours.iter().position(|line| line == "11").unwrap();
    let table = [
        ("another leaf", with(1, &theirs[1]), "invalid", "do not lead to the root"),
        ("another place", with(2, "index 8"), "invalid", "do not lead to the root"),
        ("a bent hash", with(3, &theirs[4]), "invalid", "do not lead to the root"),
        ("another size", with(size, "12"), "invalid", "does not hold"),
        ("no hash", with(3, "!"), "invalid", "cannot be read"),
        ("only the beginning", ours[..2].join("\n"), "invalid", "cannot be read"),
    ];
    for (what, text, verdict, says) in table {
        stage.write("bent", &text);
        let told = stage.play(&["verify", "bent", "--key", "public.pem", "--json"]).exits(3).json();
        assert_eq!(told["verdict"], verdict, "{what}: {told}");
        assert!(told["why"].as_str().unwrap().contains(says), "{what}: {told}");
    }
    let key = stage.play(&["key", "new", "--output", "other.pem"]).exits(0).out;
    stage.write("other.pub", key);
    let told = stage.play(&["verify", "good", "--key", "other.pub", "--json"]).exits(3).json();
    assert_eq!(told["verdict"], "untrusted");
    // A proof and a record that do not belong together.
    let r8 = std::fs::read(stage.at(".vouchsafe").join(record(&stage, "r8"))).unwrap();
    stage.write("r8.json", &r8);
    let told = stage.play(&["verify", "r8.json", "--proof", "good", "--key", "public.pem"]).exits(3);
    assert!(told.out.contains("it proves another record"), "{}", told.out);
    stage.play(&["verify", "r8.json", "--proof", "other", "--key", "public.pem"]).exits(0);
    let mut bent = r8.clone();
    bent.push(b' ');
    stage.write("r8.json", &bent);
    stage.play(&["verify", "r8.json", "--proof", "other", "--key", "public.pem"]).exits(3);
    stage.write("r8.json", "{}");
    stage.play(&["verify", "r8.json", "--proof", "other", "--key", "public.pem"]).exits(3);
}

#[test]
fn no_proof_of_what_is_not_logged() {
    let stage = attested(3);
    std::fs::remove_file(slot(&stage, 2)).unwrap();
    let none = stage.play(&["show", "r2", "--proof", "p"]).exits(1);
    assert!(none.err.contains("no leaf of the ledger of `prod` names") && none.err.contains("adopt"), "{}", none.err);
    std::fs::remove_file(slot(&stage, 0)).unwrap();
    stage.play(&["show", "r1", "--proof", "p"]).exits(3);
    assert!(!stage.at("p").exists());
}
