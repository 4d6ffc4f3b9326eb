//! Tickets that branches, messages and titles name.

use crate::record::parts_v1::Ticket;
use regex::{Regex, RegexBuilder};
use std::collections::HashSet;

/// `SHOP-123` in the way of Jira (no letter or digit before, none after), or `#45`. The first group is the ticket.
pub(crate) const DEFAULT_PATTERN: &str =
    r"(?:^|[^A-Za-z0-9])([A-Z][A-Z0-9]{1,9}-[1-9][0-9]{0,8})\b|(?:^|[^A-Za-z0-9&#/])(#[1-9][0-9]{0,6})\b";

/// What looks like a Jira project and is a standard, a product or a pull request. Only for the default pattern: who
/// has a project called SOC writes a pattern that says so.
const NO_PROJECTS: &[&str] = &[
    "AES", "AGPL", "AMD", "ANSI", "ARM", "ASCII", "BASE", "BCP", "BSD", "CC", "CVE", "CWE", "CP", "DES", "DIN", "EC",
    "ED", "EN", "ES", "FIPS", "GMT", "GPL", "HMAC", "HTTP", "IEC", "IEEE", "INT", "IPV", "ISO", "KOI8", "LATIN",
    "LGPL", "MD", "MIT", "MPL", "MR", "NIST", "PCI", "PEP", "PKCS", "PR", "RC", "RFC", "RIPEMD", "RSA", "SHA", "SHA1",
    "SHA2", "SHA3", "SOC", "SP", "TLS", "UTC", "UTF", "UCS", "WIN", "WINDOWS", "X64", "X86",
];

/// Most tickets that one record names.
const MOST: usize = 100;
/// How much of each text is searched, and the longest ticket, in bytes.
const LONGEST: (usize, usize) = (64 * 1024, 100);

/// Why a pattern cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("could not use the ticket pattern `{pattern}`: {cause}\nexample: `(SHOP|OPS)-[0-9]+`")]
pub(crate) struct PatternError {
    /// The pattern, shortened.
    pattern: String,
    /// What is wrong with it.
    cause: String,
}

/// Compiles a pattern. Its first group is the ticket, or the whole match where it has none.
///
/// `\d`, `\w`, `\s` and `\b` mean ASCII: no tracker numbers its tickets in other digits, and the tables for all
/// scripts would be a tenth of the binary.
pub(crate) fn pattern(text: &str) -> Result<Regex, PatternError> {
    let fail = |cause: String| PatternError { pattern: text.chars().take(200).collect(), cause };
    if text.len() > 2000 {
        return Err(fail("it is longer than 2000 bytes".to_owned()));
    }
    let regex = RegexBuilder::new(&ascii(text)).size_limit(1 << 20).dfa_size_limit(1 << 20).nest_limit(50).build();
    let regex = regex.map_err(|e| match e {
        regex::Error::CompiledTooBig(_) => fail("it is too large when compiled".to_owned()),
        e if e.to_string().contains("case insensitivity") => {
            fail("only ASCII letters have two cases here: write `(?i-u:shop)`".to_owned())
        }
        // the last line says what is wrong; those before it draw an arrow under our own rewriting
        e => fail(e.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()),
    })?;
    if regex.is_match("") {
        return Err(fail("it matches nothing at all, so it would match everywhere".to_owned()));
    }
    Ok(regex)
}

