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
use chrono::{DateTime, SubsecRound as _, Utc};

/// Largest statement, in bytes: in base64 it stays below what anybody opens (32 MiB).
const LARGEST: usize = 16 * 1024 * 1024;

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
    let Some(middle) = middle(&record).filter(|_| record.items.len() > 1) else { return Ok(vec![record]) };
    if size(&record)? <= largest {
        return Ok(vec![record]);
    }
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

/// The whole second that has half of the items before it; `None` where they cannot be told apart. Addresses name seconds.
fn middle(record: &PopulationRecord) -> Option<DateTime<Utc>> {
    let mut times: Vec<DateTime<Utc>> = record.items.iter().filter_map(|item| item.on).collect();
    times.sort();
    let middle = times.get(times.len() / 2)?.trunc_subsecs(0);
    (times.first()? < &middle && record.from < middle && middle < record.to).then_some(middle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::population_v1::{ItemKind, Query};
    use chrono::TimeDelta;

    fn record(items: usize) -> PopulationRecord {
        let from: chrono::DateTime<chrono::Utc> = "2026-11-22T00:00:00Z".parse().unwrap();
        let item = |n: usize| Item {
            what: if n.is_multiple_of(3) { ItemKind::Push } else { ItemKind::Run },
            id: n.to_string(),
            attempt: None,
            name: None,
            url: None,
            status: None,
            on: (n > 0).then(|| from + TimeDelta::minutes(n as i64)),
            commit: None,
            git_ref: None,
            environment: None,
            actor: None,
        };
        let query = |what| Query {
            what,
            request: String::new(),
            asked_on: from,
            pages: 1,
            items: 0,
            told: Some(items as u64),
            complete: true,
            why: None,
        };
        PopulationRecord {
            schema_version: SCHEMA_VERSION.into(),
            record_id: uuid::Uuid::nil(),
            recorded_on: from,
            environment: "source".into(),
            run: None,
            repository: None,
            platform: "github".into(),
            from,
            to: from + TimeDelta::days(1),
            queries: vec![query(ItemKind::Run), query(ItemKind::Push)],
            items: (0..items).map(item).collect(),
            tool: tool(),
            completeness: vec![section("items", None)],
            provenance: Vec::new(),
        }
    }

    #[test]
    fn what_is_too_large_is_cut_by_time_and_nothing_is_lost() {
        let whole = record(1000);
        let mut size = |r: &PopulationRecord| Ok(r.items.len());
        assert_eq!(parts(whole.clone(), &mut size, 1000).unwrap(), std::slice::from_ref(&whole));
        let all = parts(whole.clone(), &mut size, 300).unwrap();
        assert!(all.len() > 3 && all.iter().all(|part| part.items.len() <= 300));
        assert_eq!(all.iter().map(|part| part.items.len()).sum::<usize>(), 1000);
        let ids: std::collections::BTreeSet<&str> =
            all.iter().flat_map(|p| p.items.iter().map(|i| i.id.as_str())).collect();
        assert_eq!(ids.len(), 1000, "each once");
        assert_eq!((all[0].from, all.last().unwrap().to), (whole.from, whole.to));
        assert!(all.windows(2).all(|pair| pair[0].to == pair[1].from), "no gap and no overlap");
        for part in &all {
            let counted: u64 = part.queries.iter().map(|q| q.items).sum();
            assert_eq!(counted, part.items.len() as u64);
            assert!(
                part.completeness
                    .iter()
                    .any(|c| c.section == "parts" && c.why.as_deref().unwrap().contains("1000 items"))
            );
            let within = |on| part.from <= on && on < part.to;
            assert!(part.items.iter().all(|item| item.on.is_none_or(within)));
        }
    }

    #[test]
    fn what_cannot_be_cut_stays_whole() {
        let mut at_once = record(10);
        at_once.items.iter_mut().for_each(|item| item.on = None);
        let all = parts(at_once, &mut |r| Ok(r.items.len()), 5).unwrap();
        assert_eq!((all.len(), all[0].items.len()), (1, 10), "its put tells that it is too large");
    }
}
