//! `review --list`: what has to be reviewed, by when, and by whom it was.

use super::Args;
use crate::cli::exit::{Answer, Exit};
use crate::cli::world::World;
use crate::cli::{open_vault, trust, words};
use crate::export::shown;
use crate::ledger;
use crate::ledger::filter::Filter;
use crate::ledger::reviews::{Reviews, Stands, State, Waiting};
use crate::record::parts_v1::Actor;
use chrono::NaiveDate;
use serde_json::json;

/// Runs the mode.
pub(super) fn run(world: &mut World, args: &Args) -> Answer {
    let scope = args.scope.filter(world)?;
    let vault = open_vault(world, &args.place.vault)?;
    let trusting = trust::trust_set(world, &args.place.trust, vault.local_root())?;
    // A review may come long after what it answers, so the period is of what is reviewed.
    let all = Filter { environments: scope.environments.clone(), ..Filter::default() };
    let (entries, strangers) = ledger::entries(&vault, &trusting.set, &all)?;
    words::strangers(world, &strangers);
    let mut reviews = Reviews::default();
    entries.for_each(|entry| reviews.see(&entry));
    let unverified = reviews.unverified;
    let today = (world.now)().date_naive();
    let mut overdue = 0;
    let mut shown_some = false;
    for one in reviews.paired() {
        if scope.from.is_some_and(|from| one.filed_on < from) || scope.to.is_some_and(|to| one.filed_on > to) {
            continue;
        }
        shown_some = true;
        overdue += u64::from(one.state(today) == State::Overdue);
        let text = if args.json { as_json(&one, today)? } else { told(&one, today) };
        words::writeln_quietly(world, &text)?;
    }
    if !shown_some {
        world.say("nothing here has to be reviewed");
    }
    let mut exit = Exit::Done;
    if overdue > 0 {
        world.say(&format!(
            "{} overdue without a review that counts",
            shown::many(overdue, "bypass is", "bypasses are")
        ));
        exit = exit.or(Exit::Findings);
    }
    if unverified > 0 {
        let what = shown::many(unverified, "record does", "records do");
        words::warn(
            world,
            &[format!("{what} not verify, so nobody can tell what waits or counts there; see `vouchsafe list`")],
        );
        exit = exit.or(Exit::Unverified);
    }
    Ok(exit)
}

fn as_json(one: &Waiting, today: NaiveDate) -> anyhow::Result<String> {
    let stands =
        |s: &Stands| json!({"kind": s.kind, "recordId": s.record_id, "address": s.address, "sha256": s.sha256});
    let reviews = one.reviews.iter().map(|r| {
        json!({
            "address": r.address, "reviewer": r.reviewer, "decision": r.decision.as_str(), "on": r.on,
            "counts": r.void.is_none(), "why": r.void,
        })
    });
    let value = json!({
        "environment": one.environment, "state": one.state(today).as_str(), "dueOn": one.due_on, "says": one.says,
        "by": one.actors, "what": stands(&one.what), "also": one.also.as_ref().map(stands),
        "reviews": reviews.collect::<Vec<_>>(),
    });
    Ok(crate::record::json::to_string(&value)?)
}

fn told(one: &Waiting, today: NaiveDate) -> String {
    let due = one.due_on.map_or_else(|| "no day is told".to_owned(), |day| day.to_string());
    let by: Vec<String> = one.actors.iter().map(name).collect();
    let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(" for ")) };
    let mut lines = vec![
        format!("{:<13} {due}  {}{by} ({})", one.state(today).as_str(), one.says, one.environment),
        format!("  {}", one.what.address),
    ];
    lines.extend(one.also.iter().map(|also| format!("  {}", also.address)));
    for review in &one.reviews {
        let void = review.void.map(|why| format!(", does not count: {why}")).unwrap_or_default();
        let on = review.on.date_naive();
        lines.push(format!("  {} by {} on {on}{void}", review.decision.as_str(), name(&review.reviewer)));
    }
    let lines: Vec<_> = lines.iter().map(|line| shown::line(line)).collect();
    lines.join("\n")
}

fn name(actor: &Actor) -> String {
    actor.login.clone().or_else(|| actor.id.clone()).unwrap_or_else(|| "somebody".to_owned())
}
