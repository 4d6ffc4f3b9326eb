//! Reports, and the commands that wrote them.

use super::joining::Joining;
use crate::gather::report::{Opened, Reports, open};
use crate::gather::{Progress, files};
use crate::record::parts_v1::{How, Provenance};
use crate::record::run_v1::TestCommand;
use crate::record::test_run_v1::{TestRun, Verdict};

/// Sentences that are spelled out in `completeness`; the others are counted.
const SAID: usize = 20;

pub(super) fn tests(j: &mut Joining, progress: &mut Progress) -> Vec<TestRun> {
    let mut reports = Reports::default();
    let (mut missing, mut archives) = (Vec::new(), Vec::new());
    match files::expand(&j.ask.dir, &j.ask.reports) {
        Ok(expanded) => {
            for (n, (path, shown)) in expanded.files.iter().enumerate() {
                if reports.is_full() {
                    reports.leave_out(shown, (expanded.files.len() - n) as u64);
                    break;
                }
                if let Opened::Archive(archive) = open(path, shown, &j.ask.report, true, &mut reports, progress)
                    && let Some(sha256) = archive.sha256
                {
                    archives.push(format!("{} sha256:{sha256}", archive.file));
                }
            }
            missing.extend(expanded.unmatched.iter().map(|p| format!("--report `{p}` matched no file")));
            missing.extend(expanded.problems);
        }
        Err(e) => missing.push(format!("--report: {e:#}")),
    }
    let (tests, cut) = reports.finish();
    let refused = tests.iter().filter(|t| t.verdict == Verdict::Refused).map(|t| {
        let why = t.error.as_deref().unwrap_or("it cannot be read");
        format!("report `{}` was refused: {why}", t.file)
    });
    missing.splice(0..0, refused);
    j.unreadable.extend(missing.iter().cloned());
    if tests.is_empty() && missing.is_empty() {
        missing.push("no report was named; say --report".into());
    }
    let left = missing.len().saturating_sub(SAID);
    missing.truncate(SAID);
    if left > 0 {
        missing.push(format!("and {left} more; the reports say why"));
    }
    if cut > 0 {
        let what = format!("{cut} reports name fewer of their failing tests than they hold, and count the others");
        j.warnings.push(format!("{what}: a record has no more room"));
        missing.push(what);
    }
    if !tests.is_empty() {
        j.learned("tests", How::File, "--report");
    }
    // reports out of an archive have digests of their own; this is what they were taken from
    let taken = |source| Provenance { fact: "tests".into(), how: How::File, source: Some(source) };
    j.provenance.extend(archives.into_iter().map(taken));
    j.section("tests", missing, tests.is_empty());
    tests
}

/// What the commands ended with, and what that makes of their reports: a report may be silent about a suite that did not
/// load, the exit code is not. It never makes a verdict better.
pub(super) fn commands(j: &mut Joining, tests: &mut [TestRun]) -> Vec<TestCommand> {
    let mut commands = Vec::new();
    for told in &j.ask.test_exits {
        let mut reports = Vec::new();
        for test in tests.iter_mut().filter(|t| told.pick.holds(&t.file)) {
            reports.push(test.file.clone());
            ended(test, &told.name, told.code);
        }
        if reports.is_empty() && told.code != 0 {
            let (name, code) = (&told.name, told.code);
            j.warnings
                .push(format!("--test-exit `{name}` is of no report here: its code {code} counts as failed tests"));
        }
        commands.push(TestCommand { name: told.name.clone(), exit_code: told.code, reports });
    }
    if !commands.is_empty() {
        j.told("testCommands", "test-exit");
    }
    commands
}

fn ended(test: &mut TestRun, name: &str, code: i32) {
    let first = test.exit_code.is_none();
    let contradicts = match test.verdict {
        Verdict::Passed | Verdict::Empty => code != 0,
        Verdict::Failed => code == 0 && first,
        Verdict::Refused => false,
    };
    if contradicts {
        let says = test.verdict.as_str();
        test.warnings.push(format!("its command `{name}` ended with {code}, the report says {says}"));
    }
    if code != 0 && test.verdict != Verdict::Refused {
        test.verdict = Verdict::Failed;
    }
    // of several commands the one that failed
    if test.exit_code.is_none_or(|known| known == 0) {
        test.exit_code = Some(code);
    }
}
