//! TAP, the Test Anything Protocol, versions 12 to 14, by `testanything.org` and what tools write.
//!
//! The points of the outermost document are the test cases; a subtest's count by the point that stands for it. What is
//! not TAP is output of the tests and is passed over. Stricter than the specification in one thing: a stream whose last
//! comments say that something failed has failed.

mod document;
mod line;

use super::input::Input;
use super::lines::{self, Lines};
use super::name::kept;
use super::outcome::{NUMBER_LIMIT, Number, Outcome, Time};
use super::refusal::{Place, Refusal};
use super::tally::{Case, Tally};
use document::Document;
use line::{Directive, Point, Said, said};

/// How deep subtests may be nested.
const DEPTH_LIMIT: usize = 64;

/// Whether there is a version, a plan, a numbered point or a bail-out among the first lines, at their beginning.
pub(crate) fn recognises(head: &[u8]) -> bool {
    lines::preview(head).lines().any(|line| match said(line.as_bytes()) {
        Said::Version | Said::BailOut => true,
        Said::Plan { first, .. } => first <= 1,
        Said::Point(point) => point.id.is_some(),
        _ => false,
    })
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut lines = Lines::open(input)?;
    let mut reading = Reading::new(tally);
    while lines.advance()? {
        let place = Place { line: lines.number(), column: 1 };
        reading.line(lines.text(), place.line).map_err(|refusal| refusal.at(place))?;
    }
    reading.finish(lines.number(), lines.unended());
    Ok(())
}

struct Reading<'t> {
    tally: &'t mut Tally,
    /// The stream, the subtest that is open in it, and so on. Never empty.
    documents: Vec<Document>,
    /// The indentation of the YAML block that is open, and whether it belongs to an outermost point.
    yaml: Option<(Vec<u8>, bool)>,
    /// The time of the last outermost point, and whether it should have one.
    time: Option<(Time, bool)>,
    bailed_out: bool,
    /// Lines that are not TAP, and the first of them.
    strangers: (u64, u64),
    todo_failed: u64,
    todo_passed: u64,
    skipped_not_ok: u64,
    /// What a comment says of how many failed.
    failures: Option<u64>,
}

impl<'t> Reading<'t> {
    fn new(tally: &'t mut Tally) -> Self {
        Self {
            tally,
            documents: vec![Document::default()],
            yaml: None,
            time: None,
            bailed_out: false,
            strangers: (0, 0),
            todo_failed: 0,
            todo_passed: 0,
            skipped_not_ok: 0,
            failures: None,
        }
    }

    fn line(&mut self, text: &[u8], line: u64) -> Result<(), Refusal> {
        if self.bailed_out || text.is_empty() || self.inside_yaml(text, line) {
            return Ok(());
        }
        let (mut depth, mut rest) = (0, text);
        loop {
            while depth + 1 < self.documents.len() && rest.starts_with(b"    ") {
                (depth, rest) = (depth + 1, &rest[4..]);
            }
            let inner = rest.trim_ascii_start();
            let indent = &rest[..rest.len() - inner.len()];
            if indent.is_empty() || inner.is_empty() {
                return self.unindented(depth, rest.trim_ascii_end(), line);
            }
            let document = &mut self.documents[depth];
            if document.waiting && inner.trim_ascii_end() == b"---" {
                self.yaml = Some((text[..text.len() - inner.len()].to_owned(), depth == 0));
                return Ok(());
            }
            let level = indent.len() % 4 == 0 && indent.iter().all(|&b| b == b' ');
            let tap = || level && !matches!(said(inner), Said::Comment(_) | Said::Other);
            if !indent.starts_with(b"    ") || !(document.announced || document.opens || tap()) {
                if !inner.starts_with(b"#") {
                    self.stranger(depth, line);
                }
                return Ok(());
            }
            let inside = document.begin();
            self.documents.push(inside);
            if self.documents.len() > DEPTH_LIMIT {
                return Err(Refusal::new(format!("subtests are nested more than {DEPTH_LIMIT} deep")));
            }
        }
    }

    /// Whether a line belongs to a YAML block.
    fn inside_yaml(&mut self, text: &[u8], line: u64) -> bool {
        let Some((indent, outermost)) = &self.yaml else { return false };
        match text.strip_prefix(&indent[..]) {
            Some(b"...") => self.yaml = None,
            Some(rest) => {
                let duration = rest.strip_prefix(b"duration_ms:").filter(|_| *outermost);
                if let (Some(milliseconds), Some((time, _))) = (duration, &mut self.time) {
                    *time = line::milliseconds(milliseconds.trim_ascii());
                }
            }
            None if text.trim_ascii().is_empty() => {}
            None => {
                // it was none
                self.yaml = None;
                self.stranger(0, line);
                return false;
            }
        }
        true
    }

    /// A line of the document at `depth`, without its indentation.
    fn unindented(&mut self, depth: usize, text: &[u8], line: u64) -> Result<(), Refusal> {
        let inside = self.documents.len() > depth + 1;
        let document = &mut self.documents[depth];
        match said(text) {
            Said::Point(point) => {
                let vouches = point.ok && point.directive.is_none();
                if self.close_inside(depth, line) && vouches {
                    self.documents[depth].fault("the test point is ok and its subtest failed", line);
                }
                self.documents[depth].point(&point, line);
                if depth == 0 {
                    self.count(&point);
                }
            }
            // between the beginning of a subtest and its point, nothing else is TAP
            Said::Plan { first, last } if !inside => {
                document.plan(first, last, line);
            }
            Said::Pragma { name, on } if !inside => {
                document.strict = if name == b"strict" { on } else { document.strict };
            }
            Said::BailOut => {
                self.bailed_out = true;
                self.documents[0].fault("Bail out! The tests were stopped", line);
            }
            Said::Subtest => document.announced = true,
            Said::Comment(comment) if depth == 0 => self.comment(comment),
            Said::Version | Said::Comment(_) => {}
            _ if text == b"}" && inside => {
                self.close_inside(depth, line);
            }
            // a brace behind the YAML block of its point
            _ if text == b"{" && document.waiting => document.opens = true,
            _ if text.is_empty() => {}
            _ if text.starts_with(b"Files=") && text.windows(8).any(|w| w == b", Tests=") => {
                let what = "this is what `prove` says of test files, not TAP";
                return Err(Refusal::new(what).help("Keep the TAP of each with `prove --archive`, or write JUnit XML"));
            }
            _ => self.stranger(depth, line),
        }
        Ok(())
    }

