//! `fixtures/timestamp/`: answers that openssl made, and ways in which one can be wrong; the name is the verdict.

use super::*;
use proptest::prelude::*;
use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/timestamp");
/// What the fixtures were asked with.
const NONCE: [u8; 8] = [0x80, 1, 2, 3, 4, 5, 6, 7];

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(FOLDER).join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn data() -> Vec<u8> {
    fixture("checkpoint.txt")
}

fn roots() -> String {
    String::from_utf8(fixture("roots.pem")).unwrap()
}

fn judge(response: &[u8]) -> Result<Stamp, TimestampError> {
    let claimed = read(response, &data(), Some(NONCE))?;
    let proven = verify(response, &data(), &roots())?;
    assert_eq!(claimed, Stamp { signer: None, ..proven.clone() }, "read and verify tell the same");
    Ok(proven)
}

fn kind(error: &TimestampError) -> &'static str {
    match error {
        TimestampError::TooLarge(_) => "TooLarge",
        TimestampError::Malformed { .. } => "Malformed",
        TimestampError::Rejected(_) => "Rejected",
        TimestampError::Imprint(_) => "Imprint",
        TimestampError::Nonce => "Nonce",
        TimestampError::Unsupported(_) => "Unsupported",
        TimestampError::Signature(_) => "Signature",
        TimestampError::Signer(_) => "Signer",
        TimestampError::Untrusted(_) => "Untrusted",
        TimestampError::Roots(_) => "Roots",
    }
}

#[test]
fn every_fixture_has_the_verdict_in_its_name() {
    let mut judged = 0;
    for file in std::fs::read_dir(FOLDER).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let Some(stem) = name.strip_suffix(".tsr") else { continue };
        match (judge(&fixture(&name)), stem.strip_prefix("fail_").map(|s| s.split_once("__").unwrap().1)) {
            (Ok(_), None) => {}
            (Err(error), Some(want)) => assert_eq!(kind(&error), want, "{name}: {error}"),
            (Ok(stamp), Some(_)) => panic!("{name} was taken: {stamp:?}"),
            (Err(error), None) => panic!("{name} was refused: {error}"),
        }
        judged += 1;
    }
    assert!(judged > 45, "only {judged} fixtures");
}

#[test]
fn the_write_path_finds_what_it_can_without_a_signature() {
    for (name, want) in [
        ("fail_other_data__Imprint.tsr", "Imprint"),
        ("fail_imprint_sha1__Imprint.tsr", "Imprint"),
        ("fail_imprint_sha512__Imprint.tsr", "Imprint"),
        ("fail_other_nonce__Nonce.tsr", "Nonce"),
        ("fail_no_nonce__Nonce.tsr", "Nonce"),
        ("fail_rejected_policy__Rejected.tsr", "Rejected"),
        ("fail_granted_without_token__Malformed.tsr", "Malformed"),
        ("fail_content_type__Malformed.tsr", "Malformed"),
        ("fail_page__Malformed.tsr", "Malformed"),
    ] {
        assert_eq!(kind(&read(&fixture(name), &data(), Some(NONCE)).unwrap_err()), want, "{name}");
    }
    // a nonce matters only to who asked
    assert!(read(&fixture("fail_other_nonce__Nonce.tsr"), &data(), None).is_ok());
    assert!(verify(&fixture("fail_other_nonce__Nonce.tsr"), &data(), &roots()).is_ok());
}

#[test]
fn a_stamp_tells_what_openssl_tells() {
    // `openssl ts -reply -text`
    let stamp = judge(&fixture("good_rsa2048.tsr")).unwrap();
    assert_eq!(stamp.accuracy, Some(Duration::from_micros(1_500_100)));
    assert_eq!((stamp.policy.as_str(), stamp.signer.as_deref()), ("1.2.3.4", Some("rsa2048")));
    let stamp = judge(&fixture("good_cms.tsr")).unwrap();
    assert_eq!((stamp.serial.as_str(), stamp.accuracy, stamp.policy.as_str()), ("1267", None, "1.2.3.4"));
    let stamp = judge(&fixture("good_p384.tsr")).unwrap();
    assert_ne!(stamp.on.timestamp_subsec_millis(), 0, "{}", stamp.on);
}

