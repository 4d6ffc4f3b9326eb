//! What the forge says of the changes since the previous deployment, joined into a record that is gathered already: a command
//! that deploys must not wait for it, and a forge that does not answer must not keep a record from being made.

use super::Gathered;
use crate::gather::forge::{Found, Span};
use crate::record::change_v1::{Change, Via};
use crate::record::parts_v1::{Completeness, How, Provenance, Status};
use crate::record::run_v1::Previous;

/// Sentences that say what is missing, of one section.
const MOST_MISSING: usize = 10;
/// Longest of them, in bytes.
const LONGEST: usize = 600;
/// Tickets of one record.
const MOST_TICKETS: usize = 100;

/// What came of asking.
pub(crate) struct Answer {
    /// What the forge told.
    pub(crate) found: Found,
    /// Since when it was asked.
    pub(crate) previous: Option<Previous>,
    /// Why there may have been another deployment since; a sentence each.
    pub(crate) doubts: Vec<String>,
}

impl Gathered {
    /// What the forge is to be asked about; an error is one sentence that says why there is nothing.
    pub(crate) fn span(&self, previous: Option<&Previous>) -> Result<Span, String> {
        let commit = self.record.commit.as_ref().ok_or("no commit is known that the forge could be asked about")?;
        let span = match self.open_pull_request() {
            // What is built for a pull request is on no branch yet: there is nothing between it and a deployment to ask for.
            Some(change) => {
                let pull = change.pull_request.as_ref();
                let head = commit.head_sha.as_ref().or(pull.and_then(|p| p.head.as_ref())).unwrap_or(&commit.sha);
                Span {
                    base: None,
                    head: head.clone(),
                    branch: pull.and_then(|p| p.target.clone()),
                    pull_request: pull.cloned(),
                }
            }
            None => {
                let default = || self.record.repository.as_ref()?.default_branch.clone();
                Span {
                    base: previous.map(|p| p.commit.clone()),
                    head: commit.sha.clone(),
                    branch: commit.branch.clone().or_else(default),
                    pull_request: None,
                }
            }
        };
        Ok(span)
    }

    /// The pull request for which the platform runs, as it tells by itself.
    pub(crate) fn open_pull_request(&self) -> Option<&Change> {
        let open = |c: &&Change| c.pull_request.as_ref().is_some_and(|p| p.merged_on.is_none());
        self.record.changes.iter().find(open)
    }

    /// The forge was not asked.
    pub(crate) fn not_asked(&mut self, why: String) {
        let missing = self.lacks.iter().cloned().chain([why]).collect();
        let nothing = self.record.changes.is_empty();
        self.section("changes", missing, nothing);
    }

    /// The forge was asked.
    pub(crate) fn asked(&mut self, answer: Answer) {
        let Answer { found, previous, doubts } = answer;
        let mut missing = doubts;
        missing.extend(found.missing);
        for change in &found.changes {
            let of = change.pull_request.as_ref().map(|p| format!("pull request {}: ", p.number)).unwrap_or_default();
            for what in &change.missing {
                if !missing.iter().any(|said| said.contains(what.as_str())) {
                    missing.push(format!("{of}{what}"));
                }
            }
        }
        let open = self.open_pull_request().is_some();
        let own = std::mem::take(&mut self.record.changes);
        let (changes, kept) = joined(own, found.changes, self.head(), &mut missing);
        if kept {
            missing.extend(self.lacks.iter().cloned());
        } else {
            self.record.provenance.retain(|p| !p.fact.starts_with("changes."));
        }
        self.record.changes = changes;
        self.learned("changes", How::Api, found.source);
        let since = match &previous {
            Some(previous) => previous.address.clone(),
            None if open => "the pull request for which this ran is not merged: it alone was asked about".to_owned(),
            None => "no deployment before this one is known: the commit by itself was asked about".to_owned(),
        };
        self.learned("changes.since", How::Derived, since);
        self.record.previous = previous;
        let nothing = self.record.changes.is_empty();
        self.section("changes", missing, nothing);
        self.tickets_of_changes();
    }

    fn head(&self) -> Option<String> {
        self.record.commit.as_ref().map(|c| c.sha.clone())
    }

    fn tickets_of_changes(&mut self) {
        let before = self.record.tickets.len();
        for ticket in self.record.changes.iter().flat_map(|c| &c.tickets) {
            let known = self.record.tickets.iter().any(|t| t.id == ticket.id);
            if !known && self.record.tickets.len() < MOST_TICKETS {
                self.record.tickets.push(ticket.clone());
            }
        }
        if self.record.tickets.len() > before {
            self.section("tickets", Vec::new(), false);
            self.learned("tickets", How::Derived, "--ticket, branch, commit message, the pull requests of `changes`");
        }
    }

    fn learned(&mut self, fact: &str, how: How, source: impl Into<String>) {
        self.record.provenance.retain(|p| p.fact != fact);
        self.record.provenance.push(Provenance { fact: fact.to_owned(), how, source: Some(source.into()) });
    }

    /// Says anew how much of a section is known.
    fn section(&mut self, section: &str, mut missing: Vec<String>, nothing: bool) {
        let more = missing.len().saturating_sub(MOST_MISSING);
        missing.truncate(MOST_MISSING);
        for text in &mut missing {
            let end = (0..=LONGEST.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
        }
        if more > 0 {
            missing.push(format!("and {more} more"));
        }
        let status = match (missing.is_empty(), nothing) {
            (true, _) => Status::Complete,
            (false, false) => Status::Partial,
            (false, true) => Status::Unavailable,
        };
        let why = (!missing.is_empty()).then(|| missing.join("; "));
        let said = Completeness { section: section.to_owned(), status, why };
        match self.record.completeness.iter_mut().find(|c| c.section == section) {
            Some(known) => *known = said,
            None => self.record.completeness.push(said),
        }
    }
}

/// The changes that the forge told of, and what the platform knew by itself and no API tells; whether anything of it is kept.
fn joined(
    own: Vec<Change>,
    found: Vec<Change>,
    head: Option<String>,
    missing: &mut Vec<String>,
) -> (Vec<Change>, bool) {
    let Some(ours) = own.into_iter().next() else { return (found, false) };
    let number = |c: &Change| c.pull_request.as_ref().map(|p| p.number.clone());
    match (number(&ours), ours.via) {
        // The run is for a pull request, which is on no branch: whatever has no request belongs to something else.
        (Some(_), _) if ours.pull_request.as_ref().is_some_and(|p| p.merged_on.is_none()) => {
            if found.iter().any(|c| number(c) == number(&ours)) {
                return (found, false);
            }
            missing.push("reviews of the pull request for which this ran were not told: it is not merged".to_owned());
            let others = found.into_iter().filter(|c| c.pull_request.is_some());
            (std::iter::once(ours).chain(others).collect(), true)
        }
        // Only the event tells of a push that it rewrote history.
        (_, Via::ForcePush) => {
            let mut found = found;
            let of_head = |c: &&mut Change| {
                matches!(c.via, Via::DirectPush | Via::Unknown)
                    && head.as_ref().is_some_and(|head| c.commits.iter().any(|sha| sha == head))
            };
            match found.iter_mut().find(of_head) {
                Some(change) => change.via = Via::ForcePush,
                None => found.push(Change { commits: head.into_iter().collect(), ..ours }),
            }
            (found, true)
        }
        // A queue's own commit is nowhere yet where the API would look for it.
        _ if found.is_empty() => (vec![ours], true),
        _ => (found, false),
    }
}

#[cfg(test)]
#[path = "since_tests.rs"]
mod tests;
