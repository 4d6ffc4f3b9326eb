//! `vouchsafe collect`: what reached a protected branch and what was set aside, from a webhook's payload or the forge's API.

mod event;
mod kept;
mod population;
mod records;
mod secret;
mod since;

use super::asking::ApiArgs;
use super::exit::{Answer, Exit, Failure};
use super::made::Made;
use super::storing::PlaceArgs;
use super::twins::Sources;
use super::words;
use super::world::World;
use crate::gather::forge::PipelineFiles;
use crate::gather::tickets;
use crate::record::parts_v1::Repository;
use chrono::TimeDelta;
use regex::Regex;
use secret::Hidden;
use std::path::PathBuf;

/// Record changes and bypasses: from a webhook's payload, or from the forge's API
///
/// Every push to a protected branch becomes a record of a change, every control that was set aside one of a bypass with the
/// day by which somebody else has to review it. The same event told twice, by a webhook and by a poll, is one record.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe collect --event payload.json --event-header 'X-GitHub-Event: push' --vault s3://evidence
  vouchsafe collect --since 26h --vault s3://evidence          daily, in a scheduled job
  vouchsafe collect --population --since 7d --vault s3://evidence

Exit codes: 0 recorded, or nothing to record · 1 could not do it, or nothing could be read · 2 wrong words · 3 the
webhook's signature does not hold, nothing was recorded · 4 bypasses, under --fail-on bypasses · 5 a different record of
the same event stands (both are kept) · 6 signed and kept in the spool, not delivered")]
pub(crate) struct Args {
    /// Payload of a webhook, as the forge sent it: a file, or - for standard input
    #[arg(help_heading = "What is collected", long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// Header of that webhook: X-GitHub-Event, X-Hub-Signature-256, X-Gitlab-Token … may be said more than once
    #[arg(help_heading = "What is collected", long, value_name = "NAME: VALUE", action = clap::ArgAction::Append)]
    event_header: Vec<Hidden>,
    /// Secret that the forge was given for its webhooks: a file that holds it; its variable may hold the secret itself
    #[arg(help_heading = "What is collected", long, value_name = "FILE")]
    webhook_secret: Option<Hidden>,
    /// Ask the forge what happened within this time: 90m, 26h, 7d
    #[arg(help_heading = "What is collected", long, value_name = "TIME", value_parser = words::time)]
    since: Option<TimeDelta>,
    /// The same from this day or moment on (UTC): 2026-11-01, 2026-11-01T06:00:00Z
    #[arg(help_heading = "What is collected", long, value_name = "DAY", conflicts_with = "since")]
    from: Option<String>,
    /// The same to this day, which is included, or before this moment; default: now
    #[arg(help_heading = "What is collected", long, value_name = "DAY", requires = "from")]
    to: Option<String>,
    /// Record everything that the forge says happened in that time (runs, deployments, merged pull requests, pushes), for
    /// others to compare the records with
    #[arg(help_heading = "What is collected", long)]
    population: bool,
    /// Repository; default: that of the event, or the one that the platform names
    #[arg(help_heading = "What is collected", long, value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// In whose ledger the records stand. One repository deploys to several environments, so what happens in it has a
    /// ledger of its own
    #[arg(help_heading = "What is recorded", short, long, value_name = "NAME", default_value = "source")]
    environment: String,
    /// Working days (Monday to Friday) within which a bypass has to be reviewed
    #[arg(help_heading = "What is recorded", long, value_name = "DAYS", default_value = "2",
          value_parser = clap::value_parser!(u16).range(0..=250))]
    review_days: u16,
    /// Why the rules were set aside, where the forge was not told
    #[arg(help_heading = "What is recorded", long, value_name = "TEXT")]
    reason: Option<String>,
    /// Ticket of a bypass
    #[arg(help_heading = "What is recorded", long, value_name = "ID")]
    ticket: Option<String>,
    /// How a ticket looks in branch, commit message and pull request title (regular expression)
    #[arg(help_heading = "What is recorded", long, value_name = "REGEX", default_value = tickets::DEFAULT_PATTERN)]
    ticket_pattern: String,
    /// What makes this fail after everything is recorded: bypasses (exit 4), incomplete (exit 1: something of the time could
    /// not be read)
    #[arg(long, value_name = "WHAT", value_parser = ["bypasses", "incomplete"], action = clap::ArgAction::Append)]
    fail_on: Vec<String>,
    /// Print the statements that would be signed, one a line, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// One JSON object a record on standard output, its receipt, and a last one that sums up
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    api: ApiArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

/// The words that every mode understands the same.
struct Common {
    made: Made,
    tickets: Regex,
    pipeline_files: PipelineFiles,
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args, sources: &Sources) -> Answer {
    let common = Common {
        made: Made::here(world),
        tickets: tickets::pattern(&args.ticket_pattern).map_err(|e| {
            Failure::usage(format!("--ticket-pattern: {e}"), "it is a regular expression of Rust's regex crate")
        })?,
        pipeline_files: args.api.pipeline_files()?,
    };
    match args.environment.trim() {
        "" => return Err(Failure::usage("--environment is empty", "say a name, or leave it out")),
        name if name.len() > 200 => {
            return Err(Failure::usage("--environment is longer than 200 bytes", "say a shorter name"));
        }
        _ => {}
    }
    let timed = args.since.is_some() || args.from.is_some();
    match (&args.event, timed, args.population) {
        (Some(file), false, false) => event::run(world, args, &common, file, sources),
        (None, true, false) => since::run(world, args, &common),
        (None, true, true) => population::run(world, args, &common),
        (None, false, true) => Err(Failure::usage("--population needs a time", "say --since 7d, or --from and --to")),
        (None, false, false) => Err(Failure::usage(
            "nothing was said to collect",
            "say --event FILE, or --since 26h; `--help` has examples",
        )),
        (Some(_), ..) => Err(Failure::usage(
            "--event does not go together with --since, --from or --population",
            "an event is of the moment that it tells; run the command twice",
        )),
    }
}

impl Args {
    /// The repository by its name on the command line, else the one that the platform names.
    fn repository(&self, made: &Made) -> Option<Repository> {
        let theirs = made.facts.repository.clone();
        match &self.repository {
            Some(name) => theirs
                .filter(|r| r.name.as_deref().is_some_and(|theirs| theirs.eq_ignore_ascii_case(name)))
                .or_else(|| Some(Repository { name: Some(name.clone()), ..Repository::default() })),
            None => theirs,
        }
    }

    fn fails_on(&self, what: &str) -> bool {
        self.fail_on.iter().any(|word| word == what)
    }
}

/// What is missing of what was asked for, where that has to fail.
fn incomplete(args: &Args, missing: &[String]) -> Answer {
    match missing {
        [] => Ok(Exit::Done),
        _ if !args.fails_on("incomplete") => Ok(Exit::Done),
        [first, ..] => Err(Failure::failed(
            anyhow::anyhow!("not everything could be read: {first}"),
            "what could be read is recorded; the warnings say what would help",
        )),
    }
}
