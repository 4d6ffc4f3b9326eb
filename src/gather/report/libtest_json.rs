//! The JSON of Rust's libtest (`cargo test -- -Zunstable-options --format json`) and of cargo-nextest, which follows it.
//!
//! A suite is a test binary. libtest's come one after another, and a test that did not end before its suite has
//! failed. nextest's may be told side by side, and one with ignored tests ends twice (0.9.148), so a test there is told
//! by its name, `crate::binary$test`, and may end until the file does. `#2` at the end of a name is a second try.

use super::events::{self, Event, Events, Name, Strangers, Value};
use super::input::Input;
use super::name::{digest64, kept};
use super::outcome::{NUMBER_LIMIT, Outcome};
use super::refusal::{Place, Refusal, quoted};
use super::runs::{Runs, Test};
use super::tally::Tally;

/// Suites that are open at once.
const SUITE_LIMIT: usize = 2_000;

const NAMES: [Name; 11] = [
    ("", "type"),
    ("", "event"),
    ("", "name"),
    ("", "test_count"),
    ("", "passed"),
    ("", "failed"),
    ("", "ignored"),
    ("", "measured"),
    ("", "exec_time"),
    ("nextest", "crate"),
    ("nextest", "test_binary"),
];

/// What cargo says when something could not be built or run, where its words are in the same file.
const CARGO: [&str; 4] =
    ["error: could not compile", "error: test failed", "error: doctest failed", "error: build failed"];

/// Whether there is an event of libtest among the first lines.
pub(crate) fn recognises(head: &[u8]) -> bool {
    events::recognises(head, &NAMES, |[kind, event, ..]| {
        matches!(kind.text(), "suite" | "test" | "bench")
            && matches!(event.text(), "started" | "ok" | "failed" | "ignored" | "timeout" | "discovered")
            || kind.text() == "bench" && *event == Value::Absent
    })
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut events = Events::open(input)?;
    let mut reading = Reading::default();
    while let Some((line, event)) = events.next(&NAMES)? {
        match event {
            Event::Object(members) => {
                reading.event(&members, line, tally).map_err(|r| r.at(Place { line, column: 1 }))?
            }
            Event::Output(text) => reading.output(text, line, tally),
        }
    }
    reading.finish(tally);
    Ok(())
}

#[derive(Default)]
struct Reading {
    runs: Runs,
    open: Vec<Suite>,
    begun: u64,
    strangers: Strangers,
}

