//! What has to be reviewed, and by whom it was: bypasses and emergencies, paired with the reviews that answer them by digest. Pure
//! over entries, so that it says the same of a vault, a copy and an audit pack.
//!
//! A review counts if it verifies, names what stands there by its digest, and was signed for somebody who is not the one that did it.
//! An emergency's run and the record of its bypass are one thing: a review of either settles both.

use super::{Entry, Verdict, filter};
use crate::record::bypass_v1::BypassKind;
use crate::record::digest::Sha256Digest;
use crate::record::parts_v1::Actor;
use crate::record::review_v1::Decision;
use crate::record::{Record, ReviewRecord};
use crate::vault::address::Address;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use uuid::Uuid;

/// One thing that waits for a review, or had one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// In whose ledger it stands.
    pub(crate) environment: String,
    /// Its record, or that of the bypass where it is an emergency that has two.
    pub(crate) what: Stands,
    /// The other record of an emergency: that of its run.
    pub(crate) also: Option<Stands>,
    /// In one line. Holds names of others.
    pub(crate) says: String,
    /// Who did it, and for whom. Their own review does not count.
    pub(crate) actors: Vec<Actor>,
    /// Day under which it is filed.
    pub(crate) filed_on: NaiveDate,
    /// Day by which somebody else has to have reviewed it.
    pub(crate) due_on: Option<NaiveDate>,
    /// Whether it is the bypass of an emergency, which has a run beside it.
    emergency: bool,
    /// The reviews that answer it, in the order in which they were made.
    pub(crate) reviews: Vec<Answer>,
}

/// A record, by what names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stands {
    /// Its address.
    pub(crate) address: String,
    /// Digest of the stored object.
    pub(crate) sha256: Sha256Digest,
    /// Its kind.
    pub(crate) kind: &'static str,
    /// Its id.
    pub(crate) record_id: Uuid,
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its address.
    pub(crate) address: String,
    /// Who reviewed.
    pub(crate) reviewer: Actor,
    /// What they decided.
    pub(crate) decision: Decision,
    /// When, by the clock of the machine that recorded it.
    pub(crate) on: chrono::DateTime<chrono::Utc>,
    /// Why it does not count; absent where it does.
    pub(crate) void: Option<&'static str>,
}

/// How far a review has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Somebody else has reviewed it, in time.
    Reviewed,
    /// Somebody else has reviewed it, after the day.
    Late,
    /// Nobody has, and there is time.
    Due,
    /// Nobody has, and the day has passed.
    Overdue,
}

impl State {
    /// The word in every output.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Reviewed => "reviewed",
            Self::Late => "reviewed late",
            Self::Due => "due",
            Self::Overdue => "overdue",
        }
    }
}

impl Waiting {
    /// The first review that counts.
    pub(crate) fn settled(&self) -> Option<&Answer> {
        self.reviews.iter().find(|review| review.void.is_none())
    }

    /// How far it is on `today`. The day itself is in time.
    pub(crate) fn state(&self, today: NaiveDate) -> State {
        let late = |on: NaiveDate| self.due_on.is_some_and(|due| on > due);
        match self.settled() {
            Some(review) if late(review.on.date_naive()) => State::Late,
            Some(_) => State::Reviewed,
            None if late(today) => State::Overdue,
            None => State::Due,
        }
    }
}

/// Pairs what was set aside with its reviews.
#[derive(Default)]
pub(crate) struct Reviews {
    waiting: Vec<Waiting>,
    reviews: Vec<(String, ReviewRecord)>,
    /// Records that do not verify and may be bypasses, emergencies or reviews: nobody can tell what they are worth.
    pub(crate) unverified: u64,
}

impl Reviews {
    /// Looks at one entry.
    pub(crate) fn see(&mut self, entry: &Entry) {
        if entry.verdict != Verdict::Valid {
            let concerns = match &entry.record {
                Some(record) => needs_review(record) || matches!(record, Record::Review(_)),
                None => Address::parse(&entry.address).ok().and_then(|a| a.parts()).is_none_or(|p| p.kind != "change"),
            };
            self.unverified += u64::from(concerns);
            return;
        }
        match &entry.record {
            Some(Record::Review(review)) => self.reviews.push((entry.address.clone(), (**review).clone())),
            Some(record) if needs_review(record) => self.waiting.extend(waiting(entry, record)),
            _ => {}
        }
    }

    /// Everything that has to be reviewed, in the order of its day.
    pub(crate) fn paired(self) -> Vec<Waiting> {
        let mut all = joined(self.waiting);
        let mut by_digest: BTreeMap<Sha256Digest, usize> = BTreeMap::new();
        for (at, one) in all.iter().enumerate() {
            by_digest.extend([Some(&one.what), one.also.as_ref()].into_iter().flatten().map(|s| (s.sha256, at)));
        }
        for (address, review) in self.reviews {
            let found = by_digest.get(&review.answers.sha256).and_then(|at| all.get_mut(*at));
            if let Some(one) = found {
                one.reviews.push(answer(one, address, &review));
            }
        }
        for one in &mut all {
            one.reviews.sort_by(|a, b| (a.on, &a.address).cmp(&(b.on, &b.address)));
        }
        all.sort_by(|a, b| {
            (a.due_on, &a.environment, &a.what.address).cmp(&(b.due_on, &b.environment, &b.what.address))
        });
        all
    }
}

