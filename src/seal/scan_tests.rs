use super::super::strict_json::{Numbers, thorough};
use super::*;
use proptest::prelude::*;

/// What the two passes say of the same bytes: whether the quick one is sure, and whether the thorough one accepts.
fn both(bytes: &[u8]) -> (bool, bool) {
    let sure = scan(bytes, "").is_some();
    let accepted = thorough(bytes, Numbers::Exact);
    assert!(accepted.is_err() || thorough(bytes, Numbers::Any).is_ok());
    (sure, accepted.is_ok())
}

#[test]
fn it_is_sure_of_ordinary_json() {
    for json in [
        "{}",
        " [ ] ",
        "null",
        "\t\"\"\r\n",
        "-0",
        "0.5",
        "[-1,12,999999999999999,0.000001]",
        r#"{"a":{"a":{"a":[{"a":1},{"a":2}]}},"b":true,"c":false,"":null}"#,
        r#"["\"\\\/\b\f\n\r\t\u0000\uD7FF\ue000\uFFFF","é😀"]"#,
    ] {
        assert_eq!(both(json.as_bytes()), (true, true), "{json}");
    }
}

#[test]
fn it_is_not_sure_of_anything_odd() {
    // and the thorough pass accepts these
    let deep = format!("{}1{}", "[".repeat(MAX_LEVELS + 1), "]".repeat(MAX_LEVELS + 1));
    let wide: Vec<String> = (0..=MAX_MEMBERS).map(|i| format!("\"k{i}\":0")).collect();
    let wide = format!("{{{}}}", wide.join(","));
    for json in [r#"{"\u0061":1}"#, r#""\ud83d\ude00""#, "1e3", "1000000000000000", "1E-3", &deep, &wide] {
        assert_eq!(both(json.as_bytes()), (false, true), "{json}");
    }
    // and these it refuses
    for json in [
        "",
        " ",
        "{",
        "[",
        "\"",
        "{}{}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"a":1 "b":2}"#,
        r#"{"a":1]"#,
        "[1}",
        "]",
        "{1:2}",
        r#"{"a":1,"a":2}"#,
        r#"[{"x":[{"a":1,"b":0,"a":2}]}]"#,
        r#"{"abcdefghijklmnop":1,"abcdefghijklmnop":2}"#,
        r#"{"":1,"":2}"#,
        r#""\x""#,
        r#""\u12g4""#,
        r#""\u12"#,
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        "\"\t\"",
        "\"\u{1f}\"",
        "nul",
        "nulll",
        "tru",
        "NaN",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "-.5",
        "1.e3",
        "0x1",
        "1a",
        "\u{feff}{}",
        "// x\n1",
        "\u{a0}1",
        "\u{c}1",
        "9007199254740992",
    ] {
        assert_eq!(both(json.as_bytes()), (false, false), "{json}");
    }
    for bytes in [&b"\"\xff\""[..], b"{\"\xc3\":1}", b"\"\xed\xa0\x80\"", b"[1]\xff"] {
        assert_eq!(both(bytes), (false, false), "{bytes:?}");
    }
    let long = format!("\"{}", "x".repeat(200));
    for (json, good) in [(format!("{long}\""), true), (format!("{long}\n\""), false), (long.clone(), false)] {
        assert_eq!(both(json.as_bytes()), (good, good), "{json}");
    }
}

#[test]
fn the_member_is_the_outermost_one_with_its_exact_bytes() {
    let cases = [
        (r#"{"p":1}"#, Some("1")),
        (r#"{"a":{"p":2},"p" : {"p":[1, 2]} ,"b":3}"#, Some(r#"{"p":[1, 2]}"#)),
        (r#"{"p": "x" }"#, Some(r#""x""#)),
        (r#"{"a":[{"p":1}],"pp":2}"#, None),
        (r#"[{"p":1}]"#, None),
        ("1", None),
    ];
    for (json, want) in cases {
        assert_eq!(scan(json.as_bytes(), "p").unwrap().member.map(|place| &json[place]), want, "{json}");
    }
}

#[test]
fn the_fixtures_are_judged_alike() {
    let mut sure = 0;
    for folder in ["envelopes", "platforms", "images"] {
        let folder = format!("{}/fixtures/{folder}", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|e| e != "json") {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let (quick, accepted) = both(&bytes);
            assert!(accepted || !quick, "{}", path.display());
            sure += usize::from(quick);
        }
    }
    assert!(sure > 60, "sure of only {sure} fixtures");
}

/// Text from the pieces that JSON is made of, good and bad, mostly nearly right.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"b\"",
        "\"a\":",
        "\"b\":1",
        "1",
        "-0.5",
        "1e9",
        "null",
        "true",
        " ",
        "\n",
        "\\",
        "\"",
        "\"\\u0061\"",
        "\"\\ud800\\udc00\"",
        "\\u",
        "é",
        "9999999999999999",
        "{}",
        "[]",
        "{\"a\":[1,{\"b\":\"c\"}]}",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn what_it_is_sure_of_is_accepted(text in pieces()) {
        let (sure, accepted) = both(text.as_bytes());
        prop_assert!(accepted || !sure, "{}", text);
    }

    #[test]
    fn a_changed_byte_never_fools_it(at: prop::sample::Index, byte: u8, other: prop::sample::Index) {
        const GOOD: &str = r#"{"a":[1,-2.5,"x\n\u00e9",{"bcdefghij":true,"bcdefghik":null,"b":{}}],"a much longer string":"é"}"#;
        let mut bytes = GOOD.as_bytes().to_vec();
        let (at, other) = (at.index(bytes.len()), other.index(bytes.len()));
        bytes[at] = byte;
        bytes.swap(at.min(5), other);
        let (sure, accepted) = both(&bytes);
        prop_assert!(accepted || !sure, "{:?}", String::from_utf8_lossy(&bytes));
    }
}
