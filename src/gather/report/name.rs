//! Names of any length: what is kept of them, and telling a repeated one.

use crate::record::digest::Sha256Digest;
use std::hash::Hasher;

/// Bytes of a name that are kept.
pub(crate) const NAME_LIMIT: usize = 1024;

/// Cuts `name`, which is UTF-8, to [`NAME_LIMIT`] at a character; what is cut is told by its length and digest.
#[inline]
pub(crate) fn cut(name: &mut Vec<u8>) {
    if name.len() > NAME_LIMIT {
        *name = shortened(name);
    }
}

/// In memory of its own: that of the whole name goes.
#[cold]
fn shortened(name: &[u8]) -> Vec<u8> {
    told(name, name.len(), &Sha256Digest::of(name))
}

/// The beginning of a name, of which at least a byte more than [`NAME_LIMIT`] is at hand, and what the whole of it is.
pub(crate) fn told(start: &[u8], length: usize, digest: &Sha256Digest) -> Vec<u8> {
    let whole = (0..=NAME_LIMIT).rev().find(|&end| start[end] & 0xC0 != 0x80).unwrap_or(0);
    let told = format!("… [{length} bytes, sha256 {digest}]");
    [&start[..whole], told.as_bytes()].concat()
}

/// `text`, [`cut`], as a string of its own.
pub(crate) fn kept(text: &[u8]) -> String {
    let short = (text.len() > NAME_LIMIT).then(|| shortened(text));
    String::from_utf8_lossy(short.as_deref().unwrap_or(text)).into_owned()
}

/// A 64-bit hash of `seed` and `text`, eight bytes a step (the folded multiplication of wyhash). Who forges a
/// collision gains a warning about a repeated name.
pub(crate) fn digest64(seed: u64, text: &[u8]) -> u64 {
    let fold = |a: u64, b: u64| {
        let product = u128::from(a ^ 0x9E37_79B9_7F4A_7C15) * u128::from(b ^ 0xE703_7ED1_A0B4_28DB);
        (product as u64) ^ (product >> 64) as u64
    };
    let mut words = text.chunks_exact(8);
    let mut hash = fold(seed, text.len() as u64);
    for word in &mut words {
        hash = fold(hash, word.try_into().map_or(0, u64::from_le_bytes));
    }
    fold(hash, words.remainder().iter().fold(1, |n, &b| n << 8 | u64::from(b)))
}

/// Hashes a hash to itself.
#[derive(Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &b| hash.rotate_left(8) ^ u64::from(b));
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_at_a_character_and_say_so() {
        assert_eq!(kept("a".repeat(NAME_LIMIT).as_bytes()), "a".repeat(NAME_LIMIT));
        let long = "é".repeat(NAME_LIMIT / 2) + "x";
        let cut = kept(long.as_bytes());
        assert!(cut.starts_with(&"é".repeat(NAME_LIMIT / 2)), "{cut}");
        assert!(cut.contains("[1025 bytes, sha256 "), "{cut}");
        let uneven = kept(("x".to_owned() + &"é".repeat(NAME_LIMIT)).as_bytes());
        assert!(uneven.split('…').next().is_some_and(|kept| kept.len() == NAME_LIMIT - 1), "{uneven}");
    }
}
