//! THE COLUMNS: an entry as typed cells, once for all renderers.

use super::{about, said};
use crate::ledger::Entry;
use crate::ledger::filter::actor;
use crate::record::run_v1::{ArtifactKind, RunRecord};
use crate::record::test_run_v1::{Covered, TestRun, Verdict};
use crate::record::{Record, parts_v1::How};
use chrono::{DateTime, SecondsFormat, Utc};

/// What stands in one place of a sheet. Absent is not zero and not an empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Nothing is known.
    Absent,
    /// Text, possibly chosen by others.
    Text(String),
    /// A moment, UTC.
    Time(DateTime<Utc>),
    /// A count.
    Count(u64),
}

/// One column.
pub(crate) struct Column {
    /// Heading, and the name in CSV.
    pub(crate) name: &'static str,
    /// Whether the short table on a terminal shows it.
    pub(crate) short: bool,
    /// Its cell for an entry.
    pub(crate) cell: fn(&Entry) -> Cell,
}

/// TABLE of columns, in reading order.
pub(crate) const COLUMNS: &[Column] = &[
    col("recordedOn", true, |e| any(e, |r| Cell::Time(r.head().recorded_on))),
    col("environment", true, |e| any(e, |r| text(r.head().environment))),
    col("kind", true, |e| any(e, |r| text(r.head().kind.name))),
    col("component", false, |e| any(e, |r| maybe(about::component(r)))),
    col("verdict", true, |e| text(e.verdict.as_str())),
    col("outcome", true, |e| run(e, |r| text(r.run.outcome.as_str()))),
    col("tests", true, |e| run(e, |r| maybe(worst(r).map(Verdict::as_str)))),
    col("testsTotal", false, |e| run(e, |r| counted(r, |c| c.total))),
    col("testsPassed", false, |e| run(e, |r| counted(r, |c| c.passed))),
    col("testsFailed", false, |e| run(e, |r| counted(r, |c| c.failed))),
    col("testsErrored", false, |e| run(e, |r| counted(r, |c| c.errored))),
    col("testsSkipped", false, |e| run(e, |r| counted(r, |c| c.skipped))),
    col("reportsRefused", false, |e| {
        run(e, |r| Cell::Count(r.tests.iter().filter(|t| t.verdict == Verdict::Refused).count() as u64))
    }),
    col("commandsFailed", false, |e| run(e, commands_failed)),
    col("findings", false, |e| run(e, |r| summed(r.tests.iter().filter_map(|t| Some(t.gate.as_ref()?.findings))))),
    col("findingsReached", false, |e| {
        run(e, |r| summed(r.tests.iter().filter_map(|t| Some(t.gate.as_ref()?.reached))))
    }),
    col("linesCovered", false, |e| run(e, |r| summed(lines(r).map(|l| l.covered)))),
    col("linesTotal", false, |e| run(e, |r| summed(lines(r).map(|l| l.total)))),
    col("operator", true, |e| any(e, |r| maybe(actor(r).and_then(|o| o.login.or(o.id))))),
    col("operatorId", false, |e| any(e, |r| maybe(actor(r).and_then(|o| o.id)))),
    col("operatorKnownBy", false, |e| run(e, |r| maybe(r.operator.as_ref().map(|o| how(o.how))))),
    col("repository", false, |e| any(e, |r| maybe(r.head().repository.and_then(|x| x.name.as_ref())))),
    col("commit", true, |e| any(e, |r| maybe(commit(r)))),
    col("ref", false, |e| any(e, |r| maybe(about::git_ref(r)))),
    col("subject", false, |e| run(e, |r| maybe(r.commit.as_ref().and_then(|c| c.subject.as_ref())))),
    col("platform", true, |e| any(e, |r| maybe(about::platform(r)))),
    col("runId", true, |e| run(e, |r| text(&r.run.id))),
    col("attempt", false, |e| run(e, |r| Cell::Count(r.run.attempt.into()))),
    col("runUrl", false, |e| run(e, |r| maybe(r.run.url.as_ref()))),
    col("images", false, |e| run(e, |r| list(r.artifacts.iter().filter(|a| a.kind != ArtifactKind::File).map(digest)))),
    col("files", false, |e| run(e, |r| list(r.artifacts.iter().filter(|a| a.kind == ArtifactKind::File).map(digest)))),
    col("pullRequests", false, |e| any(e, |r| list(about::pull_requests(r)))),
    col("approval", false, |e| any(e, |r| maybe(about::approval(r)))),
    col("tickets", false, |e| any(e, |r| list(about::tickets(r)))),
    col("door", false, |e| any(e, |r| maybe(about::door(r)))),
    col("bypass", false, |e| any(e, |r| maybe(about::bypass(r)))),
    col("due", false, |e| any(e, |r| maybe(about::due(r)))),
    col("decision", false, |e| any(e, |r| maybe(about::decision(r)))),
    col("answers", false, |e| any(e, |r| maybe(about::answers(r)))),
    col("incomplete", false, |e| {
        use crate::record::parts_v1::Status::Complete;
        any(e, |r| list(r.head().completeness.iter().filter(|c| c.status != Complete).map(|c| c.section.clone())))
    }),
    col("recordId", false, |e| any(e, |r| text(r.head().record_id.to_string()))),
    col("says", false, |e| any(e, |r| text(said::of(r)))),
    col("schemaVersion", false, |e| maybe(e.source_version.as_ref())),
    col("unknownFields", false, |e| Cell::Count(e.unknown_fields.len() as u64)),
    col("keyid", false, |e| maybe(e.keyid.as_ref())),
    col("sha256", false, |e| maybe(e.sha256.map(|d| d.to_string()))),
    col("address", false, |e| text(&e.address)),
    col("why", false, |e| text(&e.why)),
];

