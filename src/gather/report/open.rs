//! A path to reports: a file is one, an archive may hold many, and what was only found on the way may be none.

use super::archive::{self, Archive};
use super::input::FILE_LIMIT;
use super::recognise::{stranger, xml_root};
use super::refusal::Refusal;
use super::reports::Reports;
use super::{Ask, FORMATS, HEAD, known, read_with, refused};
use crate::gather::Progress;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

/// What a path led to.
#[derive(Debug)]
pub(crate) enum Opened {
    /// One report, which may have been refused.
    Report,
    /// An archive.
    Archive(Archive),
    /// No report, and why not. Only for what was not named.
    Other(String),
}

/// Reads what is at `path` into `reports`, once and in constant memory, hashing every byte.
///
/// `shown` is how the path is told. `named` says that somebody takes it for a report: then what cannot be opened or
/// read is refused, with an `error` that says what, where and what to do. What was only found in a folder is passed
/// over unless a format recognises it.
pub(crate) fn open(
    path: &Path,
    shown: &str,
    ask: &Ask,
    named: bool,
    reports: &mut Reports,
    progress: &mut Progress<'_>,
) -> Opened {
    let one = ask.of(shown, named);
    let (mut file, size) = match file(path) {
        Ok(file) => file,
        Err(why) => {
            let refusal = Refusal::new(why).help("Check the path, and that the step which writes the report has run");
            reports.push(refused(shown, one.forced.as_deref().and_then(super::format_named), &refusal));
            return Opened::Report;
        }
    };
    let mut head = Vec::new();
    let seen = (&mut file).take(HEAD as u64).read_to_end(&mut head).and_then(|_| file.rewind());
    if seen.is_ok() && archive::is_archive(&head) && ending(shown).is_none() {
        if named || !archive::is_program(&head) {
            return Opened::Archive(archive::read(&mut file, &head, shown, ask, named, reports, progress));
        }
        return Opened::Other("a program in a zip".to_owned());
    }
    if seen.is_ok() && !named && one.forced.is_none() && !is_report(&head) && !looks_broken(&head, shown) {
        return Opened::Other(stranger(&head, &known()).to_string());
    }
    reports.push(read_with(&mut file, shown, Some(size), &one, FILE_LIMIT, progress));
    Opened::Report
}

/// A regular file and its size. Looked at before it is opened: to open a pipe is to wait for its writer.
pub(super) fn file(path: &Path) -> Result<(File, u64), String> {
    let metadata = std::fs::metadata(path).map_err(|e| e.to_string())?;
    match () {
        () if metadata.is_dir() => Err("it is a folder".to_owned()),
        () if !metadata.is_file() => Err("it is not a regular file".to_owned()),
        () => File::open(path).map(|file| (file, metadata.len())).map_err(|e| e.to_string()),
    }
}

/// Whether some format recognises a file that begins so.
pub(super) fn is_report(head: &[u8]) -> bool {
    FORMATS.iter().any(|format| (format.recognises)(head))
}

/// The text format that a file's name promises. A name never counts for a file, only against it.
enum Ending {
    Xml,
    Json,
}

fn ending(name: &str) -> Option<Ending> {
    let (_, ending) = name.rsplit(['/', '!']).next()?.rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "xml" | "trx" => Some(Ending::Xml),
        "json" | "jsonl" | "ndjson" | "sarif" | "tap" => Some(Ending::Json),
        _ => None,
    }
}

/// Whether a file that nothing recognises would have been a report: its name says so, its contents say that its writer
/// did not finish, or that something else was put in its place.
pub(super) fn looks_broken(head: &[u8], name: &str) -> bool {
    match ending(name) {
        Some(_) if archive::is_archive(head) => true,
        Some(Ending::Xml) => xml_root(head).is_none(),
        Some(Ending::Json) => head.iter().all(|&b| b == 0 || b.is_ascii_whitespace()),
        None => false,
    }
}
