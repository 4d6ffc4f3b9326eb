//! Everything that stands in a vault, every version of it, for verification. Nothing is left out in silence: what is no
//! address of ours is told of as well, and where versions cannot be seen the answer says so.

use super::address::Address;
use super::pages::{Listing, Pages};
use super::{Vault, VaultError, folder};
use chrono::{DateTime, Utc};
use std::ops::ControlFlow;

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// An address. What stands there need not be a record.
    Address(Address),
    /// No address of ours to read (`a//b`, `../x`, a control character, a pipe in a folder): its name below the vault, with
    /// `%xx` for what is no UTF-8. Not fit to print as it is.
    Odd(String),
}

/// One object, one version of an object, or one delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Where.
    pub place: Place,
    /// The store's version, fit for [`Vault::get`]; `null` is a version too: one from before versioning. `None`: not told.
    pub version: Option<String>,
    /// Whether it is what a read without a version finds.
    pub latest: bool,
    /// A delete marker: from here on the address looked empty, and could be put again.
    pub marker: bool,
    /// Bytes; 0 for a marker.
    pub size: u64,
    /// When the store says it was put. Who owns a folder sets this as they like.
    pub modified: Option<DateTime<Utc>>,
}

/// Whether versions were seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Versions {
    /// All of them were told.
    Listed,
    /// The store keeps none: a folder, or a bucket where everything is version `null`. What was overwritten left no trace.
    NotKept,
    /// They may be there and were not shown: only current objects were told. Why, for people.
    Unseen(String),
}

/// A finished sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Swept {
    /// Whether every version was told of, or only what is current. After a break: as far as it went.
    pub versions: Versions,
}

/// See [`Vault::sweep`].
pub(super) fn sweep(
    vault: &Vault,
    prefix: &str,
    each: &mut dyn FnMut(Seen) -> ControlFlow<()>,
) -> Result<Swept, VaultError> {
    if let Some(folder) = &vault.opened.folder {
        folder::walk(folder, prefix, None, each)?;
        return Ok(Swept { versions: Versions::NotKept });
    }
    let listing = |versions| Listing { versions, prefix, after: None, most: None, flat: false };
    let mut pages = Pages::new(vault, listing(true));
    let first = match pages.turn() {
        Ok(first) => first.unwrap_or_default(),
        Err(error) => {
            let why = withheld(error)?;
            Pages::new(vault, listing(false)).tell(each)?;
            return Ok(Swept { versions: Versions::Unseen(why) });
        }
    };
    let (mut any, mut kept) = (false, false);
    let mut told = |seen: Seen| {
        any = true;
        kept |= seen.marker || seen.version.as_deref().is_some_and(|version| version != "null");
        each(seen)
    };
    if first.into_iter().try_for_each(&mut told).is_continue() {
        pages.tell(&mut told)?;
    }
    Ok(Swept { versions: if any && !kept { Versions::NotKept } else { Versions::Listed } })
}

/// Why the store shows no versions; an error that says something else comes back. Where it was the credentials, the plain
/// listing that follows meets the same refusal and says so.
fn withheld(error: VaultError) -> Result<String, VaultError> {
    match error {
        VaultError::Denied { why, .. } => Ok(format!("{why}; grant s3:ListBucketVersions")),
        VaultError::Other { why, .. } => Ok(why),
        VaultError::NotFound { .. } => Ok("the store answered 404 to the question for versions".into()),
        other => Err(other),
    }
}
