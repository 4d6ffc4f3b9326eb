//! Addresses: which may be asked, where a redirect leads, how one is named in a message.

use super::{HttpError, Response};
use ::http::header::LOCATION;
use url::{Host, Url};

/// Bytes of an address that somebody else made up (RFC 9110, 4.1, asks for 8000 at least).
pub(super) const LONGEST: usize = 8 * 1024;
/// Letters of a path in a message.
const SHOWN: usize = 400;
/// Parameters whose values are secrets: GitLab takes its tokens from the query, others took them once.
const SECRETS: [&str; 7] =
    ["private_token", "access_token", "job_token", "token", "client_secret", "feed_token", "rss_token"];

/// Reads `url`.
pub(super) fn parse(url: &str) -> Result<Url, HttpError> {
    // Not repeated: it may hold a secret, and nobody can say where.
    Url::parse(url).map_err(|e| HttpError::Address("an address".into(), e.to_string()))
}

/// Where a redirect leads; never from TLS to a connection without.
pub(super) fn redirected(url: &Url, response: &Response) -> Result<Url, HttpError> {
    let failed = |why: &str| HttpError::Redirect(place(url), why.into());
    let next = response.header(LOCATION.as_str()).filter(|l| l.len() <= LONGEST).and_then(|l| url.join(l).ok());
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
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), short(url.path()))
}

/// A path as it may stand in a message: percent-encoded, so ASCII without control characters, and not endless.
pub(super) fn short(path: &str) -> String {
    match path.get(..SHOWN) {
        Some(start) if path.len() > SHOWN => format!("{start}…"),
        _ => path.to_owned(),
    }
}

/// `url` as it may stand in a record: whole, but for user information, a fragment and parameters that are secrets.
pub(super) fn told(url: &Url) -> String {
    let name =
        |pair: &str| url::form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.to_ascii_lowercase());
    let secret = |pair: &&str| name(pair).is_some_and(|name| SECRETS.contains(&name.trim()));
    let pairs: Vec<&str> = url.query().unwrap_or_default().split('&').filter(|pair| !secret(pair)).collect();
    let query = pairs.join("&");
    let port = url.port().map(|p| format!(":{p}")).unwrap_or_default();
    let start = format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path());
    if query.is_empty() { start } else { format!("{start}?{query}") }
}
