//! The tokenizer against quick-xml, at the seams between its blocks, and at its limits.

use super::*;
use crate::gather::report::input::FILE_LIMIT;
use proptest::prelude::*;

/// What a document holds: `+name` with attributes, `-` where an element ends; or why it is refused.
fn walk(bytes: &[u8]) -> Result<Vec<String>, String> {
    let (mut from, mut quiet) = (bytes, |_: &str, _: u64, _: Option<u64>| {});
    let mut input = Input::new(&mut from, "f", None, FILE_LIMIT, &mut quiet);
    let mut xml = Xml::open(&mut input).map_err(|e| e.to_string())?;
    let mut out = Vec::new();
    loop {
        match xml.next().map_err(|e| e.to_string())? {
            Event::Open(tag) => {
                let mut line = format!("+{}", String::from_utf8_lossy(tag.qualified()));
                for (name, value) in tag.attributes() {
                    line += &format!(" {}={:?}", String::from_utf8_lossy(name), value.text());
                }
                out.push(line);
            }
            Event::Close => out.push("-".into()),
            Event::End => return Ok(out),
        }
    }
}

/// The same by quick-xml, for a document in UTF-8 that is well-formed.
fn walk_quick(bytes: &[u8]) -> Vec<String> {
    use quick_xml::events::{BytesStart, Event as Quick};
    fn opened(tag: &BytesStart<'_>) -> String {
        let mut line = format!("+{}", String::from_utf8_lossy(tag.name().as_ref()));
        for attribute in tag.attributes() {
            let attribute = attribute.unwrap();
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap();
            line += &format!(" {}={value:?}", String::from_utf8_lossy(attribute.key.as_ref()));
        }
        line
    }
    let mut reader = quick_xml::Reader::from_reader(bytes);
    let mut out = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Quick::Start(tag) => out.push(opened(&tag)),
            Quick::Empty(tag) => out.extend([opened(&tag), "-".into()]),
            Quick::End(_) => out.push("-".into()),
            Quick::Eof => return out,
            _ => {}
        }
    }
}

#[test]
fn a_document_is_its_elements_and_their_attributes() {
    let text = "<?xml version='1.0' encoding='utf-8' standalone='yes'?><!--x--><!DOCTYPE a><a b='1'>t&amp;]]<c/><![CDATA[<d>]]]]><e f=\"'&#x41;\" >\
                </e ></a><!-- y --><?z?>\n";
    assert_eq!(walk(text.as_bytes()).unwrap(), ["+a b=\"1\"", "+c", "-", "+e f=\"'A\"", "-", "-"]);
}

#[test]
fn refusals_name_the_place_also_behind_the_seams_between_blocks() {
    for filler in [0, 1, 65_500, 65_530, 65_536, 200_000] {
        let before = format!("<a>\n{}", "x".repeat(filler));
        for (rest, column) in [("<b c='1' c='2'/></a>", 1), ("yy&no;</a>", 3), ("</b>", 1), ("<!-- a -- b --></a>", 8)]
        {
            let said = walk(format!("{before}{rest}").as_bytes()).unwrap_err();
            assert!(said.starts_with(&format!("line 2, column {}: ", filler + column)), "{said}");
        }
        let long = format!("{before}<b {}c='&no;'/></a>", " ".repeat(70_000));
        let said = walk(long.as_bytes()).unwrap_err();
        assert!(said.starts_with(&format!("line 2, column {}: ", filler + 1)), "{said}");
    }
}

#[test]
fn a_tag_may_be_long_up_to_its_limit() {
    let with = |n: usize| format!("<a b='{}'/>", "x".repeat(n - "<a b=''/>".len()));
    assert!(walk(with(TAG_LIMIT).as_bytes()).is_ok());
    let said = walk(with(TAG_LIMIT + 1).as_bytes()).unwrap_err();
    assert!(said.contains("a tag is longer than 8 MiB"), "{said}");
}

#[test]
fn character_data_may_be_longer_than_anything_that_is_held() {
    let (much, some) = ("x".repeat(TAG_LIMIT + 100), "]-x".repeat(70_000));
    for text in [format!("<a>{much}</a>"), format!("<a><![CDATA[{some}]]></a>"), format!("<a><!--{some}--></a>")] {
        assert_eq!(walk(text.as_bytes()).unwrap(), ["+a", "-"]);
    }
}

