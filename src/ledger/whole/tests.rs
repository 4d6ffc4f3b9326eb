//! A whole vault in a bucket that keeps versions: what was hidden or overwritten is seen, and the version that is meant.

use super::*;
use crate::ledger::leaf::{Leaf, Logged, Said, Via};
use crate::ledger::slot::Slot;
use crate::ledger::{Entry, Verdict};
use crate::record::digest::Sha256Digest;
use crate::seal::key::PrivateKey;
use crate::seal::signer::Signer;
use crate::seal::{self, peek_unverified};
use crate::vault::fake_s3::FakeS3;
use crate::vault::{Patience, Settings};

const GOLDEN: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/envelopes/golden_run_v1_1.0.0.json"));

fn signer() -> Signer {
    Signer::Key(PrivateKey::generate([1; 32]))
}

fn on(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The golden record as that of run `n`, and where it belongs.
fn record(n: u64) -> (String, Vec<u8>) {
    let statement = String::from_utf8(peek_unverified(GOLDEN).unwrap().payload).unwrap();
    let statement = statement.replace("\"id\":\"4711\"", &format!("\"id\":\"{n}\""));
    let address = format!("evidence/env=production/date=2026-11-23/run=github-{n}-2/run-api.json");
    (address, seal::seal(statement.as_bytes(), &signer()).unwrap())
}

/// A ledger of these records, one entry each.
fn ledger(records: &[(String, Vec<u8>)]) -> Vec<Slot> {
    let mut slots: Vec<Slot> = Vec::new();
    for (number, (address, bytes)) in (0..).zip(records) {
        let said = Said::Record(Logged {
            address: address.clone(),
            sha256: Sha256Digest::of(bytes),
            recorded_on: on("2026-11-23T01:36:02.944Z"),
            keep_until: None,
            via: Via::Attest,
        });
        let leaf = Leaf { seq: number, logged_on: on("2026-11-23T01:36:04Z"), said };
        let origin = slot::origin("production", uuid::Uuid::nil());
        slots.push(Slot::next(slots.last(), number, &origin, vec![leaf], &signer()).unwrap());
    }
    slots
}

struct Answer {
    entries: Vec<Entry>,
    whole: Whole,
}

impl Answer {
    fn of(&self, n: u64) -> (Verdict, &str) {
        let run = format!("run=github-{n}-2/");
        let entry = self.entries.iter().find(|e| e.address.contains(&run)).unwrap();
        (entry.verdict, &entry.why)
    }

    fn told(&self) -> String {
        let ledgers = self.whole.ledgers.iter().flat_map(|l| l.findings.told());
        let told = self.whole.findings.told().into_iter().chain(ledgers);
        told.map(|f| format!("{:?} {}\n", f.weight, f.what)).collect()
    }
}

fn verify_in(vault: &Vault) -> Answer {
    let (trust, filter) = (TrustSet::of(signer().public_key()), Filter::default());
    let (now, grace) = (on("2026-11-24T00:00:00Z"), TimeDelta::minutes(15));
    let ask = Ask { vault, trust: &trust, filter: &filter, now, grace, threads: 4 };
    let mut entries = Vec::new();
    let whole = verify(&ask, &mut Anchors::default(), &mut |told| {
        if let Told::Record(judged) = told {
            entries.push(judged.entry);
        }
        Ok(())
    });
    Answer { entries, whole: whole.unwrap() }
}

fn bucket(n: u64) -> (FakeS3, Vault, Vec<String>) {
    let fake = FakeS3::start();
    let endpoint = format!("http://{}", fake.address);
    let env = [("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y")];
    let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let settings = Settings { env, cwd: std::env::temp_dir(), patience: Patience::default() };
    let vault = Vault::open("s3://vault/some/prefix", &settings).unwrap();
    let records: Vec<_> = (0..n).map(record).collect();
    for (address, bytes) in &records {
        fake.plant(&format!("some/prefix/{address}"), Some(std::str::from_utf8(bytes).unwrap()));
    }
    for slot in ledger(&records) {
        let bytes = slot.to_bytes().unwrap();
        fake.plant(&slot_key(slot.number), Some(std::str::from_utf8(&bytes).unwrap()));
    }
    let keys = records.into_iter().map(|(address, _)| format!("some/prefix/{address}")).collect();
    (fake, vault, keys)
}

fn slot_key(number: u64) -> String {
    format!("some/prefix/{}{}", slot::folder("production"), slot::name(number))
}

#[test]
fn a_bucket_where_nothing_was_written_twice_is_clean() {
    let (_fake, vault, _) = bucket(7);
    let answer = verify_in(&vault);
    assert_eq!((answer.told().as_str(), &answer.whole.versions), ("", &Versions::Listed));
    let addresses: Vec<&str> = answer.entries.iter().map(|e| e.address.as_str()).collect();
    assert!(addresses.is_sorted() && addresses.len() == 7, "{addresses:?}");
    assert!(answer.entries.iter().all(|e| e.verdict == Verdict::Valid), "{:?}", answer.entries);
}

#[test]
fn a_record_behind_a_delete_marker_is_missing_and_its_version_is_named() {
    let (fake, vault, keys) = bucket(4);
    fake.plant(&keys[1], None);
    let answer = verify_in(&vault);
    let (verdict, why) = answer.of(1);
    assert_eq!(verdict, Verdict::Missing);
    assert!(why.contains("hidden by a delete marker") && why.contains("version v2 holds what was logged"), "{why}");
    assert!(answer.told().contains("was not written once: delete marker v9, version v2"), "{}", answer.told());
    // Put again with other bytes: the marker made room for them.
    let (_, other) = record(77);
    fake.plant(&keys[1], Some(std::str::from_utf8(&other).unwrap()));
    let answer = verify_in(&vault);
    assert_eq!(answer.of(1).0, Verdict::Moved);
    assert!(answer.told().contains("version v10, delete marker v9, version v2"), "{}", answer.told());
    assert!(answer.told().contains("version v2 holds what was logged"), "{}", answer.told());
}

#[test]
fn an_entry_that_was_written_twice_or_hidden_is_a_fork_without_any_anchor() {
    let (fake, vault, keys) = bucket(4);
    // The newest entry and its record, removed as far as a lock lets anybody.
    fake.plant(&slot_key(3), None);
    fake.plant(&keys[3], None);
    let answer = verify_in(&vault);
    assert_eq!(answer.whole.ledgers[0].state, State::Forked);
    let told = answer.told();
    assert!(told.contains("999999999996` was not written once: delete marker v9, version v8"), "{told}");
    assert!(told.contains("run=github-3-2/run-api.json was not written once: delete marker v10"), "{told}");
    let (fake, vault, _) = bucket(3);
    fake.plant(&slot_key(1), Some("{}"));
    let answer = verify_in(&vault);
    assert_eq!(answer.whole.ledgers[0].state, State::Forked, "{}", answer.told());
}