/// A suite that is open, and what was found in it.
#[derive(Default)]
struct Suite {
    /// Which one it is; its tests' group where they have no longer names.
    number: u64,
    /// `crate::binary`, where it is told.
    name: String,
    tests: Option<u64>,
    /// Its tests have long names.
    nextest: bool,
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Reading {
    fn event(&mut self, members: &[Value<'_>; 11], line: u64, tally: &mut Tally) -> Result<(), Refusal> {
        let [kind, event, name, tests, ..] = members;
        match (kind.text(), event.text()) {
            ("suite", "started") => self.open_suite(members, tests.whole()),
            ("suite", "discovery" | "completed") => Ok(()),
            ("suite", _) => {
                self.close_suite(members, tally);
                Ok(())
            }
            ("test", event) => self.test(event, name, tally),
            ("bench", _) => self.test("ok", name, tally),
            // the time that a doctest took to build
            ("report", _) => Ok(()),
            _ => {
                self.strangers.add(line);
                Ok(())
            }
        }
    }

    fn open_suite(&mut self, members: &[Value<'_>; 11], tests: Option<u64>) -> Result<(), Refusal> {
        if self.open.len() == SUITE_LIMIT {
            return Err(Refusal::new(format!(
                "more than {SUITE_LIMIT} suites are open at once, which is the most that is followed"
            )));
        }
        self.begun += 1;
        self.open.push(Suite { number: self.begun, name: suite_name(members), tests, ..Suite::default() });
        Ok(())
    }

    fn close_suite(&mut self, members: &[Value<'_>; 11], tally: &mut Tally) {
        let [_, event, _, _, passed, failed, ignored, measured, time, ..] = members;
        let name = suite_name(members);
        let Some(at) = self.open.iter().rposition(|suite| suite.name == name) else {
            return tally
                .fault(|| format!("{} ends and has not begun: the beginning of the report is missing", title(&name)));
        };
        let mut suite = self.open.remove(at);
        suite.failed += self.runs.close(suite.number, |_| false);
        tally.time(&time.time(1.0), true);
        let mut declare = |what: &str, value: &Value<'_>, shown: u64| {
            let claimed = value.whole().map(|n| n.min(NUMBER_LIMIT));
            match claimed {
                Some(n) if n != shown => tally.warn(|| format!("{} declares {what}={n}; found {shown}", title(&name))),
                None => tally.warn(|| format!("{}: the number of {what} cannot be read", title(&name))),
                _ => {}
            }
            claimed.unwrap_or(0)
        };
        let failures = declare("failed", failed, suite.failed);
        let passes = passed.whole().unwrap_or(0).min(NUMBER_LIMIT) + measured.whole().unwrap_or(0).min(NUMBER_LIMIT);
        declare("passed", &Value::Whole(passes), suite.passed);
        // nextest counts its ignored tests anew whenever their suite ends
        let skips = if suite.nextest { suite.ignored } else { declare("ignored", ignored, suite.ignored) };
        match suite.tests {
            Some(n) if n != passes + failures + skips && !suite.nextest => {
                tally.warn(|| {
                    format!("{} began with {n} tests and ended with {}", title(&name), passes + failures + skips)
                });
            }
            _ => {}
        }
        add(&mut tally.declared.failed, failures);
        add(&mut tally.declared.skipped, skips);
        add(&mut tally.declared.total, passes + failures + skips);
        if failures > suite.failed {
            tally.understates(&title(&name), failures - suite.failed);
        }
        match event.text() {
            "ok" => {}
            "failed" if failures > 0 || suite.failed > 0 => {}
            "failed" => tally.broken(&name, Outcome::Failed),
            word => {
                let why =
                    || format!("{} ends with {}, which is unknown: counted as errored", title(&name), quoted(word));
                tally.broken_because(&name, Outcome::Errored, why);
            }
        }
    }

    fn test(&mut self, event: &str, name: &Value<'_>, tally: &mut Tally) -> Result<(), Refusal> {
        let Value::Text(name) = name else { return Err(Refusal::new("a test without a name")) };
        let (name, tries) = tries(name);
        let long = name.split_once('$');
        let prefix = long.map_or("", |(suite, _)| suite);
        let binary = prefix.split('@').next().unwrap_or_default();
        let at = self.open.iter().rposition(|suite| suite.name.is_empty() || suite.name == binary);
        let suite = match at {
            Some(at) => &mut self.open[at],
            None => {
                self.begun += 1;
                self.open.push(Suite { number: self.begun, name: binary.to_owned(), ..Suite::default() });
                let last = self.open.len() - 1;
                &mut self.open[last]
            }
        };
        suite.nextest |= long.is_some();
        // 0 is the group of all tests with long names
        let group = if long.is_some() { 0 } else { suite.number };
        let test = digest64(group, name.as_bytes());
        let (suite_name, short) = long.unwrap_or(("", name));
        let test = Test {
            group,
            test,
            suite: if group == 0 { "" } else { suite_name },
            name: if group == 0 { name } else { short },
        };
        let outcome = match event {
            "started" => return self.runs.begin(test),
            // it takes longer than a minute, and will end yet
            "timeout" => {
                tally.warn(|| format!("test {} took very long", quoted(name)));
                return Ok(());
            }
            "ok" => Outcome::Passed,
            "failed" => Outcome::Failed,
            "ignored" => Outcome::Skipped,
            "allowed_failure" => {
                tally.warn(|| format!("test {} fails and is allowed to: counted as skipped", quoted(name)));
                Outcome::Skipped
            }
            word => {
                tally.warn(|| format!("the outcome word {} is unknown", quoted(word)));
                Outcome::Errored
            }
        };
        match outcome {
            Outcome::Passed => suite.passed += 1,
            Outcome::Skipped => suite.ignored += 1,
            _ => suite.failed += 1,
        }
        self.runs.end(test, outcome, tries > 1);
        Ok(())
    }

    /// A line that is no event: what a test printed, or cargo's own word.
    fn output(&mut self, text: &[u8], line: u64, tally: &mut Tally) {
        let text = String::from_utf8_lossy(text);
        match CARGO.iter().any(|word| text.starts_with(word)) {
            true => tally.fault(|| format!("line {line} is cargo's: {}", quoted(&text))),
            false => self.strangers.add(line),
        }
    }

    fn finish(self, tally: &mut Tally) {
        self.runs.finish(tally);
        for suite in self.open {
            let why =
                || format!("{} has begun and not ended: the report is cut, or the tests crashed", title(&suite.name));
            tally.broken_because(&suite.name, Outcome::Errored, why);
        }
        self.strangers.finish(tally);
    }
}

fn suite_name(members: &[Value<'_>; 11]) -> String {
    let [.., package, binary] = members;
    match (package, binary) {
        (Value::Text(package), Value::Text(binary)) => kept(format!("{package}::{binary}").as_bytes()),
        _ => String::new(),
    }
}

fn title(name: &str) -> String {
    if name.is_empty() { "a suite".into() } else { format!("suite {}", quoted(name)) }
}

/// Takes nextest's `#2` off a long name.
fn tries(name: &str) -> (&str, u64) {
    match name.rsplit_once('#') {
        Some((long, tries)) if long.contains('$') => tries.parse().map_or((name, 1), |tries| (long, tries)),
        _ => (name, 1),
    }
}

fn add(sum: &mut Option<u64>, n: u64) {
    *sum = Some((sum.unwrap_or(0) + n).min(NUMBER_LIMIT));
}
