use super::*;
use crate::ledger::filter::Filter;
use crate::ledger::leaf::Said;
use crate::ledger::leaf::{Leaf, Logged, Via};
use crate::ledger::slot::{self, Slot};
use crate::ledger::whole::anchor::Proof;
use crate::ledger::whole::stands;
use crate::seal::key::PrivateKey;
use crate::seal::signer::Signer;
use crate::seal::tlog::checkpoint::Checkpoint;
use crate::vault::VaultError;
use chrono::TimeDelta;
use proptest::prelude::*;

fn signer(seed: u8) -> Signer {
    Signer::Key(PrivateKey::generate([seed; 32]))
}

fn on(minute: i64) -> DateTime<Utc> {
    "2026-11-23T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minute)
}

fn record(n: u64) -> Said {
    record_of("github", n)
}

fn record_of(platform: &str, n: u64) -> Said {
    Said::Record(Logged {
        address: format!("evidence/env=prod/date=2026-11-23/run={platform}-{n}-1/run.json"),
        sha256: Sha256Digest::of(&n.to_be_bytes()),
        recorded_on: on(n as i64),
        keep_until: None,
        via: Via::Attest,
    })
}

fn origin() -> String {
    slot::origin("prod", uuid::Uuid::nil())
}

/// The entry at `number` upon `before`, signed by the key of `seed`.
fn entry(before: Option<&Slot>, number: u64, said: Vec<Said>, seed: u8) -> Slot {
    let size = before.map_or(0, |b| b.checkpoint.size);
    let leaves = (size..).zip(said).map(|(seq, said)| Leaf { seq, logged_on: on(seq as i64), said }).collect();
    let origin = before.map_or_else(origin, |b| b.checkpoint.origin.clone());
    Slot::next(before, number, &origin, leaves, &signer(seed)).unwrap()
}

/// One entry a record.
fn line(n: u64) -> Vec<Slot> {
    let mut all: Vec<Slot> = Vec::new();
    for number in 0..n {
        all.push(entry(all.last(), number, vec![record(number)], 1));
    }
    all
}

fn objects(slots: &[Slot]) -> BTreeMap<u64, Vec<u8>> {
    slots.iter().map(|s| (s.number, s.to_bytes().unwrap())).collect()
}

struct Walked {
    state: State,
    /// Weight, slot and words of each finding, one a line.
    told: String,
    entries: u64,
    size: u64,
    records: u64,
    named: usize,
    head: Option<u64>,
}

fn walk_with(objects: &BTreeMap<u64, Vec<u8>>, anchors: &mut Anchors) -> Walked {
    let whose = Whose::of("env=prod").unwrap();
    let trust = TrustSet::of(signer(1).public_key());
    let filter = Filter::default();
    let count = Count::new(whose.evidence(), &filter, on(100_000));
    let mut chain = Chain::new(&whose, &trust, anchors, count);
    for (number, bytes) in objects {
        chain.push(*number, stands::read(*number, Ok(bytes.clone()), &whose, &trust).unwrap());
    }
    chain.finish();
    let told = chain.findings.told();
    let told: Vec<String> = told.iter().map(|f| format!("{:?} {:?} {}", f.weight, f.slot, f.what)).collect();
    Walked {
        state: chain.state,
        told: told.join("\n"),
        entries: chain.entries,
        size: chain.leaves(),
        records: chain.count.records,
        named: chain.count.rows.len(),
        head: chain.head.map(|h| h.slot),
    }
}

fn walk(objects: &BTreeMap<u64, Vec<u8>>) -> Walked {
    walk_with(objects, &mut Anchors::default())
}

fn anchored(objects: &BTreeMap<u64, Vec<u8>>, kept: &Slot) -> (Walked, Proof) {
    let mut anchors = Anchors::default();
    let trust = TrustSet::of(signer(1).public_key());
    assert_eq!(anchors.read("log", kept.note.as_bytes(), &trust).unwrap(), 1);
    let walked = walk_with(objects, &mut anchors);
    (walked, anchors.all[0].proof.clone())
}

