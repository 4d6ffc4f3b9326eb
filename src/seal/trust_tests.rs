use super::super::key::PrivateKey;
use super::*;
use proptest::prelude::*;

fn key(n: u8) -> PublicKey {
    PrivateKey::generate([n; 32]).public()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn full() -> TrustedKey {
    TrustedKey {
        name: Some("ci".into()),
        valid_from: Some(at("2026-01-01T00:00:00Z")),
        valid_until: Some(at("2026-12-31T23:59:59Z")),
        environments: Some(vec!["staging".into(), "prod-*".into()]),
        ..TrustedKey::new(key(1))
    }
}

#[test]
fn the_file_is_pretty_stable_and_complete() {
    let mut set = TrustSet::default();
    set.add(full()).unwrap();
    set.add(TrustedKey::new(key(2))).unwrap();
    set.revoke(&key(1).keyid(), at("2026-06-01T00:00:00Z"), Some("laptop lost".into())).unwrap();
    let bytes = set.to_json().unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.starts_with("{\n  \"version\": 1,\n  \"keys\": [\n    {\n      \"keyid\": \"SHA256:"), "{text}");
    assert!(text.contains("\"revokedOn\": \"2026-06-01T00:00:00Z\",\n      \"revokedWhy\": \"laptop lost\""), "{text}");
    assert!(text.ends_with("}\n"));
    let again = TrustSet::parse(&bytes).unwrap();
    assert_eq!(again, set);
    assert_eq!(again.to_json().unwrap(), bytes);
}

const JWKS: &str =
    r#"{ "keys": [{"kty":"OKP","kid":"a","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}] }"#;

fn pinned(issuer: &str) -> PinnedIssuer {
    PinnedIssuer { issuer: issuer.into(), jwks: JWKS.into(), pinned_on: at("2026-11-01T00:00:00Z") }
}

