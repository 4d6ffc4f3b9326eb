//! A ledger as tiles (C2SP `tlog-tiles`), so that a million leaves are some thousand objects and every standard client can
//! read them. Create-only and the same bytes from everybody: it may run twice at once, and be killed anywhere.
//!
//! Tiles say nothing of their own. They are written only after the leaves in them led to a signed root.

use crate::ledger::folders;
use crate::ledger::leaves::{self, LeavesError, Passed};
use crate::ledger::slot::{self, Slot};
use crate::seal::tlog::tile::{MAX_LEAF, Tile, Tiler};
use crate::seal::trust::TrustSet;
use crate::vault::address::Address;
use crate::vault::lock::Retention;
use crate::vault::{Outcome, Tags, Vault, VaultError};
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

/// Bytes of tiles that wait in memory for the root that vouches for them.
pub(crate) const ROOM: usize = 64 * 1024 * 1024;

/// What is to be compacted, and how.
pub(crate) struct Compacting<'a> {
    pub(crate) vault: &'a Vault,
    pub(crate) trust: &'a TrustSet,
    pub(crate) environment: &'a str,
    /// The lock of what is written in a ledger whose newest entry is of that time.
    pub(crate) lock: &'a dyn Fn(DateTime<Utc>) -> Option<Retention>,
    /// Compare also what stands already, byte for byte, instead of trusting its name and size.
    pub(crate) check: bool,
    /// [`ROOM`], or less.
    pub(crate) room: usize,
}

/// What stands after it.
#[derive(Debug, Default)]
pub(crate) struct Compacted {
    /// The ledger.
    pub(crate) origin: String,
    /// Leaves in the tiles.
    pub(crate) size: u64,
    /// Objects that were written now: tiles, bundles and the checkpoint.
    pub(crate) written: u64,
    /// Objects that stood there already.
    pub(crate) there: u64,
    /// Objects that stand there and are wrong; nothing was overwritten.
    pub(crate) wrong: Vec<String>,
    /// The first lock that was asked for and not seen.
    pub(crate) unlocked: Option<VaultError>,
    /// What a person should know.
    pub(crate) warnings: BTreeSet<String>,
}

/// Writes the tiles, partial tiles and checkpoint of the ledger as it stands now. `step` is told of every object that was
/// put and may stop the work; running it again goes on.
pub(crate) fn compact(
    how: &Compacting,
    step: &mut dyn FnMut(&Compacted) -> ControlFlow<()>,
) -> Result<Compacted, LeavesError> {
    let (base, _) = leaves::signed_head(how.vault, how.trust, how.environment)?;
    let folder = slot::folder(how.environment);
    let mut done =
        Compacted { origin: base.checkpoint.origin.clone(), size: base.checkpoint.size, ..Compacted::default() };
    let mut standing =
        if how.check { HashMap::new() } else { folders::names(how.vault, &folder, &["checkpoints/", "tile/"])? };
    loop {
        let round = round(how, &folder, &base, &standing, &mut done)?;
        for tile in &round.tiles {
            let path = tile.path();
            put(how, &base, &format!("{folder}{path}"), &tile.bytes, &mut done)?;
            standing.insert(path, tile.bytes.len() as u64);
            if step(&done).is_break() {
                return Ok(done);
            }
        }
        if !round.full {
            done.there = round.there + round.tiles.len() as u64;
            break;
        }
    }
    // Last: where a checkpoint stands, its tiles stand.
    let path = format!("checkpoints/{:012}", base.checkpoint.size);
    if standing.get(&path) != Some(&(base.note.len() as u64)) {
        put(how, &base, &format!("{folder}{path}"), base.note.as_bytes(), &mut done)?;
        let _ = step(&done);
    }
    done.there = (done.there + 1).saturating_sub(done.written + done.wrong.len() as u64);
    Ok(done)
}

/// Tiles that are true and stand nowhere yet, as many as there is room for.
struct Round {
    tiler: Tiler,
    tiles: Vec<Tile>,
    bytes: usize,
    full: bool,
    there: u64,
    too_long: Option<(u64, usize)>,
}

impl Round {
    fn take(&mut self, tile: Tile, standing: &HashMap<String, u64>, room: usize) {
        if standing.get(&tile.path()) == Some(&(tile.bytes.len() as u64)) {
            self.there += 1;
        } else if self.full || (self.bytes + tile.bytes.len() > room && !self.tiles.is_empty()) {
            self.full = true;
        } else {
            self.bytes += tile.bytes.len();
            self.tiles.push(tile);
        }
    }
}

