//! Anchors: checkpoints that somebody kept elsewhere. Each shows that the ledger was once so large and had that root.
//!
//! The copies that `compact` leaves in the vault itself are compared in the same way. Whoever can cut the ledger can cut
//! them, too; where that was forgotten, it shows.

use super::find;
use super::finding::leaves;
use crate::record::digest::Sha256Digest;
use crate::seal::tlog::checkpoint::Checkpoint;
use crate::seal::trust::TrustSet;
use serde::Serialize;
use std::io::BufRead;

/// Anchors that are looked at; a directory of a hundred thousand job logs has them.
const MOST: usize = 1 << 18;

/// A checkpoint that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// The file and line, or the place in the vault.
    pub(crate) from: String,
    /// A copy in the vault itself, which proves nothing to anybody else.
    pub(super) here: bool,
    /// What it says.
    pub(crate) checkpoint: Checkpoint,
    /// What became of it.
    pub(crate) proof: Proof,
}

/// What an anchor showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Proof {
    /// Nothing yet: no ledger of its origin was met.
    NoLedger,
    /// No trusted key signed it; why.
    Unsigned(String),
    /// It is of an environment that was not asked for.
    NotAsked,
    /// The ledger had that root at that size.
    Proved,
    /// The ledger has another root at that size.
    OtherRoot,
    /// The ledger is smaller; by so many leaves.
    Beyond(u64),
    /// The ledger is broken there: its root at that size cannot be told.
    Unknown,
}

impl Proof {
    /// In words, for the ledger or the summary.
    pub(crate) fn why(&self, size: u64) -> String {
        match self {
            Self::NoLedger => "no ledger here has its origin: that ledger is gone, or is kept elsewhere".to_owned(),
            Self::Unsigned(why) => why.clone(),
            Self::NotAsked => "it is of an environment that was not asked for".to_owned(),
            Self::Proved => format!("the ledger had this root at {size} leaves"),
            Self::OtherRoot => format!("the ledger has another root at {size} leaves: it was rewritten"),
            Self::Beyond(by) => {
                format!("the ledger ends {by} leaves before it: at least {} cut off its end", leaves(size - by, size))
            }
            Self::Unknown => format!("the ledger is broken there: its root at {size} leaves cannot be told"),
        }
    }
}

/// The anchors of one call, and how far the ledgers got with them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Anchors {
    /// In the order they were found; each said once.
    pub(super) all: Vec<Anchor>,
    /// Found and not kept, because there are too many.
    pub(crate) omitted: u64,
}

impl Anchors {
    /// Finds every checkpoint in `text`, which `name` names. Answers with how many it held, also those known already.
    pub(crate) fn read(&mut self, name: &str, text: impl BufRead, trust: &TrustSet) -> std::io::Result<u64> {
        let mut count = 0;
        find::notes(text, &mut |line, note| {
            if let Ok(checkpoint) = Checkpoint::peek(note) {
                count += 1;
                self.add(format!("{name}:{line}"), false, note, checkpoint, trust);
            }
        })?;
        Ok(count)
    }

    /// Takes a copy out of the vault itself. The error says why it is none.
    pub(super) fn read_copy(&mut self, place: &str, bytes: &[u8], trust: &TrustSet) -> Result<(), String> {
        let note = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
        let (checkpoint, _) = Checkpoint::open(note, trust).map_err(|e| e.to_string())?;
        self.add(place.to_owned(), true, note, checkpoint, trust);
        Ok(())
    }

    fn add(&mut self, from: String, here: bool, note: &str, checkpoint: Checkpoint, trust: &TrustSet) {
        let proof = match Checkpoint::open(note, trust) {
            Ok(_) => Proof::NoLedger,
            Err(e) => Proof::Unsigned(e.to_string()),
        };
        // A log may say it twice; the bad signature of one is not that of the other.
        let same = |a: &Anchor| a.checkpoint == checkpoint && a.proof == proof && a.here == here;
        if self.all.iter().rev().take(64).any(same) {
            return;
        }
        if self.all.len() == MOST {
            self.omitted += 1;
            return;
        }
        self.all.push(Anchor { from, here, checkpoint, proof });
    }

    /// Those that were kept elsewhere.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Anchor> {
        self.all.iter().filter(|a| !a.here)
    }

    /// Those that were kept elsewhere and are not proved, though they should be.
    pub(crate) fn not_proved(&self) -> impl Iterator<Item = &Anchor> {
        self.kept().filter(|a| !matches!(a.proof, Proof::Proved | Proof::NotAsked))
    }

    /// Sets those aside that are of other environments than these, by the last word of their origin.
    pub(super) fn only(&mut self, words: &[String]) {
        for anchor in self.all.iter_mut().filter(|a| a.proof == Proof::NoLedger) {
            let word = anchor.checkpoint.origin.rsplit('/').next().unwrap_or_default();
            if !words.iter().any(|w| w == word) {
                anchor.proof = Proof::NotAsked;
            }
        }
    }

    /// Where the anchors of `origin` stand in [`Anchors::all`], the smallest first; only those that are signed.
    pub(super) fn of(&self, origin: &str) -> Vec<usize> {
        let is_ours = |a: &Anchor| a.checkpoint.origin == origin && a.proof == Proof::NoLedger;
        let mut ours: Vec<usize> = (0..).zip(&self.all).filter(|(_, a)| is_ours(a)).map(|(n, _)| n).collect();
        ours.sort_by_key(|n| self.size(*n));
        ours
    }

    pub(super) fn size(&self, n: usize) -> Option<u64> {
        self.all.get(n).map(|a| a.checkpoint.size)
    }

    /// Settles one: this is the root at its size, or nobody can tell.
    pub(super) fn settle(&mut self, n: usize, proof: impl FnOnce(&Checkpoint) -> Proof) {
        if let Some(anchor) = self.all.get_mut(n) {
            anchor.proof = proof(&anchor.checkpoint);
        }
    }

    /// The same with the root that the ledger had.
    pub(super) fn compare(&mut self, n: usize, root: Sha256Digest) {
        self.settle(n, |said| if said.root == root { Proof::Proved } else { Proof::OtherRoot });
    }

    /// How many of those that were kept elsewhere hold, and the size of the largest of them.
    pub(crate) fn proved(&self) -> (usize, Option<u64>) {
        let proved = self.kept().filter(|a| a.proof == Proof::Proved).map(|a| a.checkpoint.size);
        proved.fold((0, None), |(count, most), size| (count + 1, most.max(Some(size))))
    }
}

#[cfg(test)]
#[path = "anchor_tests.rs"]
mod tests;
