//! Is this vault fit for evidence? One line a question, each with what to do. What cannot be known is said to be unknown.

use super::document::{rules, text_at};
use super::lock::Mode;
use super::trouble::Trouble;
use super::{Vault, VaultError};
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use object_store::path::Path;

/// Where write-once is tried out. Fixed content, so that a correct store holds it once for ever.
const PROBE: &str = "_probe/conditional-put.json";
const PROBE_BYTES: &[u8] = b"{\"what\":\"vouchsafe doctor puts this twice; a write-once store refuses the second\"}\n";

/// What the caller knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// Now, by this machine's clock.
    pub now: DateTime<Utc>,
    /// How long a record has to be kept.
    pub least: TimeDelta,
    /// Whether every put will ask for its own lock, so that the bucket need not have a default.
    pub locks_each: bool,
}

/// How a question was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// As it should be.
    Ok,
    /// Good enough, could be better.
    Warn,
    /// Not fit.
    Fail,
    /// Could not be learned: not granted, or not answered.
    Unknown,
}

/// One question, answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// The answer.
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub todo: Option<String>,
}

impl Check {
    fn new(name: &'static str, status: Status, found: impl Into<String>, todo: &str) -> Self {
        Self { name, status, found: found.into(), todo: (!todo.is_empty()).then(|| todo.to_owned()) }
    }
}

/// The checks of a bucket.
pub(super) fn s3(vault: &Vault, ask: &Ask) -> Vec<Check> {
    vault.runtime.block_on(async {
        let bucket = Path::default();
        let versioning = match vault.document(&bucket, &[("versioning", "")]).await {
            Ok(answer) => answer,
            Err(e) => {
                let todo = "check the endpoint, AWS_REGION, the credentials and the network";
                return vec![Check::new("reachable", Status::Fail, e.to_string(), todo)];
            }
        };
        let (status, headers, body) = &versioning;
        let mut checks = vec![Check::new("reachable", Status::Ok, format!("{} answers", vault.location()), "")];
        checks.push(clock(headers, ask.now));
        if *status == 404 && text_at(body, "Error/Code").as_deref() == Some("NoSuchBucket") {
            let todo = "create it with versioning and object lock, or correct the URL";
            checks.push(Check::new("bucket", Status::Fail, "there is no such bucket", todo));
            return checks;
        }
        let code = text_at(body, "Error/Code").unwrap_or_default();
        if let Some(help) = super::trouble::advice(&code) {
            checks.push(Check::new("credentials", Status::Fail, short(&code), help));
            return checks;
        }
        checks.push(match status {
            200 => Check::new("bucket", Status::Ok, "it exists", ""),
            _ => unknown("bucket", *status, body, "s3:GetBucketVersioning"),
        });
        checks.push(versions(*status, body));
        match vault.document(&bucket, &[("object-lock", "")]).await {
            Ok((status, _, body)) => checks.extend(object_lock(status, &body, ask)),
            Err(e) => checks.push(Check::new("object lock", Status::Unknown, e.to_string(), "try again")),
        }
        match vault.document(&bucket, &[("lifecycle", "")]).await {
            Ok((status, _, body)) => checks.push(lifecycle(status, &body, vault.opened.root.as_ref(), ask)),
            Err(e) => checks.push(Check::new("lifecycle", Status::Unknown, e.to_string(), "try again")),
        }
        checks.push(probe(vault).await);
        checks
    })
}

/// The checks of a folder.
pub(super) fn local(vault: &Vault, _: &Ask) -> Vec<Check> {
    let mut checks = Vec::new();
    let folder = vault.opened.folder.as_deref().filter(|f| f.is_dir());
    if folder.is_some() {
        checks.push(Check::new("folder", Status::Ok, format!("{} is there", vault.location()), ""));
        checks.push(vault.runtime.block_on(probe(vault)));
    } else {
        let found = format!("{} is not there yet; the first record makes it", vault.location());
        checks.push(Check::new("folder", Status::Unknown, found, "make the folder, or attest once, then ask again"));
    }
    let found = "a folder is tamper-evident, not WORM: who owns the disk can remove a record";
    checks.push(Check::new("object lock", Status::Warn, found, "for WORM use a bucket with object lock (s3://…)"));
    checks
}

