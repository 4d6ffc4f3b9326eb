//! `vouchsafe list`: the records that answer a question.

use super::exit::{Answer, Exit, Failure};
use super::trust::{self, TrustArgs};
use super::world::World;
use super::{open_vault, progress, words};
use crate::export::{RENDERERS, shown};
use crate::ledger::filter::{self, Filter};
use crate::ledger::identity::{self, Checked, State};
use crate::ledger::{self, Entry, Verdict};
use chrono::NaiveDate;
use clap::builder::PossibleValuesParser;

/// Flags that say of which environments and days records are wanted.
#[derive(clap::Args, Debug)]
pub(crate) struct ScopeArgs {
    /// Environment; may be said more than once
    #[arg(short, long, value_name = "NAME", action = clap::ArgAction::Append)]
    environment: Vec<String>,
    /// First day, UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<NaiveDate>,
    /// Last day, UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<NaiveDate>,
    /// Calendar quarter, like 2026-Q3
    #[arg(long, value_name = "QUARTER")]
    quarter: Option<String>,
    /// Period that ends today: 30d, 12w, 13mo, 1y
    #[arg(long, value_name = "PERIOD")]
    last: Option<String>,
}

/// Flags that say which records are wanted.
#[derive(clap::Args, Debug)]
pub(crate) struct FilterArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// Run id
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// Commit, or its beginning
    #[arg(long, value_name = "SHA")]
    commit: Option<String>,
    /// Operator's login or id
    #[arg(long, value_name = "LOGIN")]
    operator: Option<String>,
    /// Image or file by digest (or its first 12 digits) or by name
    #[arg(long, value_name = "DIGEST|NAME")]
    image: Option<String>,
}

impl FilterArgs {
    /// The question to the ledger.
    pub(crate) fn filter(&self, world: &World) -> Result<Filter, Failure> {
        Ok(Filter {
            run: self.run.clone(),
            commit: self.commit.as_ref().map(|c| c.to_lowercase()),
            operator: self.operator.clone(),
            artifact: self.image.clone(),
            ..self.scope.filter(world)?
        })
    }
}

impl ScopeArgs {
    /// The question to the ledger.
    pub(crate) fn filter(&self, world: &World) -> Result<Filter, Failure> {
        let mut from = self.from;
        let mut to = self.to;
        let periods = [self.quarter.is_some(), self.last.is_some(), from.is_some() || to.is_some()];
        if periods.iter().filter(|p| **p).count() > 1 {
            return Err(Failure::usage("the period is said twice", "say one of --quarter, --last, or --from and --to"));
        }
        if let Some(text) = &self.quarter {
            let (first, last) = filter::quarter(text)
                .ok_or_else(|| Failure::usage(format!("--quarter `{text}` is not a quarter"), "say it like 2026-Q3"))?;
            (from, to) = (Some(first), Some(last));
        }
        if let Some(text) = &self.last {
            from = Some(filter::last(text, (world.now)()).ok_or_else(|| {
                Failure::usage(format!("--last `{text}` is not a period"), "say it like 30d, 12w, 13mo or 1y")
            })?);
        }
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(Failure::usage(format!("--from {from} is after --to {to}"), "turn them round"));
        }
        Ok(Filter { environments: self.environment.clone(), from, to, ..Filter::default() })
    }
}

/// List records by environment, period, run, commit, operator or image
///
/// Each record is verified while it is listed; one that does not verify, or that this version cannot read, is listed
/// too and says so. Nothing is left out in silence.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe list
  vouchsafe list --vault s3://evidence --environment production --quarter 2026-Q3 --format csv > q3.csv

Exit codes: 0 all listed records verify · 1 could not do it · 3 one does not verify · 4 one is unsupported")]
pub(crate) struct Args {
    /// Vault: a folder, file://…, or s3://bucket/prefix
    #[arg(long, value_name = "URL", default_value = crate::vault::DEFAULT_URL)]
    vault: String,
    #[command(flatten)]
    filter: FilterArgs,
    /// table for people, csv for spreadsheets (formulas neutralised), json for programs (one object a line)
    #[arg(long, value_name = "FORMAT", value_parser = formats(), default_value = "table")]
    format: String,
    /// The same as --format json
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    trust: TrustArgs,
}

