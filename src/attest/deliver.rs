//! A sealed record on its way: put where it belongs, then added to the ledger. Each step can be repeated; the second time
//! it finds what the first one did.

use super::Sealed;
use super::append::{AppendError, Writer, append_record};
use super::receipt::{Logged, Receipt, Stored, receipt};
use crate::ledger::head::Head;
use crate::ledger::leaf::{self, Via};
use crate::ledger::{self, Entry, Verdict};
use crate::record::Record;
use crate::record::bypass_v1::BypassKind;
use crate::record::identity_v1::Binding;
use crate::record::parts_v1::{COUNTED_IN_VAULT, Provenance, Run};
use crate::record::run_v1::RunRecord;
use crate::seal::signer::Signer;
use crate::seal::trust::TrustSet;
use crate::vault::lock::Retention;
use crate::vault::{Put, Tags, Vault, VaultError};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How a record is delivered.
pub(crate) struct Delivery<'a> {
    pub(crate) vault: &'a Vault,
    /// Signs the ledger's checkpoint.
    pub(crate) signer: &'a Signer,
    pub(crate) trust: &'a TrustSet,
    pub(crate) lock: Option<&'a Retention>,
    /// Until when the record has to be kept, locked or not.
    pub(crate) keep_until: Option<DateTime<Utc>>,
    pub(crate) via: Via,
    pub(crate) now: &'a dyn Fn() -> DateTime<Utc>,
}

/// A record that stands in the vault.
pub(crate) struct Delivered {
    pub(crate) receipt: Receipt,
    /// The lock that was asked for and not seen: the record stands without it.
    pub(crate) unlocked: Option<VaultError>,
    /// Why the record is not in the ledger.
    pub(crate) unlogged: Option<AppendError>,
    /// The record and its bundle as they stand, where that is a later attempt than was asked for.
    pub(crate) again: Option<(Record, Sealed)>,
}

/// Attempts of one run that are looked through. Nobody retries a job more often.
const ATTEMPTS: u32 = 1000;

/// Puts the sealed record where it belongs and adds it to the ledger of its environment. A ledger that cannot be written to
/// does not stop the record. An error means that the record is not in the vault.
pub(crate) fn deliver(record: &Record, sealed: &Sealed, how: &Delivery) -> Result<Delivered, VaultError> {
    let mut again: Option<(Record, Sealed)> = None;
    loop {
        let (record, sealed) = again.as_ref().map_or((record, sealed), |(record, sealed)| (record, sealed));
        match deliver_once(record, sealed, how)? {
            Ok(mut delivered) => {
                delivered.again = again;
                return Ok(delivered);
            }
            Err(attempt) => {
                let mut next = record.clone();
                match &mut next {
                    Record::Run(record) => {
                        record.run.attempt = attempt;
                        // The platform signed for the attempt that is not claimed any more.
                        record.identity =
                            record.identity.take().filter(|identity| identity.binding == Binding::TokenDigest);
                    }
                    Record::Bypass(record) => {
                        if let Some(run) = &mut record.run {
                            run.attempt = attempt;
                        }
                    }
                    _ => {}
                }
                let doing = format!("sign the record again as attempt {attempt}");
                let sealed = super::seal(&next, how.signer);
                let sealed = sealed.map_err(|e| VaultError::Other { doing, why: e.to_string() })?;
                again = Some((next, sealed));
            }
        }
    }
}

