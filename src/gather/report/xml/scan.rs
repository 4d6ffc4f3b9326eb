//! Finding bytes fast without a crate and without `unsafe`: loops that the compiler makes into vectors.

/// The first byte of character data that means something: `<`, `&` or `]`.
#[inline]
pub(crate) fn markup(text: &[u8]) -> Option<usize> {
    find(text, |b| (b == b'<') | (b == b'&') | (b == b']'))
}

/// The first `b`.
#[inline]
pub(crate) fn byte(text: &[u8], b: u8) -> Option<usize> {
    find(text, |x| x == b)
}

/// The first byte that is special in an attribute's value: `quote`, `<`, `&` or a control character.
#[inline]
pub(crate) fn value_stop(text: &[u8], quote: u8) -> Option<usize> {
    find(text, |b| (b == quote) | (b == b'<') | (b == b'&') | (b < 0x20))
}

/// The first byte that `is` holds for; sixteen at a time: flags in an array, the array as a number, its lowest bit.
#[inline]
fn find(text: &[u8], is: impl Fn(u8) -> bool) -> Option<usize> {
    let mut at = 0;
    while let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let mut flags = [0u8; 16];
        for (flag, &b) in flags.iter_mut().zip(block) {
            *flag = if is(b) { 0xFF } else { 0 };
        }
        let flags = u128::from_le_bytes(flags);
        if flags != 0 {
            return Some(at + flags.trailing_zeros() as usize / 8);
        }
        at += 16;
    }
    text[at..].iter().position(|&b| is(b)).map(|i| at + i)
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
