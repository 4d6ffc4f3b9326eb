//! The inside of a tag, strictly: names, quotes, spaces, references, no attribute twice (XML 1.0, 3.1).

use super::super::name::cut;
use super::super::refusal::{Refusal, quoted};
use super::scan;
use std::borrow::Cow;
use std::ops::Range;

/// Attributes of one element. No tool writes a tenth of it; the check for repeated names is quadratic.
pub(crate) const ATTRIBUTE_LIMIT: usize = 256;

/// Longest reference that is looked at, `&` to `;`: room for a code point with many leading zeros.
pub(crate) const REFERENCE_LIMIT: usize = 64;

/// Where an attribute stands in its tag.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) name: Range<usize>,
    pub(crate) value: Range<usize>,
    /// The value stands for itself: no reference in it, no white space but spaces.
    pub(crate) plain: bool,
}

/// Whether a byte may stand in a name. One beyond ASCII may; which characters may is looked at apart.
static NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut i = 0;
    while i < 256 {
        let b = i as u8;
        table[i] = b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'-' | b'.' | 0x80..);
        i += 1;
    }
    table
};

/// Where the name that begins at `from` ends; `from` when there is none.
#[inline]
pub(crate) fn name_end(tag: &[u8], from: usize) -> usize {
    let Some(b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':' | 0x80..) = tag.get(from) else { return from };
    let (mut end, mut all) = (from + scan::letters(&tag[from..]), 0);
    while let Some(&b) = tag.get(end)
        && NAME[usize::from(b)]
    {
        all |= b;
        end += 1;
    }
    if all.is_ascii() { end } else { unicode_name_end(tag, from, end) }
}

/// The same for a name with characters beyond ASCII (XML 1.0, 2.3, `NameStartChar` and `NameChar`).
#[cold]
fn unicode_name_end(tag: &[u8], from: usize, end: usize) -> usize {
    let start = |c: char| {
        c.is_ascii()
            || matches!(c, '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
                | '\u{37F}'..='\u{1FFF}' | '\u{200C}' | '\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
                | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
    };
    let other = |c: char| start(c) || matches!(c, '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}' | '\u{2040}');
    let text = String::from_utf8_lossy(&tag[from..end]);
    let bad = text.char_indices().find(|&(i, c)| if i == 0 { !start(c) } else { !other(c) });
    bad.map_or(end, |(i, _)| from + i)
}

/// Where the white space that may begin at `at` ends.
#[inline]
fn space_end(tag: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\r' | b'\n') = tag.get(at) {
        at += 1;
    }
    at
}

/// Reads a tag that opens an element and stands at the start of `text`: its attributes into `out`, its end.
///
/// `None` when the text ends before the tag does. `xml11` allows references to control characters (XML 1.1, 2.2).
pub(crate) fn opening(text: &[u8], xml11: bool, out: &mut Vec<Span>) -> Result<Option<Opening>, Refusal> {
    let name = name_end(text, 1);
    if name == 1 {
        return if text.len() < 2 { Ok(None) } else { Err(Refusal::new("a `<` that begins no tag")) };
    }
    let read = match attributes(text, name, xml11, out)? {
        None => None,
        Some(at) => match &text[at..] {
            [b'>', ..] => Some(Opening { name, end: at + 1, empty: false }),
            [b'/', b'>', ..] => Some(Opening { name, end: at + 2, empty: true }),
            [] | [b'/'] => None,
            other => return Err(Refusal::new(format!("no attribute name can begin with {}", excerpt(&other[..1])))),
        },
    };
    Ok(read)
}

/// A tag's measures, from its `<`.
pub(crate) struct Opening {
    /// Where its name ends.
    pub(crate) name: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// Whether it closes itself.
    pub(crate) empty: bool,
}

/// Finds the attributes from byte `at` on, and where there is no further one; `None` when the text ends before that.
pub(crate) fn attributes(
    tag: &[u8],
    mut at: usize,
    xml11: bool,
    out: &mut Vec<Span>,
) -> Result<Option<usize>, Refusal> {
    out.clear();
    loop {
        let start = space_end(tag, at);
        let end = name_end(tag, start);
        if end == start {
            return Ok(Some(start));
        }
        let equals = space_end(tag, end);
        let open = match tag.get(equals..) {
            // as everybody writes it
            Some([b'=', b'"' | b'\'', ..]) => equals + 1,
            Some([b'=', ..]) => space_end(tag, equals + 1),
            Some([_, ..]) => return Err(fault("the attribute", &tag[start..end], "has no value")),
            _ => return Ok(None),
        };
        let quote = match tag.get(open) {
            Some(&quote @ (b'"' | b'\'')) => quote,
            Some(_) => return Err(fault("the value of the attribute", &tag[start..end], "is not quoted")),
            None => return Ok(None),
        };
        if start == at {
            return Err(fault("no space before the attribute", &tag[start..end], ""));
        }
        let value = &tag[open + 1..];
        let (close, plain) = match scan::value_stop(value, quote) {
            Some(i) if value.get(i) == Some(&quote) => (open + 1 + i, true),
            Some(i) => match odd_value_end(tag, open + 1 + i, quote, xml11) {
                Ok(Some(close)) => (close, false),
                Ok(None) => return Ok(None),
                Err(what) => return Err(fault(&format!("{what} in the attribute"), &tag[start..end], "")),
            },
            None => return Ok(None),
        };
        // the first byte spares most comparisons, which are calls
        let same = |other: &Span| tag[other.name.start] == tag[start] && tag[other.name.clone()] == tag[start..end];
        if out.iter().any(same) {
            return Err(fault("the attribute", &tag[start..end], "stands twice in one tag"));
        }
        if out.len() == ATTRIBUTE_LIMIT {
            return Err(Refusal::new(format!("an element has more than {ATTRIBUTE_LIMIT} attributes")));
        }
        out.push(Span { name: start..end, value: open + 1..close, plain });
        at = close + 1;
    }
}

