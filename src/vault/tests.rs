//! The vault as its callers see it: one contract for every store, then what only one of them can do wrong.

use super::address::{About, Address, Parts};
use super::doctor::{Ask, Check, Status};
use super::fake_s3::{FakeS3, Fault};
use super::lock::{Mode, Period, Retention, parse_time};
use super::*;
use crate::record::digest::Sha256Digest;
use chrono::NaiveDate;
use std::time::Duration;

pub(super) fn address(component: &str) -> Address {
    Address::of(&Parts {
        environment: "prod".into(),
        date: NaiveDate::from_ymd_opt(2026, 11, 22).unwrap(),
        about: About::Run { platform: "github".into(), id: "42".into(), attempt: "1".into() },
        kind: "run".into(),
        component: Some(component.into()),
        conflict: None,
    })
}

pub(super) fn tags() -> Tags {
    Tags { env: "prod".into(), run_id: "group/42 ü".into(), date: NaiveDate::from_ymd_opt(2026, 11, 22).unwrap() }
}

fn lock(mode: Mode) -> Retention {
    Retention { mode, until: parse_time("2099-01-01T00:00:00.250Z").unwrap(), legal_hold: false }
}

pub(super) fn quick() -> Patience {
    Patience {
        connect: Duration::from_secs(2),
        request: Duration::from_millis(700),
        tries: 3,
        first_wait: Duration::from_millis(2),
        longest_wait: Duration::from_millis(5),
        total: Duration::from_secs(20),
        seed: 7,
    }
}

pub(super) fn settings(env: &[(&str, &str)], patience: Patience) -> Settings {
    let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Settings { env, cwd: std::env::temp_dir(), patience }
}

pub(super) const SECRET: &str = "wJalrXUtnFEMIK7MDENG";

