//! Where a ledger ends: what the next append builds on.
//!
//! An entry is followed if it is whole, stands where it belongs and is the entry before it plus its own leaves. That rule
//! asks nobody whom they trust, so that writers with different keys agree. Whose word an entry is matters only where the
//! chain cannot be seen: an entry that nobody here can attribute must lead back to one that somebody can.

use super::leaf::{Logged, Said};
use super::seen::{Reader, Seen, seen, settled};
use super::slot::{self, Slot, Standing};
use crate::record::digest::Sha256Digest;
use crate::seal::trust::TrustSet;
use crate::vault::address::Address;
use crate::vault::{Found, Vault, VaultError};
use std::collections::{BTreeMap, BTreeSet};

/// Entries asked for at first; more only where what stands there is none. A page of one would look sorted anywhere.
const PAGE: usize = 8;
/// Slots that are followed at once; the next look follows on.
const AHEAD: u64 = 100;
/// Reads under way at the same time.
const AT_ONCE: usize = 32;
/// Objects looked at before a ledger counts as flooded.
const MOST: usize = 32 * 1024;
/// Entries of strangers that are followed back in search of a known key.
const BACK: u32 = 64;

/// The end of a ledger, as one writer sees it.
pub(crate) struct Head {
    environment: String,
    folder: String,
    /// The entry to build on; `None` for the first.
    pub(crate) base: Option<Slot>,
    /// The slot to try next.
    pub(crate) next: u64,
    /// Slots between the two that hold nothing of ours: the next entry says so.
    pub(crate) voids: Vec<(u64, Option<Sha256Digest>)>,
    /// A version of entries that this program cannot read, by a trusted key: nothing may be built on what is before it.
    pub(crate) newer: Option<u32>,
    /// What a person should know.
    pub(crate) doubts: Vec<String>,
    /// What was found beyond the entry to build on and cannot be followed.
    junk: BTreeMap<u64, Option<Sha256Digest>>,
    /// First entry that was read; claims upon earlier ones may be in entries that were not.
    read_from: u64,
    /// Records in the entries that were read.
    logged: BTreeSet<Sha256Digest>,
}

impl Head {
    /// Finds the end of the environment's ledger: one listing and one read, where all is well.
    pub(crate) fn read(vault: &Vault, trust: &TrustSet, environment: &str) -> Result<Self, VaultError> {
        let mut head = Self {
            environment: environment.to_owned(),
            folder: slot::folder(environment),
            base: None,
            next: 0,
            voids: Vec::new(),
            newer: None,
            doubts: Vec::new(),
            junk: BTreeMap::new(),
            read_from: 0,
            logged: BTreeSet::new(),
        };
        let mut page = PAGE;
        loop {
            let (slots, seen) = head.list(vault, page)?;
            if let Some(base) = head.newest(vault, trust, &slots)? {
                head.read_from = base.number;
                head.stand_on(base);
                return Ok(head);
            }
            if seen < page {
                head.skip_junk();
                return Ok(head);
            }
            page *= 16;
            if page > MOST {
                let why = format!("more than {seen} objects there are no entries; `vouchsafe verify` names them");
                return Err(VaultError::Other { doing: format!("find the end of {}", head.folder), why });
            }
        }
    }

    /// The place of the slot to try next.
    pub(crate) fn address(&self) -> Result<Address, VaultError> {
        let bad = |e: crate::vault::address::BadAddress| VaultError::Other {
            doing: "name a slot".into(),
            why: e.to_string(),
        };
        slot::address(&self.folder, self.next).map_err(bad)
    }

    /// Whose ledger it is.
    pub(crate) fn environment(&self) -> &str {
        &self.environment
    }

    /// The folder of the ledger, with its slash.
    pub(crate) fn folder(&self) -> &str {
        &self.folder
    }

    /// Something else stands in the slot that was tried: follows it if it is an entry, passes over it if not.
    /// Whether it was followed.
    pub(crate) fn lost_to(&mut self, theirs: &[u8], trust: &TrustSet) -> bool {
        let entry = self.entry(theirs, self.next, trust).filter(|(slot, _)| slot.extends(self.base.as_ref()));
        match entry {
            Some((slot, _)) => self.stand_on(slot),
            None => {
                self.newer = self.newer.or(slot::newer(theirs, &self.environment, trust));
                self.pass_over(Some(Sha256Digest::of(theirs)));
                return false;
            }
        }
        true
    }

