//! The quick half of [`super::strict_json`]: one pass over text that answers "surely good" or "not sure".
//!
//! It never says what is wrong. Whatever it does not know for certain (a fault, but also an escape in a key, a
//! surrogate, an exponent, many members, many levels) is left to the thorough pass, which alone refuses and explains.
//! On the statement of a run record it takes half as long as that pass.

use crate::record::quick::plain;
use std::ops::Range;

/// Levels and members of one object beyond which it is not sure. They bound its memory and its comparing.
const MAX_LEVELS: usize = 32;
const MAX_MEMBERS: usize = 64;
/// Digits of a number beyond which it is not sure: 10^15 is below 2^53, which every reader keeps.
const MAX_DIGITS: usize = 15;

/// That a text is strict JSON: one value, no duplicate key at any depth, every number nearer to zero than 2^53.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sure {
    /// Where the value of the outermost member stands that was asked for.
    pub(super) member: Option<Range<usize>>,
}

/// Walks over `text`; `None` when it is not sure. `member` is the outermost member to find.
pub(super) fn scan(text: &[u8], member: &str) -> Option<Sure> {
    // nearly every text is ASCII, which is the simpler question
    if !text.is_ascii() && std::str::from_utf8(text).is_err() {
        return None;
    }
    let mut cursor = Cursor { text, at: 0 };
    let mut keys = Keys(Vec::with_capacity(MAX_MEMBERS));
    // of every open object where its keys begin; `None` for an array
    let mut open: Vec<Option<usize>> = Vec::with_capacity(MAX_LEVELS);
    let (mut begun, mut found, mut member_of) = (None, None, None);
    loop {
        // here a value begins, in an object behind its key
        if let Some(first) = member_of.take() {
            let key = cursor.key(&mut keys, first)?;
            if open.len() == 1 && key == member.as_bytes() {
                begun = Some(cursor.peek_token());
            }
        }
        match cursor.token() {
            b'"' => drop(cursor.string()?),
            b'{' | b'[' if open.len() == MAX_LEVELS => return None,
            b'{' if cursor.token_if(b'}') => {}
            b'[' if cursor.token_if(b']') => {}
            b'{' => {
                member_of = Some(keys.0.len());
                open.push(member_of);
                continue;
            }
            b'[' => {
                open.push(None);
                continue;
            }
            b't' => cursor.word(b"rue")?,
            b'f' => cursor.word(b"alse")?,
            b'n' => cursor.word(b"ull")?,
            first => cursor.number(first)?,
        }
        // here one has ended, and with it perhaps what it stands in
        loop {
            if open.len() == 1 {
                found = begun.take().map(|start| start..cursor.at).or(found);
            }
            let Some(innermost) = open.last() else {
                return (cursor.peek_token() == text.len()).then_some(Sure { member: found });
            };
            match (cursor.token(), *innermost) {
                (b',', first) => {
                    member_of = first;
                    break;
                }
                (b']', None) => {}
                (b'}', Some(first)) => keys.0.truncate(first),
                _ => return None,
            }
            open.pop();
        }
    }
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Steps to the next byte that is no white space, and says where it is.
    fn peek_token(&mut self) -> usize {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(self.at) {
            self.at += 1;
        }
        self.at
    }

    /// Takes the next byte that is no white space; 0, which nothing begins with, at the end.
    fn token(&mut self) -> u8 {
        let at = self.peek_token();
        self.at += 1;
        self.text.get(at).copied().unwrap_or_default()
    }

    fn token_if(&mut self, wanted: u8) -> bool {
        let at = self.peek_token();
        let is = self.text.get(at) == Some(&wanted);
        self.at += usize::from(is);
        is
    }

    fn word(&mut self, rest: &[u8]) -> Option<()> {
        self.text.get(self.at..)?.starts_with(rest).then(|| self.at += rest.len())
    }

    /// A number, behind its first byte.
    fn number(&mut self, first: u8) -> Option<()> {
        let mut digits = usize::from(first.is_ascii_digit());
        let mut leading = first;
        if first == b'-' {
            leading = *self.text.get(self.at)?;
            digits = self.digits();
        } else {
            digits += if digits == 0 { return None } else { self.digits() };
        }
        if digits == 0 || (leading == b'0' && digits > 1) {
            return None;
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            let fraction = self.digits();
            digits += if fraction == 0 { return None } else { fraction };
        }
        (digits <= MAX_DIGITS && !matches!(self.text.get(self.at), Some(b'e' | b'E'))).then_some(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - start
    }

    /// A member's key and its colon. The key has to be a new one, and without escapes, so that comparing bytes is
    /// comparing keys.
    fn key(&mut self, keys: &mut Keys<'a>, first: usize) -> Option<&'a [u8]> {
        if self.token() != b'"' {
            return None;
        }
        let (key, escaped) = self.string()?;
        (!escaped && keys.add(key, first) && self.token() == b':').then_some(key)
    }

    /// A string, behind its first quote: what is in it, and whether there are escapes.
    fn string(&mut self) -> Option<(&'a [u8], bool)> {
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain(self.text.get(self.at..)?)?;
            if *self.text.get(self.at)? == b'"' {
                let inside = self.text.get(start..self.at)?;
                self.at += 1;
                return Some((inside, escaped));
            }
            escaped = true;
            match self.text.get(self.at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
                b'u' => {
                    let hex = self.text.get(self.at + 2..self.at + 6)?;
                    // half of a pair is good only beside the other half
                    let surrogate = matches!(hex, [b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..]);
                    if surrogate || !hex.iter().all(u8::is_ascii_hexdigit) {
                        return None;
                    }
                    self.at += 6;
                }
                _ => return None,
            }
        }
    }
}

/// The keys of every open object, the innermost last, each with a number that differs for most different keys.
struct Keys<'a>(Vec<(usize, &'a [u8])>);

impl<'a> Keys<'a> {
    /// Adds a key to the object whose keys begin at `first`; `false` when it is there already, or one too many.
    fn add(&mut self, key: &'a [u8], first: usize) -> bool {
        let ends = key.first().zip(key.last()).map_or(0, |(a, z)| usize::from(*a) << 8 | usize::from(*z));
        let print = key.len() << 16 | ends;
        let seen = self.0.get(first..).unwrap_or_default();
        if seen.len() >= MAX_MEMBERS || seen.iter().any(|(p, k)| *p == print && *k == key) {
            return false;
        }
        self.0.push((print, key));
        true
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
