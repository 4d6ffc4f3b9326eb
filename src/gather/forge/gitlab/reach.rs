//! Where the API is, and by which token it is asked.

use super::{Given, Reach};
use crate::gather::http::Secret;
use ::http::header::HeaderName;
use url::Url;

/// A personal, project or group access token (GitLab docs, "REST API authentication").
const PRIVATE: HeaderName = HeaderName::from_static("private-token");
/// The token of the job that runs. It reads much less.
const JOB: HeaderName = HeaderName::from_static("job-token");

/// Any host when `--forge gitlab` was said or GitLab itself runs us; gitlab.com else.
pub(in super::super) fn reach(given: &Given) -> Option<Reach> {
    let own = given.platform == "gitlab";
    let base = match given.url {
        Some(url) => url.to_owned(),
        None => match given.env.get("CI_API_V4_URL").filter(|_| own) {
            Some(url) => url.to_owned(),
            None => of_host(given.repository_url?)?,
        },
    };
    let base = base.trim_end_matches('/').to_owned();
    let host = super::super::reach::host(&base)?;
    let (header, token, token_from) = token(given, &host, own)?;
    Some(Reach { base, header, token, token_from })
}

/// The API of the host of a page or clone address. A port belongs to the API only where it is one of https.
fn of_host(address: &str) -> Option<String> {
    let host = match super::super::reach::host(address)?.as_str() {
        // ssh where its port is closed (GitLab docs, "Alternate SSH port")
        "altssh.gitlab.com" => "gitlab.com".to_owned(),
        host => host.to_owned(),
    };
    let port = Url::parse(address).ok().filter(|url| url.scheme() == "https").and_then(|url| url.port());
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("https://{host}{port}/api/v4"))
}

/// A token from a variable goes to the host that the variables name (`GITLAB_HOST` of GitLab's own command-line client,
/// `CI_SERVER_HOST` of the job), or where they name none to the host of the repository; to no other that a flag names.
fn token(given: &Given, host: &str, own: bool) -> Option<(HeaderName, Secret, String)> {
    if let Some(token) = given.token {
        return Some((PRIVATE, token.clone(), "--api-token".to_owned()));
    }
    let server = given.env.get("CI_SERVER_HOST").filter(|_| own).map(str::to_ascii_lowercase);
    let named = given.env.get("GITLAB_HOST").map(|named| {
        super::super::reach::host(named)
            .unwrap_or_else(|| named.split(['/', ':']).next().unwrap_or_default().to_ascii_lowercase())
    });
    let repository = || super::super::reach::host(&of_host(given.repository_url?)?);
    if named.or_else(|| server.clone()).or_else(repository).is_some_and(|named| named == host)
        && let Some((token, from)) = given.token(&["GITLAB_TOKEN"])
    {
        return Some((PRIVATE, token, from));
    }
    if server.is_some_and(|server| server == host)
        && let Some((token, from)) = given.token(&["CI_JOB_TOKEN"])
    {
        return Some((JOB, token, from));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gather::platform::Env;

    fn told(
        variables: &[(&str, &str)],
        platform: &str,
        url: Option<&str>,
        page: Option<&str>,
        token: Option<&str>,
    ) -> String {
        let env = Env::new(variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
        let token = token.map(|t| Secret::new(t.to_owned()));
        let given = Given { env: &env, url, token: token.as_ref(), forge: None, repository_url: page, platform };
        match reach(&given) {
            Some(r) => format!("{} {} {} {}", r.base, r.header, r.token.expose(), r.token_from),
            None => "none".to_owned(),
        }
    }

    #[test]
    fn a_job_reaches_its_own_server_and_no_other() {
        let job = [
            ("CI_API_V4_URL", "https://git.corp.test/api/v4"),
            ("CI_SERVER_HOST", "git.corp.test"),
            ("CI_JOB_TOKEN", "j"),
        ];
        let own = told(&job, "gitlab", None, Some("https://git.corp.test/g/p"), None);
        assert_eq!(own, "https://git.corp.test/api/v4 job-token j CI_JOB_TOKEN");
        assert_eq!(told(&job, "gitlab", Some("https://gitlab.com/api/v4"), None, None), "none", "another host");
        assert_eq!(told(&job, "jenkins", Some("https://git.corp.test/api/v4"), None, None), "none", "no job of GitLab");
        assert_eq!(told(&job[..1], "gitlab", None, None, None), "none");
        let lent = [&job[..], &[("GITLAB_TOKEN", "t")]].concat();
        assert_eq!(
            told(&lent, "gitlab", None, None, None),
            "https://git.corp.test/api/v4 private-token t GITLAB_TOKEN"
        );
        assert_eq!(told(&lent, "gitlab", Some("https://evil.test/api/v4"), None, None), "none");
        let given = told(&lent, "gitlab", Some("https://git2.test/api/v4/"), None, Some("f"));
        assert_eq!(given, "https://git2.test/api/v4 private-token f --api-token");
        let no_host = [("CI_API_V4_URL", "https://a.test/api/v4"), ("CI_JOB_TOKEN", "j")];
        assert_eq!(told(&no_host, "gitlab", None, None, None), "none", "nobody says whose token it is");
    }

    #[test]
    fn elsewhere_the_host_of_the_repository_is_asked() {
        let lent = [("GITLAB_TOKEN", "t")];
        for (page, base) in [
            ("https://gitlab.com/g/p.git", "https://gitlab.com/api/v4"),
            ("ssh://git@altssh.gitlab.com:443/g/p.git", "https://gitlab.com/api/v4"),
            ("git@git.corp.test:g/p.git", "https://git.corp.test/api/v4"),
            ("ssh://git@git.corp.test:2222/g/p.git", "https://git.corp.test/api/v4"),
            ("https://git.corp.test:8443/g/p", "https://git.corp.test:8443/api/v4"),
        ] {
            assert_eq!(told(&lent, "jenkins", None, Some(page), None), format!("{base} private-token t GITLAB_TOKEN"));
        }
        let other = [("GITLAB_TOKEN", "t"), ("GITLAB_HOST", "https://git.other.test")];
        assert_eq!(
            told(&other, "jenkins", None, Some("https://gitlab.com/g/p"), None),
            "none",
            "the token is another host's"
        );
        let bare = [("GITLAB_TOKEN", "t"), ("GITLAB_HOST", "gitlab.com")];
        assert!(
            told(&bare, "jenkins", None, Some("https://gitlab.com/g/p"), None)
                .starts_with("https://gitlab.com/api/v4 ")
        );
        assert_eq!(told(&lent, "jenkins", None, None, None), "none");
        let astray = told(&lent, "jenkins", Some("https://evil.test/api/v4"), Some("https://gitlab.com/g/p"), None);
        assert_eq!(astray, "none", "a token that nobody gave for that host");
        assert_eq!(told(&[], "jenkins", None, Some("https://gitlab.com/g/p"), None), "none");
    }
}
