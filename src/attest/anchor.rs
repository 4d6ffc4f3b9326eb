//! Checkpoints kept outside the vault: between an anchor and now nobody can take anything out of the ledger unseen.
//!
//! A file holds notes one after the other, separated by empty lines, and is only ever appended to. A folder or another vault
//! holds `anchors/env=<env>/<id of the ledger>/<size, 12 digits>`, one note each, create-only.

use crate::ledger::{slot, whole};
use crate::seal::tlog::checkpoint::Checkpoint;
use crate::seal::tlog::note::NoteError;
use crate::vault::address::Address;
use crate::vault::lock::Retention;
use crate::vault::{Outcome, Tags, Vault, VaultError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Bytes of a file of anchors: some hundred thousand of them.
const MOST: u64 = 64 * 1024 * 1024;

/// Where an anchor goes.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    /// A file of notes.
    File(&'a Path),
    /// A folder or another vault, and the lock to ask of it.
    Vault(&'a Vault, Option<&'a Retention>),
}

/// How the checkpoint came to stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchored {
    /// Written now.
    Added,
    /// It stood there.
    AlreadyThere,
}

/// Why it is not anchored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnchorError {
    /// The same ledger had another root at that size.
    #[error(
        "FORK: {place} holds another checkpoint of this ledger at the same size, so leaves before it were changed\n\
         anchored then:\n{theirs}the ledger now:\n{ours}"
    )]
    Fork { place: String, theirs: String, ours: String },
    /// Something else.
    #[error("could not anchor at {place}: what stands there is no checkpoint of this ledger")]
    Foreign { place: String },
    /// It is no checkpoint of a ledger of ours.
    #[error("could not anchor: {0}")]
    Note(#[from] NoteError),
    /// The disk.
    #[error("could not anchor in `{}`: {cause}", file.display())]
    Disk { file: PathBuf, cause: io::Error },
    /// The store.
    #[error("could not anchor: {0}")]
    Vault(#[from] VaultError),
}

/// Keeps the signed checkpoint `note` of the environment's ledger at `target`.
pub(crate) fn anchor(target: Target, environment: &str, note: &str, tags: &Tags) -> Result<Anchored, AnchorError> {
    let checkpoint = Checkpoint::peek(note)?;
    match target {
        Target::File(file) => in_file(file, note, &checkpoint),
        Target::Vault(vault, lock) => in_vault(vault, lock, environment, note, &checkpoint, tags),
    }
}

fn in_file(file: &Path, note: &str, ours: &Checkpoint) -> Result<Anchored, AnchorError> {
    let disk = |cause| AnchorError::Disk { file: file.to_owned(), cause };
    let mut text = String::new();
    match std::fs::File::open(file) {
        Ok(open) => {
            open.take(MOST + 1).read_to_string(&mut text).map_err(disk)?;
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(disk(e)),
    }
    if text.len() as u64 > MOST {
        return Err(disk(io::Error::other("it is larger than 64 MiB; name a new file")));
    }
    let mut standing = None;
    let found = whole::notes(text.as_bytes(), &mut |_, note| match Checkpoint::peek(note) {
        Ok(theirs) if theirs.origin == ours.origin && theirs.size == ours.size && standing.is_none() => {
            standing = Some((theirs, note.to_owned()));
        }
        _ => {}
    });
    found.map_err(disk)?;
    if let Some((theirs, note_of_theirs)) = standing {
        return same(ours, &theirs, &file.display().to_string(), note, &note_of_theirs);
    }
    let gap = match text.as_bytes() {
        [] => "",
        [.., b'\n'] => "\n",
        _ => "\n\n",
    };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(disk)?;
    }
    let mut open = std::fs::OpenOptions::new().append(true).create(true).open(file).map_err(disk)?;
    // One write: two who anchor at once do not write into each other's notes.
    open.write_all(format!("{gap}{note}").as_bytes()).and_then(|()| open.sync_all()).map_err(disk)?;
    Ok(Anchored::Added)
}

fn in_vault(
    vault: &Vault,
    lock: Option<&Retention>,
    environment: &str,
    note: &str,
    ours: &Checkpoint,
    tags: &Tags,
) -> Result<Anchored, AnchorError> {
    let id = ours.origin.split('/').nth(2).and_then(|id| id.parse::<uuid::Uuid>().ok());
    let id = id.ok_or(NoteError::Malformed("its origin is no ledger of ours"))?;
    let folder = slot::folder(environment);
    let place = format!("anchors/{}{id}/{:012}", folder.trim_start_matches("ledger/"), ours.size);
    let named = Address::parse(&place);
    let address = named.map_err(|e| VaultError::Other { doing: "name an anchor".into(), why: e.to_string() })?;
    match vault.put_once(&address, note.as_bytes(), tags, lock) {
        Ok(put) if put.outcome == Outcome::Created => Ok(Anchored::Added),
        Ok(_) => Ok(Anchored::AlreadyThere),
        // Anchored before, under a lock that ends earlier than one of now would.
        Err(VaultError::LockNotObserved { put, .. }) if put.outcome == Outcome::AlreadyThere && put.lock.is_some() => {
            Ok(Anchored::AlreadyThere)
        }
        Err(VaultError::Different { uri, theirs, .. }) => {
            let note_of_theirs = String::from_utf8_lossy(&theirs).into_owned();
            let theirs = Checkpoint::peek(&note_of_theirs).ok().filter(|t| t.origin == ours.origin);
            let theirs = theirs.filter(|t| t.size == ours.size).ok_or(AnchorError::Foreign { place: uri.clone() })?;
            same(ours, &theirs, &uri, note, &note_of_theirs)
        }
        Err(e) => Err(e.into()),
    }
}

/// Two checkpoints of one size: the same root, or a fork. Another key may have signed.
fn same(
    ours: &Checkpoint,
    theirs: &Checkpoint,
    place: &str,
    note: &str,
    note_of_theirs: &str,
) -> Result<Anchored, AnchorError> {
    if ours.root == theirs.root {
        return Ok(Anchored::AlreadyThere);
    }
    Err(AnchorError::Fork { place: place.to_owned(), theirs: note_of_theirs.to_owned(), ours: note.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::written::{self, Written};

    fn tags() -> Tags {
        Tags { env: "prod".into(), run_id: "x".into(), date: "2026-11-23".parse().unwrap() }
    }

    fn checkpoints() -> (String, String, String) {
        let mut w = Written::new();
        w.entries(&[1]);
        let first = w.base.clone().unwrap().note;
        w.entries(&[1]);
        let mut other = Written::new();
        other.entry(vec![crate::ledger::leaf::Said::Heartbeat { records: 0, by: "x".into() }]);
        (first, w.base.unwrap().note, other.base.unwrap().note)
    }

    #[test]
    fn a_file_keeps_every_checkpoint_once_and_finds_a_fork() {
        let (first, second, fork) = checkpoints();
        let dir = tempfile::tempdir().unwrap();
        for (name, before) in
            [("new", ""), ("deep/er/new", ""), ("log", "some log\nwithout an end"), ("log2", "a log\n")]
        {
            let file = dir.path().join(name);
            if !before.is_empty() {
                std::fs::write(&file, before).unwrap();
            }
            let put = |note: &str| anchor(Target::File(&file), "prod", note, &tags());
            assert_eq!(put(&first).unwrap(), Anchored::Added);
            assert_eq!(put(&second).unwrap(), Anchored::Added);
            assert_eq!(put(&first).unwrap(), Anchored::AlreadyThere);
            assert_eq!(put(&second).unwrap(), Anchored::AlreadyThere);
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.ends_with(&format!("{first}\n{second}")) && text.starts_with(before), "{text}");
            match put(&fork) {
                Err(AnchorError::Fork { theirs, ours, .. }) => assert!(theirs == first && ours == fork),
                other => panic!("{other:?}"),
            }
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "a fork changes nothing");
        }
        let place = dir.path().join("log/under-a-file");
        assert!(matches!(anchor(Target::File(&place), "prod", &first, &tags()), Err(AnchorError::Disk { .. })));
        assert!(matches!(anchor(Target::File(&place), "prod", "no note", &tags()), Err(AnchorError::Note(_))));
    }

    #[test]
    fn a_vault_keeps_every_checkpoint_once_and_finds_a_fork() {
        let (first, second, fork) = checkpoints();
        let dir = tempfile::tempdir().unwrap();
        let vault = written::vault(dir.path());
        let put = |note: &str| anchor(Target::Vault(&vault, None), "prod", note, &tags());
        for note in [&first, &second] {
            assert_eq!(put(note).unwrap(), Anchored::Added);
            assert_eq!(put(note).unwrap(), Anchored::AlreadyThere);
        }
        let place = "anchors/env=prod/00000000-0000-0000-0000-000000000000/000000000002";
        assert_eq!(std::fs::read_to_string(dir.path().join(place)).unwrap(), second);
        assert!(matches!(put(&fork), Err(AnchorError::Fork { .. })));
        std::fs::write(dir.path().join(place), "x").unwrap();
        assert!(matches!(put(&second), Err(AnchorError::Foreign { .. })));
    }

    #[test]
    fn another_keys_signature_over_the_same_tree_is_no_fork() {
        let (first, ..) = checkpoints();
        let other = crate::seal::signer::Signer::Key(crate::seal::key::PrivateKey::generate([5; 32]));
        let again = Checkpoint::peek(&first).unwrap().sign(&other).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (file, vault) = (dir.path().join("f"), written::vault(dir.path()));
        for target in [Target::File(&file), Target::Vault(&vault, None)] {
            assert_eq!(anchor(target, "prod", &first, &tags()).unwrap(), Anchored::Added);
            assert_eq!(anchor(target, "prod", &again, &tags()).unwrap(), Anchored::AlreadyThere);
        }
    }
}
