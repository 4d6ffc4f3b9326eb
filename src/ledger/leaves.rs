//! All leaves of a ledger in their order: each entry is the one before it and its own leaves, up to a signed head.
//!
//! Where `compact` has been, bundles of 256 leaves stand in for the slots that made them. Nobody signed those: the first
//! slot after them, or the head, tells whether they are right. If they are not, the slots are read as if there were none.

use super::head::Head;
use super::leaf::{self, Leaf};
use super::slot::{self, Slot, Standing};
use crate::record::digest::Sha256Digest;
use crate::seal::tlog::tile::{self, WIDTH};
use crate::seal::tlog::tree::Frontier;
use crate::seal::trust::TrustSet;
use crate::vault::address::{Address, BadAddress};
use crate::vault::{Vault, VaultError};

/// Slots read at once; one is some kilobytes.
const SLOTS: usize = 64;
/// Bundles read at once; one is some 100 kB.
const BUNDLES: usize = 16;

/// A leaf as it passes by.
pub(crate) struct Passed<'a> {
    /// The entry that added it; `None` where a bundle stands in for it.
    pub(crate) slot: Option<u64>,
    /// What is hashed.
    pub(crate) bytes: &'a [u8],
    /// What it says; `leaf.seq` is its place.
    pub(crate) leaf: Leaf,
    /// Its hash in the tree.
    pub(crate) hash: Sha256Digest,
}

/// Why the leaves of a ledger cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeavesError {
    /// The store.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// There is no entry.
    #[error("there is no ledger in {folder}")]
    Empty { folder: String },
    /// Whose word the newest entry is, nobody here can say.
    #[error("the newest entry of {folder}, slot {slot}, counts for nothing here: {why}")]
    Unattributed { folder: String, slot: u64, why: String },
    /// The chain ends here.
    #[error("slot {slot} of {folder} {why}; `vouchsafe verify` tells what is left of this ledger")]
    Broken { folder: String, slot: u64, why: String },
    /// Tiles write a leaf's length in 16 bits (C2SP `tlog-tiles`, "Log Entries").
    #[error("leaf {seq} of {folder} is {size} bytes: tiles cannot hold it")]
    TooLong { folder: String, seq: u64, size: usize },
}

/// What became of a walk.
pub(crate) struct Walked<T> {
    /// What the visitor made of the leaves.
    pub(crate) state: T,
    /// The bundles do not agree with the signed ledger, and were not used.
    pub(crate) bad_bundles: bool,
}

/// The newest entry of the environment's ledger, and the trusted key that signed it.
pub(crate) fn signed_head(vault: &Vault, trust: &TrustSet, environment: &str) -> Result<(Slot, String), LeavesError> {
    let folder = slot::folder(environment);
    let Some(base) = Head::read(vault, trust, environment)?.base else { return Err(LeavesError::Empty { folder }) };
    let unattributed = |why: String| LeavesError::Unattributed { folder: folder.clone(), slot: base.number, why };
    match base.check(base.number, environment, trust) {
        Ok(Standing::Trusted(keyid)) => Ok((base, keyid)),
        Ok(Standing::Unattributed(why)) => Err(unattributed(why)),
        Err(e) => Err(unattributed(e.to_string())),
    }
}

/// Hands every leaf below the head `base` to `each`, in order, and answers only when they lead to the head's own tree:
/// before that, nothing of what `each` was given is known to be true. `fresh` begins anew if the bundles turn out wrong.
pub(crate) fn walk<T>(
    vault: &Vault,
    trust: &TrustSet,
    environment: &str,
    base: &Slot,
    fresh: impl Fn() -> T,
    mut each: impl FnMut(&mut T, Passed),
) -> Result<Walked<T>, LeavesError> {
    let begin = || Walk {
        vault,
        trust,
        environment,
        folder: slot::folder(environment),
        base,
        frontier: Frontier::default(),
        last: Some(None),
    };
    let (mut walk, mut state) = (begin(), fresh());
    walk.bundles(&mut |passed| each(&mut state, passed))?;
    let with_bundles = walk.frontier.size() > 0;
    match walk.slots(&mut |passed| each(&mut state, passed)) {
        Err(e @ LeavesError::Vault(_)) => return Err(e),
        Err(e) if !with_bundles => return Err(e),
        Ok(()) => return Ok(Walked { state, bad_bundles: false }),
        Err(_) => {}
    }
    let (mut walk, mut state) = (begin(), fresh());
    walk.slots(&mut |passed| each(&mut state, passed))?;
    Ok(Walked { state, bad_bundles: true })
}

