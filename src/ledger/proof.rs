//! That a record is in a ledger, in one small file: the leaf, the hashes beside its way to the root, and a signed checkpoint
//! (C2SP `tlog-proof`). It is checked with the public key and nothing else.

use super::folders;
use super::leaf::{self, Leaf, Logged};
use super::leaves::{self, LeavesError, Passed};
use super::place::address_of;
use crate::record::Record;
use crate::record::digest::Sha256Digest;
use crate::seal::tlog::checkpoint::Checkpoint;
use crate::seal::tlog::note::NoteError;
use crate::seal::tlog::proof::{self, ProofFile, Prover};
use crate::seal::trust::{Distrust, TrustSet};
use crate::vault::Vault;
use crate::vault::address::Address;

/// Why a record has no proof.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoProof {
    /// Its ledger cannot be read.
    #[error(transparent)]
    Leaves(#[from] LeavesError),
    /// No leaf names it, as it stands.
    #[error("no leaf of the ledger of `{environment}` names {address} as it stands; it has {size} leaves")]
    Unlogged { environment: String, address: String, size: u64 },
}

/// A proof, and where its leaf was found.
pub(crate) struct Proof {
    /// The file.
    pub(crate) file: ProofFile,
    /// The entry that added the leaf; `None` where tiles hide it.
    pub(crate) slot: Option<u64>,
}

/// The proof of the record that stands at `address`, under the newest checkpoint; reads the whole ledger. The hashes of all
/// leaves are held: 32 MB for a million.
pub(crate) fn prove(
    vault: &Vault,
    trust: &TrustSet,
    environment: &str,
    address: &str,
    sha256: &Sha256Digest,
) -> Result<Proof, NoProof> {
    #[derive(Default)]
    struct Seen {
        hashes: Vec<Sha256Digest>,
        ours: Option<(Option<u64>, u64, Vec<u8>)>,
    }
    let (base, _) = leaves::signed_head(vault, trust, environment)?;
    let size = base.checkpoint.size;
    let each = |seen: &mut Seen, passed: Passed| {
        let is_it = passed.leaf.record().is_some_and(|r| r.sha256 == *sha256 && r.address == address);
        if is_it && seen.ours.is_none() {
            seen.ours = Some((passed.slot, passed.leaf.seq, passed.bytes.to_vec()));
        }
        seen.hashes.push(passed.hash);
    };
    let seen = leaves::walk(vault, trust, environment, &base, Seen::default, each)?.state;
    let proof = seen.ours.and_then(|(slot, index, extra)| {
        let mut prover = Prover::new(index, size)?;
        seen.hashes.iter().for_each(|hash| prover.push(*hash));
        let file = ProofFile { extra, index, hashes: prover.finish()?, checkpoint: base.note.clone() };
        Some(Proof { file, slot })
    });
    let unlogged = || NoProof::Unlogged { environment: environment.to_owned(), address: address.to_owned(), size };
    proof.ok_or_else(unlogged)
}

/// What a proof shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proven {
    /// The record.
    pub(crate) logged: Logged,
    /// The leaf that names it.
    pub(crate) leaf: Leaf,
    /// The ledger, its size and its root.
    pub(crate) checkpoint: Checkpoint,
    /// Whose ledger it is.
    pub(crate) environment: String,
    /// The key that signed the checkpoint.
    pub(crate) keyid: String,
    /// Why that key is trusted.
    pub(crate) why: String,
}

/// Why a proof shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unproven {
    /// The file or its checkpoint is not of the form.
    #[error("the proof cannot be read: {0}")]
    Form(String),
    /// The checkpoint.
    #[error("the checkpoint does not count: {0}")]
    Signature(NoteError),
    /// Its key.
    #[error("the checkpoint does not count: {0}")]
    Distrust(Distrust),
    /// The leaf is not in that tree, at that place.
    #[error(
        "leaf {index} and these hashes do not lead to the root of the checkpoint: the leaf, a hash or the place was changed"
    )]
    NotIncluded { index: u64 },
    /// It is in the tree, and says another place or ledger.
    #[error("the leaf does not fit: {0}")]
    Leaf(String),
    /// The record in hand is another one.
    #[error("it proves another record: {0}")]
    Record(String),
}