#[test]
fn elements_may_be_deep_up_to_the_limit() {
    let deep = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
    assert!(walk(deep(DEPTH_LIMIT).as_bytes()).is_ok());
    assert!(walk(deep(DEPTH_LIMIT + 1).as_bytes()).unwrap_err().contains("deep"));
    assert!(walk("<a>".repeat(100_000).as_bytes()).unwrap_err().contains("deep"));
}

#[test]
fn what_is_not_a_document_is_refused() {
    for text in [
        "",
        " ",
        "x",
        "<",
        "<a",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a>&</a>",
        "<a>&b</a>",
        "<a>]]></a>",
        "<a><![cdata[]]></a>",
        "<![CDATA[]]><a/>",
        "<a><!-></a>",
        "<a><!--></a>",
        "<a><!-- --- ></a>",
        "<a><?></a>",
        "<a><??></a>",
        "<a><?xml version='1.0'?></a>",
        "<a><?XML?></a>",
        "<a/><!DOCTYPE a>",
        "<!DOCTYPE a [ ]><a/>",
        "<!doctype a><a/>",
        "<?xml version='1.0'><a/>",
        "<?xml version='1.2'?><a/>",
        "<?xml version='1.0' encoding='utf-8' version='1.0'?><a/>",
        "<?xml version='1.0' standalone='maybe'?><a/>",
        "<a><?b-&?></a>",
        "<!DOCTYPE a b><a/>",
        "<?xml standalone='yes'?><a/>",
        "<?xml?><a/>",
        " <?xml version='1.0'?><a/>",
        "<1/>",
        "<a/ >",
        "<a//>",
        "< a/>",
        "<a></ a>",
        "<a>&#;</a>",
        "<a>&#1;</a>",
        "<a>&amp</a>",
        "<a b='1' b='1'/>",
        "<a><b></a></b>",
        "<a>\u{1}</a>",
        "<a>\u{FFFF}</a>",
    ] {
        assert!(walk(text.as_bytes()).is_err(), "{text}");
    }
}

proptest! {
    /// Where ours reads a document, quick-xml reads the same.
    #[test]
    fn what_is_read_is_what_quick_xml_reads(
        parts in prop::collection::vec(prop::sample::select(&[
            "<a>", "</a>", "<b c='1'>", "</b>", "<d e=\"x&lt;'>\" f = 'y'/>", "text", "&amp;", "&#65;", "<![CDATA[<a>]]>", "<!-- <b> -->",
            "<?p <a>?>", "\n", "]]", ">", "<", "&", "'", "é", "<a\n/>", "</a\t>", " ",
        ][..]), 0..14)
    ) {
        let text = format!("<root>{}</root>", parts.concat());
        if let Ok(ours) = walk(text.as_bytes()) {
            prop_assert_eq!(ours, walk_quick(text.as_bytes()));
        }
    }
}

#[test]
fn a_word_is_all_that_stands_in_an_element() {
    let word = |text: &str| {
        let (mut from, mut quiet) = (text.as_bytes(), |_: &str, _: u64, _: Option<u64>| {});
        let mut input = Input::new(&mut from, "f", None, FILE_LIMIT, &mut quiet);
        let mut xml = Xml::open(&mut input).unwrap();
        xml.next().map(|_| ()).unwrap();
        let word = xml.word().unwrap();
        // what was looked at is read all the same
        while !matches!(xml.next().unwrap(), Event::End) {}
        word
    };
    for (text, want) in [
        ("<a>b</a>", "b"),
        ("<a>\n b </a>", "b"),
        ("<a><![CDATA[b]]></a>", "b"),
        ("<a> <![CDATA[ b ]]> </a>", "b"),
        ("<a/>", ""),
        ("<a></a>", ""),
        ("<a> </a>", ""),
        ("<a><![CDATA[]]></a>", ""),
    ] {
        assert_eq!(word(text).as_deref(), Some(want), "{text}");
    }
    let long = format!("<a>{}</a>", "b".repeat(WORD_LIMIT - 1));
    for text in [
        "<a><b/></a>",
        "<a><!-- -->b</a>",
        "<a>b<c/></a>",
        "<a><![CDATA[]]>b</a>",
        "<a><![CDATA[a]]><![CDATA[b]]></a>",
        &long,
    ] {
        assert_eq!(word(text), None, "{text}");
    }
    let fits = format!("<a>{}</a>", "b".repeat(WORD_LIMIT - 2));
    assert!(word(&fits).is_some());
}
