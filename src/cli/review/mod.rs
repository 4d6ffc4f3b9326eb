//! `vouchsafe review`: the later review of a bypass or of a run, signed; and what still waits for one.

mod answer;
mod listed;
mod reviewer;

use super::exit::{Answer, Failure};
use super::list::ScopeArgs;
use super::made::{Made, fresh_id, known, section, tool};
use super::storing::{self, PlaceArgs, Went};
use super::world::World;
use super::{open_vault, trust, words};
use crate::ledger::reviews::{actors, answerable, is_same};
use crate::record::parts_v1::{Actor, How};
use crate::record::review_v1::{Answers, Decision};
use crate::record::{Record, ReviewRecord, SCHEMA_VERSION};
use std::path::PathBuf;

/// Sign the later review of a bypass, an emergency or any other run
///
/// The review names what it answers by the digest of the stored record, which is verified before it is answered. A review by
/// the one who did it is recorded, and does not count. With --list: what has to be reviewed, by when, and by whom it was.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe review --list --vault s3://evidence
  vouchsafe review evidence/env=source/date=2026-11-23/run=change-2222…/bypass-….json --vault s3://evidence \\
      --decision accepted --comment 'rollback of SHOP-12, looked at the diff' --reviewer grace

Exit codes: 0 recorded; with --list, nothing is overdue · 1 could not do it · 2 wrong words · 3 what would be answered does
not verify · 4 something is overdue (--list) · 5 a different review of the same person stands (both are kept) · 6 signed and
kept in the spool, not delivered")]
pub(crate) struct Args {
    /// What is reviewed: its address, its record id, or the SHA-256 of the stored record
    #[arg(value_name = "RECORD", required_unless_present = "list", conflicts_with = "list")]
    which: Option<String>,
    /// What was decided: accepted, rejected, or followUp (it can stand for now, and something has to follow)
    #[arg(help_heading = "What is said", long, value_name = "WORD", required_unless_present = "list", value_parser = decision)]
    decision: Option<Decision>,
    /// What there is to say
    #[arg(help_heading = "What is said", long, value_name = "TEXT")]
    comment: Option<String>,
    /// Ticket for what follows
    #[arg(help_heading = "What is said", long, value_name = "ID")]
    ticket: Option<String>,
    /// Who reviewed it; default: who the token names, the user of the CI run, the user of this machine. The record says
    /// which of them it was
    #[arg(help_heading = "What is said", long, value_name = "LOGIN")]
    reviewer: Option<String>,
    /// Token of a single sign-on (JSON Web Token, in a file or the variable itself) that names who reviewed it
    #[arg(help_heading = "What is said", long, value_name = "FILE")]
    operator_token: Option<String>,
    /// Keys of the token's issuer (JSON Web Key Set); without them the token is only a claim
    #[arg(help_heading = "What is said", long, value_name = "FILE")]
    operator_jwks: Option<PathBuf>,
    /// List what has to be reviewed, and its reviews
    #[arg(long)]
    list: bool,
    /// Print the receipt as JSON; with --list one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

fn decision(word: &str) -> Result<Decision, String> {
    [Decision::Accepted, Decision::Rejected, Decision::FollowUp]
        .into_iter()
        .find(|d| d.as_str().eq_ignore_ascii_case(&word.replace('-', "")))
        .ok_or_else(|| "say accepted, rejected or followUp".to_owned())
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args) -> Answer {
    if args.list {
        return listed::run(world, args);
    }
    let Some(decision) = args.decision else {
        return Err(Failure::usage("no decision was said", "say --decision accepted, rejected or followUp"));
    };
    let which = args.which.as_deref().unwrap_or_default();
    let scope = args.scope.filter(world)?;
    // What is answered is looked at as an auditor would: by keys that were named, and not by the one that signs the review.
    let vault = open_vault(world, &args.place.vault)?;
    let trusting = trust::trust_set(world, &args.place.trust, vault.local_root())?;
    let found = answer::find(&vault, &trusting.set, &scope, which)?;
    let due_on = answerable(&found.record).map_err(|why| {
        Failure::failed(anyhow::anyhow!("{}: {why}", found.address), "`vouchsafe review --list` shows what waits")
    })?;

    let made = Made::here(world);
    let reviewer = reviewer::reviewer(world, args, &made)?;
    words::warn(world, &reviewer.lacks);
    let who = Actor { id: reviewer.who.id.clone(), login: reviewer.who.login.clone(), name: reviewer.who.name.clone() };
    let actors = actors(&found.record);
    let compared: Vec<Option<bool>> = actors.iter().map(|actor| is_same(actor, &who)).collect();
    let own = if compared.contains(&Some(true)) {
        Some(true)
    } else {
        (!compared.is_empty() && compared.iter().all(Option::is_some)).then_some(false)
    };
    let mut lacks = reviewer.lacks;
    match own {
        Some(true) => {
            let why =
                "the reviewer is the one who did it, so this review does not count: somebody else has to review it";
            words::warn(world, &[why.to_owned()]);
        }
        Some(false) => {}
        None => lacks.push("whether the reviewer is the one who did it cannot be told".to_owned()),
    }
    let head = found.record.head();
    let mut provenance = made.provenance();
    provenance.push(known("answers", How::Derived, "read and verified in the vault"));
    provenance.push(known("reviewer", reviewer.who.how, reviewer.source));
    for (fact, flag, said) in [
        ("decision", "--decision", true),
        ("comment", "--comment", args.comment.is_some()),
        ("ticket", "--ticket", args.ticket.is_some()),
    ] {
        provenance.extend(said.then(|| known(fact, How::Flag, flag)));
    }
    let record: Record = ReviewRecord {
        schema_version: SCHEMA_VERSION.to_owned(),
        record_id: fresh_id(world)?,
        recorded_on: made.on,
        environment: head.environment.to_owned(),
        run: made.run,
        repository: head.repository.cloned(),
        answers: Answers {
            sha256: found.sha256,
            address: found.address,
            kind: head.kind.name.to_owned(),
            record_id: head.record_id,
        },
        reviewer: reviewer.who,
        decision,
        comment: args.comment.clone(),
        ticket: args.ticket.clone(),
        reviewer_is_actor: own,
        due_on,
        tool: tool(),
        completeness: vec![section("reviewer", lacks)],
        provenance,
    }
    .into();
    if let Some(due) = due_on.filter(|due| made.on.date_naive() > *due) {
        world.say(&format!("note: it was due on {due}"));
    }
    let ready = storing::ready(world, &args.place)?;
    let mut went = Went::default();
    let way = storing::put(world, &args.place, &record, &ready, (args.json, None), &mut |_, _, _, _| Ok(()), &mut went);
    storing::forgiven(world, &args.place, way)
}