#[test]
fn a_whole_ledger_of_groups_heartbeats_and_voids() {
    let mut slots = line(3);
    let group = vec![record(3), Said::Heartbeat { records: 3, by: "x".into() }, record(4), record(5)];
    slots.push(entry(slots.last(), 3, group, 1));
    let junk = b"garbage".to_vec();
    let void = Said::Void { slot: 4, sha256: Some(Sha256Digest::of(&junk)) };
    slots.push(entry(slots.last(), 5, vec![void, record(6)], 1));
    slots.push(entry(slots.last(), 6, vec![Said::Heartbeat { records: 7, by: "x".into() }], 1));
    let mut all = objects(&slots);
    all.insert(4, junk);
    let walked = walk(&all);
    assert_eq!(walked.state, State::Whole);
    assert_eq!(
        walked.told,
        "Finding Some(4) it is void: it is no entry of a ledger: expected value (line 1, column 1)"
    );
    assert_eq!((walked.entries, walked.size, walked.records, walked.named), (6, 10, 7, 7));
    assert_eq!(walked.head, Some(6));
    all.insert(4, b"other".to_vec());
    assert!(walk(&all).told.contains("something else stands there than slot 5 found"));
    all.remove(&4);
    assert!(walk(&all).told.contains("nothing stands there any more"));
}

#[test]
fn a_heartbeat_that_counts_wrong_and_a_clock_that_goes_back_are_findings() {
    let mut slots = line(3);
    slots.push(entry(slots.last(), 3, vec![Said::Heartbeat { records: 2, by: "github-9-1".into() }], 1));
    let mut early = Leaf { seq: 4, logged_on: on(-600), said: record(9) };
    let last = Slot::next(slots.last(), 4, &origin(), vec![early.clone()], &signer(1)).unwrap();
    slots.push(last);
    let walked = walk(&objects(&slots));
    assert_eq!(walked.state, State::Whole);
    for word in [
        "the heartbeat of github-9-1, leaf 3, counts 2 records, and the leaves before it name 3",
        "leaf 4: the clock goes back by 10 h 3 min",
        "leaf 4 is 10 h 9 min older than the record it names",
    ] {
        assert!(walked.told.contains(word), "{word}\n{}", walked.told);
    }
    early.logged_on = on(9 + 120);
    slots[4] = Slot::next(slots.get(3), 4, &origin(), vec![early], &signer(1)).unwrap();
    assert!(walk(&objects(&slots)).told.contains("came at once, says its writer, and 2 h after the record"));
}

#[test]
fn what_is_missing_is_a_gap_that_names_slots_and_leaves() {
    let slots = line(12);
    for (gone, words) in [
        (vec![0], "before slot 1: slot 0 is missing; leaf 0 cannot be known"),
        (vec![5], "before slot 6: slot 5 is missing; leaf 5 cannot be known"),
        (vec![3, 4, 8], "before slot 9: slot 8 is missing; leaf 8 cannot be known"),
        (vec![3, 4], "before slot 5: slots 3 to 4 are missing; leaves 3 to 4 cannot be known"),
        (vec![10], "before slot 11: slot 10 is missing; leaf 10 cannot be known"),
        (vec![3, 5, 7], "before slot 8: slot 7 is missing; leaf 7 cannot be known"),
    ] {
        let mut all = objects(&slots);
        gone.iter().for_each(|n| drop(all.remove(n)));
        let walked = walk(&all);
        assert_eq!(walked.state, State::Gap, "{gone:?}");
        assert!(walked.told.contains(words), "{gone:?}\n{}", walked.told);
        assert_eq!(walked.told.lines().count(), walked.told.matches("missing").count(), "{gone:?}\n{}", walked.told);
        assert_eq!((walked.size, walked.head), (12, Some(11)), "{gone:?}");
        assert_eq!(walked.named, 12 - gone.len(), "{gone:?}");
    }
}

