//! Where a record stands: `evidence/env=<env>/date=<day>/run=<platform>-<id>-<attempt>/<kind>[-<component>].json`.
//!
//! Deterministic, so that a repeated step meets its own record. Words from outside (environment, run id, component) are
//! escaped, never trusted: what is not plain becomes `_xx` (hex of the byte), `_` itself `_5f`.

use crate::record::digest::{Sha256Digest, hex};
use chrono::NaiveDate;
use std::fmt;

/// Longest segment that we write, in bytes. File systems stop at 255; the staging suffix of a local put needs room.
const SEGMENT: usize = 200;
/// Longest whole address, in bytes. S3 stops at 1024 with the vault's own prefix before it.
const WHOLE: usize = 900;
/// Room for `.conflict-<UUID>` and `.json` is kept free, so that the conflict form of every name is a valid name.
const STEM: usize = SEGMENT - CONFLICT.len() - 36 - JSON.len();
const CONFLICT: &str = ".conflict-";
const JSON: &str = ".json";
/// Name of what lies beside a local record for its tags. Never evidence.
pub(super) const SIDECAR: &str = ".tags";

/// A place in a vault, relative to its root: segments between single slashes, none of which can climb.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address(String);

/// What a record is about, as its folder says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// A run: `run=<platform>-<id>-<attempt>`.
    Run {
        /// The platform's word, `github`.
        platform: String,
        /// The platform's id of the run. May hold anything.
        id: String,
        /// The attempt, `1` for the first.
        attempt: String,
    },
    /// Something that belongs to no run: `run=<what>-<id>`, `run=change-<sha>`.
    Thing {
        /// `change`, `drill`, …
        what: String,
        /// Its id.
        id: String,
    },
}

/// The words in the address of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    /// Environment.
    pub environment: String,
    /// UTC day.
    pub date: NaiveDate,
    /// What the record is about.
    pub about: About,
    /// Kind of record, `run`.
    pub kind: String,
    /// Which of several records of one run.
    pub component: Option<String>,
    /// For a second, different record of the same run, attempt, kind and component: its record id.
    pub conflict: Option<String>,
}

/// Why a text is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address in a vault: {why}")]
pub(crate) struct BadAddress {
    text: String,
    why: &'static str,
}

impl Address {
    /// The address of a record. Total and injective: any words give a valid address, different words a different one
    /// (where a word is too long to be kept whole, up to a 64-bit digest of it).
    pub(crate) fn of(parts: &Parts) -> Self {
        let Parts { environment, date, about, kind, component, conflict } = parts;
        let about = match about {
            // `-` ends the platform and begins the attempt, so only the id may hold one. No dot ends a segment: Windows
            // drops it.
            About::Run { platform, id, attempt } => {
                format!("{}-{}-{}", word(platform, b"-", 24), word(id, b"", 140), word(attempt, b"-.", 24))
            }
            About::Thing { what, id } => format!("{}-{}", word(what, b"-", 24), word(id, b"-.", 160)),
        };
        let kind = word(kind, b"-.", 40);
        let component = component.as_ref().map(|c| format!("-{}", word(c, b".", STEM - 41))).unwrap_or_default();
        let conflict = conflict.as_ref().map(|c| format!("{CONFLICT}{}", word(c, b".", 36))).unwrap_or_default();
        let mut environment = word(environment, b"", SEGMENT - 7);
        if environment.ends_with('.') {
            environment.truncate(environment.len() - 1);
            environment.push_str("_2e");
        }
        Self(format!("evidence/env={environment}/date={date}/run={about}/{kind}{component}{conflict}{JSON}"))
    }

    /// The folder of an environment's records, with its slash: every [`Address::of`] that environment begins with it.
    pub(crate) fn environment_prefix(environment: &str) -> String {
        format!("evidence/env={}/", environment_word(environment))
    }

