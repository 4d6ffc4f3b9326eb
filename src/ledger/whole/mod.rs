//! A whole vault: every ledger walked from its first slot, every record judged by itself and by the leaf that names it, and
//! what leaves name and is not there.
//!
//! Memory does not hold the vault: 48 bytes a leaf, and pieces of work that are bounded in number and size.

mod anchor;
mod chain;
mod count;
mod crew;
mod find;
mod finding;
mod look;
mod missing;
mod record;
mod rows;
mod stands;
mod tiles;

pub(crate) use anchor::Anchors;
pub(crate) use chain::Head;
pub(crate) use find::notes;
pub(crate) use finding::{Finding, Findings, State, Weight, span};
pub(crate) use record::Judged;
pub(crate) use record::on as moment;
pub(crate) use rows::At;

use super::filter::Filter;
use super::slot;
use crate::seal::trust::TrustSet;
use crate::vault::address::Address;
use crate::vault::{Vault, VaultError, Versions};
use chain::Chain;
use chrono::{DateTime, TimeDelta, Utc};
use count::Count;
use look::{Noticed, Shelf};
use rows::Rows;
use std::collections::{BTreeMap, BTreeSet};

/// Entries or records that one thread takes at once.
const PIECE: usize = 32;
/// Bytes of records that one thread takes at once.
const PIECE_BYTES: u64 = 4 << 20;
/// Requests to a bucket that one thread has on the way.
const AT_ONCE: usize = 16;
/// Environments without a ledger that are named.
const MOST_ENVIRONMENTS: usize = 1000;

/// What is asked.
pub(crate) struct Ask<'a> {
    pub(crate) vault: &'a Vault,
    pub(crate) trust: &'a TrustSet,
    /// Which records are opened. Ledgers are walked whole.
    pub(crate) filter: &'a Filter,
    pub(crate) now: DateTime<Utc>,
    /// A record that is younger may be without its leaf.
    pub(crate) grace: TimeDelta,
    pub(crate) threads: usize,
}

/// What is told on the way.
pub(crate) enum Told {
    /// So many entries of ledgers were walked.
    Walked(u64),
    /// A record, in the order of addresses; missing ones come last.
    Record(Box<Judged>),
}

/// One ledger.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) environment: String,
    pub(crate) state: State,
    pub(crate) origin: Option<String>,
    pub(crate) head: Option<Head>,
    /// Entries, and leaves by kind.
    pub(crate) entries: u64,
    pub(crate) leaves: u64,
    pub(crate) records: u64,
    pub(crate) heartbeats: u64,
    /// Records that came more than an hour late, out of a spool or adopted.
    pub(crate) late: u64,
    pub(crate) findings: Findings,
}

/// A verified vault.
pub(crate) struct Whole {
    pub(crate) ledgers: Vec<Ledger>,
    /// Findings of the vault itself.
    pub(crate) findings: Findings,
    /// Whether older versions and delete markers were seen.
    pub(crate) versions: Versions,
    /// Nothing stands there: no record and no ledger.
    pub(crate) empty: bool,
}