    /// What stands in the slot that was tried, which a create has just found taken. `first`: as it was seen then.
    pub(crate) fn look(&self, vault: &Vault, first: Seen) -> Result<Seen, VaultError> {
        settled(vault, &self.address()?, first)
    }

    /// The slot that was tried holds nothing of ours; without a digest, it is too large to be read.
    pub(crate) fn pass_over(&mut self, sha256: Option<Sha256Digest>) {
        self.junk.insert(self.next, sha256);
        self.skip_junk();
    }

    /// Looks again: follows what others have appended meanwhile.
    pub(crate) fn catch_up(&mut self, vault: &Vault, trust: &TrustSet) -> Result<(), VaultError> {
        let (slots, _) = self.list(vault, PAGE)?;
        let Some(last) = slots.first().copied().filter(|last| *last >= self.next) else { return Ok(()) };
        // Junk far ahead must not make us read a million slots that are not there.
        let last = last.min(self.next + AHEAD);
        let numbers = self.next..=last;
        let addresses: Vec<Address> = numbers.clone().filter_map(|n| slot::address(&self.folder, n).ok()).collect();
        for ((number, address), read) in numbers.zip(&addresses).zip(vault.get_many(&addresses, AT_ONCE)) {
            // What is known to be junk has been passed over already.
            if number < self.next {
                continue;
            }
            match settled(vault, address, seen(read)?)? {
                Seen::Bytes(theirs) => drop(self.lost_to(&theirs, trust)),
                Seen::TooLarge => self.pass_over(None),
                Seen::Nothing => break,
            }
        }
        Ok(())
    }

    /// Whether the entries that were read hold the record.
    pub(crate) fn holds(&self, sha256: &Sha256Digest) -> bool {
        self.logged.contains(sha256)
    }

    /// Whether a claim upon the slot `tried` still waits, as far as can be told: it means "not in any before it", so all from
    /// that one on must have been read. `digest`: the first digits.
    pub(crate) fn lacks(&self, tried: u64, digest: &str) -> bool {
        tried >= self.read_from && !self.logged.iter().any(|d| d.to_string().starts_with(digest))
    }

    fn stand_on(&mut self, slot: Slot) {
        self.logged.extend(slot.leaves.iter().filter_map(|(_, leaf)| leaf.record().map(|r| r.sha256)));
        self.next = slot.number + 1;
        self.base = Some(slot);
        self.voids.clear();
        self.skip_junk();
    }

    fn skip_junk(&mut self) {
        while let Some(digest) = self.junk.get(&self.next) {
            self.voids.push((self.next, *digest));
            self.next += 1;
        }
    }

    /// The newest slots, the newest first, and how many objects were seen.
    fn list(&self, vault: &Vault, page: usize) -> Result<(Vec<u64>, usize), VaultError> {
        let found = vault.first(&self.folder, page)?;
        let number = |f: &Found| f.address.as_str().strip_prefix(&self.folder).and_then(slot::number);
        Ok((found.iter().filter_map(number).collect(), found.len()))
    }

    /// The newest of `slots` that can be followed.
    fn newest(&mut self, vault: &Vault, trust: &TrustSet, slots: &[u64]) -> Result<Option<Slot>, VaultError> {
        let mut read = Reader::new(vault, &self.folder);
        for &number in slots.iter().filter(|n| !self.junk.contains_key(n)).collect::<Vec<_>>() {
            let bytes = read.slot(number)?;
            let Some(bytes) = bytes else {
                self.junk.insert(number, None);
                continue;
            };
            match self.leads_back(&mut read, trust, number, &bytes)? {
                Some(slot) => return Ok(Some(slot)),
                None => {
                    self.newer = self.newer.or(slot::newer(&bytes, &self.environment, trust));
                    self.junk.insert(number, Some(Sha256Digest::of(&bytes)));
                }
            }
        }
        Ok(None)
    }

