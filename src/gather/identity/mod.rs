//! Tokens in which a CI platform signs who runs here (OpenID Connect Core 1.0), and the keys of who signs them.
//!
//! A platform that offers tokens for an audience of our choice is asked for one whose audience is the digest of the record, so that
//! its signature covers what was recorded. The others hand one over in a variable. What a token says, nobody here knows: it is
//! read where signatures are.

mod actions;
mod bitbucket;
mod buildkite;
mod circleci;
mod forgejo;
mod github;
mod gitlab;
mod keys;
#[cfg(test)]
mod tests;

pub(crate) use keys::KeysError;

use super::http::{Http, Secret};
use super::platform::Env;
use crate::record::RunRecord;
use crate::record::identity_v1::Binding;
use url::Url;

/// The audience of a token that is good for nothing but us: whoever reads it out of a record can do nothing with it.
pub(crate) const AUDIENCE: &str = crate::record::NAMESPACE;
/// Longest token, in bytes: what the one that reads it takes.
const LONGEST: usize = 64 * 1024;

/// A platform that signs tokens.
pub(crate) struct Issuer {
    /// The platform's name, as in `run.platform`.
    pub(crate) name: &'static str,
    /// Gets a token; an error is one sentence for the record.
    token: fn(&Asking) -> Result<Token, String>,
    /// Whether an address is where this very platform signs. Keys are fetched from nowhere else.
    is_own: fn(&Env, &Url) -> bool,
    /// Where its keys are, below that address; `None` where its configuration has to tell.
    keys: Option<&'static str>,
}

/// TABLE of platforms that sign tokens.
pub(crate) const ISSUERS: &[Issuer] = &[
    row("github", github::token, github::is_own, Some(".well-known/jwks")),
    row("forgejo", forgejo::token, forgejo::is_own, None),
    row("gitlab", gitlab::token, gitlab::is_own, Some("oauth/discovery/keys")),
    row("circleci", circleci::token, circleci::is_own, None),
    row("bitbucket", bitbucket::token, bitbucket::is_own, None),
    row("buildkite", buildkite::token, buildkite::is_own, None),
];

const fn row(
    name: &'static str,
    token: fn(&Asking) -> Result<Token, String>,
    is_own: fn(&Env, &Url) -> bool,
    keys: Option<&'static str>,
) -> Issuer {
    Issuer { name, token, is_own, keys }
}

/// What a token is asked with.
pub(crate) struct Asking<'a> {
    pub(crate) env: &'a Env,
    pub(crate) http: &'a Http,
    /// The record, complete but for its `identity`.
    pub(crate) record: &'a RunRecord,
    /// `sha256:` and the digest of that record.
    pub(crate) audience: &'a str,
}

/// A token as it came.
pub(crate) struct Token {
    pub(crate) text: Secret,
    /// What ties it to the record.
    pub(crate) binding: Binding,
}

/// The row of a platform; `None` where nobody signs.
pub(crate) fn of(platform: &str) -> Option<&'static Issuer> {
    ISSUERS.iter().find(|issuer| issuer.name == platform)
}

impl Issuer {
    /// A token of this run; an error is one sentence for the record.
    pub(crate) fn token(&self, asking: &Asking) -> Result<Token, String> {
        (self.token)(asking)
    }

    /// The key set (RFC 7517) of `issuer`, from there and from nowhere else.
    pub(crate) fn keys(&self, env: &Env, http: &Http, issuer: &str) -> Result<String, KeysError> {
        let url = keys::address(issuer).filter(|url| (self.is_own)(env, url));
        let url = url.ok_or_else(|| KeysError::Foreign(issuer.to_owned()))?;
        keys::fetch(http, &url, self.keys)
    }
}

/// A token that stood in a variable. Its audience was fixed before there was a record.
fn fixed(text: &str) -> Result<Token, String> {
    let text = text.trim();
    if text.len() > LONGEST || text.is_empty() || text.bytes().any(|b| !b.is_ascii_graphic()) {
        return Err(
            "what was handed over as the platform's token is none: it is empty, too long, or holds other characters \
                    than a token has"
                .to_owned(),
        );
    }
    Ok(Token { text: Secret::new(text.to_owned()), binding: Binding::TokenDigest })
}

/// A token that the words hand over.
pub(crate) fn given(text: &str) -> Result<Token, String> {
    fixed(text)
}

/// Whether `url` is the address that `known` names, or one below it.
fn is_at_or_below(url: &Url, known: &str) -> bool {
    let Ok(known) = Url::parse(known) else { return false };
    let base = known.path().trim_end_matches('/');
    let rest = url.path().strip_prefix(base);
    url.origin() == known.origin() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether `url` is the address that `known` names.
fn is_at(url: &Url, known: &str) -> bool {
    Url::parse(known).is_ok_and(|known| {
        url.origin() == known.origin() && url.path().trim_end_matches('/') == known.path().trim_end_matches('/')
    })
}
