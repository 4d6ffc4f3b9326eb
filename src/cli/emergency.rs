//! The bypass of an emergency: a record of its own beside the run's, so that nobody has to look into every run to find it.

use super::exit::{Answer, Exit, Failure};
use super::made::{fresh_id, known, section, tool};
use super::storing::{self, PlaceArgs, Ready, Went};
use super::told::verb;
use super::words;
use super::world::World;
use crate::attest::{Receipt, Stored};
use crate::export::{said, shown};
use crate::gather::days::working_days;
use crate::record::bypass_v1::{BypassKind, Certainty};
use crate::record::parts_v1::{Actor, How, Provenance};
use crate::record::{BypassRecord, Record, RunRecord, SCHEMA_VERSION};
use uuid::Uuid;

/// Working days until the review, where the run's record does not say it.
const REVIEW_DAYS: u16 = 2;

/// Puts the bypass beside `run`, which stands or waits under this very attempt. Whatever became of the run's record, this one is
/// tried, and kept.
pub(super) fn put(world: &mut World, args: &PlaceArgs, run: &RunRecord, ready: &Ready) -> Answer {
    if run.emergency.is_none() {
        return Ok(Exit::Done);
    }
    let record = Record::from(bypass(fresh_id(world)?, run));
    // Standard output is the run's receipt.
    let mut tell = |world: &mut World, record: &Record, receipt: &Receipt| {
        if receipt.stored != Stored::SameClaims {
            words::warn(world, &receipt.warnings);
        }
        world.say(&shown::line(&format!("{}: {}", verb(receipt.stored), said::of(record))));
        world.say(&format!("  address   {}", shown::line(&receipt.address)));
        Ok(())
    };
    let mut went = Went::default();
    let copies = &mut |_: &World, _: &Record, _: &_, _: &_| Ok(());
    let answer = storing::put_one(world, args, &record, ready, None, copies, &mut tell, &mut went);
    if let Some(receipt) = &went.receipt {
        let record = went.again.as_ref().map_or(&record, |(record, _)| record);
        storing::conclude(world, args, ready, record, receipt);
    }
    answer.map_err(|failure| Failure {
        error: failure.error.context("the record of the emergency as a bypass"),
        ..failure
    })
}

/// What the run's record says of its emergency, as a bypass.
fn bypass(id: Uuid, run: &RunRecord) -> BypassRecord {
    let emergency = run.emergency.as_ref();
    let actor = run.operator.as_ref().map(|o| Actor { id: o.id.clone(), login: o.login.clone(), name: o.name.clone() });
    // Of the run only how it is known under which attempt it stands, and who answers for it.
    let renamed = |p: &Provenance| {
        let to = |fact: &str| Some(Provenance { fact: fact.to_owned(), ..p.clone() });
        match p.fact.as_str() {
            fact if fact.starts_with("run.") => to(fact),
            "operator.id" => to("actor.id"),
            "operator.login" => to("actor.login"),
            "operator.name" => to("actor.name"),
            "emergency.reason" => to("reason"),
            "emergency.ticket" => to("ticket"),
            "emergency.approvedBy" => to("approvedBy"),
            "emergency.reviewDueOn" => to("reviewDueOn"),
            _ => None,
        }
    };
    let mut provenance: Vec<Provenance> = run.provenance.iter().filter_map(renamed).collect();
    provenance.push(known("occurredOn", How::Derived, "run.startedOn, else recordedOn"));
    let mut lacks = Vec::new();
    if actor.is_none() {
        lacks.push("who did it is not known; say --operator".to_owned());
    }
    lacks.extend(run.completeness.iter().filter(|c| c.section == "emergency").filter_map(|c| c.why.clone()));
    let day = run.recorded_on.date_naive();
    BypassRecord {
        schema_version: SCHEMA_VERSION.to_owned(),
        record_id: id,
        recorded_on: run.recorded_on,
        environment: run.environment.clone(),
        component: run.component.clone(),
        run: Some(run.run.clone()),
        repository: run.repository.clone(),
        platform: run.run.platform.clone(),
        kind: BypassKind::EmergencyDeploy,
        certainty: Certainty::Declared,
        actor,
        occurred_on: Some(run.run.started_on.unwrap_or(run.recorded_on)),
        filed_on: day,
        git_ref: run.commit.as_ref().and_then(|c| c.git_ref.clone()),
        before: None,
        commit: run.commit.as_ref().map(|c| c.sha.clone()).filter(|sha| !sha.is_empty()),
        pull_request: None,
        what: vec!["the usual controls of a deployment".to_owned()],
        reason: emergency.map(|e| e.reason.clone()),
        ticket: emergency.and_then(|e| e.ticket.clone()),
        approved_by: emergency.and_then(|e| e.approved_by.clone()),
        review_due_on: emergency.and_then(|e| e.review_due_on).unwrap_or_else(|| working_days(day, REVIEW_DAYS)),
        tool: tool(),
        completeness: vec![section("bypass", lacks)],
        provenance,
    }
}
