//! The page of a review.

use super::page::{Page, who};
use crate::export::sheet;
use crate::record::parts_v1::Actor;
use crate::record::{Record, ReviewRecord};

pub(super) fn told(page: &mut Page, r: &ReviewRecord) {
    let record = Record::from(r.clone());
    let head = record.head();
    page.head(&head);
    page.repository(&head);
    page.line("answers", format!("{} {}", r.answers.kind, r.answers.record_id));
    page.line("", &r.answers.address);
    page.line("", format!("sha256 {}", r.answers.sha256));
    page.line("decision", r.decision.as_str());
    page.maybe("comment", r.comment.as_ref());
    page.maybe("ticket", r.ticket.as_ref());
    let o = &r.reviewer;
    let reviewer = Actor { id: o.id.clone(), login: o.login.clone(), name: o.name.clone() };
    page.line("reviewer", format!("{}, known by {}", who(&reviewer), sheet::how(o.how)));
    page.maybe("  for", o.on_behalf_of.as_ref().map(who));
    match r.reviewer_is_actor {
        Some(true) => page.line("", "is the one who did it: this review does not count"),
        Some(false) => {}
        None => page.line("", "whether it is the one who did it cannot be told"),
    }
    let late = r.due_on.map(|due| {
        if head.recorded_on.date_naive() > due { format!("{due}, so it came late") } else { due.to_string() }
    });
    page.maybe("was due", late);
    page.made_in(&head);
    page.foot(&head, &r.tool);
}
