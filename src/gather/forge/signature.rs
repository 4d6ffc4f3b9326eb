//! Secrets of webhooks: what shows that the forge sent an event and nobody altered it on the way.

use crate::gather::http::Secret;
use ring::hmac;

/// Whether `given`, in hexadecimal, is the HMAC-SHA-256 (RFC 2104, FIPS 180-4) of `body` under `secret`. It is compared in constant
/// time. An empty secret is one that everybody knows, so nothing fits it.
pub(super) fn hmac_sha256_hex(secret: &Secret, body: &[u8], given: &str) -> bool {
    let Some(tag) = bytes(given) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    !secret.expose().is_empty() && hmac::verify(&key, body, &tag).is_ok()
}

/// Whether `given` is the secret itself, as GitLab sends it. Both are compared by their HMAC under one key, so the time tells neither
/// how far they agree nor how long the secret is.
pub(super) fn same(secret: &Secret, given: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a key of no secrecy, for the comparison only");
    let tag = hmac::sign(&key, secret.expose().as_bytes());
    !secret.expose().is_empty() && hmac::verify(&key, given.as_bytes(), tag.as_ref()).is_ok()
}

/// The bytes of pairs of hexadecimal digits.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    hex.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The signature as a forge makes it.
    pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
        tag.as_ref().iter().map(|b| format!("{b:02x}")).collect()
    }

    fn fits(secret: &str, body: &str, given: &str) -> bool {
        hmac_sha256_hex(&Secret::new(secret.into()), body.as_bytes(), given)
    }

    /// RFC 4231, 4.3: a test vector that we did not make.
    #[test]
    fn the_vector_of_the_rfc_fits() {
        let tag = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(fits("Jefe", "what do ya want for nothing?", tag));
        assert!(fits("Jefe", "what do ya want for nothing?", &tag.to_uppercase()));
    }

    #[test]
    fn nothing_else_fits() {
        let tag = sign("secret", b"body");
        assert!(fits("secret", "body", &tag));
        for (secret, body, given) in [
            ("Secret", "body", tag.as_str()),
            ("secret", "body ", &tag),
            ("secret", "body", &tag[..62]),
            ("secret", "body", &tag[..63]),
            ("secret", "body", &format!("{tag}00")),
            ("secret", "body", &format!(" {tag}")),
            ("secret", "body", ""),
            ("secret", "body", "zz"),
            ("secret", "body", "é"),
            ("", "body", &sign("", b"body")),
        ] {
            assert!(!fits(secret, body, given), "{secret:?} {body:?} {given:?}");
        }
    }

    #[test]
    fn a_token_is_the_same_or_it_is_not() {
        let same = |a: &str, b: &str| same(&Secret::new(a.into()), b);
        assert!(same("token", "token"));
        for (secret, given) in [("token", "Token"), ("token", "toke"), ("token", "token "), ("token", ""), ("", "")] {
            assert!(!same(secret, given), "{secret:?} {given:?}");
        }
    }
}