#[test]
fn an_altered_entry_is_a_gap() {
    let slots = line(9);
    let good = objects(&slots);
    let bent = |n: u64, from: &str, to: &str| {
        let mut all = good.clone();
        let text = String::from_utf8(all[&n].clone()).unwrap();
        assert!(text.contains(from), "{text}");
        all.insert(n, text.replace(from, to).into_bytes());
        walk(&all)
    };
    use base64::Engine as _;
    let encode = |leaf: &[u8]| base64::engine::general_purpose::STANDARD.encode(leaf);
    // A leaf that says something else, well formed.
    for n in [4, 8] {
        let leaf = String::from_utf8(slots[n].leaves[0].0.clone()).unwrap();
        let other = leaf.replace("run=github-", "run=gitlab-");
        let walked = bent(n as u64, &encode(leaf.as_bytes()), &encode(other.as_bytes()));
        assert_eq!(walked.state, State::Gap, "{}", walked.told);
        let words = format!("before slot {n}: it was altered: leaf {n} cannot be known");
        assert!(walked.told.contains(&words), "{}", walked.told);
        assert_eq!((walked.size, walked.named), (9, 8), "its leaf counts for nothing");
    }
    // No entry any more, and the next one builds on it.
    let walked = bent(4, "\"v\":1", "\"v\":x");
    assert_eq!(walked.state, State::Gap);
    assert!(walked.told.contains("slot 4, on which it builds, holds no entry any more"), "{}", walked.told);
    // The checkpoint of another size.
    let mut all = good.clone();
    let text = String::from_utf8(all[&4].clone()).unwrap();
    let notes: Vec<String> = slots.iter().map(|s| serde_json::to_string(&s.note).unwrap()).collect();
    all.insert(4, text.replace(&notes[4], &notes[6]).into_bytes());
    let walked = walk(&all);
    assert_eq!(walked.state, State::Gap);
    assert!(walked.told.contains("slot 4") && walked.told.contains("leaf 4 cannot be known"), "{}", walked.told);
    // At the end nothing builds on it; its own checkpoint shows that it was one.
    let mut all = good.clone();
    let text = String::from_utf8(all[&8].clone()).unwrap();
    all.insert(8, text.replace("\"frontier\":[\"", "\"frontier\":[\"AAAA").into_bytes());
    let walked = walk(&all);
    assert_eq!(walked.state, State::Gap);
    assert!(
        walked.told.contains("Some(8) it was altered: a trusted key signed its checkpoint of 9"),
        "{}",
        walked.told
    );
    // An older entry once more, with another number.
    let mut all = good.clone();
    let text = String::from_utf8(all[&3].clone()).unwrap();
    all.insert(5, text.replace("\"slot\":3", "\"slot\":5").into_bytes());
    let walked = walk(&all);
    assert_eq!(walked.state, State::Gap);
    assert!(
        walked.told.contains("Some(5) an entry of 4 leaves stood earlier and stands here again"),
        "{}",
        walked.told
    );
    assert_eq!((walked.size, walked.head), (9, Some(8)));
}

#[test]
fn two_signed_histories_are_a_fork() {
    let slots = line(9);
    let mut all = objects(&slots);
    // The first half is written anew, with the same key; the second half stands.
    let mut other = vec![entry(None, 0, vec![record_of("drone", 0)], 1)];
    for number in 1..4 {
        other.push(entry(other.last(), number, vec![record_of("drone", number)], 1));
    }
    all.extend(objects(&other));
    let walked = walk(&all);
    assert_eq!(walked.state, State::Forked, "{}", walked.told);
    assert!(walked.told.contains("over another history"), "{}", walked.told);
    // An entry that is called void although a trusted key signed it over the same history.
    let mut all = objects(&slots[..5]);
    let void = Said::Void { slot: 4, sha256: None };
    all.extend(objects(&[entry(slots.get(3), 5, vec![void, record(50)], 1)]));
    let walked = walk(&all);
    assert_eq!(walked.state, State::Forked);
    assert!(walked.told.contains("Some(4)") && walked.told.contains("two histories"), "{}", walked.told);
    assert_eq!(walked.named, 6, "both leaves count: {}", walked.told);
    // Another ledger begins in the middle.
    let mut all = objects(&slots[..4]);
    let mut stranger = entry(slots.get(3), 4, vec![record(60)], 1);
    let origin = slot::origin("prod", uuid::Uuid::max());
    stranger.checkpoint = Checkpoint { origin, ..stranger.checkpoint };
    stranger.note = stranger.checkpoint.sign(&signer(1)).unwrap();
    all.extend(objects(&[stranger]));
    assert_eq!(walk(&all).state, State::Forked);
}

