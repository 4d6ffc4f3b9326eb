//! The names that others gave, and the limits that others or we set.

/// `_type` of every statement, compared as an opaque string (in-toto attestation v1).
pub(crate) const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The only payload type we write or open. Compared exactly: cosign refuses the variants that in-toto 1.2 allows.
pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The media type that is written; the first of the two spellings that are read.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The older spelling of the same version.
pub(crate) const MEDIA_TYPE_OLD: &str = "application/vnd.dev.sigstore.bundle+json;version=0.3";

/// The largest bundle that is written or opened, in bytes.
pub(crate) const MAX_BYTES: usize = 32 << 20;
/// Signatures in one envelope. Bounds the work of trying every key on every one.
pub(crate) const MAX_SIGNATURES: usize = 16;
/// Subjects in one statement; sigstore-go refuses more.
pub(crate) const MAX_SUBJECTS: usize = 1024;
/// Digests of one subject; sigstore-go refuses more.
pub(crate) const MAX_DIGESTS: usize = 32;
