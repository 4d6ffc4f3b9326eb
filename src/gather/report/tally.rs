//! What was found in a report, added up: counts, verdict, the names that failed. Shared by all formats.
//!
//! Bounded whatever the report holds: lists have limits, and what is left out is counted.

use super::name::{AsItIs, digest64};
use super::outcome::{Outcome, Time};
use super::refusal::quoted;
use crate::record::test_run_v1::{
    Counts, Coverage, Declared, FailingTest, Gate, ReportTool, TestRun, TimestampZone, Verdict,
};
use chrono::DateTime;
use std::collections::HashSet;
use std::hash::BuildHasherDefault;

/// Failing tests that are named; the others are counted.
pub(crate) const FAILING_LIMIT: usize = 200;

/// Warnings that are spelled out; the others are counted.
pub(crate) const WARNING_LIMIT: usize = 50;

/// Test cases among which repeated ones are looked for. Nine bytes each, in a table that stays in a processor's cache:
/// beyond it, looking would take longer than reading.
pub(crate) const IDENTITY_LIMIT: usize = 200_000;

/// One test case, as a format's reader found it; its texts are UTF-8.
pub(crate) struct Case<'a> {
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// It passed after it had failed.
    pub(crate) flaky: bool,
    /// Name of the innermost suite.
    pub(crate) suite: &'a [u8],
    /// Class, where there is one.
    pub(crate) class: &'a [u8],
    /// Name; empty when there is none, which is still a case.
    pub(crate) name: &'a [u8],
}

/// The sums.
#[derive(Default)]
pub(crate) struct Tally {
    /// Cases by outcome.
    pub(crate) counts: Counts,
    /// What the report's head claims.
    pub(crate) declared: Declared,
    /// Name of the run.
    pub(crate) name: Option<String>,
    /// When it began, as it is written.
    pub(crate) timestamp: Option<String>,
    /// Who wrote it.
    pub(crate) tool: Option<ReportTool>,
    /// Least severity that fails a gate, where a person has said it: one of [`super::THRESHOLDS`].
    #[allow(dead_code, reason = "the first format with a gate reads it")]
    pub(crate) threshold: Option<String>,
    /// What a scan found; then there are no cases.
    pub(crate) gate: Option<Gate>,
    /// What the tests reached.
    pub(crate) coverage: Option<Coverage>,
    /// Failures and errors that belong to no test case.
    broken: u64,
    /// The head claims failures that are not shown.
    understated: bool,
    failing: Vec<FailingTest>,
    failing_omitted: u64,
    warnings: Vec<String>,
    warnings_omitted: u64,
    seconds: f64,
    timed: u64,
    untimed: u64,
    unreadable_times: Several,
    seen: HashSet<u64, BuildHasherDefault<AsItIs>>,
    repeated: Several,
    unchecked: u64,
}

/// How often something was found, and the first of it.
#[derive(Default)]
struct Several {
    times: u64,
    first: String,
}

impl Several {
    fn add(&mut self, example: &str) {
        if self.times == 0 {
            self.first = quoted(example);
        }
        self.times += 1;
    }
}

impl Tally {
    /// Adds a test case, which no other should repeat.
    pub(crate) fn case(&mut self, case: &Case<'_>) {
        self.case_of(case, b"");
    }

    /// Adds a test case that has an identity of its own, beside its names.
    pub(crate) fn case_of(&mut self, case: &Case<'_>, id: &[u8]) {
        self.count(case);
        self.identify(case, id);
    }

    /// Adds a test case of a format where names need not differ, or whose reader sees to it.
    pub(crate) fn count(&mut self, case: &Case<'_>) {
        case.outcome.add_to(&mut self.counts);
        self.counts.flaky += u64::from(case.flaky && case.outcome == Outcome::Passed);
        if case.outcome >= Outcome::Failed {
            let suite = if case.class.is_empty() { case.suite } else { case.class };
            self.fails(&String::from_utf8_lossy(suite), &String::from_utf8_lossy(case.name), case.outcome);
        }
    }

    /// Adds test cases whose names are not known, or not to be told.
    pub(crate) fn unnamed(&mut self, counts: &Counts) {
        let Counts { total, passed, failed, errored, skipped, flaky } = &mut self.counts;
        *total += counts.total;
        *passed += counts.passed;
        *failed += counts.failed;
        *errored += counts.errored;
        *skipped += counts.skipped;
        *flaky += counts.flaky;
        self.failing_omitted += counts.failed + counts.errored;
    }

    /// Something about the report itself by which it has failed, whatever its test cases say.
    pub(crate) fn fault(&mut self, what: impl FnOnce() -> String) {
        self.broken += 1;
        self.warn(what);
    }

    /// Adds the time of a case; `ran` says whether the case should have one.
    #[inline]
    pub(crate) fn time(&mut self, time: &Time, ran: bool) {
        match time {
            Time::Seconds(value) => {
                self.seconds += value;
                self.timed += 1;
            }
            Time::Unreadable(text) => self.unreadable_times.add(text),
            Time::Absent => self.untimed += u64::from(ran),
        }
    }

