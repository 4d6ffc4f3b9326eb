//! Records that stand in the vault and that no leaf names: somebody was stopped between the record and its leaf.
//!
//! What counts is the address. A record whose bytes differ from what its leaf says is no orphan but altered, and naming it
//! anew would paint over that.

use super::head::Head;
use super::leaf::{Leaf, Said};
use super::leaves::{self, LeavesError, Passed};
use super::slot::{self, Slot};
use super::{Entry, judge};
use crate::record::digest::Sha256Digest;
use crate::seal::trust::TrustSet;
use crate::vault::address::Address;
use crate::vault::{Vault, VaultError};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;

/// Objects read at once.
pub(crate) const AT_ONCE: usize = 32;

/// Clocks of runners differ; an hour is more than they do.
const CLOCKS: TimeDelta = TimeDelta::hours(1);

/// The addresses that a ledger names: 16 bytes of memory for each.
#[derive(Default)]
pub(crate) struct Named {
    addresses: HashSet<[u8; 16]>,
    /// The newest entry that was read.
    upto: Option<u64>,
    /// What a person should know.
    pub(crate) doubts: Vec<String>,
}

impl Named {
    /// What the whole ledger up to `head` names. Of a broken one, what is left of it.
    pub(crate) fn all(vault: &Vault, trust: &TrustSet, head: &Head) -> Result<Self, VaultError> {
        let Some(base) = &head.base else { return Ok(Self::default()) };
        let each = |named: &mut Self, passed: Passed| named.add(&passed.leaf);
        match leaves::walk(vault, trust, head.environment(), base, Self::default, each) {
            Ok(walked) => Ok(Self { upto: Some(base.number), ..walked.state }),
            Err(LeavesError::Vault(e)) => Err(e),
            Err(e) => {
                let mut named = Self { doubts: vec![format!("{e}")], ..Self::default() };
                named.read_back(vault, trust, head, None)?;
                Ok(named)
            }
        }
    }

    /// What the entries name that may name a record of `oldest` or later.
    pub(crate) fn since(
        vault: &Vault,
        trust: &TrustSet,
        head: &Head,
        oldest: DateTime<Utc>,
    ) -> Result<Self, VaultError> {
        let mut named = Self::default();
        named.read_back(vault, trust, head, Some(oldest - CLOCKS))?;
        Ok(named)
    }

    /// Reads what was appended since. Then nothing that stands below `head` is unknown here.
    pub(crate) fn catch_up(&mut self, vault: &Vault, trust: &TrustSet, head: &Head) -> Result<(), VaultError> {
        self.read_back(vault, trust, head, None)
    }

    /// Whether a leaf names this address.
    pub(crate) fn holds(&self, address: &str) -> bool {
        self.addresses.contains(&short(address))
    }

    fn add(&mut self, leaf: &Leaf) {
        if let Some(record) = leaf.record() {
            self.addresses.insert(short(&record.address));
        }
    }

    /// From the head back to what is known, or to entries that are older than `oldest`. Entries that later ones call void
    /// name nothing.
    fn read_back(
        &mut self,
        vault: &Vault,
        trust: &TrustSet,
        head: &Head,
        oldest: Option<DateTime<Utc>>,
    ) -> Result<(), VaultError> {
        let Some(base) = &head.base else { return Ok(()) };
        let first = self.upto.map_or(0, |upto| upto + 1);
        let mut voids = BTreeSet::new();
        let mut below = base.number + 1;
        'back: while below > first {
            let from = below.saturating_sub(AT_ONCE as u64).max(first);
            let numbers = (from..below).rev();
            let addresses: Vec<Address> =
                numbers.clone().filter_map(|n| slot::address(head.folder(), n).ok()).collect();
            for (number, read) in numbers.zip(vault.get_many(&addresses, AT_ONCE)) {
                if voids.contains(&number) {
                    continue;
                }
                let bytes = match read {
                    Ok(bytes) => Ok(bytes),
                    Err(e @ (VaultError::NotFound { .. } | VaultError::TooLarge { .. })) => Err(e.to_string()),
                    Err(e) => return Err(e),
                };
                let entry = bytes.and_then(|bytes| {
                    let entry = Slot::parse(&bytes).map_err(|e| e.to_string())?;
                    entry.check(number, head.environment(), trust).map_err(|e| e.to_string())?;
                    Ok(entry)
                });
                match entry {
                    Ok(entry) => {
                        for (_, leaf) in &entry.leaves {
                            self.add(leaf);
                            if let Said::Void { slot, .. } = leaf.said {
                                voids.insert(slot);
                            }
                        }
                        if oldest.is_some_and(|oldest| entry.logged_on() < oldest) {
                            break 'back;
                        }
                    }
                    Err(why) => self.doubts.push(format!(
                        "slot {number} of {} cannot be read, so what it named may be named twice: {why}",
                        head.folder()
                    )),
                }
            }
            below = from;
        }
        self.upto = Some(base.number);
        Ok(())
    }
}

/// 16 bytes of its SHA-256.
fn short(address: &str) -> [u8; 16] {
    let mut short = [0; 16];
    let digest = Sha256Digest::of(address.as_bytes());
    short.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
    short
}

/// Addresses below `prefix` after `after` that `named` does not hold, at most so many; and where to go on, `None` at the
/// end.
pub(crate) fn unnamed(
    vault: &Vault,
    prefix: &str,
    after: Option<&Address>,
    named: &Named,
    most: usize,
) -> Result<(Vec<Address>, Option<Address>), VaultError> {
    let mut found: Vec<Address> = Vec::new();
    let listed = vault.list_each(prefix, after, None, &mut |next| {
        if !named.holds(next.address.as_str()) {
            found.push(next.address);
        }
        if found.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    match listed {
        Ok(_) => {}
        Err(VaultError::NotFound { .. }) => return Ok((Vec::new(), None)),
        Err(e) => return Err(e),
    }
    let more = found.last().filter(|_| found.len() >= most).cloned();
    Ok((found, more))
}

/// Each of them, opened and judged: at most [`AT_ONCE`].
pub(crate) fn judged(vault: &Vault, trust: &TrustSet, addresses: &[Address]) -> Vec<Entry> {
    let read = addresses.iter().zip(vault.get_many(addresses, AT_ONCE));
    let entry = |(address, bytes): (&Address, Result<Vec<u8>, VaultError>)| match bytes {
        Ok(bytes) => judge(&bytes, address.as_str(), trust),
        Err(e) => Entry::unread(address.as_str(), format!("could not be read: {e}")),
    };
    read.map(entry).collect()
}
