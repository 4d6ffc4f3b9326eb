//! Identities by test keys: what holds, and every way in which one does not. A case is a change of a good one.

use super::*;
use crate::seal::trust::PinnedIssuer;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use std::sync::LazyLock;

const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// RSA as GitHub and GitLab sign; another one for the wrong key.
static KEY: LazyLock<RsaKeyPair> = LazyLock::new(|| {
    let pem = include_str!("../../../fixtures/tokens/test-rsa.pem");
    let der: String = pem.lines().filter(|l| !l.starts_with("---")).collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap()
});

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn jwks(kid: &str) -> String {
    let ring::rsa::PublicKeyComponents { n, e } = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(KEY.public());
    json!({"keys": [{"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": b64(n), "e": b64(e)}]}).to_string()
}

/// Somebody else's key under the same id.
fn foreign_jwks(kid: &str) -> String {
    let mut set: Value = serde_json::from_str(&jwks(kid)).unwrap();
    let mut n = URL_SAFE_NO_PAD.decode(set["keys"][0]["n"].as_str().unwrap()).unwrap();
    n[100] ^= 2;
    set["keys"][0]["n"] = b64(n).into();
    set.to_string()
}

fn token(head: &Value, claims: &Value) -> String {
    let text = format!("{}.{}", b64(head.to_string()), b64(claims.to_string()));
    let mut signature = vec![0; KEY.public().modulus_len()];
    KEY.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    format!("{text}.{}", b64(signature))
}

fn run(id: &str) -> RunRecord {
    serde_json::from_value(json!({
        "schemaVersion": "1.0.0", "recordId": "00000000-0000-0000-0000-000000000001", "recordedOn": "2026-11-23T10:00:00Z",
        "environment": "production",
        "run": {"platform": "github", "id": id, "attempt": 1, "outcome": "succeeded", "event": "push", "jobId": "77"},
        "repository": {"name": "acme/shop", "id": "99"},
        "operator": {"id": "1906", "login": "grace", "how": "ciEnvironment"},
        "commit": {"sha": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "ref": "refs/heads/main", "branch": "main"},
        "variables": {"X": "a\u{202e}\u{1b}[2J"},
        "tool": {"name": "t", "version": "1"}, "completeness": [], "provenance": [],
    }))
    .unwrap()
}

fn issued(seconds: i64) -> i64 {
    let on: DateTime<Utc> = "2026-11-23T10:00:00Z".parse().unwrap();
    on.timestamp() + seconds
}

/// What GitHub claims of [`run`].
fn github(record: &RunRecord) -> Value {
    json!({
        "iss": ISSUER, "aud": audience_of(record).unwrap(), "sub": "repo:acme/shop:ref:refs/heads/main", "jti": "j",
        "iat": issued(20), "nbf": issued(-280), "exp": issued(320), "run_id": record.run.id, "run_attempt": "1",
        "repository": "acme/shop", "repository_id": "99", "sha": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "ref": "refs/heads/main", "event_name": "push", "actor": "grace", "actor_id": "1906", "unheard_of": "x",
    })
}

/// What GitLab claims of the same.
fn gitlab() -> Value {
    json!({
        "iss": ISSUER, "aud": "https://vouchsafe.dev", "sub": "project_path:acme/shop:ref_type:branch:ref:main",
        "iat": issued(-3000), "exp": issued(-2700), "pipeline_id": "4711", "job_id": "77", "project_path": "acme/shop",
        "project_id": "99", "sha": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "ref": "main", "pipeline_source": "push",
        "user_login": "grace", "user_id": "1906",
    })
}

fn head() -> Value {
    json!({"alg": "RS256", "typ": "JWT", "kid": "k1"})
}

fn identity(token: String, claims: &Value, binding: Binding) -> Identity {
    let peeked = token::peek_unverified(&token).unwrap();
    Identity {
        issuer: claims["iss"].as_str().unwrap().to_owned(),
        binding,
        token_sha256: Sha256Digest::of(token.as_bytes()).to_string(),
        token: Some(token),
        jwks: Some(jwks("k1")),
        checked_on: None,
        claims: kept(&peeked, false),
        contradictions: Vec::new(),
        missing: Vec::new(),
    }
}

fn pinned(issuer: &str, jwks: String) -> TrustSet {
    let mut set = TrustSet::default();
    set.pin(PinnedIssuer { issuer: issuer.to_owned(), jwks, pinned_on: "2026-11-01T00:00:00Z".parse().unwrap() })
        .unwrap();
    set
}

