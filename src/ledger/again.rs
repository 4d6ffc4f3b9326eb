//! One event that is told twice: by a webhook and by a poll, shortly before midnight by one clock and after it by another. The second
//! time it meets the record that stands, and stands beside it only where it knows more.

use super::{Verdict, address_of, open};
use crate::record::bypass_v1::BypassKind;
use crate::record::change_v1::{ChangeRecord, Completes, Via};
use crate::record::parts_v1::Status;
use crate::record::{BypassRecord, Record};
use crate::seal::trust::TrustSet;
use crate::vault::Vault;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// How far the clocks of a webhook and of an API may lie apart.
const APART: TimeDelta = TimeDelta::minutes(10);
/// Records that complete each other are followed so far.
const FURTHEST: usize = 8;

/// The record as it is to be put, seen beside what stands of the same event: filed under the day under which that stands, and
/// naming it where this one completes it.
pub(crate) fn beside(vault: &Vault, trust: &TrustSet, record: Record) -> Record {
    match record {
        Record::Change(record) => change(vault, trust, *record).into(),
        Record::Bypass(record) if record.kind != BypassKind::EmergencyDeploy => bypass(vault, trust, *record).into(),
        other => other,
    }
}

fn change(vault: &Vault, trust: &TrustSet, record: ChangeRecord) -> ChangeRecord {
    for day in days(record.filed_on, record.occurred_on) {
        let mut ours = ChangeRecord { filed_on: day, ..record.clone() };
        let mut met = false;
        for _ in 0..FURTHEST {
            let standing = open(vault, trust, &address_of(&ours.clone().into()));
            let (Verdict::Valid, Some(Record::Change(theirs)), Some(sha256)) =
                (standing.verdict, &standing.record, standing.sha256)
            else {
                break;
            };
            met = true;
            if !knows_more(theirs, &ours) {
                return ours;
            }
            ours.completes = Some(Completes { address: standing.address, sha256 });
        }
        if met {
            return ours;
        }
    }
    record
}

fn bypass(vault: &Vault, trust: &TrustSet, record: BypassRecord) -> BypassRecord {
    let days = days(record.filed_on, record.occurred_on);
    if days.len() > 1 {
        for day in days {
            let ours = BypassRecord { filed_on: day, ..record.clone() };
            let standing = open(vault, trust, &address_of(&ours.clone().into()));
            if standing.verdict == Verdict::Valid {
                return ours;
            }
        }
    }
    record
}

/// The days under which the same event may have been filed, its own first.
fn days(filed_on: NaiveDate, occurred_on: Option<DateTime<Utc>>) -> Vec<NaiveDate> {
    let mut days = vec![filed_on];
    let others = match occurred_on {
        Some(on) => [on.checked_sub_signed(APART), on.checked_add_signed(APART)].map(|on| on.map(|on| on.date_naive())),
        // Told without a time, it is filed by the day on which somebody heard of it.
        None => [filed_on.pred_opt(), filed_on.succ_opt()],
    };
    days.extend(others.into_iter().flatten().filter(|day| *day != filed_on));
    days
}

/// Whether `ours` tells what `theirs` could not learn.
fn knows_more(theirs: &ChangeRecord, ours: &ChangeRecord) -> bool {
    theirs.via == Via::Unknown && ours.via != Via::Unknown || !is_complete(theirs) && is_complete(ours)
}

/// Whether `ours`, which is of the same event, adds nothing to `theirs` and does not contradict it.
pub(crate) fn says_no_more(theirs: &ChangeRecord, ours: &ChangeRecord) -> bool {
    let agrees = theirs.via == ours.via || ours.via == Via::Unknown || is_complete(theirs) && !is_complete(ours);
    theirs.before == ours.before && agrees && !knows_more(theirs, ours)
}

fn is_complete(record: &ChangeRecord) -> bool {
    record.completeness.iter().any(|c| c.section == "changes" && c.status == Status::Complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_midnight_the_neighbouring_day_is_looked_at_too() {
        let filed = |on: &str| -> Vec<String> {
            let on: DateTime<Utc> = on.parse().unwrap();
            days(on.date_naive(), Some(on)).iter().map(ToString::to_string).collect()
        };
        assert_eq!(filed("2026-11-23T12:00:00Z"), ["2026-11-23"]);
        assert_eq!(filed("2026-11-23T00:09:59Z"), ["2026-11-23", "2026-11-22"]);
        assert_eq!(filed("2026-11-23T00:10:00Z"), ["2026-11-23"]);
        assert_eq!(filed("2026-11-23T23:50:00Z"), ["2026-11-23", "2026-11-24"]);
        assert_eq!(filed("2026-11-23T23:49:59Z"), ["2026-11-23"]);
        let day: NaiveDate = "2026-11-23".parse().unwrap();
        assert_eq!(days(day, None).len(), 3);
    }
}
