//! The tokenizer against serde_json, at its limits, and on what must be refused.

use super::super::input::Input;
use super::super::refusal::Refusal;
use super::super::tests::Trickle;
use super::*;
use crate::record::digest::Sha256Digest;
use proptest::prelude::*;
use serde_json::{Map, Value};
use std::cell::RefCell;

fn with<T>(bytes: &[u8], step: usize, read: impl FnOnce(&mut Json<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
    let (mut from, mut quiet) = (Trickle(bytes, step), |_: &str, _: u64, _: Option<u64>| {});
    let mut input = Input::new(&mut from, "f", None, u64::MAX, &mut quiet);
    Json::open(&mut input).and_then(|mut json| read(&mut json))
}

/// The value that the events of a document make.
fn value(json: &mut Json<'_>) -> Result<Value, Refusal> {
    enum Open {
        Array(Vec<Value>),
        Object(Map<String, Value>, String),
    }
    let text = |text: &[u8]| String::from_utf8(text.to_vec()).unwrap();
    let (mut open, mut root) = (Vec::new(), Value::Null);
    loop {
        let value = match json.next()? {
            Event::Object => {
                open.push(Open::Object(Map::new(), String::new()));
                continue;
            }
            Event::Array => {
                open.push(Open::Array(Vec::new()));
                continue;
            }
            Event::Key(new) => {
                let Some(Open::Object(_, key)) = open.last_mut() else { panic!("a key in an array") };
                *key = text(new);
                continue;
            }
            Event::Close => match open.pop().unwrap() {
                Open::Array(values) => Value::Array(values),
                Open::Object(map, _) => Value::Object(map),
            },
            Event::String(new) => Value::String(text(new)),
            // only the form is ours: what is out of range for serde_json is a number all the same
            Event::Number(new) => serde_json::from_slice(new).unwrap_or(Value::Null),
            Event::Bool(value) => Value::Bool(value),
            Event::Null => Value::Null,
            Event::End => return Ok(root),
        };
        match open.last_mut() {
            None => root = value,
            Some(Open::Array(values)) => values.push(value),
            Some(Open::Object(map, key)) => {
                map.insert(std::mem::take(key), value);
            }
        }
    }
}

/// The same through what formats read with.
fn value_by_closures(json: &mut Json<'_>) -> Result<Value, Refusal> {
    Ok(match json.kind()? {
        Kind::Object => {
            let map = RefCell::new(Map::new());
            json.object(|json, key| {
                let value = value_by_closures(json)?;
                map.borrow_mut().insert(key.to_owned(), value);
                Ok(())
            })?;
            Value::Object(map.into_inner())
        }
        Kind::Array => {
            let mut values = Vec::new();
            json.array(|json| {
                values.push(value_by_closures(json)?);
                Ok(())
            })?;
            Value::Array(values)
        }
        Kind::String => Value::String(json.text()?.unwrap().to_owned()),
        Kind::Number => serde_json::from_str(&json.number_or_text()?).unwrap_or(Value::Null),
        Kind::Bool => Value::Bool(json.flag()?.unwrap()),
        Kind::Null | Kind::Other => {
            json.skip()?;
            Value::Null
        }
    })
}

fn read(bytes: &[u8]) -> Result<Value, Refusal> {
    with(bytes, usize::MAX, value)
}

/// Reads `bytes` in every way, which must all agree; a key that stands twice is seen only by those that read keys.
fn check(bytes: &[u8]) {
    let ours = read(bytes);
    let theirs = serde_json::from_slice::<Value>(bytes);
    let limit = ours.as_ref().err().map(ToString::to_string).unwrap_or_default();
    let limited = ["stands twice", "nested more than", "longer than"].iter().any(|why| limit.contains(why));
    match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs),
        (Err(ours), Ok(_)) => assert!(limited, "{ours} where serde_json reads {:?}", String::from_utf8_lossy(bytes)),
        (Ok(_), Err(theirs)) => {
            let (mark, range) = (bytes.starts_with(b"\xEF\xBB\xBF"), theirs.to_string().contains("out of range"));
            assert!(mark || range, "read, where serde_json says {theirs}: {:?}", String::from_utf8_lossy(bytes));
        }
        (Err(_), Err(_)) => {}
    }
    for step in [1, 3] {
        assert_eq!(with(bytes, step, value), ours);
    }
    let by_closures = with(bytes, usize::MAX, |json| {
        let value = value_by_closures(json)?;
        json.end().map(|()| value)
    });
    assert_eq!(by_closures, ours);
    let skipped = with(bytes, usize::MAX, |json| {
        json.skip()?;
        json.end()
    });
    if !limit.contains("stands twice") {
        assert_eq!(skipped.err().map(|e| e.to_string()), ours.err().map(|e| e.to_string()));
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        "[\u{0}-\u{24}\\\\/\u{7f}-\u{85}\u{2028}\u{FFFF}\u{1F600}\"]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map("[a-c\"\\\\\u{e9}]{0,3}", inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read_as_it_was(value in any_value()) {
        for text in [serde_json::to_vec(&value).unwrap(), serde_json::to_vec_pretty(&value).unwrap()] {
            prop_assert_eq!(read(&text).unwrap(), serde_json::from_slice::<Value>(&text).unwrap());
            check(&text);
        }
    }

    #[test]
    fn what_serde_json_refuses_is_refused(
        value in any_value(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}\",:\\\\u0-9eE+.tfn \n-]|[\u{0}\u{1f}dD8c/aéx]", 0..3u8), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut text = serde_json::to_string(&value).unwrap().into_bytes();
        check(&text[..cut.index(text.len() + 1)]);
        for (at, new, how) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + usize::from(how > 0)).min(text.len());
            text.splice(at..end, new.bytes().take(if how == 2 { 0 } else { 4 }));
        }
        check(&text);
    }

    #[test]
    fn tokens_of_json_in_any_order(parts in prop::collection::vec(prop::sample::select(&[
        "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"\\u0061\"", "\"\\ud83d\\ude00\"", "\"\\ud800\"", "\"\\ude00\"",
        "\"\\ud83d\\u0041\"", "\"\\x\"", "\"", "1", "-", "0", "01", "1.", ".5", "1e5", "-0.0E-7", "1e999", "true", "false", "null", "nul", "NaN", " ",
        "\n", "\t", "\r\n", "\u{b}", "\u{a0}", "\u{feff}", "//", "/**/", "'a'", "é",
    ][..]), 0..9)) {
        check(parts.concat().as_bytes());
    }

    #[test]
    fn numbers_are_those_of_serde_json(text in "-?[0-9]{0,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?[-+.eE0]{0,1}") {
        check(text.as_bytes());
    }
}

