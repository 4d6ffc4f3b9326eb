//! Tiles (C2SP `tlog-tiles`): the tree in files of 256 hashes, which standard clients read and which never change.

use super::tree::Frontier;
use crate::record::digest::Sha256Digest;

/// Hashes or entries in a full tile.
pub(crate) const WIDTH: u64 = 256;
/// The longest leaf, in bytes: its length is written in 16 bits.
pub(crate) const MAX_LEAF: usize = u16::MAX as usize;

/// `tile/<level>/<n>`, the number in groups of three digits, all but the last with an `x`; `.p/<width>` when partial.
pub(crate) fn path(level: &str, n: u64, width: u64) -> String {
    let mut number = format!("{:03}", n % 1000);
    let mut rest = n / 1000;
    while rest > 0 {
        number = format!("x{:03}/{number}", rest % 1000);
        rest /= 1000;
    }
    let partial = if width == WIDTH { String::new() } else { format!(".p/{width}") };
    format!("tile/{level}/{number}{partial}")
}

/// A tile, full or the last of its level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    /// 0 holds leaf hashes, each level above the roots of 256 of the one below; `entries` holds the leaves.
    pub(crate) level: Option<u8>,
    /// Its number in the level.
    pub(crate) number: u64,
    /// Hashes or entries in it.
    pub(crate) width: u64,
    /// What stands in the file.
    pub(crate) bytes: Vec<u8>,
}

impl Tile {
    /// Its path below the log's prefix.
    pub(crate) fn path(&self) -> String {
        let level = self.level.map_or("entries".to_owned(), |l| l.to_string());
        path(&level, self.number, self.width)
    }
}

/// Makes the tiles of a tree whose leaves pass by in order.
#[derive(Default)]
pub(crate) struct Tiler {
    entries: Vec<u8>,
    /// By level: hashes of the tile that is being filled, and its number.
    levels: Vec<(Vec<Sha256Digest>, u64)>,
}

impl Tiler {
    /// Adds a leaf with its hash; hands over the tiles that it makes full.
    pub(crate) fn push(&mut self, leaf: &[u8], hash: Sha256Digest) -> Vec<Tile> {
        let mut full = Vec::new();
        let length = leaf.len().min(MAX_LEAF) as u16;
        self.entries.extend_from_slice(&length.to_be_bytes());
        self.entries.extend_from_slice(leaf.get(..usize::from(length)).unwrap_or_default());
        let mut node = hash;
        for level in 0u8.. {
            if self.levels.len() <= usize::from(level) {
                self.levels.push((Vec::new(), 0));
            }
            let Some((hashes, number)) = self.levels.get_mut(usize::from(level)) else { break };
            hashes.push(node);
            if hashes.len() as u64 != WIDTH {
                break;
            }
            if level == 0 {
                let bytes = std::mem::take(&mut self.entries);
                full.push(Tile { level: None, number: *number, width: WIDTH, bytes });
            }
            full.push(Tile { level: Some(level), number: *number, width: WIDTH, bytes: concat(hashes) });
            let mut subtree = Frontier::default();
            hashes.drain(..).for_each(|h| subtree.push(h));
            node = subtree.root();
            *number += 1;
        }
        full
    }

    /// The partial tiles at the end of the tree.
    pub(crate) fn finish(self) -> Vec<Tile> {
        let mut partial = Vec::new();
        for (level, (hashes, number)) in (0u8..).zip(&self.levels) {
            let width = hashes.len() as u64;
            if width > 0 {
                if level == 0 {
                    partial.push(Tile { level: None, number: *number, width, bytes: self.entries.clone() });
                }
                partial.push(Tile { level: Some(level), number: *number, width, bytes: concat(hashes) });
            }
        }
        partial
    }
}

fn concat(hashes: &[Sha256Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|h| *h.as_bytes()).collect()
}

/// The leaves in a bundle of entries; `None` when lengths and bytes do not agree, or there are more than 256.
pub(crate) fn entries(mut bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let mut leaves = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk::<2>()?;
        let (leaf, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        leaves.push(leaf);
        bundle = rest;
        if leaves.len() as u64 > WIDTH {
            return None;
        }
    }
    Some(leaves)
}

#[cfg(test)]
mod tests {
    use super::super::tree::leaf_hash;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        assert_eq!(path("0", 0, 256), "tile/0/000");
        assert_eq!(path("entries", 1_234_067, 256), "tile/entries/x001/x234/067");
        assert_eq!(path("1", 1000, 7), "tile/1/x001/000.p/7");
    }

    #[test]
    fn the_upper_tiles_lead_to_the_root() {
        let (mut tiler, mut tree, mut tiles) = (Tiler::default(), Frontier::default(), Vec::new());
        for n in 0..70_000u32 {
            let leaf = n.to_be_bytes();
            tree.push(leaf_hash(&leaf));
            tiles.extend(tiler.push(&leaf, leaf_hash(&leaf)));
        }
        tiles.extend(tiler.finish());
        // 70,000 = 1 x 65,536 + 17 x 256 + 112.
        let at = |path: &str| tiles.iter().find(|t| t.path() == path).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(tiles.len(), 273 + 1 + 2 + 2 + 273);
        let hashes = |t: &Tile| -> Vec<Sha256Digest> {
            t.bytes.chunks(32).map(|c| Sha256Digest::from_bytes(c.try_into().unwrap())).collect()
        };
        let mut edge = hashes(at("tile/2/000.p/1"));
        let mut small = Frontier::default();
        for h in hashes(at("tile/1/001.p/17")) {
            small.push(h);
        }
        edge.extend(small.roots());
        let mut small = Frontier::default();
        for h in hashes(at("tile/0/273.p/112")) {
            small.push(h);
        }
        edge.extend(small.roots());
        assert_eq!(Frontier::from_parts(70_000, edge).unwrap().root(), tree.root());
        let bundle = at("tile/entries/273.p/112");
        assert_eq!(entries(&bundle.bytes).unwrap()[111], 69_999u32.to_be_bytes());
    }

    #[test]
    fn a_bundle_that_does_not_add_up_is_refused() {
        assert_eq!(entries(b""), Some(vec![]));
        assert_eq!(entries(b"\0\x01a\0\0"), Some(vec![&b"a"[..], b""]));
        for bad in [&b"\0"[..], b"\0\x02a", b"\0\x01a\0"] {
            assert_eq!(entries(bad), None);
        }
        assert_eq!(entries(&[0; 2 * 257]), None);
    }

    proptest! {
        #[test]
        fn entries_come_back(leaves in proptest::collection::vec(any::<Vec<u8>>(), 0..300)) {
            let (mut tiler, mut tiles) = (Tiler::default(), Vec::new());
            for leaf in &leaves {
                tiles.extend(tiler.push(leaf, leaf_hash(leaf)));
            }
            tiles.extend(tiler.finish());
            let back: Vec<Vec<u8>> = tiles.iter().filter(|t| t.level.is_none())
                .flat_map(|t| entries(&t.bytes).unwrap().into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>()).collect();
            prop_assert_eq!(back, leaves);
        }
    }
}
