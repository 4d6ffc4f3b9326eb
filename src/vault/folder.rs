//! Listing a folder: all of it in the byte order of its addresses, or only its smallest names.

use super::VaultError;
use super::address::{Address, SIDECAR};
use super::list::Found;
use super::local::is_staged;
use super::pages_xml::spell;
use super::sweep::{Place, Seen};
use super::trouble::local_cause;
use std::collections::BinaryHeap;
use std::io;
use std::ops::ControlFlow;
use std::path::Path as FilePath;
use walkdir::{DirEntry, WalkDir};

/// Folders that are deeper are told of and not entered.
const DEEPEST: usize = 32;

/// Tells `each` of the files under `prefix` that come after `after`: a folder sorts as its name with a slash. What stands
/// there and is no file of ours to read (a pipe, a link into nothing or in a circle) is odd; a folder that may not be
/// read is an error. Holds the names of one folder at a time.
pub(super) fn walk(
    folder: &FilePath,
    prefix: &str,
    after: Option<&str>,
    each: &mut dyn FnMut(Seen) -> ControlFlow<()>,
) -> Result<(), VaultError> {
    if !folder.is_dir() {
        return Err(VaultError::NotFound { place: format!("{} (no such folder)", folder.display()) });
    }
    let failed = |why: String| VaultError::Other { doing: format!("list `{prefix}` in {}", folder.display()), why };
    let text = |path: &FilePath| {
        let path = path.strip_prefix(folder).unwrap_or(path);
        let parts: Vec<_> = path.iter().map(|part| spell(part.as_encoded_bytes())).collect();
        let whole = parts.iter().all(|(_, broken)| !broken);
        (parts.into_iter().map(|(part, _)| part).collect::<Vec<_>>().join("/"), whole)
    };
    let order = |entry: &DirEntry| {
        let mut name = entry.file_name().as_encoded_bytes().to_vec();
        name.extend(entry.file_type().is_dir().then_some(b'/'));
        name
    };
    let entries = WalkDir::new(folder).min_depth(1).max_depth(DEEPEST).follow_links(true);
    let entries = entries.sort_by(move |a, b| order(a).cmp(&order(b))).into_iter().filter_entry(|entry| {
        if entry.depth() == 0 || !entry.file_type().is_dir() {
            return true;
        }
        // Folders that hold nothing of the prefix are not opened.
        let text = format!("{}/", text(entry.path()).0);
        text.starts_with(prefix) || prefix.starts_with(&text)
    });
    for entry in entries {
        let (path, file) = match &entry {
            Ok(entry) if entry.file_type().is_dir() && entry.depth() < DEEPEST => continue,
            Ok(entry) => (entry.path(), entry.file_type().is_file()),
            Err(e) if is_circle_or_nothing(e) => (e.path().unwrap_or(folder), false),
            Err(e) => return Err(failed(e.to_string())),
        };
        let (text, whole) = text(path);
        // A folder that is not entered may be where the prefix lies.
        let under = text.starts_with(prefix) || !file && prefix.starts_with(&format!("{text}/"));
        if !under || text.ends_with(SIDECAR) || is_staged(&text) {
            continue;
        }
        if after.is_some_and(|after| text.as_str() <= after) {
            continue;
        }
        let (mut size, mut modified) = (0, None);
        if let Some(entry) = entry.as_ref().ok().filter(|_| file) {
            let there = entry.metadata().map_err(|e| failed(e.to_string()))?;
            (size, modified) = (there.len(), there.modified().ok().map(Into::into));
        }
        let place = match Address::parse(&text) {
            Ok(address) if whole && file => Place::Address(address),
            _ => Place::Odd(text),
        };
        if each(Seen { place, version: None, latest: true, marker: false, size, modified }).is_break() {
            break;
        }
    }
    Ok(())
}

/// A link that leads nowhere or back to where it came from. Who may make one must not be able to stop a listing.
fn is_circle_or_nothing(error: &walkdir::Error) -> bool {
    let nothing = error.io_error().is_some_and(|e| e.kind() == io::ErrorKind::NotFound);
    // ELOOP, a link to itself, has no stable kind yet.
    error.loop_ancestor().is_some() || nothing || error.path().is_some_and(|p| p.is_symlink())
}

/// The `most` smallest files right under `prefix`, in byte order. One pass over the names of one folder; only what is
/// given back is looked at. No such folder: none.
pub(super) fn smallest(folder: &FilePath, prefix: &str, most: usize) -> Result<Vec<Found>, VaultError> {
    let failed = |why: String| VaultError::Other { doing: format!("list `{prefix}` in {}", folder.display()), why };
    // The folder with its slash, and how a name in it has to begin.
    let (below, start) = prefix.split_at(prefix.rfind('/').map_or(0, |at| at + 1));
    let path = match below.strip_suffix('/') {
        Some(below) => folder.join(Address::parse(below).map_err(|e| failed(e.to_string()))?.as_str()),
        None => folder.to_owned(),
    };
    let failed = |e: io::Error| failed(local_cause(Some(e.kind()), false, e.to_string()));
    let names = match std::fs::read_dir(&path) {
        Ok(names) => names,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut heap = BinaryHeap::with_capacity(most.min(1024));
    for entry in names {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(start)) else { continue };
        if heap.len() >= most && heap.peek().is_none_or(|largest: &String| name >= largest.as_str()) {
            continue;
        }
        // A folder's type comes with its name; only a link costs a look.
        let is_folder = match entry.file_type() {
            Ok(kind) if kind.is_symlink() => path.join(name).is_dir(),
            Ok(kind) => kind.is_dir(),
            // Gone since: the staged file of a put that has just ended.
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(failed(e)),
        };
        if is_folder || name.ends_with(SIDECAR) || is_staged(name) {
            continue;
        }
        // Before it takes a place: a name that is no address must not hide one that is.
        if Address::parse(&format!("{below}{name}")).is_err() {
            continue;
        }
        heap.push(name.to_owned());
        if heap.len() > most {
            heap.pop();
        }
    }
    let found = heap.into_sorted_vec().into_iter().filter_map(|name| {
        // A link into nothing takes its place, too: nothing can be put there.
        let size = std::fs::metadata(path.join(&name)).map_or(0, |there| there.len());
        Address::parse(&format!("{below}{name}")).ok().map(|address| Found { address, size })
    });
    Ok(found.collect())
}
