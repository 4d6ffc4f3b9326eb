//! The words of `attest` as questions to the pillars.

use super::Args;
use crate::cli::exit::Failure;
use crate::cli::progress;
use crate::cli::twins::{self, Source, Sources};
use crate::cli::world::World;
use crate::gather::platform::{self, Env};
use crate::gather::{Ask, Gathered, TestExit, gather, outcome, report, tickets};
use crate::record::parts_v1::How;
use std::path::PathBuf;

pub(super) fn gathered(world: &mut World, args: &Args, sources: &Sources) -> Result<Gathered, Failure> {
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
        report: report::Ask::new(&args.report_format, args.gate_threshold.as_deref()).map_err(|e| {
            Failure::usage(format!("--report-format: {e}"), "say NAME for all reports, or GLOB=NAME for some")
        })?,
        test_exits: args.test_exit.iter().map(|word| test_exit(word)).collect::<Result<_, _>>()?,
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
        commit: args.commit.as_deref().map(commit_id).transpose()?,
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
    gathered.map_err(|e| Failure::usage(e.to_string(), "`vouchsafe attest --help` has examples"))
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
