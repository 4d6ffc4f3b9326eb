//! `vouchsafe attest`: the last pipeline step.

use super::exit::{Answer, Exit, Failure};
use super::trust::{self, SignArgs, TrustArgs};
use super::twins::{Source, Sources};
use super::world::World;
use super::{open_vault, progress, words};
use crate::attest::{self, Receipt, Stored};
use crate::export::{sheet, shown};
use crate::gather::platform::{self, Env};
use crate::gather::{Ask, Gathered, gather, outcome, tickets};
use crate::record::parts_v1::{How, Status};
use crate::seal::SealError;
use crate::seal::trust::TrustSet;
use crate::vault::lock::{Mode, Period, Retention};
use crate::vault::{Vault, VaultError};
use chrono::{DateTime, Utc};
use std::io::Write as _;
use std::path::PathBuf;

/// Folder in the working directory where a signed record stays that could not be delivered.
const SPOOL: &str = ".vouchsafe-spool";

/// Gather, sign and store the record of this run, and print where it is
///
/// Run it as the last step of a pipeline, also when the run failed: a failed run is evidence too. With no --vault the
/// record goes into ./.vouchsafe, a vault on this disk, and a first call there makes a key for you.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe attest --environment demo --report 'reports/**/*.xml'
  vouchsafe attest --environment production --vault s3://evidence --signing-key /run/secrets/key.pem \\
      --image registry/app@sha256:… --report 'junit/*.xml' --outcome success

Exit codes: 0 stored · 1 could not do it, or a report could not be read · 2 wrong words · 4 a lock did not hold, or
tests failed under --fail-on tests · 5 a different record for this run stands already (both are kept) · 6 signed, not
delivered, kept in .vouchsafe-spool")]
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
    /// Test reports (JUnit XML): paths or globs; may be said more than once
    #[arg(long, value_name = "GLOB", action = clap::ArgAction::Append)]
    report: Vec<String>,
    /// Take the reports for this format instead of recognising it
    #[arg(long, value_name = "NAME")]
    report_format: Option<String>,
    /// Files that were built or deployed: paths or globs, recorded by SHA-256
    #[arg(long, value_name = "GLOB", action = clap::ArgAction::Append)]
    artifact: Vec<String>,
    /// Image that was built or deployed: name@sha256:…, or name:tag with --resolve
    #[arg(long, value_name = "REF", action = clap::ArgAction::Append)]
    image: Vec<String>,
    /// Ask the registry for the digest of an --image that has only a tag
    #[arg(long)]
    resolve: bool,
    /// Metadata file that `docker buildx build --metadata-file` wrote
    #[arg(long, value_name = "FILE", action = clap::ArgAction::Append)]
    image_metadata: Vec<PathBuf>,
    /// OCI image layout folder
    #[arg(long, value_name = "DIR", action = clap::ArgAction::Append)]
    oci_layout: Vec<PathBuf>,
    /// File that `docker build --iidfile` wrote
    #[arg(long, value_name = "FILE", action = clap::ArgAction::Append)]
    iidfile: Vec<PathBuf>,
    /// How the run ended: success, failure, cancelled … in any platform's word, or an exit code
    #[arg(long, value_name = "WORD")]
    outcome: Option<String>,
    /// GitHub's ${{ toJSON(needs) }}: what the jobs before this one ended with
    #[arg(long, value_name = "JSON")]
    needs: Option<String>,
    /// Ticket that the change answers to
    #[arg(long, value_name = "ID", action = clap::ArgAction::Append)]
    ticket: Vec<String>,
    /// How a ticket looks in branch, commit message and pull request title (regular expression)
    #[arg(long, value_name = "REGEX", default_value = tickets::DEFAULT_PATTERN)]
    ticket_pattern: String,
    /// Environment variable to keep in the record; one that looks like a secret is refused
    #[arg(long, value_name = "NAME", action = clap::ArgAction::Append)]
    env: Vec<String>,
    /// Who answers for the run, where the platform does not say it
    #[arg(long, value_name = "LOGIN")]
    operator: Option<String>,
    /// The person for whom a machine account acted
    #[arg(long, value_name = "LOGIN")]
    on_behalf_of: Option<String>,
    /// Id of the run, where no platform tells one
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
    /// Commit, where neither platform nor repository tells it
    #[arg(long, value_name = "SHA")]
    commit: Option<String>,
    /// Why this was done by hand
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Folder of the repository; globs start here
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    working_directory: PathBuf,
    #[command(flatten)]
    sign: SignArgs,
    #[command(flatten)]
    trust: TrustArgs,
    /// How long the store must keep the record: 400d, 13mo, 2y
    #[arg(long, value_name = "PERIOD", default_value = Period::DEFAULT)]
    retain: String,
    /// Lock to ask of the store; default: compliance where the store can lock, none in a folder
    #[arg(long, value_name = "MODE", value_parser = ["compliance", "governance", "none"])]
    lock_mode: Option<String>,
    /// Also put a legal hold on the record
    #[arg(long)]
    legal_hold: bool,
    /// What makes this step fail after the record is stored: tests (exit 4), reports that cannot be read (exit 1), never
    #[arg(long, value_name = "WHAT", value_parser = ["tests", "reports", "never"], default_values = ["reports"],
          action = clap::ArgAction::Append)]
    fail_on: Vec<String>,
    /// Also write the signed bundle to this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print the statement that would be signed, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the receipt as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args, sources: &Sources) -> Answer {
    let gathered = gathered(world, args, sources)?;
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
        return Ok(verdict(args, &gathered));
    }
    let vault = open_vault(world, &args.vault)?;
    let lock = lock(args, &vault, record.recorded_on)?;
    let signer = match trust::signer(world, &args.sign)? {
        Some(signer) => signer,
        None if vault.is_local() => trust::user_signer(world, &args.sign)?,
        None => {
            return Err(Failure::failed(
                anyhow::anyhow!("no signing key: {} needs one", shown::line(&args.vault)),
                "say --signing-key FILE (or set VOUCHSAFE_SIGNING_KEY); `vouchsafe key new` makes a key",
            ));
        }
    };
    trust::trust_in_new_vault(world, &vault, &signer)?;
    let sealed = attest::seal(record, &signer).map_err(seal_failure)?;
    if let Some(file) = &args.output {
        write_bundle(world, file, &sealed.bytes)?;
    }
    let own = TrustSet::of(signer.public_key());
    let trusting = trust::trust_set(world, &args.trust, vault.local_root()).map_or(own, |t| t.set);
    if let Err(distrust) = trusting.covers(&sealed.keyid, &record.environment, record.recorded_on) {
        words::warn(world, &[format!("this record will not verify here: {distrust}")]);
    }
    match attest::put(record, &sealed, &vault, lock.as_ref(), &trusting) {
        Ok(receipt) => {
            words::warn(world, &receipt.warnings);
            tell(world, args, &gathered, &receipt)?;
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
            Ok(verdict(args, &gathered))
        }
        Err(e) => Err(put_failure(world, e, &sealed.bytes)),
    }
}

