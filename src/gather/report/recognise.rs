//! What a file is, by its first bytes and never by its name.

use super::input::HEAD;
use super::json::Sketch;
use super::refusal::{Refusal, quoted};
use super::strangers;
use super::xml::{Charset, local};

/// The local name of the root element of what may be an XML file. Lenient: the reader will be strict.
pub(crate) fn xml_root(head: &[u8]) -> Option<String> {
    root_tag(head).map(|(name, _)| name)
}

/// The same, with the tag as it is written, as far as it is at hand: two formats may call their roots alike.
pub(crate) fn root_tag(head: &[u8]) -> Option<(String, String)> {
    let text = Charset::detect(head).map_or_else(|_| bare(head), |charset| charset.preview(head));
    let mut rest = text.as_str();
    loop {
        rest = rest.trim_start();
        rest = if let Some(comment) = rest.strip_prefix("<!--") {
            comment.split_once("-->")?.1
        } else if let Some(instruction) = rest.strip_prefix("<?") {
            instruction.split_once("?>")?.1
        } else if let Some(doctype) = rest.strip_prefix("<!DOCTYPE") {
            after_doctype(doctype)?
        } else {
            let name = rest.strip_prefix('<')?;
            let end = name.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>'))?;
            let tag = rest.split('>').next().unwrap_or(rest);
            let name = local(&name.as_bytes()[..end]);
            return (!name.is_empty()).then(|| (String::from_utf8_lossy(name).into_owned(), tag.to_owned()));
        }
    }
}

/// A file in an encoding that is refused still shows what it is: its ASCII without the NULs between.
fn bare(head: &[u8]) -> String {
    head.iter().filter(|b| (1..0x80).contains(*b)).map(|&b| char::from(b)).collect()
}

/// What follows `<!DOCTYPE …>`, whose quoted parts and subset may hold anything.
fn after_doctype(text: &str) -> Option<&str> {
    let (mut quote, mut subset) = (None, false);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[') => subset = true,
            (None, ']') => subset = false,
            (None, '>') if !subset => return Some(&text[i + 1..]),
            _ => {}
        }
    }
    None
}

/// Says what a file that no reader recognises seems to be.
pub(crate) fn stranger(head: &[u8], known: &str) -> Refusal {
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let conflict = |line: &[u8]| line.starts_with(b"<<<<<<< ");
    let (what, help) = match text {
        _ if head.is_empty() => ("the file is empty", "The tool that should have written it did not finish"),
        [] => ("the file holds nothing but white space", "The tool that should have written it did not finish"),
        _ if head.iter().all(|&b| b == 0) => {
            ("the file holds nothing but NUL bytes", "The disk lost it: run the tests again")
        }
        [0x1F, 0x8B, ..] => ("the file is compressed with gzip", "Unpack it first"),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => ("the file is a zip archive", "Unpack it first"),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => ("the file is compressed with zstd", "Unpack it first"),
        [b'B', b'Z', b'h', ..] => ("the file is compressed with bzip2", "Unpack it first"),
        [0xFD, b'7', b'z', b'X', b'Z', ..] => ("the file is compressed with xz", "Unpack it first"),
        _ if text.starts_with(b"version https://git-lfs") => {
            ("the file is a git-lfs pointer, not the report itself", "Run `git lfs pull` first")
        }
        _ if head.split(|&b| b == b'\n').any(conflict) => {
            ("the file holds the marks of a merge conflict", "Resolve it, or better: run the tests again")
        }
        [b'{' | b'[', ..] => return stranger_in_json(head),
        _ if matches!(head, [0xFF, 0xFE, b'{' | b'[', ..] | [0xFE, 0xFF, 0, b'{' | b'[', ..]) => (
            "the file is JSON in UTF-16, and JSON is written in UTF-8 (RFC 8259, section 8.1)",
            "Let the tool write UTF-8",
        ),
        _ => return unknown_text(head, known),
    };
    Refusal::new(what).help(help)
}

