//! What every record has that is made outside of a run's own: its id, its time, the run in which it was made, and what is missing.

use super::exit::Failure;
use super::world::World;
use crate::gather::platform::{self, Env, PlatformFacts};
use crate::record::parts_v1::{Completeness, How, Provenance, Run, Status, Tool};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Sentences about one section that are written out; more of them are counted.
const MOST_TOLD: usize = 20;

/// The moment and the place of making.
pub(crate) struct Made {
    /// When.
    pub(crate) on: DateTime<Utc>,
    /// The CI run, where there is one.
    pub(crate) run: Option<Run>,
    /// What the platform tells besides.
    pub(crate) facts: PlatformFacts,
    /// Name of the platform; `manual` without one.
    pub(crate) platform: &'static str,
}

impl Made {
    /// Here and now.
    pub(crate) fn here(world: &World) -> Self {
        let env = Env::new(world.env.clone());
        let platform = platform::detect(&env);
        let facts = platform.read(&env);
        let run = Some(facts.run.clone()).filter(|run| !platform.is_manual() && !run.id.is_empty());
        Self { on: (world.now)(), run, facts, platform: platform.name }
    }

    /// How the run is known.
    pub(crate) fn provenance(&self) -> Vec<Provenance> {
        let of_run = |p: &&Provenance| p.fact.starts_with("run.");
        let all = self.facts.provenance.iter().filter(of_run).cloned();
        all.filter(|_| self.run.is_some()).collect()
    }
}

/// Id for a new record.
pub(crate) fn fresh_id(world: &mut World) -> Result<Uuid, Failure> {
    super::ledger::fresh_id(world)
}

/// This program.
pub(crate) fn tool() -> Tool {
    Tool { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() }
}

/// A section and what is missing of it; each sentence once.
pub(crate) fn section(section: &str, missing: impl IntoIterator<Item = String>) -> Completeness {
    let mut said: Vec<String> = Vec::new();
    for sentence in missing {
        if !said.contains(&sentence) {
            said.push(sentence);
        }
    }
    let more = said.len().saturating_sub(MOST_TOLD);
    if more > 0 {
        said.truncate(MOST_TOLD);
        said.push(format!("and {more} more"));
    }
    let status = if said.is_empty() { Status::Complete } else { Status::Partial };
    Completeness { section: section.to_owned(), status, why: (!said.is_empty()).then(|| said.join("; ")) }
}

/// How one fact is known.
pub(crate) fn known(fact: &str, how: How, source: impl Into<String>) -> Provenance {
    Provenance { fact: fact.to_owned(), how, source: Some(source.into()) }
}
