//! Joins platform, git, images, files, reports and words into one record, and says what could not be learned.

use super::http::{self, Http};
use super::platform::{Env, Platform, PlatformFacts};
use super::{Progress, artifact, files, git, image, outcome, report, tickets, variables};
use crate::record::change_v1::{Change, Via};
use crate::record::parts_v1::{Actor, Completeness, How, Operator, Outcome, Provenance, Repository, Run, Status, Tool};
use crate::record::run_v1::{Commit, Manual, RunRecord, Runner};
use crate::record::test_run_v1::Verdict;
use crate::record::{SCHEMA_VERSION, change_v1::PullRequest};
use chrono::{DateTime, Utc};
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
    /// Report format to take for granted.
    pub(crate) report_format: Option<String>,
    /// Globs of files.
    pub(crate) artifacts: Vec<String>,
    /// Images: the name of a source in [`image::SOURCES`] and its value.
    pub(crate) images: Vec<(String, String)>,
    /// Whether a registry may be asked for the digest of a tag.
    pub(crate) resolve: bool,
    /// Docker's `config.json`, for credentials of a registry.
    pub(crate) docker_config: Option<PathBuf>,
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

/// A record, and what a person should know about how it came to be.
pub(crate) struct Gathered {
    /// The record.
    pub(crate) record: RunRecord,
    /// What is worth a word.
    pub(crate) warnings: Vec<String>,
    /// Reports that could not be read, patterns that matched nothing: one sentence each.
    pub(crate) unreadable: Vec<String>,
}

impl Gathered {
    /// Whether any report says that something failed.
    pub(crate) fn tests_failed(&self) -> bool {
        self.record.tests.iter().any(|t| t.verdict == Verdict::Failed)
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

/// Where GitHub's runner lists the artifacts that steps declared.
const DECLARED: &str = "GITHUB_ARTIFACTS_LIST";

struct Joining<'a> {
    ask: &'a Ask,
    provenance: Vec<Provenance>,
    completeness: Vec<Completeness>,
    warnings: Vec<String>,
    unreadable: Vec<String>,
}

impl Joining<'_> {
    fn learned(&mut self, fact: &str, how: How, source: impl Into<String>) {
        self.provenance.retain(|p| p.fact != fact);
        self.provenance.push(Provenance { fact: fact.to_owned(), how, source: Some(source.into()) });
    }

    /// Notes that a fact came by a flag, or by its twin in the environment or in the file of defaults.
    fn told(&mut self, fact: &str, flag: &str) {
        let (how, source) = self.ask.sources.get(flag).cloned().unwrap_or_else(|| (How::Flag, format!("--{flag}")));
        self.learned(fact, how, source);
    }

    fn section(&mut self, section: &str, missing: Vec<String>, nothing: bool) {
        let status = match (missing.is_empty(), nothing) {
            (true, _) => Status::Complete,
            (false, false) => Status::Partial,
            (false, true) => Status::Unavailable,
        };
        let why = (!missing.is_empty()).then(|| missing.join("; "));
        match self.completeness.iter_mut().find(|c| c.section == section) {
            Some(known) => {
                known.why = [known.why.take(), why].into_iter().flatten().reduce(|a, b| format!("{a}; {b}"));
                known.status = match (known.status, status) {
                    (a, b) if a == b => a,
                    (Status::Complete, b) => b,
                    (a, Status::Complete) => a,
                    _ => Status::Partial,
                };
            }
            None => self.completeness.push(Completeness { section: section.to_owned(), status, why }),
        }
    }
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
    let environment = environment(&mut j, &facts)?;
    let run = run(&mut j, &facts, platform)?;
    let operator = operator(&mut j, &facts, platform);
    let Checkout { commit, message, remote_url } = checkout(&mut j, &facts);
    let repository = repository(&mut j, &facts, remote_url);
    let artifacts = artifacts(&mut j, env, progress);
    let tests = tests(&mut j, progress);
    let pull_request = facts.pull_request.clone();
    let tickets = find_tickets(&mut j, commit.as_ref(), message.as_deref(), pull_request.as_ref());
    let changes = changes(&mut j, pull_request, facts.via);
    let variables = kept_variables(&mut j, env, platform);
    let runner = runner(&mut j, &facts);
    let manual = manual(&mut j, platform);
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
        changes,
        tickets,
        runner,
        variables,
        emergency: None,
        manual,
        tool: Tool { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() },
        completeness: j.completeness,
        provenance: j.provenance,
    };
    Ok(Gathered { record, warnings: j.warnings, unreadable: j.unreadable })
}

