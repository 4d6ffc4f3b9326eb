//! One test or container, while it is open.

use super::super::name::kept;
use super::super::outcome::{Outcome, Time};
use super::super::refusal::quoted;
use super::super::tally::{Case, Tally};
use super::super::xml::Tag;
use super::outcome;

/// A test or a container.
#[derive(Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) time: Time,
    /// Something stands below it.
    pub(super) children: bool,
    /// JUnit's word for it, where there is one: whether it is a test.
    test: Option<bool>,
    /// The worst that was said of it; absent when no result was.
    stated: Option<Outcome>,
}

impl Node {
    /// The node that `tag` begins. Its time is `duration`, ISO 8601, in the hierarchy.
    pub(super) fn new(tag: &Tag<'_>) -> Self {
        let mut node = Self::default();
        for (name, value) in tag.attributes() {
            match name {
                b"name" => node.name = kept(&value.bytes()),
                b"duration" => node.time = iso(&value.text()),
                _ => {}
            }
        }
        node
    }

    /// Takes over the word of `junit:type`.
    pub(super) fn kind(&mut self, word: &str) {
        match word {
            "TEST" | "CONTAINER_AND_TEST" => self.test = Some(true),
            "CONTAINER" => self.test = Some(false),
            _ => {}
        }
    }

    /// Takes over a result.
    pub(super) fn ends(&mut self, status: &str, tally: &mut Tally) {
        let meaning = outcome(status);
        if meaning.is_none() {
            tally.warn(|| format!("the status {} is unknown: counted as errored", quoted(status)));
        }
        self.stated = self.stated.max(Some(meaning.unwrap_or(Outcome::Errored)));
    }

    /// Counts it, in `suite`, as one that never ended.
    pub(super) fn stops(mut self, suite: &[u8], tally: &mut Tally) {
        self.stated = Some(Outcome::Errored);
        self.count(suite, tally);
    }

    /// Counts it, in `suite`.
    pub(super) fn count(&self, suite: &[u8], tally: &mut Tally) {
        let name = &self.name;
        match (self.test.unwrap_or(!self.children), self.stated) {
            (true, stated) => {
                if stated.is_none() {
                    tally.warn(|| format!("test {} has no result: counted as errored", quoted(name)));
                }
                let outcome = stated.unwrap_or(Outcome::Errored);
                tally.case(&Case { outcome, flaky: false, suite, class: b"", name: name.as_bytes() });
                tally.time(&self.time, outcome != Outcome::Skipped);
            }
            // before all, after all, or a suite that could not be loaded
            (false, Some(outcome @ (Outcome::Failed | Outcome::Errored))) => tally.broken(name, outcome),
            (false, _) => {}
        }
    }
}

/// An ISO 8601 length of time with no part above hours, as Java's `Duration` writes it: `PT1H2M3.4S`.
fn iso(text: &str) -> Time {
    let read = || {
        let (mut rest, mut sum) = (text.trim().strip_prefix("PT")?, 0.0);
        for (unit, weight) in [('H', 3600.0), ('M', 60.0), ('S', 1.0)] {
            if let Some((number, after)) = rest.split_once(unit) {
                match Time::parse(number.as_bytes()) {
                    Time::Seconds(seconds) => sum += seconds * weight,
                    _ => return None,
                }
                rest = after;
            }
        }
        (rest.is_empty() && text.trim().len() > 2).then_some(sum)
    };
    read().map_or_else(|| Time::Unreadable(kept(text.as_bytes())), Time::Seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (text, want) in [("PT0S", 0.0), ("PT1.5S", 1.5), ("PT1H2M3S", 3723.0), ("PT2M", 120.0)] {
            assert_eq!(iso(text), Time::Seconds(want), "{text}");
        }
        for text in ["", "PT", "1S", "P1D", "PT-1S", "PT1S2M", "PT1X", "PTS"] {
            assert!(matches!(iso(text), Time::Unreadable(_)), "{text}");
        }
    }
}
