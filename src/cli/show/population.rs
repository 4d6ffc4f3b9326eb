//! The page of a population.

use super::page::{Page, time, who};
use crate::record::Record;
use crate::record::population_v1::{ItemKind, PopulationRecord};

/// Items that are told one by one; the record has them all.
const MOST: usize = 100;

pub(super) fn told(page: &mut Page, r: &PopulationRecord) {
    let record = Record::from(r.clone());
    let head = record.head();
    page.head(&head);
    page.repository(&head);
    page.line("platform", &r.platform);
    page.line("time", format!("{} to {}", time(&r.from), time(&r.to)));
    for query in &r.queries {
        let told = query.told.map(|n| format!(" of {n} that the platform counts")).unwrap_or_default();
        let whole = match (query.complete, &query.why) {
            (true, _) => "all of it was read".to_owned(),
            (false, Some(why)) => format!("not all of it was read: {why}"),
            (false, None) => "not all of it was read".to_owned(),
        };
        page.line("asked", format!("{}: {}{told}, {whole}", word(query.what), query.items));
        page.line("", &query.request);
    }
    for item in r.items.iter().take(MOST) {
        let on = item.on.as_ref().map(|on| format!(" on {}", time(on))).unwrap_or_default();
        let by = item.actor.as_ref().map(|a| format!(" by {}", who(a))).unwrap_or_default();
        let status = item.status.as_ref().map(|s| format!(", {s}")).unwrap_or_default();
        let name = item.name.as_ref().map(|n| format!(" {n}")).unwrap_or_default();
        page.line(word(item.what), format!("{}{name}{on}{by}{status}", item.id));
    }
    if r.items.len() > MOST {
        page.line("", format!("and {} more; --json has them all", r.items.len() - MOST));
    }
    page.made_in(&head);
    page.foot(&head, &r.tool);
}

fn word(what: ItemKind) -> &'static str {
    match what {
        ItemKind::Run => "run",
        ItemKind::Deployment => "deployment",
        ItemKind::MergedPullRequest => "merged",
        ItemKind::Push => "push",
    }
}
