//! Looking through bytes: eight at a time in a word where the way is short, which a call to memchr would cost more than;
//! memchr, or loops that the compiler makes into vectors, where it is long.

use super::super::eight::{HIGH, LOW, control, equal, first};
use memchr::memchr3;

/// The first byte of character data that means something: `<`, `&` or `]`.
#[inline]
pub(crate) fn markup(text: &[u8]) -> Option<usize> {
    // mostly a line end and the spaces before the next tag
    for at in [0, 8] {
        let Some(eight) = text.get(at..).and_then(<[u8]>::first_chunk) else { break };
        let word = u64::from_le_bytes(*eight);
        if let Some(i) = first(equal(word, b'<') | equal(word, b'&') | equal(word, b']')) {
            return Some(at + i);
        }
    }
    memchr3(b'<', b'&', b']', text)
}

/// The first byte that is special in an attribute's value: `quote`, `<`, `&` or a control character.
#[inline]
pub(crate) fn value_stop(text: &[u8], quote: u8) -> Option<usize> {
    // one bit tells `"` from `&`, one `'` from `&`: with it set, one look finds both
    if quote == b'"' { stop::<b'"', 0x04>(text) } else { stop::<b'\'', 0x01>(text) }
}

/// The same with numbers that the compiler knows. `BIT` makes `QUOTE` and `&` the same.
#[inline]
fn stop<const QUOTE: u8, const BIT: u8>(text: &[u8]) -> Option<usize> {
    let mut words = text.chunks_exact(8);
    let mut at = 0;
    for eight in &mut words {
        let word = eight.try_into().map_or(0, u64::from_le_bytes);
        let quoted = equal(word | (LOW * BIT as u64), QUOTE | BIT);
        if let Some(i) = first(quoted | equal(word, b'<') | control(word)) {
            return Some(at + i);
        }
        at += 8;
    }
    let special = |&b: &u8| b == QUOTE || b == b'<' || b == b'&' || b < 0x20;
    words.remainder().iter().position(special).map(|i| at + i)
}

/// How many of the first bytes are lower-case letters, which most names are made of: perhaps fewer than there are, where
/// fewer than eight bytes follow.
#[inline]
pub(crate) fn letters(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(eight) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(*eight);
        // sums that carry into the top bit of a byte from `a` on, and from behind `z` on
        let (from_a, behind_z) = ((word & !HIGH) + LOW * 0x1F, (word & !HIGH) + LOW * 0x05);
        let others = (!from_a | behind_z | word) & HIGH;
        if let Some(i) = first(others) {
            return at + i;
        }
        at += 8;
    }
    at
}

/// Whether `text` is ASCII without control characters but white space, as most of every report is.
pub(crate) fn is_plain(text: &[u8]) -> bool {
    // with a sign, what is beyond ASCII is below the space as well
    let odd = |b: u8| (b.cast_signed() < 0x20) & (b != b'\t') & (b != b'\n') & (b != b'\r');
    text.chunks(4096).all(|block| block.iter().fold(0, |any, &b| any | u8::from(odd(b))) == 0)
}

/// The first byte of a character outside XML's `Char` (XML 1.0, 2.2) in valid UTF-8; with `ascii`, outside ASCII too.
pub(crate) fn forbidden(text: &[u8], ascii: bool) -> Option<usize> {
    let control = |b: u8| (b < 0x20) & (b != b'\t') & (b != b'\n') & (b != b'\r');
    let limit = if ascii { 0x80 } else { 0xEF };
    let mut at = 0;
    for block in text.chunks(128) {
        if block.iter().fold(0, |any, &b| any | u8::from(control(b) | (b >= limit))) != 0 {
            for i in at..at + block.len() {
                // U+FFFE and U+FFFF are EF BF BE and EF BF BF
                let wide = text[i] == 0xEF && matches!(text.get(i + 1..i + 3), Some([0xBF, 0xBE | 0xBF]));
                if control(text[i]) || wide || (ascii && text[i] >= 0x80) {
                    return Some(i);
                }
            }
        }
        at += block.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_fast_ways_find_what_the_slow_way_finds(
            text in prop::collection::vec(
                prop_oneof![30 => Just(b'a'), 1 => any::<u8>(), 1 => prop::sample::select(&b"<&]\"'\n\x1f\x20\x00"[..])],
                0..100,
            )
        ) {
            let slow = |is: &dyn Fn(u8) -> bool| text.iter().position(|&b| is(b));
            prop_assert_eq!(markup(&text), slow(&|b| b"<&]".contains(&b)));
            for quote in [b'"', b'\''] {
                prop_assert_eq!(value_stop(&text, quote), slow(&|b| b == quote || b == b'<' || b == b'&' || b < 0x20));
            }
            let all = slow(&|b| !b.is_ascii_lowercase()).unwrap_or(text.len());
            prop_assert!(letters(&text) <= all && letters(&text) >= all.min(text.len() / 8 * 8), "{}", letters(&text));
        }

        #[test]
        fn counting_in_blocks_is_counting(text in prop::collection::vec(prop::sample::select(&b"ab\n"[..]), 0..2000)) {
            prop_assert_eq!(crate::gather::report::refusal::count(&text, |b| b == b'\n'), text.iter().filter(|&&b| b == b'\n').count() as u64);
        }

        #[test]
        fn forbidden_characters_are_found_where_they_are(text in "[a-z\u{1}\t\n\r\u{7f}\u{85}é\u{FFFD}-\u{FFFF}\u{1F600}]{0,200}") {
            let bad = |c: char| (c < ' ' && !"\t\n\r".contains(c)) || matches!(c, '\u{FFFE}' | '\u{FFFF}');
            prop_assert_eq!(forbidden(text.as_bytes(), false), text.find(bad));
            prop_assert_eq!(is_plain(text.as_bytes()), forbidden(text.as_bytes(), true).is_none());
            prop_assert_eq!(forbidden(text.as_bytes(), true), text.find(|c| bad(c) || !c.is_ascii()));
        }
    }
}