    /// Reads a place from outside (a listing, a receipt, the command line). Wider than what we write, because a vault may
    /// hold what others put there and that must be seen; never a place outside the vault.
    pub(crate) fn parse(text: &str) -> Result<Self, BadAddress> {
        let bad = |why| Err(BadAddress { text: text.chars().filter(|c| !c.is_control()).take(200).collect(), why });
        if text.len() > WHOLE {
            return bad("it is longer than 900 bytes");
        }
        for segment in text.split('/') {
            match segment {
                "" => return bad("it has an empty segment"),
                "." | ".." => return bad("it leads out of its folder"),
                s if s.len() > 255 => return bad("a segment is longer than 255 bytes"),
                s if s.chars().any(|c| c.is_control() || c == '\\') => {
                    return bad("it holds a backslash or a control character");
                }
                _ => {}
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The words again, where this is the address of a record; `None` for a ledger entry or anything else. Words that
    /// were too long come back cut.
    pub(crate) fn parts(&self) -> Option<Parts> {
        let mut segments = self.0.split('/');
        let mut next = |prefix| segments.next().and_then(|s| s.strip_prefix(prefix));
        next("evidence").filter(|rest| rest.is_empty())?;
        let environment = unword(next("env=")?)?;
        let date = next("date=")?.parse().ok()?;
        let (first, rest) = next("run=")?.split_once('-')?;
        let about = match rest.rsplit_once('-') {
            Some((id, attempt)) => About::Run { platform: unword(first)?, id: unword(id)?, attempt: unword(attempt)? },
            None => About::Thing { what: unword(first)?, id: unword(rest)? },
        };
        let stem = next("")?.strip_suffix(JSON)?;
        let (stem, conflict) = match stem.split_once(CONFLICT) {
            Some((stem, id)) => (stem, Some(unword(id)?)),
            None => (stem, None),
        };
        let (kind, component) = match stem.split_once('-') {
            Some((kind, component)) => (unword(kind)?, Some(unword(component)?)),
            None => (unword(stem)?, None),
        };
        let parts = Parts { environment, date, about, kind, component, conflict };
        // Whatever does not print back to the same text was not written by us (or was cut); it still has its words.
        segments.next().is_none().then_some(parts)
    }

    /// Where a second, different record of the same run, attempt and kind goes, so that both stay in sight. `None` when
    /// this is not the address of a record.
    pub(crate) fn conflict(&self, record_id: &str) -> Option<Self> {
        let stem = self.0.strip_suffix(JSON).filter(|_| self.parts().is_some_and(|p| p.conflict.is_none()))?;
        Some(Self(format!("{stem}{CONFLICT}{}{JSON}", word(record_id, b".", 36))))
    }

    /// As it stands in the vault, below its root.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn environment_word(environment: &str) -> String {
    let mut word = word(environment, b"", SEGMENT - 7);
    if word.ends_with('.') {
        // Windows drops a dot at the end of a name.
        word.truncate(word.len() - 1);
        word.push_str("_2e");
    }
    word
}

/// Escapes `text` to `[A-Za-z0-9.=-]` and `_xx`, without the bytes in `also`; at most `most` bytes, then cut, `__` and 16
/// hex digits of its SHA-256. `__` never comes out of the escape, so a cut word equals no whole one.
fn word(text: &str, also: &[u8], most: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fits = 0;
    for byte in text.bytes() {
        if (byte.is_ascii_alphanumeric() || b".=-".contains(&byte)) && !also.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('_');
            out.push_str(&hex(&[byte]));
        }
        if out.len() + 18 <= most {
            fits = out.len();
        }
    }
    if out.len() > most {
        out.truncate(fits);
        out.push_str("__");
        out.extend(Sha256Digest::of(text.as_bytes()).to_string().chars().take(16));
    }
    out
}

/// The inverse of [`word`]; `None` when the text does not come from there.
fn unword(text: &str) -> Option<String> {
    let (whole, digest) = match text.split_once("__") {
        Some((cut, digest)) => (cut, Some(digest)),
        None => (text, None),
    };
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = whole.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'_' => {
                let pair = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'=' | b'-' => byte,
            _ => return None,
        });
    }
    let mut out = String::from_utf8_lossy(&out).into_owned();
    if let Some(digest) = digest {
        out.push('…');
        out.push_str(digest);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(environment: &str, about: About, kind: &str, component: Option<&str>) -> Parts {
        Parts {
            environment: environment.into(),
            date: NaiveDate::from_ymd_opt(2026, 11, 22).unwrap(),
            about,
            kind: kind.into(),
            component: component.map(Into::into),
            conflict: None,
        }
    }

    fn run(platform: &str, id: &str, attempt: &str) -> About {
        About::Run { platform: platform.into(), id: id.into(), attempt: attempt.into() }
    }

    /// The house rule for what we write.
    fn plain(segment: &str) -> bool {
        !segment.is_empty()
            && segment.len() <= SEGMENT
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"._=-".contains(&b))
            && !segment.starts_with(['-', '.'])
            && !segment.ends_with('.')
    }

