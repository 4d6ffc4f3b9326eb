//! The records that were collected, on their way: each by itself, so that what stops one does not stop the others.

use super::{Args, incomplete};
use crate::attest::{self, Receipt, Stored};
use crate::cli::exit::{Answer, Exit, Failure};
use crate::cli::storing::{self, Ready, Went};
use crate::cli::told::verb;
use crate::cli::words;
use crate::cli::world::World;
use crate::export::{said, shown};
use crate::ledger::again;
use crate::record::Record;
use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

/// What is to be told besides.
pub(super) struct Told {
    /// Events that are none of ours, one line each.
    pub(super) passed_over: Vec<String>,
    /// What could not be read, and what would help.
    pub(super) missing: Vec<String>,
    /// What was collected from: an event, a time.
    pub(super) what: &'static str,
}

/// A record's line with --json: its receipt, and what it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    kind: &'static str,
    record_id: Uuid,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    review_due_on: Option<NaiveDate>,
    #[serde(flatten)]
    receipt: &'a Receipt,
}

/// The last line with --json.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    kind: &'static str,
    changes: usize,
    bypasses: usize,
    populations: usize,
    /// Records that were written now.
    recorded: usize,
    /// Records that stood already.
    already_recorded: usize,
    /// Records that contradict one that stands, and are kept beside it.
    conflicts: usize,
    /// Records that wait in the spool.
    undelivered: usize,
    passed_over: Vec<String>,
    missing: Vec<String>,
}

/// Stores the records and sums up.
pub(super) fn keep(world: &mut World, args: &Args, records: &[Record], told: Told) -> Answer {
    for line in &told.passed_over {
        world.say(&format!("passed over: {}", shown::line(line)));
    }
    words::warn(world, &told.missing);
    if args.dry_run {
        for record in records {
            let statement = attest::statement(record).map_err(storing::seal_failure)?;
            words::writeln_quietly(world, &String::from_utf8_lossy(&statement))?;
        }
        world.say("dry run: nothing was signed and nothing was stored");
        return verdict(args, records, &told.missing);
    }
    let mut summary = Summary {
        kind: "summary",
        changes: records.iter().filter(|r| matches!(r, Record::Change(_))).count(),
        bypasses: records.iter().filter(|r| matches!(r, Record::Bypass(_))).count(),
        populations: records.iter().filter(|r| matches!(r, Record::Population(_))).count(),
        ..Summary::default()
    };
    let mut worst = Exit::Done;
    if !records.is_empty() {
        let mut ready = storing::ready(world, &args.place)?;
        let mut last = None;
        for record in records {
            let record = seen(world, args, &ready, record.clone());
            let answer = one(world, args, &ready, &record, &mut summary, &mut last);
            match storing::forgiven(world, &args.place, answer) {
                Ok(_) => {}
                Err(failure) => {
                    words::tell(world, &failure);
                    worst = worst.max(failure.exit);
                }
            }
            if summary.undelivered > 0 && !ready.local() && ready.vault().is_some() {
                // Each would be tried as long as this one was.
                ready.give_up("it did not answer for the record before this one".to_owned());
            }
        }
        if let Some((record, receipt)) = &last {
            storing::conclude(world, &args.place, &ready, record, receipt);
        }
        checkpoint(world, args, last.as_ref().map(|(_, receipt)| receipt));
    }
    sum_up(world, args, summary, told.passed_over, &told.missing, told.what)?;
    match worst {
        Exit::Done => verdict(args, records, &told.missing),
        // Each failure was told where it happened.
        worst => Ok(worst),
    }
}

/// The record beside what stands of the same event.
fn seen(world: &mut World, args: &Args, ready: &Ready, record: Record) -> Record {
    // In a folder that is no vault yet nothing stands, and who is believed there is settled by the first put.
    let Some(vault) = ready.vault().filter(|v| v.local_root().is_none_or(|root| root.join("evidence").is_dir())) else {
        return record;
    };
    again::beside(vault, ready.trusting(world, &args.place), record)
}