#[test]
fn messages_say_what_and_what_to_do() {
    let told = |name: &str| judge(&fixture(name)).unwrap_err().to_string();
    assert!(told("fail_rejected_digest__Rejected.tsr").contains("rejection: badAlg, Message digest algorithm"));
    assert!(told("fail_other_root__Untrusted.tsr").contains("`stranger`: none of the given roots"));
    assert!(
        told("fail_after_the_certificate__Untrusted.tsr").contains("`p256`: a certificate of its chain had expired")
    );
    assert!(told("fail_cut__Malformed.tsr").contains("TimeStampResp at byte 0: it is cut off"));
    assert!(told("fail_imprint_sha1__Imprint.tsr").contains("1.3.14.3.2.26"));
}

#[test]
fn the_request_is_what_openssl_would_ask() {
    // fixtures/timestamp/request.tsq was written without this code, and openssl answered it
    assert_eq!(request(&data(), NONCE), fixture("request.tsq"));
    // RFC 3161 section 2.4.1; the nonce is a number: zeros before it are not written
    let zeros = request(&data(), [0, 0, 0, 0, 0, 0, 0, 5]);
    assert!(zeros.ends_with(&[0x02, 0x01, 0x05, 0x01, 0x01, 0xff]), "{zeros:02x?}");
    assert_eq!(zeros.len(), 2 + usize::from(zeros[1]));
    assert!(request(&data(), [0; 8]).ends_with(&[0x02, 0x01, 0x00, 0x01, 0x01, 0xff]));
}

