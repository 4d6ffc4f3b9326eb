//! `vouchsafe show`: one record, as a person would tell it.

use super::exit::{Answer, Exit, Failure};
use super::trust::{self, TrustArgs};
use super::world::World;
use super::{open_vault, proof, told, words};
use crate::export::{figures, said, sheet, shown};
use crate::ledger::filter::Filter;
use crate::ledger::identity::Checked;
use crate::ledger::{self, Entry, Verdict};
use crate::record::parts_v1::{Actor, Status};
use crate::record::run_v1::{ArtifactKind, RunRecord};
use crate::record::{Record, json};
use crate::vault::address::{About, Address};
use serde_json::value::RawValue;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Tell one record, whole
///
/// With no words it is the newest record of the vault.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe show
  vouchsafe show 4711 --vault s3://evidence
  vouchsafe show evidence/env=production/date=2026-11-23/run=github-4711-1/run.json --json
  vouchsafe show 4711 --proof 4711.tlog-proof    then anywhere: vouchsafe verify 4711.tlog-proof --key public.pem

Exit codes: 0 shown and valid · 1 no such record, or several, or no ledger names it (--proof) · 3 it does not verify · 4 it
is unsupported")]
pub(crate) struct Args {
    /// Address, run id, record id, or the beginning of a commit
    #[arg(value_name = "RECORD")]
    which: Option<String>,
    /// Vault: a folder, file://…, or s3://bucket/prefix
    #[arg(long, value_name = "URL", default_value = crate::vault::DEFAULT_URL)]
    vault: String,
    /// One JSON object: verdict, place and the signed statement, untouched
    #[arg(long)]
    json: bool,
    /// Write a proof that the record is in the ledger (C2SP tlog-proof), for whoever has no access to the vault; without a
    /// FILE, or with -, to standard output. Say the record before it
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-", conflicts_with = "json")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args) -> Answer {
    if let (None, Some(file)) = (&args.which, &args.proof)
        && file.starts_with("evidence")
    {
        return Err(Failure::usage(
            format!("`{}` follows --proof, so it would be the file to write", file.display()),
            "say the record first: vouchsafe show RECORD --proof FILE",
        ));
    }
    let vault = open_vault(world, &args.vault)?;
    let trusting = trust::trust_set(world, &args.trust, vault.local_root())?;
    let entry = match &args.which {
        Some(address) if address.starts_with("evidence/") => {
            ledger::open(&vault, &trusting.set, &Address::parse(address)?)
        }
        which => {
            let (addresses, strangers) = ledger::addresses(&vault, &Filter::default())?;
            words::strangers(world, &strangers);
            let addresses = likely(addresses, which.as_deref());
            let entries = addresses.iter().map(|address| ledger::open(&vault, &trusting.set, address));
            find(entries, which.as_deref(), &args.vault)?
        }
    };
    if entry.sha256.is_none() {
        return Err(Failure::failed(
            anyhow::anyhow!("{} {}", entry.address, entry.why),
            "`vouchsafe list` shows what is there",
        ));
    }
    let identity = ledger::identity::check(&entry, &trusting.set);
    if let Some(file) = &args.proof {
        proof::write(world, &vault, &trusting.set, &entry, file)?;
    } else if args.json {
        words::writeln_quietly(world, &as_json(&entry, identity.as_ref())?)?;
    } else {
        let text = told(&entry, identity.as_ref(), &trusting.from);
        words::writeln_quietly(world, text.trim_end())?;
    }
    Ok(match entry.verdict {
        Verdict::Valid => Exit::Done,
        Verdict::Unsupported => Exit::Findings,
        _ => Exit::Unverified,
    })
}

/// The addresses that have to be opened: those of the last day for the newest record, those of a run for a run id, and
/// all of them where the address does not tell.
fn likely(addresses: Vec<Address>, which: Option<&str>) -> Vec<Address> {
    let parts = |a: &Address| a.parts();
    let last = addresses.iter().filter_map(parts).map(|p| p.date).max();
    let fits = |address: &&Address| match (which, parts(address)) {
        (None, Some(parts)) => Some(parts.date) == last,
        (None, None) => last.is_none(),
        (Some(which), Some(parts)) => matches!(&parts.about, About::Run { id, .. } if id == which),
        (Some(_), None) => false,
    };
    let near: Vec<Address> = addresses.iter().filter(fits).cloned().collect();
    if near.is_empty() { addresses } else { near }
}