fn one(
    world: &mut World,
    args: &Args,
    ready: &Ready,
    record: &Record,
    summary: &mut Summary,
    last: &mut Option<(Record, Receipt)>,
) -> Answer {
    let mut went = Went::default();
    let mut tell = |world: &mut World, record: &Record, receipt: &Receipt| tell(world, args.json, record, receipt);
    let answer =
        storing::put_one(world, &args.place, record, ready, None, &mut |_, _, _, _| Ok(()), &mut tell, &mut went);
    match went.receipt.as_ref().map(|receipt| receipt.stored) {
        Some(Stored::Created) => summary.recorded += 1,
        Some(Stored::AlreadyThere | Stored::SameClaims) => summary.already_recorded += 1,
        Some(Stored::Conflict) => summary.conflicts += 1,
        None => {}
    }
    if answer.as_ref().is_err_and(|failure| failure.exit == Exit::Undelivered) {
        summary.undelivered += 1;
    }
    if let Some(receipt) = went.receipt.filter(|receipt| receipt.ledger.is_some()) {
        *last = Some((record.clone(), receipt));
    }
    answer
}

/// One record: a line of JSON, or a line for people.
fn tell(world: &mut World, json: bool, record: &Record, receipt: &Receipt) -> anyhow::Result<()> {
    let repeated = receipt.stored == Stored::SameClaims;
    if !repeated {
        words::warn(world, &receipt.warnings);
    }
    let review_due_on = match record {
        Record::Bypass(bypass) => Some(bypass.review_due_on),
        _ => None,
    };
    let head = record.head();
    if json {
        let line =
            Line { kind: head.kind.name, record_id: head.record_id, says: said::of(record), review_due_on, receipt };
        return words::json(world, &line);
    }
    let text = format!("{}: {}", verb(receipt.stored), said::of(record));
    if review_due_on.is_some() && !repeated {
        words::attend(world, &[text]);
    } else {
        world.say(&shown::line(&text));
    }
    world.say(&format!("  {}", shown::line(&receipt.address)));
    Ok(())
}

/// The checkpoint after the last record: it holds those before it, too.
fn checkpoint(world: &mut World, args: &Args, receipt: Option<&Receipt>) {
    let Some(at) = receipt.and_then(|receipt| receipt.ledger.as_ref()).filter(|_| !args.json) else { return };
    world.say(&format!(
        "ledger of {}: slot {}, {}; keep this checkpoint, it shows later that nothing is gone:",
        shown::line(&args.environment),
        at.slot,
        shown::many(at.size, "leaf", "leaves")
    ));
    for line in at.checkpoint.lines() {
        world.say(&shown::line(line));
    }
}

fn sum_up(
    world: &mut World,
    args: &Args,
    summary: Summary,
    passed_over: Vec<String>,
    missing: &[String],
    what: &str,
) -> anyhow::Result<()> {
    if args.json {
        return words::json(world, &Summary { passed_over, missing: missing.to_vec(), ..summary });
    }
    let n = |n: usize, one: &str, more: &str| shown::many(n as u64, one, more);
    let mut parts = Vec::new();
    if summary.populations > 0 {
        parts.push(n(summary.populations, "population", "populations"));
    } else {
        parts.push(n(summary.changes, "change", "changes"));
        parts.push(n(summary.bypasses, "bypass", "bypasses"));
    }
    for (count, word) in [
        (summary.already_recorded, "recorded before"),
        (summary.conflicts, "beside a different one"),
        (summary.undelivered, "waiting in the spool"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let whole = match missing.len() {
        0 => String::new(),
        n => format!("; {} not be read, see the warnings", shown::many(n as u64, "thing could", "things could")),
    };
    world.say(&format!("in this {what}: {}{whole}", parts.join(", ")));
    Ok(())
}

/// What --fail-on makes of it, after everything is recorded.
fn verdict(args: &Args, records: &[Record], missing: &[String]) -> Answer {
    let bypasses = records.iter().filter(|r| matches!(r, Record::Bypass(_))).count();
    if args.fails_on("bypasses") && bypasses > 0 {
        let what = shown::many(bypasses as u64, "bypass", "bypasses");
        return Err(Failure {
            exit: Exit::Findings,
            error: anyhow::anyhow!("{what}: a control was set aside"),
            help: Some(
                "`vouchsafe review` signs the review of one; `vouchsafe review --list` shows what waits for it".into(),
            ),
        });
    }
    incomplete(args, missing)
}

/// The size of what would be signed.
pub(super) fn size(record: &Record) -> Result<usize, Failure> {
    Ok(attest::statement(record).map_err(storing::seal_failure)?.len())
}