#[test]
fn strings_and_numbers_may_lie_across_blocks() {
    for before in [BLOCK - 20, BLOCK - 3, BLOCK - 2, BLOCK - 1, BLOCK] {
        for middle in [
            "\"aé\u{1F600}\\n\\ud83d\\ude00\"",
            "-12345.678e+12",
            "true",
            "null",
            "\"\\u00e9\"",
            "{\"é\":\"\"}",
            "  [ ]",
        ] {
            let text = format!("[{}{middle}{}]", " ".repeat(before), " ".repeat(100));
            check(text.as_bytes());
        }
    }
    let long = Value::from(vec!["é\"".repeat(70_000); 3]);
    check(&serde_json::to_vec(&long).unwrap());
}

#[test]
fn a_string_is_kept_up_to_its_limit_and_beyond_it_told_by_its_digest() {
    let text_of =
        |text: &str| with(&serde_json::to_vec(text).unwrap(), 5000, |json| Ok(json.text()?.unwrap().to_owned()));
    for tail in ["", "x", "é", "\n", "\u{1F600} and more"] {
        let whole = "a".repeat(string::STRING_LIMIT - tail.len()) + tail;
        assert_eq!(text_of(&whole).unwrap(), whole);
        let whole = "aé\n".repeat(300_000) + tail;
        let cut = text_of(&whole).unwrap();
        let told = format!("… [{} bytes, sha256 {}]", whole.len(), Sha256Digest::of(whole.as_bytes()));
        assert!(cut.ends_with(&told) && cut.len() < 2000, "{cut}");
        assert_eq!(cut, super::super::name::kept(whole.as_bytes()));
    }
}

