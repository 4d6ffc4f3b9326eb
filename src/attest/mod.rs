//! THE DOOR IN: a record becomes a statement, the statement is sealed, the sealed bytes are put once, and a receipt
//! says where they are.

pub(crate) mod spool;

use crate::ledger::{self, Entry, Verdict};
use crate::record::digest::{DigestSet, Sha256Digest};
use crate::record::run_v1::{ArtifactKind, RunRecord};
use crate::record::test_result::{self, test_result};
use crate::record::{RUN, Record, json};
use crate::seal::signer::Signer;
use crate::seal::statement::Subject;
use crate::seal::terms::MAX_SUBJECTS;
use crate::seal::trust::TrustSet;
use crate::seal::{self, SealError};
use crate::vault::lock::Retention;
use crate::vault::{self, Put, Tags, Vault, VaultError};
use serde::Serialize;
use uuid::Uuid;

/// Artifacts that become subjects; room is left for the commit.
const MOST_ARTIFACTS: usize = MAX_SUBJECTS - 2;

/// How the record came to stand in the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Stored {
    /// Written now.
    Created,
    /// These very bytes stood there already.
    AlreadyThere,
    /// A record with the same claims stood there already: a step that ran twice. It is the one that counts.
    SameClaims,
    /// A different record stands for this run, attempt and kind. Both are kept; this one beside it.
    Conflict,
}

/// What `attest` answers.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receipt {
    /// Place in the vault.
    pub(crate) address: String,
    /// The same as a URI that names the version, where the store has versions.
    pub(crate) uri: String,
    /// SHA-256 of the stored object.
    pub(crate) sha256: Sha256Digest,
    /// The store's version id.
    pub(crate) version_id: Option<String>,
    /// The lock that was read back from the store; null where there is none.
    #[serde(serialize_with = "locked")]
    pub(crate) retention: Option<Retention>,
    /// Entry and checkpoint of the ledger; null while this vault has none.
    pub(crate) ledger: Option<()>,
    /// The key that signed.
    pub(crate) keyid: String,
    /// How the run ended.
    pub(crate) outcome: &'static str,
    /// How the record came to stand there.
    pub(crate) stored: Stored,
    /// Where the record stands that this one contradicts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conflicts_with: Option<String>,
    /// What a person should know.
    pub(crate) warnings: Vec<String>,
}

/// The in-toto statement around a run record: the bytes that get signed.
///
/// Subjects are the images and files; the commit; and, so that one of them carries `sha256` (cosign matches nothing
/// else), the first report or else the record itself.
pub(crate) fn statement(record: &RunRecord) -> Result<Vec<u8>, SealError> {
    Ok(seal::statement::statement(&subjects(record)?, &RUN.predicate_type(), record)?)
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
pub(crate) fn seal(record: &RunRecord, signer: &Signer) -> Result<Sealed, SealError> {
    let bytes = seal::seal(&statement(record)?, signer)?;
    Ok(Sealed { bytes, keyid: signer.public_key().keyid() })
}

/// Puts the sealed record where it belongs, once. A different record that stands there is never touched: the new one
/// is kept beside it and the receipt names both.
pub(crate) fn put(
    record: &RunRecord,
    sealed: &Sealed,
    vault: &Vault,
    lock: Option<&Retention>,
    trust: &TrustSet,
) -> Result<Receipt, VaultError> {
    let address = ledger::address_of(record);
    let tags =
        Tags { env: record.environment.clone(), run_id: record.run.id.clone(), date: record.recorded_on.date_naive() };
    match vault.put_once(&address, &sealed.bytes, &tags, lock) {
        Ok(put) => Ok(receipt(record, sealed, put, None)),
        Err(VaultError::Different { address: standing_at, .. }) => {
            let (bytes, standing) = ledger::standing(vault, trust, &address)?;
            if let Some(theirs) = same_claims(&standing, record) {
                // Put once more as it stands, so that its version and its lock are seen and not guessed. The lock counts
                // from the time of the record that stands.
                let later = record.recorded_on - theirs.recorded_on;
                let lock = lock.map(|l| Retention { until: l.until - later, ..*l });
                let put = vault.put_once(&address, &bytes, &tags, lock.as_ref())?;
                let note = "this step ran before: the record that it wrote then stands, nothing was added";
                let mut receipt = receipt(record, sealed, put, None);
                receipt.stored = Stored::SameClaims;
                receipt.keyid = standing.keyid.clone().unwrap_or_default();
                receipt.warnings.push(note.to_owned());
                return Ok(receipt);
            }
            let beside = address.conflict(&record.record_id.to_string()).unwrap_or(address);
            let put = vault.put_once(&beside, &sealed.bytes, &tags, lock)?;
            Ok(receipt(record, sealed, put, Some(standing_at)))
        }
        Err(e) => Err(e),
    }
}

/// The receipt of a record that was put.
pub(crate) fn receipt(record: &RunRecord, sealed: &Sealed, put: Put, conflicts_with: Option<String>) -> Receipt {
    let stored = match (&conflicts_with, put.outcome) {
        (Some(_), _) => Stored::Conflict,
        (None, vault::Outcome::Created) => Stored::Created,
        (None, vault::Outcome::AlreadyThere) => Stored::AlreadyThere,
    };
    let mut warnings = put.warnings;
    if record.artifacts.len() > MOST_ARTIFACTS {
        warnings.push(format!(
            "all {} artifacts are in the record, {MOST_ARTIFACTS} of them as subjects: outside verifiers take no more",
            record.artifacts.len()
        ));
    }
    Receipt {
        address: put.address.to_string(),
        uri: put.uri,
        sha256: put.sha256,
        version_id: put.version_id,
        retention: put.lock,
        ledger: None,
        keyid: sealed.keyid.clone(),
        outcome: record.run.outcome.as_str(),
        stored,
        conflicts_with,
        warnings,
    }
}

/// The standing record if, by a key that we trust, it claims the same: all but its own id and the
/// moment of writing.
fn same_claims<'a>(standing: &'a Entry, record: &RunRecord) -> Option<&'a RunRecord> {
    let (Verdict::Valid, Some(Record::Run(theirs))) = (standing.verdict, &standing.record) else { return None };
    let timeless = |r: &RunRecord| {
        let mut r = RunRecord { record_id: Uuid::nil(), recorded_on: Default::default(), ..r.clone() };
        r.run.finished_on = None;
        r
    };
    (timeless(theirs) == timeless(record)).then_some(theirs)
}

/// `{mode, until, legalHold}`, as the store told it.
fn locked<S: serde::Serializer>(lock: &Option<Retention>, s: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Lock {
        mode: String,
        until: chrono::DateTime<chrono::Utc>,
        legal_hold: bool,
    }
    let shown = |l: &Retention| Lock { mode: l.mode.as_str().to_lowercase(), until: l.until, legal_hold: l.legal_hold };
    lock.as_ref().map(shown).serialize(s)
}
