//! THE DOOR OUT: the records of a vault or a file, each opened, verified and lifted to today's shape.

pub(crate) mod claim;
pub(crate) mod filter;
pub(crate) mod folders;
pub(crate) mod head;
mod judge;
pub(crate) mod leaf;
pub(crate) mod leaves;
pub(crate) mod orphans;
pub(crate) mod proof;
pub(crate) mod slot;
#[cfg(test)]
pub(crate) mod written;

pub(crate) use judge::{Entry, Verdict, address_of, judge};

use crate::seal::trust::TrustSet;
use crate::vault::address::Address;
use crate::vault::{Vault, VaultError};
use filter::Filter;

/// Addresses of all records that can match the filter, by address alone: nothing is opened yet. Sorted.
pub(crate) fn addresses(vault: &Vault, filter: &Filter) -> Result<Vec<Address>, VaultError> {
    let found = vault.list(&filter.prefix())?.into_iter().map(|f| f.address);
    Ok(found.filter(|address| filter.admits_address(address)).collect())
}

/// Opens one record of the vault. A record that cannot be read is an entry too: nothing is dropped in silence.
pub(crate) fn open(vault: &Vault, trust: &TrustSet, address: &Address) -> Entry {
    match standing(vault, trust, address) {
        Ok((_, entry)) => entry,
        Err(e) => Entry::unread(address.as_str(), format!("could not be read: {e}")),
    }
}

/// The record that stands at an address, with its bytes; an error where it cannot be read.
pub(crate) fn standing(vault: &Vault, trust: &TrustSet, address: &Address) -> Result<(Vec<u8>, Entry), VaultError> {
    let bytes = vault.get(address, None)?;
    let entry = judge(&bytes, address.as_str(), trust);
    Ok((bytes, entry))
}

/// The entries that match the filter, in order of address, each opened when its turn comes.
pub(crate) fn entries<'a>(
    vault: &'a Vault,
    trust: &'a TrustSet,
    filter: &'a Filter,
) -> Result<impl Iterator<Item = Entry> + 'a, VaultError> {
    let addresses = addresses(vault, filter)?;
    Ok(addresses.into_iter().map(move |a| open(vault, trust, &a)).filter(move |e| filter.admits(e)))
}

/// Judges `bytes` as a record and asserts what must hold of any verdict. For `fuzz/`.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    use crate::seal::key::PublicKey;
    let key = PublicKey::parse(include_str!("../../fixtures/keys/test-public.pem")).map(TrustSet::of);
    let trust = key.unwrap_or_default();
    let entry = judge(bytes, "evidence/env=p/date=2026-11-23/run=github-1-1/run.json", &trust);
    assert!(entry.record.is_none() || entry.payload.is_some(), "nothing is read that was not signed");
    assert!(!matches!(entry.verdict, Verdict::Valid | Verdict::Moved) || entry.record.is_some());
    // The shape behind the signature, which no fuzzer can make.
    let _ = crate::record::read(&crate::record::RUN.predicate_type(), bytes);
    let _ = crate::seal::peek_unverified(bytes);
    let _ = TrustSet::parse(bytes);
    let _ = Address::parse(&String::from_utf8_lossy(bytes)).map(|a| a.parts());
}
