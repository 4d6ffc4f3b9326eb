//! Which record is the previous deployment, and what keeps it from being found.

use super::*;
use crate::ledger::address_of;
use crate::ledger::written::vault;
use crate::record::RunRecord;
use crate::record::digest::DigestSet;
use crate::seal::key::PrivateKey;
use crate::seal::signer::Signer;
use crate::seal::statement::{Subject, statement};
use crate::vault::fake_s3::{FakeS3, Fault};
use crate::vault::{Patience, Settings};
use serde_json::{Value, json};

const SHA: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b";

struct Shelf {
    dir: tempfile::TempDir,
}

impl Shelf {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// Puts a record of run `id`, made on `on`, bent by `bend`; answers with its place.
    fn put(&self, id: &str, on: &str, bend: impl FnOnce(&mut Value)) -> String {
        self.put_by(1, id, on, bend)
    }

    fn put_by(&self, seed: u8, id: &str, on: &str, bend: impl FnOnce(&mut Value)) -> String {
        let mut value = json!({
            "schemaVersion": "1.0.0", "recordId": uuid::Uuid::nil(), "recordedOn": on, "environment": "prod",
            "run": {"platform": "github", "id": id, "attempt": 1, "outcome": "succeeded"},
            "repository": {"name": "acme/shop", "id": "81"},
            "commit": {"sha": SHA},
            "tool": {"name": "vouchsafe", "version": "0.0.0"}, "completeness": [], "provenance": [],
        });
        bend(&mut value);
        let record: RunRecord = serde_json::from_value(value).unwrap();
        let subject = Subject {
            name: "a".into(),
            uri: None,
            digest: DigestSet::sha256(crate::record::digest::Sha256Digest::of(b"a")),
        };
        let record = Record::from(record);
        let text = statement(&[subject], &record.head().kind.predicate_type(), &record).unwrap();
        let address = address_of(&record);
        let file = self.dir.path().join(address.as_str());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, crate::seal::seal(&text, &signer(seed)).unwrap()).unwrap();
        address.as_str().to_owned()
    }

    fn look(&self, component: Option<&str>) -> Sought {
        look(&vault(self.dir.path()), component)
    }
}

fn look(vault: &Vault, component: Option<&str>) -> Sought {
    sought(vault, component).unwrap()
}

fn sought(vault: &Vault, component: Option<&str>) -> Result<Sought, VaultError> {
    let trust = TrustSet::of(signer(1).public_key());
    let run = Run { platform: "github".into(), id: "500".into(), attempt: 2, ..Run::default() };
    let repository = Repository { name: Some("acme/shop".into()), id: Some("81".into()), ..Repository::default() };
    let recorded_on = "2026-11-23T10:00:00Z".parse().unwrap();
    let before = Before { environment: "prod", component, repository: &repository, run: &run, recorded_on };
    previous(vault, &trust, &before)
}

fn signer(seed: u8) -> Signer {
    Signer::Key(PrivateKey::generate([seed; 32]))
}

fn found(sought: &Sought) -> Option<&str> {
    sought.previous.as_ref().map(|p| p.address.as_str())
}

#[test]
fn the_newest_deployment_of_the_same_thing_counts() {
    let shelf = Shelf::new();
    assert!(found(&shelf.look(None)).is_none(), "an empty folder has none");
    shelf.put("100", "2026-10-01T10:00:00Z", |_| {});
    let want = shelf.put("300", "2026-11-20T09:00:00Z", |_| {});
    // none of these is it, although all are newer
    shelf.put("301", "2026-11-21T09:00:00Z", |v| v["run"]["outcome"] = "failed".into());
    shelf.put("302", "2026-11-21T09:00:01Z", |v| v["run"]["outcome"] = "unknown".into());
    shelf.put("303", "2026-11-21T09:00:02Z", |v| drop(v.as_object_mut().unwrap().remove("commit")));
    shelf.put("304", "2026-11-21T09:00:03Z", |v| v["component"] = "cart".into());
    shelf.put("305", "2026-11-21T09:00:04Z", |v| v["environment"] = "production".into());
    shelf.put("306", "2026-11-21T09:00:05Z", |v| v["repository"] = json!({"name": "acme/shop", "id": "82"}));
    shelf.put("307", "2026-11-21T09:00:06Z", |v| v["repository"] = json!({"name": "acme/other"}));
    shelf.put("308", "2026-11-23T10:00:00Z", |_| {});
    shelf.put("309", "2026-11-24T10:00:00Z", |_| {});
    shelf.put("500", "2026-11-22T09:00:00Z", |_| {});
    let sought = shelf.look(None);
    assert_eq!((found(&sought), &sought.doubt), (Some(want.as_str()), &None));
    let previous = sought.previous.unwrap();
    assert_eq!(previous.commit, SHA);
    let bytes = std::fs::read(shelf.dir.path().join(&previous.address)).unwrap();
    assert_eq!(previous.sha256, crate::record::digest::Sha256Digest::of(&bytes));

    // the same day: by the time of the record, not by the number of the run
    let want = shelf.put("200", "2026-11-20T09:30:00Z", |_| {});
    assert_eq!(found(&shelf.look(None)), Some(want.as_str()));
    // a record that has only the name is about the same repository
    let want = shelf.put("310", "2026-11-22T09:30:00Z", |v| v["repository"] = json!({"name": "Acme/Shop"}));
    assert_eq!(found(&shelf.look(None)), Some(want.as_str()));
    let want = "evidence/env=prod/date=2026-11-21/run=github-304-1/run-cart.json";
    assert_eq!(found(&shelf.look(Some("cart"))), Some(want));
    assert!(found(&shelf.look(Some("till"))).is_none());
}

