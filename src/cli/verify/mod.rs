//! `vouchsafe verify`: does it hold?

mod anchors;
mod told;
mod whole;

use super::exit::{Answer, Failure};
use super::list::{ScopeArgs, Tally};
use super::trust::{self, TrustArgs, Trusting};
use super::world::World;
use super::{open_vault, progress, proof, words};
use crate::ledger;
use crate::seal::trust::TrustError;
use std::path::PathBuf;

/// Check one record, or everything: signatures, keys, places, and that nothing is missing
///
/// Offline: nothing is asked of any server but the vault itself. A record gets one verdict (valid, invalid, untrusted,
/// moved or unsupported) and the reason. In a vault, or a local copy of one, the ledger of every environment is walked from
/// its beginning: it is whole, or has a gap, is forked or truncated; and a record can also be missing, altered, unlinked
/// (no leaf of the ledger names it) or expired (gone after the day until which it had to be kept).
///
/// Where a record holds the platform's own signature about the run, that is checked too: confirmed by pinned keys of the
/// platform, only claimed by keys that the record brought along, unchecked, contradicted or broken (docs/IDENTITY.md).
///
/// What was cut off the end of a ledger together with its records leaves no trace in the vault. Checkpoints that were kept
/// elsewhere show it: say --anchor.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe verify
  vouchsafe verify record.json --key public.pem
  vouchsafe verify record.json --proof record.tlog-proof --key public.pem
  vouchsafe verify --vault s3://evidence --trust trust.json --anchor ci-logs/ --json
  vouchsafe verify copy-of-the-vault --environment production --quarter 2026-Q3

Exit codes: 0 everything verifies · 1 could not do it, or nothing to verify · 3 something does not verify: a record is
invalid, untrusted, moved, altered or missing, its platform identity is broken, a ledger is not whole, an anchor was not
proved · 4 something has to be looked at: a record is unlinked or unsupported, was dated back or written twice, its platform
identity says something else, a slot is void, an environment has no ledger")]
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
    /// Checkpoints that were kept elsewhere: a file or folder with notes, CI logs or receipts, or the URL of a vault that
    /// holds anchors; may be said more than once
    #[arg(long, value_name = "FILE|FOLDER|URL", action = clap::ArgAction::Append)]
    anchor: Vec<PathBuf>,
    /// Certificates (PEM) of the time-stamp authorities that are believed: checks the time-stamps beside the ledgers
    #[cfg(feature = "tsa")]
    #[arg(long, value_name = "FILE")]
    tsa_roots: Option<PathBuf>,
    /// Keys (JSON Web Key Set) of a CI platform that signs who runs there, for this call; `key trust` pins them for good
    #[arg(long, value_name = "FILE", requires = "issuer")]
    jwks: Option<PathBuf>,
    /// Whose keys --jwks are, as its tokens say it (`iss`)
    #[arg(long, value_name = "URL", requires = "jwks")]
    issuer: Option<String>,
    /// A record that is younger may be without its leaf: 90s, 15m, 2h
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = words::time)]
    grace: chrono::TimeDelta,
    /// Tell of every record, also of those that are valid
    #[arg(long)]
    all: bool,
    /// One JSON object a record, one a ledger, and a last one with the summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args) -> Answer {
    if let Some(answer) = proof::verify(world, args.path.as_deref(), args.proof.as_deref(), &args.trust, args.json) {
        return answer;
    }
    match &args.path {
        Some(path) if !world.at(path).is_dir() => one(world, args, path),
        path => {
            let url = match (path, &args.vault) {
                (Some(path), _) => world.at(path).to_string_lossy().into_owned(),
                (None, Some(url)) => url.clone(),
                (None, None) => crate::vault::DEFAULT_URL.to_owned(),
            };
            whole::run(world, args, &url)
        }
    }
}

/// Verifies a file by itself: it says nothing of what is missing beside it.
fn one(world: &mut World, args: &Args, path: &std::path::Path) -> Answer {
    if let Some(anchor) = args.anchor.first() {
        let what =
            format!("`{}` is one record, and --anchor {} is about a whole ledger", path.display(), anchor.display());
        return Err(Failure::usage(what, "name the vault, or a folder that is a copy of it"));
    }
    let full = world.at(path);
    let bytes = read(&full).map_err(|e| anyhow::anyhow!(e).context(format!("could not read `{}`", path.display())))?;
    let mut trusting = trust::trust_set(world, &args.trust, vault_root_of(&full).as_deref())?;
    believe(world, args, &mut trusting)?;
    let address = full.to_string_lossy().replace('\\', "/");
    let mut entry = ledger::judge(&bytes, &address, &trusting.set);
    entry.address = path.display().to_string();
    let identity = ledger::identity::check(&entry, &trusting.set);
    let identity = identity.as_ref();
    let mut tally = Tally::default();
    tally.see(&entry);
    tally.see_identity(identity);
    if args.json {
        words::json(world, &told::record(&entry, identity, None))?;
        words::json(world, &serde_json::json!({"summary": told::counts(&tally, &trusting.from)}))?;
    } else {
        words::writeln_quietly(world, &told::line(&entry))?;
        if let Some(line) = told::identity_line(&entry, identity) {
            words::writeln_quietly(world, &line)?;
        }
        told::count_lines(&tally, &trusting.from).iter().for_each(|line| world.say(line));
    }
    Ok(tally.exit())
}

/// Adds the keys of --jwks, for this call.
fn believe(world: &World, args: &Args, trusting: &mut Trusting) -> Result<(), Failure> {
    let Some((file, issuer)) = args.jwks.as_ref().zip(args.issuer.as_ref()) else { return Ok(()) };
    let pinned = trust::issuer_keys(world, file, issuer)?;
    match trusting.set.pin(pinned) {
        Ok(()) | Err(TrustError::Pinned(_)) => Ok(()),
        Err(e) => Err(e.into()),
    }
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
