//! `vouchsafe ledger anchor`: the checkpoints of now, kept outside the vault.

use super::{environments, failure, worse};
use crate::attest::Anchored;
use crate::cli::anchors::{self, Place};
use crate::cli::exit::{Answer, Exit};
use crate::cli::lock::LockArgs;
use crate::cli::trust::{self, TrustArgs};
use crate::cli::world::World;
use crate::cli::{open_vault, words};
use crate::export::shown;
use crate::ledger::leaves;
use serde_json::json;

/// Keep the checkpoint of every ledger somewhere else
///
/// Whoever can write to the vault could take away its newest entries together with their records, and nothing in the vault
/// would show it. A checkpoint that is kept elsewhere does. Keep it where other people write: a file in a protected
/// repository, a bucket of another account, the auditor's disk. Every `vouchsafe attest` prints one, too, into the log of its
/// job.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe ledger anchor --output anchors.txt
  vouchsafe ledger anchor --vault s3://evidence --output s3://other-account/anchors --trust trust.json

Exit codes: 0 anchored, or the anchors stood there · 1 could not do it · 3 the newest entry does not verify, or another
checkpoint of the same ledger and size is anchored there: the ledger was rewritten; both are shown")]
pub(super) struct Args {
    /// Where: a file (notes are appended), a folder that is there, or the URL of a vault
    #[arg(short, long, value_name = "TARGET")]
    output: String,
    /// Environment; may be said more than once; default: all that have a ledger
    #[arg(short, long, value_name = "NAME", action = clap::ArgAction::Append)]
    environment: Vec<String>,
    /// Vault: a folder, file://…, or s3://bucket/prefix
    #[arg(long, value_name = "URL", default_value = crate::vault::DEFAULT_URL)]
    vault: String,
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
    let trusting = trust::trust_set(world, &args.trust, vault.local_root())?;
    let place = Place::parse(world, &args.output)?;
    let keep = args.lock.keep(place.is_local())?;
    let mut exit = Exit::Done;
    for environment in environments(world, &vault, &args.environment, &["ledger/"], &args.vault)? {
        let anchored =
            leaves::signed_head(&vault, &trusting.set, &environment).map_err(failure).and_then(|(base, _)| {
                let anchored =
                    place.keep(world, &environment, &base.note, "ledger", &keep).map_err(anchors::failure)?;
                Ok((base, anchored))
            });
        let (base, anchored) = match anchored {
            Ok(done) => done,
            Err(failure) => {
                exit = worse(exit, failure.exit);
                words::tell(world, &failure);
                continue;
            }
        };
        let already = anchored == Anchored::AlreadyThere;
        if args.json {
            let line = json!({
                "environment": environment, "origin": base.checkpoint.origin, "size": base.checkpoint.size,
                "root": base.checkpoint.root, "alreadyThere": already, "checkpoint": base.note,
            });
            words::json(world, &line)?;
        } else {
            let verb = if already { "stood there already" } else { "anchored" };
            world.say(&shown::line(&format!("{environment}: {verb} at {} leaves", base.checkpoint.size)));
        }
    }
    Ok(exit)
}
