//! Tokens by test keys: what holds, and every way in which one does not.

use super::*;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA512,
    RsaEncoding, RsaKeyPair,
};
use serde_json::json;

const RSA: &str = include_str!("../../../fixtures/tokens/test-rsa.pem");

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn signed(head: &Value, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let text = format!("{}.{}", b64(head.to_string()), b64(claims));
    let signature = sign(text.as_bytes());
    format!("{text}.{}", b64(signature))
}

struct Ring {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    jwks: String,
}

fn ring() -> Ring {
    let der: String = RSA.lines().filter(|l| !l.starts_with("---")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(der).unwrap();
    let rsa = RsaKeyPair::from_pkcs8(&der).unwrap();
    let random = SystemRandom::new();
    let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, ec.as_ref(), &random).unwrap();
    let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let ed = Ed25519KeyPair::from_pkcs8(ed.as_ref()).unwrap();
    let ring::rsa::PublicKeyComponents { n, e } = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(rsa.public());
    let point = ec.public_key().as_ref();
    let jwks = json!({"keys": [
        {"kty": "RSA", "kid": "r", "alg": "RS256", "use": "sig", "n": b64(&n), "e": b64(&e)},
        {"kty": "RSA", "kid": "any", "n": b64(&n), "e": b64(&e)},
        {"kty": "EC", "kid": "e", "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..])},
        {"kty": "OKP", "kid": "d", "crv": "Ed25519", "x": b64(ed.public_key())},
        {"kty": "oct", "kid": "o", "k": b64("secret")},
    ]});
    Ring { rsa, ec, ed, jwks: jwks.to_string() }
}

impl Ring {
    fn rsa(&self, padding: &'static dyn RsaEncoding, text: &[u8]) -> Vec<u8> {
        let mut out = vec![0; self.rsa.public().modulus_len()];
        self.rsa.sign(padding, &SystemRandom::new(), text, &mut out).unwrap();
        out
    }

    fn token(&self, head: Value, claims: &str) -> String {
        signed(&head, claims, |text| match head["alg"].as_str().unwrap_or_default() {
            "RS256" => self.rsa(&RSA_PKCS1_SHA256, text),
            "PS512" => self.rsa(&RSA_PSS_SHA512, text),
            "ES256" => self.ec.sign(&SystemRandom::new(), text).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed.sign(text).as_ref().to_vec(),
            "HS256" => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"secret");
                ring::hmac::sign(&key, text).as_ref().to_vec()
            }
            _ => Vec::new(),
        })
    }
}

const CLAIMS: &str = r#"{"iss":"https://sso.test","sub":"4711","preferred_username":"ada","exp":1700000000}"#;

#[test]
fn signed_by_a_key_of_the_set_it_holds_also_when_it_has_expired() {
    let ring = ring();
    for head in [
        json!({"alg": "RS256", "kid": "r"}),
        json!({"alg": "PS512", "kid": "any"}),
        json!({"alg": "ES256", "kid": "e"}),
        json!({"alg": "EdDSA", "kid": "d"}),
    ] {
        let claims = verify(&ring.token(head.clone(), CLAIMS), &ring.jwks).unwrap_or_else(|e| panic!("{head}: {e}"));
        assert_eq!((claims.text("sub"), claims.text("preferred_username")), (Some("4711"), Some("ada")));
    }
}

#[test]
fn everything_else_is_refused() {
    let ring = ring();
    let rs = |kid: &str, alg: &str| json!({"alg": alg, "kid": kid});
    let good = ring.token(rs("r", "RS256"), CLAIMS);
    let parts: Vec<&str> = good.split('.').collect();
    let altered = format!("{}.{}.{}", parts[0], b64(CLAIMS.replace("ada", "eve")), parts[2]);
    let unsigned = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64(CLAIMS));
    let stripped = format!("{}.{}.", parts[0], parts[1]);
    // a shared secret under the name of an RSA key: the classical confusion
    let confused = ring.token(rs("any", "HS256"), CLAIMS);
    let twice = ring.token(rs("r", "RS256"), r#"{"sub":"1","sub":"2"}"#);
    for (token, want) in [
        (altered, "signature does not hold"),
        (stripped, "signature does not hold"),
        (unsigned, "not accepted"),
        (confused, "not accepted"),
        (ring.token(rs("o", "HS256"), CLAIMS), "not accepted"),
        (ring.token(rs("r", "PS512"), CLAIMS), "not accepted"),
        (ring.token(rs("e", "RS256"), CLAIMS), "not accepted"),
        (ring.token(rs("x", "RS256"), CLAIMS), "no key of the set"),
        (ring.token(json!({"alg": "RS256"}), CLAIMS), "no key of the set"),
        (twice, "no JSON Web Token"),
        ("a.b".into(), "not three parts"),
        ("!.!.!".into(), "not base64url"),
        (format!("{}.{}.x", b64("[]"), b64("{}")), "no JSON object"),
        ("x".repeat(LONGEST + 1), "longer than"),
    ] {
        let error = verify(&token, &ring.jwks).unwrap_err().to_string();
        assert!(error.contains(want), "{want}: {error}");
        assert!(!error.contains(&token[..token.len().min(20)]) || token.len() < 8, "{error}");
    }
    let other = super::tests::ring();
    assert!(matches!(verify(&ring.token(rs("e", "ES256"), CLAIMS), &other.jwks), Err(TokenError::Signature)));
    for jwks in ["", "{}", "[]", r#"{"keys":[],"keys":[]}"#] {
        assert!(matches!(verify(&good, jwks), Err(TokenError::Keys(_))), "{jwks}");
    }
}

