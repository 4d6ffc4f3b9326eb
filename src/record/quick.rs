//! JSON read into a type as fast as its strings can be copied: a [`Deserializer`] over text that has been checked.
//!
//! It knows only what a record needs, and gives up at everything else, without a reason: an error, an escape in a
//! name, an odd number, a field that the type does not have. What gave up is read by serde_json, which alone refuses,
//! explains and names unknown fields; where this one does not give up, both read the same (a property test holds it
//! to that). serde_json with `serde_ignored` takes more than twice as long.

use memchr::memchr2;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Levels at which it gives up. Its own types end before; this holds for a type that nests itself.
const MAX_LEVELS: usize = 16;
/// Digits of an integer that surely fit an `i64`.
const MAX_DIGITS: usize = 18;

/// Bytes of a string after which a search by vectors pays.
const LONG: usize = 64;

/// Reads all of `text` as a `T` that has every field the text has, or gives up.
pub(super) fn read<T: de::DeserializeOwned>(text: &str) -> Option<T> {
    let mut reader = Reader { text, at: 0, levels: 0 };
    let value = T::deserialize(&mut reader).ok()?;
    reader.token().is_none().then_some(value)
}

/// That it gave up.
#[derive(Debug)]
pub(super) struct GaveUp;

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("gave up")
    }
}

impl std::error::Error for GaveUp {}

impl de::Error for GaveUp {
    // no text is made: nobody reads it
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

struct Reader<'de> {
    text: &'de str,
    at: usize,
    levels: usize,
}

impl<'de> Reader<'de> {
    /// The next byte that is no white space, which is not stepped over.
    fn token(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    fn take(&mut self, wanted: u8) -> Result<(), GaveUp> {
        let is = self.token() == Some(wanted);
        self.at += usize::from(is);
        if is { Ok(()) } else { Err(GaveUp) }
    }

    fn word(&mut self, word: &str) -> Result<(), GaveUp> {
        let is = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes()));
        self.at += word.len();
        if is { Ok(()) } else { Err(GaveUp) }
    }

    /// A string as it stands between its quotes; the flag says whether there are escapes in it.
    fn string(&mut self) -> Result<(&'de str, bool), GaveUp> {
        self.take(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += self.text.as_bytes().get(self.at..).and_then(plain).ok_or(GaveUp)?;
            if self.text.as_bytes().get(self.at) == Some(&b'"') {
                break;
            }
            // whatever it stands for, serde_json will say
            escaped = true;
            self.at += 2;
        }
        let inside = self.text.get(start..self.at).ok_or(GaveUp)?;
        self.at += 1;
        Ok((inside, escaped))
    }

    fn text<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GaveUp> {
        self.token();
        let start = self.at;
        match self.string()? {
            (inside, false) => visitor.visit_borrowed_str(inside),
            (_, true) => {
                let quoted = self.text.get(start..self.at).ok_or(GaveUp)?;
                visitor.visit_string(serde_json::from_str(quoted).map_err(|_| GaveUp)?)
            }
        }
    }

    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GaveUp> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|b| !matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        let rest = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.at += rest.len();
        match rest {
            [b'1'..=b'9', ..] | b"0" if rest.len() <= MAX_DIGITS && rest.iter().all(u8::is_ascii_digit) => {
                visitor.visit_u64(rest.iter().fold(0, |n, b| n * 10 + u64::from(b - b'0')))
            }
            // its rounding of a fraction is its own
            _ => {
                let mut number = serde_json::Deserializer::from_slice(rest);
                let value = number.deserialize_any(visitor).map_err(|_| GaveUp)?;
                number.end().map(|()| value).map_err(|_| GaveUp)
            }
        }
    }

    /// Goes one level in behind `open`, and out again before `close`.
    fn within<V>(
        &mut self,
        open: u8,
        close: u8,
        read: impl FnOnce(Items<'_, 'de>) -> Result<V, GaveUp>,
    ) -> Result<V, GaveUp> {
        self.take(open)?;
        self.levels += 1;
        if self.levels > MAX_LEVELS {
            return Err(GaveUp);
        }
        let value = read(Items { reader: self, close, first: true })?;
        self.levels -= 1;
        self.take(close)?;
        Ok(value)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = GaveUp;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
        match self.token().ok_or(GaveUp)? {
            b'"' => self.text(visitor),
            b'{' => self.within(b'{', b'}', |items| visitor.visit_map(items)),
            b'[' => self.within(b'[', b']', |items| visitor.visit_seq(items)),
            b't' => self.word("true").and_then(|()| visitor.visit_bool(true)),
            b'f' => self.word("false").and_then(|()| visitor.visit_bool(false)),
            b'n' => self.word("null").and_then(|()| visitor.visit_unit()),
            _ => self.number(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
        match self.token() {
            Some(b'n') => self.word("null").and_then(|()| visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
        self.text(visitor)
    }

    /// Only an object: serde_json would read a list of the fields, too.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, GaveUp> {
        self.within(b'{', b'}', |items| visitor.visit_map(items))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
        self.within(b'{', b'}', |items| visitor.visit_map(items))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
        self.within(b'[', b']', |items| visitor.visit_seq(items))
    }

    /// Only a variant without content, which is a string.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, GaveUp> {
        match self.string()? {
            (variant, false) => visitor.visit_enum(variant.into_deserializer()),
            (_, true) => Err(GaveUp),
        }
    }

    /// The name of a field.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GaveUp> {
        match self.string()? {
            (name, false) => visitor.visit_borrowed_str(name),
            (_, true) => Err(GaveUp),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, GaveUp> {
        visitor.visit_newtype_struct(self)
    }

    /// A field that the type does not have: its path is asked for, and serde_ignored knows it.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, GaveUp> {
        Err(GaveUp)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
    }
}

/// What stands between two brackets, up to the closing one.
struct Items<'a, 'de> {
    reader: &'a mut Reader<'de>,
    close: u8,
    first: bool,
}

impl<'de> Items<'_, 'de> {
    /// Steps over a comma; `false` at the end.
    fn more(&mut self) -> Result<bool, GaveUp> {
        if self.reader.token() == Some(self.close) {
            return Ok(false);
        }
        if !std::mem::take(&mut self.first) {
            self.reader.take(b',')?;
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = GaveUp;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, GaveUp> {
        if self.more()? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = GaveUp;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, GaveUp> {
        if self.more()? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, GaveUp> {
        self.reader.take(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

/// How many bytes of a string come before its next quote or backslash; `None` for a control character or no end.
pub(crate) fn plain(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for chunk in text.as_chunks::<8>().0.iter().take(LONG / 8) {
        let stops = stops(u64::from_le_bytes(*chunk));
        if stops != 0 {
            at += stops.trailing_zeros() as usize / 8;
            return text.get(at).filter(|b| **b >= 0x20).map(|_| at);
        }
        at += 8;
    }
    let rest = text.get(at..)?;
    let before = memchr2(b'"', b'\\', rest)?;
    // a minimum and no early end: the compiler makes vectors of it
    let least = rest.get(..before)?.iter().fold(0xff, |least, b| (*b).min(least));
    (least >= 0x20).then_some(at + before)
}

/// The high bit of every byte that is a quote, a backslash or a control character; exact up to the first such byte
/// (A. Mycroft's test for a zero byte).
fn stops(eight: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let quote = eight ^ (ONES * b'"' as u64);
    let backslash = eight ^ (ONES * b'\\' as u64);
    let control = eight.wrapping_sub(ONES * 0x20) & !eight;
    (control | (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash)) & (ONES << 7)
}

#[cfg(test)]
#[path = "quick_tests.rs"]
mod tests;