#[test]
fn strangers_do_not_break_a_ledger() {
    let slots = line(4);
    // A stranger appends properly, and the ledger goes on upon it: its leaves are what a trusted key signed later.
    let mut all = slots.clone();
    all.push(entry(all.last(), 4, vec![record(4)], 2));
    all.push(entry(all.last(), 5, vec![record(5)], 1));
    let walked = walk(&objects(&all));
    assert_eq!(walked.state, State::Whole);
    assert_eq!(walked.told, "Finding Some(4) slot 4: no key of the trust set signed it");
    // At the end nobody vouches for it.
    let walked = walk(&objects(&all[..5]));
    assert!(walked.told.contains("Broken Some(4) no trusted key vouches for what slot 4 hold"), "{}", walked.told);
    assert_eq!(walked.head, Some(3));
    // A stranger's entry that fits nowhere, at the end and far beyond.
    for number in [4, 1_000_000] {
        let mut all = objects(&slots);
        all.extend(objects(&[entry(slots.get(1), number, vec![record(9)], 2)]));
        let walked = walk(&all);
        assert_eq!((walked.state, walked.head), (State::Whole, Some(3)), "{}", walked.told);
        assert!(walked.told.contains("Finding") && walked.told.contains("nobody here can vouch"), "{}", walked.told);
        assert_eq!(walked.named, 4);
    }
    for number in [4, 999_999_999_999] {
        let mut all = objects(&slots);
        all.insert(number, b"{}".to_vec());
        let walked = walk(&all);
        assert_eq!((walked.state, walked.size), (State::Whole, 4), "{}", walked.told);
        assert!(walked.told.contains("it holds no entry"), "{}", walked.told);
    }
    // The trusted key is named, and the signature is false: no word of its is taken.
    let mut all = slots;
    let mut last = entry(all.last(), 4, vec![record(4)], 1);
    let good = last.note.trim_end().to_owned();
    let cut = good.len() - 12;
    last.note = format!("{}AAAAAAAAAA==\n", &good[..cut]);
    all.push(last);
    let walked = walk(&objects(&all));
    assert!(walked.told.contains("does not hold") && walked.told.contains("Broken"), "{}", walked.told);
    assert_eq!(walked.head, Some(3));
}

#[test]
fn without_a_trusted_key_nothing_is_vouched_for() {
    let mut all: Vec<Slot> = Vec::new();
    for number in 0..5 {
        all.push(entry(all.last(), number, vec![record(number)], 2));
    }
    let walked = walk(&objects(&all));
    assert_eq!((walked.state, walked.head), (State::Whole, None));
    assert!(walked.told.contains("no trusted key vouches for what slots 0 to 4 hold"), "{}", walked.told);
    assert!(walked.told.contains("5 entries, slots 0 to 4: no key of the trust set signed it"), "{}", walked.told);
}

