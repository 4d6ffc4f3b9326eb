//! One strict pass over JSON bytes, before anything is believed.
//!
//! RFC 8259 leaves duplicate keys to the reader, and readers differ: of eight DSSE clients tried, six took the last
//! of two `payload` members. Here every duplicate is an error at every depth, and so is anything after the value.
//! The grammar itself (UTF-8, escapes, lone surrogates, numbers, at most 128 levels) is serde_json's. [`scan`] goes
//! first and can only say yes; every verdict but that one, and every word of it, is of the pass in this file.

use super::scan::{Sure, scan};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

/// Members of all objects open at one place of the input. Bounds the memory that hostile input can claim.
const MAX_OPEN_MEMBERS: usize = 100_000;
/// From here on an object's keys are found by hash, not by comparing.
const HASH_FROM: usize = 16;
/// The integers that every reader keeps: RFC 8259 section 6, and protobuf's `Struct`, hold numbers as doubles.
const SAFE: u64 = 1 << 53;

/// Which numbers are accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Any that JSON can write: for what others made.
    Any,
    /// Only those nearer to zero than 2^53: for what we make.
    Exact,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} (line {line}, column {column}{})", if path.is_empty() { String::new() } else { format!(", at `{path}`") })]
pub(crate) struct StrictError {
    /// Line, from 1.
    pub(crate) line: usize,
    /// Byte in the line, from 1.
    pub(crate) column: usize,
    /// `subject[0].digest`; empty for the outermost value.
    pub(crate) path: String,
    /// The fault.
    pub(crate) what: String,
}

/// Accepts `bytes` if they are one JSON value, with no duplicate key at any depth and nothing after it.
pub(crate) fn check(bytes: &[u8], numbers: Numbers) -> Result<(), StrictError> {
    check_and_find(bytes, numbers, "").map(|_| ())
}

/// Checks like [`check`], and says where the value of the outermost member `name` stands if it came upon it.
pub(super) fn check_and_find(bytes: &[u8], numbers: Numbers, name: &str) -> Result<Option<Range<usize>>, StrictError> {
    // no number that it is sure of is too large for either kind
    match scan(bytes, name) {
        Some(Sure { member }) => Ok(member),
        None => thorough(bytes, numbers).map(|()| None),
    }
}

/// The pass that judges and explains.
pub(super) fn thorough(bytes: &[u8], numbers: Numbers) -> Result<(), StrictError> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        let what = "begins with a byte order mark; save it as UTF-8 without one".into();
        return Err(StrictError { line: 1, column: 1, path: String::new(), what });
    }
    let mut pass = Pass { keys: Vec::new(), trail: Vec::new(), numbers };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Value(&mut pass).deserialize(&mut reader).and_then(|()| reader.end()).map_err(|e| pass.error(&e))
}

/// serde_json's complaint about a shape, in our words for a place. Cut: it may quote a string of any length.
pub(crate) fn complaint(e: &serde_json::Error) -> String {
    format!("{} (line {}, column {})", plain(e), e.line(), e.column())
}

fn plain(e: &serde_json::Error) -> String {
    let text = e.to_string();
    let place = format!(" at line {} column {}", e.line(), e.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    let short: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    if short.len() < text.len() { short + "…" } else { short }
}

/// Reads a list of at most `N` items and stops at the next one, so that a hostile list claims no memory.
pub(crate) fn at_most<'de, D, T, const N: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: de::Deserialize<'de>,
{
    struct List<T, const N: usize>(std::marker::PhantomData<T>);
    impl<'de, T: de::Deserialize<'de>, const N: usize> Visitor<'de> for List<T, N> {
        type Value = Vec<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {N}")
        }
        // `null` is how Go writes a list that was never made
        fn visit_unit<E: de::Error>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut out = Vec::new();
            while let Some(item) = items.next_element()? {
                if out.len() == N {
                    return Err(de::Error::custom(format_args!("more than {N} items")));
                }
                out.push(item);
            }
            Ok(out)
        }
    }
    deserializer.deserialize_any(List::<T, N>(std::marker::PhantomData))
}