struct Walk<'a> {
    vault: &'a Vault,
    trust: &'a TrustSet,
    environment: &'a str,
    folder: String,
    base: &'a Slot,
    /// What has passed.
    frontier: Frontier,
    /// The entry that came last: `Some(None)` before the first, `None` where bundles hide it.
    last: Option<Option<u64>>,
}

impl Walk<'_> {
    /// The full bundles from the first on, as many as there are and as the tree has.
    fn bundles(&mut self, each: &mut dyn FnMut(Passed)) -> Result<(), LeavesError> {
        let full = self.base.checkpoint.size / WIDTH;
        let mut next = 0;
        while next < full {
            // Most ledgers have none: one question tells.
            let batch = if next == 0 { 1 } else { BUNDLES as u64 };
            let paths = (next..full.min(next + batch)).map(|n| tile::path("entries", n, WIDTH));
            let addresses: Vec<Address> =
                paths.map(|path| self.at(&path)).collect::<Result<_, _>>().map_err(unnamed)?;
            next += addresses.len() as u64;
            for read in self.vault.get_many(&addresses, BUNDLES) {
                let bytes = match read {
                    Ok(bytes) => bytes,
                    Err(VaultError::NotFound { .. } | VaultError::TooLarge { .. }) => return Ok(()),
                    Err(e) => return Err(e.into()),
                };
                let Some(leaves) = self.bundle(&bytes) else { return Ok(()) };
                for (bytes, leaf) in leaves {
                    let hash = leaf::hash(bytes);
                    self.frontier.push(hash);
                    each(Passed { slot: None, bytes, leaf, hash });
                }
                self.last = None;
            }
        }
        Ok(())
    }

    /// The leaves of a full bundle, if it is one and goes on where the last one ended.
    fn bundle<'b>(&self, bytes: &'b [u8]) -> Option<Vec<(&'b [u8], Leaf)>> {
        let leaves = tile::entries(bytes).filter(|leaves| leaves.len() as u64 == WIDTH)?;
        let placed = |(place, bytes): (u64, &'b [u8])| {
            Leaf::parse(bytes).ok().filter(|leaf| leaf.seq == place).map(|leaf| (bytes, leaf))
        };
        (self.frontier.size()..).zip(leaves).map(placed).collect()
    }

    /// The slots after what has passed, up to the head.
    fn slots(&mut self, each: &mut dyn FnMut(Passed)) -> Result<(), LeavesError> {
        let mut from = if self.frontier.size() == 0 { 0 } else { self.slot_after(self.frontier.size())? };
        // What holds no entry, until the next entry says that it knew.
        let mut pending: Option<(u64, String)> = None;
        while from <= self.base.number && self.frontier.size() < self.base.checkpoint.size {
            let to = (from + SLOTS as u64).min(self.base.number + 1);
            let addresses: Vec<Address> =
                (from..to).map(|n| slot::address(&self.folder, n)).collect::<Result<_, _>>().map_err(unnamed)?;
            for (number, read) in (from..to).zip(self.vault.get_many(&addresses, SLOTS)) {
                let entry = match read {
                    Ok(bytes) => self.entry(number, &bytes),
                    Err(VaultError::NotFound { .. }) => Err("is missing".to_owned()),
                    Err(e @ VaultError::TooLarge { .. }) => Err(format!("holds no entry: {e}")),
                    Err(e) => return Err(e.into()),
                };
                let (entry, skip) = match entry {
                    Ok(entry) => entry,
                    Err(why) => {
                        pending.get_or_insert((number, why));
                        continue;
                    }
                };
                if let (Some((slot, why)), Some(last)) = (pending.take(), self.last)
                    && entry.follows() != last
                {
                    return Err(self.broken(slot, why));
                }
                self.last = Some(Some(number));
                for (bytes, leaf) in entry.leaves.iter().skip(skip) {
                    let hash = leaf::hash(bytes);
                    self.frontier.push(hash);
                    each(Passed { slot: Some(number), bytes, leaf: leaf.clone(), hash });
                }
            }
            from = to;
        }
        if self.frontier == self.base.frontier {
            return Ok(());
        }
        let (slot, why) = pending.unwrap_or((self.base.number, "does not follow from the leaves before it".to_owned()));
        Err(self.broken(slot, why))
    }

    /// The entry in `bytes`, if it is what has passed and its own leaves; and how many of those have passed already.
    fn entry(&self, number: u64, bytes: &[u8]) -> Result<(Slot, usize), String> {
        let no_entry = |why: &dyn std::fmt::Display| format!("holds no entry: {why}");
        let entry = Slot::parse(bytes).map_err(|e| no_entry(&e))?;
        entry.check(number, self.environment, self.trust).map_err(|e| no_entry(&e))?;
        if entry.checkpoint.origin != self.base.checkpoint.origin {
            return Err(format!("is of another ledger, {}", entry.checkpoint.origin));
        }
        let begins = entry.checkpoint.size.saturating_sub(entry.leaves.len() as u64);
        let passed = self.frontier.size();
        // Only the first slot after the bundles may begin within them.
        let skip = if self.last.is_none() { passed.checked_sub(begins) } else { Some(0).filter(|_| begins == passed) };
        let skip = skip.and_then(|n| usize::try_from(n).ok()).ok_or("does not go on where the ledger ended")?;
        let mut frontier = self.frontier.clone();
        entry.leaves.iter().skip(skip).for_each(|(bytes, _)| frontier.push(leaf::hash(bytes)));
        if frontier != entry.frontier {
            return Err("is not the ledger before it and its own leaves".into());
        }
        Ok((entry, skip))
    }

    /// The first slot whose tree has more than `size` leaves, found by halves; what holds no entry is passed over.
    fn slot_after(&self, size: u64) -> Result<u64, LeavesError> {
        let (mut low, mut high, mut best) = (0, self.base.number, self.base.number);
        while low < high {
            let middle = low + (high - low) / 2;
            let mut at = middle;
            let found = loop {
                if at >= high {
                    break None;
                }
                let address = slot::address(&self.folder, at).map_err(unnamed)?;
                match self.vault.get(&address, None) {
                    Ok(bytes) => {
                        if let Ok(entry) = Slot::parse(&bytes)
                            && entry.checkpoint.origin == self.base.checkpoint.origin
                        {
                            break Some(entry.checkpoint.size);
                        }
                    }
                    Err(VaultError::NotFound { .. } | VaultError::TooLarge { .. }) => {}
                    Err(e) => return Err(e.into()),
                }
                at += 1;
            };
            match found {
                Some(theirs) if theirs <= size => low = at + 1,
                Some(_) => (best, high) = (at, middle),
                None => high = middle,
            }
        }
        Ok(best)
    }

    fn at(&self, path: &str) -> Result<Address, BadAddress> {
        Address::parse(&format!("{}{path}", self.folder))
    }

    fn broken(&self, slot: u64, why: String) -> LeavesError {
        LeavesError::Broken { folder: self.folder.clone(), slot, why }
    }
}

