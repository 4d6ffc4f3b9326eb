//! What becomes of the members of an archive: reports are read, the rest is passed over and counted.

use super::limits::{Limits, fill, refusal};
use super::{gzip, tar, zip};
use crate::gather::Progress;
use crate::gather::report::name::digest64;
use crate::gather::report::recognise::stranger;
use crate::gather::report::refusal::{Refusal, quoted};
use crate::gather::report::{Ask, HEAD, Reports, is_report, known, looks_broken, read_with};
use std::collections::HashSet;
use std::io::{self, Read};

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// A link, a device, a pipe.
    Other,
}

/// Takes members.
pub(super) struct Sink<'a> {
    archive: &'a str,
    ask: &'a Ask,
    limits: Limits,
    reports: &'a mut Reports,
    progress: &'a mut Progress<'a>,
    names: HashSet<u64>,
    members: u64,
    headers: u64,
    read: u64,
    others: u64,
    stranger: Option<String>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(
        archive: &'a str,
        ask: &'a Ask,
        limits: Limits,
        reports: &'a mut Reports,
        progress: &'a mut Progress<'a>,
    ) -> Self {
        let names = HashSet::new();
        Self {
            archive,
            ask,
            limits,
            reports,
            progress,
            names,
            members: 0,
            headers: 0,
            read: 0,
            others: 0,
            stranger: None,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn too_many(&self) -> Refusal {
        Refusal::new(format!("it has more than {} members", self.limits.members)).help("Pack the reports alone")
    }

    pub(super) fn name_too_long(&self) -> Refusal {
        Refusal::new(format!("the name of a member is longer than {} bytes", self.limits.name))
            .help("Pack the reports under shorter names")
    }

    /// The archive's own name without the ending that its packer gave it.
    pub(super) fn without_ending(&self, ending: &str) -> String {
        let name = self.archive.rsplit(['/', '\\', '!']).next().unwrap_or_default();
        let stem = name.strip_suffix(ending).filter(|stem| !stem.is_empty());
        stem.unwrap_or("content").to_owned()
    }

    /// Counts what stands before a member and tells something of it; nobody needs more than four.
    pub(super) fn header(&mut self) -> Result<(), Refusal> {
        self.headers += 1;
        if self.headers > 4 * self.limits.members { Err(self.too_many()) } else { Ok(()) }
    }

    /// Takes a member. Its bytes are read to their end if it is a report.
    pub(super) fn member(&mut self, name: &[u8], kind: Kind, from: &mut dyn Read) -> Result<(), Refusal> {
        self.members += 1;
        if self.members > self.limits.members {
            return Err(self.too_many());
        }
        let mut name = name;
        while let Some(rest) = name.strip_prefix(b"./") {
            name = rest;
        }
        if name.len() > self.limits.name {
            return Err(self.name_too_long());
        }
        let told = told(name);
        // tar -r and zip -g make them; which of two is meant, readers do not agree on
        if !self.names.insert(digest64(0, name)) {
            let what = format!("it has two members called {}", quoted(&told));
            return Err(Refusal::new(what).help("Pack the reports once more"));
        }
        match kind {
            Kind::File => self.file(&told, from),
            Kind::Folder => Ok(()),
            Kind::Other => {
                self.others += 1;
                Ok(())
            }
        }
    }

    fn file(&mut self, name: &str, from: &mut dyn Read) -> Result<(), Refusal> {
        let mut head = vec![0; HEAD];
        let n = fill(from, &mut head).map_err(|e| refusal(&e))?;
        head.truncate(n);
        let shown = format!("{}!{name}", self.archive);
        let ask = self.ask.of(&shown, false);
        if ask.forced.is_none() && !is_report(&head) && !is_nested(&head) && !looks_broken(&head, name) {
            self.others += 1;
            self.stranger.get_or_insert_with(|| format!("{}: {}", quoted(name), stranger(&head, &known())));
            return Ok(());
        }
        let mut watched = Watched { from, failed: None };
        let progress = &mut *self.progress;
        let mut step = |what: &str, done: u64, of: Option<u64>| progress(what, done, of);
        let run = read_with(&mut (&head[..]).chain(&mut watched), &shown, None, &ask, self.limits.report, &mut step);
        if let Some(failed) = watched.failed {
            return Err(failed);
        }
        self.read += 1;
        self.reports.push(run);
        Ok(())
    }

    /// Reads `from` to its end.
    pub(super) fn drain(&mut self, from: &mut dyn Read) -> Result<(), Refusal> {
        io::copy(from, &mut io::sink()).map(drop).map_err(|e| refusal(&e))
    }

    /// How many members were reports, how many were something else, and what the first of those was.
    pub(super) fn found(self) -> (u64, u64, Option<String>) {
        (self.read, self.others, self.stranger)
    }
}

/// Whether a member is an archive itself, which is not opened: a failed run may be in there. A program in a zip is none,
/// nor is a compressed log.
fn is_nested(head: &[u8]) -> bool {
    if gzip::recognises(head) {
        let inside = gzip::peek(head);
        return is_report(&inside) || tar::recognises(&inside);
    }
    tar::recognises(head) || zip::recognises(head) && !zip::is_jar(head)
}

/// A name as text: what is no UTF-8 in it stands as `\xNN`.
fn told(name: &[u8]) -> String {
    let mut out = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|b| format!("\\x{b:02X}")));
    }
    out
}

/// Keeps the first error: what breaks off a member breaks the archive.
struct Watched<'a> {
    from: &'a mut dyn Read,
    failed: Option<Refusal>,
}

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into);
        if let Err(e) = &read
            && e.kind() != io::ErrorKind::Interrupted
        {
            self.failed.get_or_insert_with(|| refusal(e));
        }
        read
    }
}
