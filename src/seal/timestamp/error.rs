//! Why a time-stamp does not count. Commands branch on it.

/// Why an answer of a time-stamping authority is not taken, or proves nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TimestampError {
    /// Larger than any time-stamp.
    #[error("it has {0} bytes, more than the {max} that a time-stamp may have", max = super::MAX_BYTES)]
    TooLarge(usize),
    /// Not DER, or DER of another shape.
    #[error("it is no time-stamp response: {what} at byte {at}: {why}")]
    Malformed {
        /// The part, in the words of the standard.
        what: &'static str,
        /// Where in the input, from 0.
        at: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The authority answered, and refused (RFC 3161 section 2.4.2).
    #[error("the time-stamping authority refused: {0}")]
    Rejected(String),
    /// It stamps other data.
    #[error("it stamps something else: {0}")]
    Imprint(String),
    /// It answers another request.
    #[error("it answers another request: its nonce is not the one that was sent")]
    Nonce,
    /// Made in a way that cannot be checked here. Nothing is known to be wrong with it.
    #[error("it cannot be checked: {0}")]
    Unsupported(String),
    /// The signature does not hold, or does not cover what it must.
    #[error("its signature does not hold: {0}")]
    Signature(String),
    /// The certificate is missing, or not one that may stamp time (RFC 3161 section 2.3).
    #[error("its signer may not stamp time: {0}")]
    Signer(String),
    /// No chain to a root at that time.
    #[error("its signer is not trusted: {0}")]
    Untrusted(String),
    /// The roots cannot be read.
    #[error("could not read the roots: {0}. Give the root certificates of the time-stamping authority as PEM")]
    Roots(String),
}
