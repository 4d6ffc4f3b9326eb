//! What `attest` answers, and what it says when the record could not be put.

use super::Args;
use crate::attest::{Receipt, Stored};
use crate::cli::exit::Failure;
use crate::cli::words;
use crate::cli::world::World;
use crate::export::{sheet, shown};
use crate::gather::Gathered;
use crate::record::parts_v1::Status;
use anyhow::Context as _;

pub(super) fn write_bundle(world: &World, file: &std::path::Path, bytes: &[u8]) -> Result<(), Failure> {
    let full = world.at(file);
    if let Some(folder) = full.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("could not make `{}`", folder.display()))?;
    }
    Ok(std::fs::write(full, bytes).with_context(|| format!("could not write `{}`", file.display()))?)
}

pub(super) fn tell(world: &mut World, args: &Args, gathered: &Gathered, receipt: &Receipt) -> anyhow::Result<()> {
    if args.json {
        return words::json(world, receipt);
    }
    let record = &gathered.record;
    let mut lines = Vec::new();
    let verb = match receipt.stored {
        Stored::Created => "recorded",
        Stored::AlreadyThere | Stored::SameClaims => "already recorded",
        Stored::Conflict => "recorded beside another",
    };
    lines.push(format!(
        "{verb}: {} run {} attempt {} for {}",
        record.run.platform, record.run.id, record.run.attempt, record.environment
    ));
    lines.push(format!("  outcome   {}", record.run.outcome.as_str()));
    lines.extend(tests_line(gathered).map(|line| format!("  tests     {line}")));
    let commands = record.test_commands.iter().filter(|c| c.exit_code != 0);
    lines.extend(commands.map(|c| format!("  command   {} ended with {}", c.name, c.exit_code)));
    if !record.artifacts.is_empty() {
        lines.push(format!("  artifacts {}", record.artifacts.len()));
    }
    if let Some(commit) = &record.commit {
        lines.push(format!("  commit    {}", commit.sha));
    }
    for part in record.completeness.iter().filter(|c| c.status != Status::Complete) {
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

fn tests_line(gathered: &Gathered) -> Option<String> {
    let record = &gathered.record;
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
