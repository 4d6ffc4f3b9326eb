//! zip (PKWARE's APPNOTE.TXT), with its 64-bit fields; stored or deflated, as every CI platform packs artifacts.
//!
//! The central directory says what is there; every member's own header must agree with it, and members may not overlap
//! (Fifield, "A better zip bomb", 2019). Its end stands at the file's end, so an archive that was cut short is refused.

use super::Seekable;
use super::limits::{Meter, refusal};
use super::sink::{Kind, Sink};
use crate::gather::report::refusal::{Refusal, quoted};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::io::{self, BufReader, Read, SeekFrom};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const LOCATOR: &[u8] = b"PK\x06\x07";
const END64: &[u8] = b"PK\x06\x06";

/// Bytes of the end record before its comment, and of the longest comment.
const END_SIZE: u64 = 22;
const COMMENT: u64 = 0xFFFF;

pub(super) fn recognises(head: &[u8]) -> bool {
    head.starts_with(LOCAL) || head.starts_with(END)
}

/// A program in a zip: JAR File Specification, "META-INF" first. It holds no reports of the run that made it.
pub(super) fn is_jar(head: &[u8]) -> bool {
    head.starts_with(LOCAL) && head.get(30..39) == Some(b"META-INF/")
}

/// One line of the central directory.
struct Entry {
    name: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    at: u64,
    kind: Kind,
}

/// Reads an archive.
pub(super) fn read(file: &mut dyn Seekable, size: u64, meter: &Meter, sink: &mut Sink<'_>) -> Result<(), Refusal> {
    let end = end(file, size)?;
    let entries = directory(file, &end, sink)?;
    let starts = starts(file, &entries, end.at)?;
    for (entry, start) in entries.iter().zip(starts) {
        if entry.kind != Kind::File {
            sink.member(&entry.name, entry.kind, &mut io::empty())?;
            continue;
        }
        check(entry)?;
        file.seek(SeekFrom::Start(start)).map_err(|e| refusal(&e))?;
        let packed = meter.packed((&mut *file).take(entry.packed));
        let inflated: Box<dyn Read + '_> =
            if entry.method == 8 { Box::new(DeflateDecoder::new(packed)) } else { Box::new(packed) };
        let checked = Checked { from: inflated, crc: Crc::new(), left: entry.size, want: entry.crc };
        sink.member(&entry.name, Kind::File, &mut meter.unpacked(checked))?;
    }
    Ok(())
}

/// Whether its bytes can be had at all.
fn check(entry: &Entry) -> Result<(), Refusal> {
    let name = quoted(&String::from_utf8_lossy(&entry.name));
    // bit 0: encrypted; 6: strongly; 13: headers masked
    if entry.flags & 0x2041 != 0 {
        return Err(Refusal::new(format!("member {name} is encrypted")).help("Pack the reports without a password"));
    }
    if !matches!(entry.method, 0 | 8) {
        let what = format!("member {name} is compressed with method {}, not deflate", entry.method);
        return Err(Refusal::new(what).help("Unpack it first"));
    }
    Ok(())
}

/// Where the central directory is.
struct End {
    at: u64,
    size: u64,
    count: u64,
}

