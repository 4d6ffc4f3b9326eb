//! A test case while it is open, and what it comes to.

use super::super::outcome::{Outcome, Time};

/// An open test case.
#[derive(Default)]
pub(super) struct OpenCase {
    pub(super) name: Vec<u8>,
    pub(super) class: Vec<u8>,
    pub(super) time: Time,
    /// What the attributes `status` and `result` say.
    pub(super) stated: Option<Outcome>,
    pub(super) unknown_word: bool,
    pub(super) failed: bool,
    pub(super) errored: bool,
    pub(super) skipped: bool,
    pub(super) todo: bool,
    /// Reruns that passed in the end, and reruns that failed again.
    pub(super) flaky: u64,
    pub(super) rerun: u64,
}

impl OpenCase {
    /// Begins anew with what was allocated.
    pub(super) fn reset(&mut self) {
        let (mut name, mut class) = (std::mem::take(&mut self.name), std::mem::take(&mut self.class));
        name.clear();
        class.clear();
        *self = Self { name, class, ..Self::default() };
    }

    /// The one outcome: error before failure before skipped before passed, and what is odd about it.
    pub(super) fn outcome(&self) -> (Outcome, Option<&'static str>) {
        let bad_word = self.stated.filter(|stated| *stated >= Outcome::Failed);
        if self.todo && self.failed && !self.errored {
            // node --test: a TODO that fails does not fail the run
            return (Outcome::Skipped, Some("fails and is marked as a TODO: counted as skipped"));
        }
        if self.errored || self.failed {
            let outcome = if self.errored { Outcome::Errored } else { Outcome::Failed };
            return (outcome, self.skipped.then_some("is marked as skipped and has a failure: counted as failed"));
        }
        if let Some(outcome) = bad_word {
            return (outcome, Some("is failed by its status attribute alone"));
        }
        if self.skipped {
            return (Outcome::Skipped, None);
        }
        if self.unknown_word {
            return (Outcome::Errored, Some("has an outcome word that is unknown: counted as errored"));
        }
        if self.rerun > 0 {
            return (Outcome::Failed, Some("has a failed rerun and no failure: counted as failed"));
        }
        (self.stated.unwrap_or(Outcome::Passed), None)
    }
}
