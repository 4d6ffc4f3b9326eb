//! What a forge told, as records: one a push, one a bypass.

use super::{Args, Common};
use crate::cli::exit::Failure;
use crate::cli::made::{Made, fresh_id, known, section, tool};
use crate::cli::world::World;
use crate::gather::days::working_days;
use crate::gather::forge::{Bypass, Collected, Forge, Push};
use crate::record::parts_v1::{Completeness, How, Provenance, Repository};
use crate::record::{BypassRecord, ChangeRecord, Record, SCHEMA_VERSION};

/// What is said in a record whose source nobody could check.
pub(super) const UNCHECKED: &str = "nobody checked that the forge sent this; give --webhook-secret";

/// What the words on the command line add to what was told.
pub(super) struct Added {
    /// The environment in whose ledger the records stand.
    pub(super) environment: String,
    /// Name of the forge.
    pub(super) forge: &'static str,
    /// Whether it was told by a webhook; else the API answered.
    pub(super) by_event: bool,
    /// The repository, where the forge did not name it.
    pub(super) repository: Option<Repository>,
    /// Working days until a bypass has to be reviewed.
    pub(super) review_days: u16,
    /// Why, in the words of who collects.
    pub(super) reason: Option<String>,
    /// The ticket that they name.
    pub(super) ticket: Option<String>,
}

impl Added {
    /// What the words say, for what `forge` told.
    pub(super) fn new(args: &Args, common: &Common, forge: &'static Forge, by_event: bool) -> Self {
        Self {
            environment: args.environment.trim().to_owned(),
            forge: forge.name,
            by_event,
            repository: args.repository(&common.made),
            review_days: args.review_days,
            reason: args.reason.clone(),
            ticket: args.ticket.clone(),
        }
    }
}

/// The records, changes before bypasses.
pub(super) fn records(
    world: &mut World,
    made: &Made,
    added: &Added,
    collected: &Collected,
) -> Result<Vec<Record>, Failure> {
    let mut all = Vec::with_capacity(collected.pushes.len() + collected.bypasses.len());
    for push in &collected.pushes {
        all.push(change(fresh_id(world)?, made, added, collected, push).into());
    }
    for told in &collected.bypasses {
        all.push(bypass(fresh_id(world)?, made, added, collected, told).into());
    }
    Ok(all)
}

fn change(id: uuid::Uuid, made: &Made, added: &Added, all: &Collected, push: &Push) -> ChangeRecord {
    let mut missing: Vec<String> = push.missing.clone();
    missing.extend(push.changes.iter().flat_map(|c| c.missing.iter().cloned()));
    if added.by_event {
        // What is missing of a poll is missing of the period, and this push was told.
        missing.extend(all.missing.iter().cloned());
    }
    let facts = [
        ("ref", true),
        ("occurredOn", push.occurred_on.is_some()),
        ("before", push.before.is_some()),
        ("after", push.after.is_some()),
        ("pusher", push.pusher.is_some()),
        ("protected", push.protected.is_some()),
        ("via", true),
        ("changes", true),
    ];
    ChangeRecord {
        schema_version: SCHEMA_VERSION.to_owned(),
        record_id: id,
        recorded_on: made.on,
        environment: added.environment.clone(),
        run: made.run.clone(),
        repository: all.repository.clone().or_else(|| added.repository.clone()),
        platform: added.forge.to_owned(),
        git_ref: push.git_ref.clone(),
        occurred_on: push.occurred_on,
        filed_on: push.occurred_on.unwrap_or(made.on).date_naive(),
        via: push.via,
        before: push.before.clone(),
        after: push.after.clone(),
        pusher: push.pusher.clone(),
        protected: push.protected,
        changes: push.changes.clone(),
        completes: None,
        tool: tool(),
        completeness: vec![source(all), section("changes", missing)],
        provenance: provenance(made, added, all, &facts),
    }
}

fn bypass(id: uuid::Uuid, made: &Made, added: &Added, all: &Collected, told: &Bypass) -> BypassRecord {
    let filed_on = told.occurred_on.unwrap_or(made.on).date_naive();
    let reason = told.reason.clone().or_else(|| added.reason.clone());
    let mut missing = told.missing.clone();
    if told.actor.is_none() {
        missing.push("who did it is not known".to_owned());
    }
    if reason.is_none() {
        missing.push("nobody said why".to_owned());
    }
    let facts = [
        ("kind", true),
        ("occurredOn", told.occurred_on.is_some()),
        ("actor", told.actor.is_some()),
        ("ref", told.git_ref.is_some()),
        ("before", told.before.is_some()),
        ("commit", told.commit.is_some()),
        ("pullRequest", told.pull_request.is_some()),
        ("what", !told.what.is_empty()),
        ("reason", told.reason.is_some()),
    ];
    let mut provenance = provenance(made, added, all, &facts);
    if told.reason.is_none() && reason.is_some() {
        provenance.push(known("reason", How::Flag, "--reason"));
    }
    if added.ticket.is_some() {
        provenance.push(known("ticket", How::Flag, "--ticket"));
    }
    provenance.push(known("reviewDueOn", How::Derived, "filedOn, --review-days"));
    BypassRecord {
        schema_version: SCHEMA_VERSION.to_owned(),
        record_id: id,
        recorded_on: made.on,
        environment: added.environment.clone(),
        component: None,
        run: made.run.clone(),
        repository: all.repository.clone().or_else(|| added.repository.clone()),
        platform: added.forge.to_owned(),
        kind: told.kind,
        certainty: told.certainty,
        actor: told.actor.clone(),
        occurred_on: told.occurred_on,
        filed_on,
        git_ref: told.git_ref.clone(),
        before: told.before.clone(),
        commit: told.commit.clone(),
        pull_request: told.pull_request.clone(),
        what: told.what.clone(),
        reason,
        ticket: added.ticket.clone(),
        approved_by: None,
        review_due_on: working_days(filed_on, added.review_days),
        tool: tool(),
        completeness: vec![source(all), section("bypass", missing)],
        provenance,
    }
}

/// Whether the forge stands behind it.
fn source(all: &Collected) -> Completeness {
    section("source", (!all.authentic).then(|| UNCHECKED.to_owned()))
}

fn provenance(made: &Made, added: &Added, all: &Collected, facts: &[(&str, bool)]) -> Vec<Provenance> {
    let how = if added.by_event { How::EventFile } else { How::Api };
    let mut rows = made.provenance();
    let repository = (all.repository.is_some()).then_some("repository");
    let there = facts.iter().filter(|(_, there)| *there).map(|(fact, _)| *fact);
    rows.extend(repository.into_iter().chain(there).map(|fact| known(fact, how, all.source.clone())));
    rows.push(known("recordedOn", How::Clock, "the moment of writing"));
    rows
}
