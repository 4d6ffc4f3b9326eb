//! What a record says, in one line for people.

use crate::record::Record;
use crate::record::change_v1::Via;
use crate::record::parts_v1::Actor;

/// `directPush to refs/heads/main by alice, 0123456789ab`. Holds names of others: neutralise before it is shown.
pub(crate) fn of(record: &Record) -> String {
    let by = |actor: Option<&Actor>| {
        actor.and_then(|a| a.login.as_ref().or(a.id.as_ref())).map(|who| format!(" by {who}")).unwrap_or_default()
    };
    let short = |sha: &Option<String>| match sha {
        Some(sha) => format!(", {}", sha.get(..12).unwrap_or(sha)),
        None => String::new(),
    };
    match record {
        Record::Run(r) => {
            format!("{} run {} attempt {}: {}", r.run.platform, r.run.id, r.run.attempt, r.run.outcome.as_str())
        }
        Record::Change(r) => {
            let door = if r.via == Via::Unknown { "push by an unknown door" } else { r.via.as_str() };
            format!("{door} to {}{}{}", r.git_ref, by(r.pusher.as_ref()), short(&r.after))
        }
        Record::Bypass(r) => {
            let on = r.git_ref.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
            let due = format!("to be reviewed by {}", r.review_due_on);
            format!("{}{on}{}{}, {due}", r.kind.as_str(), by(r.actor.as_ref()), short(&r.commit))
        }
        Record::Review(r) => {
            let who = r.reviewer.login.as_ref().or(r.reviewer.id.as_ref()).map_or("somebody", String::as_str);
            format!("{who} {} {} {}", r.decision.as_str(), r.answers.kind, r.answers.address)
        }
        Record::Population(r) => {
            format!("{} items that {} names from {} to {}", r.items.len(), r.platform, r.from, r.to)
        }
    }
}
