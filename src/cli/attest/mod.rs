//! `vouchsafe attest`: the last pipeline step.

mod ask;
mod heartbeat;
mod told;

use super::anchors::Place;
use super::exit::{Answer, Exit, Failure};
use super::lock::LockArgs;
use super::trust::{self, SignArgs, TrustArgs};
use super::twins::Sources;
use super::world::World;
use super::{anchors, delivery, open_or_why, words};
use crate::attest::spool::Spool;
use crate::attest::{self, Delivery, Sealed, Stored};
use crate::export::{sheet, shown};
use crate::gather::{Gathered, report, tickets};
use crate::ledger::leaf::Via;
use crate::record::RunRecord;
use crate::record::test_run_v1::Verdict;
use crate::seal::SealError;
use crate::seal::signer::Signer;
use crate::vault::{Vault, VaultError};
use std::path::PathBuf;

/// Gather, sign and store the record of this run, and print where it is
///
/// Run it as the last step of a pipeline, also when the run failed: a failed run is evidence too. With no --vault the
/// record goes into ./.vouchsafe, a vault on this disk, and a first call there makes a key for you.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe attest --environment demo --report 'reports/**/*.xml'
  vouchsafe attest --environment production --vault s3://evidence --signing-key /run/secrets/key.pem \\
      --image registry/app@sha256:… --report 'junit/*.xml' --outcome success
  vouchsafe attest --environment production --vault s3://evidence --heartbeat --anchor anchors.txt

