//! What leaves name and nobody has seen: read again, because the first walk keeps no names.

use super::look::{Shelf, Twice};
use super::record::{Judged, on, place};
use super::rows::{At, Rows};
use super::{Ask, crew};
use crate::ledger::leaf::{Leaf, Logged};
use crate::ledger::slot::{self, Slot};
use crate::ledger::{Entry, Verdict};
use crate::record::digest::Sha256Digest;
use crate::vault::VaultError;

/// Slots that are read in one go.
const PIECE: usize = 32;

/// Tells of every record of `shelf` that is missing. Answers with how many could not be named.
pub(super) fn tell(
    ask: &Ask,
    shelf: &Shelf,
    rows: &Rows,
    hidden: &[Twice],
    tell: &mut dyn FnMut(Judged) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let mut slots: Vec<u64> = Vec::new();
    let mut unnamed = 0;
    for at in rows.unseen() {
        unnamed += 1;
        slots.extend(at.slot);
    }
    slots.sort_unstable();
    slots.dedup();
    let folder = shelf.whose.folder();
    let feed = |give: &mut dyn FnMut(Vec<u64>) -> bool| {
        let _ = slots.chunks(PIECE).all(|piece| give(piece.to_vec()));
    };
    let work = |piece: Vec<u64>| -> Vec<(At, Leaf, Logged)> {
        let addresses: Vec<_> = piece.iter().filter_map(|n| slot::address(&folder, *n).ok()).collect();
        let read = ask.vault.get_many(&addresses, PIECE).into_iter().map(Result::ok);
        let entries = read.flatten().filter_map(|bytes| Slot::parse(&bytes).ok());
        let leaves = entries.flat_map(|entry| {
            let number = entry.number;
            entry.leaves.into_iter().map(move |(_, leaf)| (number, leaf))
        });
        let named = leaves.filter_map(|(slot, leaf)| {
            let logged = leaf.record()?.clone();
            Some((At { leaf: leaf.seq, slot: Some(slot) }, leaf, logged))
        });
        named.filter(|(at, _, logged)| rows.lacks(&logged.address, at.leaf)).collect()
    };
    let told = crew::in_order(ask.threads, feed, work, |found| {
        for (at, leaf, logged) in found {
            unnamed -= u64::from(unnamed > 0);
            tell(missing(ask, &at, &leaf, &logged, hidden))?;
        }
        anyhow::Ok(())
    });
    told.map_err(|e| e.unwrap_or_else(super::panicked))?;
    Ok(unnamed)
}

fn missing(ask: &Ask, at: &At, leaf: &Leaf, logged: &Logged, hidden: &[Twice]) -> Judged {
    let expired = logged.keep_until.filter(|until| *until < ask.now);
    let mut why = format!("{} logged it on {} with sha256 {}", place(at), on(leaf.logged_on), logged.sha256);
    match (expired, hidden.iter().find(|twice| twice.address.as_str() == logged.address)) {
        (Some(until), _) => why += &format!("; it had to be kept until {}, and is gone", on(until)),
        (None, Some(twice)) => {
            why +=
                &format!("; it is hidden by a delete marker: {}", holds(ask, twice, &|sha256| *sha256 == logged.sha256))
        }
        (None, None) => why += "; nothing stands there",
    }
    let mut entry = Entry::unread(&logged.address, why);
    entry.verdict = if expired.is_some() { Verdict::Expired } else { Verdict::Missing };
    Judged { entry, at: Some(*at), on_its_way: false, finding: false }
}

/// Which of the versions is the one with the bytes that are meant.
pub(super) fn holds(ask: &Ask, twice: &Twice, meant: &dyn Fn(&Sha256Digest) -> bool) -> String {
    let objects = twice.versions.iter().filter(|(_, marker)| !marker).filter_map(|(id, _)| id.as_deref());
    for id in objects {
        match ask.vault.get(&twice.address, Some(id)) {
            Ok(bytes) if meant(&Sha256Digest::of(&bytes)) => return format!("version {id} holds what was logged"),
            Ok(_) => {}
            Err(e @ (VaultError::Credentials { .. } | VaultError::Unreachable { .. })) => return e.to_string(),
            Err(_) => {}
        }
    }
    format!("no version that can be read holds what was logged ({})", twice.told())
}
