//! Tests that are told by events: they begin, they end, and perhaps all of it again. Shared by the event formats.
//!
//! Each test counts once, by its last end; one that began and did not end has failed. Bounded: open tests are held by
//! name, ended ones by a hash, and what there is no room for is counted at once, where a later run cannot mend it.

use super::name::{AsItIs, kept};
use super::outcome::Outcome;
use super::refusal::Refusal;
use super::tally::{Case, FAILING_LIMIT, IDENTITY_LIMIT, Tally};
use crate::record::test_run_v1::Counts;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasherDefault;

/// Bytes that open tests and what they belong to may take up; a thousand of them take 0.1 MB.
const OPEN_LIMIT: usize = 16 << 20;

/// Bytes that an open test takes up besides its name.
const OPEN_SIZE: usize = 80;

/// Failed tests whose names are held: some of them may pass yet.
const NAMED_LIMIT: usize = 4 * FAILING_LIMIT;

type ByHash<T> = HashMap<u64, T, BuildHasherDefault<AsItIs>>;

/// What there is to say about a test and what it belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Test<'t> {
    /// Hash of what it belongs to.
    pub(crate) group: u64,
    /// Hash of group and test.
    pub(crate) test: u64,
    /// Names, where the event tells them.
    pub(crate) suite: &'t str,
    /// See `suite`.
    pub(crate) name: &'t str,
}

/// The tests of one report.
#[derive(Default)]
pub(crate) struct Runs {
    open: ByHash<Group>,
    /// Bytes that they take up, about.
    held: usize,
    /// How many have begun so far: their order.
    begun: u64,
    ended: ByHash<End>,
    /// Ended tests for which there was no room.
    beyond: Counts,
    failing: ByHash<Failing>,
}

struct Group {
    suite: String,
    tests: ByHash<Open>,
}

struct Open {
    at: u64,
    name: String,
    /// An error that was told before the end.
    worst: Outcome,
}

impl Open {
    fn size(&self) -> usize {
        OPEN_SIZE + self.name.len()
    }
}

struct End {
    outcome: Outcome,
    failed_before: bool,
}

struct Failing {
    at: u64,
    suite: String,
    name: String,
    outcome: Outcome,
}

impl Runs {
    /// A test has begun, perhaps not for the first time.
    pub(crate) fn begin(&mut self, test: Test<'_>) -> Result<(), Refusal> {
        self.begun += 1;
        let group = match self.open.entry(test.group) {
            Entry::Occupied(group) => group.into_mut(),
            Entry::Vacant(new) => {
                let suite = kept(test.suite.as_bytes());
                self.held += OPEN_SIZE + suite.len();
                new.insert(Group { suite, tests: ByHash::default() })
            }
        };
        let open = Open { at: self.begun, name: kept(test.name.as_bytes()), worst: Outcome::Passed };
        self.held += open.size();
        if let Some(replaced) = group.tests.insert(test.test, open) {
            self.held -= replaced.size();
        }
        if self.held <= OPEN_LIMIT {
            return Ok(());
        }
        let what = format!("{} tests are open at once, which is more than is followed", group.tests.len());
        Err(Refusal::new(what).help("Split the report"))
    }

    /// A test has ended; `retried` says that it had failed before, within this run.
    pub(crate) fn end(&mut self, test: Test<'_>, outcome: Outcome, retried: bool) {
        self.begun += 1;
        let known = self.open.get_mut(&test.group).and_then(|group| {
            let open = group.tests.remove(&test.test)?;
            self.held -= open.size();
            Some((&group.suite, open))
        });
        let failing = match known {
            Some((suite, Open { at, name, worst })) => {
                let outcome = outcome.max(worst);
                let suite = if outcome >= Outcome::Failed { suite.clone() } else { String::new() };
                Failing { at, suite, name, outcome }
            }
            None if outcome >= Outcome::Failed => {
                let (suite, name) = (kept(test.suite.as_bytes()), kept(test.name.as_bytes()));
                Failing { at: self.begun, suite, name, outcome }
            }
            None => Failing { at: self.begun, suite: String::new(), name: String::new(), outcome },
        };
        self.note(test.test, failing, retried);
    }