/// The refusal for what is wrong with an attribute. Apart, so that what reads attributes stays small.
#[cold]
fn fault(before: &str, name: &[u8], after: &str) -> Refusal {
    let what = format!("{before} {} {after}", excerpt(name));
    Refusal::new(what.trim_end())
}

/// Where a value ends that has something special at `at`; `None` when the text ends first.
fn odd_value_end(tag: &[u8], mut at: usize, quote: u8, xml11: bool) -> Result<Option<usize>, String> {
    loop {
        match tag[at] {
            b if b == quote => return Ok(Some(at)),
            b'<' => return Err("a bare `<`".into()),
            b'&' => {
                if tag.len() - at < REFERENCE_LIMIT && !tag[at..].contains(&b';') && !tag[at..].contains(&quote) {
                    return Ok(None);
                }
                at += reference(&tag[at..], xml11)?.1;
            }
            _ => at += 1,
        }
        match scan::value_stop(&tag[at..], quote) {
            Some(i) => at += i,
            None => return Ok(None),
        }
    }
}

/// The character that the reference at the start of `text` stands for, and the reference's length.
#[inline]
pub(crate) fn reference(text: &[u8], xml11: bool) -> Result<(char, usize), String> {
    match text {
        [b'&', b'a', b'm', b'p', b';', ..] => Ok(('&', 5)),
        [b'&', b'l', b't', b';', ..] => Ok(('<', 4)),
        [b'&', b'g', b't', b';', ..] => Ok(('>', 4)),
        [b'&', b'q', b'u', b'o', b't', b';', ..] => Ok(('"', 6)),
        [b'&', b'a', b'p', b'o', b's', b';', ..] => Ok(('\'', 6)),
        text => numeric_reference(text, xml11),
    }
}

/// The same for a reference by number; no other is defined in XML.
fn numeric_reference(text: &[u8], xml11: bool) -> Result<(char, usize), String> {
    let window = &text[..text.len().min(REFERENCE_LIMIT)];
    let Some(end) = window.iter().position(|&b| b == b';') else {
        return Err("a bare `&`".into());
    };
    let body = &window[1..end];
    let shown = || excerpt(&window[..=end]);
    let c = match body {
        [b'#', digits @ ..] => {
            let code = match digits {
                [b'x', hex @ ..] if hex.iter().all(u8::is_ascii_hexdigit) => number(hex, 16),
                dec if dec.iter().all(u8::is_ascii_digit) => number(dec, 10),
                _ => None,
            };
            let allowed = |c: &char| match c {
                '\t' | '\n' | '\r' => true,
                '\0' | '\u{FFFE}' | '\u{FFFF}' => false,
                c => xml11 || *c >= ' ',
            };
            let c = code.and_then(char::from_u32).filter(allowed);
            c.ok_or_else(|| format!("{}, a reference to no character that XML allows,", shown()))?
        }
        _ if name_end(body, 0) == body.len() && !body.is_empty() => {
            return Err(format!("{}, an entity that is not defined in XML,", shown()));
        }
        _ => return Err("a bare `&`".into()),
    };
    Ok((c, end + 1))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

/// An attribute's value.
#[derive(Clone, Copy)]
pub(crate) struct Value<'t> {
    raw: &'t [u8],
    plain: bool,
    xml11: bool,
}

impl<'t> Value<'t> {
    pub(crate) fn new(tag: &'t [u8], span: &Span, xml11: bool) -> Self {
        Self { raw: &tag[span.value.clone()], plain: span.plain, xml11 }
    }