/// JSON in no known format, unless it is no JSON: then where.
fn stranger_in_json(head: &[u8]) -> Refusal {
    let whole = head.len() < HEAD;
    Sketch::of(head, &[]).fault.filter(|_| whole).unwrap_or_else(|| {
        Refusal::new("the file is JSON, in no report format that is known here")
            .help("Check that this is a test report")
    })
}

fn unknown_text(head: &[u8], known: &str) -> Refusal {
    let root = xml_root(head);
    let html = head.trim_ascii_start().get(..14).is_some_and(|start| start.eq_ignore_ascii_case(b"<!DOCTYPE html"));
    match root {
        _ if html => html_page(),
        Some(root) if root.eq_ignore_ascii_case("html") => html_page(),
        Some(root) if strangers::refusal(&root).is_some() => strangers::refusal(&root).unwrap_or_else(html_page),
        Some(root) => Refusal::new(format!("its root element is {}, and no report begins so", quoted(&root)))
            .help("Check that this is a test report"),
        None if head.trim_ascii_start().starts_with(b"<") => {
            Refusal::new("it begins like XML and has no root element that can be found")
                .help("Check that the tool that writes it had finished")
        }
        None => Refusal::new(format!("it is in no report format that is known here ({known})"))
            .help("Check that this is a test report"),
    }
}

fn html_page() -> Refusal {
    Refusal::new("the file is a web page").help("A download that needs a login often ends like this: fetch it again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_behind_everything_that_may_precede_it() {
        let utf16: Vec<u8> = "\u{FEFF}<testsuites/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let cases: [(&[u8], Option<&str>); 15] = [
            (b"<!DOCTYPE t SYSTEM \"[>.dtd\"><testsuites>", Some("testsuites")),
            (b"<testsuites>", Some("testsuites")),
            (b"<a:testsuite\nx='1'>", Some("testsuite")),
            (b"\xEF\xBB\xBF <?xml version='1.0'?><!-- <no> --><?pi <no?>\n<testsuite/>", Some("testsuite")),
            (b"<!DOCTYPE testsuites SYSTEM 'a.dtd'><testsuites>", Some("testsuites")),
            (b"<!DOCTYPE t [<!ENTITY a 'b'>]><testsuites>", Some("testsuites")),
            (b"<?xml version='1.0' encoding='UTF-7'?><testsuite>", Some("testsuite")),
            (&utf16, Some("testsuites")),
            (b"<testsuites", None),
            (b"<!-- <testsuites>", None),
            (b"testsuites", None),
            (b"<>", None),
            (b"<a:>", None),
            (b"", None),
            (b"<html><testsuites>", Some("html")),
        ];
        for (head, want) in cases {
            assert_eq!(xml_root(head).as_deref(), want, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn strangers_are_told_by_name() {
        let cases: [(&[u8], &str); 17] = [
            (b"", "is empty"),
            (b"\xEF\xBB\xBF", "white space"),
            (b" \n", "white space"),
            (b"\0\0", "NUL"),
            (b"\x1F\x8B\x08", "gzip"),
            (b"PK\x03\x04", "zip"),
            (b"\x28\xB5\x2F\xFD", "zstd"),
            (b"{\"a\":1}", "the file is JSON, in no report format"),
            (b"{\"a\":1,\n}", "line 2, column 1: `}` stands where"),
            (b"\xEF\xBB\xBF[1, ", "line 1, column 5: the file ends where an array"),
            (b"\xFF\xFE{\0}\0", "JSON in UTF-16"),
            (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs"),
            (b"<!doctype HTML><p>", "web page"),
            (b"<?xml version='1.0'?><html>", "web page"),
            (b"a\n<<<<<<< HEAD\n", "merge conflict"),
            (b"<coverage>", "`coverage`"),
            (b"ok 1", "no report format"),
        ];
        for (head, want) in cases {
            let said = stranger(head, "junit").to_string();
            assert!(said.contains(want), "{said}");
        }
    }
}
