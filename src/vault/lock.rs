//! Retention: how long, and how firmly, a store must keep an object.

use chrono::{DateTime, Days, Months, SecondsFormat, SubsecRound as _, TimeDelta, Utc};
use std::fmt;

/// How firmly a lock holds. `Compliance` is the stronger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// Can be lifted by who holds a special right (S3 GOVERNANCE).
    Governance,
    /// Nobody can lift it, not even the account's owner (S3 COMPLIANCE).
    Compliance,
}

impl Mode {
    /// The word on our command line and in a receipt.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "governance",
            Self::Compliance => "compliance",
        }
    }

    /// Reads the word, in any case: stores shout it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Governance, Self::Compliance].into_iter().find(|m| m.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

/// A lock on one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retention {
    /// How firmly.
    pub mode: Mode,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Whether a legal hold keeps it beyond that day.
    pub legal_hold: bool,
}

impl Retention {
    /// Whether a lock that is observed gives at least what `asked` wants. Stores cut fractions of a second, so up to one
    /// second less is the same moment.
    pub(crate) fn satisfies(&self, asked: &Self) -> bool {
        self.mode >= asked.mode
            && self.until + TimeDelta::seconds(1) > asked.until
            && (self.legal_hold || !asked.legal_hold)
    }

    /// `until` as S3 and GCS take it: RFC 3339, whole seconds, rounded up so that it is never shorter than asked.
    pub(crate) fn until_text(&self) -> String {
        let whole = self.until.trunc_subsecs(0);
        let up = if whole < self.until { whole + TimeDelta::seconds(1) } else { whole };
        up.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} until {}", self.mode.as_str(), self.until.to_rfc3339_opts(SecondsFormat::AutoSi, true))?;
        f.write_str(if self.legal_hold { " with a legal hold" } else { "" })
    }
}

/// Reads a time as stores write it: RFC 3339 with any number of decimals (Ceph writes nine, MinIO three, AWS none).
pub(crate) fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|t| t.with_timezone(&Utc))
}

/// A length of time by the calendar, `--retain 400d|13mo|2y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Period {
    /// Days.
    Days(u32),
    /// Calendar months; the 31st becomes the last day of a shorter month.
    Months(u32),
    /// Calendar years.
    Years(u32),
}

/// Why a text is no period.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "could not read the period `{0}`: write a number and `d`, `mo` or `y`, as in 400d, 13mo or 2y (at most 100 years)"
)]
pub(crate) struct BadPeriod(String);

impl Period {
    /// Thirteen months by the calendar are at most 397 days; 400 leaves room for a late run.
    pub(crate) const DEFAULT: &str = "400d";

    /// Reads `400d`, `13mo` or `2y`. Zero and more than a hundred years are refused: S3 refuses both, late.
    pub(crate) fn parse(text: &str) -> Result<Self, BadPeriod> {
        let bad = || BadPeriod(text.chars().filter(|c| !c.is_control()).take(40).collect());
        let clean = text.trim();
        let (number, unit) = clean.split_at(clean.bytes().take_while(u8::is_ascii_digit).count());
        let n: u32 = number.parse().map_err(|_| bad())?;
        let (period, most) = match unit.trim_start() {
            "d" => (Self::Days(n), 36_500),
            "mo" => (Self::Months(n), 1_200),
            "y" => (Self::Years(n), 100),
            _ => return Err(bad()),
        };
        if n == 0 || n > most { Err(bad()) } else { Ok(period) }
    }

    /// The moment this long after `from`; `None` beyond the end of the calendar.
    pub(crate) fn after(self, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Days(n) => from.checked_add_days(Days::new(n.into())),
            Self::Months(n) => from.checked_add_months(Months::new(n)),
            Self::Years(n) => from.checked_add_months(Months::new(n.checked_mul(12)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        parse_time(text).unwrap()
    }

    #[test]
    fn periods_are_read_by_the_calendar() {
        for (text, from, want) in [
            ("400d", "2026-11-22T10:00:00Z", "2027-12-27T10:00:00Z"),
            ("13mo", "2026-11-22T10:00:00Z", "2027-12-22T10:00:00Z"),
            ("13mo", "2026-01-31T10:00:00Z", "2027-02-28T10:00:00Z"),
            ("2y", "2024-02-29T00:00:00Z", "2026-02-28T00:00:00Z"),
            (" 1d ", "2026-12-31T23:59:59Z", "2027-01-01T23:59:59Z"),
            ("2 y", "2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
        ] {
            assert_eq!(Period::parse(text).unwrap().after(at(from)), Some(at(want)), "{text}");
        }
        for bad in
            ["", "d", "13", "13m", "0d", "-1d", "1.5y", "101y", "40000d", "99999999999d", "1d2d", "400 days", "٣d", "é"]
        {
            assert!(Period::parse(bad).is_err(), "{bad}");
        }
        assert!(
            Period::parse(Period::DEFAULT).unwrap().after(at("2026-11-22T10:00:00Z"))
                >= Period::Months(13).after(at("2026-11-22T10:00:00Z"))
        );
    }

    #[test]
    fn stores_write_times_with_any_fraction() {
        for text in [
            "2027-12-30T00:00:00Z",
            "2027-12-30T00:00:00.000000000Z",
            "2027-12-30T00:00:00.000Z",
            "2027-12-30T01:00:00+01:00",
        ] {
            assert_eq!(at(text), at("2027-12-30T00:00:00Z"), "{text}");
        }
        for bad in ["", "2027-12-30", "tomorrow", "2027-13-01T00:00:00Z"] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_lock_that_is_observed_must_give_what_was_asked() {
        let lock = |mode, until, legal_hold| Retention { mode, until: at(until), legal_hold };
        use Mode::{Compliance, Governance};
        let asked = lock(Compliance, "2027-12-30T00:00:00.750Z", false);
        assert_eq!(asked.until_text(), "2027-12-30T00:00:01Z");
        for (seen, want) in [
            (lock(Compliance, "2027-12-30T00:00:01Z", false), true),
            (lock(Compliance, "2027-12-30T00:00:00Z", false), true), // cut to seconds
            (lock(Compliance, "2027-12-29T23:59:59Z", false), false),
            (lock(Compliance, "2028-01-01T00:00:00Z", true), true),
            (lock(Governance, "2028-01-01T00:00:00Z", true), false),
        ] {
            assert_eq!(seen.satisfies(&asked), want, "{seen}");
        }
        let held = lock(Governance, "2027-12-30T00:00:00Z", true);
        assert_eq!(held.until_text(), "2027-12-30T00:00:00Z");
        assert!(!lock(Compliance, "2030-01-01T00:00:00Z", false).satisfies(&held));
        assert!(lock(Compliance, "2030-01-01T00:00:00Z", true).satisfies(&held));
        assert_eq!(Mode::parse("COMPLIANCE"), Some(Compliance));
        assert_eq!(Mode::parse("none"), None);
    }
}
