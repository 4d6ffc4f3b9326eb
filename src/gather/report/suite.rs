//! A suite's claims about itself against what stands in it. Shared by all formats.

use super::outcome::{Number, Outcome, Time};
use super::refusal::quoted;
use super::tally::{Case, Tally};
use crate::record::test_run_v1::{Counts, Declared};
use std::borrow::Cow;

/// What a suite's attributes say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Test cases.
    pub(crate) total: Number,
    /// Failures.
    pub(crate) failed: Number,
    /// Errors.
    pub(crate) errored: Number,
    /// Skipped.
    pub(crate) skipped: Number,
    /// Switched off; some tools count them among the skipped, some beside them.
    pub(crate) disabled: Number,
}

impl Claims {
    /// Field by field: the sum where both say something.
    fn plus(self, other: Self) -> Self {
        Self {
            total: self.total.plus(other.total),
            failed: self.failed.plus(other.failed),
            errored: self.errored.plus(other.errored),
            skipped: self.skipped.plus(other.skipped),
            disabled: self.disabled.plus(other.disabled),
        }
    }

    /// As the record states them.
    pub(crate) fn declared(self) -> Declared {
        Declared {
            total: self.total.known(),
            failed: self.failed.known(),
            errored: self.errored.known(),
            skipped: self.skipped.plus(self.disabled).known(),
        }
    }
}

/// What was found in a suite.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    /// Cases.
    counts: Counts,
    /// Failures and errors outside cases.
    broken: u64,
    /// What may explain that more failures are declared than shown: reruns, and failing TODOs.
    explained: u64,
}

impl Shown {
    /// Adds a case and the reruns in it.
    pub(crate) fn case(&mut self, outcome: Outcome, explained: u64) {
        self.counts.total += 1;
        self.explained += explained;
        match outcome {
            Outcome::Passed => self.counts.passed += 1,
            Outcome::Skipped => self.counts.skipped += 1,
            Outcome::Failed => self.counts.failed += 1,
            Outcome::Errored => self.counts.errored += 1,
        }
    }

    /// Adds a failure or error outside a case.
    pub(crate) fn broken(&mut self) {
        self.broken += 1;
    }

    fn plus(mut self, other: Self) -> Self {
        self.counts.total += other.counts.total;
        self.counts.passed += other.counts.passed;
        self.counts.skipped += other.counts.skipped;
        self.counts.failed += other.counts.failed;
        self.counts.errored += other.counts.errored;
        self.broken += other.broken;
        self.explained += other.explained;
        self
    }
}

/// A suite that is open.
#[derive(Default)]
pub(crate) struct Suite {
    /// Its name, in UTF-8.
    pub(crate) name: Vec<u8>,
    /// What it says.
    pub(crate) claims: Claims,
    /// What its attributes `status` or `result` say, where they say something.
    pub(crate) stated: Option<Outcome>,
    /// What stands directly in it.
    pub(crate) own: Shown,
    /// What stands in suites below it.
    below: Shown,
    /// What the suites directly below it say; absent as long as there is none.
    claimed_below: Option<Claims>,
}

impl Suite {
    /// Begins anew with what was allocated.
    pub(crate) fn reset(&mut self) {
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        *self = Self { name, ..Self::default() };
    }

    /// Takes over what a suite directly below this one came to.
    pub(crate) fn absorb(&mut self, (shown, claims): (Shown, Claims)) {
        self.below = self.below.plus(shown);
        self.claimed_below = Some(self.claimed_below.map_or(claims, |sum| sum.partly(claims)));
    }

    /// Adds a case that stands directly in it, here and to the sums; `explained` failures before its last run.
    pub(crate) fn case(&mut self, case: &Case<'_>, time: &Time, explained: u64, tally: &mut Tally) {
        self.own.case(case.outcome, explained);
        tally.case(case);
        tally.time(time, case.outcome != Outcome::Skipped);
    }

    /// Adds a failure outside any case, under the name `about`.
    pub(crate) fn broken(&mut self, about: &str, outcome: Outcome, tally: &mut Tally) {
        self.own.broken();
        tally.broken(about, outcome);
    }

    /// Closes the suite that is the whole report.
    pub(crate) fn finish(&self, tally: &mut Tally) {
        self.close(tally);
        tally.declared = self.head();
    }

    /// What this suite says of itself, or else what the suites in it say together.
    pub(crate) fn head(&self) -> Declared {
        let own = self.claims.declared();
        if own == Declared::default() { self.claimed_below.unwrap_or_default().declared() } else { own }
    }

    /// Compares claims and contents, warns of every difference, and gives both to the suite above.
    pub(crate) fn close(&self, tally: &mut Tally) -> (Shown, Claims) {
        let mut all = self.own.plus(self.below);
        self.compare("tests", self.claims.total, &[all.counts.total, self.own.counts.total], tally);
        self.compare("failures", self.claims.failed, &[all.counts.failed, self.own.counts.failed], tally);
        self.compare("errors", self.claims.errored, &[all.counts.errored, self.own.counts.errored], tally);
        let skipped = [all.counts.skipped, self.own.counts.skipped];
        match (self.claims.skipped, self.claims.disabled) {
            // disabled beside or among the skipped: either sum may be meant
            (Number::Is(s), Number::Is(d)) if skipped.contains(&(s + d)) => {}
            (claimed @ Number::Is(_), Number::Is(_)) => self.compare("skipped", claimed, &skipped, tally),
            (claimed, other) => {
                self.compare("skipped", claimed, &skipped, tally);
                self.compare("disabled", other, &skipped, tally);
            }
        }
        let claimed = self.claims.failed.known().unwrap_or(0) + self.claims.errored.known().unwrap_or(0);
        let mut shown = all.counts.failed + all.counts.errored + all.broken;
        if let (0, Some(outcome @ (Outcome::Failed | Outcome::Errored))) = (shown, self.stated) {
            tally.broken(&self.label(), outcome);
            all.broken();
            shown = 1;
        }
        let missing = claimed.saturating_sub(shown);
        if missing > all.explained {
            tally.understates(&self.title(), missing);
        }
        (all, self.claims)
    }

    fn compare(&self, what: &str, claimed: Number, shown: &[u64; 2], tally: &mut Tally) {
        match claimed {
            Number::Is(n) if !shown.contains(&n) => {
                tally.warn(|| format!("{} declares {what}={n}; found {}", self.title(), shown[0]));
            }
            Number::Unreadable => tally.warn(|| format!("{}: the number of {what} cannot be read", self.title())),
            _ => {}
        }
    }

    /// Its name as text.
    pub(crate) fn label(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.name)
    }

    fn title(&self) -> String {
        if self.name.is_empty() { "the report".into() } else { format!("suite {}", quoted(&self.label())) }
    }
}

impl Claims {
    /// The sum of siblings: known only where every one of them says it.
    fn partly(self, other: Self) -> Self {
        let both = |a, b| if a == Number::Absent || b == Number::Absent { Number::Absent } else { Number::plus(a, b) };
        let sum = self.plus(other);
        Self {
            total: both(self.total, other.total),
            failed: both(self.failed, other.failed),
            errored: both(self.errored, other.errored),
            skipped: both(self.skipped, other.skipped),
            disabled: sum.disabled,
        }
    }
}
