//! Listing in byte order and bounded memory. What cannot be listed is an error, never an omission.

use super::address::{Address, SIDECAR};
use super::local::is_staged;
use super::trouble::Trouble;
use super::{Vault, VaultError};
use object_store::list::PaginatedListOptions;
use std::ops::ControlFlow;
use std::path::Path as FilePath;

/// An object in a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where.
    pub address: Address,
    /// Bytes.
    pub size: u64,
}

/// Pages of a bucket. S3 lists in UTF-8 byte order (API reference, ListObjectsV2).
pub(super) async fn pages(
    vault: &Vault,
    prefix: &str,
    after: Option<&Address>,
    page: Option<usize>,
    each: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<(), VaultError> {
    let doing = format!("list `{prefix}` in {}", vault.location());
    let Some(pages) = &vault.opened.pages else {
        return Err(VaultError::Other { doing, why: "this store has no listing".into() });
    };
    let root = vault.opened.root.as_ref();
    let root = if root.is_empty() { String::new() } else { format!("{root}/") };
    let whole = format!("{root}{prefix}");
    let mut token = None;
    vault.admit().await?;
    loop {
        let mut tries = vault.tries();
        let answer = loop {
            let options = PaginatedListOptions {
                offset: after.map(|a| format!("{root}{a}")).filter(|_| token.is_none()),
                max_keys: page,
                page_token: token.clone(),
                extensions: {
                    let mut e = http::Extensions::new();
                    e.insert(super::wire::Ask::default());
                    e
                },
                ..PaginatedListOptions::default()
            };
            let error = match pages.list_paginated(Some(whole.as_str()), options).await {
                Ok(answer) => break answer,
                Err(e) => e,
            };
            let why = match vault.opened.sort(error, &doing, false) {
                Trouble::Firm(e) => return Err(e),
                Trouble::Missing => return Err(VaultError::NotFound { place: vault.location().to_owned() }),
                Trouble::Unclear(why) | Trouble::Busy(why) => why,
                Trouble::Exists => "the store answered 412 to a listing".into(),
            };
            if !tries.again().await {
                return Err(VaultError::Unreachable { doing, why, tries: tries.made });
            }
        };
        for object in answer.result.objects {
            let key = object.location.as_ref();
            let Some(text) = key.strip_prefix(&root).filter(|text| !text.ends_with(SIDECAR)) else { continue };
            let address =
                Address::parse(text).map_err(|e| VaultError::Other { doing: doing.clone(), why: e.to_string() })?;
            // Some stores have no start-after; an object twice would be worse than one comparison.
            if after.is_some_and(|a| address <= *a) {
                continue;
            }
            if each(Found { address, size: object.size }).is_break() {
                return Ok(());
            }
        }
        let more = answer.page_token.filter(|t| Some(t) != token.as_ref());
        match more {
            Some(next) => token = Some(next),
            None => return Ok(()),
        }
    }
}

/// The files of a folder, in the byte order of their addresses: a folder sorts as its name with a slash.
pub(super) fn walk(
    folder: &FilePath,
    prefix: &str,
    after: Option<&Address>,
    each: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<(), VaultError> {
    let doing = || format!("list `{prefix}` in {}", folder.display());
    if !folder.is_dir() {
        return Err(VaultError::NotFound { place: format!("{} (no such folder)", folder.display()) });
    }
    let address = |path: &FilePath| -> Option<String> {
        let parts = path.strip_prefix(folder).ok()?.iter().map(|p| p.to_str());
        Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
    };
    let key = |entry: &walkdir::DirEntry| {
        let mut name = entry.file_name().as_encoded_bytes().to_vec();
        name.extend(entry.file_type().is_dir().then_some(b'/'));
        name
    };
    let entries = walkdir::WalkDir::new(folder).min_depth(1).follow_links(true).max_depth(32);
    let entries = entries.sort_by(move |a, b| key(a).cmp(&key(b))).into_iter().filter_entry(|entry| {
        // Folders that hold nothing of the prefix are not opened.
        let Some(text) = address(entry.path()).filter(|_| entry.file_type().is_dir() && entry.depth() > 0) else {
            return true;
        };
        let text = format!("{text}/");
        text.starts_with(prefix) || prefix.starts_with(&text)
    });
    for entry in entries {
        let failed = |why: String| VaultError::Other { doing: doing(), why };
        let entry = entry.map_err(|e| failed(e.to_string()))?;
        if !entry.file_type().is_file() {
            continue;
        }
        let text = address(entry.path())
            .ok_or_else(|| failed(format!("`{}` is not a name in UTF-8", entry.path().display())))?;
        if !text.starts_with(prefix) || text.ends_with(SIDECAR) || is_staged(&text) {
            continue;
        }
        let address = Address::parse(&text).map_err(|e| failed(e.to_string()))?;
        if after.is_some_and(|a| address <= *a) {
            continue;
        }
        let size = entry.metadata().map_err(|e| failed(e.to_string()))?.len();
        if each(Found { address, size }).is_break() {
            break;
        }
    }
    Ok(())
}
