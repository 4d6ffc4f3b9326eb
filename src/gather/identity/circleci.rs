//! CircleCI (CircleCI docs, "Using OpenID Connect tokens in jobs"): in every job, for the organization as the audience.

use super::{Asking, Token, fixed, is_at};
use crate::gather::platform::Env;
use url::Url;

pub(super) fn token(asking: &Asking) -> Result<Token, String> {
    match asking.env.get("CIRCLE_OIDC_TOKEN_V2") {
        Some(token) => fixed(token),
        None => Err("the job has no `CIRCLE_OIDC_TOKEN_V2`".to_owned()),
    }
}

pub(super) fn is_own(env: &Env, url: &Url) -> bool {
    let organization = env.get("CIRCLE_ORGANIZATION_ID");
    organization.is_some_and(|id| is_at(url, &format!("https://oidc.circleci.com/org/{id}")))
}
