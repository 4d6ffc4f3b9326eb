//! What listings tell: all of it in order, every version, and what nobody of ours put there.

use super::fake_s3::{FakeS3, Fault};
use super::pages_xml::{self, NoSheet};
use super::tests::{SECRET, fake_vault, local_vault, quick, settings, variant};
use super::*;

/// One line for each thing seen: `name version latest|old|marker size`.
pub(super) fn swept(vault: &Vault, prefix: &str) -> Result<(Vec<String>, Versions), VaultError> {
    let mut lines = Vec::new();
    let done = vault.sweep(prefix, &mut |seen| {
        let name = match &seen.place {
            Place::Address(address) => address.to_string(),
            Place::Odd(name) => format!("odd {}", name.escape_debug()),
        };
        let state = match (seen.marker, seen.latest) {
            (true, true) => "marker",
            (true, false) => "old-marker",
            (false, true) => "latest",
            (false, false) => "old",
        };
        assert!(seen.modified.is_some() || matches!(seen.place, Place::Odd(_)));
        lines.push(format!("{name} {} {state} {}", seen.version.as_deref().unwrap_or("-"), seen.size));
        ControlFlow::Continue(())
    })?;
    Ok((lines, done.versions))
}

const ODD: [&str; 7] = ["a//b", "../x", "tab\there", "e/", "back\\slash", "/lead", "nul\u{1}"];
const GOOD: [&str; 8] = ["a b", "a+b", "a%2Fb", "a%b", "ü/💀", "a&b<c>\"", "~*'()", "a=b/c"];

fn root(name: &str) -> String {
    format!("some/prefix/{name}")
}

fn names(found: &[Found]) -> Vec<&str> {
    found.iter().map(|f| f.address.as_str()).collect()
}