fn worth(record: &RunRecord, trust: &TrustSet) -> (State, String) {
    let predicate = json::to_vec(record).unwrap();
    let identity = record.identity.as_ref().unwrap();
    judge(record, identity, &predicate, trust).unwrap_or_else(|why| (State::Broken, why))
}

/// GitHub's identity of `run("4711")`, changed.
fn changed(claims: impl FnOnce(&mut Value), identity_: impl FnOnce(&mut Identity)) -> RunRecord {
    let mut record = run("4711");
    let mut said = github(&record);
    claims(&mut said);
    let mut of = identity(token(&head(), &said), &said, Binding::Audience);
    identity_(&mut of);
    record.identity = Some(of);
    record
}

fn fixed(claims: impl FnOnce(&mut Value)) -> RunRecord {
    let mut record = run("4711");
    record.run.platform = "gitlab".into();
    let mut said = gitlab();
    claims(&mut said);
    record.identity = Some(identity(token(&head(), &said), &said, Binding::TokenDigest));
    record
}

fn nothing<T>(_: &mut T) {}

#[test]
fn it_holds_by_pinned_keys_and_is_only_claimed_by_those_that_it_brought() {
    let record = changed(nothing, nothing);
    assert!(record.identity.as_ref().unwrap().claims.contains_key("run_id"));
    assert!(!record.identity.as_ref().unwrap().claims.contains_key("unheard_of"));
    let (state, why) = worth(&record, &pinned(ISSUER, jwks("k1")));
    assert_eq!(state, State::Confirmed, "{why}");
    assert!(why.contains("for this very record") && why.contains("2026-11-01"), "{why}");
    for trust in [TrustSet::default(), pinned("https://other.example", jwks("k1")), pinned(ISSUER, jwks("k0"))] {
        let (state, why) = worth(&record, &trust);
        assert_eq!(state, State::Claimed, "{why}");
        assert!(why.contains("proves nothing"), "{why}");
    }
    let without = changed(nothing, |i| i.jwks = None);
    assert_eq!(worth(&without, &TrustSet::default()).0, State::Unchecked);
    assert_eq!(worth(&without, &pinned(ISSUER, jwks("k1"))).0, State::Confirmed);
    // keys change, and what was pinned before and after is kept
    let mut both = pinned(ISSUER, jwks("k0"));
    both.pin(PinnedIssuer { issuer: ISSUER.into(), jwks: jwks("k1"), pinned_on: DateTime::UNIX_EPOCH }).unwrap();
    assert_eq!(worth(&record, &both).0, State::Confirmed);
    let (state, why) = worth(&fixed(nothing), &pinned(ISSUER, jwks("k1")));
    assert_eq!(state, State::Confirmed, "{why}");
    assert!(why.contains("a token of this run"), "{why}");
}

