//! Inclusion proofs (RFC 9162 section 2.1.3) and the file that carries one (C2SP `tlog-proof`).

use super::tree::{Frontier, node_hash};
use crate::record::digest::Sha256Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The first line of a proof file.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// A proof is at most 63 hashes, a checkpoint and our leaf.
const MAX_BYTES: usize = 64 * 1024;

/// Collects the proof of one leaf while all leaves of the tree pass by, in memory of a few hashes.
pub(crate) struct Prover {
    /// The sibling ranges from the root down, each with what has passed of it.
    siblings: Vec<(std::ops::Range<u64>, Frontier)>,
    next: u64,
}

impl Prover {
    /// For the leaf `index` of a tree of `size`. `None` when there is no such leaf.
    pub(crate) fn new(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let mut siblings = Vec::new();
        let (mut low, mut high) = (0, size);
        while high - low > 1 {
            // The largest power of two smaller than the number of leaves splits them (section 2.1.1).
            let split = low + (1 << (63 - (high - low - 1).leading_zeros()));
            let other = if index < split { split..high } else { low..split };
            (low, high) = if index < split { (low, split) } else { (split, high) };
            siblings.push((other, Frontier::default()));
        }
        Some(Self { siblings, next: 0 })
    }

    /// The next leaf, by its hash. Leaves after the last one are passed over.
    pub(crate) fn push(&mut self, leaf: Sha256Digest) {
        if let Some((_, frontier)) = self.siblings.iter_mut().find(|(range, _)| range.contains(&self.next)) {
            frontier.push(leaf);
        }
        self.next += 1;
    }

    /// The hashes from the leaf up. `None` when leaves are missing.
    pub(crate) fn finish(self) -> Option<Vec<Sha256Digest>> {
        let whole = self.siblings.iter().all(|(range, frontier)| frontier.size() == range.end - range.start);
        whole.then(|| self.siblings.iter().rev().map(|(_, frontier)| frontier.root()).collect())
    }
}

/// The root that the proof of the leaf `index` in a tree of `size` leads to (section 2.1.3.2). `None` when the proof has
/// the wrong length for that place.
pub(crate) fn root(index: u64, size: u64, leaf: Sha256Digest, proof: &[Sha256Digest]) -> Option<Sha256Digest> {
    if index >= size {
        return None;
    }
    let (mut place, mut last) = (index, size - 1);
    let mut node = leaf;
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            node = node_hash(sibling, &node);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            node = node_hash(&node, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(node)
}

/// A proof file: place, hashes, signed checkpoint, and data of ours. Nothing of it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProofFile {
    /// The leaf itself: C2SP leaves `extra` to the application.
    pub(crate) extra: Vec<u8>,
    /// Its place.
    pub(crate) index: u64,
    /// From the leaf up.
    pub(crate) hashes: Vec<Sha256Digest>,
    /// The signed checkpoint.
    pub(crate) checkpoint: String,
}

