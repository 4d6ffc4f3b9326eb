//! The way of a record, whatever its kind: where it goes, who signs it, and what is told when it could not go there.

use super::anchors::{self, Place};
use super::exit::{Answer, Exit, Failure};
use super::lock::LockArgs;
use super::trust::{self, SignArgs, TrustArgs};
use super::world::World;
use super::{delivery, open_or_why, told, words};
use crate::attest::spool::{Held, Spool};
use crate::attest::{self, Delivered, Delivery, Receipt, Sealed, Stored};
use crate::export::shown;
use crate::ledger::leaf::Via;
use crate::record::Record;
use crate::seal::SealError;
use crate::seal::signer::Signer;
use crate::seal::trust::TrustSet;
use crate::vault::{Vault, VaultError};
use std::cell::OnceCell;

/// Where a record goes and who signs it.
#[derive(clap::Args, Debug)]
pub(crate) struct PlaceArgs {
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
    trusting: OnceCell<TrustSet>,
}

impl Ready {
    /// Whether the vault is a folder of this machine.
    pub(crate) fn local(&self) -> bool {
        self.opened.as_ref().is_ok_and(Vault::is_local)
    }

    /// Nothing more is tried: what is put from now on is kept in the spool.
    pub(crate) fn give_up(&mut self, why: String) {
        let doing = "ask the store again".to_owned();
        self.opened = Err(VaultError::Other { doing, why });
    }

    /// The keys that are believed while writing. Asked once, so that what is wrong with them is told once.
    pub(crate) fn trusting(&self, world: &mut World, args: &PlaceArgs) -> &TrustSet {
        self.trusting.get_or_init(|| match &self.opened {
            Ok(vault) => delivery::trusting(world, &args.trust, vault, &self.signer),
            Err(_) => TrustSet::of(self.signer.public_key()),
        })
    }

    /// The vault, if it could be opened.
    pub(crate) fn vault(&self) -> Option<&Vault> {
        self.opened.as_ref().ok()
    }
}

/// Finds vault, key and spool. A vault that cannot be reached is no failure yet: the record waits for it in the spool.
pub(crate) fn ready(world: &mut World, args: &PlaceArgs) -> Result<Ready, Failure> {
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
    Ok(Ready { opened, signer, spool: Spool::at(world.at(&args.spool.spool)), trusting: OnceCell::new() })
}

/// What came of a record on its way, also where it did not arrive.
#[derive(Default)]
pub(crate) struct Went {
    /// The receipt, once it stands in the vault.
    pub(crate) receipt: Option<Receipt>,
    /// The record and its bundle as they stand, where that is a later attempt than was asked for.
    pub(crate) again: Option<(Record, Sealed)>,
}

/// What is done with the signed record beside delivering it, each time that it is signed.
pub(crate) type Copies<'a> = dyn FnMut(&World, &Record, &Sealed, &Signer) -> Result<(), Failure> + 'a;

/// How a record that stands is told of.
pub(crate) type Tell<'a> = dyn FnMut(&mut World, &Record, &Receipt) -> anyhow::Result<()> + 'a;

/// Signs the record, keeps it, delivers it and tells of it, and does what is done once a command. `earlier` is a word about the
/// same run that waits in the spool and that this record replaces as soon as it is safe itself.
pub(crate) fn put(
    world: &mut World,
    args: &PlaceArgs,
    record: &Record,
    ready: &Ready,
    (json, earlier): (bool, Option<Held>),
    copies: &mut Copies<'_>,
    went: &mut Went,
) -> Answer {
    let mut tell = |world: &mut World, record: &Record, receipt: &Receipt| {
        words::warn(world, &receipt.warnings);
        told::tell(world, json, record, receipt)
    };
    let answer = put_one(world, args, record, ready, earlier, copies, &mut tell, went);
    let record = went.again.as_ref().map_or(record, |(record, _)| record);
    if let Some(receipt) = &went.receipt {
        conclude(world, args, ready, record, receipt);
    }
    answer
}

/// What is done once, after the last record of a command: the checkpoint is kept, and what waits in the spool is delivered.
pub(crate) fn conclude(world: &mut World, args: &PlaceArgs, ready: &Ready, record: &Record, receipt: &Receipt) {
    let (Ok(vault), Some(at)) = (&ready.opened, &receipt.ledger) else { return };
    let environment = record.head().environment;
    let run_id = attest::run_id(record);
    keep_anchors(world, args, environment, &at.checkpoint, &run_id);
    #[cfg(feature = "tsa")]
    if let (Some(url), Ok(keep)) = (&args.tsa_url, args.lock.keep(ready.local())) {
        anchors::stamp(world, vault, url, environment, (at.size, &at.checkpoint), &run_id, &keep);
    }
    let trusting = ready.trusting(world, args);
    delivery::flush_others(world, &ready.spool, vault, &ready.signer, trusting);
}