    /// The entry in `bytes` if it can be followed, see the head of this file.
    fn leads_back(
        &mut self,
        read: &mut Reader,
        trust: &TrustSet,
        number: u64,
        bytes: &[u8],
    ) -> Result<Option<Slot>, VaultError> {
        let Some((slot, standing)) = self.entry(bytes, number, trust) else { return Ok(None) };
        let trusted = matches!(standing, Standing::Trusted(_));
        let mut doubts = Vec::new();
        if let Standing::Unattributed(why) = &standing {
            doubts.push(format!("the newest entry of the ledger, slot {number}, cannot be attributed here: {why}; name its key with --trust"));
        }
        let mut current = slot.clone();
        for _ in 0..BACK {
            let Some(before) = current.follows() else {
                let first = current.extends(None) && (trusted || !self.voids_an_entry(read, trust, &current, None)?);
                self.doubts.extend(doubts.into_iter().filter(|_| first));
                return Ok(first.then_some(slot));
            };
            let bytes = read.slot(before)?;
            let previous = bytes.as_deref().and_then(|b| self.entry(b, before, trust));
            let Some((previous, standing)) = previous else {
                if trusted {
                    let what = if bytes.is_some() { "holds no entry" } else { "is missing" };
                    self.doubts.push(format!("slot {before} of the ledger {what}: see `vouchsafe verify`"));
                }
                return Ok(trusted.then_some(slot));
            };
            let voids = !trusted && self.voids_an_entry(read, trust, &current, Some(&previous))?;
            if voids || !current.extends(Some(&previous)) {
                return Ok(None);
            }
            if trusted || matches!(standing, Standing::Trusted(_)) {
                break;
            }
            current = previous;
        }
        self.doubts.extend(doubts);
        Ok(Some(slot))
    }

    /// Whether an entry that nobody here can attribute calls void what is an entry: without this, who may put and has no key
    /// could cut off the end of a ledger for all writers.
    fn voids_an_entry(
        &self,
        read: &mut Reader,
        trust: &TrustSet,
        entry: &Slot,
        before: Option<&Slot>,
    ) -> Result<bool, VaultError> {
        let first = before.map_or(0, |b| b.number + 1);
        if entry.number - first > u64::from(BACK) {
            return Ok(true);
        }
        for number in first..entry.number {
            let bytes = read.slot(number)?;
            let there = bytes.as_deref().and_then(|b| self.entry(b, number, trust));
            if there.is_some_and(|(slot, standing)| matches!(standing, Standing::Trusted(_)) || slot.extends(before)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn entry(&self, bytes: &[u8], number: u64, trust: &TrustSet) -> Option<(Slot, Standing)> {
        let slot = Slot::parse(bytes).ok()?;
        let standing = slot.check(number, &self.environment, trust).ok()?;
        Some((slot, standing))
    }
}

/// The leaf of a record that may be in the ledger already, and its entry: entries are read from the newest back, until they
/// are older than the record. Only what leads to the newest counts; anybody who may put can name a record in a slot.
pub(crate) fn find(
    vault: &Vault,
    trust: &TrustSet,
    head: &Head,
    logged: &Logged,
) -> Result<Option<(Slot, u64)>, VaultError> {
    let in_slot = |slot: &Slot| slot.leaf_of(&logged.sha256, &logged.address).map(|leaf| leaf.seq);
    // Clocks of runners differ; an hour is more than they do.
    let oldest = logged.recorded_on - chrono::TimeDelta::hours(1);
    let Some(base) = &head.base else { return Ok(None) };
    if let Some(seq) = in_slot(base) {
        return Ok(Some((base.clone(), seq)));
    }
    let mut current = base.clone();
    let mut below = base.number;
    while below > 0 && current.logged_on() >= oldest {
        let from = below.saturating_sub(AT_ONCE as u64);
        let numbers = (from..below).rev();
        let addresses: Vec<Address> = numbers.clone().filter_map(|n| slot::address(&head.folder, n).ok()).collect();
        for ((number, address), read) in numbers.zip(&addresses).zip(vault.get_many(&addresses, AT_ONCE)) {
            // What a later entry calls void is passed over; behind a hole only a trusted key's word counts.
            let follows = current.follows();
            if follows.is_none_or(|follows| number > follows) {
                continue;
            }
            let Seen::Bytes(bytes) = settled(vault, address, seen(read)?)? else { continue };
            let Some((slot, standing)) = head.entry(&bytes, number, trust) else { continue };
            let leads = follows == Some(number) && current.extends(Some(&slot));
            if !leads && !matches!(standing, Standing::Trusted(_)) {
                continue;
            }
            if let Some(seq) = in_slot(&slot) {
                return Ok(Some((slot, seq)));
            }
            current = slot;
        }
        below = from;
    }
    Ok(None)
}

/// A leaf for every slot that holds nothing of ours.
pub(crate) fn void_leaves(head: &Head) -> impl Iterator<Item = Said> + '_ {
    head.voids.iter().map(|(slot, sha256)| Said::Void { slot: *slot, sha256: *sha256 })
}
