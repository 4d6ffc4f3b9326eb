//! `vouchsafe ledger adopt`: a leaf for what stands in the vault and has none.

use super::{environments, worse};
use crate::attest::{self, Adopting, Delivery, Fate, Sealed, Writer};
use crate::cli::delivery;
use crate::cli::exit::{Answer, Exit, Failure};
use crate::cli::lock::LockArgs;
use crate::cli::trust::{self, SignArgs, TrustArgs};
use crate::cli::world::World;
use crate::cli::{open_vault, words};
use crate::export::shown;
use crate::ledger::leaf::Via;
use crate::ledger::{self, Entry, Verdict};
use crate::seal::signer::Signer;
use crate::seal::trust::TrustSet;
use crate::vault::{Tags, Vault};
use anyhow::Context as _;
use chrono::TimeDelta;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Add to the ledger what is in the vault and not in the ledger
///
/// A step that is killed between its record and the ledger's entry leaves a record that no entry names. This finds such
/// records, checks each (signature, key, place), and appends the valid ones; the entry shows that they were adopted, and how
/// late. A record that is not valid is told and never added. It may run at any time, and several times at once.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe ledger adopt --dry-run
  vouchsafe ledger adopt --environment production --vault s3://evidence --signing-key key.pem
  vouchsafe ledger adopt --record .vouchsafe-spool/SHA256.json     a record that has lost its way, from a file

Exit codes: 0 every valid record is in the ledger, or younger than --grace · 1 could not do it · 3 a record that no entry
names does not verify · 4 such a record is of a kind or version that this program cannot read; or --dry-run found some")]
pub(super) struct Args {
    /// Environment; may be said more than once; default: all
    #[arg(short, long, value_name = "NAME", action = clap::ArgAction::Append)]
    environment: Vec<String>,
    /// Vault: a folder, file://…, or s3://bucket/prefix
    #[arg(long, value_name = "URL", default_value = crate::vault::DEFAULT_URL)]
    vault: String,
    /// Leave younger records alone, whose own step may still add them: 90s, 15m, 2h, 1d, 0
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = crate::cli::words::time)]
    grace: TimeDelta,
    /// A signed record in a file, to store in the vault and add to the ledger; may be said more than once
    #[arg(long, value_name = "FILE", action = clap::ArgAction::Append)]
    record: Vec<PathBuf>,
    /// Only tell what would be added
    #[arg(long)]
    dry_run: bool,
    /// One JSON object a record, and a last one with the summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    sign: SignArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Runs the command.
pub(super) fn run(world: &mut World, args: &Args) -> Answer {
    let vault = open_vault(world, &args.vault)?;
    let keep = args.lock.keep(vault.is_local())?;
    let signer = trust::any_signer(world, &args.sign)?.ok_or_else(|| delivery::no_key(&args.vault))?;
    let trusting = delivery::trusting(world, &args.trust, &vault, &signer);
    let mut exit = Exit::Done;
    for file in &args.record {
        bring(world, args, file, &vault, &signer, &trusting).map_err(|mut f| {
            f.error = f.error.context(format!("could not adopt `{}`", file.display()));
            f
        })?;
    }
    if !args.record.is_empty() {
        return Ok(exit);
    }
    for environment in environments(world, &vault, &args.environment, &["evidence/", "ledger/"], &args.vault)? {
        let now = (world.now)();
        let lock = keep.lock(now);
        let tags = Tags { env: environment.clone(), run_id: "ledger".to_owned(), date: now.date_naive() };
        let fresh = super::fresh_id(world)?;
        let World { now, stdout, .. } = world;
        let writer = Writer {
            vault: &vault,
            signer: &signer,
            trust: &trusting,
            lock: lock.as_ref(),
            tags: &tags,
            now: &**now,
            fresh,
        };
        let ask = Adopting {
            environment: &environment,
            days: &[],
            grace: args.grace,
            keep_until: &|on| keep.until(on),
            dry_run: args.dry_run,
        };
        let mut worst = Exit::Done;
        let done = attest::adopt(&writer, &ask, &mut |entry, fate| {
            if fate == Fate::Refused {
                let unsupported = entry.verdict == Verdict::Unsupported;
                worst = worse(worst, if unsupported { Exit::Findings } else { Exit::Unverified });
            }
            words::line(stdout, &one(args, entry, fate)?)
        })?;
        exit = worse(exit, worst);
        if args.dry_run && done.adopted > 0 {
            exit = worse(exit, Exit::Findings);
        }
        words::warn(world, &done.warnings);
        let summary = json!({
            "environment": environment, "adopted": done.adopted, "young": done.young, "refused": done.refused,
            "dryRun": args.dry_run,
            "ledger": done.last.as_ref().map(|at| json!({"slot": at.slot, "size": at.size, "checkpoint": at.checkpoint})),
        });
        if args.json {
            words::json(world, &json!({"summary": summary}))?;
        } else {
            let verb = if args.dry_run { "would be adopted" } else { "adopted" };
            let line = format!(
                "{environment}: {} {verb}, {} younger than the grace period, {} refused",
                done.adopted, done.young, done.refused
            );
            world.say(&shown::line(&line));
        }
    }
    Ok(exit)
}

