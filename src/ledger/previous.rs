//! The deployment before this one: since when the changes of a run are asked for.
//!
//! Looked for by listing, the last days first: whatever has become of the ledger, and whatever else stands in the vault, the
//! records are where their addresses say. A record counts only with a signature that is trusted here.

use super::{AT_ONCE, Entry, Verdict, entry};
use crate::record::Record;
use crate::record::parts_v1::{Outcome, Repository, Run};
use crate::record::run_v1::Previous;
use crate::seal::trust::TrustSet;
use crate::vault::address::{About, Address};
use crate::vault::{Vault, VaultError};
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::ops::ControlFlow;

/// How far back is looked, in days, in this order: most deployments follow another within a week.
const WINDOWS: [u64; 3] = [7, 35, 400];
/// Records that are opened.
const MOST: usize = 200;
/// Addresses that are kept of one window; beyond that the oldest are let go.
const KEPT: usize = 50_000;
/// Longer names of components come back cut from an address.
const WHOLE_NAME: usize = 60;

/// Before what is looked.
pub(crate) struct Before<'a> {
    /// Environment.
    pub(crate) environment: &'a str,
    /// Component.
    pub(crate) component: Option<&'a str>,
    /// The repository.
    pub(crate) repository: &'a Repository,
    /// The run itself, all attempts of which are passed over.
    pub(crate) run: &'a Run,
    /// When the record was made.
    pub(crate) recorded_on: DateTime<Utc>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Sought {
    /// The newest deployment before, where there is one.
    pub(crate) previous: Option<Previous>,
    /// Why there may be a newer one, or one at all; a sentence.
    pub(crate) doubt: Option<String>,
}

/// Looks for the newest valid record of another run that deployed the same thing and succeeded.
pub(crate) fn previous(vault: &Vault, trust: &TrustSet, before: &Before) -> Result<Sought, VaultError> {
    let today = before.recorded_on.date_naive();
    let mut look = Look { vault, trust, before, room: MOST, lost: 0, example: None };
    let (mut until, mut found, mut cut) = (None, None, false);
    for days in WINDOWS {
        let Some(from) = today.checked_sub_days(Days::new(days)) else { break };
        let candidates = candidates(vault, before, from, until)?;
        for day in candidates.chunk_by(|a, b| a.0 == b.0) {
            let addresses: Vec<Address> = day.iter().map(|(_, _, address)| address.clone()).collect();
            cut = addresses.len() > look.room;
            found = look.newest(&addresses);
            if found.is_some() || cut {
                break;
            }
        }
        if found.is_some() || cut {
            break;
        }
        until = Some(from);
    }
    let doubt = if cut {
        Some(format!("only {MOST} records were opened in search of the previous deployment; there may be a newer one"))
    } else {
        look.example.map(|example| {
            let more = if look.lost > 1 { format!(" and {} more", look.lost - 1) } else { String::new() };
            format!("what may be the previous deployment does not count here: {example}{more}")
        })
    };
    Ok(Sought { previous: found, doubt })
}

/// A search under way.
struct Look<'a> {
    vault: &'a Vault,
    trust: &'a TrustSet,
    before: &'a Before<'a>,
    /// Records that may still be opened.
    room: usize,
    /// Records that could not be read, or that nobody here trusts.
    lost: usize,
    /// One of them.
    example: Option<String>,
}

impl Look<'_> {
    /// The newest of one day's records that is a deployment as it is looked for.
    fn newest(&mut self, addresses: &[Address]) -> Option<Previous> {
        let mut newest: Option<Previous> = None;
        let looked = addresses.get(..addresses.len().min(self.room)).unwrap_or_default();
        self.room -= looked.len();
        for some in looked.chunks(AT_ONCE / 2) {
            for (address, got) in some.iter().zip(self.vault.get_many(some, AT_ONCE / 2)) {
                let entry = entry(got, self.trust, address);
                if entry.verdict != Verdict::Valid {
                    self.lost += 1;
                    let why = || format!("{} is {}: {}", entry.address, entry.verdict.as_str(), entry.why);
                    self.example.get_or_insert_with(why);
                }
                let found = deployment(entry, self.before);
                newest = [newest, found].into_iter().flatten().max_by_key(|p| p.recorded_on);
            }
        }
        newest
    }
}

/// The record as a previous deployment, if it is one.
fn deployment(entry: Entry, before: &Before) -> Option<Previous> {
    let (Verdict::Valid, Some(Record::Run(record)), Some(sha256)) = (entry.verdict, entry.record, entry.sha256) else {
        return None;
    };
    let another = (&record.run.platform, &record.run.id) != (&before.run.platform, &before.run.id);
    let counts = another
        && record.run.outcome == Outcome::Succeeded
        && record.recorded_on < before.recorded_on
        && record.environment == before.environment
        && record.component.as_deref() == before.component
        && same(record.repository.as_ref()?, before.repository);
    let recorded_on = record.recorded_on;
    let commit = record.commit.filter(|_| counts)?;
    Some(Previous { address: entry.address, sha256, commit: commit.head_sha.unwrap_or(commit.sha), recorded_on })
}

/// Whether two records are about one repository: by id where both have one, else by name, else by address.
fn same(a: &Repository, b: &Repository) -> bool {
    let both = |pick: fn(&Repository) -> Option<&String>| pick(a).zip(pick(b));
    match (both(|r| r.id.as_ref()), both(|r| r.name.as_ref()), both(|r| r.url.as_ref())) {
        (Some((a, b)), _, _) => a == b,
        (None, Some((a, b)), _) => a.eq_ignore_ascii_case(b),
        (None, None, Some((a, b))) => a == b,
        (None, None, None) => false,
    }
}

/// Addresses of runs filed from `from` on and before `until`, the newest day first, and the highest run number within one.
fn candidates(
    vault: &Vault,
    before: &Before,
    from: NaiveDate,
    until: Option<NaiveDate>,
) -> Result<Vec<(NaiveDate, u64, Address)>, VaultError> {
    let prefix = Address::environment_prefix(before.environment);
    let after = Address::parse(&format!("{prefix}date={from}")).ok();
    let mut found = Vec::new();
    let listed = vault.list_each(&prefix, after.as_ref(), None, &mut |next| {
        let Some(parts) = next.address.parts() else { return ControlFlow::Continue(()) };
        let About::Run { platform, id, .. } = &parts.about else { return ControlFlow::Continue(()) };
        let named = parts.component.as_deref() == before.component
            || before.component.is_some_and(|component| component.len() > WHOLE_NAME);
        let another = (platform, id) != (&before.run.platform, &before.run.id);
        let within = until.map_or(parts.date <= before.recorded_on.date_naive(), |until| parts.date < until);
        if named && another && within && parts.kind == "run" {
            found.push((parts.date, id.parse().unwrap_or_default(), next.address));
            if found.len() > KEPT {
                found.drain(..KEPT / 2);
            }
        }
        ControlFlow::Continue(())
    });
    match listed {
        // Others' names are no records, and `verify` tells of them.
        Ok(_strangers) => {}
        Err(VaultError::NotFound { .. }) => {}
        Err(e) => return Err(e),
    }
    found.sort_by(|a, b| (b.0, b.1, &b.2).cmp(&(a.0, a.1, &a.2)));
    Ok(found)
}

#[cfg(test)]
#[path = "previous_tests.rs"]
mod tests;
