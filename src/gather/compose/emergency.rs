//! A deployment that set the usual controls aside: why, who agreed, and by when somebody has to look at it.

use super::joining::Joining;
use crate::record::parts_v1::{Actor, How};
use crate::record::run_v1;
use chrono::{Datelike as _, NaiveDate, Weekday};

pub(super) fn emergency(j: &mut Joining) -> Option<run_v1::Emergency> {
    let told = j.ask.emergency.as_ref()?;
    j.told("emergency", "emergency");
    j.told("emergency.reason", "reason");
    let mut missing = Vec::new();
    let ticket = j.ask.tickets.first().cloned();
    match &ticket {
        Some(_) => j.told("emergency.ticket", "ticket"),
        None => missing.push("no ticket was named; say --ticket".to_owned()),
    }
    match &told.approved_by {
        Some(_) => j.told("emergency.approvedBy", "approved-by"),
        None => missing.push("nobody was named who agreed; say --approved-by".to_owned()),
    }
    j.learned("emergency.reviewDueOn", How::Derived, "recordedOn, --review-days");
    j.section("emergency", missing, false);
    let approved_by = told.approved_by.clone().map(|login| Actor { login: Some(login), ..Actor::default() });
    Some(run_v1::Emergency {
        reason: j.ask.reason.clone().unwrap_or_default(),
        ticket,
        approved_by,
        review_due_on: Some(working_days(j.ask.now.date_naive(), told.review_days)),
    })
}

/// The day that lies so many working days after `day`. Holidays differ from place to place and are not known here.
fn working_days(day: NaiveDate, days: u16) -> NaiveDate {
    let works = |day: &NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    match usize::from(days).checked_sub(1) {
        Some(before) => day.iter_days().skip(1).filter(works).nth(before).unwrap_or(day),
        None => day,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekends_do_not_count() {
        // 2026-11-23 is a Monday
        for (from, days, want) in [
            ("2026-11-23", 0, "2026-11-23"),
            ("2026-11-23", 2, "2026-11-25"),
            ("2026-11-26", 2, "2026-11-30"),
            ("2026-11-27", 1, "2026-11-30"),
            ("2026-11-28", 1, "2026-11-30"),
            ("2026-11-29", 2, "2026-12-01"),
            ("2026-11-23", 250, "2027-11-08"),
        ] {
            assert_eq!(working_days(from.parse().unwrap(), days).to_string(), want, "{from} and {days}");
        }
    }
}
