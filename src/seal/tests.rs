use super::key::PrivateKey;
use super::statement::{Subject, statement};
use super::*;
use crate::record::digest::{DigestSet, Sha256Digest};
use proptest::prelude::*;
use serde_json::json;

fn key(n: u8) -> PrivateKey {
    PrivateKey::generate([n; 32])
}

fn subject(name: &str) -> Subject {
    Subject { name: name.into(), uri: None, digest: DigestSet::sha256(Sha256Digest::of(name.as_bytes())) }
}

fn sealed(predicate: &serde_json::Value) -> Vec<u8> {
    let statement = statement(&[subject("app")], "https://vouchsafe.dev/run/v1", predicate).unwrap();
    seal(&statement, &Signer::Key(key(1))).unwrap()
}

#[test]
fn a_bundle_is_one_line_of_exactly_these_members() {
    let bytes = sealed(&json!({}));
    let payload = statement(&[subject("app")], "https://vouchsafe.dev/run/v1", &json!({})).unwrap();
    let sig = key(1).sign(&pae(PAYLOAD_TYPE, &payload));
    let base64 = |b: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, b);
    let want = format!(
        "{{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\
         \"verificationMaterial\":{{\"publicKey\":{{\"hint\":\"{}\"}}}},\
         \"dsseEnvelope\":{{\"payload\":\"{}\",\"payloadType\":\"application/vnd.in-toto+json\",\
         \"signatures\":[{{\"keyid\":\"{}\",\"sig\":\"{}\"}}]}}}}\n",
        key(1).public().hint(),
        base64(&payload),
        key(1).public().keyid(),
        base64(&sig)
    );
    assert_eq!(String::from_utf8(bytes).unwrap(), want);
}

#[test]
fn what_would_not_open_is_not_signed() {
    let signer = Signer::Key(key(1));
    assert!(matches!(seal(b"{}", &signer), Err(SealError::Statement(_))));
    assert!(matches!(seal(&vec![b' '; 25 << 20], &signer), Err(SealError::TooLarge(_))));
    let fits = statement(&[subject("a")], "a:b", &json!({"log": "x".repeat(2 << 20)})).unwrap();
    let bytes = seal(&fits, &signer).unwrap();
    assert!(open(&bytes, &TrustSet::of(key(1).public())).is_ok());
    let over = vec![b' '; terms::MAX_BYTES + 1];
    assert!(matches!(open(&over, &TrustSet::default()), Err(OpenError::TooLarge(_))));
}

#[test]
fn the_trust_set_decides_who_signed_and_not_the_keyid() {
    let bytes = sealed(&json!({}));
    let mut set = TrustSet::default();
    let (id1, id2) = (key(1).public().keyid(), key(2).public().keyid());
    let e = open(&bytes, &set).unwrap_err();
    assert!(matches!(&e, OpenError::UnknownKey { claimed } if *claimed == [id1.clone()]), "{e}");
    set.add(trust::TrustedKey::new(key(2).public())).unwrap();
    assert!(matches!(open(&bytes, &set), Err(OpenError::UnknownKey { .. })));
    let text = String::from_utf8(bytes.clone()).unwrap();
    let claims_other = text.replace(&id1, &id2);
    assert!(matches!(open(claims_other.as_bytes(), &set), Err(OpenError::BadSignature { keyid }) if keyid == id2));
    set.add(trust::TrustedKey::new(key(1).public())).unwrap();
    for text in [text.clone(), claims_other, text.replace(&id1, ""), text.replace(&id1, "prod-2026")] {
        assert_eq!(open(text.as_bytes(), &set).unwrap().keyid, id1);
    }
}

#[test]
fn every_trusted_signer_is_told_and_each_once() {
    let payload = statement(&[subject("app")], "a:b", &json!({})).unwrap();
    let sign = |n: u8| Signature { keyid: String::new(), sig: key(n).sign(&pae(PAYLOAD_TYPE, &payload)).to_vec() };
    let signatures = vec![sign(9), sign(2), sign(2), sign(1)];
    let envelope = Envelope { payload_type: PAYLOAD_TYPE.into(), payload: payload.clone(), signatures };
    let mut set = TrustSet::of(key(1).public());
    set.add(trust::TrustedKey::new(key(2).public())).unwrap();
    let opened = open(&bundle::write(&envelope, "").unwrap(), &set).unwrap();
    assert_eq!((opened.keyid, opened.other_keyids), (key(2).public().keyid(), vec![key(1).public().keyid()]));
    assert_eq!(opened.payload, payload);
}

