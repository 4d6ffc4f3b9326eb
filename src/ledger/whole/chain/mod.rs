//! The walk along one ledger, from slot 0 up: is each entry the one before it and its own leaves, and nothing else?
//!
//! An entry is settled only when the next one builds on it, because the next one may call it void: writers pass over what
//! is no entry of theirs. So three things are held: the edge that is settled, the entry that builds on it, and what fits
//! neither until something builds on that.

mod breaks;
mod proof;

use super::anchor::Anchors;
use super::count::Count;
use super::finding::{Findings, State, Weight, leaves};
use super::stands::{Junk, Read, Whose};
use crate::ledger::slot::Standing;
use crate::record::digest::Sha256Digest;
use crate::seal::tlog::tree::Frontier;
use crate::seal::trust::TrustSet;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Entries that fit nowhere and are held until something builds on one of them.
const MOST_ODD: usize = 8;
/// Signed entries that are remembered to prove a stretch by: where the newest does not hold, the one before it may.
const MOST_SIGNED: usize = 8;
/// Objects in slots that are no entries, held until an entry calls them void.
const MOST_JUNK: usize = 4096;

/// The newest entry that a trusted key signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) slot: u64,
    /// Leaves.
    pub(crate) size: u64,
    pub(crate) root: Sha256Digest,
    /// When its last leaf was appended.
    pub(crate) on: DateTime<Utc>,
    pub(crate) keyid: String,
    note: String,
}

/// The right edge of what is settled. `slot` is `None` before the first entry.
#[derive(Default)]
struct Edge {
    slot: Option<u64>,
    frontier: Frontier,
    origin: Option<String>,
}

/// A ledger, as far as it was walked.
pub(super) struct Chain<'a> {
    whose: &'a Whose,
    trust: &'a TrustSet,
    anchors: &'a mut Anchors,
    /// Anchors of this ledger that are not settled, the smallest first.
    wanted: VecDeque<usize>,
    edge: Edge,
    held: Option<Read>,
    odd: Vec<Read>,
    junk: BTreeMap<u64, Junk>,
    /// First slot of the unbroken stretch, entries in it, and its newest ones that name a trusted key.
    stretch: Option<u64>,
    signed: VecDeque<Head>,
    pub(super) head: Option<Head>,
    pub(super) origin: Option<String>,
    /// Entries.
    pub(super) entries: u64,
    pub(super) state: State,
    pub(super) findings: Findings,
    pub(super) count: Count<'a>,
}

impl<'a> Chain<'a> {
    pub(super) fn new(whose: &'a Whose, trust: &'a TrustSet, anchors: &'a mut Anchors, count: Count<'a>) -> Self {
        Self {
            whose,
            trust,
            anchors,
            wanted: VecDeque::new(),
            edge: Edge::default(),
            held: None,
            odd: Vec::new(),
            junk: BTreeMap::new(),
            stretch: None,
            signed: VecDeque::new(),
            head: None,
            origin: None,
            entries: 0,
            state: State::Whole,
            findings: Findings::default(),
            count,
        }
    }

    /// What stands in the next slot that is there, in rising order.
    pub(super) fn push(&mut self, number: u64, stands: Result<Read, Junk>) {
        match stands {
            Ok(read) => self.entry(read),
            Err(junk) if self.junk.len() < MOST_JUNK => drop(self.junk.insert(number, junk)),
            Err(junk) => self.findings.add(Weight::Finding, Some(number), format!("it holds no entry: {}", junk.why)),
        }
    }

    fn entry(&mut self, read: Read) {
        if let Some(held) = self.held.take_if(|held| read.builds_on(held.edge())) {
            self.settle(held);
        } else if read.builds_on(self.edge.as_ref()) {
            // It goes on as if what is held were not there.
            self.odd.extend(self.held.take());
        } else if let Some(at) = self.odd.iter().position(|odd| read.builds_on(odd.edge())) {
            let after = self.odd.split_off(at + 1);
            let base = self.odd.pop();
            self.settle_held();
            std::mem::take(&mut self.odd).into_iter().for_each(|odd| self.loose(odd));
            base.into_iter().for_each(|base| self.break_before(base));
            self.odd = after;
        } else {
            self.odd.push(read);
            if self.odd.len() > MOST_ODD {
                self.settle_held();
                let odd = self.odd.remove(0);
                self.loose(odd);
            }
            return;
        }
        self.pass_over(&read);
        self.held = Some(read);
    }

    /// Begins with the entry whose leaves, and those of all before it, were taken from tiles. `there`: the slots up to it;
    /// `voids`: those that a leaf calls void.
    pub(super) fn covered(&mut self, read: Read, there: impl Iterator<Item = u64>, voids: &BTreeSet<u64>) {
        let last = read.slot.number;
        let mut gone = Vec::new();
        let mut next = 0;
        for number in there {
            gone.extend((next..number).take(MOST_JUNK));
            self.entries += u64::from(!voids.contains(&number) && number < last);
            next = number + 1;
        }
        for number in gone.into_iter().filter(|n| !voids.contains(n)) {
            self.broken(State::Gap, number, "it is missing; its leaves stand in the tiles".to_owned());
        }
        for number in voids {
            self.findings.add(Weight::Finding, Some(*number), "it is void: a leaf says so");
        }
        self.stretch = Some(0);
        self.become_edge(read, false);
    }

