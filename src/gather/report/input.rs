//! The raw bytes of a report: read once, hashed and counted on the way.

use crate::gather::Progress;
use crate::record::digest::Sha256Digest;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};

/// Bytes of a report that are read; a larger file is refused, and still hashed to its end.
///
/// The facts ask for 64 MiB and the project for a 500 MB report in constant memory: what a limit has to bound here is
/// time, not memory.
pub(crate) const FILE_LIMIT: u64 = 2 << 30;

/// Bytes from which the format is told.
const HEAD: usize = 64 * 1024;

/// How often progress is told, in bytes.
const STEP: u64 = 1 << 20;

/// A report while it is read: every byte that leaves here is in the digest.
pub(crate) struct Input<'a> {
    from: &'a mut dyn Read,
    progress: &'a mut Progress<'a>,
    shown: &'a str,
    total: Option<u64>,
    hasher: Sha256,
    size: u64,
    told: u64,
    head: Vec<u8>,
    head_at: usize,
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
        let (hasher, head) = (Sha256::new(), Vec::new());
        Self { from, progress, shown, total, hasher, size: 0, told: 0, head, head_at: 0, limit, failed: false }
    }

    /// The first bytes, which stay to be read. Shorter than 64 KiB only when the file is.
    pub(crate) fn head(&mut self) -> io::Result<&[u8]> {
        let mut block = vec![0; HEAD];
        while self.head.len() < HEAD {
            let n = self.hashed(&mut block[..HEAD - self.head.len()])?;
            if n == 0 {
                break;
            }
            self.head.extend_from_slice(&block[..n]);
        }
        Ok(&self.head)
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
        let mut block = vec![0; HEAD];
        while self.hashed(&mut block)? > 0 {}
        (self.progress)(self.shown, self.size, self.total);
        Ok((Sha256Digest::from_bytes(self.hasher.finalize().into()), self.size))
    }

    /// One hashed read.
    fn hashed(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = loop {
            match self.from.read(into) {
                Ok(n) => break n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.failed = true;
                    return Err(e);
                }
            }
        };
        self.hasher.update(&into[..n]);
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
        if self.head_at < self.head.len() {
            let n = (&self.head[self.head_at..]).read(into)?;
            self.head_at += n;
            return Ok(n);
        }
        let n = self.hashed(into)?;
        if self.over_limit() {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is too large"));
        }
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
