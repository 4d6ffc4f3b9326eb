//! What `attest` and `run` answer: to people, as JSON, and into the files that a pipeline reads.

use super::exit::{Exit, Failure};
use super::recorded::StoringArgs;
use super::world::World;
use super::{outputs, summary, words};
use crate::attest::{Receipt, Stored};
use crate::export::{sheet, shown};
use crate::gather::Gathered;
use crate::record::change_v1::Change;
use crate::record::parts_v1::{Completeness, Status};
use crate::record::pull_request_v1::Approved;
use crate::record::{Record, RunRecord};
use anyhow::Context as _;
use std::path::{Path, PathBuf};

/// Changes that are named in the receipt; the record has them all.
const MOST_CHANGES: usize = 10;

/// All that is known of a record when the command ends.
pub(crate) struct Told<'a> {
    pub(crate) gathered: &'a Gathered,
    /// The record as it stands, which may be a later attempt than it was gathered as.
    pub(crate) record: &'a RunRecord,
    /// Absent when the record is not in the vault.
    pub(crate) receipt: Option<Receipt>,
    /// The file that --output wrote.
    pub(crate) bundle: Option<PathBuf>,
    /// What went wrong with storing it.
    pub(crate) failure: Option<&'a Failure>,
}

/// Writes a file that was asked for, with its folders.
pub(crate) fn write(world: &World, file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let full = world.at(file);
    if let Some(folder) = full.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("could not make `{}`", folder.display()))?;
    }
    Ok(std::fs::write(full, bytes).with_context(|| format!("could not write `{}`", file.display()))?)
}

/// Leaves summary and outputs where they were asked for, also when the record could not be stored. Nobody's record depends on
/// them, so what goes wrong is a warning.
pub(crate) fn leave(world: &mut World, args: &StoringArgs, told: &Told) {
    attention(world, told);
    let mut wrong = Vec::new();
    if let Some(file) = &args.summary {
        wrong.extend(summary::append(&world.at(file), told).err());
    }
    if let Some(file) = &args.step_outputs {
        wrong.extend(outputs::github(world, file, told).err());
    }
    if let Some(file) = &args.dotenv {
        wrong.extend(outputs::dotenv(world, file, told).err());
    }
    let wrong: Vec<String> = wrong.iter().map(|e| format!("{e:#}")).collect();
    words::warn(world, &wrong);
}

/// What a person should look at although the record itself is fine.
fn attention(world: &mut World, told: &Told) {
    let mut all = Vec::new();
    if let Some(emergency) = &told.record.emergency {
        let due = emergency.review_due_on.map(|day| format!(", to be reviewed by {day}")).unwrap_or_default();
        all.push(format!("an emergency, recorded as such{due}: {}", emergency.reason));
    }
    if told.gathered.tests_failed() {
        let line = tests_line(told.record).unwrap_or_default();
        all.push(if line.starts_with("failed") { format!("tests {line}") } else { format!("tests failed: {line}") });
    }
    words::attend(world, &all);
}

/// The receipt, as JSON or for people.
pub(crate) fn tell(world: &mut World, json: bool, record: &Record, receipt: &Receipt) -> anyhow::Result<()> {
    if json {
        return words::json(world, receipt);
    }
    let mut lines = match record.as_run() {
        Some(run) => of_run(run, receipt),
        None => {
            let verb = verb(receipt.stored);
            vec![format!("{verb}: {} for {}", crate::export::said::of(record), record.head().environment)]
        }
    };
    for part in record.head().completeness.iter().filter(|c| c.status != Status::Complete) {
        let status = if part.status == Status::Partial { "partly known" } else { "unknown" };
        lines.push(format!("  {:<9} {status}: {}", part.section, part.why.as_deref().unwrap_or_default()));
    }
    match &receipt.retention {
        Some(lock) => lines.push(format!("  lock      {lock}")),
        None => {
            lines.push("  lock      none: this store keeps the record only as long as nobody removes it".to_owned())
        }
    }
    lines.push(format!("  address   {}", receipt.address));
    lines.push(format!("  uri       {}", receipt.uri));
    lines.push(format!("  sha256    {}", receipt.sha256));
    lines.push(format!("  key       {}", receipt.keyid));
    if let Some(at) = &receipt.ledger {
        lines.push(format!(
            "  ledger    slot {}, {}; keep this checkpoint, it shows later that nothing is gone:",
            at.slot,
            shown::many(at.size, "leaf", "leaves")
        ));
        // As it is, so that it can be taken out of any log: `verify --anchor` finds it there.
        lines.extend(at.checkpoint.lines().map(str::to_owned));
    }
    let lines: Vec<_> = lines.iter().map(|line| shown::line(line)).collect();
    world.say(&lines.join("\n"));
    Ok(())
}

