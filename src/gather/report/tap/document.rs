//! A TAP document, the whole stream or a subtest in it: its plan, its points, and whether they agree.

use super::line::Point;
use std::collections::HashSet;

/// Numbers outside the usual order that are held, to find repeated ones: of the whole stream, and of a subtest.
const OUTSIDE_LIMIT: usize = 100_000;
const OUTSIDE_LIMIT_INSIDE: usize = 1_000;

/// What has been read of a document.
#[derive(Default)]
pub(super) struct Document {
    plan: Option<Plan>,
    pub(super) points: u64,
    /// Points that are not ok and have no excuse.
    failed: u64,
    /// What makes it fail besides, each kind once, with how often.
    faults: Vec<(&'static str, u64, u64)>,
    ids: Ids,
    /// `pragma +strict`: what is not TAP is a fault.
    pub(super) strict: bool,
    /// The last line of TAP was a point: a YAML block may follow.
    pub(super) waiting: bool,
    /// The last line of TAP was `# Subtest`: whatever is indented belongs to a subtest.
    pub(super) announced: bool,
    /// Whether the last point vouches for what it stands for, and whether it ended with `{`.
    pub(super) vouches: bool,
    pub(super) opens: bool,
    /// Of a subtest between `{` and `}`: whether the point before it vouches for it.
    pub(super) braced: Option<bool>,
    /// A subtest.
    inside: bool,
}

/// `1..4`, and whether points stood before it.
#[derive(Clone, Copy)]
struct Plan {
    first: u64,
    last: u64,
    after_points: bool,
}

impl Document {
    /// A subtest of this document begins.
    pub(super) fn begin(&mut self) -> Self {
        (self.waiting, self.announced) = (false, false);
        let braced = std::mem::take(&mut self.opens).then_some(self.vouches);
        Self { strict: self.strict, braced, inside: true, ..Self::default() }
    }

    /// A point of this document.
    pub(super) fn point(&mut self, point: &Point<'_>, line: u64) {
        if self.plan.is_some_and(|plan| plan.after_points) {
            self.fault("a test point stands after the plan, which ends a document", line);
        }
        self.points += 1;
        self.failed += u64::from(!point.ok && point.directive.is_none());
        let room = if self.inside { OUTSIDE_LIMIT_INSIDE } else { OUTSIDE_LIMIT };
        if point.id.is_some_and(|id| self.ids.add(id, room)) {
            self.fault("a number is that of another test point, too", line);
        }
        (self.waiting, self.announced) = (true, false);
        // what is ok and has no excuse cannot stand for a subtest that failed
        (self.vouches, self.opens) = (point.ok && point.directive.is_none(), point.opens);
    }

    /// A plan; false where there is one already.
    pub(super) fn plan(&mut self, first: u64, last: u64, line: u64) {
        self.waiting = false;
        match self.plan {
            Some(plan) if (plan.first, plan.last) == (first, last) && plan.after_points == (self.points > 0) => {}
            Some(_) => self.fault("a second plan: are these several documents in one file?", line),
            None => self.plan = Some(Plan { first, last, after_points: self.points > 0 }),
        }
    }

    /// Something makes the document fail.
    pub(super) fn fault(&mut self, what: &'static str, line: u64) {
        match self.faults.iter_mut().find(|(known, ..)| *known == what) {
            Some((_, times, _)) => *times += 1,
            None => self.faults.push((what, 1, line)),
        }
    }

    /// Ends it: the plan must hold.
    pub(super) fn close(&mut self, line: u64) {
        let Some(Plan { first, last, .. }) = self.plan else {
            // a subtest may turn out to be indented output
            if self.inside && self.points == 0 {
                return;
            }
            return self.fault("there is no plan: nobody can know whether all tests ran", line);
        };
        if self.planned() != Some(self.points) {
            self.fault("the plan is for another number of test points than there are", line);
        } else if self.ids.outside(first, last) {
            self.fault("a test point has a number outside the plan", line);
        }
    }

    /// How many points are planned.
    pub(super) fn planned(&self) -> Option<u64> {
        self.plan.map(|Plan { first, last, .. }| last.saturating_add(1).saturating_sub(first))
    }

    /// Whether it has failed.
    pub(super) fn bad(&self) -> bool {
        self.failed > 0 || !self.faults.is_empty()
    }

    /// What makes it fail besides its points, in words.
    pub(super) fn faults(&self) -> impl Iterator<Item = String> {
        self.faults.iter().map(|(what, times, line)| match times {
            1 => format!("line {line}: {what}"),
            _ => format!("line {line}, and {} more: {what}", times - 1),
        })
    }

    /// Whether points came in another order than that of their numbers.
    pub(super) fn unordered(&self) -> bool {
        !self.ids.outside.is_empty()
    }

    /// Whether repeated numbers could not all be looked for.
    pub(super) fn unchecked(&self) -> bool {
        self.ids.outside.len() >= OUTSIDE_LIMIT
    }
}

/// The numbers of points: a range without a gap, and what lies outside it.
#[derive(Default)]
struct Ids {
    range: Option<(u64, u64)>,
    outside: HashSet<u64>,
    least: u64,
    most: u64,
}

impl Ids {
    /// Adds a number; true if it was there.
    fn add(&mut self, id: u64, room: usize) -> bool {
        let Some((first, last)) = &mut self.range else {
            (self.range, self.least, self.most) = (Some((id, id)), id, id);
            return false;
        };
        (self.least, self.most) = (self.least.min(id), self.most.max(id));
        if *last < u64::MAX && id == *last + 1 {
            *last = id;
            return self.outside.contains(&id);
        }
        let full = self.outside.len() >= room;
        (*first..=*last).contains(&id) || self.outside.contains(&id) || (!full && !self.outside.insert(id))
    }

    /// Whether there is a number outside `first..=last`.
    fn outside(&self, first: u64, last: u64) -> bool {
        self.range.is_some() && (self.least < first || self.most > last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_any_order_are_told_from_repeated_ones() {
        for (ids, want) in [
            (&[1, 2, 3][..], 0),
            (&[2, 3, 1], 0),
            (&[1, 3, 2], 0),
            (&[1, 1], 1),
            (&[3, 1, 2, 3, 4], 1),
            (&[1, 3, 2, 3], 1),
            (&[5, 1, 2, 3, 4, 5, 6], 1),
            (&[0, u64::MAX, u64::MAX], 1),
        ] {
            let mut known = Ids::default();
            let repeated = ids.iter().filter(|&&id| known.add(id, 100)).count();
            assert_eq!(repeated, want, "{ids:?}");
            let all: HashSet<_> = ids.iter().collect();
            assert_eq!(repeated, ids.len() - all.len(), "{ids:?}");
        }
    }

    #[test]
    fn a_repeated_number_is_found_up_to_a_limit_that_is_told() {
        for over in [0, 1] {
            let mut document = Document::default();
            for id in (0..OUTSIDE_LIMIT as u64 + over).map(|n| 2 * n) {
                assert!(!document.ids.add(id, OUTSIDE_LIMIT));
            }
            assert_eq!(document.unchecked(), over > 0);
            assert!(document.ids.add(2 * OUTSIDE_LIMIT as u64 - 2, OUTSIDE_LIMIT));
        }
    }
}
