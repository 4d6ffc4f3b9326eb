//! PILLAR: the write-once store. The only place that knows `object_store`, and with the platform's HTTP the only async one.
//!
//! One verb writes, [`Vault::put_once`]; nothing here deletes or overwrites. A scheme is one file with an `open` and one
//! row in [`SCHEMES`]; what it hands over, [`Opened`], names the few things by which stores differ.

pub(crate) mod address;
pub(crate) mod doctor;
mod document;
mod error;
mod folder;
mod list;
mod local;
pub(crate) mod lock;
mod opened;
mod pages;
mod pages_xml;
mod patience;
mod presigned;
mod put;
mod request;
mod s3;
mod sweep;
mod tags;
mod trouble;
mod wire;

#[cfg(test)]
pub(crate) mod fake_s3;
#[cfg(test)]
mod folder_tests;
#[cfg(test)]
mod minio_tests;
#[cfg(test)]
mod sweep_tests;
#[cfg(test)]
mod tests;

use address::Address;
pub(crate) use error::VaultError;
pub(crate) use list::{Found, Strangers};
use lock::Retention;
use opened::{Observed, Opened, Words};
pub(crate) use patience::Patience;
pub(crate) use put::{Outcome, Put};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::AtomicU64;
pub(crate) use sweep::{Place, Seen, Swept, Versions};
pub(crate) use tags::Tags;

/// Where records go when nobody says otherwise.
pub(crate) const DEFAULT_URL: &str = "./.vouchsafe";

/// The largest object that is written or read, in bytes. A record is some kilobytes; a hostile store must not fill memory.
pub(crate) const LIMIT: u64 = 64 * 1024 * 1024;

/// One kind of store.
struct Scheme {
    name: &'static str,
    open: fn(&str, &Settings) -> Result<Opened, VaultError>,
}

/// Every kind of store that this binary knows.
const SCHEMES: [Scheme; 2] = [Scheme { name: "file", open: local::open }, Scheme { name: "s3", open: s3::open }];

/// Kinds that are planned, so that asking for one gets a straight answer.
const NOT_YET: [&str; 3] = ["gs", "az", "azure"];

/// What a store needs from outside. Not `Debug`: the environment holds secrets.
pub(crate) struct Settings {
    /// The environment; `AWS_*` and proxies are read from here and never from the process.
    pub env: BTreeMap<String, String>,
    /// What a relative path is relative to.
    pub cwd: PathBuf,
    /// How long to wait, how often to try.
    pub patience: Patience,
}

/// A write-once store of records. Blocks; may be shared by threads: requests of several threads overlap, though one of
/// them at a time turns the wheel for all.
pub(crate) struct Vault {
    runtime: tokio::runtime::Runtime,
    opened: Opened,
    patience: Patience,
    turns: AtomicU64,
}

impl Vault {
    /// Opens the vault at `url`: `file:///…`, a path, or `s3://bucket/prefix`. Makes and asks nothing yet.
    pub(crate) fn open(url: &str, settings: &Settings) -> Result<Self, VaultError> {
        // reqwest is built without a provider of its own; another part of the program may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let opened = (scheme(url)?.open)(url, settings)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            // File operations and name look-ups come one after another here; a thread for each would only cost.
            .max_blocking_threads(2)
            .enable_all()
            .build();
        let runtime =
            runtime.map_err(|e| VaultError::Other { doing: "start the I/O runtime".into(), why: e.to_string() })?;
        Ok(Self { runtime, opened, patience: settings.patience.clone(), turns: AtomicU64::new(0) })
    }

    /// Stores `bytes` at `address` once: created only if nothing is there, checksum, tags and lock on the same request,
    /// every ambiguity settled by comparing bytes, and read back by version before it is called done.
    ///
    /// Same bytes there already: done ([`Outcome::AlreadyThere`]). Other bytes: [`VaultError::Different`]. A lock that was
    /// asked for and is not seen afterwards: [`VaultError::LockNotObserved`], with the receipt of what is stored. Take
    /// `lock.until` from the record's own time, so that a repeated step asks for the lock that stands.
    pub(crate) fn put_once(
        &self,
        address: &Address,
        bytes: &[u8],
        tags: &Tags,
        lock: Option<&Retention>,
    ) -> Result<Put, VaultError> {
        self.runtime.block_on(put::put_once(self, address, bytes, tags, lock))
    }

    /// The bytes at `address`, of one version or the current one; at most [`LIMIT`].
    pub(crate) fn get(&self, address: &Address, version: Option<&str>) -> Result<Vec<u8>, VaultError> {
        match (&self.opened.folder, version) {
            (Some(folder), None) => local::read(folder, address),
            _ => self.runtime.block_on(request::get(self, address, version)),
        }
    }

    /// The same of many addresses, in their order, `at_once` of them on the way to a bucket at any moment. A folder is read
    /// one after another: there is nothing to wait for. Holds them all: ask for as many as memory may hold.
    pub(crate) fn get_many(&self, addresses: &[Address], at_once: usize) -> Vec<Result<Vec<u8>, VaultError>> {
        match &self.opened.folder {
            Some(folder) => addresses.iter().map(|address| local::read(folder, address)).collect(),
            None => self.runtime.block_on(request::get_many(self, addresses, at_once)),
        }
    }

