//! For tests: a ledger in a folder, written slot by slot and without the door in.

use super::leaf::{Leaf, Logged, Said, Via};
use super::slot::{self, Slot};
use crate::record::digest::Sha256Digest;
use crate::seal::key::PrivateKey;
use crate::seal::signer::Signer;
use crate::seal::tlog::tile::Tiler;
use crate::seal::trust::TrustSet;
use crate::vault::{Patience, Settings, Vault};
use std::path::PathBuf;

/// A ledger of `prod` that grows.
pub(crate) struct Written {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) vault: Vault,
    pub(crate) signer: Signer,
    pub(crate) origin: uuid::Uuid,
    /// The next slot.
    pub(crate) number: u64,
    pub(crate) base: Option<Slot>,
}

/// The vault in a folder.
pub(crate) fn vault(dir: &std::path::Path) -> Vault {
    let settings = Settings { env: Default::default(), cwd: dir.to_owned(), patience: Patience::default() };
    Vault::open(&dir.display().to_string(), &settings).unwrap()
}

/// A record that stands nowhere.
pub(crate) fn logged(n: u64) -> Logged {
    Logged {
        address: format!("evidence/env=prod/date=2026-11-23/run=manual-{n}-1/run.json"),
        sha256: Sha256Digest::of(&n.to_be_bytes()),
        recorded_on: "2026-11-23T01:02:03Z".parse().unwrap(),
        keep_until: None,
        via: Via::Attest,
    }
}

impl Written {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let vault = vault(dir.path());
        let signer = Signer::Key(PrivateKey::generate([1; 32]));
        Self { dir, vault, signer, origin: uuid::Uuid::nil(), number: 0, base: None }
    }

    pub(crate) fn trust(&self) -> TrustSet {
        TrustSet::of(self.signer.public_key())
    }

    /// One entry with these leaves.
    pub(crate) fn entry(&mut self, said: Vec<Said>) {
        let size = self.base.as_ref().map_or(0, |b| b.checkpoint.size);
        let logged_on = "2026-11-23T01:02:04Z".parse().unwrap();
        let leaves = (size..).zip(said).map(|(seq, said)| Leaf { seq, logged_on, said }).collect();
        let origin = slot::origin("prod", self.origin);
        let slot = Slot::next(self.base.as_ref(), self.number, &origin, leaves, &self.signer).unwrap();
        let file = self.file(self.number);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, slot.to_bytes().unwrap()).unwrap();
        self.number += 1;
        self.base = Some(slot);
    }

    /// Entries with so many records each.
    pub(crate) fn entries(&mut self, sizes: &[usize]) {
        for size in sizes {
            let first = self.base.as_ref().map_or(0, |b| b.checkpoint.size);
            self.entry((first..first + *size as u64).map(|n| Said::Record(logged(n))).collect());
        }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join("ledger/env=prod").join(below)
    }

    pub(crate) fn file(&self, number: u64) -> PathBuf {
        self.path(&slot::name(number))
    }
}

/// Writes the full bundle of that number.
pub(crate) fn bundle(w: &Written, number: u64) {
    let mut tiler = Tiler::default();
    for n in 0..w.number {
        let slot = Slot::parse(&std::fs::read(w.file(n)).unwrap()).unwrap();
        for (bytes, _) in &slot.leaves {
            for tile in tiler.push(bytes, super::leaf::hash(bytes)) {
                if tile.level.is_none() && tile.number == number {
                    std::fs::create_dir_all(w.path("tile/entries")).unwrap();
                    std::fs::write(w.path(&tile.path()), &tile.bytes).unwrap();
                }
            }
        }
    }
}