/// Reads the whole ledger once; nothing of it is handed over before its root held.
fn round(
    how: &Compacting,
    folder: &str,
    base: &Slot,
    standing: &HashMap<String, u64>,
    done: &mut Compacted,
) -> Result<Round, LeavesError> {
    let fresh =
        || Round { tiler: Tiler::default(), tiles: Vec::new(), bytes: 0, full: false, there: 0, too_long: None };
    let each = |round: &mut Round, passed: Passed| {
        if passed.bytes.len() > MAX_LEAF {
            round.too_long.get_or_insert((passed.leaf.seq, passed.bytes.len()));
        }
        for tile in round.tiler.push(passed.bytes, passed.hash) {
            round.take(tile, standing, how.room);
        }
    };
    let walked = leaves::walk(how.vault, how.trust, how.environment, base, fresh, each)?;
    if walked.bad_bundles {
        let what = "there are bundles in tile/entries that are not the ledger's leaves: they are not used";
        done.warnings.insert(format!("{folder}: {what}; --check names them"));
    }
    let mut round = walked.state;
    if let Some((seq, size)) = round.too_long {
        return Err(LeavesError::TooLong { folder: folder.to_owned(), seq, size });
    }
    for tile in std::mem::take(&mut round.tiler).finish() {
        round.take(tile, standing, how.room);
    }
    Ok(round)
}