/// A string, borrowed where it has no escapes (serde's own `Cow` inside of something always copies).
#[derive(serde::Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Reads a string that may be absent or `null`, and borrows it where it has no escapes.
pub(super) fn borrowed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    <Option<Text<'de>> as de::Deserialize>::deserialize(deserializer).map(|text| text.map(|t| t.0))
}

struct Pass<'de> {
    /// The keys of every object that is open, the innermost last: one allocation for the whole pass.
    keys: Vec<Cow<'de, str>>,
    /// The way to the fault, from the inside out; empty while all is well.
    trail: Vec<String>,
    numbers: Numbers,
}

impl Pass<'_> {
    fn error(&self, e: &serde_json::Error) -> StrictError {
        let path: String = self.trail.iter().rev().map(String::as_str).collect();
        let path = path.strip_prefix('.').unwrap_or(&path).to_owned();
        StrictError { line: e.line(), column: e.column(), path, what: plain(e) }
    }

    fn number<E: de::Error>(&self, small: bool) -> Result<(), E> {
        if small || self.numbers == Numbers::Any {
            return Ok(());
        }
        Err(E::custom("a number of 2^53 or more, which not every reader keeps; write it as a string"))
    }
}

/// Any JSON value.
struct Value<'a, 'de>(&'a mut Pass<'de>);

