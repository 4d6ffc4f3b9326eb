//! DER (ITU-T X.690), as little as a time-stamp needs: elements one after another, definite and minimal lengths only.
//!
//! Strict, because what is signed must be read in one way only. In two things lenient: the order inside a SET (OpenSSL
//! writes certificates unsorted) and what stands inside elements that nobody asks for. No recursion: depth is in the code.

use super::error::TimestampError;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// A context-specific tag: `[n]` primitive; constructed with `| CONSTRUCTED`.
pub(super) const CONTEXT: u8 = 0x80;
pub(super) const CONSTRUCTED: u8 = 0x20;

/// Unread bytes, and where they stand in the whole input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Der<'a> {
    rest: &'a [u8],
    at: usize,
}

/// One element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    /// Its tag; one byte is enough for everything here.
    pub(super) tag: u8,
    /// Its contents.
    pub(super) body: &'a [u8],
    /// Tag, length and contents, as received.
    pub(super) whole: &'a [u8],
    /// Where the contents stand.
    at: usize,
}

impl<'a> Element<'a> {
    /// Reads the contents as elements.
    pub(super) fn inside(&self) -> Der<'a> {
        Der { rest: self.body, at: self.at }
    }
}

impl<'a> Der<'a> {
    /// Reads `bytes` from their beginning.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// Whether everything is read.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// That nothing is left; `what` is what has ended.
    pub(super) fn end(self, what: &'static str) -> Result<(), TimestampError> {
        if self.is_empty() { Ok(()) } else { Err(self.bad(what, "something follows that does not belong there")) }
    }

