//! Where a record belongs: worked out of the record itself, so that a step which runs twice, and an event that is told twice, meet
//! the record that stands there.

use crate::record::bypass_v1::{BypassKind, BypassRecord};
use crate::record::digest::Sha256Digest;
use crate::record::parts_v1::{Repository, Run};
use crate::record::{ChangeRecord, PopulationRecord, Record, ReviewRecord};
use crate::vault::address::{About, Address, Parts};
use chrono::SecondsFormat;

/// The address of the record.
pub(crate) fn address_of(record: &Record) -> Address {
    let head = record.head();
    let (about, date, component) = match record {
        Record::Run(r) => (of_run(&r.run), r.recorded_on.date_naive(), r.component.clone()),
        Record::Change(r) => {
            let push = of_push(r.repository.as_ref(), &r.git_ref, r.before.as_deref());
            (of_change(r), r.filed_on, Some(format!("{push}{}", completing(r))))
        }
        Record::Bypass(r) => of_bypass(r),
        Record::Review(r) => {
            (thing("review", &r.answers.sha256.to_string()), r.recorded_on.date_naive(), Some(of_review(r)))
        }
        Record::Population(r) => (thing("population", &of_population(r)), r.recorded_on.date_naive(), None),
    };
    Address::of(&Parts {
        environment: head.environment.to_owned(),
        date,
        about,
        kind: head.kind.name.to_owned(),
        component,
        conflict: None,
    })
}

fn of_run(run: &Run) -> About {
    About::Run { platform: run.platform.clone(), id: run.id.clone(), attempt: run.attempt.to_string() }
}

fn thing(what: &str, id: &str) -> About {
    About::Thing { what: what.to_owned(), id: id.to_owned() }
}

/// A branch that was deleted has only the commit at which it stood.
fn of_change(record: &ChangeRecord) -> About {
    thing("change", record.after.as_deref().or(record.before.as_deref()).unwrap_or("none"))
}

/// One commit may come onto several branches, of several repositories, from several places.
fn of_push(repository: Option<&Repository>, git_ref: &str, before: Option<&str>) -> String {
    let name = repository.and_then(|r| r.name.as_deref().or(r.id.as_deref())).unwrap_or("unknown");
    let branch = git_ref.strip_prefix("refs/heads/").unwrap_or(git_ref);
    format!("{name}:{branch}:{}", before.map_or("new", |sha| sha.get(..12).unwrap_or(sha)))
}

/// What completes a record stands beside it, and says in its name which one that is.
fn completing(record: &ChangeRecord) -> String {
    let short = |sha: String| format!(":completes-{}", sha.get(..12).unwrap_or(&sha));
    record.completes.as_ref().map(|c| short(c.sha256.to_string())).unwrap_or_default()
}

/// An emergency stands beside its deployment; what happened to a branch beside the change; the rest by what it is.
fn of_bypass(r: &BypassRecord) -> (About, chrono::NaiveDate, Option<String>) {
    let push = || of_push(r.repository.as_ref(), r.git_ref.as_deref().unwrap_or("none"), r.before.as_deref());
    match (r.kind, &r.run, &r.commit) {
        (BypassKind::EmergencyDeploy, Some(run), _) => (of_run(run), r.recorded_on.date_naive(), r.component.clone()),
        (kind, _, Some(commit)) => (thing("change", commit), r.filed_on, Some(format!("{}:{}", kind.as_str(), push()))),
        (kind, ..) => {
            let on = r.occurred_on.map(|on| on.to_rfc3339_opts(SecondsFormat::AutoSi, true)).unwrap_or_default();
            let all = [push(), on, r.what.join("\n")].join("\n");
            (thing(kind.as_str(), &Sha256Digest::of(all.as_bytes()).to_string()), r.filed_on, None)
        }
    }
}

/// The address of the run's record beside which the record of an emergency stands.
pub(crate) fn beside_run(record: &BypassRecord, run: &Run) -> Address {
    Address::of(&Parts {
        environment: record.environment.clone(),
        date: record.recorded_on.date_naive(),
        about: of_run(run),
        kind: "run".to_owned(),
        component: record.component.clone(),
        conflict: None,
    })
}

/// Several people may review one thing, and change their minds.
fn of_review(r: &ReviewRecord) -> String {
    let who = r.reviewer.login.as_deref().or(r.reviewer.id.as_deref()).unwrap_or("unknown");
    format!("{who}:{}", r.decision.as_str())
}

/// The platform may answer the same question differently an hour later; both answers are evidence.
fn of_population(r: &PopulationRecord) -> String {
    let name = r.repository.as_ref().and_then(|x| x.name.as_deref().or(x.id.as_deref())).unwrap_or("unknown");
    let at = |time: chrono::DateTime<chrono::Utc>| time.format("%Y%m%dT%H%M%SZ");
    format!("{}:{name}:{}:{}:{}", r.platform, at(r.from), at(r.to), at(r.recorded_on))
}