#[test]
fn an_anchor_shows_what_the_ledger_cannot() {
    let slots = line(9);
    let whole = objects(&slots);
    for kept in [0, 4, 7, 8] {
        let (walked, proof) = anchored(&whole, &slots[kept]);
        assert_eq!((walked.state, proof, walked.told.as_str()), (State::Whole, Proof::Proved, ""), "{kept}");
    }
    let cut = objects(&slots[..6]);
    assert_eq!((walk(&cut).state, walk(&cut).told.as_str()), (State::Whole, ""), "clean without an anchor");
    let (walked, proof) = anchored(&cut, &slots[8]);
    assert_eq!((walked.state, proof), (State::Truncated, Proof::Beyond(3)));
    assert!(walked.told.contains("at least leaves 6 to 8 cut off its end"), "{}", walked.told);
    assert_eq!(anchored(&cut, &slots[5]).1, Proof::Proved);
    // The end written anew with the real key.
    let mut other = slots[..6].to_vec();
    for number in 6..9 {
        other.push(entry(other.last(), number, vec![record_of("drone", number)], 1));
    }
    let forked = objects(&other);
    assert_eq!(walk(&forked).told, "", "clean without an anchor");
    let (walked, proof) = anchored(&forked, &slots[7]);
    assert_eq!((walked.state, proof), (State::Forked, Proof::OtherRoot));
    assert_eq!(anchored(&forked, &slots[5]).1, Proof::Proved);
    // Where the ledger is broken, nobody can tell; after the break it can be told again.
    let mut gap = whole.clone();
    gap.remove(&5);
    assert_eq!(anchored(&gap, &slots[5]).1, Proof::Unknown);
    for kept in [4, 6, 8] {
        assert_eq!(anchored(&gap, &slots[kept]).1, Proof::Proved, "{kept}");
    }
    let stranger = Checkpoint { origin: slot::origin("prod", uuid::Uuid::max()), ..slots[3].checkpoint.clone() };
    let note = stranger.sign(&signer(1)).unwrap();
    let (walked, proof) = anchored(&whole, &Slot { note, ..slots[3].clone() });
    assert_eq!((walked.state, proof), (State::Whole, Proof::NoLedger));
    // In the middle of a group.
    let group = vec![entry(None, 0, (0..5).map(record).collect(), 1)];
    assert_eq!(anchored(&objects(&group), &slots[2]).1, Proof::Proved);
}

#[test]
fn what_cannot_be_read_is_junk_and_a_store_that_is_gone_is_an_error() {
    let whose = Whose::of("env=prod").unwrap();
    let read = |e| stands::read(0, Err(e), &whose, &TrustSet::default());
    assert!(matches!(read(VaultError::NotFound { place: "x".into() }), Ok(Err(_))));
    let gone = VaultError::Unreachable { doing: "x".into(), why: "y".into(), tries: 3 };
    assert!(read(gone).is_err());
    for word in ["env=eu_20prod", "env=a.b"] {
        assert_eq!(Whose::of(word).unwrap().folder(), format!("ledger/{word}/"));
    }
    assert_eq!(Whose::of("env=eu_20prod").unwrap().environment, "eu prod");
    assert_eq!(Whose::of("tile"), None);
}

proptest! {
    /// Whatever is taken away or bent, the walk ends, and it is clean only if what is left is a beginning of the ledger.
    #[test]
    fn nothing_that_is_changed_stays_unseen(
        groups in proptest::collection::vec(1usize..4, 2..14),
        gone in proptest::collection::vec(0u64..14, 0..4),
        flip in proptest::option::of((0u64..14, 0usize..10_000)),
    ) {
        let (mut slots, mut n): (Vec<Slot>, u64) = (Vec::new(), 0);
        for (number, group) in (0..).zip(&groups) {
            let said = (0..*group as u64).map(|i| record(n + i)).collect();
            n += *group as u64;
            slots.push(entry(slots.last(), number, said, 1));
        }
        let whole = objects(&slots);
        let mut all = whole.clone();
        gone.iter().for_each(|g| drop(all.remove(g)));
        if let Some((number, at)) = flip
            && let Some(bytes) = all.get_mut(&number)
        {
            let at = at % bytes.len();
            bytes[at] ^= 1;
        }
        let walked = walk(&all);
        let begins = all.iter().zip(&whole).all(|(a, b)| a == b);
        // What a later signature covers needs none of its own: see `stands::named`.
        let covered = |(n, a): (&u64, &Vec<u8>)| {
            let note = |bytes: &[u8]| Slot::parse(bytes).map(|s| Slot { note: String::new(), ..s });
            whole.get(n) == Some(a) || (note(a).is_ok() && note(a) == note(&whole[n]) && *n + 1 < groups.len() as u64)
        };
        let same = all.iter().all(covered) && all.keys().eq(whole.keys().take(all.len()));
        prop_assert!(same || !walked.told.is_empty(), "{}", walked.told);
        prop_assert!(!begins || walked.told.is_empty(), "{}", walked.told);
        // A gap in the middle is never taken for less.
        let last = all.keys().max().copied().unwrap_or(0);
        let hole = (0..last).any(|n| !all.contains_key(&n)) && flip.is_none();
        prop_assert!(!hole || walked.state == State::Gap, "{}", walked.told);
    }
}
