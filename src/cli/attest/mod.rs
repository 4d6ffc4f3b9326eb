//! `vouchsafe attest`: the last pipeline step.

mod heartbeat;

use super::about::{self, AboutArgs, Known};
use super::changes::{self, ChangesArgs, There};
use super::exit::{Answer, Exit, Failure};
use super::identity::{self, IdentityArgs};
use super::recorded::{self, StoringArgs};
use super::storing;
use super::twins::Sources;
use super::words;
use super::world::World;
use crate::attest;
use crate::export::sheet;
use crate::gather::Gathered;
use crate::record::test_run_v1::Verdict;

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

Exit codes: 0 stored · 1 could not do it, or a report could not be read · 2 wrong words · 4 a lock did not hold, tests
failed under --fail-on tests, or changes are missing under --require-changes · 5 a different record for this run stands already (both are kept) · 6 signed and kept
in the spool, not delivered: `vouchsafe flush`, or the next attest, delivers it")]
pub(crate) struct Args {
    #[command(flatten)]
    about: AboutArgs,
    /// How the run ended: success, failure, cancelled … in any platform's word, or an exit code
    #[arg(help_heading = "What the platform may not say", long, value_name = "WORD")]
    outcome: Option<String>,
    /// GitHub's ${{ toJSON(needs) }}: what the jobs before this one ended with
    #[arg(help_heading = "What the platform may not say", long, value_name = "JSON")]
    needs: Option<String>,
    /// No record: only add to the ledger that somebody is still here and how many records it has. Once a day, so that
    /// silence is a statement; adds records of the last two days that no entry names
    #[arg(long)]
    heartbeat: bool,
    /// What makes this step fail after the record is stored: tests (exit 4), reports that cannot be read (exit 1), never
    #[arg(long, value_name = "WHAT", value_parser = ["tests", "reports", "never"], default_values = ["reports"],
          action = clap::ArgAction::Append)]
    fail_on: Vec<String>,
    /// Print the statement that would be signed, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the receipt as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    changes: ChangesArgs,
    #[command(flatten)]
    identity: IdentityArgs,
    #[command(flatten)]
    storing: StoringArgs,
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args, sources: &Sources) -> Answer {
    if args.heartbeat {
        return heartbeat::run(world, args, sources);
    }
    let ca = args.changes.api.believed(world);
    let known =
        Known { outcome: args.outcome.as_deref(), needs: args.needs.as_deref(), ca: ca.clone(), ..Known::default() };
    let mut gathered = about::gathered(world, &args.about, known, sources)?;
    words::warn(world, &gathered.warnings);
    words::warn(world, &gathered.unreadable);
    let there = |ready| There { place: &args.storing.place, ready };
    if args.dry_run {
        changes::learn(world, &args.changes, &args.about, &there(None), &mut gathered)?;
        identity::add(world, &args.identity, ca, &mut gathered);
        let record = gathered.record.clone().into();
        let statement = attest::statement(&record).map_err(storing::seal_failure)?;
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
    let mut ready = storing::ready(world, &args.storing.place)?;
    changes::learn(world, &args.changes, &args.about, &there(Some(&ready)), &mut gathered)?;
    identity::add(world, &args.identity, ca, &mut gathered);
    recorded::store(world, &args.storing, &gathered, &mut ready, args.json, None)?;
    verdict(args, &gathered)
}

/// What --fail-on and --require-changes make of the record, after it is stored.
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
    changes::verdict(&args.changes, &gathered.record)
}