#[test]
fn times_have_a_leeway_of_a_minute() {
    let claims = |text: &str| peek_unverified(&format!("{}.{}.x", b64("{}"), b64(text))).unwrap();
    let at = |seconds: i64| DateTime::from_timestamp(seconds, 0).unwrap();
    let both = claims(r#"{"nbf":1000,"exp":2000.5}"#);
    for (now, holds) in [(939, false), (940, true), (1500, true), (2060, true), (2061, false)] {
        assert_eq!(both.valid_at(at(now)).is_ok(), holds, "{now}");
    }
    assert!(claims("{}").valid_at(at(5)).is_ok());
    assert!(claims(r#"{"exp":"soon"}"#).valid_at(at(5)).is_ok(), "what is no time does not end");
    assert_eq!(claims(r#"{"a":" ","b":7}"#).text("a"), None);
}

#[test]
fn claims_are_told_in_one_word_or_not_at_all() {
    let claims = |text: &str| peek_unverified(&format!("{}.{}.x", b64("{}"), b64(text))).unwrap();
    let all = claims(r#"{"a":"x","n":7,"b":true,"l":["x"],"o":{},"e":"","z":null,"aud":"one","iat":1000}"#);
    for (name, word) in
        [("a", Some("x")), ("n", Some("7")), ("b", Some("true")), ("l", None), ("o", None), ("e", None), ("z", None)]
    {
        assert_eq!(all.word(name).as_deref(), word, "{name}");
    }
    assert_eq!((all.audiences(), all.issued_on().unwrap().timestamp()), (vec!["one"], 1000));
    for (text, audiences) in [
        ("{}", vec![]),
        (r#"{"aud":[]}"#, vec![]),
        (r#"{"aud":["one","two"]}"#, vec!["one", "two"]),
        (r#"{"aud":["one",7]}"#, vec!["one", ""]),
        (r#"{"aud":{"one":1}}"#, vec![""]),
    ] {
        assert_eq!(claims(text).audiences(), audiences, "{text}");
    }
    for (text, mail) in [
        (r#"{"sub":"a@b.example"}"#, false),
        (r#"{"email_verified":true}"#, false),
        (r#"{"email":null}"#, false),
        (r#"{"user_email":"a@b.example"}"#, true),
        (r#"{"Mail":"a@b.example"}"#, true),
        (r#"{"user_identities":[]}"#, true),
        (r#"{"x":[{"y":{"e-mail":"a"}}]}"#, true),
    ] {
        assert_eq!(claims(text).names_mail(), mail, "{text}");
    }
}

#[test]
fn a_set_is_cut_down_to_the_key_that_is_meant() {
    let ring = ring();
    let token = |head: Value| ring.token(head, CLAIMS);
    let named = token(json!({"alg": "RS256", "kid": "r"}));
    let cut = key_of(&named, &ring.jwks).unwrap();
    assert_eq!(kids(&cut).unwrap(), ["r"]);
    assert!(verify(&named, &cut).is_ok());
    let unnamed = token(json!({"alg": "RS256"}));
    assert_eq!(key_of(&unnamed, &ring.jwks), None);
    assert!(verify(&unnamed, &key_of(&unnamed, &cut).unwrap()).is_ok());
    assert_eq!(key_of(&token(json!({"alg": "RS256", "kid": "x"})), &cut), None);
    for jwks in ["", "[]", "{}", r#"{"keys":7}"#] {
        assert_eq!(key_of(&named, jwks), None, "{jwks}");
    }
    assert!(kids(&ring.jwks).unwrap_err().to_string().contains("shared secret"));
}
