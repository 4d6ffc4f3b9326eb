//! One object of the ledger: the leaves that an append adds, the tree's right edge after them, and a signed checkpoint.
//!
//! `ledger/env=<env>/<10^12-1-slot>`: the newest comes first in every sorted listing.

use super::leaf::{self, Leaf, Said};
use crate::record::digest::Sha256Digest;
use crate::record::json;
use crate::seal::SealError;
use crate::seal::signer::Signer;
use crate::seal::strict_json::{self, Numbers};
use crate::seal::tlog::checkpoint::Checkpoint;
use crate::seal::tlog::note::NoteError;
use crate::seal::tlog::tree::Frontier;
use crate::seal::trust::TrustSet;
use crate::vault::address::Address;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The version that is written.
const VERSION: u32 = 1;
/// One more than the last slot.
const SLOTS: u64 = 1_000_000_000_000;
/// Most leaves of one append.
pub(crate) const MOST_LEAVES: usize = 1000;

/// The folder of an environment's ledger, with its slash.
pub(crate) fn folder(environment: &str) -> String {
    format!("ledger/{}", Address::environment_prefix(environment).trim_start_matches("evidence/"))
}

/// The name of a slot in its folder.
pub(crate) fn name(slot: u64) -> String {
    format!("{:012}", SLOTS.saturating_sub(1).saturating_sub(slot))
}

/// The inverse of [`name`]; `None` for what is no slot.
pub(crate) fn number(name: &str) -> Option<u64> {
    let digits = name.len() == 12 && name.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| name.parse::<u64>().ok()).flatten().map(|n| SLOTS - 1 - n)
}

/// The place of a copy of the checkpoint of that size.
pub(crate) fn checkpoint_name(environment: &str, size: u64) -> String {
    format!("{}checkpoints/{size:012}", folder(environment))
}

/// The place of the time-stamp over the checkpoint of that size.
pub(crate) fn stamp_name(environment: &str, size: u64) -> String {
    format!("{}timestamps/{size:012}.tsr", folder(environment))
}

/// The place of a slot.
pub(crate) fn address(folder: &str, slot: u64) -> Result<Address, crate::vault::address::BadAddress> {
    Address::parse(&format!("{folder}{}", name(slot)))
}

/// An entry of the ledger as it stands in the vault. Nothing of it is verified until [`Slot::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Its number, from 0.
    pub(crate) number: u64,
    /// Records in the ledger after it. A hint: whole verification counts for itself.
    pub(crate) records: u64,
    /// The leaves that it adds, byte for byte, each with what it says.
    pub(crate) leaves: Vec<(Vec<u8>, Leaf)>,
    /// The tree after it.
    pub(crate) frontier: Frontier,
    /// The checkpoint in the note.
    pub(crate) checkpoint: Checkpoint,
    /// The signed note, as it stands there.
    pub(crate) note: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    v: u32,
    slot: u64,
    records: u64,
    leaves: Vec<String>,
    frontier: Vec<String>,
    checkpoint: String,
}

/// Why an object in a slot is no entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SlotError {
    /// Not of our form, or not whole.
    #[error("it is no entry of a ledger: {0}")]
    Malformed(String),
    /// Of a newer major version.
    #[error("it is of version {0}, which this program cannot read")]
    Newer(u32),
    /// Whole, but the checkpoint belongs to another slot or ledger.
    #[error("it belongs elsewhere: {0}")]
    Misplaced(String),
    /// The signature of a known key does not hold.
    #[error("{0}")]
    Signature(NoteError),
}

/// Whose word an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A key signed it that is trusted for this environment at that time.
    Trusted(String),
    /// Nobody here can say; why.
    Unattributed(String),
}