pub(super) fn fake_vault(fake: &FakeS3) -> Vault {
    let endpoint = format!("http://{}", fake.address);
    let env =
        [("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_ACCESS_KEY_ID", "AKIATEST"), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    Vault::open("s3://vault/some/prefix", &settings(&env, quick())).unwrap()
}

pub(super) fn local_vault(folder: &FilePath) -> Vault {
    Vault::open(folder.to_str().unwrap(), &settings(&[], quick())).unwrap()
}

/// What every store must do.
pub(super) fn contract(vault: &Vault, unique: &str) {
    let a = address(&format!("{unique}a"));
    let body = b"{\"first\":true}".as_slice();
    assert!(matches!(vault.get(&a, None), Err(VaultError::NotFound { .. })));

    let put = vault.put_once(&a, body, &tags(), None).unwrap();
    assert_eq!((put.outcome, &put.address, put.sha256), (Outcome::Created, &a, Sha256Digest::of(body)));
    assert_eq!(put.tags_observed, Some(3), "{:?}", put.warnings);
    assert!(put.uri.contains(a.as_str()), "{}", put.uri);
    assert_eq!(vault.get(&a, None).unwrap(), body);
    if let Some(version) = &put.version_id {
        assert_eq!(vault.get(&a, Some(version)).unwrap(), body);
        assert!(put.uri.ends_with(&format!("?versionId={version}")));
    }

    let again = vault.put_once(&a, body, &tags(), None).unwrap();
    assert_eq!((again.outcome, &again.uri), (Outcome::AlreadyThere, &put.uri));
    match vault.put_once(&a, b"{\"first\":false}", &tags(), None) {
        Err(VaultError::Different { theirs_sha256, uri, theirs, .. }) => {
            assert_eq!((theirs_sha256, uri), (Sha256Digest::of(body), put.uri.clone()));
            assert_eq!(theirs, body);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(vault.get(&a, None).unwrap(), body);
    let beside = a.conflict("0192f0c1-7b1e-7c3a-8a51-0123456789ab").unwrap();
    vault.put_once(&beside, b"{\"first\":false}", &tags(), None).unwrap();

    // Empty, large, and names at both ends of the byte order.
    let large = vec![b'x'; 3 << 20];
    for (name, bytes) in [("-", b"".as_slice()), ("z", &large), ("Z", b"{}")] {
        let a = address(&format!("{unique}{name}"));
        vault.put_once(&a, bytes, &tags(), None).unwrap();
        assert_eq!(vault.get(&a, None).unwrap(), bytes);
    }
    let entry = Address::parse(&format!("ledger/env={unique}env/999999999998")).unwrap();
    vault.put_once(&entry, b"1", &tags(), None).unwrap();

    let prefix = format!("evidence/env=prod/date=2026-11-22/run=github-42-1/run-{unique}");
    let all = vault.list(&prefix).unwrap();
    let names: Vec<_> = all.iter().map(|f| f.address.as_str().strip_prefix(&prefix).unwrap()).collect();
    assert_eq!(names, ["-.json", "Z.json", "a.conflict-0192f0c1-7b1e-7c3a-8a51-0123456789ab.json", "a.json", "z.json"]);
    assert_eq!(all[4].size, 3 << 20);
    assert_eq!(vault.list("evidence/env=nowhere/").unwrap(), []);
    assert_eq!(vault.list(&format!("ledger/env={unique}env/")).unwrap()[0].address, entry);

    // A dash sorts before a slash: folders are not sorted by their names alone.
    for environment in ["s", "s-b", "s=b"] {
        vault
            .put_once(&Address::parse(&format!("ledger/env={unique}{environment}/1")).unwrap(), b"1", &tags(), None)
            .unwrap();
    }
    let mut order = Vec::new();
    let strangers = vault
        .list_each(&format!("ledger/env={unique}s"), None, None, &mut |found| {
            order.push(found.address.as_str().replace(&format!("ledger/env={unique}"), ""));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(
        (order.as_slice(), strangers),
        (["s-b/1", "s/1", "s=b/1"].map(String::from).as_slice(), Strangers::default())
    );

    // In pages of one, from the middle, until told to stop.
    let mut seen = Vec::new();
    let _ = vault
        .list_each(&prefix, Some(&all[0].address), Some(1), &mut |found| {
            seen.push(found);
            if seen.len() == 2 { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!(seen, all[1..3]);
}

#[test]
fn a_folder_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let vault = local_vault(&folder.path().join("deep/vault"));
    contract(&vault, "c");
    assert!(vault.is_local() && vault.location().starts_with("file:///"));
}

#[test]
fn a_bucket_keeps_the_contract() {
    let fake = FakeS3::start();
    contract(&fake_vault(&fake), "c");
}

#[test]
fn a_bucket_without_versions_keeps_the_contract() {
    let fake = FakeS3::start();
    fake.state.lock().unwrap().unversioned = true;
    contract(&fake_vault(&fake), "c");
}

/// Name of an error's variant, for tables.
pub(super) fn variant(error: &VaultError) -> String {
    format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

pub(super) fn outcome(result: &Result<Put, VaultError>) -> String {
    match result {
        Ok(put) => format!("{:?}", put.outcome),
        Err(e) => variant(e),
    }
}

#[test]
fn whatever_breaks_on_the_way_there_is_one_object_or_none_and_never_two() {
    use Fault::*;
    // Name, faults, wanted outcome, objects in the store afterwards.
    type Row = (&'static str, &'static [(&'static str, usize, Fault)], &'static str, usize);
    let table: &[Row] = &[
        ("nothing", &[], "Created", 1),
        ("dropped before", &[("PUT", 1, DropBefore)], "Created", 1),
        ("dropped after", &[("PUT", 1, DropAfter)], "Created", 1),
        (
            "dropped after, then looked at through a dead line",
            &[("PUT", 1, DropAfter), ("GET", 1, DropBefore)],
            "Created",
            1,
        ),
        ("dropped before, for ever", &[("PUT", 99, DropBefore)], "Unreachable", 0),
        ("500 before", &[("PUT", 1, Before(500, "InternalError"))], "Created", 1),
        ("500 after", &[("PUT", 1, After(500, "InternalError"))], "Created", 1),
        ("503 before", &[("PUT", 2, Before(503, "SlowDown"))], "Created", 1),
        ("503 after", &[("PUT", 1, After(503, "SlowDown"))], "Created", 1),
        ("429 before", &[("PUT", 1, Before(429, "TooManyRequests"))], "Created", 1),
        ("429 after", &[("PUT", 1, After(429, "TooManyRequests"))], "Created", 1),
        ("408 before", &[("PUT", 1, Before(408, "RequestTimeout"))], "Created", 1),
        ("408 after", &[("PUT", 1, After(408, "RequestTimeout"))], "Created", 1),
        ("409 before", &[("PUT", 1, Before(409, "ConditionalRequestConflict"))], "Created", 1),
        ("409 after", &[("PUT", 1, After(409, "ConditionalRequestConflict"))], "AlreadyThere", 1),
        ("409 for ever", &[("PUT", 99, Before(409, "ConditionalRequestConflict"))], "Unreachable", 0),
        ("412 before", &[("PUT", 1, Before(412, "PreconditionFailed"))], "Created", 1),
        ("412 after", &[("PUT", 1, After(412, "PreconditionFailed"))], "AlreadyThere", 1),
        ("412 with nothing there, for ever", &[("PUT", 99, Before(412, "PreconditionFailed"))], "Unreachable", 0),
        ("500 for ever", &[("PUT", 99, Before(500, "InternalError"))], "Unreachable", 0),
        ("500 for ever, though stored", &[("PUT", 99, After(500, "InternalError"))], "Created", 1),
        ("the answer is lost", &[("PUT", 1, SilentAfter)], "Created", 1),
        ("no answer, nothing done", &[("PUT", 1, SilentBefore)], "Created", 1),
        ("slow", &[("PUT", 1, Slow), ("GET", 1, Slow)], "Created", 1),
        ("no etag", &[("PUT", 1, NoEtag)], "Created", 1),
        ("not http", &[("PUT", 1, Garbage)], "Created", 1),
        ("wrong key", &[("PUT", 9, Before(403, "SignatureDoesNotMatch"))], "Denied", 0),
        ("unknown key", &[("PUT", 9, Before(403, "InvalidAccessKeyId"))], "Denied", 0),
        ("old session", &[("PUT", 9, Before(400, "ExpiredToken"))], "Denied", 0),
        ("not allowed", &[("PUT", 9, Before(403, "AccessDenied"))], "Denied", 0),
        ("no bucket", &[("PUT", 9, Before(404, "NoSuchBucket"))], "NoBucket", 0),
        ("a proxy's 404", &[("PUT", 9, Before(404, ""))], "NoBucket", 0),
        ("wrong region", &[("PUT", 9, Before(301, "PermanentRedirect"))], "Other", 0),
        ("not implemented", &[("PUT", 9, Before(501, "NotImplemented"))], "Other", 0),
        ("no lock on this bucket", &[("PUT", 9, Before(400, "InvalidRequest"))], "LockRefused", 0),
        ("lock and tags ignored", &[("PUT", 9, Lie)], "LockNotObserved", 1),
        ("stored, not readable", &[("GET", 99, Before(403, "AccessDenied"))], "Denied", 1),
        (
            "answer lost and may not look",
            &[("PUT", 1, DropBefore), ("GET", 1, Before(403, "AccessDenied"))],
            "Created",
            1,
        ),
        (
            "409 and may not look",
            &[("PUT", 1, Before(409, "ConditionalRequestConflict")), ("GET", 1, Before(403, "AccessDenied"))],
            "Created",
            1,
        ),
        (
            "there, but may not look",
            &[("PUT", 1, After(412, "PreconditionFailed")), ("GET", 9, Before(403, "AccessDenied"))],
            "Denied",
            1,
        ),
        ("cut while reading back", &[("GET", 1, Truncate)], "Created", 1),
        ("stalled while reading back", &[("GET", 1, Stall)], "Created", 1),
        ("dropped while reading back", &[("GET", 2, DropBefore)], "Created", 1),
        ("500 while reading back", &[("GET", 2, Before(500, "InternalError"))], "Created", 1),
        ("cut for ever", &[("GET", 99, Truncate)], "Unreachable", 1),
        ("gone after it was accepted", &[("GET", 99, Before(404, "NoSuchKey"))], "NotFound", 1),
        ("other bytes come back", &[("GET", 9, OtherBytes)], "Corrupt", 1),
        ("answer lost, other bytes stand there", &[("PUT", 1, DropAfter), ("GET", 9, OtherBytes)], "Different", 1),
        ("an endless body", &[("GET", 9, Huge)], "TooLarge", 1),
    ];
    for (name, faults, want, objects) in table {
        let fake = FakeS3::with(faults);
        let vault = fake_vault(&fake);
        let result = vault.put_once(&address("x"), b"{\"a\":1}", &tags(), Some(&lock(Mode::Compliance)));
        assert_eq!(outcome(&result), *want, "{name}: {result:?}");
        assert_eq!(fake.versions(), *objects, "{name}");
        for (method, left, fault) in &fake.state.lock().unwrap().faults {
            assert!(*left == 0 || *left > 4, "{name}: {method} {fault:?} never happened");
        }
        match result {
            Ok(put) => {
                assert!(put.lock.unwrap().satisfies(&lock(Mode::Compliance)), "{name}");
                assert_eq!(put.tags_observed, Some(3), "{name}");
                assert_eq!(put.version_id.as_deref(), Some("v1"), "{name}");
            }
            Err(e) => {
                let text = format!("{e} {e:?}");
                for hidden in [SECRET, "secret-string", "beefbeef", "X-Amz", "Signature="] {
                    assert!(!text.contains(hidden), "{name}: {text}");
                }
            }
        }
    }
}

#[test]
fn a_store_without_conditions_is_caught_by_the_probe_and_by_a_look_first() {
    // Such a store takes the second put; a lost answer must not make it a second version.
    let fake = FakeS3::with(&[("PUT", 1, Fault::DropAfter), ("PUT", 9, Fault::IgnoreCondition)]);
    let put = fake_vault(&fake).put_once(&address("x"), b"1", &tags(), None).unwrap();
    assert_eq!((put.outcome, fake.versions()), (Outcome::Created, 1));
}

#[test]
fn an_uncontended_put_is_two_requests_and_everything_rides_on_the_first() {
    let fake = FakeS3::start();
    let vault = fake_vault(&fake);
    let asked = Retention { legal_hold: true, ..lock(Mode::Compliance) };
    let put = vault.put_once(&address("x"), b"{}", &tags(), Some(&asked)).unwrap();
    assert!(put.warnings.is_empty(), "{:?}", put.warnings);
    assert!(put.uri.starts_with("s3://vault/some/prefix/evidence/env=prod/"), "{}", put.uri);
    let state = fake.state.lock().unwrap();
    let methods: Vec<_> = state.requests.iter().map(|r| r.method.as_str()).collect();
    assert_eq!(methods, ["PUT", "GET"]);
    let headers = &state.requests[0].headers;
    for (name, want) in [
        ("if-none-match", "*"),
        ("x-amz-object-lock-mode", "COMPLIANCE"),
        ("x-amz-object-lock-retain-until-date", "2099-01-01T00:00:01Z"),
        ("x-amz-object-lock-legal-hold", "ON"),
        ("x-amz-sdk-checksum-algorithm", "SHA256"),
        ("x-amz-tagging", "env=prod&pipeline-run-id=group%2F42__&date=2026-11-22"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(headers.get(name).map(String::as_str), Some(want), "{name}");
    }
    assert_eq!(state.requests[1].query.get("versionId").map(String::as_str), Some("v1"));
}

#[test]
fn no_variable_switches_write_once_or_the_checksum_off() {
    let fake = FakeS3::start();
    let endpoint = format!("http://{}", fake.address);
    let env = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_CONDITIONAL_PUT", "disabled"),
        ("AWS_CHECKSUM_ALGORITHM", "crc64nvme"),
        ("AWS_UNSIGNED_PAYLOAD", "true"),
        ("AWS_BUCKET", "another"),
    ];
    let vault = Vault::open("s3://vault", &settings(&env, quick())).unwrap();
    vault.put_once(&address("x"), b"{}", &tags(), Some(&lock(Mode::Compliance))).unwrap();
    assert_eq!(outcome(&vault.put_once(&address("x"), b"[]", &tags(), None)), "Different");
    let state = fake.state.lock().unwrap();
    let headers = &state.requests[0].headers;
    assert_eq!(headers["x-amz-content-sha256"], Sha256Digest::of(b"{}").to_string());
    assert!(headers.contains_key("x-amz-checksum-sha256") && headers.contains_key("if-none-match"));
}

#[test]
fn a_lock_that_the_store_forgot_is_a_failure_that_says_what_is_stored() {
    let fake = FakeS3::with(&[("PUT", 9, Fault::Lie)]);
    let vault = fake_vault(&fake);
    match vault.put_once(&address("x"), b"{}", &tags(), Some(&lock(Mode::Governance))) {
        Err(e @ VaultError::LockNotObserved { .. }) => {
            assert!(e.to_string().contains("is stored at s3://vault/some/prefix/"), "{e}");
            assert!(e.to_string().contains("ignored it"), "{e}");
        }
        other => panic!("{other:?}"),
    }
    // The same silence means something else where the lock may not be read.
    fake.state.lock().unwrap().documents = vec![("retention", 403, "<Error><Code>AccessDenied</Code></Error>")];
    let e = vault.put_once(&address("y"), b"{}", &tags(), Some(&lock(Mode::Governance))).unwrap_err();
    assert!(e.to_string().contains("s3:GetObjectRetention"), "{e}");
    // Without a lock asked for, lost tags are a warning.
    let put = vault.put_once(&address("z"), b"{}", &tags(), None).unwrap();
    assert_eq!((put.tags_observed, put.warnings.len()), (None, 1));
    // A standing lock that is weaker than what is asked for now is no lock either.
    let fake = FakeS3::start();
    let vault = fake_vault(&fake);
    vault.put_once(&address("x"), b"{}", &tags(), Some(&lock(Mode::Governance))).unwrap();
    let weaker = vault.put_once(&address("x"), b"{}", &tags(), Some(&lock(Mode::Compliance)));
    assert_eq!(outcome(&weaker), "LockNotObserved");
    assert!(weaker.unwrap_err().to_string().contains("the object has governance until 2099-01-01T00:00:01Z"));
}

#[test]
fn two_writers_on_one_bucket_address_make_one_object() {
    let fake = FakeS3::start();
    let vault = fake_vault(&fake);
    let won = race(&vault, "race");
    assert_eq!((won, fake.versions()), (1, 1));
}

/// Sixteen threads put different bytes to one address; how many were first.
pub(super) fn race(vault: &Vault, name: &str) -> usize {
    let start = std::sync::Barrier::new(16);
    let put = |n: usize| {
        start.wait();
        vault.put_once(&address(name), format!("{{\"n\":{n}}}").as_bytes(), &tags(), None)
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|n| scope.spawn(move || put(n))).collect::<Vec<_>>();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    for result in &results {
        assert!(["Created", "Different"].contains(&outcome(result).as_str()), "{result:?}");
    }
    results.iter().filter(|r| r.is_ok()).count()
}

/// Eight threads, each putting and getting its own four objects; how long it took.
fn eight_threads(vault: &Vault) -> Duration {
    let began = std::time::Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for n in 0..4 {
                    let (a, bytes) = (address(&format!("t{thread}-{n}")), format!("{{\"n\":{thread}{n}}}"));
                    vault.put_once(&a, bytes.as_bytes(), &tags(), None).unwrap();
                    assert_eq!(vault.get(&a, None).unwrap(), bytes.as_bytes());
                    assert!(
                        vault
                            .list(&format!("evidence/env=prod/date=2026-11-22/run=github-42-1/run-t{thread}"))
                            .unwrap()
                            .len()
                            > n
                    );
                }
            });
        }
    });
    began.elapsed()
}

#[test]
fn requests_of_several_threads_overlap() {
    let fake = FakeS3::with(&[("PUT", 999, Fault::Slow), ("GET", 999, Fault::Slow)]);
    let vault = fake_vault(&fake);
    let took = eight_threads(&vault);
    let slow = fake.state.lock().unwrap().requests.len() as u32 * Duration::from_millis(100);
    println!("threads: {took:?} for requests of {slow:?}");
    assert!(took < slow / 3, "{took:?} of {slow:?}");
    let folder = tempfile::tempdir().unwrap();
    let vault = local_vault(folder.path());
    eight_threads(&vault);
    assert_eq!(vault.list("").unwrap().len(), 32);
}

#[test]
fn many_are_fetched_at_once_and_come_back_in_order() {
    let fake = FakeS3::start();
    let folder = tempfile::tempdir().unwrap();
    for (vault, bucket) in [(fake_vault(&fake), true), (local_vault(folder.path()), false)] {
        let all: Vec<_> = (0..40).map(|n| address(&format!("m{n:02}"))).collect();
        for (n, a) in all.iter().enumerate().filter(|(n, _)| *n != 7) {
            vault.put_once(a, n.to_string().as_bytes(), &tags(), None).unwrap();
        }
        if bucket {
            fake.state.lock().unwrap().faults = vec![("GET", 999, Fault::Slow)];
        }
        let began = std::time::Instant::now();
        let got = vault.get_many(&all, 20);
        let took = began.elapsed();
        println!("many: {took:?}");
        // 40 answers of 100 ms each.
        assert!(took < Duration::from_millis(1500), "{took:?}");
        assert_eq!(got.len(), 40);
        for (n, got) in got.into_iter().enumerate() {
            match got {
                Ok(bytes) => assert_eq!(bytes, n.to_string().into_bytes()),
                Err(e) => assert_eq!((n, variant(&e).as_str()), (7, "NotFound")),
            }
        }
        assert!(vault.get_many(&[], 0).is_empty());
    }
}

#[test]
fn sixteen_writers_in_a_folder_make_one_file_and_no_litter() {
    let folder = tempfile::tempdir().unwrap();
    let vault = local_vault(folder.path());
    assert_eq!(race(&vault, "race"), 1);
    let run = folder.path().join("evidence/env=prod/date=2026-11-22/run=github-42-1");
    let mut names: Vec<_> =
        std::fs::read_dir(run).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["run-race.json", "run-race.json.tags"]);
}

#[test]
fn a_folder_cannot_lock_and_says_so_with_the_record_stored() {
    let folder = tempfile::tempdir().unwrap();
    let vault = local_vault(folder.path());
    match vault.put_once(&address("x"), b"{}", &tags(), Some(&lock(Mode::Governance))) {
        Err(e @ VaultError::LockNotObserved { .. }) => assert!(e.to_string().contains("not WORM"), "{e}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(vault.get(&address("x"), None).unwrap(), b"{}");
}

#[test]
fn litter_and_strangers_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let vault = local_vault(folder.path());
    vault.put_once(&address("x"), b"{}", &tags(), None).unwrap();
    let run = folder.path().join("evidence/env=prod/date=2026-11-22/run=github-42-1");
    // What a killed process leaves, and what others put there.
    std::fs::write(run.join("run-y.json#1"), "{").unwrap();
    std::fs::write(run.join("notes.txt"), "hello").unwrap();
    vault.put_once(&address("y"), b"{}", &tags(), None).unwrap();
    let names: Vec<_> = vault
        .list("")
        .unwrap()
        .into_iter()
        .map(|f| f.address.as_str().rsplit_once('/').unwrap().1.to_owned())
        .collect();
    assert_eq!(names, ["notes.txt", "run-x.json", "run-y.json"]);
    // A changed sidecar is told, and changes nothing.
    std::fs::write(run.join("run-x.json.tags"), "{}").unwrap();
    let put = vault.put_once(&address("x"), b"{}", &tags(), None).unwrap();
    assert_eq!((put.outcome, put.tags_observed, put.warnings.len()), (Outcome::AlreadyThere, None, 1));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path(), run.join("loop")).unwrap();
        assert_eq!(variant(&vault.list("").unwrap_err()), "Other");
    }
}

#[test]
fn a_file_is_read_whole_or_told_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let vault = local_vault(&folder.path().join("vault"));
    vault.put_once(&address("x"), b"{}", &tags(), None).unwrap();
    let base = folder.path().join("vault");
    let get = |text: &str| match vault.get(&Address::parse(text).unwrap(), None) {
        Ok(bytes) => format!("{} bytes", bytes.len()),
        Err(e) => format!("{}: {e}", variant(&e)),
    };
    std::fs::write(base.join("staged#12"), "{}").unwrap();
    std::fs::File::create(base.join("large")).unwrap().set_len(LIMIT + 1).unwrap();
    std::fs::File::create(base.join("full")).unwrap().set_len(LIMIT).unwrap();
    for (text, want) in [
        ("a b ü%2F+.json", "NotFound: there is nothing at file:///"),
        ("evidence", "NotFound"),
        ("large", "TooLarge: `large` is 67108865 bytes"),
        ("full", "67108864 bytes"),
        ("staged#12", "Other: could not read `staged#12` from file:///"),
        ("large/x", "a file stands where a folder has to be"),
    ] {
        assert!(get(text).contains(want), "{text}: {}", get(text));
    }
    assert_eq!(variant(&vault.get(&address("x"), Some("v1")).unwrap_err()), "Other");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(base.join(address("x").as_str()), base.join("link")).unwrap();
        symlink("/dev/zero", base.join("device")).unwrap();
        symlink("nowhere", base.join("broken")).unwrap();
        symlink("circle", base.join("circle")).unwrap();
        let pipe = std::process::Command::new("mkfifo").arg(base.join("pipe")).status();
        assert_eq!(get("link"), "2 bytes");
        assert!(get("device").contains("it is not a file"), "{}", get("device"));
        assert!(get("broken").starts_with("NotFound"), "{}", get("broken"));
        assert!(get("circle").starts_with("Other"), "{}", get("circle"));
        // Reading it would wait for a writer, for ever.
        assert!(pipe.is_err() || get("pipe").contains("it is not a file"), "{}", get("pipe"));
    }
}

#[test]
fn a_folder_that_is_not_there_is_not_an_empty_vault() {
    let folder = tempfile::tempdir().unwrap();
    let vault = local_vault(&folder.path().join("typo"));
    assert_eq!(variant(&vault.list("").unwrap_err()), "NotFound");
    assert_eq!(variant(&vault.get(&address("x"), None).unwrap_err()), "NotFound");
    assert!(!folder.path().join("typo").exists());
    assert_eq!(vault.local_root().unwrap(), folder.path().canonicalize().unwrap().join("typo"));
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    assert!(Vault::open(blocked.to_str().unwrap(), &settings(&[], quick())).is_err());
    // A file where a folder has to be.
    let vault = local_vault(folder.path());
    std::fs::write(folder.path().join("evidence"), "").unwrap();
    let e = vault.put_once(&address("x"), b"{}", &tags(), None).unwrap_err();
    assert!(e.to_string().contains("a file stands where a folder has to be"), "{e}");
}

#[test]
fn a_disk_that_refuses_says_what_to_do() {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, StorageFull};
    let folder = tempfile::tempdir().unwrap();
    let vault = local_vault(folder.path());
    for (kind, words, want) in [
        (StorageFull, "Unable to copy data to file", "make room"),
        (ReadOnlyFilesystem, "Unable to create dir x", "mount the folder writable"),
        (PermissionDenied, "Unable to open file x", "mind its uid"),
        (PermissionDenied, "Unable to rename file", "no hard links"),
    ] {
        let source = anyhow::Error::from(std::io::Error::from(kind)).context(words).into();
        match vault.opened.sort(object_store::Error::Generic { store: "LocalFileSystem", source }, "store it", false) {
            super::trouble::Trouble::Firm(e) => assert!(e.to_string().contains(want), "{e}"),
            _ => panic!("{kind:?} is final"),
        }
    }
}