/// Verifies a vault, and the anchors against it.
pub(crate) fn verify(
    ask: &Ask,
    anchors: &mut Anchors,
    tell: &mut dyn FnMut(Told) -> anyhow::Result<()>,
) -> anyhow::Result<Whole> {
    let mut noticed = Noticed::default();
    let shelves = look::ledgers(ask.vault, ask.filter, &mut noticed)?;
    let of_ledgers = std::mem::take(&mut noticed.twice);
    let mut ledgers = Vec::new();
    let mut known: BTreeMap<String, Rows> = BTreeMap::new();
    if !ask.filter.environments.is_empty() {
        let words = ask.filter.environments.iter().map(|e| slot::folder(e));
        anchors
            .only(&words.map(|f| f.trim_start_matches("ledger/").trim_end_matches('/').to_owned()).collect::<Vec<_>>());
    }
    for shelf in shelves.values() {
        let (mut ledger, rows) = walk(ask, shelf, anchors, tell)?;
        twice_in_ledger(&mut ledger, &shelf.whose.folder(), &of_ledgers);
        ledgers.push(ledger);
        known.insert(shelf.whose.evidence(), rows);
    }
    let (told, without) = records(ask, &known, &mut noticed, tell)?;
    for environment in without {
        let what = format!("{environment} has records and no ledger: nothing shows what was removed there");
        noticed.findings.add(Weight::Finding, None, what);
    }
    for (shelf, ledger) in shelves.values().zip(&mut ledgers) {
        let Some(rows) = known.get(&shelf.whose.evidence()) else { continue };
        let unnamed =
            missing::tell(ask, shelf, rows, &noticed.twice, &mut |judged| tell(Told::Record(Box::new(judged))))?;
        if unnamed > 0 {
            let what =
                format!("{unnamed} more records are missing, and their entries cannot be read again to name them");
            ledger.findings.add(Weight::Broken, None, what);
        }
    }
    for twice in &noticed.twice {
        let named = known.get(evidence_of(twice.address.as_str())).and_then(|rows| rows.named(twice.address.as_str()));
        let holds = named.map(|named| format!("; {}", missing::holds(ask, twice, &|sha256| named.is(sha256))));
        let what = format!("{} was not written once: {}{}", twice.address, twice.told(), holds.unwrap_or_default());
        noticed.findings.add(Weight::Finding, None, what);
    }
    Ok(Whole {
        empty: told == 0 && ledgers.is_empty(),
        ledgers,
        findings: noticed.findings,
        versions: noticed.versions.unwrap_or(Versions::Listed),
    })
}

/// Walks one ledger.
fn walk(
    ask: &Ask,
    shelf: &Shelf,
    anchors: &mut Anchors,
    tell: &mut dyn FnMut(Told) -> anyhow::Result<()>,
) -> anyhow::Result<(Ledger, Rows)> {
    let (whose, folder) = (&shelf.whose, shelf.whose.folder());
    let mut count = Count::new(whose.evidence(), ask.filter, ask.now);
    // A slot adds a leaf at least; what comes in groups grows from there.
    count.rows.expect(shelf.count);
    let strange = copies(ask, shelf, anchors)?;
    let mut chain = Chain::new(whose, ask.trust, anchors, count);
    for what in strange {
        chain.findings.add(Weight::Finding, None, what);
    }
    let from = tiles::walk(ask, shelf, &mut chain, tell)?;
    let feed = |give: &mut dyn FnMut(Vec<u64>) -> bool| {
        let mut piece = Vec::with_capacity(PIECE);
        for number in shelf.numbers().skip_while(|n| *n < from) {
            piece.push(number);
            if piece.len() == PIECE && !give(std::mem::replace(&mut piece, Vec::with_capacity(PIECE))) {
                return;
            }
        }
        give(piece);
    };
    let work = |piece: Vec<u64>| -> Result<Vec<_>, VaultError> {
        let addresses: Vec<Address> = piece.iter().filter_map(|n| slot::address(&folder, *n).ok()).collect();
        let got = ask.vault.get_many(&addresses, AT_ONCE);
        piece.iter().zip(got).map(|(n, got)| Ok((*n, stands::read(*n, got, whose, ask.trust)?))).collect()
    };
    let mut walked = from;
    let done = crew::in_order(ask.threads, feed, work, |piece| {
        for (number, stands) in piece? {
            walked += 1;
            chain.push(number, stands);
        }
        tell(Told::Walked(walked))
    });
    done.map_err(|e| e.unwrap_or_else(panicked))?;
    chain.finish();
    let mut rows = std::mem::take(&mut chain.count.rows);
    rows.close();
    if rows.repeated > 0 {
        let what = format!("{} leaves say again what an earlier one said, which is no harm", rows.repeated);
        chain.findings.add(Weight::Note, None, what);
    }
    let leaves = chain.leaves();
    let Chain { state, origin, head, entries, count, findings, .. } = chain;
    let Count { records, heartbeats, late, .. } = count;
    let environment = whose.environment.clone();
    Ok((Ledger { environment, state, origin, head, entries, leaves, records, heartbeats, late, findings }, rows))
}

