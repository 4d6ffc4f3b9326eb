//! The suites of a report that are open, one in the other.

use super::super::outcome::{Outcome, Time};
use super::super::tally::{Case, Tally};
use super::Suite;

/// Values that are used again, so that a passing case allocates nothing.
pub(crate) struct Pool<T> {
    all: Vec<T>,
    live: usize,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { all: Vec::new(), live: 0 }
    }
}

impl<T: Default> Pool<T> {
    /// One more, as it was left.
    pub(crate) fn push(&mut self) -> &mut T {
        if self.live == self.all.len() {
            self.all.push(T::default());
        }
        self.live += 1;
        &mut self.all[self.live - 1]
    }

    /// The last one goes.
    pub(crate) fn pop(&mut self) -> Option<&mut T> {
        self.live = self.live.checked_sub(1)?;
        self.all.get_mut(self.live)
    }

    /// The last one.
    pub(crate) fn last(&mut self) -> Option<&mut T> {
        self.all.get_mut(self.live.checked_sub(1)?)
    }
}

/// A test case, as it stands in the innermost suite.
pub(crate) struct Found<'a> {
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// It passed after it had failed.
    pub(crate) flaky: bool,
    /// Failures that a header may declare beside it: reruns, a failing TODO.
    pub(crate) explained: u64,
    /// Class, where there is one.
    pub(crate) class: &'a [u8],
    /// Name.
    pub(crate) name: &'a [u8],
    /// An identity beside the names, where there is one.
    pub(crate) id: &'a [u8],
    /// How long it took.
    pub(crate) time: &'a Time,
}

/// The open suites.
#[derive(Default)]
pub(crate) struct Suites(Pool<Suite>);

impl Suites {
    /// Opens a suite in the innermost one.
    pub(crate) fn open(&mut self) -> &mut Suite {
        let suite = self.0.push();
        suite.reset();
        suite
    }

    /// The innermost suite.
    pub(crate) fn innermost(&mut self) -> Option<&mut Suite> {
        self.0.last()
    }

    /// Closes the innermost suite: what it says against what it holds. The outermost one speaks for the report.
    pub(crate) fn close(&mut self, tally: &mut Tally) {
        let Some(suite) = self.0.pop() else { return };
        let result = suite.close(tally);
        let head = suite.head();
        match self.0.last() {
            Some(above) => above.absorb(result),
            None => tally.declared = head,
        }
    }

    /// Counts a case of the innermost suite.
    #[inline]
    pub(crate) fn case(&mut self, found: &Found<'_>, tally: &mut Tally) {
        let Found { outcome, flaky, explained, class, name, id, time } = *found;
        let mut none = Suite::default();
        let suite = self.0.last().unwrap_or(&mut none);
        suite.own.case(outcome, explained);
        tally.case_of(&Case { outcome, flaky, suite: &suite.name, class, name }, id);
        tally.time(time, outcome != Outcome::Skipped);
    }

    /// Counts a failure or error that stands in the innermost suite and in no case.
    pub(crate) fn broken(&mut self, outcome: Outcome, tally: &mut Tally) {
        if let Some(suite) = self.0.last() {
            suite.own.broken();
            tally.broken(&suite.label(), outcome);
        }
    }
}
