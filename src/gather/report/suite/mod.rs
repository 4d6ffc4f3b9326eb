//! A suite's claims about itself against what stands in it. Shared by all formats.

mod row;
mod suites;
mod tree;

use super::outcome::{Number, Outcome, Time};
use super::refusal::quoted;
use super::tally::{Case, Tally};
use crate::record::test_run_v1::{Counts, Declared};
pub(crate) use row::Row;
use std::borrow::Cow;
pub(crate) use suites::{Found, Pool, Suites};
pub(crate) use tree::{Kind, Tree};

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
    /// Cases that passed, as far as can be seen, and have neither a name nor a class.
    nameless: u64,
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

    /// Notes that the case just added, one that passed, has neither a name nor a class.
    pub(crate) fn nameless(&mut self) {
        self.nameless += 1;
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
            // a suite's own: only its header leaves them out
            nameless: self.nameless,
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
        let cut = self.cut_short();
        if cut > 0 {
            tally.cut_short(&self.title(), cut);
            all.counts.passed -= cut;
            all.counts.errored += cut;
        }
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
            // a head may say how many are disabled and leave the skipped to its suites (GoogleTest)
            (Number::Absent, Number::Is(d)) if d <= skipped[0] => {}
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

    /// Cases that never ended. pytest, when it is interrupted, leaves the test that was running as a case of which
    /// nothing is told, and does not count it among its `tests`.
    fn cut_short(&self) -> u64 {
        let Shown { counts, nameless, .. } = self.own;
        self.claims.total.known().map_or(0, |claimed| if counts.total >= claimed + nameless { nameless } else { 0 })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_without_a_name_was_interrupted_where_its_suite_does_not_count_it() {
        // declared, named, nameless: interrupted
        let cases = [("1", 1, 1, 1), ("3", 3, 2, 2), ("2", 1, 1, 0), ("2", 1, 2, 0), ("0", 0, 2, 2), ("", 1, 1, 0)];
        for (declared, named, nameless, interrupted) in cases {
            let (mut suite, mut tally) = (Suite::default(), Tally::default());
            if !declared.is_empty() {
                suite.claims.total = Number::parse(declared);
            }
            for n in 0..named + nameless {
                suite.own.case(Outcome::Passed, 0);
                if n >= named {
                    suite.own.nameless();
                }
                tally.counts.total += 1;
                tally.counts.passed += 1;
            }
            let (shown, _) = suite.close(&mut tally);
            assert_eq!((shown.counts.errored, tally.counts.errored), (interrupted, interrupted), "{declared}");
            assert_eq!(tally.counts.passed, named + nameless - interrupted, "{declared}");
        }
    }
}
