//! Stories of checking: what holds, what does not, and that each answer says why.

use crate::stage::{GREEN, Stage};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

fn attested() -> (Stage, String, Vec<u8>) {
    let stage = Stage::github();
    stage.write("r.xml", GREEN);
    stage.play(&["attest", "-e", "production", "--report", "r.xml"]).exits(0);
    let (address, bytes) = stage.only_record();
    (stage, address, bytes)
}

fn put(stage: &Stage, address: &str, bytes: &[u8]) {
    stage.write(&format!(".vouchsafe/{address}"), bytes);
}

#[test]
fn one_changed_character_of_the_payload_is_found() {
    let (stage, address, bytes) = attested();
    let mut bundle: Value = serde_json::from_slice(&bytes).unwrap();
    let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let text = String::from_utf8(payload).unwrap().replace("\"passed\":2", "\"passed\":3");
    bundle["dsseEnvelope"]["payload"] = STANDARD.encode(text).into();
    put(&stage, &address, &serde_json::to_vec(&bundle).unwrap());
    let verified = stage.play(&["verify", "--json"]).exits(3);
    assert_eq!(verified.json_lines()[0]["verdict"], "invalid");
    stage.play(&["show"]).exits(3);
    let listed = stage.play(&["list", "--environment", "production", "--json"]).exits(3).json_lines();
    assert_eq!(listed.len(), 1, "what does not verify is listed too");
    assert!(listed[0].get("outcome").is_none(), "nothing of an invalid record is told as a fact");
}

#[test]
fn a_record_in_another_place_is_moved() {
    let (stage, address, bytes) = attested();
    put(&stage, &address.replace("env=production", "env=staging"), &bytes);
    let verified = stage.play(&["verify", "--json"]).exits(3).json_lines();
    let moved = verified.iter().find(|l| l["verdict"] == "moved").unwrap();
    assert!(moved["why"].as_str().unwrap().contains(&address), "{moved}");
    // The file alone, outside any vault, says nothing of place.
    stage.write("alone.json", &bytes);
    stage.play(&["key", "show", "--pem"]).exits(0);
    let pem = stage.play(&["key", "show", "--pem"]).exits(0).out;
    stage.write("public.pem", pem);
    stage.play(&["verify", "alone.json", "--key", "public.pem"]).exits(0);
}

#[test]
fn a_key_that_nobody_trusts_is_untrusted_and_named() {
    let (stage, _, bytes) = attested();
    stage.write("alone.json", &bytes);
    let none = stage.play(&["verify", "alone.json"]).exits(1);
    assert!(none.err.contains("--key PUBLIC.pem"), "{}", none.err);
    let other = stage.play(&["key", "new", "--output", "other.pem"]).exits(0);
    stage.write("other.pub", other.out);
    let untrusted = stage.play(&["verify", "alone.json", "--key", "other.pub", "--json"]).exits(3).json_lines();
    assert_eq!(untrusted[0]["verdict"], "untrusted");
    assert!(untrusted[0]["keyid"].as_str().unwrap().starts_with("SHA256:"), "{}", untrusted[0]);
}

#[test]
fn trust_has_windows_environments_and_revocation() {
    let (stage, _, _) = attested();
    let pem = stage.play(&["key", "show", "--pem"]).exits(0).out;
    stage.write("public.pem", pem);
    let keyid = stage.play(&["key", "show", "--json"]).exits(0).json()["keyid"].as_str().unwrap().to_owned();
    for (name, words, code) in [
        ("all", vec![], 0),
        ("right-environment", vec!["--environment", "production"], 0),
        ("wrong-environment", vec!["--environment", "staging"], 3),
        ("this-day", vec!["--valid-from", "2026-11-23", "--valid-until", "2026-11-23"], 0),
        ("too-early", vec!["--valid-from", "2026-11-24"], 3),
        ("too-late", vec!["--valid-until", "2026-11-22"], 3),
    ] {
        let file = format!("{name}.json");
        let mut add = vec!["key", "trust", "public.pem", "--trust", &file];
        add.extend(words);
        stage.play(&add).exits(0);
        stage.play(&["verify", "--trust", &file]).exits(code);
    }
    stage.play(&["key", "trust", "--revoke", &keyid, "--on", "2026-11-24", "--trust", "all.json"]).exits(0);
    stage.play(&["verify", "--trust", "all.json"]).exits(0);
    stage.play(&["key", "trust", "public.pem", "--trust", "late.json"]).exits(0);
    stage
        .play(&["key", "trust", "--revoke", &keyid, "--on", "2026-11-23", "--reason", "lost", "--trust", "late.json"])
        .exits(0);
    let revoked = stage.play(&["verify", "--trust", "late.json"]).exits(3);
    assert!(revoked.out.contains("revoked"), "{}", revoked.out);
}

#[test]
fn a_copy_of_the_vault_verifies_offline() {
    let (mut stage, address, bytes) = attested();
    stage.write(&format!("copy/{address}"), &bytes);
    for file in stage.files(".vouchsafe/ledger") {
        let bytes = std::fs::read(stage.at(".vouchsafe/ledger").join(&file)).unwrap();
        stage.write(&format!("copy/ledger/{file}"), bytes);
    }
    let pem = stage.play(&["key", "show", "--pem"]).exits(0).out;
    stage.write("public.pem", pem);
    stage.play(&["verify", "copy", "--key", "public.pem"]).exits(0);
    stage.play(&["verify", "--vault", "copy", "--key", "public.pem"]).exits(0);
    // Half a copy: the records hold, and nothing shows what is missing.
    stage.write(&format!("half/{address}"), &bytes);
    stage.now += chrono::TimeDelta::hours(1);
    let half = stage.play(&["verify", "half", "--key", "public.pem"]).exits(4);
    assert!(half.out.starts_with("unlinked") && half.err.contains("no ledger"), "{}{}", half.out, half.err);
}

#[test]
fn nothing_to_verify_is_not_success() {
    let stage = Stage::new();
    std::fs::create_dir(stage.at("empty")).unwrap();
    stage.play(&["key", "new"]).exits(0);
    let pem = stage.play(&["key", "show", "--pem"]).exits(0).out;
    stage.write("public.pem", pem);
    let empty = stage.play(&["verify", "empty", "--key", "public.pem"]).exits(1);
    assert!(empty.err.contains("no record"), "{}", empty.err);
    stage.play(&["verify", "no-such-file.json", "--key", "public.pem"]).exits(1);
}

#[test]
fn a_foreign_file_among_the_evidence_is_named() {
    let (stage, _, _) = attested();
    put(&stage, "evidence/env=production/notes.json", b"{\"hello\":1}");
    let verified = stage.play(&["verify", "--json"]).exits(3).json_lines();
    assert!(verified.iter().any(|l| l["address"] == "evidence/env=production/notes.json" && l["verdict"] == "invalid"));
}
