//! The page of a change; and how a run's page tells of one.

use super::page::{Page, time, told as yes, who};
use crate::cli::told::change_line;
use crate::record::change_v1::Change;
use crate::record::pull_request_v1::{PullRequest, ReviewState};
use crate::record::{ChangeRecord, Record};

/// Reviews, checks and commits that are told one by one; the record has them all.
const MOST: usize = 50;

pub(super) fn told(page: &mut Page, r: &ChangeRecord) {
    let record = Record::from(r.clone());
    let head = record.head();
    page.head(&head);
    page.repository(&head);
    page.line("platform", &r.platform);
    page.line("branch", &r.git_ref);
    page.line("came by", r.via.as_str());
    page.line("occurred", r.occurred_on.as_ref().map_or("at a time that nobody told".to_owned(), time));
    page.line("before", r.before.as_deref().unwrap_or("nothing: the branch is new"));
    page.line("after", r.after.as_deref().unwrap_or("nothing: the branch was deleted"));
    page.line("pushed by", r.pusher.as_ref().map_or("not known".to_owned(), who));
    page.line("protected", yes(r.protected));
    page.maybe("completes", r.completes.as_ref().map(|c| format!("{}, sha256 {}", c.address, c.sha256)));
    for change in &r.changes {
        one(page, change);
    }
    page.made_in(&head);
    page.foot(&head, &r.tool);
}

/// One way by which commits came: what it was, who approved it, and what was checked.
pub(super) fn one(page: &mut Page, change: &Change) {
    page.line("change", change_line(change));
    if let Some(pull) = &change.pull_request {
        pull_request(page, pull);
    }
    let shown = change.commits.len() as u64;
    let all = change.commit_count.unwrap_or(shown).max(shown);
    if all > 0 {
        let newest = change.commits.first().map(|sha| format!(", newest {sha}")).unwrap_or_default();
        page.line("  commits", format!("{all}{newest}"));
    }
    if let Some(approval) = &change.approval {
        page.line("  approval", format!("{}: {}", approval.verdict.as_str(), approval.why));
    }
    for review in change.reviews.iter().take(MOST) {
        let state = match review.state {
            ReviewState::Approved => "approved",
            ReviewState::ChangesRequested => "asked for changes",
            ReviewState::Commented => "commented",
            ReviewState::Dismissed => "dismissed",
        };
        let on = review.submitted_on.as_ref().map(|on| format!(" on {}", time(on))).unwrap_or_default();
        let worth = match review.counts {
            Some(true) => "counts",
            Some(false) => "does not count",
            None => "cannot be told whether it counts",
        };
        let why = review.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        page.line("  review", format!("{} {state}{on}: {worth}{why}", who(&review.reviewer)));
    }
    more(page, change.reviews.len(), "reviews");
    if let Some(rules) = &change.rules {
        let asked = rules.required_approvals.map_or("not known".to_owned(), |n| n.to_string());
        let names = rules.required_checks.join(", ");
        let checks = if names.is_empty() { String::new() } else { format!(", checks asked for: {names}") };
        page.line("  rules", format!("protected {}, approvals asked for: {asked}{checks}", yes(rules.protected)));
    }
    let failing = change.checks.iter().filter(|c| c.passed_at_merge != Some(true));
    for check in failing.clone().take(MOST) {
        let asked = match check.required {
            Some(true) => "asked for, ",
            Some(false) => "not asked for, ",
            None => "",
        };
        let state = match check.passed_at_merge {
            Some(_) => "had not passed at the merge",
            None => "whether it had passed at the merge is not known",
        };
        page.line("  check", format!("{} {}: {asked}{state}", check.name, check.result));
    }
    more(page, failing.count(), "checks");
    for file in change.pipeline_files.iter().flatten().take(MOST) {
        page.line("  pipeline", file);
    }
    more(page, change.pipeline_files.as_ref().map_or(0, Vec::len), "files that decide what the pipeline does");
    if !change.tickets.is_empty() {
        let all: Vec<String> = change.tickets.iter().map(|t| format!("{} ({})", t.id, t.named_in)).collect();
        page.line("  tickets", all.join(", "));
    }
    for missing in &change.missing {
        page.line("  not known", missing);
    }
}

/// A pull request.
pub(super) fn pull_request(page: &mut Page, pull: &PullRequest) {
    page.maybe("  page", pull.url.as_ref());
    page.maybe("  author", pull.author.as_ref().map(who));
    let on = pull.merged_on.as_ref().map(|on| format!(" on {}", time(on))).unwrap_or_default();
    let by = pull.merged_by.as_ref().map(|by| format!("by {}", who(by)));
    let by = by.or_else(|| pull.merged_on.map(|_| "by somebody who is not known".to_owned()));
    let how = pull.method.as_ref().map(|m| format!(", {m}")).unwrap_or_default();
    page.maybe("  merged", by.map(|by| format!("{by}{on}{how}")));
}

fn more(page: &mut Page, all: usize, what: &str) {
    if all > MOST {
        page.line("", format!("and {} more {what}", all - MOST));
    }
}
