//! The one write verb, and reading. The rule (storage.md 1.4, 4.1): a create that did not clearly succeed or fail is
//! settled by looking at what stands there, and nothing is called done before it was read back by version.

use super::address::{Address, SIDECAR};
use super::lock::Retention;
use super::trouble::Trouble;
use super::wire::{Ask, Heard};
use super::{LIMIT, Outcome, Put, Tags, Vault, VaultError};
use crate::record::digest::Sha256Digest;
use futures::StreamExt as _;
use http::HeaderMap;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore as _, PutMode, PutOptions, PutPayload, TagSet};

/// How many tags [`Tags`] makes.
pub(super) const TAGS: usize = 3;

/// An object, read whole.
pub(super) struct Fetched {
    pub bytes: Vec<u8>,
    heard: HeaderMap,
    version: Option<String>,
    etag: Option<String>,
}

impl Tags {
    /// Tag names are the product's contract; values keep to what every store takes (TagSet doc).
    fn pairs(&self) -> [(&'static str, String); TAGS] {
        let fit = |text: &str| -> String {
            let keep = |c: char| if c.is_ascii_alphanumeric() || "+-=._:/@".contains(c) { c } else { '_' };
            text.chars().map(keep).take(256).collect()
        };
        [("env", fit(&self.env)), ("pipeline-run-id", fit(&self.run_id)), ("date", self.date.to_string())]
    }
}

impl Vault {
    /// The object's key under the vault's prefix.
    pub(super) fn place(&self, text: &str) -> Result<Path, VaultError> {
        let root = self.opened.root.as_ref();
        let joined = if root.is_empty() { text.to_owned() } else { format!("{root}/{text}") };
        Path::parse(&joined)
            .map_err(|e| VaultError::Other { doing: format!("use the address `{text}`"), why: e.to_string() })
    }

    pub(super) fn uri(&self, place: &Path, version: Option<&str>) -> String {
        (self.opened.words.uri)(&self.opened, place, version)
    }

    /// Fetches credentials first, so that a missing role is not taken for a store that does not answer.
    pub(super) async fn admit(&self) -> Result<(), VaultError> {
        let Some(admit) = &self.opened.admit else { return Ok(()) };
        admit().await.map_err(|e| VaultError::Credentials {
            location: self.opened.location.clone(),
            why: super::error::scrub(&super::error::innermost(&e), &self.opened.secrets),
        })
    }

    /// One create-only request: lock, tags and checksum ride on it.
    pub(super) async fn create(
        &self,
        place: &Path,
        bytes: &[u8],
        tags: Option<&Tags>,
        lock: Option<&Retention>,
        doing: &str,
    ) -> Result<(Option<String>, Option<String>), Trouble> {
        let mut options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let mut set = TagSet::default();
        for (name, value) in tags.iter().flat_map(|t| t.pairs()) {
            set.push(name, &value);
        }
        options.tags = set;
        options.extensions.insert(Ask((self.opened.words.ask)(lock)));
        let payload = PutPayload::from(bytes.to_vec());
        match self.opened.store.put_opts(place, payload, options).await {
            Ok(done) => Ok((done.version, done.e_tag)),
            Err(e) => match self.opened.sort(e, doing, lock.is_some()) {
                // A create misses nothing but its bucket.
                Trouble::Missing => Err(Trouble::Firm(VaultError::NoBucket {
                    location: self.opened.location.clone(),
                    why: "the store answered 404 to a create".into(),
                })),
                other => Err(other),
            },
        }
    }

    /// One read, at most [`LIMIT`] bytes, whatever length the store announces.
    pub(super) async fn fetch(&self, place: &Path, version: Option<&str>, doing: &str) -> Result<Fetched, Trouble> {
        let sort = |e| self.opened.sort(e, doing, false);
        let too_large = |size| Trouble::Firm(VaultError::TooLarge { address: place.to_string(), size, limit: LIMIT });
        let mut options = GetOptions { version: version.map(str::to_owned), ..GetOptions::default() };
        options.extensions.insert(Ask::default());
        let got = self.opened.store.get_opts(place, options).await.map_err(sort)?;
        if got.meta.size > LIMIT {
            return Err(too_large(got.meta.size));
        }
        let heard = got.extensions.get::<Heard>().map(|h| h.0.clone()).unwrap_or_default();
        let (version, etag) = (got.meta.version.clone(), got.meta.e_tag.clone());
        let mut bytes = Vec::with_capacity(usize::try_from(got.meta.size).unwrap_or(0));
        let mut blocks = got.into_stream();
        while let Some(block) = blocks.next().await {
            bytes.extend_from_slice(&block.map_err(sort)?);
            if bytes.len() as u64 > LIMIT {
                return Err(too_large(bytes.len() as u64));
            }
        }
        Ok(Fetched { bytes, heard, version, etag })
    }

