//! Nothing is lost: what could not be delivered waits, signed, and is delivered once.

use crate::stage::Stage;
use chrono::TimeDelta;

/// The leaves of an environment's ledger, in order, as JSON.
fn leaves(stage: &Stage, vault: &str, environment: &str) -> Vec<serde_json::Value> {
    use base64::Engine as _;
    let folder = format!("{vault}/ledger/env={environment}");
    let mut slots = stage.files(&folder);
    slots.retain(|f| f.len() == 12 && f.bytes().all(|b| b.is_ascii_digit()));
    slots.sort();
    let mut out = Vec::new();
    for slot in slots.iter().rev() {
        let slot: serde_json::Value =
            serde_json::from_slice(&std::fs::read(stage.at(&folder).join(slot)).unwrap()).unwrap();
        for leaf in slot["leaves"].as_array().unwrap() {
            let bytes = base64::engine::general_purpose::STANDARD.decode(leaf.as_str().unwrap()).unwrap();
            out.push(serde_json::from_slice(&bytes).unwrap());
        }
    }
    out
}

fn waiting(stage: &Stage) -> usize {
    stage.files(".vouchsafe-spool").iter().filter(|f| f.ends_with(".json")).count()
}

#[test]
fn a_store_that_does_not_answer_and_a_later_flush() {
    let mut stage = Stage::new();
    stage.play(&["key", "new"]).exits(0);
    let key = stage.at("home/.config/vouchsafe/signing-key.pem").display().to_string();
    for (name, value) in
        [("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:9")]
    {
        stage.env.insert(name.into(), value.into());
    }
    let words = ["attest", "-e", "prod", "--run-id", "7", "--vault", "s3://evidence", "--signing-key", &key];
    let played = stage.play(&words).exits(6);
    assert!(played.err.contains("vouchsafe flush"), "{}", played.err);
    assert_eq!(waiting(&stage), 1);
    // The store is still away: it stays, and is told.
    let still = stage.play(&["flush", "--signing-key", &key]).exits(6);
    assert!(still.err.contains("could not store") || still.err.contains("127.0.0.1:9"), "{}", still.err);
    assert_eq!(waiting(&stage), 1);

    stage.now += TimeDelta::hours(50);
    let done = stage.play(&["flush", "--vault", "v", "--json"]).exits(0).json_lines();
    assert_eq!((done.len(), &done[0]["delivered"], &done[0]["late"]), (1, &true.into(), &"2 d 2 h".into()));
    assert_eq!(waiting(&stage), 0);
    let leaves = leaves(&stage, "v", "prod");
    assert_eq!((leaves.len(), &leaves[0]["via"]), (1, &"spool".into()));
    assert_ne!(leaves[0]["recordedOn"], leaves[0]["loggedOn"], "the delay is in the ledger");
    let again = stage.play(&["flush"]).exits(0);
    assert!(again.err.contains("nothing waits"), "{}", again.err);
}

#[test]
fn credentials_that_are_not_there_do_not_cost_the_record() {
    let mut stage = Stage::new();
    stage.play(&["key", "new"]).exits(0);
    stage.env.insert("AWS_EC2_METADATA_DISABLED".into(), "true".into());
    let key = stage.at("home/.config/vouchsafe/signing-key.pem").display().to_string();
    let played = stage.play(&["attest", "-e", "p", "--vault", "s3://evidence", "--signing-key", &key]).exits(6);
    assert!(played.err.contains("AWS_ACCESS_KEY_ID"), "{}", played.err);
    assert_eq!(waiting(&stage), 1);
}

#[test]
fn the_next_attest_delivers_what_waits() {
    let stage = Stage::new();
    stage.write("v/evidence", "a file where a folder has to be");
    stage.play(&["attest", "-e", "prod", "--run-id", "1", "--vault", "v"]).exits(6);
    stage.play(&["attest", "-e", "prod", "--run-id", "2", "--vault", "v"]).exits(6);
    assert_eq!(waiting(&stage), 2);
    std::fs::remove_file(stage.at("v/evidence")).unwrap();
    // Another vault has nothing to do with it.
    stage.play(&["attest", "-e", "prod", "--run-id", "9", "--vault", "other"]).exits(0);
    assert_eq!(waiting(&stage), 2);
    let third = stage.play(&["attest", "-e", "prod", "--run-id", "3", "--vault", "v"]).exits(0);
    assert_eq!(third.err.matches("delivered from the spool").count(), 2, "{}", third.err);
    assert_eq!(waiting(&stage), 0);
    let leaves = leaves(&stage, "v", "prod");
    let via: Vec<_> = leaves.iter().map(|l| l["via"].as_str().unwrap()).collect();
    assert_eq!(via, ["attest", "spool", "spool"]);
}

