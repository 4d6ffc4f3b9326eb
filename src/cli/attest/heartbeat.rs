//! `attest --heartbeat`: no record, a leaf that says "still here, so many records".

use super::Args;
use crate::attest::spool::Spool;
use crate::attest::{self, Adopting, Fate, Logged, Writer};
use crate::cli::exit::{Answer, Exit, Failure};
use crate::cli::ledger::fresh_id;
use crate::cli::lock::Keep;
use crate::cli::trust;
use crate::cli::twins::Sources;
use crate::cli::world::World;
use crate::cli::{delivery, open_vault, storing, words};
use crate::export::shown;
use crate::gather::platform::{self, Env};
use crate::vault::Tags;
use chrono::{Days, NaiveDate, TimeDelta};
use serde_json::json;

/// As `ledger adopt` by itself.
const GRACE: TimeDelta = TimeDelta::minutes(15);
/// Today, and as many days before it as two times 24 hours touch.
const DAYS: u64 = 3;

pub(super) fn run(world: &mut World, args: &Args, sources: &Sources) -> Answer {
    refuse_evidence(args, sources)?;
    let env = Env::new(world.env.clone());
    let platform = platform::detect(&env);
    let facts = platform.read(&env);
    let environment = args.about.environment.clone().or(facts.environment).unwrap_or_default().trim().to_owned();
    if environment.is_empty() || environment.len() > 200 {
        return Err(Failure::usage(
            "a heartbeat needs the environment whose ledger it goes into",
            "say --environment NAME, at most 200 bytes",
        ));
    }
    let fresh = fresh_id(world)?;
    let id = args
        .about
        .run_id
        .clone()
        .or(Some(facts.run.id).filter(|id| !id.is_empty()))
        .unwrap_or_else(|| fresh.to_string());
    let by = format!("{}-{id}-{}", platform.name, facts.run.attempt.max(1));
    let vault = open_vault(world, &args.storing.place.vault).map_err(lost)?;
    let keep = args.storing.place.lock.keep(vault.is_local())?;
    let signer = match trust::signer(world, &args.storing.place.sign)? {
        Some(signer) => signer,
        None if vault.is_local() => trust::user_signer(world, &args.storing.place.sign)?,
        None => return Err(delivery::no_key(&args.storing.place.vault)),
    };
    if let Err(failure) = trust::trust_in_new_vault(world, &vault, &signer) {
        words::warn(world, &[format!("{:#}", failure.error)]);
    }
    let trusting = delivery::trusting(world, &args.storing.place.trust, &vault, &signer);
    if let Err(distrust) = trusting.covers(&signer.public_key().keyid(), &environment, (world.now)()) {
        words::warn(world, &[format!("this heartbeat will not count here: {distrust}")]);
    }
    let now = (world.now)();
    let lock = keep.lock(now);
    let tags = Tags { env: environment.clone(), run_id: id.clone(), date: now.date_naive() };
    let writer = Writer {
        vault: &vault,
        signer: &signer,
        trust: &trusting,
        lock: lock.as_ref(),
        tags: &tags,
        now: &*world.now,
        fresh,
    };
    let (adopted, mut warnings) = adopt(&writer, &environment, &keep);
    let at = attest::heartbeat(&writer, &environment, by.clone()).map_err(lost)?;
    warnings.extend(at.warnings.iter().cloned());
    words::warn(world, &warnings);
    if args.json {
        let line = json!({
            "ledger": Logged::from(&at), "records": at.records, "environment": environment, "by": by,
            "adopted": adopted, "keyid": signer.public_key().keyid(), "warnings": warnings,
        });
        words::json(world, &line)?;
    } else {
        let line = format!(
            "heartbeat of {by}: still here, {} in the ledger of {environment}",
            shown::many(at.records, "record", "records")
        );
        let lines = [
            shown::line(&line).into_owned(),
            format!(
                "  ledger    slot {}, {}; keep this checkpoint, it shows later that nothing is gone:",
                at.slot,
                shown::many(at.size, "leaf", "leaves")
            ),
            shown::lines(&at.checkpoint),
        ];
        world.say(&lines.join("\n"));
    }
    storing::keep_anchors(world, &args.storing.place, &environment, &at.checkpoint, &id);
    #[cfg(feature = "tsa")]
    if let Some(url) = &args.storing.place.tsa_url {
        crate::cli::anchors::stamp(world, &vault, url, &environment, (at.size, &at.checkpoint), &id, &keep);
    }
    delivery::flush_others(world, &Spool::at(world.at(&args.storing.place.spool.spool)), &vault, &signer, &trusting);
    Ok(Exit::Done)
}

