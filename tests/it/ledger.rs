//! Stories of the ledger: compacted, proven, mended, anchored.

use crate::stage::Stage;
use serde_json::json;

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
    stage.play(&["show", "--proof", &address]).exits(2);
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

fn checkpoint_size(note: &str) -> u64 {
    note.lines().nth(1).unwrap().parse().unwrap()
}

/// A record whose step was killed before the ledger's entry.
fn orphan(stage: &Stage, run: &str) -> String {
    let receipt = stage.play(&["attest", "-e", "prod", "--run-id", run, "--json"]).exits(0).json();
    std::fs::remove_file(slot(stage, receipt["ledger"]["slot"].as_u64().unwrap())).unwrap();
    receipt["address"].as_str().unwrap().to_owned()
}

#[test]
fn adopt_names_what_no_entry_names_after_a_while() {
    let mut stage = attested(2);
    let address = orphan(&stage, "lost");
    let young = stage.play(&["ledger", "adopt", "--json"]).exits(0).json_lines();
    assert_eq!((&young[0]["fate"], &young[0]["address"]), (&json!("young"), &json!(address)));
    stage.now += chrono::TimeDelta::minutes(16);
    let dry = stage.play(&["ledger", "adopt", "--dry-run"]).exits(4);
    assert!(dry.out.starts_with("orphan") && dry.out.contains(&address), "{}", dry.out);
    let adopted = stage.play(&["ledger", "adopt", "--json"]).exits(0).json_lines();
    assert_eq!(adopted[0]["fate"], "adopted");
    assert_eq!((&adopted[1]["summary"]["adopted"], &adopted[1]["summary"]["ledger"]["slot"]), (&json!(1), &json!(2)));
    let again = stage.play(&["ledger", "adopt"]).exits(0);
    assert!(again.err.contains("prod: 0 adopted") && again.out.is_empty(), "{}", again.err);
    stage.play(&["show", "lost", "--proof", "p"]).exits(0);
    let proven = stage.play(&["verify", "p", "--key", "public.pem", "--json"]).exits(0).json();
    assert_eq!(proven["via"], "adopt");
    assert_eq!(proven["keepUntil"], "2027-12-28T10:00:00Z", "as attest would have said");
    // The step itself, run again, finds its record in the ledger.
    stage.now -= chrono::TimeDelta::minutes(16);
    let twice = stage.play(&["attest", "-e", "prod", "--run-id", "lost", "--json"]).exits(0).json();
    assert_eq!((&twice["stored"], &twice["ledger"]["slot"]), (&json!("sameClaims"), &json!(2)));
}

#[test]
fn adopt_does_not_vouch_for_what_does_not_verify() {
    let mut stage = attested(1);
    stage.now += chrono::TimeDelta::hours(1);
    let address = record(&stage, "r0");
    let bytes = std::fs::read(stage.at(".vouchsafe").join(&address)).unwrap();
    stage.write(&format!(".vouchsafe/{}", address.replace("manual-r0", "manual-r9")), &bytes);
    let refused = stage.play(&["ledger", "adopt"]).exits(3);
    assert!(refused.out.contains("refused") && refused.out.contains("moved: belongs at"), "{}", refused.out);
    for bad in ["1", "-5m", "soon"] {
        stage.play(&["ledger", "adopt", &format!("--grace={bad}")]).exits(2);
    }
    assert!(Stage::new().play(&["ledger", "adopt"]).exits(1).err.contains("no signing key"));
}

#[test]
fn adopt_brings_a_record_from_a_file() {
    let stage = attested(1);
    stage.play(&["attest", "-e", "prod", "--run-id", "far", "--vault", "elsewhere", "--output", "far.json"]).exits(0);
    stage.play(&["ledger", "adopt", "--record", "far.json", "--dry-run"]).exits(0);
    let told = stage.play(&["ledger", "adopt", "--record", "far.json", "--json"]).exits(0).json();
    assert_eq!((&told["stored"], &told["ledger"]["slot"]), (&json!("created"), &json!(1)));
    let again = stage.play(&["ledger", "adopt", "--record", "far.json", "--json"]).exits(0).json();
    assert_eq!((&again["stored"], &again["ledger"]["slot"]), (&json!("alreadyThere"), &json!(1)));
    stage.write("bad.json", "{}");
    stage.play(&["ledger", "adopt", "--record", "bad.json"]).exits(3);
    stage.play(&["ledger", "adopt", "--record", "gone.json"]).exits(1);
}

