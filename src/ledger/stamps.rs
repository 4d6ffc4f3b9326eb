//! Time-stamps beside a ledger: an authority's word (RFC 3161) that a checkpoint existed. The checkpoint lies in
//! `checkpoints/<size>`, the answer over its bytes in `timestamps/<size>.tsr`; `openssl ts -verify` takes the two as they are.

use super::{folders, slot};
use crate::ledger::whole::Anchors;
use crate::seal::timestamp;
use crate::seal::trust::TrustSet;
use crate::vault::address::Address;
use crate::vault::{Vault, VaultError};
use chrono::{DateTime, Utc};

/// One time-stamp.
pub(crate) struct Stamped {
    /// Where the answer stands.
    pub(crate) address: String,
    /// Leaves in the ledger when it was stamped.
    pub(crate) size: u64,
    /// When and by whom, if the roots vouch for it; else what is wrong.
    pub(crate) stamp: Result<(DateTime<Utc>, String), String>,
}

/// Checks every time-stamp in the vault, and takes the checkpoints that they are over for anchors: whether the ledger still
/// contains what was stamped, its walk will show. Without `roots` they are only counted.
pub(crate) fn read(
    vault: &Vault,
    roots: Option<&str>,
    trust: &TrustSet,
    anchors: &mut Anchors,
) -> Result<(Vec<Stamped>, u64), VaultError> {
    let (mut all, mut unchecked) = (Vec::new(), 0);
    for environment in folders::environments(vault, "ledger/")?.0 {
        let folder = slot::folder(&environment);
        let mut names: Vec<String> = folders::names(vault, &folder, &["timestamps/"])?.into_keys().collect();
        names.sort();
        for name in names {
            let Some(roots) = roots else {
                unchecked += 1;
                continue;
            };
            let address = format!("{folder}{name}");
            let size =
                name.strip_prefix("timestamps/").and_then(|n| n.strip_suffix(".tsr")).and_then(|n| n.parse().ok());
            let stamp = match size {
                Some(size) => one(vault, &environment, size, roots, trust, anchors),
                None => Err("its name says no size".to_owned()),
            };
            all.push(Stamped { address, size: size.unwrap_or_default(), stamp });
        }
    }
    Ok((all, unchecked))
}

fn one(
    vault: &Vault,
    environment: &str,
    size: u64,
    roots: &str,
    trust: &TrustSet,
    anchors: &mut Anchors,
) -> Result<(DateTime<Utc>, String), String> {
    let read = |place: String| {
        let address = Address::parse(&place).map_err(|e| e.to_string())?;
        vault.get(&address, None).map_err(|e| e.to_string())
    };
    let note = read(slot::checkpoint_name(environment, size))?;
    let answer = read(slot::stamp_name(environment, size))?;
    let stamp = timestamp::verify(&answer, &note, roots).map_err(|e| e.to_string())?;
    let found = anchors.read(&format!("time-stamp of {} over", stamp.on), note.as_slice(), trust);
    if !matches!(found, Ok(1)) {
        return Err("what was stamped is no checkpoint".to_owned());
    }
    Ok((stamp.on, stamp.signer.unwrap_or_default()))
}