fn put(how: &Compacting, base: &Slot, place: &str, bytes: &[u8], done: &mut Compacted) -> Result<(), VaultError> {
    let named = Address::parse(place);
    let address = named.map_err(|e| VaultError::Other { doing: "name a tile".into(), why: e.to_string() })?;
    let logged_on = base.logged_on();
    let tags = Tags { env: how.environment.to_owned(), run_id: "ledger".to_owned(), date: logged_on.date_naive() };
    let lock = (how.lock)(logged_on);
    match how.vault.put_once(&address, bytes, &tags, lock.as_ref()) {
        Ok(put) if put.outcome == Outcome::Created => {
            done.written += 1;
            done.warnings.extend(put.warnings);
        }
        Ok(_) => {}
        // Written by an earlier call that asked for an earlier end.
        Err(VaultError::LockNotObserved { put, .. }) if put.outcome == Outcome::AlreadyThere && put.lock.is_some() => {}
        Err(e @ VaultError::LockNotObserved { .. }) => {
            done.written += 1;
            done.unlocked.get_or_insert(e);
        }
        Err(VaultError::Different { .. } | VaultError::TooLarge { .. }) => done.wrong.push(address.to_string()),
        Err(e) => return Err(e),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::written::Written;
    use crate::seal::tlog::checkpoint::Checkpoint;
    use crate::seal::tlog::tree::Frontier;
    use std::path::Path;

    fn run(w: &Written, check: bool, room: usize, most: u64) -> Result<Compacted, LeavesError> {
        let trust = w.trust();
        let how = Compacting { vault: &w.vault, trust: &trust, environment: "prod", lock: &|_| None, check, room };
        let mut left = most;
        compact(&how, &mut |_| {
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }

    /// Everything below the ledger's folder but slots and tags, with its bytes.
    fn tiles(w: &Written) -> Vec<(String, Vec<u8>)> {
        let root = w.path("");
        let files = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().filter_map(Result::ok);
        let files = files.filter(|e| e.file_type().is_file() && e.depth() > 1);
        let named = files.map(|e| (e.path().strip_prefix(&root).unwrap().display().to_string(), e.path().to_owned()));
        named
            .filter(|(name, _)| !name.ends_with(".tags"))
            .map(|(name, path): (String, std::path::PathBuf)| (name, std::fs::read::<&Path>(&path).unwrap()))
            .collect()
    }

    fn ledger(leaves: usize) -> Written {
        let mut w = Written::new();
        w.entries(&vec![20; leaves / 20]);
        w.entries(&vec![1; leaves % 20]);
        w
    }

    #[test]
    fn the_names_are_those_of_the_specification_and_the_hashes_lead_to_the_root() {
        let w = ledger(600);
        let done = run(&w, false, ROOM, u64::MAX).unwrap();
        assert_eq!((done.size, done.written, done.there, done.wrong.len()), (600, 8, 0, 0));
        let names: Vec<String> = tiles(&w).into_iter().map(|(name, _)| name).collect();
        let want = [
            "checkpoints/000000000600",
            "tile/0/000",
            "tile/0/001",
            "tile/0/002.p/88",
            "tile/1/000.p/2",
            "tile/entries/000",
            "tile/entries/001",
            "tile/entries/002.p/88",
        ];
        assert_eq!(names, want);
        let mut tree = Frontier::default();
        for name in ["tile/0/000", "tile/0/001", "tile/0/002.p/88"] {
            for hash in std::fs::read(w.path(name)).unwrap().chunks(32) {
                tree.push(crate::record::digest::Sha256Digest::from_bytes(hash.try_into().unwrap()));
            }
        }
        let note = std::fs::read_to_string(w.path("checkpoints/000000000600")).unwrap();
        let (checkpoint, _) = Checkpoint::open(&note, &w.trust()).unwrap();
        assert_eq!((checkpoint.size, checkpoint.root), (600, tree.root()));
    }

    #[test]
    fn a_second_run_finds_everything_and_a_longer_ledger_adds_to_it() {
        let mut w = ledger(512);
        assert_eq!(run(&w, false, ROOM, u64::MAX).unwrap().written, 6);
        let before = tiles(&w);
        for check in [false, true] {
            let again = run(&w, check, ROOM, u64::MAX).unwrap();
            assert_eq!((again.written, again.there), (0, 6), "{check}");
        }
        assert_eq!(tiles(&w), before);
        w.entries(&[1]);
        // Two partial tiles, one partial bundle, one checkpoint; the tile of level 1 has the same name and bytes.
        let more = run(&w, false, ROOM, u64::MAX).unwrap();
        assert_eq!((more.written, more.there), (3, 5));
        assert!(before.iter().all(|old| tiles(&w).contains(old)), "nothing is taken back");
    }

    #[test]
    fn killed_after_any_put_the_next_run_ends_the_same() {
        let whole = ledger(600);
        run(&whole, false, ROOM, u64::MAX).unwrap();
        let want = tiles(&whole);
        for room in [ROOM, 1] {
            for stop in 1..=8 {
                let w = ledger(600);
                let stopped = run(&w, false, room, stop).unwrap();
                assert_eq!(stopped.written, stop, "{room} {stop}");
                assert!(tiles(&w).iter().all(|tile| want.contains(tile)));
                let ended = run(&w, false, room, u64::MAX).unwrap();
                assert_eq!((ended.written, ended.there, tiles(&w) == want), (8 - stop, stop, true), "{room} {stop}");
            }
        }
    }

    #[test]
    fn several_at_once_write_the_same() {
        let whole = ledger(600);
        run(&whole, false, ROOM, u64::MAX).unwrap();
        let w = ledger(600);
        let trust = w.trust();
        let written: u64 = std::thread::scope(|s| {
            let one = || {
                let vault = crate::ledger::written::vault(w.dir.path());
                let how = Compacting {
                    vault: &vault,
                    trust: &trust,
                    environment: "prod",
                    lock: &|_| None,
                    check: false,
                    room: ROOM,
                };
                let done = compact(&how, &mut |_| ControlFlow::Continue(())).unwrap();
                assert_eq!((done.written + done.there, done.wrong.len()), (8, 0));
                done.written
            };
            let threads: Vec<_> = (0..4).map(|_| s.spawn(one)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(written, 8, "each object is created by exactly one of them");
        assert_eq!(tiles(&w), tiles(&whole));
    }

    #[test]
    fn what_stands_there_and_is_wrong_is_told_and_left() {
        let w = ledger(600);
        for (name, bytes) in [("tile/0/000", vec![7; 8192]), ("tile/entries/000", vec![0; 512])] {
            std::fs::create_dir_all(w.path(name).parent().unwrap()).unwrap();
            std::fs::write(w.path(name), bytes).unwrap();
        }
        let done = run(&w, true, ROOM, u64::MAX).unwrap();
        let wrong = ["ledger/env=prod/tile/entries/000", "ledger/env=prod/tile/0/000"];
        assert_eq!((done.wrong, done.written, done.there), (wrong.map(str::to_owned).to_vec(), 6, 0));
        assert_eq!(std::fs::read(w.path("tile/0/000")).unwrap(), vec![7; 8192], "nothing is overwritten");
    }

    #[test]
    fn nothing_is_written_of_a_ledger_that_does_not_hold() {
        let w = ledger(600);
        std::fs::remove_file(w.file(3)).unwrap();
        assert!(matches!(run(&w, false, ROOM, u64::MAX), Err(LeavesError::Broken { slot: 3, .. })));
        assert_eq!(tiles(&w), []);
    }
}
