//! Tests that are started and finished, in any order.

use super::super::name::kept;
use super::super::outcome::Time;
use super::super::refusal::{Refusal, quoted};
use super::super::tally::Tally;
use super::super::xml::Tag;
use super::node::Node;
use chrono::{DateTime, FixedOffset};
use std::collections::{HashMap, HashSet};

/// Tests that may be open at once, each with a few KiB of names at most.
const OPEN_LIMIT: usize = 10_000;

/// A node with what only events have.
#[derive(Default)]
struct Started {
    node: Node,
    /// Name of the node above.
    suite: String,
    parent: Option<String>,
    at: Option<DateTime<FixedOffset>>,
}

/// The tests that were started and are not finished.
#[derive(Default)]
pub(super) struct Events {
    started: HashMap<String, Started>,
    /// Whose event is read, and whether it is the last.
    current: String,
    finished: bool,
}

impl Events {
    /// An event begins.
    pub(super) fn open(&mut self, tag: &Tag<'_>, tally: &mut Tally) -> Result<(), Refusal> {
        let id = tag.attribute(b"id").map(|id| kept(id.as_bytes()));
        let id = id.ok_or_else(|| Refusal::new("an event without an `id`"))?;
        let time = tag.attribute(b"time");
        let at = time.as_deref().and_then(|time| DateTime::parse_from_rfc3339(time).ok());
        self.current.clone_from(&id);
        self.finished = tag.local() == b"finished";
        if tag.local() != b"started" {
            if self.finished {
                self.finish(at, &id, tally);
            }
            return Ok(());
        }
        if self.started.contains_key(&id) {
            return Err(Refusal::new(format!("the test with the id {} is started twice", quoted(&id))));
        }
        if self.started.len() == OPEN_LIMIT {
            return Err(Refusal::new(format!("more than {OPEN_LIMIT} tests are started and not finished")));
        }
        if tally.timestamp.is_none() {
            tally.timestamp = time.map(|time| kept(time.as_bytes()));
        }
        let parent = tag.attribute(b"parentId").map(|id| kept(id.as_bytes()));
        let mut suite = String::new();
        if let Some(above) = parent.as_ref().and_then(|parent| self.started.get_mut(parent)) {
            above.node.children = true;
            suite.clone_from(&above.node.name);
        }
        self.started.insert(id, Started { node: Node::new(tag), suite, parent, at });
        Ok(())
    }

    fn finish(&mut self, at: Option<DateTime<FixedOffset>>, id: &str, tally: &mut Tally) {
        match self.started.get_mut(id) {
            Some(started) => {
                if let (Some(from), Some(to)) = (started.at, at) {
                    let length = (to - from).to_std().map(|length| length.as_secs_f64());
                    started.node.time = length.map_or_else(|_| Time::Unreadable(to.to_rfc3339()), Time::Seconds);
                }
            }
            None => {
                tally.warn(|| format!("the test with the id {} is finished and was never started", quoted(id)));
                self.started.insert(id.to_owned(), Started::default());
            }
        }
    }

    /// The node whose event is read.
    pub(super) fn current(&mut self) -> Option<&mut Node> {
        self.started.get_mut(&self.current).map(|started| &mut started.node)
    }

    /// The event ends.
    pub(super) fn close(&mut self, tally: &mut Tally) {
        if !self.finished {
            return;
        }
        if let Some(Started { node, suite, .. }) = self.started.remove(&self.current) {
            node.count(suite.as_bytes(), tally);
        }
    }

    /// The report ends. What is still open did not come to its end: the innermost of it is where it stopped.
    pub(super) fn end(self, tally: &mut Tally) {
        let above: HashSet<_> = self.started.values().filter_map(|started| started.parent.clone()).collect();
        let mut open: Vec<_> = self.started.into_iter().filter(|(id, _)| !above.contains(id)).collect();
        open.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, started) in open {
            let name = started.node.name.clone();
            tally.warn(|| format!("test {} was started and never finished: counted as errored", quoted(&name)));
            started.node.stops(started.suite.as_bytes(), tally);
        }
    }
}
