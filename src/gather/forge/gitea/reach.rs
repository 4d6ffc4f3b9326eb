//! Where the API of Forgejo or Gitea is, and by which token it is asked.
//!
//! Their runners set GitHub's variables, so `GITHUB_TOKEN` is theirs where they run us, and nobody's else.

use super::super::{Given, Reach};
use crate::gather::http::Secret;
use ::http::header::AUTHORIZATION;
use url::Url;

/// How the API is reached; `None` where no address or no token is known that belong together.
pub(in super::super) fn reach(given: &Given) -> Option<Reach> {
    let own = ["forgejo", "gitea"].contains(&given.platform);
    let server = given.env.get("GITHUB_SERVER_URL").filter(|_| own).and_then(origin);
    let page = given.repository_url.and_then(origin);
    let here = server.is_some() && (page.is_none() || same(page.as_ref(), server.as_ref()));
    let base = match given.url {
        Some(url) => url.to_owned(),
        None if here => match given.env.get("GITHUB_API_URL") {
            Some(api) => api.to_owned(),
            None => beside(given.env.get("GITHUB_SERVER_URL")?),
        },
        None => page.as_ref()?.api(),
    };
    let base = base.trim_end_matches('/').to_owned();
    let api = origin(&base)?;
    // whose variables these are: the server's that runs us, or the host's that keeps the repository
    let variables: &[&str] = match own {
        true if same(Some(&api), server.as_ref()) => &["FORGEJO_TOKEN", "GITEA_TOKEN", "GITHUB_TOKEN"],
        false if same(Some(&api), page.as_ref()) => &["FORGEJO_TOKEN", "GITEA_TOKEN"],
        _ => &[],
    };
    let (token, token_from) = given.token(variables)?;
    let token = Secret::new(format!("token {}", token.expose().trim()));
    Some(Reach { base, header: AUTHORIZATION, token, token_from })
}

struct Origin {
    /// In the clear.
    plain: bool,
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// The API beside a page or clone address.
    fn api(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}/api/v1", if self.plain { "http" } else { "https" }, self.host)
    }
}

fn beside(server: &str) -> String {
    format!("{}/api/v1", server.trim_end_matches('/'))
}

/// A port belongs to the API only where it is one of the web.
fn origin(address: &str) -> Option<Origin> {
    let host = super::super::reach::host(address)?;
    let url = Url::parse(address).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    let plain = url.as_ref().is_some_and(|url| url.scheme() == "http");
    Some(Origin { plain, host, port: url.and_then(|url| url.port()) })
}

/// Whether a token of `own` may go to `api`: to the same host, and not in the clear where the host itself is not.
fn same(api: Option<&Origin>, own: Option<&Origin>) -> bool {
    let (Some(api), Some(own)) = (api, own) else { return false };
    api.host == own.host && (api.port == own.port || own.port.is_none()) && (own.plain || !api.plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gather::platform::Env;

    fn told(
        platform: &str,
        env: &[(&str, &str)],
        url: Option<&str>,
        page: Option<&str>,
        token: Option<&str>,
    ) -> String {
        let env = Env::new(env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
        let token = token.map(|t| Secret::new(t.to_owned()));
        let given = Given { env: &env, url, token: token.as_ref(), forge: None, repository_url: page, platform };
        match reach(&given) {
            Some(r) => format!("{} {} {}", r.base, r.token.expose(), r.token_from),
            None => "none".to_owned(),
        }
    }

    #[test]
    fn a_token_goes_only_where_it_belongs() {
        let job = [
            ("GITHUB_TOKEN", "g"),
            ("GITHUB_SERVER_URL", "https://git.example.com:3000"),
            ("GITHUB_API_URL", "https://git.example.com:3000/api/v1"),
        ];
        let own = "https://git.example.com:3000/api/v1 token g GITHUB_TOKEN";
        let page = Some("https://git.example.com:3000/o/r");
        assert_eq!(told("forgejo", &job, None, page, None), own);
        assert_eq!(told("gitea", &job[..2], None, None, None), own, "the server's address is enough");
        assert_eq!(told("forgejo", &job, Some("https://evil.example/api/v1"), page, None), "none");
        assert_eq!(
            told("forgejo", &job, Some("http://git.example.com:3000/api/v1"), page, None),
            "none",
            "in the clear"
        );
        assert_eq!(
            told("forgejo", &job, None, Some("https://codeberg.org/o/r"), None),
            "none",
            "another host's repository"
        );
        assert_eq!(
            told("forgejo", &job, None, Some("https://codeberg.org/o/r"), Some("f")),
            "https://codeberg.org/api/v1 token f --api-token"
        );
        assert_eq!(told("jenkins", &job, None, page, None), "none", "GITHUB_TOKEN is not theirs there");
        assert_eq!(told("github", &job, None, page, None), "none");
        let lent = [("GITEA_TOKEN", "t")];
        for (page, base) in [
            ("https://codeberg.org/o/r.git", "https://codeberg.org/api/v1"),
            ("git@gitea.com:o/r.git", "https://gitea.com/api/v1"),
            ("ssh://git@git.corp.test:2222/o/r.git", "https://git.corp.test/api/v1"),
            ("http://127.0.0.1:3000/o/r", "http://127.0.0.1:3000/api/v1"),
        ] {
            assert_eq!(told("jenkins", &lent, None, Some(page), None), format!("{base} token t GITEA_TOKEN"));
        }
        assert_eq!(
            told("jenkins", &lent, Some("https://evil.example/api/v1"), Some("https://codeberg.org/o/r"), None),
            "none"
        );
        assert_eq!(told("jenkins", &lent, None, None, None), "none");
        assert_eq!(
            told("jenkins", &[], Some("https://x.example/api/v1/"), None, Some("f\n")),
            "https://x.example/api/v1 token f --api-token"
        );
    }
}
