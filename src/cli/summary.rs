//! The summary that a pipeline shows beside its run, in Markdown.
//!
//! All text of others stands in code spans in which nothing acts. What is not known is said.

use super::told::{self, Told, tests_line, verb, waits};
use crate::export::shown::{self, markdown};
use crate::record::RunRecord;
use crate::record::change_v1::Change;
use crate::record::parts_v1::{Actor, Status};
use crate::record::pull_request_v1::{Approved, ReviewState};
use crate::record::run_v1::Artifact;
use anyhow::{Context as _, bail};
use std::io::Write as _;
use std::path::Path;

/// GitHub drops a step's summary that is larger (GitHub docs, "Adding a job summary": 1 MiB a step).
const FILE_LIMIT: u64 = 1024 * 1024;
/// Artifacts, failing tests, gaps and warnings that are spelled out, each; the rest is counted.
const MOST: usize = 20;

/// Appends the summary to `file`.
pub(super) fn append(file: &Path, told: &Told) -> anyhow::Result<()> {
    let text = render(told);
    let could_not = || format!("the summary could not be written to `{}`", file.display());
    let mut all = std::fs::OpenOptions::new().append(true).create(true).open(file).with_context(could_not)?;
    let standing = all.metadata().with_context(could_not)?.len();
    if standing + text.len() as u64 > FILE_LIMIT {
        bail!(
            "the summary was left out: `{}` would be larger than 1 MiB, and then nothing of it is shown",
            file.display()
        );
    }
    all.write_all(text.as_bytes()).with_context(could_not)
}

fn render(told: &Told) -> String {
    let record = told.record;
    let head = match &told.receipt {
        Some(receipt) => verb(receipt.stored),
        None if waits(told) => "signed, not delivered yet",
        None => "not recorded",
    };
    let mut out =
        format!("### vouchsafe: {head}, {} in {}\n\n", record.run.outcome.as_str(), markdown(&record.environment));
    if let Some(failure) = told.failure {
        out += &format!("> **{}**\n>\n", first_line(&format!("{:#}", failure.error)));
        out += &format!("> {}\n\n", first_line(failure.help.as_deref().unwrap_or_default()));
    }
    out += "| | |\n|---|---|\n";
    for (name, value) in rows(told) {
        out += &format!("| {name} | {value} |\n");
    }
    out += &failing(record);
    let unknown = record.completeness.iter().filter(|c| c.status != Status::Complete);
    let unknown = unknown.map(|c| {
        let how = if c.status == Status::Partial { "partly known" } else { "unknown" };
        format!("{} {how}: {}", c.section, markdown(c.why.as_deref().unwrap_or_default()))
    });
    out += &folded("What is not known", unknown.collect());
    let warnings = told.gathered.warnings.iter().chain(&told.gathered.unreadable);
    let warnings = warnings.chain(told.receipt.iter().flat_map(|r| &r.warnings));
    out += &folded("Warnings", warnings.map(|w| markdown(w)).collect());
    if let Some(at) = told.receipt.as_ref().and_then(|r| r.ledger.as_ref()) {
        out += &format!(
            "\nThe ledger after this record, slot {}, {}. Whoever keeps these lines can show later that nothing before them was \
             removed.\n\n````text\n{}\n````\n",
            at.slot,
            shown::many(at.size, "leaf", "leaves"),
            at.checkpoint.trim_end().replace('`', "'"),
        );
    }
    out
}