    fn all_plain(address: &Address) -> bool {
        address.as_str().len() <= WHOLE && address.as_str().split('/').all(plain)
    }

    #[test]
    fn the_usual_address_reads_well() {
        let a = Address::of(&parts("prod", run("github", "1234567890", "2"), "run", None));
        assert_eq!(a.as_str(), "evidence/env=prod/date=2026-11-22/run=github-1234567890-2/run.json");
        let a = Address::of(&parts("eu-west.prod", run("gitlab", "group/project-9", "1"), "run", Some("api-v2")));
        let want = "evidence/env=eu-west.prod/date=2026-11-22/run=gitlab-group_2fproject-9-1/run-api-v2.json";
        assert_eq!(a.as_str(), want);
        let c = a.conflict("0192f0c1-7b1e-7c3a-8a51-0123456789ab").unwrap();
        assert_eq!(c.as_str(), want.replace(".json", ".conflict-0192f0c1-7b1e-7c3a-8a51-0123456789ab.json"));
        assert_eq!(c.conflict("x"), None);
        let thing = About::Thing { what: "change".into(), id: "ab12".into() };
        let a = Address::of(&parts("prod", thing, "change", None));
        assert_eq!(a.as_str(), "evidence/env=prod/date=2026-11-22/run=change-ab12/change.json");
    }

    #[test]
    fn a_word_from_outside_stays_in_its_folder() {
        for bad in [
            "../../etc",
            "..",
            ".",
            "",
            "/",
            "\\",
            "a/b",
            "a\\..\\b",
            "\0",
            "%2e%2e",
            "é",
            "💥",
            "-rf",
            "a#1",
            "a b",
            "x.",
        ] {
            for a in [
                Address::of(&parts(bad, run(bad, bad, bad), bad, Some(bad))),
                Address::of(&parts(bad, About::Thing { what: bad.into(), id: bad.into() }, bad, None)),
            ] {
                let folders = if a.as_str().starts_with("ledger/") { 3 } else { 5 };
                assert_eq!(a.as_str().split('/').count(), folders, "{bad:?}: {a}");
                for segment in a.as_str().split('/') {
                    // A kind is a word of ours; an empty one gives `-x.json` and is not asked of `of`.
                    assert!(plain(segment) || (bad.is_empty() && folders == 5), "{bad:?}: {segment}");
                }
                assert_eq!(Address::parse(a.as_str()).unwrap(), a);
            }
        }
    }

