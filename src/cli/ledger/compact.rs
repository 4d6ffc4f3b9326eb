//! `vouchsafe ledger compact`: a ledger as tiles.

use super::{environments, failure, worse};
use crate::attest::{self, Compacted, Compacting};
use crate::cli::exit::{Answer, Exit, Failure};
use crate::cli::lock::LockArgs;
use crate::cli::trust::{self, TrustArgs};
use crate::cli::world::World;
use crate::cli::{open_vault, progress, words};
use crate::export::shown;
use serde_json::json;
use std::ops::ControlFlow;

/// Write the ledger as tiles, which are few and which standard clients read
///
/// An append is one small object; after a year that is a lot of them. This adds tiles and entry bundles (C2SP tlog-tiles)
/// of 256 leaves each, and the checkpoint that vouches for them, below ledger/env=…/. Nothing is taken away: the slots stay
/// and count. Reading and proving get quicker by some hundred times. Run it now and then, from anywhere, with no signing key.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe ledger compact
  vouchsafe ledger compact --environment production --vault s3://evidence --trust trust.json

Exit codes: 0 the tiles stand · 1 could not do it · 3 the ledger does not verify (then nothing was written), or something
stands in a tile's place that is none · 4 a lock did not hold")]
pub(super) struct Args {
    /// Environment; may be said more than once; default: all that have a ledger
    #[arg(short, long, value_name = "NAME", action = clap::ArgAction::Append)]
    environment: Vec<String>,
    /// Vault: a folder, file://…, or s3://bucket/prefix
    #[arg(long, value_name = "URL", default_value = crate::vault::DEFAULT_URL)]
    vault: String,
    /// Compare also the tiles that stand already, byte for byte
    #[arg(long)]
    check: bool,
    /// One JSON object an environment
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Runs the command.
pub(super) fn run(world: &mut World, args: &Args) -> Answer {
    let vault = open_vault(world, &args.vault)?;
    let keep = args.lock.keep(vault.is_local())?;
    let trusting = trust::trust_set(world, &args.trust, vault.local_root())?;
    let mut exit = Exit::Done;
    for environment in environments(world, &vault, &args.environment, &["ledger/"], &args.vault)? {
        let how = Compacting {
            vault: &vault,
            trust: &trusting.set,
            environment: &environment,
            lock: &|on| keep.lock(on),
            check: args.check,
            room: attest::ROOM,
        };
        let terminal = world.stderr_is_terminal;
        let mut shown = progress::Shown::new(&mut world.stderr, &world.now, terminal);
        let what = format!("compacting {environment}");
        let done = attest::compact(&how, &mut |done| {
            shown.step(&what, done.written, None, progress::Unit::Tiles);
            ControlFlow::Continue(())
        });
        drop(shown);
        match done {
            Ok(done) => exit = worse(exit, tell(world, args, &environment, done)?),
            // One broken ledger must not keep the others from their tiles.
            Err(e) => {
                let failure = failure(e);
                exit = worse(exit, failure.exit);
                words::tell(world, &failure);
            }
        }
    }
    Ok(exit)
}

fn tell(world: &mut World, args: &Args, environment: &str, done: Compacted) -> Result<Exit, Failure> {
    let warnings: Vec<String> = done.warnings.into_iter().collect();
    words::warn(world, &warnings);
    let wrong = done.wrong.iter().map(|place| format!("{place} is not what the ledger says; it was left as it is"));
    words::warn(world, &wrong.collect::<Vec<_>>());
    if let Some(unlocked) = &done.unlocked {
        words::warn(world, &[format!("{unlocked}")]);
    }
    if args.json {
        let line = json!({
            "environment": environment, "origin": done.origin, "size": done.size, "written": done.written,
            "there": done.there, "wrong": done.wrong,
        });
        words::json(world, &line)?;
    } else {
        let line = format!(
            "{environment}: {} leaves, {} tiles written, {} stood there already",
            done.size, done.written, done.there
        );
        world.say(&shown::line(&line));
    }
    Ok(match (done.wrong.is_empty(), done.unlocked) {
        (false, _) => Exit::Unverified,
        (true, Some(_)) => Exit::Findings,
        (true, None) => Exit::Done,
    })
}