    /// The next element, whatever it is.
    pub(super) fn next(&mut self, what: &'static str) -> Result<Element<'a>, TimestampError> {
        let (tag, header, length) = header(self.rest).map_err(|why| self.bad(what, why))?;
        let total = header + length;
        let cut = || self.bad(what, "it is cut off");
        let whole = self.rest.get(..total).ok_or_else(cut)?;
        let body = whole.get(header..).ok_or_else(cut)?;
        let element = Element { tag, body, whole, at: self.at + header };
        self.rest = self.rest.get(total..).unwrap_or_default();
        self.at += total;
        Ok(element)
    }

    /// The next element, which has to have this tag.
    pub(super) fn expect(&mut self, tag: u8, what: &'static str) -> Result<Element<'a>, TimestampError> {
        let mut ahead = *self;
        let element = ahead.next(what)?;
        if element.tag != tag {
            return Err(self.bad(what, "something else stands there"));
        }
        *self = ahead;
        Ok(element)
    }

    /// The next element if it has this tag; otherwise it stays unread.
    pub(super) fn optional(&mut self, tag: u8, what: &'static str) -> Result<Option<Element<'a>>, TimestampError> {
        if self.rest.first() == Some(&tag) { self.next(what).map(Some) } else { Ok(None) }
    }

    /// The contents of the next SEQUENCE.
    pub(super) fn sequence(&mut self, what: &'static str) -> Result<Der<'a>, TimestampError> {
        Ok(self.expect(SEQUENCE, what)?.inside())
    }

    /// The contents of the next INTEGER: two's complement, minimal.
    pub(super) fn integer(&mut self, what: &'static str) -> Result<&'a [u8], TimestampError> {
        let here = *self;
        let body = self.expect(INTEGER, what)?.body;
        minimal(body).then_some(body).ok_or_else(|| here.bad(what, "the integer is not minimal"))
    }

    /// The next BOOLEAN if there is one; DER spells out only `TRUE` where `FALSE` is the default.
    pub(super) fn flag(&mut self, what: &'static str) -> Result<bool, TimestampError> {
        let here = *self;
        match self.optional(BOOLEAN, what)?.map(|e| e.body) {
            None => Ok(false),
            Some([0xff]) => Ok(true),
            Some([0x00]) => Ok(false),
            Some(_) => Err(here.bad(what, "the boolean is neither true nor false")),
        }
    }

    /// An error here.
    pub(super) fn bad(&self, what: &'static str, why: &'static str) -> TimestampError {
        TimestampError::Malformed { what, at: self.at, why }
    }
}

/// Whether the contents of an INTEGER are as short as can be (X.690 section 8.3.2).
pub(super) fn minimal(body: &[u8]) -> bool {
    match body {
        [] => false,
        [0x00, next, ..] => next & 0x80 != 0,
        [0xff, next, ..] => next & 0x80 == 0,
        _ => true,
    }
}

/// Tag, length of the header, length of the contents (X.690 sections 8.1 and 10.1).
fn header(bytes: &[u8]) -> Result<(u8, usize, usize), &'static str> {
    let [tag, first, rest @ ..] = bytes else { return Err("it is cut off") };
    if tag & 0x1f == 0x1f {
        return Err("its tag is too large");
    }
    match (first, rest) {
        (0..0x80, _) => Ok((*tag, 2, usize::from(*first))),
        (0x80, _) => Err("its length is indefinite, which DER does not allow"),
        (0x81, [n @ 0x80..=0xff, ..]) => Ok((*tag, 3, usize::from(*n))),
        (0x82, [high @ 1..=0xff, low, ..]) => Ok((*tag, 4, usize::from(u16::from_be_bytes([*high, *low])))),
        (0x81, []) | (0x82, [] | [_]) => Err("it is cut off"),
        (0x81 | 0x82, _) => Err("its length is not minimal"),
        // three bytes of length are 64 KiB or more: larger than anything that is read here
        _ => Err("its length is larger than any time-stamp"),
    }
}

/// Writes one element around `body`, of at most 64 KiB: everything that is written here is smaller.
pub(super) fn write(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let n = body.len();
    match u8::try_from(n) {
        Ok(short @ 0..0x80) => out.push(short),
        Ok(byte) => out.extend([0x81, byte]),
        Err(_) => out.extend([0x82, (n >> 8) as u8, n as u8]),
    }
    out.extend_from_slice(body);
    out
}

/// An unsigned number as an INTEGER.
pub(super) fn write_unsigned(bytes: &[u8]) -> Vec<u8> {
    write(INTEGER, &unsigned(bytes))
}

/// The contents of the INTEGER that an unsigned number makes.
pub(super) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    let mut body = bytes.get(zeros..).unwrap_or_default().to_vec();
    if body.first().is_none_or(|b| b & 0x80 != 0) {
        body.insert(0, 0);
    }
    body
}

/// An OID in words: `1.2.840.113549`. `None` if it is malformed or an arc is over 64 bits.
pub(super) fn dotted(oid: &[u8]) -> Option<String> {
    let mut arcs = Vec::new();
    let mut arc: u64 = 0;
    let mut fresh = true;
    for byte in oid {
        if fresh && *byte == 0x80 {
            return None; // not minimal
        }
        arc = arc.checked_mul(128)? | u64::from(byte & 0x7f);
        fresh = byte & 0x80 == 0;
        if fresh {
            arcs.push(arc);
            arc = 0;
        }
    }
    let first = *arcs.first().filter(|_| fresh)?;
    let top = (first / 40).min(2);
    let mut text = format!("{top}.{}", first - top * 40);
    arcs.iter().skip(1).for_each(|a| text.push_str(&format!(".{a}")));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(bytes: &[u8]) -> Result<Element<'_>, TimestampError> {
        Der::new(bytes).next("test")
    }

    #[test]
    fn lengths_are_definite_minimal_and_there() {
        assert_eq!(one(&[0x04, 0x01, 0x07, 0x09]).unwrap().body, [7], "what follows is left");
        for bad in [
            &[][..],
            &[0x04],
            &[0x04, 0x01],
            &[0x04, 0x80, 0x00, 0x00],       // indefinite
            &[0x04, 0x81, 0x01, 0x00],       // not minimal
            &[0x04, 0x82, 0x00, 0x80, 0x00], // not minimal
            &[0x04, 0x82, 0x01],
            &[0x04, 0x83, 0x01, 0x00, 0x00],
            &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x1f, 0x01, 0x00], // a tag of more bytes
        ] {
            assert!(matches!(one(bad), Err(TimestampError::Malformed { .. })), "{bad:?}");
        }
    }

    #[test]
    fn an_error_says_where() {
        let bytes = write(SEQUENCE, &[write(INTEGER, &[1]), write(INTEGER, &[0, 1])].concat());
        let mut inside = Der::new(&bytes).sequence("outer").unwrap();
        inside.integer("first").unwrap();
        let error = inside.integer("second").unwrap_err();
        assert!(matches!(error, TimestampError::Malformed { what: "second", at: 5, .. }), "{error}");
    }

    #[test]
    fn oids_in_words() {
        for (bytes, want) in [
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d][..], Some("1.2.840.113549")),
            (&[0x00], Some("0.0")),
            (&[0x27], Some("0.39")),
            (&[0x88, 0x37, 0x03], Some("2.999.3")),
            (&[], None),
            (&[0x2a, 0x86], None),
            (&[0x2a, 0x80, 0x01], None),
            (&[0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], None),
        ] {
            assert_eq!(dotted(bytes).as_deref(), want, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(tag in 1u8..0x1f, body in proptest::collection::vec(any::<u8>(), 0..700)) {
            let bytes = write(tag, &body);
            let mut der = Der::new(&bytes);
            let element = der.next("test").unwrap();
            prop_assert_eq!((element.tag, element.body, element.whole), (tag, &body[..], &bytes[..]));
            prop_assert!(der.end("test").is_ok());
        }

        #[test]
        fn unsigned_numbers_are_minimal_and_not_negative(bytes: [u8; 8]) {
            let body = unsigned(&bytes);
            prop_assert!(minimal(&body) && body[0] & 0x80 == 0);
            let value = body.iter().fold(0u128, |n, b| n << 8 | u128::from(*b));
            prop_assert_eq!(value, u128::from(u64::from_be_bytes(bytes)));
        }
    }
}