impl Slot {
    /// Makes the entry that follows `before`: leaves in order, checkpoint signed. `records` counts them all.
    pub(crate) fn next(
        before: Option<&Self>,
        number: u64,
        origin: &str,
        leaves: Vec<Leaf>,
        signer: &Signer,
    ) -> Result<Self, SealError> {
        let mut frontier = before.map(|b| b.frontier.clone()).unwrap_or_default();
        let mut records = before.map_or(0, |b| b.records);
        let mut with_bytes = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let bytes = leaf.to_bytes().map_err(|e| crate::seal::StatementError::Shape(e.to_string()))?;
            frontier.push(leaf::hash(&bytes));
            records += u64::from(leaf.record().is_some());
            with_bytes.push((bytes, leaf));
        }
        let checkpoint = Checkpoint { origin: origin.to_owned(), size: frontier.size(), root: frontier.root() };
        let note = checkpoint.sign(signer)?;
        Ok(Self { number, records, leaves: with_bytes, frontier, checkpoint, note })
    }

    /// The object that is stored.
    pub(crate) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = json::to_vec(&Wire {
            v: VERSION,
            slot: self.number,
            records: self.records,
            leaves: self.leaves.iter().map(|(bytes, _)| STANDARD.encode(bytes)).collect(),
            frontier: self.frontier.roots().iter().map(|h| STANDARD.encode(h.as_bytes())).collect(),
            checkpoint: self.note.clone(),
        })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads what stands in a slot and checks that it is whole in itself: leaves in their places, the edge folding to the
    /// root of the checkpoint.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, SlotError> {
        let malformed = |why: String| SlotError::Malformed(why);
        strict_json::check(bytes, Numbers::Any).map_err(|e| malformed(e.to_string()))?;
        let wire: Wire = serde_json::from_slice(bytes).map_err(|e| {
            #[derive(Deserialize)]
            struct Least {
                v: u32,
            }
            match serde_json::from_slice::<Least>(bytes) {
                Ok(least) if least.v > VERSION => SlotError::Newer(least.v),
                _ => malformed(strict_json::complaint(&e)),
            }
        })?;
        if wire.v > VERSION {
            return Err(SlotError::Newer(wire.v));
        }
        let checkpoint = Checkpoint::peek(&wire.checkpoint).map_err(|e| malformed(format!("`checkpoint`: {e}")))?;
        let mut roots = Vec::with_capacity(wire.frontier.len().min(64));
        for text in &wire.frontier {
            let root = STANDARD.decode(text).ok().and_then(|r| <[u8; 32]>::try_from(r).ok());
            roots.push(Sha256Digest::from_bytes(root.ok_or_else(|| malformed("`frontier` is not hashes".into()))?));
        }
        let frontier = Frontier::from_parts(checkpoint.size, roots)
            .ok_or_else(|| malformed("`frontier` does not fit the size in the checkpoint".into()))?;
        if frontier.root() != checkpoint.root {
            return Err(malformed("`frontier` does not fold to the root in the checkpoint".into()));
        }
        let first = (wire.leaves.len() as u64 <= checkpoint.size).then(|| checkpoint.size - wire.leaves.len() as u64);
        let first = first.ok_or_else(|| malformed("it adds more leaves than the tree has".into()))?;
        let mut leaves = Vec::with_capacity(wire.leaves.len());
        for (place, text) in (first..).zip(&wire.leaves) {
            let bytes = STANDARD.decode(text).map_err(|_| malformed("a leaf is not base64".into()))?;
            let leaf = Leaf::parse(&bytes).map_err(malformed)?;
            if leaf.seq != place {
                return Err(malformed(format!("the leaf at place {place} says that it is number {}", leaf.seq)));
            }
            leaves.push((bytes, leaf));
        }
        if leaves.is_empty() {
            return Err(malformed("it adds no leaf".into()));
        }
        Ok(Self { number: wire.slot, records: wire.records, leaves, frontier, checkpoint, note: wire.checkpoint })
    }

    /// Whether it stands where it belongs, and whose word it is.
    pub(crate) fn check(&self, number: u64, environment: &str, trust: &TrustSet) -> Result<Standing, SlotError> {
        if self.number != number {
            return Err(SlotError::Misplaced(format!("it says that it is slot {}", self.number)));
        }
        if !belongs(&self.checkpoint.origin, environment) {
            return Err(SlotError::Misplaced(format!("its origin is `{}`", self.checkpoint.origin)));
        }
        match Checkpoint::open(&self.note, trust) {
            Ok((_, keyid)) => Ok(match trust.covers(&keyid, environment, self.logged_on()) {
                Ok(_) => Standing::Trusted(keyid),
                Err(distrust) => Standing::Unattributed(distrust.to_string()),
            }),
            Err(NoteError::UnknownKey) => Ok(Standing::Unattributed(NoteError::UnknownKey.to_string())),
            Err(e) => Err(SlotError::Signature(e)),
        }
    }

    /// Whether it is `before` (nothing, for the first) and its own leaves, and nothing else.
    pub(crate) fn extends(&self, before: Option<&Self>) -> bool {
        if before.is_some_and(|b| b.checkpoint.origin != self.checkpoint.origin || b.number >= self.number) {
            return false;
        }
        let mut frontier = before.map(|b| b.frontier.clone()).unwrap_or_default();
        self.leaves.iter().for_each(|(bytes, _)| frontier.push(leaf::hash(bytes)));
        frontier == self.frontier
    }

    /// The slot that it follows: the one before it, past those that it calls void. `None` for the first.
    pub(crate) fn follows(&self) -> Option<u64> {
        let mut before = self.number.checked_sub(1)?;
        let void =
            |slot: u64| self.leaves.iter().any(|(_, l)| matches!(l.said, Said::Void { slot: s, .. } if s == slot));
        while void(before) {
            before = before.checked_sub(1)?;
        }
        Some(before)
    }

    /// When its last leaf was appended.
    pub(crate) fn logged_on(&self) -> DateTime<Utc> {
        self.leaves.last().map(|(_, leaf)| leaf.logged_on).unwrap_or_default()
    }

    /// The leaf of that record, if this entry adds it.
    pub(crate) fn leaf_of(&self, sha256: &Sha256Digest, address: &str) -> Option<&Leaf> {
        let is_it = |leaf: &&Leaf| leaf.record().is_some_and(|r| r.sha256 == *sha256 && r.address == address);
        self.leaves.iter().map(|(_, leaf)| leaf).find(is_it)
    }
}

