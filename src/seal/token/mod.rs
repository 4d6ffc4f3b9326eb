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

    /// A claim in one word: text, number or truth value, as it would be written down.
    pub(crate) fn word(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(_) => self.text(name).map(str::to_owned),
            Value::Number(n) => Some(n.to_string()),
            Value::Bool(b) => Some(b.to_string()),
            _ => None,
        }
    }

    /// For whom the token is (RFC 7519, 4.1.3: one, or a list). What is neither counts as one without a name.
    pub(crate) fn audiences(&self) -> Vec<&str> {
        match self.0.get("aud") {
            None => Vec::new(),
            Some(Value::Array(all)) => all.iter().map(|one| one.as_str().unwrap_or_default()).collect(),
            Some(one) => vec![one.as_str().unwrap_or_default()],
        }
    }

    /// When it was issued (RFC 7519, 4.1.6).
    pub(crate) fn issued_on(&self) -> Option<DateTime<Utc>> {
        self.moment("iat")
    }

    /// When it ends (RFC 7519, 4.1.4).
    pub(crate) fn ends_on(&self) -> Option<DateTime<Utc>> {
        self.moment("exp")
    }

    /// Whether a claim, at any depth, is by its name a mail address or an account elsewhere.
    pub(crate) fn names_mail(&self) -> bool {
        fn within(value: &Value) -> bool {
            match value {
                Value::Object(all) => all.iter().any(|(name, value)| is_mail(name) || within(value)),
                Value::Array(all) => all.iter().any(within),
                _ => false,
            }
        }
        // whether an address was verified is no address
        self.0.iter().any(|(name, value)| (is_mail(name) && !value.is_boolean() && !value.is_null()) || within(value))
    }

    fn moment(&self, name: &str) -> Option<DateTime<Utc>> {
        let seconds = self.0.get(name).and_then(|v| v.as_i64().or_else(|| v.as_f64().map(|f| f as i64)));
        seconds.and_then(|s| DateTime::from_timestamp(s, 0))
    }

    /// Whether the token was valid at `now`: `exp` and `nbf` (RFC 7519, 4.1.4 and 4.1.5). A token without `exp` does not end.
    pub(crate) fn valid_at(&self, now: DateTime<Utc>) -> Result<(), TokenError> {
        match (self.ends_on(), self.moment("nbf")) {
            (Some(end), _) if now - LEEWAY > end => Err(TokenError::Expired(end)),
            (_, Some(start)) if now + LEEWAY < start => Err(TokenError::Early(start)),
            _ => Ok(()),
        }
    }
}

/// Whether a claim of that name is a mail address or an account elsewhere: personal data that nobody needs to check a token.
pub(crate) fn is_mail(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("mail") || name == "user_identities"
}

/// The set with the one key that the token names, as it stands in `jwks`; `None` where it names none of them.
pub(crate) fn key_of(token: &str, jwks: &str) -> Option<String> {
    let kid = jsonwebtoken::decode_header(token).ok()?.kid;
    let set: Value = serde_json::from_str(jwks).ok()?;
    let keys = set.get("keys")?.as_array()?;
    let named = |key: &&Value| kid.as_deref().is_some_and(|kid| key.get("kid").and_then(Value::as_str) == Some(kid));
    let key = match (&kid, &keys[..]) {
        (None, [only]) => only,
        _ => keys.iter().find(named)?,
    };
    Some(serde_json::json!({"keys": [key]}).to_string())
}

/// The ids of a key set's keys, if it is one that can be believed: readable, and of public keys only.
pub(crate) fn kids(jwks: &str) -> Result<Vec<String>, TokenError> {
    let no = |why: &str| TokenError::Keys(why.to_owned());
    strict_json::check(jwks.as_bytes(), Numbers::Any).map_err(|e| TokenError::Keys(e.to_string()))?;
    let set: JwkSet = serde_json::from_str(jwks).map_err(|e| TokenError::Keys(strict_json::complaint(&e)))?;
    let raw: Value = serde_json::from_str(jwks).map_err(|e| TokenError::Keys(strict_json::complaint(&e)))?;
    // RFC 7518, 6.2.2, 6.3.2 and 6.4: members of private keys and shared secrets
    let secret = |key: &Value| ["d", "p", "q", "k"].iter().any(|member| key.get(*member).is_some());
    if raw.get("keys").and_then(Value::as_array).is_some_and(|keys| keys.iter().any(secret)) {
        return Err(no("it holds a private key or a shared secret"));
    }
    if set.keys.is_empty() {
        return Err(no("it holds no key"));
    }
    Ok(set
        .keys
        .iter()
        .map(|key| key.common.key_id.clone().unwrap_or_else(|| "a key without an id".to_owned()))
        .collect())
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
