//! THE DOOR OUT: the records of a vault or a file, each opened, verified and lifted to today's shape.

pub(crate) mod again;
pub(crate) mod claim;
pub(crate) mod filter;
pub(crate) mod folders;
pub(crate) mod head;
pub(crate) mod identity;
mod judge;
pub(crate) mod leaf;
pub(crate) mod leaves;
pub(crate) mod orphans;
mod place;
pub(crate) mod previous;
pub(crate) mod proof;
pub(crate) mod reviews;
pub(crate) mod seen;
pub(crate) mod slot;
#[cfg(feature = "tsa")]
pub(crate) mod stamps;
pub(crate) mod whole;
#[cfg(test)]
pub(crate) mod written;

pub(crate) use judge::{Entry, Verdict, judge};
pub(crate) use place::{address_of, beside_run};

use crate::seal::trust::TrustSet;
use crate::vault::address::Address;
use crate::vault::{Strangers, Vault, VaultError};
use filter::Filter;
use std::ops::ControlFlow;

/// Addresses of all records that can match the filter, by address alone: nothing is opened yet. Sorted. And what stands
/// among them without being an address: it stops nobody, and must be told.
pub(crate) fn addresses(vault: &Vault, filter: &Filter) -> Result<(Vec<Address>, Strangers), VaultError> {
    let mut found = Vec::new();
    let strangers = vault.list_each(&filter.prefix(), None, None, &mut |next| {
        if filter.admits_address(&next.address) {
            found.push(next.address);
        }
        ControlFlow::Continue(())
    })?;
    found.sort();
    Ok((found, strangers))
}

/// Opens one record of the vault. A record that cannot be read is an entry too: nothing is dropped in silence.
pub(crate) fn open(vault: &Vault, trust: &TrustSet, address: &Address) -> Entry {
    entry(vault.get(address, None), trust, address)
}

fn entry(got: Result<Vec<u8>, VaultError>, trust: &TrustSet, address: &Address) -> Entry {
    match got {
        Ok(bytes) => judge(&bytes, address.as_str(), trust),
        Err(e) => Entry::unread(address.as_str(), format!("could not be read: {e}")),
    }
}

/// The entries that match the filter, in order of address, each opened when its turn comes; and what is no address.
pub(crate) fn entries<'a>(
    vault: &'a Vault,
    trust: &'a TrustSet,
    filter: &'a Filter,
) -> Result<(impl Iterator<Item = Entry> + 'a, Strangers), VaultError> {
    let (addresses, strangers) = addresses(vault, filter)?;
    Ok((addresses.into_iter().map(move |a| open(vault, trust, &a)).filter(move |e| filter.admits(e)), strangers))
}

/// Hands over every anchor in another vault, by its place; answers with the sum of what `each` answers.
pub(crate) fn anchors(vault: &Vault, each: &mut dyn FnMut(&str, &[u8]) -> std::io::Result<u64>) -> anyhow::Result<u64> {
    let mut places = Vec::new();
    let strangers = vault.list_each("anchors/", None, None, &mut |next| {
        places.push(next.address);
        ControlFlow::Continue(())
    })?;
    anyhow::ensure!(
        strangers.count == 0,
        "there are names under anchors/ that are no addresses: {}",
        strangers.names.join(", ")
    );
    let mut sum = 0;
    for piece in places.chunks(AT_ONCE) {
        for (place, note) in piece.iter().zip(vault.get_many(piece, AT_ONCE)) {
            sum += each(&format!("{}/{place}", vault.location()), &note?)?;
        }
    }
    Ok(sum)
}

/// Reads that are under way at the same time.
const AT_ONCE: usize = 32;

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
    for kind in crate::record::KINDS {
        let _ = crate::record::read(&kind.predicate_type(), bytes);
    }
    let _ = crate::record::without_identity(bytes);
    let _ = crate::seal::peek_unverified(bytes);
    let _ = TrustSet::parse(bytes);
    let text = String::from_utf8_lossy(bytes);
    let _ = crate::seal::token::kids(&text);
    let (token, jwks) = text.split_once('\n').unwrap_or((&text, ""));
    let _ = crate::seal::token::verify(token, jwks);
    let _ = Address::parse(&String::from_utf8_lossy(bytes)).map(|a| a.parts());
}
