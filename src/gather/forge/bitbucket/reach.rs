//! Where Bitbucket Cloud's API is, and by which token it is asked. Bitbucket Data Center has another API, which is not spoken here.

use super::super::{Given, Reach};
use crate::gather::http::Secret;
use ::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const API: &str = "https://api.bitbucket.org/2.0";
/// A repository's, project's or workspace's access token. No platform sets these: who has such a token sets them.
const TOKENS: &[&str] = &["BITBUCKET_ACCESS_TOKEN", "BITBUCKET_TOKEN"];

/// How the API is reached; the variables' tokens are Bitbucket's own and go nowhere else.
pub(in super::super) fn reach(given: &Given) -> Option<Reach> {
    let base = given.url.unwrap_or(API).trim_end_matches('/').to_owned();
    let own = super::super::reach::host(&base).as_deref() == Some("api.bitbucket.org") && base.starts_with("https:");
    let (token, token_from) = given.token(if own { TOKENS } else { &[] })?;
    Some(Reach { base, header: AUTHORIZATION, token: Secret::new(authorization(token.expose().trim())), token_from })
}

/// An access token is a bearer token; an API token of a person goes with their address, `address:token` (Atlassian support, "Using
/// API tokens").
fn authorization(token: &str) -> String {
    match token.contains(':') {
        true => format!("Basic {}", STANDARD.encode(token)),
        false => format!("Bearer {token}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gather::platform::Env;

    fn told(env: &[(&str, &str)], url: Option<&str>, token: Option<&str>) -> Option<String> {
        let env = Env::new(env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
        let token = token.map(|t| Secret::new(t.to_owned()));
        let platform = "bitbucket";
        let given = Given { env: &env, url, token: token.as_ref(), forge: None, repository_url: None, platform };
        reach(&given).map(|r| format!("{} {} {}", r.base, r.token.expose(), r.token_from))
    }

    #[test]
    fn a_token_goes_to_bitbucket_or_where_it_was_given_for() {
        let env = [("BITBUCKET_TOKEN", "t"), ("BITBUCKET_ACCESS_TOKEN", "a\n")];
        let own = |rest: &str| Some(format!("https://api.bitbucket.org/2.0 {rest}"));
        assert_eq!(told(&env, None, None), own("Bearer a BITBUCKET_ACCESS_TOKEN"));
        assert_eq!(told(&env[..1], None, None), own("Bearer t BITBUCKET_TOKEN"));
        assert_eq!(told(&env, None, Some("f")), own("Bearer f --api-token"));
        assert_eq!(told(&env, None, Some("me@example.com:x")), own("Basic bWVAZXhhbXBsZS5jb206eA== --api-token"));
        assert_eq!(told(&[], None, None), None);
        assert_eq!(told(&env, Some("https://evil.example/2.0"), None), None, "another host");
        assert_eq!(told(&env, Some("http://api.bitbucket.org/2.0"), None), None, "in the clear");
        assert_eq!(
            told(&[], Some("http://127.0.0.1:1/2.0/"), Some("f")),
            Some("http://127.0.0.1:1/2.0 Bearer f --api-token".into())
        );
    }
}