fn end(file: &mut dyn Seekable, size: u64) -> Result<End, Refusal> {
    let again = "Fetch or make it again";
    let tail_at = size.saturating_sub(END_SIZE + COMMENT);
    let tail = bytes(file, tail_at, usize::try_from(size - tail_at).unwrap_or_default())?;
    let fits = |&at: &usize| {
        tail[at..].starts_with(END)
            && tail.len() >= at + 22
            && at + 22 + usize::from(u16_at(&tail, at + 20)) == tail.len()
    };
    let mut ends = memchr::memmem::find_iter(&tail, END).filter(fits);
    let cut = || Refusal::new("its end is missing: it was cut short, or more was written behind it").help(again);
    let at = ends.next().ok_or_else(cut)?;
    if ends.next().is_some() {
        return Err(
            Refusal::new("it has two ends, so that readers may see two archives").help("Pack the reports once more")
        );
    }
    let record = &tail[at..];
    let (mut end_at, disks) = (tail_at + at as u64, (u16_at(record, 4), u16_at(record, 6)));
    let mut end = End { at: u32_at(record, 16), size: u32_at(record, 12), count: u16_at(record, 10).into() };
    let mut alone = disks == (0, 0) && u16_at(record, 8) == u16_at(record, 10);
    if end.at == 0xFFFF_FFFF || end.size == 0xFFFF_FFFF || end.count == 0xFFFF {
        let locator_at = end_at.checked_sub(20).ok_or_else(cut)?;
        let locator = bytes(file, locator_at, 20)?;
        end_at = u64_at(&locator, 8);
        let behind = end_at.checked_add(56).filter(|&b| locator.starts_with(LOCATOR) && b <= locator_at);
        let record = bytes(file, end_at, behind.map_or(0, |_| 56))?;
        if !record.starts_with(END64) || u64_at(&record, 4).checked_add(end_at + 12) != Some(locator_at) {
            return Err(cut());
        }
        alone = u32_at(&record, 16) == 0 && u32_at(&record, 20) == 0 && u64_at(&record, 24) == u64_at(&record, 32);
        end = End { at: u64_at(&record, 48), size: u64_at(&record, 40), count: u64_at(&record, 32) };
    }
    if !alone {
        return Err(Refusal::new("it is one part of several").help("Pack the reports in one file"));
    }
    // other readers would shift all places by the difference
    if end.at.checked_add(end.size) != Some(end_at) {
        return Err(Refusal::new("its directory is not where its end says").help(again));
    }
    Ok(end)
}

/// The members, at most as many as the limit, whatever the end record declares.
fn directory(file: &mut dyn Seekable, end: &End, sink: &mut Sink<'_>) -> Result<Vec<Entry>, Refusal> {
    if end.count > sink.limits().members {
        return Err(sink.too_many());
    }
    file.seek(SeekFrom::Start(end.at)).map_err(|e| refusal(&e))?;
    let mut from = BufReader::new((&mut *file).take(end.size));
    let mut entries = Vec::new();
    for _ in 0..end.count {
        entries.push(entry(&mut from, sink)?);
    }
    match from.read(&mut [0]).map_err(|e| refusal(&e))? {
        0 => Ok(entries),
        _ => Err(Refusal::new("its directory holds more than it says").help("Pack the reports once more")),
    }
}

fn entry(from: &mut impl Read, sink: &mut Sink<'_>) -> Result<Entry, Refusal> {
    let mut head = [0; 46];
    from.read_exact(&mut head).map_err(|e| refusal(&e))?;
    if !head.starts_with(CENTRAL) {
        return Err(Refusal::new("its directory is broken").help("Fetch or make it again"));
    }
    let length = |at| usize::from(u16_at(&head, at));
    if length(28) > sink.limits().name {
        return Err(sink.name_too_long());
    }
    let (mut name, mut extra, mut comment) = (vec![0; length(28)], vec![0; length(30)], vec![0; length(32)]);
    for part in [&mut name, &mut extra, &mut comment] {
        from.read_exact(part).map_err(|e| refusal(&e))?;
    }
    let mut entry = Entry {
        flags: u16_at(&head, 8),
        method: u16_at(&head, 10),
        crc: u32_at(&head, 16) as u32,
        packed: u32_at(&head, 20),
        size: u32_at(&head, 24),
        at: u32_at(&head, 42),
        // the upper half of the attributes is Unix's mode, where the upper byte of "made by" says so
        kind: match (head[5], u16_at(&head, 40) & 0o170_000) {
            _ if name.ends_with(b"/") => Kind::Folder,
            (3 | 19, 0o40_000) => Kind::Folder,
            (3 | 19, 0o120_000) => Kind::Other,
            // what was packed from a pipe is marked so, and has its bytes here
            _ => Kind::File,
        },
        name,
    };
    if entry.kind == Kind::Folder && entry.size != 0 && entry.size != 0xFFFF_FFFF {
        return Err(Refusal::new(format!("folder {} has contents", quoted(&String::from_utf8_lossy(&entry.name)))));
    }
    large(&mut entry, &extra)?;
    Ok(entry)
}

