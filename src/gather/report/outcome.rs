//! What the words and numbers in reports mean. Shared by all formats.

use super::name::kept;
use crate::record::test_run_v1::Counts;

/// How one test case ended, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// It ran and nothing was wrong.
    Passed,
    /// It did not run.
    Skipped,
    /// An assertion failed.
    Failed,
    /// Something broke outside an assertion, or the outcome cannot be understood.
    Errored,
}

impl Outcome {
    /// What an outcome word of any tool means, whatever its case and punctuation; `None` for an unknown word.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        let plain: String =
            word.chars().filter(char::is_ascii_alphanumeric).take(32).map(|c| c.to_ascii_lowercase()).collect();
        Some(match plain.as_str() {
            // `run` and `completed` are GoogleTest's and CTest's: it ran, and a child says when it failed
            "passed" | "pass" | "success" | "successful" | "succeeded" | "ok" | "run" | "completed" | "complete"
            | "executed" | "finished" | "done" | "expected" | "flaky" | "fixed" | "true" => {
                Self::Passed
            }
            "skipped" | "skip" | "disabled" | "notrun" | "notexecuted" | "ignored" | "ignore" | "pending"
            | "suppressed" | "inconclusive" | "inactive" | "untested" | "todo" | "excluded" | "deselected"
            | "xfail" | "xfailed" | "expectedfailure"
            // Qt Test's blacklisted functions: run, and not judged
            | "bpass" | "bfail" | "bxfail" | "bxpass" | "blacklisted" => Self::Skipped,
            "failed" | "fail" | "failure" | "failing" | "ko" | "notok" | "false" | "unexpected" | "unsuccessful"
            | "unexpectedsuccess" | "unexpectedpass" | "xpass" | "xpassed" | "regression" => Self::Failed,
            "error" | "errored" | "errors" | "broken" | "exception" | "crashed" | "crash" | "panicked" | "panic"
            | "aborted" | "abort" | "timeout" | "timedout" | "interrupted" | "killed" | "notrunnable" | "undefined"
            | "ambiguous" | "unknown" => Self::Errored,
            _ => return None,
        })
    }

    /// Counts one more that ended so.
    pub(crate) fn add_to(self, counts: &mut Counts) {
        counts.total += 1;
        match self {
            Self::Passed => counts.passed += 1,
            Self::Skipped => counts.skipped += 1,
            Self::Failed => counts.failed += 1,
            Self::Errored => counts.errored += 1,
        }
    }

    /// The word as it stands in the record.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Errored => "errored",
        }
    }
}

/// A count that a report declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Number {
    /// Not declared. Not zero.
    #[default]
    Absent,
    /// Declared as something that is no plain number. Not zero either.
    Unreadable,
    /// Declared.
    Is(u64),
}

/// Largest count that is kept: exact in JSON for every reader (RFC 8259, section 6). A larger one stays this large.
pub(crate) const NUMBER_LIMIT: u64 = (1 << 53) - 1;

impl Number {
    /// Reads decimal digits and nothing else, white space around them aside.
    pub(crate) fn parse(text: &str) -> Self {
        let digits = text.trim_matches([' ', '\t', '\n', '\r']);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Self::Unreadable;
        }
        Self::Is(digits.parse().unwrap_or(NUMBER_LIMIT).min(NUMBER_LIMIT))
    }

    /// The number, where there is one.
    pub(crate) fn known(self) -> Option<u64> {
        match self {
            Self::Is(n) => Some(n),
            _ => None,
        }
    }

    /// The sum, where both are known; unreadable when either is; one of them where only that is declared.
    pub(crate) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Absent, x) | (x, Self::Absent) => x,
            (Self::Is(a), Self::Is(b)) => Self::Is((a + b).min(NUMBER_LIMIT)),
            _ => Self::Unreadable,
        }
    }
}

/// How long a case took.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Time {
    /// Not written. Not zero.
    #[default]
    Absent,
    /// Seconds.
    Seconds(f64),
    /// Written as something else.
    Unreadable(String),
}

impl Time {
    /// Reads a time as [`seconds`] does.
    #[inline]
    pub(crate) fn parse(text: &[u8]) -> Self {
        seconds(text).map_or_else(|| Self::Unreadable(kept(text)), Self::Seconds)
    }

    /// Reads hours, minutes and seconds.
    pub(crate) fn clock(text: &[u8]) -> Self {
        clock_seconds(text).map_or_else(|| Self::Unreadable(kept(text)), Self::Seconds)
    }
}

/// What hours, minutes and seconds come to: `[days.]hh:mm:ss[.fraction]`, as .NET writes a length of time
/// (`TimeSpan.ToString("c")`).
fn clock_seconds(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let (hours, rest) = text.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let part = |digits: &str, below: u64| match Number::parse(digits) {
        Number::Is(n) if n < below && digits.len() <= 8 => Some(n),
        _ => None,
    };
    let whole = part(days, 100_000_000)? * 86_400 + part(hours, 24)? * 3600 + part(minutes, 60)? * 60;
    let seconds = plain_seconds(seconds.as_bytes()).filter(|&s| s < 60.0)?;
    Some(whole as f64 + seconds)
}