#[test]
fn a_ledger_that_cannot_be_written_does_not_stop_the_record() {
    let stage = Stage::new();
    stage.write("v/ledger", "a file where a folder has to be");
    let played = stage.play(&["attest", "-e", "prod", "--run-id", "1", "--vault", "v", "--json"]).exits(6);
    assert!(played.err.contains("the record is stored, but the ledger does not name it yet"), "{}", played.err);
    let receipt = played.json();
    assert_eq!(receipt["ledger"], serde_json::Value::Null);
    assert!(stage.at(format!("v/{}", receipt["address"].as_str().unwrap())).is_file());
    std::fs::remove_file(stage.at("v/ledger")).unwrap();
    stage.play(&["flush"]).exits(0);
    let told = leaves(&stage, "v", "prod");
    assert_eq!((told.len(), &told[0]["sha256"]), (1, &receipt["sha256"]));
    // The same step again meets its own record and adds no second leaf.
    stage.play(&["attest", "-e", "prod", "--run-id", "1", "--vault", "v"]).exits(0);
    assert_eq!(leaves(&stage, "v", "prod").len(), 1);
}

#[test]
fn what_is_damaged_is_told_and_stays() {
    let stage = Stage::new();
    stage.write("v/evidence", "a file where a folder has to be");
    stage.play(&["attest", "-e", "prod", "--run-id", "1", "--vault", "v"]).exits(6);
    let bundle = stage.files(".vouchsafe-spool").into_iter().find(|f| f.ends_with(".json")).unwrap();
    let bundle = format!(".vouchsafe-spool/{bundle}");
    let mut bytes = std::fs::read(stage.at(&bundle)).unwrap();
    bytes.pop();
    stage.write(&bundle, bytes);
    std::fs::remove_file(stage.at("v/evidence")).unwrap();
    let played = stage.play(&["flush"]).exits(6);
    assert!(played.err.contains("still in"), "{}", played.err);
    assert_eq!(waiting(&stage), 1);
    // It does not stand in the way of what is whole.
    stage.play(&["attest", "-e", "prod", "--run-id", "2", "--vault", "v"]).exits(0);
}

#[test]
fn a_record_that_another_key_signed_is_not_delivered_unseen() {
    let stage = Stage::new();
    stage.write("v/evidence", "a file where a folder has to be");
    stage.play(&["attest", "-e", "prod", "--run-id", "1", "--vault", "v"]).exits(6);
    std::fs::remove_file(stage.at("v/evidence")).unwrap();
    std::fs::remove_file(stage.at("v/trust.json")).unwrap();
    stage.play(&["key", "show", "--pem"]).exits(0);
    std::fs::rename(stage.at("home/.config/vouchsafe"), stage.at("home/old")).unwrap();
    let played = stage.play(&["flush"]).exits(6);
    assert!(played.err.contains("--key"), "{}", played.err);
    let other = stage.at("home/old/signing-key.pem").display().to_string();
    stage.play(&["flush", "--signing-key", &other]).exits(0);
    assert_eq!(waiting(&stage), 0);
}

#[test]
fn a_bundle_that_was_carried_here_by_hand_is_labelled_by_the_flush() {
    let stage = Stage::new();
    stage.play(&["attest", "-e", "prod", "--run-id", "1", "--vault", "v", "--output", "bundle.json"]).exits(0);
    let bytes = std::fs::read(stage.at("bundle.json")).unwrap();
    let name =
        stage.play(&["verify", "bundle.json", "--trust", "v/trust.json", "--json"]).exits(0).json_lines()[0]["sha256"]
            .clone();
    stage.write(&format!(".vouchsafe-spool/{}.json", name.as_str().unwrap()), bytes);
    let unsure = stage.play(&["flush"]).exits(6);
    assert!(unsure.err.contains("say --vault"), "{}", unsure.err);
    stage.play(&["flush", "--vault", "w", "--trust", "v/trust.json"]).exits(0);
    assert_eq!(leaves(&stage, "w", "prod").len(), 1);
}
