//! The vault against a real store with object lock. `tests/outside/storage/run.sh` starts one and requires every test here.

use super::address::Address;
use super::doctor::Status;
use super::lock::{Mode, Period, Retention};
use super::sweep_tests::swept;
use super::tests::{address, ask_at, check, contract, outcome, race, settings, tags, variant};
use super::*;
use crate::record::digest::Sha256Digest;
use base64::Engine as _;
use http::Method;
use object_store::path::Path;
use object_store::signer::SignedUrlOptions;
use std::time::Duration;

/// The store's address, its certificate, and a pair that may do everything there.
#[allow(clippy::disallowed_methods, reason = "the outside script tells a test where the store is; nothing else can")]
fn store() -> [String; 4] {
    ["VOUCHSAFE_TEST_S3", "VOUCHSAFE_TEST_S3_CA", "VOUCHSAFE_TEST_S3_USER", "VOUCHSAFE_TEST_S3_SECRET"]
        .map(|name| std::env::var(name).unwrap_or_else(|_| panic!("{name}: run tests/outside/storage/run.sh")))
}

#[allow(clippy::disallowed_methods, reason = "a lock needs a time in the future of a real store")]
fn now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

fn open(bucket: &str, secret: Option<&str>) -> Vault {
    let [endpoint, ca, user, right] = store();
    let env = [
        ("AWS_ENDPOINT_URL_S3", endpoint.as_str()),
        ("AWS_CA_BUNDLE", &ca),
        ("AWS_ACCESS_KEY_ID", &user),
        ("AWS_SECRET_ACCESS_KEY", secret.unwrap_or(&right)),
        ("AWS_REGION", "us-east-1"),
    ];
    Vault::open(&format!("s3://{bucket}/pre fix"), &settings(&env, Patience { tries: 3, ..Patience::default() }))
        .unwrap()
}

/// A name that no earlier run has used: locked objects stay.
fn unique(what: &str) -> String {
    format!("{what}{}", now().timestamp_nanos_opt().unwrap())
}

fn asked(mode: Mode) -> Retention {
    Retention { mode, until: Period::parse(Period::DEFAULT).unwrap().after(now()).unwrap(), legal_hold: false }
}

/// A presigned request of the test's own: the vault has no verb for these. Status and body.
fn raw(vault: &Vault, method: Method, place: &Path, query: &[(&str, &str)], body: &str) -> (u16, String) {
    let (signer, http) = vault.opened.presigned.as_ref().unwrap();
    let mut options = SignedUrlOptions::default().with_query(query.iter().copied());
    if !body.is_empty() {
        // Demanded for locks and rules, else MissingContentMD5.
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256Digest::of(body.as_bytes()).as_bytes());
        let name = http::HeaderName::from_static("x-amz-checksum-sha256");
        options = options.with_signed_header(name, digest.parse().unwrap());
    }
    vault.runtime.block_on(async {
        let url = signer.signed_url_opts(method.clone(), place, Duration::from_secs(60), &options).await.unwrap();
        let mut request =
            http::Request::builder().method(method).uri(url.as_str()).body(body.to_owned().into()).unwrap();
        request.headers_mut().extend(options.signed_headers.clone());
        let answer = http.execute(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().bytes().await.unwrap();
        (status, String::from_utf8_lossy(&body).into_owned())
    })
}

fn place(vault: &Vault, address: &Address) -> Path {
    vault.place(address.as_str()).unwrap()
}

/// Code and message of a refusal.
fn words(body: &str) -> String {
    let element =
        |name: &str| body.split_once(&format!("<{name}>")).map_or("", |(_, rest)| rest.split('<').next().unwrap());
    format!("{}: {}", element("Code"), element("Message"))
}

fn set(vault: &Vault, what: &str, body: &str) {
    let (status, answer) = raw(vault, Method::PUT, &Path::default(), &[(what, "")], body);
    assert_eq!(status, 200, "{answer}");
}

