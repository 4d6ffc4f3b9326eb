//! Objects as tools write them: flat, on one line, every wanted string without escapes.
//!
//! It goes first and can only say yes: whatever it is not sure of, also an error, is for serde_json to judge.

use super::object::{NAME_LIMIT, Name, Value};
use std::borrow::Cow;

/// The members of a plain object.
pub(super) fn plain<'l, const N: usize>(line: &'l [u8], names: &[Name; N]) -> Option<[Value<'l>; N]> {
    let mut members = std::array::from_fn(|_| Value::Absent);
    let (mut at, mut guess) = (space(line, 0), 0);
    if *line.get(at)? != b'{' {
        return None;
    }
    loop {
        let key = string(line, space(line, at + 1))?;
        at = space(line, key.end);
        if *line.get(at)? != b':' || key.escaped {
            return None;
        }
        at = space(line, at + 1);
        // members mostly come in the order of their names
        let known = |i: &usize| names[*i].1.as_bytes() == key.text && names[*i].0.is_empty();
        let wanted = (guess..N).chain(0..guess.min(N)).find(known);
        if wanted.is_none() && names.iter().any(|(outer, _)| outer.as_bytes() == key.text) {
            return None;
        }
        let (value, end) = value(line, at, wanted.is_some())?;
        if let Some(i) = wanted {
            if members[i] != Value::Absent {
                return None;
            }
            (members[i], guess) = (value, i + 1);
        }
        at = space(line, end);
        match line.get(at)? {
            b',' => {}
            b'}' if space(line, at + 1) == line.len() => return Some(members),
            _ => return None,
        }
    }
}

#[inline]
fn space(line: &[u8], mut at: usize) -> usize {
    while matches!(line.get(at), Some(b' ' | b'\t' | b'\r')) {
        at += 1;
    }
    at
}

#[inline]
fn value(line: &[u8], at: usize, wanted: bool) -> Option<(Value<'_>, usize)> {
    let rest = line.get(at..)?;
    match rest.first()? {
        b'"' => {
            let Text { text, escaped, end } = string(line, at)?;
            if !wanted {
                return Some((Value::Other, end));
            }
            let text = std::str::from_utf8(text).ok().filter(|text| !escaped && text.len() <= NAME_LIMIT)?;
            Some((Value::Text(Cow::Borrowed(text)), end))
        }
        b'0'..=b'9' => number(rest).map(|(value, length)| (value, at + length)),
        b't' if rest.starts_with(b"true") => Some((Value::Flag(true), at + 4)),
        b'f' if rest.starts_with(b"false") => Some((Value::Flag(false), at + 5)),
        b'n' if rest.starts_with(b"null") => Some((Value::Null, at + 4)),
        _ => None,
    }
}

/// `12` or `0.25`, of at most 15 digits.
fn number(text: &[u8]) -> Option<(Value<'_>, usize)> {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(text);
    let point = text.get(whole) == Some(&b'.');
    let fraction = if point { digits(&text[whole + 1..]) } else { 0 };
    let length = whole + usize::from(point) + fraction;
    let proper = (whole == 1 || text[0] != b'0') && (!point || fraction > 0) && length <= 15;
    if !proper || matches!(text.get(length), Some(b'.' | b'e' | b'E' | b'0'..=b'9')) {
        return None;
    }
    let text = std::str::from_utf8(&text[..length]).ok()?;
    let value = if point { Value::Real(text.parse().ok()?) } else { Value::Whole(text.parse().ok()?) };
    Some((value, length))
}

/// A string, without its quotes, and where what follows begins.
struct Text<'l> {
    text: &'l [u8],
    escaped: bool,
    end: usize,
}

#[inline]
fn string(line: &[u8], at: usize) -> Option<Text<'_>> {
    if *line.get(at)? != b'"' {
        return None;
    }
    let (begin, mut end, mut escaped) = (at + 1, at + 1, false);
    loop {
        end = special(line, end);
        match line.get(end)? {
            b'"' => return Some(Text { text: &line[begin..end], escaped, end: end + 1 }),
            b'\\' => escaped = true,
            // a control character
            _ => return None,
        }
        match line.get(end + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => end += 2,
            b'u' if line.get(end + 2..end + 6)?.iter().all(u8::is_ascii_hexdigit) => end += 6,
            _ => return None,
        }
    }
}

/// Where the next quote, backslash or control character is; eight bytes a step (Mycroft's test for a zero byte, which
/// is exact for the lowest one).
#[inline]
fn special(line: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & TOPS;
    while let Some(Ok(word)) = line.get(at..at + 8).map(<[u8; 8]>::try_from) {
        let word = u64::from_le_bytes(word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & TOPS;
        let found = zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\'))) | control;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while line.get(at).is_some_and(|b| !matches!(b, b'"' | b'\\' | 0..0x20)) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::super::object;
    use super::*;
    use proptest::prelude::*;

    const NAMES: [Name; 4] = [("", "a"), ("", "b"), ("", "Action"), ("in", "a")];

    #[test]
    fn it_says_yes_to_what_tools_write_and_leaves_the_rest() {
        for (line, yes) in [
            (r#"{"a":"x","Action":"y","z":"\n\u00e9","b":0.25}"#, true),
            (r#" { "b" : 12 , "a" : null , "q" : true }  "#, true),
            (r#"{"a":"\n"}"#, false),
            (r#"{"a":1,"a":2}"#, false),
            (r#"{"in":{}}"#, false),
            (r#"{"in":1}"#, false),
            (r#"{"q":[]}"#, false),
            (r#"{"q":"\q"}"#, false),
            ("{\"q\":\"\u{1}\"}", false),
            (r#"{"q":01}"#, false),
            (r#"{"q":1.}"#, false),
            (r#"{"q":1e3}"#, false),
            (r#"{"q":-1}"#, false),
            (r#"{"q":1}x"#, false),
            (r#"{"q":1"#, false),
            (r#"{"q":1,}"#, false),
            ("{}", false),
            ("", false),
        ] {
            assert_eq!(plain(line.as_bytes(), &NAMES).is_some(), yes, "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_it_says_serde_json_says(
            parts in prop::collection::vec(0..24usize, 0..24),
            text in "[ -~é\u{1F600}\u{0}-\u{1f}]{0,40}",
        ) {
            const PARTS: [&str; 22] = [
                "{", "}", ",", ":", "\"a\":", "\"b\":", "\"Action\":", "\"in\":", "\"q\":", "\"x\"", "1", "0.5", "12345678",
                "true", "null", "false", "\"\\n\"", "\"\\u00e9\"", " ", "[1]", "-1", "{\"a\":1}",
            ];
            let quoted = format!("\"{text}\"");
            let mut line = String::from("{");
            for part in parts {
                line += PARTS.get(part).copied().unwrap_or(&quoted);
            }
            line += "}";
            for line in [line, format!("{{\"a\":{quoted},\"q\":\"{text}\"}}")] {
                if let Some(members) = plain(line.as_bytes(), &NAMES) {
                    let want = object::thorough(line.as_bytes(), &NAMES, 1);
                    prop_assert_eq!(Ok(members), want, "{}", line);
                }
            }
        }
    }
}
