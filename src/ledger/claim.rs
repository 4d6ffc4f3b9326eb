//! A claim: "this record waits for a slot", put by a writer that lost a race, so that whoever wins the next one takes it
//! along. Many writers then need few slots and nobody starves. A hint only: a ledger is whole without its claims.

use super::head::Head;
use super::leaf::Logged;
use super::slot;
use crate::record::digest::Sha256Digest;
use crate::record::json;
use crate::seal::SealError;
use crate::seal::signer::Signer;
use crate::seal::tlog::note;
use crate::seal::trust::TrustSet;
use crate::vault::Vault;
use crate::vault::address::Address;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;

/// Claims looked at.
const MOST: usize = 100;
/// Reads under way at the same time.
const AT_ONCE: usize = 32;
/// Digits of the record's digest in a claim's name.
const DIGITS: usize = 16;

/// Those who wait for a slot, in an order that all of them see: by their digests.
#[derive(Default)]
pub(crate) struct Line(BTreeMap<String, Address>);

impl Line {
    /// Who waits, by the names of their claims.
    pub(crate) fn of(claims: Vec<Address>, head: &Head) -> Self {
        let folder = folder_of(head.folder());
        let waits = |address: &Address| {
            let (tried, digest) = parse_name(address.as_str().strip_prefix(&folder)?)?;
            head.lacks(tried, digest).then(|| digest.to_owned())
        };
        Self(claims.into_iter().filter_map(|address| Some((waits(&address)?, address))).collect())
    }

    /// How many are before the record of this digest.
    pub(crate) fn before(&self, sha256: &Sha256Digest) -> u32 {
        u32::try_from(self.0.range(..first_digits(sha256)).count()).unwrap_or(u32::MAX)
    }

    /// What they wait with, as far as trusted keys say it.
    pub(crate) fn read(&self, vault: &Vault, head: &Head, trust: &TrustSet) -> Vec<Logged> {
        let addresses: Vec<Address> = self.0.values().cloned().collect();
        let mut waiting: Vec<Logged> = Vec::new();
        for bytes in vault.get_many(&addresses, AT_ONCE).into_iter().flatten() {
            let claim = read(&bytes, head.folder(), head.environment(), trust);
            waiting.extend(claim.filter(|c| !head.holds(&c.sha256) && !waiting.iter().any(|w| w.sha256 == c.sha256)));
        }
        waiting
    }
}

/// The newest claims. One that cannot be seen is no harm: who made it goes on by itself.
pub(crate) fn list(vault: &Vault, ledger: &str) -> Vec<Address> {
    let found = vault.first(&folder_of(ledger), MOST).unwrap_or_default();
    found.into_iter().map(|f| f.address).collect()
}

fn first_digits(sha256: &Sha256Digest) -> String {
    sha256.to_string().chars().take(DIGITS).collect()
}

/// The name of its key: apart from that of every ledger, so that a claim is no checkpoint.
fn origin(folder: &str) -> String {
    format!("vouchsafe.dev/claim/{}", folder.trim_start_matches("ledger/").trim_end_matches('/'))
}

/// Where the claims of a ledger are.
pub(crate) fn folder_of(ledger: &str) -> String {
    format!("{ledger}claims/")
}

/// The object and its place, which names the slot that is tried for.
pub(crate) fn write(
    folder: &str,
    tried: u64,
    logged: &Logged,
    signer: &Signer,
) -> Result<Option<(Address, Vec<u8>)>, SealError> {
    let body = json::to_vec(logged).map_err(|e| crate::seal::StatementError::Shape(e.to_string()))?;
    let name = origin(folder);
    let note = note::sign(&format!("{name}\n{}\n", STANDARD.encode(body)), &name, signer)?;
    let digest = first_digits(&logged.sha256);
    let address = Address::parse(&format!("{}{}-{digest}", folder_of(folder), slot::name(tried))).ok();
    Ok(address.map(|address| (address, note.into_bytes())))
}

/// The slot that was tried for and the digest's first digits, from a name in a folder of claims.
pub(crate) fn parse_name(name: &str) -> Option<(u64, &str)> {
    let (tried, digest) = name.split_once('-')?;
    let hex = digest.len() == DIGITS && digest.bytes().all(|b| b.is_ascii_hexdigit());
    Some((slot::number(tried)?, digest)).filter(|_| hex)
}

/// What is claimed, if a key says so that is trusted for this environment; strangers have no say in what is logged.
pub(crate) fn read(bytes: &[u8], folder: &str, environment: &str, trust: &TrustSet) -> Option<Logged> {
    let name = origin(folder);
    let (text, keyid) = note::open(std::str::from_utf8(bytes).ok()?, &name, trust).ok()?;
    let body = STANDARD.decode(text.strip_prefix(&format!("{name}\n"))?.trim_end_matches('\n')).ok()?;
    let logged: Logged = serde_json::from_slice(&body).ok()?;
    trust.covers(&keyid, environment, logged.recorded_on).ok()?;
    logged.address.starts_with(&Address::environment_prefix(environment)).then_some(logged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::leaf::Via;
    use crate::seal::key::PrivateKey;

    #[test]
    fn a_claim_counts_when_a_trusted_key_makes_it() {
        let signer = Signer::Key(PrivateKey::generate([1; 32]));
        let logged = Logged {
            address: "evidence/env=prod/date=2026-11-23/run=github-1-1/run.json".into(),
            sha256: Sha256Digest::of(b"x"),
            recorded_on: "2026-11-23T01:02:03Z".parse().unwrap(),
            keep_until: None,
            via: Via::Attest,
        };
        let (address, bytes) = write("ledger/env=prod/", 7, &logged, &signer).unwrap().unwrap();
        assert_eq!(address.as_str(), "ledger/env=prod/claims/999999999992-2d711642b726b044");
        assert_eq!(parse_name("999999999992-2d711642b726b044"), Some((7, "2d711642b726b044")));
        for no in ["999999999992", "999999999992-2d71", "x-2d711642b726b044", "999999999992-zd711642b726b044"] {
            assert_eq!(parse_name(no), None);
        }
        let keys = TrustSet::of(signer.public_key());
        assert_eq!(read(&bytes, "ledger/env=prod/", "prod", &keys), Some(logged.clone()));
        assert_eq!(read(&bytes, "ledger/env=prod/", "prod", &TrustSet::default()), None);
        assert_eq!(read(&bytes, "ledger/env=other/", "other", &keys), None);
        // A key of this environment claims for another one.
        let other = Logged { address: "evidence/env=other/x".into(), ..logged };
        let (_, bytes) = write("ledger/env=prod/", 7, &other, &signer).unwrap().unwrap();
        assert_eq!(read(&bytes, "ledger/env=prod/", "prod", &keys), None);
    }
}
