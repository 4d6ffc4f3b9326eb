use super::*;
use crate::ledger::leaf::{Logged, Via};
use crate::ledger::slot::Slot;
use crate::ledger::whole::anchor::Proof;
use crate::ledger::whole::{Anchors, State, Whole, verify};
use crate::seal::key::PrivateKey;
use crate::seal::signer::Signer;
use crate::seal::tlog::tile::Tiler;
use crate::seal::trust::TrustSet;
use crate::vault::{Patience, Settings, Vault};
use chrono::{DateTime, TimeDelta, Utc};

const LEAVES: u64 = 700;

fn signer() -> Signer {
    Signer::Key(PrivateKey::generate([1; 32]))
}

fn now() -> DateTime<Utc> {
    "2026-11-23T00:00:00Z".parse().unwrap()
}

/// A ledger of 700 leaves in groups of three, with a slot of garbage, and its tiles. No record stands there.
fn folder() -> (tempfile::TempDir, Vec<Slot>) {
    let folder = tempfile::tempdir().unwrap();
    let (mut slots, mut tiler, mut tiles): (Vec<Slot>, Tiler, Vec<_>) = (Vec::new(), Tiler::default(), Vec::new());
    let (mut seq, mut number) = (0, 0);
    while seq < LEAVES {
        let mut said = Vec::new();
        if number == 50 {
            write(&folder, &format!("ledger/env=p/{}", slot::name(50)), b"garbage");
            said.push(Said::Void { slot: 50, sha256: Some(Sha256Digest::of(b"garbage")) });
            number += 1;
        }
        while said.len() < 3 {
            said.push(Said::Record(Logged {
                address: format!("evidence/env=p/date=2026-11-23/run=github-{}-1/run.json", seq + said.len() as u64),
                sha256: Sha256Digest::of(b"x"),
                recorded_on: now(),
                keep_until: None,
                via: Via::Attest,
            }));
        }
        let leaves: Vec<Leaf> = (seq..).zip(said).map(|(seq, said)| Leaf { seq, logged_on: now(), said }).collect();
        let origin = slot::origin("p", uuid::Uuid::nil());
        let slot = Slot::next(slots.last(), number, &origin, leaves, &signer()).unwrap();
        for (bytes, _) in &slot.leaves {
            tiles.extend(tiler.push(bytes, leaf::hash(bytes)));
        }
        write(&folder, &format!("ledger/env=p/{}", slot::name(number)), &slot.to_bytes().unwrap());
        (seq, number) = (slot.checkpoint.size, number + 1);
        slots.push(slot);
    }
    tiles.extend(tiler.finish());
    for tile in tiles {
        write(&folder, &format!("ledger/env=p/{}", tile.path()), &tile.bytes);
    }
    (folder, slots)
}