#[test]
fn roots_that_are_none_are_said_to_be_so() {
    let good = fixture("good_p256.tsr");
    for bad in [
        "",
        "no PEM at all",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n",
    ] {
        assert_eq!(kind(&verify(&good, &data(), bad).unwrap_err()), "Roots", "{bad:?}");
    }
    // one root is enough, and it has to be the right one
    let roots = roots();
    let verdicts = roots.split_inclusive("-----END CERTIFICATE-----\n").map(|pem| verify(&good, &data(), pem).is_ok());
    assert_eq!(verdicts.collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn other_data_is_refused() {
    let (good, mut data) = (fixture("good_p256.tsr"), data());
    data.push(b'\n');
    assert_eq!(kind(&verify(&good, &data, &roots()).unwrap_err()), "Imprint");
    assert_eq!(kind(&verify(&good, b"", &roots()).unwrap_err()), "Imprint");
}

#[test]
fn what_is_too_large_is_not_read() {
    let mut large = fixture("good_p256.tsr");
    large.resize(MAX_BYTES + 1, 0);
    assert_eq!(kind(&read(&large, &data(), None).unwrap_err()), "TooLarge");
    large.truncate(MAX_BYTES);
    assert_eq!(kind(&read(&large, &data(), None).unwrap_err()), "Malformed");
}

#[test]
fn cut_anywhere_it_is_refused() {
    for name in ["good_p256.tsr", "good_rsa2048.tsr", "good_intermediate.tsr"] {
        let good = fixture(name);
        for length in 0..good.len() {
            let error = verify(&good[..length], &data(), &roots()).unwrap_err();
            assert_eq!(kind(&error), "Malformed", "{name} cut to {length}: {error}");
        }
    }
}

/// `bytes` with one more element at the end of the constructed element number `target`, all lengths made right.
fn stuffed(bytes: &[u8], next: &mut usize, target: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = der::Der::new(bytes);
    while !rest.is_empty() {
        let element = rest.next("test").unwrap();
        // the TSTInfo stands in an OCTET STRING
        let inside =
            element.tag & der::CONSTRUCTED != 0 || (element.tag == der::OCTET_STRING && element.body[0] == 0x30);
        if !inside {
            out.extend_from_slice(element.whole);
            continue;
        }
        let number = *next;
        *next += 1;
        let mut body = stuffed(element.body, next, target);
        if number == target {
            body.extend([der::NULL, 0]);
        }
        out.extend(der::write(element.tag, &body));
    }
    out
}

#[test]
fn nothing_can_be_stuffed_in() {
    let good = fixture("good_rsa2048.tsr");
    let mut elements = 0;
    assert_eq!(stuffed(&good, &mut elements, usize::MAX), good);
    let taken: Vec<_> =
        (0..elements).filter(|n| verify(&stuffed(&good, &mut 0, *n), &data(), &roots()).is_ok()).collect();
    // in SignedData.digestAlgorithms (twice: a set of sequences) and .certificates, where more may stand that is not asked for
    assert_eq!(taken.len(), 3, "of {elements}: {taken:?}");
}

/// The law of the whole: whoever changes an answer gets no other time, name or number out of it.
fn changes_nothing_or_is_refused(changed: &[u8], good: &Stamp) {
    if let Ok(stamp) = verify(changed, &data(), &roots()) {
        assert_eq!(stamp, *good);
    }
    let _ = read(changed, &data(), Some(NONCE));
}

#[test]
fn every_byte_counts_or_says_nothing() {
    for name in ["good_p256.tsr", "good_ed25519.tsr"] {
        let bytes = fixture(name);
        let good = judge(&bytes).unwrap();
        let mut taken = 0;
        for at in 0..bytes.len() {
            for bit in [0x01, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= bit;
                changes_nothing_or_is_refused(&changed, &good);
                taken += usize::from(verify(&changed, &data(), &roots()).is_ok());
            }
        }
        // versions and the list of digests, which nothing is read from
        assert!(taken < 40, "{name}: {taken} changes were taken");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutations_never_panic_and_never_lie(
        which in 0usize..3,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..6),
    ) {
        let name = ["good_p256.tsr", "good_intermediate_ess_chain.tsr", "good_rsa2048.tsr"][which];
        let mut bytes = fixture(name);
        let good = judge(&bytes).unwrap();
        for (at, byte, what) in edits {
            let at = at.index(bytes.len().max(1));
            match what {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => { bytes.remove(at); }
                2 => bytes.truncate(at.max(1)),
                _ if at < bytes.len() => bytes[at] = byte,
                _ => {}
            }
        }
        changes_nothing_or_is_refused(&bytes, &good);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&bytes, b"", None).is_err());
    }
}

/// The folder of `tests/outside/verify/tsa.sh`, where real authorities are at hand.
#[allow(clippy::disallowed_methods, reason = "the outside script tells a test where its folder is; nothing else can")]
fn outside() -> std::path::PathBuf {
    std::env::var("VOUCHSAFE_TEST_TSA").expect("run tests/outside/verify/tsa.sh").into()
}

#[test]
#[ignore = "needs tsa.sh"]
fn outside_request() {
    let data = std::fs::read(outside().join("checkpoint.txt")).unwrap();
    std::fs::write(outside().join("request.tsq"), request(&data, NONCE)).unwrap();
}

#[test]
#[ignore = "needs tsa.sh"]
fn outside_answer() {
    let file = |name: &str| std::fs::read(outside().join(name)).unwrap();
    let (data, roots) = (file("checkpoint.txt"), String::from_utf8(file("roots.pem")).unwrap());
    let authorities = String::from_utf8(file("authorities")).unwrap();
    for name in authorities.lines().map(|l| l.split_once(' ').unwrap().0) {
        let answer = file(&format!("{name}.tsr"));
        read(&answer, &data, Some(NONCE)).unwrap();
        let stamp = verify(&answer, &data, &roots).unwrap();
        assert_eq!(stamp.signer.as_deref(), Some(name));
        assert_eq!(kind(&verify(&answer, b"another file", &roots).unwrap_err()), "Imprint");
    }
    assert_eq!(authorities.lines().count(), 3);
}
