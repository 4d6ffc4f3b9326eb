//! Open Test Reporting XML of the JUnit Platform, PHPUnit and others, in both its shapes.
//!
//! Events: a test is started, and finished with its result; one that is never finished did not pass. Hierarchy: tests
//! stand in each other. What has nothing below it is a test, unless JUnit's `type` says that it is a container.

mod events;
mod node;

use super::input::Input;
use super::outcome::Outcome;
use super::recognise::xml_root;
use super::refusal::{Refusal, quoted};
use super::tally::Tally;
use super::xml::{Elements, Tag, walk};
use events::Events;
use node::Node;

const EVENTS: &str = "https://schemas.opentest4j.org/reporting/events/";
const HIERARCHY: &str = "https://schemas.opentest4j.org/reporting/hierarchy/";

/// Whether the root element is that of a report.
pub(crate) fn recognises(head: &[u8]) -> bool {
    matches!(xml_root(head).as_deref(), Some("events" | "execution"))
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut reading = Reading { tally, shape: Shape::Unknown, open: Vec::new() };
    walk(input, &mut reading)?;
    if let Shape::Events(events) = reading.shape {
        events.end(reading.tally);
    }
    Ok(())
}

/// What a status means. An assumption that does not hold aborts a test in JUnit: it did not run.
fn outcome(status: &str) -> Option<Outcome> {
    Some(match status.trim().to_ascii_lowercase().as_str() {
        "successful" => Outcome::Passed,
        "skipped" | "aborted" => Outcome::Skipped,
        "failed" => Outcome::Failed,
        "errored" => Outcome::Errored,
        _ => return None,
    })
}

/// Which of the two it is.
enum Shape {
    Unknown,
    Events(Events),
    /// The nodes that are open, one in the other.
    Hierarchy(Vec<Node>),
}

/// What an open element is to us.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Node,
    Type,
    Other,
}

struct Reading<'t> {
    tally: &'t mut Tally,
    shape: Shape,
    open: Vec<Kind>,
}

impl Elements for Reading<'_> {
    fn tally(&mut self) -> &mut Tally {
        self.tally
    }

    fn open(&mut self, tag: &Tag<'_>) -> Result<bool, Refusal> {
        let direct = self.open.len() == 1 || self.open.last() == Some(&Kind::Node);
        let name = tag.local();
        let mut kind = Kind::Other;
        match &mut self.shape {
            Shape::Unknown => self.shape = shape(tag)?,
            Shape::Events(events) if direct && matches!(name, b"started" | b"reported" | b"finished") => {
                events.open(tag, self.tally)?;
                kind = Kind::Node;
            }
            Shape::Hierarchy(nodes) if direct && matches!(name, b"root" | b"child") => {
                if let Some(parent) = nodes.last_mut() {
                    parent.children = true;
                }
                nodes.push(Node::new(tag));
                self.tally.timestamp = self.tally.timestamp.take().or_else(|| tag.attribute(b"start").map(Into::into));
                kind = Kind::Node;
            }
            shape if name == b"result" && direct => {
                if let Some(node) = shape.node() {
                    node.ends(&tag.attribute(b"status").unwrap_or_default(), self.tally);
                }
            }
            // <metadata><junit:type>
            _ if name == b"type" && self.open.iter().rev().nth(1) == Some(&Kind::Node) => kind = Kind::Type,
            _ => {}
        }
        self.open.push(kind);
        Ok(kind == Kind::Type)
    }

    fn word(&mut self, word: &str) {
        if let Some(node) = self.shape.node() {
            node.kind(word);
        }
    }

    fn close(&mut self) -> Result<(), Refusal> {
        match (self.open.pop(), &mut self.shape) {
            (Some(Kind::Node), Shape::Events(events)) => events.close(self.tally),
            (Some(Kind::Node), Shape::Hierarchy(nodes)) => {
                if let Some(node) = nodes.pop() {
                    let above = nodes.last().map(|above| above.name.clone()).unwrap_or_default();
                    node.count(above.as_bytes(), self.tally);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Shape {
    /// The node whose inside is read.
    fn node(&mut self) -> Option<&mut Node> {
        match self {
            Self::Unknown => None,
            Self::Events(events) => events.current(),
            Self::Hierarchy(nodes) => nodes.last_mut(),
        }
    }
}

/// Which shape the root element begins.
fn shape(tag: &Tag<'_>) -> Result<Shape, Refusal> {
    let uri = tag.namespace().unwrap_or_default();
    let version = |of: &str| uri.strip_prefix(of).map(str::to_owned);
    let (shape, version) = match tag.local() {
        b"events" => (Shape::Events(Events::default()), version(EVENTS)),
        b"execution" => (Shape::Hierarchy(Vec::new()), version(HIERARCHY)),
        _ => (Shape::Unknown, None),
    };
    match version.as_deref() {
        Some("0.1.0" | "0.2.0") => Ok(shape),
        Some(other) => {
            Err(Refusal::new(format!("it is Open Test Reporting {}, where 0.1.0 and 0.2.0 are read", quoted(other))))
        }
        None => {
            let name = String::from_utf8_lossy(tag.qualified());
            let what = format!("its root element {} is not in a namespace of Open Test Reporting", quoted(&name));
            Err(Refusal::new(what).help("Check which format the tool writes"))
        }
    }
}
