//! Checkpoints (C2SP `tlog-checkpoint`): a signed note that says how large a log is and what its root is.
//!
//! ```text
//! vouchsafe.dev/ledger/0192f0c1-7b1e-7c3a-8a51-0123456789ab/env=production
//! 4711
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — vouchsafe.dev/ledger/… Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! ```

use super::note::{self, NoteError};
use crate::record::digest::Sha256Digest;
use crate::seal::SealError;
use crate::seal::signer::Signer;
use crate::seal::trust::TrustSet;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// The state of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Which log; also the name of its keys.
    pub(crate) origin: String,
    /// Leaves.
    pub(crate) size: u64,
    /// Root over them.
    pub(crate) root: Sha256Digest,
}

impl Checkpoint {
    /// Signs it.
    pub(crate) fn sign(&self, signer: &Signer) -> Result<String, SealError> {
        note::sign(&self.to_string(), &self.origin, signer)
    }

    /// Reads a signed checkpoint without asking who signed it.
    pub(crate) fn peek(note: &str) -> Result<Self, NoteError> {
        Self::parse(note::split(note)?.0)
    }

    /// Reads a signed checkpoint, and answers with the key that signed it.
    ///
    /// The origin is the name of the key, so whoever signs for one log does not sign for another. Whether the key is
    /// trusted for that log, [`TrustSet::covers`] says.
    pub(crate) fn open(note: &str, keys: &TrustSet) -> Result<(Self, String), NoteError> {
        let checkpoint = Self::peek(note)?;
        let (_, keyid) = note::open(note, &checkpoint.origin, keys)?;
        Ok((checkpoint, keyid))
    }

    /// Exactly three lines, and only what prints back to the same text. Extension lines are for others to understand.
    fn parse(text: &str) -> Result<Self, NoteError> {
        let bad = |why| NoteError::Malformed(why);
        let mut lines = text.split('\n');
        let mut next =
            || lines.next().filter(|l| !l.is_empty()).ok_or(bad("a checkpoint has an origin, a size and a root"));
        let (origin, size, root) = (next()?, next()?, next()?);
        let size: u64 = size.parse().map_err(|_| bad("the size is no number"))?;
        let root = STANDARD.decode(root).ok().and_then(|r| <[u8; 32]>::try_from(r).ok());
        let root = Sha256Digest::from_bytes(root.ok_or(bad("the root is not 32 bytes in base64"))?);
        let checkpoint = Self { origin: origin.to_owned(), size, root };
        if text.starts_with(&checkpoint.to_string()) {
            Ok(checkpoint)
        } else {
            Err(bad("it does not print back to the same text"))
        }
    }
}

impl fmt::Display for Checkpoint {
    /// The text of the note.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::key::PrivateKey;

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "vouchsafe.dev/ledger/x/env=p".into(), size: 4711, root: Sha256Digest::of(b"x") }
    }

    #[test]
    fn a_signed_one_opens_under_its_key_only() {
        let signer = Signer::Key(PrivateKey::generate([1; 32]));
        let note = checkpoint().sign(&signer).unwrap();
        let keyid = signer.public_key().keyid();
        assert_eq!(Checkpoint::open(&note, &TrustSet::of(signer.public_key())), Ok((checkpoint(), keyid)));
        assert_eq!(Checkpoint::open(&note, &TrustSet::default()), Err(NoteError::UnknownKey));
        let other = note.replacen("ledger/x", "ledger/y", 1);
        assert!(Checkpoint::open(&other, &TrustSet::of(signer.public_key())).is_err());
        assert_eq!(Checkpoint::peek(&note), Ok(checkpoint()));
    }

    #[test]
    fn what_does_not_print_back_is_refused() {
        let root = STANDARD.encode([7; 32]);
        for text in [
            "",
            "o\n1\n",
            "o\n01\n{root}\n",
            "o\n+1\n{root}\n",
            "o\n-1\n{root}\n",
            "o\n1\n{root}",
            "\n1\n{root}\n",
            "o\n1\nAAAA\n",
            "o\n99999999999999999999999\n{root}\n",
        ] {
            assert!(Checkpoint::parse(&text.replace("{root}", &root)).is_err(), "{text:?}");
        }
        assert!(Checkpoint::parse(&format!("o\n1\n{root}\n")).is_ok());
        assert!(Checkpoint::parse(&format!("o\n1\n{root}\nextension\n")).is_ok());
    }
}