/// The origin of a new ledger: unique, and bound to its environment. The vault's own place is no part of it, because a
/// copy has another.
pub(crate) fn origin(environment: &str, fresh: uuid::Uuid) -> String {
    format!("vouchsafe.dev/ledger/{fresh}/{}", environment_word(environment))
}

/// Whether a ledger of that origin is one of this environment.
pub(crate) fn belongs(origin: &str, environment: &str) -> bool {
    let id = origin.strip_prefix("vouchsafe.dev/ledger/").and_then(|rest| rest.split_once('/'));
    id.is_some_and(|(id, word)| id.parse::<uuid::Uuid>().is_ok() && word == environment_word(environment))
}

fn environment_word(environment: &str) -> String {
    folder(environment).trim_start_matches("ledger/").trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::key::PrivateKey;
    use proptest::prelude::*;

    fn signer(seed: u8) -> Signer {
        Signer::Key(PrivateKey::generate([seed; 32]))
    }

    fn beat(seq: u64) -> Leaf {
        Leaf {
            seq,
            logged_on: "2026-11-23T01:02:03Z".parse().unwrap(),
            said: Said::Heartbeat { records: 0, by: "x".into() },
        }
    }

    fn chain() -> (Slot, Slot) {
        let origin = origin("prod", uuid::Uuid::nil());
        let first = Slot::next(None, 0, &origin, vec![beat(0)], &signer(1)).unwrap();
        let second = Slot::next(Some(&first), 1, &origin, vec![beat(1), beat(2)], &signer(1)).unwrap();
        (first, second)
    }

    #[test]
    fn names_are_inverted_and_come_back() {
        assert_eq!((name(0).as_str(), name(12).as_str()), ("999999999999", "999999999987"));
        assert!(name(5) > name(6));
        for slot in [0, 1, 999, SLOTS - 1] {
            assert_eq!(number(&name(slot)), Some(slot));
        }
        for other in ["", "99999999999", "9999999999999", "99999999999x", "999999999999-ab", "+99999999999", "tile"] {
            assert_eq!(number(other), None, "{other}");
        }
        assert_eq!(folder("eu prod"), "ledger/env=eu_20prod/");
    }

    #[test]
    fn an_entry_comes_back_and_is_judged() {
        let (first, second) = chain();
        for slot in [&first, &second] {
            assert_eq!(Slot::parse(&slot.to_bytes().unwrap()).as_ref(), Ok(slot));
        }
        assert!(first.extends(None) && second.extends(Some(&first)));
        assert!(!second.extends(None) && !first.extends(Some(&second)) && !first.extends(Some(&first)));
        let keys = TrustSet::of(signer(1).public_key());
        let keyid = signer(1).public_key().keyid();
        assert_eq!(second.check(1, "prod", &keys), Ok(Standing::Trusted(keyid)));
        assert!(matches!(second.check(1, "prod", &TrustSet::default()), Ok(Standing::Unattributed(_))));
        assert!(matches!(second.check(2, "prod", &keys), Err(SlotError::Misplaced(_))));
        assert!(matches!(second.check(1, "staging", &keys), Err(SlotError::Misplaced(_))));
    }

    #[test]
    fn an_entry_that_is_not_whole_is_refused() {
        let (_, second) = chain();
        let good = String::from_utf8(second.to_bytes().unwrap()).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&good).unwrap();
        type Bend = fn(&mut serde_json::Value);
        let bends: [(&str, Bend); 8] = [
            ("a leaf less", |v| drop(v["leaves"].as_array_mut().unwrap().remove(0))),
            ("leaves swapped", |v| v["leaves"].as_array_mut().unwrap().swap(0, 1)),
            ("no leaf", |v| v["leaves"] = serde_json::json!([])),
            ("frontier short", |v| drop(v["frontier"].as_array_mut().unwrap().pop())),
            ("frontier other", |v| v["frontier"][0] = STANDARD.encode([0; 32]).into()),
            ("frontier no hash", |v| v["frontier"][0] = "AAAA".into()),
            ("checkpoint unsigned", |v| v["checkpoint"] = "o\n1\nx\n".into()),
            ("a member missing", |v| drop(v.as_object_mut().unwrap().remove("records"))),
        ];
        for (what, bend) in bends {
            let mut bent = value.clone();
            bend(&mut bent);
            let read = Slot::parse(bent.to_string().as_bytes());
            // A leaf less than it added can only be told by what stands before.
            if what == "a leaf less" {
                assert!(!read.unwrap().extends(Some(&chain().0)));
            } else {
                assert!(matches!(read, Err(SlotError::Malformed(_))), "{what}: {read:?}");
            }
        }
        value["v"] = 2.into();
        assert_eq!(Slot::parse(value.to_string().as_bytes()), Err(SlotError::Newer(2)));
        assert_eq!(Slot::parse(br#"{"v":3}"#), Err(SlotError::Newer(3)));
        let doubled = good.replacen("{\"v\":1", "{\"v\":1,\"v\":1", 1);
        assert!(Slot::parse(doubled.as_bytes()).is_err());
        let keys = TrustSet::of(signer(1).public_key());
        let other = Slot::next(None, 1, &second.checkpoint.origin, vec![beat(0)], &signer(2)).unwrap();
        assert!(matches!(other.check(1, "prod", &keys), Ok(Standing::Unattributed(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Slot::parse(&bytes);
        }
    }
}