Exit codes: 0 stored · 1 could not do it, or a report could not be read · 2 wrong words · 4 a lock did not hold, or
tests failed under --fail-on tests · 5 a different record for this run stands already (both are kept) · 6 signed and kept
in the spool, not delivered: `vouchsafe flush`, or the next attest, delivers it")]
pub(crate) struct Args {
    /// Environment that was deployed to or tested for; default: what the platform says
    #[arg(short, long, value_name = "NAME")]
    environment: Option<String>,
    /// Which of several records of this run: a service of a monorepo, a leg of a matrix
    #[arg(long, value_name = "NAME")]
    component: Option<String>,
    /// Where the record goes: a folder, file://…, or s3://bucket/prefix
    #[arg(long, value_name = "URL", default_value = crate::vault::DEFAULT_URL)]
    vault: String,
    /// Reports of tests, scans and coverage, and archives of them (zip, tar, gzip): paths or globs; may be said more than
    /// once
    #[arg(help_heading = "What was tested and built", long, value_name = "GLOB", action = clap::ArgAction::Append)]
    report: Vec<String>,
    /// Take the reports for this format instead of recognising it; GLOB=NAME for some of them
    #[arg(help_heading = "What was tested and built", long, value_name = "NAME", action = clap::ArgAction::Append)]
    report_format: Vec<String>,
    /// Least severity that fails a scan, where the scanner's own rule should not count
    #[arg(help_heading = "What was tested and built", long, value_name = "WORD", value_parser = clap::builder::PossibleValuesParser::new(report::THRESHOLDS))]
    gate_threshold: Option<String>,
    /// What a command that ran tests ended with. NAME is a report's path or file name, a glob of reports, or the command's
    /// own name. Not 0 is failed, whatever its reports say: some say nothing of a suite that did not load
    #[arg(help_heading = "What was tested and built", long, value_name = "NAME=CODE", action = clap::ArgAction::Append)]
    test_exit: Vec<String>,
    /// Files that were built or deployed: paths or globs, recorded by SHA-256
    #[arg(help_heading = "What was tested and built", long, value_name = "GLOB", action = clap::ArgAction::Append)]
    artifact: Vec<String>,
    /// Image that was built or deployed: name@sha256:…, or name:tag with --resolve
    #[arg(help_heading = "What was tested and built", long, value_name = "REF", action = clap::ArgAction::Append)]
    image: Vec<String>,
    /// Ask the registry for the digest of an --image that has only a tag
    #[arg(help_heading = "What was tested and built", long)]
    resolve: bool,
    /// Metadata file that `docker buildx build --metadata-file` wrote
    #[arg(help_heading = "What was tested and built", long, value_name = "FILE", action = clap::ArgAction::Append)]
    image_metadata: Vec<PathBuf>,
    /// OCI image layout folder
    #[arg(help_heading = "What was tested and built", long, value_name = "DIR", action = clap::ArgAction::Append)]
    oci_layout: Vec<PathBuf>,
    /// File that `docker build --iidfile` wrote
    #[arg(help_heading = "What was tested and built", long, value_name = "FILE", action = clap::ArgAction::Append)]
    iidfile: Vec<PathBuf>,
    /// How the run ended: success, failure, cancelled … in any platform's word, or an exit code
    #[arg(help_heading = "What the platform may not say", long, value_name = "WORD")]
    outcome: Option<String>,
    /// GitHub's ${{ toJSON(needs) }}: what the jobs before this one ended with
    #[arg(help_heading = "What the platform may not say", long, value_name = "JSON")]
    needs: Option<String>,
    /// Ticket that the change answers to
    #[arg(help_heading = "What the platform may not say", long, value_name = "ID", action = clap::ArgAction::Append)]
    ticket: Vec<String>,
    /// How a ticket looks in branch, commit message and pull request title (regular expression)
    #[arg(help_heading = "What the platform may not say", long, value_name = "REGEX", default_value = tickets::DEFAULT_PATTERN)]
    ticket_pattern: String,
    /// Environment variable to keep in the record; one that looks like a secret is refused
    #[arg(help_heading = "What the platform may not say", long, value_name = "NAME", action = clap::ArgAction::Append)]
    env: Vec<String>,
    /// Who answers for the run, where the platform does not say it
    #[arg(help_heading = "What the platform may not say", long, value_name = "LOGIN")]
    operator: Option<String>,
    /// The person for whom a machine account acted
    #[arg(help_heading = "What the platform may not say", long, value_name = "LOGIN")]
    on_behalf_of: Option<String>,
    /// Id of the run, where no platform tells one
    #[arg(help_heading = "What the platform may not say", long, value_name = "ID")]
    run_id: Option<String>,
    /// Commit, where neither platform nor repository tells it
    #[arg(help_heading = "What the platform may not say", long, value_name = "SHA")]
    commit: Option<String>,
    /// Why this was done by hand
    #[arg(help_heading = "What the platform may not say", long, value_name = "TEXT")]
    reason: Option<String>,
    /// Folder of the repository; globs start here
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    working_directory: PathBuf,
    #[command(flatten)]
    lock: LockArgs,
    /// Also keep the ledger's checkpoint here: a file (appended to), a folder that is there, or the URL of another vault
    #[arg(help_heading = "How it is kept", long, value_name = "TARGET", action = clap::ArgAction::Append)]
    anchor: Vec<String>,
    /// Time-stamp authority (RFC 3161) that signs when the ledger stood so; its answer is kept in the vault
    #[cfg(feature = "tsa")]
    #[arg(help_heading = "How it is kept", long, value_name = "URL")]
    tsa_url: Option<String>,
    /// No record: only add to the ledger that somebody is still here and how many records it has. Once a day, so that
    /// silence is a statement; adds records of the last two days that no entry names
    #[arg(long)]
    heartbeat: bool,
    /// What makes this step fail after the record is stored: tests (exit 4), reports that cannot be read (exit 1), never
    #[arg(long, value_name = "WHAT", value_parser = ["tests", "reports", "never"], default_values = ["reports"],
          action = clap::ArgAction::Append)]
    fail_on: Vec<String>,
    /// Also write the signed bundle to this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also write a standard statement, signed by the same key: test-result (one file a report)
    #[arg(long, value_name = "KIND", value_parser = ["test-result"], action = clap::ArgAction::Append)]
    emit: Vec<String>,
    /// Folder for what --emit writes
    #[arg(long, value_name = "DIR", default_value = ".")]
    emit_dir: PathBuf,
    /// Print the statement that would be signed, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the receipt as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sign: SignArgs,
    #[command(flatten)]
    spool: delivery::SpoolArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args, sources: &Sources) -> Answer {
    if args.heartbeat {
        return heartbeat::run(world, args, sources);
    }
    let gathered = ask::gathered(world, args, sources)?;
    words::warn(world, &gathered.warnings);
    words::warn(world, &gathered.unreadable);
    let record = &gathered.record;
    if args.dry_run {
        let statement = attest::statement(record).map_err(seal_failure)?;
        if args.json {
            words::writeln_quietly(world, &String::from_utf8_lossy(&statement))?;
        } else {
            let value: serde_json::Value = serde_json::from_slice(&statement)?;
            let pretty = crate::record::json::to_string_pretty(&value)?;
            words::writeln_quietly(world, &pretty)?;
        }
        world.say("dry run: nothing was signed and nothing was stored");
        return verdict(args, &gathered);
    }
    let opened = open_or_why(world, &args.vault);
    if let Err(e @ VaultError::Url { .. }) = opened {
        return Err(e.into());
    }
    let local = opened.as_ref().is_ok_and(Vault::is_local);
    let (lock, keep_until) = args.lock.at(local, record.recorded_on)?;
    let signer = match trust::signer(world, &args.sign)? {
        Some(signer) => signer,
        None if local => trust::user_signer(world, &args.sign)?,
        None => return Err(delivery::no_key(&args.vault)),
    };
    let sealed = attest::seal(record, &signer).map_err(seal_failure)?;
    let spool = Spool::at(world.at(&args.spool.spool));
    // Before the first byte goes over a network. A folder on this disk is as safe as the spool itself.
    let parcel = delivery::parcel(world, &args.vault, opened.as_ref().ok(), record, &sealed, lock, keep_until);
    let held = if local { None } else { delivery::keep(world, &spool, &parcel, &sealed.bytes) };
    let written = copies(world, args, record, &sealed, &signer);
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
    let delivered = match attest::deliver(record, &sealed, &how) {
        Ok(delivered) => delivered,
        Err(e) => return Err(delivery::undelivered(world, &spool, &parcel, &sealed.bytes, held, e.into())),
    };
    let receipt = &delivered.receipt;
    words::warn(world, &receipt.warnings);
    told::tell(world, args, &gathered, receipt)?;
    if let Some(at) = &receipt.ledger {
        keep_anchors(world, args, &record.environment, &at.checkpoint, &record.run.id);
        #[cfg(feature = "tsa")]
        if let (Some(url), Ok(keep)) = (&args.tsa_url, args.lock.keep(local)) {
            anchors::stamp(world, &vault, url, &record.environment, (at.size, &at.checkpoint), &record.run.id, &keep);
        }
    }
    if let Some(unlogged) = delivered.unlogged {
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
                "both are kept, this one at {}; name the records apart with --component if both belong",
                receipt.address
            )),
        });
    }
    if let Some(unlocked) = delivered.unlocked {
        return Err(Failure { exit: Exit::Findings, error: unlocked.into(), help: None });
    }
    written?;
    verdict(args, &gathered)
}

