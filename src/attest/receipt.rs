//! What `attest` answers.

use super::MOST_ARTIFACTS;
use super::append::Appended;
use crate::record::Record;
use crate::record::digest::Sha256Digest;
use crate::vault::lock::Retention;
use crate::vault::{self, Put};
use serde::Serialize;

/// How the record came to stand in the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Stored {
    /// Written now.
    Created,
    /// These very bytes stood there already.
    AlreadyThere,
    /// A record with the same claims stood there already: a step that ran twice. It is the one that counts.
    SameClaims,
    /// A different record stands for this run, attempt and kind. Both are kept; this one beside it.
    Conflict,
}

/// What `attest` answers.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receipt {
    /// Place in the vault.
    pub(crate) address: String,
    /// The same as a URI that names the version, where the store has versions.
    pub(crate) uri: String,
    /// SHA-256 of the stored object.
    pub(crate) sha256: Sha256Digest,
    /// The store's version id.
    pub(crate) version_id: Option<String>,
    /// The lock that was read back from the store; null where there is none.
    #[serde(serialize_with = "locked")]
    pub(crate) retention: Option<Retention>,
    /// Entry and checkpoint of the ledger; null when the record could not be added to it yet.
    pub(crate) ledger: Option<Logged>,
    /// The key that signed.
    pub(crate) keyid: String,
    /// How the run ended, where the record is of a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<&'static str>,
    /// How the record came to stand there.
    pub(crate) stored: Stored,
    /// Where the record stands that this one contradicts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conflicts_with: Option<String>,
    /// What a person should know.
    pub(crate) warnings: Vec<String>,
}

/// Where the ledger stood when the record was in it. Whoever keeps the checkpoint can show later that nothing was taken away
/// before it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Logged {
    /// The entry, from 0.
    pub(crate) slot: u64,
    /// Leaves in the ledger after it.
    pub(crate) size: u64,
    /// Signed checkpoint (C2SP `tlog-checkpoint`).
    pub(crate) checkpoint: String,
}

impl From<&Appended> for Logged {
    fn from(at: &Appended) -> Self {
        Self { slot: at.slot, size: at.size, checkpoint: at.checkpoint.clone() }
    }
}

/// The receipt of a record that was put and is not in the ledger yet.
pub(super) fn receipt(record: &Record, keyid: &str, put: Put, conflicts_with: Option<String>) -> Receipt {
    let stored = match (&conflicts_with, put.outcome) {
        (Some(_), _) => Stored::Conflict,
        (None, vault::Outcome::Created) => Stored::Created,
        (None, vault::Outcome::AlreadyThere) => Stored::AlreadyThere,
    };
    let mut warnings = put.warnings;
    let run = record.as_run();
    if let Some(run) = run.filter(|run| run.artifacts.len() > MOST_ARTIFACTS) {
        warnings.push(format!(
            "all {} artifacts are in the record, {MOST_ARTIFACTS} of them as subjects: outside verifiers take no more",
            run.artifacts.len()
        ));
    }
    Receipt {
        address: put.address.to_string(),
        uri: put.uri,
        sha256: put.sha256,
        version_id: put.version_id,
        retention: put.lock,
        ledger: None,
        keyid: keyid.to_owned(),
        outcome: run.map(|run| run.run.outcome.as_str()),
        stored,
        conflicts_with,
        warnings,
    }
}

/// `{mode, until, legalHold}`, as the store told it.
fn locked<S: serde::Serializer>(lock: &Option<Retention>, s: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Lock {
        mode: String,
        until: chrono::DateTime<chrono::Utc>,
        legal_hold: bool,
    }
    let shown = |l: &Retention| Lock { mode: l.mode.as_str().to_lowercase(), until: l.until, legal_hold: l.legal_hold };
    lock.as_ref().map(shown).serialize(s)
}