fn gathered(world: &mut World, args: &Args, sources: &Sources) -> Result<Gathered, Failure> {
    let env = Env::new(world.env.clone());
    let mut random = [0u8; 10];
    if !(world.random)(&mut random) {
        return Err(anyhow::anyhow!("the operating system gave no random bytes for the record's id").into());
    }
    let now = (world.now)();
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    let outcome = args.outcome.as_deref().map(|word| {
        outcome::from_word(word).ok_or_else(|| {
            Failure::usage(
                format!("--outcome `{word}` is not a word for how a run ends"),
                format!("say success or failure; known are {}", outcome::WORDS),
            )
        })
    });
    let dir = world.at(&args.working_directory);
    if !dir.is_dir() {
        let message = format!("--working-directory `{}` is not a folder", args.working_directory.display());
        return Err(Failure::failed(anyhow::anyhow!(message), "name the folder of the checkout"));
    }
    let ask = Ask {
        environment: args.environment.clone(),
        component: args.component.clone(),
        dir,
        reports: args.report.clone(),
        report_format: args.report_format.clone(),
        artifacts: args.artifact.clone(),
        images: images(args),
        resolve: args.resolve,
        docker_config: docker_config(world),
        outcome: outcome.transpose()?,
        needs: args.needs.clone(),
        tickets: args.ticket.clone(),
        ticket_pattern: tickets::pattern(&args.ticket_pattern).map_err(|e| {
            Failure::usage(format!("--ticket-pattern: {e}"), "it is a regular expression of Rust's regex crate")
        })?,
        variables: args.env.clone(),
        operator: args.operator.clone(),
        on_behalf_of: args.on_behalf_of.clone(),
        run_id: args.run_id.clone(),
        commit: args.commit.clone(),
        reason: args.reason.clone(),
        user: world.user.clone(),
        host: world.host.clone(),
        tty: world.stderr_is_terminal,
        now,
        record_id: uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
        sources: sources
            .iter()
            .map(|(long, source)| {
                let source = match source {
                    Source::Variable(name) => (How::Flag, name.clone()),
                    Source::File => (How::Configuration, super::twins::FILE.to_owned()),
                };
                (long.clone(), source)
            })
            .collect(),
    };
    let platform = platform::detect(&env);
    let terminal = world.stderr_is_terminal;
    let mut shown = progress::Shown::new(&mut world.stderr, &world.now, terminal);
    let mut step = |what: &str, done: u64, of: Option<u64>| shown.step(what, done, of, progress::Unit::Bytes);
    let gathered = gather(&ask, &env, platform, &mut step);
    drop(shown);
    gathered.map_err(|e| Failure::usage(e.to_string(), "`vouchsafe attest --help` has examples"))
}

