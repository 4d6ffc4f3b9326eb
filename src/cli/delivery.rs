//! Delivery as every command tells it: what waits, what is done, what could not be done and stays.

use super::exit::{Exit, Failure};
use super::trust::{self, TrustArgs};
use super::words;
use super::world::World;
use crate::attest::spool::{Held, Parcel, Spool, Waiting};
use crate::attest::{self, AppendError, Delivery, Sealed};
use crate::export::shown;
use crate::ledger::leaf::Via;
use crate::ledger::{self, Verdict, whole};
use crate::record::Record;
use crate::record::digest::Sha256Digest;
use crate::seal::signer::Signer;
use crate::seal::trust::{TrustSet, TrustedKey};
use crate::vault::Vault;
use crate::vault::lock::Retention;
use chrono::{DateTime, TimeDelta, Utc};
use std::path::PathBuf;

/// Where records wait.
#[derive(clap::Args, Debug)]
pub(super) struct SpoolArgs {
    /// Folder where a signed record waits until it is delivered
    #[arg(help_heading = "How it is kept", long, value_name = "DIR", default_value = ".vouchsafe-spool")]
    pub(super) spool: PathBuf,
}

/// How long an attest works for others after its own record is delivered.
const FOR_OTHERS: TimeDelta = TimeDelta::seconds(60);

/// A vault that is not a folder of this machine takes no key that nobody named.
pub(super) fn no_key(vault: &str) -> Failure {
    Failure::failed(
        anyhow::anyhow!("no signing key: {} needs one", shown::line(vault)),
        "say --signing-key FILE (or set VOUCHSAFE_SIGNING_KEY); `vouchsafe key new` makes a key",
    )
}

/// The keys that are believed while writing: those that the words name, and the one that signs.
pub(super) fn trusting(world: &mut World, args: &TrustArgs, vault: &Vault, signer: &Signer) -> TrustSet {
    match trust::trust_set(world, args, vault.local_root()) {
        Ok(trusting) => trusting.set,
        Err(failure) => {
            if args.trust.is_some() || !args.key.is_empty() {
                words::warn(world, &[format!("{:#}", failure.error)]);
            }
            TrustSet::of(signer.public_key())
        }
    }
}

/// How the record is to be delivered, for whoever does it.
pub(super) fn parcel(
    world: &World,
    url: &str,
    vault: Option<&Vault>,
    record: &Record,
    sealed: &Sealed,
    lock: Option<Retention>,
    keep_until: Option<DateTime<Utc>>,
) -> Parcel {
    // A path means something else in another working directory.
    let folder = vault.filter(|v| v.is_local()).map(|v| v.location().to_owned());
    Parcel {
        vault: folder.unwrap_or_else(|| url.to_owned()),
        address: ledger::address_of(record),
        sha256: Sha256Digest::of(&sealed.bytes),
        environment: record.head().environment.to_owned(),
        run_id: attest::run_id(record),
        recorded_on: record.head().recorded_on,
        lock,
        keep_until,
        kept_on: (world.now)(),
    }
}

/// Keeps the record before it goes out. A spool that cannot be written to is no reason not to try.
pub(super) fn keep(world: &mut World, spool: &Spool, parcel: &Parcel, bundle: &[u8]) -> Option<Held> {
    match spool.keep(parcel, bundle) {
        Ok(held) => Some(held),
        Err(e) => {
            words::warn(world, &[format!("the record is not kept on this disk while it is delivered: {e}")]);
            None
        }
    }
}

/// The record is signed and could not be put: it must not be lost.
pub(super) fn undelivered(
    world: &mut World,
    spool: &Spool,
    parcel: &Parcel,
    bundle: &[u8],
    held: Option<Held>,
    error: anyhow::Error,
) -> Failure {
    let kept = match held {
        Some(held) => Ok(held),
        None => spool.keep(parcel, bundle),
    };
    let error = error.context("could not store the record");
    match kept {
        Ok(held) => Failure {
            exit: Exit::Undelivered,
            error,
            help: Some(format!(
                "nothing was lost: the signed record is kept in {} and verifies there; `vouchsafe flush` or the next attest \
                 delivers it. If this machine goes away after the job, keep the folder (as an artifact of the job)",
                held.file().display()
            )),
        },
        Err(e) => {
            words::warn(world, &[format!("{e}")]);
            Failure::failed(
                error,
                "the signed record could not be kept on this disk either: mend the vault and run the step again",
            )
        }
    }
}

