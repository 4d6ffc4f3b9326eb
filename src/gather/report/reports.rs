//! Many reports, in the room that one record has for them.
//!
//! A record has to stay small enough to be signed and opened again. Names of failing tests give way first, then
//! warnings; verdict and counts never do.

use super::refusal::Refusal;
use super::refused;
use crate::record::json;
use crate::record::test_run_v1::TestRun;

/// Bytes of all reports of one record, as JSON: half of what can be signed.
pub(crate) const ROOM: usize = 12 << 20;

/// Bytes of that for names of failing tests and for warnings. The other half is for verdicts and counts.
const NAMES: usize = ROOM / 2;

/// Reports of one record.
pub(crate) const MOST: usize = 10_000;

/// Reports, and what did not fit.
#[derive(Default)]
pub(crate) struct Reports {
    runs: Vec<TestRun>,
    state: State,
}

/// Everything but the reports themselves.
#[derive(Clone, Default)]
struct State {
    /// Bytes of all reports, and of the names and warnings in them.
    used: usize,
    named: usize,
    /// Reports that name fewer failing tests, or carry fewer warnings, than they did.
    cut: u64,
    left_out: u64,
    first: Option<String>,
}

/// A point to go back to.
pub(crate) struct Mark(usize, State);

impl Reports {
    /// Adds a report, its names and warnings cut to their share: the first half of their room is for whoever comes first,
    /// of the rest each report may take a 64th of what is left.
    pub(crate) fn push(&mut self, mut run: TestRun) {
        let whole = size_of(&run.failing) + size_of(&run.warnings);
        let mut named = whole;
        if self.state.named + whole > NAMES / 2 {
            shorten(&mut run, &mut named, NAMES.saturating_sub(self.state.named) / 64);
        }
        let size = size_of(&run);
        if self.state.used + size > ROOM || self.runs.len() == MOST {
            self.leave_out(&run.file, 1);
            return;
        }
        self.state.cut += u64::from(named < whole);
        self.state.named += named;
        self.state.used += size;
        self.runs.push(run);
    }

    /// Whether anything more would be left out.
    pub(crate) fn is_full(&self) -> bool {
        self.state.left_out > 0
    }

    /// Counts reports that were not even read.
    pub(crate) fn leave_out(&mut self, file: &str, n: u64) {
        self.state.left_out += n;
        self.state.first.get_or_insert_with(|| file.to_owned());
    }

    /// Where it stands now.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.runs.len(), self.state.clone())
    }

    /// As if nothing had been added since.
    pub(crate) fn back_to(&mut self, Mark(length, state): Mark) {
        self.runs.truncate(length);
        self.state = state;
    }

    /// The reports, and how many of them name less than they did. One that is refused stands for all that were left
    /// out: they are not known to have passed.
    pub(crate) fn finish(mut self) -> (Vec<TestRun>, u64) {
        if let Some(first) = &self.state.first {
            let more = match self.state.left_out {
                1 => String::new(),
                n => format!(" and {} more", n - 1),
            };
            let what = format!("it{more} did not fit: one record holds {MOST} reports and {} MiB of them", ROOM >> 20);
            let refusal = Refusal::new(what).help("Make several records, told apart by --component");
            self.runs.push(refused(first, None, &refusal));
        }
        (self.runs, self.state.cut)
    }
}

/// Takes names of failing tests, then warnings, until those left fit into `share`.
fn shorten(run: &mut TestRun, named: &mut usize, share: usize) {
    while *named > share
        && let Some(last) = run.failing.pop()
    {
        *named = named.saturating_sub(size_of(&last));
        run.failing_omitted += 1;
    }
    if *named > share && run.warnings.len() > 1 {
        let n = run.warnings.len();
        run.warnings = vec![format!("{n} warnings are left out: the record has no room for them")];
        *named = size_of(&run.warnings);
    }
}

