//! GitHub, GitHub Enterprise Server, and GitHub with data residency (GitHub docs, "OpenID Connect reference").

use super::{Asking, Token, actions, is_at_or_below};
use crate::gather::platform::Env;
use url::Url;

const GITHUB: &str = "https://token.actions.githubusercontent.com";

pub(super) fn token(asking: &Asking) -> Result<Token, String> {
    actions::token(asking, "say `permissions: {id-token: write}` for it, beside the permissions that it has")
}

/// An enterprise may have its name below the address.
pub(super) fn is_own(env: &Env, url: &Url) -> bool {
    let server = env.get("GITHUB_SERVER_URL").unwrap_or("https://github.com").trim_end_matches('/');
    match server.strip_prefix("https://") {
        Some("github.com") => is_at_or_below(url, GITHUB),
        Some(host) if host.ends_with(".ghe.com") && !host.contains('/') => {
            is_at_or_below(url, &format!("https://token.actions.{host}"))
        }
        _ => is_at_or_below(url, &format!("{server}/_services/token")),
    }
}