/// The line of one record.
fn one(args: &Args, entry: &Entry, fate: Fate) -> anyhow::Result<String> {
    let fate = match fate {
        Fate::Adopted if args.dry_run => "orphan",
        Fate::Adopted => "adopted",
        Fate::Young => "young",
        Fate::Refused => "refused",
    };
    if args.json {
        let line = json!({
            "address": entry.address, "fate": fate, "verdict": entry.verdict.as_str(), "why": entry.why,
            "sha256": entry.sha256,
        });
        return Ok(crate::record::json::to_string(&line)?);
    }
    let why = if fate == "refused" { format!(": {}: {}", entry.verdict.as_str(), entry.why) } else { String::new() };
    Ok(shown::line(&format!("{fate:<8} {}{why}", entry.address)).into_owned())
}

/// Stores a record from a file where it belongs and adds it to the ledger.
fn bring(
    world: &mut World,
    args: &Args,
    file: &Path,
    vault: &Vault,
    signer: &Signer,
    trust: &TrustSet,
) -> Result<(), Failure> {
    let bytes = super::read(&world.at(file)).context("it cannot be read")?;
    let entry = ledger::judge(&bytes, "", trust);
    let (Some(record), Verdict::Valid) = (&entry.record, entry.verdict) else {
        let error = anyhow::anyhow!("it is {}: {}", entry.verdict.as_str(), entry.why);
        return Err(Failure { exit: Exit::Unverified, error, help: None });
    };
    if args.dry_run {
        world.say(&shown::line(&format!("would store {} and add it to the ledger", ledger::address_of(record))));
        return Ok(());
    }
    let (lock, keep_until) = args.lock.at(vault.is_local(), record.head().recorded_on)?;
    let sealed = Sealed { bytes, keyid: entry.keyid.clone().unwrap_or_default() };
    let how = Delivery { vault, signer, trust, lock: lock.as_ref(), keep_until, via: Via::Adopt, now: &*world.now };
    let delivered = attest::deliver(record, &sealed, &how)?;
    words::warn(world, &delivered.receipt.warnings);
    if let Some(e) = delivered.unlogged {
        return Err(anyhow::anyhow!(e).context("it is stored, but the ledger does not name it yet").into());
    }
    if let Some(e) = delivered.unlocked {
        return Err(Failure { exit: Exit::Findings, error: e.into(), help: None });
    }
    if args.json {
        return Ok(words::json(world, &delivered.receipt)?);
    }
    world.say(&shown::line(&format!("adopted  {}", delivered.receipt.address)));
    Ok(())
}
