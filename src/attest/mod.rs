//! THE DOOR IN: a record becomes a statement, the statement is sealed, the sealed bytes are put once, and a receipt
//! says where they are and what the ledger says of them.

mod adopt;
mod anchor;
mod append;
mod compact;
mod deliver;
#[cfg(test)]
mod golden_tests;
mod heartbeat;
mod receipt;
pub(crate) mod spool;
#[cfg(feature = "tsa")]
mod stamp;

pub(crate) use adopt::{Adopting, Fate, adopt};
pub(crate) use anchor::{AnchorError, Anchored, Target, anchor};
pub(crate) use append::{AppendError, Writer};
pub(crate) use compact::{Compacted, Compacting, ROOM, compact};
pub(crate) use deliver::{Delivered, Delivery, deliver};
pub(crate) use heartbeat::heartbeat;
pub(crate) use receipt::{Logged, Receipt, Stored};
#[cfg(feature = "tsa")]
pub(crate) use stamp::{Authority, State, stamp};

use crate::ledger;
use crate::record::digest::{DigestSet, Sha256Digest};
use crate::record::run_v1::{ArtifactKind, RunRecord};
use crate::record::test_result::{self, test_result};
use crate::record::{Record, json};
use crate::seal::signer::Signer;
use crate::seal::statement::Subject;
use crate::seal::terms::MAX_SUBJECTS;
use crate::seal::{self, SealError};
use crate::vault::address::About;

/// Artifacts that become subjects; room is left for the commit.
const MOST_ARTIFACTS: usize = MAX_SUBJECTS - 2;

/// The in-toto statement around a record: the bytes that get signed.
///
/// Subjects of a run are the images and files; the commit; and, so that one of them carries `sha256` (cosign matches nothing
/// else), the first report or else the record itself. Of a review it is what it answers, of the others record and commit.
pub(crate) fn statement(record: &Record) -> Result<Vec<u8>, SealError> {
    let subjects = match record {
        Record::Run(run) => subjects(run)?,
        Record::Change(r) => itself(record, r.after.as_deref())?,
        Record::Bypass(r) => itself(record, r.commit.as_deref())?,
        Record::Review(r) => {
            vec![Subject { name: r.answers.address.clone(), uri: None, digest: DigestSet::sha256(r.answers.sha256) }]
        }
        Record::Population(_) => itself(record, None)?,
    };
    Ok(seal::statement::statement(&subjects, &record.head().kind.predicate_type(), record)?)
}

/// The record by its own digest, and the commit that it is about.
fn itself(record: &Record, commit: Option<&str>) -> Result<Vec<Subject>, SealError> {
    let digest = Sha256Digest::of(&json::to_vec(record).map_err(unwritable)?);
    let mut all = vec![Subject { name: "record".to_owned(), uri: None, digest: DigestSet::sha256(digest) }];
    all.extend(commit.map(|sha| Subject {
        name: "source".to_owned(),
        uri: None,
        digest: DigestSet { sha256: None, git_commit: Some(sha.to_owned()) },
    }));
    Ok(all)
}

/// What the tag `pipeline-run-id` says: the run, or what the record is about instead (`change-<sha>`).
pub(crate) fn run_id(record: &Record) -> String {
    match (record, ledger::address_of(record).parts().map(|p| p.about)) {
        (Record::Run(run), _) => run.run.id.clone(),
        (_, Some(About::Run { id, .. })) => id,
        (_, Some(About::Thing { what, id })) => format!("{what}-{id}"),
        (_, None) => String::new(),
    }
}

/// The standard test-result statements of the record, one a report that could be read, each sealed.
pub(crate) fn test_results(record: &RunRecord, signer: &Signer) -> Result<Vec<Vec<u8>>, SealError> {
    let subjects = subjects(record)?;
    let results = record.tests.iter().filter_map(|t| test_result(record, t));
    let sealed = results.map(|result| {
        let statement = seal::statement::statement(&subjects, test_result::PREDICATE_TYPE, &result)?;
        seal::seal(&statement, signer)
    });
    sealed.collect()
}

