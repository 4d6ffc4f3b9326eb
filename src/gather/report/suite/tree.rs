//! Suites, tests in them, failures in those: the shape that the formats of .NET share.

use super::super::tally::Tally;
use super::{Pool, Row, Suites};

/// What an open element is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A suite, or the whole run.
    Suite,
    /// A test.
    Test,
    /// A failure, whose inside says nothing more.
    Failure,
    /// What a failure says.
    Message,
    /// Anything else.
    Other,
}

/// A report of that shape, while it is read.
pub(crate) struct Tree<'t> {
    /// Where it is added up.
    pub(crate) tally: &'t mut Tally,
    /// The open suites.
    pub(crate) suites: Suites,
    /// The open tests.
    pub(crate) rows: Pool<Row>,
    open: Vec<Kind>,
}

impl<'t> Tree<'t> {
    /// Before the root element.
    pub(crate) fn new(tally: &'t mut Tally) -> Self {
        Self { tally, suites: Suites::default(), rows: Pool::default(), open: Vec::new() }
    }

    /// Whether the next element is the root.
    pub(crate) fn at_root(&self) -> bool {
        self.open.is_empty()
    }

    /// What stands right around the next element.
    pub(crate) fn parent(&self) -> Option<Kind> {
        self.open.last().copied()
    }

    /// Whether the next element stands somewhere in such a one.
    pub(crate) fn inside(&self, kind: Kind) -> bool {
        self.open.contains(&kind)
    }

    /// What the next element speaks of: the innermost that is something.
    pub(crate) fn about(&self) -> Option<Kind> {
        self.open.iter().rev().find(|kind| **kind != Kind::Other).copied()
    }

    /// An element begins.
    pub(crate) fn push(&mut self, kind: Kind) {
        self.open.push(kind);
    }

    /// The innermost element ends: a suite or a test is counted.
    pub(crate) fn pop(&mut self) -> Option<Kind> {
        let kind = self.open.pop();
        match kind {
            Some(Kind::Suite) => self.suites.close(self.tally),
            Some(Kind::Test) => {
                if let Some(row) = self.rows.pop() {
                    row.count(&mut self.suites, self.tally);
                }
            }
            _ => {}
        }
        kind
    }

    /// Names the run after the suite that was just opened, where nothing else has.
    pub(crate) fn name_run(&mut self) {
        if let (None, Some(suite)) = (&self.tally.name, self.suites.innermost())
            && !suite.name.is_empty()
        {
            self.tally.name = Some(suite.label().into_owned());
        }
    }
}