#[test]
fn what_does_not_hold_is_broken() {
    let good = changed(nothing, nothing);
    let other = run("4712");
    let mut replayed = run("4712");
    replayed.identity = good.identity.clone();
    let mut body = good.clone();
    body.environment = "staging".into();
    let mut relabelled = good.clone();
    relabelled.identity.as_mut().unwrap().binding = Binding::TokenDigest;
    relabelled.recorded_on += TimeDelta::seconds(1);
    let with_token = |of: fn(&str) -> String| {
        changed(nothing, |i| {
            let altered = of(i.token.as_deref().unwrap());
            i.token_sha256 = Sha256Digest::of(altered.as_bytes()).to_string();
            i.token = Some(altered);
        })
    };
    let altered = with_token(|token| {
        let parts: Vec<&str> = token.split('.').collect();
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        format!("{}.{}.{}", parts[0], b64(claims.replace("\"x\"", "\"y\"")), parts[2])
    });
    let unsigned = with_token(|token| {
        let parts: Vec<&str> = token.split('.').collect();
        format!("{}.{}.", b64(r#"{"alg":"none"}"#), parts[1])
    });
    // the public key as a shared secret: the classical confusion
    let confused = with_token(|token| {
        let parts: Vec<&str> = token.split('.').collect();
        let text = format!("{}.{}", b64(r#"{"alg":"HS256","kid":"k1"}"#), parts[1]);
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, jwks("k1").as_bytes());
        format!("{text}.{}", b64(ring::hmac::sign(&secret, text.as_bytes())))
    });
    let nonsense = with_token(|_| "a.b".to_owned());
    for (record, says) in [
        (replayed, "for another record"),
        (body, "for another record"),
        (relabelled, "for another record"),
        (altered, "signature does not hold"),
        (unsigned, "not accepted"),
        (confused, "not accepted"),
        (nonsense, "cannot be read"),
        (changed(|c| c["aud"] = audience_of(&other).unwrap().into(), nothing), "for another record"),
        (changed(|c| c["aud"] = "https://vouchsafe.dev".into(), nothing), "for another record"),
        (
            changed(|c| c["aud"] = json!([audience_of(&run("4711")).unwrap(), "sts.amazonaws.com"]), nothing),
            "for 2 audiences",
        ),
        (changed(|c| nothing(c.as_object_mut().unwrap().remove("aud").as_mut().unwrap()), nothing), "for 0 audiences"),
        (changed(|c| c["aud"] = 7.into(), nothing), "for another record"),
        (changed(|c| c["iss"] = "https://evil.example".into(), |i| i.issuer = ISSUER.into()), "another issuer's"),
        (changed(|c| c["iat"] = issued(-901).into(), nothing), "was issued on"),
        (changed(|c| c["iat"] = issued(3601).into(), nothing), "was issued on"),
        (changed(|c| c["iat"] = "soon".into(), nothing), "does not say when"),
        (changed(nothing, |i| i.token_sha256 = "00".repeat(32)), "whose digest"),
        (changed(nothing, |i| nothing(&mut i.claims.insert("actor".into(), "eve".into()))), "quotes"),
        (changed(nothing, |i| nothing(&mut i.claims.insert("team".into(), "x".into()))), "quotes"),
        (changed(nothing, |i| i.jwks = Some(foreign_jwks("k1"))), "signature does not hold"),
        (fixed(|c| c["pipeline_id"] = "4712".into()), "another run's"),
        (fixed(|c| c["job_id"] = "78".into()), "another run's"),
        (fixed(|c| c["project_path"] = "evil/shop".into()), "another run's"),
        (fixed(|c| c["iat"] = issued(901).into()), "was issued on"),
        (fixed(|c| (c["iat"], c["exp"]) = (issued(-90_400).into(), issued(-86_401).into())), "was issued on"),
        (fixed(|c| c["aud"] = format!("sha256:{}", "0".repeat(64)).into()), "for another record"),
    ] {
        let (state, why) = worth(&record, &TrustSet::default());
        assert_eq!(state, State::Broken, "{says}: {why}");
        assert!(why.contains(says), "{says}: {why}");
    }
    // whoever has the pinned keys' id and not the key
    let (state, why) = worth(&good, &pinned(ISSUER, foreign_jwks("k1")));
    assert_eq!(state, State::Broken);
    assert!(why.contains("pinned keys"), "{why}");
    // an algorithm that is not the key's
    let mut said = good.clone();
    let claims = github(&run("4711"));
    let ps = token(&json!({"alg": "PS256", "kid": "k1"}), &claims);
    said.identity = Some(identity(ps, &claims, Binding::Audience));
    assert!(worth(&said, &pinned(ISSUER, jwks("k1"))).1.contains("not accepted"));
}

#[test]
fn a_token_that_has_expired_or_names_a_key_that_nobody_has_is_told_apart() {
    let expired = changed(|c| (c["iat"], c["exp"]) = (issued(-899).into(), issued(-880).into()), nothing);
    assert_eq!(worth(&expired, &pinned(ISSUER, jwks("k1"))).0, State::Confirmed);
    let late = changed(|c| c["iat"] = issued(3600).into(), nothing);
    assert_eq!(worth(&late, &pinned(ISSUER, jwks("k1"))).0, State::Confirmed);
    let unknown = changed(nothing, |i| i.jwks = Some(jwks("k9")));
    let (state, why) = worth(&unknown, &TrustSet::default());
    assert_eq!(state, State::Broken);
    assert!(why.contains("no key of the set"), "{why}");
    let long = fixed(|c| (c["iat"], c["exp"]) = (issued(-90_000).into(), issued(-86_400).into()));
    assert_eq!(worth(&long, &pinned(ISSUER, jwks("k1"))).0, State::Confirmed);
}

#[test]
fn what_differs_from_the_record_is_named() {
    let pins = pinned(ISSUER, jwks("k1"));
    for (claim, value, what) in [
        ("run_id", "4712", "the run"),
        ("run_attempt", "2", "the attempt"),
        ("repository", "evil/shop", "the repository"),
        ("repository_id", "98", "the repository's id"),
        ("sha", "0000000000000000000000000000000000000000", "the commit"),
        ("ref", "refs/heads/Main", "the ref"),
        ("event_name", "schedule", "the event"),
        ("actor", "eve", "the actor"),
        ("actor_id", "7", "the actor's id"),
    ] {
        let record = changed(|c| c[claim] = value.into(), nothing);
        let (state, why) = worth(&record, &pins);
        assert_eq!(state, State::Contradicted, "{claim}: {why}");
        assert!(why.contains(&format!("the token says that {what} is `{value}`, the record says")), "{why}");
    }
    // the job that keeps the key is often one of another environment
    for (claim, value) in [("sha", "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B"), ("environment", "evidence")] {
        assert_eq!(worth(&changed(|c| c[claim] = value.into(), nothing), &pins).0, State::Confirmed, "{claim}");
    }
    let recorded = changed(nothing, |i| i.contradictions = vec!["it was odd".into()]);
    assert_eq!(worth(&recorded, &pins).0, State::Contradicted);
    for (claim, what) in [("sha", "the commit"), ("ref", "the ref"), ("user_login", "the user")] {
        let (state, why) = worth(&fixed(|c| c[claim] = "0".into()), &pins);
        assert_eq!(state, State::Contradicted, "{why}");
        assert!(why.contains(what), "{why}");
    }
    for (how, state) in [("ciEnvironment", State::Contradicted), ("flag", State::Confirmed)] {
        let mut record = fixed(|c| c["environment"] = "staging".into());
        record.provenance = serde_json::from_value(json!([{"fact": "environment", "how": how}])).unwrap();
        assert_eq!(worth(&record, &pins).0, state, "{how}");
    }
    // somebody else answers for it: that is no word of the platform
    let mut flagged = run("4711");
    flagged.operator.as_mut().unwrap().how = crate::record::parts_v1::How::Flag;
    flagged.operator.as_mut().unwrap().login = Some("ada".into());
    let said = github(&flagged);
    flagged.identity = Some(identity(token(&head(), &said), &said, Binding::Audience));
    assert_eq!(worth(&flagged, &pins).0, State::Confirmed);
    // a token of anybody's is not this run's
    let vague = changed(|c| nothing(c.as_object_mut().unwrap().remove("run_id").as_mut().unwrap()), nothing);
    let (state, why) = worth(&vague, &pins);
    assert_eq!(state, State::Claimed);
    assert!(why.contains("which run"), "{why}");
}

#[test]
fn without_the_token_what_was_quoted_is_all_that_there_is() {
    let none = |i: &mut Identity| i.token = None;
    let (state, why) = worth(&changed(nothing, none), &pinned(ISSUER, jwks("k1")));
    assert_eq!(state, State::Unchecked);
    assert!(why.contains("not checked when"), "{why}");
    let checked = changed(nothing, |i| (i.token, i.checked_on) = (None, Some(DateTime::UNIX_EPOCH)));
    assert!(worth(&checked, &TrustSet::default()).1.contains("it held, says the record"));
    assert_eq!(worth(&changed(|c| c["actor"] = "eve".into(), none), &TrustSet::default()).0, State::Contradicted);
    let mut moved = changed(nothing, none);
    moved.environment = "staging".into();
    assert_eq!(worth(&moved, &TrustSet::default()).0, State::Broken, "the audience that it quotes is another record's");
}

#[test]
fn mail_addresses_are_kept_for_those_who_ask() {
    let said = json!({"iss": ISSUER, "user_email": "grace@acme.example", "user_identities": [{"extern_uid": "g"}], "sub": "s"});
    let claims = token::peek_unverified(&token(&head(), &said)).unwrap();
    assert!(claims.names_mail());
    assert_eq!(kept(&claims, false).into_keys().collect::<Vec<_>>(), ["iss", "sub"]);
    assert_eq!(kept(&claims, true)["user_email"], "grace@acme.example");
}

proptest! {
    /// What the platform signs over is what stands in the statement, byte for byte.
    #[test]
    fn the_audience_is_the_digest_of_the_signed_predicate_without_its_identity(
        environment: String, name: String, value: String, claim: String, note: String,
    ) {
        let mut record = run("4711");
        record.environment = environment;
        record.variables.insert(name, value);
        let before = audience_of(&record).unwrap();
        let mut of = changed(nothing, nothing).identity.unwrap();
        of.claims.insert("sub".into(), claim);
        of.missing.push(note);
        record.identity = Some(of);
        let subject = crate::seal::statement::Subject {
            name: "x".into(), uri: None, digest: crate::record::digest::DigestSet::sha256(Sha256Digest::of(b"x")),
        };
        let statement = crate::seal::statement::statement(&[subject], "https://vouchsafe.dev/run/v1", &record).unwrap();
        let parsed = parse_statement(&statement).unwrap();
        prop_assert_eq!(audience(&without_identity(parsed.predicate().unwrap()).unwrap()), before.clone());
        prop_assert_eq!(audience_of(&record).unwrap(), before);
    }
}
