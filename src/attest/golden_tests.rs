//! Golden records of every kind: what was written once is read today, and written again it is the same, byte for byte.

use super::statement;
use crate::ledger::{Verdict, address_of, judge};
use crate::record::KINDS;
use crate::seal::key::PublicKey;
use crate::seal::trust::TrustSet;
use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/envelopes");

fn trust() -> TrustSet {
    TrustSet::of(PublicKey::parse(include_str!("../../fixtures/keys/test-public.pem")).unwrap())
}

/// Name and bytes of every golden envelope.
fn golden() -> Vec<(String, Vec<u8>)> {
    let name = |e: &std::fs::DirEntry| e.file_name().to_string_lossy().into_owned();
    let all = std::fs::read_dir(FOLDER).unwrap().map(Result::unwrap);
    let all = all.filter(|e| name(e).starts_with("golden_") && !name(e).ends_with(".expected.json"));
    let mut all: Vec<_> = all.map(|e| (name(&e), std::fs::read(e.path()).unwrap())).collect();
    all.sort();
    all
}

#[test]
fn every_kind_has_a_golden_record() {
    let names: Vec<String> = golden().into_iter().map(|(name, _)| name).collect();
    for kind in KINDS {
        let start = format!("golden_{}_v{}_", kind.name, kind.major);
        assert!(names.iter().any(|name| name.starts_with(&start)), "{start}* is missing among {names:?}");
    }
}

#[test]
fn what_was_read_is_written_as_it_was_written() {
    for (name, bytes) in golden() {
        let entry = judge(&bytes, &name, &trust());
        assert_eq!((entry.verdict, &entry.unknown_fields[..]), (Verdict::Valid, &[][..]), "{name}: {}", entry.why);
        let record = entry.record.unwrap();
        let again = String::from_utf8(statement(&record).unwrap()).unwrap();
        assert_eq!(again, String::from_utf8(entry.payload.unwrap()).unwrap(), "{name}");
        assert!(name.starts_with(&format!("golden_{}_", record.head().kind.name)), "{name}");
        // Where it belongs is worked out of it, so it may not change either: the ledgers of others name the place.
        assert_eq!(address_of(&record).as_str(), place(&name), "{name}");
    }
}

fn place(name: &str) -> String {
    let file = Path::new(FOLDER).join(name.replace(".json", ".expected.json"));
    let expected: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    expected["address"].as_str().unwrap().to_owned()
}
