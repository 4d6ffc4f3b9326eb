//! What records of several kinds say of one thing, for the columns that they share.

use crate::record::Record;
use crate::record::change_v1::Change;
use crate::record::pull_request_v1::Approved;

/// Which of several records of one run.
pub(super) fn component(record: &Record) -> Option<&String> {
    match record {
        Record::Run(r) => r.component.as_ref(),
        Record::Bypass(r) => r.component.as_ref(),
        _ => None,
    }
}

/// The platform of the run, or the forge that told.
pub(super) fn platform(record: &Record) -> Option<&String> {
    match record {
        Record::Run(r) => Some(&r.run.platform),
        Record::Change(r) => Some(&r.platform),
        Record::Bypass(r) => Some(&r.platform),
        Record::Population(r) => Some(&r.platform),
        Record::Review(_) => None,
    }
}

/// The branch or tag.
pub(super) fn git_ref(record: &Record) -> Option<&String> {
    match record {
        Record::Run(r) => r.commit.as_ref().and_then(|c| c.git_ref.as_ref()),
        Record::Change(r) => Some(&r.git_ref),
        Record::Bypass(r) => r.git_ref.as_ref(),
        Record::Review(_) | Record::Population(_) => None,
    }
}

fn changes(record: &Record) -> &[Change] {
    match record {
        Record::Run(r) => &r.changes,
        Record::Change(r) => &r.changes,
        _ => &[],
    }
}

/// Numbers of the pull requests.
pub(super) fn pull_requests(record: &Record) -> Vec<String> {
    let own = match record {
        Record::Bypass(r) => r.pull_request.as_ref(),
        _ => None,
    };
    let all = changes(record).iter().filter_map(|c| c.pull_request.as_ref()).chain(own);
    all.map(|p| p.number.clone()).collect()
}

/// The worst of the verdicts over the changes' approvals; a change of which nobody knows makes it unknown, and one that no pull
/// request brought was approved by nobody.
pub(super) fn approval(record: &Record) -> Option<&'static str> {
    let rank = |approved: &Approved| match approved {
        Approved::No => 2,
        Approved::Unknown => 1,
        Approved::Yes => 0,
    };
    let verdict = |c: &Change| match (&c.approval, &c.pull_request) {
        (Some(approval), _) => approval.verdict,
        (None, None) if c.missing.is_empty() => Approved::No,
        (None, _) => Approved::Unknown,
    };
    changes(record).iter().map(verdict).max_by_key(rank).map(|approved| approved.as_str())
}

/// Tickets, wherever they were named.
pub(super) fn tickets(record: &Record) -> Vec<String> {
    let mut all: Vec<String> = match record {
        Record::Run(r) => r.tickets.iter().map(|t| t.id.clone()).collect(),
        Record::Change(r) => r.changes.iter().flat_map(|c| c.tickets.iter().map(|t| t.id.clone())).collect(),
        Record::Bypass(r) => r.ticket.iter().cloned().collect(),
        Record::Review(r) => r.ticket.iter().cloned().collect(),
        Record::Population(_) => Vec::new(),
    };
    let mut seen = std::collections::HashSet::new();
    all.retain(|id| seen.insert(id.clone()));
    all
}

/// By which door a change came.
pub(super) fn door(record: &Record) -> Option<&'static str> {
    match record {
        Record::Change(r) => Some(r.via.as_str()),
        _ => None,
    }
}

/// What was set aside; of an emergency's run the same word as of its bypass.
pub(super) fn bypass(record: &Record) -> Option<&'static str> {
    use crate::record::bypass_v1::BypassKind::EmergencyDeploy;
    match record {
        Record::Bypass(r) => Some(r.kind.as_str()),
        Record::Run(r) => r.emergency.as_ref().map(|_| EmergencyDeploy.as_str()),
        _ => None,
    }
}

/// Day by which somebody has to have reviewed it.
pub(super) fn due(record: &Record) -> Option<String> {
    let day = match record {
        Record::Bypass(r) => Some(r.review_due_on),
        Record::Run(r) => r.emergency.as_ref().and_then(|e| e.review_due_on),
        Record::Review(r) => r.due_on,
        _ => None,
    };
    day.map(|day| day.to_string())
}

/// What a review decided.
pub(super) fn decision(record: &Record) -> Option<&'static str> {
    match record {
        Record::Review(r) => Some(r.decision.as_str()),
        _ => None,
    }
}

/// What a review answers.
pub(super) fn answers(record: &Record) -> Option<&String> {
    match record {
        Record::Review(r) => Some(&r.answers.address),
        _ => None,
    }
}
