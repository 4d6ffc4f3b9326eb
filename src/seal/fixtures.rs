//! `fixtures/envelopes/`: every way that an envelope can be odd or wrong, as a file whose name is its verdict.
//!
//! `good_WHAT.json` opens; `fail_WHAT__KIND.json` is refused with that `OpenError`. The trust set holds only
//! `fixtures/keys/test-public.pem`. The files can be given to any other verifier too.
//! `cargo test --lib seal::fixtures -- --ignored` writes them anew; a test holds them equal to what it would write.

use super::key::PrivateKey;
use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/envelopes");
const BUNDLE: &str = terms::MEDIA_TYPE;
/// sha256 of the empty file: an artifact that every outside verifier has at hand.
const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// Ed25519ph (RFC 8032 section 5.1) by the test key over the PAE of [`STATEMENT`], as `cosign attest-blob` would sign.
/// Made with the reference code of RFC 8032 section 6.
const PREHASHED: &str = "wmE7n5Qle45YuFUhcAc1syYM6SuGELYE4lDlVRoqmVbQr67vFp/kQOvjTE3IqgYbNoycPOcNPQdNc1vIQWQFCg==";
const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app","digest":{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}],"predicateType":"https://vouchsafe.dev/run/v1","predicate":{"schemaVersion":"1.0.0"}}"#;

fn test_key() -> PrivateKey {
    PrivateKey::generate(std::array::from_fn(|i| i as u8))
}

fn other_key() -> PrivateKey {
    PrivateKey::generate(std::array::from_fn(|i| i as u8 + 32))
}

/// An envelope in pieces: each variant changes one of them.
#[derive(Clone)]
struct Piece {
    payload_type: String,
    payload: String,
    signatures: String,
}

