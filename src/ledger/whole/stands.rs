//! What stands in a slot, as far as it can be told without its neighbours.

use crate::ledger::leaf;
use crate::ledger::slot::{Slot, SlotError, Standing};
use crate::record::digest::Sha256Digest;
use crate::seal::tlog::checkpoint::Checkpoint;
use crate::seal::tlog::note;
use crate::seal::tlog::tree::Frontier;
use crate::seal::trust::TrustSet;
use crate::vault::VaultError;
use crate::vault::address::Address;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// Whose ledger it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Whose {
    /// The folder's name, `env=production`: exact, also where the environment's own name was too long for it.
    pub(super) word: String,
    /// The environment as people know it.
    pub(crate) environment: String,
}

impl Whose {
    /// From the name of a folder under `ledger/` or `evidence/`; `None` for what is no environment.
    pub(super) fn of(word: &str) -> Option<Self> {
        // The escape is the address's own; an address is how it is taken back.
        let record = format!("evidence/{word}/date=2000-01-01/run=a-1-1/run.json");
        let environment = Address::parse(&record).ok()?.parts()?.environment;
        Some(Self { word: word.to_owned(), environment })
    }

    /// The folder of the ledger, with its slash.
    pub(super) fn folder(&self) -> String {
        format!("ledger/{}/", self.word)
    }

    /// The folder of the records, with its slash.
    pub(super) fn evidence(&self) -> String {
        format!("evidence/{}/", self.word)
    }

    /// Whether a ledger of that origin is one of this environment.
    pub(super) fn owns(&self, origin: &str) -> bool {
        let id = origin.strip_prefix("vouchsafe.dev/ledger/").and_then(|rest| rest.split_once('/'));
        id.is_some_and(|(id, word)| id.parse::<uuid::Uuid>().is_ok() && word == self.word)
    }
}

/// An entry with the hashes of its leaves.
pub(super) struct Read {
    pub(super) slot: Slot,
    pub(super) hashes: Vec<Sha256Digest>,
    /// Whose word it would be, by the key that its note names. See [`named`].
    pub(super) standing: Standing,
}

/// Something else.
#[derive(Clone, Debug)]
pub(super) struct Junk {
    /// SHA-256 of it; absent when it could not be read.
    pub(super) sha256: Option<Sha256Digest>,
    pub(super) why: String,
    /// The checkpoint in it, if a trusted key signed that for this ledger: then an entry stood here and was altered.
    pub(super) signed: Option<Checkpoint>,
    /// There is a finding of it already.
    pub(super) told: bool,
}

/// What stands in slot `number` of a ledger.
pub(super) fn read(
    number: u64,
    got: Result<Vec<u8>, VaultError>,
    whose: &Whose,
    trust: &TrustSet,
) -> Result<Result<Read, Junk>, VaultError> {
    let junk = |sha256, why: String| Ok(Err(Junk { sha256, why, signed: None, told: false }));
    let bytes = match got {
        Ok(bytes) => bytes,
        // One object that cannot be read is a finding; a store that does not answer is a reason to stop.
        Err(e @ (VaultError::NotFound { .. } | VaultError::TooLarge { .. } | VaultError::Other { .. })) => {
            return junk(None, format!("it could not be read: {e}"));
        }
        Err(e) => return Err(e),
    };
    let read = Slot::parse(&bytes).and_then(|slot| match () {
        () if slot.number != number => Err(SlotError::Misplaced(format!("it says that it is slot {}", slot.number))),
        () if !whose.owns(&slot.checkpoint.origin) => {
            Err(SlotError::Misplaced(format!("its origin is `{}`", slot.checkpoint.origin)))
        }
        () => Ok(slot),
    });
    Ok(match read {
        Ok(slot) => {
            let hashes = slot.leaves.iter().map(|(bytes, _)| leaf::hash(bytes)).collect();
            let standing = named(&slot, whose, trust);
            Ok(Read { slot, hashes, standing })
        }
        Err(e) => {
            let signed = signed(&bytes, whose, trust);
            Err(Junk { sha256: Some(Sha256Digest::of(&bytes)), why: e.to_string(), signed, told: false })
        }
    })
}

