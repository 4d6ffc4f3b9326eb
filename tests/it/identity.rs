//! Stories of what a platform signs about a run: asked for, kept, pinned and checked, against a platform on this machine that
//! signs with a test key.

use crate::stage::{Played, Stage, code};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

// ------------------------------------------------------------------------------------------------------------ a platform

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn key() -> RsaKeyPair {
    let pem = include_str!("../../fixtures/tokens/test-rsa.pem");
    let der: String = pem.lines().filter(|l| !l.starts_with("---")).collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap()
}

fn jwks() -> String {
    let ring::rsa::PublicKeyComponents { n, e } = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(key().public());
    let other = json!({"kty": "RSA", "kid": "k0", "n": b64([0xc5; 256]), "e": "AQAB", "x5c": ["x".repeat(2000)]});
    json!({"keys": [other, {"kty": "RSA", "kid": "k1", "alg": "RS256", "n": b64(n), "e": b64(e)}]}).to_string()
}

fn token(claims: &Value) -> String {
    let text = format!("{}.{}", b64(r#"{"alg":"RS256","typ":"JWT","kid":"k1"}"#), b64(claims.to_string()));
    let key = key();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    format!("{text}.{}", b64(signature))
}

/// What the platform does: the claims are put over those of a good token.
#[derive(Clone)]
struct Does {
    claims: Value,
    jwks: (u16, String),
    request: u16,
}

impl Default for Does {
    fn default() -> Self {
        Self { claims: json!({}), jwks: (200, jwks()), request: 200 }
    }
}

/// Asked paths.
type Asked = Arc<Mutex<Vec<String>>>;

/// A GitHub Enterprise Server that signs; its address.
fn platform(does: Does) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let (seen, own) = (asked.clone(), address.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream, &seen, &own, &does);
        }
    });
    (address, asked)
}

fn answer(mut stream: TcpStream, seen: &Asked, own: &str, does: &Does) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut pass = false;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        pass |= line.trim_end().eq_ignore_ascii_case("authorization: bearer the-runners-pass");
        if line.trim().is_empty() {
            break;
        }
    }
    seen.lock().unwrap().push(path.clone());
    let (status, body) = match path.split_once("audience=") {
        Some((_, aud)) if pass && does.request == 200 => {
            let mut claims = json!({
                "iss": format!("{own}/_services/token"), "aud": aud.replace("%3A", ":"), "sub": "repo:acme/shop:ref:refs/heads/main",
                "iat": 1_795_428_030, "exp": 1_795_428_330, "run_id": "4711", "run_attempt": "1", "repository": "acme/shop",
                "sha": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "ref": "refs/heads/main", "actor": "grace",
                "actor_id": "1906", "event_name": "push", "job_workflow_ref": "acme/shop/.github/workflows/ship.yml@refs/heads/main",
            });
            for (name, value) in does.claims.as_object().unwrap() {
                claims[name] = value.clone();
            }
            (200, json!({"value": token(&claims)}).to_string())
        }
        Some(_) => (if pass { does.request } else { 401 }, "{}".to_owned()),
        None if path.ends_with("/.well-known/jwks") || path == "/oauth/discovery/keys" => does.jwks.clone(),
        None => (404, String::new()),
    };
    let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()
}

// ------------------------------------------------------------------------------------------------------------ stories

/// A push on that server.
fn github(does: Does) -> (Stage, Asked) {
    let (address, asked) = platform(does);
    let mut stage = Stage::github();
    stage.env.insert("GITHUB_SERVER_URL".into(), address.clone());
    stage.env.insert("ACTIONS_ID_TOKEN_REQUEST_URL".into(), format!("{address}/idtoken?api-version=2.0"));
    stage.env.insert("ACTIONS_ID_TOKEN_REQUEST_TOKEN".into(), "the-runners-pass".into());
    (stage, asked)
}

