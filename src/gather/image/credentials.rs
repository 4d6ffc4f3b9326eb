//! Registry credentials from docker's `config.json` (docker/cli `cli/config/configfile`) and its helper programs.

use super::read_file;
use super::reference::{DOCKER_HUB, Reference};
use crate::gather::http::Secret;
use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use zeroize::Zeroizing;

/// The name under which docker keeps the credentials of its own registry.
const HUB_SERVER: &str = "https://index.docker.io/v1/";
/// Time that a helper gets: some of them ask a cloud.
const HELPER_TIME: Duration = Duration::from_secs(10);

/// What to show a registry.
pub(super) enum Credentials {
    /// User name and password.
    Basic(String, Secret),
    /// A refresh token, exchanged at the token server (Azure).
    Identity(Secret),
    /// A token for the registry itself.
    Bearer(Secret),
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    #[serde(default)]
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
struct Auth {
    auth: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
    identitytoken: Option<Secret>,
    registrytoken: Option<Secret>,
}

/// The credentials for the image, from docker's configuration file at `path`. `Ok(None)`: ask without any.
pub(super) fn find(path: &Path, reference: &Reference) -> anyhow::Result<Option<Credentials>> {
    find_with(path, reference, &|helper, server| {
        run(OsStr::new(&format!("docker-credential-{helper}")), server, HELPER_TIME)
    })
}

type Helper<'a> = &'a dyn Fn(&str, &str) -> anyhow::Result<Option<Credentials>>;

fn find_with(path: &Path, reference: &Reference, helper: Helper<'_>) -> anyhow::Result<Option<Credentials>> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = Zeroizing::new(read_file(
        path.parent().unwrap_or(Path::new("")),
        path.file_name().unwrap_or_default(),
        1024 * 1024,
    )?);
    // serde's message can quote the value that does not fit.
    let config: Config = serde_json::from_slice(&bytes)
        .map_err(|e| anyhow::anyhow!("docker's `config.json` cannot be read (line {})", e.line()))?;
    let hub = reference.registry == DOCKER_HUB;
    let server = if hub { HUB_SERVER } else { &reference.registry };
    let helpers = config.cred_helpers.iter().find(|(host, _)| plain(host) == plain(server)).map(|(_, helper)| helper);
    if let Some(name) = helpers.or(config.creds_store.as_ref()).filter(|n| !n.is_empty()) {
        let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !name.chars().all(harmless) {
            bail!("docker's `config.json` names a helper that is no plain name");
        }
        if let Some(found) =
            helper(name, server).with_context(|| format!("could not run `docker-credential-{name}`"))?
        {
            return Ok(Some(found));
        }
    }
    // podman and skopeo keep credentials by repository; the longest path wins (containers-auth.json(5)).
    let registry = if hub { "index.docker.io" } else { &reference.registry };
    let whole = format!("{registry}/{}", reference.repository);
    let mut candidate = whole.as_str();
    loop {
        if let Some((_, auth)) = config.auths.iter().find(|(host, _)| plain(host) == candidate)
            && let Some(found) = from_auth(auth)?
        {
            return Ok(Some(found));
        }
        match candidate.rsplit_once('/') {
            Some((shorter, _)) => candidate = shorter,
            None => return Ok(None),
        }
    }
}

/// `https://host/v1/`, `host/` and `host` are one server; docker.io is index.docker.io.
fn plain(server: &str) -> &str {
    let server = server.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let server = server.strip_suffix("/v1").or_else(|| server.strip_suffix("/v2")).unwrap_or(server);
    if server == DOCKER_HUB { "index.docker.io" } else { server }
}

