//! `collect --population`: what the forge says happened, whole, for others to compare the records with.

use super::kept::{self, Told};
use super::since::{ask, nothing, period};
use super::{Args, Common};
use crate::cli::exit::{Answer, Failure};
use crate::cli::made::{Made, fresh_id, known, section, tool};
use crate::cli::world::World;
use crate::gather::forge::{Period, Population};
use crate::record::parts_v1::{Completeness, How, Repository, Status};
use crate::record::population_v1::{Item, PopulationRecord};
use crate::record::{Record, SCHEMA_VERSION};
use chrono::TimeDelta;

/// Largest statement, in bytes: in base64 it stays below what anybody opens (32 MiB).
const LARGEST: usize = 16 * 1024 * 1024;
/// Shortest time that is cut in two.
const SHORTEST: TimeDelta = TimeDelta::seconds(2);

/// Runs the mode.
pub(super) fn run(world: &mut World, args: &Args, common: &Common) -> Answer {
    let period = period(args, common.made.on)?;
    let (forge, told) = ask(world, args, common, |forge, asking| (forge.population)(asking, &period))?;
    let missing = missing(&told);
    let read_nothing = told.items.is_empty() && !told.queries.iter().any(|q| q.complete);
    if let (true, Some(first)) = (read_nothing, missing.first()) {
        return Err(nothing(first, missing.len()));
    }
    let whole = record(&common.made, args, forge.name, told, period, args.repository(&common.made));
    let mut records = Vec::new();
    for part in parts(whole, &mut |record| kept::size(&Record::from(record.clone())), LARGEST)? {
        records.push(PopulationRecord { record_id: fresh_id(world)?, ..part }.into());
    }
    kept::keep(world, args, &records, Told { passed_over: Vec::new(), missing, what: "time" })
}

/// Everything that was not read.
fn missing(told: &Population) -> Vec<String> {
    let mut all = told.missing.clone();
    all.extend(
        told.queries
            .iter()
            .filter(|q| !q.complete)
            .filter_map(|q| q.why.clone())
            .filter(|why| !told.missing.contains(why)),
    );
    all
}

fn record(
    made: &Made,
    args: &Args,
    forge: &str,
    told: Population,
    period: Period,
    named: Option<Repository>,
) -> PopulationRecord {
    let lacks = missing(&told);
    let mut provenance = made.provenance();
    for query in &told.queries {
        provenance.push(known("items", How::Api, query.request.clone()));
    }
    PopulationRecord {
        schema_version: SCHEMA_VERSION.to_owned(),
        record_id: uuid::Uuid::nil(),
        recorded_on: made.on,
        environment: args.environment.trim().to_owned(),
        run: made.run.clone(),
        repository: told.repository.or(named),
        platform: forge.to_owned(),
        from: period.from,
        to: period.to,
        queries: told.queries,
        items: told.items,
        tool: tool(),
        completeness: vec![section("items", lacks)],
        provenance,
    }
}

/// The record, or several of parts of its time where it is too large for one.
fn parts(
    record: PopulationRecord,
    size: &mut dyn FnMut(&PopulationRecord) -> Result<usize, Failure>,
    largest: usize,
) -> Result<Vec<PopulationRecord>, Failure> {
    let time = record.to - record.from;
    if record.items.len() < 2 || time < SHORTEST || size(&record)? <= largest {
        return Ok(vec![record]);
    }
    let middle = record.from + time / 2;
    // What has no time stands in the first part.
    let (first, second): (Vec<Item>, Vec<Item>) =
        record.items.iter().cloned().partition(|item| item.on.is_none_or(|on| on < middle));
    let mut all = Vec::new();
    for (from, to, items) in [(record.from, middle, first), (middle, record.to, second)] {
        let mut part = PopulationRecord { from, to, items, ..record.clone() };
        for query in &mut part.queries {
            query.items = part.items.iter().filter(|item| item.what == query.what).count() as u64;
        }
        if !part.completeness.iter().any(|c| c.section == "parts") {
            let why = format!(
                "one answer of {} items for {} to {}, too large for one record; this one holds a part of that time",
                record.items.len(),
                record.from,
                record.to
            );
            let said = Completeness { section: "parts".into(), status: Status::Complete, why: Some(why) };
            part.completeness.push(said);
        }
        all.extend(parts(part, size, largest)?);
    }
    Ok(all)
}
