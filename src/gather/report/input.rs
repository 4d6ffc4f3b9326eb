//! The raw bytes of a report: read once, hashed and counted on the way.

use super::hashing::{BLOCK, Hashing};
use super::refusal::Refusal;
use crate::gather::Progress;
use crate::record::digest::Sha256Digest;
use std::io::{self, Read};

/// Bytes of a report that are read; a larger file is refused, and still hashed to its end.
///
/// The facts ask for 64 MiB and the project for a 500 MB report in constant memory: what a limit has to bound here is
/// time, not memory.
pub(crate) const FILE_LIMIT: u64 = 2 << 30;

/// Bytes from which the format is told.
pub(super) const HEAD: usize = 64 * 1024;

/// How often progress is told, in bytes.
const STEP: u64 = 1 << 20;

/// A report while it is read: every byte that leaves here is in the digest.
pub(crate) struct Input<'a> {
    from: &'a mut dyn Read,
    progress: &'a mut Progress<'a>,
    shown: &'a str,
    total: Option<u64>,
    hashing: Hashing,
    size: u64,
    told: u64,
    /// `block[at..to]` was read and has not left yet; `block[..to]` is hashed when all of it has.
    block: Vec<u8>,
    at: usize,
    to: usize,
    limit: u64,
    failed: bool,
}

impl<'a> Input<'a> {
    /// Wraps `from`; `total` is the file's size where it is known, for progress only.
    pub(crate) fn new(
        from: &'a mut dyn Read,
        shown: &'a str,
        total: Option<u64>,
        limit: u64,
        progress: &'a mut Progress<'a>,
    ) -> Self {
        let (hashing, block) = Hashing::new();
        Self { from, progress, shown, total, hashing, size: 0, told: 0, block, at: 0, to: 0, limit, failed: false }
    }

    /// The first bytes, which stay to be read. Shorter than 64 KiB only when the file is.
    pub(crate) fn head(&mut self) -> Result<&[u8], Refusal> {
        let unreadable = |e| Refusal::new(format!("the file could not be read: {e}"));
        while self.to < HEAD && self.fill(HEAD).map_err(unreadable)? > 0 {}
        Ok(&self.block[..self.to])
    }

    /// Whether the file is larger than is read.
    pub(crate) fn over_limit(&self) -> bool {
        self.size > self.limit
    }

    /// Reads on to the end, whatever the limit, and gives the digest of all bytes and their number.
    pub(crate) fn finish(mut self) -> io::Result<(Sha256Digest, u64)> {
        if self.failed {
            return Err(io::Error::other("an earlier read failed"));
        }
        while self.next()? > 0 {}
        (self.progress)(self.shown, self.size, self.total);
        Ok((self.hashing.finish()?, self.size))
    }

    /// Has the block hashed and reads the next.
    fn next(&mut self) -> io::Result<usize> {
        self.block = self.hashing.pass(std::mem::take(&mut self.block), self.to);
        (self.at, self.to) = (0, 0);
        self.fill(BLOCK)
    }

    /// One read into the block, up to its byte `end`.
    fn fill(&mut self, end: usize) -> io::Result<usize> {
        let n = loop {
            match self.from.read(&mut self.block[self.to..end]) {
                Ok(n) => break n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.failed = true;
                    return Err(e);
                }
            }
        };
        self.to += n;
        self.size += n as u64;
        if self.size - self.told >= STEP {
            self.told = self.size;
            (self.progress)(self.shown, self.size, self.total);
        }
        Ok(n)
    }
}

impl Read for Input<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.to {
            self.next()?;
            if self.over_limit() {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is too large"));
            }
        }
        let n = (&self.block[self.at..self.to]).read(into)?;
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(bytes: &[u8], limit: u64) -> (io::Result<Vec<u8>>, (Sha256Digest, u64)) {
        let (mut from, mut quiet) = (bytes, |_: &str, _: u64, _: Option<u64>| {});
        let mut input = Input::new(&mut from, "f", None, limit, &mut quiet);
        input.head().unwrap();
        let mut got = Vec::new();
        let read = input.read_to_end(&mut got).map(|_| got);
        (read, input.finish().unwrap())
    }

    #[test]
    fn every_byte_is_read_once_and_hashed_once() {
        for n in [0, 1, HEAD - 1, HEAD, HEAD + 1, 5 * HEAD + 7] {
            let bytes: Vec<u8> = (0..n).map(|i| i as u8).collect();
            let (read, (digest, size)) = read_all(&bytes, u64::MAX);
            assert_eq!((read.unwrap(), size), (bytes.clone(), n as u64));
            assert_eq!(digest, Sha256Digest::of(&bytes));
        }
    }

    #[test]
    fn one_byte_over_the_limit_is_an_error_and_the_digest_is_still_whole() {
        let bytes = vec![7; 3 * HEAD];
        assert!(read_all(&bytes, bytes.len() as u64).0.is_ok());
        let (read, (digest, size)) = read_all(&bytes, bytes.len() as u64 - 1);
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!((digest, size), (Sha256Digest::of(&bytes), bytes.len() as u64));
    }

    #[test]
    fn progress_grows_to_the_whole_size() {
        let bytes = vec![7; 3 * STEP as usize + 5];
        let mut seen = Vec::new();
        let mut note = |_: &str, done: u64, of: Option<u64>| seen.push((done, of));
        let mut from = &bytes[..];
        Input::new(&mut from, "f", Some(bytes.len() as u64), u64::MAX, &mut note).finish().unwrap();
        assert!(seen.is_sorted() && seen.len() >= 3);
        assert_eq!(seen.last(), Some(&(bytes.len() as u64, Some(bytes.len() as u64))));
    }
}
