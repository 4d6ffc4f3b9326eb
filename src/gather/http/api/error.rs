//! Why an API did not tell.

use crate::gather::http::HttpError;

/// Why an API did not tell. Names paths, never queries with secrets, headers or bodies.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The token is no good.
    #[error("{0} was refused (401): the token is wrong or has expired")]
    Unauthorized(String),
    /// The token may not.
    #[error("{0} was refused (403){1}")]
    Forbidden(String, String),
    /// Not there, or hidden: platforms answer so to who may not know that it is there.
    #[error("{0} was not found (404): it is not there, or the token may not see it")]
    NotFound(String),
    /// The platform has not worked it out yet, and says so: Bitbucket for pull requests that it has not indexed.
    #[error("{0} is not ready yet (202)")]
    NotYet(String),
    /// Asked too often.
    #[error("{0} was refused because the API was asked too often{1}")]
    Limited(String, String),
    /// Any other status.
    #[error("{0} was answered with status {1}")]
    Status(String, u16),
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An answer that is not what this API answers.
    #[error("{0} was answered with something else than expected: {1}")]
    Shape(String, String),
    /// The answer goes on, and is not followed.
    #[error("{0} goes on: {1}")]
    Cut(String, String),
    /// There is no reaching it.
    #[error("{0} was not asked any more: the API did not answer")]
    Silent(String),
    /// Time is up.
    #[error("{0} was not asked any more: questions to the API took longer than {1} s")]
    OutOfTime(String, u64),
}

impl ApiError {
    /// Whether the token may be what is wrong.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Unauthorized(_) | Self::Forbidden(..) | Self::NotFound(_))
    }
}