fn environment(j: &mut Joining, facts: &PlatformFacts) -> Result<String, GatherError> {
    let named = match (&j.ask.environment, &facts.environment) {
        (Some(told), theirs) => {
            if let Some(theirs) = theirs.as_ref().filter(|t| *t != told) {
                let warning =
                    format!("told environment `{told}`, the platform says `{theirs}`; the record says `{told}`");
                j.warnings.push(warning.clone());
                j.section("environment", vec![warning], false);
            }
            j.told("environment", "environment");
            told.clone()
        }
        (None, Some(theirs)) => theirs.clone(),
        (None, None) => return Err(GatherError::NoEnvironment),
    };
    match named.trim() {
        "" => Err(GatherError::NoEnvironment),
        name if name.len() > 200 => Err(GatherError::Word("the environment's name is longer than 200 bytes".into())),
        name => Ok(name.to_owned()),
    }
}

fn run(j: &mut Joining, facts: &PlatformFacts, platform: &Platform) -> Result<Run, GatherError> {
    let mut run = facts.run.clone();
    run.platform = platform.name.to_owned();
    run.attempt = run.attempt.max(1);
    if let Some(id) = &j.ask.run_id {
        run.id = id.clone();
        j.told("run.id", "run-id");
    } else if run.id.is_empty() {
        run.id = j.ask.record_id.to_string();
        j.learned("run.id", How::Derived, "recordId");
        if !platform.is_manual() {
            j.section(
                "run",
                vec!["the platform did not tell its run id; the record's own id stands for it".into()],
                false,
            );
        }
    }
    if let Some(needs) = &j.ask.needs {
        let (jobs, outcome) =
            outcome::needs(needs).map_err(|e| GatherError::Word(format!("could not read --needs: {e}")))?;
        run.jobs = jobs;
        run.outcome = outcome;
        j.told("run.jobs", "needs");
        j.told("run.outcome", "needs");
    }
    if let Some(outcome) = j.ask.outcome {
        // A failed job is a fact; a hopeful word must not paint over it.
        let worse =
            run.outcome == Outcome::Failed || (run.outcome == Outcome::Cancelled && outcome == Outcome::Succeeded);
        if worse && outcome != run.outcome {
            j.warnings.push(format!(
                "told outcome `{}`, but the jobs say `{}`; the record says `{}`",
                outcome.as_str(),
                run.outcome.as_str(),
                run.outcome.as_str()
            ));
        } else {
            run.outcome = outcome;
            j.told("run.outcome", "outcome");
        }
    }
    let missing = match run.outcome {
        Outcome::Unknown => vec!["nobody told how the run ended; say --outcome or --needs".to_owned()],
        _ => Vec::new(),
    };
    if run.finished_on.is_none() {
        run.finished_on = Some(j.ask.now);
        j.learned("run.finishedOn", How::Clock, "the moment of writing");
    }
    j.section("run", missing, false);
    Ok(run)
}

