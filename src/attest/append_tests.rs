//! Appends as the store sees them: races, poison, strangers' keys, a repeated delivery.

use super::*;
use crate::ledger::leaf::Via;
use crate::seal::key::PrivateKey;
use crate::vault::{Patience, Settings};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

fn vault(folder: &Path) -> Vault {
    let settings = Settings { env: Default::default(), cwd: folder.into(), patience: Patience::default() };
    Vault::open("v", &settings).unwrap()
}

fn tags() -> Tags {
    Tags { env: "prod".into(), run_id: "1".into(), date: "2026-11-23".parse().unwrap() }
}

fn signer(seed: u8) -> Signer {
    Signer::Key(PrivateKey::generate([seed; 32]))
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + seconds, 0).unwrap()
}

fn logged(name: &str) -> Logged {
    Logged {
        address: format!("evidence/env=prod/date=2026-11-23/run=github-{name}-1/run.json"),
        sha256: Sha256Digest::of(name.as_bytes()),
        recorded_on: at(0),
        keep_until: None,
        via: Via::Attest,
    }
}

/// One append by the key of that seed, as `name`.
fn append_as(vault: &Vault, seed: u8, trust: &TrustSet, name: &str) -> Result<Appended, AppendError> {
    let (signer, tags, clock) = (signer(seed), tags(), AtomicI64::new(10));
    let now = || at(clock.fetch_add(1, Ordering::Relaxed));
    let writer = Writer {
        vault,
        signer: &signer,
        trust,
        lock: None,
        tags: &tags,
        now: &now,
        fresh: Uuid::from_u128(u128::from(seed)),
    };
    let head = Head::read(vault, trust, "prod")?;
    append_record(&writer, head, logged(name), true)
}

fn own(seed: u8) -> TrustSet {
    TrustSet::of(signer(seed).public_key())
}

/// Every slot in order, and every record in it.
fn read(vault: &Vault) -> (Vec<u64>, Vec<String>) {
    let mut slots = Vec::new();
    let mut records = Vec::new();
    let mut before: Option<Slot> = None;
    let mut all: Vec<_> = vault.list("ledger/env=prod/").unwrap();
    all.reverse();
    for found in all {
        let name = found.address.as_str().rsplit('/').next().unwrap();
        let Some(number) = slot::number(name) else { continue };
        slots.push(number);
        let Ok(slot) = Slot::parse(&vault.get(&found.address, None).unwrap()) else { continue };
        assert!(slot.extends(before.as_ref()), "slot {number}");
        records.extend(slot.leaves.iter().filter_map(|(_, l)| l.record().map(|r| r.address.clone())));
        before = Some(slot);
    }
    assert_eq!(before.map_or(0, |b| b.records), records.len() as u64);
    (slots, records)
}

fn put(vault: &Vault, slot: u64, bytes: &[u8]) {
    vault.put_once(&slot::address("ledger/env=prod/", slot).unwrap(), bytes, &tags(), None).unwrap();
}

#[test]
fn one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    for n in 0..5 {
        let done = append_as(&vault, 1, &own(1), &n.to_string()).unwrap();
        assert_eq!((done.slot, done.size), (n, n + 1));
        assert_eq!(done.warnings, Vec::<String>::new());
    }
    let (slots, records) = read(&vault);
    assert_eq!(slots, [0, 1, 2, 3, 4]);
    assert_eq!(records.len(), 5);
}

#[test]
fn twenty_at_once_are_all_in_and_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|s| {
        for n in 0..20 {
            let folder = folder.path();
            s.spawn(move || append_as(&vault(folder), 1, &own(1), &n.to_string()).unwrap());
        }
    });
    let (slots, mut records) = read(&vault(folder.path()));
    assert_eq!(slots, (0..slots.len() as u64).collect::<Vec<_>>());
    records.sort();
    let all = records.len();
    records.dedup();
    assert_eq!((records.len(), all), (20, 20));
}