    /// Adds a failure or an error that stands on a suite, outside any test case.
    pub(crate) fn broken(&mut self, suite: &str, outcome: Outcome) {
        let why = format!("suite {} is {} outside any test case", quoted(suite), outcome.as_str());
        self.broken_because(suite, outcome, || why);
    }

    /// The same, in other words.
    pub(crate) fn broken_because(&mut self, suite: &str, outcome: Outcome, why: impl FnOnce() -> String) {
        self.fails(suite, "", outcome);
        self.fault(why);
    }

    /// Notes that `what` claims failures that are not shown and that no rerun explains.
    pub(crate) fn understates(&mut self, what: &str, missing: u64) {
        self.understated = true;
        self.warn(|| format!("{what} declares {missing} more failed or errored than it shows: counted as failed"));
    }

    /// Adds a warning, or counts it when there are too many.
    pub(crate) fn warn(&mut self, warning: impl FnOnce() -> String) {
        if self.warnings.len() < WARNING_LIMIT {
            self.warnings.push(warning());
        } else {
            self.warnings_omitted += 1;
        }
    }

    fn fails(&mut self, suite: &str, name: &str, outcome: Outcome) {
        if self.failing.len() == FAILING_LIMIT {
            self.failing_omitted += 1;
            return;
        }
        let suite = (!suite.is_empty()).then(|| suite.to_owned());
        self.failing.push(FailingTest { suite, name: name.to_owned(), outcome: outcome.as_str().to_owned() });
    }

    /// Looks for the same (suite, class, name) before. Two cases without a name are not the same.
    fn identify(&mut self, case: &Case<'_>, id: &[u8]) {
        if case.name.is_empty() {
            return;
        }
        if self.seen.len() == IDENTITY_LIMIT {
            self.unchecked += 1;
            return;
        }
        let identity = [case.suite, case.class, case.name, id].iter().fold(0, |hash, part| digest64(hash, part));
        if !self.seen.insert(identity) {
            self.repeated.add(&String::from_utf8_lossy(case.name));
        }
    }

    /// The verdict (facts: refused, which is not ours to say, then failed, empty, passed).
    fn verdict(&self) -> Verdict {
        let Counts { passed, failed, errored, .. } = self.counts;
        if failed > 0 || errored > 0 || self.broken > 0 || self.understated {
            Verdict::Failed
        } else if let Some(gate) = &self.gate {
            if gate.reached > 0 { Verdict::Failed } else { Verdict::Passed }
        } else if passed == 0 {
            Verdict::Empty
        } else {
            Verdict::Passed
        }
    }

    /// The whole report as the record states it; `file`, `format`, `sha256` and `size` are the caller's to add.
    pub(crate) fn finish(mut self) -> TestRun {
        let verdict = self.verdict();
        let known_time = self.timed > 0 && self.untimed == 0 && self.unreadable_times.times == 0;
        let mut warnings = self.summary();
        warnings.append(&mut self.warnings);
        if self.warnings_omitted > 0 {
            warnings.push(format!("and {} more warnings", self.warnings_omitted));
        }
        TestRun {
            file: String::new(),
            format: None,
            name: self.name,
            sha256: None,
            size: None,
            tool: self.tool,
            verdict,
            counts: (self.counts.total > 0 || self.gate.is_none() && self.coverage.is_none()).then_some(self.counts),
            declared: (self.declared != Declared::default()).then_some(self.declared),
            failing: self.failing,
            failing_omitted: self.failing_omitted,
            // a sum of decimal fractions, without the digits that binary ones add
            duration_seconds: known_time.then_some((self.seconds * 1e9).round() / 1e9),
            timestamp_zone: self.timestamp.as_deref().map(zone),
            timestamp: self.timestamp,
            gate: self.gate,
            coverage: self.coverage,
            exit_code: None,
            warnings,
            error: None,
        }
    }

    /// Warnings that stand for many.
    fn summary(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.repeated.times > 0 {
            let Several { times, first } = &self.repeated;
            out.push(format!(
                "{times} test case(s) repeat a suite, class and name, all are counted; the first is {first}"
            ));
        }
        if self.unchecked > 0 {
            out.push(format!("repeated test cases were not looked for after the first {IDENTITY_LIMIT} names"));
        }
        if self.unreadable_times.times > 0 {
            let Several { times, first } = &self.unreadable_times;
            out.push(format!("{times} time(s) cannot be read, so the duration is unknown; the first is {first}"));
        }
        if self.timed > 0 && self.untimed > 0 {
            out.push(format!("{} test case(s) carry no time, so the duration is unknown", self.untimed));
        }
        out
    }
}