    /// Reads, and tries again while nothing is settled.
    async fn fetch_patiently(&self, place: &Path, version: Option<&str>, doing: &str) -> Result<Fetched, VaultError> {
        let mut tries = self.tries();
        loop {
            let why = match self.fetch(place, version, doing).await {
                Ok(fetched) => return Ok(fetched),
                Err(Trouble::Firm(e)) => return Err(e),
                Err(Trouble::Missing) => return Err(VaultError::NotFound { place: self.uri(place, version) }),
                Err(Trouble::Unclear(why) | Trouble::Busy(why)) => why,
                Err(Trouble::Exists) => "the store answered 412 to a read".into(),
            };
            if !tries.again().await {
                return Err(VaultError::Unreachable { doing: doing.into(), why, tries: tries.made });
            }
        }
    }
}

/// See [`Vault::get`].
pub(super) async fn get(vault: &Vault, address: &Address, version: Option<&str>) -> Result<Vec<u8>, VaultError> {
    let doing = format!("read `{address}` from {}", vault.location());
    if version.is_some() && vault.is_local() {
        return Err(VaultError::Other { doing, why: "a folder keeps no versions".into() });
    }
    let place = vault.place(address.as_str())?;
    vault.admit().await?;
    Ok(vault.fetch_patiently(&place, version, &doing).await?.bytes)
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
    let (outcome, version, etag, standing) = loop {
        let mut surely_there = false;
        let why = match vault.create(&place, bytes, Some(tags), lock_header, &doing).await {
            Ok((version, etag)) => break (Outcome::Created, version, etag, None),
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
                break (outcome, theirs.version.clone(), theirs.etag.clone(), Some(theirs));
            }
            Ok(theirs) => {
                return Err(VaultError::Different {
                    address: address.to_string(),
                    uri: vault.uri(&place, theirs.version.as_deref()),
                    ours_sha256: ours,
                    theirs_sha256: Sha256Digest::of(&theirs.bytes),
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
        etag: etag.or(back.etag),
        sha256: theirs,
        lock: observed.lock,
        tags_observed: observed.tags,
        warnings: Vec::new(),
    };
    if vault.opened.beside.is_some() {
        put.tags_observed = beside(vault, address, tags, &mut put.warnings).await;
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

/// Tags of a local record, in a file beside it. Not synced to disk: they are an index, made again by a repeated step.
async fn beside(vault: &Vault, address: &Address, tags: &Tags, warnings: &mut Vec<String>) -> Option<usize> {
    let store = vault.opened.beside.as_ref()?;
    let pairs: serde_json::Map<_, _> = tags.pairs().into_iter().map(|(k, v)| (k.to_owned(), v.into())).collect();
    let text = serde_json::Value::Object(pairs).to_string();
    let place = vault.place(&format!("{address}{SIDECAR}")).ok()?;
    let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    match store.put_opts(&place, PutPayload::from(text.clone().into_bytes()), options).await {
        Ok(_) => return Some(TAGS),
        Err(object_store::Error::AlreadyExists { .. }) => match vault.fetch(&place, None, "read tags").await {
            Ok(there) if there.bytes == text.as_bytes() => return Some(TAGS),
            _ => warnings
                .push(format!("other tags stand at `{address}{SIDECAR}`; the record itself holds the true words")),
        },
        Err(e) => {
            let why = super::error::innermost(&e);
            warnings.push(format!(
                "could not write the tags to `{address}{SIDECAR}`: {why}; the record itself holds the same words"
            ));
        }
    }
    None
}
