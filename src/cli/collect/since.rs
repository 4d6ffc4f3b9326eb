//! `collect --since`: what the forge's API tells of a time.

use super::kept::{self, Told};
use super::records::{self, Added};
use super::{Args, Common};
use crate::cli::asking::{self, Where};
use crate::cli::exit::{Answer, Failure};
use crate::cli::world::World;
use crate::gather::forge::{Asking, Collected, Forge, Period};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

/// Runs the mode.
pub(super) fn run(world: &mut World, args: &Args, common: &Common) -> Answer {
    let period = period(args, common.made.on)?;
    let (forge, collected) = ask(world, args, common, |forge, asking| (forge.pushes)(asking, &period))?;
    let added = Added::new(args, common, forge, false);
    let records = records::records(world, &common.made, &added, &collected)?;
    let Collected { passed_over, missing, authentic, .. } = collected;
    // A quiet night is one: what a token may never see (rule suites, for a workflow's own) is said, and is no failure every day.
    if let (true, false, Some(first)) = (records.is_empty(), authentic, missing.first()) {
        return Err(nothing(first, missing.len()));
    }
    kept::keep(world, args, &records, Told { passed_over, missing, what: "time" })
}

/// Nothing could be read, which is not the same as nothing happened.
pub(super) fn nothing(first: &str, n: usize) -> Failure {
    let more = if n > 1 { format!(" (and {} more)", n - 1) } else { String::new() };
    Failure::failed(
        anyhow::anyhow!("nothing was found, and not everything could be read: {first}{more}"),
        "docs/COLLECT.md has a table of what each token can see",
    )
}

/// The forge and what it answers; a failure where it cannot be asked.
pub(super) fn ask<T>(
    world: &World,
    args: &Args,
    common: &Common,
    question: impl FnOnce(&'static Forge, &Asking) -> T,
) -> Result<(&'static Forge, T), Failure> {
    let repository = args.repository(&common.made).unwrap_or_default();
    let about = Where {
        platform: common.made.platform,
        repository: repository.name.as_deref(),
        repository_id: repository.id.as_deref(),
        repository_url: repository.url.as_deref(),
        tickets: &common.tickets,
        pipeline_files: &common.pipeline_files,
    };
    let asked = asking::with_api(world, &args.api, &about, |forge, asking| Ok((forge, question(forge, asking?))));
    asked.and_then(|asked| asked).map_err(|why: String| {
        Failure::failed(
            anyhow::anyhow!("could not ask the forge: {why}"),
            "say --repository OWNER/NAME, --forge, --api-url and --api-token where the platform does not tell them",
        )
    })
}

/// The time that the words mean. What lies ahead has not happened.
pub(super) fn period(args: &Args, now: DateTime<Utc>) -> Result<Period, Failure> {
    let (from, to) = match (args.since, &args.from) {
        (Some(since), _) => (now.checked_sub_signed(since), Some(now)),
        (None, Some(from)) => {
            (moment("from", from, false)?, args.to.as_ref().map_or(Ok(Some(now)), |to| moment("to", to, true))?)
        }
        (None, None) => (None, None),
    };
    let (Some(from), Some(to)) = (from, to.map(|to| to.min(now))) else {
        return Err(Failure::usage("the time is beyond the calendar", "say --since 26h"));
    };
    if from >= to {
        return Err(Failure::usage("the time that was named is empty, or lies ahead", "--from comes before --to"));
    }
    Ok(Period { from, to })
}

/// A day, which begins or ends there, or a moment.
fn moment(flag: &str, text: &str, end: bool) -> Result<Option<DateTime<Utc>>, Failure> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        let day = if end { day.checked_add_days(Days::new(1)) } else { Some(day) };
        return Ok(day.map(|day| day.and_time(NaiveTime::MIN).and_utc()));
    }
    let moment = DateTime::parse_from_rfc3339(text);
    moment.map(|m| Some(m.to_utc())).map_err(|_| {
        Failure::usage(
            format!("--{flag} `{text}` is neither a day nor a moment"),
            "say 2026-11-01 or 2026-11-01T06:00:00Z",
        )
    })
}
