//! The page of a bypass.

use super::change::pull_request;
use super::page::{Page, time, who};
use crate::record::Record;
use crate::record::bypass_v1::{BypassRecord, Certainty};

pub(super) fn told(page: &mut Page, r: &BypassRecord) {
    let record = Record::from(r.clone());
    let head = record.head();
    page.head(&head);
    page.maybe("component", r.component.as_ref());
    page.repository(&head);
    page.line("platform", &r.platform);
    page.line("set aside", r.kind.as_str());
    let certainty = match r.certainty {
        Certainty::Confirmed => "confirmed: the platform says so",
        Certainty::Declared => "declared: a person said so",
        Certainty::Derived => "derived: it follows from what the platform tells",
    };
    page.line("certainty", certainty);
    for what in &r.what {
        page.line("what", what);
    }
    page.line("by", r.actor.as_ref().map_or("not known".to_owned(), who));
    page.line("occurred", r.occurred_on.as_ref().map_or("at a time that nobody told".to_owned(), time));
    page.maybe("branch", r.git_ref.as_ref());
    page.maybe("before", r.before.as_ref());
    page.maybe("commit", r.commit.as_ref());
    if let Some(pull) = &r.pull_request {
        page.line("pull request", format!("#{} {}", pull.number, pull.title.as_deref().unwrap_or_default()).trim_end());
        pull_request(page, pull);
    }
    page.line("reason", r.reason.as_deref().unwrap_or("nobody said"));
    page.maybe("ticket", r.ticket.as_ref());
    page.maybe("approved by", r.approved_by.as_ref().map(who));
    page.line(
        "review due",
        format!("{}, by somebody else; `vouchsafe review --list` shows whether it was", r.review_due_on),
    );
    page.made_in(&head);
    page.foot(&head, &r.tool);
}