/// Puts the same thing twice. Nothing passive shows this: Ceph with versioning passes every other check and still lets
/// the second one through.
async fn probe(vault: &Vault) -> Check {
    const NAME: &str = "write-once";
    let place = match vault.place(PROBE) {
        Ok(place) => place,
        Err(e) => return Check::new(NAME, Status::Unknown, e.to_string(), ""),
    };
    let doing = "put the probe";
    let mut tries = vault.tries();
    let mut made = 0;
    loop {
        let why = match vault.create(&place, PROBE_BYTES, None, None, doing).await {
            Err(Trouble::Exists) => {
                return Check::new(NAME, Status::Ok, "a second put of the same address is refused", "");
            }
            Ok(_) if made == 0 => {
                made = 1;
                continue;
            }
            Ok(_) => {
                let todo = "do not use it for evidence: a record could be replaced in silence";
                return Check::new(NAME, Status::Fail, "the store accepted a second put of the same address", todo);
            }
            Err(Trouble::Firm(e @ VaultError::Denied { .. })) => {
                return Check::new(
                    NAME,
                    Status::Unknown,
                    e.to_string(),
                    "grant s3:PutObject on _probe/*, or ask who may write",
                );
            }
            Err(Trouble::Firm(e)) => {
                return Check::new(NAME, Status::Fail, e.to_string(), "nothing can be stored like this");
            }
            Err(Trouble::Unclear(why) | Trouble::Busy(why)) => why,
            Err(Trouble::Missing) => "the store answered 404".to_owned(),
        };
        if !tries.again().await {
            return Check::new(NAME, Status::Unknown, why, "try again");
        }
    }
}

/// S3 refuses a request whose time is 15 minutes off; retention is counted from the store's clock.
fn clock(headers: &HeaderMap, now: DateTime<Utc>) -> Check {
    let date = headers.get("date").and_then(|v| v.to_str().ok()).and_then(|v| DateTime::parse_from_rfc2822(v).ok());
    let Some(theirs) = date else {
        return Check::new("clock", Status::Unknown, "the store does not tell its time", "");
    };
    let off = (now - theirs.with_timezone(&Utc)).num_seconds();
    let todo = "set the clock of this machine (NTP)";
    match off.abs() {
        0..=60 => Check::new("clock", Status::Ok, format!("{off} s from the store's"), ""),
        61..=300 => Check::new("clock", Status::Warn, format!("{off} s from the store's"), todo),
        _ => Check::new("clock", Status::Fail, format!("{off} s from the store's"), todo),
    }
}

fn versions(status: u16, body: &[u8]) -> Check {
    let todo = "switch versioning on; object lock needs it";
    if status != 200 {
        return unknown("versioning", status, body, "s3:GetBucketVersioning");
    }
    match text_at(body, "VersioningConfiguration/Status").as_deref() {
        Some("Enabled") => Check::new("versioning", Status::Ok, "enabled", ""),
        Some(other) => Check::new("versioning", Status::Fail, short(other), todo),
        None => Check::new("versioning", Status::Fail, "never switched on", todo),
    }
}

