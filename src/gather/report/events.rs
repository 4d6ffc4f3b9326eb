//! A report that is a stream of JSON objects, one a line, with other output between them.
//!
//! Of an object only some members are read; the rest is passed over without being held.

use super::input::Input;
use super::lines::{self, Lines};
use super::outcome::Time;
use super::refusal::{Place, Refusal, count};
use super::tally::Tally;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Levels of arrays and objects in one line.
const DEPTH_LIMIT: usize = 128;

/// Bytes of a string that is read, and of any string in a line that is too long to be held.
const STRING_LIMIT: usize = 64 * 1024;

/// A member that is read: of the object itself, or of an object in it.
pub(crate) type Name = (&'static str, &'static str);

/// What a member holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Value<'a> {
    /// It is not there.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number from 0.
    Whole(u64),
    /// Another number.
    Real(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An array or an object.
    Other,
}

impl Value<'_> {
    /// The string; empty where there is none.
    pub(crate) fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }

    /// The whole number.
    pub(crate) fn whole(&self) -> Option<u64> {
        if let Self::Whole(n) = self { Some(*n) } else { None }
    }

    /// A time of so many seconds, or parts of a second.
    pub(crate) fn time(&self, parts: f64) -> Time {
        match self {
            Self::Absent | Self::Null => Time::Absent,
            Self::Whole(n) => Time::Seconds(*n as f64 / parts),
            Self::Real(x) if x.is_finite() && *x >= 0.0 => Time::Seconds(x / parts),
            Self::Real(x) => Time::Unreadable(x.to_string()),
            other => Time::Unreadable(other.text().to_owned()),
        }
    }

    /// Whether it is `true`.
    pub(crate) fn is_true(&self) -> bool {
        *self == Self::Flag(true)
    }
}

