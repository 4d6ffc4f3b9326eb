//! Which entries are wanted: first by address, so that whole folders are passed over, then by record.

use super::Entry;
use crate::record::bypass_v1::BypassKind;
use crate::record::parts_v1::{Actor, Operator};
use crate::record::{Record, RunRecord};
use crate::vault::address::Address;
use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, Utc};

/// A question to the ledger. Every field that is set must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Environments, any of them.
    pub(crate) environments: Vec<String>,
    /// First day, UTC, inclusive.
    pub(crate) from: Option<NaiveDate>,
    /// Last day, UTC, inclusive.
    pub(crate) to: Option<NaiveDate>,
    /// Run id.
    pub(crate) run: Option<String>,
    /// Beginning of the commit id.
    pub(crate) commit: Option<String>,
    /// Operator's login or id.
    pub(crate) operator: Option<String>,
    /// Digest or name of an image or file.
    pub(crate) artifact: Option<String>,
}

impl Filter {
    /// The deepest folder that holds everything wanted.
    pub(crate) fn prefix(&self) -> String {
        match &self.environments[..] {
            [one] => Address::environment_prefix(one),
            _ => "evidence/".to_owned(),
        }
    }

    /// Whether an object at this address can match. What is not an address of ours is admitted: it must be judged.
    pub(crate) fn admits_address(&self, address: &Address) -> bool {
        let Some(parts) = address.parts() else { return true };
        let in_one_of = |e: &String| address.as_str().starts_with(&Address::environment_prefix(e));
        (self.environments.is_empty() || self.environments.iter().any(in_one_of))
            && self.from.is_none_or(|from| parts.date >= from)
            && self.to.is_none_or(|to| parts.date <= to)
    }

    /// Whether the entry matches. One without a readable record matches every question that its address matches:
    /// what cannot be read may be what was asked for.
    pub(crate) fn admits(&self, entry: &Entry) -> bool {
        let Some(record) = &entry.record else { return true };
        let head = record.head();
        let same = |wanted: &Option<String>, holds: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(holds);
        // The day by which it is filed, as its address says it; of a run the day of the record.
        let day = filed_on(record);
        (self.environments.is_empty() || self.environments.iter().any(|e| e == head.environment))
            && self.from.is_none_or(|from| day >= from)
            && self.to.is_none_or(|to| day <= to)
            && same(&self.run, &|id| head.run.is_some_and(|run| run.id == id))
            && same(&self.commit, &|sha| commits(record).iter().flatten().any(|c| c.starts_with(sha)))
            && same(&self.operator, &|who| {
                let is = |a: &Actor| a.login.as_deref() == Some(who) || a.id.as_deref() == Some(who);
                actor(record).is_some_and(|a| is(&a))
            })
            && same(&self.artifact, &|what| {
                let digest = what.rsplit_once("sha256:").map_or(what, |(_, d)| d);
                let of_run = |run: &RunRecord| {
                    run.artifacts.iter().any(|a| {
                        a.name == what
                            || a.digest.sha256.is_some_and(|d| digest.len() >= 12 && d.to_string().starts_with(digest))
                    })
                };
                record.as_run().is_some_and(of_run)
            })
    }
}

/// The day in the record's address.
pub(crate) fn filed_on(record: &Record) -> NaiveDate {
    match record {
        Record::Change(r) => r.filed_on,
        Record::Bypass(r) if r.kind != BypassKind::EmergencyDeploy => r.filed_on,
        other => other.head().recorded_on.date_naive(),
    }
}

/// The commits that a record is about.
fn commits(record: &Record) -> [Option<&str>; 2] {
    match record {
        Record::Run(r) => {
            let commit = r.commit.as_ref();
            [commit.map(|c| c.sha.as_str()), commit.and_then(|c| c.head_sha.as_deref())]
        }
        Record::Change(r) => [r.after.as_deref(), r.before.as_deref()],
        Record::Bypass(r) => [r.commit.as_deref(), None],
        Record::Review(_) | Record::Population(_) => [None, None],
    }
}

/// Who did what the record is about.
pub(crate) fn actor(record: &Record) -> Option<Actor> {
    let of = |o: &Operator| Actor { id: o.id.clone(), login: o.login.clone(), name: o.name.clone() };
    match record {
        Record::Run(r) => r.operator.as_ref().map(of),
        Record::Change(r) => r.pusher.clone(),
        Record::Bypass(r) => r.actor.clone(),
        Record::Review(r) => Some(of(&r.reviewer)),
        Record::Population(_) => None,
    }
}

/// Reads `2026-Q3` (also `2026q3`) as its first and last day.
pub(crate) fn quarter(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    let (year, number) = text.split_once(['-', ' ']).unwrap_or_else(|| text.split_at(text.len().min(4)));
    let number = number.strip_prefix(['Q', 'q'])?;
    let first_month = match number {
        "1" => 1,
        "2" => 4,
        "3" => 7,
        "4" => 10,
        _ => return None,
    };
    let year = year.parse().ok().filter(|_| year.len() == 4)?;
    let first = NaiveDate::from_ymd_opt(year, first_month, 1)?;
    Some((first, first.checked_add_months(Months::new(3))?.pred_opt()?))
}

/// Reads `30d`, `12w`, `13mo`, `1y` as the first day of that period ending today; today counts as one of the days.
pub(crate) fn last(text: &str, now: DateTime<Utc>) -> Option<NaiveDate> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    let n: u32 = number.parse().ok().filter(|&n| n > 0)?;
    let today = now.date_naive();
    match unit {
        "d" => today.checked_sub_days(Days::new(u64::from(n) - 1)),
        "w" => today.checked_sub_days(Days::new(u64::from(n) * 7 - 1)),
        "mo" | "m" => today.checked_sub_months(Months::new(n)),
        "y" => today.checked_sub_months(Months::new(n.checked_mul(12)?)),
        _ => None,
    }
    .filter(|d| d.year() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn quarters_are_calendar_quarters() {
        assert_eq!(quarter("2026-Q3"), Some((day("2026-07-01"), day("2026-09-30"))));
        assert_eq!(quarter("2024q1"), Some((day("2024-01-01"), day("2024-03-31"))));
        assert_eq!(quarter("2026-Q4"), Some((day("2026-10-01"), day("2026-12-31"))));
        for bad in ["2026", "2026-Q5", "Q3", "26-Q3", "", "2026-3", "é-Q1"] {
            assert_eq!(quarter(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_last_days_include_today() {
        let now = "2026-11-23T00:30:00Z".parse().unwrap();
        assert_eq!(last("1d", now), Some(day("2026-11-23")));
        assert_eq!(last("30d", now), Some(day("2026-10-25")));
        assert_eq!(last("13mo", now), Some(day("2025-10-23")));
        assert_eq!(last("1y", now), Some(day("2025-11-23")));
        for bad in ["", "d", "0d", "30", "30x", "-3d", "99999999999d", "9999999y"] {
            assert_eq!(last(bad, now), None, "{bad}");
        }
    }
}