impl Piece {
    fn text(&self) -> String {
        let Self { payload_type, payload, signatures } = self;
        format!(r#"{{"payload":"{payload}","payloadType":"{payload_type}","signatures":[{signatures}]}}"#)
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut piece = self.clone();
        change(&mut piece);
        piece.text()
    }
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

fn signature(keyid: &str, sig: &str) -> String {
    format!(r#"{{"keyid":"{keyid}","sig":"{sig}"}}"#)
}

/// A properly signed envelope around any payload.
fn signed(payload: impl AsRef<[u8]>) -> Piece {
    signed_as(PAYLOAD_TYPE, payload)
}

fn signed_as(payload_type: &str, payload: impl AsRef<[u8]>) -> Piece {
    let sig = base64(test_key().sign(&pae(payload_type, payload.as_ref())));
    Piece {
        payload_type: payload_type.into(),
        payload: base64(payload),
        signatures: signature(&test_key().public().keyid(), &sig),
    }
}

fn in_bundle(media_type: &str, material: &str, envelope: &str) -> String {
    format!(r#"{{"mediaType":"{media_type}","verificationMaterial":{material},"dsseEnvelope":{envelope}}}"#)
}

/// The order of the group, added to `s`: the same signature in the malleable form that RFC 8032 section 5.1.7 refuses.
fn plus_order(sig: &mut [u8; 64]) {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (s, l) in sig[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*s) + u16::from(l) + carry;
        *s = sum as u8;
        carry = sum >> 8;
    }
}

/// What `seal` makes of an ordinary record: the file that tests/outside/verify/run.sh gives to every other verifier.
/// Its artifact is the empty file.
fn sealed() -> Vec<u8> {
    use super::statement::{Subject, statement};
    use crate::record::digest::{DigestSet, Sha256Digest};
    let commit = DigestSet { sha256: None, git_commit: Some("0123456789abcdef0123456789abcdef01234567".into()) };
    let file = DigestSet::sha256(Sha256Digest::parse(SHA256).unwrap());
    let uri = Some("git+https://example.com/shop@refs/heads/main".into());
    let subjects = [
        Subject { name: "dist/app.tar.gz".into(), uri: None, digest: file },
        Subject { name: "source".into(), uri, digest: commit },
    ];
    let predicate = serde_json::json!({
        "schemaVersion": "1.0.0",
        "environment": "prod-eu",
        "operator": {"login": "zoë", "id": "42"},
        "tests": [{"name": "unit", "total": 9007199254740991u64, "ratio": 0.1, "failing": []}],
        "tickets": ["\u{1f680} <b>&amp;</b> \"quoted\" \\ \u{2028}"],
    });
    let statement = statement(&subjects, "https://vouchsafe.dev/run/v1", &predicate).unwrap();
    seal(&statement, &Signer::Key(test_key())).unwrap()
}

/// Every file, by name.
fn all() -> Vec<(String, Vec<u8>)> {
    let base = signed(STATEMENT);
    let bare = base.text();
    let keyid = test_key().public().keyid();
    let sig = test_key().sign(&pae(PAYLOAD_TYPE, STATEMENT.as_bytes()));
    let own = signature(&keyid, &base64(sig));
    let hint = format!(r#"{{"publicKey":{{"hint":"{}"}}}}"#, test_key().public().hint());
    let with_keyid = |id: &str| base.with(|p| p.signatures = signature(id, &base64(sig)));
    let with_sig = |sig: &str| base.with(|p| p.signatures = signature(&keyid, sig));
    let url_safe = |text: &str| text.replace('+', "-").replace('/', "_");
    let statement = |from: &str, to: &str| {
        assert!(STATEMENT.contains(from), "{from}");
        signed(STATEMENT.replace(from, to)).text()
    };
    let stranger = base64(other_key().sign(&pae(PAYLOAD_TYPE, STATEMENT.as_bytes())));
    let tampered = base64(STATEMENT.replace("1.0.0", "1.0.1"));
    // holds `+` and `/` in standard base64, so that the alphabets differ
    let odd = signed(STATEMENT.replace("\"app\"", "\"??>>~~ÿÿ\""));
    assert!(odd.payload.contains('+') && odd.payload.contains('/'));
    let mut identity_forgery = [0u8; 64];
    identity_forgery[0] = 1;
    let mut malleable = sig;
    plus_order(&mut malleable);
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let subject =
        r#"{"name":"app","digest":{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}"#;
    assert!(STATEMENT.contains(subject) && STATEMENT.contains(SHA256));
    let commit = r#"{"name":"source","digest":{"gitCommit":"0123456789abcdef0123456789abcdef01234567"}}"#;

    let good: Vec<(&str, String)> = vec![
        ("bare_envelope", bare.clone()),
        (
            "pretty_printed",
            serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&bare).unwrap()).unwrap(),
        ),
        ("escaped_slashes", odd.text().replace('/', "\\/")),
        ("base64_url_safe", odd.with(|p| (p.payload, p.signatures) = (url_safe(&p.payload), url_safe(&p.signatures)))),
        ("keyid_omitted", base.with(|p| p.signatures = format!(r#"{{"sig":"{}"}}"#, base64(sig)))),
        ("keyid_null", base.with(|p| p.signatures = format!(r#"{{"keyid":null,"sig":"{}"}}"#, base64(sig)))),
        ("keyid_empty", with_keyid("")),
        ("keyid_hex_of_spki", with_keyid("a050837d85070582ccf7394b0988847cc312cb88259b894899f6f239cf1791a5")),
        ("keyid_of_a_name", with_keyid("prod-2026")),
        ("keyid_of_another_key", with_keyid(&other_key().public().keyid())),
        ("unknown_envelope_field", bare.replacen('{', r#"{"extension":{"a":1},"#, 1)),
        ("unknown_signature_field", base.with(|p| p.signatures = own.replacen('{', r#"{"cert":"x","#, 1))),
        (
            "two_signatures",
            base.with(|p| p.signatures = format!("{own},{}", signature(&other_key().public().keyid(), &stranger))),
        ),
        ("two_signatures_stranger_first", base.with(|p| p.signatures = format!("{},{own}", signature("", &stranger)))),
        ("same_signature_twice", base.with(|p| p.signatures = format!("{own},{own}"))),
        (
            "bad_signature_beside_a_good_one",
            base.with(|p| p.signatures = format!("{},{own}", signature(&keyid, &base64([0; 64])))),
        ),
        ("signatures_16", base.with(|p| p.signatures = vec![own.clone(); 16].join(","))),
        ("unknown_statement_field", statement(r#""predicate":"#, r#""extension":1,"predicate":"#)),
        ("unknown_subject_field", statement(r#""name":"app","#, r#""name":"app","annotations":{"a":"b"},"x":1,"#)),
        ("predicate_absent", statement(r#","predicate":{"schemaVersion":"1.0.0"}"#, "")),
        ("subject_git_commit_only", statement(subject, commit)),
        ("subject_other_algorithm_only", statement("sha256", "sha512")),
        ("statement_with_spaces", statement(",", " ,\n\t")),
        ("predicate_with_large_numbers", statement(r#""1.0.0""#, r#""1.0.0","n":9007199254740993,"m":1e300"#)),
        ("predicate_unknown_type", statement("vouchsafe.dev/run/v1", "example.com/other/v9")),
        ("bundle", in_bundle(BUNDLE, &hint, &bare)),
        ("bundle_old_spelling", in_bundle("application/vnd.dev.sigstore.bundle+json;version=0.3", &hint, &bare)),
        ("bundle_without_hint", in_bundle(BUNDLE, r#"{"publicKey":{}}"#, &bare)),
        ("bundle_without_material", format!(r#"{{"mediaType":"{BUNDLE}","dsseEnvelope":{bare}}}"#)),
        ("bundle_wrong_hint", in_bundle(BUNDLE, r#"{"publicKey":{"hint":"prod"}}"#, &bare)),
        ("bundle_tlog_entries_empty", in_bundle(BUNDLE, &hint.replacen('{', r#"{"tlogEntries":[],"#, 1), &bare)),
        ("bundle_unknown_field", in_bundle(BUNDLE, &hint, &bare).replacen('{', r#"{"x":{"payload":1},"#, 1)),
        (
            "bundle_with_time",
            in_bundle(
                BUNDLE,
                &hint.replacen(
                    '{',
                    r#"{"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":"AAAA"}]},"#,
                    1,
                ),
                &bare,
            ),
        ),
    ];
    let fail: Vec<(&str, &str, String)> = vec![
        ("empty_file", "Malformed", String::new()),
        ("empty_object", "Malformed", "{}".into()),
        ("array", "Malformed", format!("[{bare}]")),
        ("truncated", "Malformed", bare[..bare.len() - 1].into()),
        ("byte_order_mark", "Malformed", format!("\u{feff}{bare}")),
        ("trailing_garbage", "Malformed", format!("{bare}x")),
        ("trailing_envelope", "Malformed", format!("{bare}\n{bare}")),
        ("duplicate_payload_signed_last", "Malformed", bare.replacen('{', &format!(r#"{{"payload":"{tampered}","#), 1)),
        (
            "duplicate_payload_signed_first",
            "Malformed",
            bare.replace(r#","payloadType""#, &format!(r#","payload":"{tampered}","payloadType""#)),
        ),
        (
            "duplicate_payload_escaped",
            "Malformed",
            bare.replacen('{', &format!(r#"{{"p\u0061yload":"{tampered}","#), 1),
        ),
        ("duplicate_payload_type", "Malformed", bare.replacen('{', r#"{"payloadType":"text/plain","#, 1)),
        ("duplicate_signatures", "Malformed", bare.replacen('{', r#"{"signatures":[],"#, 1)),
        ("duplicate_keyid", "Malformed", base.with(|p| p.signatures = own.replacen('{', r#"{"keyid":"x","#, 1))),
        ("duplicate_unknown_field", "Malformed", bare.replacen('{', r#"{"x":{"a":1,"a":2},"#, 1)),
        ("payload_upper_case", "Malformed", bare.replace("\"payload\"", "\"Payload\"")),
        ("payload_missing", "Malformed", bare.replace("\"payload\"", "\"pay\"")),
        ("payload_null", "Malformed", bare.replace(&format!("\"{}\"", base.payload), "null")),
        ("payload_object", "Malformed", bare.replace(&format!("\"{}\"", base.payload), STATEMENT)),
        ("payload_type_missing", "Malformed", bare.replace("\"payloadType\"", "\"type\"")),
        ("signature_sig_missing", "Malformed", bare.replace("\"sig\"", "\"signature\"")),
        ("signatures_object", "Malformed", bare.replace(['[', ']'], "")),
        ("signatures_17", "Malformed", base.with(|p| p.signatures = vec![own.clone(); 17].join(","))),
        ("base64_unpadded", "Malformed", base.with(|p| p.signatures = signature(&keyid, &STANDARD_NO_PAD.encode(sig)))),
        ("base64_newlines", "Malformed", base.with(|p| p.payload.insert_str(76, "\\n"))),
        ("base64_space", "Malformed", base.with(|p| p.payload.push(' '))),
        ("base64_mixed_alphabets", "Malformed", odd.with(|p| p.payload = p.payload.replace('+', "-"))),
        (
            "base64_trailing_bits",
            "Malformed",
            with_sig(
                &base64(sig).replace("A==", "B==").replace("g==", "h==").replace("Q==", "R==").replace("w==", "x=="),
            ),
        ),
        ("base64_hex", "Malformed", with_sig(&crate::record::digest::hex(&sig)[..127])),
        ("bundle_v0_4", "Malformed", in_bundle("application/vnd.dev.sigstore.bundle.v0.4+json", &hint, &bare)),
        ("bundle_v0_2", "Malformed", in_bundle("application/vnd.dev.sigstore.bundle+json;version=0.2", &hint, &bare)),
        (
            "bundle_without_media_type",
            "Malformed",
            format!(r#"{{"verificationMaterial":{hint},"dsseEnvelope":{bare}}}"#),
        ),
        (
            "bundle_without_envelope",
            "Malformed",
            format!(r#"{{"mediaType":"{BUNDLE}","verificationMaterial":{hint}}}"#),
        ),
        (
            "bundle_message_signature",
            "Malformed",
            format!(r#"{{"mediaType":"{BUNDLE}","verificationMaterial":{hint},"messageSignature":{{}}}}"#),
        ),
        (
            "bundle_and_envelope_at_once",
            "Malformed",
            bare.replacen('{', &format!(r#"{{"mediaType":"{BUNDLE}","dsseEnvelope":{bare},"#), 1),
        ),
        ("bundle_null_envelope", "Malformed", in_bundle(BUNDLE, &hint, "null")),
        ("signatures_empty", "NoSignature", base.with(|p| p.signatures.clear())),
        ("signatures_missing", "NoSignature", bare.replace("\"signatures\"", "\"sigs\"")),
        ("signatures_null", "NoSignature", bare.replace(&format!("[{own}]"), "null")),
        (
            "payload_type_of_a_predicate",
            "PayloadType",
            signed_as("application/vnd.in-toto.test-result+json", STATEMENT).text(),
        ),
        ("payload_type_upper_case", "PayloadType", signed_as("application/vnd.in-toto+JSON", STATEMENT).text()),
        (
            "payload_type_parameter",
            "PayloadType",
            signed_as("application/vnd.in-toto+json; charset=utf-8", STATEMENT).text(),
        ),
        ("payload_type_empty", "PayloadType", signed_as("", STATEMENT).text()),
        ("payload_type_changed", "PayloadType", base.with(|p| p.payload_type = "text/plain".into())),
        (
            "payload_type_confused",
            "BadSignature",
            signed_as("text/plain", STATEMENT).with(|p| p.payload_type = PAYLOAD_TYPE.into()),
        ),
        ("payload_tampered", "BadSignature", base.with(|p| p.payload = tampered.clone())),
        (
            "payload_tampered_bundle",
            "BadSignature",
            in_bundle(BUNDLE, &hint, &base.with(|p| p.payload = tampered.clone())),
        ),
        (
            "payload_tampered_without_keyid",
            "BadSignature",
            in_bundle(
                BUNDLE,
                &hint,
                &base.with(|p| (p.payload, p.signatures) = (tampered.clone(), signature("", &base64(sig)))),
            ),
        ),
        ("payload_empty", "BadSignature", base.with(|p| p.payload.clear())),
        ("payload_base64_twice", "BadSignature", base.with(|p| p.payload = base64(&p.payload))),
        ("payload_url_safe_of_another", "BadSignature", odd.with(|p| p.payload = URL_SAFE.encode(STATEMENT))),
        ("signature_by_another_key", "BadSignature", with_sig(&stranger)),
        ("signature_zero", "BadSignature", with_sig(&base64([0; 64]))),
        ("signature_short", "BadSignature", with_sig(&base64(&sig[..63]))),
        ("signature_long", "BadSignature", with_sig(&base64([&sig[..], &[0]].concat()))),
        ("signature_empty", "BadSignature", with_sig("")),
        ("signature_malleable_s_plus_l", "BadSignature", with_sig(&base64(malleable))),
        ("signature_over_the_json", "BadSignature", with_sig(&base64(test_key().sign(STATEMENT.as_bytes())))),
        (
            "signature_over_the_base64",
            "BadSignature",
            with_sig(&base64(test_key().sign(&pae(PAYLOAD_TYPE, base.payload.as_bytes())))),
        ),
        ("signature_prehashed", "BadSignature", with_sig(PREHASHED)),
        ("signature_of_the_identity_point", "BadSignature", with_sig(&base64(identity_forgery))),
        (
            "key_unknown",
            "UnknownKey",
            base.with(|p| p.signatures = signature(&other_key().public().keyid(), &stranger)),
        ),
        ("key_unknown_without_keyid", "UnknownKey", base.with(|p| p.signatures = signature("", &stranger))),
        (
            "key_of_the_identity_point",
            "UnknownKey",
            base.with(|p| p.signatures = signature("SHA256:weak", &base64(identity_forgery))),
        ),
        (
            "statement_duplicate_key",
            "Statement",
            statement(r#""predicateType""#, r#""predicateType":"https://x.example/v1","predicateType""#),
        ),
        ("statement_duplicate_digest", "Statement", statement(r#"{"sha256""#, r#"{"sha256":"00","sha256""#)),
        (
            "statement_duplicate_in_predicate",
            "Statement",
            statement(r#""1.0.0""#, r#""1.0.0","tests":[{"failed":2,"failed":0}]"#),
        ),
        (
            "statement_duplicate_escaped",
            "Statement",
            statement(r#""1.0.0""#, r#""1.0.0","schem\u0061Version":"2.0.0""#),
        ),
        ("statement_trailing_json", "Statement", signed(format!("{STATEMENT}{{}}")).text()),
        ("statement_trailing_garbage", "Statement", signed(format!("{STATEMENT}\u{0}")).text()),
        ("statement_byte_order_mark", "Statement", signed(format!("\u{feff}{STATEMENT}")).text()),
        (
            "statement_latin_1",
            "Statement",
            signed([&STATEMENT.as_bytes()[..70], b"\xe9", &STATEMENT.as_bytes()[70..]].concat()).text(),
        ),
        ("statement_lone_surrogate", "Statement", statement("\"app\"", r#""\ud800""#)),
        ("statement_too_deep", "Statement", statement(r#""1.0.0""#, &deep)),
        ("statement_empty", "Statement", signed("").text()),
        ("statement_not_json", "Statement", signed("hello world").text()),
        ("statement_array", "Statement", signed(format!("[{STATEMENT}]")).text()),
        ("statement_type_v0_1", "Statement", statement("/Statement/v1", "/Statement/v0.1")),
        ("statement_type_missing", "Statement", statement("\"_type\"", "\"type\"")),
        ("statement_predicate_type_missing", "Statement", statement("\"predicateType\"", "\"predicatetype\"")),
        ("statement_predicate_type_empty", "Statement", statement("https://vouchsafe.dev/run/v1", "")),
        ("statement_predicate_string", "Statement", statement(r#"{"schemaVersion":"1.0.0"}"#, "\"1.0.0\"")),
        ("subject_missing", "Statement", statement("\"subject\"", "\"subjects\"")),
        ("subject_empty", "Statement", statement(subject, "")),
        ("subject_null", "Statement", statement(&format!("[{subject}]"), "null")),
        ("subject_string", "Statement", statement(subject, "\"app\"")),
        (
            "subject_without_digest",
            "Statement",
            statement(r#","digest":{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#, ""),
        ),
        ("subject_digest_empty", "Statement", statement(&format!(r#""sha256":"{SHA256}""#), "")),
        ("subject_digest_upper_case", "Statement", statement(SHA256, &SHA256.to_uppercase())),
        ("subject_digest_short", "Statement", statement(SHA256, &SHA256[..62])),
        ("subject_digest_arn", "Statement", statement(SHA256, "arn:aws:ecr:eu-west-1:1:repository/app")),
        ("subject_digest_oci_form", "Statement", statement(SHA256, &format!("sha256:{SHA256}"))),
        ("subject_git_commit_short", "Statement", statement(subject, &commit.replace("01234567\"", "\""))),
        ("subjects_1025", "Statement", statement(subject, &vec![commit; 1025].join(","))),
    ];
    let good = good.into_iter().map(|(name, text)| (format!("good_{name}.json"), text.into_bytes()));
    let fail = fail.into_iter().map(|(name, kind, text)| (format!("fail_{name}__{kind}.json"), text.into_bytes()));
    let sealed = ("good_sealed.json".to_owned(), sealed());
    let latin_1 = ("fail_latin_1__Malformed.json".to_owned(), [bare.as_bytes(), b"\xe9"].concat());
    good.chain(fail).chain([sealed, latin_1]).collect()
}

#[test]
#[ignore = "writes fixtures/envelopes/"]
fn write() {
    for (name, bytes) in all() {
        std::fs::write(format!("{FOLDER}/{name}"), bytes).unwrap();
    }
}

#[test]
fn the_files_are_what_is_made_here() {
    let made = all();
    for (name, bytes) in &made {
        let file = std::fs::read(format!("{FOLDER}/{name}")).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(file == *bytes, "{name} is not what is made here");
    }
    let distinct: std::collections::BTreeSet<_> = made.iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(distinct.len(), made.len(), "no two files test the same bytes");
}

#[test]
fn every_file_meets_the_verdict_in_its_name() {
    let pem = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/test-public.pem")).unwrap();
    let keys = TrustSet::of(key::PublicKey::parse(&pem).unwrap());
    let mut seen = [0, 0];
    for entry in std::fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let result = open(&std::fs::read(&path).unwrap(), &keys);
        if name.starts_with("good_") {
            let opened = result.unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(opened.keyid, test_key().public().keyid(), "{name}");
            seen[0] += 1;
        } else if let Some((_, kind)) = name.strip_prefix("fail_").and_then(|n| n.split_once("__")) {
            let e = result.err().unwrap_or_else(|| panic!("{name} opened"));
            let got: String = format!("{e:?}").chars().take_while(char::is_ascii_alphanumeric).collect();
            assert_eq!(got, kind, "{name}: {e}");
            seen[1] += 1;
        }
    }
    assert!(seen[0] >= 30 && seen[1] >= 80, "{seen:?}");
}