/// Pipelines whose keys do not know each other share an environment: neither calls the other's entries void.
#[test]
fn strangers_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    for n in 0..12u8 {
        let done = append_as(&vault, 1 + n % 3, &own(1 + n % 3), &n.to_string()).unwrap();
        assert_eq!(done.size, u64::from(n) + 1);
        let doubted = done.warnings.iter().any(|w| w.contains("--trust"));
        assert_eq!(doubted, n > 0, "{:?}", done.warnings);
    }
    assert_eq!(read(&vault).1.len(), 12);
}

#[test]
fn what_is_no_entry_is_passed_over_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    // Before the first entry, after it, twice in a row, and far ahead.
    put(&vault, 0, b"garbage");
    append_as(&vault, 1, &own(1), "a").unwrap();
    put(&vault, 2, b"{}");
    put(&vault, 3, b"");
    put(&vault, 900_000_000_000, b"far ahead");
    let done = append_as(&vault, 1, &own(1), "b").unwrap();
    assert_eq!((done.slot, done.size), (4, 5), "void, a, void, void, b");
    append_as(&vault, 1, &own(1), "c").unwrap();
    let (slots, records) = read(&vault);
    assert_eq!(slots, [0, 1, 2, 3, 4, 5, 900_000_000_000]);
    assert_eq!(records.len(), 3);
    let four = Slot::parse(&vault.get(&slot::address("ledger/env=prod/", 4).unwrap(), None).unwrap()).unwrap();
    assert_eq!(four.leaves[0].1.said, Said::Void { slot: 2, sha256: Some(Sha256Digest::of(b"{}")) });
    assert_eq!(four.leaves[1].1.said, Said::Void { slot: 3, sha256: Some(Sha256Digest::of(b"")) });
}

/// A stranger who may put, and has no key of ours, cannot lead the ledger away.
#[test]
fn a_forged_end_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    append_as(&vault, 1, &own(1), "a").unwrap();
    append_as(&vault, 1, &own(1), "b").unwrap();
    let origin = Slot::parse(&vault.get(&slot::address("ledger/env=prod/", 1).unwrap(), None).unwrap()).unwrap();
    let origin = origin.checkpoint.origin;
    let leaf = Leaf { seq: 0, logged_on: at(0), said: Said::Record(logged("forged")) };
    // A tree of his own in the next slot, and two more further on that fit each other.
    let next = Slot::next(None, 2, &origin, vec![leaf.clone()], &signer(9)).unwrap();
    put(&vault, 2, &next.to_bytes().unwrap());
    let ahead = Slot::next(None, 5, &origin, vec![leaf], &signer(9)).unwrap();
    put(&vault, 5, &ahead.to_bytes().unwrap());
    let leaf = Leaf { seq: 1, logged_on: at(0), said: Said::Record(logged("forged")) };
    let further = Slot::next(Some(&ahead), 6, &origin, vec![leaf], &signer(9)).unwrap();
    put(&vault, 6, &further.to_bytes().unwrap());
    for name in ["c", "d", "e"] {
        append_as(&vault, 1, &own(1), name).unwrap();
    }
    let last = Slot::parse(&vault.get(&slot::address("ledger/env=prod/", 7).unwrap(), None).unwrap()).unwrap();
    assert_eq!(last.records, 5);
    assert_eq!(last.checkpoint.size, 8, "a, b, void, c, d, void, void, e");
}

#[test]
fn a_ledger_with_a_hole_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    for name in ["a", "b", "c"] {
        append_as(&vault, 1, &own(1), name).unwrap();
    }
    std::fs::remove_file(folder.path().join("v/ledger/env=prod").join(slot::name(1))).unwrap();
    let done = append_as(&vault, 1, &own(1), "d").unwrap();
    assert_eq!((done.slot, done.size), (3, 4));
    assert!(done.warnings[0].contains("slot 1 of the ledger is missing"), "{:?}", done.warnings);
    std::fs::remove_file(folder.path().join("v/ledger/env=prod").join(slot::name(2))).unwrap();
    let done = append_as(&vault, 1, &own(1), "e").unwrap();
    assert_eq!((done.slot, done.size), (4, 5));
    assert!(done.warnings[0].contains("slot 2 of the ledger is missing"), "{:?}", done.warnings);
}

