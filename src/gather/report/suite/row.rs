//! A test case that says in a word how it ended. Shared by the formats of .NET.

use super::super::outcome::{Outcome, Time};
use super::super::refusal::quoted;
use super::super::tally::Tally;
use super::{Found, Suites};

/// An open test case.
#[derive(Default)]
pub(crate) struct Row {
    /// Name.
    pub(crate) name: Vec<u8>,
    /// Class, where it is told.
    pub(crate) class: Vec<u8>,
    /// An identity beside the names.
    pub(crate) id: Vec<u8>,
    /// How long it took.
    pub(crate) time: Time,
    /// What its word means; absent when the word is absent or unknown.
    pub(crate) stated: Option<Outcome>,
    /// It has a word, whatever it means.
    said: bool,
    /// A failure stands in it.
    pub(crate) failure: bool,
    /// Cases that stand in it, and whether one of them is bad.
    pub(crate) rows: u64,
    pub(crate) bad_row: bool,
}

impl Row {
    /// Begins anew with what was allocated.
    pub(crate) fn reset(&mut self) {
        let mut texts = [&mut self.name, &mut self.class, &mut self.id].map(std::mem::take);
        texts.iter_mut().for_each(Vec::clear);
        let [name, class, id] = texts;
        *self = Self { name, class, id, ..Self::default() };
    }

    /// Takes the word over that says how it ended.
    pub(crate) fn says(&mut self, word: &str, meaning: Option<Outcome>, tally: &mut Tally) {
        if meaning.is_none() {
            tally.warn(|| format!("the outcome word {} is unknown: counted as errored", quoted(word)));
        }
        (self.said, self.stated) = (true, meaning);
    }

    /// The one outcome, the worst that was said.
    pub(crate) fn outcome(&self, tally: &mut Tally) -> Outcome {
        let stated = self.stated.unwrap_or(Outcome::Errored);
        if !self.said {
            let name = String::from_utf8_lossy(&self.name);
            tally.warn(|| format!("test case {} says no outcome: counted as errored", quoted(&name)));
        }
        if self.failure && stated < Outcome::Failed {
            let name = String::from_utf8_lossy(&self.name);
            let word = stated.as_str();
            tally
                .warn(|| format!("test case {} is told as {word} and has a failure: counted as failed", quoted(&name)));
            return Outcome::Failed;
        }
        stated
    }

    /// Counts it in the innermost suite.
    pub(crate) fn count(&self, suites: &mut Suites, tally: &mut Tally) -> Outcome {
        let outcome = self.outcome(tally);
        let Self { name, class, id, time, .. } = self;
        suites.case(&Found { outcome, flaky: false, explained: 0, class, name, id, time }, tally);
        outcome
    }
}
