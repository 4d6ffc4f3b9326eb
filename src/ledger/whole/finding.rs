//! What verification finds, in words, with the slot it was found in.

use chrono::TimeDelta;
use serde::Serialize;
use std::collections::BTreeMap;

/// Findings of one kind that are kept in words; more are counted.
const MOST: usize = 100;

/// What a ledger is, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum State {
    /// Every entry is there and is the one before it and its own leaves.
    Whole,
    /// An entry is missing or is not what was written.
    Gap,
    /// Two histories were signed.
    Forked,
    /// Entries that somebody can show are not there.
    Truncated,
}

impl State {
    /// The word in every output.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Gap => "gap",
            Self::Forked => "forked",
            Self::Truncated => "truncated",
        }
    }
}

/// How much a finding weighs, the heaviest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Weight {
    /// Worth knowing, no fault.
    Note,
    /// Somebody has to look at it.
    Finding,
    /// It does not verify.
    Broken,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// Its weight.
    pub(crate) weight: Weight,
    /// The slot it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slot: Option<u64>,
    /// What is wrong. May hold words of others.
    pub(crate) what: String,
}

/// Findings in bounded memory: hostile input makes a million of them as easily as one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    kept: Vec<Finding>,
    omitted: u64,
    /// The same thing of many slots: by text, how many, the first and the last.
    alike: BTreeMap<(Weight, String), (u64, u64, u64)>,
    worst: Option<Weight>,
}

impl Findings {
    /// Adds one.
    pub(crate) fn add(&mut self, weight: Weight, slot: Option<u64>, what: impl Into<String>) {
        self.worst = self.worst.max(Some(weight));
        // What is broken is named whatever else there is.
        let alike = self.kept.iter().filter(|f| f.weight == weight).count();
        if alike < MOST {
            self.kept.push(Finding { weight, slot, what: what.into() });
        } else {
            self.omitted += 1;
        }
    }

    /// Adds one that is told once however many slots it is true of.
    pub(crate) fn add_alike(&mut self, weight: Weight, slot: u64, what: &str) {
        self.worst = self.worst.max(Some(weight));
        if let Some((count, _, last)) = self.alike.get_mut(&(weight, what.to_owned())) {
            (*count, *last) = (*count + 1, slot);
        } else if self.alike.len() < MOST {
            self.alike.insert((weight, what.to_owned()), (1, slot, slot));
        } else {
            self.omitted += 1;
        }
    }

    /// The heaviest of them.
    pub(crate) fn worst(&self) -> Option<Weight> {
        self.worst
    }

    /// All of them, the heaviest first, then in the order of slots.
    pub(crate) fn told(&self) -> Vec<Finding> {
        let mut all = self.kept.clone();
        all.extend(self.alike.iter().map(|((weight, what), (count, first, last))| {
            let what = match count {
                1 => format!("slot {first}: {what}"),
                n => format!("{n} entries, slots {first} to {last}: {what}"),
            };
            Finding { weight: *weight, slot: Some(*first), what }
        }));
        all.sort_by(|a, b| b.weight.cmp(&a.weight).then(a.slot.cmp(&b.slot)));
        if self.omitted > 0 {
            let what = format!("and {} more findings like these", self.omitted);
            all.push(Finding { weight: self.worst.unwrap_or(Weight::Note), slot: None, what });
        }
        all
    }
}

/// A span of time in its two largest units: `3 d 2 h`.
pub(crate) fn span(span: TimeDelta) -> String {
    let seconds = span.num_seconds().unsigned_abs();
    let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let at = units.iter().position(|(length, _)| seconds >= *length).unwrap_or(3);
    let mut rest = seconds;
    let mut words = Vec::new();
    for (length, unit) in units.iter().skip(at).take(2) {
        let n = rest / length;
        rest %= length;
        if n > 0 || words.is_empty() {
            words.push(format!("{n} {unit}"));
        }
    }
    words.join(" ")
}

/// `leaf 4`, `leaves 4 to 6`: a range without its end.
pub(crate) fn leaves(from: u64, to: u64) -> String {
    match to.saturating_sub(from) {
        0 => "no leaf".to_owned(),
        1 => format!("leaf {from}"),
        _ => format!("leaves {from} to {}", to - 1),
    }
}

/// `slot 4`, `slots 4 to 6`: a range with its end.
pub(crate) fn slots(from: u64, to: u64) -> String {
    if from == to { format!("slot {from}") } else { format!("slots {from} to {to}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units() {
        for (seconds, want) in
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (266_400, "3 d 2 h"), (-86_400, "1 d")]
        {
            assert_eq!(span(TimeDelta::seconds(seconds)), want);
        }
        assert_eq!((leaves(4, 5).as_str(), leaves(4, 7).as_str()), ("leaf 4", "leaves 4 to 6"));
    }

    #[test]
    fn a_flood_is_counted_and_the_heaviest_comes_first() {
        let mut findings = Findings::default();
        for n in 0..1000 {
            findings.add(Weight::Finding, Some(n), "x");
            findings.add_alike(Weight::Note, n, "y");
        }
        findings.add(Weight::Broken, Some(7), "z");
        let told = findings.told();
        assert_eq!(told.len(), MOST + 3);
        assert_eq!((told[0].weight, told[0].slot), (Weight::Broken, Some(7)));
        assert!(told.iter().any(|f| f.what == "1000 entries, slots 0 to 999: y"));
        assert!(told.last().unwrap().what.contains("900 more"));
        assert_eq!(findings.worst(), Some(Weight::Broken));
    }
}
