//! What a leaf of the ledger says: one record, one heartbeat, or one slot that holds nothing of ours.

use crate::record::digest::Sha256Digest;
use crate::record::json;
use crate::seal::tlog::tree;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The version that is written.
const VERSION: u32 = 1;

/// How a record came into the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Via {
    /// At once, by the step that wrote it.
    Attest,
    /// Later, out of a spool.
    Spool,
    /// Later, by somebody who found it in the vault without a leaf.
    Adopt,
}

impl Via {
    /// The word in every output.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Attest => "attest",
            Self::Spool => "spool",
            Self::Adopt => "adopt",
        }
    }
}

/// That a record stands in the vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Logged {
    /// Where.
    pub(crate) address: String,
    /// SHA-256 of the stored object.
    pub(crate) sha256: Sha256Digest,
    /// When the record was written, as it says itself. The distance to the leaf's own time is the delay.
    pub(crate) recorded_on: DateTime<Utc>,
    /// Until when it has to be kept; after that a missing record is `expired` and no fault. Absent: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keep_until: Option<DateTime<Utc>>,
    /// How it came in.
    pub(crate) via: Via,
}

/// What a leaf says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A record stands there.
    Record(Logged),
    /// Somebody is here, and so many records are in the ledger.
    Heartbeat {
        /// Records in the ledger before this leaf.
        records: u64,
        /// The run that said it, `github-4711-1`.
        by: String,
    },
    /// A slot holds something that is no entry; this digest of it is all that the ledger keeps.
    Void {
        /// The slot.
        slot: u64,
        /// SHA-256 of what stands there; absent when it is too large to be read.
        sha256: Option<Sha256Digest>,
    },
    /// Written by a newer program.
    Unsupported,
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Its place, from 0: a leaf does not fit anywhere else.
    pub(crate) seq: u64,
    /// When it was appended.
    pub(crate) logged_on: DateTime<Utc>,
    /// What it says.
    pub(crate) said: Said,
}

/// The leaf as JSON. Flat, because a whole vault's worth of them is read at once.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    v: u32,
    seq: u64,
    kind: String,
    logged_on: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<Sha256Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_on: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_until: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<Via>,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slot: Option<u64>,
}

impl Leaf {
    /// The bytes that are hashed. Their order of members is fixed.
    pub(crate) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let (seq, logged_on) = (self.seq, self.logged_on);
        let mut wire = Wire {
            v: VERSION,
            seq,
            kind: String::new(),
            logged_on,
            address: None,
            sha256: None,
            recorded_on: None,
            keep_until: None,
            via: None,
            records: None,
            by: None,
            slot: None,
        };
        match &self.said {
            Said::Record(r) => {
                wire.kind = "record".into();
                wire.address = Some(r.address.clone());
                wire.sha256 = Some(r.sha256);
                wire.recorded_on = Some(r.recorded_on);
                wire.keep_until = r.keep_until;
                wire.via = Some(r.via);
            }
            Said::Heartbeat { records, by } => {
                wire.kind = "heartbeat".into();
                wire.records = Some(*records);
                wire.by = Some(by.clone());
            }
            Said::Void { slot, sha256 } => {
                wire.kind = "void".into();
                wire.slot = Some(*slot);
                wire.sha256 = *sha256;
            }
            Said::Unsupported => wire.kind = "unsupported".into(),
        }
        json::to_vec(&wire)
    }

    /// Reads a leaf. A newer version or kind keeps its place and is [`Said::Unsupported`]; the error is one line.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        /// What every version has.
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Least {
            v: u32,
            seq: u64,
            logged_on: DateTime<Utc>,
        }
        let wire: Wire = match serde_json::from_slice(bytes) {
            Ok(wire) => wire,
            Err(e) => match serde_json::from_slice::<Least>(bytes) {
                Ok(least) if least.v > VERSION => {
                    return Ok(Self { seq: least.seq, logged_on: least.logged_on, said: Said::Unsupported });
                }
                _ => return Err(format!("it is no leaf: {e}")),
            },
        };
        let missing = |what: &str| format!("a leaf of kind {} has no `{what}`", wire.kind);
        let said = match wire.kind.as_str() {
            _ if wire.v > VERSION => Said::Unsupported,
            "record" => Said::Record(Logged {
                address: wire.address.clone().ok_or_else(|| missing("address"))?,
                sha256: wire.sha256.ok_or_else(|| missing("sha256"))?,
                recorded_on: wire.recorded_on.ok_or_else(|| missing("recordedOn"))?,
                keep_until: wire.keep_until,
                via: wire.via.ok_or_else(|| missing("via"))?,
            }),
            "heartbeat" => Said::Heartbeat {
                records: wire.records.ok_or_else(|| missing("records"))?,
                by: wire.by.clone().unwrap_or_default(),
            },
            "void" => Said::Void { slot: wire.slot.ok_or_else(|| missing("slot"))?, sha256: wire.sha256 },
            _ => Said::Unsupported,
        };
        Ok(Self { seq: wire.seq, logged_on: wire.logged_on, said })
    }

    /// The record that it names.
    pub(crate) fn record(&self) -> Option<&Logged> {
        match &self.said {
            Said::Record(logged) => Some(logged),
            _ => None,
        }
    }
}