/// `Ok(None)` for the empty object that docker leaves where a store holds the credentials.
fn from_auth(auth: &Auth) -> anyhow::Result<Option<Credentials>> {
    let given = |s: &Option<Secret>| s.clone().filter(|s| !s.expose().is_empty());
    if let Some(token) = given(&auth.identitytoken) {
        return Ok(Some(Credentials::Identity(token)));
    }
    if let Some(token) = given(&auth.registrytoken) {
        return Ok(Some(Credentials::Bearer(token)));
    }
    if let Some(pair) = given(&auth.auth) {
        let bytes = STANDARD.decode(pair.expose().trim()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| anyhow::anyhow!("an `auth` of docker's `config.json` is not base64"))?;
        let text = std::str::from_utf8(&bytes).ok().and_then(|t| t.split_once(':'));
        let (user, password) = text.context("an `auth` of docker's `config.json` is not `user:password`")?;
        // Old versions of docker pad with zero bytes.
        return Ok(Some(Credentials::Basic(user.into(), Secret::new(password.trim_end_matches('\0').into()))));
    }
    Ok(auth
        .username
        .clone()
        .filter(|u| !u.is_empty())
        .zip(given(&auth.password))
        .map(|(u, p)| Credentials::Basic(u, p)))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: Secret,
}

/// Runs `program get` with `server` on its input (docker-credential-helpers, its protocol). `Ok(None)`: it has none.
fn run(program: &OsStr, server: &str, time: Duration) -> anyhow::Result<Option<Credentials>> {
    let mut child =
        Command::new(program).arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A helper that does not read its input shows it by its answer.
        let _ = input.write_all(server.as_bytes());
    }
    let Some(output) = child.stdout.take() else { bail!("it has no output") };
    let (told, heard) = mpsc::channel();
    // Not joined: a grandchild may keep the pipe open after the helper was killed.
    std::thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::new());
        let read = output.take(64 * 1024).read_to_end(&mut bytes);
        let _ = told.send(read.map(|_| bytes));
    });
    let bytes = heard.recv_timeout(time);
    if bytes.is_err() {
        let _ = child.kill();
    }
    let status = match bytes {
        Ok(_) => wait(&mut child, time)?,
        Err(_) => {
            let _ = child.wait();
            bail!("it did not answer within {} s", time.as_secs_f32());
        }
    };
    let bytes = bytes??;
    if !status.success() {
        // The one message that the protocol fixes; anything else may hold what it should not.
        let none = String::from_utf8_lossy(&bytes).contains("credentials not found");
        return if none { Ok(None) } else { bail!("it failed ({status})") };
    }
    let answer: Answer = serde_json::from_slice(&bytes).map_err(|_| anyhow::anyhow!("its answer cannot be read"))?;
    Ok(Some(match answer.username.as_str() {
        "<token>" => Credentials::Identity(answer.secret),
        _ => Credentials::Basic(answer.username, answer.secret),
    }))
}