/// One try; the inner error is the attempt as which the record has to be signed again, because the one that it claims stands.
fn deliver_once(record: &Record, sealed: &Sealed, how: &Delivery) -> Result<Result<Delivered, u32>, VaultError> {
    let kept = record.head();
    let tags = Tags {
        env: kept.environment.to_owned(),
        run_id: super::run_id(record),
        date: ledger::filter::filed_on(record),
    };
    let read_head = || Head::read(how.vault, how.trust, kept.environment);
    let (put, head) = if how.vault.is_local() {
        (put(record, sealed, how, &tags), None)
    } else {
        // The way to a bucket is long: the ledger is read while the record travels.
        std::thread::scope(|s| {
            let head = s.spawn(read_head);
            (put(record, sealed, how, &tags), head.join().ok())
        })
    };
    let put = match put? {
        Ok(put) => put,
        Err(attempt) => return Ok(Err(attempt)),
    };
    let (mut receipt, unlocked) = (put.receipt, put.unlocked);
    // A record out of the spool may be in the ledger from an earlier try, even where the store seems to have stored it just
    // now: after an answer that was lost nobody can tell whose bytes stand there.
    let fresh = matches!(receipt.stored, Stored::Created) || (receipt.stored == Stored::Conflict && put.created);
    let created = fresh && how.via == Via::Attest;
    let logged = leaf::Logged {
        address: receipt.address.clone(),
        sha256: receipt.sha256,
        recorded_on: put.recorded_on,
        keep_until: how.keep_until,
        via: how.via,
    };
    let writer = Writer {
        vault: how.vault,
        signer: how.signer,
        trust: how.trust,
        lock: how.lock,
        tags: &tags,
        now: how.now,
        fresh: kept.record_id,
    };
    let head = head.unwrap_or_else(read_head).map_err(AppendError::from);
    let unlogged = match head.and_then(|head| append_record(&writer, head, logged, created)) {
        Ok(at) => {
            receipt.ledger = Some(Logged::from(&at));
            receipt.warnings.extend(at.warnings);
            None
        }
        Err(e) => Some(e),
    };
    Ok(Ok(Delivered { receipt, unlocked, unlogged, again: None }))
}

/// What a put led to.
struct Standing {
    receipt: Receipt,
    created: bool,
    recorded_on: DateTime<Utc>,
    unlocked: Option<VaultError>,
}

/// Puts the record once. A different record that stands there is never touched: the new one is kept beside it and the
/// receipt names both. The inner error is the next attempt, where what stands there is an earlier one.
fn put(record: &Record, sealed: &Sealed, how: &Delivery, tags: &Tags) -> Result<Result<Standing, u32>, VaultError> {
    if let Some(next) = attempt_of_its_run(record, how) {
        return Ok(Err(next));
    }
    let address = ledger::address_of(record);
    let stands = |put: Put, unlocked, conflicts_with| Standing {
        created: put.outcome == crate::vault::Outcome::Created,
        receipt: receipt(record, &sealed.keyid, put, conflicts_with),
        recorded_on: record.head().recorded_on,
        unlocked,
    };
    let once = |address, bytes: &[u8], lock: Option<&Retention>| match how.vault.put_once(address, bytes, tags, lock) {
        Ok(put) => Ok((put, None)),
        Err(VaultError::LockNotObserved { put, asked, why }) => {
            let stored = (*put).clone();
            Ok((stored, Some(VaultError::LockNotObserved { put, asked, why })))
        }
        Err(e) => Err(e),
    };
    let judge = |theirs: &[u8]| ledger::judge(theirs, address.as_str(), how.trust);
    let first = match once(&address, &sealed.bytes, how.lock) {
        // No record, or an answer that went wrong on its way. A conflict is kept for ever, so ask twice.
        Err(VaultError::Different { theirs, .. }) if judge(&theirs).verdict == Verdict::Invalid => {
            once(&address, &sealed.bytes, how.lock)
        }
        first => first,
    };
    match first {
        Ok((put, unlocked)) => Ok(Ok(stands(put, unlocked, None))),
        Err(VaultError::Different { address: standing_at, theirs: bytes, .. }) => {
            let standing = judge(&bytes);
            if let Some(theirs) = same_claims(&standing, record) {
                // Put once more as it stands, so that its version and its lock are seen and not guessed. The lock counts
                // from the time of the record that stands.
                let later = record.head().recorded_on - theirs;
                let lock = how.lock.map(|l| Retention { until: l.until - later, ..*l });
                let (put, unlocked) = once(&address, &bytes, lock.as_ref())?;
                let note = match record {
                    Record::Run(_) => "this step ran before: the record that it wrote then stands, nothing was added",
                    _ => "this was recorded before: that record stands, nothing was added",
                };
                let mut standing_one = stands(put, unlocked, None);
                standing_one.recorded_on = theirs;
                standing_one.created = false;
                standing_one.receipt.stored = Stored::SameClaims;
                standing_one.receipt.keyid = standing.keyid.clone().unwrap_or_default();
                standing_one.receipt.warnings.push(note.to_owned());
                return Ok(Ok(standing_one));
            }
            if let Some(run) = record.as_run().filter(|run| is_earlier_attempt(&standing, run)) {
                return Ok(Err(run.run.attempt + 1));
            }
            let beside = address.conflict(&record.head().record_id.to_string()).unwrap_or_else(|| address.clone());
            let (put, unlocked) = once(&beside, &sealed.bytes, how.lock)?;
            Ok(Ok(stands(put, unlocked, Some(standing_at))))
        }
        Err(e) => Err(e),
    }
}