    /// Ends the walk.
    pub(super) fn finish(&mut self) {
        self.settle_held();
        std::mem::take(&mut self.odd).into_iter().for_each(|odd| self.loose(odd));
        self.end_of_stretch();
        let size = self.edge.frontier.size();
        for (number, junk) in std::mem::take(&mut self.junk).into_iter().filter(|(_, junk)| !junk.told) {
            match &junk.signed {
                Some(cp) if cp.size > size && self.origin.as_ref().is_none_or(|o| *o == cp.origin) => {
                    let what = format!(
                        "it was altered: a trusted key signed its checkpoint of {} leaves, and what stands around that \
                         does not belong to it ({}); {} cannot be known",
                        cp.size,
                        junk.why,
                        leaves(size, cp.size)
                    );
                    self.broken(State::Gap, number, what);
                }
                _ => {
                    let far = if number > self.edge.slot.map_or(0, |s| s + 1) { "far beyond the end, " } else { "" };
                    let what = format!("{far}it holds no entry: {}; if one stood there, its leaves are gone", junk.why);
                    self.findings.add(Weight::Finding, Some(number), what);
                }
            }
        }
        self.settle_anchors();
    }

    /// Leaves of the ledger.
    pub(super) fn leaves(&self) -> u64 {
        self.edge.frontier.size()
    }

    fn broken(&mut self, state: State, slot: u64, what: String) {
        self.state = self.state.max(state);
        self.findings.add(Weight::Broken, Some(slot), what);
    }

    fn settle_held(&mut self) {
        if let Some(held) = self.held.take() {
            self.settle(held);
        }
    }

    /// An entry that builds on the edge becomes the edge.
    fn settle(&mut self, read: Read) {
        self.meet(&read);
        let size = read.slot.checkpoint.size;
        if self.wanted.front().is_some_and(|n| self.anchors.size(*n) <= Some(size)) {
            let mut frontier = self.edge.frontier.clone();
            self.compare_up_to(&frontier);
            for hash in &read.hashes {
                frontier.push(*hash);
                self.compare_up_to(&frontier);
            }
        }
        self.become_edge(read, true);
    }

    fn become_edge(&mut self, read: Read, counted: bool) {
        let slot = &read.slot;
        self.entries += 1;
        self.stretch.get_or_insert(slot.number);
        let said = slot.leaves.iter().map(|(_, leaf)| leaf);
        if counted {
            self.count.take(Some(slot.number), said, Some(slot.records), &mut self.findings);
        }
        match &read.standing {
            Standing::Trusted(keyid) => {
                if self.signed.len() == MOST_SIGNED {
                    self.signed.pop_front();
                }
                self.signed.push_back(Head {
                    slot: slot.number,
                    size: slot.checkpoint.size,
                    root: slot.checkpoint.root,
                    on: slot.logged_on(),
                    keyid: keyid.clone(),
                    note: slot.note.clone(),
                });
            }
            Standing::Unattributed(why) => self.findings.add_alike(Weight::Finding, slot.number, why),
        }
        self.edge = read.into_edge();
    }
}

impl Edge {
    fn as_ref(&self) -> (Option<u64>, &Frontier, Option<&str>) {
        (self.slot, &self.frontier, self.origin.as_deref())
    }
}

impl Read {
    fn edge(&self) -> (Option<u64>, &Frontier, Option<&str>) {
        (Some(self.slot.number), &self.slot.frontier, Some(&self.slot.checkpoint.origin))
    }

    fn into_edge(self) -> Edge {
        let slot = self.slot;
        Edge { slot: Some(slot.number), frontier: slot.frontier, origin: Some(slot.checkpoint.origin) }
    }

    /// Whether it is that edge and its own leaves, and nothing else: the rule of `Slot::extends` with hashes that are known,
    /// and every slot between the two called void.
    fn builds_on(&self, (number, frontier, origin): (Option<u64>, &Frontier, Option<&str>)) -> bool {
        let slot = &self.slot;
        let same = origin.is_none_or(|origin| origin == slot.checkpoint.origin);
        // The sizes are compared first: most edges are refused by them, without a hash.
        let grown = frontier.size() + self.hashes.len() as u64;
        if !same || grown != slot.checkpoint.size || slot.follows() != number {
            return false;
        }
        let mut frontier = frontier.clone();
        self.hashes.iter().for_each(|hash| frontier.push(*hash));
        frontier == slot.frontier
    }
}

#[cfg(test)]
mod tests;
