//! Words to calls, calls to words, exit codes: one file a command, and the only place that prints.

mod about;
mod anchors;
mod asking;
mod attest;
mod changes;
mod collect;
mod delivery;
mod doctor;
mod emergency;
mod exit;
mod flush;
mod identity;
mod inspect;
mod key;
mod ledger;
mod list;
mod lock;
mod made;
mod man;
mod operator;
mod outputs;
mod progress;
mod proof;
mod recorded;
mod review;
mod run;
mod schema;
mod show;
mod storing;
mod summary;
mod told;
mod trust;
mod twins;
mod verify;
mod words;
mod world;

pub use world::{Ended, Launch, Launcher, Random, World};

use crate::vault::{Vault, VaultError};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use exit::{Answer, Exit, Failure};
use std::io::Write as _;
use std::process::ExitCode;

/// Signed, write-once evidence of what a pipeline run did.
#[derive(Parser)]
#[command(name = "vouchsafe", version, about, long_about = LONG, max_term_width = 100, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const LONG: &str = "\
Signed, write-once evidence of what a pipeline run did.

Run `attest` as the last step of a pipeline: it gathers test outcomes, image and artifact digests, the commit, the \
operator and the environment into one record, signs it, and puts it into a vault where nobody can change it. \
`run -- COMMAND` does the same around a deployment by hand. `list`, `show` and `verify` answer the auditor, offline, with the public key and nothing else.

Every flag has a VOUCHSAFE_* twin (--vault is VOUCHSAFE_VAULT; several values go one a line), and vouchsafe.toml in \
the repository may set defaults. A flag wins over its variable, a variable over the file.

Exit codes: 0 done · 1 could not do it · 2 wrong words · 3 something does not verify · 4 findings · 5 a different \
record for this run stands already · 6 signed and kept here, not delivered";

#[derive(Subcommand)]
enum Command {
    Attest(Box<attest::Args>),
    Run(Box<run::Args>),
    Collect(Box<collect::Args>),
    Review(Box<review::Args>),
    Verify(verify::Args),
    List(list::Args),
    Show(show::Args),
    Inspect(inspect::Args),
    Flush(flush::Args),
    Doctor(doctor::Args),
    Ledger(ledger::Args),
    Key(key::Args),
    Schema(schema::Args),
    Completions(schema::CompletionArgs),
    Man(man::Args),
}

/// Runs the whole program in `world` and answers with its exit code.
pub fn run(mut world: World) -> ExitCode {
    let exit = match parse_and_run(&mut world) {
        Ok(exit) => exit,
        Err(failure) => {
            words::tell(&mut world, &failure);
            failure.exit
        }
    };
    let flushed = world.stdout.flush();
    let _ = world.stderr.flush();
    match flushed {
        // A reader that went away (`| head`) has what it wanted.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Exit::Failed.max(exit).into(),
        _ => exit.into(),
    }
}

fn parse_and_run(world: &mut World) -> Answer {
    let tree = twins::document(Cli::command());
    let (words, sources) = match twins::fill(world, &tree) {
        Err(failure) if run::is_meant(world) => return Err(Failure { exit: run::BEFORE, ..failure }),
        filled => filled?,
    };
    let parsed = tree.try_get_matches_from(words).and_then(|m| Cli::from_arg_matches(&m));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(e) => {
            let asked_for = !e.use_stderr();
            let text = e.render().to_string();
            if asked_for {
                let _ = write!(world.stdout, "{text}");
            } else {
                // It quotes the wrong word, which may be anybody's.
                words::usage(world, &text);
            }
            if !asked_for && !sources.is_empty() {
                let told: Vec<String> = sources.iter().map(|(long, s)| twins::said_by(s, long)).collect();
                world.say(&format!("note: also read from {}", told.join(", ")));
            }
            let wrong = if run::is_meant(world) { run::BEFORE } else { Exit::Usage };
            return Ok(if asked_for { Exit::Done } else { wrong });
        }
    };
    match cli.command {
        Command::Attest(args) => attest::run(world, &args, &sources),
        Command::Run(args) => run::run(world, &args, &sources),
        Command::Collect(args) => collect::run(world, &args, &sources),
        Command::Review(args) => review::run(world, &args),
        Command::Verify(args) => verify::run(world, &args),
        Command::List(args) => list::run(world, &args),
        Command::Show(args) => show::run(world, &args),
        Command::Inspect(args) => inspect::run(world, &args),
        Command::Flush(args) => flush::run(world, &args),
        Command::Doctor(args) => doctor::run(world, &args),
        Command::Ledger(args) => ledger::run(world, &args),
        Command::Key(args) => key::run(world, &args),
        Command::Schema(args) => schema::run(world, &args),
        Command::Completions(args) => schema::completions(world, &args, Cli::command()),
        Command::Man(args) => man::run(world, &args, twins::document(Cli::command())),
    }
}

/// Opens the vault that `--vault` names, with the settings of this world.
fn open_vault(world: &World, url: &str) -> Result<Vault, Failure> {
    Ok(open_or_why(world, url)?)
}

/// The same for who has to tell the reasons apart.
fn open_or_why(world: &World, url: &str) -> Result<Vault, VaultError> {
    let (env, cwd) = (world.env.clone(), world.cwd.clone());
    // Many jobs start at the same moment; the clock's last digits keep their retries apart.
    let seed = (world.now)().timestamp_subsec_nanos().into();
    let patience = crate::vault::Patience { seed, ..Default::default() };
    Vault::open(url, &crate::vault::Settings { env, cwd, patience })
}
