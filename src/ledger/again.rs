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

    fn told(via: &str, status: &str) -> ChangeRecord {
        let record = serde_json::json!({
            "schemaVersion": "1.0.0", "recordId": "01a207d9-2100-7a11-8000-000000000001",
            "recordedOn": "2026-11-23T10:00:00Z", "environment": "source", "platform": "github", "ref": "refs/heads/main",
            "filedOn": "2026-11-23", "via": via, "changes": [], "tool": {"name": "vouchsafe", "version": "0"},
            "completeness": [{"section": "changes", "status": status}], "provenance": [],
        });
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn the_second_telling_adds_or_repeats_or_contradicts() {
        let knows = |status: &str| status == "complete";
        for a in ["unknown", "directPush", "pullRequest"] {
            for b in ["unknown", "directPush", "pullRequest"] {
                for (first, second) in
                    [("partial", "partial"), ("partial", "complete"), ("complete", "partial"), ("complete", "complete")]
                {
                    let (theirs, ours) = (told(a, first), told(b, second));
                    let case = format!("{a} {first}, then {b} {second}");
                    let adds = knows_more(&theirs, &ours);
                    assert!(!(adds && says_no_more(&theirs, &ours)), "{case}");
                    assert_eq!(adds, a == "unknown" && b != "unknown" || !knows(first) && knows(second), "{case}");
                    let contradicts = !adds && !says_no_more(&theirs, &ours);
                    // Two doors that are both known, and no telling that is worth more than the other.
                    assert_eq!(
                        contradicts,
                        !adds && a != b && b != "unknown" && (knows(second) || !knows(first)),
                        "{case}"
                    );
                }
            }
        }
        let other = ChangeRecord { before: Some("1".repeat(40)), ..told("directPush", "complete") };
        assert!(!says_no_more(&told("directPush", "complete"), &other), "from another commit");
    }
}
