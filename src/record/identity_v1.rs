//! What the platform itself signed about a run: the `identity` section of a run record. Frozen once released.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// A token of the platform's OpenID Connect issuer, and what it was worth when the record was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity {
    /// Who issued the token (`iss`).
    pub issuer: String,
    /// What ties token and record to each other.
    pub binding: Binding,
    /// SHA-256 of the token, lower-case hex.
    pub token_sha256: String,
    /// The token itself (JWS compact serialization, RFC 7515), so that it can be checked later. Absent where it holds an e-mail
    /// address that was not to be kept, and where it would let in whoever reads it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The issuer's key set (RFC 7517) as it was when the record was made, cut down to the key that the token names. By itself it
    /// proves nothing: compare it with keys that were pinned elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<String>,
    /// When the signature was checked against that key set, and held. Absent where it was not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_on: Option<DateTime<Utc>>,
    /// What the token claims. E-mail addresses are left out unless they were asked for.
    pub claims: BTreeMap<String, String>,
    /// Where the token contradicts what the environment said; one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contradictions: Vec<String>,
    /// What could not be done, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// What ties a token to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Binding {
    /// The token's audience is `sha256:` and the digest of this record without its `identity`: the platform signed over what was
    /// recorded.
    Audience,
    /// The record names the digest of a token whose audience was fixed before: the token is the run's, and only our signature says
    /// that this record is.
    TokenDigest,
}

/// The bytes of a run record as they were before its `identity` was added: its members in their order, byte for byte, without
/// white space between them, which is how they were written. What a token's audience is the digest of.
pub(crate) fn without_identity(predicate: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    struct Members<'a>(Vec<(String, &'a RawValue)>);
    impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            struct All;
            impl<'de> Visitor<'de> for All {
                type Value = Vec<(String, &'de RawValue)>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a record")
                }
                fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                    let mut all = Vec::new();
                    while let Some(member) = map.next_entry()? {
                        all.push(member);
                    }
                    Ok(all)
                }
            }
            d.deserialize_map(All).map(Members)
        }
    }
    let Members(members) = serde_json::from_slice(predicate)?;
    let mut out = b"{".to_vec();
    for (name, value) in members.iter().filter(|(name, _)| name != "identity") {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend(super::json::to_vec(name)?);
        out.push(b':');
        out.extend(value.get().as_bytes());
    }
    out.push(b'}');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_identity_away_gives_back_what_was_there_before() {
        for (with, without) in [
            (r#"{"a":1,"b":{"identity":2},"identity":{"x":[1,2]}}"#, r#"{"a":1,"b":{"identity":2}}"#),
            (r#"{"identity":null,"z":1.50,"a":"\u00e9"}"#, r#"{"z":1.50,"a":"\u00e9"}"#),
            (r#"{"identity":1}"#, "{}"),
            (r#"{"a":1}"#, r#"{"a":1}"#),
        ] {
            assert_eq!(String::from_utf8(without_identity(with.as_bytes()).unwrap()).unwrap(), without);
        }
        assert!(without_identity(b"[]").is_err());
    }
}
