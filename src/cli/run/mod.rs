//! `vouchsafe run -- COMMAND`: a deployment by hand, that leaves the same evidence as a pipeline.

mod draft;
mod ended;
mod reason;

use super::about::{self, AboutArgs, Known};
use super::changes::{self, ChangesArgs, There};
use super::exit::{Answer, Exit, Failure};
use super::identity::{self, IdentityArgs};
use super::operator;
use super::recorded::{self, StoringArgs};
use super::storing;
use super::twins::Sources;
use super::words;
use super::world::{Launch, World};
use crate::gather::redact;
use crate::record::run_v1::Manual;
use regex::Regex;
use std::ffi::OsString;

/// What `run` ends with when something goes wrong before the command begins (the convention of env(1), timeout(1), nohup(1)).
pub(crate) const BEFORE: Exit = Exit::Of(125);

/// Secrets of ours that the command has no business with.
const OURS: [&str; 6] = [
    "VOUCHSAFE_SIGNING_KEY",
    "VOUCHSAFE_PASSPHRASE",
    "VOUCHSAFE_OPERATOR_TOKEN",
    "VOUCHSAFE_API_TOKEN",
    "VOUCHSAFE_ID_TOKEN",
    "VOUCHSAFE_WEBHOOK_SECRET",
];

/// Run a deployment by hand, and record it as a pipeline's run is recorded
///
/// The command has this terminal, its input and output untouched; signals that are sent here reach it, and its exit code is
/// the answer. Command, start, end, exit code, host, user and reason are signed and stored when it ends, also when it fails.
/// Before it begins, a first word about it is signed and kept in the spool: if this wrapper is killed, the next
/// `vouchsafe` there delivers that.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe run --environment production --reason 'hotfix for SHOP-12' --ticket SHOP-12 -- ./deploy.sh v1.2.3
  vouchsafe run --environment production --emergency --reason 'checkout is down' -- kubectl rollout undo deploy/shop

Exit codes: the command's own; 128 and the signal's number where one ended it · 125 something went wrong before the command
began · 126 it cannot be started · 127 it was not found. Trouble with the evidence after it is told on standard error, and
with --strict (or where --require-changes fails) ends with the codes of `attest` where the command itself succeeded")]
pub(crate) struct Args {
    #[command(flatten)]
    about: AboutArgs,
    /// Trouble with the evidence makes this fail although the command succeeded
    #[arg(help_heading = "What is run", long)]
    strict: bool,
    /// Also keep words of the command out of the record that match this regular expression; secrets that show as such are
    /// kept out by themselves
    #[arg(help_heading = "What is run", long, value_name = "REGEX", action = clap::ArgAction::Append)]
    redact: Vec<String>,
    /// Record only the name of the program, not its arguments
    #[arg(help_heading = "What is run", long)]
    redact_all: bool,
    #[command(flatten)]
    changes: ChangesArgs,
    #[command(flatten)]
    identity: IdentityArgs,
    #[command(flatten)]
    storing: StoringArgs,
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Whether the words mean this command, also where the rest of them cannot be understood.
pub(crate) fn is_meant(world: &World) -> bool {
    world.args.get(1).is_some_and(|word| word == "run")
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args, sources: &Sources) -> Answer {
    let before = |failure: Failure| Failure { exit: BEFORE, ..failure };
    let mut about = args.about.clone();
    reason::ask(world, &mut about).map_err(before)?;
    let told = recorded_words(args).map_err(before)?;
    args.changes.api.pipeline_files().map_err(before)?;
    let mut ready = storing::ready(world, &args.storing.place).map_err(before)?;
    let seed = super::ledger::fresh_id(world).map_err(before)?;
    let began = (world.now)();
    let manual = Manual { command: told, ..Manual::default() };
    // A token of minutes must not have to outlive a deployment of hours.
    let by_token = operator::from_token(world, &about);
    let known = |manual, ended| Known {
        manual: Some(manual),
        ended,
        started_on: Some(began),
        seed: Some(seed),
        by_token: Some(by_token.clone()),
        ..Known::default()
    };
    let earlier = draft::keep(world, args, &about, sources, &ready, known(manual.clone(), None)).map_err(before)?;

    let launch = Launch {
        program: args.command.first().cloned().unwrap_or_default(),
        args: args.command.iter().skip(1).cloned().collect(),
        without: OURS.to_vec(),
        with: vec![("VOUCHSAFE_WRAPPED", seed.to_string())],
    };
    let ended = (world.launch)(&launch);
    let ended = ended::Ended::of(ended);
    ended.tell(world, &launch);

    let ca = args.changes.api.believed(world);
    let known = Known { ca: ca.clone(), ..known(ended.in_record(manual), Some(ended.outcome)) };
    let gathered = about::gathered(world, &about, known, sources);
    let mut required = false;
    let evidence = gathered.and_then(|mut gathered| {
        words::warn(world, &gathered.warnings);
        words::warn(world, &gathered.unreadable);
        let there = There { place: &args.storing.place, ready: Some(&ready) };
        changes::learn(world, &args.changes, &about, &there, &mut gathered)?;
        identity::add(world, &args.identity, ca, &mut gathered);
        let stored = recorded::store(world, &args.storing, &gathered, &mut ready, false, earlier)?;
        let verdict = changes::verdict(&args.changes, &gathered.record);
        required = verdict.is_err();
        verdict.map(|_| stored)
    });
    let trouble = match evidence {
        Ok(exit) => exit,
        Err(failure) => {
            words::tell(world, &failure);
            failure.exit
        }
    };
    let own = Exit::Of(ended.code);
    Ok(if ended.code == 0 && (args.strict || required) && trouble != Exit::Done { trouble } else { own })
}

/// The words of the command as they enter the record.
fn recorded_words(args: &Args) -> Result<Vec<String>, Failure> {
    let words: Vec<String> = args.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let rule = |text: &String| {
        Regex::new(text).map_err(|e| {
            Failure::usage(format!("--redact `{text}`: {e}"), "it is a regular expression of Rust's regex crate")
        })
    };
    let rules = args.redact.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
    let mut told = redact::command(&words, &rules);
    if args.redact_all && told.len() > 1 {
        told.truncate(1);
        told.push(format!("[{} redacted]", words.len() - 1));
    }
    Ok(told)
}