fn operator(j: &mut Joining, facts: &PlatformFacts, platform: &Platform) -> Option<Operator> {
    let mut operator = facts.operator.clone();
    if let Some(login) = &j.ask.operator {
        if let Some(theirs) = operator.as_ref().and_then(|o| o.login.as_deref()).filter(|l| l != login) {
            let warning = format!("told operator `{login}`, the platform says `{theirs}`");
            j.warnings.push(warning.clone());
            j.section("operator", vec![warning], false);
        }
        operator =
            Some(Operator { id: None, login: Some(login.clone()), name: None, how: How::Flag, on_behalf_of: None });
        j.told("operator.login", "operator");
    } else if operator.is_none() && platform.is_manual() && j.ask.user.is_some() {
        operator =
            Some(Operator { id: None, login: j.ask.user.clone(), name: None, how: How::OsUser, on_behalf_of: None });
        j.learned("operator.login", How::OsUser, "operating system");
    }
    if let (Some(operator), Some(other)) = (operator.as_mut(), &j.ask.on_behalf_of) {
        operator.on_behalf_of = Some(Actor { login: Some(other.clone()), ..Actor::default() });
        j.told("operator.onBehalfOf", "on-behalf-of");
    }
    let missing = match &operator {
        None => vec!["nobody named who answers for this run; say --operator".to_owned()],
        Some(_) => Vec::new(),
    };
    j.section("operator", missing, operator.is_none());
    operator
}

/// What platform and repository say together about the source.
#[derive(Default)]
struct Checkout {
    commit: Option<Commit>,
    /// The whole commit message.
    message: Option<String>,
    remote_url: Option<String>,
}

fn checkout(j: &mut Joining, facts: &PlatformFacts) -> Checkout {
    // Where the platform names a branch and no id, git's HEAD gives the id.
    let theirs = facts.commit.clone().or_else(|| facts.commit_without_id.clone());
    let mut wanted = theirs.as_ref().map(|c| c.sha.clone()).filter(|s| !s.is_empty());
    if let Some(told) = &j.ask.commit {
        if let Some(sha) = wanted.as_ref().filter(|s| *s != told) {
            j.warnings.push(format!("told commit {told}, the platform says {sha}"));
        }
        wanted = Some(told.to_lowercase());
        j.told("commit.sha", "commit");
    }
    match git::read(&j.ask.dir, wanted.as_deref()) {
        Ok(Some(git)) => {
            for p in git.provenance {
                // The platform's word for the ref stands where it gave one; git knows what is inside the commit.
                if !j.provenance.iter().any(|known| known.fact == p.fact) {
                    j.provenance.push(p);
                }
            }
            for c in git.completeness {
                j.section(&c.section, c.why.into_iter().collect(), c.status == Status::Unavailable);
            }
            j.warnings.extend(git.warnings);
            let commit = match (git.commit, theirs) {
                (Some(local), Some(theirs)) => Some(merged(local, theirs)),
                (local, theirs) => local.or(theirs.filter(|c| !c.sha.is_empty())),
            };
            j.section("commit", Vec::new(), commit.is_none());
            if commit.is_none() {
                forget(j, "commit.");
            }
            return Checkout { commit, message: git.message, remote_url: git.remote_url };
        }
        Ok(None) if wanted.is_some() => {
            j.section("commit", vec!["no repository here: only what the platform tells is known".into()], false);
        }
        Ok(None) => {
            j.section("commit", vec!["no repository here, and no platform names a commit".into()], true);
        }
        Err(e) => {
            let warning = format!("the repository could not be read: {e}");
            j.warnings.push(warning.clone());
            j.section("commit", vec![warning], wanted.is_none());
        }
    }
    let told = wanted.map(|sha| Commit { sha, ..theirs.unwrap_or_default() });
    if told.is_none() {
        forget(j, "commit.");
    }
    Checkout { commit: told, ..Checkout::default() }
}

/// Takes back where facts came from that did not enter the record.
fn forget(j: &mut Joining, facts: &str) {
    j.provenance.retain(|p| !p.fact.starts_with(facts));
}

