//! Finding bytes fast without a crate for it: eight at a time, then sixty-four.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// A bit set in the lowest byte of `word` that is `b`, perhaps more above it, none below.
#[inline]
fn equal(word: u64, b: u8) -> u64 {
    let zero = word ^ (LOW * b as u64);
    zero.wrapping_sub(LOW) & !zero & HIGH
}

/// The first byte of character data that means something: `<`, `&` or `]`.
#[inline]
pub(crate) fn markup(text: &[u8]) -> Option<usize> {
    let hit = |w| equal(w, b'<') | equal(w, b'&') | equal(w, b']');
    let is = |b| (b == b'<') | (b == b'&') | (b == b']');
    find(text, hit, is)
}

/// The first `b`.
#[inline]
pub(crate) fn byte(text: &[u8], b: u8) -> Option<usize> {
    find(text, |w| equal(w, b), |x| x == b)
}

/// The first byte that is special in an attribute's value: `quote`, `<`, `&` or a control character.
#[inline]
pub(crate) fn value_stop(text: &[u8], quote: u8) -> Option<usize> {
    let control = |w: u64| w.wrapping_sub(LOW * 0x20) & !w & HIGH;
    let hit = |w| equal(w, quote) | equal(w, b'<') | equal(w, b'&') | control(w);
    let is = |b| (b == quote) | (b == b'<') | (b == b'&') | (b < 0x20);
    find(text, hit, is)
}

/// Short distances are the rule between tags; long ones, in output, go by vectors that the compiler makes of a
/// branch-free loop.
#[inline]
fn find(text: &[u8], hit: impl Fn(u64) -> u64, is: impl Fn(u8) -> bool) -> Option<usize> {
    let mut at = 0;
    while at < 64 {
        let Some(eight) = text[at..].first_chunk::<8>() else {
            return text[at..].iter().position(|&b| is(b)).map(|i| at + i);
        };
        let hits = hit(u64::from_le_bytes(*eight));
        if hits != 0 {
            return Some(at + hits.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    for block in text[at..].chunks(64) {
        if block.iter().fold(0, |any, &b| any | u8::from(is(b))) != 0 {
            return block.iter().position(|&b| is(b)).map(|i| at + i);
        }
        at += block.len();
    }
    None
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
            text in proptest::collection::vec(
                prop_oneof![30 => Just(b'a'), 1 => any::<u8>(), 1 => prop::sample::select(&b"<&]\"'\n\x1f\x20\x00"[..])],
                0..400,
            )
        ) {
            let slow = |is: &dyn Fn(u8) -> bool| text.iter().position(|&b| is(b));
            prop_assert_eq!(markup(&text), slow(&|b| b"<&]".contains(&b)));
            prop_assert_eq!(byte(&text, b'\''), slow(&|b| b == b'\''));
            prop_assert_eq!(value_stop(&text, b'"'), slow(&|b| b == b'"' || b == b'<' || b == b'&' || b < 0x20));
            prop_assert_eq!(crate::gather::report::refusal::count(&text, b'a'), text.iter().filter(|&&b| b == b'a').count() as u64);
        }

        #[test]
        fn forbidden_characters_are_found_where_they_are(text in "[a-z\u{1}\t\n\r\u{7f}\u{85}é\u{FFFD}-\u{FFFF}\u{1F600}]{0,200}") {
            let bad = |c: char| (c < ' ' && !"\t\n\r".contains(c)) || matches!(c, '\u{FFFE}' | '\u{FFFF}');
            prop_assert_eq!(forbidden(text.as_bytes(), false), text.find(bad));
            prop_assert_eq!(forbidden(text.as_bytes(), true), text.find(|c| bad(c) || !c.is_ascii()));
        }
    }
}