/// The hash of a leaf's bytes in the tree.
pub(crate) fn hash(bytes: &[u8]) -> Sha256Digest {
    tree::leaf_hash(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn on(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The form is a contract: what is hashed today must be hashed the same in ten years.
    #[test]
    fn the_bytes_of_every_kind() {
        let logged = Logged {
            address: "evidence/env=p/date=2026-11-23/run=github-1-1/run.json".into(),
            sha256: Sha256Digest::of(b"x"),
            recorded_on: on("2026-11-23T01:02:03.004Z"),
            keep_until: Some(on("2027-12-28T01:02:03.004Z")),
            via: Via::Attest,
        };
        let digest = Sha256Digest::of(b"x");
        let table = [
            (
                Said::Record(logged),
                format!(
                    r#"{{"v":1,"seq":7,"kind":"record","loggedOn":"2026-11-23T01:02:04Z","address":"evidence/env=p/date=2026-11-23/run=github-1-1/run.json","sha256":"{digest}","recordedOn":"2026-11-23T01:02:03.004Z","keepUntil":"2027-12-28T01:02:03.004Z","via":"attest"}}"#
                ),
            ),
            (
                Said::Heartbeat { records: 3, by: "github-9-1".into() },
                r#"{"v":1,"seq":7,"kind":"heartbeat","loggedOn":"2026-11-23T01:02:04Z","records":3,"by":"github-9-1"}"#
                    .into(),
            ),
            (
                Said::Void { slot: 5, sha256: Some(digest) },
                format!(
                    r#"{{"v":1,"seq":7,"kind":"void","loggedOn":"2026-11-23T01:02:04Z","sha256":"{digest}","slot":5}}"#
                ),
            ),
        ];
        for (said, text) in table {
            let leaf = Leaf { seq: 7, logged_on: on("2026-11-23T01:02:04Z"), said };
            assert_eq!(String::from_utf8(leaf.to_bytes().unwrap()).unwrap(), text);
            assert_eq!(Leaf::parse(text.as_bytes()), Ok(leaf));
        }
    }

    #[test]
    fn what_is_newer_keeps_its_place_and_what_is_broken_is_refused() {
        let newer = [
            r#"{"v":2,"seq":9,"loggedOn":"2026-11-23T01:02:04Z"}"#,
            r#"{"v":1,"seq":9,"kind":"cosigned","loggedOn":"2026-11-23T01:02:04Z"}"#,
            r#"{"v":2,"seq":9,"kind":"record","loggedOn":"2026-11-23T01:02:04Z","via":"pigeon"}"#,
        ];
        for text in newer {
            assert_eq!(Leaf::parse(text.as_bytes()).map(|l| (l.seq, l.said)), Ok((9, Said::Unsupported)), "{text}");
        }
        for bad in
            ["", "{}", r#"{"v":1,"seq":-1}"#, r#"{"v":1,"seq":9,"kind":"record","loggedOn":"2026-11-23T01:02:04Z"}"#]
        {
            assert!(Leaf::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Leaf::parse(&bytes);
        }

        #[test]
        fn a_record_comes_back(seq: u64, address: String, sha: [u8; 32], at in 0i64..4_000_000_000_000) {
            let recorded_on = DateTime::from_timestamp_millis(at).unwrap();
            let said = Said::Record(Logged { address, sha256: Sha256Digest::from_bytes(sha), recorded_on, keep_until: None, via: Via::Spool });
            let leaf = Leaf { seq, logged_on: recorded_on, said };
            prop_assert_eq!(Leaf::parse(&leaf.to_bytes().unwrap()), Ok(leaf));
        }
    }
}
