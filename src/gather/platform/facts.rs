//! What one platform told, and the reader that writes each fact down together with its source.

use super::env::{Env, Unfit, fit, without_credentials};
use crate::record::change_v1::Via;
use crate::record::parts_v1::{
    Actor, Completeness, How, JobResult, Operator, Outcome, Provenance, Repository, Run, Status,
};
use crate::record::pull_request_v1::PullRequest;
use crate::record::run_v1::{Commit, Runner};
use chrono::{DateTime, FixedOffset, Utc};
use serde::Serialize;

/// What the platform claims about the run. Facts that it did not tell are absent, never guessed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlatformFacts {
    /// The run. `id` is empty for `manual` and where a warning says so: the caller makes one.
    pub(crate) run: Run,
    /// The repository.
    pub(crate) repository: Option<Repository>,
    /// Who answers for the run.
    pub(crate) operator: Option<Operator>,
    /// The commit, where the platform named one by its id.
    pub(crate) commit: Option<Commit>,
    /// Branch, tag and ref of a commit whose id the platform did not tell (`sha` is empty): for git to complete.
    pub(crate) commit_without_id: Option<Commit>,
    /// The machine.
    pub(crate) runner: Option<Runner>,
    /// The environment, where the platform has a word for it.
    pub(crate) environment: Option<String>,
    /// The pull request that the run is for.
    pub(crate) pull_request: Option<PullRequest>,
    /// The door by which the commits came, where that is certain.
    pub(crate) via: Option<Via>,
    /// One entry a fact. Those of the pull request are named `changes.pullRequest.…`.
    pub(crate) provenance: Vec<Provenance>,
    /// What this platform cannot tell.
    pub(crate) completeness: Vec<Completeness>,
    /// What a person should know.
    pub(crate) warnings: Vec<String>,
}

/// Reads facts out of the environment; every fact that is taken leaves its provenance.
pub(super) struct Reader<'a> {
    env: &'a Env,
    /// What has been read.
    pub(super) facts: PlatformFacts,
}

impl<'a> Reader<'a> {
    /// A reader of `env` for the platform called `name`.
    pub(super) fn new(env: &'a Env, name: &str) -> Self {
        let run = Run { platform: name.to_owned(), attempt: 1, ..Run::default() };
        Self { env, facts: PlatformFacts { run, ..PlatformFacts::default() } }
    }

