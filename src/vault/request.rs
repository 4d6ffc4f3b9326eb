//! One request to a store each: create, read. Their errors come back sorted, see `trouble.rs`.

use super::address::Address;
use super::lock::Retention;
use super::trouble::Trouble;
use super::wire::{Ask, Heard};
use super::{LIMIT, Tags, Vault, VaultError};
use futures::StreamExt as _;
use http::HeaderMap;
use object_store::path::Path;
use object_store::{GetOptions, PutMode, PutOptions, PutPayload, TagSet};

/// An object, read whole.
pub(super) struct Fetched {
    pub bytes: Vec<u8>,
    pub heard: HeaderMap,
    pub version: Option<String>,
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
    ) -> Result<Option<String>, Trouble> {
        let mut options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let mut set = TagSet::default();
        for (name, value) in tags.iter().flat_map(|t| t.pairs()) {
            set.push(name, &value);
        }
        options.tags = set;
        options.extensions.insert(Ask((self.opened.words.ask)(lock)));
        let payload = PutPayload::from(bytes.to_vec());
        match self.opened.store.put_opts(place, payload, options).await {
            Ok(done) => Ok(done.version),
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
        let version = got.meta.version.clone();
        let mut bytes = Vec::with_capacity(usize::try_from(got.meta.size).unwrap_or(0));
        let mut blocks = got.into_stream();
        while let Some(block) = blocks.next().await {
            bytes.extend_from_slice(&block.map_err(sort)?);
            if bytes.len() as u64 > LIMIT {
                return Err(too_large(bytes.len() as u64));
            }
        }
        Ok(Fetched { bytes, heard, version })
    }

    /// Reads, and tries again while nothing is settled.
    pub(super) async fn fetch_patiently(
        &self,
        place: &Path,
        version: Option<&str>,
        doing: &str,
    ) -> Result<Fetched, VaultError> {
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

/// See [`Vault::get_many`].
pub(super) async fn get_many(vault: &Vault, addresses: &[Address], at_once: usize) -> Vec<Result<Vec<u8>, VaultError>> {
    let gets = addresses.iter().map(|address| get(vault, address, None));
    futures::stream::iter(gets).buffered(at_once.max(1)).collect().await
}
