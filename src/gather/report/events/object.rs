//! One object of a line, of which some members are wanted.

use super::super::outcome::Time;
use super::super::refusal::{Place, Refusal, count};
use super::plain::plain;
use super::strings::{DEPTH_LIMIT, Strings};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Bytes of a string that is read. Two longer names might differ only where a long line was shortened.
pub(super) const NAME_LIMIT: usize = 10 * 1024;

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

/// Reads a line that holds one object.
#[inline]
pub(super) fn object<'l, const N: usize>(
    line: &'l [u8],
    names: &[Name; N],
    number: u64,
) -> Result<[Value<'l>; N], Refusal> {
    match plain(line, names) {
        Some(members) => Ok(members),
        None => thorough(line, names, number),
    }
}

/// The pass that judges and explains.
#[inline(never)]
pub(super) fn thorough<'l, const N: usize>(
    line: &'l [u8],
    names: &[Name; N],
    number: u64,
) -> Result<[Value<'l>; N], Refusal> {
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

fn bounded<E: Error>(text: &str) -> Result<&str, E> {
    match text.len() <= NAME_LIMIT {
        true => Ok(text),
        false => Err(E::custom("a name or a word is longer than 10 KiB, which is the most that is read")),
    }
}