/// Whose word an entry would be if the signature in it holds; the signature itself is not looked at.
///
/// The newest entry of every unbroken stretch is checked whole ([`proved`]), and its root is computed from all leaves
/// before it: so each of them is what a trusted key signed, whatever the signatures in between are worth. To check
/// every one would double the cost of a long ledger and show nothing more of any leaf.
fn named(slot: &Slot, whose: &Whose, trust: &TrustSet) -> Standing {
    let origin = &slot.checkpoint.origin;
    let lines = note::split(&slot.note).map(|(_, lines)| lines).unwrap_or_default();
    let id = |line: &&str| {
        let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok().filter(|_| name == origin)?;
        bytes.first_chunk::<4>().copied()
    };
    let ids: Vec<[u8; 4]> = lines.iter().filter_map(id).collect();
    let key = trust.iter().find(|(_, key)| ids.contains(&note::key_id(origin, &key.key)));
    let Some((keyid, _)) = key else { return Standing::Unattributed(note::NoteError::UnknownKey.to_string()) };
    match trust.covers(keyid, &whose.environment, slot.logged_on()) {
        Ok(_) => Standing::Trusted(keyid.to_owned()),
        Err(distrust) => Standing::Unattributed(distrust.to_string()),
    }
}

/// The key that signed the entry, if it is trusted for it; else why not. With the signature.
pub(super) fn proved(slot: &Slot, whose: &Whose, trust: &TrustSet) -> Result<String, String> {
    proved_note(&slot.note, slot.logged_on(), whose, trust)
}

/// The same of a note alone.
pub(super) fn proved_note(note: &str, on: DateTime<Utc>, whose: &Whose, trust: &TrustSet) -> Result<String, String> {
    let (_, keyid) = Checkpoint::open(note, trust).map_err(|e| e.to_string())?;
    trust.covers(&keyid, &whose.environment, on).map_err(|e| e.to_string())?;
    Ok(keyid)
}

/// The signed checkpoint in something that is no entry.
fn signed(bytes: &[u8], whose: &Whose, trust: &TrustSet) -> Option<Checkpoint> {
    #[derive(Deserialize)]
    struct Least {
        checkpoint: String,
    }
    let note = serde_json::from_slice::<Least>(bytes).ok()?.checkpoint;
    let (checkpoint, _) = Checkpoint::open(&note, trust).ok()?;
    whose.owns(&checkpoint.origin).then_some(checkpoint)
}

/// Whether two edges can be of one tree: the perfect subtrees that both have must be the same.
///
/// `false` proves two histories. `true` proves nothing: the smaller trees within the larger subtrees are not seen.
pub(super) fn consistent(a: &Frontier, b: &Frontier) -> bool {
    let (mut of_a, mut of_b) = (a.roots().iter(), b.roots().iter());
    for bit in (0..64).rev() {
        match (a.size() >> bit & 1, b.size() >> bit & 1) {
            (0, 0) => {}
            (1, 1) => {
                if of_a.next() != of_b.next() {
                    return false;
                }
            }
            // From here on the two cut their leaves in different places.
            _ => return true,
        }
    }
    true
}

/// Whether the leaves of an entry are those at the right edge of its tree, as far as that edge shows it by itself.
pub(super) fn at_the_edge(read: &Read) -> Option<bool> {
    let mut left: &[Sha256Digest] = &read.hashes;
    let mut size = read.slot.frontier.size();
    for root in read.slot.frontier.roots().iter().rev() {
        let width = 1u64.checked_shl(size.trailing_zeros())?;
        let from = left.len().checked_sub(usize::try_from(width).ok()?)?;
        let (before, last) = left.split_at(from);
        let mut subtree = Frontier::default();
        last.iter().for_each(|hash| subtree.push(*hash));
        if subtree.root() != *root {
            return Some(false);
        }
        (left, size) = (before, size - width);
        if left.is_empty() {
            return Some(true);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree(leaves: impl IntoIterator<Item = u8>) -> Frontier {
        let mut frontier = Frontier::default();
        leaves.into_iter().for_each(|n| frontier.push(leaf::hash(&[n])));
        frontier
    }

    #[test]
    fn a_changed_leaf_shows_where_both_trees_have_its_subtree() {
        assert!(!consistent(&tree([0, 1, 2, 3, 4]), &tree([0, 9, 2, 3, 4, 5])));
        assert!(!consistent(&tree([0, 1]), &tree([0, 9])));
        // Leaf 2 is alone in one and in a pair of the other.
        assert!(consistent(&tree([0, 1, 2]), &tree([0, 1, 9, 3])));
        assert!(consistent(&tree([]), &tree([1])));
    }

    proptest! {
        #[test]
        fn a_tree_and_what_it_grows_into_are_consistent(small in 0u8..60, more in 0u8..60) {
            prop_assert!(consistent(&tree(0..small), &tree(0..small + more)));
            prop_assert!(consistent(&tree(0..small + more), &tree(0..small)));
        }
    }
}