#[test]
fn a_heartbeat_says_that_somebody_is_here_and_adopts_what_was_left() {
    let mut stage = Stage::github();
    let first = stage.play(&["attest", "--heartbeat", "-e", "prod", "--json"]).exits(0).json();
    assert_eq!(
        (&first["records"], &first["ledger"]["size"], &first["by"]),
        (&json!(0), &json!(1), &json!("github-4711-1"))
    );
    stage.play(&["attest", "-e", "prod", "--run-id", "a"]).exits(0);
    let lost = orphan(&stage, "b");
    stage.now += chrono::TimeDelta::days(1);
    let beat = stage.play(&["attest", "--heartbeat", "-e", "prod", "--json"]).exits(0).json();
    assert_eq!((&beat["records"], &beat["adopted"], &beat["ledger"]["size"]), (&json!(2), &json!(1), &json!(4)));
    assert!(beat["warnings"][0].as_str().unwrap().contains(&lost), "{beat}");
    assert_eq!(checkpoint_size(beat["ledger"]["checkpoint"].as_str().unwrap()), 4);
    stage.play(&["show", "b", "--proof", "p"]).exits(0);
    assert_eq!(stage.records().len(), 2, "a heartbeat is no record");
    stage.play(&["verify"]).exits(0);
    let told = stage.play(&["attest", "--heartbeat", "-e", "prod"]).exits(0);
    assert!(
        told.err.contains("still here, 2 records") && told.err.contains("\n— vouchsafe.dev/ledger/"),
        "{}",
        told.err
    );
}

#[test]
fn a_heartbeat_that_cannot_be_said_is_told_and_leaves_nothing() {
    let mut stage = Stage::new();
    stage.play(&["attest", "--heartbeat"]).exits(2);
    stage.play(&["attest", "--heartbeat", "-e", "prod", "--report", "x.xml"]).exits(2);
    stage.write("vouchsafe.toml", "[attest]\nreport = [\"x.xml\"]\n");
    stage.play(&["attest", "--heartbeat", "-e", "prod"]).exits(0);
    stage.write("file", "x");
    let lost = stage.play(&["attest", "--heartbeat", "-e", "prod", "--vault", "file"]).exits(1);
    assert!(lost.err.contains("could not say the heartbeat") && lost.err.contains("nothing waits"), "{}", lost.err);
    stage.env.insert("AWS_ENDPOINT_URL".into(), "http://127.0.0.1:1".into());
    stage.play(&["attest", "--heartbeat", "-e", "prod", "--vault", "s3://bucket"]).exits(1);
    assert!(!stage.at(".vouchsafe-spool").exists());
}

#[test]
fn show_tells_where_each_ledger_ends() {
    let stage = attested(3);
    stage.play(&["attest", "-e", "eu prod", "--run-id", "x"]).exits(0);
    let all = stage.play(&["ledger", "show", "--json"]).exits(0).json_lines();
    let told: Vec<_> = all.iter().map(|l| (l["environment"].as_str().unwrap(), l["size"].as_u64().unwrap())).collect();
    assert_eq!(told, [("eu prod", 1), ("prod", 3)]);
    let prod = &all[1];
    assert!(prod["vkey"].as_str().unwrap().starts_with(&format!("{}+", prod["origin"].as_str().unwrap())), "{prod}");
    assert_eq!((&prod["entries"], &prod["records"], &prod["compacted"]), (&json!(3), &json!(3), &json!(null)));
    stage.play(&["ledger", "compact"]).exits(0);
    let page = stage.play(&["ledger", "show", "-e", "prod"]).exits(0).out;
    for words in ["environment  prod", "size         3 leaves, 3 of them records", "compacted    at 3 leaves", "vkey "]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    stage.play(&["ledger", "show", "-e", "nowhere"]).exits(1);
    let key = stage.play(&["key", "new", "--output", "other.pem"]).exits(0).out;
    stage.write("other.pub", key);
    stage.play(&["ledger", "show", "--key", "other.pub"]).exits(3);
}

