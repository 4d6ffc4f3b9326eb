//! The XML of NUnit 3 and 4. A suite holds suites, also one for every test that has parameters.

use super::input::Input;
use super::name::kept;
use super::outcome::{Number, Outcome, Time};
use super::recognise::root_tag;
use super::refusal::{Refusal, quoted};
use super::suite::{Kind, Tree};
use super::tally::Tally;
use super::xml::{Elements, Tag, walk};
use crate::record::test_run_v1::ReportTool;

/// Whether the root element is that of NUnit 3: a run, or one suite of it as the framework alone writes it.
pub(crate) fn recognises(head: &[u8]) -> bool {
    root_tag(head).is_some_and(|(name, tag)| match name.as_str() {
        "test-run" => true,
        "test-suite" => tag.contains("result") || tag.contains("testcasecount"),
        _ => false,
    })
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    walk(input, &mut Reading { tree: Tree::new(tally), messages: 0, void: 0 })
}

/// What `result` and `label` mean together (NUnit, "Test Result XML Format"). Unity writes both, and the site, in one
/// word: `Failed:Error(Child)` (`ResultState.ToString`).
fn outcome(result: &str, label: &str) -> Option<Outcome> {
    let state = result.split('(').next().unwrap_or_default();
    let (status, own) = state.split_once(':').unwrap_or((state, ""));
    let label = if own.is_empty() { label } else { own };
    Some(match status.trim().to_ascii_lowercase().as_str() {
        "passed" | "warning" => Outcome::Passed,
        "skipped" | "inconclusive" => Outcome::Skipped,
        // it broke, or could not be run to its end; another label is a message (`Test exceeded Timeout value`)
        "failed" if ["error", "cancelled", "invalid"].contains(&label.trim().to_ascii_lowercase().as_str()) => {
            Outcome::Errored
        }
        "failed" => Outcome::Failed,
        _ => return None,
    })
}

/// A test or suite that could not be run at all, whatever is said of its result.
fn not_runnable(state: &str) -> Option<Outcome> {
    state.eq_ignore_ascii_case("NotRunnable").then_some(Outcome::Errored)
}

struct Reading<'t> {
    tree: Tree<'t>,
    /// How many messages the failure at hand has, and how many of them say nothing.
    messages: u64,
    void: u64,
}

impl Elements for Reading<'_> {
    fn tally(&mut self) -> &mut Tally {
        self.tree.tally
    }

    fn open(&mut self, tag: &Tag<'_>) -> Result<bool, Refusal> {
        let name = tag.local();
        if self.tree.at_root() {
            tag.must_be(&["test-run", "test-suite"], "NUnit 3")?;
        }
        let kind = match name {
            b"test-run" | b"test-suite" => self.open_suite(tag),
            b"test-case" => self.open_case(tag),
            b"failure" => self.open_failure(),
            b"message" if self.tree.parent() == Some(Kind::Failure) => {
                self.messages += 1;
                Kind::Message
            }
            b"environment" if self.tree.tally.tool.as_ref().is_none_or(|tool| tool.version.is_none()) => {
                self.tool(tag.attribute(b"framework-version").as_deref());
                Kind::Other
            }
            _ => Kind::Other,
        };
        self.tree.push(kind);
        Ok(kind == Kind::Message)
    }

    fn word(&mut self, word: &str) {
        self.void += u64::from(word.is_empty());
    }

    fn close(&mut self) -> Result<(), Refusal> {
        // pytest-nunit writes a failure into every case, with an empty message where there was none
        if let (Some(Kind::Failure), Some(row)) = (self.tree.pop(), self.tree.rows.last()) {
            row.failures -= u64::from(self.messages > 0 && self.messages == self.void);
        }
        Ok(())
    }
}

impl Reading<'_> {
    fn tool(&mut self, version: Option<&str>) {
        let version = version.map(|version| kept(version.as_bytes()));
        self.tree.tally.tool = Some(ReportTool { name: "NUnit".into(), version });
    }

    fn open_suite(&mut self, tag: &Tag<'_>) -> Kind {
        let (mut result, mut label, mut site, mut unfit) = (None, "".into(), "".into(), None);
        let suite = self.tree.suites.open();
        for (name, value) in tag.attributes() {
            let number = || Number::parse(&value.text());
            let claims = &mut suite.claims;
            match name {
                b"fullname" => value.name_into(&mut suite.name),
                b"name" if suite.name.is_empty() => value.name_into(&mut suite.name),
                b"total" => claims.total = number(),
                b"passed" | b"warnings" => claims.passed = claims.passed.plus(number()),
                b"failed" => claims.bad = number(),
                b"skipped" => claims.skipped = number(),
                b"inconclusive" => claims.disabled = number(),
                b"result" => result = Some(value.text()),
                b"label" => label = value.text(),
                b"site" => site = value.text(),
                b"runstate" => unfit = not_runnable(&value.text()),
                b"start-time" if self.tree.tally.timestamp.is_none() => {
                    self.tree.tally.timestamp = Some(kept(&value.bytes()));
                }
                _ => {}
            }
        }
        // a suite need not say how it ended; what it says and nobody understands is not good
        suite.stated = result.as_deref().map(|word| outcome(word, &label).unwrap_or(Outcome::Errored)).max(unfit);
        let bad = suite.stated.filter(|stated| *stated >= Outcome::Failed);
        self.tree.name_run();
        // by its children otherwise, or by the setup of a suite above
        if let (Some(bad), "setup" | "teardown") = (bad, site.to_ascii_lowercase().as_str()) {
            self.tree.suites.broken(bad, self.tree.tally);
        }
        Kind::Suite
    }

    /// A suite's failure is told by its result. One within another is counted, and never taken for void.
    fn open_failure(&mut self) -> Kind {
        let (Some(Kind::Test), Some(row)) = (self.tree.parent(), self.tree.rows.last()) else { return Kind::Other };
        row.failures += 1;
        if self.tree.inside(Kind::Failure) {
            return Kind::Other;
        }
        (self.messages, self.void) = (0, 0);
        Kind::Failure
    }

    fn open_case(&mut self, tag: &Tag<'_>) -> Kind {
        let row = self.tree.rows.push();
        row.reset();
        let (mut result, mut label, mut unfit) = (None, "".into(), None);
        for (name, value) in tag.attributes() {
            match name {
                b"name" => value.name_into(&mut row.name),
                b"classname" => value.name_into(&mut row.class),
                b"id" => value.name_into(&mut row.id),
                b"duration" => row.time = Time::parse(&value.bytes()),
                b"result" => result = Some(value.text()),
                b"label" => label = value.text(),
                b"runstate" => unfit = not_runnable(&value.text()),
                _ => {}
            }
        }
        if let Some(word) = result {
            let meaning = outcome(&word, &label);
            row.says(&word, meaning.max(meaning.and(unfit)), self.tree.tally);
            if word.eq_ignore_ascii_case("warning") {
                let name = String::from_utf8_lossy(&row.name);
                self.tree.tally.warn(|| format!("test case {} passed with a warning", quoted(&name)));
            }
        }
        Kind::Test
    }
}
