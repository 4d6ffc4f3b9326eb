//! Why the change was made and how it came in: tickets and pull request.

use super::joining::Joining;
use crate::gather::tickets;
use crate::record::change_v1::{Change, Via};
use crate::record::parts_v1::{How, Ticket};
use crate::record::pull_request_v1::PullRequest;
use crate::record::run_v1::Commit;

pub(super) fn find_tickets(
    j: &mut Joining,
    commit: Option<&Commit>,
    message: Option<&str>,
    pull_request: Option<&PullRequest>,
) -> Vec<Ticket> {
    let mut texts: Vec<(&str, &str)> = Vec::new();
    let branches = [pull_request.and_then(|p| p.source.as_deref()), commit.and_then(|c| c.branch.as_deref())];
    texts.extend(branches.into_iter().flatten().map(|b| ("branch", b)));
    texts.extend(message.or(commit.and_then(|c| c.subject.as_deref())).map(|s| ("commitMessage", s)));
    texts.extend(pull_request.and_then(|p| p.title.as_deref()).map(|t| ("pullRequestTitle", t)));
    let mut found: Vec<_> =
        (j.ask.tickets.iter()).map(|id| Ticket { id: id.clone(), named_in: "flag".into() }).collect();
    for ticket in tickets::find(&j.ask.ticket_pattern, &texts) {
        if !found.iter().any(|t| t.id == ticket.id) {
            found.push(ticket);
        }
    }
    let missing =
        if found.is_empty() { vec!["no ticket is named anywhere; say --ticket".to_owned()] } else { Vec::new() };
    if !found.is_empty() {
        j.learned("tickets", How::Derived, "--ticket, branch, commit message, pull request title");
    }
    j.section("tickets", missing, found.is_empty());
    found
}

/// The change as far as the platform tells of it by itself, and what its word lacks.
pub(super) fn by_platform(
    j: &mut Joining,
    pull_request: Option<PullRequest>,
    via: Option<Via>,
) -> (Vec<Change>, Vec<String>) {
    let lacks: Vec<String> = j.completeness.extract_if(.., |c| c.section == "changes").filter_map(|c| c.why).collect();
    let changes = match via {
        Some(via) => {
            if !j.provenance.iter().any(|p| p.fact == "changes.via") {
                j.learned("changes.via", How::Derived, "the pull request that the platform names");
            }
            vec![Change { pull_request, ..Change::by(via) }]
        }
        None => {
            // Which door the commits took is not certain, so nothing is claimed.
            j.forget("changes.");
            Vec::new()
        }
    };
    let all = lacks.iter().cloned().chain(["the forge was not asked".to_owned()]).collect();
    j.section("changes", all, changes.is_empty());
    (changes, lacks)
}