#[test]
fn a_message_holds_no_control_character_of_the_input() {
    let evil = "\u{1b}[2J\u{202e}".repeat(400);
    let payload = statement(&[subject("app")], "a:b", &json!({})).unwrap();
    let signatures = vec![Signature { keyid: evil.clone(), sig: vec![0; 64] }];
    let mut envelope = Envelope { payload_type: PAYLOAD_TYPE.into(), payload, signatures };
    let e1 = open(&bundle::write(&envelope, "").unwrap(), &TrustSet::default()).unwrap_err().to_string();
    envelope.payload_type = evil.clone();
    let e2 = open(&bundle::write(&envelope, "").unwrap(), &TrustSet::default()).unwrap_err().to_string();
    let e3 = open(
        serde_json::to_string(&json!({"mediaType": evil, "dsseEnvelope": {}})).unwrap().as_bytes(),
        &TrustSet::default(),
    );
    let e4 = open(
        serde_json::to_string(&json!({evil.as_str(): {"payload": [{"\u{7}": 1e300}]}})).unwrap().as_bytes(),
        &TrustSet::default(),
    );
    let e5 = open(serde_json::to_string(&json!({"signatures": evil})).unwrap().as_bytes(), &TrustSet::default());
    let e6 = statement(&[subject("app")], &evil, &json!({})).unwrap_err().to_string();
    for e in [e1, e2, e3.unwrap_err().to_string(), e4.unwrap_err().to_string(), e5.unwrap_err().to_string(), e6] {
        assert!(!e.contains(['\u{1b}', '\u{202e}', '\u{7}']) && e.len() < 3_000, "{e:?}");
    }
}

#[test]
fn peeking_believes_nothing_and_still_tells() {
    let text = String::from_utf8(sealed(&json!({"a": 1}))).unwrap();
    let tampered = text.replace("\"sig\":\"", "\"sig\":\"AAAA");
    let seen = peek_unverified(tampered.as_bytes()).unwrap();
    assert_eq!(seen.claimed_keyids, [key(1).public().keyid()]);
    assert_eq!((seen.signatures, seen.payload_type.as_str()), (1, PAYLOAD_TYPE));
    assert_eq!(seen.statement.unwrap().predicate(), Some(&br#"{"a":1}"#[..]));
    assert!(!seen.payload.is_empty());
    assert!(peek_unverified(b"{}").is_err());
}

#[test]
fn no_flipped_bit_of_payload_or_signature_opens() {
    let genuine = bundle::read(&sealed(&json!({"tests": [{"failed": 0}]}))).unwrap().envelope;
    let keys = TrustSet::of(key(1).public());
    let payload = genuine.payload.len();
    for bit in 0..8 * (payload + 64) {
        let mut envelope = genuine.clone();
        match (bit / 8).checked_sub(payload) {
            None => envelope.payload[bit / 8] ^= 1 << (bit % 8),
            Some(at) => envelope.signatures[0].sig[at] ^= 1 << (bit % 8),
        }
        let result = open(&bundle::write(&envelope, "").unwrap(), &keys);
        assert!(matches!(result, Err(OpenError::BadSignature { .. })), "bit {bit}: {result:?}");
    }
}

/// Any predicate: a JSON object whose numbers every reader keeps.
fn predicate() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        ".{0,20}".prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::Array),
            prop::collection::hash_map(".{0,8}", inner, 0..20)
                .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
        ]
    });
    prop::collection::hash_map(".{0,8}", value, 0..8).prop_map(|m| serde_json::Value::Object(m.into_iter().collect()))
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens_to_the_same(predicate in predicate(), names in prop::collection::vec(".{0,30}", 1..5), seed: [u8; 32]) {
        let subjects: Vec<Subject> = names.iter().map(|n| subject(n)).collect();
        let statement = statement(&subjects, "https://vouchsafe.dev/run/v1", &predicate).unwrap();
        let signer = Signer::Key(PrivateKey::generate(seed));
        let bytes = seal(&statement, &signer).unwrap();
        let opened = open(&bytes, &TrustSet::of(signer.public_key())).unwrap();
        prop_assert_eq!(&opened.payload, &statement);
        prop_assert_eq!(&opened.statement.subjects, &subjects);
        let read: serde_json::Value = serde_json::from_slice(opened.statement.predicate().unwrap()).unwrap();
        prop_assert_eq!(read, predicate);
        prop_assert_eq!(seal(&statement, &signer).unwrap(), bytes, "the same input gives the same bytes");
    }

    #[test]
    fn no_flipped_bit_of_the_file_changes_what_is_said(at: prop::sample::Index, bit in 0u8..8) {
        let bytes = sealed(&json!({"tests": [{"failed": 0}]}));
        let keys = TrustSet::of(key(1).public());
        let mut changed = bytes.clone();
        changed[at.index(bytes.len())] ^= 1 << bit;
        // a hint, or an ignored member's name, may change; the payload never does
        if let Ok(opened) = open(&changed, &keys) {
            prop_assert_eq!(opened.payload, open(&bytes, &keys).unwrap().payload);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, cut: prop::sample::Index) {
        prop_assert!(open(&bytes, &TrustSet::default()).is_err());
        let whole = sealed(&json!({}));
        let cut = &whole[..cut.index(whole.len() - 1)];
        prop_assert!(peek_unverified(cut).is_err());
    }
}
