//! `--anchor TARGET`, and the target of `ledger anchor`: words to places outside the vault.

use super::exit::{Exit, Failure};
use super::lock::Keep;
use super::open_vault;
use super::world::World;
use crate::attest::{AnchorError, Anchored, Target, anchor};
use crate::vault::{Tags, Vault};
use std::path::PathBuf;

/// A place for anchors.
pub(super) enum Place {
    /// A file of notes.
    File(PathBuf),
    /// A folder or another vault.
    Vault(Box<Vault>),
}

impl Place {
    /// A URL with a scheme, or a folder that is there, is a vault; everything else is a file.
    pub(super) fn parse(world: &World, text: &str) -> Result<Self, Failure> {
        if text.contains("://") || text.ends_with('/') || world.at(text).is_dir() {
            return Ok(Self::Vault(Box::new(open_vault(world, text)?)));
        }
        Ok(Self::File(world.at(text)))
    }

    /// Whether it is on this machine, where nothing can be locked.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Self::File(_) => true,
            Self::Vault(vault) => vault.is_local(),
        }
    }

    /// Keeps the checkpoint there, in a vault under a lock.
    pub(super) fn keep(
        &self,
        world: &World,
        environment: &str,
        note: &str,
        run_id: &str,
        keep: &Keep,
    ) -> Result<Anchored, AnchorError> {
        let now = (world.now)();
        let tags = Tags { env: environment.to_owned(), run_id: run_id.to_owned(), date: now.date_naive() };
        let lock = keep.lock(now);
        let target = match self {
            Self::File(file) => Target::File(file),
            Self::Vault(vault) => Target::Vault(vault, lock.as_ref()),
        };
        anchor(target, environment, note, &tags)
    }
}

/// `--tsa-url`: has an authority stamp the state that an append ended with. The record stands whatever comes of it.
#[cfg(feature = "tsa")]
pub(super) fn stamp(
    world: &mut World,
    vault: &Vault,
    url: &str,
    environment: &str,
    at: (u64, &str),
    run: &str,
    keep: &Keep,
) {
    use crate::attest::{Authority, State, stamp};
    use crate::gather::http::{Http, Options};
    let mut nonce = [0; 8];
    if !(world.random)(&mut nonce) {
        return super::words::warn(world, &["no time-stamp: the operating system gave no random bytes".to_owned()]);
    }
    let now = (world.now)();
    let tags = Tags { env: environment.to_owned(), run_id: run.to_owned(), date: now.date_naive() };
    let lock = keep.lock(now);
    let state = State { environment, size: at.0, note: at.1, tags: &tags, lock: lock.as_ref() };
    let http = Http::new(Options::proxied(|name| world.var(name).map(str::to_owned)));
    match stamp(&state, vault, &Authority { url, http: &http, nonce }, now) {
        Ok((on, warnings)) => {
            super::words::warn(world, &warnings);
            world.say(&format!("time-stamped by {}: the ledger stood so on {on}", crate::export::shown::line(url)));
        }
        Err(e) => super::words::warn(world, &[format!("the checkpoint is not time-stamped: {e:#}")]),
    }
}

/// A fork does not verify; all else could not be done.
pub(super) fn failure(e: AnchorError) -> Failure {
    let exit = if matches!(e, AnchorError::Fork { .. }) { Exit::Unverified } else { Exit::Failed };
    let help = match &e {
        AnchorError::Fork { .. } => {
            Some("keep both; whoever holds the signing key has rewritten the ledger: `vouchsafe verify` tells more")
        }
        AnchorError::Foreign { .. } => Some("name another place; nothing was overwritten"),
        _ => None,
    };
    Failure { exit, error: e.into(), help: help.map(str::to_owned) }
}
