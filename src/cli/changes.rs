//! How the commits of a run got here: what `attest` and `run` ask the forge, and since which deployment.

use super::about::AboutArgs;
use super::asking::{self, ApiArgs, Where};
use super::exit::{Answer, Exit, Failure};
use super::storing::{PlaceArgs, Ready};
use super::trust;
use super::world::World;
use crate::gather::forge::{Asking, Forge, Found};
use crate::gather::{self, Gathered, tickets};
use crate::ledger::previous::{self, Before, Sought};
use crate::record::RunRecord;
use crate::record::parts_v1::{Repository, Status};
use crate::seal::trust::TrustSet;
use crate::vault::Vault;

/// Whether the forge is asked, and what it means that it did not tell all.
#[derive(clap::Args, Debug)]
pub(crate) struct ChangesArgs {
    #[command(flatten)]
    pub(crate) api: ApiArgs,
    /// Fail (exit 4), after the record is stored, when it does not hold all changes since the previous deployment with their
    /// reviews
    #[arg(help_heading = "Asking the forge", long)]
    pub(crate) require_changes: bool,
}

/// Where the record goes: what stands there already tells since when to ask.
pub(crate) struct There<'a> {
    pub(crate) place: &'a PlaceArgs,
    /// Absent where nothing is to be stored.
    pub(crate) ready: Option<&'a Ready>,
}

/// Asks the forge and completes the record.
pub(crate) fn learn(
    world: &World,
    args: &ChangesArgs,
    about: &AboutArgs,
    there: &There,
    gathered: &mut Gathered,
) -> Result<(), Failure> {
    let pipeline_files = args.api.pipeline_files()?;
    let pattern = tickets::pattern(&about.ticket_pattern).map_err(|e| {
        Failure::usage(format!("--ticket-pattern: {e}"), "it is a regular expression of Rust's regex crate")
    })?;
    let repository = gathered.record.repository.clone().unwrap_or_default();
    let platform = gathered.record.run.platform.clone();
    let about = Where {
        platform: &platform,
        repository: repository.name.as_deref(),
        repository_id: repository.id.as_deref(),
        repository_url: repository.url.as_deref(),
        tickets: &pattern,
        pipeline_files: &pipeline_files,
    };
    let asked = asking::with_api(world, &args.api, &about, |forge, asking| {
        ask(world, there, &repository, gathered, forge, asking?)
    });
    match asked.and_then(|asked| asked) {
        Ok(answer) => gathered.asked(answer),
        Err(why) => gathered.not_asked(why),
    }
    Ok(())
}

fn ask(
    world: &World,
    there: &There,
    repository: &Repository,
    gathered: &Gathered,
    forge: &Forge,
    asking: &Asking,
) -> Result<gather::Answer, String> {
    // A pull request that is not merged has no deployment behind it.
    let sought = match gathered.open_pull_request() {
        Some(_) => Sought::default(),
        None => before(world, there, &gathered.record, repository),
    };
    let span = gathered.span(sought.previous.as_ref())?;
    let mut found = match &sought.previous {
        Some(previous) if previous.commit == span.head => Found { source: asking.api.place(), ..Found::default() },
        _ => (forge.changes)(asking, &span),
    };
    if !found.missing.is_empty() {
        found.missing.push(format!("it was asked with the token of {}", asking.token_from));
    }
    Ok(gather::Answer { found, previous: sought.previous, doubts: sought.doubt.into_iter().collect() })
}

/// The deployment before this one. What goes wrong is a doubt.
fn before(world: &World, there: &There, record: &RunRecord, repository: &Repository) -> Sought {
    let opened;
    let vault: &Vault = match there.ready {
        Some(ready) => match ready.vault() {
            Some(vault) => vault,
            None => return unknown("the vault could not be opened"),
        },
        None => match super::open_or_why(world, &there.place.vault) {
            Ok(vault) => {
                opened = vault;
                &opened
            }
            Err(e) => return unknown(&e.to_string()),
        },
    };
    let trust = match trust::trust_set(world, &there.place.trust, vault.local_root()) {
        Ok(trusting) => trusting.set,
        Err(failure) => match own(world, there) {
            Some(own) => own,
            None => return unknown(&format!("{:#}", failure.error)),
        },
    };
    let before = Before {
        environment: &record.environment,
        component: record.component.as_deref(),
        repository,
        run: &record.run,
        recorded_on: record.recorded_on,
    };
    previous::previous(vault, &trust, &before).unwrap_or_else(|e| unknown(&e.to_string()))
}

fn unknown(why: &str) -> Sought {
    let why = why.lines().next().unwrap_or_default();
    let doubt =
        format!("the previous deployment could not be looked for, so only the commit by itself was asked about: {why}");
    Sought { previous: None, doubt: Some(doubt) }
}

/// Who signs believes themselves, where nobody said whom else.
fn own(world: &World, there: &There) -> Option<TrustSet> {
    match there.ready {
        Some(ready) => Some(TrustSet::of(ready.signer.public_key())),
        None => trust::any_signer(world, &there.place.sign).ok()?.map(|signer| TrustSet::of(signer.public_key())),
    }
}

/// What --require-changes makes of the record, after it is stored.
pub(crate) fn verdict(args: &ChangesArgs, record: &RunRecord) -> Answer {
    let section = record.completeness.iter().find(|c| c.section == "changes");
    match section {
        Some(section) if args.require_changes && section.status != Status::Complete => Err(Failure {
            exit: Exit::Findings,
            error: anyhow::anyhow!(
                "not all changes since the previous deployment are known: {}",
                section.why.as_deref().unwrap_or("nobody told")
            ),
            help: Some(
                "the record is made and says so; give the token the right that is named (docs/CHANGES.md has a table), or leave \
                 out --require-changes"
                    .into(),
            ),
        }),
        _ => Ok(Exit::Done),
    }
}