/// Whether somebody has to look at it afterwards.
fn needs_review(record: &Record) -> bool {
    match record {
        Record::Bypass(_) => true,
        Record::Run(run) => run.emergency.is_some(),
        _ => false,
    }
}

fn waiting(entry: &Entry, record: &Record) -> Option<Waiting> {
    let due_on = match record {
        Record::Bypass(bypass) => Some(bypass.review_due_on),
        Record::Run(run) => run.emergency.as_ref().and_then(|e| e.review_due_on),
        _ => None,
    };
    Some(Waiting {
        environment: record.head().environment.to_owned(),
        what: stands(entry, record)?,
        also: None,
        says: says(record),
        actors: actors(record),
        filed_on: filter::filed_on(record),
        due_on,
        emergency: matches!(record, Record::Bypass(b) if b.kind == BypassKind::EmergencyDeploy),
        reviews: Vec::new(),
    })
}

/// Who did what the record is about, and for whom they did it.
pub(crate) fn actors(record: &Record) -> Vec<Actor> {
    let on_behalf_of = record.as_run().and_then(|run| run.operator.as_ref()).and_then(|o| o.on_behalf_of.clone());
    filter::actor(record).into_iter().chain(on_behalf_of).collect()
}

/// The names of a record.
fn stands(entry: &Entry, record: &Record) -> Option<Stands> {
    let head = record.head();
    Some(Stands {
        address: entry.address.clone(),
        sha256: entry.sha256?,
        kind: head.kind.name,
        record_id: head.record_id,
    })
}

fn says(record: &Record) -> String {
    let why = |reason: Option<&String>| reason.map(|r| format!(": {r}")).unwrap_or_default();
    match record {
        Record::Bypass(b) => {
            let on = b.git_ref.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
            format!("{}{on}{}", b.kind.as_str(), why(b.reason.as_ref().or(b.what.first())))
        }
        Record::Run(r) => {
            format!("emergency run {} {}{}", r.run.platform, r.run.id, why(r.emergency.as_ref().map(|e| &e.reason)))
        }
        _ => String::new(),
    }
}

/// An emergency's run and the record of its bypass stand in one folder under names of one component, and become one.
fn joined(waiting: Vec<Waiting>) -> Vec<Waiting> {
    let folder_of = |one: &Waiting| {
        let (folder, name) = one.what.address.rsplit_once('/')?;
        let component = name.strip_prefix(one.what.kind)?;
        Some((folder.to_owned(), component.to_owned()))
    };
    let (runs, mut all): (Vec<Waiting>, Vec<Waiting>) = waiting.into_iter().partition(|one| one.what.kind == "run");
    let mut emergencies = BTreeMap::new();
    for (at, one) in all.iter().enumerate() {
        if one.emergency {
            emergencies.extend(folder_of(one).map(|place| (place, at)));
        }
    }
    for run in runs {
        let beside = folder_of(&run).and_then(|place| emergencies.get(&place)).and_then(|at| all.get_mut(*at));
        match beside {
            Some(bypass) if bypass.also.is_none() => {
                // The earlier of two days: neither record can put the other one off.
                bypass.due_on = [bypass.due_on, run.due_on].into_iter().flatten().min();
                bypass.actors.extend(run.actors);
                bypass.also = Some(run.what);
            }
            _ => all.push(run),
        }
    }
    all
}

fn answer(waiting: &Waiting, address: String, review: &ReviewRecord) -> Answer {
    let r = &review.reviewer;
    let reviewer = Actor { id: r.id.clone(), login: r.login.clone(), name: r.name.clone() };
    let own = review.reviewer_is_actor == Some(true)
        || waiting.actors.iter().any(|actor| is_same(actor, &reviewer) == Some(true));
    let nobody = reviewer.id.is_none() && reviewer.login.is_none();
    let void = match (own, nobody) {
        (true, _) => Some("by the one who did it"),
        (_, true) => Some("by nobody who is named"),
        _ if waiting.environment != review.environment => Some("signed for another environment"),
        _ => None,
    };
    Answer { address, reviewer, decision: review.decision, on: review.recorded_on, void }
}

/// Whether two actors are one: by id where both have one of the same kind, else by login. `None` where neither can be compared.
pub(crate) fn is_same(a: &Actor, b: &Actor) -> Option<bool> {
    let login = a.login.as_ref().zip(b.login.as_ref()).map(|(a, b)| a.eq_ignore_ascii_case(b));
    // An id of a single sign-on and one of a forge are different although the person is one, so equal logins are believed too.
    match a.id.as_ref().zip(b.id.as_ref()) {
        Some((a, b)) if a == b => Some(true),
        Some(_) => Some(login.unwrap_or(false)),
        None => login,
    }
}

/// Whether a record may be answered by a review, and by which day that was due. An error says why not.
pub(crate) fn answerable(record: &Record) -> Result<Option<NaiveDate>, String> {
    match record {
        Record::Bypass(bypass) => Ok(Some(bypass.review_due_on)),
        // Also one that was recorded late, or failed: whatever somebody has to say a word about.
        Record::Run(run) => Ok(run.emergency.as_ref().and_then(|e| e.review_due_on)),
        other => Err(format!("a {} is not reviewed; bypasses and runs are", other.head().kind.name)),
    }
}

#[cfg(test)]
#[path = "reviews_tests.rs"]
mod tests;
