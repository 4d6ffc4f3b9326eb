//! The label of a record that waits: how it is to be delivered. JSON beside the bundle, version 1.

use crate::record::digest::Sha256Digest;
use crate::record::json;
use crate::vault::address::Address;
use crate::vault::lock::{Mode, Retention};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The largest parcel that is written or read, in bytes. Ours have some hundreds.
pub(super) const LIMIT: u64 = 1024 * 1024;

const VERSION: u32 = 1;

/// How a record is to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parcel {
    /// The vault, as the step said it.
    pub vault: String,
    /// Where in the vault. Always the place of a record (`evidence/…`): a label must not lead a write anywhere else.
    pub address: Address,
    /// SHA-256 of the bundle.
    pub sha256: Sha256Digest,
    /// Environment of the record.
    pub environment: String,
    /// The platform's id of the run.
    pub run_id: String,
    /// The record's own time.
    pub recorded_on: DateTime<Utc>,
    /// The lock to ask of the store.
    pub lock: Option<Retention>,
    /// Until when the record must be kept, also where no lock is asked for.
    pub keep_until: Option<DateTime<Utc>>,
    /// When it was put here.
    pub kept_on: DateTime<Utc>,
}

/// Version 1 on the disk. A label is an instruction: one that we understand in part must not be followed in part, so
/// unknown fields are refused and any new one makes a new version.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct V1 {
    v: u32,
    vault: String,
    address: String,
    sha256: Sha256Digest,
    environment: String,
    run_id: String,
    recorded_on: DateTime<Utc>,
    lock: Option<Lock>,
    keep_until: Option<DateTime<Utc>>,
    kept_on: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Lock {
    mode: String,
    until: DateTime<Utc>,
    legal_hold: bool,
}

/// What every version has.
#[derive(Deserialize)]
struct AnyVersion {
    v: u32,
}

impl Parcel {
    /// Whether both lead to the same place.
    pub(super) fn goes_where(&self, other: &Self) -> bool {
        (&self.vault, &self.address) == (&other.vault, &other.address)
    }

    /// The JSON; an error says why this could not be read again.
    pub(super) fn write(&self) -> Result<Vec<u8>, String> {
        let lock = |l: &Retention| Lock { mode: l.mode.as_str().to_owned(), until: l.until, legal_hold: l.legal_hold };
        let v1 = V1 {
            v: VERSION,
            vault: self.vault.clone(),
            address: self.address.to_string(),
            sha256: self.sha256,
            environment: self.environment.clone(),
            run_id: self.run_id.clone(),
            recorded_on: self.recorded_on,
            lock: self.lock.as_ref().map(lock),
            keep_until: self.keep_until,
            kept_on: self.kept_on,
        };
        let bytes = json::to_vec(&v1).map_err(|e| e.to_string())?;
        // What cannot come out again must not go in.
        match Self::read(&bytes)? {
            same if same == *self => Ok(bytes),
            _ => Err("its label does not survive being written".to_owned()),
        }
    }

    /// Reads the JSON; an error says what is wrong with it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() as u64 > LIMIT {
            return Err(format!("it is larger than {LIMIT} bytes, which no parcel is"));
        }
        let bad = |e: serde_json::Error| format!("it is no parcel: {}", tame(&e.to_string()));
        let AnyVersion { v } = serde_json::from_slice(bytes).map_err(bad)?;
        if v != VERSION {
            return Err(format!(
                "it is a parcel of version {v}; this vouchsafe knows version {VERSION}, a newer one knows more"
            ));
        }
        let v1: V1 = serde_json::from_slice(bytes).map_err(bad)?;
        let address = Address::parse(&v1.address).map_err(|e| tame(&e.to_string()))?;
        if address.parts().is_none() {
            return Err(format!("`{}` is not the address of a record", tame(address.as_str())));
        }
        let lock = match v1.lock {
            None => None,
            Some(lock) => {
                let mode = Mode::parse(&lock.mode).ok_or("its lock has a mode that this vouchsafe does not know")?;
                Some(Retention { mode, until: lock.until, legal_hold: lock.legal_hold })
            }
        };
        Ok(Self {
            vault: v1.vault,
            address,
            sha256: v1.sha256,
            environment: v1.environment,
            run_id: v1.run_id,
            recorded_on: v1.recorded_on,
            lock,
            keep_until: v1.keep_until,
            kept_on: v1.kept_on,
        })
    }
}

/// Text out of a file, fit for a message.
fn tame(text: &str) -> String {
    text.chars().filter(|&c| !json::acts(c)).take(300).collect()
}