    /// A value to decide by. Leaves no provenance; what enters the record is read by the methods below.
    pub(super) fn peek(&self, variable: &str) -> Option<&'a str> {
        self.env.get(variable)
    }

    /// Whether a variable holds `true` in any case.
    pub(super) fn is_true(&self, variable: &str) -> bool {
        self.peek(variable).is_some_and(|v| v.eq_ignore_ascii_case("true"))
    }

    /// Writes down where a fact came from.
    pub(super) fn told(&mut self, fact: &str, how: How, source: &str) {
        self.facts.provenance.push(Provenance { fact: fact.to_owned(), how, source: Some(source.to_owned()) });
    }

    /// Text, as the platform wrote it.
    pub(super) fn text(&mut self, fact: &str, variable: &str) -> Option<String> {
        let value = self.env.get(variable)?;
        self.take(fact, How::CiEnvironment, variable, value)
    }

    /// The first of several variables that is there.
    pub(super) fn first(&mut self, fact: &str, variables: &[&str]) -> Option<String> {
        variables.iter().find_map(|v| self.text(fact, v))
    }

    /// An identifier without the braces that Bitbucket writes around a UUID.
    pub(super) fn bare(&mut self, fact: &str, variable: &str) -> Option<String> {
        self.text(fact, variable).map(|v| v.trim_matches(['{', '}']).to_owned())
    }

    /// An address, credentials removed.
    pub(super) fn url(&mut self, fact: &str, variable: &str) -> Option<String> {
        let value = without_credentials(self.env.get(variable)?);
        self.take(fact, How::CiEnvironment, variable, &value)
    }

    /// A commit id. Zeros, with which platforms say "none", are absent; anything else that is no id is warned of.
    pub(super) fn sha(&mut self, fact: &str, variable: &str) -> Option<String> {
        let value = self.env.get(variable)?;
        self.commit_id(fact, How::CiEnvironment, variable, value)
    }

    /// A point in time: RFC 3339, with a space for the `T` where Azure writes one, or seconds since 1970.
    pub(super) fn time(&mut self, fact: &str, variable: &str) -> Option<DateTime<Utc>> {
        let value = self.env.get(variable)?;
        let time = match value.parse::<i64>() {
            // Woodpecker and Drone write 0 for "not yet"
            Ok(0) => return None,
            Ok(seconds) => DateTime::from_timestamp(seconds, 0),
            Err(_) => value.parse::<DateTime<FixedOffset>>().ok().map(|t| t.to_utc()),
        };
        match time {
            Some(_) => self.told(fact, How::CiEnvironment, variable),
            None => self.warn(format!("`{variable}` is not a time; `{fact}` is left out")),
        }
        time
    }

    /// `true` or `false`, in any case.
    pub(super) fn flag(&mut self, fact: &str, variable: &str) -> Option<bool> {
        let value = self.env.get(variable)?;
        let flag = match () {
            () if value.eq_ignore_ascii_case("true") => true,
            () if value.eq_ignore_ascii_case("false") => false,
            () => {
                self.warn(format!("`{variable}` is neither true nor false; `{fact}` is left out"));
                return None;
            }
        };
        self.told(fact, How::CiEnvironment, variable);
        Some(flag)
    }

    /// A whole number, as in an attempt.
    pub(super) fn number(&mut self, fact: &str, variable: &str) -> Option<u32> {
        let value = self.env.get(variable)?;
        let Ok(number) = value.parse::<u32>() else {
            self.warn(format!("`{variable}` is not a whole number; `{fact}` is left out"));
            return None;
        };
        self.told(fact, How::CiEnvironment, variable);
        Some(number)
    }

    /// The image of a machine that GitHub or Azure hosts: `ubuntu24 20261102.1`. Any step may change these two.
    pub(super) fn hosted_image(&mut self) -> Option<String> {
        let (os, version) = self.peek("ImageOS").zip(self.peek("ImageVersion"))?;
        self.take("runner.image", How::CiEnvironment, "ImageOS, ImageVersion", &format!("{os} {version}"))
    }

    /// A fact worked out from others; `from` names the variables.
    pub(super) fn derived(&mut self, fact: &str, from: &str, value: String) -> Option<String> {
        self.told(fact, How::Derived, from);
        Some(value)
    }

    /// An address put together from others; credentials in any of them go.
    pub(super) fn composed(&mut self, fact: &str, from: &str, address: &str) -> Option<String> {
        self.derived(fact, from, without_credentials(address))
    }

    /// Text from any source, bounded.
    pub(super) fn take(&mut self, fact: &str, how: How, source: &str, value: &str) -> Option<String> {
        let value = match fit(value) {
            Ok(value) => value,
            Err(Unfit::Nul) => {
                self.warn(format!("`{source}` holds a NUL; `{fact}` is left out"));
                return None;
            }
            Err(Unfit::Cut(kept)) => {
                self.warn(format!("`{fact}` from `{source}` is {} bytes; it was cut to {}", value.len(), kept.len()));
                kept
            }
        };
        self.told(fact, how, source);
        Some(value)
    }

    /// A commit id from any source, in lower case.
    pub(super) fn commit_id(&mut self, fact: &str, how: How, source: &str, value: &str) -> Option<String> {
        if !matches!(value.len(), 40 | 64) || !value.bytes().all(|b| b.is_ascii_hexdigit()) {
            self.warn(format!("`{source}` does not give a commit id for `{fact}`, which is left out"));
            return None;
        }
        if value.bytes().all(|b| b == b'0') {
            return None;
        }
        self.told(fact, how, source);
        Some(value.to_ascii_lowercase())
    }

    /// Says something to a person. No value of a variable may stand in it: it could be a secret.
    pub(super) fn warn(&mut self, warning: String) {
        self.facts.warnings.push(warning);
    }

    /// Says what cannot be learned from this platform.
    pub(super) fn lacks(&mut self, section: &str, status: Status, why: &str) {
        let section = section.to_owned();
        self.facts.completeness.push(Completeness { section, status, why: Some(why.to_owned()) });
    }

    /// Names the operator, if there is anything to name.
    pub(super) fn operator(&mut self, actor: Actor) {
        if actor != Actor::default() {
            let Actor { id, login, name } = actor;
            self.facts.operator = Some(Operator { id, login, name, how: How::CiEnvironment, on_behalf_of: None });
        }
    }

    /// Files the commit: with its id where there is one, else for git to complete.
    pub(super) fn commit(&mut self, commit: Commit) {
        if !commit.sha.is_empty() {
            self.facts.commit = Some(commit);
        } else if commit != Commit::default() {
            self.facts.commit_without_id = Some(commit);
        }
    }

    /// Takes the platform's word for how the job ended, keeps it verbatim and says that it covers this job only.
    pub(super) fn job_outcome(&mut self, variable: &str) {
        if let Some(outcome) = self.outcome(variable) {
            let name = self.facts.run.job.clone().unwrap_or_else(|| "this job".to_owned());
            self.facts.run.jobs.push(JobResult { name, result: outcome });
            self.told("run.jobs", How::CiEnvironment, variable);
            self.lacks("run", Status::Partial, &format!("`{variable}` tells how this job ended, not the whole run"));
        }
    }

    /// Takes the platform's word for how the run ended and returns it. `running` and its like are not an end.
    pub(super) fn outcome(&mut self, variable: &str) -> Option<String> {
        let word = self.env.get(variable)?;
        match crate::gather::outcome::from_word(word) {
            Some(outcome) if outcome != Outcome::Unknown => {
                self.facts.run.outcome = outcome;
                self.told("run.outcome", How::CiEnvironment, variable);
                fit(word).ok()
            }
            Some(_) => None,
            None => {
                self.warn(format!("`{variable}` holds a word that is no known outcome; the outcome stays unknown"));
                None
            }
        }
    }
}

/// `Some` unless there is nothing in it.
pub(super) fn some<T: Default + PartialEq>(value: T) -> Option<T> {
    (value != T::default()).then_some(value)
}