fn object_lock(status: u16, body: &[u8], ask: &Ask) -> Vec<Check> {
    let (name, rule) = ("object lock", "default retention");
    let todo = "create a new bucket with object lock enabled; on AWS it can also be switched on later";
    let code = text_at(body, "Error/Code").unwrap_or_default();
    match status {
        200 => {}
        404 | 400 if code.contains("ObjectLock") || code == "InvalidRequest" => {
            return vec![Check::new(name, Status::Fail, "not enabled: anybody with the right to delete can", todo)];
        }
        501 | 405 => {
            return vec![Check::new(name, Status::Fail, "the store knows no object lock", "use another store")];
        }
        _ => return vec![unknown(name, status, body, "s3:GetBucketObjectLockConfiguration")],
    }
    if text_at(body, "ObjectLockConfiguration/ObjectLockEnabled").as_deref() != Some("Enabled") {
        return vec![Check::new(name, Status::Fail, "not enabled: anybody with the right to delete can", todo)];
    }
    let enabled = Check::new(name, Status::Ok, "enabled", "");
    let at = |leaf: &str| text_at(body, &format!("ObjectLockConfiguration/Rule/DefaultRetention/{leaf}"));
    let number = |leaf: &str| at(leaf).and_then(|n| n.trim().parse::<i64>().ok());
    // A year by the calendar is at least 365 days.
    let days = number("Days").or_else(|| number("Years").and_then(|y| y.checked_mul(365)));
    let advice = format!("set a default of at least {} days in compliance mode", ask.least.num_days());
    let default = match (at("Mode").as_deref().and_then(Mode::parse), days) {
        (Some(mode), Some(days)) if days < ask.least.num_days() || mode < Mode::Compliance => {
            let status = if ask.locks_each { Status::Warn } else { Status::Fail };
            Check::new(rule, status, format!("{} for {days} days", mode.as_str()), &advice)
        }
        (Some(mode), Some(days)) => Check::new(rule, Status::Ok, format!("{} for {days} days", mode.as_str()), ""),
        _ if ask.locks_each => Check::new(rule, Status::Warn, "none; each record brings its own lock", &advice),
        _ => Check::new(rule, Status::Fail, "none, and records are put without a lock", &advice),
    };
    vec![enabled, default]
}

/// A rule that expires objects makes delete markers even over a lock: the records would be out of sight.
fn lifecycle(status: u16, body: &[u8], root: &str, ask: &Ask) -> Check {
    const NAME: &str = "lifecycle";
    let code = text_at(body, "Error/Code").unwrap_or_default();
    match status {
        200 => {}
        404 if code.is_empty() || code == "NoSuchLifecycleConfiguration" => {
            return Check::new(NAME, Status::Ok, "no rules", "");
        }
        _ => return unknown(NAME, status, body, "s3:GetLifecycleConfiguration"),
    }
    let mut bad = Vec::new();
    for rule in rules(body) {
        let at = |path: &str| rule.iter().find(|(p, _)| p == path).map(|(_, text)| text.as_str());
        if at("Status").is_some_and(|s| s != "Enabled") {
            continue;
        }
        let prefix = ["Filter/Prefix", "Filter/And/Prefix", "Prefix"].into_iter().find_map(at).unwrap_or_default();
        if !root.starts_with(prefix) && !prefix.starts_with(root) {
            continue;
        }
        let days = |path| at(path).and_then(|n| n.trim().parse::<i64>().ok());
        let date = at("Expiration/Date").and_then(super::lock::parse_time);
        let soon = ["Expiration/Days", "NoncurrentVersionExpiration/NoncurrentDays"];
        let soon = soon.into_iter().filter_map(days).any(|d| d < ask.least.num_days());
        if soon || date.is_some_and(|d| d < ask.now + ask.least) {
            bad.push(short(at("ID").unwrap_or("(without a name)")));
        }
    }
    if bad.is_empty() {
        return Check::new(
            NAME,
            Status::Ok,
            format!("no rule expires records before {} days", ask.least.num_days()),
            "",
        );
    }
    let todo = "remove the rule or keep it off the vault's prefix: it hides records behind delete markers, lock or not";
    Check::new(NAME, Status::Fail, format!("these rules expire records too soon: {}", bad.join(", ")), todo)
}

/// 403 says nothing about the bucket, only about us.
fn unknown(name: &'static str, status: u16, body: &[u8], right: &str) -> Check {
    let code = text_at(body, "Error/Code").map(|c| format!(" {}", short(&c))).unwrap_or_default();
    let todo = match status {
        401 | 403 => format!("grant {right} to this role, or check it by hand"),
        _ => "try again, or check it by hand".to_owned(),
    };
    Check::new(name, Status::Unknown, format!("the store answered {status}{code}"), &todo)
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}