/// When the standing record was made if, by a key that we trust, it is about the same and does not contradict this one.
fn same_claims(standing: &Entry, record: &Record) -> Option<DateTime<Utc>> {
    let (Verdict::Valid, Some(theirs)) = (standing.verdict, &standing.record) else { return None };
    let same = match (theirs, record) {
        (Record::Run(theirs), Record::Run(ours)) => of_run(theirs) == of_run(ours),
        // The place names repository, branch, commit and kind. What else was learned of one event depends on when the platform
        // was asked, and who told it first is believed.
        (Record::Change(theirs), Record::Change(ours)) => ledger::again::says_no_more(theirs, ours),
        (Record::Bypass(theirs), Record::Bypass(ours)) if ours.kind == BypassKind::EmergencyDeploy => {
            (&theirs.reason, &theirs.ticket, &theirs.approved_by) == (&ours.reason, &ours.ticket, &ours.approved_by)
        }
        (Record::Bypass(theirs), Record::Bypass(ours)) => theirs.kind == ours.kind && theirs.before == ours.before,
        (Record::Review(theirs), Record::Review(ours)) => {
            (&theirs.answers, &theirs.comment, &theirs.ticket) == (&ours.answers, &ours.comment, &ours.ticket)
        }
        _ => false,
    };
    same.then(|| theirs.head().recorded_on)
}

/// What a run's record claims of the run itself: not its own id and the moment of writing, and not what the platform answered
/// when it was asked, which may be more an hour later.
fn of_run(record: &RunRecord) -> RunRecord {
    let asked = |section: &str| matches!(section, "changes" | "identity");
    let mut r = RunRecord {
        record_id: Uuid::nil(),
        recorded_on: Default::default(),
        changes: Vec::new(),
        previous: None,
        identity: None,
        ..record.clone()
    };
    r.run.finished_on = None;
    r.tickets.retain(|t| t.named_in == "flag");
    r.completeness.retain(|c| !asked(&c.section) && c.section != "tickets");
    r.provenance.retain(|p| !asked(p.fact.split('.').next().unwrap_or_default()) && p.fact != "tickets");
    r
}

/// Whether what stands there is, by a key that we trust, an earlier attempt at the same run: another job's, on a platform that
/// counts no attempts, where the record says that they are counted here.
fn is_earlier_attempt(standing: &Entry, record: &RunRecord) -> bool {
    let (Verdict::Valid, Some(Record::Run(theirs))) = (standing.verdict, &standing.record) else { return false };
    is_counted(&record.provenance) && another_job(&theirs.run, &record.run) && record.run.attempt < ATTEMPTS
}

/// Whether the record says that attempts of its run are counted here.
fn is_counted(provenance: &[Provenance]) -> bool {
    provenance.iter().any(|p| p.fact == "run.attempt" && p.source.as_deref() == Some(COUNTED_IN_VAULT))
}

fn another_job(theirs: &Run, ours: &Run) -> bool {
    theirs.job_id.as_ref().zip(ours.job_id.as_ref()).is_some_and(|(a, b)| a != b)
}

/// The next attempt, where the record of an emergency would stand beside another job's run: it belongs beside its own, which may
/// have been counted up while it waited.
fn attempt_of_its_run(record: &Record, how: &Delivery) -> Option<u32> {
    let Record::Bypass(record) = record else { return None };
    let run = record.run.as_ref().filter(|run| is_counted(&record.provenance) && run.attempt < ATTEMPTS)?;
    let beside = ledger::beside_run(record, run);
    let standing = ledger::open(how.vault, how.trust, &beside);
    let Some(Record::Run(theirs)) = standing.record.filter(|_| standing.verdict == Verdict::Valid) else { return None };
    another_job(&theirs.run, run).then_some(run.attempt + 1)
}

#[cfg(test)]
#[path = "deliver_tests.rs"]
mod tests;
