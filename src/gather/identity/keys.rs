//! The keys of who signs tokens. Asked for without any secret, at one host, and nowhere that an answer leads to.

use crate::gather::http::{Http, HttpError, Limits};
use serde::Deserialize;
use url::Url;

/// Bytes of a key set. GitHub's has about 12 KB.
const LARGEST: usize = 256 * 1024;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    /// The token names somebody else.
    #[error("`{0}` is not where this platform signs its tokens")]
    Foreign(String),
    /// Its host did not tell.
    #[error("the keys of its issuer could not be fetched: {0}")]
    Unavailable(String),
}

/// The address of an issuer, if it is written as one (OpenID Connect Core 1.0, section 2: no query, no fragment) in the one way
/// in which it can be.
pub(super) fn address(issuer: &str) -> Option<Url> {
    let url = Url::parse(issuer).ok()?;
    let plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let same = url.as_str().trim_end_matches('/') == issuer.trim_end_matches('/');
    (plain && same && matches!(url.scheme(), "https" | "http")).then_some(url)
}

/// Fetches the key set of `issuer`: at `path` below it, or where its configuration says (OpenID Connect Discovery 1.0, section 4).
pub(super) fn fetch(http: &Http, issuer: &Url, path: Option<&str>) -> Result<String, KeysError> {
    let below = |path: &str| format!("{}/{path}", issuer.as_str().trim_end_matches('/'));
    if let Some(path) = path {
        return get(http, &below(path));
    }
    #[derive(Deserialize)]
    struct Configuration {
        issuer: String,
        jwks_uri: String,
    }
    let text = get(http, &below(".well-known/openid-configuration"))?;
    let no = |why: &str| KeysError::Unavailable(format!("its configuration {why}"));
    let told: Configuration = serde_json::from_str(&text).map_err(|_| no("cannot be read"))?;
    if told.issuer.trim_end_matches('/') != issuer.as_str().trim_end_matches('/') {
        return Err(no("is another issuer's"));
    }
    let keys = Url::parse(&told.jwks_uri).ok().filter(|keys| keys.origin() == issuer.origin());
    get(http, keys.ok_or_else(|| no("says that they are on another host"))?.as_str())
}

fn get(http: &Http, url: &str) -> Result<String, KeysError> {
    let no = |why: String| KeysError::Unavailable(why);
    let limits = Limits { body: LARGEST, redirects: 0, ..Limits::default() };
    let answer = http.get(url, &[], limits).map_err(|e: HttpError| no(e.to_string()))?;
    if answer.status != 200 {
        return Err(no(format!("they were answered with status {}", answer.status)));
    }
    String::from_utf8(answer.body).map_err(|_| no("they are no text".to_owned()))
}