/// The object's own facts from git, the run's facts (ref, branch, pull request head) from the platform.
fn merged(local: Commit, theirs: Commit) -> Commit {
    Commit {
        git_ref: theirs.git_ref.or(local.git_ref),
        branch: theirs.branch.or(local.branch),
        tag: theirs.tag.or(local.tag),
        base_ref: theirs.base_ref,
        head_sha: theirs.head_sha,
        before: theirs.before,
        ref_protected: theirs.ref_protected,
        subject: local.subject.or(theirs.subject),
        author: local.author.or(theirs.author),
        ..local
    }
}

fn repository(j: &mut Joining, facts: &PlatformFacts, remote: Option<String>) -> Option<Repository> {
    let mut repository = facts.repository.clone().unwrap_or_default();
    if repository.url.is_none() && remote.is_some() {
        repository.url = remote;
        j.learned("repository.url", How::Git, "remote.origin.url");
    }
    let known = repository != Repository::default();
    let missing =
        if known { Vec::new() } else { vec!["neither a platform nor a remote names the repository".to_owned()] };
    j.section("repository", missing, !known);
    known.then_some(repository)
}

fn artifacts(j: &mut Joining, env: &Env, progress: &mut Progress) -> Vec<crate::record::run_v1::Artifact> {
    let mut missing = Vec::new();
    let mut given: Vec<(&str, &str)> = j.ask.images.iter().map(|(source, value)| (&**source, &**value)).collect();
    given.extend(env.get(DECLARED).map(|list| (DECLARED, list)));
    let ask = image::Ask {
        dir: &j.ask.dir,
        resolve: j.ask.resolve,
        http: &Http::new(http::Options::default()),
        docker_config: j.ask.docker_config.as_deref(),
    };
    let images = image::gather(&given, &ask);
    for p in images.provenance {
        j.learned(&p.fact, p.how, p.source.unwrap_or_default());
    }
    let mut all = images.artifacts;
    for problem in images.problems {
        j.unreadable.push(problem.clone());
        missing.push(problem);
    }
    j.warnings.extend(images.warnings);
    match files::expand(&j.ask.dir, &j.ask.artifacts) {
        Ok(expanded) => {
            let (files, problems) = artifact::hash(&expanded, progress);
            let unmatched = expanded.unmatched.iter().map(|p| format!("--artifact `{p}` matched no file"));
            for problem in unmatched.chain(problems).chain(expanded.problems.clone()) {
                j.unreadable.push(problem.clone());
                missing.push(problem);
            }
            if !files.is_empty() {
                j.provenance.push(Provenance {
                    fact: "artifacts".into(),
                    how: How::File,
                    source: Some("--artifact".into()),
                });
            }
            all.extend(files);
        }
        Err(e) => {
            let problem = format!("--artifact: {e:#}");
            j.unreadable.push(problem.clone());
            missing.push(problem);
        }
    }
    if all.is_empty() && missing.is_empty() {
        missing.push("no image and no file was named; say --image or --artifact".into());
    }
    j.section("artifacts", missing, all.is_empty());
    all
}

fn tests(j: &mut Joining, progress: &mut Progress) -> Vec<crate::record::test_run_v1::TestRun> {
    let mut missing = Vec::new();
    let mut tests = Vec::new();
    match files::expand(&j.ask.dir, &j.ask.reports) {
        Ok(expanded) => {
            for (path, shown) in &expanded.files {
                let test = report::read(path, shown, j.ask.report_format.as_deref(), progress);
                if test.verdict == Verdict::Refused {
                    let why = test.error.as_deref().unwrap_or("it cannot be read");
                    missing.push(format!("report `{shown}` was refused: {why}"));
                }
                tests.push(test);
            }
            missing.extend(expanded.unmatched.iter().map(|p| format!("--report `{p}` matched no file")));
            missing.extend(expanded.problems);
        }
        Err(e) => missing.push(format!("--report: {e:#}")),
    }
    j.unreadable.extend(missing.iter().cloned());
    if tests.is_empty() && missing.is_empty() {
        missing.push("no report was named; say --report".into());
    }
    if !tests.is_empty() {
        j.learned("tests", How::File, "--report");
    }
    j.section("tests", missing, tests.is_empty());
    tests
}

