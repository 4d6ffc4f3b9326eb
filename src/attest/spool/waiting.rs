//! What waits in the spool, and what a kill left there.

use super::disk::Grip;
use super::held::{Bare, Held};
use super::{BUNDLE, PARCEL, Spool, SpoolError, disk, read_parcel};
use crate::record::digest::Sha256Digest;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Litter is swept when it is older than this, in milliseconds: nobody takes so long between two steps.
const HOUR: i64 = 60 * 60 * 1000;

/// One thing that waits.
#[expect(clippy::large_enum_variant, reason = "there is one of them at a time")]
#[derive(Debug)]
pub(crate) enum Waiting {
    /// Ours to deliver.
    Ready(Held),
    /// A whole bundle without a label, kept by an earlier version or by hand: [`Spool::keep`] labels and holds it.
    Unlabelled(Bare),
    /// Another process is at it right now, or this one is.
    Busy(PathBuf),
    /// It cannot be delivered as it is. It stays.
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it, for people.
        why: String,
    },
}

impl Spool {
    /// Everything that waits, oldest first. Bundles are looked at when their turn comes, one at a time; each [`Held`] has
    /// a file open, so let one go before taking the next. A folder that is not there is empty, and is not made.
    ///
    /// Also sweeps what a kill left half done, once it is older than an hour at `now` and nobody holds it.
    pub(crate) fn waiting(&self, now: DateTime<Utc>) -> Result<impl Iterator<Item = Waiting> + use<>, SpoolError> {
        let now = now.timestamp_millis();
        let failed = |cause| SpoolError::Disk { doing: "read", place: self.folder.clone(), cause };
        let (mut found, mut strange) = (BTreeSet::new(), BTreeSet::new());
        let entries = match std::fs::read_dir(&self.folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            entries => Some(entries.map_err(failed)?),
        };
        for entry in entries.into_iter().flatten() {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if is_staged(&name) {
                sweep(&entry.path(), now);
            } else if let Some(stem) = name.strip_suffix(BUNDLE).or_else(|| name.strip_suffix(PARCEL)) {
                match named(stem) {
                    Some(sha256) => found.insert(sha256),
                    None => strange.insert(entry.path()),
                };
            }
        }
        let mut order: Vec<_> = found.into_iter().map(|sha256| (self.since(sha256).unwrap_or(now), sha256)).collect();
        order.sort_unstable();
        let spool = self.clone();
        let turns = order.into_iter().filter_map(move |(_, sha256)| spool.turn(sha256, now));
        let why = "its name is not the sha256 of a record, so nobody can tell whether it is whole";
        Ok(turns.chain(strange.into_iter().map(|file| Waiting::Damaged { file, why: why.to_owned() })))
    }

    /// Since when a record waits, in milliseconds since 1970: its label's word, else the age of the file.
    fn since(&self, sha256: Sha256Digest) -> Option<i64> {
        let label = self.place(sha256, PARCEL);
        let parcel = disk::open(&label).ok().and_then(|file| read_parcel(&file, sha256).ok());
        parcel
            .map(|p| p.kept_on.timestamp_millis())
            .or_else(|| disk::written_at(&self.place(sha256, BUNDLE)))
            .or_else(|| disk::written_at(&label))
    }

    /// One record's turn; `None` when it was delivered in the meantime, or is litter.
    fn turn(&self, sha256: Sha256Digest, now: i64) -> Option<Waiting> {
        let bare = self.bare(sha256);
        let label = self.place(sha256, PARCEL);
        let Some(claim) = self.claim(sha256) else { return Some(Waiting::Busy(bare.file)) };
        let lock = match disk::grip(&label) {
            Ok(Grip::Ours(lock)) => lock,
            Ok(Grip::Busy) => return Some(Waiting::Busy(bare.file)),
            Ok(Grip::Gone) if disk::is_absent(&bare.file) => return None,
            // It was put here between our two looks, by who holds it now.
            Ok(Grip::Gone) if !disk::is_absent(&label) => return Some(Waiting::Busy(bare.file)),
            Ok(Grip::Gone) => {
                return Some(match bare.check() {
                    Ok(()) => Waiting::Unlabelled(bare),
                    Err(why) => Waiting::Damaged { file: bare.file, why },
                });
            }
            Err(e) => return Some(Waiting::Damaged { file: label, why: e.to_string() }),
        };
        // Before anything is swept: a label that we do not understand is not ours to judge.
        let parcel = match read_parcel(lock.file(), sha256) {
            Ok(parcel) => parcel,
            Err(why) => return Some(Waiting::Damaged { file: label, why }),
        };
        if disk::is_absent(&bare.file) {
            if is_old(&label, now) {
                let _ = disk::remove(&label);
            }
            return None;
        }
        Some(match bare.check() {
            Err(why) => Waiting::Damaged { file: bare.file, why },
            Ok(()) => {
                let folder = self.folder.clone();
                Waiting::Ready(Held { parcel, bare, label, folder, _lock: lock, _claim: claim })
            }
        })
    }
}

/// The digest that a name says; only as we write it.
fn named(stem: &str) -> Option<Sha256Digest> {
    Sha256Digest::parse(stem).filter(|sha256| sha256.to_string() == stem)
}

/// Whether the name is one of [`disk::stage`]'s.
fn is_staged(name: &str) -> bool {
    let inner = name.strip_prefix('.').and_then(|n| n.strip_suffix(".part"));
    inner.and_then(|n| n.split_once('.')).is_some_and(|(stem, n)| named(stem).is_some() && n.parse::<u32>().is_ok())
}

fn is_old(place: &Path, now: i64) -> bool {
    disk::written_at(place).is_some_and(|at| now.saturating_sub(at) > HOUR)
}

/// Removes a staged file that nobody works on any more. A failure leaves it for the next time.
fn sweep(place: &Path, now: i64) {
    // The age first: a young one must not be found locked by the process that just made it.
    if is_old(place, now) && matches!(disk::grip(place), Ok(Grip::Ours(_))) {
        let _ = disk::remove(place);
    }
}
