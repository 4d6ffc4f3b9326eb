//! tar: POSIX ustar and pax (IEEE Std 1003.1, `pax`), GNU's long names, and the old format without a magic.
//!
//! Strict where two readers could see two archives: a second size, data behind a link, an end that is missing.

use super::Seekable;
use super::limits::{Meter, fill, refusal};
use super::sink::{Kind, Sink};
use crate::gather::report::refusal::{Refusal, quoted};
use std::io::{self, Read};

/// Everything in a tar comes in blocks.
pub(super) const BLOCK: usize = 512;

/// Bytes of the attributes of one member.
const PAX_LIMIT: u64 = 64 * 1024;

pub(super) fn recognises(head: &[u8]) -> bool {
    head.len() >= BLOCK && head[0] != 0 && sums_up(&head[..BLOCK])
}

/// Reads an archive that is not compressed.
pub(super) fn read(file: &mut dyn Seekable, _: u64, meter: &Meter, sink: &mut Sink<'_>) -> Result<(), Refusal> {
    walk(&mut meter.unpacked(meter.packed(io::BufReader::new(file))), sink)
}

/// What headers say of the member behind them.
#[derive(Default)]
struct Ahead {
    name: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Goes through an archive to its end.
pub(super) fn walk(from: &mut dyn Read, sink: &mut Sink<'_>) -> Result<(), Refusal> {
    let mut ahead = Ahead::default();
    loop {
        let mut block = [0; BLOCK];
        if fill(from, &mut block).map_err(|e| refusal(&e))? < BLOCK {
            return Err(Refusal::new("it ends without its end mark: it was cut short").help("Fetch or make it again"));
        }
        if block == [0; BLOCK] {
            return end(from, &ahead);
        }
        if !sums_up(&block) {
            return Err(Refusal::new("a header in it is broken").help("Fetch or make it again"));
        }
        let size = number(&block[124..136])?;
        let mut body = Body { from: &mut *from, left: size, read: 0 };
        match block[156] {
            b'L' => ahead.name = Some(long_name(&mut body, sink)?),
            // the target of a link
            b'K' => sink.header()?,
            b'x' => ahead = pax(&attributes(&mut body)?, sink, ahead)?,
            // git writes its commit there; a name or size for all members makes no sense
            b'g' => {
                let global = pax(&attributes(&mut body)?, sink, Ahead::default())?;
                if global.name.is_some() || global.size.is_some() {
                    return Err(Refusal::new("it has a name or a size for all of its members"));
                }
            }
            kind => {
                let Ahead { name, size: wide } = std::mem::take(&mut ahead);
                let name = name.unwrap_or_else(|| self::name(&block));
                // pax gives a size that does not fit into the header, which then has 0
                if wide.is_some_and(|wide| size != 0 && size != wide) {
                    let what = format!("member {} has two sizes", quoted_name(&name));
                    return Err(Refusal::new(what).help("Pack the reports once more"));
                }
                body.left = wide.unwrap_or(size);
                member(kind, &name, &mut body, sink)?;
            }
        }
        let size = body.size();
        sink.drain(&mut body)?;
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        sink.drain(&mut Body { from: &mut *from, left: padding, read: 0 })?;
    }
}

fn member(kind: u8, name: &[u8], body: &mut Body<'_>, sink: &mut Sink<'_>) -> Result<(), Refusal> {
    let kind = match kind {
        b'0' | 0 | b'7' if name.ends_with(b"/") && body.left == 0 => Kind::Folder,
        b'0' | 0 | b'7' => Kind::File,
        b'5' => Kind::Folder,
        // links, devices, pipes: readers do not agree on whether data may follow
        b'1'..=b'6' if body.left == 0 => Kind::Other,
        b'1'..=b'6' => {
            return Err(Refusal::new(format!("member {} is a link or a device with contents", quoted_name(name))));
        }
        b'S' => return Err(sparse(name)),
        other => {
            let what = format!("member {} is of a kind that is not known here", quoted_name(name));
            return Err(Refusal::new(format!("{what} ({})", other.escape_ascii())));
        }
    };
    sink.member(name, kind, body)
}

/// After the end mark stand zeros, up to a full record, and nothing else.
fn end(from: &mut dyn Read, ahead: &Ahead) -> Result<(), Refusal> {
    if ahead.name.is_some() || ahead.size.is_some() {
        return Err(Refusal::new("it ends after the name of a member: it was cut short").help("Fetch or make it again"));
    }
    let mut rest = [0; 8 * 1024];
    loop {
        match fill(from, &mut rest).map_err(|e| refusal(&e))? {
            0 => return Ok(()),
            n if rest[..n].iter().all(|&b| b == 0) => {}
            _ => return Err(Refusal::new("something stands behind its end mark").help("Pack the reports once more")),
        }
    }
}

/// The bytes of one member, all of them.
struct Body<'a> {
    from: &'a mut dyn Read,
    left: u64,
    read: u64,
}

