//! Where a record goes and what is told of it: the flags that `attest` and `run` share, and the way itself.

use super::anchors::{self, Place};
use super::exit::{Answer, Exit, Failure};
use super::lock::LockArgs;
use super::told::{self, Told};
use super::trust::{self, SignArgs, TrustArgs};
use super::world::World;
use super::{delivery, open_or_why, words};
use crate::attest::spool::{Held, Spool};
use crate::attest::{self, Delivered, Delivery, Sealed, Stored};
use crate::export::shown;
use crate::gather::Gathered;
use crate::ledger::leaf::Via;
use crate::record::RunRecord;
use crate::seal::SealError;
use crate::seal::signer::Signer;
use crate::vault::{Vault, VaultError};
use std::path::{Path, PathBuf};

/// Where the record goes.
#[derive(clap::Args, Debug)]
pub(crate) struct StoringArgs {
    /// Where the record goes: a folder, file://…, or s3://bucket/prefix
    #[arg(long, value_name = "URL", default_value = crate::vault::DEFAULT_URL)]
    pub(crate) vault: String,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    /// Also keep the ledger's checkpoint here: a file (appended to), a folder that is there, or the URL of another vault
    #[arg(help_heading = "How it is kept", long, value_name = "TARGET", action = clap::ArgAction::Append)]
    pub(crate) anchor: Vec<String>,
    /// Time-stamp authority (RFC 3161) that signs when the ledger stood so; its answer is kept in the vault
    #[cfg(feature = "tsa")]
    #[arg(help_heading = "How it is kept", long, value_name = "URL")]
    pub(crate) tsa_url: Option<String>,
    /// What a record that is signed and cannot be delivered makes of this step: fail (exit 6), or warn (exit 0)
    #[arg(help_heading = "How it is kept", long, value_name = "WHAT", value_parser = ["fail", "warn"], default_value = "fail")]
    pub(crate) on_upload_failure: String,
    #[command(flatten)]
    pub(crate) spool: delivery::SpoolArgs,
    /// Also write the signed bundle to this file
    #[arg(help_heading = "What is told", long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Also write a standard statement, signed by the same key: test-result (one file a report)
    #[arg(help_heading = "What is told", long, value_name = "KIND", value_parser = ["test-result"], action = clap::ArgAction::Append)]
    pub(crate) emit: Vec<String>,
    /// Folder for what --emit writes
    #[arg(help_heading = "What is told", long, value_name = "DIR", default_value = ".")]
    pub(crate) emit_dir: PathBuf,
    /// Append a summary in Markdown to this file ($GITHUB_STEP_SUMMARY)
    #[arg(help_heading = "What is told", long, value_name = "FILE")]
    pub(crate) summary: Option<PathBuf>,
    /// Append the outputs of a GitHub step to this file ($GITHUB_OUTPUT): bundle-path, address, uri, sha256, outcome, checkpoint
    #[arg(help_heading = "What is told", long, value_name = "FILE")]
    pub(crate) step_outputs: Option<PathBuf>,
    /// Write variables for later jobs to this file (GitLab's dotenv report): VOUCHSAFE_RECORD_ADDRESS, _URI, _SHA256, _OUTCOME, _BUNDLE_PATH
    #[arg(help_heading = "What is told", long, value_name = "FILE")]
    pub(crate) dotenv: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) sign: SignArgs,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

/// What has to be there before anything is worth beginning: a vault that the words name, and who signs.
pub(crate) struct Ready {
    opened: Result<Vault, VaultError>,
    pub(crate) signer: Signer,
    pub(crate) spool: Spool,
}

impl Ready {
    /// Whether the vault is a folder of this machine.
    pub(crate) fn local(&self) -> bool {
        self.opened.as_ref().is_ok_and(Vault::is_local)
    }

    /// The vault, if it could be opened.
    pub(crate) fn vault(&self) -> Option<&Vault> {
        self.opened.as_ref().ok()
    }
}