#[test]
fn urls_and_their_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    let env = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
    let open = |url: &str| {
        let settings = Settings { cwd: base.clone(), ..settings(&env, quick()) };
        Vault::open(url, &settings).map(|v| v.location().to_owned()).map_err(|e| e.to_string())
    };
    let here = |path: &str| url::Url::from_file_path(base.join(path)).unwrap().to_string();
    for (url, want) in [
        (DEFAULT_URL, here(".vouchsafe")),
        ("a/../b c", here("b c")),
        ("/var/../tmp-none", "file:///tmp-none".into()),
        ("file:///tmp-none/x%20y", "file:///tmp-none/x%20y".into()),
        ("FILE:///tmp-none", "file:///tmp-none".into()),
        ("s3://bucket", "s3://bucket".into()),
        ("s3://bucket/a/b/", "s3://bucket/a/b".into()),
        ("S3://bucket/a", "s3://bucket/a".into()),
    ] {
        assert_eq!(open(url).as_deref(), Ok(want.as_str()), "{url}");
    }
    for (url, want) in [
        ("", "it is empty"),
        ("s4://bucket/x", "knows file://, s3:// and plain paths"),
        ("s3:/x", "s3://x"),
        ("s3:bucket", "s3://bucket"),
        ("s3://", "the bucket is missing"),
        ("s3:///x", "the bucket is missing"),
        ("s3://b/../c", "could not open"),
        ("s3://b//c", "could not open"),
        ("s3://AK:SECRET@host/b", "AWS_* variables"),
        ("s3://b/x?endpoint=y", "AWS_* variables"),
        ("s3://bücket/x", "letters, digits"),
        ("gs://bucket", "is not built in yet in this version"),
        ("az://container", "is not built in yet in this version"),
        ("https://bucket.s3.amazonaws.com", "is not a store that this version knows"),
        ("file://relative/x", "file:///var/evidence"),
        ("file:x", "file://x"),
    ] {
        let error = open(url).unwrap_err();
        assert!(error.contains(want), "{url}: {error}");
        assert!(!error.contains("SECRET@"), "{error}");
    }
}

