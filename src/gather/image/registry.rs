//! A tag to its digest, at the registry (OCI distribution-spec 1.1, "Pulling manifests"; docker registry token flow).

use super::credentials::{self, Credentials};
use super::manifest::{self, Document};
use super::reference::{DOCKER_HUB, Reference};
use super::{Ask, Found};
use crate::gather::http::{Header, Http, Limits, Response, Secret, is_loopback};
use crate::record::digest::{DigestSet, Sha256Digest};
use crate::record::parts_v1::How;
use crate::record::run_v1::Artifact;
use ::http::header::{ACCEPT, AUTHORIZATION};
use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use url::Url;

/// Asks the registry for the manifest or index of `reference`, hashes what comes, and names it with all that it lists.
///
/// Errors: not there, not allowed, or the bytes are not what the registry or the reference says.
pub(super) fn resolve(ask: &Ask<'_>, reference: &Reference) -> anyhow::Result<Found> {
    let mut warnings = Vec::new();
    let host = if reference.registry == DOCKER_HUB { "registry-1.docker.io" } else { &reference.registry };
    let scheme = if ask.http.may_be_plain(host) { "http" } else { "https" };
    let wanted = match (&reference.digest, &reference.tag) {
        (Some(digest), _) => format!("sha256:{digest}"),
        (None, Some(tag)) => tag.clone(),
        (None, None) => {
            warnings.push(format!("`{reference}` names no tag; `latest` was resolved"));
            "latest".into()
        }
    };
    let url = Url::parse(&format!("{scheme}://{host}/v2/{}/manifests/{wanted}", reference.repository))?;
    let mut answer = get(ask.http, &url, None)?;
    if answer.status == 401 {
        let found = ask.docker_config.map(|path| credentials::find(path, reference)).transpose();
        let found = found.unwrap_or_else(|e| {
            warnings.push(format!("asked `{host}` without credentials: {e:#}"));
            None
        });
        let authorization = authorize(ask.http, &url, &answer, found.flatten().as_ref(), &reference.repository)
            .with_context(|| format!("could not log in to `{}`", reference.registry))?;
        answer = get(ask.http, &url, Some(&authorization))?;
    }
    match answer.status {
        200 => {}
        401 | 403 => bail!(
            "`{host}` does not let us read it ({}). Log in with `docker login {}` before this step, or give the digest",
            answer.status,
            reference.registry
        ),
        404 => bail!("`{host}` has no `{wanted}` in `{}`. Push it before this step", reference.repository),
        429 => bail!("`{host}` says that it was asked too often (429). Log in, or give the digest"),
        other => bail!("`{host}` answered with status {other}"),
    }
    found(reference, &wanted, &answer, warnings)
}

/// Names what the registry sent, once its bytes are what everybody says they are.
fn found(reference: &Reference, wanted: &str, answer: &Response, warnings: Vec<String>) -> anyhow::Result<Found> {
    let digest = Sha256Digest::of(&answer.body);
    if let Some(given) = reference.digest.filter(|d| *d != digest) {
        bail!("the registry sent bytes that hash to sha256:{digest} for sha256:{given}");
    }
    let said = answer.header("docker-content-digest");
    if let Some(said) = said.filter(|s| s.starts_with("sha256:") && *s != format!("sha256:{digest}")) {
        bail!("the registry calls it `{said}` and sent bytes that hash to sha256:{digest}");
    }
    let declared = answer.header("content-type");
    let document = Document::parse(&answer.body, declared)?;
    let declared = declared.map(|d| d.split(';').next().unwrap_or(d).trim().to_owned());
    let tag = reference.tag.clone().or_else(|| reference.digest.is_none().then(|| wanted.to_owned()));
    let mut artifacts = vec![Artifact {
        kind: document.kind(),
        name: reference.name(),
        digest: DigestSet::sha256(digest),
        media_type: document.media_type.clone().or(declared),
        size: Some(answer.body.len() as u64),
        tag: tag.clone(),
        platform: None,
        index: None,
    }];
    artifacts.extend(document.listed(&reference.name(), tag.as_deref(), digest)?);
    Ok(Found { artifacts, how: How::Registry, warnings })
}

fn get(http: &Http, url: &Url, authorization: Option<&Secret>) -> anyhow::Result<Response> {
    let mut headers = vec![(ACCEPT, Header::Plain(manifest::ACCEPT))];
    headers.extend(authorization.map(|a| (AUTHORIZATION, Header::Secret(a))));
    Ok(http.get(url.as_str(), &headers, Limits { body: manifest::BYTES, ..Limits::default() })?)
}

/// The `Authorization` header that the registry's 401 asks for.
fn authorize(
    http: &Http,
    registry: &Url,
    refused: &Response,
    credentials: Option<&Credentials>,
    repository: &str,
) -> anyhow::Result<Secret> {
    if let Some(Credentials::Bearer(token)) = credentials {
        return Ok(Secret::new(format!("Bearer {}", token.expose())));
    }
    let challenges: Vec<Challenge> = refused
        .headers
        .get_all(::http::header::WWW_AUTHENTICATE)
        .iter()
        .filter_map(|v| Challenge::parse(v.to_str().ok()?))
        .collect();
    let of = |scheme: &str| challenges.iter().find(|c| c.scheme.eq_ignore_ascii_case(scheme));
    if let Some(challenge) = of("bearer") {
        return token(http, registry, challenge, credentials, repository);
    }
    match (of("basic"), credentials) {
        (Some(_), Some(Credentials::Basic(user, password))) => Ok(basic(user, password)),
        (Some(_), _) => bail!("it wants a user name and password. Run `docker login` before this step"),
        (None, _) => bail!("it refused (401) and named no way to log in that this program knows"),
    }
}

