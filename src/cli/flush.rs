//! `vouchsafe flush`: deliver what waits.

use super::delivery::{self, SpoolArgs};
use super::exit::{Answer, Exit, Failure};
use super::trust::{self, SignArgs, TrustArgs};
use super::world::World;
use super::{open_or_why, words};
use crate::attest::Sealed;
use crate::attest::spool::{Bare, Held, Spool, Waiting};
use crate::export::shown;
use crate::ledger::{self, whole};
use crate::vault::lock::{Mode, Period, Retention};
use crate::vault::{Vault, VaultError};
use serde_json::json;

/// Deliver what the spool holds
///
/// A record that could not be stored waits in the spool, signed. This stores it, adds it to the ledger (which shows the
/// delay) and takes it out of the spool. It may run at any time, several times at once, and again after it was killed.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe flush
  vouchsafe flush --spool /var/lib/vouchsafe --signing-key key.pem
  vouchsafe flush --vault s3://evidence      where the vault has moved

Exit codes: 0 nothing waits any more · 1 the spool cannot be read · 6 something still waits, each is told")]
pub(crate) struct Args {
    #[command(flatten)]
    spool: SpoolArgs,
    /// Deliver to this vault instead of the one that each record names
    #[arg(long, value_name = "URL")]
    vault: Option<String>,
    /// One JSON object a record
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sign: SignArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args) -> Answer {
    let spool = Spool::at(world.at(&args.spool.spool));
    let (mut delivered, mut left) = (0u64, 0u64);
    let mut vaults: Vec<(String, Result<Vault, String>)> = Vec::new();
    for waiting in spool.waiting((world.now)())? {
        let (file, outcome) = match waiting {
            Waiting::Ready(held) => {
                let file = held.file().display().to_string();
                (file, deliver(world, args, held, &mut vaults).map_err(|e| (e, false)))
            }
            Waiting::Busy(file) => {
                (file.display().to_string(), Err((anyhow::anyhow!("another process is delivering it"), true)))
            }
            Waiting::Damaged { file, why } => (file.display().to_string(), Err((anyhow::anyhow!(why), false))),
            Waiting::Unlabelled(bare) => {
                let file = bare.file().display().to_string();
                let held = label(world, args, &spool, &bare);
                (file, held.and_then(|held| deliver(world, args, held, &mut vaults)).map_err(|e| (e, false)))
            }
        };
        match &outcome {
            Ok(_) => delivered += 1,
            Err(_) => left += 1,
        }
        tell(world, args, &file, &outcome)?;
    }
    if !args.json {
        world.say(&match (delivered, left) {
            (0, 0) => "nothing waits in the spool".to_owned(),
            (n, 0) => format!("{n} delivered, nothing waits any more"),
            (n, left) => format!("{n} delivered, {left} still in {}", world.at(&args.spool.spool).display()),
        });
    }
    Ok(if left == 0 { Exit::Done } else { Exit::Undelivered })
}

type Outcome = Result<(String, String), (anyhow::Error, bool)>;

/// Labels a bundle that came here by hand, or from a version without labels, for the vault that `--vault` names.
fn label(world: &mut World, args: &Args, spool: &Spool, bare: &Bare) -> anyhow::Result<Held> {
    let url = args.vault.as_deref();
    let url = url.ok_or_else(|| anyhow::anyhow!("it has no label that says where it goes: say --vault URL"))?;
    let vault = open_or_why(world, url)?;
    let bytes = bare.bundle()?;
    let trusting = trust::trust_set(world, &args.trust, vault.local_root()).map_err(|f| f.error)?;
    let entry = ledger::judge(&bytes, "", &trusting.set);
    let Some(record) = entry.record else { anyhow::bail!("it cannot be read here: {}", entry.why) };
    let until = Period::parse(Period::DEFAULT)?.after(record.head().recorded_on);
    let lock = until.filter(|_| !vault.is_local());
    let lock = lock.map(|until| Retention { mode: Mode::Compliance, until, legal_hold: false });
    let sealed = Sealed { bytes, keyid: entry.keyid.unwrap_or_default() };
    let parcel = delivery::parcel(world, url, Some(&vault), &record, &sealed, lock, until);
    Ok(spool.keep(&parcel, &sealed.bytes)?)
}

/// Delivers one; answers with its address and how late it is.
fn deliver(
    world: &mut World,
    args: &Args,
    held: Held,
    vaults: &mut Vec<(String, Result<Vault, String>)>,
) -> Result<(String, String), anyhow::Error> {
    let url = args.vault.clone().unwrap_or_else(|| held.parcel().vault.clone());
    if !vaults.iter().any(|(u, _)| *u == url) {
        let opened = open_or_why(world, &url).map_err(|e: VaultError| e.to_string());
        vaults.push((url.clone(), opened));
    }
    let Some((_, Ok(vault))) = vaults.iter().find(|(u, _)| *u == url) else {
        let why = vaults.iter().find_map(|(u, v)| v.as_ref().err().filter(|_| *u == url));
        return Err(anyhow::anyhow!("{}", why.map_or("", String::as_str)));
    };
    let plain = |f: Failure| match f.help {
        Some(help) => f.error.context(help),
        None => f.error,
    };
    let signer = match trust::signer(world, &args.sign).map_err(plain)? {
        Some(signer) => signer,
        None if vault.is_local() => trust::user_signer(world, &args.sign).map_err(plain)?,
        None => return Err(plain(delivery::no_key(&url))),
    };
    let trusting = delivery::trusting(world, &args.trust, vault, &signer);
    let (address, late) = (held.parcel().address.to_string(), (world.now)() - held.parcel().recorded_on);
    delivery::deliver_held(world, held, vault, &signer, &trusting).map_err(plain)?;
    Ok((address, whole::span(late)))
}

fn tell(world: &mut World, args: &Args, file: &str, outcome: &Outcome) -> anyhow::Result<()> {
    if args.json {
        let line = match outcome {
            Ok((address, late)) => json!({"file": file, "delivered": true, "address": address, "late": late}),
            Err((why, busy)) => json!({"file": file, "delivered": false, "busy": busy, "error": format!("{why:#}")}),
        };
        return words::json(world, &line);
    }
    match outcome {
        Ok((address, late)) => world.say(&shown::line(&format!("delivered, {late} late: {address}"))),
        Err((why, _)) => words::warn(world, &[format!("{file}: {why:#}").replace('\n', "; ")]),
    }
    Ok(())
}
