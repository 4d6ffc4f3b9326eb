//! What stands in a vault, key by key with its versions, sorted into what belongs to which ledger.

use super::finding::{Findings, Weight};
use super::stands::Whose;
use super::tiles;
use crate::ledger::filter::Filter;
use crate::ledger::slot;
use crate::vault::address::Address;
use crate::vault::{Place, Seen, Swept, Vault, VaultError, Versions};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Addresses with more than one version that are kept; more are counted.
const MOST_TWICE: usize = 1000;
/// Versions of one address that are kept.
const MOST_VERSIONS: usize = 16;

/// An address that was written more than once, or is hidden.
#[derive(Clone, Debug)]
pub(super) struct Twice {
    pub(super) address: Address,
    /// Version and whether it is a delete marker; the newest first.
    pub(super) versions: Vec<(Option<String>, bool)>,
}

impl Twice {
    /// Whether a read without a version finds nothing.
    pub(super) fn hidden(&self) -> bool {
        self.versions.first().is_some_and(|(_, marker)| *marker)
    }

    /// The versions in words.
    pub(super) fn told(&self) -> String {
        let name = |(id, marker): &(Option<String>, bool)| {
            let id = id.as_deref().unwrap_or("without a name");
            if *marker { format!("delete marker {id}") } else { format!("version {id}") }
        };
        self.versions.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

/// What was noticed beside the objects themselves.
#[derive(Debug, Default)]
pub(super) struct Noticed {
    pub(super) twice: Vec<Twice>,
    pub(super) findings: Findings,
    /// Why versions were not seen; `None` where all were.
    pub(super) versions: Option<Versions>,
}

impl Noticed {
    /// Adds what another look noticed.
    pub(super) fn absorb(&mut self, versions: Versions) {
        let worse = match (self.versions.take(), versions) {
            (Some(Versions::Unseen(why)), _) | (_, Versions::Unseen(why)) => Versions::Unseen(why),
            (Some(Versions::NotKept), _) | (_, Versions::NotKept) => Versions::NotKept,
            _ => Versions::Listed,
        };
        self.versions = Some(worse);
    }
}

/// Tells `each` of the current object of every address under `prefix`, in order, with its size; what is hidden, doubled or
/// has no address is noticed.
pub(super) fn current(
    vault: &Vault,
    prefix: &str,
    noticed: &mut Noticed,
    each: &mut dyn FnMut(Address, u64) -> bool,
) -> Result<(), VaultError> {
    let mut group: Option<(Twice, u64)> = None;
    let mut close = |group: Option<(Twice, u64)>, noticed: &mut Noticed| {
        let Some((twice, size)) = group else { return true };
        let hidden = twice.hidden();
        let address = twice.address.clone();
        if hidden || twice.versions.len() > 1 {
            if noticed.twice.len() < MOST_TWICE {
                noticed.twice.push(twice);
            } else {
                noticed.findings.add_alike(Weight::Finding, 0, "an address has more than one version");
            }
        }
        hidden || each(address, size)
    };
    let swept = vault.sweep(prefix, &mut |seen| {
        let Seen { place, version, marker, size, .. } = seen;
        let address = match place {
            Place::Address(address) => address,
            Place::Odd(name) => {
                let what = format!("`{name}` stands there, and is no address of a vault");
                noticed.findings.add(Weight::Finding, None, what);
                return ControlFlow::Continue(());
            }
        };
        match group.as_mut().filter(|(twice, _)| twice.address == address) {
            Some((twice, _)) if twice.versions.len() < MOST_VERSIONS => twice.versions.push((version, marker)),
            Some(_) => {}
            None => {
                let before = group.replace((Twice { address, versions: vec![(version, marker)] }, size));
                if !close(before, noticed) {
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    });
    // A vault without the folder has nothing there.
    let swept = match swept {
        Err(VaultError::NotFound { .. }) => Swept { versions: Versions::Listed },
        swept => swept?,
    };
    close(group, noticed);
    noticed.absorb(swept.versions);
    Ok(())
}

/// The folder of one ledger.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) whose: Whose,
    /// First and last slot of every unbroken run, rising.
    pub(super) slots: Vec<(u64, u64)>,
    /// Slots.
    pub(super) count: u64,
    /// Full tiles of entries, by number: first and last of every run.
    tiles: Vec<(u64, u64)>,
    /// Copies of checkpoints.
    pub(super) copies: Vec<Address>,
}

/// The ledgers of a vault, by the name of their folder.
pub(super) fn ledgers(
    vault: &Vault,
    filter: &Filter,
    noticed: &mut Noticed,
) -> Result<BTreeMap<String, Shelf>, VaultError> {
    let mut shelves: BTreeMap<String, Shelf> = BTreeMap::new();
    let prefixes = match &filter.environments[..] {
        [] => vec!["ledger/".to_owned()],
        some => some.iter().map(|environment| slot::folder(environment)).collect(),
    };
    let mut strange = Vec::new();
    for prefix in prefixes {
        current(vault, &prefix, noticed, &mut |address, _| {
            let mut parts = address.as_str().splitn(3, '/');
            let (_, word, name) = (parts.next(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let Some(whose) = Whose::of(word).filter(|_| !name.is_empty()) else {
                strange.push(address.to_string());
                return true;
            };
            let shelf = shelves.entry(word.to_owned()).or_insert(Shelf::new(whose));
            match slot::number(name) {
                Some(number) => shelf.add(number),
                None if name.starts_with("tile/entries/") => shelf.add_tile(name),
                // Hints, copies of what the slots say, and the word of others about them.
                None if name.starts_with("checkpoints/") => shelf.copies.push(address),
                None if ["claims/", "tile/", "timestamps/"].iter().any(|folder| name.starts_with(folder)) => {}
                None => strange.push(address.to_string()),
            }
            strange.truncate(MOST_TWICE);
            true
        })?;
    }
    for name in strange {
        noticed.findings.add(Weight::Finding, None, format!("`{name}` stands there, and is no part of a ledger"));
    }
    for shelf in shelves.values_mut() {
        // Falling with most stores; some list in an order of their own.
        shelf.slots.sort_unstable();
        shelf.tiles.sort_unstable();
    }
    Ok(shelves)
}

impl Shelf {
    fn new(whose: Whose) -> Self {
        Self { whose, slots: Vec::new(), count: 0, tiles: Vec::new(), copies: Vec::new() }
    }

    /// Tiles come in rising order; partial ones are no use, a full one will hold the same.
    fn add_tile(&mut self, name: &str) {
        let Some(number) = tiles::number(name) else { return };
        match self.tiles.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => self.tiles.push((number, number)),
        }
    }

    /// Full tiles from the first one on without a hole.
    pub(super) fn full_tiles(&self) -> u64 {
        self.tiles.first().filter(|(first, _)| *first == 0).map_or(0, |(_, last)| last + 1)
    }

    /// The slot that comes `n`th among those that are there.
    pub(super) fn nth(&self, mut n: u64) -> Option<u64> {
        for (first, last) in &self.slots {
            if n <= last - first {
                return Some(first + n);
            }
            n -= last - first + 1;
        }
        None
    }

    /// Slots come in falling order: their names are inverted.
    fn add(&mut self, number: u64) {
        self.count += 1;
        match self.slots.last_mut() {
            Some((first, _)) if number + 1 == *first => *first = number,
            _ => self.slots.push((number, number)),
        }
    }

    /// Every slot, rising.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> + '_ {
        self.slots.iter().flat_map(|(first, last)| *first..=*last)
    }
}