/// Whether a timestamp says in which zone it is: RFC 3339, or seconds (or parts of them) since 1970.
fn zone(timestamp: &str) -> TimestampZone {
    let epoch = timestamp.len() >= 9 && timestamp.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let known = epoch || DateTime::parse_from_rfc3339(timestamp.trim()).is_ok();
    if known { TimestampZone::Known } else { TimestampZone::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_only_where_it_is_told() {
        for (text, want) in [
            ("2026-11-23T10:00:00Z", TimestampZone::Known),
            ("2026-11-23T10:00:00.123+01:00", TimestampZone::Known),
            ("1764000000", TimestampZone::Known),
            ("1764000000.5", TimestampZone::Known),
            ("2026-11-23T10:00:00", TimestampZone::Unknown),
            ("2026-11-23 10:00:00", TimestampZone::Unknown),
            ("Mon Nov 23", TimestampZone::Unknown),
            ("", TimestampZone::Unknown),
        ] {
            assert_eq!(zone(text), want, "{text}");
        }
    }

    fn case(outcome: Outcome, name: &str) -> Case<'_> {
        Case { outcome, flaky: false, suite: b"s", class: b"c", name: name.as_bytes() }
    }

    #[test]
    fn verdicts_by_precedence() {
        use Outcome::{Errored, Failed, Passed, Skipped};
        let cases: [(&[Outcome], Verdict); 6] = [
            (&[], Verdict::Empty),
            (&[Skipped, Skipped], Verdict::Empty),
            (&[Skipped, Passed], Verdict::Passed),
            (&[Passed, Failed], Verdict::Failed),
            (&[Passed, Errored], Verdict::Failed),
            (&[Failed, Skipped], Verdict::Failed),
        ];
        for (outcomes, want) in cases {
            let mut tally = Tally::default();
            outcomes.iter().for_each(|&o| tally.case(&case(o, "n")));
            assert_eq!(tally.finish().verdict, want, "{outcomes:?}");
        }
        let mut broken = Tally::default();
        broken.case(&case(Passed, "n"));
        broken.broken("s", Errored);
        assert_eq!(broken.finish().verdict, Verdict::Failed);
        let mut understated = Tally::default();
        understated.case(&case(Passed, "n"));
        understated.understates("suite `s`", 1);
        assert_eq!(understated.finish().verdict, Verdict::Failed);
    }

    #[test]
    fn lists_stop_at_their_limit_and_count_on() {
        for over in [0, 1, 5] {
            let mut tally = Tally::default();
            (0..FAILING_LIMIT + over).for_each(|i| tally.case(&case(Outcome::Failed, &i.to_string())));
            (0..WARNING_LIMIT + over).for_each(|i| tally.warn(|| i.to_string()));
            let run = tally.finish();
            assert_eq!((run.failing.len(), run.failing_omitted), (FAILING_LIMIT, over as u64));
            assert_eq!(run.warnings.len(), WARNING_LIMIT + usize::from(over > 0));
            if over > 0 {
                assert_eq!(run.warnings.last(), Some(&format!("and {over} more warnings")));
            }
        }
    }

    #[test]
    fn repeated_cases_are_looked_for_up_to_a_limit() {
        for (over, repeated, unchecked) in [(0, 1, 0), (1, 0, 2)] {
            let mut tally = Tally::default();
            (0..IDENTITY_LIMIT - 1 + over).for_each(|i| tally.case(&case(Outcome::Passed, &i.to_string())));
            tally.case(&case(Outcome::Passed, "0"));
            if over > 0 {
                tally.case(&case(Outcome::Passed, "1"));
            }
            assert_eq!((tally.repeated.times, tally.unchecked), (repeated, unchecked));
            assert_eq!(tally.finish().warnings.len(), 1);
        }
    }

    #[test]
    fn two_suites_may_have_the_same_case() {
        let mut tally = Tally::default();
        for (suite, class, name) in
            [("a", "b", "c"), ("a", "", "bc"), ("ab", "", "c"), ("b", "a", "c"), ("", "a", "bc")]
        {
            let (suite, class, name) = (suite.as_bytes(), class.as_bytes(), name.as_bytes());
            tally.case(&Case { outcome: Outcome::Passed, flaky: false, suite, class, name });
        }
        assert_eq!(tally.repeated.times, 0);
    }

    #[test]
    fn a_time_that_is_missing_or_unreadable_leaves_the_sum_unknown() {
        // `-` for a case without a time
        let cases = [("1 0.5", Some(1.5), 0), ("1 -", None, 1), ("1 NaN", None, 1), ("- -", None, 0), ("", None, 0)];
        for (times, want, warnings) in cases {
            let mut tally = Tally::default();
            for time in times.split_whitespace() {
                let time = if time == "-" { Time::Absent } else { Time::parse(time.as_bytes()) };
                tally.time(&time, true);
            }
            let run = tally.finish();
            assert_eq!((run.duration_seconds, run.warnings.len()), (want, warnings), "{times:?}");
        }
    }
}