#[test]
#[ignore = "needs MinIO: tests/outside/storage/run.sh"]
fn every_kind_of_bucket_keeps_the_contract() {
    set(
        &open("versioned", None),
        "versioning",
        "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    );
    for bucket in ["plain", "versioned", "locked"] {
        contract(&open(bucket, None), &unique("c"));
    }
}

#[test]
#[ignore = "needs MinIO: tests/outside/storage/run.sh"]
fn a_compliance_lock_is_written_read_back_and_holds() {
    let vault = open("locked", None);
    let a = address(&unique("l"));
    let asked = Retention { legal_hold: true, ..asked(Mode::Compliance) };
    let put = vault.put_once(&a, b"{}", &tags(), Some(&asked)).unwrap();
    println!("stored {} as {:?}, asked {asked}", put.uri, put.lock);
    assert!(put.warnings.is_empty(), "{:?}", put.warnings);
    assert!(put.lock.unwrap().satisfies(&asked) && put.lock.unwrap().legal_hold);
    assert_eq!(put.tags_observed, Some(3));
    let version = put.version_id.as_deref().unwrap();
    let at = place(&vault, &a);

    let (status, body) = raw(&vault, Method::GET, &at, &[("retention", ""), ("versionId", version)], "");
    println!("GET ?retention: {status} {body}");
    assert!(status == 200 && body.contains("<Mode>COMPLIANCE</Mode>"));
    let (status, body) = raw(&vault, Method::GET, &at, &[("tagging", ""), ("versionId", version)], "");
    println!("GET ?tagging: {status} {body}");
    assert!(body.contains("<Key>pipeline-run-id</Key><Value>group/42__</Value>"), "{body}");

    let (status, body) = raw(&vault, Method::DELETE, &at, &[("versionId", version)], "");
    println!("DELETE the version: {status} {}", words(&body));
    assert!(status >= 400 && body.contains("WORM"), "{status} {body}");
    let shorter =
        "<Retention><Mode>COMPLIANCE</Mode><RetainUntilDate>2026-12-31T00:00:00Z</RetainUntilDate></Retention>";
    let weaker = format!(
        "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>{}</RetainUntilDate></Retention>",
        asked.until_text()
    );
    for (what, body) in [("shorter", shorter), ("weaker", &weaker)] {
        let (status, body) = raw(&vault, Method::PUT, &at, &[("retention", ""), ("versionId", version)], body);
        println!("PUT ?retention {what}: {status} {}", words(&body));
        assert!(status >= 400 && body.contains("WORM"), "{status} {body}");
    }
    // The same step again meets its own record under its own lock.
    let again = vault.put_once(&a, b"{}", &tags(), Some(&asked)).unwrap();
    assert_eq!((again.outcome, again.uri), (Outcome::AlreadyThere, put.uri.clone()));
    let other = vault.put_once(&a, b"[]", &tags(), Some(&asked));
    println!("second, different put: {}", other.as_ref().unwrap_err());
    assert_eq!(outcome(&other), "Different");

    // A plain delete only hides it: the version stays readable. A record put afterwards is another version.
    let (status, _) = raw(&vault, Method::DELETE, &at, &[], "");
    println!("DELETE without a version: {status}; get now: {}", variant(&vault.get(&a, None).unwrap_err()));
    assert_eq!(vault.get(&a, Some(version)).unwrap(), b"{}");
    let over = vault.put_once(&a, b"[]", &tags(), Some(&asked));
    println!("create over a delete marker: {}", outcome(&over));
}

#[test]
#[ignore = "needs MinIO: tests/outside/storage/run.sh"]
fn a_governance_lock_and_a_default_lock_are_seen() {
    let vault = open("locked", None);
    let put = vault.put_once(&address(&unique("g")), b"{}", &tags(), Some(&asked(Mode::Governance))).unwrap();
    assert_eq!(put.lock.unwrap().mode, Mode::Governance);
    let vault = open("defaulted", None);
    let rule = "<Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>400</Days></DefaultRetention></Rule>";
    let body = format!(
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{rule}</ObjectLockConfiguration>"
    );
    set(&vault, "object-lock", &body);
    let put = vault.put_once(&address(&unique("d")), b"{}", &tags(), None).unwrap();
    println!("by default: {:?}", put.lock);
    assert_eq!(put.lock.unwrap().mode, Mode::Compliance);
}

#[test]
#[ignore = "needs MinIO: tests/outside/storage/run.sh"]
fn a_lock_on_a_bucket_without_lock_is_refused_and_nothing_is_stored() {
    for bucket in ["plain", "versioned"] {
        let vault = open(bucket, None);
        let a = address(&unique("n"));
        let e = vault.put_once(&a, b"{}", &tags(), Some(&asked(Mode::Compliance))).unwrap_err();
        println!("lock on {bucket}: {e}");
        assert_eq!(variant(&e), "LockRefused");
        assert_eq!(variant(&vault.get(&a, None).unwrap_err()), "NotFound");
    }
    let vault = open("locked", None);
    let past = Retention { until: now() - chrono::TimeDelta::days(1), ..asked(Mode::Compliance) };
    let e = vault.put_once(&address(&unique("p")), b"{}", &tags(), Some(&past)).unwrap_err();
    println!("lock until yesterday: {e}");
    assert_eq!(variant(&e), "LockRefused");
}

#[test]
#[ignore = "needs MinIO: tests/outside/storage/run.sh"]
fn a_wrong_secret_and_a_missing_bucket_are_told_apart() {
    let e = open("locked", Some("not-the-secret-at-all")).put_once(&address("x"), b"{}", &tags(), None).unwrap_err();
    println!("wrong secret: {e}");
    assert_eq!(variant(&e), "Denied");
    assert!(!format!("{e}{e:?}").contains("not-the-secret"));
    let vault = open("no-such-bucket", None);
    let e = vault.put_once(&address("x"), b"{}", &tags(), None).unwrap_err();
    println!("missing bucket, put: {e}");
    assert_eq!(variant(&e), "NoBucket");
    for e in [vault.get(&address("x"), None).unwrap_err(), vault.list("").unwrap_err()] {
        println!("missing bucket, read: {e}");
        assert_eq!(variant(&e), "NoBucket");
    }
}

#[test]
#[ignore = "needs MinIO: tests/outside/storage/run.sh"]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let [endpoint, _, user, secret] = store();
    let env =
        [("AWS_ENDPOINT_URL_S3", endpoint.as_str()), ("AWS_ACCESS_KEY_ID", &user), ("AWS_SECRET_ACCESS_KEY", &secret)];
    for allow in [None, Some(("AWS_ALLOW_INVALID_CERTIFICATES", "true"))] {
        let env: Vec<_> = env.into_iter().chain(allow).collect();
        let patience = Patience { tries: 1, ..Patience::default() };
        let e = Vault::open("s3://locked", &settings(&env, patience)).unwrap().list("").unwrap_err();
        println!("unknown certificate: {e}");
        assert_eq!(variant(&e), "Unreachable");
        assert!(e.to_string().contains("certificate"), "{e}");
    }
}

