//! Listing in byte order and bounded memory. What cannot be listed is an error, or told as a stranger; never an omission.

use super::address::Address;
use super::pages::{Listing, Pages};
use super::sweep::{Place, Seen};
use super::{Vault, VaultError, folder};
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

/// How many strangers are kept by name.
const NAMED: usize = 20;
/// The least that is asked for at once: a page of one would look sorted whatever the store does.
const TELLING: usize = 8;

/// An object in a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where.
    pub address: Address,
    /// Bytes.
    pub size: u64,
}

/// What stands in a vault and has no address: others put it there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub(crate) struct Strangers {
    /// How many.
    pub count: usize,
    /// The names of the first twenty, escaped for printing and cut.
    pub names: Vec<String>,
}

impl Strangers {
    fn meet(&mut self, name: &str) {
        self.count += 1;
        if self.names.len() < NAMED {
            self.names.push(name.escape_debug().take(200).collect());
        }
    }

    /// The error of a caller that has no way to tell of them.
    #[cfg(test)]
    pub(super) fn refuse(self, prefix: &str, vault: &Vault) -> Result<(), VaultError> {
        let Some(name) = self.names.first() else { return Ok(()) };
        Err(VaultError::Other {
            doing: format!("list `{prefix}` in {}", vault.location()),
            why: format!(
                "{} of the names there are no addresses in a vault, the first is `{name}`\nothers put them there: see \
                 who may write, and move them elsewhere",
                self.count
            ),
        })
    }
}

/// See [`Vault::list_each`].
pub(super) fn list_each(
    vault: &Vault,
    prefix: &str,
    after: Option<&Address>,
    page: Option<usize>,
    each: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<Strangers, VaultError> {
    let mut strangers = Strangers::default();
    let after = after.map(Address::as_str);
    let mut told = |Seen { place, size, .. }: Seen| match place {
        // Some stores have no start-after; an object twice would be worse than one comparison.
        Place::Address(address) if after.is_some_and(|after| address.as_str() <= after) => ControlFlow::Continue(()),
        Place::Address(address) => each(Found { address, size }),
        Place::Odd(name) => {
            strangers.meet(&name);
            ControlFlow::Continue(())
        }
    };
    match &vault.opened.folder {
        Some(folder) => folder::walk(folder, prefix, after, &mut told)?,
        None => {
            let listing = Listing { versions: false, prefix, after, most: page, flat: false };
            Pages::new(vault, listing).tell(&mut told)?;
        }
    }
    Ok(strangers)
}

/// See [`Vault::first`].
pub(super) fn first(vault: &Vault, prefix: &str, most: usize) -> Result<Vec<Found>, VaultError> {
    if most == 0 {
        return Ok(Vec::new());
    }
    if let Some(folder) = &vault.opened.folder {
        return folder::smallest(folder, prefix, most);
    }
    let ask = Some(most.clamp(TELLING, 1000));
    let listing = Listing { versions: false, prefix, after: None, most: ask, flat: true };
    let mut pages = Pages::new(vault, listing);
    let (mut smallest, mut last, mut sorted) = (BinaryHeap::new(), None, true);
    while let Some(page) = pages.turn()? {
        for Seen { place, size, .. } in page {
            let Place::Address(address) = place else { continue };
            sorted &= last.as_ref().is_none_or(|last| *last < address);
            last = Some(address.clone());
            // Not every store knows a delimiter.
            if address.as_str().get(prefix.len()..).is_some_and(|name| name.contains('/')) {
                continue;
            }
            smallest.push((address, size));
            if smallest.len() > most {
                smallest.pop();
            }
        }
        if sorted && smallest.len() >= most {
            break;
        }
        // Whole pages, now that it has to be read on.
        pages.listing.most = None;
    }
    Ok(smallest.into_sorted_vec().into_iter().map(|(address, size)| Found { address, size }).collect())
}
