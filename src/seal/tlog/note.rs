//! Signed notes (C2SP `signed-note`): text, a blank line, and a signature a line.

use crate::seal::SealError;
use crate::seal::key::PublicKey;
use crate::seal::signer::Signer;
use crate::seal::trust::TrustSet;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// A note is some lines; the largest that is read, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// Signatures that are looked at.
const MAX_SIGNATURES: usize = 64;
/// The signature type of Ed25519 (signed-note, "Signature types").
const ED25519: u8 = 0x01;

/// Why a note says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoteError {
    /// It is no signed note.
    #[error("it is no signed note: {0}")]
    Malformed(&'static str),
    /// A key of the trust set is named, but its signature does not hold.
    #[error("the signature of {0} does not hold")]
    BadSignature(String),
    /// No key of the trust set is named.
    #[error("no key of the trust set signed it")]
    UnknownKey,
}

/// `SHA-256(name || 0x0A || 0x01 || key)[:4]` (signed-note, "Key IDs").
pub(crate) fn key_id(name: &str, key: &PublicKey) -> [u8; 4] {
    let digest =
        Sha256::new().chain_update(name).chain_update([b'\n', ED25519]).chain_update(key.as_bytes()).finalize();
    let mut id = [0; 4];
    id.copy_from_slice(digest.get(..4).unwrap_or(&[0; 4]));
    id
}

/// `name+hash+base64`: the verifier key as every reader of notes takes it.
pub(crate) fn vkey(name: &str, key: &PublicKey) -> String {
    let typed = [&[ED25519][..], key.as_bytes()].concat();
    format!("{name}+{}+{}", crate::record::digest::hex(&key_id(name, key)), STANDARD.encode(typed))
}

/// Signs `text`, which ends in a newline, under the key name `name`.
pub(crate) fn sign(text: &str, name: &str, signer: &Signer) -> Result<String, SealError> {
    let sig = signer.sign(text.as_bytes())?;
    let line = [&key_id(name, &signer.public_key())[..], &sig].concat();
    Ok(format!("{text}\n— {name} {}\n", STANDARD.encode(line)))
}

/// The text of a note and the key of `keys` that signed it as `name`.
///
/// Signatures of others are passed over, a bad one of a known key refuses the whole note (signed-note, "Verifying").
pub(crate) fn open<'a>(note: &'a str, name: &str, keys: &TrustSet) -> Result<(&'a str, String), NoteError> {
    let (text, signatures) = split(note)?;
    let mut signed = None;
    for line in signatures {
        let (who, id, sig) = parse_line(line)?;
        let known = keys.iter().find(|(_, k)| who == name && key_id(name, &k.key) == id);
        let Some((keyid, trusted)) = known else { continue };
        if !trusted.key.verify(text.as_bytes(), &sig) {
            return Err(NoteError::BadSignature(keyid.to_owned()));
        }
        signed.get_or_insert(keyid.to_owned());
    }
    Ok((text, signed.ok_or(NoteError::UnknownKey)?))
}

/// The text of a note, whoever signed it, with its newline; and its signature lines. The form is checked.
pub(crate) fn split(note: &str) -> Result<(&str, Vec<&str>), NoteError> {
    let bad = |why| Err(NoteError::Malformed(why));
    if note.len() > MAX_BYTES {
        return bad("it is larger than 64 KiB");
    }
    if note.chars().any(|c| c < ' ' && c != '\n') {
        return bad("it holds control characters");
    }
    // The text may hold blank lines, so the last one counts.
    let Some(at) = note.rfind("\n\n") else { return bad("no blank line stands before the signatures") };
    let (text, signatures) = (&note[..at + 1], &note[at + 2..]);
    let Some(signatures) = signatures.strip_suffix('\n') else { return bad("it does not end in a newline") };
    let lines: Vec<&str> = signatures.split('\n').collect();
    if lines.len() > MAX_SIGNATURES {
        return bad("it has more than 64 signatures");
    }
    for line in &lines {
        parse_line(line)?;
    }
    Ok((text, lines))
}

/// `— name base64(id || signature)`.
fn parse_line(line: &str) -> Result<(&str, [u8; 4], Vec<u8>), NoteError> {
    let bad = NoteError::Malformed("a signature line is not `— name base64`");
    let (name, encoded) = line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or(bad.clone())?;
    if name.is_empty() || name.contains('+') || name.chars().any(char::is_whitespace) {
        return Err(bad);
    }
    let bytes = STANDARD.decode(encoded).map_err(|_| bad.clone())?;
    let (id, sig) = bytes.split_first_chunk::<4>().ok_or(bad.clone())?;
    if sig.is_empty() { Err(bad) } else { Ok((name, *id, sig.to_vec())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::key::PrivateKey;
    use proptest::prelude::*;

    fn signer(seed: u8) -> Signer {
        Signer::Key(PrivateKey::generate([seed; 32]))
    }

    /// The example of golang.org/x/mod/sumdb/note (example_test.go).
    #[test]
    fn the_note_of_another_implementation() {
        let key = STANDARD.decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        let key = PublicKey::from_bytes(key[1..].try_into().unwrap()).unwrap();
        assert_eq!(vkey("PeterNeumann", &key), "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
        let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
                    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let (text, _) = open(note, "PeterNeumann", &TrustSet::of(key)).unwrap();
        assert!(text.ends_with("problem is.\n"));
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        let (ours, other) = (signer(1), signer(2));
        let keys = TrustSet::of(ours.public_key());
        let good = sign("text\n", "log", &ours).unwrap();
        assert_eq!(open(&good, "log", &keys), Ok(("text\n", ours.public_key().keyid())));
        assert_eq!(open(&good, "other", &keys), Err(NoteError::UnknownKey));
        let theirs = sign("text\n", "log", &other).unwrap();
        assert_eq!(open(&theirs, "log", &keys), Err(NoteError::UnknownKey));
        let bent = good.replace("text", "test");
        assert_eq!(open(&bent, "log", &keys), Err(NoteError::BadSignature(ours.public_key().keyid())));
        // A stranger's line more is no harm; a bad one of a known key is.
        let line = theirs.lines().last().unwrap();
        assert!(open(&format!("{good}{line}\n"), "log", &keys).is_ok());
        let bad_line = sign("else\n", "log", &ours).unwrap();
        let bad_line = bad_line.lines().last().unwrap();
        assert!(open(&format!("{good}{bad_line}\n"), "log", &keys).is_err());
        for malformed in
            ["", "text\n", "text\n\n", "text\n\n— log\n", "text\n\n- log AAAAAAA=\n", "te\x1bxt\n\n— log AAAAAAA=\n"]
        {
            assert!(matches!(open(malformed, "log", &keys), Err(NoteError::Malformed(_))), "{malformed:?}");
        }
        assert!(matches!(open(good.trim_end(), "log", &keys), Err(NoteError::Malformed(_))));
    }

    proptest! {
        #[test]
        fn any_text_never_panics(text: String) {
            let _ = open(&text, "log", &TrustSet::default());
        }

        #[test]
        fn what_is_signed_opens(text in "[^\\x00-\\x1f]{0,40}", name in "[a-z./=-]{1,40}") {
            let signer = signer(3);
            let text = format!("{text}\n");
            let note = sign(&text, &name, &signer).unwrap();
            prop_assert_eq!(open(&note, &name, &TrustSet::of(signer.public_key())).unwrap().0, text);
        }
    }
}