    /// As the application sees it: references replaced, white space as spaces (XML 1.0, 3.3.3). Valid UTF-8, and
    /// borrowed where the value stands for itself.
    #[inline]
    pub(crate) fn bytes(self) -> Cow<'t, [u8]> {
        if self.plain {
            return Cow::Borrowed(self.raw);
        }
        let mut out = Vec::with_capacity(self.raw.len());
        self.unescape(&mut out);
        Cow::Owned(out)
    }

    /// [`Value::bytes`] behind what `out` holds.
    #[inline]
    pub(crate) fn append_to(self, out: &mut Vec<u8>) {
        if self.plain { out.extend_from_slice(self.raw) } else { self.unescape(out) }
    }

    /// Takes a name over, [`cut`].
    #[inline]
    pub(crate) fn name_into(self, out: &mut Vec<u8>) {
        out.clear();
        self.append_to(out);
        cut(out);
    }

    /// [`Value::bytes`] as text.
    pub(crate) fn text(self) -> Cow<'t, str> {
        match self.bytes() {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    fn unescape(self, out: &mut Vec<u8>) {
        out.reserve(self.raw.len());
        let mut rest = self.raw;
        // a quote, where the value is in the other one, stops as well and stands for itself
        while let Some(at) = scan::value_stop(rest, b'"') {
            out.extend_from_slice(&rest[..at]);
            let length = match &rest[at..] {
                stop @ [b'&', ..] => {
                    // seen before: `attributes` has checked every reference of this value
                    let (c, length) = reference(stop, self.xml11).unwrap_or(('\u{FFFD}', 1));
                    match u8::try_from(c) {
                        Ok(b) if b.is_ascii() => out.push(b),
                        _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                    }
                    length
                }
                // a line end of two characters is one (XML 1.0, 2.11)
                [b'\r', b'\n', ..] => 1,
                [b'\t' | b'\n' | b'\r', ..] => {
                    out.push(b' ');
                    1
                }
                stop => {
                    out.extend_from_slice(&stop[..1]);
                    1
                }
            };
            rest = &rest[at + length..];
        }
        out.extend_from_slice(rest);
    }
}

fn excerpt(bytes: &[u8]) -> String {
    quoted(&String::from_utf8_lossy(&bytes[..bytes.len().min(256)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: &str, xml11: bool) -> Result<Vec<(String, String)>, String> {
        let (text, mut out) = (format!("<{tag}>"), Vec::new());
        let bytes = text.as_bytes();
        let read = opening(bytes, xml11, &mut out).map_err(|e| e.to_string())?.ok_or("it does not end")?;
        assert_eq!(read.end, bytes.len());
        let name = |s: &Span| String::from_utf8_lossy(&bytes[s.name.clone()]).into_owned();
        Ok(out.iter().map(|s| (name(s), Value::new(bytes, s, xml11).text().into_owned())).collect())
    }

    #[test]
    fn a_tag_that_is_cut_anywhere_is_neither_read_nor_refused() {
        let tag = "<é:tag a='1' b = \"x&amp;&#x41; >'\"\n/>".as_bytes();
        assert!(opening(tag, false, &mut Vec::new()).unwrap().is_some_and(|o| o.empty && o.end == tag.len()));
        for end in 1..tag.len() {
            assert!(opening(&tag[..end], false, &mut Vec::new()).unwrap().is_none(), "{end}");
        }
    }

    #[test]
    fn values_are_what_an_application_sees() {
        let cases = [
            (r#"a b="c""#, "c"),
            (r#"a b = 'c' "#, "c"),
            (r#"a b="&lt;&amp;&gt;&quot;&apos;""#, "<&>\"'"),
            (r#"a b="&#65;&#x42;&#0000000067;""#, "ABC"),
            (r#"a b="&#10;x""#, "\nx"),
            ("a b='1\t2\n3\r\n4'", "1 2 3 4"),
            (r#"a b="it's > &amp;amp;""#, "it's > &amp;"),
            ("a b=\"é\u{1F600}\"", "é\u{1F600}"),
        ];
        for (tag, want) in cases {
            assert_eq!(read(tag, false).unwrap(), [("b".to_owned(), want.to_owned())], "{tag}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for tag in [
            "a b",
            "a b=",
            "a b=c",
            "a b='c",
            "a b='c\"",
            "a 1='c'",
            "a b='<'",
            "a b='&'",
            "a b='& '",
            "a b='&nbsp;'",
            "a b='&#0;'",
            "a b='&#27;'",
            "a b='&#xD800;'",
            "a b='&#xFFFE;'",
            "a b='&#x110000;'",
            "a b='&#;'",
            "a b='&#x;'",
            "a b='&#1x;'",
            "a b='&#+65;'",
            "a b='&;'",
            "a b='1' b='2'",
            "a b='1'c='2'",
            "a /b='1'",
            "a =\"x\"",
            "a b='1' / ",
            "a<b",
            "1a",
            "a\u{d7}b",
            "\u{b7}a",
            "a b\u{a9}='1'",
            "a b='&#99999999999999999999;'",
            "a \"b\"",
        ] {
            assert!(read(tag, false).is_err(), "{tag}");
        }
    }

    #[test]
    fn control_characters_may_be_referred_to_in_xml_1_1_only() {
        assert!(read("a b='&#27;'", false).is_err());
        assert_eq!(read("a b='&#27;'", true).unwrap()[0].1, "\u{1b}");
        assert!(read("a b='&#0;'", true).is_err());
    }

    #[test]
    fn attributes_are_counted_to_their_limit() {
        let with = |n: usize| (0..n).fold("a".to_owned(), |tag, i| format!("{tag} b{i}='x'"));
        assert_eq!(read(&with(ATTRIBUTE_LIMIT), false).unwrap().len(), ATTRIBUTE_LIMIT);
        assert!(read(&with(ATTRIBUTE_LIMIT + 1), false).is_err());
    }
}