/// APPNOTE 4.5.3: the 64-bit sizes and place, each there only if its 32-bit field is full.
fn large(entry: &mut Entry, mut extra: &[u8]) -> Result<(), Refusal> {
    let mut wide =
        [&mut entry.size, &mut entry.packed, &mut entry.at].into_iter().filter(|n| **n == 0xFFFF_FFFF).peekable();
    if wide.peek().is_none() {
        return Ok(());
    }
    while extra.len() >= 4 {
        let (id, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let Some(mut field) = extra.get(4..4 + length) else { break };
        if id == 1 {
            for n in wide {
                let (now, rest) = field.split_at_checked(8).ok_or_else(|| Refusal::new("its directory is broken"))?;
                (*n, field) = (u64_at(now, 0), rest);
            }
            return Ok(());
        }
        extra = &extra[4 + length..];
    }
    // 4 GiB less one byte, exactly: possible, and over every limit that matters
    Ok(())
}

/// Where the bytes of each member begin, after its own header, which has to say the same; and that none overlap.
fn starts(file: &mut dyn Seekable, entries: &[Entry], directory: u64) -> Result<Vec<u64>, Refusal> {
    let mut starts = Vec::with_capacity(entries.len());
    let mut spans = Vec::with_capacity(entries.len());
    for entry in entries {
        let differs = || {
            let name = quoted(&String::from_utf8_lossy(&entry.name));
            Refusal::new(format!("member {name} is not what the directory says")).help("Fetch or make it again")
        };
        let space = directory.checked_sub(entry.at).filter(|&n| n >= 30).ok_or_else(differs)?;
        let head = bytes(file, entry.at, usize::try_from(space).unwrap_or(usize::MAX).min(30 + entry.name.len()))?;
        let agrees = head.starts_with(LOCAL)
            && usize::from(u16_at(&head, 26)) == entry.name.len()
            && head[30..] == entry.name[..]
            && u16_at(&head, 8) == entry.method
            && u16_at(&head, 6) & 1 == entry.flags & 1;
        let start = entry.at + 30 + entry.name.len() as u64 + u64::from(u16_at(&head, 28));
        let end = start.checked_add(entry.packed).filter(|&end| agrees && end <= directory).ok_or_else(differs)?;
        starts.push(start);
        spans.push((entry.at, end));
    }
    spans.sort_unstable();
    if spans.windows(2).any(|two| two[0].1 > two[1].0) {
        return Err(Refusal::new("members of it overlap, as bombs do").help("Pack the reports once more"));
    }
    Ok(starts)
}

/// The bytes of a member, held to the size and the checksum of the directory.
struct Checked<R> {
    from: R,
    crc: Crc,
    left: u64,
    want: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(into)?;
        let wrong = |what: &str| {
            let what = format!("a member of it is {what}: it is damaged");
            Err(io::Error::other(Refusal::new(what).help("Fetch or make it again")))
        };
        self.crc.update(&into[..n]);
        match self.left.checked_sub(n as u64) {
            None => wrong("longer than the directory says"),
            Some(left) if n == 0 && left > 0 && !into.is_empty() => wrong("shorter than the directory says"),
            Some(_) if n == 0 && !into.is_empty() && self.crc.sum() != self.want => wrong("not what its checksum says"),
            Some(left) => {
                self.left = left;
                Ok(n)
            }
        }
    }
}

fn bytes(file: &mut dyn Seekable, at: u64, n: usize) -> Result<Vec<u8>, Refusal> {
    let mut out = vec![0; n];
    let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut out));
    read.map(|()| out).map_err(|e| refusal(&e))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u16_at(bytes, at)) | u64::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) | u32_at(bytes, at + 4) << 32
}
