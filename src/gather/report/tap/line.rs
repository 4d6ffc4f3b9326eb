//! What a line of TAP says, its indentation aside.

use super::super::outcome::Time;

/// What a line is.
#[derive(Debug, PartialEq)]
pub(super) enum Said<'l> {
    Version,
    Plan {
        first: u64,
        last: u64,
    },
    Point(Point<'l>),
    BailOut,
    Pragma {
        name: &'l [u8],
        on: bool,
    },
    /// `# Subtest: name`.
    Subtest,
    Comment(&'l [u8]),
    /// Not TAP.
    Other,
}

/// A test point.
#[derive(Debug, PartialEq)]
pub(super) struct Point<'l> {
    pub(super) ok: bool,
    pub(super) id: Option<u64>,
    /// With its escapes.
    pub(super) description: &'l [u8],
    pub(super) directive: Option<Directive>,
    pub(super) time: Time,
    /// It ends with `{`: its subtest follows, up to a line `}` (node-tap).
    pub(super) opens: bool,
}

/// What excuses a test point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directive {
    Skip,
    Todo,
}

/// Tells what a line says. Plans, points and pragmas are as strict as TAP 14 has them, but for white space, and for
/// what stands right after `not ok`: that a point is overlooked does more harm than that there is one too many.
pub(super) fn said(line: &[u8]) -> Said<'_> {
    match line.first() {
        Some(b'#') => match line[1..].trim_ascii() {
            comment if comment.starts_with(b"Subtest") && matches!(comment.get(7), None | Some(b':')) => Said::Subtest,
            comment => Said::Comment(comment),
        },
        Some(b'o' | b'n') => point(line).map_or(Said::Other, Said::Point),
        Some(b'0'..=b'9') => plan(line).unwrap_or(Said::Other),
        Some(b'p') => pragma(line).unwrap_or(Said::Other),
        Some(b'T' | b't') if version(line) => Said::Version,
        Some(b'B' | b'b') if after(line, b"bail out!").is_some() => Said::BailOut,
        _ => Said::Other,
    }
}

/// What follows `word`, whatever the case.
fn after<'l>(line: &'l [u8], word: &[u8]) -> Option<&'l [u8]> {
    let (start, rest) = line.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

fn version(line: &[u8]) -> bool {
    after(line, b"tap version ").is_some_and(|n| !n.is_empty() && n.trim_ascii_end().iter().all(u8::is_ascii_digit))
}

/// A number and what follows it. One too large to be meant stays too large.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let digits = std::str::from_utf8(&text[..end]).ok().filter(|digits| !digits.is_empty())?;
    Some((digits.parse().unwrap_or(u64::MAX), &text[end..]))
}

/// `1..4`, perhaps with a comment.
fn plan(line: &[u8]) -> Option<Said<'_>> {
    let (first, rest) = number(line)?;
    let (last, rest) = number(rest.strip_prefix(b"..")?)?;
    let comment = rest.trim_ascii_start();
    let ends = comment.is_empty() || (comment.len() < rest.len() && comment.starts_with(b"#"));
    (ends && (first <= last || (first, last) == (1, 0))).then_some(Said::Plan { first, last })
}

/// `pragma +strict`.
fn pragma(line: &[u8]) -> Option<Said<'_>> {
    let rest = line.strip_prefix(b"pragma ")?.trim_ascii_end();
    let (sign, name) = rest.split_first()?;
    let proper = !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    (proper && matches!(sign, b'+' | b'-')).then_some(Said::Pragma { name, on: *sign == b'+' })
}

fn point(line: &[u8]) -> Option<Point<'_>> {
    let not = line.strip_prefix(b"not").filter(|rest| rest.first().is_some_and(|b| matches!(b, b' ' | b'\t')));
    let rest = not.map_or(line, <[u8]>::trim_ascii_start).strip_prefix(b"ok")?;
    let ends = match rest.first() {
        None | Some(b' ' | b'\t') => true,
        Some(b) => not.is_some() && !b.is_ascii_alphanumeric() && *b < 0x80,
    };
    if !ends {
        return None;
    }
    let rest = rest.trim_ascii();
    let (id, rest) = match number(rest) {
        Some((id, after)) if after.first().is_none_or(|b| b.is_ascii_whitespace() || *b == b'-') => (Some(id), after),
        _ => (None, rest),
    };
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"-").filter(|rest| rest.first().is_none_or(u8::is_ascii_whitespace)).unwrap_or(rest);
    let rest = rest.trim_ascii();
    let (rest, opens) = match rest.strip_suffix(b"{") {
        Some(before) if before.last().is_none_or(|b| b.is_ascii_whitespace()) => (before.trim_ascii_end(), true),
        _ => (rest, false),
    };
    let mut point = Point { ok: not.is_none(), id, description: rest, directive: None, time: Time::Absent, opens };
    if let Some(at) = hash(rest) {
        let comment = rest[at + 1..].trim_ascii_start();
        let directive = match comment.get(..4) {
            Some(word) if word.eq_ignore_ascii_case(b"skip") => Some(Directive::Skip),
            Some(word) if word.eq_ignore_ascii_case(b"todo") => Some(Directive::Todo),
            _ => None,
        };
        let time = after(comment, b"time=").and_then(time);
        if directive.is_some() || time.is_some() {
            point.description = rest[..at].trim_ascii_end();
        }
        (point.directive, point.time) = (directive, time.unwrap_or_default());
    }
    Some(point)
}