impl ProofFile {
    /// Whether `bytes` begin as a proof file does.
    pub(crate) fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(HEADER.as_bytes())
    }

    /// The file.
    pub(crate) fn to_text(&self) -> String {
        let mut out = format!("{HEADER}\nextra {}\nindex {}\n", STANDARD.encode(&self.extra), self.index);
        for hash in &self.hashes {
            out.push_str(&STANDARD.encode(hash.as_bytes()));
            out.push('\n');
        }
        out.push('\n');
        out.push_str(&self.checkpoint);
        out
    }

    /// Reads a file; the error is one line that names the place.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err("it is larger than 64 KiB".into());
        }
        let (head, checkpoint) = text.split_once("\n\n").ok_or("no blank line stands before the checkpoint")?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(format!("it does not begin with `{HEADER}`"));
        }
        let extra = match lines.next_if(|l| l.starts_with("extra ")) {
            Some(line) => STANDARD.decode(&line["extra ".len()..]).map_err(|_| "`extra` is not base64")?,
            None => Vec::new(),
        };
        let index = lines.next().and_then(|l| l.strip_prefix("index ")).ok_or("`index` is missing")?;
        let number: u64 = index.parse().map_err(|_| "`index` is no number")?;
        if number.to_string() != index {
            return Err("`index` is not written plainly".into());
        }
        let mut hashes = Vec::new();
        for line in lines {
            let hash = STANDARD.decode(line).ok().and_then(|h| <[u8; 32]>::try_from(h).ok());
            hashes.push(Sha256Digest::from_bytes(hash.ok_or("a hash is not 32 bytes in base64")?));
            // The tree of 2^64 leaves is 64 deep.
            if hashes.len() > 64 {
                return Err("it has more than 64 hashes".into());
            }
        }
        Ok(Self { extra, index: number, hashes, checkpoint: checkpoint.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::leaf_hash;
    use super::*;
    use proptest::prelude::*;

    fn leaves(n: u64) -> Vec<Sha256Digest> {
        (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
    }

    #[test]
    fn every_leaf_of_every_small_tree_has_its_proof_and_no_other() {
        for size in 1..=33u64 {
            let all = leaves(size);
            let mut tree = Frontier::default();
            all.iter().for_each(|l| tree.push(*l));
            for index in 0..size {
                let mut prover = Prover::new(index, size).unwrap();
                all.iter().for_each(|l| prover.push(*l));
                let proof = prover.finish().unwrap();
                let leaf = all[index as usize];
                assert_eq!(root(index, size, leaf, &proof), Some(tree.root()), "{index} of {size}");
                for other in (0..size + 2).filter(|o| *o != index) {
                    assert_ne!(root(other, size, leaf, &proof), Some(tree.root()), "{index} as {other} of {size}");
                }
                assert_ne!(root(index, size, leaf_hash(b"x"), &proof), Some(tree.root()));
                if let Some((_, short)) = proof.split_last() {
                    assert_eq!(root(index, size, leaf, short), None);
                }
                let long = [&proof[..], &[leaf]].concat();
                assert_eq!(root(index, size, leaf, &long), None);
            }
        }
    }

    #[test]
    fn a_missing_leaf_gives_no_proof() {
        let mut prover = Prover::new(2, 5).unwrap();
        leaves(4).iter().for_each(|l| prover.push(*l));
        assert_eq!(prover.finish(), None);
        assert!(Prover::new(5, 5).is_none());
        assert!(Prover::new(0, 0).is_none());
    }

    /// `ct-merkle`, which nobody here wrote, agrees on roots and proofs.
    #[test]
    fn another_implementation_agrees() {
        use ct_merkle::{RootHash, mem_backed_tree::MemoryBackedTree};
        let mut theirs = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
        let mut ours = Frontier::default();
        for n in 0..100u64 {
            theirs.push(n.to_be_bytes().to_vec());
            ours.push(leaf_hash(&n.to_be_bytes()));
            assert_eq!(theirs.root().as_bytes()[..], ours.root().as_bytes()[..]);
        }
        for index in [0u64, 1, 63, 64, 98, 99] {
            let mut prover = Prover::new(index, 100).unwrap();
            leaves(100).iter().for_each(|l| prover.push(*l));
            let proof: Vec<u8> = prover.finish().unwrap().iter().flat_map(|h| *h.as_bytes()).collect();
            assert_eq!(theirs.prove_inclusion(index as usize).as_bytes(), proof);
            let proof = ct_merkle::InclusionProof::<sha2::Sha256>::from_bytes(proof);
            let root = RootHash::<sha2::Sha256>::new((*ours.root().as_bytes()).into(), 100);
            root.verify_inclusion(&index.to_be_bytes().to_vec(), index, &proof).unwrap();
        }
    }

    proptest! {
        #[test]
        fn a_file_comes_back(extra: Vec<u8>, index: u64, hashes in proptest::collection::vec(any::<[u8; 32]>(), 0..64)) {
            let hashes = hashes.into_iter().map(Sha256Digest::from_bytes).collect();
            let file = ProofFile { extra, index, hashes, checkpoint: "o\n1\nx\n\n— o x\n".into() };
            prop_assert_eq!(ProofFile::parse(&file.to_text()), Ok(file));
        }

        #[test]
        fn any_text_never_panics(text: String) {
            let _ = ProofFile::parse(&text);
            let _ = ProofFile::parse(&format!("{HEADER}\n{text}\n\nx"));
        }
    }
}