    /// Forgets a test that is open and had no error; any other ends as it must.
    pub(crate) fn forget(&mut self, test: Test<'_>) {
        let Some(group) = self.open.get_mut(&test.group) else { return };
        match group.tests.remove(&test.test) {
            Some(open) if open.worst >= Outcome::Failed => {
                let outcome = open.worst;
                group.tests.insert(test.test, open);
                self.end(test, outcome, false);
            }
            Some(open) => self.held -= open.size(),
            None => {}
        }
    }

    /// An error in a test that is open, or was.
    pub(crate) fn taint(&mut self, test: Test<'_>, outcome: Outcome) {
        let open = self.open.get_mut(&test.group).and_then(|group| group.tests.get_mut(&test.test));
        match open {
            Some(open) => open.worst = open.worst.max(outcome),
            None => self.end(test, outcome, false),
        }
    }

    /// What is open in a group will not end any more: it has failed, but for what `ends` with its group. Says how much
    /// has failed.
    pub(crate) fn close(&mut self, group: u64, ends: fn(&str) -> bool) -> u64 {
        let Some(Group { suite, tests }) = self.open.remove(&group) else { return 0 };
        let mut failed = 0;
        self.held -= OPEN_SIZE + suite.len();
        for (test, open) in tests {
            self.held -= open.size();
            let outcome = if ends(&open.name) { open.worst } else { open.worst.max(Outcome::Failed) };
            failed += u64::from(outcome >= Outcome::Failed);
            self.note(test, Failing { at: open.at, suite: suite.clone(), name: open.name, outcome }, false);
        }
        failed
    }

    fn note(&mut self, test: u64, failing: Failing, retried: bool) {
        let outcome = failing.outcome;
        let room = self.ended.len() < IDENTITY_LIMIT;
        match self.ended.entry(test) {
            Entry::Occupied(mut known) => {
                let end = known.get_mut();
                let failed = end.outcome >= Outcome::Failed;
                end.failed_before |= failed || retried;
                // being skipped never hides a failure
                if !(failed && outcome == Outcome::Skipped) {
                    end.outcome = outcome;
                }
            }
            Entry::Vacant(new) if room => {
                new.insert(End { outcome, failed_before: retried });
            }
            Entry::Vacant(_) => add(&mut self.beyond, outcome, retried),
        }
        if outcome >= Outcome::Failed && self.failing.len() < NAMED_LIMIT {
            self.failing.entry(test).or_insert(failing);
        }
    }

    /// Counts everything.
    pub(crate) fn finish(mut self, tally: &mut Tally) {
        for group in self.open.keys().copied().collect::<Vec<_>>() {
            self.close(group, |_| false);
        }
        let mut all = self.beyond;
        self.ended.values().for_each(|end| add(&mut all, end.outcome, end.failed_before));
        let mut failing: Vec<_> = self.failing.into_iter().collect();
        failing.sort_unstable_by_key(|(_, failing)| failing.at);
        for (test, found) in failing {
            let outcome = self.ended.get(&test).map_or(found.outcome, |end| end.outcome);
            let left = if outcome == Outcome::Failed { &mut all.failed } else { &mut all.errored };
            if outcome >= Outcome::Failed && *left > 0 {
                *left -= 1;
                let (suite, name) = (found.suite.as_bytes(), found.name.as_bytes());
                tally.count(&Case { outcome, flaky: false, suite, class: b"", name });
            }
        }
        all.total = all.passed + all.failed + all.errored + all.skipped;
        tally.unnamed(&all);
        if self.beyond != Counts::default() {
            tally.warn(|| {
                format!("further runs of a test were not looked for after the first {IDENTITY_LIMIT} names: each was counted")
            });
        }
    }
}

fn add(counts: &mut Counts, outcome: Outcome, failed_before: bool) {
    match outcome {
        Outcome::Passed => counts.passed += 1,
        Outcome::Skipped => counts.skipped += 1,
        Outcome::Failed => counts.failed += 1,
        Outcome::Errored => counts.errored += 1,
    }
    counts.flaky += u64::from(failed_before && outcome == Outcome::Passed);
}