/// Finds vault, key and spool. A vault that cannot be reached is no failure yet: the record waits for it in the spool.
pub(crate) fn ready(world: &mut World, args: &StoringArgs) -> Result<Ready, Failure> {
    let opened = open_or_why(world, &args.vault);
    if let Err(e @ VaultError::Url { .. }) = opened {
        return Err(e.into());
    }
    let local = opened.as_ref().is_ok_and(Vault::is_local);
    // Wrong words about the lock are told before anything is done.
    args.lock.at(local, (world.now)())?;
    let signer = match trust::signer(world, &args.sign)? {
        Some(signer) => signer,
        None if local => trust::user_signer(world, &args.sign)?,
        None => return Err(delivery::no_key(&args.vault)),
    };
    Ok(Ready { opened, signer, spool: Spool::at(world.at(&args.spool.spool)) })
}

/// Signs the record, keeps it, delivers it and tells of it. `earlier` is a word about the same run that waits in the spool and
/// that this record replaces as soon as it is safe itself.
pub(crate) fn store(
    world: &mut World,
    args: &StoringArgs,
    gathered: &Gathered,
    ready: Ready,
    json: bool,
    earlier: Option<Held>,
) -> Answer {
    let mut told = Told { gathered, record: &gathered.record, receipt: None, bundle: None, failure: None };
    let mut resealed = None;
    let way = way(world, args, gathered, ready, json, earlier, &mut told, &mut resealed);
    if let Some((record, _)) = &resealed {
        told.record = record;
    }
    told.failure = way.as_ref().err();
    told::leave(world, args, &told);
    match way {
        Err(failure) if failure.exit == Exit::Undelivered && args.on_upload_failure == "warn" => {
            words::warn(world, &[format!("{:#}", failure.error)]);
            world.say(&shown::lines(&failure.help.unwrap_or_default()));
            Ok(Exit::Done)
        }
        way => way,
    }
}

