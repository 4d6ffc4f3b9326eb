//! What a record is to say: the flags that `attest` and `run` share, as questions to the pillars.

use super::exit::Failure;
use super::operator::{self, FromToken};
use super::progress;
use super::twins::{self, Source, Sources};
use super::world::World;
use crate::gather::platform::{self, Env};
use crate::gather::{Ask, Emergency, Gathered, TestExit, gather, outcome, report, tickets};
use crate::record::parts_v1::{How, Outcome};
use crate::record::run_v1::Manual;
use chrono::{DateTime, Utc};
use std::path::PathBuf;

/// What the record says.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct AboutArgs {
    /// Environment that was deployed to or tested for; default: what the platform says
    #[arg(short, long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Which of several records of this run: a service of a monorepo, a leg of a matrix
    #[arg(long, value_name = "NAME")]
    pub(crate) component: Option<String>,
    /// Reports of tests, scans and coverage, and archives of them (zip, tar, gzip): paths or globs; may be said more than
    /// once
    #[arg(help_heading = "What was tested and built", long, value_name = "GLOB", action = clap::ArgAction::Append)]
    pub(crate) report: Vec<String>,
    /// Take the reports for this format instead of recognising it; GLOB=NAME for some of them
    #[arg(help_heading = "What was tested and built", long, value_name = "NAME", action = clap::ArgAction::Append)]
    pub(crate) report_format: Vec<String>,
    /// Least severity that fails a scan, where the scanner's own rule should not count
    #[arg(help_heading = "What was tested and built", long, value_name = "WORD", value_parser = clap::builder::PossibleValuesParser::new(report::THRESHOLDS))]
    pub(crate) gate_threshold: Option<String>,
    /// What a command that ran tests ended with. NAME is a report's path or file name, a glob of reports, or the command's
    /// own name. Not 0 is failed, whatever its reports say: some say nothing of a suite that did not load
    #[arg(help_heading = "What was tested and built", long, value_name = "NAME=CODE", action = clap::ArgAction::Append)]
    pub(crate) test_exit: Vec<String>,
    /// Files that were built or deployed: paths or globs, recorded by SHA-256
    #[arg(help_heading = "What was tested and built", long, value_name = "GLOB", action = clap::ArgAction::Append)]
    pub(crate) artifact: Vec<String>,
    /// Image that was built or deployed: name@sha256:…, or name:tag with --resolve
    #[arg(help_heading = "What was tested and built", long, value_name = "REF", action = clap::ArgAction::Append)]
    pub(crate) image: Vec<String>,
    /// Ask the registry for the digest of an --image that has only a tag
    #[arg(help_heading = "What was tested and built", long)]
    pub(crate) resolve: bool,
    /// Metadata file that `docker buildx build --metadata-file` wrote
    #[arg(help_heading = "What was tested and built", long, value_name = "FILE", action = clap::ArgAction::Append)]
    pub(crate) image_metadata: Vec<PathBuf>,
    /// OCI image layout folder
    #[arg(help_heading = "What was tested and built", long, value_name = "DIR", action = clap::ArgAction::Append)]
    pub(crate) oci_layout: Vec<PathBuf>,
    /// File that `docker build --iidfile` wrote
    #[arg(help_heading = "What was tested and built", long, value_name = "FILE", action = clap::ArgAction::Append)]
    pub(crate) iidfile: Vec<PathBuf>,
    /// Ticket that the change answers to
    #[arg(help_heading = "What the platform may not say", long, value_name = "ID", action = clap::ArgAction::Append)]
    pub(crate) ticket: Vec<String>,
    /// How a ticket looks in branch, commit message and pull request title (regular expression)
    #[arg(help_heading = "What the platform may not say", long, value_name = "REGEX", default_value = tickets::DEFAULT_PATTERN)]
    pub(crate) ticket_pattern: String,
    /// Environment variable to keep in the record; one that looks like a secret is refused
    #[arg(help_heading = "What the platform may not say", long, value_name = "NAME", action = clap::ArgAction::Append)]
    pub(crate) env: Vec<String>,
    /// Who answers for the run, where the platform does not say it
    #[arg(help_heading = "What the platform may not say", long, value_name = "LOGIN")]
    pub(crate) operator: Option<String>,
    /// Token of a single sign-on (JSON Web Token, in a file or the variable itself) that names who answers for the run
    #[arg(help_heading = "What the platform may not say", long, value_name = "FILE")]
    pub(crate) operator_token: Option<String>,
    /// Keys of the token's issuer (JSON Web Key Set); without them the token is only a claim
    #[arg(help_heading = "What the platform may not say", long, value_name = "FILE")]
    pub(crate) operator_jwks: Option<PathBuf>,
    /// The person for whom a machine account acted
    #[arg(help_heading = "What the platform may not say", long, value_name = "LOGIN")]
    pub(crate) on_behalf_of: Option<String>,
    /// Id of the run, where no platform tells one
    #[arg(help_heading = "What the platform may not say", long, value_name = "ID")]
    pub(crate) run_id: Option<String>,
    /// Commit, where neither platform nor repository tells it
    #[arg(help_heading = "What the platform may not say", long, value_name = "SHA")]
    pub(crate) commit: Option<String>,
    /// Why this was done by hand
    #[arg(help_heading = "What the platform may not say", long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The usual controls were set aside for this: needs --reason, and is to be reviewed afterwards
    #[arg(help_heading = "What the platform may not say", long)]
    pub(crate) emergency: bool,
    /// Who agreed to the emergency
    #[arg(help_heading = "What the platform may not say", long, value_name = "LOGIN")]
    pub(crate) approved_by: Option<String>,
    /// Working days (Monday to Friday) within which an emergency has to be reviewed
    #[arg(help_heading = "What the platform may not say", long, value_name = "DAYS", default_value = "2",
          value_parser = clap::value_parser!(u16).range(0..=250))]
    pub(crate) review_days: u16,
    /// Where the platform counts no attempts: another job's record of this very run is an earlier attempt, and this one
    /// gets the next number (GitLab's retried jobs)
    #[arg(help_heading = "What the platform may not say", long)]
    pub(crate) count_attempts: bool,
    /// Folder of the repository; globs start here
    #[arg(short = 'C', long, value_name = "DIR", default_value = ".")]
    pub(crate) working_directory: PathBuf,
}

