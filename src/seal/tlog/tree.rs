//! The Merkle tree of RFC 6962 section 2.1 (unchanged in RFC 9162), held as its right edge.

use crate::record::digest::Sha256Digest;
use sha2::{Digest as _, Sha256};

/// `SHA-256(0x00 || data)`.
pub(crate) fn leaf_hash(data: &[u8]) -> Sha256Digest {
    Sha256Digest::from_bytes(Sha256::new().chain_update([0]).chain_update(data).finalize().into())
}

/// `SHA-256(0x01 || left || right)`.
pub(crate) fn node_hash(left: &Sha256Digest, right: &Sha256Digest) -> Sha256Digest {
    let node = Sha256::new().chain_update([1]).chain_update(left.as_bytes()).chain_update(right.as_bytes());
    Sha256Digest::from_bytes(node.finalize().into())
}

/// All that a tree must remember in order to grow: the roots of its perfect subtrees, the largest first, one for every
/// bit that is set in the number of leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frontier {
    size: u64,
    roots: Vec<Sha256Digest>,
}

impl Frontier {
    /// Takes what [`Frontier::roots`] gave. `None` unless there is one root for every set bit of `size`.
    pub(crate) fn from_parts(size: u64, roots: Vec<Sha256Digest>) -> Option<Self> {
        (roots.len() as u32 == size.count_ones()).then_some(Self { size, roots })
    }

    /// Leaves in the tree.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the perfect subtrees, the largest first.
    pub(crate) fn roots(&self) -> &[Sha256Digest] {
        &self.roots
    }

    /// Adds a leaf by its hash.
    pub(crate) fn push(&mut self, leaf: Sha256Digest) {
        let mut node = leaf;
        // Each set bit at the end of `size` is a subtree as large as the one just finished.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// The root of the tree; of an empty one the digest of nothing.
    pub(crate) fn root(&self) -> Sha256Digest {
        let mut smallest_first = self.roots.iter().rev();
        let Some(last) = smallest_first.next() else { return Sha256Digest::of(b"") };
        smallest_first.fold(*last, |right, left| node_hash(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Section 2.1, word for word.
    fn by_definition(leaves: &[Vec<u8>]) -> Sha256Digest {
        match leaves {
            [] => Sha256Digest::of(b""),
            [one] => leaf_hash(one),
            many => {
                let k = many.len().next_power_of_two() / 2;
                node_hash(&by_definition(&many[..k]), &by_definition(&many[k..]))
            }
        }
    }

    /// The leaves and roots of Certificate Transparency's own tests (google/certificate-transparency, merkle_tree_test.cc).
    #[test]
    fn the_known_roots() {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\0",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut frontier = Frontier::default();
        assert_eq!(frontier.root().to_string(), roots[0]);
        for (leaf, root) in leaves.iter().zip(&roots[1..]) {
            frontier.push(leaf_hash(leaf));
            assert_eq!(frontier.root().to_string(), *root);
        }
    }

    #[test]
    fn a_frontier_has_one_root_for_every_set_bit() {
        let root = Sha256Digest::of(b"x");
        assert!(Frontier::from_parts(0, vec![]).is_some());
        assert!(Frontier::from_parts(5, vec![root, root]).is_some());
        assert!(Frontier::from_parts(5, vec![root]).is_none());
        assert!(Frontier::from_parts(4, vec![root, root]).is_none());
    }

    proptest! {
        #[test]
        fn growing_gives_the_defined_root(leaves in proptest::collection::vec(any::<Vec<u8>>(), 0..80)) {
            let mut frontier = Frontier::default();
            for (n, leaf) in leaves.iter().enumerate() {
                prop_assert_eq!(frontier.root(), by_definition(&leaves[..n]));
                frontier = Frontier::from_parts(frontier.size(), frontier.roots().to_vec()).unwrap();
                frontier.push(leaf_hash(leaf));
            }
            prop_assert_eq!(frontier.root(), by_definition(&leaves));
        }
    }
}
