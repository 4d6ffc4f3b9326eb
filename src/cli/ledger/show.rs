//! `vouchsafe ledger show`: where each ledger ends, and the key that other tools need to check it.

use super::{environments, failure, worse};
use crate::cli::exit::{Answer, Exit};
use crate::cli::trust::{self, TrustArgs};
use crate::cli::world::World;
use crate::cli::{open_vault, words};
use crate::export::shown;
use crate::ledger::leaves;
use crate::ledger::{folders, slot};
use crate::seal::tlog::note;
use serde_json::json;

/// Show where each ledger ends: size, root, time, key
///
/// The verifier key is what C2SP and Go tools take (`name+hash+key`), so that they can check the checkpoint without this
/// program. Only the newest entry is checked here; `vouchsafe verify` checks the whole ledger.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe ledger show
  vouchsafe ledger show --environment production --vault s3://evidence --json

Exit codes: 0 shown · 1 no ledger, or could not do it · 3 the newest entry does not verify")]
pub(super) struct Args {
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
    trust: TrustArgs,
}

/// Runs the command.
pub(super) fn run(world: &mut World, args: &Args) -> Answer {
    let vault = open_vault(world, &args.vault)?;
    let trusting = trust::trust_set(world, &args.trust, vault.local_root())?;
    let mut exit = Exit::Done;
    for environment in environments(world, &vault, &args.environment, &["ledger/"], &args.vault)? {
        let (base, keyid) = match leaves::signed_head(&vault, &trusting.set, &environment) {
            Ok(head) => head,
            Err(e) => {
                let failure = failure(e);
                exit = worse(exit, failure.exit);
                words::tell(world, &failure);
                continue;
            }
        };
        let checkpoint = &base.checkpoint;
        let vkey = trusting.set.get(&keyid).map(|k| note::vkey(&checkpoint.origin, &k.key)).unwrap_or_default();
        let names = folders::names(&vault, &slot::folder(&environment), &["checkpoints/"])?;
        let compacted = names.keys().filter_map(|n| n.strip_prefix("checkpoints/")?.parse::<u64>().ok()).max();
        if args.json {
            let line = json!({
                "environment": environment, "origin": checkpoint.origin, "entries": base.number + 1,
                "size": checkpoint.size, "records": base.records, "root": checkpoint.root, "headOn": base.logged_on(),
                "keyid": keyid, "vkey": vkey, "compacted": compacted, "checkpoint": base.note,
            });
            words::json(world, &line)?;
            continue;
        }
        let lines = [
            ("environment", environment.clone()),
            ("origin", checkpoint.origin.clone()),
            ("entries", (base.number + 1).to_string()),
            ("size", format!("{} leaves, {} of them records", checkpoint.size, base.records)),
            ("root", checkpoint.root.to_string()),
            ("newest", base.logged_on().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
            ("key", keyid),
            ("vkey", vkey),
            ("compacted", compacted.map_or("never".to_owned(), |size| format!("at {size} leaves"))),
        ];
        for (name, value) in lines {
            words::writeln_quietly(world, &shown::line(&format!("{name:<12} {value}")))?;
        }
    }
    Ok(exit)
}
