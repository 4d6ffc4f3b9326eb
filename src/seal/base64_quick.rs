//! Standard base64 by four tables, eight characters at a time.
//!
//! It only ever says yes: what it does not decode (faults, the URL-safe alphabet) is for the `base64` crate, which also
//! judges the end of every text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a character adds to the 24 bits of four, for each of the four places (RFC 4648, table 1).
static TABLES: [[u32; 256]; 4] = [table(18), table(12), table(6), table(0)];
/// Beyond the 24 bits: not of the alphabet.
const FAULT: u32 = 1 << 31;

const fn table(shift: u32) -> [u32; 256] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [FAULT; 256];
    let mut i = 0;
    while i < ALPHABET.len() {
        table[ALPHABET[i] as usize] = (i as u32) << shift;
        i += 1;
    }
    table
}

/// The bytes of padded, canonical, standard base64; `None` when it is anything else.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    // padding stands at the end only: the last eight are left to the crate
    let (eights, end) = text.split_at_checked(text.len().saturating_sub(1) / 8 * 8)?;
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    out.resize(eights.len() / 4 * 3, 0);
    let mut seen = 0;
    for (eight, bytes) in eights.as_chunks().0.iter().zip(out.as_chunks_mut().0) {
        let [a, b, c, d, e, f, g, h] = *eight;
        let (head, tail) = (four([a, b, c, d]), four([e, f, g, h]));
        seen |= head | tail;
        let [_, _, six @ ..] = (u64::from(head) << 24 | u64::from(tail)).to_be_bytes();
        *bytes = six;
    }
    if seen & FAULT != 0 {
        return None;
    }
    STANDARD.decode_vec(end, &mut out).ok()?;
    Some(out)
}

fn four([a, b, c, d]: [u8; 4]) -> u32 {
    let [first, second, third, fourth] = &TABLES;
    first[usize::from(a)] | second[usize::from(b)] | third[usize::from(c)] | fourth[usize::from(d)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_byte_in_every_place_is_judged_as_the_crate_judges_it() {
        let text = STANDARD.encode(std::array::from_fn::<u8, 100, _>(|i| i as u8));
        for place in 0..text.len() {
            for byte in 0..=255 {
                let mut changed = text.clone().into_bytes();
                changed[place] = byte;
                assert_eq!(decode(&changed), STANDARD.decode(&changed).ok(), "{byte} at {place}");
            }
        }
    }

    #[test]
    fn padding_anywhere_but_at_the_end_is_refused() {
        for text in ["Zg==".repeat(8), "Zg==".repeat(9), format!("{}Zg==Zg==", "AAAA".repeat(7)), "====".repeat(9)] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(decode(STANDARD.encode(&bytes).as_bytes()), Some(bytes));
        }
    }
}
