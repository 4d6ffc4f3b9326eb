//! TRX, the test results of Visual Studio, `dotnet test` and Microsoft.Testing.Platform.
//!
//! A data-driven test holds its rows: they are counted and it is not, though `Counters` counts both.

use super::input::Input;
use super::name::kept;
use super::outcome::{Number, Outcome, Time};
use super::recognise::xml_root;
use super::refusal::{Refusal, quoted};
use super::suite::{Pool, Row, Suites};
use super::tally::Tally;
use super::xml::{Elements, Tag, walk};

/// The namespaces of Visual Studio 2010 and later, and of 2008 and 2005.
const NAMESPACES: [&str; 2] = [
    "http://microsoft.com/schemas/VisualStudio/TeamTest/2010",
    "http://microsoft.com/schemas/VisualStudio/TeamTest/2006",
];

/// Whether the root element is that of TRX. CppUnit's is called the same: [`read`] tells them apart.
pub(crate) fn recognises(head: &[u8]) -> bool {
    xml_root(head).as_deref() == Some("TestRun")
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut reading =
        Reading { tally, open: Vec::new(), suites: Suites::default(), rows: Pool::default(), summary: false };
    walk(input, &mut reading)?;
    if !reading.summary {
        reading.tally.warn(|| "it has no `ResultSummary`: whether the run came to its end is not told".into());
    }
    Ok(())
}

/// What an outcome word means (`Microsoft.VisualStudio.TestTools.Common.TestOutcome`).
fn outcome(word: &str) -> Option<Outcome> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        // passed, with something to say
        "passed" | "warning" => Outcome::Passed,
        "failed" => Outcome::Failed,
        // `Completed`: it ran, and nobody judged it
        "notexecuted" | "inconclusive" | "pending" | "completed" => Outcome::Skipped,
        "error" | "timeout" | "aborted" | "notrunnable" | "disconnected" | "passedbutrunaborted" | "inprogress" => {
            Outcome::Errored
        }
        _ => return None,
    })
}

/// The same for the run as a whole, of which `Completed` is a good word, and one that has not ended a bad one.
fn run_outcome(word: &str) -> Outcome {
    match word.trim().to_ascii_lowercase().as_str() {
        "completed" => Outcome::Passed,
        "pending" => Outcome::Errored,
        word => outcome(word).unwrap_or(Outcome::Errored),
    }
}

/// What an open element is to us.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Result,
    Other,
}

struct Reading<'t> {
    tally: &'t mut Tally,
    open: Vec<Kind>,
    suites: Suites,
    rows: Pool<Row>,
    summary: bool,
}

impl Elements for Reading<'_> {
    fn tally(&mut self) -> &mut Tally {
        self.tally
    }

    fn open(&mut self, tag: &Tag<'_>) -> Result<bool, Refusal> {
        let mut kind = Kind::Other;
        match tag.local() {
            _ if self.open.is_empty() => self.open_run(tag)?,
            // the kinds of result that the schema knows (vstst.xsd, ResultsType)
            b"UnitTestResult"
            | b"TestResult"
            | b"TestResultAggregation"
            | b"GenericTestResult"
            | b"WebTestResult"
            | b"ManualTestResult"
            | b"LoadTestResult" => {
                kind = Kind::Result;
                self.open_result(tag);
            }
            b"ResultSummary" => {
                self.summary = true;
                // what is not written is the first value of the enumeration, which is `Error`
                self.run_says(&tag.attribute(b"outcome").unwrap_or("Error".into()));
            }
            b"RunInfo" => {
                if tag.attribute(b"outcome").is_some_and(|word| run_outcome(&word) >= Outcome::Failed) {
                    self.run_says("Error");
                }
            }
            b"Counters" => self.count(tag),
            b"Times" if self.tally.timestamp.is_none() => {
                self.tally.timestamp = tag.attribute(b"start").map(|start| kept(start.as_bytes()));
            }
            _ => {}
        }
        self.open.push(kind);
        Ok(false)
    }

    fn close(&mut self) -> Result<(), Refusal> {
        if self.open.pop() == Some(Kind::Result) {
            self.close_result();
        }
        if self.open.is_empty() {
            self.suites.close(self.tally);
        }
        Ok(())
    }
}