    /// A line that is not TAP.
    fn stranger(&mut self, depth: usize, line: u64) {
        if self.documents[depth].strict {
            self.documents[depth].fault("a line is not TAP, and `pragma +strict` forbids that", line);
        }
        self.strangers.0 += 1;
        if self.strangers.0 == 1 {
            self.strangers.1 = line;
        }
    }

    /// Ends the subtests inside the document at `depth`, and says whether the outermost of them failed.
    fn close_inside(&mut self, depth: usize, line: u64) -> bool {
        let mut bad = false;
        while self.documents.len() > depth + 1 {
            let Some(mut inside) = self.documents.pop() else { break };
            if bad {
                inside.fault("a subtest failed, and no test point stands for it", line);
            }
            inside.close(line);
            bad = inside.bad();
            if bad
                && inside.braced == Some(true)
                && let Some(above) = self.documents.last_mut()
            {
                above.fault("the test point is ok and its subtest failed", line);
            }
        }
        bad
    }

    /// Counts an outermost point.
    fn count(&mut self, point: &Point<'_>) {
        let outcome = match (point.ok, point.directive) {
            (true, None) => Outcome::Passed,
            (false, None) => Outcome::Failed,
            (ok, Some(Directive::Skip)) => {
                self.skipped_not_ok += u64::from(!ok);
                Outcome::Skipped
            }
            (true, Some(Directive::Todo)) => {
                self.todo_passed += 1;
                Outcome::Passed
            }
            (false, Some(Directive::Todo)) => {
                self.todo_failed += 1;
                Outcome::Skipped
            }
        };
        if outcome == Outcome::Failed {
            let description = line::unescaped(point.description);
            let name = match point.id {
                Some(id) if description.is_empty() => id.to_string(),
                None if description.is_empty() => (self.tally.counts.total + 1).to_string(),
                _ => kept(&description),
            };
            self.tally.count(&Case { outcome, flaky: false, suite: b"", class: b"", name: name.as_bytes() });
        } else {
            self.tally.count(&Case { outcome, flaky: false, suite: b"", class: b"", name: b"" });
        }
        self.end_time();
        self.time = Some((point.time.clone(), outcome != Outcome::Skipped));
    }

    fn end_time(&mut self) {
        if let Some((time, ran)) = self.time.take() {
            self.tally.time(&time, ran);
        }
    }

    /// What the last comments of tape, node and Test::More say.
    fn comment(&mut self, comment: &[u8]) {
        let text = String::from_utf8_lossy(comment);
        let mut words = text.split_ascii_whitespace();
        let failures = match (words.next(), words.next()) {
            (Some("fail"), Some(number)) if words.next().is_none() => number,
            (Some("failed"), Some(number)) if words.next() == Some("of") => number,
            (Some("Looks"), Some("like")) => match text.split_ascii_whitespace().skip(2).collect::<Vec<_>>()[..] {
                ["you", "failed", number, ..] | ["your", "test", "exited", "with", number, ..] => number,
                _ => return,
            },
            _ => return,
        };
        if let Number::Is(n) = Number::parse(failures) {
            self.failures = self.failures.max(Some(n));
        }
    }

    fn finish(mut self, line: u64, unended: bool) {
        self.end_time();
        if self.close_inside(0, line) {
            self.documents[0].fault("a subtest failed, and no test point stands for it", line);
        }
        let Self { tally, yaml, strangers, .. } = self;
        let Some(mut document) = self.documents.pop() else { return };
        if !self.bailed_out {
            document.close(line);
        }
        if yaml.is_some() {
            document.fault("the file ends inside a YAML block: it is cut", line);
        }
        tally.declared.total = document.planned().map(|n| n.min(NUMBER_LIMIT));
        tally.declared.failed = self.failures;
        document.faults().for_each(|what| tally.fault(|| what));
        let shown = tally.counts.failed + self.todo_failed;
        let missing = self.failures.unwrap_or(0).saturating_sub(shown);
        if missing > 0 && !document.bad() {
            tally.understates("a comment", missing);
        }
        let mut note = |n: u64, what: &str| {
            if n > 0 {
                tally.warn(|| format!("{n} {what}"));
            }
        };
        note(self.todo_failed, "test point(s) fail and are marked as TODO: counted as skipped");
        note(self.todo_passed, "test point(s) are marked as TODO and passed");
        note(self.skipped_not_ok, "test point(s) are not ok and marked as SKIP: counted as skipped");
        note(strangers.0, &format!("line(s) are not TAP and were passed over; the first is line {}", strangers.1));
        for (so, what) in [
            (document.unordered(), "test points stand in another order than that of their numbers"),
            (
                document.unchecked(),
                "the numbers of test points were not all looked for again: too many are out of order",
            ),
            (unended, "the last line has no end: perhaps the file is cut"),
        ] {
            if so {
                tally.warn(|| what.to_owned());
            }
        }
    }
}
