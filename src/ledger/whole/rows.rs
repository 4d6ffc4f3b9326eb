//! Which records the leaves of one ledger name, in 48 bytes a leaf: a vault of a million records is verified in 48 MB.

use crate::ledger::leaf::{Leaf, Logged, Via};
use crate::record::digest::Sha256Digest;
use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicU64, Ordering};

/// A leaf that names a record. Address and digest by 128 bits: to find two that agree in them takes 2^64 tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    address: u128,
    seq: u32,
    digest: u128,
    /// Slot, and in the upper two bits the way it came.
    slot: u32,
    /// Whole seconds since 1970.
    recorded: u32,
    logged: u32,
}

/// Where a record stands in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    /// The leaf.
    pub(crate) leaf: u64,
    /// The slot that added it; `None` where the leaf was read from a tile, which does not say.
    pub(crate) slot: Option<u64>,
}

/// What the ledger knows of an address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    pub(super) at: At,
    pub(super) via: Via,
    digest: u128,
    /// Whole seconds since 1970.
    recorded: u32,
    pub(super) logged_on: DateTime<Utc>,
    /// A later leaf that names other bytes for the same address.
    pub(super) contradicted: Option<At>,
}

impl Named {
    /// Whether the leaf means these bytes.
    pub(super) fn is(&self, sha256: &Sha256Digest) -> bool {
        self.digest == half(sha256)
    }

    /// Whether the leaf says the same moment, to the second.
    pub(super) fn says(&self, recorded_on: DateTime<Utc>) -> bool {
        self.recorded == seconds(recorded_on)
    }
}

/// No slot: the leaf came from a tile.
const NO_SLOT: u32 = (1 << 30) - 1;

/// The records that a ledger names. First filled, then closed, then asked from many threads.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
    /// One bit a row: something stands at its address.
    seen: Vec<AtomicU64>,
    /// Leaves that say again what an earlier one said.
    pub(super) repeated: u64,
}

impl Rows {
    /// Makes room: growing by doubling would hold everything one and a half times over.
    pub(super) fn expect(&mut self, leaves: u64) {
        self.rows.reserve_exact(usize::try_from(leaves).unwrap_or(0).min(1 << 26));
    }

    /// Takes a leaf.
    pub(super) fn push(&mut self, slot: Option<u64>, leaf: &Leaf, logged: &Logged) {
        let slot = slot.and_then(|s| u32::try_from(s).ok()).unwrap_or(NO_SLOT).min(NO_SLOT);
        let via = match logged.via {
            Via::Attest => 0,
            Via::Spool => 1,
            Via::Adopt => 2,
        };
        self.rows.push(Row {
            address: half(&Sha256Digest::of(logged.address.as_bytes())),
            // A ledger of four thousand million leaves is beyond what a walk can do.
            seq: u32::try_from(leaf.seq).unwrap_or(u32::MAX),
            digest: half(&logged.sha256),
            slot: slot | via << 30,
            recorded: seconds(logged.recorded_on),
            logged: seconds(leaf.logged_on),
        });
    }

    /// Ends the filling.
    pub(super) fn close(&mut self) {
        self.rows.sort_unstable();
        self.repeated =
            self.rows.windows(2).filter(|w| (w[0].address, w[0].digest) == (w[1].address, w[1].digest)).count() as u64;
        self.seen = (0..self.rows.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
    }

    /// Leaves that name a record.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// What the ledger says of the address, and remembers that something stands there.
    pub(super) fn see(&self, address: &str) -> Option<Named> {
        let address = half(&Sha256Digest::of(address.as_bytes()));
        for (n, _) in self.alike(address) {
            self.mark(n);
        }
        self.about(address)
    }

    /// The same, and remembers nothing.
    pub(super) fn named(&self, address: &str) -> Option<Named> {
        self.about(half(&Sha256Digest::of(address.as_bytes())))
    }

    /// What the ledger says of the address: the first leaf counts, the record was there when it was appended.
    fn about(&self, address: u128) -> Option<Named> {
        let mut alike = self.alike(address).map(|(_, row)| row);
        let first = alike.next()?;
        let contradicted = alike.find(|row| row.digest != first.digest).map(Row::at);
        Some(Named {
            at: first.at(),
            via: first.via(),
            digest: first.digest,
            recorded: first.recorded,
            logged_on: DateTime::from_timestamp(i64::from(first.logged), 0).unwrap_or_default(),
            contradicted,
        })
    }

    /// Where the leaves stand that name what nobody has seen.
    pub(super) fn unseen(&self) -> impl Iterator<Item = At> + '_ {
        let unseen = (0..self.rows.len()).filter(|n| self.is_unseen(*n)).filter_map(|n| self.rows.get(n));
        let mut last = None;
        // One record, one leaf to name it by, however often it was logged.
        unseen.filter(move |row| last.replace(row.address) != Some(row.address)).map(Row::at)
    }