#[test]
fn key_sets_of_issuers_stand_in_the_file_and_old_files_have_none() {
    let mut set = TrustSet::of(key(1));
    let old = set.to_json().unwrap();
    assert!(!String::from_utf8(old.clone()).unwrap().contains("issuers"));
    assert_eq!(TrustSet::parse(&old).unwrap().issuers(), []);
    set.pin(pinned("https://a.example")).unwrap();
    set.pin(pinned("https://b.example")).unwrap();
    assert!(matches!(set.pin(pinned("https://a.example")), Err(TrustError::Pinned(_))));
    let bytes = set.to_json().unwrap();
    let again = TrustSet::parse(&bytes).unwrap();
    assert_eq!((&again, again.issuers().len()), (&set, 2));
    assert_eq!(again.to_json().unwrap(), bytes);
    let text = String::from_utf8(bytes).unwrap();
    for (from, to, says) in [
        ("\"issuer\": \"https://b.example\"", "\"issuer\": \"http://b.example\"", "issuers[1]"),
        ("\"issuer\": \"https://b.example\"", "\"issuer\": \"https://a.example\"", "already"),
        ("\"kty\": \"OKP\"", "\"k\": \"OKP\"", "issuers[0]"),
        ("\"pinnedOn\"", "\"pinnedSince\"", "pinnedSince"),
    ] {
        let wrong = TrustSet::parse(text.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
        assert!(wrong.contains(says), "{says}: {wrong}");
    }
    let many = (0..257).try_for_each(|n| set.pin(pinned(&format!("https://{n}.example"))));
    assert!(many.unwrap_err().to_string().contains("256 key sets"));
}

#[test]
fn what_is_not_whole_is_refused() {
    let pem = key(1).to_pem().replace('\n', "\\n");
    let id = key(1).keyid();
    let row = |more: &str| format!(r#"{{"keyid":"{id}","publicKey":"{pem}"{more}}}"#);
    let set = |rows: &str| format!(r#"{{"version":1,"keys":[{rows}]}}"#);
    assert!(TrustSet::parse(set(&row("")).as_bytes()).is_ok());
    assert!(TrustSet::parse(set("").as_bytes()).is_ok(), "nobody is trusted: a set that says so");
    let weak = "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\\n-----END PUBLIC KEY-----\\n";
    let private = PrivateKey::generate([1; 32]).to_pem().unwrap().replace('\n', "\\n");
    let cases = [
        ("EOF while parsing", String::new()),
        ("missing field `version`", "{}".into()),
        ("its version is 2, and", r#"{"version":2,"keyz":[]}"#.into()),
        ("missing field `keys`", r#"{"version":1}"#.into()),
        ("unknown field `quorum`", r#"{"version":1,"keys":[],"quorum":2}"#.into()),
        ("duplicate key", r#"{"version":1,"keys":[],"keys":[]}"#.into()),
        ("unknown field `notAfter`", set(&row(r#","notAfter":"2026-01-01T00:00:00Z""#))),
        ("keys[1]: the key SHA256", set(&format!("{},{}", row(""), row("")))),
        ("keys[0]: its keyid is SHA256", set(&row("").replace("SHA256:", "SHA256:x"))),
        ("keys[0]: it is a weak key", set(&row("").replace(&pem, weak))),
        ("keys[0]: it is a private key", set(&row("").replace(&pem, &private))),
        ("keys[0]: it is empty", set(&row("").replace(&pem, ""))),
        ("keys[0]: environments is empty", set(&row(r#","environments":[]"#))),
        ("keys[0]: environments is empty", set(&row(r#","environments":[""]"#))),
        (
            "keys[0]: validFrom is after",
            set(&row(r#","validFrom":"2027-01-01T00:00:00Z","validUntil":"2026-01-01T00:00:00Z""#)),
        ),
        ("keys[0]: revokedWhy stands", set(&row(r#","revokedWhy":"lost""#))),
        ("could not read the trust set", set(&row(r#","validFrom":"2026-01-01""#))),
    ];
    for (want, text) in cases {
        let e = TrustSet::parse(text.as_bytes()).expect_err(want).to_string();
        assert!(e.contains(want), "{e}");
        assert!(!e.contains(private.lines().nth(1).unwrap_or("\u{0}")), "no secret in {e}");
    }
}

#[test]
fn a_key_covers_what_it_is_trusted_for_and_says_why() {
    let mut set = TrustSet::default();
    set.add(full()).unwrap();
    let id = key(1).keyid();
    let good = set.covers(&id, "prod-eu", at("2026-05-01T12:00:00Z")).unwrap();
    assert_eq!(good.name.as_deref(), Some("ci"));
    assert_eq!(
        good.why,
        format!(
            "the key {id} (ci) is trusted for staging, prod-* from 2026-01-01T00:00:00Z until 2026-12-31T23:59:59Z"
        )
    );
    for instant in ["2026-01-01T00:00:00Z", "2026-12-31T23:59:59Z"] {
        assert!(set.covers(&id, "staging", at(instant)).is_ok(), "{instant}");
    }
    let why = |environment: &str, instant: &str| set.covers(&id, environment, at(instant)).unwrap_err();
    assert!(matches!(why("staging", "2025-12-31T23:59:59.999Z"), Distrust::NotYetValid(..)));
    assert!(matches!(why("staging", "2026-12-31T23:59:59.001Z"), Distrust::Expired(..)));
    assert!(matches!(why("production", "2026-05-01T12:00:00Z"), Distrust::NotForEnvironment(..)));
    let unknown = set.covers("SHA256:\u{1b}[2Jx", "staging", at("2026-05-01T12:00:00Z")).unwrap_err();
    assert!(matches!(unknown, Distrust::Unknown(_)) && !unknown.to_string().contains('\u{1b}'));
}

#[test]
fn a_revocation_counts_from_its_instant_and_only_moves_back() {
    let mut set = TrustSet::of(key(1));
    let id = key(1).keyid();
    let (may, june, july) = (at("2026-05-01T00:00:00Z"), at("2026-06-01T00:00:00Z"), at("2026-07-01T00:00:00Z"));
    set.revoke(&id, june, Some("lost".into())).unwrap();
    assert!(set.covers(&id, "e", may).unwrap().why.ends_with("revoked only since 2026-06-01T00:00:00Z"));
    let revoked = Distrust::Revoked(id.clone(), "2026-06-01T00:00:00Z".into(), Some("lost".into()));
    assert_eq!(set.covers(&id, "e", june).unwrap_err(), revoked);
    assert!(matches!(set.revoke(&id, july, None), Err(TrustError::Revoked { .. })));
    set.revoke(&id, may, None).unwrap();
    assert_eq!(set.get(&id).unwrap().revoked_why.as_deref(), Some("lost"));
    assert!(set.covers(&id, "e", may).is_err());
    assert!(matches!(set.revoke(&key(2).keyid(), may, None), Err(TrustError::Unknown(_))));
    assert!(matches!(set.add(TrustedKey::new(key(1))), Err(TrustError::Known(_))));
}

#[test]
fn a_star_stands_for_any_characters() {
    for (pattern, text, want) in [
        ("prod", "prod", true),
        ("prod", "prod-eu", false),
        ("prod-*", "prod-eu/west", true),
        ("prod-*", "prod-", true),
        ("prod-*", "prod", false),
        ("*", "", true),
        ("*-eu", "prod-eu", true),
        ("*-eu", "prod-eu-2", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "acb", false),
        ("ab*ba", "aba", false),
        ("**", "x", true),
        ("prod?", "prod1", false),
        ("[p]rod", "prod", false),
        ("PROD", "prod", false),
    ] {
        assert_eq!(matches(pattern, text), want, "{pattern} {text}");
    }
}

proptest! {
    #[test]
    fn a_pattern_made_from_a_text_matches_it(parts in prop::collection::vec("[ab]{0,3}", 1..6), fill in "[ab]{0,3}") {
        let (pattern, text) = (parts.join("*"), parts.join(&fill));
        prop_assert!(matches(&pattern, &text));
        let dotted = regex::Regex::new(&format!("^{}$", parts.join("[ab]*"))).unwrap();
        prop_assert_eq!(matches(&pattern, &fill), dotted.is_match(&fill));
    }
}
