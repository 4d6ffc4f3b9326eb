//! What does not fit: slots that are void, entries that build on nothing, and the places where a ledger is broken.

use super::{Chain, MOST_JUNK};
use crate::ledger::leaf::Said;
use crate::ledger::whole::finding::{State, Weight, leaves, slots};
use crate::ledger::whole::stands::{self, Junk, Read};

impl Chain<'_> {
    /// What stands between the edge and an entry that builds on it is void, if the entry says so.
    pub(super) fn pass_over(&mut self, read: &Read) {
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
                Some(Junk { signed: Some(cp), .. }) if cp.size > self.leaves() => {
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
    pub(super) fn loose(&mut self, read: Read) {
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
    pub(super) fn break_before(&mut self, read: Read) {
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
