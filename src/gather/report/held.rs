//! Cases that wait for the name of their suite, which some formats write behind them.

use super::outcome::{Outcome, Time};
use super::suite::Suite;
use super::tally::{Case, Tally};
use std::ops::Range;

/// Bytes of names that are held; beyond it the cases are added under the name that is known by then.
pub(crate) const HELD_LIMIT: usize = 4 << 20;

/// A case without its class.
struct Waiting {
    outcome: Outcome,
    flaky: bool,
    suite: Range<usize>,
    name: Range<usize>,
    time: Time,
    explained: u64,
}

/// The cases of one suite; what was allocated is used again.
#[derive(Default)]
pub(crate) struct Held {
    names: Vec<u8>,
    cases: Vec<Waiting>,
}

impl Held {
    /// Adds a case, whose class is left out; `explained` failures before its last run.
    pub(crate) fn add(&mut self, case: &Case<'_>, time: Time, explained: u64) {
        let suite = self.keep(case.suite);
        let name = self.keep(case.name);
        self.cases.push(Waiting { outcome: case.outcome, flaky: case.flaky, suite, name, time, explained });
    }

    /// Whether no more should be held.
    pub(crate) fn is_full(&self) -> bool {
        self.names.len() + self.cases.len() * size_of::<Waiting>() > HELD_LIMIT
    }

    fn keep(&mut self, text: &[u8]) -> Range<usize> {
        let start = self.names.len();
        self.names.extend_from_slice(text);
        start..self.names.len()
    }

    /// Adds all of them to `report` and the sums, as cases of `class`.
    pub(crate) fn release(&mut self, class: &[u8], report: &mut Suite, tally: &mut Tally) {
        for waiting in self.cases.drain(..) {
            let Waiting { outcome, flaky, suite, name, time, explained } = waiting;
            let case = Case { outcome, flaky, suite: &self.names[suite], class, name: &self.names[name] };
            report.case(&case, &time, explained, tally);
        }
        self.names.clear();
    }
}
