//! Which class a test is of: TRX says it in the definition of the test, which may stand before its result or after it.

use super::super::name::kept;
use super::super::tally::Tally;
use super::super::xml::Tag;
use std::collections::HashMap;

/// Definitions that are kept for the results behind them. Beyond it, a failing test is named without its class.
const DEFINITION_LIMIT: usize = 10_000;

/// The definitions seen so far, and the failing tests that wait for theirs.
#[derive(Default)]
pub(super) struct Classes {
    /// The test that is being defined.
    defined: Vec<u8>,
    known: HashMap<Vec<u8>, String>,
    /// Tests, and their places among the failing ones.
    waiting: HashMap<Vec<u8>, Vec<usize>>,
}

impl Classes {
    /// `UnitTest`: the definition of a test begins.
    pub(super) fn define(&mut self, tag: &Tag<'_>) {
        self.defined.clear();
        if let Some((_, id)) = tag.attributes().find(|(name, _)| *name == b"id") {
            id.name_into(&mut self.defined);
        }
    }

    /// `TestMethod`: its class. Older versions add the assembly behind a comma.
    pub(super) fn class(&mut self, tag: &Tag<'_>, tally: &mut Tally) {
        let Some(class) = tag.attribute(b"className") else { return };
        let class = kept(class.split(',').next().unwrap_or_default().trim().as_bytes());
        if self.defined.is_empty() || class.is_empty() {
            return;
        }
        for at in self.waiting.remove(&self.defined).unwrap_or_default() {
            tally.belongs(at, &class);
        }
        if self.known.len() < DEFINITION_LIMIT {
            self.known.insert(self.defined.clone(), class);
        }
    }

    /// A test failed, and stands at `at` among those that did.
    pub(super) fn failed(&mut self, id: &[u8], at: usize, tally: &mut Tally) {
        match self.known.get(id) {
            Some(class) => tally.belongs(at, class),
            None if !id.is_empty() => self.waiting.entry(id.to_vec()).or_default().push(at),
            None => {}
        }
    }
}
