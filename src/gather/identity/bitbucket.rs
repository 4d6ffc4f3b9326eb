//! Bitbucket Pipelines (Atlassian support, "Integrate Pipelines with resource servers using OIDC"): in a step with `oidc: true`.

use super::{Asking, Token, fixed, is_at};
use crate::gather::platform::Env;
use url::Url;

pub(super) fn token(asking: &Asking) -> Result<Token, String> {
    match asking.env.get("BITBUCKET_STEP_OIDC_TOKEN") {
        Some(token) => fixed(token),
        None => Err("the step has no `BITBUCKET_STEP_OIDC_TOKEN`: say `oidc: true` for it".to_owned()),
    }
}

pub(super) fn is_own(env: &Env, url: &Url) -> bool {
    let own =
        |workspace| format!("https://api.bitbucket.org/2.0/workspaces/{workspace}/pipelines-config/identity/oidc");
    env.get("BITBUCKET_WORKSPACE").is_some_and(|workspace| is_at(url, &own(workspace)))
}
