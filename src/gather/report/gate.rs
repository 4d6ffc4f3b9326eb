//! A scan: findings by severity, and whether they reach the threshold. Shared by all scanners' formats.

use super::name::kept;
use super::refusal::{Refusal, quoted};
use super::tally::Tally;
use crate::record::test_run_v1::Gate;

/// Words for severities that are counted apart; no scanner has half as many.
const WORD_LIMIT: usize = 32;

/// Words for severity from the least to the worst, of all scanners. A threshold of one scanner's words is so one of all.
const LADDER: [&[&str]; 6] = [
    &["any", "unknown", "none", "undefined"],
    &["info", "informational", "negligible", "help"],
    &["low", "note", "notice"],
    &["medium", "moderate", "warning", "warn"],
    &["high", "error"],
    &["critical"],
];

/// How bad a severity is; `None` for a word of no scanner we know.
fn rank(word: &str) -> Option<usize> {
    LADDER.iter().position(|words| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

/// Adds findings up.
pub(crate) struct Scan {
    gate: Gate,
    threshold: usize,
    /// Findings whose severity the scanner itself does not know.
    unknown: u64,
}

impl Scan {
    /// Begins, with the threshold that `tally` was told or else the format's own.
    ///
    /// `worst` is the worst that the format can say: a threshold above it would let everything pass.
    pub(crate) fn new(threshold: &str, worst: &str, tally: &Tally) -> Result<Self, Refusal> {
        let word = tally.threshold.as_deref().unwrap_or(threshold);
        let Some(threshold) = rank(word).map(|told| told.min(rank(worst).unwrap_or(told))) else {
            let what = format!("{} is no severity that could be a threshold", quoted(word));
            return Err(Refusal::new(what).help("Take one of any, low, medium, high, critical, note, warning, error"));
        };
        let gate = Gate { threshold: word.to_owned(), ..Gate::default() };
        Ok(Self { gate, threshold, unknown: 0 })
    }

    /// Adds `n` findings that count, of the severity `word`.
    ///
    /// A word that nobody knows reaches every threshold; `unknown`, which scanners rank lowest, reaches `any` alone.
    pub(crate) fn findings(&mut self, word: &str, n: u64, tally: &mut Tally) {
        let known = rank(word);
        self.rated(word, known.unwrap_or(LADDER.len()), n);
        if known.is_none() && n > 0 {
            tally.warn(|| format!("the severity {} is unknown: counted as reaching the threshold", quoted(word)));
        }
        if word.eq_ignore_ascii_case("unknown") {
            self.unknown += n;
        }
    }

    /// Adds `n` findings of a kind that the scanner ranks by no word; `like` one.
    pub(crate) fn kind(&mut self, word: &str, like: &str, n: u64) {
        self.rated(word, rank(like).unwrap_or(LADDER.len()), n);
    }

    fn rated(&mut self, word: &str, rank: usize, n: u64) {
        self.gate.findings += n;
        if rank >= self.threshold {
            self.gate.reached += n;
        }
        let full = self.gate.by_severity.len() >= WORD_LIMIT;
        let word = kept(word.as_bytes());
        let word = if full && !self.gate.by_severity.contains_key(&word) { "…".to_owned() } else { word };
        *self.gate.by_severity.entry(word).or_default() += n;
    }

    /// Adds `n` findings that somebody set aside.
    pub(crate) fn suppressed(&mut self, n: u64) {
        self.gate.findings += n;
        self.gate.suppressed += n;
    }

    /// Adds a finding of the baseline that is gone.
    pub(crate) fn absent(&mut self, n: u64) {
        self.gate.findings += n;
        self.gate.absent += n;
    }

    /// How many findings there are so far of the severity `word`.
    pub(crate) fn of(&self, word: &str) -> u64 {
        self.gate.by_severity.get(word).copied().unwrap_or_default()
    }

    /// Whether there is no finding at all.
    pub(crate) fn found_nothing(&self) -> bool {
        self.gate.findings == 0
    }

    /// Compares what the report's own summary says of the severity `word` with what it lists.
    pub(crate) fn claims(&self, word: &str, claimed: u64, tally: &mut Tally) {
        let listed = self.of(word);
        if claimed != listed {
            tally.warn(|| format!("the report declares {} {claimed}; found {listed}", quoted(word)));
        }
        if claimed > listed && rank(word).is_none_or(|rank| rank >= self.threshold) {
            tally.fault(|| "it declares more findings that reach the threshold than it lists".to_owned());
        }
    }

    /// The scan is over.
    pub(crate) fn finish(self, tally: &mut Tally) {
        if self.unknown > 0 && self.threshold > 0 {
            let n = self.unknown;
            tally.warn(|| format!("{n} finding(s) of unknown severity do not reach the threshold"));
        }
        tally.gate = Some(self.gate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(threshold: &str) -> Tally {
        let mut tally = Tally::default();
        tally.threshold = Some(threshold.to_owned());
        tally
    }

    fn gate(threshold: &str, words: &[&str]) -> (u64, u64, usize) {
        let mut tally = told(threshold);
        let mut scan = Scan::new("high", "critical", &tally).unwrap();
        words.iter().for_each(|word| scan.findings(word, 1, &mut tally));
        scan.finish(&mut tally);
        let run = tally.finish();
        let gate = run.gate.unwrap();
        (gate.findings, gate.reached, run.warnings.len())
    }

    #[test]
    fn a_threshold_of_any_scanner_is_one_for_all() {
        let words = ["UNKNOWN", "Negligible", "note", "LOW", "Medium", "warning", "error", "HIGH", "critical"];
        for (threshold, reached) in [("any", 9), ("info", 8), ("low", 7), ("WARNING", 5), ("high", 3), ("Critical", 1)]
        {
            assert_eq!(gate(threshold, &words), (9, reached, usize::from(reached < 9)), "{threshold}");
        }
        assert_eq!(gate("critical", &["terrible", ""]), (2, 2, 2), "a word that nobody knows reaches every threshold");
        assert!(Scan::new("high", "critical", &told("hgih")).is_err());
    }

    #[test]
    fn words_beyond_the_limit_are_counted_together() {
        let words: Vec<_> = (0..100).map(|i| format!("w{i}")).collect();
        let mut tally = Tally::default();
        let mut scan = Scan::new("high", "critical", &tally).unwrap();
        words.iter().for_each(|word| scan.findings(word, 2, &mut tally));
        scan.finish(&mut tally);
        let gate = tally.finish().gate.unwrap();
        assert_eq!((gate.by_severity.len(), gate.by_severity["…"]), (WORD_LIMIT + 1, 2 * (100 - WORD_LIMIT as u64)));
        assert_eq!((gate.findings, gate.by_severity.values().sum()), (200, 200));
    }

    #[test]
    fn more_declared_than_listed_is_no_success() {
        for (threshold, word, claimed, verdict) in [
            ("critical", "high", 1, "passed"),
            ("critical", "high", 2, "passed"),
            ("high", "low", 5, "failed"),
            ("critical", "critical", 1, "failed"),
            ("critical", "dreadful", 1, "failed"),
        ] {
            let mut tally = told(threshold);
            let mut scan = Scan::new("high", "critical", &tally).unwrap();
            scan.findings("high", 1, &mut tally);
            scan.claims(word, claimed, &mut tally);
            scan.finish(&mut tally);
            assert_eq!(tally.finish().verdict.as_str(), verdict, "{word} {claimed}");
        }
    }
}