fn find_tickets(
    j: &mut Joining,
    commit: Option<&Commit>,
    message: Option<&str>,
    pull_request: Option<&PullRequest>,
) -> Vec<crate::record::parts_v1::Ticket> {
    let mut texts: Vec<(&str, &str)> = Vec::new();
    let branches = [pull_request.and_then(|p| p.source.as_deref()), commit.and_then(|c| c.branch.as_deref())];
    texts.extend(branches.into_iter().flatten().map(|b| ("branch", b)));
    texts.extend(message.or(commit.and_then(|c| c.subject.as_deref())).map(|s| ("commitMessage", s)));
    texts.extend(pull_request.and_then(|p| p.title.as_deref()).map(|t| ("pullRequestTitle", t)));
    let mut found: Vec<_> = (j.ask.tickets.iter())
        .map(|id| crate::record::parts_v1::Ticket { id: id.clone(), named_in: "flag".into() })
        .collect();
    for ticket in tickets::find(&j.ask.ticket_pattern, &texts) {
        if !found.iter().any(|t| t.id == ticket.id) {
            found.push(ticket);
        }
    }
    let missing =
        if found.is_empty() { vec!["no ticket is named anywhere; say --ticket".to_owned()] } else { Vec::new() };
    if !found.is_empty() {
        j.learned("tickets", How::Derived, "--ticket, branch, commit message, pull request title");
    }
    j.section("tickets", missing, found.is_empty());
    found
}

fn changes(j: &mut Joining, pull_request: Option<PullRequest>, via: Option<Via>) -> Vec<Change> {
    let why =
        "approvals and the pull requests since the previous deployment are not asked of the platform by this version";
    j.section("changes", vec![why.to_owned()], via.is_none());
    match via {
        Some(via) => vec![Change { via, pull_request, reviews: Vec::new(), tickets: Vec::new() }],
        None => {
            // Which door the commits took is not certain, so nothing is claimed.
            forget(j, "changes.");
            Vec::new()
        }
    }
}

fn kept_variables(j: &mut Joining, env: &Env, platform: &Platform) -> BTreeMap<String, String> {
    let variables = variables::collect(env, platform, &j.ask.variables);
    let mut missing = Vec::new();
    for (name, why) in variables.refused {
        missing.push(format!("variable {name} was left out: {why}"));
    }
    for name in variables.missing {
        missing.push(format!("variable {name} is not set"));
    }
    j.warnings.extend(missing.iter().cloned());
    j.section("variables", missing, false);
    for name in variables.kept.keys() {
        j.learned(&format!("variables.{name}"), How::CiEnvironment, name);
    }
    variables.kept
}

fn runner(j: &mut Joining, facts: &PlatformFacts) -> Option<Runner> {
    let mut runner = facts.runner.clone().unwrap_or_default();
    if runner.os.is_none() {
        runner.os = Some(std::env::consts::OS.to_owned());
        j.learned("runner.os", How::OsUser, "this binary");
    }
    if runner.arch.is_none() {
        runner.arch = Some(std::env::consts::ARCH.to_owned());
        j.learned("runner.arch", How::OsUser, "this binary");
    }
    if runner.name.is_none() && j.ask.host.is_some() {
        runner.name = j.ask.host.clone();
        j.learned("runner.name", How::OsUser, "host name");
    }
    j.section("runner", Vec::new(), false);
    Some(runner)
}

fn manual(j: &mut Joining, platform: &Platform) -> Option<Manual> {
    if !platform.is_manual() {
        return None;
    }
    j.learned("manual.tty", How::OsUser, "standard error");
    if j.ask.reason.is_some() {
        j.told("manual.reason", "reason");
    }
    Some(Manual {
        command: Vec::new(),
        exit_code: None,
        signal: None,
        host: j.ask.host.clone(),
        tty: Some(j.ask.tty),
        reason: j.ask.reason.clone(),
    })
}
