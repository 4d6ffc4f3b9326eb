//! GitLab: `id_tokens` of the job, with the audience that stands there (GitLab docs, "OpenID Connect (OIDC) Authentication Using
//! ID Tokens"). Which variable holds the token, the job says: it comes by --id-token.

use super::{Asking, Token, is_at};
use crate::gather::platform::Env;
use url::Url;

pub(super) fn token(_: &Asking) -> Result<Token, String> {
    Err("no token of the job was named: say `id_tokens: {VOUCHSAFE_ID_TOKEN: {aud: https://vouchsafe.dev}}` for it"
        .to_owned())
}

pub(super) fn is_own(env: &Env, url: &Url) -> bool {
    env.get("CI_SERVER_URL").is_some_and(|server| is_at(url, server))
}