/// Checks a proof offline: checkpoint signed by a key that is trusted for the ledger's environment, and the leaf in it.
pub(crate) fn check(text: &str, trust: &TrustSet) -> Result<Proven, Unproven> {
    let file = ProofFile::parse(text).map_err(Unproven::Form)?;
    let (checkpoint, keyid) = Checkpoint::open(&file.checkpoint, trust).map_err(Unproven::Signature)?;
    let environment = environment(&checkpoint.origin)
        .ok_or_else(|| Unproven::Form(format!("`{}` is no origin of a ledger", checkpoint.origin)))?;
    let leads_to = proof::root(file.index, checkpoint.size, leaf::hash(&file.extra), &file.hashes);
    if leads_to != Some(checkpoint.root) {
        return Err(Unproven::NotIncluded { index: file.index });
    }
    // Only now are these bytes what the ledger holds.
    let leaf = Leaf::parse(&file.extra).map_err(Unproven::Leaf)?;
    if leaf.seq != file.index {
        return Err(Unproven::Leaf(format!("at place {} it says that it is number {}", file.index, leaf.seq)));
    }
    let Some(logged) = leaf.record().cloned() else {
        return Err(Unproven::Leaf(format!("leaf {} names no record that this program knows", leaf.seq)));
    };
    if !logged.address.starts_with(&Address::environment_prefix(&environment)) {
        return Err(Unproven::Leaf(format!("{} is not of `{environment}`, whose ledger this is", logged.address)));
    }
    // The checkpoint was signed at or after the leaf's time, perhaps by a key that came later.
    let first = trust.get(&keyid).and_then(|k| k.valid_from);
    let on = first.map_or(leaf.logged_on, |first| first.max(leaf.logged_on));
    let trusted = trust.covers(&keyid, &environment, on).map_err(Unproven::Distrust)?;
    Ok(Proven { logged, leaf, checkpoint, environment, keyid, why: trusted.why })
}

impl Proven {
    /// Whether the record in hand, of these bytes, is the one that the leaf names.
    pub(crate) fn binds(&self, sha256: &Sha256Digest, record: &Record) -> Result<(), Unproven> {
        let other = |why| Err(Unproven::Record(why));
        if *sha256 != self.logged.sha256 {
            return other(format!("the leaf names sha256 {}, this one has {sha256}", self.logged.sha256));
        }
        let belongs = address_of(record);
        let beside = belongs.conflict(&record.head().record_id.to_string());
        if ![Some(&belongs), beside.as_ref()].into_iter().flatten().any(|a| a.as_str() == self.logged.address) {
            return other(format!("the leaf names {}, this one belongs at {belongs}", self.logged.address));
        }
        Ok(())
    }
}

