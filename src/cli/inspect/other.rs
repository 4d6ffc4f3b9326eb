//! Keys and records, which are no reports.

use crate::export::shown;
use crate::record;
use crate::record::digest::Sha256Digest;
use crate::seal::key::{PrivateKey, PublicKey};
use crate::seal::{self, terms};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::Path;

/// What a file that is no report is, by its first bytes.
pub(super) enum Kind {
    Key,
    Record,
}

/// The file's first bytes decide; one that cannot be read is left to the reader of reports, which will say so.
pub(super) fn kind(path: &Path) -> Option<Kind> {
    let mut head = Vec::new();
    if path.is_file()
        && let Ok(file) = std::fs::File::open(path)
    {
        let _ = file.take(4096).read_to_end(&mut head);
    }
    let text = String::from_utf8_lossy(&head);
    let text = text.trim_start();
    if text.starts_with("-----BEGIN") || text.starts_with("ssh-ed25519 ") {
        Some(Kind::Key)
    } else if text.starts_with('{')
        && ["\"dsseEnvelope\"", "\"payloadType\"", "sigstore.bundle"].iter().any(|w| text.contains(w))
    {
        Some(Kind::Record)
    } else {
        None
    }
}

pub(super) fn key(path: &Path, name: &str) -> Value {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => zeroize::Zeroizing::new(text),
        Err(e) => return json!({"file": name, "format": "key", "error": format!("could not read it: {e}")}),
    };
    if let Ok(key) = PublicKey::parse(&text) {
        return json!({"file": name, "format": "publicKey", "keyid": key.keyid(), "hint": key.hint()});
    }
    match PrivateKey::parse(&text, None) {
        Ok(key) => json!({"file": name, "format": "privateKey", "keyid": key.public().keyid()}),
        Err(e) => json!({"file": name, "format": "key", "error": e.to_string()}),
    }
}

pub(super) fn record(path: &Path, name: &str) -> Value {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).and_then(|f| f.take(terms::MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    if let Err(e) = opened {
        return json!({"file": name, "format": "record", "error": format!("could not read it: {e}")});
    }
    let sha256 = Sha256Digest::of(&bytes);
    match seal::peek_unverified(&bytes) {
        Err(e) => json!({"file": name, "format": "record", "sha256": sha256, "error": e.to_string()}),
        Ok(seen) => {
            let mut out = json!({
                "file": name, "format": "record", "sha256": sha256, "verified": false,
                "signatures": seen.signatures, "claimedKeyids": seen.claimed_keyids, "payloadType": seen.payload_type,
                "payloadSha256": Sha256Digest::of(&seen.payload),
            });
            let Some(object) = out.as_object_mut() else { return out };
            let statement = match seen.statement {
                Ok(statement) => statement,
                Err(e) => {
                    object.insert("error".into(), e.to_string().into());
                    return out;
                }
            };
            object.insert("predicateType".into(), statement.predicate_type.clone().into());
            object.insert("subjects".into(), json!(statement.subjects));
            match record::read(&statement.predicate_type, statement.predicate().unwrap_or(b"null")) {
                Ok(read) => {
                    object.insert("schemaVersion".into(), read.source_version.into());
                    object.insert("unknownFields".into(), read.unknown_fields.into());
                }
                Err(e) if e.is_unsupported() => drop(object.insert("unsupported".into(), e.to_string().into())),
                Err(e) => drop(object.insert("error".into(), e.to_string().into())),
            }
            out
        }
    }
}

/// The same facts for people, in one line.
pub(super) fn told(answer: &Value) -> String {
    let file = answer.get("file").and_then(Value::as_str).unwrap_or_default();
    let rest = answer.as_object().into_iter().flatten().filter(|(k, _)| *k != "file");
    let rest: Vec<String> =
        rest.map(|(k, v)| format!("{k} {}", v.as_str().map_or_else(|| v.to_string(), str::to_owned))).collect();
    shown::line(&format!("{file}: {}", rest.join(", "))).into_owned()
}
