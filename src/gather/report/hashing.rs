//! The digest of a report, on a thread of its own where there is much to hash: sha256 takes about as long as reading.
//!
//! Whole blocks change hands, so nothing is copied, and there is a fixed number of them, so the one that is ahead waits.

use crate::record::digest::Sha256Digest;
use sha2::{Digest as _, Sha256};
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// Bytes of a block: a hand-over may wake a thread, which costs as much as hashing some KiB.
pub(super) const BLOCK: usize = 256 * 1024;

/// Blocks in all: one is read from, one is hashed, the others even out their pace.
const BLOCKS: usize = 4;

/// Bytes that are hashed before a thread is worth its start.
const ALONE: u64 = 1 << 20;

/// A block and how much of it is filled.
type Full = (Vec<u8>, usize);

/// Where hashing is done.
pub(super) enum Hashing {
    /// On the thread that reads; how many bytes so far.
    Here(Sha256, u64),
    /// Beside it.
    Beside { full: SyncSender<Full>, empty: Receiver<Vec<u8>>, thread: JoinHandle<Sha256> },
}

impl Hashing {
    /// Begins, with a block to read into.
    pub(super) fn new() -> (Self, Vec<u8>) {
        (Self::Here(Sha256::new(), 0), vec![0; BLOCK])
    }

    /// Takes a block, of which `filled` bytes are hashed, and gives one to read on into: its contents are left-overs.
    pub(super) fn pass(&mut self, block: Vec<u8>, filled: usize) -> Vec<u8> {
        if let Self::Here(hasher, ALONE..) = self
            // where no thread can be had (a container's limit), all goes on here
            && let Ok(beside) = Self::beside(hasher.clone())
        {
            *self = beside;
        }
        match self {
            Self::Here(hasher, hashed) => {
                hasher.update(&block[..filled]);
                *hashed += filled as u64;
                block
            }
            Self::Beside { full, empty, .. } => {
                // both fail only when the thread has died: `finish` tells
                let sent = full.send((block, filled));
                sent.ok().and_then(|()| empty.recv().ok()).unwrap_or_else(|| vec![0; BLOCK])
            }
        }
    }

    fn beside(mut hasher: Sha256) -> io::Result<Self> {
        let (full, filled) = sync_channel::<Full>(BLOCKS);
        let (emptied, empty) = sync_channel(BLOCKS);
        for _ in 1..BLOCKS {
            emptied.send(vec![0; BLOCK]).map_err(io::Error::other)?;
        }
        let thread = Builder::new().name("sha256".into()).spawn(move || {
            while let Ok((block, filled)) = filled.recv() {
                hasher.update(&block[..filled]);
                // an error says that no further block is read
                let _ = emptied.send(block);
            }
            hasher
        })?;
        Ok(Self::Beside { full, empty, thread })
    }

    /// The digest of all that was passed.
    pub(super) fn finish(self) -> io::Result<Sha256Digest> {
        let hasher = match self {
            Self::Here(hasher, _) => hasher,
            Self::Beside { full, thread, .. } => {
                drop(full);
                thread.join().map_err(|_| io::Error::other("the thread that hashes it has died"))?
            }
        };
        Ok(Sha256Digest::from_bytes(hasher.finalize().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes `sizes` bytes a block, and says whether that went to a thread.
    fn pass(sizes: &[usize]) -> (Sha256Digest, Vec<u8>, bool) {
        let (mut hashing, mut block) = Hashing::new();
        let mut all = Vec::new();
        for (n, &size) in sizes.iter().enumerate() {
            // left-overs differ from what is hashed
            block.fill(0xFF);
            block[..size].fill(n as u8);
            all.extend_from_slice(&block[..size]);
            block = hashing.pass(block, size);
            assert_eq!(block.len(), BLOCK);
        }
        let beside = matches!(hashing, Hashing::Beside { .. });
        (hashing.finish().unwrap(), all, beside)
    }

    #[test]
    fn a_digest_is_that_of_all_blocks_in_their_order_wherever_it_is_taken() {
        let four = ALONE as usize / BLOCK;
        for (sizes, beside) in [
            (vec![], false),
            (vec![0], false),
            (vec![1, 0, 2], false),
            (vec![BLOCK; four], false),
            (vec![BLOCK; four + 1], true),
            ([vec![BLOCK; four], vec![0, 7, BLOCK - 1, 1]].concat(), true),
            ((0..100).map(|n| BLOCK - n * 1000).collect(), true),
        ] {
            let (digest, all, went) = pass(&sizes);
            assert_eq!((digest, went), (Sha256Digest::of(&all), beside), "{sizes:?}");
        }
    }

    #[test]
    fn a_thread_that_is_not_waited_for_ends() {
        let (mut hashing, mut block) = Hashing::new();
        for _ in 0..20 {
            block = hashing.pass(block, BLOCK);
        }
        let Hashing::Beside { full, empty, thread } = hashing else { panic!("it stayed here") };
        drop((full, empty));
        thread.join().unwrap();
    }
}
