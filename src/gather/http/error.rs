//! Why there is no answer.

/// Why there is no answer. Messages name hosts and paths, never queries, headers or bodies.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The address is none that may be asked.
    #[error("could not ask `{0}`: {1}")]
    Address(String, String),
    /// The client could not start.
    #[error("could not start the HTTPS client: {0}. Install the system's CA certificates or set SSL_CERT_FILE")]
    Client(String),
    /// The client was told what it cannot do.
    #[error("could not start the HTTPS client: {0}")]
    Settings(String),
    /// No connection, or it broke.
    #[error("could not reach `{0}`: {1}")]
    Unreachable(String, String),
    /// It took too long.
    #[error("could not get `{0}`: no answer within {1:.1} s")]
    Timeout(String, f32),
    /// The body is over the limit.
    #[error("could not get `{0}`: the answer is larger than {1} bytes")]
    TooLarge(String, usize),
    /// The redirect leads nowhere, or there are too many.
    #[error("could not follow the redirect of `{0}`: {1}")]
    Redirect(String, String),
    /// It answered, and not with what was asked for.
    #[cfg(feature = "tsa")]
    #[error("could not use the answer of `{0}`: {1}")]
    Answer(String, String),
}

pub(super) fn bad_authority() -> HttpError {
    HttpError::Settings(
        "the file of certificate authorities (--ca-file) holds a certificate that cannot be read".into(),
    )
}

/// How rustls begins what it says about a certificate.
pub(super) const DISTRUST: &str = "invalid peer certificate";

/// With what would help: authorities of one's own are the rule behind a firewall.
pub(super) fn helped(mut why: String) -> String {
    if why.contains(DISTRUST) && ["UnknownIssuer", "CaUsedAsEndEntity"].iter().any(|word| why.contains(word)) {
        why.push_str(". If it is yours, name its certificate authority with --ca-file or SSL_CERT_FILE");
    }
    why
}

/// An error with its causes: reqwest's own text stops at "error sending request".
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
