//! Records of other versions: every released one still opens, newer and foreign ones are named and counted.

use crate::stage::{GREEN, Stage};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

const ENVELOPES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/envelopes");
const PUBLIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/test-public.pem");

/// Seals with the test key (seed 00 01 … 1f), written here a second time on purpose: DSSE v1.0.2 by the book.
fn sealed(statement: &Value) -> Vec<u8> {
    let seed: [u8; 32] = std::array::from_fn(|i| i as u8);
    let payload = serde_json::to_vec(statement).unwrap();
    let kind = "application/vnd.in-toto+json";
    let mut pae = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    pae.extend_from_slice(&payload);
    let signature = SigningKey::from_bytes(&seed).sign(&pae).to_bytes();
    let keyid = "SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg";
    let envelope = json!({
        "payload": STANDARD.encode(&payload), "payloadType": kind,
        "signatures": [{"keyid": keyid, "sig": STANDARD.encode(signature)}],
    });
    serde_json::to_vec(&envelope).unwrap()
}

/// A statement as this version writes it.
fn statement() -> Value {
    let stage = Stage::github();
    stage.write("r.xml", GREEN);
    stage.play(&["attest", "-e", "production", "--report", "r.xml", "--dry-run", "--json"]).exits(0).json()
}

fn verified(statement: &Value) -> (u8, Value) {
    let stage = Stage::new();
    stage.write("record.json", sealed(statement));
    let played = stage.play(&["verify", "record.json", "--key", PUBLIC, "--json"]);
    (played.code, played.json_lines().remove(0))
}

#[test]
fn the_golden_records_of_1_0_0_open_and_say_what_they_said() {
    for kind in ["run", "change", "bypass", "review", "population"] {
        let stage = Stage::new();
        let file = |end: &str| std::fs::read(format!("{ENVELOPES}/golden_{kind}_v1_1.0.0{end}")).unwrap();
        let expected: Value = serde_json::from_slice(&file(".expected.json")).unwrap();
        stage.write(&format!("vault/{}", expected["address"].as_str().unwrap()), file(".json"));
        let listed =
            stage.play(&["list", "--vault", "vault", "--key", PUBLIC, "--json"]).exits(0).json_lines().remove(0);
        assert_eq!(listed, expected, "{kind}");
        let page = stage.play(&["show", "--vault", "vault", "--key", PUBLIC]).exits(0).out;
        assert!(page.contains(expected["recordId"].as_str().unwrap()), "{kind}: {page}");
    }
}

#[test]
fn what_is_written_today_is_as_it_was_written() {
    let (code, line) = verified(&statement());
    assert_eq!((code, &line["verdict"]), (0, &json!("valid")));
}

#[test]
fn a_newer_minor_is_valid_and_its_fields_are_counted() {
    let mut newer = statement();
    newer["predicate"]["schemaVersion"] = "1.7.0".into();
    newer["predicate"]["mood"] = "sunny".into();
    newer["predicate"]["run"]["weather"] = json!({"wind": 3});
    newer["predicate"]["tests"][0]["colour"] = "green".into();
    let (code, line) = verified(&newer);
    assert_eq!((code, &line["verdict"]), (0, &json!("valid")), "{line}");
    assert_eq!(line["unknownFields"], json!(["mood", "run.weather", "tests.0.colour"]), "{line}");
}

#[test]
fn what_this_version_cannot_read_is_unsupported_and_counted_and_never_valid() {
    let mut major = statement();
    major["predicateType"] = "https://vouchsafe.dev/run/v9".into();
    let mut kind = statement();
    kind["predicateType"] = "https://slsa.dev/provenance/v1".into();
    let mut word = statement();
    word["predicate"]["schemaVersion"] = "1.7.0".into();
    word["predicate"]["run"]["outcome"] = "postponed".into();
    for (name, statement) in [("major", major), ("kind", kind), ("word", word)] {
        let (code, line) = verified(&statement);
        assert_eq!((code, &line["verdict"]), (4, &json!("unsupported")), "{name}: {line}");
        let stage = Stage::new();
        stage.write("vault/evidence/env=p/date=2026-11-23/run=x-1-1/run.json", sealed(&statement));
        let listed = stage.play(&["list", "--vault", "vault", "--key", PUBLIC, "--format", "csv"]).exits(4);
        assert_eq!(listed.out.lines().count(), 2, "{name} is listed: {}", listed.out);
    }
}

#[test]
fn a_record_that_is_not_what_it_claims_is_invalid() {
    let mut word = statement();
    word["predicate"]["run"]["outcome"] = "postponed".into();
    let mut none = statement();
    none["predicate"].as_object_mut().unwrap().remove("schemaVersion");
    let mut major = statement();
    major["predicate"]["schemaVersion"] = "2.0.0".into();
    let mut odd = statement();
    odd["predicate"]["schemaVersion"] = "1.00.0".into();
    let mut gone = statement();
    gone["predicate"].as_object_mut().unwrap().remove("environment");
    let mut digest = statement();
    digest["predicate"]["tests"][0]["sha256"] = "abc".into();
    for (name, statement) in
        [("word", word), ("none", none), ("major", major), ("odd", odd), ("gone", gone), ("digest", digest)]
    {
        let (code, line) = verified(&statement);
        assert_eq!((code, &line["verdict"]), (3, &json!("invalid")), "{name}: {line}");
    }
}