/// The words after `--format`: the rows of the table of renderers.
fn formats() -> PossibleValuesParser {
    PossibleValuesParser::new(RENDERERS.iter().map(|r| r.name))
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args) -> Answer {
    let filter = args.filter.filter(world)?;
    let vault = open_vault(world, &args.vault)?;
    let trusting = trust::trust_set(world, &args.trust, vault.local_root())?;
    let format = if args.json { "json" } else { &args.format };
    let renderer = RENDERERS.iter().find(|r| r.name == format);
    let renderer = renderer.ok_or_else(|| Failure::usage(format!("no format `{format}`"), "say table, csv or json"))?;
    let mut count = Tally::default();
    let (entries, strangers) = ledger::entries(&vault, &trusting.set, &filter)?;
    words::strangers(world, &strangers);
    // A table appears at its end; what is written as it comes shows itself how far it is.
    let quiet = !world.stderr_is_terminal || (world.stdout_is_terminal && renderer.name != "table");
    let mut shown = progress::Shown::new(&mut world.stderr, &world.now, !quiet);
    let mut seen = entries.inspect(|entry| {
        count.see(entry);
        shown.step("listed", count.total, None, progress::Unit::Records);
    });
    let written = (renderer.write)(&mut world.stdout, &mut seen);
    drop(seen);
    drop(shown);
    match written {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            return Err(anyhow::anyhow!(e).context("could not write the list").into());
        }
        _ => {}
    }
    if count.total == 0 {
        world.say(&format!("no record in {} answers this", shown::line(&args.vault)));
    }
    words::warn(world, &count.warnings);
    Ok(count.exit())
}

/// How many entries of which verdict.
#[derive(Default)]
pub(crate) struct Tally {
    /// All.
    pub(crate) total: u64,
    /// By verdict.
    pub(crate) by: std::collections::BTreeMap<Verdict, u64>,
    /// Records with fields of a newer minor version.
    pub(crate) newer: u64,
    /// Records without a leaf that are young enough to wait for one.
    pub(crate) on_their_way: u64,
    /// Platform identities by what they are worth.
    pub(crate) identity: identity::Counts,
    warnings: Vec<String>,
}

/// More findings than this are counted, not told one by one.
const MOST_TOLD: usize = 20;

impl Tally {
    /// Counts one entry.
    pub(crate) fn see(&mut self, entry: &Entry) {
        self.total += 1;
        *self.by.entry(entry.verdict).or_default() += 1;
        self.newer += u64::from(!entry.unknown_fields.is_empty());
        if entry.verdict != Verdict::Valid && self.warnings.len() < MOST_TOLD {
            self.warnings.push(format!("{}: {}: {}", entry.verdict.as_str(), entry.address, entry.why));
        }
    }

    /// Counts the platform identity of a record, if it has one.
    pub(crate) fn see_identity(&mut self, checked: Option<&Checked>) {
        if let Some(checked) = checked {
            self.identity.see(checked.state);
        }
    }

    /// The exit code that these verdicts call for.
    pub(crate) fn exit(&self) -> Exit {
        let identity = match self.identity.worst() {
            Some(State::Broken) => Exit::Unverified,
            Some(State::Contradicted) => Exit::Findings,
            _ => Exit::Done,
        };
        // A record whose leaf may be on its way is no finding yet.
        let counts = |(verdict, n): &(&Verdict, &u64)| **verdict != Verdict::Unlinked || **n > self.on_their_way;
        self.by.iter().filter(counts).fold(identity, |worst, (verdict, _)| worst.or(exit_of(*verdict)))
    }
}

/// What a verdict is worth.
pub(crate) fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Valid | Verdict::Expired => Exit::Done,
        Verdict::Unsupported | Verdict::Unlinked => Exit::Findings,
        Verdict::Moved | Verdict::Untrusted | Verdict::Missing | Verdict::Altered | Verdict::Invalid => {
            Exit::Unverified
        }
    }
}