fn write(folder: &tempfile::TempDir, path: &str, bytes: &[u8]) {
    let path = folder.path().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn verified(folder: &tempfile::TempDir, anchors: &mut Anchors) -> (Whole, Vec<String>, String) {
    let settings = Settings { env: Default::default(), cwd: folder.path().into(), patience: Patience::default() };
    let vault = Vault::open(folder.path().to_str().unwrap(), &settings).unwrap();
    let (trust, filter) = (TrustSet::of(signer().public_key()), Default::default());
    let grace = TimeDelta::minutes(15);
    let ask = Ask { vault: &vault, trust: &trust, filter: &filter, now: now(), grace, threads: 2 };
    let mut records = Vec::new();
    let whole = verify(&ask, anchors, &mut |told| {
        if let Told::Record(judged) = told {
            records.push(format!("{} {}", judged.entry.verdict.as_str(), judged.entry.why));
        }
        Ok(())
    });
    let whole = whole.unwrap();
    let told = whole.ledgers[0].findings.told();
    let told = told.iter().map(|f| format!("{:?} {:?} {}\n", f.weight, f.slot, f.what)).collect();
    (whole, records, told)
}

#[test]
fn numbers_of_tiles_come_back() {
    for n in [0, 7, 999, 1000, 1_234_067] {
        assert_eq!(number(&tile::path("entries", n, WIDTH)), Some(n));
    }
    for no in ["tile/0/000", "tile/entries/000.p/12", "tile/entries/1", "tile/entries/", "tile/entries/x000/001", "x"] {
        assert_eq!(number(no), None, "{no}");
    }
}

#[test]
fn leaves_come_from_tiles_and_the_rest_from_entries() {
    let (folder, slots) = folder();
    // What else belongs there.
    write(&folder, "ledger/env=p/checkpoints/000000000273", slots[90].note.as_bytes());
    write(&folder, "ledger/env=p/timestamps/000000000273.tsr", b"x");
    write(&folder, "ledger/env=p/claims/999999999900-0123456789abcdef", b"x");
    let mut anchors = Anchors::default();
    for slot in [3, 90, 180, slots.len() - 1] {
        anchors.read("log", slots[slot].note.as_bytes(), &TrustSet::of(signer().public_key())).unwrap();
    }
    let (whole, records, told) = verified(&folder, &mut anchors);
    let ledger = &whole.ledgers[0];
    assert_eq!(told, "Finding Some(50) it is void: a leaf says so\n");
    let (size, entries) = (slots.last().unwrap().checkpoint.size, slots.len() as u64);
    assert_eq!((ledger.state, ledger.leaves, ledger.entries, ledger.records), (State::Whole, size, entries, size - 1));
    assert!(anchors.all.iter().all(|a| a.proof == Proof::Proved), "{:?}", anchors.all);
    assert_eq!((anchors.all.len(), anchors.proved()), (5, (4, Some(size))), "a copy in the vault is no anchor");
    assert_eq!(whole.findings.told(), []);
    // Every one is missing, and named: from its tile or its entry.
    assert_eq!(records.len() as u64, size - 1);
    assert!(records.iter().all(|r| r.starts_with("missing leaf ")), "{records:?}");
    assert_eq!(records.iter().filter(|r| r.contains("in slot")).count() as u64, size - 510, "beyond two full tiles");
    // An entry below is not opened: it may even be garbage. That it is there at all is seen.
    write(&folder, &format!("ledger/env=p/{}", slot::name(20)), b"garbage");
    assert_eq!(verified(&folder, &mut Anchors::default()).0.ledgers[0].state, State::Whole);
    std::fs::remove_file(folder.path().join(format!("ledger/env=p/{}", slot::name(21)))).unwrap();
    let (whole, _, told) = verified(&folder, &mut Anchors::default());
    assert_eq!(whole.ledgers[0].state, State::Gap);
    assert!(told.contains("Broken Some(21) it is missing; its leaves stand in the tiles"), "{told}");
}

#[test]
fn a_tile_that_was_altered_counts_for_nothing() {
    let (folder, slots) = folder();
    let path = folder.path().join("ledger/env=p/tile/entries/001");
    let mut bytes = std::fs::read(&path).unwrap();
    for bend in 0..3 {
        match bend {
            0 => bytes[700] ^= 1,
            1 => bytes.truncate(1000),
            _ => bytes.clear(),
        }
        std::fs::write(&path, &bytes).unwrap();
        let (whole, records, told) = verified(&folder, &mut Anchors::default());
        let ledger = &whole.ledgers[0];
        assert!(told.contains("the entries were read instead"), "{bend}: {told}");
        assert_eq!((ledger.state, ledger.entries), (State::Whole, slots.len() as u64), "{bend}: {told}");
        assert!(records.iter().all(|r| r.contains("in slot")), "{bend}");
    }
}

#[test]
fn a_copy_of_a_checkpoint_shows_what_was_cut_off() {
    let (folder, slots) = folder();
    let last = slots.last().unwrap();
    write(&folder, "ledger/env=p/checkpoints/000000000702", last.note.as_bytes());
    write(&folder, "ledger/env=p/checkpoints/000000000009", b"hello");
    std::fs::remove_file(folder.path().join(format!("ledger/env=p/{}", slot::name(last.number)))).unwrap();
    let (whole, _, told) = verified(&folder, &mut Anchors::default());
    assert_eq!(whole.ledgers[0].state, State::Truncated);
    assert!(told.contains("the copy of a checkpoint at ledger/env=p/checkpoints/000000000702"), "{told}");
    assert!(told.contains("000000000009` is no copy of a checkpoint"), "{told}");
}
