//! The spool: a folder on the local disk where a signed record waits until it is in the vault and in the ledger.
//!
//! `<sha256>.json` is the bundle as it was signed, so that `verify` and cosign can check it where it lies;
//! `<sha256>.parcel` says how it is to be delivered. Parcel first and bundle last when a record comes, bundle first and
//! parcel last when it goes: the bundle's name is what makes a record wait, and while it has that name it is whole.
//!
//! Whoever works on a record holds a lock on its parcel, not on its bundle: on Windows a locked file cannot be read.

mod disk;
mod held;
mod parcel;
mod waiting;

#[cfg(test)]
mod tests;

use crate::record::digest::Sha256Digest;
use crate::vault;
use disk::Grip;
use held::Claim;
pub(crate) use held::{Bare, Held};
pub(crate) use parcel::Parcel;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
pub(crate) use waiting::Waiting;

const BUNDLE: &str = ".json";
const PARCEL: &str = ".parcel";

/// What can go wrong with the spool. Nothing that waits is ever harmed by it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    /// The disk did not do it: full, read-only, not permitted. The cause's `kind` tells which.
    #[error("could not {doing} `{}`: {cause}\nthe spool needs a folder that can be written; --spool names another", place.display())]
    Disk { doing: &'static str, place: PathBuf, cause: io::Error },
    /// Another holds this very record.
    #[error("`{}` is being delivered right now, by another process or by this one", file.display())]
    Busy { file: PathBuf },
    /// The same record waits for another vault or address.
    #[error("`{}` waits already, for another vault or address\ndeliver it first, with `vouchsafe flush`", file.display())]
    Elsewhere { file: PathBuf },
    /// What lies there is not what its name says.
    #[error("could not take `{}` for a record: {why}", file.display())]
    Damaged { file: PathBuf, why: String },
    /// The record and its label could not be read again, so they are not kept.
    #[error("could not keep the record: {why}")]
    Unfit { why: String },
}

/// The folder. Clones are the same spool: what one holds the others do not hand out.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    /// What this process holds: the lock for file systems without locks.
    ours: Arc<Mutex<BTreeSet<Sha256Digest>>>,
}

impl Spool {
    /// The spool in `folder`, which is made when the first record comes.
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self { folder, ours: Arc::default() }
    }

    /// Keeps a record, down to the disk, and holds it for delivery. When this answers, no kill and no power cut loses it.
    ///
    /// The same record there already, for the same place: taken over with the label that it has. An error keeps nothing
    /// new, but for a folder that could not be synced: then the record may wait all the same.
    pub(crate) fn keep(&self, parcel: &Parcel, bundle: &[u8]) -> Result<Held, SpoolError> {
        let unfit = |why| SpoolError::Unfit { why };
        let sha256 = Sha256Digest::of(bundle);
        if sha256 != parcel.sha256 {
            return Err(unfit(format!("its sha256 is {sha256}, its label says {}", parcel.sha256)));
        }
        if bundle.len() as u64 > vault::LIMIT {
            return Err(unfit(format!("it is {} bytes; a record is at most {}", bundle.len(), vault::LIMIT)));
        }
        let text = parcel.write().map_err(unfit)?;
        let bare = self.bare(sha256);
        let label = self.place(sha256, PARCEL);
        let busy = || SpoolError::Busy { file: bare.file.clone() };
        let damaged = |why| SpoolError::Damaged { file: label.clone(), why };
        let claim = self.claim(sha256).ok_or_else(busy)?;
        disk::make(&self.folder)?;
        let standing = match disk::grip(&label).map_err(|e| damaged(e.to_string()))? {
            Grip::Busy => return Err(busy()),
            Grip::Gone => None,
            Grip::Ours(lock) => {
                let standing = read_parcel(lock.file(), sha256).map_err(damaged)?;
                if disk::is_absent(&bare.file) {
                    // Litter of a kill: nothing waits under this label.
                    disk::remove(&label)?;
                    None
                } else if standing.goes_where(parcel) {
                    Some((lock, standing))
                } else {
                    return Err(SpoolError::Elsewhere { file: bare.file });
                }
            }
        };
        let fresh = standing.is_none();
        let (lock, parcel) = match standing {
            Some(standing) => standing,
            None => {
                // Locked while it is staged, so that nobody ever sees it under its name and free.
                let (staged, lock) = disk::stage(&self.folder, sha256, &text)?;
                if !disk::publish_new(&staged, &label)? {
                    return Err(busy());
                }
                (lock, parcel.clone())
            }
        };
        if let Err(e) = self.lay(&bare, bundle) {
            // A network disk may say no and have done it: only a label of nothing goes.
            if fresh && bare.check().is_err() {
                let _ = disk::remove(&label);
            }
            return Err(e);
        }
        // One sync for both names: until it is done nothing was promised, and a bundle that comes back without its
        // label after a power cut is `Unlabelled`, not lost.
        disk::sync(&self.folder)?;
        Ok(Held { parcel, bare, label, folder: self.folder.clone(), _lock: lock, _claim: claim })
    }

    fn lay(&self, bare: &Bare, bundle: &[u8]) -> Result<(), SpoolError> {
        if !disk::is_absent(&bare.file) {
            return bare.check().map_err(|why| SpoolError::Damaged { file: bare.file.clone(), why });
        }
        let (staged, file) = disk::stage(&self.folder, bare.sha256, bundle)?;
        disk::publish(&staged, &bare.file)?;
        drop(file);
        Ok(())
    }

    fn claim(&self, sha256: Sha256Digest) -> Option<Claim> {
        let new = self.ours.lock().unwrap_or_else(PoisonError::into_inner).insert(sha256);
        new.then(|| Claim { sha256, ours: Arc::clone(&self.ours) })
    }

    fn bare(&self, sha256: Sha256Digest) -> Bare {
        Bare { file: self.place(sha256, BUNDLE), sha256 }
    }

    fn place(&self, sha256: Sha256Digest, ending: &str) -> PathBuf {
        self.folder.join(format!("{sha256}{ending}"))
    }
}

/// The label in an open file, if it is the label of this record.
fn read_parcel(file: &File, sha256: Sha256Digest) -> Result<Parcel, String> {
    let mut bytes = Vec::new();
    file.take(parcel::LIMIT + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    let parcel = Parcel::read(&bytes)?;
    if parcel.sha256 != sha256 {
        return Err(format!("it is the parcel of {}, not of the record whose name it has", parcel.sha256));
    }
    Ok(parcel)
}

/// Reads `bytes` as a label. For `fuzz/`.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    if let Ok(parcel) = Parcel::read(bytes) {
        assert!(parcel.address.parts().is_some(), "a label leads to a record and nowhere else");
    }
}