/// What is told of a run and of nothing else.
fn of_run(record: &RunRecord, receipt: &Receipt) -> Vec<String> {
    let mut lines = Vec::new();
    lines.push(format!(
        "{}: {} run {} attempt {} for {}",
        verb(receipt.stored),
        record.run.platform,
        record.run.id,
        record.run.attempt,
        record.environment
    ));
    lines.push(format!("  outcome   {}", record.run.outcome.as_str()));
    lines.extend(tests_line(record).map(|line| format!("  tests     {line}")));
    let commands = record.test_commands.iter().filter(|c| c.exit_code != 0);
    lines.extend(commands.map(|c| format!("  command   {} ended with {}", c.name, c.exit_code)));
    if !record.artifacts.is_empty() {
        lines.push(format!("  artifacts {}", record.artifacts.len()));
    }
    if let Some(commit) = &record.commit {
        lines.push(format!("  commit    {}", commit.sha));
    }
    lines.extend(record.identity.as_ref().map(|identity| format!("  identity  {}", super::identity::line(identity))));
    if let Some(previous) = &record.previous {
        lines.push(format!("  since     {}", previous.address));
        let complete = |c: &Completeness| c.section == "changes" && c.status == Status::Complete;
        if record.changes.is_empty() && record.completeness.iter().any(complete) {
            lines.push("  change    none that was not there before".to_owned());
        }
    }
    lines.extend(record.changes.iter().take(MOST_CHANGES).map(|change| format!("  change    {}", change_line(change))));
    let more = record.changes.len().saturating_sub(MOST_CHANGES);
    if more > 0 {
        lines.push(format!("  change    and {more} more"));
    }
    lines
}

/// One change in a line: its number and title, and whether it was approved.
pub(super) fn change_line(change: &Change) -> String {
    let what = match &change.pull_request {
        Some(pull) => format!("#{} {}", pull.number, pull.title.as_deref().unwrap_or_default()).trim_end().to_owned(),
        None => {
            let sha = change.commits.first().and_then(|sha| sha.get(..12)).unwrap_or("commits");
            format!("{} {sha} without a pull request", change.via.as_str())
        }
    };
    let approval = match &change.approval {
        Some(a) if a.verdict == Approved::Yes => format!(": approved ({})", a.why),
        Some(a) if a.verdict == Approved::No => format!(": not approved ({})", a.why),
        Some(a) => format!(": approval unknown ({})", a.why),
        None => String::new(),
    };
    let failing = failing_checks(change).count() as u64;
    let failing = if failing > 0 {
        format!(", {} not passed", shown::many(failing, "required check", "required checks"))
    } else {
        String::new()
    };
    format!("{what}{approval}{failing}")
}

/// Checks that the rules ask for and that had not succeeded when the change was merged.
pub(super) fn failing_checks(change: &Change) -> impl Iterator<Item = &str> {
    change
        .checks
        .iter()
        .filter(|c| c.required == Some(true) && c.passed_at_merge == Some(false))
        .map(|c| c.name.as_str())
}

/// How the record came to stand in the vault.
pub(super) fn verb(stored: Stored) -> &'static str {
    match stored {
        Stored::Created => "recorded",
        Stored::AlreadyThere | Stored::SameClaims => "already recorded",
        Stored::Conflict => "recorded beside another",
    }
}

/// The verdict over all reports and the sums of their counts.
pub(super) fn tests_line(record: &RunRecord) -> Option<String> {
    let worst = sheet::worst(record)?;
    let reports = record.tests.len();
    let counts = sheet::sum(record, |c| c.total).map(|total| {
        let of = |pick| sheet::sum(record, pick).unwrap_or_default();
        format!(
            ": {total} tests, {} passed, {} failed, {} errored, {} skipped",
            of(|c| c.passed),
            of(|c| c.failed),
            of(|c| c.errored),
            of(|c| c.skipped)
        )
    });
    let reports = shown::many(reports as u64, "report", "reports");
    Some(format!("{} in {reports}{}", worst.as_str(), counts.unwrap_or_default()))
}

/// Whether the record is signed and waits on this disk.
pub(super) fn waits(told: &Told) -> bool {
    told.failure.is_some_and(|f| f.exit == Exit::Undelivered)
}
