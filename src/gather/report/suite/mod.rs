//! A suite's claims about itself against what stands in it. Shared by the XML formats.

mod row;
mod suites;

use super::outcome::{Number, Outcome};
use super::refusal::quoted;
use super::tally::Tally;
use crate::record::test_run_v1::{Counts, Declared};
pub(crate) use row::Row;
use std::borrow::Cow;
pub(crate) use suites::{Found, Pool, Suites};

/// What a suite's attributes say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Test cases.
    pub(crate) total: Number,
    /// Failures.
    pub(crate) failed: Number,
    /// Errors.
    pub(crate) errored: Number,
    /// Failures and errors in one number, where the format has no two.
    pub(crate) bad: Number,
    /// Errors that belong to no test case.
    pub(crate) broken: Number,
    /// Passed.
    pub(crate) passed: Number,
    /// Did not run, and are not in `total`.
    pub(crate) beside: Number,
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
            bad: self.bad.plus(other.bad),
            broken: self.broken.plus(other.broken),
            passed: self.passed.plus(other.passed),
            beside: self.beside.plus(other.beside),
            skipped: self.skipped.plus(other.skipped),
            disabled: self.disabled.plus(other.disabled),
        }
    }

    /// As the record states them.
    pub(crate) fn declared(self) -> Declared {
        Declared {
            total: self.total.known(),
            failed: self.failed.known().or(self.bad.known()),
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
    /// What some tools count as cases and we do not: a test that stands for its rows.
    parents: Counts,
    /// Failures and errors outside cases.
    broken: u64,
    /// What may explain that more failures are declared than shown: reruns, and failing TODOs.
    explained: u64,
}

impl Shown {
    /// Adds a case and the reruns in it.
    pub(crate) fn case(&mut self, outcome: Outcome, explained: u64) {
        outcome.add_to(&mut self.counts);
        self.explained += explained;
    }

    /// Adds a test of which the rows are counted and not itself.
    pub(crate) fn parent(&mut self, outcome: Outcome) {
        outcome.add_to(&mut self.parents);
        self.explained += u64::from(outcome >= Outcome::Failed);
    }

    /// Adds a failure or error outside a case.
    pub(crate) fn broken(&mut self) {
        self.broken += 1;
    }

    fn plus(self, other: Self) -> Self {
        Self {
            counts: sum(self.counts, other.counts),
            parents: sum(self.parents, other.parents),
            broken: self.broken + other.broken,
            explained: self.explained + other.explained,
        }
    }
}

fn sum(a: Counts, b: Counts) -> Counts {
    Counts {
        total: a.total + b.total,
        passed: a.passed + b.passed,
        failed: a.failed + b.failed,
        errored: a.errored + b.errored,
        skipped: a.skipped + b.skipped,
        flaky: a.flaky + b.flaky,
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

    /// What this suite says of itself, or else what the suites in it say together.
    pub(crate) fn head(&self) -> Declared {
        let own = self.claims.declared();
        if own == Declared::default() { self.claimed_below.unwrap_or_default().declared() } else { own }
    }

    /// Compares claims and contents, warns of every difference, and gives both to the suite above.
    pub(crate) fn close(&self, tally: &mut Tally) -> (Shown, Claims) {
        let mut all = self.own.plus(self.below);
        // a header may speak of all that stands below it, of what stands right in it, or count the parents of rows too
        let with_parents = sum(all.counts, all.parents);
        let seen = |of: fn(Counts) -> u64| [of(all.counts), of(self.own.counts), of(with_parents)];
        match (self.claims.total, self.claims.beside) {
            (Number::Is(n), Number::Is(m)) if seen(|c| c.total).contains(&(n + m)) => {}
            (claimed, _) => self.compare("tests", claimed, &seen(|c| c.total), tally),
        }
        self.compare("passed", self.claims.passed, &seen(|c| c.passed), tally);
        self.compare("failures", self.claims.failed, &seen(|c| c.failed), tally);
        self.compare("errors", self.claims.errored, &seen(|c| c.errored), tally);
        self.compare("failed", self.claims.bad, &seen(|c| c.failed + c.errored), tally);
        self.compare("errors", self.claims.broken, &[all.broken], tally);
        let skipped = seen(|c| c.skipped);
        match (self.claims.skipped, self.claims.disabled) {
            // disabled beside or among the skipped: either sum may be meant
            (Number::Is(s), Number::Is(d)) if skipped.contains(&(s + d)) => {}
            (claimed @ Number::Is(_), Number::Is(_)) => self.compare("skipped", claimed, &skipped, tally),
            (claimed, other) => {
                self.compare("skipped", claimed, &skipped, tally);
                self.compare("disabled", other, &skipped, tally);
            }
        }
        let Claims { failed, errored, bad, broken, .. } = self.claims;
        let claimed: u64 = [failed, errored, bad, broken].iter().filter_map(|n| n.known()).sum();
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

    fn compare(&self, what: &str, claimed: Number, shown: &[u64], tally: &mut Tally) {
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
            bad: both(self.bad, other.bad),
            passed: both(self.passed, other.passed),
            skipped: both(self.skipped, other.skipped),
            ..sum
        }
    }
}