#[expect(clippy::too_many_arguments, reason = "the one way that a record goes; its callers use `store`")]
fn way(
    world: &mut World,
    args: &StoringArgs,
    gathered: &Gathered,
    ready: Ready,
    json: bool,
    earlier: Option<Held>,
    told: &mut Told,
    resealed: &mut Option<(RunRecord, Sealed)>,
) -> Answer {
    let record = &gathered.record;
    let Ready { opened, signer, spool } = ready;
    let local = opened.as_ref().is_ok_and(Vault::is_local);
    let (lock, keep_until) = args.lock.at(local, record.recorded_on)?;
    let sealed = attest::seal(record, &signer).map_err(seal_failure)?;
    // Before the first byte goes over a network. A folder on this disk is as safe as the spool itself.
    let parcel = delivery::parcel(world, &args.vault, opened.as_ref().ok(), record, &sealed, lock, keep_until);
    let held = if local { None } else { delivery::keep(world, &spool, &parcel, &sealed.bytes) };
    let earlier = match held {
        Some(_) => {
            delivery::done(world, earlier);
            None
        }
        None => earlier,
    };
    let mut written = copies(world, args, record, &sealed, &signer);
    told.bundle = args.output.as_deref().filter(|_| written.is_ok()).map(Path::to_owned);
    let vault = match opened {
        Ok(vault) => vault,
        Err(e) => return Err(delivery::undelivered(world, &spool, &parcel, &sealed.bytes, held, e.into())),
    };
    if let Err(failure) = trust::trust_in_new_vault(world, &vault, &signer) {
        // The record matters more: the put will tell whether the folder can be written at all.
        words::warn(world, &[format!("{:#}", failure.error)]);
    }
    let trusting = delivery::trusting(world, &args.trust, &vault, &signer);
    if let Err(distrust) = trusting.covers(&sealed.keyid, &record.environment, record.recorded_on) {
        words::warn(world, &[format!("this record will not verify here: {distrust}")]);
    }
    let how = Delivery {
        vault: &vault,
        signer: &signer,
        trust: &trusting,
        lock: lock.as_ref(),
        keep_until,
        via: Via::Attest,
        now: &*world.now,
    };
    let Delivered { receipt, unlocked, unlogged, again } = match attest::deliver(record, &sealed, &how) {
        Ok(delivered) => delivered,
        Err(e) => {
            let failure = delivery::undelivered(world, &spool, &parcel, &sealed.bytes, held, e.into());
            // Safe in the spool, the record speaks for itself; if it is not even there, the earlier word has to.
            if failure.exit == Exit::Undelivered {
                delivery::done(world, earlier);
            }
            return Err(failure);
        }
    };
    delivery::done(world, earlier);
    if let Some((record, sealed)) = again {
        // It stands as a later attempt, so that is what the copies have to say.
        written = written.and(copies(world, args, &record, &sealed, &signer));
        *resealed = Some((record, sealed));
    }
    let record = resealed.as_ref().map_or(record, |(record, _)| record);
    words::warn(world, &receipt.warnings);
    told.receipt = Some(receipt.clone());
    told::tell(world, json, record, &receipt)?;
    if let Some(at) = &receipt.ledger {
        keep_anchors(world, args, &record.environment, &at.checkpoint, &record.run.id);
        #[cfg(feature = "tsa")]
        if let (Some(url), Ok(keep)) = (&args.tsa_url, args.lock.keep(local)) {
            anchors::stamp(world, &vault, url, &record.environment, (at.size, &at.checkpoint), &record.run.id, &keep);
        }
    }
    if let Some(unlogged) = unlogged {
        return Err(delivery::unlogged(world, &spool, &parcel, &sealed.bytes, held, unlogged));
    }
    delivery::done(world, held);
    delivery::flush_others(world, &spool, &vault, &signer, &trusting);
    if receipt.stored == Stored::Conflict {
        let standing = receipt.conflicts_with.as_deref().unwrap_or_default();
        return Err(Failure {
            exit: Exit::Different,
            error: anyhow::anyhow!("a different record for this run and attempt stands at {standing}"),
            help: Some(format!(
                "both are kept, this one at {}; name the records apart with --component if both belong, or count the jobs \
                 that a platform without attempts retries with --count-attempts",
                receipt.address
            )),
        });
    }
    if let Some(unlocked) = unlocked {
        return Err(Failure { exit: Exit::Findings, error: unlocked.into(), help: None });
    }
    written?;
    Ok(Exit::Done)
}

/// Writes what --output and --emit ask for. The vault comes first: a full disk here must not keep the record from it.
fn copies(
    world: &World,
    args: &StoringArgs,
    record: &RunRecord,
    sealed: &Sealed,
    signer: &Signer,
) -> Result<(), Failure> {
    if let Some(file) = &args.output {
        told::write(world, file, &sealed.bytes)?;
    }
    if !args.emit.is_empty() {
        for (n, bundle) in attest::test_results(record, signer).map_err(seal_failure)?.iter().enumerate() {
            told::write(world, &args.emit_dir.join(format!("test-result-{}.json", n + 1)), bundle)?;
        }
    }
    Ok(())
}

/// Keeps the checkpoint where --anchor says. The record stands whatever comes of it, so that is a warning.
pub(crate) fn keep_anchors(world: &mut World, args: &StoringArgs, environment: &str, note: &str, run_id: &str) {
    for target in args.anchor.iter().filter(|_| !note.is_empty()) {
        let kept = Place::parse(world, target).and_then(|place| {
            let keep = args.lock.keep(place.is_local())?;
            place.keep(world, environment, note, run_id, &keep).map_err(anchors::failure)
        });
        if let Err(failure) = kept {
            let text = format!("{:#}", failure.error);
            let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
            words::warn(world, &[format!("the checkpoint is not anchored at {target}: {first}")]);
            if !rest.is_empty() {
                world.say(&shown::lines(rest));
            }
        }
    }
}

/// A record that could not be signed.
pub(crate) fn seal_failure(error: SealError) -> Failure {
    Failure { exit: Exit::Failed, error: anyhow::anyhow!(error).context("could not sign the record"), help: None }
}
