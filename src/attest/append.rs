//! Appending to the ledger: create-only, one object an append, many writers and no server.
//!
//! A create has three answers. Created: done. Unclear: the vault settles it by comparing bytes, and an entry's bytes are its
//! writer's own. Somebody else's entry: follow it, claim, and stand in line: the first takes along all that wait, the others
//! wait for him and look. So many writers need few slots and few round trips, and nobody starves.

use crate::ledger::claim::{self, Line};
use crate::ledger::head::{self, Head};
use crate::ledger::leaf::{Leaf, Logged, Said};
use crate::ledger::seen::Seen;
use crate::ledger::slot::{self, MOST_LEAVES, Slot};
use crate::record::digest::Sha256Digest;
use crate::seal::SealError;
use crate::seal::signer::Signer;
use crate::seal::trust::TrustSet;
use crate::vault::address::Address;
use crate::vault::lock::Retention;
use crate::vault::{Tags, Vault, VaultError};
use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Races that one append may lose before it gives up; the spool keeps what it could not add.
const MOST_LOST: u32 = 64;
/// Waits for another's turn in which nothing happened, before one goes all the same: who is first may be dead or a stranger.
const MOST_VAIN: u32 = 5;
/// Looks at the line, before one goes all the same: others may be first for ever, and not believe our claim.
const MOST_LOOKS: u32 = 16;
/// The shortest and the longest wait for another's turn.
const SHORTEST_WAIT: Duration = Duration::from_millis(4);
const LONGEST_WAIT: Duration = Duration::from_millis(800);

/// Who appends, and where.
pub(crate) struct Writer<'a> {
    pub(crate) vault: &'a Vault,
    pub(crate) signer: &'a Signer,
    pub(crate) trust: &'a TrustSet,
    /// The lock of the entry: that of the record.
    pub(crate) lock: Option<&'a Retention>,
    pub(crate) tags: &'a Tags,
    pub(crate) now: &'a dyn Fn() -> DateTime<Utc>,
    /// Names the ledger if this is its first entry.
    pub(crate) fresh: Uuid,
}

/// Where an append ended.
#[derive(Clone, Debug)]
pub(crate) struct Appended {
    /// The entry.
    pub(crate) slot: u64,
    /// Leaves in the ledger after it.
    pub(crate) size: u64,
    /// Records among them.
    pub(crate) records: u64,
    /// The signed checkpoint after it.
    pub(crate) checkpoint: String,
    /// What a person should know.
    pub(crate) warnings: Vec<String>,
}

/// Why the records are not in the ledger. They stand in the vault all the same.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// The store.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The key.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A newer program wrote there.
    #[error(
        "could not append to the ledger: its newest entry is of version {0}, which this vouchsafe cannot read; update it"
    )]
    Newer(u32),
    /// Others were always faster.
    #[error("could not append to the ledger: {0} races were lost to others")]
    Contended(u32),
}

/// Adds `said` to the ledger that ends in `head`: every record in it once, however often this is tried.
pub(crate) fn append(writer: &Writer, mut head: Head, said: Vec<Said>) -> Result<Appended, AppendError> {
    let mut ours: VecDeque<Said> = said.into();
    let mut last: Option<Appended> = None;
    let (mut lost, mut line) = (0, Line::default());
    loop {
        // Records that others took along; what else there is to say is said by ourselves.
        ours.retain(|said| !matches!(said, Said::Record(r) if head.holds(&r.sha256)));
        if ours.is_empty() {
            return Ok(last.unwrap_or_else(|| standing(&head)));
        }
        if let Some(version) = head.newer {
            return Err(AppendError::Newer(version));
        }
        let (slot, taken) = compose(writer, &head, &ours, &line)?;
        let bytes =
            slot.to_bytes().map_err(|e| crate::seal::StatementError::Shape(e.to_string())).map_err(SealError::from)?;
        let began = Instant::now();
        let theirs = match writer.vault.put_once(&head.address()?, &bytes, writer.tags, writer.lock) {
            Ok(_) => None,
            // The entry stands, which is what counts for the ledger; the record's own lock is judged elsewhere.
            Err(e @ VaultError::LockNotObserved { .. }) => {
                head.doubts.push(format!("the ledger's entry: {e}"));
                None
            }
            Err(VaultError::Different { theirs, .. }) => Some(Seen::Bytes(theirs)),
            Err(VaultError::TooLarge { .. }) => Some(Seen::TooLarge),
            Err(e) => return Err(e.into()),
        };
        let Some(theirs) = theirs else {
            ours.drain(..taken);
            let done = Appended { warnings: std::mem::take(&mut head.doubts), ..of(&slot) };
            if ours.is_empty() {
                return Ok(done);
            }
            head.lost_to(&bytes, writer.trust);
            last = Some(done);
            continue;
        };
        lost += 1;
        if lost > MOST_LOST {
            return Err(AppendError::Contended(lost));
        }
        let followed = match head.look(writer.vault, theirs)? {
            Seen::Bytes(theirs) => head.lost_to(&theirs, writer.trust),
            Seen::TooLarge => {
                head.pass_over(None);
                false
            }
            Seen::Nothing => false,
        };
        if !followed {
            continue;
        }
        // Where one was faster there may be many: say what waits. A claim that cannot be put is no harm.
        if lost % 2 == 1 {
            for (address, bytes) in claims(writer, &head, &ours)? {
                drop(writer.vault.put_once(&address, &bytes, writer.tags, None));
            }
        }
        let pace = Pace { pair: began.elapsed(), chance: Sha256Digest::of(&bytes).as_bytes()[0] };
        line = stand_in_line(writer, &mut head, &ours, &pace)?;
    }
}

