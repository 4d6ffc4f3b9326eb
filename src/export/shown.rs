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