impl Body<'_> {
    fn size(&self) -> u64 {
        self.read.saturating_add(self.left)
    }
}

impl Read for Body<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || into.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let n = self.from.read(&mut into[..most])?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= n as u64;
        self.read += n as u64;
        Ok(n)
    }
}

/// The sum of a header's bytes, its own field taken for spaces; some old writers summed signed bytes.
fn sums_up(block: &[u8]) -> bool {
    let Ok(want) = number(&block[148..156]) else { return false };
    let bytes = || block.iter().enumerate().map(|(i, &b)| if (148..156).contains(&i) { b' ' } else { b });
    let unsigned: u64 = bytes().map(u64::from).sum();
    let signed: i64 = bytes().map(|b| i64::from(b as i8)).sum();
    want == unsigned || i64::try_from(want) == Ok(signed)
}

/// An octal number, or GNU's binary one.
fn number(field: &[u8]) -> Result<u64, Refusal> {
    let broken = || Refusal::new("a header in it holds a number that cannot be read");
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(field.len() - 8);
        let high = high.iter().enumerate().all(|(i, &b)| b == if i == 0 { 0x80 } else { 0 });
        return low.try_into().map(u64::from_be_bytes).ok().filter(|_| high).ok_or_else(broken);
    }
    let digits = field.split(|&b| b == 0).next().unwrap_or_default().trim_ascii();
    if digits.is_empty() {
        return Ok(0);
    }
    let text = std::str::from_utf8(digits).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
    text.and_then(|t| u64::from_str_radix(t, 8).ok()).ok_or_else(broken)
}

/// The name in a header: with ustar's prefix, where it is POSIX's (GNU keeps times there).
fn name(block: &[u8; BLOCK]) -> Vec<u8> {
    let text = |field: &[u8]| field.split(|&b| b == 0).next().unwrap_or_default().to_vec();
    let (name, prefix) = (text(&block[..100]), text(&block[345..500]));
    if &block[257..263] == b"ustar\0" && !prefix.is_empty() { [prefix, name].join(&b'/') } else { name }
}

fn long_name(body: &mut Body<'_>, sink: &mut Sink<'_>) -> Result<Vec<u8>, Refusal> {
    sink.header()?;
    if body.left > sink.limits().name as u64 + 1 {
        return Err(sink.name_too_long());
    }
    let mut name = Vec::new();
    body.read_to_end(&mut name).map_err(|e| refusal(&e))?;
    name.truncate(name.iter().position(|&b| b == 0).unwrap_or(name.len()));
    Ok(name)
}

fn attributes(body: &mut Body<'_>) -> Result<Vec<u8>, Refusal> {
    if body.left > PAX_LIMIT {
        return Err(Refusal::new(format!("the attributes of a member are longer than {PAX_LIMIT} bytes")));
    }
    let mut text = Vec::new();
    body.read_to_end(&mut text).map_err(|e| refusal(&e))?;
    Ok(text)
}

/// pax attributes: `LENGTH KEY=VALUE\n`, the length being that of the whole.
fn pax(mut text: &[u8], sink: &mut Sink<'_>, mut ahead: Ahead) -> Result<Ahead, Refusal> {
    sink.header()?;
    let broken = || Refusal::new("the attributes of a member cannot be read");
    while !text.is_empty() {
        let space = text.iter().take(8).position(|&b| b == b' ').ok_or_else(broken)?;
        let digits = std::str::from_utf8(&text[..space]).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
        let length: usize = digits.and_then(|t| t.parse().ok()).ok_or_else(broken)?;
        let line = text.get(space + 1..length).and_then(|l| l.strip_suffix(b"\n")).ok_or_else(broken)?;
        text = &text[length..];
        let equals = line.iter().position(|&b| b == b'=').ok_or_else(broken)?;
        let (key, value) = (&line[..equals], &line[equals + 1..]);
        match key {
            b"path" => ahead.name = Some(value.to_vec()),
            b"size" => {
                let digits = std::str::from_utf8(value).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
                ahead.size = Some(digits.and_then(|t| t.parse().ok()).ok_or_else(broken)?);
            }
            _ if key.starts_with(b"GNU.sparse.") => return Err(sparse(value)),
            _ => {}
        }
    }
    Ok(ahead)
}

fn sparse(name: &[u8]) -> Refusal {
    Refusal::new(format!("member {} is a sparse file", quoted_name(name))).help("Pack it without --sparse")
}

fn quoted_name(name: &[u8]) -> String {
    quoted(&String::from_utf8_lossy(name))
}