/// Follows what others append until it is our turn, or until they have taken ours along. Who is first in the line takes along
/// all that wait, so that there is no need for another race.
fn stand_in_line(writer: &Writer, head: &mut Head, ours: &VecDeque<Said>, pace: &Pace) -> Result<Line, AppendError> {
    let Writer { vault, trust, .. } = writer;
    // Others have lost the same race and are claiming: who looks too early believes to be the first.
    let (mut pause, mut vain) = (pace.wait(0) / 2, 0);
    for look in 1.. {
        std::thread::sleep(pause);
        let (next, folder) = (head.next, head.folder().to_owned());
        let claims = std::thread::scope(|s| {
            let claims = s.spawn(|| claim::list(vault, &folder));
            head.catch_up(vault, trust).map(|()| claims.join().unwrap_or_default())
        })?;
        let line = Line::of(claims, head);
        let waits = ours.iter().filter_map(as_record).find(|r| !head.holds(&r.sha256));
        vain = if look > 1 && head.next == next { vain + 1 } else { 0 };
        if look == MOST_LOOKS || waits.is_none_or(|r| line.before(&r.sha256).min(MOST_VAIN) <= vain) {
            return Ok(line);
        }
        pause = pace.wait(vain);
    }
    Ok(Line::default())
}

/// The entry with as many of ours as fit, what others in the line wait with, and how many of ours are in it.
fn compose(writer: &Writer, head: &Head, ours: &VecDeque<Said>, line: &Line) -> Result<(Slot, usize), AppendError> {
    let logged_on = (writer.now)();
    let size = head.base.as_ref().map_or(0, |b| b.checkpoint.size);
    let mut all: Vec<Said> = head::void_leaves(head).collect();
    let taken = ours.len().min(MOST_LEAVES);
    all.extend(ours.iter().take(taken).cloned());
    let is_ours = |sha256: &Sha256Digest| ours.iter().any(|s| as_record(s).is_some_and(|r| r.sha256 == *sha256));
    let others = line.read(writer.vault, head, writer.trust).into_iter().filter(|w| !is_ours(&w.sha256));
    all.extend(others.map(Said::Record).take(MOST_LEAVES.saturating_sub(taken)));
    let records = head.base.as_ref().map_or(0, |b| b.records);
    let leaves = (size..).zip(all).map(|(seq, said)| {
        let said = match said {
            Said::Heartbeat { by, .. } => Said::Heartbeat { records, by },
            other => other,
        };
        Leaf { seq, logged_on, said }
    });
    let origin = match &head.base {
        Some(base) => base.checkpoint.origin.clone(),
        None => slot::origin(head.environment(), writer.fresh),
    };
    Ok((Slot::next(head.base.as_ref(), head.next, &origin, leaves.collect(), writer.signer)?, taken))
}

/// What says that ours wait for the next slot.
fn claims(writer: &Writer, head: &Head, ours: &VecDeque<Said>) -> Result<Vec<(Address, Vec<u8>)>, SealError> {
    let mut claims = Vec::new();
    for said in ours.iter().take(PER_CLAIM) {
        if let Said::Record(logged) = said {
            claims.extend(claim::write(head.folder(), head.next, logged, writer.signer)?);
        }
    }
    Ok(claims)
}

/// Records that one writer claims at once: more is the business of `adopt`, which is in no hurry.
const PER_CLAIM: usize = 4;

/// What a lost race taught.
struct Pace {
    /// What it took to lose, and to claim.
    pair: Duration,
    /// Out of the entry that was tried, which differs from writer to writer.
    chance: u8,
}

impl Pace {
    /// As long as another takes to read the claims and to create its entry, a little by chance, and longer each time that
    /// it was in vain.
    fn wait(&self, vain: u32) -> Duration {
        let pair = self.pair.clamp(SHORTEST_WAIT, LONGEST_WAIT);
        pair.mul_f64(1.0 + f64::from(self.chance) / 512.0).saturating_mul(1 << vain.min(8)).min(LONGEST_WAIT)
    }
}

fn as_record(said: &Said) -> Option<&Logged> {
    match said {
        Said::Record(logged) => Some(logged),
        _ => None,
    }
}

fn of(slot: &Slot) -> Appended {
    Appended {
        slot: slot.number,
        size: slot.checkpoint.size,
        records: slot.records,
        checkpoint: slot.note.clone(),
        warnings: Vec::new(),
    }
}

/// The newest entry: what holds our records is at or below it.
fn standing(head: &Head) -> Appended {
    let mut at = head.base.as_ref().map(of).unwrap_or(Appended {
        slot: 0,
        size: 0,
        records: 0,
        checkpoint: String::new(),
        warnings: Vec::new(),
    });
    at.warnings.clone_from(&head.doubts);
    at
}

/// Adds the record that was just put or found, unless it is in the ledger already.
pub(crate) fn append_record(
    writer: &Writer,
    head: Head,
    logged: Logged,
    created: bool,
) -> Result<Appended, AppendError> {
    if !created && let Some((slot, _)) = head::find(writer.vault, writer.trust, &head, &logged)? {
        return Ok(Appended { warnings: head.doubts, ..of(&slot) });
    }
    append(writer, head, vec![Said::Record(logged)])
}

#[cfg(test)]
#[path = "append_tests.rs"]
mod tests;