/// A GitLab pipeline on it, with a token of the job.
fn gitlab(claims: Value) -> (Stage, String) {
    let (address, _) = platform(Does::default());
    let mut stage = Stage::new();
    let mut said = json!({
        "iss": address, "aud": "https://vouchsafe.dev", "sub": "project_path:acme/shop:ref_type:branch:ref:main",
        "iat": 1_795_427_000, "exp": 1_795_427_300, "pipeline_id": "4711", "job_id": "77", "project_path": "acme/shop",
        "project_id": "99", "ref": "main", "user_login": "grace", "user_id": "1906", "user_email": "grace@acme.example",
    });
    for (name, value) in claims.as_object().unwrap() {
        said[name] = value.clone();
        if value.is_null() {
            said.as_object_mut().unwrap().remove(name);
        }
    }
    for (name, value) in [
        ("GITLAB_CI", "true"),
        ("CI_SERVER_URL", &address),
        ("CI_PIPELINE_ID", "4711"),
        ("CI_JOB_ID", "77"),
        ("CI_PROJECT_PATH", "acme/shop"),
        ("CI_PROJECT_ID", "99"),
        ("CI_COMMIT_SHA", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
        ("CI_COMMIT_BRANCH", "main"),
        ("GITLAB_USER_LOGIN", "grace"),
        ("GITLAB_USER_ID", "1906"),
        ("VOUCHSAFE_ID_TOKEN", &token(&said)),
    ] {
        stage.env.insert(name.into(), value.into());
    }
    (stage, address)
}

const ATTEST: [&str; 3] = ["attest", "--environment", "production"];

fn attest(stage: &Stage, more: &[&str]) -> Played {
    stage.play(&[&ATTEST[..], more].concat())
}

fn predicate(stage: &Stage) -> Value {
    Stage::statement(&stage.only_record().1)["predicate"].clone()
}

fn why_not(stage: &Stage) -> String {
    let p = predicate(stage);
    assert!(p.get("identity").is_none());
    let of = p["completeness"].as_array().unwrap().iter().find(|c| c["section"] == "identity").unwrap().clone();
    assert_eq!(of["status"], "unavailable");
    of["why"].as_str().unwrap().to_owned()
}

/// What verify says of the only record's identity.
fn worth(stage: &Stage, more: &[&str], exit: u8) -> Value {
    let verified = stage.play(&[&["verify", "--json"], more].concat()).exits(exit).json_lines();
    verified[0]["identity"].clone()
}

#[test]
fn a_record_is_signed_for_by_the_platform_and_confirmed_by_pinned_keys() {
    let (stage, asked) = github(Does::default());
    let said = attest(&stage, &[]).exits(0);
    assert!(said.err.contains("/_services/token signed for this very record"), "{}", said.err);
    assert!(!said.err.contains("eyJ") && !said.err.contains("the-runners-pass"));
    let p = predicate(&stage);
    let (issuer, identity) = (p["identity"]["issuer"].as_str().unwrap().to_owned(), &p["identity"]);
    assert_eq!((&identity["binding"], &identity["checkedOn"]), (&json!("audience"), &json!("2026-11-23T10:00:00Z")));
    assert_eq!(identity["claims"]["actor_id"], "1906");
    assert!(identity.get("contradictions").is_none() && identity.get("missing").is_none(), "{identity}");
    let kept = identity["jwks"].as_str().unwrap();
    assert!(kept.contains("\"k1\"") && !kept.contains("\"k0\""), "only the key that is meant: {kept}");
    assert_eq!(asked.lock().unwrap().last().unwrap(), "/_services/token/.well-known/jwks");

    assert_eq!(worth(&stage, &[], 0)["state"], "claimed");
    stage.write("platform.jwks", jwks());
    let here = ["--jwks", "platform.jwks", "--issuer", &issuer];
    let confirmed = worth(&stage, &here, 0);
    assert_eq!((&confirmed["state"], &confirmed["issuer"]), (&json!("confirmed"), &json!(issuer)));
    // nobody is asked for anything
    let asked_then = asked.lock().unwrap().len();
    let pin = ["key", "trust", "--jwks", "platform.jwks", "--issuer", &issuer, "--vault", ".vouchsafe"];
    assert!(stage.play(&pin).exits(0).err.contains("pinned 2 keys"));
    let verified = stage.play(&["verify"]).exits(0);
    assert!(verified.err.contains("platform identity: 1 confirmed"), "{}", verified.err);
    assert!(stage.play(&["show"]).exits(0).out.contains("identity     confirmed: "));
    let summary = stage.play(&["verify", "--json"]).exits(0).json_lines();
    assert_eq!(summary.last().unwrap()["summary"]["identity"], json!({"confirmed": 1}));
    let address = stage.only_record().0;
    let alone = stage.play(&["verify", &format!(".vouchsafe/{address}"), "--json"]).exits(0).json_lines();
    assert_eq!(alone[0]["identity"]["state"], "confirmed");
    assert_eq!(asked.lock().unwrap().len(), asked_then);
    // the step once more: the record that stands is the one that counts, whatever is signed for the other
    attest(&stage, &[]).exits(0);
    assert_eq!(stage.records().len(), 1);
}

/// Signs `payload` as our own key does (DSSE, `protocol.md`; PKCS#8 v1 ends with the seed).
fn signed_again(stage: &Stage, bundle: &[u8], payload: &str) -> String {
    use ed25519_dalek::Signer as _;
    let pem = std::fs::read_to_string(stage.at("home/.config/vouchsafe/signing-key.pem")).unwrap();
    let der: String = pem.lines().filter(|l| !l.starts_with("---")).collect();
    let der = STANDARD.decode(der).unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(der[der.len() - 32..].try_into().unwrap());
    let kind = "application/vnd.in-toto+json";
    let pae = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    let mut bundle: Value = serde_json::from_slice(bundle).unwrap();
    bundle["dsseEnvelope"]["payload"] = STANDARD.encode(payload).into();
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = STANDARD.encode(key.sign(pae.as_bytes()).to_bytes()).into();
    bundle.to_string()
}

#[test]
fn whoever_has_our_key_cannot_change_what_the_platform_signed() {
    let (stage, _) = github(Does::default());
    attest(&stage, &[]).exits(0);
    let bundle = stage.only_record().1;
    let envelope: Value = serde_json::from_slice(&bundle).unwrap();
    let payload = STANDARD.decode(envelope["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let payload = String::from_utf8(payload).unwrap();
    let trust = ["--trust", ".vouchsafe/trust.json"];
    for (from, to, state, exit) in [
        ("", "", "claimed", 0),
        ("\"outcome\":\"unknown\"", "\"outcome\":\"succeeded\"", "broken", 3),
        ("\"recordedOn\":\"2026-11-23T10:00:00Z\"", "\"recordedOn\":\"2026-11-23T09:59:59Z\"", "broken", 3),
        ("\"binding\":\"audience\"", "\"binding\":\"tokenDigest\"", "claimed", 0),
        ("\"actor_id\":\"1906\"", "\"actor_id\":\"7\"", "broken", 3),
    ] {
        assert!(payload.contains(from), "{from}: {payload}");
        stage.write("again.json", signed_again(&stage, &bundle, &payload.replacen(from, to, 1)));
        let said = stage.play(&[&["verify", "again.json", "--json"], &trust[..]].concat()).exits(exit).json_lines();
        assert_eq!(said[0]["verdict"], "valid", "our signature holds");
        assert_eq!(said[0]["identity"]["state"], state, "{to}");
        stage.play(&[&["verify", "again.json"], &trust[..]].concat()).exits(exit);
    }
}

#[test]
fn a_token_for_another_audience_than_was_asked_for_is_not_taken() {
    let (stage, _) = github(Does { claims: json!({"aud": "sts.amazonaws.com"}), ..Does::default() });
    attest(&stage, &[]).exits(0);
    assert!(why_not(&stage).contains("for another audience"));
}

#[test]
fn what_the_token_says_otherwise_is_a_warning_and_a_finding() {
    for (claim, value, what) in [
        ("run_id", "4712", "the run is `4712`"),
        ("sha", "0000000000000000000000000000000000000000", "the commit is `0000"),
        ("repository", "evil/shop", "the repository is `evil/shop`"),
        ("actor", "eve", "the actor is `eve`, the record says `grace`"),
    ] {
        let (stage, _) = github(Does { claims: json!({claim: value}), ..Does::default() });
        let said = attest(&stage, &[]).exits(0);
        assert!(said.err.contains(&format!("warning: platform identity: the token says that {what}")), "{}", said.err);
        assert_eq!(predicate(&stage)["identity"]["contradictions"].as_array().unwrap().len(), 1);
        assert_eq!(worth(&stage, &[], 4)["state"], "contradicted");
        let verified = stage.play(&["verify"]).exits(4);
        assert!(verified.out.contains("identity") && verified.out.contains(what), "{}", verified.out);
    }
}

#[test]
fn an_issuer_that_is_not_the_platforms_is_not_asked_for_keys() {
    let (elsewhere, asked) = platform(Does::default());
    let (stage, _) = github(Does { claims: json!({"iss": format!("{elsewhere}/_services/token")}), ..Does::default() });
    let said = attest(&stage, &[]).exits(0);
    assert!(said.err.contains("is not where this platform signs its tokens"), "{}", said.err);
    assert_eq!(asked.lock().unwrap().len(), 0);
    let identity = predicate(&stage)["identity"].clone();
    assert!(identity.get("jwks").is_none() && identity.get("checkedOn").is_none(), "{identity}");
    assert_eq!(worth(&stage, &[], 4)["state"], "contradicted");
}

#[test]
fn without_keys_or_with_wrong_ones_the_record_is_made_and_says_so() {
    for (jwks, says, state, exit) in [
        ((500, String::new()), "status 500", "unchecked", 0),
        ((200, "no json".to_owned()), "the key set cannot be read", "unchecked", 0),
        ((200, "[".repeat(300_000)), "larger than", "unchecked", 0),
        ((200, jwks().replace("\"k1\"", "\"k7\"")), "no key of the set", "unchecked", 0),
    ] {
        let (stage, _) = github(Does { jwks, ..Does::default() });
        attest(&stage, &[]).exits(0);
        let identity = predicate(&stage)["identity"].clone();
        assert!(identity["missing"][0].as_str().unwrap().contains(says), "{says}: {identity}");
        assert!(identity.get("checkedOn").is_none());
        assert_eq!(worth(&stage, &[], exit)["state"], state);
    }
    // the platform's own keys, and a signature that is not theirs
    let mut set: Value = serde_json::from_str(&jwks()).unwrap();
    set["keys"][1]["n"] = set["keys"][0]["n"].clone();
    let (stage, _) = github(Does { jwks: (200, set.to_string()), ..Does::default() });
    let said = attest(&stage, &[]).exits(0);
    assert!(said.err.contains("does not hold by the keys of its issuer"), "{}", said.err);
    assert_eq!(worth(&stage, &[], 3)["state"], "broken");
    let verified = stage.play(&["verify"]).exits(3);
    assert!(verified.out.contains("broken: the token does not hold"), "{}", verified.out);
}

#[test]
fn no_token_fails_nothing_and_is_said() {
    for status in [401, 403, 404] {
        let (stage, _) = github(Does { request: status, ..Does::default() });
        let said = attest(&stage, &[]).exits(0);
        assert!(why_not(&stage).contains(&format!("refused with status {status}")));
        assert!(said.err.contains("identity  unknown: "), "{}", said.err);
        assert_eq!(worth(&stage, &[], 0), Value::Null);
    }
    let stage = Stage::github();
    attest(&stage, &[]).exits(0);
    assert!(why_not(&stage).contains("permissions: {id-token: write}"));

    let mut fork = Stage::github();
    let event = json!({
        "pull_request": {"number": 7, "head": {"ref": "x", "sha": "1".repeat(40), "repo": {"id": 2, "full_name": "eve/shop"}},
                         "base": {"ref": "main", "repo": {"id": 1, "full_name": "acme/shop"}}},
    });
    let file = fork.write("event.json", event.to_string()).display().to_string();
    fork.env.extend(
        [
            ("GITHUB_EVENT_PATH", file.as_str()),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_REF", "refs/pull/7/merge"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    attest(&fork, &[]).exits(0);
    assert!(why_not(&fork).contains("a pull request from a fork"));

    let (stage, asked) = github(Does::default());
    attest(&stage, &["--identity", "never"]).exits(0);
    assert!(why_not(&stage).contains("--identity never"));
    assert_eq!(asked.lock().unwrap().len(), 0);
}

#[test]
fn by_hand_nobody_speaks_of_it() {
    let mut stage = Stage::new();
    attest(&stage, &[]).exits(0);
    let sections = predicate(&stage)["completeness"].to_string();
    assert!(!sections.contains("identity"), "{sections}");
    stage.command = Rc::new(|_| code(0));
    let (mut ci, _) = github(Does::default());
    ci.command = Rc::new(|_| code(0));
    ci.play(&["run", "--environment", "production", "--reason", "r", "--", "./deploy.sh"]).exits(0);
    assert_eq!(predicate(&ci)["identity"]["binding"], "audience", "run is asked for the same");
    assert_eq!(worth(&ci, &[], 0)["state"], "claimed");
}

#[test]
fn gitlabs_token_is_named_by_its_digest_and_kept_with_its_mail_address_or_not_at_all() {
    let (stage, address) = gitlab(json!({}));
    let said = attest(&stage, &[]).exits(0);
    assert!(said.err.contains("signed a token of this run, not kept"), "{}", said.err);
    let p = predicate(&stage);
    let identity = &p["identity"];
    assert_eq!((&identity["binding"], &identity["issuer"]), (&json!("tokenDigest"), &json!(address)));
    assert!(identity.get("token").is_none() && identity["checkedOn"].is_string());
    assert!(identity["missing"][0].as_str().unwrap().contains("--keep-email"), "{identity}");
    let record = String::from_utf8(stage.only_record().1).unwrap();
    let text = Stage::statement(record.as_bytes()).to_string();
    assert!(!text.contains("grace@acme.example") && !text.contains(&b64("grace@acme.example")));
    let left = worth(&stage, &[], 0);
    assert_eq!(left["state"], "unchecked");
    assert!(left["why"].as_str().unwrap().contains("it held, says the record"), "{left}");

    let (stage, address) = gitlab(json!({}));
    attest(&stage, &["--keep-email"]).exits(0);
    assert_eq!(predicate(&stage)["identity"]["claims"]["user_email"], "grace@acme.example");
    stage.write("gitlab.jwks", jwks());
    assert_eq!(worth(&stage, &["--jwks", "gitlab.jwks", "--issuer", &address], 0)["state"], "confirmed");

    // a token without one is kept
    let (stage, _) = gitlab(json!({"user_email": null}));
    attest(&stage, &[]).exits(0);
    assert!(predicate(&stage)["identity"]["token"].is_string());
    // one that opens a door is not
    let (stage, _) = gitlab(json!({"user_email": null, "aud": "sts.amazonaws.com"}));
    attest(&stage, &[]).exits(0);
    let identity = predicate(&stage)["identity"].clone();
    assert!(identity.get("token").is_none() && identity["missing"][0].as_str().unwrap().contains("sts.amazonaws.com"));
    // another job's
    let (stage, _) = gitlab(json!({"user_email": null, "pipeline_id": "4710"}));
    assert!(attest(&stage, &[]).exits(0).err.contains("the pipeline is `4710`"));
    assert_eq!(worth(&stage, &[], 3)["state"], "broken");
}

#[test]
fn a_token_is_handed_over_by_variable_by_name_or_by_file_and_never_repeated() {
    let (mut stage, _) = gitlab(json!({"user_email": null}));
    let text = stage.env.remove("VOUCHSAFE_ID_TOKEN").unwrap();
    attest(&stage, &[]).exits(0);
    assert!(why_not(&stage).contains("id_tokens"));
    stage.env.insert("ATTEST_TOKEN".into(), text.clone());
    stage.write("token.jwt", format!("{text}\n"));
    for (component, named) in [("a", "ATTEST_TOKEN"), ("b", "token.jwt"), ("c", text.as_str())] {
        attest(&stage, &["--component", component, "--id-token", named, "--output", component]).exits(0);
        let bundle = std::fs::read(stage.at(component)).unwrap();
        assert_eq!(Stage::statement(&bundle)["predicate"]["identity"]["token"], text, "{named}");
    }
    for (n, wrong) in
        ["s3cret-opaque", "eyJ.not.one", "eyJhbGciOiJub25lIn0.e30.", "no such\u{1b} file"].iter().enumerate()
    {
        let (component, output) = (format!("w{n}"), format!("w{n}.json"));
        let said = attest(&stage, &["--component", &component, "--id-token", wrong, "--output", &output]).exits(0);
        assert!(!said.err.contains(wrong), "{}", said.err);
        let bundle = String::from_utf8(std::fs::read(stage.at(&output)).unwrap()).unwrap();
        let p = Stage::statement(bundle.as_bytes())["predicate"].clone();
        assert!(p.get("identity").is_none() && !p.to_string().contains(wrong), "{p}");
    }
}

#[test]
fn keys_of_a_platform_are_pinned_once_listed_and_refused_when_they_are_none() {
    let stage = Stage::new();
    let pin = |file: &str, issuer: &str| {
        stage.play(&["key", "trust", "--jwks", file, "--issuer", issuer, "--trust", "t.json"])
    };
    stage.write("good.jwks", jwks());
    pin("good.jwks", "https://lab.example").exits(0);
    stage.write("same.jwks", jwks().replace(',', ", "));
    assert!(pin("same.jwks", "https://lab.example").exits(1).err.contains("already"));
    stage.write("later.jwks", jwks().replace("\"k1\"", "\"k2\""));
    pin("later.jwks", "https://lab.example").exits(0);
    let listed = stage.play(&["key", "trust", "--trust", "t.json"]).exits(0).out;
    assert_eq!(listed.lines().filter(|l| l.starts_with("https://lab.example, keys k0, k")).count(), 2, "{listed}");
    let lines = stage.play(&["key", "trust", "--trust", "t.json", "--json"]).exits(0).json_lines();
    assert_eq!(lines[0]["kids"], json!(["k0", "k1"]));
    let private = json!({"keys": [{"kty": "RSA", "kid": "p", "n": "AQAB", "e": "AQAB", "d": "AQAB"}]}).to_string();
    let shared = json!({"keys": [{"kty": "oct", "kid": "o", "k": "AQAB"}]}).to_string();
    for (text, says) in [
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        ("{\"keys\":[]}", "holds no key"),
        ("{\"keys\":[],\"keys\":[]}", "cannot be read"),
        (&private, "private key"),
        (&shared, "shared secret"),
    ] {
        stage.write("bad.jwks", text);
        let said = pin("bad.jwks", "https://lab.example").exits(1).err;
        assert!(said.contains(says), "{says}: {said}");
        assert_eq!(stage.play(&["key", "trust", "--trust", "t.json"]).exits(0).out, listed);
    }
    for issuer in ["http://lab.example", "lab.example", "https://lab example", ""] {
        assert!(pin("good.jwks", issuer).exits(1).err.contains("is no https:// address"), "{issuer}");
    }
    pin("none.jwks", "https://lab.example").exits(1);
    stage.play(&["key", "trust", "--jwks", "good.jwks", "--trust", "t.json"]).exits(2);
    stage.play(&["verify", "--jwks", "good.jwks"]).exits(2);
}