#[derive(Deserialize)]
struct Token {
    token: Option<Secret>,
    access_token: Option<Secret>,
}

/// A token for pulling from `repository`, anonymous without credentials (distribution `docs/spec/auth/token.md`, `oauth.md`).
fn token(
    http: &Http,
    registry: &Url,
    challenge: &Challenge,
    credentials: Option<&Credentials>,
    repository: &str,
) -> anyhow::Result<Secret> {
    let realm = challenge.get("realm").and_then(|r| Url::parse(r).ok()).context("its token server has no address")?;
    // The registry names where the credentials go; without TLS only a registry without TLS may do so, on this machine.
    let plain = realm.scheme() == "http" && registry.scheme() == "http" && is_loopback(&realm) == is_loopback(registry);
    if realm.scheme() != "https" && !plain {
        bail!("its token server has an address without TLS");
    }
    let scope = challenge.get("scope").map_or_else(|| format!("repository:{repository}:pull"), str::to_owned);
    let service = challenge.get("service").unwrap_or_default();
    let limits = Limits { body: 1024 * 1024, ..Limits::default() };
    let answer = if let Some(Credentials::Identity(refresh)) = credentials {
        let fields = [
            ("grant_type", "refresh_token"),
            ("service", service),
            ("client_id", "vouchsafe"),
            ("scope", &scope),
            ("refresh_token", refresh.expose()),
        ];
        http.post_form(realm.as_str(), &fields, limits)?
    } else {
        let mut url = realm.clone();
        if !service.is_empty() {
            url.query_pairs_mut().append_pair("service", service);
        }
        url.query_pairs_mut().append_pair("scope", &scope);
        let basic = match credentials {
            Some(Credentials::Basic(user, password)) => Some(basic(user, password)),
            _ => None,
        };
        let headers: Vec<_> = basic.iter().map(|b| (AUTHORIZATION, Header::Secret(b))).collect();
        http.get(url.as_str(), &headers, limits)?
    };
    let body = zeroize::Zeroizing::new(answer.body);
    match (answer.status, credentials.is_some()) {
        (200, _) => {}
        (401 | 403, true) => {
            bail!("its token server refused the credentials of docker's configuration ({})", answer.status)
        }
        (401 | 403, false) => bail!("its token server gives no anonymous token. Run `docker login` before this step"),
        (other, _) => bail!("its token server answered with status {other}"),
    }
    // serde's message can quote the value that does not fit.
    let token: Token =
        serde_json::from_slice(&body).map_err(|_| anyhow::anyhow!("its token server's answer cannot be read"))?;
    let token = token.token.or(token.access_token).context("its token server's answer holds no token")?;
    Ok(Secret::new(format!("Bearer {}", token.expose())))
}

fn basic(user: &str, password: &Secret) -> Secret {
    let pair = zeroize::Zeroizing::new(format!("{user}:{}", password.expose()));
    Secret::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

/// `Bearer realm="…",service="…",scope="…"` (RFC 9110, 11.6.1), one challenge a header.
struct Challenge {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, mut rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let mut parameters = Vec::new();
        while let Some((name, value)) = rest.split_once('=') {
            let name = name.trim_matches([',', ' ', '\t']).to_ascii_lowercase();
            let (value, after) = match value.strip_prefix('"') {
                // A scope holds commas, so quotes decide where a value ends.
                Some(quoted) => quoted.split_once('"')?,
                None => value.split_at(value.find(',').unwrap_or(value.len())),
            };
            parameters.push((name, value.trim().to_owned()));
            rest = after;
        }
        Some(Self { scheme: scheme.to_owned(), parameters }).filter(|c| !c.scheme.is_empty())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|p| p.0 == name).map(|p| p.1.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Challenge;
    use proptest::prelude::*;

    #[test]
    fn challenges_are_read() {
        let text = r#"Bearer realm="https://auth.example/token?a=b",service="reg.example", scope="repository:a/b:pull,push",error=x"#;
        let challenge = Challenge::parse(text).unwrap();
        assert_eq!(challenge.scheme, "Bearer");
        for (name, value) in [
            ("realm", "https://auth.example/token?a=b"),
            ("service", "reg.example"),
            ("scope", "repository:a/b:pull,push"),
            ("error", "x"),
        ] {
            assert_eq!(challenge.get(name), Some(value));
        }
        assert_eq!(Challenge::parse("Basic").unwrap().scheme, "Basic");
        assert!(Challenge::parse("").is_none());
        assert!(Challenge::parse("Bearer realm=\"open").is_none());
    }

    proptest! {
        #[test]
        fn no_challenge_panics(text in "[a-zA-Z=\", é]{0,40}") {
            let _ = Challenge::parse(&text);
        }
    }
}
