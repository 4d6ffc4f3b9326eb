//! `vouchsafe ledger`: what can be done for a ledger besides appending to it.

mod adopt;
mod anchor;
mod compact;
mod show;

use super::exit::{Answer, Exit, Failure};
use super::words;
use super::world::World;
use crate::ledger::folders;
use crate::ledger::leaves::LeavesError;
use crate::vault::Vault;

/// Look after the ledger: show, compact, adopt, anchor
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand, Debug)]
enum What {
    Show(show::Args),
    Compact(compact::Args),
    Adopt(Box<adopt::Args>),
    Anchor(anchor::Args),
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args) -> Answer {
    match &args.what {
        What::Show(args) => show::run(world, args),
        What::Compact(args) => compact::run(world, args),
        What::Adopt(args) => adopt::run(world, args),
        What::Anchor(args) => anchor::run(world, args),
    }
}

/// The environments that are meant: those that the words name, else all that the vault knows below these folders.
fn environments(
    world: &mut World,
    vault: &Vault,
    named: &[String],
    tops: &[&str],
    url: &str,
) -> Result<Vec<String>, Failure> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let mut all: Vec<String> = Vec::new();
    for top in tops {
        let (found, cut) = folders::environments(vault, top)?;
        all.extend(found);
        let warnings: Vec<String> = cut
            .iter()
            .map(|folder| format!("{folder} does not tell its environment: name it with --environment"))
            .collect();
        words::warn(world, &warnings);
    }
    all.sort();
    all.dedup();
    if all.is_empty() {
        return Err(Failure::failed(
            anyhow::anyhow!("there is nothing below {} in {}", tops.join(" or "), crate::export::shown::line(url)),
            "name the vault with --vault; a ledger begins with the first `vouchsafe attest`",
        ));
    }
    Ok(all)
}

/// The exit code that counts when several ledgers were looked at: what does not verify, before what could not be done.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank =
        |exit: Exit| [Exit::Done, Exit::Findings, Exit::Failed, Exit::Unverified].iter().position(|e| *e == exit);
    if rank(one) >= rank(other) { one } else { other }
}

/// A ledger that cannot be read to its end, as an answer.
pub(super) fn failure(e: LeavesError) -> Failure {
    let (exit, help) = match &e {
        LeavesError::Vault(_) => (Exit::Failed, None),
        LeavesError::Empty { .. } => {
            (Exit::Failed, Some("name the environment as `vouchsafe attest` did, and the vault with --vault"))
        }
        LeavesError::Unattributed { .. } => {
            (Exit::Unverified, Some("name the key with --key PUBLIC.pem or --trust FILE"))
        }
        LeavesError::Broken { .. } | LeavesError::TooLong { .. } => (Exit::Unverified, None),
    };
    Failure { exit, error: e.into(), help: help.map(str::to_owned) }
}

/// An id that nobody had: of a new ledger, or of a run that has none.
pub(super) fn fresh_id(world: &mut World) -> Result<uuid::Uuid, Failure> {
    let mut random = [0u8; 10];
    if !(world.random)(&mut random) {
        return Err(anyhow::anyhow!("the operating system gave no random bytes for an id").into());
    }
    let millis = u64::try_from((world.now)().timestamp_millis()).unwrap_or_default();
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

/// Reads a file of bounded size.
fn read(file: &std::path::Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(crate::seal::terms::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