#[test]
#[ignore = "needs MinIO: tests/outside/storage/run.sh"]
fn sixteen_writers_make_one_version() {
    for bucket in ["locked", "plain"] {
        let vault = open(bucket, None);
        let name = unique("race");
        assert_eq!(race(&vault, &name), 1, "{bucket}");
        let prefix = place(&vault, &address(&name));
        let (status, body) =
            raw(&vault, Method::GET, &Path::default(), &[("versions", ""), ("prefix", prefix.as_ref())], "");
        assert_eq!((status, body.matches("<Version>").count()), (200, 1), "{body}");
    }
}

#[test]
#[ignore = "needs MinIO: tests/outside/storage/run.sh"]
fn doctor_sees_what_is_there() {
    use Status::{Fail, Ok, Warn};
    set(
        &open("versioned", None),
        "versioning",
        "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    );
    let soon = "<LifecycleConfiguration><Rule><ID>tidy</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter>\
                <Expiration><Days>30</Days></Expiration></Rule></LifecycleConfiguration>";
    set(&open("plain", None), "lifecycle", soon);
    for (bucket, want) in [
        (
            "locked",
            [
                ("bucket", Ok),
                ("versioning", Ok),
                ("object lock", Ok),
                ("default retention", Warn),
                ("lifecycle", Ok),
                ("write-once", Ok),
            ]
            .as_slice(),
        ),
        ("versioned", &[("versioning", Ok), ("object lock", Fail), ("write-once", Ok), ("clock", Ok)]),
        ("plain", &[("versioning", Fail), ("object lock", Fail), ("lifecycle", Fail), ("write-once", Ok)]),
        ("no-such-bucket", &[("reachable", Ok), ("bucket", Fail)]),
    ] {
        let checks = open(bucket, None).checks(&ask_at(now(), true));
        for c in &checks {
            println!("{bucket}: {:?} {}: {}", c.status, c.name, c.found);
        }
        for (name, status) in want {
            assert_eq!(check(&checks, name).status, *status, "{bucket} {name}");
        }
    }
    let checks = open("locked", Some("not-the-secret-at-all")).checks(&ask_at(now(), true));
    for c in &checks {
        println!("wrong secret: {:?} {}: {}", c.status, c.name, c.found);
    }
    assert_eq!(check(&checks, "credentials").status, Fail);
}

/// Puts or deletes (without a version: a marker) as others may.
fn plant(vault: &Vault, name: &str, bytes: Option<&str>) {
    let place = vault.place(name).unwrap();
    let method = if bytes.is_some() { Method::PUT } else { Method::DELETE };
    let (status, answer) = raw(vault, method, &place, &[], bytes.unwrap_or(""));
    assert!((200..300).contains(&status), "{status} {answer}");
}

/// What a sweep tells, with versions left out: they are MinIO's own.
fn told(vault: &Vault, prefix: &str) -> (Vec<String>, Versions) {
    let (lines, versions) = swept(vault, prefix).unwrap();
    let lines = lines.iter().map(|line| {
        let words: Vec<_> = line.rsplitn(4, ' ').collect();
        format!("{} {} {}", words[3].strip_prefix(prefix).unwrap(), words[1], words[0])
    });
    (lines.collect(), versions)
}

fn versioned() -> Vault {
    let vault = open("versioned", None);
    let on = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    set(&vault, "versioning", on);
    vault
}

#[test]
#[ignore = "needs MinIO: tests/outside/storage/run.sh"]
fn a_sweep_tells_every_version_and_marker() {
    let vault = versioned();
    let prefix = format!("{}/", unique("sweep"));
    let at = |name: &str| format!("{prefix}{name}");
    assert_eq!(told(&vault, &prefix), (vec![], Versions::Listed));
    for (name, bytes) in [
        ("two", Some("1")),
        ("two", Some("22")),
        ("gone", Some("1")),
        ("gone", None),
        ("again", Some("1")),
        ("again", None),
        ("again", Some("333")),
        ("a b", Some("1")),
        ("a+b", Some("1")),
        ("a%2Fb", Some("1")),
        ("100%", Some("1")),
        ("ü/💀", Some("1")),
        ("a&b<c>\"'", Some("1")),
    ] {
        plant(&vault, &at(name), bytes);
    }
    let (lines, versions) = told(&vault, &prefix);
    let want = [
        "100% latest 1",
        "a b latest 1",
        "a%2Fb latest 1",
        "a&b<c>\"' latest 1",
        "a+b latest 1",
        "again latest 3",
        "again old-marker 0",
        "again old 1",
        "gone marker 0",
        "gone old 1",
        "two latest 2",
        "two old 1",
        "ü/💀 latest 1",
    ];
    assert_eq!((lines.as_slice(), versions), (want.map(String::from).as_slice(), Versions::Listed));
    // Every version that is told can be read by it.
    let mut read = 0;
    let done = vault.sweep(&prefix, &mut |seen| {
        let Place::Address(address) = &seen.place else { panic!("{seen:?}") };
        let got = vault.get(address, seen.version.as_deref());
        assert_eq!(got.is_err(), seen.marker, "{seen:?}: {got:?}");
        assert_eq!(got.map_or(0, |bytes| bytes.len() as u64), seen.size);
        assert!((now() - seen.modified.unwrap()).num_seconds().abs() < 300);
        read += 1;
        ControlFlow::Continue(())
    });
    assert_eq!((done.unwrap().versions, read), (Versions::Listed, 13));
    let found: Vec<_> = vault.list(&prefix).unwrap().into_iter().map(|f| f.address.to_string()).collect();
    assert_eq!(found.len(), 8);
    let first: Vec<_> = vault.first(&prefix, 3).unwrap().into_iter().map(|f| f.address.to_string()).collect();
    assert_eq!(first, found[..3]);
    assert_eq!(vault.get_many(&[Address::parse(&at("ü/💀")).unwrap()], 4).remove(0).unwrap(), b"1");
    assert_eq!(told(&open("plain", None), "nowhere/").0.len(), 0);
    let plain = open("plain", None);
    plant(&plain, &at("x"), Some("1"));
    assert_eq!(told(&plain, &prefix), (vec!["x latest 1".into()], Versions::NotKept));
}

#[test]
#[ignore = "needs MinIO: tests/outside/storage/run.sh"]
fn thousands_of_versions_come_in_pages_and_the_first_is_one_request() {
    let vault = versioned();
    let prefix = format!("{}/", unique("many"));
    let began = std::time::Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..5 {
            let (vault, prefix) = (&vault, &prefix);
            scope.spawn(move || {
                for n in 0..500 {
                    // One address with 1500 versions, 1000 addresses with one.
                    let name = if thread < 3 { "0500-same".into() } else { format!("{:04}", thread % 2 * 500 + n) };
                    plant(vault, &format!("{prefix}{name}"), Some("x"));
                }
            });
        }
    });
    println!("2500 puts: {:?}", began.elapsed());
    let (began, before) = (std::time::Instant::now(), vault.requests());
    let (lines, versions) = swept(&vault, &prefix).unwrap();
    println!("2500 versions: {:?}, {} requests", began.elapsed(), vault.requests() - before);
    assert_eq!((lines.len(), versions), (2500, Versions::Listed));
    assert!(vault.requests() - before <= 4);
    let distinct: std::collections::BTreeSet<_> = lines.iter().collect();
    assert_eq!(distinct.len(), 2500, "none twice");
    assert_eq!(lines.iter().filter(|line| line.contains("0500-same")).count(), 1500);
    let mut names: Vec<_> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert!(names.is_sorted());
    names.dedup();
    assert_eq!(names.len(), 1001);
    let before = vault.requests();
    assert_eq!(vault.first(&prefix, 1).unwrap()[0].address.as_str(), format!("{prefix}0000"));
    assert_eq!(vault.requests() - before, 1);
    let addresses: Vec<_> = vault.list(&prefix).unwrap().into_iter().map(|f| f.address).collect();
    for at_once in [1, 16] {
        let began = std::time::Instant::now();
        assert!(vault.get_many(&addresses, at_once).iter().all(|got| got.as_ref().is_ok_and(|bytes| bytes == b"x")));
        println!("1001 gets, {at_once} at once: {:?}", began.elapsed());
    }
}

