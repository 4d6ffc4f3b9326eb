//! Addresses: which may be asked, where a redirect leads, how one is named in a message.

use super::{HttpError, Response};
use ::http::header::LOCATION;
use url::{Host, Url};

/// Reads `url`.
pub(super) fn parse(url: &str) -> Result<Url, HttpError> {
    // Not repeated: it may hold a secret, and nobody can say where.
    Url::parse(url).map_err(|e| HttpError::Address("an address".into(), e.to_string()))
}

/// Where a redirect leads; never from TLS to a connection without.
pub(super) fn redirected(url: &Url, response: &Response) -> Result<Url, HttpError> {
    let failed = |why: &str| HttpError::Redirect(place(url), why.into());
    let next = response.header(LOCATION.as_str()).and_then(|l| url.join(l).ok());
    let next = next.ok_or_else(|| failed("it names no address"))?;
    if url.scheme() == "https" && next.scheme() != "https" {
        return Err(failed("it leads from https to a connection without TLS"));
    }
    Ok(next)
}

/// Whether `url` stays on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// `url` as it may stand in a message: queries and user information may be secrets.
pub(super) fn place(url: &Url) -> String {
    let port = url.port().map(|p| format!(":{p}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}