const fn col(name: &'static str, short: bool, cell: fn(&Entry) -> Cell) -> Column {
    Column { name, short, cell }
}

fn run(entry: &Entry, cell: impl Fn(&RunRecord) -> Cell) -> Cell {
    any(entry, |record| record.as_run().map_or(Cell::Absent, &cell))
}

fn any(entry: &Entry, cell: impl Fn(&Record) -> Cell) -> Cell {
    entry.record.as_ref().map_or(Cell::Absent, cell)
}

/// The commit that a record is about.
fn commit(record: &Record) -> Option<&String> {
    match record {
        Record::Run(r) => r.commit.as_ref().map(|c| &c.sha),
        Record::Change(r) => r.after.as_ref(),
        Record::Bypass(r) => r.commit.as_ref(),
        Record::Review(_) | Record::Population(_) => None,
    }
}

/// A moment as RFC 3339 in UTC, as exact as the record has it.
pub(super) fn exact(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn text(value: impl Into<String>) -> Cell {
    Cell::Text(value.into())
}

fn maybe(value: Option<impl Into<String>>) -> Cell {
    value.map_or(Cell::Absent, text)
}

fn list(values: impl IntoIterator<Item = String>) -> Cell {
    let values: Vec<String> = values.into_iter().collect();
    if values.is_empty() { Cell::Absent } else { text(values.join(" ")) }
}

fn digest(artifact: &crate::record::run_v1::Artifact) -> String {
    let digest = artifact.digest.sha256.map(|d| d.to_string()).unwrap_or_default();
    format!("{}@sha256:{digest}", artifact.name)
}

/// Commands that ended with another code than 0; absent where nobody told any.
fn commands_failed(record: &RunRecord) -> Cell {
    let failed = record.test_commands.iter().map(|c| u64::from(c.exit_code != 0));
    summed(failed)
}

/// Figures of lines, one a report that has them.
fn lines(record: &RunRecord) -> impl Iterator<Item = Covered> {
    record.tests.iter().filter_map(|t| t.coverage.as_ref()?.lines)
}

/// The sum; of nothing it is absent, not zero.
fn summed(numbers: impl Iterator<Item = u64>) -> Cell {
    numbers.reduce(u64::saturating_add).map_or(Cell::Absent, Cell::Count)
}

/// The worst verdict of all reports of tests and scans, and of the commands that ran them; none at all is absent.
/// Coverage is no verdict. A command that failed counts also where none of the reports is its.
pub(crate) fn worst(record: &RunRecord) -> Option<Verdict> {
    let rank = |v: &Verdict| match v {
        Verdict::Refused => 3,
        Verdict::Failed => 2,
        Verdict::Empty => 1,
        Verdict::Passed => 0,
    };
    let only_coverage = |t: &&TestRun| t.coverage.is_some() && t.counts.is_none() && t.verdict == Verdict::Empty;
    let told = record.test_commands.iter().filter(|c| c.exit_code != 0).map(|_| Verdict::Failed);
    record.tests.iter().filter(|t| !only_coverage(t)).map(|t| t.verdict).chain(told).max_by_key(rank)
}

/// A sum over the reports that could be read; with none of them it is absent, not zero.
pub(crate) fn sum(record: &RunRecord, pick: fn(&crate::record::test_run_v1::Counts) -> u64) -> Option<u64> {
    let mut counts = record.tests.iter().filter_map(|t| t.counts.as_ref()).peekable();
    counts.peek()?;
    Some(counts.map(pick).sum())
}

fn counted(record: &RunRecord, pick: fn(&crate::record::test_run_v1::Counts) -> u64) -> Cell {
    sum(record, pick).map_or(Cell::Absent, Cell::Count)
}

/// The word for how a fact is known, as it stands in the record.
pub(crate) fn how(how: How) -> String {
    serde_json::to_value(how).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