#[test]
#[ignore = "needs MinIO: tests/outside/storage/run.sh"]
fn who_has_no_key_is_refused_or_sees_what_a_public_bucket_shows() {
    let vault = versioned();
    let prefix = format!("{}/", unique("hidden"));
    for bytes in [Some("1"), Some("22")] {
        plant(&vault, &format!("{prefix}a b+c"), bytes);
    }
    let [endpoint, ca, ..] = store();
    let env =
        [("AWS_ENDPOINT_URL_S3", endpoint.as_str()), ("AWS_CA_BUNDLE", ca.as_str()), ("AWS_SKIP_SIGNATURE", "true")];
    let anybody = Vault::open("s3://versioned/pre fix", &settings(&env, Patience::default())).unwrap();
    for e in [
        swept(&anybody, &prefix).unwrap_err(),
        anybody.list(&prefix).unwrap_err(),
        anybody.first(&prefix, 1).unwrap_err(),
    ] {
        println!("anybody: {e}");
        assert_eq!(variant(&e), "Denied");
    }
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["s3:ListBucket"],"Resource":["arn:aws:s3:::versioned"]}]}"#;
    let (status, answer) = raw(&vault, Method::PUT, &Path::default(), &[("policy", "")], policy);
    assert_eq!(status, 204, "{answer}");
    let (lines, versions) = told(&anybody, &prefix);
    println!("anybody who may list: {versions:?}");
    // MinIO takes s3:ListBucket for s3:ListBucketVersions as well; AWS does not, see the fake.
    assert_eq!((lines, versions), (vec!["a b+c latest 2".into(), "a b+c old 1".into()], Versions::Listed));
}