/// What stands in a line.
pub(crate) enum Event<'l, const N: usize> {
    /// An object; its members in the order of the names.
    Object([Value<'l>; N]),
    /// Something else: what a test or a build has printed.
    Output(&'l [u8]),
}

/// The events of one report.
pub(crate) struct Events<'s> {
    lines: Lines<'s>,
    /// A long line, shortened.
    short: Vec<u8>,
}

impl<'s> Events<'s> {
    /// Begins at the first byte of `input`.
    pub(crate) fn open(input: &'s mut Input<'_>) -> Result<Self, Refusal> {
        Ok(Self { lines: Lines::open(input)?, short: Vec::new() })
    }

    /// The next line that is not blank, with its number; nothing at the end of the file.
    #[inline]
    pub(crate) fn next<const N: usize>(&mut self, names: &[Name; N]) -> Result<Option<(u64, Event<'_, N>)>, Refusal> {
        loop {
            if !self.lines.advance()? {
                return Ok(None);
            }
            if !self.lines.text().trim_ascii_start().is_empty() {
                break;
            }
        }
        let number = self.lines.number();
        if !self.lines.text().trim_ascii_start().starts_with(b"{") {
            return Ok(Some((number, Event::Output(self.lines.text()))));
        }
        let line = if self.lines.long() {
            self.short = shortened(&mut self.lines)?;
            &self.short
        } else {
            self.lines.text()
        };
        object(line, names, number).map(|members| Some((number, Event::Object(members))))
    }
}

/// Lines that are no event of a report's format, counted.
#[derive(Default)]
pub(crate) struct Strangers {
    lines: u64,
    first: u64,
}

impl Strangers {
    /// One more, with its number.
    pub(crate) fn add(&mut self, number: u64) {
        if self.lines == 0 {
            self.first = number;
        }
        self.lines += 1;
    }

    /// Says how many there were; not what stands in them, which is for no record.
    pub(crate) fn finish(&self, tally: &mut Tally) {
        let Self { lines, first } = self;
        if *lines > 0 {
            tally.warn(|| {
                format!("{lines} line(s) are no events of this format and were passed over; the first is line {first}")
            });
        }
    }
}

/// The members of the first object in `head`, a file's first bytes, that `known` recognises.
pub(crate) fn recognises<const N: usize>(head: &[u8], names: &[Name; N], known: fn(&[Value<'_>; N]) -> bool) -> bool {
    let text = lines::preview(head);
    let objects = text.lines().filter(|line| line.trim_start().starts_with('{'));
    objects.take(100).any(|line| object(line.as_bytes(), names, 1).is_ok_and(|members| known(&members)))
}

/// Reads a line that holds one object.
fn object<'l, const N: usize>(line: &'l [u8], names: &[Name; N], number: u64) -> Result<[Value<'l>; N], Refusal> {
    let mut members = std::array::from_fn(|_| Value::Absent);
    let braces = count(line, |b| b == b'{' || b == b'[');
    if braces as usize > DEPTH_LIMIT {
        let mut strings = Strings::default();
        line.iter()
            .try_for_each(|&b| strings.pass(b).map(|_| ()))
            .map_err(|r| r.at(Place { line: number, column: 1 }))?;
    }
    let mut json = serde_json::Deserializer::from_slice(line);
    let read = Object { names, outer: "", members: &mut members }.deserialize(&mut json);
    read.and_then(|()| json.end()).map_err(|e| {
        let place = Place { line: number, column: e.column() as u64 };
        let what = e.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        let help = match e.is_eof() {
            true => "The file is cut: see that the tool that writes it finishes",
            false => "Let nothing else write into the file, and give each run its own",
        };
        Refusal::new(format!("not a JSON object: {what}")).help(help).at(place)
    })?;
    Ok(members)
}

/// A long line without the ends of its long strings.
fn shortened(lines: &mut Lines<'_>) -> Result<Vec<u8>, Refusal> {
    let (mut short, mut strings) = (Vec::new(), Strings::default());
    lines.pieces(&mut |piece| {
        for &b in piece {
            if strings.pass(b)? {
                short.push(b);
            }
        }
        if short.len() <= lines::KEPT {
            return Ok(());
        }
        let what = "the line is longer than 1 MiB, and not for one long string: that is the most that is read";
        Err(Refusal::new(what).help("Check which format the tool writes"))
    })?;
    Ok(short)
}

/// Where in a JSON text a byte stands.
#[derive(Default)]
struct Strings {
    inside: bool,
    /// Bytes of the present string.
    length: usize,
    /// The rest of the present string is left out.
    cut: bool,
    escape: Escape,
    depth: usize,
}

/// How much of an escape is still to come.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    Letter,
    Digits(u8),
}

impl Strings {
    /// Goes on by a byte and says whether it belongs into the shortened text.
    fn pass(&mut self, b: u8) -> Result<bool, Refusal> {
        if self.inside {
            return self.pass_inside(b);
        }
        match b {
            b'"' => (self.inside, self.length, self.cut) = (true, 0, false),
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > DEPTH_LIMIT {
            return Err(Refusal::new(format!("arrays and objects are nested more than {DEPTH_LIMIT} deep")));
        }
        Ok(true)
    }

    fn pass_inside(&mut self, b: u8) -> Result<bool, Refusal> {
        // whole characters and whole escapes only
        self.cut |= self.length >= STRING_LIMIT && self.escape == Escape::None && b & 0xC0 != 0x80;
        self.length += 1;
        self.inside = (self.escape, b) != (Escape::None, b'"');
        self.escape = match (self.escape, b) {
            (Escape::None, b'\\') => Escape::Letter,
            (Escape::None, 0x20..) => Escape::None,
            (Escape::Letter, b'u') => Escape::Digits(4),
            (Escape::Letter, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Escape::None,
            (Escape::Digits(1), b) if b.is_ascii_hexdigit() => Escape::None,
            (Escape::Digits(n), b) if b.is_ascii_hexdigit() => Escape::Digits(n - 1),
            (Escape::None, _) => return Err(Refusal::new("a control character inside a string")),
            _ => return Err(Refusal::new("an escape that JSON does not have")),
        };
        Ok(!self.cut || !self.inside)
    }
}

/// Reads an object into the members that are wanted.
struct Object<'m, 'n, 'l, const N: usize> {
    names: &'n [Name; N],
    /// The member in which this object stands; empty for the outermost.
    outer: &'n str,
    members: &'m mut [Value<'l>; N],
}

impl<'l, const N: usize> DeserializeSeed<'l> for Object<'_, '_, 'l, N> {
    type Value = ();
    fn deserialize<D: Deserializer<'l>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'l, const N: usize> Visitor<'l> for Object<'_, '_, 'l, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'l>>(self, mut map: A) -> Result<(), A::Error> {
        // an object inside may be there once, as may each member of it
        let mut inside = Vec::new();
        while let Some(key) = map.next_key_seed(Key { names: self.names, outer: self.outer })? {
            match key {
                Found::Member(i) if self.members[i] != Value::Absent => {
                    return Err(A::Error::custom(format_args!("the member `{}` stands there twice", self.names[i].1)));
                }
                Found::Member(i) => self.members[i] = map.next_value_seed(Member)?,
                Found::Inside(name) if inside.contains(&name) => {
                    return Err(A::Error::custom(format_args!("the member `{name}` stands there twice")));
                }
                Found::Inside(name) => {
                    inside.push(name);
                    let object = Object { names: self.names, outer: name, members: &mut *self.members };
                    map.next_value_seed(object)?;
                }
                Found::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    // `null` or something else where an object was thought to stand: then its members are not there
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'l>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// A key.
struct Key<'n, const N: usize> {
    names: &'n [Name; N],
    outer: &'n str,
}

/// What a key is to us.
enum Found<'n> {
    Member(usize),
    Inside(&'n str),
    Other,
}

impl<'de, 'n, const N: usize> DeserializeSeed<'de> for Key<'n, N> {
    type Value = Found<'n>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found<'n>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'n, const N: usize> Visitor<'_> for Key<'n, N> {
    type Value = Found<'n>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    #[inline]
    fn visit_str<E: Error>(self, key: &str) -> Result<Found<'n>, E> {
        let member = self.names.iter().position(|(outer, inner)| *inner == key && *outer == self.outer);
        let inside = || self.names.iter().find(|(outer, _)| self.outer.is_empty() && *outer == key && !key.is_empty());
        Ok(member
            .map(Found::Member)
            .or_else(|| inside().map(|(outer, _)| Found::Inside(outer)))
            .unwrap_or(Found::Other))
    }
}

/// The value of a member that is read.
struct Member;

impl<'de> DeserializeSeed<'de> for Member {
    type Value = Value<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E: Error>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value<'de>, E> {
        Ok(Value::Flag(flag))
    }
    fn visit_u64<E: Error>(self, n: u64) -> Result<Value<'de>, E> {
        Ok(Value::Whole(n))
    }
    fn visit_i64<E: Error>(self, n: i64) -> Result<Value<'de>, E> {
        Ok(Value::Real(n as f64))
    }
    fn visit_f64<E: Error>(self, n: f64) -> Result<Value<'de>, E> {
        Ok(Value::Real(n))
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        bounded(text).map(|text| Value::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'de>, E> {
        bounded(text).map(|text| Value::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}

/// Two long names might differ only where they were cut, so there are no long names.
fn bounded<E: Error>(text: &str) -> Result<&str, E> {
    match text.len() < STRING_LIMIT / 6 {
        true => Ok(text),
        false => Err(E::custom("a name or a word is longer than 10 KiB, which is the most that is read")),
    }
}
