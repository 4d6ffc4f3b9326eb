//! `go test -json`, by `go doc test2json` and `go help buildjson`.
//!
//! Parents and subtests are told alike, and each counts. Times are those of the packages: a parent's holds its
//! subtests'. What is printed is not read, but a plain line `FAIL` between the events is (before Go 1.24, a build that
//! fails leaves nothing else).

use super::events::{self, Event, Events, Name, Strangers, Value};
use super::input::Input;
use super::name::{AsItIs, digest64, kept};
use super::outcome::Outcome;
use super::refusal::{Place, Refusal, quoted};
use super::runs::{Runs, Test};
use super::tally::{IDENTITY_LIMIT, Tally};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::BuildHasherDefault;

/// Packages that are open at once, or of which something is wrong, by name.
const PACKAGE_LIMIT: usize = 2_000;

const NAMES: [Name; 7] = [
    ("", "Time"),
    ("", "Action"),
    ("", "Package"),
    ("", "Test"),
    ("", "Elapsed"),
    ("", "ImportPath"),
    ("", "FailedBuild"),
];

/// What may stand in `Action`.
const ACTIONS: [&str; 13] = [
    "start",
    "run",
    "pause",
    "cont",
    "output",
    "bench",
    "pass",
    "fail",
    "skip",
    "attr",
    "artifacts",
    "build-output",
    "build-fail",
];

/// Whether there is an event of `go test` among the first lines.
pub(crate) fn recognises(head: &[u8]) -> bool {
    events::recognises(head, &NAMES, |[_, action, package, test, _, import, _]| {
        let place = [package, test, import].iter().any(|member| **member != Value::Absent);
        ACTIONS.contains(&action.text()) && (place || ["start", "pass", "fail"].contains(&action.text()))
    })
}

/// Reads a whole report into `tally`.
pub(crate) fn read(input: &mut Input<'_>, tally: &mut Tally) -> Result<(), Refusal> {
    let mut events = Events::open(input)?;
    let mut reading = Reading::default();
    while let Some((line, event)) = events.next(&NAMES)? {
        match event {
            Event::Object([_, Value::Absent, ..]) => reading.strangers.add(line),
            Event::Object(members) => reading.event(&members, tally).map_err(|r| r.at(Place { line, column: 1 }))?,
            Event::Output(text) => reading.output(text, line, tally),
        }
    }
    reading.finish(tally);
    Ok(())
}

#[derive(Default)]
struct Reading {
    runs: Runs,
    /// Packages that have begun and not ended.
    open: HashMap<u64, Package>,
    begun: u64,
    ended: HashSet<u64, BuildHasherDefault<AsItIs>>,
    /// Packages that failed by their tests when they ended last.
    failed: Names,
    /// Packages that failed by themselves, once: nobody runs them again for it.
    broken: Names,
    /// What could not be built, by import path, as long as no package says that it failed of it.
    unbuilt: Names,
    /// What a plain line says of a package.
    plain: Names,
    /// The package of the last event.
    last: (String, u64),
    strangers: Strangers,
}

/// A package that is open.
struct Package {
    at: u64,
    name: String,
    failures: u64,
}

/// Names, a limited number of them; the others are counted.
#[derive(Default)]
struct Names {
    known: BTreeSet<String>,
    omitted: u64,
}

impl Names {
    fn add(&mut self, name: &str) {
        let name = kept(name.as_bytes());
        if self.known.len() < PACKAGE_LIMIT || self.known.contains(&name) {
            self.known.insert(name);
        } else {
            self.omitted += 1;
        }
    }

    fn remove(&mut self, name: &str) -> bool {
        self.known.remove(&kept(name.as_bytes()))
    }
}