#[test]
fn endpoints_and_credentials_are_checked_before_the_first_byte() {
    let key = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let off = ("AWS_EC2_METADATA_DISABLED", "true");
    for (env, want) in [
        (vec![off], "aws configure export-credentials"),
        (vec![key[0]], "AWS_SECRET_ACCESS_KEY is not"),
        (vec![key[1]], "AWS_ACCESS_KEY_ID is not"),
        (vec![key[0], key[1], ("AWS_ENDPOINT_URL", "http://example.org:9000")], "plain http is only for this machine"),
        (vec![key[0], key[1], ("AWS_ENDPOINT_URL", "ftp://127.0.0.1")], "neither http nor https"),
        (vec![key[0], key[1], ("AWS_ENDPOINT_URL_S3", "127.0.0.1:9000")], "http(s)://host:port"),
        (vec![key[0], key[1], ("AWS_CA_BUNDLE", "none.pem")], "AWS_CA_BUNDLE"),
    ] {
        let error = match Vault::open("s3://b", &settings(&env, quick())) {
            Err(e) => e.to_string(),
            Ok(_) => panic!("{want}"),
        };
        assert!(error.contains(want), "{error}");
        assert!(!error.contains(SECRET), "{error}");
    }
    for env in [
        vec![key[0], key[1], ("AWS_ENDPOINT_URL", "http://[::1]:9000")],
        vec![key[0], key[1], ("AWS_ENDPOINT_URL", "http://minio:9000"), ("AWS_ALLOW_HTTP", "true")],
        // Switching write-once off by a variable does not work; it is ours to set.
        vec![key[0], key[1], ("AWS_CONDITIONAL_PUT", "disabled"), ("AWS_CHECKSUM_ALGORITHM", "nonsense")],
    ] {
        assert!(Vault::open("s3://b", &settings(&env, quick())).is_ok(), "{env:?}");
    }
    // No instance server: an answer in a moment, not in ten seconds.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let metadata = format!("http://{closed}");
    let vault = Vault::open("s3://b", &settings(&[("AWS_METADATA_ENDPOINT", &metadata)], quick())).unwrap();
    let began = std::time::Instant::now();
    let error = vault.get(&address("x"), None).unwrap_err();
    assert_eq!(variant(&error), "Credentials", "{error}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // Nobody listens.
    let env = [key[0], key[1], ("AWS_ENDPOINT_URL", metadata.as_str())];
    let error = Vault::open("s3://b", &settings(&env, quick())).unwrap().get(&address("x"), None).unwrap_err();
    assert_eq!(variant(&error), "Unreachable", "{error}");
    assert!(error.to_string().contains("3 tries"), "{error}");
}

#[test]
fn listing_survives_a_hiccup_and_a_big_folder_is_not_loaded_to_find_one() {
    let fake = FakeS3::start();
    let vault = fake_vault(&fake);
    for name in ["a", "b", "c", "d", "e"] {
        vault.put_once(&address(name), b"{}", &tags(), None).unwrap();
    }
    fake.state.lock().unwrap().faults = vec![("GET", 2, Fault::Before(503, "SlowDown"))];
    assert_eq!(vault.list("evidence/").unwrap().len(), 5);
    let before = fake.count("GET");
    let _ = vault.list_each("evidence/", None, Some(1), &mut |_| std::ops::ControlFlow::Break(())).unwrap();
    assert_eq!(fake.count("GET"), before + 1);
    assert_eq!(fake.state.lock().unwrap().requests.last().unwrap().query["max-keys"], "1");
    // A store that does not know start-after.
    fake.state.lock().unwrap().faults = vec![("GET", 1, Fault::IgnoreCondition)];
    let all = vault.list("evidence/").unwrap();
    fake.state.lock().unwrap().faults = vec![("GET", 1, Fault::IgnoreCondition)];
    let mut rest = Vec::new();
    let _ = vault
        .list_each("evidence/", Some(&all[1].address), None, &mut |found| {
            rest.push(found);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(rest, all[2..]);
    for (fault, want) in [
        (Fault::Before(403, "AccessDenied"), "Denied"),
        (Fault::Before(404, "NoSuchBucket"), "NoBucket"),
        (Fault::Before(500, "InternalError"), "Unreachable"),
        (Fault::Truncate, "Unreachable"),
    ] {
        fake.state.lock().unwrap().faults = vec![("GET", 99, fault)];
        assert_eq!(variant(&vault.list("evidence/").unwrap_err()), want);
    }
}

// ---------------------------------------------------------------- doctor

pub(super) fn check<'a>(checks: &'a [Check], name: &str) -> &'a Check {
    checks.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("{name} in {checks:?}"))
}

