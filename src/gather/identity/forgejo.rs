//! Forgejo Actions, which offers GitHub's request from version 15 on (Forgejo docs, "Actions: Security OpenID Connect").

use super::{Asking, Token, actions, is_at};
use crate::gather::platform::Env;
use url::Url;

pub(super) fn token(asking: &Asking) -> Result<Token, String> {
    actions::token(asking, "say `enable-openid-connect: true` for it, where Forgejo and its runner know it")
}

pub(super) fn is_own(env: &Env, url: &Url) -> bool {
    let server = env.get("GITHUB_SERVER_URL").unwrap_or_default().trim_end_matches('/');
    is_at(url, &format!("{server}/api/actions"))
}
