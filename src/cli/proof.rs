//! Proofs that a record is in the ledger: `show --proof` writes one, `verify` checks it with a public key and nothing else.

use super::exit::{Answer, Exit, Failure};
use super::trust::{self, TrustArgs};
use super::world::World;
use super::{ledger as ledgers, words};
use crate::export::shown;
use crate::ledger::proof::{self, NoProof, Proven, Unproven};
use crate::ledger::{self, Entry, Verdict};
use crate::record::digest::Sha256Digest;
use crate::seal::tlog::note::NoteError;
use crate::seal::tlog::proof::ProofFile;
use crate::seal::trust::TrustSet;
use crate::vault::Vault;
use crate::vault::address::Address;
use anyhow::Context as _;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::path::Path;

/// Bytes that are read of what should be a proof: more than one may have.
const MOST: u64 = 128 * 1024;

/// Writes the proof of a record that stands in the vault; `-` is standard output.
pub(super) fn write(
    world: &mut World,
    vault: &Vault,
    trust: &TrustSet,
    entry: &Entry,
    file: &Path,
) -> Result<(), Failure> {
    let environment = Address::parse(&entry.address).ok().and_then(|a| a.parts()).map(|p| p.environment);
    let (Some(environment), Some(sha256)) = (environment, entry.sha256) else {
        return Err(anyhow::anyhow!("{} is not the address of a record, so no ledger names it", entry.address).into());
    };
    let made = proof::prove(vault, trust, &environment, &entry.address, &sha256);
    let made = made.map_err(told)?;
    let text = made.file.to_text();
    if file == Path::new("-") {
        return Ok(write!(world.stdout, "{text}").context("could not write the proof")?);
    }
    std::fs::write(world.at(file), text)
        .with_context(|| format!("could not write the proof to `{}`", file.display()))?;
    let slot = made.slot.map(|slot| format!(" of slot {slot}")).unwrap_or_default();
    let line = format!("{} is leaf {}{slot}; wrote the proof to {}", entry.address, made.file.index, file.display());
    world.say(&shown::line(&line));
    Ok(())
}

fn told(e: NoProof) -> Failure {
    match e {
        NoProof::Leaves(e) => ledgers::failure(e),
        NoProof::Unlogged { .. } => Failure::failed(
            e,
            "if it was stored just now, `vouchsafe ledger adopt` adds it; if the record was changed after it was logged, \
             `vouchsafe verify` says so",
        ),
    }
}

/// Answers `verify` where a proof is what is to be verified: PATH is one, or `--proof` names one. `None`: neither.
pub(super) fn verify(
    world: &mut World,
    path: Option<&Path>,
    proof: Option<&Path>,
    trust: &TrustArgs,
    json: bool,
) -> Option<Answer> {
    let path = path?;
    let (record, file) = match proof {
        Some(proof) => (Some(path), proof),
        None if begins_as_one(&world.at(path)) => (None, path),
        None => return None,
    };
    Some(run(world, record, file, trust, json))
}

fn begins_as_one(path: &Path) -> bool {
    path.is_file() && read(path, 64).is_ok_and(|head| ProofFile::is_one(&head))
}

fn read(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn run(world: &mut World, record: Option<&Path>, file: &Path, trust: &TrustArgs, json: bool) -> Answer {
    let could = |path: &Path| format!("could not read `{}`", path.display());
    let trusting = trust::trust_set(world, trust, None)?;
    let bytes = read(&world.at(file), MOST).with_context(|| could(file))?;
    let text = String::from_utf8_lossy(&bytes);
    let proven = proof::check(&text, &trusting.set);
    let proven = match (proven, record) {
        (Ok(proven), Some(record)) => {
            let bytes = read(&world.at(record), crate::vault::LIMIT + 1).with_context(|| could(record))?;
            bound(&proven, &bytes, &trusting.set).map(|()| proven)
        }
        (proven, _) => proven,
    };
    tell(world, file, &proven, json)?;
    if !json {
        world.say(&format!("trust: {}", shown::line(&trusting.from)));
    }
    Ok(if proven.is_ok() { Exit::Done } else { Exit::Unverified })
}

/// Whether the record in hand verifies and is the one that is proven.
fn bound(proven: &Proven, bytes: &[u8], trust: &TrustSet) -> Result<(), Unproven> {
    // By itself it says nothing of place; the leaf does.
    let entry = ledger::judge(bytes, "", trust);
    let other = |why: String| Unproven::Record(why);
    match (&entry.record, entry.verdict) {
        (Some(record), Verdict::Valid) => proven.binds(&Sha256Digest::of(bytes), record),
        (_, verdict) => Err(other(format!("the record is {}: {}", verdict.as_str(), entry.why))),
    }
}

fn tell(world: &mut World, file: &Path, proven: &Result<Proven, Unproven>, json: bool) -> anyhow::Result<()> {
    let proven = match proven {
        Ok(proven) => proven,
        Err(e) => {
            let stranger = matches!(e, Unproven::Signature(NoteError::UnknownKey) | Unproven::Distrust(_));
            let verdict = if stranger { Verdict::Untrusted } else { Verdict::Invalid }.as_str();
            if json {
                return words::json(
                    world,
                    &json!({"proof": file.display().to_string(), "verdict": verdict, "why": e.to_string()}),
                );
            }
            return words::writeln_quietly(world, &shown::line(&format!("{verdict:<11} {}: {e}", file.display())));
        }
    };
    let Proven { logged, leaf, checkpoint, environment, keyid, why } = proven;
    if json {
        let line = json!({
            "proof": file.display().to_string(), "verdict": Verdict::Valid.as_str(), "why": why,
            "address": logged.address, "sha256": logged.sha256, "recordedOn": logged.recorded_on,
            "keepUntil": logged.keep_until, "via": logged.via.as_str(), "loggedOn": leaf.logged_on, "index": leaf.seq,
            "origin": checkpoint.origin, "environment": environment, "size": checkpoint.size,
            "root": checkpoint.root, "keyid": keyid,
        });
        return words::json(world, &line);
    }
    let lines = [
        format!("{:<11} {}: {why}", Verdict::Valid.as_str(), file.display()),
        format!("  record    {}", logged.address),
        format!("  sha256    {}", logged.sha256),
        format!(
            "  leaf      {} of {}, appended {} ({})",
            leaf.seq,
            checkpoint.size,
            leaf.logged_on,
            logged.via.as_str()
        ),
        format!("  ledger    {}", checkpoint.origin),
        format!("  root      {}", checkpoint.root),
    ];
    lines.iter().try_for_each(|line| words::writeln_quietly(world, &shown::line(line)))
}
