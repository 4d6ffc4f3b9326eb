//! Every way in which a platform can fail to answer, and whom keys are asked from.

use super::*;
use crate::gather::http::Options;
use crate::gather::http::loopback::{Answer, Asked, Server};
use crate::record::parts_v1::Run;
use serde_json::json;
use std::time::Duration;

const AUD: &str = "sha256:00ff";

fn http() -> Http {
    Http::new(Options { tries: 1, whole: Duration::from_millis(700), ..Options::default() })
}

fn env(all: &[(&str, &str)]) -> Env {
    Env::new(all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn record(event: &str, from_fork: bool) -> RunRecord {
    serde_json::from_value(json!({
        "schemaVersion": "1.0.0", "recordId": "00000000-0000-0000-0000-000000000001", "recordedOn": "2026-11-23T10:00:00Z",
        "environment": "production", "tool": {"name": "t", "version": "1"}, "completeness": [], "provenance": [],
        "run": serde_json::to_value(Run { event: Some(event.into()), ..Run::default() }).unwrap(),
        "changes": [{"via": "pullRequest", "pullRequest": {"number": "7", "fromFork": from_fork}}],
    }))
    .unwrap()
}

fn asked(platform: &str, all: &[(&str, &str)]) -> Result<Token, String> {
    let (env, http, record) = (env(all), http(), record("push", false));
    of(platform).unwrap().token(&Asking { env: &env, http: &http, record: &record, audience: AUD })
}

fn why(answer: Result<Token, String>) -> String {
    answer.err().unwrap_or_else(|| panic!("there was a token"))
}

fn body(text: &str) -> Answer {
    Answer::With(200, Vec::new(), text.as_bytes().to_vec())
}

#[test]
fn a_token_is_asked_for_the_digest_and_with_the_runners_pass() {
    for platform in ["github", "forgejo"] {
        let server = Server::start(|_, _| body(r#"{"count": 3, "value": "eyJ.a.b"}"#));
        let url = server.url("/idtoken/1/2?api-version=2.0");
        let token =
            asked(platform, &[("ACTIONS_ID_TOKEN_REQUEST_URL", &url), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "pass")]);
        let token = token.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((token.text.expose(), token.binding), ("eyJ.a.b", Binding::Audience));
        let [Asked { path, .. }] = &server.asked()[..] else { panic!("asked more than once") };
        assert_eq!(path, "/idtoken/1/2?api-version=2.0&audience=sha256%3A00ff");
        assert_eq!(server.asked()[0].header("authorization"), Some("bearer pass"));
    }
}

#[test]
fn whatever_is_answered_instead_is_one_sentence_and_holds_no_secret() {
    let status = |n: u16| move |_: &Asked, _: usize| Answer::With(n, Vec::new(), b"{\"value\":\"eyJ.a.b\"}".to_vec());
    type Reply = Box<dyn Fn(&Asked, usize) -> Answer + Send + Sync>;
    let cases: Vec<(Reply, &str)> = vec![
        (Box::new(status(401)), "refused with status 401"),
        (Box::new(status(403)), "refused with status 403"),
        (Box::new(status(500)), "refused with status 500"),
        (Box::new(|_, _| Answer::Hang), "no answer within"),
        (Box::new(|_, _| Answer::Close), "could not reach"),
        (Box::new(|_, _| Answer::Endless), "larger than"),
        (Box::new(|_, _| body("no json")), "what was answered is none"),
        (Box::new(|_, _| body(r#"{"token":"eyJ.a.b"}"#)), "what was answered is none"),
        (Box::new(|_, _| body(r#"{"value":""}"#)), "it is empty"),
        (Box::new(|_, _| body("{\"value\":\"eyJ\\n::set-output\"}")), "other characters"),
    ];
    for (reply, says) in cases {
        let server = Server::start(reply);
        let url = server.url("/token?secret=query");
        let why = why(asked(
            "github",
            &[("ACTIONS_ID_TOKEN_REQUEST_URL", &url), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hunter2")],
        ));
        assert!(why.contains(says), "{says}: {why}");
        assert!(!why.contains("hunter2") && !why.contains("secret") && !why.contains("eyJ"), "{why}");
    }
}

#[test]
fn the_runners_pass_follows_no_redirect_and_goes_over_no_open_line() {
    let other = Server::start(|_, _| body(r#"{"value":"eyJ.a.b"}"#));
    let elsewhere = other.url("/");
    let server = Server::start(move |_, _| Answer::With(302, vec![("location", elsewhere.clone())], Vec::new()));
    let url = server.url("/token");
    let pass = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hunter2");
    assert!(why(asked("github", &[("ACTIONS_ID_TOKEN_REQUEST_URL", &url), pass])).contains("redirect"));
    assert_eq!(other.asked().len(), 0);
    let open = ("ACTIONS_ID_TOKEN_REQUEST_URL", "http://runner.example/token");
    assert!(why(asked("github", &[open, pass])).contains("only https"));
    assert!(why(asked("github", &[("ACTIONS_ID_TOKEN_REQUEST_URL", "nonsense"), pass])).contains("is no address"));
}

#[test]
fn without_the_right_to_ask_it_says_which_right() {
    assert!(why(asked("github", &[])).contains("id-token: write"));
    assert!(why(asked("forgejo", &[])).contains("enable-openid-connect"));
    assert!(why(asked("gitlab", &[])).contains("id_tokens"));
    assert!(why(asked("circleci", &[])).contains("CIRCLE_OIDC_TOKEN_V2"));
    assert!(why(asked("bitbucket", &[])).contains("oidc: true"));
    assert!(why(asked("buildkite", &[])).contains("request-token"));
    for (event, fork, says) in [
        ("pull_request", true, "a pull request from a fork"),
        ("pull_request", false, "id-token: write"),
        ("pull_request_target", true, "id-token: write"),
    ] {
        let (env, http, record) = (env(&[]), http(), record(event, fork));
        let asking = Asking { env: &env, http: &http, record: &record, audience: AUD };
        assert!(why(of("github").unwrap().token(&asking)).contains(says), "{event} {fork}");
    }
}

#[test]
fn tokens_in_variables_are_taken_as_they_stand() {
    for (platform, variable) in [("circleci", "CIRCLE_OIDC_TOKEN_V2"), ("bitbucket", "BITBUCKET_STEP_OIDC_TOKEN")] {
        let token = asked(platform, &[(variable, " eyJ.a.b\n")]).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((token.text.expose(), token.binding), ("eyJ.a.b", Binding::TokenDigest));
    }
    assert!(why(given("two words")).contains("other characters"));
    assert!(why(given(&"x".repeat(LONGEST + 1))).contains("too long"));
    assert!(of("jenkins").is_none() && of("manual").is_none());
}

#[test]
fn a_platform_signs_at_its_own_address_and_nowhere_else() {
    let hub = [("GITHUB_SERVER_URL", "https://github.com")];
    let own = [("GITHUB_SERVER_URL", "https://git.corp.example")];
    let resident = [("GITHUB_SERVER_URL", "https://acme.ghe.com")];
    let lab = [("CI_SERVER_URL", "https://lab.example/gitlab")];
    let circle = [("CIRCLE_ORGANIZATION_ID", "o-1")];
    let bucket = [("BITBUCKET_WORKSPACE", "acme")];
    for (platform, env_, issuer, wanted) in [
        ("github", &hub[..], "https://token.actions.githubusercontent.com", true),
        ("github", &hub, "https://token.actions.githubusercontent.com/acme", true),
        ("github", &[], "https://token.actions.githubusercontent.com", true),
        ("github", &hub, "https://token.actions.githubusercontent.com.evil.example", false),
        ("github", &hub, "https://token.actions.githubusercontent.com@evil.example", false),
        ("github", &hub, "https://evil.example/https://token.actions.githubusercontent.com", false),
        ("github", &hub, "http://token.actions.githubusercontent.com", false),
        ("github", &hub, "https://token.actions.githubusercontent.com:8443", false),
        ("github", &hub, "https://token.actions.githubusercontent.com?x=1", false),
        ("github", &hub, "https://github.com/_services/token", false),
        ("github", &own, "https://git.corp.example/_services/token", true),
        ("github", &own, "https://git.corp.example/_services/tokens", false),
        ("github", &own, "https://git.corp.example/_services/token/../../raw/evil", false),
        ("github", &own, "https://git.corp.example/evil", false),
        ("github", &own, "https://token.actions.githubusercontent.com", false),
        ("github", &resident, "https://token.actions.acme.ghe.com", true),
        ("github", &resident, "https://token.actions.other.ghe.com", false),
        ("forgejo", &own, "https://git.corp.example/api/actions", true),
        ("forgejo", &own, "https://git.corp.example/api/actions/x", false),
        ("forgejo", &[], "https://git.corp.example/api/actions", false),
        ("gitlab", &lab, "https://lab.example/gitlab", true),
        ("gitlab", &lab, "https://lab.example", false),
        ("gitlab", &lab, "http://169.254.169.254/gitlab", false),
        ("gitlab", &[], "https://gitlab.com", false),
        ("circleci", &circle, "https://oidc.circleci.com/org/o-1", true),
        ("circleci", &circle, "https://oidc.circleci.com/org/o-2", false),
        ("bitbucket", &bucket, "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc", true),
        ("bitbucket", &bucket, "https://api.bitbucket.org/2.0/workspaces/evil/pipelines-config/identity/oidc", false),
        ("buildkite", &[], "https://agent.buildkite.com", true),
        ("buildkite", &[], "https://agent.buildkite.com/x", false),
        ("buildkite", &[], "file:///etc/passwd", false),
    ] {
        let row = of(platform).unwrap();
        let is_own = keys::address(issuer).is_some_and(|url| (row.is_own)(&env(env_), &url));
        assert_eq!(is_own, wanted, "{platform} {issuer}");
    }
    // nobody is asked
    let foreign = of("gitlab").unwrap().keys(&env(&lab), &http(), "https://127.0.0.1:1/x");
    assert!(matches!(foreign, Err(KeysError::Foreign(issuer)) if issuer == "https://127.0.0.1:1/x"));
}

#[test]
fn keys_come_from_the_issuers_own_host_whatever_its_configuration_says() {
    let at = |server: &Server| Url::parse(&server.url("/org")).unwrap();
    let direct = Server::start(|_, _| body("{\"keys\":[]}"));
    assert_eq!(keys::fetch(&http(), &at(&direct), Some(".well-known/jwks")).unwrap(), "{\"keys\":[]}");
    assert_eq!(direct.asked()[0].path, "/org/.well-known/jwks");
    assert_eq!(direct.asked()[0].header("authorization"), None);

    let configured = |issuer: &'static str, keys: &'static str| {
        Server::start(move |asked, _| {
            let host = asked.header("host").unwrap().to_owned();
            match asked.path.as_str() {
                "/org/.well-known/openid-configuration" => {
                    let told =
                        json!({"issuer": issuer.replace("HOST", &host), "jwks_uri": keys.replace("HOST", &host)});
                    body(&told.to_string())
                }
                _ => body("{\"keys\":[]}"),
            }
        })
    };
    let good = configured("http://HOST/org", "http://HOST/org/keys.json");
    assert_eq!(keys::fetch(&http(), &at(&good), None).unwrap(), "{\"keys\":[]}");
    assert_eq!(good.asked()[1].path, "/org/keys.json");
    for (issuer, keys, says) in [
        ("http://HOST/other", "http://HOST/keys", "another issuer's"),
        ("http://HOST/org", "http://169.254.169.254/latest/meta-data", "another host"),
        ("http://HOST/org", "/keys", "another host"),
    ] {
        let server = configured(issuer, keys);
        let why = keys::fetch(&http(), &at(&server), None).unwrap_err().to_string();
        assert!(why.contains(says), "{why}");
        assert_eq!(server.asked().len(), 1);
    }
    type Reply = fn(&Asked, usize) -> Answer;
    let cases: [(Reply, &str); 6] = [
        (|_, _| Answer::With(500, Vec::new(), Vec::new()), "status 500"),
        (|_, _| Answer::With(404, Vec::new(), Vec::new()), "status 404"),
        (|_, _| Answer::With(302, vec![("location", "http://169.254.169.254/".to_owned())], Vec::new()), "redirect"),
        (|_, _| Answer::Endless, "larger than"),
        (|_, _| Answer::Hang, "no answer within"),
        (|_, _| Answer::With(200, Vec::new(), vec![0xff]), "no text"),
    ];
    for (reply, says) in cases {
        let server = Server::start(reply);
        let why = keys::fetch(&http(), &at(&server), Some("keys")).unwrap_err().to_string();
        assert!(why.contains(says), "{says}: {why}");
    }
    let down = Url::parse("http://127.0.0.1:1").unwrap();
    assert!(keys::fetch(&http(), &down, Some("keys")).unwrap_err().to_string().contains("could not reach"));
    let nothing = Server::start(|_, _| body("[]"));
    assert!(keys::fetch(&http(), &at(&nothing), None).unwrap_err().to_string().contains("cannot be read"));
}
