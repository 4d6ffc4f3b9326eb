//! Keys of the objects that are open, to find one that stands twice.
//!
//! A hash of eight bytes stands for a key. Two keys with one hash are refused as if they were one; who forges such a pair
//! has a report of theirs refused.

use super::super::name::{AsItIs, digest64};
use std::collections::HashSet;
use std::hash::BuildHasherDefault;

/// Keys of all open objects together.
pub(crate) const KEY_LIMIT: usize = 1 << 20;

/// Keys that are compared one by one before a table is worth its memory.
const FEW: usize = 32;

#[derive(Default)]
pub(super) struct Keys {
    /// Those of the open objects, one object behind the other.
    all: Vec<u64>,
    /// Where each open object or array begins.
    starts: Vec<usize>,
    /// The keys beyond [`FEW`] with the number of their level.
    table: HashSet<u64, BuildHasherDefault<AsItIs>>,
}

impl Keys {
    #[inline]
    pub(super) fn enter(&mut self) {
        self.starts.push(self.all.len());
    }

    #[inline]
    pub(super) fn leave(&mut self) {
        let Some(start) = self.starts.pop() else { return };
        if self.all.len() - start > FEW {
            self.forget(start);
        }
        self.all.truncate(start);
    }

    #[cold]
    fn forget(&mut self, start: usize) {
        let level = self.starts.len() as u64 + 1;
        for key in &self.all[start..] {
            self.table.remove(&at_level(level, *key));
        }
    }

    /// Adds `key` to the innermost object; says what is wrong with it.
    #[inline]
    pub(super) fn add(&mut self, key: &[u8]) -> Result<(), &'static str> {
        const TWICE: &str = "stands twice in one object";
        let (hash, start) = (digest64(0, key), self.starts.last().copied().unwrap_or(0));
        let own = &self.all[start..];
        if own.len() < FEW {
            if own.contains(&hash) {
                return Err(TWICE);
            }
        } else if !self.add_to_table(start, hash) {
            return Err(TWICE);
        }
        if self.all.len() == KEY_LIMIT {
            return Err("is one too many: objects with so many keys are not read");
        }
        self.all.push(hash);
        Ok(())
    }

    #[cold]
    fn add_to_table(&mut self, start: usize, hash: u64) -> bool {
        let level = self.starts.len() as u64;
        if self.all.len() - start == FEW {
            self.table.extend(self.all[start..].iter().map(|key| at_level(level, *key)));
        }
        self.table.insert(at_level(level, hash))
    }
}

/// A key of one level, unlike the same key of another.
fn at_level(level: u64, hash: u64) -> u64 {
    digest64(level, &hash.to_le_bytes())
}
