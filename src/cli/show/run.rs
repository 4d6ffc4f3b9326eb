//! The page of a run.

use super::change;
use super::page::{Page, who};
use crate::export::{figures, sheet, shown};
use crate::record::Record;
use crate::record::identity_v1::{Binding, Identity};
use crate::record::parts_v1::Actor;
use crate::record::run_v1::{ArtifactKind, RunRecord};

pub(super) fn told(page: &mut Page, r: &RunRecord) {
    let record = Record::from(r.clone());
    let head = record.head();
    page.head(&head);
    page.maybe("component", r.component.as_ref());
    page.line("run", format!("{} {} attempt {}", r.run.platform, r.run.id, r.run.attempt));
    page.maybe("", r.run.url.as_ref());
    page.maybe("workflow", r.run.workflow.as_ref());
    page.maybe("event", r.run.event.as_ref());
    page.line("outcome", r.run.outcome.as_str());
    for job in &r.run.jobs {
        page.line("  job", format!("{}: {}", job.name, job.result));
    }
    match &r.operator {
        Some(o) => {
            let actor = Actor { id: o.id.clone(), login: o.login.clone(), name: o.name.clone() };
            page.line("operator", format!("{}, known by {}", who(&actor), sheet::how(o.how)));
            page.maybe("  for", o.on_behalf_of.as_ref().map(who));
        }
        None => page.line("operator", "not known"),
    }
    page.repository(&head);
    if let Some(c) = &r.commit {
        page.line("commit", &c.sha);
        page.maybe("  subject", c.subject.as_ref());
        page.maybe("  ref", c.git_ref.as_ref());
        page.maybe("  author", c.author.as_ref().map(|a| format!("{} <{}>", a.name, a.email)));
        page.maybe("  dirty", c.dirty.map(|d| if d { "yes: tracked files differed from the commit" } else { "no" }));
    }
    for a in &r.artifacts {
        let kind = match a.kind {
            ArtifactKind::File => "file",
            ArtifactKind::ImageIndex => "index",
            ArtifactKind::ImageManifest => "manifest",
            ArtifactKind::ImageConfig => "image id",
            ArtifactKind::Image => "image",
        };
        let digest = a.digest.sha256.map(|d| d.to_string()).unwrap_or_default();
        let platform = a.platform.as_ref().map(|p| format!(" ({p})")).unwrap_or_default();
        page.line(kind, format!("{}{platform} sha256:{digest}", a.name));
    }
    for t in &r.tests {
        let why = t.error.clone();
        let detail = figures::figures(t).or(why).map(|d| format!(": {d}")).unwrap_or_default();
        page.line("report", format!("{} {}{detail}", t.file, t.verdict.as_str()));
        page.maybe("  written by", t.tool.as_ref().map(|_| figures::source(t)));
        for f in t.failing.iter().take(10) {
            let suite = f.suite.as_ref().map(|s| format!("{s} › ")).unwrap_or_default();
            page.line(&format!("  {}", f.outcome), format!("{suite}{}", f.name));
        }
        let left = t.failing.len().saturating_sub(10) as u64 + t.failing_omitted;
        if left > 0 {
            page.line("", format!("and {left} more that did not pass"));
        }
        for warning in &t.warnings {
            page.line("  note", warning);
        }
    }
    for c in &r.test_commands {
        let of = match c.reports.len() {
            0 => "no report of it".to_owned(),
            n => shown::many(n as u64, "report", "reports"),
        };
        page.line("command", format!("{} ended with {}, {of}", c.name, c.exit_code));
    }
    page.maybe("since", r.previous.as_ref().map(|p| &p.address));
    for change in &r.changes {
        change::one(page, change);
    }
    if !r.tickets.is_empty() {
        let all: Vec<String> = r.tickets.iter().map(|t| format!("{} ({})", t.id, t.named_in)).collect();
        page.line("tickets", all.join(", "));
    }
    if let Some(m) = &r.manual {
        let seat = match m.tty {
            Some(true) => ", a person at the terminal",
            Some(false) => ", nobody at a terminal",
            None => "",
        };
        page.line("by hand", format!("on {}{seat}", m.host.as_deref().unwrap_or("an unnamed host")));
        page.maybe("  reason", m.reason.as_ref());
    }
    if let Some(e) = &r.emergency {
        page.line("emergency", &e.reason);
        page.maybe("  ticket", e.ticket.as_ref());
        page.maybe("  agreed", e.approved_by.as_ref().map(who));
        page.maybe("  review due", e.review_due_on.map(|day| day.to_string()));
    }
    for (name, value) in &r.variables {
        page.line("variable", format!("{name}={value}"));
    }
    if let Some(identity) = &r.identity {
        signed(page, identity);
    }
    page.foot(&head, &r.tool);
}

/// What the platform itself signed. What that is worth stands at the top of the page.
fn signed(page: &mut Page, identity: &Identity) {
    let bound = match identity.binding {
        Binding::Audience => "over this very record",
        Binding::TokenDigest => "for this run; only our signature ties it to the record",
    };
    page.line("signed by", format!("{}, {bound}", identity.issuer));
    for (name, value) in &identity.claims {
        page.line("  claim", format!("{name}={value}"));
    }
    for sentence in &identity.contradictions {
        page.line("  differs", sentence);
    }
    for sentence in &identity.missing {
        page.line("  missing", sentence);
    }
}
