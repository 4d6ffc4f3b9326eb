//! A vault of many records and its ledger, written here and not by the program: signing 100,000 runs one process at a time
//! would take an hour. One real record is the pattern; run, id and time differ. The ledger is written from the formats
//! alone (RFC 6962, C2SP `signed-note` and `tlog-checkpoint`), so that its reader is tried on another writer's work.

use super::stage::Stage;
use anyhow::{Context, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

const ENVIRONMENT: &str = "env=bench";
const ORIGIN: &str = "vouchsafe.dev/ledger/01a20692-9300-704c-b65c-c7c8f03f44ed/env=bench";

/// Writes `records` records, spread over the 400 days before today, and one entry of the ledger for each.
pub(crate) fn fill(stage: &Stage, vault: &Path, records: u64) -> Result<()> {
    let key = SigningKey::from_pkcs8_pem(&fs::read_to_string(&stage.key)?).context("could not read the key")?;
    let pattern = pattern(stage, vault)?;
    let now = Utc::now();
    let ledger = vault.join("ledger").join(ENVIRONMENT);
    fs::create_dir_all(&ledger)?;
    let mut edge: Vec<[u8; 32]> = Vec::new();
    for n in 0..records {
        let back = TimeDelta::days(400) * i32::try_from(records - n)? / i32::try_from(records)?;
        let on = text(now - back);
        let (place, digest) = record(&pattern, &key, vault, n, &on)?;
        let leaf = json!({"v": 1, "seq": n, "kind": "record", "loggedOn": on, "address": place, "sha256": digest,
                          "recordedOn": on, "via": "attest"});
        let leaf = serde_json::to_vec(&leaf)?;
        push(&mut edge, n, hash(&[&[0], &leaf]));
        let root = edge.iter().rev().copied().reduce(|right, left| hash(&[&[1], &left, &right])).unwrap_or_default();
        let body = format!("{ORIGIN}\n{}\n{}\n", n + 1, BASE64_STANDARD.encode(root));
        let id = hash(&[ORIGIN.as_bytes(), b"\n\x01", key.verifying_key().as_bytes()]);
        let line = [&id[..4], &key.sign(body.as_bytes()).to_bytes()].concat();
        let slot = json!({
            "v": 1, "slot": n, "records": n + 1, "leaves": [BASE64_STANDARD.encode(&leaf)],
            "frontier": edge.iter().map(|h| BASE64_STANDARD.encode(h)).collect::<Vec<_>>(),
            "checkpoint": format!("{body}\n— {ORIGIN} {}\n", BASE64_STANDARD.encode(line)),
        });
        fs::write(ledger.join(format!("{:012}", 999_999_999_999 - n)), serde_json::to_vec(&slot)?)?;
    }
    Ok(())
}

/// The statement of one real record, taken from a vault that is thrown away.
fn pattern(stage: &Stage, vault: &Path) -> Result<Value> {
    let scratch = vault.with_extension("pattern");
    stage.fill(&scratch, 1)?;
    let files = walkdir::WalkDir::new(scratch.join("evidence")).into_iter().collect::<Result<Vec<_>, _>>()?;
    let file = files.into_iter().map(walkdir::DirEntry::into_path).find(|p: &PathBuf| p.ends_with("run.json"));
    let bundle: Value = serde_json::from_slice(&fs::read(file.context("attest wrote no record")?)?)?;
    fs::remove_dir_all(scratch)?;
    Ok(bundle)
}

/// Writes one record; answers with its address and digest.
fn record(pattern: &Value, key: &SigningKey, vault: &Path, n: u64, on: &str) -> Result<(String, String)> {
    let mut bundle = pattern.clone();
    let envelope = &mut bundle["dsseEnvelope"];
    let payload = BASE64_STANDARD.decode(envelope["payload"].as_str().context("no payload")?)?;
    let mut statement: Value = serde_json::from_slice(&payload)?;
    let predicate = &mut statement["predicate"];
    predicate["recordId"] = format!("01a20692-9300-704c-b65c-{n:012x}").into();
    predicate["recordedOn"] = on.into();
    predicate["run"]["id"] = n.to_string().into();
    let payload = serde_json::to_vec(&statement)?;
    let kind = envelope["payloadType"].as_str().context("no payload type")?.to_owned();
    let pae = [format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).as_bytes(), &payload].concat();
    envelope["signatures"][0]["sig"] = BASE64_STANDARD.encode(key.sign(&pae).to_bytes()).into();
    envelope["payload"] = BASE64_STANDARD.encode(&payload).into();
    let bytes = serde_json::to_vec(&bundle)?;
    let day = on.get(..10).context("no day")?;
    let place = format!("evidence/{ENVIRONMENT}/date={day}/run=github-{n}-1/run.json");
    let file = vault.join(&place);
    fs::create_dir_all(file.parent().context("no folder")?)?;
    fs::write(file, &bytes)?;
    Ok((place, hash(&[&bytes]).iter().map(|b| format!("{b:02x}")).collect()))
}

fn push(edge: &mut Vec<[u8; 32]>, size: u64, mut node: [u8; 32]) {
    for _ in 0..size.trailing_ones() {
        if let Some(left) = edge.pop() {
            node = hash(&[&[1], &left, &node]);
        }
    }
    edge.push(node);
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Sha256::new(), |h, part| h.chain_update(part)).finalize().into()
}

fn text(on: DateTime<Utc>) -> String {
    on.to_rfc3339_opts(SecondsFormat::Millis, true)
}
