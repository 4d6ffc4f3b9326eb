//! Where GitHub's API is, and whose token it may get: github.com, a host with data residency (`SUB.ghe.com`), an Enterprise Server.
//!
//! A token in a variable is sent only to the host that it is for. On GitHub Actions that is the server that runs the job; elsewhere
//! `GITHUB_TOKEN` and `GH_TOKEN` are for github.com and ghe.com, and an Enterprise Server has variables of its own (GitHub CLI
//! manual, "gh help environment").

use super::super::{Given, Reach};
use crate::gather::http::Secret;
use ::http::header::AUTHORIZATION;
use url::Url;

/// How the API is reached; `None` where no address or no token is known that belong together.
pub(in super::super) fn reach(given: &Given) -> Option<Reach> {
    let on_actions = given.platform == "github";
    let repository = given.repository_url.and_then(server);
    let own = on_actions.then(|| given.env.get("GITHUB_SERVER_URL").unwrap_or("https://github.com")).and_then(server);
    let own_api = || {
        let told = given.env.get("GITHUB_API_URL").map(str::to_owned);
        told.or_else(|| own.as_ref().and_then(|server| beside(server, true)))
    };
    let here = own.is_some() && (repository.is_none() || repository == own);
    let base = match given.url {
        Some(url) => url.to_owned(),
        None if here => own_api()?,
        None => beside(&repository.clone()?, given.forge == Some("github"))?,
    };
    let base = base.trim_end_matches('/').to_owned();
    let api = server(&base)?;
    let variables: &[&str] = match &own {
        Some(own) if belong(own, &api) => &["GITHUB_TOKEN", "GH_TOKEN"],
        Some(_) => &[],
        None if repository.as_ref().is_none_or(|repository| !belong(repository, &api)) => &[],
        None if api.host != "api.github.com" && !api.host.ends_with(".ghe.com") => {
            &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"]
        }
        // there `GITHUB_TOKEN` is the token of their own server
        None if ["forgejo", "gitea"].contains(&given.platform) => &["GH_TOKEN"],
        None => &["GITHUB_TOKEN", "GH_TOKEN"],
    };
    let (token, token_from) = given.token(variables)?;
    let token = Secret::new(format!("Bearer {}", token.expose().trim()));
    Some(Reach { base, header: AUTHORIZATION, token, token_from })
}

/// A server: the scheme only tells how it is asked.
#[derive(Clone, Debug)]
struct Server {
    scheme: &'static str,
    host: String,
    port: Option<u16>,
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        // an address for git may name a port, or none, that says nothing of the one for the API
        self.host == other.host && (self.port == other.port || self.port.is_none() || other.port.is_none())
    }
}

fn server(address: &str) -> Option<Server> {
    let host = super::super::reach::host(address)?;
    let url = Url::parse(address).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
    let scheme = if url.as_ref().is_some_and(|url| url.scheme() == "http") { "http" } else { "https" };
    Some(Server { scheme, host, port: url.and_then(|url| url.port_or_known_default()) })
}

/// The API of a server. `any`: of one that may be an Enterprise Server, too.
fn beside(server: &Server, any: bool) -> Option<String> {
    let (scheme, host) = (server.scheme, server.host.as_str());
    match host {
        "github.com" | "ssh.github.com" => Some("https://api.github.com".to_owned()),
        _ if host.ends_with(".ghe.com") => Some(format!("https://api.{host}")),
        _ if any => {
            let port = server.port.filter(|port| ![80, 443].contains(port));
            Some(format!("{scheme}://{host}{}/api/v3", port.map(|port| format!(":{port}")).unwrap_or_default()))
        }
        _ => None,
    }
}