/// Rewrites the classes of Perl to ASCII ones, inside and outside of brackets.
fn ascii(text: &str) -> String {
    let (mut out, mut brackets, mut escaped) = (String::with_capacity(text.len()), 0usize, false);
    for c in text.chars() {
        if !escaped {
            match c {
                '\\' => {
                    escaped = true;
                    continue;
                }
                '[' => brackets += 1,
                ']' => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            out.push(c);
            continue;
        }
        escaped = false;
        let set = match c {
            'd' => "0-9",
            'w' => "0-9A-Za-z_",
            's' => r"\t\n\x0B\x0C\r ",
            'D' | 'W' | 'S' if brackets == 0 => {
                out.push_str(match c {
                    'D' => "[^0-9]",
                    'W' => "[^0-9A-Za-z_]",
                    _ => r"[^\t\n\x0B\x0C\r ]",
                });
                continue;
            }
            'b' if brackets == 0 => {
                out.push_str(r"(?-u:\b)");
                continue;
            }
            other => {
                out.push('\\');
                out.push(other);
                continue;
            }
        };
        if brackets == 0 {
            out.push('[');
            out.push_str(set);
            out.push(']');
        } else {
            out.push_str(set);
        }
    }
    if escaped {
        out.push('\\');
    }
    out
}

/// The tickets that `texts` (where it stands, the text) name, in their order, each once under its first place.
pub(crate) fn find(pattern: &Regex, texts: &[(&str, &str)]) -> Vec<Ticket> {
    let usual = pattern.as_str() == ascii(DEFAULT_PATTERN);
    let (mut tickets, mut seen) = (Vec::new(), HashSet::new());
    for (named_in, text) in texts {
        let end = (0..=LONGEST.0.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        for found in pattern.captures_iter(text.get(..end).unwrap_or_default()) {
            let Some(id) = found.iter().skip(1).flatten().next().or(found.get(0)).map(|m| m.as_str()) else { continue };
            let project = id.split('-').next().unwrap_or_default();
            if id.is_empty() || id.len() > LONGEST.1 || usual && NO_PROJECTS.contains(&project) {
                continue;
            }
            if tickets.len() == MOST {
                return tickets;
            }
            if seen.insert(id.to_owned()) {
                tickets.push(Ticket { id: id.to_owned(), named_in: (*named_in).to_owned() });
            }
        }
    }
    tickets
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids(regex: &Regex, text: &str) -> Vec<String> {
        find(regex, &[("branch", text)]).into_iter().map(|t| t.id).collect()
    }

    #[test]
    fn tickets_are_found_and_lookalikes_are_not() {
        let table: &[(&str, &[&str])] = &[
            ("SHOP-123: fix the till", &["SHOP-123"]),
            ("feature/SHOP-123-fix-the-till", &["SHOP-123"]),
            ("bugfix-OPS2-7_again", &[]),
            ("fix_SHOP-9", &["SHOP-9"]),
            ("SHOP-1, SHOP-2 SHOP-3", &["SHOP-1", "SHOP-2", "SHOP-3"]),
            ("(SHOP-1)[OPS-2]", &["SHOP-1", "OPS-2"]),
            ("closes #45, see GH-46", &["#45", "GH-46"]),
            ("Fix the till (#45)", &["#45"]),
            ("grüße SHOP-5 ü", &["SHOP-5"]),
            ("", &[]),
            ("SHOP-0 SHOP-01 shop-1 S-1 SHOP- -1 SHOP-1x xSHOP-1", &[]),
            ("UTF-8 SHA-256 SHA3-512 ISO-8859-1 CVE-2024-1234 RFC-2119 AES-256 UTC-5 PR-12 MR-3 X86-64", &[]),
            ("colour #123abc, entity &#123; C#7 ##5 page/#3", &[]),
            ("VERYLONGPROJECTNAME-1", &[]),
        ];
        let regex = pattern(DEFAULT_PATTERN).unwrap();
        for (text, want) in table {
            assert_eq!(ids(&regex, text), *want, "{text}");
        }
    }

    #[test]
    fn patterns_of_ones_own_work_with_and_without_groups() {
        let table: &[(&str, &str, &[&str])] = &[
            (r"SOC-\d+", "SOC-2 and SHA-256", &["SOC-2"]),
            (r"\bINC\d{7}\b", "see INC0012345.", &["INC0012345"]),
            (r"ticket:([\w-]+)", "ticket:a-b_9 x", &["a-b_9"]),
            (r"(?:case|bug)\s(\S+?)[.]", "case 4711.", &["4711"]),
            ("ü[0-9]+", "ü7", &["ü7"]),
        ];
        for (text, given, want) in table {
            assert_eq!(ids(&pattern(text).unwrap(), given), *want, "{text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_an_example() {
        let long = "a".repeat(3000);
        for bad in ["(", "[", "\\", "a*", "", "x{9999}{9999}", &long, &"(".repeat(60)] {
            let error = pattern(bad).map(|r| r.as_str().to_owned()).unwrap_err().to_string();
            assert!(error.contains("could not use") && error.contains("example: "), "{error}");
        }
    }

    #[test]
    fn the_first_place_names_a_ticket_and_a_flood_is_bounded() {
        let regex = pattern(DEFAULT_PATTERN).unwrap();
        let found = find(&regex, &[("branch", "SHOP-1"), ("commitMessage", "SHOP-2 SHOP-1")]);
        let found: Vec<_> = found.iter().map(|t| (t.id.as_str(), t.named_in.as_str())).collect();
        assert_eq!(found, [("SHOP-1", "branch"), ("SHOP-2", "commitMessage")]);
        let flood: String = (1..5000).map(|i| format!("SHOP-{i} ")).collect();
        assert_eq!(ids(&regex, &flood).len(), MOST);
    }

    proptest! {
        #[test]
        fn every_ticket_stands_in_its_text(text in "(SHOP-[0-9]{1,3}|#[0-9]{1,3}|[ -~ü]){0,20}") {
            let regex = pattern(DEFAULT_PATTERN).unwrap();
            let found = ids(&regex, &text);
            prop_assert!(found.iter().all(|id| text.contains(id.as_str())));
        }

        #[test]
        fn no_pattern_makes_it_panic(text: String) {
            let _ = pattern(&text);
        }
    }
}
