//! Joins platform, git, images, files, reports and words into one record, and says what could not be learned.

mod change;
mod emergency;
mod joining;
mod machine;
mod outputs;
mod run;
mod since;
mod source;
mod tested;

pub(crate) use since::Answer;

use super::Progress;
use super::pick::Pick;
use super::platform::{Env, Platform};
use super::report;
use crate::record::SCHEMA_VERSION;
use crate::record::parts_v1::{How, Operator, Outcome, Tool};
use crate::record::run_v1::{Manual, RunRecord};
use crate::record::test_run_v1::Verdict;
use chrono::{DateTime, Utc};
use joining::Joining;
use regex::Regex;
use std::collections::BTreeMap;
use std::path::PathBuf;
use uuid::Uuid;

/// What was asked for, in words; and the few facts about the process that the record holds.
pub(crate) struct Ask {
    /// Target environment; without it the platform's own word counts.
    pub(crate) environment: Option<String>,
    /// Which of several records of this run.
    pub(crate) component: Option<String>,
    /// Where the repository and relative patterns are.
    pub(crate) dir: PathBuf,
    /// Globs of reports.
    pub(crate) reports: Vec<String>,
    /// How reports are read.
    pub(crate) report: report::Ask,
    /// What the commands that ran tests ended with.
    pub(crate) test_exits: Vec<TestExit>,
    /// Globs of files.
    pub(crate) artifacts: Vec<String>,
    /// Images: the name of a source in [`image::SOURCES`] and its value.
    pub(crate) images: Vec<(String, String)>,
    /// Whether a registry may be asked for the digest of a tag.
    pub(crate) resolve: bool,
    /// Docker's `config.json`, for credentials of a registry.
    pub(crate) docker_config: Option<PathBuf>,
    /// Certificate authorities (PEM) that a registry is believed by, beside those of the system.
    pub(crate) ca: Option<Vec<u8>>,
    /// How the run ended, as told.
    pub(crate) outcome: Option<Outcome>,
    /// GitHub's `toJSON(needs)`.
    pub(crate) needs: Option<String>,
    /// Tickets, as told.
    pub(crate) tickets: Vec<String>,
    /// How a ticket looks in other text.
    pub(crate) ticket_pattern: Regex,
    /// Variables to keep beside the allow-list.
    pub(crate) variables: Vec<String>,
    /// Who answers for it, as told.
    pub(crate) operator: Option<String>,
    /// For whom a machine account acted, as told.
    pub(crate) on_behalf_of: Option<String>,
    /// Run id, as told.
    pub(crate) run_id: Option<String>,
    /// Commit, as told.
    pub(crate) commit: Option<String>,
    /// Why it was done by hand.
    pub(crate) reason: Option<String>,
    /// That the usual controls were set aside.
    pub(crate) emergency: Option<Emergency>,
    /// Whether another job's record of this run is an earlier attempt, where the platform counts none.
    pub(crate) count_attempts: bool,
    /// What was run by hand, and how that ended.
    pub(crate) manual: Option<Manual>,
    /// How that ended, in one word.
    pub(crate) ended: Option<Outcome>,
    /// When that began.
    pub(crate) started_on: Option<DateTime<Utc>>,
    /// Id for a run that has none; without it the record's own.
    pub(crate) seed: Option<Uuid>,
    /// Who answers for it, as a token told.
    pub(crate) token_operator: Option<Operator>,
    /// What keeps that token from being more than a claim, or from counting.
    pub(crate) token_lacks: Option<String>,
    /// Operating-system user.
    pub(crate) user: Option<String>,
    /// Host name.
    pub(crate) host: Option<String>,
    /// Whether a person sits at a terminal.
    pub(crate) tty: bool,
    /// The moment of writing.
    pub(crate) now: DateTime<Utc>,
    /// Id of the new record.
    pub(crate) record_id: Uuid,
    /// Where a flag's value came from, when not from the command line: long name, kind, name of the source.
    pub(crate) sources: BTreeMap<String, (How, String)>,
}