/// Whether an API is the one of a server.
fn belong(own: &Server, api: &Server) -> bool {
    let expected = beside(own, true).and_then(|address| server(&address));
    // no plain connection where the server itself has none
    expected.is_some_and(|expected| expected == *api) && !(own.scheme == "https" && api.scheme == "http")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gather::platform::Env;

    /// Platform, variables, flags (`url`, `token`, `forge`), the repository's address.
    fn reached(
        platform: &str,
        env: &[(&str, &str)],
        flags: [Option<&str>; 3],
        url: Option<&str>,
    ) -> Option<[String; 3]> {
        let env = Env::new(env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
        let [api, token, forge] = flags;
        let token = token.map(|t| Secret::new(t.to_owned()));
        let given = Given { env: &env, url: api, token: token.as_ref(), forge, repository_url: url, platform };
        reach(&given).map(|r| [r.base, r.token.expose().to_owned(), r.token_from])
    }

    #[test]
    fn a_token_goes_only_where_it_belongs() {
        const HUB: Option<&str> = Some("https://github.com/o/r");
        const TOKEN: (&str, &str) = ("GITHUB_TOKEN", "t1");
        let no = [None, None, None];
        let flag = |url, forge| [url, Some("t2"), forge];
        let ghes = [
            TOKEN,
            ("GITHUB_SERVER_URL", "https://git.example.com"),
            ("GITHUB_API_URL", "https://git.example.com/api/v3"),
        ];
        let both = |server, api| [TOKEN, ("GITHUB_SERVER_URL", server), ("GITHUB_API_URL", api)];
        let table = [
            ("actions", reached("github", &[TOKEN], no, HUB), Some("https://api.github.com GITHUB_TOKEN")),
            ("no address", reached("github", &[TOKEN], no, None), Some("https://api.github.com GITHUB_TOKEN")),
            ("no token", reached("github", &[], no, HUB), None),
            (
                "empty",
                reached("github", &[("GITHUB_TOKEN", ""), ("GH_TOKEN", "x")], no, HUB),
                Some("https://api.github.com GH_TOKEN"),
            ),
            (
                "server",
                reached("github", &ghes, no, Some("https://git.example.com/o/r")),
                Some("https://git.example.com/api/v3 GITHUB_TOKEN"),
            ),
            (
                "residency",
                reached("github", &both("https://acme.ghe.com", "https://api.acme.ghe.com"), no, None),
                Some("https://api.acme.ghe.com GITHUB_TOKEN"),
            ),
            (
                "loopback",
                reached("github", &both("http://127.0.0.1:8080", "http://127.0.0.1:8080/api"), no, None),
                Some("http://127.0.0.1:8080/api GITHUB_TOKEN"),
            ),
            ("strangers", reached("github", &both("https://github.com", "https://api.evil.example"), no, None), None),
            (
                "port",
                reached("github", &both("https://git.example.com", "https://git.example.com:444/api/v3"), no, None),
                None,
            ),
            (
                "plain",
                reached("github", &both("https://git.example.com", "http://git.example.com/api/v3"), no, None),
                None,
            ),
            ("another repository", reached("github", &ghes, no, HUB), None),
            (
                "its token by a flag",
                reached("github", &ghes, flag(None, None), HUB),
                Some("https://api.github.com --api-token"),
            ),
            ("another address", reached("github", &[TOKEN], [Some("https://evil.example/api"), None, None], HUB), None),
            (
                "by flags",
                reached("jenkins", &[TOKEN], flag(Some("https://x.example/api/v3/"), None), None),
                Some("https://x.example/api/v3 --api-token"),
            ),
            (
                "jenkins",
                reached("jenkins", &[TOKEN], no, Some("git@github.com:o/r.git")),
                Some("https://api.github.com GITHUB_TOKEN"),
            ),
            (
                "jenkins, same address",
                reached("jenkins", &[TOKEN], [Some("https://api.github.com"), None, None], HUB),
                Some("https://api.github.com GITHUB_TOKEN"),
            ),
            (
                "jenkins, no repository",
                reached("jenkins", &[TOKEN], [Some("https://api.github.com"), None, None], None),
                None,
            ),
            (
                "jenkins, a server",
                reached("jenkins", &[TOKEN], [None, None, Some("github")], Some("https://git.example.com/o/r")),
                None,
            ),
            (
                "jenkins, a server's token",
                reached(
                    "jenkins",
                    &[("GH_ENTERPRISE_TOKEN", "e")],
                    [None, None, Some("github")],
                    Some("ssh://git@git.example.com:22/o/r"),
                ),
                Some("https://git.example.com/api/v3 GH_ENTERPRISE_TOKEN"),
            ),
            (
                "jenkins, unknown host",
                reached("jenkins", &[TOKEN], flag(None, None), Some("https://git.example.com/o/r")),
                None,
            ),
            (
                "jenkins, residency",
                reached("jenkins", &[TOKEN], no, Some("https://acme.ghe.com/o/r")),
                Some("https://api.acme.ghe.com GITHUB_TOKEN"),
            ),
            ("forgejo's token", reached("forgejo", &[TOKEN], [None, None, Some("github")], HUB), None),
            (
                "lookalike",
                reached("jenkins", &[TOKEN], [None, None, Some("github")], Some("https://evilgithub.com/o/r")),
                None,
            ),
        ];
        for (what, is, wanted) in table {
            let is = is.map(|[base, token, from]| {
                let text = match from.as_str() {
                    "GITHUB_TOKEN" => "t1",
                    "GH_TOKEN" => "x",
                    "GH_ENTERPRISE_TOKEN" => "e",
                    _ => "t2",
                };
                assert_eq!(token, format!("Bearer {text}"), "{what}");
                format!("{base} {from}")
            });
            assert_eq!(is.as_deref(), wanted, "{what}");
        }
    }
}
