//! What leaves name and nobody has seen: read again, because the first walk keeps no names.

use super::look::{Shelf, Twice};
use super::record::{Judged, on, place};
use super::rows::{At, Rows};
use super::{Ask, crew, tiles};
use crate::ledger::leaf::{Leaf, Logged};
use crate::ledger::slot::{self, Slot};
use crate::ledger::{Entry, Verdict};
use crate::record::digest::Sha256Digest;
use crate::seal::tlog::tile::{self, WIDTH};
use crate::vault::VaultError;
use crate::vault::address::Address;

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
    let (mut slots, mut tiles): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
    let mut unnamed = 0;
    for at in rows.unseen() {
        unnamed += 1;
        match at.slot {
            Some(slot) => slots.push(slot),
            None => tiles.push(at.leaf / WIDTH),
        }
    }
    let folder = shelf.whose.folder();
    let feed = |give: &mut dyn FnMut(Vec<Address>) -> bool| {
        for (numbers, piece) in [(&mut tiles, 1), (&mut slots, PIECE)] {
            numbers.sort_unstable();
            numbers.dedup();
            for piece_of in numbers.chunks(piece) {
                let address =
                    |n: &u64| if piece == 1 { tiles::at(&folder, *n) } else { slot::address(&folder, *n).ok() };
                if !give(piece_of.iter().filter_map(address).collect()) {
                    return;
                }
            }
        }
    };
    let work = |piece: Vec<Address>| -> Vec<(At, Leaf, Logged)> {
        let read = ask.vault.get_many(&piece, PIECE).into_iter().map(Result::unwrap_or_default);
        let leaves = read.flat_map(|bytes| leaves(&bytes));
        let named = leaves.filter_map(|(slot, leaf)| {
            let logged = leaf.record()?.clone();
            Some((At { leaf: leaf.seq, slot }, leaf, logged))
        });
        named.filter(|(at, _, logged)| rows.lacks(&logged.address, at)).collect()
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

/// The leaves in an entry or a tile, with the slot where it is an entry.
fn leaves(bytes: &[u8]) -> Vec<(Option<u64>, Leaf)> {
    if let Ok(entry) = Slot::parse(bytes) {
        return entry.leaves.into_iter().map(|(_, leaf)| (Some(entry.number), leaf)).collect();
    }
    let leaves = tile::entries(bytes).unwrap_or_default().into_iter().filter_map(|leaf| Leaf::parse(leaf).ok());
    leaves.map(|leaf| (None, leaf)).collect()
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
    Judged { entry, at: Some(*at), on_its_way: false, finding: false, identity: None }
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