/// The record stands in the vault and not in the ledger.
pub(super) fn unlogged(
    world: &mut World,
    spool: &Spool,
    parcel: &Parcel,
    bundle: &[u8],
    held: Option<Held>,
    why: AppendError,
) -> Failure {
    let kept = match held {
        Some(held) => Ok(held),
        None => spool.keep(parcel, bundle),
    };
    if let Err(e) = kept {
        words::warn(world, &[format!("{e}")]);
    }
    Failure {
        exit: Exit::Undelivered,
        error: anyhow::anyhow!(why).context("the record is stored, but the ledger does not name it yet"),
        help: Some("`vouchsafe flush` or the next attest adds it; `vouchsafe ledger adopt` adds whatever is found without an entry".into()),
    }
}

/// Everything is where it belongs: nothing waits any more.
pub(super) fn done(world: &mut World, held: Option<Held>) {
    if let Some(Err(e)) = held.map(Held::delivered) {
        words::warn(world, &[format!("{e}; it is delivered all the same, and delivering it again is no harm")]);
    }
}

/// Delivers what earlier steps had to leave, if it is for the same vault.
pub(super) fn flush_others(world: &mut World, spool: &Spool, vault: &Vault, signer: &Signer, trust: &TrustSet) {
    let began = (world.now)();
    let Ok(waiting) = spool.waiting(began) else { return };
    for waiting in waiting {
        if (world.now)() - began > FOR_OTHERS {
            return;
        }
        let Waiting::Ready(held) = waiting else { continue };
        let same = super::open_or_why(world, &held.parcel().vault).is_ok_and(|v| v.location() == vault.location());
        if !same {
            continue;
        }
        let late = (world.now)() - held.parcel().recorded_on;
        let what = held.parcel().address.to_string();
        match deliver_held(world, held, vault, signer, trust) {
            Ok(()) => world.say(&shown::line(&format!("delivered from the spool, {} late: {what}", whole::span(late)))),
            Err(failure) => {
                words::warn(world, &[format!("still in the spool: {what}: {:#}", failure.error)]);
                return;
            }
        }
    }
}

/// Delivers one record of the spool and lets it go.
pub(super) fn deliver_held(
    world: &mut World,
    held: Held,
    vault: &Vault,
    signer: &Signer,
    trust: &TrustSet,
) -> Result<(), Failure> {
    let bytes = held.bundle()?;
    let mut keys = trust.clone();
    // What this very key signed is ours, also where the trust set does not say so.
    drop(keys.add(TrustedKey::new(signer.public_key())));
    let entry = ledger::judge(&bytes, held.parcel().address.as_str(), &keys);
    let Some(record) = entry.record else {
        return Err(Failure::failed(
            anyhow::anyhow!("{} cannot be read here: {}", held.file().display(), entry.why),
            "if another key signed it, name that with --key PUBLIC.pem; if the file was changed, it is no evidence",
        ));
    };
    if entry.verdict == Verdict::Moved {
        return Err(Failure::failed(
            anyhow::anyhow!("{}: {}", held.file().display(), entry.why),
            "its label was changed",
        ));
    }
    let sealed = Sealed { bytes, keyid: entry.keyid.unwrap_or_default() };
    let how = Delivery {
        vault,
        signer,
        trust,
        lock: held.parcel().lock.as_ref(),
        keep_until: held.parcel().keep_until,
        via: Via::Spool,
        now: &*world.now,
    };
    let delivered = attest::deliver(&record, &sealed, &how)?;
    words::warn(world, &delivered.receipt.warnings);
    if let Some(unlogged) = delivered.unlogged {
        return Err(anyhow::anyhow!(unlogged)
            .context("the record is stored, but the ledger does not name it yet")
            .into());
    }
    if let Some(unlocked) = delivered.unlocked {
        words::warn(world, &[format!("{unlocked}")]);
    }
    if let Some(at) = &delivered.receipt.conflicts_with {
        words::warn(world, &[format!("a different record stands at {at}: this one is kept beside it")]);
    }
    done(world, Some(held));
    Ok(())
}
