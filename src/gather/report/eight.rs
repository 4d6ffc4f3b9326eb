//! Eight bytes in one number, to look at them at once.

pub(super) const LOW: u64 = 0x0101_0101_0101_0101;
pub(super) const HIGH: u64 = 0x8080_8080_8080_8080;

/// A bit in the lowest byte of `word` that is `b`: perhaps more above it, none below.
#[inline]
pub(super) fn equal(word: u64, b: u8) -> u64 {
    let zero = word ^ (LOW * b as u64);
    zero.wrapping_sub(LOW) & !zero & HIGH
}

/// The same for a byte that is a control character.
#[inline]
pub(super) fn control(word: u64) -> u64 {
    word.wrapping_sub(LOW * 0x20) & !word & HIGH
}

/// Where the first byte is that has a bit.
#[inline]
pub(super) fn first(hits: u64) -> Option<usize> {
    (hits != 0).then(|| hits.trailing_zeros() as usize / 8)
}