/// What only one of the commands knows of the run.
#[derive(Default)]
pub(crate) struct Known<'a> {
    /// `--outcome`, in any platform's word.
    pub(crate) outcome: Option<&'a str>,
    /// `--needs`.
    pub(crate) needs: Option<&'a str>,
    /// What `run` ran, and how that ended.
    pub(crate) manual: Option<Manual>,
    /// How the command ended; absent while it has not.
    pub(crate) ended: Option<Outcome>,
    /// When it began.
    pub(crate) started_on: Option<DateTime<Utc>>,
    /// Id for a run that no platform gives one, instead of the record's own.
    pub(crate) seed: Option<uuid::Uuid>,
    /// Certificate authorities that a registry is believed by, beside those of the system.
    pub(crate) ca: Option<Vec<u8>>,
    /// Who a token named when the command began: it may have expired since. Absent where it is to be asked now.
    pub(crate) by_token: Option<FromToken>,
}

/// Gathers the record.
pub(crate) fn gathered(
    world: &mut World,
    args: &AboutArgs,
    known: Known,
    sources: &Sources,
) -> Result<Gathered, Failure> {
    let env = Env::new(world.env.clone());
    let mut random = [0u8; 10];
    if !(world.random)(&mut random) {
        return Err(anyhow::anyhow!("the operating system gave no random bytes for the record's id").into());
    }
    let now = (world.now)();
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    let outcome = known.outcome.map(|word| {
        outcome::from_word(word).ok_or_else(|| {
            Failure::usage(
                format!("--outcome `{word}` is not a word for how a run ends"),
                format!("say success or failure; known are {}", outcome::WORDS),
            )
        })
    });
    let by_token = known.by_token.unwrap_or_else(|| operator::from_token(world, args));
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
        report: report::Ask::new(&args.report_format, args.gate_threshold.as_deref()).map_err(|e| {
            Failure::usage(format!("--report-format: {e}"), "say NAME for all reports, or GLOB=NAME for some")
        })?,
        test_exits: args.test_exit.iter().map(|word| test_exit(word)).collect::<Result<_, _>>()?,
        artifacts: args.artifact.clone(),
        images: images(args),
        resolve: args.resolve,
        docker_config: docker_config(world),
        ca: known.ca,
        outcome: outcome.transpose()?,
        needs: known.needs.map(str::to_owned),
        tickets: args.ticket.clone(),
        ticket_pattern: tickets::pattern(&args.ticket_pattern).map_err(|e| {
            Failure::usage(format!("--ticket-pattern: {e}"), "it is a regular expression of Rust's regex crate")
        })?,
        variables: args.env.clone(),
        operator: args.operator.clone(),
        on_behalf_of: args.on_behalf_of.clone(),
        run_id: args.run_id.clone(),
        commit: args.commit.as_deref().map(commit_id).transpose()?,
        reason: args.reason.clone(),
        emergency: emergency(args)?,
        count_attempts: args.count_attempts,
        manual: known.manual,
        ended: known.ended,
        started_on: known.started_on,
        seed: known.seed,
        token_operator: by_token.operator,
        token_lacks: by_token.lacks,
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
                    Source::File => (How::Configuration, twins::FILE.to_owned()),
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
    gathered.map_err(|e| Failure::usage(e.to_string(), "`--help` has examples"))
}

/// An emergency without a reason is no evidence of anything.
fn emergency(args: &AboutArgs) -> Result<Option<Emergency>, Failure> {
    if !args.emergency {
        return Ok(None);
    }
    if args.reason.as_deref().is_none_or(|reason| reason.trim().is_empty()) {
        return Err(Failure::usage(
            "--emergency needs a reason",
            "say --reason 'what could not wait', and --ticket ID",
        ));
    }
    Ok(Some(Emergency { approved_by: args.approved_by.clone(), review_days: args.review_days }))
}

fn test_exit(word: &str) -> Result<TestExit, Failure> {
    TestExit::parse(word).ok_or_else(|| {
        Failure::usage(
            format!("--test-exit `{word}` is not NAME=CODE"),
            "say a report's path, file name or glob, or the name of a command, and what it ended with, as in jest.xml=1",
        )
    })
}

/// A whole commit id: 40 hex digits (SHA-1) or 64 (SHA-256).
fn commit_id(text: &str) -> Result<String, Failure> {
    if matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Failure::usage(
        format!("--commit `{text}` is not a commit id"),
        "say all 40 digits, as `git rev-parse HEAD` prints them",
    ))
}

/// Every image by its source, in the order of the sources.
fn images(args: &AboutArgs) -> Vec<(String, String)> {
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
