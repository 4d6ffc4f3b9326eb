//! in-toto Statement v1: the sentence that is signed (in-toto attestation spec v1.2, `statement.md`).
//!
//! Stricter than the specification where real clients are: cosign 3 and in-toto-attestation read a statement with
//! strict protobuf JSON, so we write no member of our own outside `predicate`.

use super::error::{StatementError, shown};
use super::strict_json::{self, Numbers, Text, at_most};
use super::terms::{MAX_DIGESTS, MAX_SUBJECTS, STATEMENT_TYPE};
use crate::record::digest::{DigestSet, Sha256Digest};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// What a statement is about: a ResourceDescriptor with name, uri and digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Subject {
    /// Image name, file path or `source`. Empty when the statement gives none.
    pub(crate) name: String,
    /// Package URL, or `git+https://…@ref` for a commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uri: Option<String>,
    /// What subjects are matched by. Without our algorithms for a subject that somebody else named by others.
    pub(crate) digest: DigestSet,
}

/// A statement, read.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    /// At least one, each with a digest.
    pub(crate) subjects: Vec<Subject>,
    /// Compared as an opaque string.
    pub(crate) predicate_type: String,
    predicate: Option<Box<str>>,
}

impl Parsed {
    /// The bytes of the predicate, a JSON object, exactly as signed. `None` where the statement has none.
    pub(crate) fn predicate(&self) -> Option<&[u8]> {
        self.predicate.as_deref().map(str::as_bytes)
    }
}

/// Writes the statement that says `predicate` about `subjects`: compact UTF-8 JSON.
///
/// At least one subject has to carry `sha256`: with a commit alone cosign cannot match an artifact.
pub(crate) fn statement(
    subjects: &[Subject],
    predicate_type: &str,
    predicate: &impl Serialize,
) -> Result<Vec<u8>, StatementError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Statement<'a, P> {
        #[serde(rename = "_type")]
        statement_type: &'static str,
        subject: &'a [Subject],
        predicate_type: &'a str,
        predicate: &'a P,
    }
    if subjects.len() > MAX_SUBJECTS {
        return Err(StatementError::TooManySubjects(subjects.len()));
    }
    if !subjects.is_empty() && subjects.iter().all(|s| s.digest.sha256.is_none()) {
        return Err(StatementError::NoSha256);
    }
    let statement = Statement { statement_type: STATEMENT_TYPE, subject: subjects, predicate_type, predicate };
    let bytes = crate::record::json::to_vec(&statement).map_err(|e| StatementError::Shape(e.to_string()))?;
    strict_json::check(&bytes, Numbers::Exact)?;
    // one judge of what a statement is: what we write has to pass it like anybody else's
    let parsed = parse_statement(&bytes)?;
    if parsed.predicate.is_none() {
        return Err(StatementError::Shape("`predicate` is not an object".into()));
    }
    Ok(bytes)
}

/// Reads a statement strictly: no duplicate key, exact `_type`, subjects with well-formed digests.
///
/// Members that the specification does not name are ignored, as it demands.
pub(crate) fn parse_statement(payload: &[u8]) -> Result<Parsed, StatementError> {
    let place = strict_json::check_and_find(payload, Numbers::Any, "predicate")?;
    // nine tenths of a statement are its predicate, which the check has just walked over: it is not walked over again
    let quick = place.and_then(|place| {
        let (head, predicate, tail) =
            (payload.get(..place.start)?, payload.get(place.clone())?, payload.get(place.end..)?);
        let around = [head, b"null", tail].concat();
        let wire = serde_json::from_slice::<Wire<'_>>(&around).ok()?;
        Some(wire.read(Some(std::str::from_utf8(predicate).ok()?).filter(|p| *p != "null")))
    });
    if let Some(read) = quick {
        return read;
    }
    let mut wire: Wire<'_> =
        serde_json::from_slice(payload).map_err(|e| StatementError::Shape(strict_json::complaint(&e)))?;
    let predicate = wire.predicate.take();
    wire.read(predicate.map(RawValue::get))
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(rename = "_type", borrow)]
    statement_type: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "at_most::<_, _, MAX_SUBJECTS>")]
    subject: Vec<WireSubject<'a>>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(borrow, default)]
    predicate: Option<&'a RawValue>,
}

impl Wire<'_> {
    fn read(self, predicate: Option<&str>) -> Result<Parsed, StatementError> {
        if self.statement_type != STATEMENT_TYPE {
            return Err(StatementError::Type(shown(&self.statement_type)));
        }
        let uri = |c: char| !c.is_whitespace() && !c.is_control();
        if !self.predicate_type.contains(':') || !self.predicate_type.chars().all(uri) {
            return Err(StatementError::Shape(format!("predicateType `{}` is not a URI", shown(&self.predicate_type))));
        }
        if self.subject.is_empty() {
            return Err(StatementError::NoSubject);
        }
        let subjects = self.subject.into_iter().enumerate().map(|(i, s)| s.read(i)).collect::<Result<_, _>>()?;
        if predicate.is_some_and(|p| !p.starts_with('{')) {
            return Err(StatementError::Shape("`predicate` is not an object".into()));
        }
        Ok(Parsed { subjects, predicate_type: self.predicate_type, predicate: predicate.map(Box::from) })
    }
}

#[derive(Deserialize)]
struct WireSubject<'a> {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    uri: Option<String>,
    #[serde(borrow, default)]
    digest: Digests<'a>,
}