/// Seconds: a decimal number, or with the thousands' commas that Maven Surefire writes (`1,234.5`). `None` for NaN,
/// infinite, negative and everything else; also for `1,234`, which is a thousand in one country and one in another.
#[inline]
fn seconds(text: &[u8]) -> Option<f64> {
    plain_seconds(text).or_else(|| odd_seconds(text))
}

/// `12.345`, at most 15 digits: both halves of the division are exact, so its result is the nearest double, as it
/// would be from the full algorithm (Clinger 1990).
#[inline]
fn plain_seconds(text: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] = [1., 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    if !(1..=15).contains(&text.len()) || !text[0].is_ascii_digit() {
        return None;
    }
    let (mut digits, mut point) = (0u64, None);
    for (i, &b) in text.iter().enumerate() {
        match b {
            b'0'..=b'9' => digits = digits * 10 + u64::from(b - b'0'),
            b'.' if point.is_none() => point = Some(text.len() - 1 - i),
            _ => return None,
        }
    }
    Some(digits as f64 / POWERS[point.unwrap_or(0)])
}

fn odd_seconds(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?.trim_matches([' ', '\t', '\n', '\r']);
    let value: f64 = match text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-')) {
        true => text.parse().ok()?,
        false => {
            let (whole, fraction) = text.split_once('.')?;
            let mut groups = whole.split(',');
            let first = groups.next()?;
            let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
            let proper = (1..=3).contains(&first.len()) && !first.starts_with('0') && digits(first) && digits(fraction);
            if !proper || !groups.all(|group| group.len() == 3 && digits(group)) {
                return None;
            }
            format!("{}.{fraction}", whole.replace(',', "")).parse().ok()?
        }
    };
    (value.is_finite() && value.is_sign_positive()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_tools() {
        use Outcome::{Errored, Failed, Passed, Skipped};
        let cases = [
            ("run", Passed),
            ("PASSED", Passed),
            ("notrun", Skipped),
            ("not-run", Skipped),
            ("Not Run", Skipped),
            ("disabled", Skipped),
            ("suppressed", Skipped),
            ("Failed", Failed),
            ("timed_out", Errored),
            ("panicked", Errored),
        ];
        for (word, want) in cases {
            assert_eq!(Outcome::of_word(word), Some(want), "{word}");
        }
        for word in ["", "  ", "maybe", "passed?no", "passedfailed", "été"] {
            assert_eq!(Outcome::of_word(word), None, "{word}");
        }
    }

    #[test]
    fn a_count_is_plain_digits() {
        let cases = [
            ("0", Number::Is(0)),
            ("007", Number::Is(7)),
            (" 3\n", Number::Is(3)),
            ("", Number::Unreadable),
            ("-1", Number::Unreadable),
            ("+1", Number::Unreadable),
            ("1.0", Number::Unreadable),
            ("1e3", Number::Unreadable),
            ("0x1", Number::Unreadable),
            ("1,000", Number::Unreadable),
            ("\u{0663}", Number::Unreadable),
            ("NaN", Number::Unreadable),
            ("9007199254740991", Number::Is(NUMBER_LIMIT)),
            ("9007199254740992", Number::Is(NUMBER_LIMIT)),
            ("99999999999999999999999", Number::Is(NUMBER_LIMIT)),
        ];
        for (text, want) in cases {
            assert_eq!(Number::parse(text), want, "{text:?}");
        }
        assert_eq!(Number::Is(1).plus(Number::Unreadable), Number::Unreadable);
        assert_eq!(Number::Is(NUMBER_LIMIT).plus(Number::Is(1)), Number::Is(NUMBER_LIMIT));
    }

    #[test]
    fn clocks_count_to_days() {
        let cases = [
            ("00:00:00", 0.0),
            ("00:00:00.0006181", 0.000_618_1),
            ("01:02:03.5", 3723.5),
            ("2.00:00:01", 172_801.0),
            ("23:59:59.9999999", 86_399.999_999_9),
        ];
        for (text, want) in cases {
            assert_eq!(clock_seconds(text.as_bytes()), Some(want), "{text:?}");
        }
        for text in [
            "",
            "1",
            "1:2",
            "-00:00:01",
            "24:00:00",
            "00:60:00",
            "00:00:60",
            "00:00:-1",
            "0:0:0:0",
            "1.2.3:0:0",
            "a:b:c",
        ] {
            assert_eq!(clock_seconds(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn seconds_in_the_ways_tools_write_them() {
        let cases = [
            ("0", 0.0),
            ("1.5", 1.5),
            (".5", 0.5),
            ("2.", 2.0),
            ("1.5E-4", 0.00015),
            ("1,234.5", 1234.5),
            ("1,234,567.25", 1_234_567.25),
            (" 3 ", 3.0),
            ("1e3", 1000.0),
        ];
        for (text, want) in cases {
            assert_eq!(seconds(text.as_bytes()), Some(want), "{text:?}");
        }
        for text in [
            "",
            "NaN",
            "inf",
            "infinity",
            "-1",
            "-0.1",
            "-0",
            "1s",
            "1,5",
            "1,234",
            "0,001.5",
            "12,34.5",
            "1234,567.0",
            "1e999",
            "0x1p3",
            "1_000",
            ",123.0",
            "1,234.5.6",
            "1,234.-5",
            "--1",
        ] {
            assert_eq!(seconds(text.as_bytes()), None, "{text:?}");
        }
    }
}
