//! A record in the spool that is ours for now.

use super::disk::{self, Lock};
use super::{Parcel, SpoolError};
use crate::record::digest::Sha256Digest;
use crate::vault;
use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A record that waits and that nobody else delivers while this lives.
#[derive(Debug)]
pub(crate) struct Held {
    pub(super) parcel: Parcel,
    pub(super) bare: Bare,
    pub(super) label: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) _lock: Lock,
    pub(super) _claim: Claim,
}

/// A bundle in the spool.
#[derive(Debug)]
pub(crate) struct Bare {
    pub(super) file: PathBuf,
    pub(super) sha256: Sha256Digest,
}

/// This process's own mark on a record.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) sha256: Sha256Digest,
    pub(super) ours: Arc<Mutex<BTreeSet<Sha256Digest>>>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.ours.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.sha256);
    }
}

impl Held {
    /// How it is to be delivered.
    pub(crate) fn parcel(&self) -> &Parcel {
        &self.parcel
    }

    /// The bundle, at most [`vault::LIMIT`] bytes, checked against its name again.
    pub(crate) fn bundle(&self) -> Result<Vec<u8>, SpoolError> {
        self.bare.bundle()
    }

    /// Where the bundle lies.
    pub(crate) fn file(&self) -> &Path {
        &self.bare.file
    }

    /// Removes the record from the spool: it is in the vault and in the ledger. After an error it waits on and will be
    /// delivered again, which the vault takes for once.
    pub(crate) fn delivered(self) -> Result<(), SpoolError> {
        disk::remove(&self.bare.file)?;
        disk::remove(&self.label)?;
        disk::sync(&self.folder)
    }
}

impl Bare {
    /// The bundle, at most [`vault::LIMIT`] bytes, checked against its name again.
    pub(crate) fn bundle(&self) -> Result<Vec<u8>, SpoolError> {
        let damaged = |why| SpoolError::Damaged { file: self.file.clone(), why };
        let file = disk::open(&self.file).map_err(|e| damaged(e.to_string()))?;
        let mut bytes = Vec::new();
        file.take(vault::LIMIT + 1).read_to_end(&mut bytes).map_err(|e| damaged(e.to_string()))?;
        self.is_own(Sha256Digest::of(&bytes), bytes.len() as u64).map_err(damaged)?;
        Ok(bytes)
    }

    /// Where it lies.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Whether the bytes are what the name says, in constant memory.
    pub(super) fn check(&self) -> Result<(), String> {
        let say = |e: io::Error| e.to_string();
        let file = disk::open(&self.file).map_err(say)?;
        let (sha256, size) = Sha256Digest::of_reader(file.take(vault::LIMIT + 1), |_| {}).map_err(say)?;
        self.is_own(sha256, size)
    }

    fn is_own(&self, sha256: Sha256Digest, size: u64) -> Result<(), String> {
        if size > vault::LIMIT {
            return Err(format!("it is larger than {} bytes, which no record is", vault::LIMIT));
        }
        if sha256 != self.sha256 {
            return Err(format!("its sha256 is {sha256}, not its name: it was cut short or changed"));
        }
        Ok(())
    }
}