/// Every image by its source, in the order of the sources.
fn images(args: &Args) -> Vec<(String, String)> {
    let paths = |paths: &[PathBuf]| paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>();
    let by_flag = [
        ("image", args.image.clone()),
        ("image-metadata", paths(&args.image_metadata)),
        ("oci-layout", paths(&args.oci_layout)),
        ("iidfile", paths(&args.iidfile)),
    ];
    by_flag.into_iter().flat_map(|(flag, values)| values.into_iter().map(move |v| (flag.to_owned(), v))).collect()
}

/// Where docker keeps its credentials (docker CLI: `DOCKER_CONFIG`, else `~/.docker`).
fn docker_config(world: &World) -> Option<PathBuf> {
    let folder = world.var("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| world.var("HOME").map(|home| PathBuf::from(home).join(".docker")))?;
    Some(world.at(folder).join("config.json")).filter(|f| f.is_file())
}

fn lock(args: &Args, vault: &Vault, recorded_on: DateTime<Utc>) -> Result<Option<Retention>, Failure> {
    let mode = match args.lock_mode.as_deref() {
        Some("none") => {
            return if args.legal_hold {
                Err(Failure::usage("--legal-hold and --lock-mode none contradict each other", "leave one of them out"))
            } else {
                Ok(None)
            };
        }
        Some("governance") => Mode::Governance,
        Some(_) => Mode::Compliance,
        None if !vault.is_local() || args.legal_hold => Mode::Compliance,
        None => return Ok(None),
    };
    // From the record's own time: a step that runs twice asks for the lock that stands.
    let now = recorded_on;
    let beyond = || Failure::usage(format!("--retain {} is beyond the calendar", args.retain), "say 400d");
    let period =
        Period::parse(&args.retain).map_err(|e| Failure::usage(e.to_string(), "13 months and a margin are 400d"))?;
    let until = period.after(now).ok_or_else(beyond)?;
    Ok(Some(Retention { mode, until, legal_hold: args.legal_hold }))
}

fn verdict(args: &Args, gathered: &Gathered) -> Exit {
    let on = |what: &str| args.fail_on.iter().any(|w| w == what) && !args.fail_on.iter().any(|w| w == "never");
    if on("reports") && !gathered.unreadable.is_empty() {
        Exit::Failed
    } else if on("tests")
        && (gathered.tests_failed() || sheet::worst(&gathered.record).is_some_and(|v| v.as_str() == "empty"))
    {
        Exit::Findings
    } else {
        Exit::Done
    }
}

fn seal_failure(error: SealError) -> Failure {
    Failure { exit: Exit::Failed, error: anyhow::anyhow!(error).context("could not sign the record"), help: None }
}

/// The record is signed and could not be put: it must not be lost.
fn put_failure(world: &mut World, error: VaultError, bundle: &[u8]) -> Failure {
    if let VaultError::LockNotObserved { .. } = error {
        return Failure { exit: Exit::Findings, error: error.into(), help: None };
    }
    let dir = world.at(SPOOL);
    let file = dir.join(format!("{}.json", crate::record::digest::Sha256Digest::of(bundle)));
    let kept = std::fs::create_dir_all(&dir).and_then(|()| {
        let mut out = std::fs::OpenOptions::new().write(true).create_new(true).open(&file)?;
        out.write_all(bundle)?;
        out.sync_all()
    });
    let (exit, help) = match kept {
        Ok(()) => (
            Exit::Undelivered,
            format!("the signed record is kept in {} and verifies there: nothing was lost", file.display()),
        ),
        Err(e) => (
            Exit::Failed,
            format!(
                "the signed record could not be kept in {} either ({e}): mend the vault and run the step again",
                file.display()
            ),
        ),
    };
    Failure { exit, error: anyhow::anyhow!(error).context("could not store the record"), help: Some(help) }
}

fn write_bundle(world: &World, file: &std::path::Path, bytes: &[u8]) -> Result<(), Failure> {
    use anyhow::Context as _;
    Ok(std::fs::write(world.at(file), bytes).with_context(|| format!("could not write `{}`", file.display()))?)
}

fn tell(world: &mut World, args: &Args, gathered: &Gathered, receipt: &Receipt) -> anyhow::Result<()> {
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
    lines.push(format!("  tests     {}", tests_line(gathered)));
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
    for line in lines {
        world.say(&shown::line(&line));
    }
    Ok(())
}

fn tests_line(gathered: &Gathered) -> String {
    let record = &gathered.record;
    let Some(worst) = sheet::worst(record) else { return "no report".to_owned() };
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
    format!(
        "{} in {reports} report{}{}",
        worst.as_str(),
        if reports == 1 { "" } else { "s" },
        counts.unwrap_or_default()
    )
}
