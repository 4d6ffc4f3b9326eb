//! DSSE: what is signed, and the envelope around it (secure-systems-lab/dsse v1.0.2, `protocol.md` and `envelope.md`).

use super::base64_quick;
use super::strict_json::{at_most, borrowed};
use super::terms::MAX_SIGNATURES;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use base64::{DecodeError, Engine as _};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The pre-authentication encoding: the exact bytes that are signed.
///
/// `"DSSEv1" SP LEN(type) SP type SP LEN(body) SP body`, lengths in bytes, so that no two pairs encode alike.
pub(crate) fn pae(payload_type: &str, body: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), body.len()).into_bytes();
    out.extend_from_slice(body);
    out
}

/// An envelope, decoded. Nothing of it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// As received.
    pub(crate) payload_type: String,
    /// As received; never parsed again from the envelope.
    pub(crate) payload: Vec<u8>,
    /// As received, at most [`MAX_SIGNATURES`].
    pub(crate) signatures: Vec<Signature>,
}

/// A signature and the hint of who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    /// A hint, signed by nobody. Empty and absent are the same (DSSE, `envelope.md`).
    pub(crate) keyid: String,
    /// Any length: what is not 64 bytes verifies under no key.
    pub(crate) sig: Vec<u8>,
}

/// The envelope as JSON. `payload` and the others are optional only so that the error can say which is missing.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire<'a> {
    #[serde(borrow, default, deserialize_with = "borrowed")]
    pub(super) payload: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) payload_type: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "at_most::<_, _, MAX_SIGNATURES>")]
    pub(super) signatures: Vec<WireSignature<'a>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireSignature<'a> {
    #[serde(borrow)]
    keyid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sig: Option<Cow<'a, str>>,
}

impl Envelope {
    /// For writing: standard base64 with padding, which every client reads.
    pub(super) fn to_wire(&self) -> Wire<'_> {
        let signature = |s: &Signature| WireSignature {
            keyid: Some(s.keyid.clone().into()),
            sig: Some(STANDARD.encode(&s.sig).into()),
        };
        Wire {
            payload: Some(STANDARD.encode(&self.payload).into()),
            payload_type: Some(self.payload_type.as_str().into()),
            signatures: self.signatures.iter().map(signature).collect(),
        }
    }

    /// Decodes what was read; the error is one line that names the member.
    pub(super) fn from_wire(wire: Wire<'_>) -> Result<Self, String> {
        let payload = wire.payload.ok_or("`payload` is missing")?;
        let payload_type = wire.payload_type.ok_or("`payloadType` is missing")?;
        let mut signatures = Vec::with_capacity(wire.signatures.len());
        for (i, s) in wire.signatures.into_iter().enumerate() {
            let sig = s.sig.ok_or_else(|| format!("`signatures[{i}].sig` is missing"))?;
            let sig = decode(&sig).map_err(|e| format!("`signatures[{i}].sig` {e}"))?;
            signatures.push(Signature { keyid: s.keyid.unwrap_or_default().into_owned(), sig });
        }
        let payload = decode(&payload).map_err(|e| format!("`payload` {e}"))?;
        Ok(Self { payload_type: payload_type.into_owned(), payload, signatures })
    }
}

/// Standard or URL-safe base64, as DSSE demands; padded, canonical, not mixed, nothing else between.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, String> {
    if let Some(bytes) = base64_quick::decode(text.as_bytes()) {
        return Ok(bytes);
    }
    let decoded = match STANDARD.decode(text) {
        Err(DecodeError::InvalidByte(_, b'-' | b'_')) => URL_SAFE.decode(text),
        standard => standard,
    };
    decoded.map_err(|e| format!("is not padded base64: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::key::PrivateKey;
    use proptest::prelude::*;

    #[test]
    fn the_vector_of_the_specification() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
        assert_eq!(pae("é", b"xx"), "DSSEv1 2 é 2 xx".as_bytes());
    }

    #[test]
    fn the_ed25519_vectors_over_pae() {
        let key = PrivateKey::generate(std::array::from_fn(|i| i as u8));
        let vectors = [
            (
                "http://example.com/HelloWorld",
                "hello world",
                "FDBuhhGZHrQaLnHA+xYDozNBKtORTT3EFhGJXczChh8PCqB471sDESzy2zguMGQOk8D+Ij2hb/eoUkqxc/qgCg==",
            ),
            (
                "application/vnd.in-toto+json",
                "{}",
                "dWG98CPWh3lAzt/mxzJ7Nc6Avgf2tjap4msM5gNmMV9Lpu+TWkZMk3lP/u6Su450zcqkLQw21MTZfwU07XgjCw==",
            ),
            ("", "", "QQuZkqAreQBKH3xrIlNqdvFneNxeEm0PIm9h27FbBNorOQxIQuOpUt2R+All8n7bVHAyrGpmcfiuGKCu5qqQAQ=="),
            (
                "é",
                "xxxxxxxxxx",
                "2cUIZIh5w7MKjPQz/9MLkgLA/b8sqAeoII4NNAYO8+zXtttWvj9YmndhvjiqHQoO9eM4J9zpyAWIfJCeAIZFCQ==",
            ),
        ];
        for (payload_type, body, want) in vectors {
            let message = pae(payload_type, body.as_bytes());
            let sig = key.sign(&message);
            assert_eq!(STANDARD.encode(sig), want, "{payload_type}");
            assert!(key.public().verify(&message, &sig));
        }
    }

    #[test]
    fn base64_has_one_spelling_for_each_alphabet() {
        for (good, bytes) in [("", &b""[..]), ("Zg==", b"f"), ("+/8=", b"\xfb\xff"), ("-_8=", b"\xfb\xff")] {
            assert_eq!(decode(good).unwrap(), bytes, "{good}");
        }
        for bad in ["Zg", "Zg=", "Zh==", "Zg==\n", "Z g==", "+_8=", "-/8=", "Zg==Zg==", "====", "é"] {
            assert!(decode(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_two_pairs_encode_alike(a in ".{0,12}", b: Vec<u8>, c in ".{0,12}", d: Vec<u8>) {
            prop_assert_eq!(pae(&a, &b) == pae(&c, &d), (&a, &b) == (&c, &d));
        }

        #[test]
        fn base64_round_trips_in_both_alphabets(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&STANDARD.encode(&bytes)).unwrap(), bytes.clone());
            prop_assert_eq!(decode(&URL_SAFE.encode(&bytes)).unwrap(), bytes);
        }
    }
}