    /// Everything whose address begins with `prefix` (a text, not a folder: `env=prod` also finds `env=production`; end
    /// it with `/`), in byte order. Holds all of it in memory: for a whole vault take [`Vault::list_each`]. A name there
    /// that is no address is an error: nothing here could tell of it. For tests: the program lists what it cannot count.
    #[cfg(test)]
    pub(crate) fn list(&self, prefix: &str) -> Result<Vec<Found>, VaultError> {
        let mut all = Vec::new();
        let strangers = self.list_each(prefix, None, None, &mut |found| {
            all.push(found);
            ControlFlow::Continue(())
        })?;
        strangers.refuse(prefix, self)?;
        all.sort_by(|a, b| a.address.cmp(&b.address));
        Ok(all)
    }

    /// Tells `each` of everything under `prefix` that comes after `after`, in byte order, in bounded memory, until it
    /// breaks, and gives back what stands there without being an address. `page` is how many to ask a store for at once.
    /// `each` may ask the vault for more.
    pub(crate) fn list_each(
        &self,
        prefix: &str,
        after: Option<&Address>,
        page: Option<usize>,
        each: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<Strangers, VaultError> {
        list::list_each(self, prefix, after, page, each)
    }

    /// The first `most` objects right under `prefix` (a folder, with its slash) in byte order: 1 for the newest of a
    /// ledger's inverted slots. Nothing there, or no such folder: none. Strangers and what lies deeper are skipped.
    ///
    /// One request to a bucket that sorts (S3 does; S3 Express and others do not, then all of it is listed). A hint like
    /// every listing: what is to hold is held by [`Vault::put_once`].
    pub(crate) fn first(&self, prefix: &str, most: usize) -> Result<Vec<Found>, VaultError> {
        list::first(self, prefix, most)
    }

    /// Tells `each` of every object and every version of it under `prefix`, in bounded memory, until it breaks: in byte
    /// order, the versions of one address together and the newest first, as S3 lists them; a store that does not sort
    /// has its own order, and nothing is left out. Tags and unfinished puts of a folder are not told of. `each` may ask
    /// the vault for more.
    ///
    /// Where versions may not be listed or the store knows none, current objects are told and [`Swept`] says why.
    pub(crate) fn sweep(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Seen) -> ControlFlow<()>,
    ) -> Result<Swept, VaultError> {
        sweep::sweep(self, prefix, each)
    }

    /// Whether this vault is fit for evidence, one line a question. `least`: how long a record must be kept.
    pub(crate) fn checks(&self, ask: &doctor::Ask) -> Vec<doctor::Check> {
        (self.opened.words.checks)(self, ask)
    }

    /// Where it is, for people; no secrets.
    pub(crate) fn location(&self) -> &str {
        &self.opened.location
    }

    /// Whether it is a folder on this machine, which cannot lock anything.
    pub(crate) fn is_local(&self) -> bool {
        self.opened.folder.is_some()
    }

    /// How many HTTP requests this vault has sent, retries and those for credentials included.
    #[cfg(test)]
    pub(crate) fn requests(&self) -> usize {
        self.opened.requests.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// The folder of a local vault.
    pub(crate) fn local_root(&self) -> Option<&FilePath> {
        self.opened.folder.as_deref()
    }
}

/// Finds the row for a URL. A text without a scheme is a path.
fn scheme(url: &str) -> Result<&'static Scheme, VaultError> {
    let known = || SCHEMES.iter().map(|s| format!("{}://", s.name)).collect::<Vec<_>>().join(", ");
    let bad = |why: String| VaultError::Url { url: error::scrub(url, &[]), why };
    if url.trim().is_empty() {
        return Err(bad(format!("it is empty; give a path or one of {}", known())));
    }
    // One letter before the colon is a drive of Windows.
    let is_word = |s: &str| s.len() > 1 && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b));
    let Some((name, rest)) = url.split_once(':').filter(|(name, _)| is_word(name)) else {
        // `s3//bucket`: a colon was forgotten, and a folder of that name would look like success.
        if url.contains("//") && !url.starts_with(['/', '.']) {
            return Err(bad(format!(
                "it looks like a URL without its colon; stores are {}; write ./{url} for a folder",
                known()
            )));
        }
        return SCHEMES.first().ok_or_else(|| bad("no store is built in".into()));
    };
    let name = name.to_ascii_lowercase();
    if NOT_YET.contains(&name.as_str()) {
        return Err(bad(format!(
            "`{name}://` is not built in yet in this version; it knows {} and plain paths",
            known()
        )));
    }
    let Some(row) = SCHEMES.iter().find(|s| s.name == name) else {
        return Err(bad(format!(
            "`{name}:` is not a store that this version knows; it knows {} and plain paths (write ./{} for a file with a colon)",
            known(),
            error::scrub(url, &[])
        )));
    };
    if !rest.starts_with("//") {
        return Err(bad(format!("after `{name}:` come two slashes, as in {name}://{}", rest.trim_start_matches('/'))));
    }
    Ok(row)
}