/// The one entry that is meant; the newest when nothing is said.
fn find(entries: impl Iterator<Item = Entry>, which: Option<&str>, vault: &str) -> Result<Entry, Failure> {
    let mut found: Vec<Entry> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    for entry in entries {
        let is_meant = match (which, &entry.record) {
            (None, _) => true,
            (Some(which), Some(record)) => {
                let commit = record.as_run().and_then(|r| r.commit.as_ref()).filter(|_| which.len() >= 7);
                record.as_run().is_some_and(|r| r.run.id == which)
                    || record.head().record_id.to_string() == which.to_lowercase()
                    || commit.is_some_and(|c| c.sha.starts_with(&which.to_lowercase()))
            }
            (Some(_), None) => false,
        };
        if !is_meant {
            continue;
        }
        match (which, found.first()) {
            (None, Some(newest)) if moment(newest) >= moment(&entry) => {}
            (None, _) => found = vec![entry],
            (Some(_), Some(_)) if others.len() < 20 => others.push(entry.address),
            (Some(_), Some(_)) => {}
            (Some(_), None) => found.push(entry),
        }
    }
    let Some(entry) = found.pop() else {
        let what = which.map(|w| format!("no record of {} is `{w}`", shown::line(vault)));
        return Err(Failure::failed(
            anyhow::anyhow!("{}", what.unwrap_or_else(|| format!("there is no record in {}", shown::line(vault)))),
            "`vouchsafe list` shows what is there",
        ));
    };
    if others.is_empty() {
        return Ok(entry);
    }
    others.insert(0, entry.address);
    Err(Failure::failed(
        anyhow::anyhow!("several records are `{}`:\n{}", which.unwrap_or_default(), others.join("\n")),
        "say the address of the one you mean",
    ))
}

fn moment(entry: &Entry) -> Option<chrono::DateTime<chrono::Utc>> {
    entry.record.as_ref().map(|record| record.head().recorded_on)
}

fn as_json(entry: &Entry, identity: Option<&Checked>) -> anyhow::Result<String> {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown<'a> {
        address: &'a str,
        verdict: &'a str,
        why: &'a str,
        keyid: Option<&'a str>,
        sha256: Option<crate::record::digest::Sha256Digest>,
        unknown_fields: &'a [String],
        identity: Option<serde_json::Value>,
        statement: Option<&'a RawValue>,
    }
    let statement = entry.payload.as_deref().map(serde_json::from_slice::<&RawValue>).transpose()?;
    Ok(json::to_string(&Shown {
        address: &entry.address,
        verdict: entry.verdict.as_str(),
        why: &entry.why,
        keyid: entry.keyid.as_deref(),
        sha256: entry.sha256,
        unknown_fields: &entry.unknown_fields,
        identity: identity.map(|i| serde_json::json!({"state": i.state.as_str(), "issuer": i.issuer, "why": i.why})),
        statement,
    })?)
}

/// Lines of `name  value`, every value neutralised.
struct Page(String);

impl Page {
    fn line(&mut self, name: &str, value: impl AsRef<str>) {
        let _ = writeln!(self.0, "{name:<12} {}", shown::line(value.as_ref()));
    }
    fn maybe(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.line(name, value);
        }
    }
}

fn told(entry: &Entry, identity: Option<&Checked>, trust: &str) -> String {
    let mut page = Page(String::new());
    page.line("verdict", format!("{}: {}", entry.verdict.as_str(), entry.why));
    page.line("trust", trust);
    page.line("address", &entry.address);
    page.maybe("sha256", entry.sha256.map(|d| d.to_string()));
    page.maybe("key", entry.keyid.as_ref());
    page.maybe("identity", identity.map(|i| format!("{}: {}", i.state.as_str(), i.why)));
    match &entry.record {
        Some(Record::Run(record)) => run_told(&mut page, record),
        Some(record) => page.line("record", said::of(record)),
        None => page.maybe("type", entry.predicate_type.as_ref()),
    }
    if !entry.unknown_fields.is_empty() {
        page.line("not known", entry.unknown_fields.join(", "));
    }
    page.0
}

fn run_told(page: &mut Page, r: &RunRecord) {
    page.line("record", format!("{} of {}, schema {}", r.record_id, time(&r.recorded_on), r.schema_version));
    page.line("environment", &r.environment);
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
    if let Some(repository) = &r.repository {
        page.maybe("repository", repository.name.as_ref().or(repository.url.as_ref()));
    }
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
        page.line("change", told::change_line(change));
        page.maybe("  page", change.pull_request.as_ref().and_then(|p| p.url.as_ref()));
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
    }
    for (name, value) in &r.variables {
        page.line("variable", format!("{name}={value}"));
    }
    for c in r.completeness.iter().filter(|c| c.status != Status::Complete) {
        let status = if c.status == Status::Partial { "partly known" } else { "not known" };
        page.line("incomplete", format!("{} {status}: {}", c.section, c.why.as_deref().unwrap_or_default()));
    }
    page.line("written by", format!("{} {}", r.tool.name, r.tool.version));
}

fn who(actor: &Actor) -> String {
    let id = actor.id.as_ref().map(|i| format!("id {i}"));
    let parts: Vec<String> = [actor.login.clone(), actor.name.clone(), id].into_iter().flatten().collect();
    parts.join(", ")
}

fn time(on: &chrono::DateTime<chrono::Utc>) -> String {
    on.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}
