//! Names that others chose, made safe to show to people.

use crate::record::json::acts;
use std::borrow::Cow;

/// One line of text for a terminal: every control, bidirectional or invisible character stands as `[U+XXXX]`.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if acts(c) {
            out.push_str(&format!("[U+{:04X}]", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// As [`line`], keeping line breaks: for messages that have several lines of our own.
pub(crate) fn lines(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// `1 leaf`, `2 leaves`.
pub(crate) fn many(n: u64, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// A length of time as people say it, in at most two units.
pub(crate) fn delay(time: chrono::TimeDelta) -> String {
    let seconds = time.num_seconds().max(0);
    let parts = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let first = parts.iter().position(|(n, _)| *n > 0).unwrap_or(3);
    let two = parts.iter().skip(first).take(2).filter(|(n, unit)| *n > 0 || *unit == "s" && first == 3);
    two.map(|(n, unit)| format!("{n} {unit}")).collect::<Vec<_>>().join(" ")
}

/// A spreadsheet cell that no program takes for a formula: what begins like one gets a leading apostrophe.
///
/// OWASP "CSV Injection" names `= + - @ TAB CR LF`; full-width forms and `|`, `%` start formulas in some locales. A
/// reader takes one leading apostrophe away and has the original (`leading-apostrophe-v1`).
pub(crate) fn cell(text: &str) -> Cow<'_, str> {
    let shown = line(text);
    match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\0' | '\'' | '|' | '%' | '＝' | '＋' | '－' | '＠') => {
            Cow::Owned(format!("'{shown}"))
        }
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_delay_has_two_units() {
        for (seconds, want) in [
            (-5, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3661, "1 h 1 min"),
            (90_000, "1 d 1 h"),
            (86_400, "1 d"),
        ] {
            assert_eq!(delay(chrono::TimeDelta::seconds(seconds)), want);
        }
    }

    #[test]
    fn what_could_act_is_spelled_out() {
        for (text, want) in [
            ("plain ünïcode 漢字", "plain ünïcode 漢字"),
            ("\u{1b}[31mred", "[U+001B][31mred"),
            ("exe.\u{202e}gnp", "exe.[U+202E]gnp"),
            ("two\nlines", "two[U+000A]lines"),
            ("\u{9b}2J", "[U+009B]2J"),
        ] {
            assert_eq!(line(text), want);
        }
    }

    #[test]
    fn formulas_become_text() {
        for (text, want) in [
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'[U+0009]=1"),
            ("'quoted", "''quoted"),
            ("＝1", "'＝1"),
            ("main", "main"),
            ("", ""),
        ] {
            assert_eq!(cell(text), want);
        }
    }

    proptest! {
        #[test]
        fn no_cell_begins_like_a_formula(text: String) {
            let cell = cell(&text);
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']));
            prop_assert!(!cell.chars().any(acts));
        }
    }
}
