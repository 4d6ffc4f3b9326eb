//! What proves a ledger: the signature at the end of every unbroken stretch, and the anchors that are passed on the way.

use super::Chain;
use crate::ledger::whole::anchor::Proof;
use crate::ledger::whole::finding::{State, Weight, slots};
use crate::ledger::whole::stands::{self, Read};
use crate::seal::tlog::tree::Frontier;

impl Chain<'_> {
    /// Proves an unbroken stretch of entries by the newest of them that a trusted key signed.
    pub(super) fn end_of_stretch(&mut self) {
        let (Some(from), Some(to)) = (self.stretch.take(), self.edge.slot) else { return };
        let mut head = None;
        while let Some(mut newest) = self.signed.pop_back() {
            let (number, on) = (newest.slot, newest.on);
            match stands::proved_note(&newest.note, on, self.whose, self.trust) {
                Ok(keyid) => {
                    newest.keyid = keyid;
                    head = Some(newest);
                    break;
                }
                Err(why) => self.broken(self.state, number, why),
            }
        }
        self.signed.clear();
        let first = head.as_ref().map_or(from, |head| head.slot + 1);
        if first <= to {
            let what = format!("no trusted key vouches for what {} hold", slots(first, to));
            self.broken(self.state, first, what);
        }
        self.head = head.or(self.head.take());
    }

    /// The anchors of the ledger are known when its origin is.
    pub(in crate::ledger::whole) fn meet(&mut self, read: &Read) {
        let origin = &read.slot.checkpoint.origin;
        if self.origin.as_ref() != Some(origin) {
            self.wanted.drain(..).for_each(|n| self.anchors.settle(n, |_| Proof::Unknown));
            self.wanted.extend(self.anchors.of(origin));
            self.origin = Some(origin.clone());
        }
    }

    /// Settles the anchors of this size; smaller ones were passed in the dark.
    pub(in crate::ledger::whole) fn compare_up_to(&mut self, frontier: &Frontier) {
        while let Some(n) = self.next_wanted(frontier.size()) {
            if self.anchors.size(n) == Some(frontier.size()) {
                self.anchors.compare(n, frontier.root());
            } else {
                self.anchors.settle(n, |_| Proof::Unknown);
            }
        }
    }

    fn next_wanted(&mut self, size: u64) -> Option<usize> {
        let n = *self.wanted.front()?;
        (self.anchors.size(n) <= Some(size)).then(|| self.wanted.pop_front()).flatten()
    }

    pub(super) fn settle_anchors(&mut self) {
        let size = self.edge.frontier.size();
        for n in std::mem::take(&mut self.wanted) {
            self.anchors.settle(n, |said| match said.size.checked_sub(size) {
                None | Some(0) => Proof::Unknown,
                Some(by) => Proof::Beyond(by),
            });
        }
        let Some(origin) = &self.origin else { return };
        for anchor in self.anchors.all.iter().filter(|a| a.checkpoint.origin == *origin) {
            let state = match anchor.proof {
                Proof::OtherRoot => State::Forked,
                Proof::Beyond(_) => State::Truncated,
                Proof::Unknown => State::Gap,
                _ => continue,
            };
            self.state = self.state.max(state);
            let kept = if anchor.here { "the copy of a checkpoint at" } else { "the anchor in" };
            let what = format!("{kept} {}: {}", anchor.from, anchor.proof.why(anchor.checkpoint.size));
            self.findings.add(Weight::Broken, None, what);
        }
    }
}
