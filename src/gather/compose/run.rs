//! Environment, run and operator: the platform's word and the flags, and what happens where they differ.

use super::GatherError;
use super::joining::Joining;
use crate::gather::outcome;
use crate::gather::platform::{Platform, PlatformFacts};
use crate::record::parts_v1::{Actor, COUNTED_IN_VAULT, How, Operator, Outcome, Run};

pub(super) fn environment(j: &mut Joining, facts: &PlatformFacts) -> Result<String, GatherError> {
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

pub(super) fn run(j: &mut Joining, facts: &PlatformFacts, platform: &Platform) -> Result<Run, GatherError> {
    let mut run = facts.run.clone();
    run.platform = platform.name.to_owned();
    run.attempt = run.attempt.max(1);
    if let Some(id) = &j.ask.run_id {
        run.id = id.clone();
        j.told("run.id", "run-id");
    } else if run.id.is_empty() {
        run.id = j.ask.seed.unwrap_or(j.ask.record_id).to_string();
        j.learned("run.id", How::Derived, if j.ask.seed.is_some() { "made for this run" } else { "recordId" });
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
        // What jobs ended with is a fact; a hopeful word must not paint over it, and skipped is not succeeded. Where
        // nothing is known of any job, the word is all there is.
        let known = run.outcome != Outcome::Unknown || !run.jobs.is_empty();
        if known && badness(run.outcome) > badness(outcome) {
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
    if let Some(ended) = j.ask.ended {
        run.outcome = ended;
        j.learned("run.outcome", How::Derived, "how the command ended");
    }
    if j.ask.count_attempts && !j.provenance.iter().any(|p| p.fact == "run.attempt") {
        j.learned("run.attempt", How::Derived, COUNTED_IN_VAULT);
    }
    // A platform's own time is of the whole run.
    if let Some(began) = j.ask.started_on.filter(|_| run.started_on.is_none()) {
        run.started_on = Some(began);
        j.learned("run.startedOn", How::Clock, "the start of the command");
    }
    let missing = match run.outcome {
        Outcome::Unknown if !run.jobs.is_empty() => {
            vec!["not every job ended in success or failure; their own words are in run.jobs".to_owned()]
        }
        Outcome::Unknown => vec!["nobody told how the run ended; say --outcome or --needs".to_owned()],
        _ => Vec::new(),
    };
    if run.finished_on.is_none() {
        run.finished_on = Some(j.ask.now);
        j.learned("run.finishedOn", How::Clock, "the moment of writing");
    }
    // What nobody told stands in the record too, so it says that.
    for (fact, source) in [
        ("run.platform", "no CI platform claims this run"),
        ("run.attempt", "the first, as no other was told"),
        ("run.outcome", "nobody told"),
    ] {
        if !j.provenance.iter().any(|p| p.fact == fact) {
            j.learned(fact, How::Derived, source);
        }
    }
    j.section("run", missing, false);
    Ok(run)
}

/// Which of two words for the end of a run counts: the greater.
fn badness(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Succeeded => 0,
        Outcome::Unknown => 1,
        Outcome::Cancelled => 2,
        Outcome::Failed => 3,
    }
}

pub(super) fn operator(j: &mut Joining, facts: &PlatformFacts, platform: &Platform) -> Option<Operator> {
    let mut operator = facts.operator.clone();
    if let Some(login) = &j.ask.operator {
        if let Some(theirs) = operator.as_ref().and_then(|o| o.login.as_deref()).filter(|l| l != login) {
            let warning = format!("told operator `{login}`, the platform says `{theirs}`");
            j.warnings.push(warning.clone());
            j.section("operator", vec![warning], false);
        }
        j.forget("operator.");
        operator =
            Some(Operator { id: None, login: Some(login.clone()), name: None, how: How::Flag, on_behalf_of: None });
        j.told("operator.login", "operator");
    } else if let Some(told) = j.ask.token_operator.clone().filter(|_| operator.is_none()) {
        let source = "--operator-token";
        for (fact, known) in [("id", told.id.is_some()), ("login", told.login.is_some()), ("name", told.name.is_some())]
        {
            if known {
                j.learned(&format!("operator.{fact}"), told.how, source);
            }
        }
        operator = Some(told);
    } else if operator.is_none() && platform.is_manual() && j.ask.user.is_some() {
        operator =
            Some(Operator { id: None, login: j.ask.user.clone(), name: None, how: How::OsUser, on_behalf_of: None });
        j.learned("operator.login", How::OsUser, "operating system");
    }
    if let (Some(operator), Some(other)) = (operator.as_mut(), &j.ask.on_behalf_of) {
        operator.on_behalf_of = Some(Actor { login: Some(other.clone()), ..Actor::default() });
        j.told("operator.onBehalfOf", "on-behalf-of");
    }
    let mut missing: Vec<String> = j.ask.token_lacks.iter().cloned().collect();
    j.warnings.extend(missing.iter().cloned());
    if operator.is_none() {
        missing.push("nobody named who answers for this run; say --operator".to_owned());
    }
    j.section("operator", missing, operator.is_none());
    operator
}