fn size_of<T: serde::Serialize>(value: &T) -> usize {
    // with the comma behind it; what cannot be written takes all the room, and is left out
    json::to_vec(value).map_or(ROOM + 1, |text| text.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::super::tally::FAILING_LIMIT;
    use super::*;
    use crate::record::test_run_v1::{FailingTest, Verdict};

    fn run(file: &str, failing: usize, name: &str) -> TestRun {
        let mut run = refused(file, None, &Refusal::new("x"));
        run.verdict = Verdict::Failed;
        let failed = FailingTest { suite: None, name: name.to_owned(), outcome: "failed".into() };
        run.failing = vec![failed; failing];
        run.warnings = vec!["w".repeat(100); 3];
        run
    }

    fn all(runs: impl Iterator<Item = TestRun>) -> (Vec<TestRun>, u64, usize) {
        let mut reports = Reports::default();
        runs.for_each(|run| reports.push(run));
        let (runs, cut) = reports.finish();
        let size = json::to_vec(&runs).unwrap().len();
        (runs, cut, size)
    }

    #[test]
    fn thousands_of_red_reports_fit_and_every_failure_is_counted() {
        // an escape character becomes six bytes
        let name = "\u{1b}".repeat(170) + &"n".repeat(4);
        let n = 150;
        let (runs, cut, size) = all((0..n).map(|i| run(&format!("{i}.xml"), FAILING_LIMIT, &name)));
        assert!(size <= ROOM && size > NAMES / 2, "{size}");
        assert_eq!(runs.len(), n);
        assert!(cut > 100, "{cut}");
        assert!(runs.iter().all(|r| r.failing.len() as u64 + r.failing_omitted == FAILING_LIMIT as u64));
        assert!(runs.iter().all(|r| r.verdict == Verdict::Failed && r.error.is_some()));
        assert_eq!(runs[5].failing.len(), FAILING_LIMIT, "who comes first keeps all");
        assert!(!runs[140].warnings.is_empty());
    }

    #[test]
    fn names_leave_room_for_verdicts() {
        let n = 2000;
        let (runs, _, size) = all((0..n).map(|i| run(&format!("{i}.xml"), 20, &"n".repeat(200))));
        assert_eq!((runs.len(), size <= ROOM), (n, true));
        assert!(runs.iter().all(|r| r.verdict == Verdict::Failed));
    }

    #[test]
    fn a_single_report_is_never_cut() {
        let (runs, cut, _) = all(std::iter::once(run("a.xml", FAILING_LIMIT, &"n".repeat(1100))));
        assert_eq!((runs[0].failing.len(), cut), (FAILING_LIMIT, 0));
    }

    #[test]
    fn one_more_than_fits_is_refused_for_all_that_follow() {
        let many = |n: usize| all((0..n).map(|i| run(&format!("{i}.xml"), 0, "")));
        let (runs, cut, _) = many(MOST);
        assert_eq!((runs.len(), cut), (MOST, 0));
        assert!(runs.iter().all(|r| r.verdict == Verdict::Failed));
        for (over, want) in [(1, "it did not fit"), (5, "it and 4 more did not fit")] {
            let (runs, _, _) = many(MOST + over);
            let last = &runs[MOST];
            assert_eq!((runs.len(), last.verdict, last.file.as_str()), (MOST + 1, Verdict::Refused, "10000.xml"));
            assert!(last.error.as_deref().unwrap().contains(want), "{last:?}");
        }
    }

    #[test]
    fn what_has_nothing_to_give_way_is_left_out() {
        let long = "p".repeat(4000);
        let (runs, _, size) = all((0..5000).map(|i| run(&format!("{long}{i}"), 0, "")));
        assert!(size <= ROOM + 10_000, "{size}");
        assert!(runs.len() < 5000);
        assert_eq!(runs.last().map(|r| r.verdict), Some(Verdict::Refused));
    }

    #[test]
    fn going_back_gives_the_room_back() {
        let mut reports = Reports::default();
        reports.push(run("a", 0, ""));
        let mark = reports.mark();
        (0..100).for_each(|_| reports.push(run("b", FAILING_LIMIT, &"n".repeat(1000))));
        reports.back_to(mark);
        reports.push(run("c", FAILING_LIMIT, &"n".repeat(1000)));
        let (runs, cut) = reports.finish();
        assert_eq!((runs.len(), cut, runs[1].failing.len()), (2, 0, FAILING_LIMIT));
    }
}