#[test]
fn an_old_deployment_is_found_up_to_its_limit() {
    let shelf = Shelf::new();
    shelf.put("1", "2025-10-01T10:00:00Z", |_| {});
    assert!(found(&shelf.look(None)).is_none(), "more than 400 days");
    let want = shelf.put("2", "2025-10-25T10:00:00Z", |_| {});
    assert_eq!(found(&shelf.look(None)), Some(want.as_str()));
}

#[test]
fn who_signs_without_being_trusted_hides_nothing_and_is_told() {
    let shelf = Shelf::new();
    let want = shelf.put("300", "2026-11-20T09:00:00Z", |_| {});
    shelf.put_by(2, "400", "2026-11-21T09:00:00Z", |_| {});
    std::fs::write(shelf.dir.path().join("evidence/env=prod/odd.txt"), "no record").unwrap();
    let sought = shelf.look(None);
    assert_eq!(found(&sought), Some(want.as_str()));
    let doubt = sought.doubt.unwrap();
    assert!(doubt.contains("github-400-1") && doubt.contains("untrusted"), "{doubt}");
}

#[test]
fn a_flood_is_opened_up_to_a_bound_and_that_is_told() {
    let shelf = Shelf::new();
    shelf.put("1", "2026-11-19T09:00:00Z", |_| {});
    for n in 0..=MOST {
        shelf.put(&format!("{}", 1000 + n), "2026-11-20T09:00:00Z", |v| v["run"]["outcome"] = "failed".into());
    }
    let sought = shelf.look(None);
    assert!(sought.previous.is_none());
    assert!(sought.doubt.unwrap().contains("only 200 records were opened"));
}

fn bucket(fake: &FakeS3) -> Vault {
    let env = [
        ("AWS_ENDPOINT_URL", format!("http://{}", fake.address)),
        ("AWS_ACCESS_KEY_ID", "x".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "y".to_owned()),
    ];
    let env = env.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    let settings = Settings { env, cwd: std::env::temp_dir(), patience: Patience::default() };
    Vault::open("s3://vault/some/prefix", &settings).unwrap()
}

/// What it costs on the way of every deployment.
#[test]
fn a_bucket_is_asked_seldom() {
    let fake = FakeS3::start();
    let vault = bucket(&fake);
    assert!(look(&vault, None).previous.is_none());
    assert_eq!(vault.requests(), WINDOWS.len(), "nothing was deployed yet: a listing a window");

    let shelf = Shelf::new();
    for n in 28..30 {
        let address = shelf.put(&format!("{}", 100 + n), &format!("2026-10-{:02}T09:00:00Z", n + 1), |_| {});
        let bytes = std::fs::read_to_string(shelf.dir.path().join(&address)).unwrap();
        fake.plant(&format!("some/prefix/{address}"), Some(&bytes));
    }
    let before = vault.requests();
    assert_eq!(found(&look(&vault, None)), Some("evidence/env=prod/date=2026-10-30/run=github-129-1/run.json"));
    assert_eq!(vault.requests() - before, 3, "two listings, and the one record that is it");
}

#[test]
fn a_record_that_cannot_be_read_is_a_doubt() {
    let shelf = Shelf::new();
    let address = shelf.put("300", "2026-11-20T09:00:00Z", |_| {});
    std::fs::write(shelf.dir.path().join(&address), "{").unwrap();
    let sought = shelf.look(None);
    assert!(sought.previous.is_none());
    assert!(sought.doubt.unwrap().contains("run=github-300-1/run.json is invalid"));
}

#[test]
fn a_store_that_may_not_be_listed_is_an_error() {
    let fake = FakeS3::with(&[("GET", 1, Fault::Before(403, "AccessDenied"))]);
    let why = sought(&bucket(&fake), None).unwrap_err().to_string();
    assert!(why.contains("403") || why.contains("AccessDenied"), "{why}");
}
