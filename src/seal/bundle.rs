//! Sigstore bundle v0.3: the stored object (sigstore/protobuf-specs, `sigstore_bundle.proto`).
//!
//! `cosign verify-blob-attestation` reads it as it is, and its member `dsseEnvelope` is the bare envelope that DSSE
//! clients want. Both are read; only the bundle is written.

use super::envelope::{Envelope, Wire};
use super::error::{OpenError, shown};
use super::strict_json::{self, Numbers, at_most};
use super::terms::{MAX_BYTES, MAX_SIGNATURES, MEDIA_TYPE, MEDIA_TYPE_OLD};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A bundle or a bare envelope, decoded. Nothing of it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bundle {
    /// The envelope.
    pub(crate) envelope: Envelope,
    /// `base64(sha256(SPKI DER))` of the key that the bundle claims. A hint, signed by nobody.
    pub(crate) hint: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outer<'a> {
    #[serde(borrow)]
    media_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    verification_material: Option<Material<'a>>,
    #[serde(borrow)]
    dsse_envelope: Option<Wire<'a>>,
    // a bare envelope has these at the top, a bundle has none of them
    #[serde(borrow, skip_serializing)]
    payload: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing)]
    payload_type: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing, deserialize_with = "at_most::<_, _, MAX_SIGNATURES>")]
    signatures: Vec<super::envelope::WireSignature<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material<'a> {
    #[serde(borrow)]
    public_key: Option<KeyHint<'a>>,
}

#[derive(Serialize, Deserialize)]
struct KeyHint<'a> {
    #[serde(borrow)]
    hint: Option<Cow<'a, str>>,
}

/// Writes `envelope` as a bundle: one line of compact JSON and a newline.
///
/// `tlogEntries` is left out, not empty: cosign 3.1 and @sigstore/verify take both, and what is not there is not said.
pub(crate) fn write(envelope: &Envelope, hint: &str) -> Result<Vec<u8>, serde_json::Error> {
    let outer = Outer {
        media_type: Some(MEDIA_TYPE.into()),
        verification_material: Some(Material { public_key: Some(KeyHint { hint: Some(hint.into()) }) }),
        dsse_envelope: Some(envelope.to_wire()),
        payload: None,
        payload_type: None,
        signatures: Vec::new(),
    };
    let mut bytes = serde_json::to_vec(&outer)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a bundle v0.3 or a bare envelope. Members it does not know are ignored, as DSSE demands.
pub(crate) fn read(bytes: &[u8]) -> Result<Bundle, OpenError> {
    if bytes.len() > MAX_BYTES {
        return Err(OpenError::TooLarge(bytes.len()));
    }
    let malformed = |what: &str| OpenError::Malformed(what.to_owned());
    strict_json::check(bytes, Numbers::Any).map_err(|e| OpenError::Malformed(e.to_string()))?;
    // checked UTF-8 is not checked again string by string
    let outer: Outer<'_> = match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(bytes),
    }
    .map_err(|e| OpenError::Malformed(strict_json::complaint(&e)))?;
    let bare = outer.payload.is_some() || outer.payload_type.is_some() || !outer.signatures.is_empty();
    let wire = match (outer.media_type, outer.dsse_envelope) {
        // two envelopes in one file: which of them a reader takes must not be a matter of taste
        (_, Some(_)) | (Some(_), _) if bare => return Err(malformed("it is a bundle and an envelope at once")),
        (Some(t), Some(wire)) if t == MEDIA_TYPE || t == MEDIA_TYPE_OLD => wire,
        (Some(t), Some(_)) => {
            return Err(OpenError::Malformed(format!("`mediaType` {} is not a bundle v0.3", shown(&t))));
        }
        (Some(_), None) => return Err(malformed("the bundle has no `dsseEnvelope`")),
        (None, Some(_)) => return Err(malformed("the bundle has no `mediaType`")),
        (None, None) => Wire { payload: outer.payload, payload_type: outer.payload_type, signatures: outer.signatures },
    };
    let hint = outer.verification_material.and_then(|m| m.public_key).and_then(|k| k.hint).map(Cow::into_owned);
    Ok(Bundle { envelope: Envelope::from_wire(wire).map_err(OpenError::Malformed)?, hint })
}