/// The end of a child that has closed its output, killed if it lingers.
fn wait(child: &mut std::process::Child, time: Duration) -> anyhow::Result<std::process::ExitStatus> {
    let step = Duration::from_millis(20);
    for _ in 0..=time.as_millis() / step.as_millis() {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(step);
    }
    let _ = child.kill();
    let _ = child.wait();
    bail!("it did not end within {} s", time.as_secs_f32())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    fn shown(found: Option<Credentials>) -> String {
        match found {
            None => "none".into(),
            Some(Credentials::Basic(user, password)) => format!("{user}/{}", password.expose()),
            Some(Credentials::Identity(token)) => format!("identity {}", token.expose()),
            Some(Credentials::Bearer(token)) => format!("bearer {}", token.expose()),
        }
    }

    #[test]
    fn the_right_credentials_are_found() {
        // "dTpw" is u:p, "aHViOnA6cQ==" is hub:p:q, "cjpw" is r:p.
        let config = r#"{
            "auths": {
                "reg.example": {"auth": "dTpw"}, "https://index.docker.io/v1/": {"auth": "aHViOnA6cQ=="},
                "reg.example:5000": {"username": "a", "password": "b"}, "pod.example/org/repo": {"auth": "cjpw"},
                "pod.example": {"auth": "dTpw"}, "az.example": {"auth": "dTpw", "identitytoken": "refresh"},
                "tok.example": {"registrytoken": "t"}, "stored.example": {}, "bad.example": {"auth": "%%%"}
            },
            "credHelpers": {"gcr.example": "gcloud", "nothing.example": "gcloud", "evil.example": "../sh"},
            "HttpHeaders": {"x": "y"}
        }"#;
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("config.json");
        fs::write(&path, config).unwrap();
        let helper: Helper<'_> = &|name, server| match server {
            "gcr.example" => Ok(Some(Credentials::Basic(name.into(), Secret::new(server.into())))),
            _ => Ok(None),
        };
        for (image, want) in [
            ("reg.example/a", "u/p"),
            ("a", "hub/p:q"),
            ("docker.io/acme/shop", "hub/p:q"),
            ("reg.example:5000/a", "a/b"),
            ("reg.example:5001/a", "none"),
            ("pod.example/org/repo", "r/p"),
            ("pod.example/org/repo/below", "r/p"),
            ("pod.example/org/repository", "u/p"),
            ("az.example/a", "identity refresh"),
            ("tok.example/a", "bearer t"),
            ("stored.example/a", "none"),
            ("other.example/a", "none"),
            ("gcr.example/a", "gcloud/gcr.example"),
            ("nothing.example/a", "none"),
        ] {
            let reference = Reference::parse(image).unwrap();
            assert_eq!(shown(find_with(&path, &reference, helper).unwrap()), want, "{image}");
        }
        for (image, word) in [("bad.example/a", "base64"), ("evil.example/a", "no plain name")] {
            let error = find_with(&path, &Reference::parse(image).unwrap(), helper).err().unwrap();
            assert!(format!("{error:#}").contains(word), "{error:#}");
        }
        let nginx = Reference::parse("nginx").unwrap();
        assert_eq!(shown(find(&dir.path().join("none.json"), &nginx).unwrap()), "none");
        fs::write(&path, r#"{"auths": {"a": {"auth": ["S3CRET"]}}}"#).unwrap();
        let error = format!("{:#}", find_with(&path, &nginx, helper).err().unwrap());
        assert!(error.contains("config.json") && !error.contains("S3CRET"), "{error}");
        // One store for all servers, then the file.
        fs::write(&path, r#"{"auths": {"reg.example": {"auth": "dTpw"}}, "credsStore": "pass"}"#).unwrap();
        assert_eq!(
            shown(find_with(&path, &Reference::parse("gcr.example/a").unwrap(), helper).unwrap()),
            "pass/gcr.example"
        );
        assert_eq!(shown(find_with(&path, &Reference::parse("reg.example/a").unwrap(), helper).unwrap()), "u/p");
    }

    #[cfg(unix)]
    #[test]
    fn a_helper_is_run_and_bounded() {
        use std::os::unix::fs::PermissionsExt;
        let dir = TempDir::new().unwrap();
        let script = |name: &str, text: &str| {
            let path = dir.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        };
        let get = |path: &Path, ms| run(path.as_os_str(), "reg.example", Duration::from_millis(ms));
        let good = script("good", r#"read s; echo "{\"ServerURL\":\"$s\",\"Username\":\"$1\",\"Secret\":\"$s\"}""#);
        assert_eq!(shown(get(&good, 5000).unwrap()), "get/reg.example");
        let token = script("token", r#"echo '{"ServerURL":"x","Username":"<token>","Secret":"t"}'"#);
        assert_eq!(shown(get(&token, 5000).unwrap()), "identity t");
        let none = script("none", "echo credentials not found in native keychain; exit 1");
        assert_eq!(shown(get(&none, 5000).unwrap()), "none");
        for (name, text) in [
            ("fails", "echo S3CRET; echo S3CRET >&2; exit 3"),
            ("nonsense", "echo S3CRET"),
            ("endless", "yes S3CRET"),
            ("hangs", "sleep 60"),
            ("hangs_behind", "sleep 60 & echo '{}'"),
            ("lingers", "exec >&-; sleep 60"),
        ] {
            let start = std::time::Instant::now();
            let error = format!("{:#}", get(&script(name, text), 400).err().unwrap());
            assert!(!error.contains("S3CRET"), "{name}: {error}");
            assert!(start.elapsed() < Duration::from_secs(10), "{name}");
        }
        assert!(get(&dir.path().join("missing"), 400).is_err());
    }
}