    /// Whether nobody has seen what this leaf names, and it is the leaf to name it by.
    pub(super) fn lacks(&self, address: &str, at: &At) -> bool {
        let first = self.alike(half(&Sha256Digest::of(address.as_bytes()))).next();
        first.is_some_and(|(n, row)| row.at() == *at && self.is_unseen(n))
    }

    fn is_unseen(&self, n: usize) -> bool {
        self.seen.get(n / 64).is_some_and(|bits| bits.load(Ordering::Relaxed) & (1 << (n % 64)) == 0)
    }

    fn alike(&self, address: u128) -> impl Iterator<Item = (usize, &Row)> {
        let from = self.rows.partition_point(|row| row.address < address);
        (from..).zip(self.rows.iter().skip(from)).take_while(move |(_, row)| row.address == address)
    }

    fn mark(&self, n: usize) {
        if let Some(bits) = self.seen.get(n / 64) {
            bits.fetch_or(1 << (n % 64), Ordering::Relaxed);
        }
    }
}

impl Row {
    fn at(&self) -> At {
        let slot = self.slot & NO_SLOT;
        At { leaf: self.seq.into(), slot: (slot != NO_SLOT).then_some(slot.into()) }
    }

    fn via(&self) -> Via {
        match self.slot >> 30 {
            0 => Via::Attest,
            1 => Via::Spool,
            _ => Via::Adopt,
        }
    }
}

fn half(digest: &Sha256Digest) -> u128 {
    digest.as_bytes().iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

/// Until 2106; what is earlier or later is cut, and still equal to itself.
fn seconds(on: DateTime<Utc>) -> u32 {
    u32::try_from(on.timestamp().max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::leaf::Said;

    fn on(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn rows(leaves: &[(&str, &[u8])]) -> Rows {
        let mut rows = Rows::default();
        for (seq, (address, bytes)) in (0..).zip(leaves) {
            let logged = Logged {
                address: (*address).to_owned(),
                sha256: Sha256Digest::of(bytes),
                recorded_on: on(0),
                keep_until: None,
                via: [Via::Attest, Via::Spool, Via::Adopt][seq as usize % 3],
            };
            let leaf = Leaf { seq, logged_on: on(7), said: Said::Record(logged.clone()) };
            rows.push(Some(seq + 100), &leaf, &logged);
        }
        rows.close();
        rows
    }

    #[test]
    fn a_row_is_48_bytes() {
        assert_eq!(size_of::<Row>(), 48);
    }

    #[test]
    fn the_first_leaf_of_an_address_counts() {
        let rows = rows(&[("b", b"1"), ("a", b"2"), ("b", b"1"), ("c", b"3"), ("b", b"4")]);
        assert_eq!((rows.len(), rows.repeated), (5, 1));
        let b = rows.see("b").unwrap();
        assert_eq!((b.at, b.via), (At { leaf: 0, slot: Some(100) }, Via::Attest));
        assert!(b.is(&Sha256Digest::of(b"1")) && !b.is(&Sha256Digest::of(b"4")));
        assert_eq!(b.contradicted, Some(At { leaf: 4, slot: Some(104) }));
        assert_eq!((b.logged_on, b.says(on(0)), b.says(on(1))), (on(7), true, false));
        assert_eq!(rows.named("a").map(|a| a.via), Some(Via::Spool));
        assert!(rows.see("d").is_none());
        let mut unseen: Vec<u64> = rows.unseen().map(|at| at.leaf).collect();
        unseen.sort_unstable();
        assert_eq!(unseen, [1, 3]);
        assert!(rows.lacks("a", &At { leaf: 1, slot: Some(101) }) && !rows.lacks("b", &b.at));
        assert!(!rows.lacks("a", &At { leaf: 1, slot: None }));
    }
}