#[test]
fn every_version_is_told_newest_first_with_its_markers() {
    let fake = FakeS3::start();
    let vault = fake_vault(&fake);
    assert_eq!(swept(&vault, "").unwrap(), (vec![], Versions::Listed));
    fake.plant(&root("one"), Some("1"));
    fake.plant(&root("two"), Some("1"));
    fake.plant(&root("two"), Some("22"));
    fake.plant(&root("gone"), Some("1"));
    fake.plant(&root("gone"), None);
    fake.plant(&root("again"), Some("1"));
    fake.plant(&root("again"), None);
    fake.plant(&root("again"), Some("333"));
    fake.plant(&root("two.tags"), Some("sidecar"));
    fake.plant("some/prefixed/other", Some("not ours"));
    fake.plant("some", Some("not ours"));
    let want = ["again v8 latest 3", "again v7 old-marker 0", "again v6 old 1", "gone v5 marker 0", "gone v4 old 1"];
    let want: Vec<_> = want.into_iter().chain(["one v1 latest 1", "two v3 latest 2", "two v2 old 1"]).collect();
    for page in [1, 2, 3, 100] {
        fake.state.lock().unwrap().page = Some(page);
        let before = vault.requests();
        let (lines, versions) = swept(&vault, "").unwrap();
        assert_eq!((lines, versions), (want.iter().map(|s| (*s).to_owned()).collect(), Versions::Listed), "{page}");
        assert_eq!(vault.requests() - before, 9usize.div_ceil(page), "{page}");
    }
    assert_eq!(swept(&vault, "t").unwrap().0, ["two v3 latest 2", "two v2 old 1"]);
    // A version that was told can be read; what a read without one finds is the latest.
    let again = Address::parse("again").unwrap();
    assert_eq!(vault.get(&again, Some("v6")).unwrap(), b"1");
    assert_eq!(vault.get(&again, None).unwrap(), b"333");
    // Neither listing shows what lies under a marker; and `each` may ask for more, and stop.
    assert_eq!(names(&vault.list("").unwrap()), ["again", "one", "two"]);
    let mut seen = 0;
    let done = vault.sweep("", &mut |it| {
        seen += 1;
        let Place::Address(address) = &it.place else { panic!("{it:?}") };
        assert!(vault.get(address, it.version.as_deref()).is_ok() != it.marker);
        if seen == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((seen, done.unwrap().versions), (4, Versions::Listed));
}

#[test]
fn what_has_no_address_is_told_and_blocks_nothing() {
    let fake = FakeS3::start();
    for unsorted in [false, true] {
        fake.state.lock().unwrap().unsorted = unsorted;
        let vault = fake_vault(&fake);
        for name in ODD.into_iter().chain(GOOD) {
            if !unsorted {
                fake.plant(&root(name), Some("1"));
            }
        }
        let (mut lines, versions) = swept(&vault, "").unwrap();
        assert_eq!(versions, Versions::Listed);
        let mut want: Vec<_> = ODD.iter().map(|name| format!("odd {}", name.escape_debug())).collect();
        want.extend(GOOD.iter().map(|name| (*name).to_owned()));
        for line in &mut lines {
            *line = line.rsplitn(4, ' ').last().unwrap().to_owned();
        }
        lines.sort();
        want.sort();
        assert_eq!(lines, want);
        // A listing gives them back, the simple one refuses: it has no way to tell.
        let mut found = Vec::new();
        let strangers = vault.list_each("", None, None, &mut |it| {
            found.push(it.address.to_string());
            ControlFlow::Continue(())
        });
        let strangers = strangers.unwrap();
        assert_eq!((strangers.count, found.len()), (ODD.len(), GOOD.len()));
        assert!(strangers.names.contains(&"tab\\there".to_owned()), "{strangers:?}");
        let e = vault.list("").unwrap_err().to_string();
        assert!(e.contains("7 of the names there are no addresses in a vault, the first is `"), "{e}");
        assert_eq!(vault.list("a=b/").unwrap().len(), 1);
        for name in GOOD {
            assert_eq!(vault.get(&Address::parse(name).unwrap(), None).unwrap(), b"1", "{name}");
            assert_eq!(names(&vault.list(name).unwrap()), [name]);
        }
    }
}

#[test]
fn where_versions_cannot_be_seen_it_is_said_and_current_objects_are_told() {
    let html = "<html><body>Welcome</body></html>";
    let plain = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    let lost =
        "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker></NextKeyMarker></ListVersionsResult>";
    let lost = &lost.replace("<NextKeyMarker></NextKeyMarker>", "");
    let denied = "<Error><Code>AccessDenied</Code><Message>told</Message></Error>";
    let fake = FakeS3::start();
    let vault = fake_vault(&fake);
    for name in ["a", "b", "x//y", "c", "d"] {
        fake.plant(&root(name), Some("1"));
        fake.plant(&root(name), Some("22"));
    }
    fake.plant(&root("gone"), None);
    for (status, body, want) in [
        (403, denied, "403 AccessDenied: told; grant s3:ListBucketVersions"),
        (501, "<Error><Code>NotImplemented</Code></Error>", "501 NotImplemented"),
        (400, "<Error><Code>InvalidArgument</Code></Error>", "400 InvalidArgument"),
        (405, "", "405"),
        (404, "", "404"),
        (200, html, "the store answered with html and not with versions"),
        (200, plain, "the store answered with ListBucketResult and not with versions"),
        (200, "", "the store answered with nothing and not with versions"),
        (200, lost.as_str(), "does not say where it goes on"),
    ] {
        let body: &'static str = String::from(body).leak();
        fake.state.lock().unwrap().documents = vec![("versions", status, body)];
        let (lines, versions) = swept(&vault, "").unwrap();
        let want_lines = ["a - latest 2", "b - latest 2", "c - latest 2", "d - latest 2", "odd x//y - latest 2"];
        assert_eq!(lines, want_lines, "{status} {body}");
        match versions {
            Versions::Unseen(why) => assert!(why.contains(want), "{why}"),
            other => panic!("{status} {body}: {other:?}"),
        }
    }
    // What is no answer to that question is an error.
    let cut = "<ListVersionsResult><IsTruncated>false</IsTruncated><Version><Key>a</Key>";
    for (status, body, want) in [
        (404, "<Error><Code>NoSuchBucket</Code></Error>", "NoBucket"),
        (503, "<Error><Code>SlowDown</Code></Error>", "Unreachable"),
        (200, cut, "Unreachable"),
    ] {
        fake.state.lock().unwrap().documents = vec![("versions", status, body)];
        assert_eq!(variant(&swept(&vault, "").unwrap_err()), want, "{status} {body}");
    }
    // Neither may be listed; the keys are wrong.
    for (code, want) in [("AccessDenied", "s3:ListBucket"), ("InvalidAccessKeyId", "AWS_SECRET_ACCESS_KEY")] {
        let fake = FakeS3::with(&[("GET", 99, Fault::Before(403, code))]);
        let e = swept(&fake_vault(&fake), "").unwrap_err();
        assert_eq!(variant(&e), "Denied", "{e}");
        assert!(e.to_string().contains(want) && !e.to_string().contains(SECRET), "{e}");
    }
}

#[test]
fn a_refusal_half_way_through_is_an_error_and_a_hiccup_is_not() {
    let fake = FakeS3::start();
    let vault = fake_vault(&fake);
    for n in 0..10 {
        fake.plant(&root(&n.to_string()), Some("1"));
    }
    for (fault, want) in [
        (Fault::Before(403, "AccessDenied"), Some("Denied")),
        (Fault::Before(500, "InternalError"), Some("Unreachable")),
        (Fault::Truncate, Some("Unreachable")),
        (Fault::Garbage, Some("Unreachable")),
        (Fault::Slow, None),
    ] {
        let mut seen = 0;
        let done = vault.sweep("", &mut |_| {
            seen += 1;
            if seen == 3 {
                // The first page is told.
                fake.state.lock().unwrap().faults = vec![("GET", 99, fault)];
            }
            ControlFlow::Continue(())
        });
        match want {
            Some(want) => assert_eq!((variant(&done.unwrap_err()).as_str(), seen), (want, 3)),
            None => assert_eq!((done.unwrap().versions, seen), (Versions::Listed, 10)),
        }
        fake.state.lock().unwrap().faults.clear();
    }
    fake.state.lock().unwrap().faults = vec![("GET", 2, Fault::Before(503, "SlowDown"))];
    assert_eq!(swept(&vault, "").unwrap().0.len(), 10);
}

#[test]
fn a_listing_that_goes_in_a_circle_ends_in_an_error() {
    let fake = FakeS3::start();
    let vault = fake_vault(&fake);
    let again =
        "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker></ListVersionsResult>";
    let more = "<ListBucketResult><NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
    let lost = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
    fake.state.lock().unwrap().documents = vec![("versions", 200, again), ("list-type", 200, more)];
    for e in [swept(&vault, "").unwrap_err(), vault.list("").unwrap_err(), vault.first("l/", 1).unwrap_err()] {
        assert!(e.to_string().contains("comes back to a page that it gave before"), "{e}");
    }
    assert_eq!(vault.requests(), 6);
    fake.state.lock().unwrap().documents = vec![("list-type", 200, lost)];
    let e = vault.list("").unwrap_err().to_string();
    assert!(e.contains("does not say where it goes on"), "{e}");
}

#[test]
fn a_bucket_without_versions_and_a_folder_keep_none() {
    let fake = FakeS3::start();
    fake.state.lock().unwrap().unversioned = true;
    fake.plant(&root("a"), Some("1"));
    assert_eq!(swept(&fake_vault(&fake), "").unwrap(), (vec!["a null latest 1".into()], Versions::NotKept));

    let folder = tempfile::tempdir().unwrap();
    let vault = local_vault(&folder.path().join("vault"));
    assert_eq!(variant(&swept(&vault, "").unwrap_err()), "NotFound");
    let base = folder.path().join("vault");
    std::fs::create_dir_all(base.join("ledger/env=p")).unwrap();
    for name in ["ledger/env=p/2", "ledger/env=p/1", "ledger/env=p/1.tags", "ledger/env=p/3#1", "x.json"] {
        std::fs::write(base.join(name), "22").unwrap();
    }
    let want = ["ledger/env=p/1 - latest 2", "ledger/env=p/2 - latest 2", "x.json - latest 2"];
    assert_eq!(swept(&vault, "").unwrap(), (want.map(String::from).to_vec(), Versions::NotKept));
    assert_eq!(swept(&vault, "ledger/").unwrap().0, want[..2]);
    assert_eq!(swept(&vault, "ledger/env=nowhere/").unwrap().0.len(), 0);
}

#[cfg(unix)]
#[test]
fn odd_things_in_a_folder_are_told_and_block_nothing() {
    use std::os::unix::{ffi::OsStrExt as _, fs::symlink};
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    let vault = local_vault(&base);
    std::fs::create_dir_all(base.join("e/run")).unwrap();
    std::fs::write(base.join("e/run/x.json"), "{}").unwrap();
    symlink(&base, base.join("e/circle")).unwrap();
    symlink("itself", base.join("e/itself")).unwrap();
    symlink("nowhere", base.join("e/broken")).unwrap();
    symlink("run/x.json", base.join("e/link")).unwrap();
    std::fs::write(base.join("e/a\\b"), "1").unwrap();
    std::fs::write(base.join("e/new\nline"), "1").unwrap();
    std::fs::write(base.join("e").join(std::ffi::OsStr::from_bytes(b"\xff\xfe.json")), "1").unwrap();
    assert!(std::process::Command::new("mkfifo").arg(base.join("e/pipe")).status().unwrap().success());
    let deep = "d/".repeat(40);
    std::fs::create_dir_all(base.join(&deep)).unwrap();
    std::fs::write(base.join(&deep).join("x"), "1").unwrap();
    let want = [
        format!("odd {} - latest 0", "d/".repeat(32).trim_end_matches('/')),
        "odd e/a\\\\b - latest 1".into(),
        "odd e/broken - latest 0".into(),
        "odd e/circle - latest 0".into(),
        "odd e/itself - latest 0".into(),
        "e/link - latest 2".into(),
        "odd e/new\\nline - latest 1".into(),
        "odd e/pipe - latest 0".into(),
        "e/run/x.json - latest 2".into(),
        "odd e/%FF%FE.json - latest 1".into(),
    ];
    let (mut lines, _) = swept(&vault, "").unwrap();
    let mut sorted = want.to_vec();
    lines.sort();
    sorted.sort();
    assert_eq!(lines, sorted);
    assert_eq!(swept(&vault, "e/run/").unwrap().0, ["e/run/x.json - latest 2"]);
    assert_eq!(swept(&vault, "e/circle/e/").unwrap().0, ["odd e/circle - latest 0"]);
    assert_eq!(names(&vault.list("e/run/").unwrap()), ["e/run/x.json"]);
    let e = vault.list("e/").unwrap_err().to_string();
    assert!(e.contains("7 of the names there are no addresses"), "{e}");
}

#[test]
fn the_first_of_a_folder_or_bucket() {
    let fake = FakeS3::start();
    fake.state.lock().unwrap().page = Some(1000);
    let folder = tempfile::tempdir().unwrap();
    let local = local_vault(&folder.path().join("vault"));
    let bucket = fake_vault(&fake);
    assert_eq!(local.first("ledger/env=p/", 1).unwrap(), []);
    let planted = ["env=p/900", "env=p/899", "env=p/901.tags", "env=p/0/deeper", "env=p/902", "env=p-/1", "env=p/9000"];
    for name in planted.into_iter().chain(["env=p/0\\odd", "env=p/0\u{1}"]) {
        fake.plant(&root(&format!("ledger/{name}")), Some("22"));
        let path = folder.path().join("vault/ledger").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "22").unwrap();
    }
    fake.plant(&root("ledger/env=p/000"), Some("1"));
    fake.plant(&root("ledger/env=p/000"), None);
    std::fs::write(folder.path().join("vault/ledger/env=p/000#1"), "half").unwrap();
    for vault in [&local, &bucket] {
        let first = |prefix: &str, most| vault.first(prefix, most).unwrap();
        assert_eq!(names(&first("ledger/env=p/", 1)), ["ledger/env=p/899"]);
        assert_eq!(first("ledger/env=p/", 1)[0].size, 2);
        let all = ["ledger/env=p/899", "ledger/env=p/900", "ledger/env=p/9000", "ledger/env=p/902"];
        assert_eq!(names(&first("ledger/env=p/", 3)), all[..3]);
        assert_eq!(names(&first("ledger/env=p/", 5000)), all);
        assert_eq!(names(&first("ledger/env=p/90", 1)), ["ledger/env=p/900"]);
        for (prefix, most) in [("ledger/env=p/", 0), ("ledger/env=nowhere/", 1), ("nothing", 1), ("ledger/", 9)] {
            assert_eq!(first(prefix, most), [], "{prefix}");
        }
    }
    assert_eq!(variant(&local.first("a//b", 1).unwrap_err()), "Other");
    assert!(local.first("x.json/", 1).unwrap().is_empty());
    std::fs::write(folder.path().join("vault/x.json"), "").unwrap();
    let e = local.first("x.json/", 1).unwrap_err().to_string();
    assert!(e.contains("a file stands where a folder has to be"), "{e}");
}

#[test]
fn the_first_of_a_bucket_is_one_request_unless_the_bucket_does_not_sort() {
    let fake = FakeS3::start();
    let vault = fake_vault(&fake);
    for n in (100..200).rev() {
        fake.plant(&root(&format!("l/{n}")), Some("1"));
    }
    fake.state.lock().unwrap().page = Some(1000);
    assert_eq!(names(&vault.first("l/", 1).unwrap()), ["l/100"]);
    assert_eq!(vault.first("l/", 100).unwrap().len(), 100);
    assert_eq!(vault.requests(), 2);
    let state = || fake.state.lock().unwrap();
    assert_eq!(state().requests[0].query["max-keys"], "8");
    assert_eq!(state().requests[1].query["max-keys"], "100");
    // Over several pages, because what comes first is not ours.
    for n in 0..20 {
        fake.plant(&root(&format!("l//{n}")), Some("1"));
        fake.plant(&root(&format!("l/0\t{n}")), Some("1"));
    }
    assert_eq!(names(&vault.first("l/", 2).unwrap()), ["l/100", "l/101"]);
    assert_eq!(vault.requests(), 4);
    // The smallest stands on the last page.
    let before = vault.requests();
    (state().unsorted, state().page) = (true, Some(7));
    assert_eq!(names(&vault.first("l/", 2).unwrap()), ["l/100", "l/101"]);
    println!("unsorted: {} requests", vault.requests() - before);
    for (fault, want) in [
        (Fault::Before(403, "AccessDenied"), "Denied"),
        (Fault::Before(404, "NoSuchBucket"), "NoBucket"),
        (Fault::Before(500, "InternalError"), "Unreachable"),
    ] {
        state().faults = vec![("GET", 99, fault)];
        assert_eq!(variant(&vault.first("l/", 1).unwrap_err()), want);
    }
}

#[test]
fn a_public_bucket_is_listed_without_a_signature() {
    let fake = FakeS3::start();
    fake.state.lock().unwrap().public = true;
    fake.plant("a b+c", Some("1"));
    let endpoint = format!("http://{}", fake.address);
    let env = [("AWS_ENDPOINT_URL", endpoint.as_str()), ("AWS_SKIP_SIGNATURE", "true")];
    let vault = Vault::open("s3://vault", &settings(&env, quick())).unwrap();
    assert_eq!(names(&vault.list("a b+").unwrap()), ["a b+c"]);
    assert_eq!(swept(&vault, "a b").unwrap().0, ["a b+c v1 latest 1"]);
    for request in &fake.state.lock().unwrap().requests {
        assert!(!request.query.keys().any(|name| name.starts_with("X-Amz")), "{request:?}");
        assert!(!request.headers.contains_key("authorization"));
    }
}

#[test]
fn pages_as_stores_write_them() {
    let read = |body: &str| pages_xml::read(body.as_bytes(), "ListVersionsResult");
    let page = |rows: &str| format!("<?xml version=\"1.0\"?><ListVersionsResult>{rows}</ListVersionsResult>");
    // Not encoded, with entities, a namespace, and nested elements of the same names.
    let sheet = read(
        "<s3:ListVersionsResult xmlns:s3=\"x\"><s3:IsTruncated>true</s3:IsTruncated>\
         <s3:Version><s3:Key>a+b &amp; %41 &#228;<![CDATA[<]]></s3:Key><s3:Owner><s3:Key>no</s3:Key></s3:Owner><s3:Size> 5 </s3:Size>\
         <s3:VersionId></s3:VersionId></s3:Version><s3:NextKeyMarker>a+b</s3:NextKeyMarker></s3:ListVersionsResult>",
    );
    let sheet = sheet.unwrap();
    let row = &sheet.rows[0];
    assert_eq!((row.key.as_str(), row.size, &row.version, row.latest), ("a+b & %41 ä<", 5, &None, false));
    assert_eq!((sheet.truncated, sheet.next_key.as_deref()), (Some(true), Some("a+b")));
    // Encoded by AWS or MinIO, by Ceph, and wrongly.
    for (key, want, broken) in [
        ("a+b%2Bc%2F%C3%BC", "a b+c/ü", false),
        ("a%20b%2bc/ü", "a b+c/ü", false),
        ("%FFx%25", "%FFx%", true),
        ("100%", "100%", false),
        ("%+1%zz", "% 1%zz", false),
    ] {
        let body = page(&format!(
            "<Version><Key>{key}</Key><Size>1</Size></Version><EncodingType>url</EncodingType><NextKeyMarker>a%2Bb</NextKeyMarker>"
        ));
        let sheet = read(&body).unwrap();
        assert_eq!((sheet.rows[0].key.as_str(), sheet.rows[0].broken), (want, broken), "{key}");
        assert_eq!(sheet.next_key.as_deref(), Some("a+b"));
    }
    let many = "<DeleteMarker><Key>k</Key></DeleteMarker>".repeat(10_001);
    for (body, other) in [
        ("", true),
        ("hello", true),
        ("{}", true),
        ("<Error/>", true),
        ("<ListBucketResult></ListBucketResult>", true),
        ("<ListVersionsResult>", false),
        ("<ListVersionsResult></Wrong>", false),
        (&page("<Version><Key>k</Key></Version>"), false),
        (&page("<Version><Key>k</Key><Size>-1</Size></Version>"), false),
        (&page("<Version><Size>1</Size></Version>"), false),
        (&page("<Version/>"), false),
        (&page("<Version><Key>&xxe;</Key><Size>1</Size></Version>"), false),
        (&page("<Version><Key>&#xD800;</Key><Size>1</Size></Version>"), false),
        (&page("<EncodingType>url</EncodingType><NextKeyMarker>%FF</NextKeyMarker>"), false),
        (&page(&many), false),
    ] {
        let got = read(body);
        let cut: String = body.chars().take(80).collect();
        assert_eq!(matches!(got, Err(NoSheet::Other(_))), other, "{cut}");
        assert_eq!(matches!(got, Err(NoSheet::Broken(_))), !other, "{cut}");
    }
    assert!(read(&page("")).unwrap().rows.is_empty());
    assert!(read("<ListVersionsResult/>").unwrap().rows.is_empty());
}

proptest::proptest! {
    #[test]
    fn a_page_never_panics_and_a_cut_one_is_never_believed(noise: Vec<u8>, at in 0usize..400) {
        let whole = "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated><Version><Key>a%2Fb</Key>\
                     <VersionId>1</VersionId><IsLatest>true</IsLatest><Size>3</Size></Version></ListVersionsResult>";
        let _ = pages_xml::read(&noise, "ListVersionsResult");
        let cut = &whole.as_bytes()[..at.min(whole.len() - 1)];
        proptest::prop_assert!(pages_xml::read(cut, "ListVersionsResult").is_err());
        let mixed = [cut, noise.as_slice()].concat();
        let _ = pages_xml::read(&mixed, "ListVersionsResult");
    }
}
