//! The one write verb. The rule: a create that did not clearly succeed or fail is settled by looking
//! at what stands there, and nothing is called done before it was read back by version.

use super::address::Address;
use super::lock::Retention;
use super::tags::{TAGS, Tags};
use super::trouble::Trouble;
use super::{LIMIT, Vault, VaultError, local};
use crate::record::digest::Sha256Digest;
use object_store::path::Path;

/// Whether this call stored the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did.
    Created,
    /// The same bytes were there before.
    AlreadyThere,
}

/// A put, read back.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    /// Created, or already there.
    pub outcome: Outcome,
    /// The place in the vault.
    pub address: Address,
    /// The place in the world: `s3://bucket/key?versionId=…`, `file:///…`.
    pub uri: String,
    /// The store's version of the object. `None` where it keeps none.
    pub version_id: Option<String>,
    /// SHA-256 of the bytes, as read back.
    pub sha256: Sha256Digest,
    /// The lock as read back; also one that the bucket gave by default. `None`: none was seen.
    pub lock: Option<Retention>,
    /// How many tags were seen. `None`: the store did not say.
    pub tags_observed: Option<usize>,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// See [`Vault::put_once`].
pub(super) async fn put_once(
    vault: &Vault,
    address: &Address,
    bytes: &[u8],
    tags: &Tags,
    lock: Option<&Retention>,
) -> Result<Put, VaultError> {
    if bytes.len() as u64 > LIMIT {
        return Err(VaultError::TooLarge { address: address.to_string(), size: bytes.len() as u64, limit: LIMIT });
    }
    let ours = Sha256Digest::of(bytes);
    let place = vault.place(address.as_str())?;
    let doing = format!("store `{address}` in {}", vault.location());
    vault.admit().await?;
    let lock_header = lock.filter(|_| vault.opened.words.locks);

    let mut tries = vault.tries();
    let mut perhaps_ours = false;
    let (outcome, version, standing) = loop {
        let mut surely_there = false;
        let why = match vault.create(&place, bytes, Some(tags), lock_header, &doing).await {
            Ok(version) => break (Outcome::Created, version, None),
            Err(Trouble::Firm(e)) => return Err(e),
            Err(Trouble::Exists) => {
                surely_there = true;
                "the store says that it exists, but does not show it".to_owned()
            }
            Err(Trouble::Busy(why)) => why,
            Err(Trouble::Unclear(why)) => {
                perhaps_ours = true;
                why
            }
            Err(Trouble::Missing) => "the store answered 404".to_owned(),
        };
        match vault.fetch(&place, None, &doing).await {
            Ok(theirs) if theirs.bytes == bytes => {
                let outcome = if perhaps_ours { Outcome::Created } else { Outcome::AlreadyThere };
                break (outcome, theirs.version.clone(), Some(theirs));
            }
            Ok(theirs) => {
                return Err(VaultError::Different {
                    address: address.to_string(),
                    uri: vault.uri(&place, theirs.version.as_deref()),
                    ours_sha256: Box::new(ours),
                    theirs_sha256: Sha256Digest::of(&theirs.bytes),
                    theirs: theirs.bytes,
                });
            }
            // Without the right to list, AWS answers 403 for a key that is not there.
            Err(Trouble::Firm(VaultError::Denied { .. })) if !surely_there => {}
            Err(Trouble::Firm(e)) => return Err(e),
            Err(Trouble::Missing | Trouble::Unclear(_) | Trouble::Busy(_) | Trouble::Exists) => {}
        }
        if !tries.again().await {
            return Err(VaultError::Unreachable { doing, why, tries: tries.made });
        }
    };

    let uri = vault.uri(&place, version.as_deref());
    let back = match standing {
        Some(theirs) => theirs,
        None => {
            let doing = format!("read back {uri}, which the store has accepted");
            vault.fetch_patiently(&place, version.as_deref(), &doing).await?
        }
    };
    let theirs = Sha256Digest::of(&back.bytes);
    if theirs != ours {
        return Err(VaultError::Corrupt { uri, ours_sha256: ours, theirs_sha256: theirs });
    }
    let observed = (vault.opened.words.heard)(&back.heard);
    let mut put = Put {
        outcome,
        address: address.clone(),
        uri,
        version_id: version,
        sha256: theirs,
        lock: observed.lock,
        tags_observed: observed.tags,
        warnings: Vec::new(),
    };
    // Only records are looked for by their tags.
    if vault.opened.beside.is_some() && address.parts().is_none() {
        put.tags_observed = None;
    } else if vault.opened.beside.is_some() {
        put.tags_observed = local::beside(vault, address, tags, &mut put.warnings).await;
    } else {
        remark(&mut put);
    }
    confirm(vault, &place, put, lock).await
}

/// What is odd about a stored object, short of a failure.
fn remark(put: &mut Put) {
    match put.tags_observed {
        Some(TAGS) => {}
        Some(n) => put.warnings.push(format!("{n} of {TAGS} tags were observed; the record itself holds the same words")),
        None => put.warnings.push(
            "the store does not tell of tags (no s3:GetObjectTagging, or it keeps none); the record itself holds the same \
             words"
                .into(),
        ),
    }
    if put.version_id.is_none() {
        put.warnings.push("the bucket keeps no versions: an overwrite by others would leave no trace".into());
    }
}

/// A lock that was asked for and is not seen is a failure, never a warning.
async fn confirm(vault: &Vault, place: &Path, put: Put, lock: Option<&Retention>) -> Result<Put, VaultError> {
    let Some(asked) = lock else { return Ok(put) };
    let why = match &put.lock {
        Some(seen) if seen.satisfies(asked) => return Ok(put),
        Some(seen) => format!("the object has {seen}"),
        None => (vault.opened.words.unseen)(vault, place, put.version_id.as_deref()).await,
    };
    Err(VaultError::LockNotObserved { asked: *asked, why, put: Box::new(put) })
}