#[test]
fn checkpoints_are_anchored_in_files_folders_and_vaults() {
    let stage = attested(2);
    std::fs::create_dir(stage.at("folder")).unwrap();
    let vault = format!("file://{}", stage.at("second").display());
    for target in ["anchors.txt", "folder", &vault] {
        let first = stage.play(&["ledger", "anchor", "--output", target, "--json"]).exits(0).json();
        assert_eq!((&first["size"], &first["alreadyThere"]), (&json!(2), &json!(false)), "{target}");
        let again = stage.play(&["ledger", "anchor", "--output", target]).exits(0);
        assert!(again.err.contains("prod: stood there already at 2 leaves"), "{}", again.err);
    }
    let words = ["attest", "-e", "prod", "--run-id", "x", "--anchor", "anchors.txt", "--anchor", "folder", "--json"];
    let receipt = stage.play(&words).exits(0).json();
    let text = std::fs::read_to_string(stage.at("anchors.txt")).unwrap();
    let note = receipt["ledger"]["checkpoint"].as_str().unwrap();
    assert!(text.ends_with(&format!("\n\n{note}")), "{text}");
    assert_eq!(text.matches("— vouchsafe.dev/ledger/").count(), 2);
    let id = note.split('/').nth(2).unwrap();
    let anchors: Vec<_> = stage.files("folder/anchors").into_iter().filter(|f| !f.ends_with(".tags")).collect();
    assert_eq!(anchors, [2, 3].map(|n| format!("env=prod/{id}/{n:012}")));
    stage.play(&["attest", "--heartbeat", "-e", "prod", "--anchor", "anchors.txt"]).exits(0);
    assert_eq!(std::fs::read_to_string(stage.at("anchors.txt")).unwrap().matches("— vouchsafe").count(), 3);
}

#[test]
fn a_rewritten_ledger_is_a_fork_and_a_failing_anchor_does_not_stop_a_record() {
    let stage = attested(3);
    std::fs::create_dir(stage.at("folder")).unwrap();
    for target in ["anchors.txt", "folder"] {
        stage.play(&["ledger", "anchor", "--output", target]).exits(0);
    }
    // Whoever holds the key takes the newest entry away and writes another one.
    std::fs::remove_file(slot(&stage, 2)).unwrap();
    for target in ["anchors.txt", "folder"] {
        let words = ["attest", "-e", "prod", "--run-id", "other", "--anchor", target];
        let told = stage.play(&words).exits(0);
        assert!(
            told.err.contains("FORK") && told.err.contains("anchored then:\nvouchsafe.dev/ledger/"),
            "{}",
            told.err
        );
        std::fs::remove_file(slot(&stage, 2)).unwrap();
    }
    stage.play(&["attest", "-e", "prod", "--run-id", "other"]).exits(0);
    for target in ["anchors.txt", "folder"] {
        let fork = stage.play(&["ledger", "anchor", "--output", target]).exits(3);
        assert_eq!(fork.err.matches("— vouchsafe.dev/ledger/").count(), 2, "both are shown: {}", fork.err);
    }
    stage.write("file", "x");
    let failing = stage.play(&["attest", "-e", "prod", "--run-id", "more", "--anchor", "file/below"]).exits(0);
    assert!(failing.err.contains("warning: the checkpoint is not anchored at file/below"), "{}", failing.err);
    stage.play(&["ledger", "anchor", "--output", "file/below"]).exits(1);
}

#[test]
fn verify_takes_all_of_it_and_believes_the_anchors() {
    let mut stage = attested(3);
    std::fs::create_dir(stage.at("folder")).unwrap();
    for target in ["anchors.txt", "folder"] {
        stage.play(&["ledger", "anchor", "--output", target]).exits(0);
    }
    stage.play(&["ledger", "compact"]).exits(0);
    orphan(&stage, "lost");
    stage.now += chrono::TimeDelta::hours(1);
    stage.play(&["attest", "--heartbeat", "-e", "prod"]).exits(0);
    stage.play(&["ledger", "compact"]).exits(0);
    for target in ["anchors.txt", "folder"] {
        stage.play(&["verify", "--anchor", target]).exits(0);
    }
    // The newest entries and their records are taken away: only the anchors know.
    for number in 2..=4 {
        std::fs::remove_file(slot(&stage, number)).unwrap();
    }
    for run in ["r2", "lost"] {
        std::fs::remove_file(stage.at(".vouchsafe").join(record(&stage, run))).unwrap();
    }
    for target in ["anchors.txt", "folder"] {
        stage.play(&["verify", "--anchor", target]).exits(3);
    }
}