/// Reads the copies of checkpoints that stand beside the ledger; answers with what is none.
fn copies(ask: &Ask, shelf: &Shelf, anchors: &mut Anchors) -> Result<Vec<String>, VaultError> {
    let mut strange = Vec::new();
    for piece in shelf.copies.chunks(PIECE) {
        for (place, got) in piece.iter().zip(ask.vault.get_many(piece, AT_ONCE)) {
            if let Err(why) = anchors.read_copy(place.as_str(), &got?, ask.trust) {
                strange.push(format!("`{place}` is no copy of a checkpoint: {why}"));
            }
        }
    }
    Ok(strange)
}

/// Judges every record. Answers with how many there are and which environments have no ledger.
fn records(
    ask: &Ask,
    known: &BTreeMap<String, Rows>,
    noticed: &mut Noticed,
    tell: &mut dyn FnMut(Told) -> anyhow::Result<()>,
) -> anyhow::Result<(u64, BTreeSet<String>)> {
    let mut without = BTreeSet::new();
    let feed = |give: &mut dyn FnMut(Vec<Address>) -> bool| -> Result<(), VaultError> {
        let (mut piece, mut bytes) = (Vec::with_capacity(PIECE), 0);
        look::current(ask.vault, &ask.filter.prefix(), noticed, &mut |address, size| {
            if !ask.filter.admits_address(&address) {
                return true;
            }
            bytes += size;
            let environment = evidence_of(address.as_str());
            let fresh = !known.contains_key(environment) && !without.contains(environment);
            if fresh && address.parts().is_some() && without.len() < MOST_ENVIRONMENTS {
                without.insert(environment.to_owned());
            }
            piece.push(address);
            if piece.len() < PIECE && bytes < PIECE_BYTES {
                return true;
            }
            bytes = 0;
            give(std::mem::replace(&mut piece, Vec::with_capacity(PIECE)))
        })?;
        give(piece);
        Ok(())
    };
    let work = |piece: Vec<Address>| -> Vec<Judged> {
        let got = ask.vault.get_many(&piece, AT_ONCE);
        let judged = piece.iter().zip(got).map(|(address, got)| {
            let entry = super::entry(got, ask.trust, address);
            let identity = super::identity::check(&entry, ask.trust);
            let judged = record::judge(entry, known.get(evidence_of(address.as_str())), ask.now, ask.grace);
            Judged { identity, ..judged }
        });
        judged.collect()
    };
    let mut count = 0;
    let fed = crew::in_order(ask.threads, feed, work, |piece| {
        for judged in piece {
            count += 1;
            tell(Told::Record(Box::new(judged)))?;
        }
        anyhow::Ok(())
    });
    fed.map_err(|e| e.unwrap_or_else(panicked))??;
    Ok((count, without))
}

/// `evidence/env=production/` of an address; all of it where it is none of a record.
fn evidence_of(address: &str) -> &str {
    let end = address.match_indices('/').nth(1).map_or(address.len(), |(at, _)| at + 1);
    address.get(..end).unwrap_or(address)
}

/// Slots that have versions: write-once did not hold there.
fn twice_in_ledger(ledger: &mut Ledger, folder: &str, all: &[look::Twice]) {
    for twice in all {
        let Some(name) = twice.address.as_str().strip_prefix(folder) else { continue };
        let what = format!("`{name}` was not written once: {}", twice.told());
        let number = slot::number(name);
        if number.is_some() {
            ledger.state = ledger.state.max(State::Forked);
            ledger.findings.add(Weight::Broken, number, what);
        } else {
            ledger.findings.add(Weight::Finding, None, what);
        }
    }
}

fn panicked() -> anyhow::Error {
    anyhow::anyhow!("a thread of the verification stopped; this is a fault of the program, please report it")
}

#[cfg(test)]
mod tests;