fn rows(told: &Told) -> Vec<(&'static str, String)> {
    let record = told.record;
    let mut rows = Vec::new();
    let mut row = |name, value: Option<String>| rows.extend(value.map(|value| (name, value)));
    let run = &record.run;
    row("Run", Some(markdown(&format!("{} {}, attempt {}", run.platform, run.id, run.attempt))));
    row("Component", record.component.as_deref().map(markdown));
    row("Outcome", Some(run.outcome.as_str().to_owned()));
    if !run.jobs.is_empty() {
        let jobs = run.jobs.iter().take(MOST).map(|job| markdown(&format!("{} {}", job.name, job.result)));
        let more = run.jobs.len().saturating_sub(MOST);
        let more = (more > 0).then(|| format!("and {more} more"));
        row("Jobs", Some(jobs.chain(more).collect::<Vec<_>>().join("<br>")));
    }
    let operator = record.operator.as_ref().and_then(|o| o.login.as_ref().or(o.id.as_ref()));
    row("Operator", Some(operator.map_or("unknown".to_owned(), |who| markdown(who))));
    row("Commit", Some(commit(record)));
    row("Tests", Some(tests_line(record).unwrap_or_else(|| "unknown: no report was read".to_owned())));
    for command in record.test_commands.iter().take(MOST) {
        row("Test command", Some(markdown(&format!("{} ended with {}", command.name, command.exit_code))));
    }
    for scan in record.tests.iter().filter_map(|t| t.gate.as_ref().map(|gate| (t, gate))).take(MOST) {
        let (test, gate) = scan;
        let findings = shown::many(gate.findings, "finding", "findings");
        let text = format!("{} ({findings}, {} at or above {})", test.verdict.as_str(), gate.reached, gate.threshold);
        row("Scan", Some(format!("{}: {}", markdown(&test.file), markdown(&text))));
    }
    for (test, lines) in record.tests.iter().filter_map(|t| Some((t, t.coverage?.lines?))).take(MOST) {
        let text = format!("{} of {} lines", lines.covered, lines.total);
        row("Coverage", Some(format!("{}: {}", markdown(&test.file), markdown(&text))));
    }
    row("Artifacts", Some(artifacts(&record.artifacts)));
    let tickets: Vec<String> = record.tickets.iter().take(MOST).map(|t| markdown(&t.id)).collect();
    row("Tickets", Some(if tickets.is_empty() { "none named".to_owned() } else { tickets.join(" ") }));
    row("Approvals", Some(approvals(record)));
    row("Bypasses", Some(bypasses(record)));
    if let Some(receipt) = &told.receipt {
        let lock = receipt.retention.as_ref().map(|lock| markdown(&lock.to_string()));
        row("Lock", Some(lock.unwrap_or_else(|| "none: kept only as long as nobody removes it".to_owned())));
        row("Address", Some(markdown(&receipt.address)));
        row("SHA-256", Some(markdown(&receipt.sha256.to_string())));
        row("Key", Some(markdown(&receipt.keyid)));
    }
    rows
}

fn commit(record: &RunRecord) -> String {
    let Some(commit) = &record.commit else { return "unknown".to_owned() };
    let place = commit.git_ref.as_deref().map(|r| format!(" on {}", markdown(r))).unwrap_or_default();
    let dirty = if commit.dirty == Some(true) { ", **with changes that are in no commit**" } else { "" };
    format!("{}{place}{dirty}", markdown(&commit.sha))
}

fn artifacts(all: &[Artifact]) -> String {
    if all.is_empty() {
        return "none named".to_owned();
    }
    let shown = all.iter().take(MOST).map(|a| {
        let digest = a.digest.sha256.map(|d| format!("@sha256:{d}")).unwrap_or_default();
        markdown(&format!("{}{digest}", a.name))
    });
    let more = all.len().saturating_sub(MOST);
    let more = if more > 0 { format!("<br>and {more} more") } else { String::new() };
    shown.collect::<Vec<_>>().join("<br>") + &more
}

/// Who approved what. Nothing known is not "nobody".
fn approvals(record: &RunRecord) -> String {
    let said = record.completeness.iter().find(|c| c.section == "changes" && c.status != Status::Complete);
    let unknown = said.map(|c| format!("not all known: {}", markdown(c.why.as_deref().unwrap_or_default())));
    let since = record.previous.as_ref().map(|p| format!("since {}", markdown(&p.address)));
    let more = record.changes.len().saturating_sub(MOST);
    let more = (more > 0).then(|| format!("and {more} more, which the record names"));
    let known = record.changes.iter().take(MOST).map(change);
    let all: Vec<String> = since.into_iter().chain(known).chain(more).chain(unknown).collect();
    if record.changes.is_empty() && all.is_empty() { "none".to_owned() } else { all.join("<br>") }
}