impl Reading {
    fn event(&mut self, members: &[Value<'_>; 7], tally: &mut Tally) -> Result<(), Refusal> {
        let [time, action, package, test, elapsed, import, build] = members;
        for (value, (_, name)) in members.iter().zip(&NAMES).filter(|(_, (_, name))| *name != "Elapsed") {
            if !matches!(value, Value::Absent | Value::Text(_)) {
                return Err(Refusal::new(format!("an event whose `{name}` is no string")));
            }
        }
        if tally.timestamp.is_none() && *time != Value::Absent {
            tally.timestamp = Some(kept(time.text().as_bytes()));
        }
        match action.text() {
            "build-output" => return Ok(()),
            "build-fail" => {
                self.unbuilt.add(import.text());
                return Ok(());
            }
            _ => {}
        }
        let group = self.group(package.text());
        if *test == Value::Absent {
            return self.of_package(group, action.text(), package.text(), elapsed, build.text(), tally);
        }
        self.begin(group, package.text(), action.text() == "run")?;
        let test =
            Test { group, test: digest64(group, test.text().as_bytes()), suite: package.text(), name: test.text() };
        match action.text() {
            "run" => self.runs.begin(test)?,
            "pass" | "bench" => self.runs.end(test, Outcome::Passed, false),
            "skip" => self.runs.end(test, Outcome::Skipped, false),
            "fail" => {
                if let Some(package) = self.open.get_mut(&group) {
                    package.failures += 1;
                }
                self.runs.end(test, Outcome::Failed, false);
            }
            // not known to end a test, so one that ends so has failed
            action if !ACTIONS.contains(&action) => tally.warn(|| format!("the action {} is unknown", quoted(action))),
            _ => {}
        }
        Ok(())
    }

    fn group(&mut self, package: &str) -> u64 {
        if self.last.0 != package || self.last.1 == 0 {
            self.last = (package.to_owned(), digest64(1, package.as_bytes()) | 1);
        }
        self.last.1
    }

    /// A package has begun, if it is not open. What is printed after its end does not begin it `anew`.
    fn begin(&mut self, group: u64, name: &str, anew: bool) -> Result<(), Refusal> {
        if self.open.contains_key(&group) || (!anew && self.ended.contains(&group)) {
            return Ok(());
        }
        if self.open.len() == PACKAGE_LIMIT {
            let what =
                format!("more than {PACKAGE_LIMIT} packages are open at once, which is the most that is followed");
            return Err(Refusal::new(what).help("Split the report"));
        }
        self.begun += 1;
        self.open.insert(group, Package { at: self.begun, name: kept(name.as_bytes()), failures: 0 });
        Ok(())
    }

    fn of_package(
        &mut self,
        group: u64,
        action: &str,
        name: &str,
        elapsed: &Value<'_>,
        build: &str,
        tally: &mut Tally,
    ) -> Result<(), Refusal> {
        if !matches!(action, "pass" | "fail" | "skip") {
            return self.begin(group, name, action == "start");
        }
        // a benchmark that logs nothing has no end of its own: it ran, or its package would have failed
        let ends: fn(&str) -> bool = if action == "pass" { |name| name.starts_with("Benchmark") } else { |_| false };
        let failures = self.runs.close(group, ends) + self.open.remove(&group).map_or(0, |package| package.failures);
        if self.ended.len() < IDENTITY_LIMIT {
            self.ended.insert(group);
        }
        tally.time(&elapsed.time(1.0), action != "skip");
        match action {
            "fail" if failures == 0 => {
                self.broken.add(name);
                self.unbuilt.remove(build);
            }
            "fail" => self.failed.add(name),
            _ => {
                self.failed.remove(name);
            }
        }
        Ok(())
    }

    /// A line that is no event. `FAIL` alone is the last line of a whole run.
    fn output(&mut self, text: &[u8], line: u64, tally: &mut Tally) {
        let text = String::from_utf8_lossy(text);
        let mut words = text.split_whitespace();
        match words.next() {
            Some("FAIL") => match words.next() {
                Some(package) => self.plain.add(package),
                None => tally.fault(|| format!("line {line} says `FAIL`, between the events")),
            },
            _ => self.strangers.add(line),
        }
    }

    fn finish(mut self, tally: &mut Tally) {
        let mut open: Vec<_> = self.open.into_values().collect();
        open.sort_unstable_by_key(|package| package.at);
        self.runs.finish(tally);
        for package in open {
            let why = || format!("package {} has begun and not ended: the report is cut", quoted(&package.name));
            tally.broken_because(&package.name, Outcome::Errored, why);
        }
        for name in &self.broken.known {
            self.plain.known.remove(name);
            let why = || format!("package {} failed, and none of its tests did", quoted(name));
            tally.broken_because(name, Outcome::Errored, why);
        }
        for name in &self.unbuilt.known {
            tally.broken_because(name, Outcome::Errored, || format!("{} could not be built", quoted(name)));
        }
        for name in self.plain.known.difference(&self.failed.known) {
            let why = || format!("a plain line says that package {} failed", quoted(name));
            tally.broken_because(name, Outcome::Errored, why);
        }
        if tally.counts.failed + tally.counts.errored == 0 {
            for name in &self.failed.known {
                let why = || format!("package {} failed in the end, though its tests passed in theirs", quoted(name));
                tally.broken_because(name, Outcome::Failed, why);
            }
        }
        let more =
            [&self.failed, &self.broken, &self.unbuilt, &self.plain].iter().map(|names| names.omitted).sum::<u64>();
        if more > 0 {
            tally.fault(|| format!("and {more} more packages that failed"));
        }
        self.strangers.finish(tally);
    }
}