/// A flag that was said for this very call, and that a heartbeat would drop, is a mistake; a default of the repository is
/// none.
fn refuse_evidence(args: &Args, sources: &Sources) -> Result<(), Failure> {
    let said = [
        ("report", !args.about.report.is_empty()),
        ("artifact", !args.about.artifact.is_empty()),
        ("image", !args.about.image.is_empty()),
        ("image-metadata", !args.about.image_metadata.is_empty()),
        ("oci-layout", !args.about.oci_layout.is_empty()),
        ("iidfile", !args.about.iidfile.is_empty()),
        ("outcome", args.outcome.is_some()),
        ("needs", args.needs.is_some()),
        ("ticket", !args.about.ticket.is_empty()),
        ("reason", args.about.reason.is_some()),
        ("emergency", args.about.emergency),
        ("api-token", args.changes.api.api_token.is_some()),
        ("api-url", args.changes.api.api_url.is_some()),
        ("forge", args.changes.api.forge.is_some()),
        ("pipeline-file", !args.changes.api.pipeline_file.is_empty()),
        ("require-changes", args.changes.require_changes),
        ("id-token", args.identity.id_token.is_some()),
        ("keep-email", args.identity.keep_email),
        ("output", args.storing.output.is_some()),
        ("emit", !args.storing.emit.is_empty()),
        ("summary", args.storing.summary.is_some()),
        ("step-outputs", args.storing.step_outputs.is_some()),
        ("dotenv", args.storing.dotenv.is_some()),
        ("dry-run", args.dry_run),
    ];
    match said.iter().find(|(flag, said)| *said && !sources.contains_key(*flag)) {
        Some((flag, _)) => Err(Failure::usage(
            format!("--heartbeat makes no record, so --{flag} would say nothing"),
            "leave one of them out: a step that has something to tell is its own heartbeat",
        )),
        None => Ok(()),
    }
}

/// Adopts what the last two days left without a leaf. What goes wrong here must not silence the heartbeat.
fn adopt(writer: &Writer, environment: &str, keep: &Keep) -> (u64, Vec<String>) {
    let today = (writer.now)().date_naive();
    let days: Vec<NaiveDate> = (0..DAYS).rev().filter_map(|n| today.checked_sub_days(Days::new(n))).collect();
    let ask = Adopting { environment, days: &days, grace: GRACE, keep_until: &|on| keep.until(on), dry_run: false };
    let mut told = Vec::new();
    let done = attest::adopt(writer, &ask, &mut |entry, fate| {
        match fate {
            Fate::Adopted => told.push(format!("no entry named {}; it does now", entry.address)),
            Fate::Refused => told.push(format!(
                "no entry names {}, and it is {}: {}",
                entry.address,
                entry.verdict.as_str(),
                entry.why
            )),
            Fate::Young => {}
        }
        Ok(())
    });
    match done {
        Ok(done) => {
            told.extend(done.warnings);
            (done.adopted, told)
        }
        Err(e) => {
            told.push(format!("could not look for records without an entry: {e:#}").replace('\n', "; "));
            (0, told)
        }
    }
}

/// There is nothing to keep: a heartbeat is true only when it is said.
fn lost(failure: impl Into<Failure>) -> Failure {
    let failure = failure.into();
    let error = failure.error.context("could not say the heartbeat");
    let help = "nothing was lost and nothing waits in the spool: run it again when the vault answers";
    Failure {
        exit: if failure.exit == Exit::Usage { Exit::Usage } else { Exit::Failed },
        error,
        help: Some(help.into()),
    }
}
