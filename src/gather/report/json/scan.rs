//! Looking through bytes, eight at a time.

use super::super::eight::{LOW, control, equal, first};

/// Bytes that are looked at in words before vectors are worth their start.
const SHORT: usize = 32;

/// The first byte that means something inside a string: its end, an escape, or a control character.
#[inline]
pub(super) fn string_stop(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(eight) = text.get(at..).and_then(<[u8]>::first_chunk) {
        if at == SHORT {
            return long_stop(&text[at..]).map(|i| at + i);
        }
        let word = u64::from_le_bytes(*eight);
        if let Some(i) = first(equal(word, b'"') | equal(word, b'\\') | control(word)) {
            return Some(at + i);
        }
        at += 8;
    }
    text[at..].iter().position(|&b| stops(b)).map(|i| at + i)
}

#[inline]
fn stops(b: u8) -> bool {
    (b == b'"') | (b == b'\\') | (b < 0x20)
}

/// The same in blocks that the compiler makes into vectors.
fn long_stop(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for block in text.chunks(64) {
        if block.iter().fold(0, |any, &b| any | u8::from(stops(b))) != 0 {
            return block.iter().position(|&b| stops(b)).map(|i| at + i);
        }
        at += block.len();
    }
    None
}

/// How many bytes of white space `text` begins with (RFC 8259, section 2).
#[inline]
pub(super) fn space(text: &[u8]) -> usize {
    let is_space = |b: u8| matches!(b, b' ' | b'\n' | b'\r' | b'\t');
    let mut at = 0;
    // the indentation of pretty-printed JSON, mostly
    while let Some(eight) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        if !is_space(eight[0]) {
            return at;
        }
        let others = u64::from_le_bytes(*eight) ^ (LOW * b' ' as u64);
        if others == 0 {
            at += 8;
        } else {
            let spaces = others.trailing_zeros() as usize / 8;
            at += spaces.max(1);
        }
    }
    at + text[at..].iter().position(|&b| !is_space(b)).unwrap_or(text.len() - at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_fast_ways_find_what_the_slow_way_finds(
            text in prop::collection::vec(
                prop_oneof![40 => Just(b'a'), 1 => any::<u8>(), 1 => prop::sample::select(&b"\"\\\n\x1f\x20\x00\x7f\x80\xff"[..])],
                0..300,
            ),
            spaces in "[ \n\r\t]{0,40}",
        ) {
            prop_assert_eq!(string_stop(&text), text.iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20));
            let mixed = [spaces.as_bytes(), &text].concat();
            let slow = mixed.iter().position(|b| !b" \n\r\t".contains(b)).unwrap_or(mixed.len());
            prop_assert_eq!(space(&mixed), slow);
            let blanks = [" ".repeat(spaces.len()).as_bytes(), &text].concat();
            let slow = blanks.iter().position(|b| !b" \n\r\t".contains(b)).unwrap_or(blanks.len());
            prop_assert_eq!(space(&blanks), slow);
        }
    }
}