#[test]
fn depth_and_numbers_have_limits() {
    for (depth, fits) in [(DEPTH_LIMIT, true), (DEPTH_LIMIT + 1, false), (100_000, false)] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            for read in [value, |json: &mut Json<'_>| json.skip().map(|()| Value::Null)] {
                let read = with(text.as_bytes(), usize::MAX, read);
                assert_eq!(read.is_ok(), fits, "{depth}");
                assert!(fits || read.unwrap_err().to_string().contains("nested more than 128 deep"));
            }
        }
    }
    for (digits, fits) in [(NUMBER_BYTES, true), (NUMBER_BYTES + 1, false), (1 << 20, false)] {
        assert_eq!(read("1".repeat(digits).as_bytes()).is_ok(), fits, "{digits}");
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_however_it_is_written() {
    for text in [
        "{\"a\":1,\"b\":2,\"a\":1}",
        "{\"a\":1,\"\\u0061\":2}",
        "[{\"x\":{\"\":0,\"\":0}}]",
        "{\"a\":{\"a\":{}},\"a\":[]}",
    ] {
        let said = read(text.as_bytes()).unwrap_err().to_string();
        assert!(said.contains("stands twice in one object"), "{said}");
        assert!(with(text.as_bytes(), 9, |json| json.skip()).is_ok(), "skipped values are not looked into");
    }
    assert_eq!(
        read(b"{\"a\":1,\n \"a\":2}").unwrap_err().to_string().split(". ").next(),
        Some("line 2, column 2: the key `a` stands twice in one object")
    );
    // beyond what is compared one by one, and again in the object after it, and inside each other
    for n in [30, 31, 32, 33, 34, 1000] {
        let keys: Vec<_> = (0..n).map(|i| format!("\"k{i}\":{{\"k0\":[{{\"k1\":0}}]}}")).collect();
        let object = format!("{{{}}}", keys.join(","));
        let twice = format!("{{{},\"k{}\":0}}", keys.join(","), n / 2);
        assert!(read(format!("[{object},{object},{{\"k0\":{object},\"k1\":{object}}}]").as_bytes()).is_ok(), "{n}");
        assert!(read(format!("[{object},{twice}]").as_bytes()).is_err(), "{n}");
    }
}

#[test]
fn refusals_say_where_and_what_to_do() {
    let cases: [(&[u8], &str); 27] = [
        (b"", "line 1, column 1: the file ends before the document does. The file is cut short"),
        (b" \n", "line 2, column 1: the file ends before"),
        (b"{\"a\":\n[1,", "line 2, column 4: the file ends where an array is still open. The file is cut"),
        (b"{\"a\"", "the file ends where an object is still open"),
        (b"{\n \"ab", "line 2, column 2: a string that begins here does not end. The file is cut"),
        (b"[\"\\", "column 2: a string that begins here does not end"),
        (b"[\"\\u12", "column 2: a string that begins here does not end"),
        (b"[tru", "the file ends where an array is still open"),
        (b"[1,\n 2,]", "line 2, column 4: `]` stands where a value should. It is not JSON"),
        (b"{\"a\":1,}", "line 1, column 8: `}` stands where a key in quotes should"),
        (b"{a:1}", "`a` stands where a key in quotes should"),
        (b"{\"a\" 1}", "`1` stands where `:` should"),
        (b"{\"a\":1 \"b\":2}", "`\"` stands where `,` or `}` should"),
        (b"[1 2]", "`2` stands where `,` or `]` should"),
        (b"[1}", "`}` stands where `,` or `]` should"),
        (b"[NaN]", "`N` stands where a value should"),
        (b"[// no\n1]", "`/` stands where a value should"),
        (b"[01]", "column 2: `01` is not a number in JSON"),
        (b"[1.", "`1.` is not a number in JSON. The file is cut short"),
        (b"{} {}", "line 1, column 4: something stands after the end of the document. Give each"),
        (b"[\"a\nb\"]", "line 1, column 4: the character U+000A stands in a string without an escape"),
        (b"[\"\\ud800x\"]", "column 3: `\\ud800` is no escape of a character"),
        (b"[\"\\q\"]", "`\\q` is no escape of a character"),
        ("[\"é\u{80}\", \"".as_bytes(), "column 8: a string that begins here does not end"),
        (b"[\"\xc3\xa9\", \"\xff\"]", "line 1, column 8: bytes that are not UTF-8, which"),
        (b"\xFF\xFE{\0", "line 1, column 1: the file is in UTF-16, and JSON is written in UTF-8"),
        (b"{\n<<<<<<< HEAD\n", "line 2, column 1: the file holds the marks of a merge conflict. Resolve"),
    ];
    for (bytes, want) in cases {
        for step in [1, usize::MAX] {
            let said = with(bytes, step, value).unwrap_err().to_string();
            assert!(said.contains(want), "{said}");
        }
    }
}

#[test]
fn what_stands_behind_an_escape_is_judged_when_reading_gets_there() {
    for (text, want) in [
        (&b"{\"\\\\a\n\x84\":0}"[..], "column 6: the character U+000A"),
        (b"[\"\\u00e9\n\x84\"]", "column 9: the character U+000A"),
        (b"[\"\\ud83d\\ude00\n\x84\"]", "column 15: the character U+000A"),
    ] {
        let said = read(text).unwrap_err().to_string();
        assert!(said.contains(want), "{said}");
        check(text);
    }
}

#[test]
fn what_is_read_is_what_was_asked_for() {
    let text = b"{\"n\":null,\"o\":{\"a\":1},\"l\":[1,\"x\",true],\"c\":7,\"t\":1500,\"s\":\"text\",\"left\":[{}]}";
    let said = with(text, usize::MAX, |json| {
        let mut said = Vec::new();
        json.object(|json, key| {
            match key {
                "n" => said.push(json.object(|_, _| Ok(()))?.to_string()),
                "o" => {
                    json.object(|json, key| {
                        said.push(format!("{key}={:?}", json.count()?.known()));
                        Ok(())
                    })?;
                }
                "l" => {
                    json.array(|json| {
                        said.push(format!("{:?}", json.text()?));
                        Ok(())
                    })?;
                }
                "c" => said.push(format!("{:?}", json.text()?)),
                "t" => said.push(format!("{:?}", json.time(1000.0)?)),
                "s" => said.push(format!("{:?}", json.count()?)),
                _ => said.push(key.to_owned()),
            }
            Ok(())
        })?;
        json.end().map(|()| said)
    });
    let want = ["false", "a=Some(1)", "None", "Some(\"x\")", "None", "None", "Seconds(1.5)", "Unreadable", "left"];
    assert_eq!(said.unwrap(), want);
    let refused = with(b"{\"a\":\n 5}", 1, |json| json.object(|json, _| json.array(|_| Ok(())).map(|_| ())));
    assert!(refused.unwrap_err().to_string().starts_with("line 2, column 2: a number stands where an array should"));
}

#[test]
fn documents_may_follow_each_other() {
    let (mut from, mut quiet) = (&b"{\"a\":1}\n\n[2]\n3 "[..], |_: &str, _: u64, _: Option<u64>| {});
    let mut input = Input::new(&mut from, "f", None, u64::MAX, &mut quiet);
    let mut json = Json::open_many(&mut input).unwrap();
    let mut read = Vec::new();
    while json.another().unwrap() {
        read.push(json.kind().unwrap());
        json.skip().unwrap();
    }
    assert_eq!(read, [Kind::Object, Kind::Array, Kind::Number]);
    json.end().unwrap();
}