impl Reading<'_> {
    fn open_run(&mut self, tag: &Tag<'_>) -> Result<(), Refusal> {
        check_root(tag)?;
        let suite = self.suites.open();
        if let Some((_, name)) = tag.attributes().find(|(name, _)| *name == b"name") {
            name.name_into(&mut suite.name);
            self.tally.name = Some(suite.label().into_owned());
        }
        Ok(())
    }

    /// Notes what is said of the run as a whole: it counts where nothing that failed is shown.
    fn run_says(&mut self, word: &str) {
        if let Some(run) = self.suites.innermost() {
            run.stated = run.stated.max(Some(run_outcome(word)));
        }
    }

    fn count(&mut self, tag: &Tag<'_>) {
        let Some(run) = self.suites.innermost() else { return };
        let number = |names: &[&[u8]]| {
            let one = |name: &&[u8]| tag.attribute(name).map_or(Number::Absent, |text| Number::parse(&text));
            names.iter().map(one).fold(Number::Absent, Number::plus)
        };
        run.claims.total = number(&[b"total"]);
        run.claims.passed = number(&[b"passed", b"warning"]);
        // `failed` is all that did not pass to some loggers, and one of many kinds to others
        run.claims.bad = number(&[
            b"failed",
            b"error",
            b"timeout",
            b"aborted",
            b"passedButRunAborted",
            b"notRunnable",
            b"disconnected",
            b"inProgress",
        ]);
        run.claims.skipped = number(&[b"notExecuted", b"inconclusive", b"pending", b"completed"]);
    }

    fn open_result(&mut self, tag: &Tag<'_>) {
        let row = self.rows.push();
        row.reset();
        for (name, value) in tag.attributes() {
            match name {
                b"testName" => value.name_into(&mut row.name),
                b"testId" => value.name_into(&mut row.id),
                b"duration" => row.time = Time::clock(&value.bytes()),
                b"outcome" => {
                    let word = value.text();
                    row.says(&word, outcome(&word), self.tally);
                    if word == "Warning" {
                        self.tally.warn(|| format!("test case {} passed with a warning", quoted(&name_of(tag))));
                    }
                }
                _ => {}
            }
        }
    }

    fn close_result(&mut self) {
        let Some(row) = self.rows.pop() else { return };
        let bad = if row.rows == 0 {
            row.count(&mut self.suites, self.tally) >= Outcome::Failed
        } else {
            let outcome = row.outcome(self.tally);
            if let Some(run) = self.suites.innermost() {
                run.own.parent(outcome);
                if outcome >= Outcome::Failed && !row.bad_row {
                    run.own.broken();
                    self.tally.broken(&String::from_utf8_lossy(&row.name), outcome);
                }
            }
            outcome >= Outcome::Failed
        };
        if let Some(parent) = self.rows.last() {
            parent.rows += 1;
            parent.bad_row |= bad;
        }
    }
}

fn name_of(tag: &Tag<'_>) -> String {
    tag.attribute(b"testName").unwrap_or_default().into_owned()
}

fn check_root(tag: &Tag<'_>) -> Result<(), Refusal> {
    let name = String::from_utf8_lossy(tag.qualified());
    if tag.local() != b"TestRun" {
        return Err(Refusal::new(format!("its root element is {}, where TRX has `TestRun`", quoted(&name))));
    }
    match tag.namespace() {
        Some(uri) if NAMESPACES.contains(&&*uri) => Ok(()),
        Some(uri) => Err(Refusal::new(format!("its namespace is {}, which no version of TRX has", quoted(&uri)))
            .help("Check which format the tool writes")),
        None => Err(Refusal::new("its root is `TestRun` without the namespace of Visual Studio, so it is no TRX")
            .help("Check which format the tool writes; of CppUnit, convert it to JUnit XML")),
    }
}
