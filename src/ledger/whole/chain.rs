//! The walk along one ledger, from slot 0 up: is each entry the one before it and its own leaves, and nothing else?
//!
//! An entry is settled only when the next one builds on it, because the next one may call it void: writers pass over what
//! is no entry of theirs. So three things are held: the edge that is settled, the entry that builds on it, and what fits
//! neither until something builds on that.

use super::anchor::{Anchors, Proof};
use super::count::Count;
use super::finding::{Findings, State, Weight, leaves, slots};
use super::stands::{self, Junk, Read, Whose};
use crate::ledger::leaf::Said;
use crate::ledger::slot::Standing;
use crate::record::digest::Sha256Digest;
use crate::seal::tlog::tree::Frontier;
use crate::seal::trust::TrustSet;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, VecDeque};

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

    fn settle_anchors(&mut self) {
        let size = self.edge.frontier.size();
        for n in std::mem::take(&mut self.wanted) {
            self.anchors.settle(n, |said| match said.size.checked_sub(size) {
                None | Some(0) => Proof::Unknown,
                Some(by) => Proof::Beyond(by),
            });
        }
        let Some(origin) = &self.origin else { return };
        for anchor in self.anchors.all.iter().filter(|a| a.checkpoint.origin == *origin) {
            let state = match anchor.proof {
                Proof::OtherRoot => State::Forked,
                Proof::Beyond(_) => State::Truncated,
                Proof::Unknown => State::Gap,
                _ => continue,
            };
            self.state = self.state.max(state);
            let what = format!("the anchor in {}: {}", anchor.from, anchor.proof.why(anchor.checkpoint.size));
            self.findings.add(Weight::Broken, None, what);
        }
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

    /// The anchors of the ledger are known when its origin is.
    fn meet(&mut self, read: &Read) {
        let origin = &read.slot.checkpoint.origin;
        if self.origin.as_ref() != Some(origin) {
            self.wanted.drain(..).for_each(|n| self.anchors.settle(n, |_| Proof::Unknown));
            self.wanted.extend(self.anchors.of(origin));
            self.origin = Some(origin.clone());
        }
    }

    /// Settles the anchors of this size; smaller ones were passed in the dark.
    fn compare_up_to(&mut self, frontier: &Frontier) {
        while let Some(n) = self.next_wanted(frontier.size()) {
            if self.anchors.size(n) == Some(frontier.size()) {
                self.anchors.compare(n, frontier.root());
            } else {
                self.anchors.settle(n, |_| Proof::Unknown);
            }
        }
    }

    fn next_wanted(&mut self, size: u64) -> Option<usize> {
        let n = *self.wanted.front()?;
        (self.anchors.size(n) <= Some(size)).then(|| self.wanted.pop_front()).flatten()
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

    /// What stands between the edge and an entry that builds on it is void, if the entry says so.
    fn pass_over(&mut self, read: &Read) {
        let number = read.slot.number;
        for (_, leaf) in &read.slot.leaves {
            let Said::Void { slot, sha256 } = leaf.said else { continue };
            if slot >= number || self.edge.slot.is_some_and(|edge| slot <= edge) {
                continue;
            }
            if let Some(at) = self.odd.iter().position(|odd| odd.slot.number == slot) {
                let odd = self.odd.remove(at);
                self.voided(&odd, number);
                continue;
            }
            let what = match self.junk.remove(&slot) {
                None => "it is void, and nothing stands there any more".to_owned(),
                Some(Junk { signed: Some(_), .. }) => {
                    let what = format!("it held an entry that was altered, and slot {number} goes on without it");
                    self.broken(State::Gap, slot, what);
                    continue;
                }
                Some(junk) if junk.sha256.is_some() && sha256.is_some() && junk.sha256 != sha256 => {
                    format!("it is void, and something else stands there than slot {number} found: {}", junk.why)
                }
                Some(junk) => format!("it is void: {}", junk.why),
            };
            self.findings.add(Weight::Finding, Some(slot), what);
        }
    }

    /// An entry that the ledger goes on without.
    fn voided(&mut self, read: &Read, by: u64) {
        let number = read.slot.number;
        match stands::proved(&read.slot, self.whose, self.trust) {
            Ok(keyid) => {
                self.count.aside(number, read.slot.leaves.iter().map(|(_, leaf)| leaf));
                let what = format!("{keyid} signed an entry here, and slot {by} goes on without it: two histories");
                self.broken(State::Forked, number, what);
            }
            Err(why) => {
                let what = format!("it is void: it holds an entry that nobody here can vouch for ({why})");
                self.findings.add(Weight::Finding, Some(number), what);
            }
        }
    }

    /// An entry that builds on nothing here, and nothing here builds on it.
    fn loose(&mut self, read: Read) {
        let number = read.slot.number;
        let why = match stands::proved(&read.slot, self.whose, self.trust) {
            Ok(_) if read.slot.checkpoint.size > self.edge.frontier.size() => return self.break_before(read),
            Ok(keyid) if !self.fits(&read) => {
                let what = format!("{keyid} signed it over another history than that of the entries before it");
                self.broken(State::Forked, number, what.clone());
                what
            }
            Ok(_) => {
                let what =
                    format!("an entry of {} leaves stood earlier and stands here again", read.slot.checkpoint.size);
                self.broken(State::Gap, number, what.clone());
                what
            }
            Err(why) => {
                let what =
                    format!("it holds an entry that builds on nothing here, and nobody here can vouch for it ({why})");
                self.findings.add(Weight::Finding, Some(number), what.clone());
                what
            }
        };
        // What builds on it later builds on something that is no entry of this ledger.
        if self.junk.len() < MOST_JUNK {
            self.junk.insert(number, Junk { sha256: None, why, signed: None, told: true });
        }
    }

    fn fits(&self, read: &Read) -> bool {
        let same = self.edge.origin.as_ref().is_none_or(|o| *o == read.slot.checkpoint.origin);
        same && stands::consistent(&self.edge.frontier, &read.slot.frontier)
    }

    /// The ledger goes on with an entry that does not build on the edge.
    fn break_before(&mut self, read: Read) {
        self.end_of_stretch();
        self.pass_over(&read);
        let number = read.slot.number;
        let from = self.edge.slot.map_or(0, |s| s + 1);
        let to = read.slot.follows().map_or(0, |s| s + 1).max(from);
        let not_entries: Vec<u64> = self.junk.range(from..to).map(|(n, _)| *n).collect();
        let (have, claims) = (self.edge.frontier.size(), read.slot.checkpoint.size);
        let begins = claims - (read.hashes.len() as u64).min(claims);
        let mut what = Vec::new();
        let missing = missing(from, to, &not_entries);
        what.extend(missing.clone());
        for n in not_entries.iter().take(3) {
            let why = self.junk.get(n).map(|j| j.why.as_str()).unwrap_or_default();
            what.push(format!("slot {n}, on which it builds, holds no entry any more ({why})"));
        }
        let in_place = what.is_empty() && begins == have;
        // Where nothing is missing, its leaves are not those; elsewhere the edge of its tree may show it.
        let altered = in_place || stands::at_the_edge(&read) == Some(false);
        let keyid = stands::proved(&read.slot, self.whose, self.trust);
        let mut state = State::Gap;
        match &keyid {
            Ok(keyid) if !self.fits(&read) => {
                state = State::Forked;
                what.push(format!("{keyid} signed it over another history than that of the entries before it"));
            }
            _ if begins < have => what.push(format!("it begins again at leaf {begins}, and {have} were there")),
            _ if begins > have => what.push(format!("{} cannot be known", leaves(have, begins))),
            _ => {}
        }
        if altered {
            let which = leaves(begins, claims);
            what.push(format!("it was altered: {which} cannot be known, those in it are not what was signed"));
        } else if stands::at_the_edge(&read).is_none() && begins > have {
            what.push(format!("{} is as it says itself, which nothing shows", leaves(begins, claims)));
        }
        self.broken(
            state,
            if missing.is_some() { from } else { number },
            format!("before slot {number}: {}", what.join("; ")),
        );
        self.junk = self.junk.split_off(&number);
        self.meet(&read);
        self.compare_up_to(&read.slot.frontier);
        let adds = read.slot.leaves.iter().filter(|(_, leaf)| leaf.record().is_some()).count() as u64;
        self.count.lost(read.slot.records.saturating_sub(adds));
        self.become_edge(read, !altered);
    }

    /// Proves an unbroken stretch of entries by the newest of them that a trusted key signed.
    fn end_of_stretch(&mut self) {
        let (Some(from), Some(to)) = (self.stretch.take(), self.edge.slot) else { return };
        let mut head = None;
        while let Some(mut newest) = self.signed.pop_back() {
            let (number, on) = (newest.slot, newest.on);
            match stands::proved_note(&newest.note, on, self.whose, self.trust) {
                Ok(keyid) => {
                    newest.keyid = keyid;
                    head = Some(newest);
                    break;
                }
                Err(why) => self.broken(self.state, number, why),
            }
        }
        self.signed.clear();
        let first = head.as_ref().map_or(from, |head| head.slot + 1);
        if first <= to {
            let what = format!("no trusted key vouches for what {} hold", slots(first, to));
            self.broken(self.state, first, what);
        }
        self.head = head.or(self.head.take());
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

/// The numbers from `from` up to `to` without those that hold something, in words.
fn missing(from: u64, to: u64, there: &[u64]) -> Option<String> {
    let mut ranges = Vec::new();
    let mut next = from;
    for n in there.iter().copied().chain([to]) {
        if n > next {
            ranges.push((next, n - 1));
        }
        next = n + 1;
    }
    let (first, last) = (ranges.first()?, ranges.last()?);
    let words: Vec<String> = ranges.iter().take(3).map(|(a, b)| slots(*a, *b)).collect();
    let one = first == last && first.0 == first.1;
    let more = if ranges.len() > 3 { format!(" and others up to {}", last.1) } else { String::new() };
    Some(format!("{}{more} {} missing", words.join(" and "), if one { "is" } else { "are" }))
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
