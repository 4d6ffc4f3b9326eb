//! One object's verdict: signature first, over the bytes as received; meaning only afterwards.

use super::place::address_of;
use crate::record::digest::Sha256Digest;
use crate::record::{self, Record};
use crate::seal::{self, OpenError, trust::TrustSet};

/// What verification says of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Signed by a trusted key that may sign for its environment, and it stands where it belongs.
    Valid,
    /// A leaf of the ledger names it, it had to be kept until a day that has passed, and it is gone.
    Expired,
    /// Signature and trust hold, but this version cannot read the kind or version of record.
    Unsupported,
    /// Valid, and no leaf of the ledger names it.
    Unlinked,
    /// Valid, but not at the address that it names itself.
    Moved,
    /// The signature holds, or may hold, but nobody here trusts the key for it.
    Untrusted,
    /// A leaf of the ledger names it, and nothing stands there.
    Missing,
    /// It may be validly signed, but it is not what stood there when it was added to the ledger.
    Altered,
    /// It does not verify, or is not a record.
    Invalid,
}

impl Verdict {
    /// The word in every output.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Unlinked => "unlinked",
            Self::Missing => "missing",
            Self::Altered => "altered",
            Self::Unsupported => "unsupported",
            Self::Moved => "moved",
            Self::Untrusted => "untrusted",
            Self::Invalid => "invalid",
        }
    }
}

/// One object of the vault with its verdict.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Where it was found.
    pub(crate) address: String,
    /// SHA-256 of the object. Absent when it could not be read.
    pub(crate) sha256: Option<Sha256Digest>,
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// Why: which key and why it is trusted, or what is wrong.
    pub(crate) why: String,
    /// The key that signed; for an untrusted record the one that it claims.
    pub(crate) keyid: Option<String>,
    /// in-toto predicate type. Only after the signature held.
    pub(crate) predicate_type: Option<String>,
    /// The record. Only after the signature held; never for an invalid one.
    pub(crate) record: Option<Record>,
    /// Schema version in which it was written.
    pub(crate) source_version: Option<String>,
    /// Fields that this version does not know.
    pub(crate) unknown_fields: Vec<String>,
    /// The signed statement, byte for byte. Only after the signature held.
    pub(crate) payload: Option<Vec<u8>>,
}

impl Entry {
    /// An object that could not even be read.
    pub(crate) fn unread(address: &str, why: String) -> Self {
        Self {
            address: address.to_owned(),
            sha256: None,
            verdict: Verdict::Invalid,
            why,
            keyid: None,
            predicate_type: None,
            record: None,
            source_version: None,
            unknown_fields: Vec::new(),
            payload: None,
        }
    }
}

/// Judges `bytes` found at `address`.
///
/// An address that holds no `evidence/` part (a file handed over by itself) says nothing of place, so nothing of
/// place is checked.
pub(crate) fn judge(bytes: &[u8], address: &str, trust: &TrustSet) -> Entry {
    let mut entry = Entry::unread(address, String::new());
    entry.sha256 = Some(Sha256Digest::of(bytes));
    let opened = match seal::open(bytes, trust) {
        Ok(opened) => opened,
        Err(e) => {
            if let OpenError::UnknownKey { claimed } = &e {
                entry.verdict = Verdict::Untrusted;
                entry.keyid = claimed.first().cloned();
            }
            entry.why = e.to_string();
            return entry;
        }
    };
    entry.keyid = Some(opened.keyid.clone());
    entry.predicate_type = Some(opened.statement.predicate_type.clone());
    entry.payload = Some(opened.payload);
    let predicate = opened.statement.predicate().unwrap_or(b"null");
    let read = match record::read(&opened.statement.predicate_type, predicate) {
        Ok(read) => read,
        Err(e) => {
            entry.verdict = if e.is_unsupported() { Verdict::Unsupported } else { Verdict::Invalid };
            entry.why = format!("signed by {}, but the record {e}", opened.keyid);
            return entry;
        }
    };
    let head = read.record.head();
    match trust.covers(&opened.keyid, head.environment, head.recorded_on) {
        Err(distrust) => {
            entry.verdict = Verdict::Untrusted;
            entry.why = distrust.to_string();
        }
        Ok(trusted) => {
            let belongs = address_of(&read.record);
            let in_conflict = |place: &str| {
                belongs.conflict(&head.record_id.to_string()).is_some_and(|other| other.as_str() == place)
            };
            if within_vault(address).is_none_or(|p| p == belongs.as_str() || in_conflict(p)) {
                entry.verdict = Verdict::Valid;
                entry.why = match &opened.other_keyids[..] {
                    [] => trusted.why,
                    others => format!("{}; also signed by {}", trusted.why, others.join(", ")),
                };
            } else {
                entry.verdict = Verdict::Moved;
                entry.why = format!("belongs at {belongs}");
            }
        }
    }
    entry.record = Some(read.record);
    entry.source_version = Some(read.source_version);
    entry.unknown_fields = read.unknown_fields;
    entry
}

/// The part of a path that is an address in a vault, from its last `evidence/` on.
fn within_vault(path: &str) -> Option<&str> {
    match path.rfind("/evidence/") {
        Some(at) => Some(&path[at + 1..]),
        None => path.starts_with("evidence/").then_some(path),
    }
}
