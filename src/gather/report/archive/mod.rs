//! Archives of reports, as CI platforms hand out artifacts. Nothing is ever unpacked to a disk: members are read as they
//! stream by, in bounded memory.
//!
//! An archive is read whole or not at all: what is cut short, damaged, encrypted or over a limit is one refused report,
//! and the members that could be read do not count.

mod gzip;
mod limits;
mod sink;
mod tar;
#[cfg(test)]
mod tests;
mod zip;

use super::refusal::Refusal;
use super::{Ask, Reports, refused};
use crate::gather::Progress;
use crate::record::digest::Sha256Digest;
use limits::{LIMITS, Limits, Meter};
use sha2::{Digest as _, Sha256};
use sink::Sink;
use std::io::{Read, Seek};

/// What archives are read from.
trait Seekable: Read + Seek {}
impl<T: Read + Seek> Seekable for T {}

/// A kind of archive.
struct Kind {
    name: &'static str,
    /// Whether a file that begins with these bytes (64 KiB, or all of it) is of this kind.
    recognises: fn(&[u8]) -> bool,
    /// Hands every member to the sink.
    read: fn(&mut dyn Seekable, u64, &Meter, &mut Sink<'_>) -> Result<(), Refusal>,
}

/// TABLE of the kinds of archives.
const KINDS: &[Kind] = &[
    Kind { name: "zip", recognises: zip::recognises, read: zip::read },
    Kind { name: "gzip", recognises: gzip::recognises, read: gzip::read },
    Kind { name: "tar", recognises: tar::recognises, read: tar::read },
];

/// An archive, as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Archive {
    /// How it is told.
    pub(crate) file: String,
    /// Digest of its own bytes.
    pub(crate) sha256: Option<Sha256Digest>,
    /// Reports in it that were read. One that was refused as a whole counts as one.
    pub(crate) reports: u64,
    /// Members that are no reports.
    pub(crate) others: u64,
}

/// Whether a file that begins so is an archive.
pub(super) fn is_archive(head: &[u8]) -> bool {
    KINDS.iter().any(|kind| (kind.recognises)(head))
}

/// Whether an archive that begins so is a program and not made of reports: passed over where it was not named.
pub(super) fn is_program(head: &[u8]) -> bool {
    zip::is_jar(head)
}

/// Reads the archive that begins with `head`. `named`: somebody expects reports in it.
pub(super) fn read(
    file: &mut (impl Read + Seek),
    head: &[u8],
    shown: &str,
    ask: &Ask,
    named: bool,
    reports: &mut Reports,
    progress: &mut Progress<'_>,
) -> Archive {
    read_within(LIMITS, file, head, shown, ask, named, reports, progress)
}

#[expect(clippy::too_many_arguments, reason = "the limits are an argument for the tests only")]
fn read_within(
    limits: Limits,
    file: &mut (impl Read + Seek),
    head: &[u8],
    shown: &str,
    ask: &Ask,
    named: bool,
    reports: &mut Reports,
    progress: &mut Progress<'_>,
) -> Archive {
    let mark = reports.mark();
    let kind = KINDS.iter().find(|kind| (kind.recognises)(head));
    let mut archive = Archive { file: shown.to_owned(), sha256: None, reports: 0, others: 0 };
    let hashed = hash(file, limits, shown, progress);
    let result = hashed.and_then(|(sha256, size)| {
        archive.sha256 = Some(sha256);
        archive.reports = 1;
        let meter = Meter::new(limits);
        let mut step = |what: &str, done: u64, of: Option<u64>| progress(what, done, of);
        let mut sink = Sink::new(shown, ask, limits, reports, &mut step);
        kind.map_or(Ok(()), |kind| (kind.read)(file, size, &meter, &mut sink))?;
        let (read, others, stranger) = sink.found();
        (archive.reports, archive.others) = (read, others);
        match stranger {
            Some(stranger) if read == 0 && named && others == 1 => Err(Refusal::new(format!("it holds {stranger}"))),
            _ if read == 0 && named => {
                let what = format!("none of its {others} files is a report");
                Err(Refusal::new(what).help("Check that the step which packs the reports has found them"))
            }
            _ => Ok(()),
        }
    });
    if let Err(refusal) = result {
        reports.back_to(mark);
        (archive.reports, archive.others) = (1, 0);
        let mut run = refused(shown, None, &refusal);
        let kind = kind.map_or("archive", |kind| kind.name);
        run.error = Some(format!("could not read `{shown}` as a {kind} archive of reports: {refusal}"));
        run.sha256 = archive.sha256;
        reports.push(run);
    }
    archive
}

/// Reads `bytes` as an archive of every kind and asserts what must hold of any answer. For `fuzz/`.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(bytes: &[u8]) {
    use crate::record::test_run_v1::Verdict;
    let limits = Limits { packed: 1 << 20, unpacked: 1 << 20, members: 100, ..LIMITS };
    // by turns: what begins like one kind need not be of it
    for kind in KINDS {
        let (mut reports, ask) = (Reports::default(), Ask::default());
        let head = &bytes[..bytes.len().min(super::HEAD)];
        if !(kind.recognises)(head) {
            continue;
        }
        let mut quiet = |_: &str, _: u64, _: Option<u64>| {};
        let mut file = std::io::Cursor::new(bytes);
        let archive = read_within(limits, &mut file, head, "f", &ask, true, &mut reports, &mut quiet);
        let (runs, _) = reports.finish();
        assert_eq!(runs.len() as u64, archive.reports);
        assert!(!runs.is_empty() && (runs.len() == 1 || runs.iter().all(|run| run.file != "f")));
        assert!(runs.iter().all(|run| run.file == "f" || run.file.starts_with("f!")));
        assert!(runs.iter().all(|run| run.file != "f" || run.verdict == Verdict::Refused));
    }
}

/// The digest and size of the whole file, which is then at its beginning again.
fn hash(
    file: &mut (impl Read + Seek),
    limits: Limits,
    shown: &str,
    progress: &mut Progress<'_>,
) -> Result<(Sha256Digest, u64), Refusal> {
    let failed = |e: std::io::Error| Refusal::new(format!("the file could not be read: {e}"));
    file.rewind().map_err(failed)?;
    let (mut hasher, mut size, mut block) = (Sha256::new(), 0, vec![0; 256 * 1024]);
    loop {
        let n = limits::fill(file, &mut block).map_err(failed)?;
        if n == 0 {
            break;
        }
        hasher.update(&block[..n]);
        size += n as u64;
        progress(shown, size, None);
        if size > limits.packed {
            let what = format!("it is larger than {} bytes", limits.packed);
            return Err(Refusal::new(what).help("Pack the reports alone"));
        }
    }
    file.rewind().map_err(failed)?;
    Ok((Sha256Digest::from_bytes(hasher.finalize().into()), size))
}