/// The environment in an origin of ours, `vouchsafe.dev/ledger/<uuid>/env=<environment>`.
fn environment(origin: &str) -> Option<String> {
    let (id, word) = origin.strip_prefix("vouchsafe.dev/ledger/")?.split_once('/')?;
    id.parse::<uuid::Uuid>().ok()?;
    folders::environment(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::leaf::Said;
    use crate::ledger::written::{self, Written};
    use crate::seal::key::PrivateKey;
    use crate::seal::signer::Signer;
    use crate::seal::trust::TrustedKey;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    fn proof(w: &Written, n: u64) -> ProofFile {
        let logged = written::logged(n);
        prove(&w.vault, &w.trust(), "prod", &logged.address, &logged.sha256).unwrap().file
    }

    #[test]
    fn every_leaf_has_its_proof_with_and_without_bundles() {
        let mut w = Written::new();
        w.entries(&[1, 7, 40]);
        for n in 0..48 {
            let proven = check(&proof(&w, n).to_text(), &w.trust()).unwrap();
            assert_eq!((proven.leaf.seq, proven.checkpoint.size), (n, 48));
            assert_eq!((proven.logged, proven.environment.as_str()), (written::logged(n), "prod"));
        }
        w.entries(&[250]);
        let before = proof(&w, 7);
        written::bundle(&w, 0);
        assert_eq!(proof(&w, 7), before);
        check(&proof(&w, 297).to_text(), &w.trust()).unwrap();
        let gone = prove(&w.vault, &w.trust(), "prod", &written::logged(1).address, &written::logged(2).sha256);
        assert!(matches!(gone, Err(NoProof::Unlogged { size: 298, .. })));
    }

    #[test]
    fn whatever_is_bent_is_refused_and_told_apart() {
        let mut w = Written::new();
        w.entries(&[5, 8]);
        let trust = w.trust();
        let good = proof(&w, 4);
        let is = |bend: &dyn Fn(&mut ProofFile)| {
            let mut bent = good.clone();
            bend(&mut bent);
            check(&bent.to_text(), &trust).unwrap_err()
        };
        let other = proof(&w, 5);
        let not_included = Unproven::NotIncluded { index: 4 };
        assert_eq!(is(&|p| p.extra.clone_from(&other.extra)), not_included, "another leaf");
        assert_eq!(is(&|p| p.extra.push(b' ')), not_included, "the same leaf in other bytes");
        assert_eq!(is(&|p| p.extra.clear()), not_included, "no leaf");
        assert_eq!(is(&|p| p.hashes[1] = Sha256Digest::of(b"bent")), not_included, "a hash");
        assert_eq!(is(&|p| p.hashes.truncate(p.hashes.len() - 1)), not_included, "a hash less");
        assert_eq!(is(&|p| p.hashes.push(Sha256Digest::of(b""))), not_included, "a hash more");
        assert_eq!(is(&|p| p.hashes.swap(0, 1)), not_included, "two hashes");
        assert_eq!(is(&|p| p.index = 5), Unproven::NotIncluded { index: 5 }, "the place");
        assert_eq!(is(&|p| p.index = u64::MAX), Unproven::NotIncluded { index: u64::MAX });
        let bad_signature = Unproven::Signature(NoteError::BadSignature(w.signer.public_key().keyid()));
        assert_eq!(is(&|p| p.checkpoint = p.checkpoint.replacen("\n13\n", "\n14\n", 1)), bad_signature);
        let mut longer = Written::new();
        longer.origin = uuid::Uuid::from_u128(1);
        longer.entries(&[14]);
        let root = longer.base.as_ref().unwrap().note.clone();
        assert_eq!(is(&|p| p.checkpoint.clone_from(&root)), not_included, "the checkpoint of another ledger");
        let text = good.to_text();
        let bent = text.replacen(&STANDARD.encode(&good.extra)[..8], "AAAAAAAA", 1);
        assert_eq!(check(&bent, &trust), Err(not_included));
        assert!(matches!(check(&text.replacen("index 4", "index four", 1), &trust), Err(Unproven::Form(_))));
        let stranger = TrustSet::of(PrivateKey::generate([9; 32]).public());
        assert_eq!(check(&text, &stranger), Err(Unproven::Signature(NoteError::UnknownKey)));
    }

    #[test]
    fn a_leaf_that_names_no_record_of_this_environment_proves_none() {
        let mut w = Written::new();
        let mut elsewhere = written::logged(1);
        elsewhere.address = elsewhere.address.replace("env=prod", "env=production");
        w.entry(vec![
            Said::Heartbeat { records: 0, by: "x".into() },
            Said::Record(elsewhere),
            Said::Record(written::logged(2)),
        ]);
        let mut file = proof(&w, 2);
        let leaves = w.base.as_ref().unwrap().leaves.clone();
        for index in [0u64, 1] {
            let mut prover = Prover::new(index, 3).unwrap();
            leaves.iter().for_each(|(bytes, _)| prover.push(leaf::hash(bytes)));
            (file.index, file.hashes) = (index, prover.finish().unwrap());
            file.extra.clone_from(&leaves[index as usize].0);
            assert!(matches!(check(&file.to_text(), &w.trust()), Err(Unproven::Leaf(_))), "{index}");
        }
    }

    #[test]
    fn the_key_must_count_for_the_environment_and_the_time() {
        let mut w = Written::new();
        w.entries(&[3]);
        let text = proof(&w, 1).to_text();
        let key = || TrustedKey::new(w.signer.public_key());
        let only = |environment: &str| Some(vec![environment.to_owned()]);
        let on = |text: &str| Some(text.parse().unwrap());
        let table = [
            (TrustedKey { environments: only("prod"), ..key() }, true),
            (TrustedKey { environments: only("staging"), ..key() }, false),
            (TrustedKey { valid_until: on("2026-11-23T00:00:00Z"), ..key() }, false),
            (TrustedKey { valid_until: on("2026-12-01T00:00:00Z"), ..key() }, true),
            // The newest checkpoint may be of a key that is younger than the leaf.
            (TrustedKey { valid_from: on("2027-01-01T00:00:00Z"), ..key() }, true),
            (TrustedKey { revoked_on: on("2026-11-01T00:00:00Z"), ..key() }, false),
            (TrustedKey { revoked_on: on("2027-11-01T00:00:00Z"), ..key() }, true),
        ];
        for (n, (key, want)) in table.into_iter().enumerate() {
            let mut trust = TrustSet::default();
            trust.add(key).unwrap();
            let checked = check(&text, &trust);
            assert_eq!(checked.is_ok(), want, "{n}: {checked:?}");
            assert!(want || matches!(checked, Err(Unproven::Distrust(_))));
        }
        // Whoever may sign for one environment does not make ledgers of another.
        let signer = Signer::Key(PrivateKey::generate([1; 32]));
        let forged = Checkpoint { origin: "vouchsafe.dev/ledger/x/env=prod".into(), size: 1, root: leaf::hash(b"x") };
        let forged =
            ProofFile { extra: b"x".to_vec(), index: 0, hashes: vec![], checkpoint: forged.sign(&signer).unwrap() };
        assert!(matches!(check(&forged.to_text(), &w.trust()), Err(Unproven::Form(_))));
    }
}
