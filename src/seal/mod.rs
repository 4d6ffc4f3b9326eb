//! PILLAR: words and signature. A statement about subjects, sealed with one Ed25519 signature, and opened again.
//!
//! in-toto Statement v1 in a DSSE envelope in a Sigstore bundle v0.3; what every outside client accepts is in
//! `docs/VERIFYING.md`, and `tests/outside/verify/` tries it. Knows neither facts nor stores.

mod base64_quick;
pub(crate) mod bundle;
pub(crate) mod envelope;
pub(crate) mod error;
pub(crate) mod key;
mod key_error;
mod pem;
mod scan;
pub(crate) mod signer;
pub(crate) mod statement;
pub(crate) mod strict_json;
pub(crate) mod terms;
#[cfg(feature = "tsa")]
pub(crate) mod timestamp;
pub(crate) mod tlog;
pub(crate) mod token;
pub(crate) mod trust;
mod trust_file;
mod words;

use bundle::Bundle;
use envelope::{Envelope, Signature, pae};
use error::shown;
pub(crate) use error::{OpenError, SealError, StatementError};
use signer::Signer;
use statement::{Parsed, parse_statement};
use terms::PAYLOAD_TYPE;
use trust::TrustSet;

/// Signs a statement and returns the bundle's bytes: one line of JSON and a newline, the same for the same input.
pub(crate) fn seal(statement: &[u8], signer: &Signer) -> Result<Vec<u8>, SealError> {
    // what would not open again is not signed
    if statement.len() / 3 * 4 > terms::MAX_BYTES {
        return Err(SealError::TooLarge(statement.len()));
    }
    parse_statement(statement)?;
    let key = signer.public_key();
    let sig = signer.sign(&pae(PAYLOAD_TYPE, statement))?;
    let signatures = vec![Signature { keyid: key.keyid(), sig: sig.to_vec() }];
    let envelope = Envelope { payload_type: PAYLOAD_TYPE.into(), payload: statement.to_vec(), signatures };
    let bytes = bundle::write(&envelope, &key.hint()).map_err(|e| StatementError::Shape(e.to_string()))?;
    if bytes.len() > terms::MAX_BYTES { Err(SealError::TooLarge(bytes.len())) } else { Ok(bytes) }
}

/// A bundle whose signature holds.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    /// The key in the trust set that signed. Whether it is trusted for this record, [`TrustSet::covers`] says.
    pub(crate) keyid: String,
    /// Other keys of the trust set that signed the same envelope.
    pub(crate) other_keyids: Vec<String>,
    /// The signed bytes, as received.
    pub(crate) payload: Vec<u8>,
    /// What these bytes say.
    pub(crate) statement: Parsed,
}

/// Opens a bundle or a bare envelope: first the signature over the bytes as received, then their meaning.
///
/// Every key of `keys` is tried, whatever the envelope claims: a keyid only orders the tries (DSSE, `protocol.md`).
pub(crate) fn open(bytes: &[u8], keys: &TrustSet) -> Result<Opened, OpenError> {
    let Bundle { envelope, hint } = bundle::read(bytes)?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(OpenError::PayloadType(shown(&envelope.payload_type)));
    }
    if envelope.signatures.is_empty() {
        return Err(OpenError::NoSignature);
    }
    let mut signed = who_signed(&envelope, keys).into_iter();
    let Some(keyid) = signed.next() else { return Err(who_did_not(&envelope, hint.as_deref(), keys)) };
    let statement = parse_statement(&envelope.payload)?;
    Ok(Opened { keyid, other_keyids: signed.collect(), payload: envelope.payload, statement })
}

/// The distinct trusted keys that made a signature. Keys count, not signatures: one copied twice is still one key's.
fn who_signed(envelope: &Envelope, keys: &TrustSet) -> Vec<String> {
    let message = pae(&envelope.payload_type, &envelope.payload);
    let mut signed: Vec<String> = Vec::new();
    for signature in &envelope.signatures {
        let claimed = keys.iter().filter(|(id, _)| *id == signature.keyid);
        let others = keys.iter().filter(|(id, _)| *id != signature.keyid);
        let mut fresh = claimed.chain(others).filter(|(id, _)| !signed.iter().any(|s| s == id));
        if let Some((keyid, _)) = fresh.find(|(_, trusted)| trusted.key.verify(&message, &signature.sig)) {
            signed.push(keyid.to_owned());
        }
    }
    signed
}

/// Tells a stranger's signature from a trusted key's that does not hold.
fn who_did_not(envelope: &Envelope, hint: Option<&str>, keys: &TrustSet) -> OpenError {
    let mut claimed: Vec<&str> =
        envelope.signatures.iter().map(|s| s.keyid.as_str()).filter(|k| !k.is_empty()).collect();
    if let Some(known) = claimed.iter().find(|k| keys.get(k).is_some()) {
        return OpenError::BadSignature { keyid: (*known).to_owned() };
    }
    if let Some((keyid, _)) = keys.iter().find(|(_, k)| claimed.is_empty() && Some(k.key.hint().as_str()) == hint) {
        return OpenError::BadSignature { keyid: keyid.to_owned() };
    }
    claimed.sort_unstable();
    claimed.dedup();
    OpenError::UnknownKey { claimed: claimed.into_iter().map(shown).collect() }
}

/// What a bundle says of itself. Nobody vouches for any of it.
#[derive(Debug)]
pub(crate) struct Unverified {
    /// The keys that its signatures claim, as written. Empty ones are left out.
    pub(crate) claimed_keyids: Vec<String>,
    /// Signatures in the envelope, whoever made them.
    pub(crate) signatures: usize,
    /// The envelope's payload type.
    pub(crate) payload_type: String,
    /// The payload, as received.
    pub(crate) payload: Vec<u8>,
    /// What the payload would say.
    pub(crate) statement: Result<Parsed, StatementError>,
}

/// Reads a bundle or an envelope **without any trust**: for `inspect`, and to list what could not be verified.
pub(crate) fn peek_unverified(bytes: &[u8]) -> Result<Unverified, OpenError> {
    let Bundle { envelope, .. } = bundle::read(bytes)?;
    let statement = parse_statement(&envelope.payload);
    let signatures = envelope.signatures.len();
    let claimed_keyids = envelope.signatures.into_iter().map(|s| s.keyid).filter(|k| !k.is_empty()).collect();
    Ok(Unverified {
        claimed_keyids,
        signatures,
        payload_type: envelope.payload_type,
        payload: envelope.payload,
        statement,
    })
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
