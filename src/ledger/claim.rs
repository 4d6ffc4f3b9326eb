//! A claim: "this record waits for a slot", put by a writer that lost a race, so that whoever wins the next one takes it
//! along. Many writers then need few slots and nobody starves. A hint only: a ledger is whole without its claims.

use super::leaf::Logged;
use super::slot;
use crate::record::json;
use crate::seal::SealError;
use crate::seal::signer::Signer;
use crate::seal::tlog::note;
use crate::seal::trust::TrustSet;
use crate::vault::address::Address;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Digits of the record's digest in a claim's name.
const DIGITS: usize = 16;

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
    let digest: String = logged.sha256.to_string().chars().take(DIGITS).collect();
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
    use crate::record::digest::Sha256Digest;
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
