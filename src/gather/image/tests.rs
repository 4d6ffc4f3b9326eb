//! Every source on its fixtures, whose names carry the verdict, and the registry on a loopback server.

use super::*;
use crate::gather::http::Options;
use crate::gather::http::loopback::{Answer, Asked, Server};
use crate::record::digest::{DigestSet, Sha256Digest};
use crate::record::run_v1::ArtifactKind;
use std::fs;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/images");

fn http() -> Http {
    Http::new(Options { whole: Duration::from_secs(10), ..Options::default() })
}

fn gather_in(dir: &Path, given: &[(&str, &str)]) -> Gathered {
    gather(given, &Ask { dir, resolve: false, http: &http(), docker_config: None })
}

/// `good_x` says what `good_x.want.json` holds; `fail_x` fails with the words in `fail_x.want.txt`.
#[test]
fn every_fixture_has_its_verdict() {
    let mut read = 0;
    for source in SOURCES.iter().filter(|s| s.name != "image") {
        let dir = Path::new(FIXTURES).join(source.name);
        let mut entries: Vec<_> =
            fs::read_dir(&dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        entries.sort();
        for entry in entries.iter().filter(|e| !e.contains(".want.")) {
            read += 1;
            let stem = entry.split('.').next().unwrap();
            let told = gather_in(&dir, &[(source.name, entry)]);
            let place = format!("{}/{entry}", source.name);

            if stem.starts_with("good_") {
                let got = serde_json::json!({"artifacts": told.artifacts, "warnings": told.warnings});
                let want = fs::read(dir.join(format!("{stem}.want.json"))).unwrap_or_default();
                let want: serde_json::Value = serde_json::from_slice(&want).unwrap_or_default();
                assert_eq!(told.problems, Vec::<String>::new(), "{place}");
                assert_eq!(got, want, "{place}\n{got:#}");
                assert_eq!(told.completeness.unwrap().status, Status::Complete, "{place}");
            } else {
                assert!(stem.starts_with("fail_"), "{place}: the name of a fixture begins with good_ or fail_");
                let want = fs::read_to_string(dir.join(format!("{stem}.want.txt"))).unwrap_or_default();
                assert_eq!((told.artifacts.len(), told.problems.len()), (0, 1), "{place}");
                let words = want.trim();
                assert!(!words.is_empty() && told.problems[0].contains(words), "{place}: {}", told.problems[0]);
                assert_eq!(told.completeness.unwrap().status, Status::Unavailable, "{place}");
            }
        }
    }
    assert!(read > 30, "only {read} fixtures were read");
}

#[test]
fn a_digest_is_taken_and_a_tag_needs_the_registry() {
    let dir = TempDir::new().unwrap();
    let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let told = gather_in(dir.path(), &[("image", &format!("acme/shop:1.2@sha256:{hex}")), ("image", "acme/shop:1.2")]);
    assert_eq!(told.artifacts.len(), 1);
    let image = &told.artifacts[0];
    assert_eq!(
        (image.kind, image.name.as_str(), image.tag.as_deref()),
        (ArtifactKind::Image, "docker.io/acme/shop", Some("1.2"))
    );
    assert_eq!(image.digest.sha256.unwrap().to_string(), hex);
    assert!(told.problems[0].contains("--resolve") && told.problems[0].contains("imagetools"), "{:?}", told.problems);
    assert_eq!(told.completeness.unwrap().status, Status::Partial);
    assert_eq!((told.provenance.len(), told.provenance[0].how), (1, How::Flag));

    assert_eq!(gather_in(dir.path(), &[]).completeness, None);
    assert_eq!(gather_in(dir.path(), &[("nonsense", "x")]).problems.len(), 1);
    assert_eq!(gather_in(dir.path(), &[("iidfile", "none.iid")]).problems.len(), 1);
}

#[test]
fn two_sources_of_one_image_are_one_artifact_and_two_digests_are_said() {
    let of = |kind, name: &str, tag: Option<&str>, content: &str| Artifact {
        kind,
        name: name.into(),
        digest: DigestSet::sha256(Sha256Digest::of(content.as_bytes())),
        media_type: None,
        size: None,
        tag: tag.map(Into::into),
        platform: None,
        index: None,
    };
    let index = Artifact { size: Some(7), ..of(ArtifactKind::ImageIndex, "r/a", None, "index") };
    let platform =
        Artifact { index: Some("sha256:x".into()), ..of(ArtifactKind::ImageManifest, "r/a", Some("1"), "amd64") };
    let (merged, warnings) = merge::merge(
        vec![
            of(ArtifactKind::Image, "r/a", Some("1"), "index"),
            of(ArtifactKind::ImageConfig, "x.iid", None, "index"),
            index,
            platform.clone(),
            platform,
        ],
        vec![],
    );
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(merged.len(), 2, "{merged:?}");
    assert_eq!(
        (merged[0].kind, merged[0].size, merged[0].tag.as_deref()),
        (ArtifactKind::ImageIndex, Some(7), Some("1"))
    );

    for (one, two, clash) in [
        ((Some("1"), "x"), (Some("1"), "y"), true),
        ((None, "x"), (Some("1"), "y"), true),
        ((Some("1"), "x"), (Some("2"), "y"), false),
        ((Some("1"), "x"), (Some("1"), "x"), false),
    ] {
        let (_, warnings) = merge::merge(
            vec![of(ArtifactKind::Image, "r/a", one.0, one.1), of(ArtifactKind::ImageManifest, "r/a", two.0, two.1)],
            vec![],
        );
        assert_eq!(warnings.len(), usize::from(clash), "{warnings:?}");
    }
}

// The registry.

const INDEX: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
 {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:AMD","size":499,"platform":{"architecture":"amd64","os":"linux"}},
 {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:ARM","size":499,"platform":{"architecture":"arm64","os":"linux","variant":"v8"}},
 {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:ARM","size":9,"annotations":{"vnd.docker.reference.type":"attestation-manifest"}}]}"#;

fn index() -> String {
    let of = |text: &str| Sha256Digest::of(text.as_bytes()).to_string();
    INDEX.replace("AMD", &of("amd64")).replace("ARM", &of("arm64"))
}

fn manifest(body: &str) -> Answer {
    let digest = format!("sha256:{}", Sha256Digest::of(body.as_bytes()));
    let media_type = "application/vnd.oci.image.index.v1+json; charset=utf-8".to_owned();
    Answer::With(200, vec![("content-type", media_type), ("Docker-Content-Digest", digest)], body.as_bytes().to_vec())
}

fn status(code: u16) -> Answer {
    Answer::With(code, vec![], b"{\"errors\":[]}".to_vec())
}

/// A registry that wants a token, and its token server, under one roof.
fn with_token(asked: &Asked) -> Answer {
    let host = asked.header("host").unwrap();
    let path = asked.path.as_str();
    if path.starts_with("/token") {
        return Answer::With(200, vec![], br#"{"token":"t0ken","expires_in":300}"#.to_vec());
    }
    match asked.header("authorization") {
        None => {
            let challenge =
                format!(r#"Bearer realm="http://{host}/token",service="reg",scope="repository:acme/shop:pull""#);
            Answer::With(401, vec![("WWW-Authenticate", challenge)], vec![])
        }
        Some("Bearer t0ken") => manifest(&index()),
        Some(_) => status(403),
    }
}

fn resolve(server: &Server, image: &str, docker_config: Option<&Path>) -> Gathered {
    let image = format!("{}/{image}", server.host());
    gather(&[("image", &image)], &Ask { dir: Path::new("."), resolve: true, http: &http(), docker_config })
}

fn config(server: &Server, auth: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("config.json"), format!(r#"{{"auths": {{"{}": {auth}}}}}"#, server.host())).unwrap();
    dir
}

#[test]
fn a_tag_becomes_the_index_and_its_platforms_with_an_anonymous_token() {
    let server = Server::start(|asked, _| with_token(asked));
    let told = resolve(&server, "acme/shop:1.2", None);
    assert_eq!((told.problems, told.warnings), (vec![], vec![]));
    let name = format!("{}/acme/shop", server.host());
    let digest = Sha256Digest::of(index().as_bytes());
    let got: Vec<_> =
        told.artifacts.iter().map(|a| (a.kind, a.platform.as_deref(), a.tag.as_deref(), a.index.clone())).collect();
    let of = Some(format!("sha256:{digest}"));
    assert_eq!(
        got,
        [
            (ArtifactKind::ImageIndex, None, Some("1.2"), None),
            (ArtifactKind::ImageManifest, Some("linux/amd64"), Some("1.2"), of.clone()),
            (ArtifactKind::ImageManifest, Some("linux/arm64/v8"), Some("1.2"), of),
        ]
    );
    assert!(told.artifacts.iter().all(|a| a.name == name));
    assert_eq!(told.artifacts[0].digest.sha256, Some(digest));
    assert_eq!(told.artifacts[0].size, Some(index().len() as u64));
    assert_eq!(told.provenance[0].how, How::Registry);
    let asked = server.asked();
    let paths: Vec<_> = asked.iter().map(|a| a.path.as_str()).collect();
    let token = "/token?service=reg&scope=repository%3Aacme%2Fshop%3Apull";
    assert_eq!(paths, ["/v2/acme/shop/manifests/1.2", token, "/v2/acme/shop/manifests/1.2"]);
    assert_eq!(asked[1].header("authorization"), None);
    assert!(asked[0].header("accept").unwrap().contains("image.index.v1+json"));
}

#[test]
fn dockers_credentials_go_to_the_token_server_and_nowhere_else() {
    let server = Server::start(|asked, _| with_token(asked));
    let dir = config(&server, r#"{"auth": "dTpw"}"#);
    let told = resolve(&server, "acme/shop:1.2", Some(&dir.path().join("config.json")));
    assert_eq!(told.problems, Vec::<String>::new());
    let sent: Vec<_> = server.asked().iter().map(|a| a.header("authorization").map(str::to_owned)).collect();
    assert_eq!(sent, [None, Some("Basic dTpw".into()), Some("Bearer t0ken".into())]);

    // A refresh token is posted, not put into an address.
    let dir = config(&server, r#"{"auth": "dTpw", "identitytoken": "refresh&me"}"#);
    let before = server.asked().len();
    let told = resolve(&server, "acme/shop:1.2", Some(&dir.path().join("config.json")));
    assert_eq!(told.problems, Vec::<String>::new());
    let asked = &server.asked()[before..];
    assert_eq!((asked[1].path.as_str(), asked[1].header("authorization")), ("/token", None));
    assert!(asked[1].body.contains("grant_type=refresh_token") && asked[1].body.contains("refresh_token=refresh%26me"));

    // Without a token server.
    let server = Server::start(|asked, _| match asked.header("authorization") {
        Some("Basic dTpw") => manifest(&index()),
        _ => Answer::With(401, vec![("WWW-Authenticate", "Basic realm=\"reg\"".into())], vec![]),
    });
    let dir = config(&server, r#"{"auth": "dTpw"}"#);
    assert_eq!(resolve(&server, "acme/shop:1.2", Some(&dir.path().join("config.json"))).problems, Vec::<String>::new());
    let told = resolve(&server, "acme/shop:1.2", None);
    assert!(told.problems[0].contains("docker login"), "{:?}", told.problems);
    // Unreadable credentials are said, and the registry is asked without.
    let dir = config(&server, r#"{"auth": "%%%"}"#);
    let told = resolve(&server, "acme/shop:1.2", Some(&dir.path().join("config.json")));
    assert!(told.problems.len() == 1, "{:?}", told.problems);
}

#[test]
fn the_token_does_not_follow_a_redirect_to_another_host() {
    let server = Server::start(|asked, _| {
        if asked.path.starts_with("/elsewhere") {
            return manifest(&index());
        }
        match with_token(asked) {
            Answer::With(200, ..) if asked.path.starts_with("/v2/") => {
                let port = asked.header("host").unwrap().rsplit(':').next().unwrap().to_owned();
                Answer::With(307, vec![("location", format!("http://localhost:{port}/elsewhere"))], vec![])
            }
            other => other,
        }
    });
    assert_eq!(resolve(&server, "acme/shop:1.2", None).problems, Vec::<String>::new());
    let last = server.asked().pop().unwrap();
    assert_eq!(
        (last.path.as_str(), last.header("host"), last.header("authorization")),
        ("/elsewhere", Some(server.other_host().as_str()), None)
    );
}

#[test]
fn a_registry_that_misleads_is_refused() {
    let token_at = |realm: &'static str| {
        move |_: &Asked| Answer::With(401, vec![("WWW-Authenticate", format!("Bearer realm=\"{realm}\""))], vec![])
    };
    type Says = Box<dyn Fn(&Asked) -> Answer + Send + Sync>;
    let cases: Vec<(Says, &str)> = vec![
        (
            Box::new(|_| {
                Answer::With(200, vec![("docker-content-digest", format!("sha256:{}", "a".repeat(64)))], index().into())
            }),
            "sent bytes that hash to",
        ),
        (Box::new(|_| manifest("{}")), "not an image manifest"),
        (Box::new(|_| manifest(r#"{"schemaVersion":1,"name":"acme/shop","fsLayers":[]}"#)), "schema 1"),
        (Box::new(|_| manifest(r#"{"schemaVersion":2,"config":{"digest":"x"},"layers":[]}"#)), ""),
        (
            Box::new(|_| manifest(r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:../x"}]}"#)),
            "manifests[0].digest",
        ),
        (Box::new(|_| status(404)), "Push it before"),
        (Box::new(|_| status(403)), "docker login"),
        (Box::new(|_| status(401)), "named no way"),
        (Box::new(|_| status(418)), "418"),
        (Box::new(token_at("http://192.0.2.1/token")), "without TLS"),
        (Box::new(token_at("file:///etc/passwd")), "without TLS"),
        (Box::new(token_at("nonsense")), "no address"),
        (Box::new(|_| Answer::Endless), "larger than"),
    ];
    for (says, words) in cases {
        let server = Server::start(move |asked, _| says(asked));
        let told = resolve(&server, "acme/shop:1.2", None);
        if words.is_empty() {
            // Bytes that nothing else can be said of are still what was sent.
            assert_eq!((told.problems, told.artifacts.len()), (vec![], 1));
            continue;
        }
        assert_eq!((told.problems.len(), told.artifacts.len()), (1, 0), "{words}");
        assert!(told.problems[0].contains(words), "{words}: {}", told.problems[0]);
    }
    // Asked for by digest, it must be that digest.
    let server = Server::start(|_, _| manifest(&index()));
    let wanted = format!("acme/shop:1@sha256:{}", "a".repeat(64));
    let told = resolve(&server, &wanted, None);
    assert!(told.problems[0].contains(&format!("for sha256:{}", "a".repeat(64))), "{:?}", told.problems);
    let right = format!("acme/shop:1@sha256:{}", Sha256Digest::of(index().as_bytes()));
    assert_eq!(resolve(&server, &right, None).artifacts.len(), 3);
}

#[test]
fn a_token_server_that_fails_is_said_and_quotes_nothing() {
    for (code, body, words) in [
        (401, "S3CRET", "no anonymous token"),
        (500, "S3CRET", "status 500"),
        (200, "S3CRET", "cannot be read"),
        (200, r#"{"token": 7, "S3CRET": 1}"#, "cannot be read"),
        (200, r#"{"S3CRET": 1}"#, "holds no token"),
        (200, "{\"token\": \"S3CRET\\u000a\"}", "cannot be sent"),
    ] {
        let server = Server::start(move |asked, _| match asked.path.starts_with("/token") {
            true => Answer::With(code, vec![("retry-after", "0".into())], body.into()),
            false => with_token(asked),
        });
        let told = resolve(&server, "acme/shop:1.2", None);
        assert!(told.problems[0].contains(words), "{words}: {:?}", told.problems);
        assert!(!told.problems[0].contains("S3CRET"), "{:?}", told.problems);
    }
}

#[test]
fn a_silent_registry_does_not_hold_up_the_run() {
    let server = Server::start(|_, _| Answer::Hang);
    let http = Http::new(Options { whole: Duration::from_millis(300), ..Options::default() });
    let start = Instant::now();
    let image = format!("{}/acme/shop:1.2", server.host());
    let told =
        gather(&[("image", &image)], &Ask { dir: Path::new("."), resolve: true, http: &http, docker_config: None });
    assert!(told.problems[0].contains("no answer within"), "{:?}", told.problems);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn no_tag_is_latest_and_says_so() {
    let server = Server::start(|_, _| manifest(&index()));
    let told = resolve(&server, "acme/shop", None);
    assert_eq!(told.artifacts[0].tag.as_deref(), Some("latest"));
    assert!(told.warnings[0].contains("latest"), "{:?}", told.warnings);
    assert_eq!(server.asked()[0].path, "/v2/acme/shop/manifests/latest");
}