/// A process that was killed after its append, or a spool that is delivered twice.
#[test]
fn a_record_that_is_in_is_not_added_again() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    for n in 0..70 {
        append_as(&vault, 1, &own(1), &n.to_string()).unwrap();
    }
    let (signer, tags, trust) = (signer(1), tags(), own(1));
    let now = || at(100);
    let writer = Writer {
        vault: &vault,
        signer: &signer,
        trust: &trust,
        lock: None,
        tags: &tags,
        now: &now,
        fresh: Uuid::nil(),
    };
    for (n, slot) in [(0, 0), (40, 40), (69, 69)] {
        let head = Head::read(&vault, &trust, "prod").unwrap();
        let done = append_record(&writer, head, logged(&n.to_string()), false).unwrap();
        assert_eq!((done.slot, done.size), (slot, slot + 1));
    }
    let head = Head::read(&vault, &trust, "prod").unwrap();
    assert_eq!(append_record(&writer, head, logged("new"), false).unwrap().slot, 70);
    assert_eq!(read(&vault).1.len(), 71);
}

#[test]
fn who_waits_is_taken_along_once() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    append_as(&vault, 1, &own(1), "a").unwrap();
    let claims = [("mine", 1, 1u64), ("theirs", 1, 1), ("stranger", 9, 1), ("old", 1, 0)];
    for (name, seed, tried) in claims {
        let (address, bytes) = claim::write("ledger/env=prod/", tried, &logged(name), &signer(seed)).unwrap().unwrap();
        vault.put_once(&address, &bytes, &tags(), None).unwrap();
    }
    let (signer, tags, trust) = (signer(1), tags(), own(1));
    let now = || at(100);
    let writer = Writer {
        vault: &vault,
        signer: &signer,
        trust: &trust,
        lock: None,
        tags: &tags,
        now: &now,
        fresh: Uuid::nil(),
    };
    let head = Head::read(&vault, &trust, "prod").unwrap();
    // Nobody was faster: claims are not even looked for.
    let calm = append_as(&vault, 1, &own(1), "b").unwrap();
    assert_eq!(calm.size, 2);
    // Somebody was: that one.
    let done = append_record(&writer, head, logged("mine"), true).unwrap();
    // A claim upon slot 0 by a writer that saw an empty ledger may be in no slot either: all from 0 on have been read.
    assert_eq!(done.size, 5, "a, b, mine, theirs, old; the stranger has no say");
    append_as(&vault, 1, &own(1), "c").unwrap();
    let (_, records) = read(&vault);
    assert_eq!(records.len(), 6, "{records:?}");
}

/// Who may put and has no key calls the newest entries void, or all of them: his word counts for nothing.
#[test]
fn a_stranger_cannot_cut_off_the_end() {
    for cut in [0u64, 2] {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        for name in ["a", "b", "c", "d"] {
            append_as(&vault, 1, &own(1), name).unwrap();
        }
        let slot = |n| Slot::parse(&vault.get(&slot::address("ledger/env=prod/", n).unwrap(), None).unwrap()).unwrap();
        let before = cut.checked_sub(1).map(slot);
        let size = before.as_ref().map_or(0, |b| b.checkpoint.size);
        let voids = (cut..4).map(|slot| Said::Void { slot, sha256: None });
        let leaves = (size..).zip(voids).map(|(seq, said)| Leaf { seq, logged_on: at(5), said }).collect();
        let forged = Slot::next(before.as_ref(), 4, &slot(0).checkpoint.origin, leaves, &signer(9)).unwrap();
        assert!(forged.extends(before.as_ref()), "it is well made");
        put(&vault, 4, &forged.to_bytes().unwrap());
        // For the key of this ledger, and for one that comes new.
        assert_eq!(append_as(&vault, 1, &own(1), "e").unwrap().size, 6, "a, b, c, d, void, e");
        assert_eq!(append_as(&vault, 2, &own(2), "f").unwrap().size, 7);
    }
}