impl WireSubject<'_> {
    fn read(self, index: usize) -> Result<Subject, StatementError> {
        let wrong = |why: &str| StatementError::Digest { index, why: why.to_owned() };
        if self.digest.count == 0 {
            return Err(wrong("has no digest"));
        }
        let sha256 = match self.digest.sha256 {
            None => None,
            Some(text) => {
                // the text has to be what we would print: one spelling of a digest, and comparing is exact
                let digest = Sha256Digest::parse(&text).filter(|d| d.to_string() == *text);
                Some(digest.ok_or_else(|| wrong("has a sha256 that is not 64 lower-case hex digits"))?)
            }
        };
        let git_commit = self.digest.git_commit.map(Cow::into_owned);
        if let Some(id) = &git_commit {
            let hex = id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            if !hex || !matches!(id.len(), 40 | 64) {
                return Err(wrong("has a gitCommit that is not 40 or 64 lower-case hex digits"));
            }
        }
        let digest = DigestSet { sha256, git_commit };
        Ok(Subject { name: self.name.unwrap_or_default(), uri: self.uri, digest })
    }
}

/// A digest set: our two algorithms, and how many there were in all.
#[derive(Default)]
struct Digests<'a> {
    sha256: Option<Cow<'a, str>>,
    git_commit: Option<Cow<'a, str>>,
    count: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Digests<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Set;
        impl<'de> Visitor<'de> for Set {
            type Value = Digests<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of digests")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Digests<'de>, A::Error> {
                let mut set = Digests::default();
                while let Some((algorithm, value)) = map.next_entry::<Text<'de>, Text<'de>>()? {
                    if value.0.is_empty() || set.count == MAX_DIGESTS {
                        return Err(de::Error::custom(format_args!("an empty digest, or more than {MAX_DIGESTS}")));
                    }
                    set.count += 1;
                    match &*algorithm.0 {
                        "sha256" => set.sha256 = Some(value.0),
                        "gitCommit" => set.git_commit = Some(value.0),
                        _ => {}
                    }
                }
                Ok(set)
            }
        }
        deserializer.deserialize_map(Set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TYPE: &str = "https://vouchsafe.dev/run/v1";

    fn file(name: &str) -> Subject {
        let digest = DigestSet::sha256(Sha256Digest::of(name.as_bytes()));
        Subject { name: name.into(), uri: None, digest }
    }

    fn commit(id: &str) -> Subject {
        let digest = DigestSet { sha256: None, git_commit: Some(id.into()) };
        Subject { name: "source".into(), uri: Some("git+https://host/repo@refs/heads/main".into()), digest }
    }

    #[test]
    fn what_is_written_is_compact_and_in_the_order_of_the_specification() {
        let subjects = [file("app"), commit(&"a".repeat(40))];
        let bytes = statement(&subjects, TYPE, &json!({"n": 1})).unwrap();
        let want = format!(
            "{{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{{\"name\":\"app\",\"digest\":{{\"sha256\":\"{}\"}}}},\
             {{\"name\":\"source\",\"uri\":\"git+https://host/repo@refs/heads/main\",\"digest\":{{\"gitCommit\":\"{}\"}}}}],\
             \"predicateType\":\"{TYPE}\",\"predicate\":{{\"n\":1}}}}",
            Sha256Digest::of(b"app"),
            "a".repeat(40)
        );
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), want);
        let parsed = parse_statement(&bytes).unwrap();
        assert_eq!(parsed.subjects, subjects);
        assert_eq!(parsed.predicate(), Some(&br#"{"n":1}"#[..]));
    }

    #[test]
    fn what_an_outside_client_would_refuse_is_not_written() {
        #[derive(Serialize)]
        struct Twice {
            name: u8,
            #[serde(flatten)]
            extra: std::collections::BTreeMap<String, u8>,
        }
        let one = [file("a")];
        let many: Vec<Subject> = (0..1025).map(|i| file(&i.to_string())).collect();
        assert!(statement(&many[..1024], TYPE, &json!({})).is_ok());
        let cases = [
            ("no subject", statement(&[], TYPE, &json!({}))),
            ("sha256", statement(&[commit(&"a".repeat(40))], TYPE, &json!({}))),
            ("1025 subjects", statement(&many, TYPE, &json!({}))),
            ("subject[1] has a gitCommit", statement(&[file("a"), commit("arn:aws:x")], TYPE, &json!({}))),
            ("subject[1] has a gitCommit", statement(&[file("a"), commit(&"A".repeat(40))], TYPE, &json!({}))),
            ("at `predicate.a[1].n`", statement(&one, TYPE, &json!({"a": [0, {"n": 1u64 << 53}]}))),
            ("not an object", statement(&one, TYPE, &json!([1]))),
            ("not an object", statement(&one, TYPE, &json!(null))),
            ("not a URI", statement(&one, "run", &json!({}))),
            ("not a URI", statement(&one, "https://x/ y", &json!({}))),
            ("duplicate key", statement(&one, TYPE, &Twice { name: 1, extra: [("name".into(), 2)].into() })),
        ];
        for (want, got) in cases {
            let text = got.expect_err(want).to_string();
            assert!(text.contains(want), "{text}");
        }
    }

    #[test]
    fn the_predicate_keeps_its_bytes() {
        let subject = format!(r#"{{"digest":{{"sha256":"{}","sha512":"ab"}},"x":1}}"#, "0".repeat(64));
        let raw = "{ \"b\" : 1.50e1,\t\"a\":\"\\u0041\" }";
        let text =
            format!(r#"{{"predicate":{raw},"_type":"{STATEMENT_TYPE}","predicateType":"a:b","subject":[{subject}]}}"#);
        let parsed = parse_statement(text.as_bytes()).unwrap();
        assert_eq!(parsed.predicate(), Some(raw.as_bytes()));
        assert_eq!(parsed.subjects[0].name, "");
    }
}
