//! `vouchsafe show`: one record, as a person would tell it. One file a kind.

mod bypass;
mod change;
mod page;
mod population;
mod review;
mod run;

use super::exit::{Answer, Exit, Failure};
use super::trust::{self, TrustArgs};
use super::world::World;
use super::{open_vault, proof, words};
use crate::export::shown;
use crate::ledger::filter::Filter;
use crate::ledger::identity::Checked;
use crate::ledger::{self, Entry, Verdict};
use crate::record::{Record, json};
use crate::vault::address::{About, Address};
use page::Page;
use serde_json::value::RawValue;
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

/// Records that are named where several are meant.
const MOST_NAMED: usize = 20;

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
    let mut related: Vec<Entry> = Vec::new();
    for entry in entries {
        let rank = match (which, &entry.record) {
            (None, _) => Some(Rank::Meant),
            (Some(which), Some(record)) => rank(record, which),
            (Some(_), None) => None,
        };
        match rank {
            None => continue,
            Some(Rank::Meant) => {}
            Some(Rank::Related) => {
                related.push(entry);
                related.truncate(MOST_NAMED + 1);
                continue;
            }
        }
        match (which, found.first()) {
            (None, Some(newest)) if moment(newest) >= moment(&entry) => {}
            (None, _) => found = vec![entry],
            (Some(_), Some(_)) if others.len() < MOST_NAMED => others.push(entry.address),
            (Some(_), Some(_)) => {}
            (Some(_), None) => found.push(entry),
        }
    }
    if found.is_empty() && !related.is_empty() {
        found.push(related.remove(0));
        others.extend(related.into_iter().map(|entry| entry.address));
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

/// When it was made; of several of one moment the run is first in line, and the rest is about it.
fn moment(entry: &Entry) -> Option<(chrono::DateTime<chrono::Utc>, bool)> {
    entry.record.as_ref().map(|record| (record.head().recorded_on, record.as_run().is_some()))
}

/// How a record answers to a word.
enum Rank {
    /// It is the one that is meant.
    Meant,
    /// It is about the commit, and only meant where no run is.
    Related,
}

fn rank(record: &Record, which: &str) -> Option<Rank> {
    let which_commit = which.to_lowercase();
    let of_commit = |sha: Option<&str>| which.len() >= 7 && sha.is_some_and(|sha| sha.starts_with(&which_commit));
    if record.head().record_id.to_string() == which_commit {
        return Some(Rank::Meant);
    }
    match record {
        Record::Run(r) if r.run.id == which || of_commit(r.commit.as_ref().map(|c| c.sha.as_str())) => {
            Some(Rank::Meant)
        }
        Record::Change(r) if of_commit(r.after.as_deref()) => Some(Rank::Related),
        Record::Bypass(r) if of_commit(r.commit.as_deref()) => Some(Rank::Related),
        _ => None,
    }
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

fn told(entry: &Entry, identity: Option<&Checked>, trust: &str) -> String {
    let mut page = Page::default();
    page.line("verdict", format!("{}: {}", entry.verdict.as_str(), entry.why));
    page.line("trust", trust);
    page.line("address", &entry.address);
    page.maybe("sha256", entry.sha256.map(|d| d.to_string()));
    page.maybe("key", entry.keyid.as_ref());
    page.maybe("identity", identity.map(|i| format!("{}: {}", i.state.as_str(), i.why)));
    match &entry.record {
        Some(Record::Run(record)) => run::told(&mut page, record),
        Some(Record::Change(record)) => change::told(&mut page, record),
        Some(Record::Bypass(record)) => bypass::told(&mut page, record),
        Some(Record::Review(record)) => review::told(&mut page, record),
        Some(Record::Population(record)) => population::told(&mut page, record),
        None => page.maybe("type", entry.predicate_type.as_ref()),
    }
    if !entry.unknown_fields.is_empty() {
        page.line("not known", entry.unknown_fields.join(", "));
    }
    page.text()
}