/// One change: what it is, whether it was approved and why, and what the platform's own rules had against it.
fn change(change: &Change) -> String {
    let what = match &change.pull_request {
        Some(pull) => {
            let title = pull.title.as_deref().map(|t| format!(" {}", markdown(t))).unwrap_or_default();
            format!("pull request {}{title}", markdown(&pull.number))
        }
        None => {
            let first = change.commits.first().map(|sha| format!(" {}", markdown(sha))).unwrap_or_default();
            format!("**{}**{first}, no pull request", change.via.as_str())
        }
    };
    let approved = match &change.approval {
        Some(a) if a.verdict == Approved::Yes => format!(": approved, {}", markdown(&a.why)),
        Some(a) if a.verdict == Approved::No => format!(": **not approved**, {}", markdown(&a.why)),
        Some(a) => format!(": approval unknown, {}", markdown(&a.why)),
        None => {
            let approved = change.reviews.iter().filter(|r| r.state == ReviewState::Approved);
            let who: Vec<String> = approved.map(|r| markdown(&name(&r.reviewer))).collect();
            if who.is_empty() { String::new() } else { format!(", approved by {}", who.join(" ")) }
        }
    };
    let failing: Vec<String> = told::failing_checks(change).take(MOST).map(markdown).collect();
    let failing = if failing.is_empty() {
        String::new()
    } else {
        format!(", **required and not passed**: {}", failing.join(" "))
    };
    let files: Vec<String> = change.pipeline_files.iter().flatten().take(MOST).map(|f| markdown(f)).collect();
    let files = if files.is_empty() { String::new() } else { format!(", changes the pipeline: {}", files.join(" ")) };
    format!("{what}{approved}{failing}{files}")
}

fn name(actor: &Actor) -> String {
    let Actor { id, login, name } = actor;
    login.as_ref().or(name.as_ref()).or(id.as_ref()).cloned().unwrap_or_else(|| "somebody".to_owned())
}

fn bypasses(record: &RunRecord) -> String {
    let Some(emergency) = &record.emergency else { return "none declared".to_owned() };
    let ticket = emergency.ticket.as_deref().map(|t| format!(", ticket {}", markdown(t))).unwrap_or_default();
    let by = emergency.approved_by.as_ref().map(|a| format!(", agreed by {}", markdown(&name(a)))).unwrap_or_default();
    let due = emergency.review_due_on.map(|d| format!(", to be reviewed by {d}")).unwrap_or_default();
    format!("**emergency**: {}{ticket}{by}{due}", markdown(&emergency.reason))
}

fn failing(record: &RunRecord) -> String {
    let all = record.tests.iter().flat_map(|t| &t.failing).map(|f| {
        let suite = f.suite.as_deref().map(|s| format!("{s} ")).unwrap_or_default();
        format!("{}: {}", f.outcome, markdown(&format!("{suite}{}", f.name)))
    });
    let refused = record.tests.iter().filter_map(|t| t.error.as_deref()).map(markdown);
    let omitted: u64 = record.tests.iter().map(|t| t.failing_omitted).sum();
    let mut all: Vec<String> = all.chain(refused).collect();
    if omitted > 0 {
        all.push(format!("and {omitted} more that the record counts and does not name"));
    }
    folded("Tests that did not pass", all)
}

/// A list that opens on a click.
fn folded(title: &str, all: Vec<String>) -> String {
    if all.is_empty() {
        return String::new();
    }
    let more = all.len().saturating_sub(MOST);
    let mut out = format!("\n<details><summary>{title}: {}</summary>\n\n", all.len());
    for line in all.iter().take(MOST) {
        out += &format!("- {line}\n");
    }
    if more > 0 {
        out += &format!("- and {more} more\n");
    }
    out + "\n</details>\n"
}

fn first_line(text: &str) -> String {
    markdown(text.lines().next().unwrap_or_default())
}