/// Signs one record, keeps it, delivers it and tells of it.
#[allow(clippy::too_many_arguments, reason = "each is another thing; a struct would only name them twice")]
pub(crate) fn put_one(
    world: &mut World,
    args: &PlaceArgs,
    record: &Record,
    ready: &Ready,
    earlier: Option<Held>,
    copies: &mut Copies<'_>,
    tell: &mut Tell<'_>,
    went: &mut Went,
) -> Answer {
    let Ready { opened, signer, spool, .. } = ready;
    let local = ready.local();
    let (lock, keep_until) = args.lock.at(local, record.head().recorded_on)?;
    let sealed = attest::seal(record, signer).map_err(seal_failure)?;
    // Before the first byte goes over a network. A folder on this disk is as safe as the spool itself.
    let parcel = delivery::parcel(world, &args.vault, opened.as_ref().ok(), record, &sealed, lock, keep_until);
    let held = if local { None } else { delivery::keep(world, spool, &parcel, &sealed.bytes) };
    let earlier = match held {
        Some(_) => {
            delivery::done(world, earlier);
            None
        }
        None => earlier,
    };
    let mut written = copies(world, record, &sealed, signer);
    let vault = match opened {
        Ok(vault) => vault,
        Err(e) => {
            let error = anyhow::anyhow!("{e}");
            return Err(delivery::undelivered(world, spool, &parcel, &sealed.bytes, held, error));
        }
    };
    if let Err(failure) = trust::trust_in_new_vault(world, vault, signer) {
        // The record matters more: the put will tell whether the folder can be written at all.
        words::warn(world, &[format!("{:#}", failure.error)]);
    }
    let trusting = ready.trusting(world, args);
    let head = record.head();
    if let Err(distrust) = trusting.covers(&sealed.keyid, head.environment, head.recorded_on) {
        words::warn(world, &[format!("this record will not verify here: {distrust}")]);
    }
    let how = Delivery {
        vault,
        signer,
        trust: trusting,
        lock: lock.as_ref(),
        keep_until,
        via: Via::Attest,
        now: &*world.now,
    };
    let Delivered { receipt, unlocked, unlogged, again } = match attest::deliver(record, &sealed, &how) {
        Ok(delivered) => delivered,
        Err(e) => {
            let failure = delivery::undelivered(world, spool, &parcel, &sealed.bytes, held, e.into());
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
        written = written.and(copies(world, &record, &sealed, signer));
        went.again = Some((record, sealed));
    }
    let record = went.again.as_ref().map_or(record, |(record, _)| record);
    went.receipt = Some(receipt.clone());
    tell(world, record, &receipt)?;
    if let Some(unlogged) = unlogged {
        return Err(delivery::unlogged(world, spool, &parcel, &sealed.bytes, held, unlogged));
    }
    delivery::done(world, held);
    if receipt.stored == Stored::Conflict {
        let standing = receipt.conflicts_with.as_deref().unwrap_or_default();
        let (what, help) = match record {
            Record::Run(_) => (
                "this run and attempt",
                "; name the records apart with --component if both belong, or count the jobs that a platform without attempts \
                 retries with --count-attempts",
            ),
            _ => ("this", ""),
        };
        return Err(Failure {
            exit: Exit::Different,
            error: anyhow::anyhow!("a different record for {what} stands at {standing}"),
            help: Some(format!("both are kept, this one at {}{help}", receipt.address)),
        });
    }
    if let Some(unlocked) = unlocked {
        return Err(Failure { exit: Exit::Findings, error: unlocked.into(), help: None });
    }
    written?;
    Ok(Exit::Done)
}

/// A record that waits in the spool is a failure, unless the words say that a warning is enough.
pub(crate) fn forgiven(world: &mut World, args: &PlaceArgs, answer: Answer) -> Answer {
    match answer {
        Err(failure) if failure.exit == Exit::Undelivered && args.on_upload_failure == "warn" => {
            words::warn(world, &[format!("{:#}", failure.error)]);
            world.say(&shown::lines(&failure.help.unwrap_or_default()));
            Ok(Exit::Done)
        }
        answer => answer,
    }
}

/// Keeps the checkpoint where --anchor says. The record stands whatever comes of it, so that is a warning.
pub(crate) fn keep_anchors(world: &mut World, args: &PlaceArgs, environment: &str, note: &str, run_id: &str) {
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
