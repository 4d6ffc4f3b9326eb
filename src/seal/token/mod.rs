//! Identity tokens: JSON Web Tokens (RFC 7519) that somebody else signed, checked against a set of keys (RFC 7517).
//!
//! `jsonwebtoken` reads them; the signatures are checked by the provider under TLS and by our own Ed25519, so that no second
//! library decides what a valid signature is (its pure-Rust back end would bring `rsa`, RUSTSEC-2023-0071).

mod provider;
#[cfg(test)]
mod tests;

use super::strict_json::{self, Numbers};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{JwkSet, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};
use std::str::FromStr as _;

/// Longest token that is read, in bytes.
const LONGEST: usize = 64 * 1024;
/// How much two clocks may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// What a token claims.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claims(Map<String, Value>);

/// Why a token says nothing. Never quotes the token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// It is no JSON Web Token.
    #[error("it is no JSON Web Token: {0}")]
    Malformed(String),
    /// The key set is none.
    #[error("the key set cannot be read: {0}")]
    Keys(String),
    /// No key of the set is meant.
    #[error("no key of the set has the id that it names")]
    UnknownKey,
    /// An algorithm that proves nothing here: none, a shared secret, or another than the key's.
    #[error("it is signed by {0}, which is not accepted")]
    Algorithm(String),
    /// The signature is not that key's.
    #[error("its signature does not hold")]
    Signature,
    /// Not valid any more.
    #[error("it expired on {0}")]
    Expired(DateTime<Utc>),
    /// Not valid yet.
    #[error("it is not valid before {0}")]
    Early(DateTime<Utc>),
}

impl Claims {
    /// A claim that is text with something in it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty() && text.len() <= 1024)
    }

    /// Whether the token was valid at `now`: `exp` and `nbf` (RFC 7519, 4.1.4 and 4.1.5). A token without `exp` does not end.
    pub(crate) fn valid_at(&self, now: DateTime<Utc>) -> Result<(), TokenError> {
        let at = |name: &str| {
            let seconds = self.0.get(name).and_then(|v| v.as_i64().or_else(|| v.as_f64().map(|f| f as i64)));
            seconds.and_then(|s| DateTime::from_timestamp(s, 0))
        };
        match (at("exp"), at("nbf")) {
            (Some(end), _) if now - LEEWAY > end => Err(TokenError::Expired(end)),
            (_, Some(start)) if now + LEEWAY < start => Err(TokenError::Early(start)),
            _ => Ok(()),
        }
    }
}

/// What the token says, with no signature checked.
pub(crate) fn peek_unverified(token: &str) -> Result<Claims, TokenError> {
    let malformed = |why: &str| TokenError::Malformed(why.to_owned());
    if token.len() > LONGEST {
        return Err(malformed("it is longer than 64 KiB"));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [head, payload, _signature] = parts[..] else { return Err(malformed("it has not three parts")) };
    let object = |part: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed("it is not base64url"))?;
        strict_json::check(&bytes, Numbers::Any).map_err(|e| TokenError::Malformed(e.to_string()))?;
        serde_json::from_slice::<Map<String, Value>>(&bytes).map_err(|_| malformed("a part is no JSON object"))
    };
    object(head)?;
    Ok(Claims(object(payload)?))
}

/// What the token says, if one of the keys in `jwks` signed it. Whether it is still valid, [`Claims::valid_at`] says.
pub(crate) fn verify(token: &str, jwks: &str) -> Result<Claims, TokenError> {
    let claims = peek_unverified(token)?;
    // `none` and what nobody knows have no name there
    let head = jsonwebtoken::decode_header(token).map_err(|e| TokenError::Algorithm(e.to_string()))?;
    strict_json::check(jwks.as_bytes(), Numbers::Any).map_err(|e| TokenError::Keys(e.to_string()))?;
    let keys: JwkSet = serde_json::from_str(jwks).map_err(|e| TokenError::Keys(e.to_string()))?;
    let key = match (&head.kid, &keys.keys[..]) {
        (Some(kid), _) => keys.find(kid).ok_or(TokenError::UnknownKey)?,
        (None, [only]) => only,
        (None, _) => return Err(TokenError::UnknownKey),
    };
    let not = |alg: Algorithm| TokenError::Algorithm(format!("{alg:?}"));
    if !provider::accepts(head.alg) {
        return Err(not(head.alg));
    }
    // RFC 8725, 3.1: the key says by which algorithm it signs, where it says it
    let fits = |said: &KeyAlgorithm| Algorithm::from_str(&said.to_string()).is_ok_and(|alg| alg == head.alg);
    if key.common.key_algorithm.as_ref().is_some_and(|said| !fits(said)) {
        return Err(not(head.alg));
    }
    let decoding = DecodingKey::from_jwk(key).map_err(|e| TokenError::Keys(e.to_string()))?;
    if decoding.family() != head.alg.family() {
        return Err(not(head.alg));
    }
    provider::install();
    let mut validation = Validation::new(head.alg);
    // the process's clock is not asked, and the audience is another's
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<Map<String, Value>>(token, &decoding, &validation).map_err(|_| TokenError::Signature)?;
    Ok(claims)
}
