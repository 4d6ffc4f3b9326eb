//! Why something could not be sealed or opened.

use super::signer::SignerError;
use super::strict_json::StrictError;
use super::terms;

/// Why bytes are not a statement that we write or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StatementError {
    /// Not strict JSON.
    #[error("it is not strict JSON: {0}")]
    Json(#[from] StrictError),
    /// JSON of another shape.
    #[error("it is not a statement: {0}")]
    Shape(String),
    /// Another `_type`.
    #[error("its `_type` is `{0}`, not `{want}`", want = terms::STATEMENT_TYPE)]
    Type(String),
    /// Nothing that it is about.
    #[error("it has no subject")]
    NoSubject,
    /// No subject that an artifact can be matched by.
    #[error("no subject has a sha256; outside verifiers match artifacts by it")]
    NoSha256,
    /// More subjects than outside verifiers read.
    #[error("it has {0} subjects; outside verifiers read at most {max}", max = terms::MAX_SUBJECTS)]
    TooManySubjects(usize),
    /// A digest that is missing or malformed.
    #[error("subject[{index}] {why}")]
    Digest {
        /// Which subject, from 0.
        index: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// Why a statement was not sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    /// The bytes are not a statement that we would open again.
    #[error("could not seal the statement: {0}")]
    Statement(#[from] StatementError),
    /// The signer did not sign.
    #[error("could not sign: {0}")]
    Signer(#[from] SignerError),
    /// The bundle would not be opened again.
    #[error("could not seal the statement: with {0} bytes its bundle would be larger than the {max} that are opened again. Refer to large files by digest", max = terms::MAX_BYTES)]
    TooLarge(usize),
}

/// Why a bundle was not opened. `verify` branches on it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// Not a bundle and not an envelope; what, and where.
    #[error("it is no bundle or envelope: {0}")]
    Malformed(String),
    /// An envelope without a signature.
    #[error("it has no signature")]
    NoSignature,
    /// A signed payload that is not an in-toto statement.
    #[error("its payload type is `{0}`, not `{want}`", want = terms::PAYLOAD_TYPE)]
    PayloadType(String),
    /// No trusted key made any of its signatures, and it does not name one that we trust.
    #[error("no trusted key signed it: {}", who(.claimed))]
    UnknownKey {
        /// The keys that it claims, unproven and cut to what fits a line.
        claimed: Vec<String>,
    },
    /// It names a trusted key, which did not sign these bytes.
    #[error(
        "its signature does not hold: the key {keyid} did not sign these bytes; they or the signature were changed"
    )]
    BadSignature {
        /// The trusted key that it names.
        keyid: String,
    },
    /// Signed by a trusted key, and yet not a statement.
    #[error("its signature holds, its payload does not: {0}")]
    Statement(#[from] StatementError),
    /// Larger than anything we write.
    #[error("it has {0} bytes, more than the {max} that are opened", max = terms::MAX_BYTES)]
    TooLarge(usize),
}

/// What somebody else wrote, fit for one line of a terminal.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(100).collect();
    let cut = if short.len() < text.len() { "…" } else { "" };
    format!("{}{cut}", short.escape_debug())
}

fn who(claimed: &[String]) -> String {
    match claimed {
        [] => "it names no key. If you have the key, add it to the trust set".into(),
        keys => format!("it claims {}. If you believe that key, add it to the trust set", keys.join(", ")),
    }
}
