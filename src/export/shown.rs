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

/// Text of others inside Markdown: a code span in HTML, in which nothing can act.
///
/// Every ASCII character that is no letter, digit, space or one of `-,/` becomes a reference (CommonMark 0.31, 2.5: "cannot
/// be used in place of symbols indicating structure"), so it is no markup, no table cell, no link (GFM's extended
/// autolinks need `.` or `:`), and platforms look for no mentions inside `<code>`. At most 300 characters are shown.
pub(crate) fn markdown(text: &str) -> String {
    let shown = line(text);
    let mut out = String::from("<code>");
    for c in shown.chars().take(300) {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '-' | ',' | '/' => out.push(c),
            c if c.is_ascii() => out.push_str(&format!("&#{};", u32::from(c))),
            c => out.push(c),
        }
    }
    if shown.chars().nth(300).is_some() {
        out.push('…');
    }
    out + "</code>"
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
    fn markdown_of_others_is_inert() {
        for (text, want) in [
            ("a b-c", "a b-c"),
            ("|x|\n# y", "&#124;x&#124;&#91;U&#43;000A&#93;&#35; y"),
            ("</code><img src=x>", "&#60;/code&#62;&#60;img src&#61;x&#62;"),
            ("`$(x)` @all", "&#96;&#36;&#40;x&#41;&#96; &#64;all"),
            ("www.x.y http://z", "www&#46;x&#46;y http&#58;//z"),
            ("", ""),
        ] {
            assert_eq!(markdown(text), format!("<code>{want}</code>"));
        }
        let long = markdown(&"é".repeat(301));
        assert!(long.ends_with("é…</code>") && long.chars().filter(|c| *c == 'é').count() == 300);
    }

    proptest! {
        #[test]
        fn no_markdown_of_others_holds_a_character_of_markup(text in ".*") {
            let inner = markdown(&text);
            let inner = inner.strip_prefix("<code>").and_then(|t| t.strip_suffix("</code>")).unwrap().to_owned();
            let acts = |c: char| "<>|`*_[]()!\\~@:.$\"'".contains(c) || c.is_control();
            prop_assert!(!inner.contains(acts), "{}", inner);
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