#[test]
fn what_a_newer_program_wrote_is_not_built_over() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    append_as(&vault, 1, &own(1), "a").unwrap();
    let first = vault.get(&slot::address("ledger/env=prod/", 0).unwrap(), None).unwrap();
    let mut newer: serde_json::Value = serde_json::from_slice(&first).unwrap();
    newer["v"] = 2.into();
    put(&vault, 1, newer.to_string().as_bytes());
    assert!(matches!(append_as(&vault, 1, &own(1), "b"), Err(AppendError::Newer(2))));
    // A stranger's word that it is newer is junk like any other.
    assert_eq!(append_as(&vault, 2, &own(2), "c").unwrap().slot, 2);
}

/// The first in the line may be dead, or no key of ours: nobody waits for them for long, and who is trusted is taken along.
#[test]
fn a_line_of_the_dead_and_of_strangers_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    append_as(&vault, 1, &own(1), "a").unwrap();
    let head = Head::read(&vault, &own(1), "prod").unwrap();
    append_as(&vault, 1, &own(1), "faster").unwrap();
    for (n, seed) in (0..40).zip([9, 9, 9, 1].into_iter().cycle()) {
        let (address, bytes) =
            claim::write("ledger/env=prod/", 2, &logged(&format!("w{n}")), &signer(seed)).unwrap().unwrap();
        vault.put_once(&address, &bytes, &tags(), None).unwrap();
    }
    let (signer, tags, trust, now) = (signer(1), tags(), own(1), || at(100));
    let fresh = Uuid::nil();
    let writer = Writer { vault: &vault, signer: &signer, trust: &trust, lock: None, tags: &tags, now: &now, fresh };
    let began = std::time::Instant::now();
    let ours = Logged { sha256: Sha256Digest::from_bytes([0xff; 32]), ..logged("last") };
    let done = append_record(&writer, head, ours, true).unwrap();
    assert_eq!((done.slot, done.size), (2, 13), "a, faster, last, and ten of those who wait");
    assert!(began.elapsed() < std::time::Duration::from_secs(15), "{:?}", began.elapsed());
}

/// A stranger names our record in a slot of his own, which the ledger calls void: that is no leaf of it.
#[test]
fn a_strangers_word_does_not_stand_for_a_leaf() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(folder.path());
    append_as(&vault, 1, &own(1), "a").unwrap();
    let first = Slot::parse(&vault.get(&slot::address("ledger/env=prod/", 0).unwrap(), None).unwrap()).unwrap();
    let leaf = Leaf { seq: 0, logged_on: at(-1_000_000), said: Said::Record(logged("ours")) };
    let forged = Slot::next(None, 1, &first.checkpoint.origin, vec![leaf], &signer(9)).unwrap();
    put(&vault, 1, &forged.to_bytes().unwrap());
    append_as(&vault, 1, &own(1), "b").unwrap();
    let (signer, tags, trust, now) = (signer(1), tags(), own(1), || at(100));
    let fresh = Uuid::nil();
    let writer = Writer { vault: &vault, signer: &signer, trust: &trust, lock: None, tags: &tags, now: &now, fresh };
    let again = |name: &str| {
        let head = Head::read(&vault, &trust, "prod").unwrap();
        append_record(&writer, head, logged(name), false).unwrap()
    };
    assert_eq!(again("a").slot, 0, "his old date does not end the search");
    assert_eq!(again("ours").slot, 3, "added, because no leaf names it");
    assert_eq!(again("ours").slot, 3);
}