impl<'de> DeserializeSeed<'de> for Value<'_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E: de::Error>(self, n: i64) -> Result<(), E> {
        self.0.number(n.unsigned_abs() < SAFE)
    }
    fn visit_u64<E: de::Error>(self, n: u64) -> Result<(), E> {
        self.0.number(n < SAFE)
    }
    // integers beyond 64 bits arrive here too
    fn visit_f64<E: de::Error>(self, n: f64) -> Result<(), E> {
        self.0.number(n.abs() < SAFE as f64)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut i = 0usize;
        loop {
            match items.next_element_seed(Value(self.0)) {
                Ok(Some(())) => i += 1,
                Ok(None) => return Ok(()),
                Err(e) => {
                    self.0.trail.push(format!("[{i}]"));
                    return Err(e);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let first = self.0.keys.len();
        let mut hashed = None;
        while members.next_key_seed(Key { pass: self.0, first, hashed: &mut hashed })?.is_some() {
            let this = self.0.keys.len();
            if let Err(e) = members.next_value_seed(Value(self.0)) {
                let key = this.checked_sub(1).and_then(|i| self.0.keys.get(i));
                let key = key.map_or(String::new(), |k| format!(".{}", k.chars().take(64).collect::<String>()));
                self.0.trail.push(key.escape_debug().to_string());
                return Err(e);
            }
        }
        self.0.keys.truncate(first);
        Ok(())
    }
}

/// A key of the object whose keys begin at `first`.
struct Key<'a, 'de> {
    pass: &'a mut Pass<'de>,
    first: usize,
    hashed: &'a mut Option<HashSet<Cow<'de, str>>>,
}

impl<'de> Key<'_, 'de> {
    // Judged while serde_json still stands right behind the key: its error then names this very place.
    fn take<E: de::Error>(self, key: Cow<'de, str>) -> Result<(), E> {
        let seen = self.pass.keys.get(self.first..).unwrap_or_default();
        let known = match self.hashed {
            Some(set) => !set.insert(key.clone()),
            None => seen.contains(&key),
        };
        if known {
            let shown: String = key.chars().take(64).collect();
            return Err(E::custom(format_args!("duplicate key {shown:?}")));
        }
        if self.pass.keys.len() >= MAX_OPEN_MEMBERS {
            return Err(E::custom(format_args!("more than {MAX_OPEN_MEMBERS} members open at once")));
        }
        self.pass.keys.push(key);
        if self.hashed.is_none() && self.pass.keys.len() - self.first == HASH_FROM {
            *self.hashed = Some(self.pass.keys.iter().skip(self.first).cloned().collect());
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Key<'_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_, 'de> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_borrowed_str<E: de::Error>(self, key: &'de str) -> Result<(), E> {
        self.take(Cow::Borrowed(key))
    }
    fn visit_str<E: de::Error>(self, key: &str) -> Result<(), E> {
        self.take(Cow::Owned(key.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(json: &str) -> String {
        check(json.as_bytes(), Numbers::Any).unwrap_err().to_string()
    }

    #[test]
    fn a_fault_is_named_with_its_place() {
        let cases = [
            ("{\"a\":1,\n \"a\":2}", "duplicate key \"a\" (line 2, column 4)"),
            (r#"{"a":[{"b":{"x":1,"\u0078":2}}]}"#, "duplicate key \"x\" (line 1, column 26, at `a[0].b`)"),
            ("{} {}", "trailing characters (line 1, column 4)"),
            ("", "EOF while parsing a value (line 1, column 0)"),
            (r#"{"a":"\ud800"}"#, "unexpected end of hex escape (line 1, column 13, at `a`)"),
            ("{'a':1}", "key must be a string (line 1, column 2)"),
            ("[1,]", "trailing comma (line 1, column 4, at `[1]`)"),
            ("NaN", "expected value (line 1, column 1)"),
            ("1e999", "number out of range (line 1, column 5)"),
        ];
        for (json, want) in cases {
            assert_eq!(error(json), want, "{json}");
        }
        assert!(error("\u{feff}{}").contains("byte order mark"));
        assert!(check(b"{\"a\":\"\xff\"}", Numbers::Any).is_err());
    }

    #[test]
    fn depth_is_bounded_and_the_stack_is_safe() {
        let nested = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert_eq!(check(nested(127).as_bytes(), Numbers::Any), Ok(()));
        assert!(error(&nested(128)).starts_with("recursion limit exceeded"));
        assert!(error(&"[".repeat(1_000_000)).starts_with("recursion limit exceeded"));
        assert!(error(&r#"{"a":"#.repeat(100_000)).starts_with("recursion limit exceeded"));
    }

    #[test]
    fn wide_objects_are_checked_too_and_bounded() {
        let members = |n: usize| (0..n).map(|i| format!("\"k{i}\":0")).collect::<Vec<_>>().join(",");
        assert_eq!(check(format!("{{{}}}", members(5_000)).as_bytes(), Numbers::Any), Ok(()));
        for repeated in [0, 15, 16, 17, 4_999] {
            let json = format!("{{{},\"k{repeated}\":1}}", members(5_000));
            assert!(error(&json).starts_with(&format!("duplicate key \"k{repeated}\"")), "{repeated}");
        }
        assert!(error(&format!("{{{}}}", members(100_001))).contains("more than 100000 members"));
    }

    #[test]
    fn large_numbers_pass_only_when_they_need_not_be_exact() {
        for json in
            ["9007199254740992", "-9007199254740992", "18446744073709551615", "1e300", "[123456789012345678901]"]
        {
            assert_eq!(check(json.as_bytes(), Numbers::Any), Ok(()), "{json}");
            assert!(check(json.as_bytes(), Numbers::Exact).is_err(), "{json}");
        }
        for json in ["9007199254740991", "-9007199254740991", "0.1", "-0"] {
            assert_eq!(check(json.as_bytes(), Numbers::Exact), Ok(()), "{json}");
        }
    }

    /// Any JSON, as text that never repeats a key.
    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            "\\PC*".prop_map(Into::into),
        ];
        leaf.prop_recursive(5, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::Array),
                prop::collection::hash_map("\\PC{0,6}", inner, 0..30)
                    .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_serde_json_writes_passes_and_never_twice(value in json()) {
            let text = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(check(text.as_bytes(), Numbers::Any), Ok(()));
            let followed = format!("{text} {text}");
            prop_assert!(check(followed.as_bytes(), Numbers::Any).is_err());
            let twice = format!("{{\"deep\":[{{\"a\":{text},\"b\":0,\"a\":{text}}}]}}");
            let e = check(twice.as_bytes(), Numbers::Any).unwrap_err();
            prop_assert_eq!((e.path.as_str(), e.what.as_str()), ("deep[0]", "duplicate key \"a\""));
        }

        #[test]
        fn no_bytes_at_all_make_it_panic(bytes: Vec<u8>) {
            let strict = check(&bytes, Numbers::Any).is_ok();
            let lax = serde_json::from_slice::<serde_json::Value>(&bytes).is_ok();
            prop_assert!(lax || !strict);
        }
    }
}
