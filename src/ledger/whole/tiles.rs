//! The leaves of a ledger from its tiles, 256 in a read, instead of from its entries.
//!
//! Tiles are believed as far as a signed entry goes whose tree they rebuild. The entries before it are not opened; that
//! they are there is seen in the listing, and what is signed in them is covered by the root of the later one. Where tiles do
//! not rebuild that tree, the entries are read as if there were none.

use super::chain::Chain;
use super::finding::Weight;
use super::look::Shelf;
use super::stands::{self, Read};
use super::{Ask, Told, crew, panicked};
use crate::ledger::leaf::{self, Leaf, Said};
use crate::ledger::slot;
use crate::record::digest::Sha256Digest;
use crate::seal::tlog::tile::{self, WIDTH};
use crate::seal::tlog::tree::Frontier;
use crate::vault::address::Address;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Slots looked at in a row for one that is an entry.
const PATIENCE: u64 = 8;

/// The number of a full tile of entries, from its name below the ledger's folder.
pub(super) fn number(name: &str) -> Option<u64> {
    let mut number = 0u64;
    for part in name.strip_prefix("tile/entries/")?.split('/') {
        number = number.checked_mul(1000)?.checked_add(part.trim_start_matches('x').parse().ok()?)?;
    }
    // One spelling: what does not print back is partial, or nobody's.
    (tile::path("entries", number, WIDTH) == name).then_some(number)
}

/// Walks as far as full tiles go; answers with the slot from which on entries have to be read.
pub(super) fn walk(
    ask: &Ask,
    shelf: &Shelf,
    chain: &mut Chain,
    tell: &mut dyn FnMut(Told) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let Some(base) = newest_covered(ask, shelf)? else { return Ok(0) };
    let size = base.slot.checkpoint.size;
    // First only whether they are the leaves: what they say counts for nothing before.
    let mut frontier = Frontier::default();
    let rebuilt = each_tile(
        ask,
        shelf,
        size,
        |bytes| hashes(&bytes),
        |hashes| {
            let Some(hashes) = hashes else { return Ok(ControlFlow::Break(())) };
            push(&mut frontier, &hashes, size);
            Ok(ControlFlow::Continue(()))
        },
    )?;
    if rebuilt.is_break() || frontier != base.slot.frontier {
        let what = "the tiles are not the leaves that the entries are signed for; the entries were read instead";
        chain.findings.add(Weight::Finding, None, what);
        return Ok(0);
    }
    chain.meet(&base);
    let mut again = Frontier::default();
    let mut voids = BTreeSet::new();
    let parsed = |bytes: Vec<u8>| -> Option<Vec<(Sha256Digest, Result<Leaf, String>)>> {
        let leaves = tile::entries(&bytes)?;
        Some(leaves.into_iter().map(|bytes| (leaf::hash(bytes), Leaf::parse(bytes))).collect())
    };
    let read = each_tile(ask, shelf, size, parsed, |leaves| {
        let Some(leaves) = leaves else { return Ok(ControlFlow::Break(())) };
        for (hash, leaf) in leaves {
            let place = again.size();
            if place == size {
                break;
            }
            again.push(hash);
            chain.compare_up_to(&again);
            match leaf {
                Ok(leaf) if leaf.seq == place => {
                    if let Said::Void { slot, .. } = leaf.said {
                        voids.insert(slot);
                    }
                    chain.count.take(None, std::iter::once(&leaf), None, &mut chain.findings);
                }
                Ok(leaf) => {
                    let what = format!("the leaf at place {place} says that it is number {}", leaf.seq);
                    chain.findings.add(Weight::Broken, None, what);
                }
                Err(why) => chain.findings.add(Weight::Broken, None, format!("the leaf at place {place}: {why}")),
            }
        }
        tell(Told::Walked(again.size()))?;
        Ok(ControlFlow::Continue(()))
    })?;
    // Nobody writes a tile twice; a store that shows two of them is not worth a verdict.
    anyhow::ensure!(
        read.is_continue() && again == frontier,
        "the tiles of {} change while they are read",
        shelf.whose.folder()
    );
    let next = base.slot.number + 1;
    chain.covered(base, shelf.numbers().take_while(|n| *n < next), &voids);
    Ok(next)
}

/// The newest entry whose leaves all stand in full tiles.
fn newest_covered(ask: &Ask, shelf: &Shelf) -> anyhow::Result<Option<Read>> {
    let leaves = shelf.full_tiles() * WIDTH;
    let (mut low, mut high) = (0, shelf.count);
    let mut best = None;
    // Sizes rise with slots. Where a bad object makes this go astray, the tree does not come out, and that is seen.
    while leaves > 0 && low < high {
        let middle = low + (high - low) / 2;
        let Some((at, read)) = entry_from(ask, shelf, middle, high)? else {
            high = middle;
            continue;
        };
        if read.slot.checkpoint.size <= leaves {
            (low, best) = (at + 1, Some(read));
        } else {
            high = middle;
        }
    }
    Ok(best)
}

/// The first entry among the slots that are there from the `from`th on.
fn entry_from(ask: &Ask, shelf: &Shelf, from: u64, to: u64) -> anyhow::Result<Option<(u64, Read)>> {
    for at in from..to.min(from.saturating_add(PATIENCE)) {
        let Some(number) = shelf.nth(at) else { break };
        let Ok(address) = slot::address(&shelf.whose.folder(), number) else { break };
        if let Ok(read) = stands::read(number, ask.vault.get(&address, None), &shelf.whose, ask.trust)? {
            return Ok(Some((at, read)));
        }
    }
    Ok(None)
}

/// Reads the tiles that hold the first `size` leaves, in order. A tile that cannot be read breaks it off.
fn each_tile<T: Send>(
    ask: &Ask,
    shelf: &Shelf,
    size: u64,
    work: impl Fn(Vec<u8>) -> Option<T> + Sync,
    mut take: impl FnMut(Option<T>) -> anyhow::Result<ControlFlow<()>>,
) -> anyhow::Result<ControlFlow<()>> {
    let folder = shelf.whose.folder();
    let feed = |give: &mut dyn FnMut(u64) -> bool| {
        let _ = (0..size.div_ceil(WIDTH)).all(give);
    };
    let read = |number: u64| {
        let bytes = at(&folder, number).and_then(|address| ask.vault.get(&address, None).ok());
        bytes.and_then(&work)
    };
    let mut ended = false;
    let done = crew::in_order(ask.threads, feed, read, |fruit| match take(fruit) {
        Ok(ControlFlow::Continue(())) => Ok(()),
        Ok(ControlFlow::Break(())) => {
            ended = true;
            Err(None)
        }
        Err(e) => Err(Some(e)),
    });
    match done {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(Some(None)) if ended => Ok(ControlFlow::Break(())),
        Err(e) => Err(e.flatten().unwrap_or_else(panicked)),
    }
}

/// The place of a full tile of entries.
pub(super) fn at(folder: &str, number: u64) -> Option<Address> {
    Address::parse(&format!("{folder}{}", tile::path("entries", number, WIDTH))).ok()
}

fn hashes(bundle: &[u8]) -> Option<Vec<Sha256Digest>> {
    Some(tile::entries(bundle)?.into_iter().map(leaf::hash).collect())
}

fn push(frontier: &mut Frontier, hashes: &[Sha256Digest], size: u64) {
    let left = usize::try_from(size - frontier.size()).unwrap_or(usize::MAX);
    hashes.iter().take(left).for_each(|hash| frontier.push(*hash));
}

#[cfg(test)]
#[path = "tiles_tests.rs"]
mod tests;
