//! What the leaves of a ledger say, one after another: counted, checked against each other, and kept for the records.

use super::finding::{Findings, Weight, span};
use super::rows::Rows;
use crate::ledger::filter::Filter;
use crate::ledger::leaf::{Leaf, Logged, Said, Via};
use crate::ledger::slot::MOST_LEAVES;
use crate::vault::address::Address;
use chrono::{DateTime, TimeDelta, Utc};

/// What clocks of runners may differ by.
const CLOCKS: TimeDelta = TimeDelta::hours(1);

/// The leaves of one ledger so far.
pub(super) struct Count<'a> {
    filter: &'a Filter,
    evidence: String,
    /// The records that are named.
    pub(super) rows: Rows,
    /// Leaves of each kind.
    pub(super) records: u64,
    pub(super) heartbeats: u64,
    pub(super) voids: u64,
    pub(super) unsupported: u64,
    /// Records that came out of a spool or were adopted, more than an hour after they were written.
    pub(super) late: u64,
    /// Records in the ledger, as a heartbeat would tell; after a gap only what the ledger says itself.
    before: u64,
    exact: bool,
    newest: DateTime<Utc>,
    now: DateTime<Utc>,
}

impl<'a> Count<'a> {
    /// For the ledger of the records under `evidence`; `filter` says which of them are asked for.
    pub(super) fn new(evidence: String, filter: &'a Filter, now: DateTime<Utc>) -> Self {
        Self {
            filter,
            evidence,
            rows: Rows::default(),
            records: 0,
            heartbeats: 0,
            voids: 0,
            unsupported: 0,
            late: 0,
            before: 0,
            exact: true,
            newest: DateTime::UNIX_EPOCH,
            now,
        }
    }

    /// Goes on after leaves that cannot be known.
    pub(super) fn lost(&mut self, records: u64) {
        (self.before, self.exact) = (records, false);
    }

    /// The leaves of one entry, or of a tile. `says`: the records that the entry claims to end with.
    pub(super) fn take<'l>(
        &mut self,
        slot: Option<u64>,
        leaves: impl Iterator<Item = &'l Leaf>,
        says: Option<u64>,
        findings: &mut Findings,
    ) {
        let at_entry = self.before;
        for leaf in leaves {
            self.clock(slot, leaf, findings);
            match &leaf.said {
                Said::Record(logged) => {
                    self.records += 1;
                    self.before += 1;
                    self.record(slot, leaf, logged, findings);
                }
                Said::Heartbeat { records, by } => {
                    self.heartbeats += 1;
                    // It counts up to its entry; records that the same entry adds may stand before it.
                    // A tile does not say where its entries begin.
                    let from = if says.is_some() { at_entry } else { self.before.saturating_sub(MOST_LEAVES as u64) };
                    let counted = *records == self.before || (from..=at_entry.max(from)).contains(records);
                    if self.exact && !counted {
                        let what = format!(
                            "the heartbeat of {by}, leaf {}, counts {records} records, and the leaves before it name {}",
                            leaf.seq, self.before
                        );
                        findings.add(Weight::Finding, slot, what);
                    }
                    if !self.exact {
                        (self.before, self.exact) = (*records, true);
                    }
                }
                Said::Void { .. } => self.voids += 1,
                Said::Unsupported => {
                    self.unsupported += 1;
                    let what = "it has a leaf of a newer version, which this program cannot read";
                    match slot {
                        Some(slot) => findings.add_alike(Weight::Finding, slot, what),
                        None => findings.add(Weight::Finding, None, format!("leaf {}: {what}", leaf.seq)),
                    }
                }
            }
        }
        if let Some(slot) = slot.filter(|_| self.exact && says.is_some_and(|n| n != self.before)) {
            let what = "its count of records is not what the leaves up to it add up to";
            findings.add_alike(Weight::Finding, slot, what);
        }
    }

    /// Leaves that a trusted key signed and that the ledger goes on without: their records are not unlinked.
    pub(super) fn aside<'l>(&mut self, slot: u64, leaves: impl Iterator<Item = &'l Leaf>) {
        for leaf in leaves {
            if let Some(logged) = leaf.record().filter(|logged| self.asked(logged)) {
                self.rows.push(Some(slot), leaf, logged);
            }
        }
    }

    fn clock(&mut self, slot: Option<u64>, leaf: &Leaf, findings: &mut Findings) {
        if leaf.logged_on + CLOCKS < self.newest {
            let back = span(self.newest - leaf.logged_on);
            findings.add(Weight::Finding, slot, format!("leaf {}: the clock goes back by {back}", leaf.seq));
        } else if leaf.logged_on > self.now + CLOCKS {
            let ahead = span(leaf.logged_on - self.now);
            findings.add(Weight::Finding, slot, format!("leaf {} is of a time that is {ahead} ahead of now", leaf.seq));
        }
        self.newest = self.newest.max(leaf.logged_on);
    }

    fn record(&mut self, slot: Option<u64>, leaf: &Leaf, logged: &Logged, findings: &mut Findings) {
        let late = leaf.logged_on - logged.recorded_on;
        let (n, address) = (leaf.seq, &logged.address);
        if !address.starts_with(&self.evidence) {
            let what = format!("leaf {n} names `{address}`, which is no place of this environment");
            findings.add(Weight::Finding, slot, what);
            return;
        }
        if late < -CLOCKS {
            let what = format!("leaf {n} is {} older than the record it names: {address}", span(late));
            findings.add(Weight::Finding, slot, what);
        } else if late > CLOCKS && logged.via == Via::Attest {
            let what = format!(
                "leaf {n} came at once, says its writer, and {} after the record: it was dated back, or a clock is \
                 wrong: {address}",
                span(late)
            );
            findings.add(Weight::Finding, slot, what);
        } else if late > CLOCKS {
            self.late += 1;
        }
        if self.asked(logged) {
            self.rows.push(slot, leaf, logged);
        }
    }

    fn asked(&self, logged: &Logged) -> bool {
        // The environment is the ledger's own.
        (self.filter.from.is_none() && self.filter.to.is_none())
            || Address::parse(&logged.address).is_ok_and(|address| self.filter.admits_address(&address))
    }
}
