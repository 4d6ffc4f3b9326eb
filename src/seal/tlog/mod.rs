//! Transparency logs: the Merkle tree of RFC 6962 and the text formats of C2SP around it.
//!
//! Arithmetic and formats only. What the leaves mean and where they are kept is the ledger's business.

pub(crate) mod checkpoint;
pub(crate) mod note;
pub(crate) mod proof;
pub(crate) mod tile;
pub(crate) mod tree;
