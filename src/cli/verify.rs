//! `vouchsafe verify`: does it hold?

use super::exit::{Answer, Exit, Failure};
use super::list::Tally;
use super::trust::{self, TrustArgs};
use super::world::World;
use super::{open_vault, progress, proof, words};
use crate::export::shown;
use crate::ledger::filter::Filter;
use crate::ledger::{self, Entry, Verdict};
use crate::record::json;
use serde_json::json;
use std::io::Write as _;
use std::path::PathBuf;

/// Check signatures, keys and places: of one record, a vault, or a local copy of one
///
/// Offline: nothing is asked of any server but the vault itself. Every record gets one verdict: valid, invalid,
/// untrusted, moved or unsupported, and the reason, which for a valid one names the key and why it is trusted.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe verify
  vouchsafe verify record.json --key public.pem
  vouchsafe verify record.json --proof record.tlog-proof --key public.pem
  vouchsafe verify --vault s3://evidence --trust trust.json --json

Exit codes: 0 everything verifies · 1 could not do it, or nothing to verify · 3 something does not verify · 4 a record
is of a kind or version that this program cannot read")]
pub(crate) struct Args {
    /// A record, or a folder that holds a copy of a vault
    #[arg(value_name = "PATH", conflicts_with = "vault")]
    path: Option<PathBuf>,
    /// Vault: a folder, file://…, or s3://bucket/prefix [default: ./.vouchsafe]
    #[arg(long, value_name = "URL")]
    vault: Option<String>,
    /// Proof that the record in PATH is in the ledger, as `vouchsafe show --proof` wrote it
    #[arg(long, value_name = "FILE", requires = "path")]
    proof: Option<PathBuf>,
    /// One JSON object a record, and a last one with the summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args) -> Answer {
    if let Some(answer) = proof::verify(world, args.path.as_deref(), args.proof.as_deref(), &args.trust, args.json) {
        return answer;
    }
    let mut tally = Tally::default();
    let from = match &args.path {
        Some(path) if !world.at(path).is_dir() => {
            let full = world.at(path);
            let bytes =
                read(&full).map_err(|e| anyhow::anyhow!(e).context(format!("could not read `{}`", path.display())))?;
            let trusting = trust::trust_set(world, &args.trust, vault_root_of(&full).as_deref())?;
            let address = full.to_string_lossy().replace('\\', "/");
            let mut entry = ledger::judge(&bytes, &address, &trusting.set);
            entry.address = path.display().to_string();
            tell(world, args, &entry)?;
            tally.see(&entry);
            trusting.from
        }
        path => {
            let url = match (path, &args.vault) {
                (Some(path), _) => world.at(path).to_string_lossy().into_owned(),
                (None, Some(url)) => url.clone(),
                (None, None) => crate::vault::DEFAULT_URL.to_owned(),
            };
            let vault = open_vault(world, &url)?;
            let trusting = trust::trust_set(world, &args.trust, vault.local_root())?;
            let addresses = ledger::addresses(&vault, &Filter::default())?;
            if addresses.is_empty() {
                return Err(Failure::failed(
                    anyhow::anyhow!("there is no record under evidence/ in {}", shown::line(&url)),
                    "name the vault with --vault, or the folder that holds evidence/",
                ));
            }
            let all = addresses.len() as u64;
            let began = (world.now)();
            for (done, address) in addresses.iter().enumerate() {
                let entry = ledger::open(&vault, &trusting.set, address);
                tally.see(&entry);
                tell(world, args, &entry)?;
                if done % 64 == 63 && world.stderr_is_terminal {
                    let mut shown = progress::Shown::new(&mut world.stderr, &world.now, true).since(began);
                    shown.step("verified", done as u64, Some(all), progress::Unit::Records);
                }
            }
            trusting.from
        }
    };
    summary(world, args, &tally, &from)?;
    Ok(tally.exit())
}

/// Reads a file of bounded size: a record is never larger than what the vault would hand out.
fn read(file: &std::path::Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(crate::seal::terms::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The vault that a record file stands in, so that its trust set counts.
fn vault_root_of(file: &std::path::Path) -> Option<PathBuf> {
    let evidence = file.ancestors().find(|a| a.file_name().is_some_and(|n| n == "evidence"))?;
    evidence.parent().map(PathBuf::from)
}

fn tell(world: &mut World, args: &Args, entry: &Entry) -> anyhow::Result<()> {
    if args.json {
        let line = json!({
            "address": entry.address,
            "verdict": entry.verdict.as_str(),
            "why": entry.why,
            "keyid": entry.keyid,
            "sha256": entry.sha256,
            "predicateType": entry.predicate_type,
            "schemaVersion": entry.source_version,
            "unknownFields": entry.unknown_fields,
        });
        return words::writeln_quietly(world, &json::to_string(&line)?);
    }
    if entry.verdict != Verdict::Valid || args.path.is_some() {
        let line = format!("{:<11} {}: {}", entry.verdict.as_str(), entry.address, entry.why);
        words::writeln_quietly(world, &shown::line(&line))?;
    }
    Ok(())
}

fn summary(world: &mut World, args: &Args, tally: &Tally, from: &str) -> anyhow::Result<()> {
    if args.json {
        let by: serde_json::Map<_, _> = tally.by.iter().map(|(v, n)| (v.as_str().to_owned(), json!(n))).collect();
        let line = json!({"summary": {"records": tally.total, "verdicts": by, "withUnknownFields": tally.newer, "trust": from}});
        return words::writeln_quietly(world, &json::to_string(&line)?);
    }
    let by: Vec<String> = tally.by.iter().map(|(v, n)| format!("{n} {}", v.as_str())).collect();
    let records = if tally.total == 1 { "1 record".to_owned() } else { format!("{} records", tally.total) };
    world.say(&format!("{records}: {}", by.join(", ")));
    if tally.newer > 0 {
        world.say(&format!("{} with fields of a newer version, kept and not understood here", tally.newer));
    }
    world.say(&format!("trust: {}", shown::line(from)));
    if args.path.as_ref().is_none_or(|p| world.at(p).is_dir()) && tally.exit() == Exit::Done {
        world.say(
            "signatures and places hold; this version keeps no ledger, so it cannot tell whether a record was removed",
        );
    }
    let _ = world.stderr.flush();
    Ok(())
}