    #[test]
    fn an_address_from_outside_cannot_leave_the_vault() {
        let long = "a".repeat(256);
        for bad in ["", "/", "/etc/passwd", "a//b", "a/", "../a", "a/../b", "a/.", "a\\b", "a\nb", "a\0", &long] {
            assert!(Address::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Address::parse(&"a/".repeat(460)).is_err());
        for good in ["_probe/conditional-put.json", "ledger/env=p/1", "evidence/env=ü/x y.json", "a/..b"] {
            assert_eq!(Address::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn names_that_look_alike_stay_apart() {
        let pairs = [
            (parts("a", run("gh", "1-2", "3"), "run", None), parts("a", run("gh-1", "2", "3"), "run", None)),
            (parts("a", run("gh", "1-2", "3"), "run", None), parts("a", run("gh", "1", "2-3"), "run", None)),
            (
                parts("a", run("x", "1", "3"), "run", None),
                parts("a", About::Thing { what: "x".into(), id: "1-3".into() }, "run", None),
            ),
            (parts("a", run("x", "1", "3"), "run-a", None), parts("a", run("x", "1", "3"), "run", Some("a"))),
            (parts("a", run("x", "_2f", "3"), "run", None), parts("a", run("x", "/", "3"), "run", None)),
            (parts("a.", run("x", "1", "3"), "run", None), parts("a_2e", run("x", "1", "3"), "run", None)),
            (
                parts("a", run("x", "1", "3"), "run", Some("y.conflict-1")),
                Parts { conflict: Some("1".into()), ..parts("a", run("x", "1", "3"), "run", Some("y")) },
            ),
        ];
        for (a, b) in pairs {
            assert_ne!(Address::of(&a), Address::of(&b), "{a:?} {b:?}");
        }
        // A short word made to look like the cut form of a long one.
        let long = "x".repeat(300);
        let cut = word(&long, b"", 100);
        assert_eq!(cut.len(), 100);
        assert_ne!(word(&cut, b"", 200), cut);
    }

    #[test]
    fn what_is_no_record_has_no_words() {
        for other in [
            "ledger/env=prod/999",
            "_probe/conditional-put.json",
            "evidence/env=prod/date=2026-11-22/run=gh-1-1/run.json/x",
            "evidence/env=prod/date=yesterday/run=gh-1-1/run.json",
            "evidence/env=prod/date=2026-11-22/run=gh/run.json",
            "evidence/env=prod/date=2026-11-22/run=gh-1-1/run.txt",
            "evidence/env=prod/date=2026-11-22/run=gh-_zz-1/run.json",
            "evidence/env=prod/date=2026-11-22/run=gh-_5-1/run.json",
        ] {
            assert_eq!(Address::parse(other).unwrap().parts(), None, "{other}");
        }
    }

    fn any_word() -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), "[a-z0-9._/-]{0,30}", "[_-]{0,6}", "\\PC{150,260}"]
    }

    prop_compose! {
        fn any_parts()(
            environment in any_word(), day in 0i32..4_000_000, platform in any_word(), id in any_word(),
            attempt in any_word(), thing: bool, kind in "[a-z._-]{1,60}", component in proptest::option::of(any_word()),
            conflict in proptest::option::of("[0-9a-f-]{36}"),
        ) -> Parts {
            let about = if thing { About::Thing { what: platform, id } } else { run(&platform, &id, &attempt) };
            let date = NaiveDate::from_num_days_from_ce_opt(day / 2 + 1).unwrap();
            Parts { environment, date, about, kind, component, conflict }
        }
    }

    prop_compose! {
        /// Words that fit whole, also when every byte is escaped.
        fn short_parts()(
            environment in "\\PC{0,15}", day in 1i32..2_000_000, platform in "\\PC{0,2}", id in "[a-z0-9/._-]{0,40}",
            attempt in "[0-9._-]{0,8}", thing: bool, kind in "[a-z._-]{1,12}",
            component in proptest::option::of("\\PC{0,8}"), conflict in proptest::option::of("[0-9a-f-]{36}"),
        ) -> Parts {
            let about = if thing { About::Thing { what: platform, id } } else { run(&platform, &id, &attempt) };
            let date = NaiveDate::from_num_days_from_ce_opt(day).unwrap();
            Parts { environment, date, about, kind, component, conflict }
        }
    }

    proptest! {
        #[test]
        fn any_words_give_a_plain_address(p in any_parts()) {
            let a = Address::of(&p);
            prop_assert!(all_plain(&a), "{a}");
            prop_assert_eq!(a.as_str().split('/').count(), 5);
            prop_assert!(a.parts().is_some());
            if let Some(c) = a.conflict("0192f0c1-7b1e-7c3a-8a51-0123456789ab") {
                prop_assert!(all_plain(&c), "{c}");
            }
        }

        #[test]
        fn different_words_give_different_addresses(a in any_parts(), b in any_parts(), same: bool) {
            // Half of the time only one word differs.
            let b = if same { Parts { environment: b.environment, ..a.clone() } } else { b };
            prop_assert_eq!(a == b, Address::of(&a) == Address::of(&b));
        }

        #[test]
        fn a_word_is_never_another_word(a in any_word(), b in any_word(), most in 40usize..120) {
            prop_assert_eq!(a == b, word(&a, b"-", most) == word(&b, b"-", most));
            prop_assert!(word(&a, b"-", most).len() <= most);
        }

        #[test]
        fn short_words_come_back(p in short_parts()) {
            prop_assert_eq!(Address::of(&p).parts(), Some(p));
        }

        #[test]
        fn reading_any_text_never_panics(text in any_word()) {
            if let Ok(a) = Address::parse(&text) {
                prop_assert_eq!(a.as_str(), &text);
                let _ = a.parts();
                let _ = a.conflict("x");
            }
        }
    }
}