/// Writes what --output and --emit ask for. The vault comes first: a full disk here must not keep the record from it.
fn copies(world: &World, args: &Args, record: &RunRecord, sealed: &Sealed, signer: &Signer) -> Result<(), Failure> {
    if let Some(file) = &args.output {
        told::write_bundle(world, file, &sealed.bytes)?;
    }
    if !args.emit.is_empty() {
        for (n, bundle) in attest::test_results(record, signer).map_err(seal_failure)?.iter().enumerate() {
            told::write_bundle(world, &args.emit_dir.join(format!("test-result-{}.json", n + 1)), bundle)?;
        }
    }
    Ok(())
}

/// Keeps the checkpoint where --anchor says. The record stands whatever comes of it, so that is a warning.
fn keep_anchors(world: &mut World, args: &Args, environment: &str, note: &str, run_id: &str) {
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

/// What --fail-on makes of the record, after it is stored.
fn verdict(args: &Args, gathered: &Gathered) -> Answer {
    let on = |what: &str| args.fail_on.iter().any(|w| w == what) && !args.fail_on.iter().any(|w| w == "never");
    let unreadable = gathered.unreadable.len();
    if on("reports") && unreadable > 0 {
        let what =
            if unreadable == 1 { "1 file or pattern".to_owned() } else { format!("{unreadable} files or patterns") };
        return Err(Failure::failed(
            anyhow::anyhow!("{what} could not be read, see the warnings; the record says so"),
            "mend the path or the file, or say --fail-on never to let the step pass",
        ));
    }
    let red = gathered.tests_failed() || sheet::worst(&gathered.record) == Some(Verdict::Empty);
    if on("tests") && red {
        let error = anyhow::anyhow!("tests failed, or none ran; the record says so");
        return Err(Failure { exit: Exit::Findings, error, help: None });
    }
    Ok(Exit::Done)
}

fn seal_failure(error: SealError) -> Failure {
    Failure { exit: Exit::Failed, error: anyhow::anyhow!(error).context("could not sign the record"), help: None }
}
