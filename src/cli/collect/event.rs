//! `collect --event`: one webhook's payload.

use super::kept::{self, Told};
use super::records::{self, Added};
use super::{Args, Common, secret};
use crate::cli::asking::{self, ApiArgs, Where};
use crate::cli::exit::{Answer, Exit, Failure};
use crate::cli::twins::Sources;
use crate::cli::world::World;
use crate::gather::forge::{Collected, Delivered, EventError, FORGES, Forge, by_header, by_name};
use anyhow::Context as _;
use std::io::Read;
use std::path::Path;

/// Largest payload, in bytes. GitHub sends none over 25 MB (GitHub docs, "Webhook events and payloads").
const LARGEST: u64 = 26 * 1024 * 1024;

/// Runs the mode.
pub(super) fn run(world: &mut World, args: &Args, common: &Common, file: &Path, sources: &Sources) -> Answer {
    let body = body(world, file)?;
    let secret = secret::secret(world, args.webhook_secret.as_ref(), sources)?;
    let mut headers = secret::headers(&args.event_header)?;
    let own = runners_own(world, common, file, &mut headers);
    let delivered = Delivered {
        headers: &headers,
        body: &body,
        secret: secret.as_ref(),
        pipeline_files: &common.pipeline_files,
        tickets: &common.tickets,
    };
    let (forge, mut collected) = understood(args, own, &delivered)?;
    if let (Some(told), Some(theirs)) = (&args.repository, collected.repository.as_ref().and_then(|r| r.name.as_ref()))
        && !told.eq_ignore_ascii_case(theirs)
    {
        return Err(Failure::failed(
            anyhow::anyhow!("the event is of the repository `{theirs}`, and not of `{told}`"),
            "nothing was recorded; leave out --repository, or hand over the event of that one",
        ));
    }
    complete(world, args, common, forge, &delivered, &mut collected);
    let added = Added::new(args, common, forge, true);
    let records = records::records(world, &common.made, &added, &collected)?;
    let Collected { passed_over, mut missing, authentic, .. } = collected;
    if !authentic && !records.is_empty() {
        missing.insert(0, records::UNCHECKED.to_owned());
    }
    kept::keep(world, args, &records, Told { passed_over, missing, what: "event" })
}

fn body(world: &mut World, file: &Path) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    if file.as_os_str() == "-" {
        (&mut world.stdin).take(LARGEST + 1).read_to_end(&mut body).context("could not read the event")?;
    } else {
        let opened = std::fs::File::open(world.at(file));
        let read = opened.and_then(|f| f.take(LARGEST + 1).read_to_end(&mut body));
        read.with_context(|| format!("could not read the event `{}`", file.display()))?;
    }
    if body.len() as u64 > LARGEST {
        return Err(Failure::failed(anyhow::anyhow!("the event is larger than 26 MiB"), "no forge sends one"));
    }
    Ok(body)
}

/// The payload that the runner of GitHub and its relatives left for this very run: its event stands in a variable, not in a
/// header. Answers with the forge.
fn runners_own(
    world: &World,
    common: &Common,
    file: &Path,
    headers: &mut Vec<(String, String)>,
) -> Option<&'static Forge> {
    let own = world.var("GITHUB_EVENT_PATH").is_some_and(|path| world.at(path) == world.at(file));
    let forge = by_name(common.made.platform).filter(|_| own)?;
    let told = |name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    if let Some(event) = world.var("GITHUB_EVENT_NAME").filter(|_| !told("X-GitHub-Event")) {
        headers.push(("X-GitHub-Event".to_owned(), event.to_owned()));
    }
    Some(forge)
}

/// The forge whose event this is, and what it tells.
fn understood(
    args: &Args,
    own: Option<&'static Forge>,
    delivered: &Delivered,
) -> Result<(&'static Forge, Collected), Failure> {
    let named = args.api.forge.as_deref().and_then(by_name);
    if let Some(forge) = named.or_else(|| by_header(delivered)).or(own) {
        let collected = (forge.event)(delivered, None).map_err(|e| refused(forge.name, &e))?;
        return Ok((forge, collected));
    }
    // Nobody said whose it is: the first that knows it.
    let mut worst: Option<Failure> = None;
    for forge in FORGES {
        match (forge.event)(delivered, None) {
            Ok(collected) => return Ok((forge, collected)),
            Err(EventError::Unknown(_)) => {}
            Err(e) => {
                let failure = refused(forge.name, &e);
                if worst.as_ref().is_none_or(|w| w.exit == Exit::Failed && failure.exit == Exit::Unverified) {
                    worst = Some(failure);
                }
            }
        }
    }
    Err(worst.unwrap_or_else(|| {
        Failure::failed(
            anyhow::anyhow!("the event is none that a forge here knows"),
            "hand over its headers, as in --event-header 'X-GitHub-Event: push', or say --forge",
        )
    }))
}

fn refused(forge: &str, error: &EventError) -> Failure {
    let help = match error {
        EventError::NotAuthentic(_) => {
            return Failure {
                exit: Exit::Unverified,
                error: anyhow::anyhow!("the event is not taken for one of {forge}: {error}"),
                help: Some("nothing was recorded: whoever sent it does not know the secret, or the body or a header was changed on its way".into()),
            };
        }
        EventError::Unknown(_) => "send the events that docs/COLLECT.md names; others need not be recorded",
        EventError::Shape(_) => "hand over the body byte for byte as it came",
    };
    Failure::failed(anyhow::anyhow!("could not use the event of {forge}: {error}"), help)
}

/// Asks the API for what the payload does not hold. The payload of somebody who is not known may not choose what a token is used
/// for: then the repository is the one that was named here, or none.
fn complete(
    world: &World,
    args: &Args,
    common: &Common,
    forge: &'static Forge,
    delivered: &Delivered,
    collected: &mut Collected,
) {
    let named = args.repository(&common.made);
    let same = |a: Option<&String>, b: Option<&String>| a.zip(b).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
    let theirs = collected.repository.clone().unwrap_or_default();
    let trusted = if collected.authentic {
        Some(theirs)
    } else {
        named.filter(|named| same(named.name.as_ref(), theirs.name.as_ref()))
    };
    // Of an event that nothing is recorded of, nothing is missing.
    let recorded = !collected.pushes.is_empty() || !collected.bypasses.is_empty();
    let Some(repository) = trusted else {
        let why = "the API was not asked for more, because nobody knows who sent the event; give --webhook-secret, or say \
                   --repository";
        collected.missing.extend(recorded.then(|| why.to_owned()));
        return;
    };
    let args = ApiArgs { forge: Some(forge.name.to_owned()), ..args.api.clone() };
    let about = Where {
        platform: common.made.platform,
        repository: repository.name.as_deref(),
        repository_id: repository.id.as_deref(),
        repository_url: repository.url.as_deref(),
        tickets: &common.tickets,
        pipeline_files: &common.pipeline_files,
    };
    let asked = asking::with_api(world, &args, &about, |forge, asking| {
        (forge.event)(delivered, Some(asking?)).map_err(|e| e.to_string())
    });
    match asked.and_then(|asked| asked) {
        Ok(completed) => *collected = completed,
        Err(why) => collected.missing.extend(recorded.then_some(why)),
    }
}