fn unnamed(e: BadAddress) -> LeavesError {
    VaultError::Other { doing: "name a part of the ledger".into(), why: e.to_string() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::leaf::Said;
    use crate::ledger::written::{self, Written};

    /// Entry and place of every leaf that passed, and whether the bundles were wrong.
    type Seen = (Vec<(Option<u64>, u64)>, bool);

    fn seen(w: &Written) -> Result<Seen, LeavesError> {
        let trust = w.trust();
        let (base, _) = signed_head(&w.vault, &trust, "prod")?;
        let each = |state: &mut Vec<_>, p: Passed| state.push((p.slot, p.leaf.seq));
        walk(&w.vault, &trust, "prod", &base, Vec::new, each).map(|w| (w.state, w.bad_bundles))
    }

    #[test]
    fn every_leaf_passes_once_in_its_order() {
        let mut w = Written::new();
        assert!(matches!(seen(&w), Err(LeavesError::Empty { .. })));
        w.entries(&[1, 3, 1, 2]);
        let want = [(0, 0), (1, 1), (1, 2), (1, 3), (2, 4), (3, 5), (3, 6)];
        let want: Vec<_> = want.iter().map(|&(slot, seq)| (Some(slot), seq)).collect();
        assert_eq!(seen(&w).unwrap(), (want, false));
    }

    #[test]
    fn a_break_is_named() {
        type Bend = fn(&Written);
        let bends: [(&str, u64, &str, Bend); 4] = [
            ("gone", 2, "is missing", |w| std::fs::remove_file(w.file(2)).unwrap()),
            ("first gone", 0, "is missing", |w| std::fs::remove_file(w.file(0)).unwrap()),
            ("not ours", 2, "holds no entry", |w| std::fs::write(w.file(2), "{}").unwrap()),
            ("of another ledger", 2, "is of another ledger", |w| {
                let mut other = Written::new();
                other.origin = uuid::Uuid::from_u128(7);
                other.entries(&[1, 1, 1]);
                std::fs::copy(other.file(2), w.file(2)).unwrap();
            }),
        ];
        for (what, slot, says, bend) in bends {
            let mut w = Written::new();
            w.entries(&[1, 1, 1, 1, 1]);
            bend(&w);
            match seen(&w) {
                Err(LeavesError::Broken { slot: at, why, .. }) => {
                    assert!(at == slot && why.contains(says), "{what}: {at} {why}")
                }
                other => panic!("{what}: {:?}", other.map(|(seen, _)| seen)),
            }
        }
    }

    #[test]
    fn what_the_next_entry_calls_void_is_no_break() {
        let mut w = Written::new();
        w.entries(&[1, 1]);
        std::fs::write(w.file(2), "junk").unwrap();
        std::fs::write(w.file(3), "junk").unwrap();
        w.number = 4;
        let said = [2, 3].map(|slot| Said::Void { slot, sha256: None });
        w.entry(said.into());
        w.entries(&[1]);
        let slots: Vec<_> = seen(&w).unwrap().0.into_iter().map(|(slot, _)| slot.unwrap()).collect();
        assert_eq!(slots, [0, 1, 4, 4, 5]);
    }

    #[test]
    fn a_head_that_nobody_vouches_for_is_refused() {
        let mut w = Written::new();
        w.entries(&[1, 1]);
        let stranger = crate::seal::key::PrivateKey::generate([9; 32]).public();
        let refused = signed_head(&w.vault, &TrustSet::of(stranger), "prod");
        assert!(matches!(refused, Err(LeavesError::Unattributed { slot: 1, .. })));
    }

    #[test]
    fn bundles_stand_in_for_slots_and_are_not_believed() {
        let sizes: Vec<usize> = (0..300).map(|n| 1 + n % 5).collect();
        let mut w = Written::new();
        w.entries(&sizes);
        let (plain, _) = seen(&w).unwrap();
        let size = plain.len() as u64;
        assert_eq!(size, 900);
        for upto in 1..=3 {
            written::bundle(&w, upto - 1);
            let (with, bad) = seen(&w).unwrap();
            let places = |all: &[(Option<u64>, u64)]| all.iter().map(|(_, seq)| *seq).collect::<Vec<_>>();
            assert!(!bad && places(&with) == places(&plain));
            let from_bundles = with.iter().filter(|(slot, _)| slot.is_none()).count() as u64;
            assert_eq!(from_bundles, upto * WIDTH);
            assert_eq!(with[from_bundles as usize..], plain[from_bundles as usize..], "the rest comes from its slots");
        }
        // One byte of one leaf.
        let file = w.path("tile/entries/001");
        let good = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&good).replacen("2026", "2027", 1);
        std::fs::write(&file, text.as_bytes()).unwrap();
        assert_eq!(seen(&w).unwrap(), (plain.clone(), true));
        // Cut short: only what is before it counts.
        std::fs::write(&file, &good[..good.len() - 1]).unwrap();
        let (with, bad) = seen(&w).unwrap();
        assert!(!bad && with[WIDTH as usize..] == plain[WIDTH as usize..]);
        std::fs::write(&file, &good).unwrap();
        // Slots that the bundles hide may be gone.
        std::fs::remove_file(w.file(0)).unwrap();
        assert!(!seen(&w).unwrap().1);
    }

    #[test]
    fn a_ledger_that_ends_with_a_bundle_needs_no_slot_but_its_head() {
        let mut w = Written::new();
        w.entries(&[200, 56]);
        written::bundle(&w, 0);
        let (all, bad) = seen(&w).unwrap();
        assert!(!bad && all.len() == 256 && all.iter().all(|(slot, _)| slot.is_none()));
    }
}
