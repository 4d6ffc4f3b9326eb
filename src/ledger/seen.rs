//! Reading a slot so that one answer that went wrong on its way does no harm.

use super::slot::{self, Slot};
use crate::vault::address::Address;
use crate::vault::{Vault, VaultError};
use std::collections::BTreeMap;

/// What a read of a slot found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// This.
    Bytes(Vec<u8>),
    /// More than is ever read.
    TooLarge,
    /// Nothing.
    Nothing,
}

pub(super) fn seen(read: Result<Vec<u8>, VaultError>) -> Result<Seen, VaultError> {
    match read {
        Ok(bytes) => Ok(Seen::Bytes(bytes)),
        Err(VaultError::TooLarge { .. }) => Ok(Seen::TooLarge),
        Err(VaultError::NotFound { .. }) => Ok(Seen::Nothing),
        Err(e) => Err(e),
    }
}

/// Reads of a slot before a store counts as one that cannot make up its mind.
const LOOKS: u32 = 4;

/// What stands in a slot. An entry is known by itself; whatever else there is must be seen twice, because the next entry
/// will call it void for ever: one answer that went wrong on its way must not split the ledger.
pub(super) fn settled(vault: &Vault, address: &Address, first: Seen) -> Result<Seen, VaultError> {
    let mut last = first;
    for _ in 1..LOOKS {
        if matches!(&last, Seen::Bytes(bytes) if Slot::parse(bytes).is_ok()) {
            return Ok(last);
        }
        let again = seen(vault.get(address, None))?;
        if again == last {
            return Ok(last);
        }
        last = again;
    }
    let why = format!("{LOOKS} reads gave different answers; the network or the store is broken");
    Err(VaultError::Other { doing: format!("read `{address}`"), why })
}

/// Reads slots, the one before each in the same round trip.
pub(super) struct Reader<'a> {
    vault: &'a Vault,
    folder: String,
    known: BTreeMap<u64, (Address, Seen)>,
}

impl<'a> Reader<'a> {
    /// Reads from the ledger in `folder`, which ends with a slash.
    pub(super) fn new(vault: &'a Vault, folder: &str) -> Self {
        Self { vault, folder: folder.to_owned(), known: BTreeMap::new() }
    }

    /// What stands in a slot; `None` where nothing does, or more than is ever read.
    pub(super) fn slot(&mut self, number: u64) -> Result<Option<Vec<u8>>, VaultError> {
        if !self.known.contains_key(&number) {
            let both = [Some(number), number.checked_sub(1)].into_iter().flatten();
            let pairs: Vec<_> = both.filter_map(|n| Some((n, slot::address(&self.folder, n).ok()?))).collect();
            let addresses: Vec<Address> = pairs.iter().map(|(_, a)| a.clone()).collect();
            for ((n, address), read) in pairs.into_iter().zip(self.vault.get_many(&addresses, 2)) {
                self.known.insert(n, (address, seen(read)?));
            }
        }
        let Some((address, first)) = self.known.remove(&number) else { return Ok(None) };
        let now = settled(self.vault, &address, first)?;
        self.known.insert(number, (address, now.clone()));
        Ok(match now {
            Seen::Bytes(bytes) => Some(bytes),
            Seen::TooLarge | Seen::Nothing => None,
        })
    }
}