fn subjects(record: &RunRecord) -> Result<Vec<Subject>, SealError> {
    let mut subjects: Vec<Subject> = Vec::new();
    for artifact in &record.artifacts {
        // An image's configuration is not what a registry deploys; two subjects with one digest say nothing more.
        let doubled = subjects.iter().any(|s| s.digest == artifact.digest);
        if artifact.kind == ArtifactKind::ImageConfig || doubled || subjects.len() >= MOST_ARTIFACTS {
            continue;
        }
        subjects.push(Subject { name: artifact.name.clone(), uri: None, digest: artifact.digest.clone() });
    }
    if subjects.is_empty() {
        let report = record.tests.iter().find_map(|t| Some((t.file.clone(), t.sha256?)));
        let (name, digest) = match report {
            Some(report) => report,
            None => ("record".to_owned(), Sha256Digest::of(&json::to_vec(record).map_err(unwritable)?)),
        };
        subjects.push(Subject { name, uri: None, digest: DigestSet::sha256(digest) });
    }
    if let Some(commit) = record.commit.as_ref().filter(|c| !c.sha.is_empty()) {
        let url = record.repository.as_ref().and_then(|r| r.url.as_deref());
        let at = commit.git_ref.as_ref().map(|r| format!("@{r}")).unwrap_or_default();
        subjects.push(Subject {
            name: "source".to_owned(),
            uri: url.filter(|u| u.starts_with("https://")).map(|u| format!("git+{u}{at}")),
            digest: DigestSet { sha256: None, git_commit: Some(commit.sha.clone()) },
        });
    }
    Ok(subjects)
}

fn unwritable(e: serde_json::Error) -> SealError {
    seal::StatementError::Shape(e.to_string()).into()
}

/// A record that was signed and is on its way into the vault.
pub(crate) struct Sealed {
    /// The bundle.
    pub(crate) bytes: Vec<u8>,
    /// The key that signed.
    pub(crate) keyid: String,
}

/// Signs the record.
pub(crate) fn seal(record: &Record, signer: &Signer) -> Result<Sealed, SealError> {
    let bytes = seal::seal(&statement(record)?, signer)?;
    Ok(Sealed { bytes, keyid: signer.public_key().keyid() })
}

/// Reads `bytes` as everything that a ledger, a proof or a spool may hold, and asserts what must be true of whatever is
/// accepted. For `fuzz/`.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    use crate::ledger::{claim, leaf::Leaf, slot::Slot};
    use crate::seal::tlog::{checkpoint::Checkpoint, note, proof::ProofFile, tile};
    use crate::seal::trust::TrustSet;
    if let Ok(slot) = Slot::parse(bytes) {
        assert_eq!(slot.frontier.root(), slot.checkpoint.root);
        let again = slot.to_bytes().ok().and_then(|b| Slot::parse(&b).ok());
        assert_eq!(again.as_ref(), Some(&slot));
    }
    if let Ok(leaf) = Leaf::parse(bytes) {
        let again = leaf.to_bytes().ok().and_then(|b| Leaf::parse(&b).ok());
        assert_eq!(again.map(|l| l.seq), Some(leaf.seq));
    }
    assert!(claim::read(bytes, "ledger/env=p/", "p", &TrustSet::default()).is_none(), "nobody is trusted");
    let text = String::from_utf8_lossy(bytes);
    if let Ok(checkpoint) = Checkpoint::peek(&text) {
        assert!(text.starts_with(&checkpoint.to_string()));
    }
    let _ = note::split(&text);
    if let Ok(file) = ProofFile::parse(&text) {
        assert_eq!(ProofFile::parse(&file.to_text()).as_ref(), Ok(&file));
    }
    let _ = tile::entries(bytes);
    spool::fuzz(bytes);
    #[cfg(feature = "tsa")]
    {
        use crate::seal::timestamp;
        let _ = timestamp::read(bytes, b"", None);
        let roots = include_str!("../../fixtures/timestamp/roots.pem");
        assert!(timestamp::verify(bytes, b"never stamped", roots).is_err());
    }
}