/// What was told of an emergency beside its reason and ticket.
pub(crate) struct Emergency {
    /// Who agreed.
    pub(crate) approved_by: Option<String>,
    /// Working days within which it has to be reviewed.
    pub(crate) review_days: u16,
}

/// What a command that ran tests ended with, as told.
#[derive(Clone, Debug)]
pub(crate) struct TestExit {
    /// The name it was given.
    pub(crate) name: String,
    /// Which reports are its.
    pub(crate) pick: Pick,
    /// Its exit code.
    pub(crate) code: i32,
}

impl TestExit {
    /// Reads `NAME=CODE`.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let (name, code) = word.rsplit_once('=')?;
        let name = name.trim();
        let code = code.trim().parse().ok()?;
        (!name.is_empty()).then(|| Self { name: name.to_owned(), pick: Pick::new(name), code })
    }
}

/// A record, and what a person should know about how it came to be.
pub(crate) struct Gathered {
    /// The record.
    pub(crate) record: RunRecord,
    /// What is worth a word.
    pub(crate) warnings: Vec<String>,
    /// Reports that could not be read, patterns that matched nothing: one sentence each.
    pub(crate) unreadable: Vec<String>,
    /// What the platform's own word on the change lacks.
    lacks: Vec<String>,
}

impl Gathered {
    /// Whether any report, or the exit code of any command, says that something failed.
    pub(crate) fn tests_failed(&self) -> bool {
        let RunRecord { tests, test_commands, .. } = &self.record;
        tests.iter().any(|t| t.verdict == Verdict::Failed) || test_commands.iter().any(|c| c.exit_code != 0)
    }
}

/// Why no record can be made at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatherError {
    /// Nobody named the environment.
    #[error("no environment was named: say --environment NAME")]
    NoEnvironment,
    /// A word on the command line cannot be used.
    #[error("{0}")]
    Word(String),
}

/// Gathers one run record.
pub(crate) fn gather(
    ask: &Ask,
    env: &Env,
    platform: &Platform,
    progress: &mut Progress,
) -> Result<Gathered, GatherError> {
    let facts = platform.read(env);
    let mut j = Joining {
        ask,
        provenance: facts.provenance.clone(),
        completeness: facts.completeness.clone(),
        warnings: facts.warnings.clone(),
        unreadable: Vec::new(),
    };
    if ask.component.is_some() {
        j.told("component", "component");
    }
    let environment = run::environment(&mut j, &facts)?;
    let run = run::run(&mut j, &facts, platform)?;
    let operator = run::operator(&mut j, &facts, platform);
    let source::Checkout { commit, message, remote_url } = source::checkout(&mut j, &facts);
    let repository = source::repository(&mut j, &facts, remote_url);
    let artifacts = outputs::artifacts(&mut j, env, progress);
    let mut tests = tested::tests(&mut j, progress);
    let test_commands = tested::commands(&mut j, &mut tests);
    let pull_request = facts.pull_request.clone();
    let tickets = change::find_tickets(&mut j, commit.as_ref(), message.as_deref(), pull_request.as_ref());
    let (changes, lacks) = change::by_platform(&mut j, pull_request, facts.via);
    let variables = machine::kept_variables(&mut j, env, platform);
    let runner = machine::runner(&mut j, &facts);
    let manual = machine::manual(&mut j, env, platform);
    let emergency = emergency::emergency(&mut j);
    let record = RunRecord {
        schema_version: SCHEMA_VERSION.to_owned(),
        record_id: ask.record_id,
        recorded_on: ask.now,
        environment,
        component: ask.component.clone(),
        run,
        repository,
        operator,
        commit,
        artifacts,
        tests,
        test_commands,
        changes,
        previous: None,
        tickets,
        runner,
        variables,
        emergency,
        manual,
        tool: Tool { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() },
        completeness: j.completeness,
        provenance: j.provenance,
        identity: None,
    };
    Ok(Gathered { record, warnings: j.warnings, unreadable: j.unreadable, lacks })
}