/// Where the first `#` is that is not escaped and stands alone or behind white space.
fn hash(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(next) = memchr::memchr2(b'#', b'\\', text.get(at..)?) {
        at += next;
        match (text[at], text.get(at + 1)) {
            (b'\\', Some(b'#' | b'\\')) => at += 2,
            (b'#', _) if at == 0 || text[at - 1].is_ascii_whitespace() => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// `15.69ms`, as Vitest and node-tap write it.
fn time(text: &[u8]) -> Option<Time> {
    let text = text.trim_ascii();
    match text.strip_suffix(b"ms") {
        Some(number) => Some(milliseconds(number)),
        None => Some(Time::parse(text.strip_suffix(b"s")?)),
    }
}

/// A number of milliseconds.
pub(super) fn milliseconds(text: &[u8]) -> Time {
    match Time::parse(text) {
        Time::Seconds(value) => Time::Seconds(value / 1e3),
        other => other,
    }
}

/// A description or reason without its escapes.
pub(super) fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied().peekable();
    while let Some(b) = rest.next() {
        let escaped = rest.next_if(|next| b == b'\\' && matches!(next, b'#' | b'\\'));
        out.push(escaped.unwrap_or(b));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        match said(line.as_bytes()) {
            Said::Point(Point { ok, id, description, directive, time, opens }) => {
                let id = id.map_or("-".into(), |id| id.to_string());
                let directive = directive.map_or("-", |d| if d == Directive::Skip { "skip" } else { "todo" });
                let time = if let Time::Seconds(s) = time { s.to_string() } else { "-".into() };
                let name = String::from_utf8(unescaped(description)).unwrap();
                format!("{ok} {id} {directive} {time} {name}{}", if opens { " {" } else { "" })
            }
            Said::Plan { first, last } => format!("{first}..{last}"),
            Said::Pragma { name, on } => format!("pragma {} {on}", String::from_utf8_lossy(name)),
            other => format!("{other:?}").split('(').next().unwrap().to_owned(),
        }
    }

    #[test]
    fn points_plans_and_the_rest() {
        let cases = [
            ("ok", "true - - - "),
            ("ok 1", "true 1 - - "),
            ("not ok 2 - fine", "false 2 - - fine"),
            ("not ok", "false - - - "),
            ("ok fine", "true - - - fine"),
            ("ok - fine", "true - - - fine"),
            ("ok -fine", "true - - - -fine"),
            ("ok 3    fine", "true 3 - - fine"),
            ("ok 4- fine", "true 4 - - fine"),
            ("ok 1.5 beers", "true - - - 1.5 beers"),
            ("ok\t5\tfine", "true 5 - - fine"),
            ("ok 99999999999999999999", "true 18446744073709551615 - - "),
            ("not  ok 1", "false 1 - - "),
            ("not ok: fine", "false - - - : fine"),
            ("okay", "Other"),
            ("ok, fine", "Other"),
            ("OK 1", "Other"),
            ("notok 1", "Other"),
            ("not okay", "Other"),
            ("nothing", "Other"),
            ("ok 1 - a # SKIP b", "true 1 skip - a"),
            ("ok 1 # skip", "true 1 skip - "),
            ("ok 1 - #SkIp b", "true 1 skip - "),
            ("ok 1 - a # Skipped: b", "true 1 skip - a"),
            ("not ok 1 - a # TODO", "false 1 todo - a"),
            ("ok 2 a: https://x/y.html#skip it", "true 2 - - a: https://x/y.html#skip it"),
            ("ok 1 - a \\# SKIP b", "true 1 - - a # SKIP b"),
            ("ok 5 - hello \\\\# todo hash \\# character", "true 5 - - hello \\# todo hash # character"),
            ("ok 5 - hello \\\\ # todo hash", "true 5 todo - hello \\"),
            ("ok 7 - hello # description # todo", "true 7 - - hello # description # todo"),
            ("ok 8 - hello \\\\\\\\\\\\\\# todo", "true 8 - - hello \\\\\\# todo"),
            ("ok 1 - a # time=15.69ms", "true 1 - 0.01569 a"),
            ("ok 1 - a # time=2s", "true 1 - 2 a"),
            ("ok 1 - a # time=soon", "true 1 - - a # time=soon"),
            ("ok 1 - a {", "true 1 - - a {"),
            ("ok 1 - a{", "true 1 - - a{"),
            ("ok 1 - a # TODO b {", "true 1 todo - a {"),
            ("1..4", "1..4"),
            ("1..0 # SKIP no network", "1..0"),
            ("5..8", "5..8"),
            ("1..4 # some comment", "1..4"),
            ("1..4 todo 2", "Other"),
            ("100..1", "Other"),
            ("1..", "Other"),
            ("1.4", "Other"),
            ("Bail out! no disk", "BailOut"),
            ("bail OUT!", "BailOut"),
            ("Bail out", "Other"),
            ("pragma +strict", "pragma strict true"),
            ("pragma -bail", "pragma bail false"),
            ("pragma strict", "Other"),
            ("pragma +a b", "Other"),
            ("TAP version 13", "Version"),
            ("tap version 14", "Version"),
            ("TAP version", "Other"),
            ("# Subtest: a", "Subtest"),
            ("# Subtest", "Subtest"),
            ("# Subtests", "Comment"),
            ("#", "Comment"),
            ("", "Other"),
        ];
        for (line, want) in cases {
            assert_eq!(told(line), want, "{line:?}");
        }
    }
}
