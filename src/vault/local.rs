//! `file:///folder` or a path: the embedded default. Tamper-evident, not WORM: who owns the disk can remove files.

use super::address::{Address, SIDECAR};
use super::error::{innermost, scrub};
use super::tags::TAGS;
use super::trouble::local_cause;
use super::{LIMIT, Observed, Opened, Settings, Tags, Vault, VaultError, Words, doctor};
use http::HeaderMap;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore as _, PutMode, PutOptions, PutPayload};
use std::io::{self, Read as _};
use std::path::{Component, Path as FilePath, PathBuf};
use std::sync::Arc;

const WORDS: Words = Words {
    locks: false,
    ask: |_| HeaderMap::new(),
    heard: |_| Observed::default(),
    uri: |_, place, _| file_uri(&FilePath::new("/").join(place.as_ref())),
    unseen: |_, _, _| {
        Box::pin(async {
            "but a folder cannot lock anything: it is tamper-evident, not WORM. Use a bucket with object lock, or say \
             --lock-mode none"
                .to_owned()
        })
    },
    checks: doctor::local,
};

/// Opens a folder. It is made by the first put, not here: a mistyped path must not look like an empty vault.
pub(super) fn open(url: &str, settings: &Settings) -> Result<Opened, VaultError> {
    let bad = |why: String| VaultError::Url { url: scrub(url, &[]), why };
    let path = match url.get(..7).filter(|start| start.eq_ignore_ascii_case("file://")) {
        Some(_) => url::Url::parse(url)
            .ok()
            .filter(|u| u.query().is_none() && u.fragment().is_none())
            .and_then(|u| u.to_file_path().ok())
            .ok_or_else(|| bad("an absolute path follows file://, as in file:///var/evidence".into()))?,
        None => PathBuf::from(url),
    };
    let folder = real(&settings.cwd.join(path)).map_err(|e| bad(e.to_string()))?;
    if folder.exists() && !folder.is_dir() {
        return Err(bad("it is a file; a local vault is a folder that holds evidence/ and ledger/".into()));
    }
    // Also keeps a panic of object_store away, which takes every path for UTF-8.
    let unreadable = || bad("the path is not made of text that can be stored in a URL".into());
    folder.to_str().ok_or_else(unreadable)?;
    let root = Path::from_absolute_path(&folder).map_err(|e| bad(e.to_string()))?;
    Ok(Opened {
        store: Arc::new(LocalFileSystem::new().with_fsync(true)),
        root,
        location: file_uri(&folder),
        folder: Some(folder),
        beside: Some(LocalFileSystem::new()),
        presigned: None,
        anonymous: false,
        admit: None,
        secrets: Vec::new(),
        words: WORDS,
        #[cfg(test)]
        requests: Default::default(),
    })
}

fn file_uri(path: &FilePath) -> String {
    url::Url::from_file_path(path).map_or_else(|()| path.display().to_string(), String::from)
}

/// The path without links and `..`, of which the last part need not exist yet.
fn real(path: &FilePath) -> std::io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let mut done = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                done.pop();
            }
            Component::CurDir => {}
            other => done.push(other),
        }
        match done.canonicalize() {
            Ok(real) => done = real,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

/// The bytes of a file, at most [`LIMIT`]. Without the runtime: its hand-over to another thread costs more than checking
/// the signature on a record does.
///
/// Links are followed, as by every other program that reads the folder. What is no file (a pipe, a device) is refused
/// before it is opened: opening may wait for ever.
pub(super) fn read(folder: &FilePath, address: &Address) -> Result<Vec<u8>, VaultError> {
    let path = folder.join(address.as_str());
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => VaultError::NotFound { place: file_uri(&path) },
        kind => VaultError::Other {
            doing: format!("read `{address}` from {}", file_uri(folder)),
            why: local_cause(Some(kind), false, e.to_string()),
        },
    };
    let too_large = |size| VaultError::TooLarge { address: address.to_string(), size, limit: LIMIT };
    // A put writes such a name first and links it afterwards, so nothing that counts can stand there.
    if is_staged(address.as_str()) {
        return Err(failed(io::Error::other("a name that ends in # and a number is an unfinished put")));
    }
    let there = std::fs::metadata(&path).map_err(failed)?;
    if there.is_dir() {
        return Err(VaultError::NotFound { place: file_uri(&path) });
    }
    if !there.is_file() {
        return Err(failed(io::Error::other("it is not a file")));
    }
    if there.len() > LIMIT {
        return Err(too_large(there.len()));
    }
    // One byte more than it is long, so that its end shows without another growth of the buffer.
    let mut bytes = Vec::with_capacity(usize::try_from(there.len() + 1).unwrap_or(0));
    let file = std::fs::File::open(&path).map_err(failed)?;
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LIMIT { Err(too_large(bytes.len() as u64)) } else { Ok(bytes) }
}

/// `name#1` is what a put writes before it links the name; a killed process may leave one (object_store, local.rs).
pub(super) fn is_staged(text: &str) -> bool {
    let digits = text.rsplit_once('#').map_or("", |(_, digits)| digits);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Tags of a local record, in a file beside it. Not synced to disk: they are an index, made again by a repeated step.
pub(super) async fn beside(vault: &Vault, address: &Address, tags: &Tags, warnings: &mut Vec<String>) -> Option<usize> {
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
            let why = innermost(&e);
            warnings.push(format!(
                "could not write the tags to `{address}{SIDECAR}`: {why}; the record itself holds the same words"
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_resolved_also_where_it_ends_in_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(base.join("a/b")).unwrap();
        for (given, want) in [("a/b/../c", "a/c"), ("x/y/../../z", "z"), ("./a/./b", "a/b"), ("new/deep", "new/deep")] {
            assert_eq!(real(&base.join(given)).unwrap(), base.join(want), "{given}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(base.join("a/b"), base.join("link")).unwrap();
            // What `..` means behind a link is what the system says.
            assert_eq!(real(&base.join("link/../c")).unwrap(), base.join("a/c"));
        }
    }
}
