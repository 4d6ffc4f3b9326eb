//! A deployment that set the usual controls aside: why, who agreed, and by when somebody has to look at it.

use super::joining::Joining;
use crate::gather::days::working_days;
use crate::record::parts_v1::{Actor, How};
use crate::record::run_v1;

pub(super) fn emergency(j: &mut Joining) -> Option<run_v1::Emergency> {
    let told = j.ask.emergency.as_ref()?;
    j.told("emergency", "emergency");
    j.told("emergency.reason", "reason");
    let mut missing = Vec::new();
    let ticket = j.ask.tickets.first().cloned();
    match &ticket {
        Some(_) => j.told("emergency.ticket", "ticket"),
        None => missing.push("no ticket was named; say --ticket".to_owned()),
    }
    match &told.approved_by {
        Some(_) => j.told("emergency.approvedBy", "approved-by"),
        None => missing.push("nobody was named who agreed; say --approved-by".to_owned()),
    }
    j.learned("emergency.reviewDueOn", How::Derived, "recordedOn, --review-days");
    j.section("emergency", missing, false);
    let approved_by = told.approved_by.clone().map(|login| Actor { login: Some(login), ..Actor::default() });
    Some(run_v1::Emergency {
        reason: j.ask.reason.clone().unwrap_or_default(),
        ticket,
        approved_by,
        review_due_on: Some(working_days(j.ask.now.date_naive(), told.review_days)),
    })
}
