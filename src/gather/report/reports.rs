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
    used: usize,
    /// Reports that name fewer failing tests, or carry fewer warnings, than they did.
    cut: u64,
    left_out: u64,
    first: Option<String>,
}

/// A point to go back to.
pub(crate) struct Mark(usize, State);

impl Reports {
    /// Adds a report, cut to its share. The first half of the room is for whoever comes first; of the rest each report
    /// may take a 64th of what is left, so that none is without.
    pub(crate) fn push(&mut self, mut run: TestRun) {
        let left = ROOM.saturating_sub(self.state.used);
        let mut size = size_of(&run);
        let share = if self.state.used + size <= ROOM / 2 { size } else { left / 64 };
        if size > share {
            let whole = size;
            shorten(&mut run, &mut size, share);
            self.state.cut += u64::from(size < whole);
        }
        if size > left || self.runs.len() == MOST {
            self.leave_out(&run.file, 1);
            return;
        }
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

/// Takes names of failing tests, then warnings, until the report fits into `share` or has none left.
fn shorten(run: &mut TestRun, size: &mut usize, share: usize) {
    while *size > share
        && let Some(last) = run.failing.pop()
    {
        *size = size.saturating_sub(size_of(&last) + 1);
        run.failing_omitted += 1;
    }
    if *size > share && run.warnings.len() > 1 {
        let n = run.warnings.len();
        run.warnings = vec![format!("{n} warnings are left out: the record has no room for them")];
        *size = size_of(run);
    }
}

fn size_of<T: serde::Serialize>(value: &T) -> usize {
    // what cannot be written takes all the room, and is left out
    json::to_string(value).map_or(ROOM + 1, |text| text.len() + 1)
}
