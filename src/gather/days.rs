//! Days on which people work.

use chrono::{Datelike as _, NaiveDate, Weekday};

/// The day that lies so many working days after `day`. Holidays differ from place to place and are not known here.
pub(crate) fn working_days(day: NaiveDate, days: u16) -> NaiveDate {
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