fn ask(locks_each: bool) -> Ask {
    // The fake's clock stands at this second.
    ask_at(DateTime::from_timestamp(1_795_000_000, 0).unwrap(), locks_each)
}

pub(super) fn ask_at(now: DateTime<chrono::Utc>, locks_each: bool) -> Ask {
    Ask { now, least: Period::Months(13).after(now).unwrap() - now, locks_each }
}

use chrono::DateTime;

const VERSIONED: &str = "<VersioningConfiguration xmlns=\"x\"><Status>Enabled</Status></VersioningConfiguration>";
const LOCKED: &str = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>\
    <Mode>COMPLIANCE</Mode><Days>400</Days></DefaultRetention></Rule></ObjectLockConfiguration>";
const DENIED: &str = "<Error><Code>AccessDenied</Code></Error>";

#[test]
fn doctor_answers_each_question_and_says_what_to_do() {
    use Status::{Fail, Ok, Unknown, Warn};
    let no_rules = ("lifecycle", 404, "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>");
    let soon = "<LifecycleConfiguration>\
        <Rule><ID>fine</ID><Status>Enabled</Status><Filter><Prefix>some/</Prefix></Filter><Expiration><Days>500</Days></Expiration></Rule>\
        <Rule><ID>off</ID><Status>Disabled</Status><Prefix></Prefix><Expiration><Days>1</Days></Expiration></Rule>\
        <Rule><ID>elsewhere</ID><Status>Enabled</Status><Prefix>logs/</Prefix><Expiration><Days>1</Days></Expiration></Rule>\
        <Rule><ID>tmp</ID><Status>Enabled</Status><Filter/><NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration></Rule>\
        <Rule><ID>late</ID><Status>Enabled</Status><Expiration><Date>2027-01-01T00:00:00Z</Date></Expiration></Rule>\
        </LifecycleConfiguration>";
    type Document = (&'static str, u16, &'static str);
    type Row = (Document, Document, Document, bool, [(&'static str, Status); 4]);
    let rows: &[Row] = &[
        (
            ("versioning", 200, VERSIONED),
            ("object-lock", 200, LOCKED),
            no_rules,
            false,
            [("versioning", Ok), ("object lock", Ok), ("default retention", Ok), ("lifecycle", Ok)],
        ),
        (
            ("versioning", 200, "<VersioningConfiguration/>"),
            ("object-lock", 404, "<Error><Code>ObjectLockConfigurationNotFoundError</Code></Error>"),
            ("lifecycle", 200, soon),
            false,
            [("versioning", Fail), ("object lock", Fail), ("lifecycle", Fail), ("clock", Ok)],
        ),
        (
            ("versioning", 403, DENIED),
            ("object-lock", 403, DENIED),
            ("lifecycle", 403, DENIED),
            false,
            [("versioning", Unknown), ("object lock", Unknown), ("lifecycle", Unknown), ("bucket", Unknown)],
        ),
        (
            ("versioning", 200, VERSIONED),
            (
                "object-lock",
                200,
                "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
            ),
            ("lifecycle", 500, "not xml <"),
            true,
            [("object lock", Ok), ("default retention", Warn), ("lifecycle", Unknown), ("write-once", Ok)],
        ),
        (
            ("versioning", 200, "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"),
            (
                "object-lock",
                200,
                "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>\
                <Mode>GOVERNANCE</Mode><Years>1</Years></DefaultRetention></Rule></ObjectLockConfiguration>",
            ),
            no_rules,
            false,
            [("versioning", Fail), ("object lock", Ok), ("default retention", Fail), ("lifecycle", Ok)],
        ),
    ];
    for (versioning, lock, lifecycle, each, want) in rows {
        let fake = FakeS3::start();
        fake.state.lock().unwrap().documents = vec![*versioning, *lock, *lifecycle];
        let checks = fake_vault(&fake).checks(&ask(*each));
        for (name, status) in want {
            assert_eq!(check(&checks, name).status, *status, "{checks:#?}");
        }
        for c in &checks {
            assert_eq!(c.todo.is_none(), c.status == Ok, "{c:?}");
        }
        if lifecycle.2 == soon {
            assert!(check(&checks, "lifecycle").found.ends_with(": tmp, late"), "{checks:#?}");
        }
    }
}

#[test]
fn the_probe_finds_a_store_that_overwrites_and_leaves_one_object_on_one_that_does_not() {
    let fake = FakeS3::start();
    let vault = fake_vault(&fake);
    for _ in 0..3 {
        assert_eq!(check(&vault.checks(&ask(true)), "write-once").status, Status::Ok);
    }
    assert_eq!(fake.versions(), 1);
    fake.state.lock().unwrap().faults = vec![("PUT", 99, Fault::IgnoreCondition)];
    assert_eq!(check(&vault.checks(&ask(true)), "write-once").status, Status::Fail);
    for (fault, want) in [
        (Fault::Before(403, "AccessDenied"), Status::Unknown),
        (Fault::Before(503, "SlowDown"), Status::Unknown),
        (Fault::Before(404, "NoSuchBucket"), Status::Fail),
    ] {
        fake.state.lock().unwrap().faults = vec![("PUT", 99, fault)];
        assert_eq!(check(&vault.checks(&ask(true)), "write-once").status, want, "{fault:?}");
    }
}

#[test]
fn doctor_knows_the_hour_and_an_absent_bucket() {
    let fake = FakeS3::start();
    let vault = fake_vault(&fake);
    for (seconds, want) in [(0, Status::Ok), (-30, Status::Ok), (100, Status::Warn), (-1000, Status::Fail)] {
        let ask = Ask { now: ask(true).now + chrono::TimeDelta::seconds(seconds), ..ask(true) };
        assert_eq!(check(&vault.checks(&ask), "clock").status, want, "{seconds}");
    }
    let endpoint = format!("http://{}", fake.address);
    let env = [("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let checks = Vault::open("s3://nowhere", &settings(&env, quick())).unwrap().checks(&ask(true));
    assert_eq!(check(&checks, "bucket").status, Status::Fail);
    let env =
        [("AWS_ENDPOINT_URL", "http://127.0.0.1:9"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let checks = Vault::open("s3://vault", &settings(&env, quick())).unwrap().checks(&ask(true));
    assert_eq!((checks.len(), checks[0].status), (1, Status::Fail));
}

#[test]
fn doctor_of_a_folder_says_that_it_is_no_worm() {
    let folder = tempfile::tempdir().unwrap();
    let vault = local_vault(folder.path());
    for _ in 0..2 {
        let checks = vault.checks(&ask(false));
        assert_eq!(check(&checks, "write-once").status, Status::Ok);
        assert!(check(&checks, "object lock").found.contains("tamper-evident, not WORM"));
    }
    let nowhere = local_vault(&folder.path().join("new"));
    assert_eq!(check(&nowhere.checks(&ask(false)), "folder").status, Status::Unknown);
    assert!(!folder.path().join("new").exists());
}
