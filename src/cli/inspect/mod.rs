//! `vouchsafe inspect`: what would be read from these files.

mod answer;
mod other;
mod walk;

use super::exit::{Answer, Exit, Failure};
use super::world::World;
use super::{progress, words};
use crate::export::shown::{self, many};
use crate::gather::report::{self, Opened, Reports};
use crate::record::test_run_v1::Verdict;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Show what would be read from reports, records and keys
///
/// Nothing is trusted, stored or unpacked to the disk. A report's verdict is passed, failed, empty (no test ran) or
/// refused. A folder or an archive (zip, tar, gzip) is shown by the reports in it; an archive that is damaged, cut short,
/// encrypted or too large is refused as a whole.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe inspect reports/*.xml
  vouchsafe inspect target/surefire-reports test-artifacts.zip
  vouchsafe inspect --json record.json public.pem

Exit codes: 0 every file could be read · 1 at least one was refused, or a folder holds no report")]
pub(crate) struct Args {
    /// Files, folders, archives
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Take the files for reports of this format instead of recognising them; GLOB=NAME for some of them
    #[arg(long, value_name = "NAME", action = clap::ArgAction::Append)]
    report_format: Vec<String>,
    /// Least severity that fails a scan, where the scanner's own rule should not count
    #[arg(long, value_name = "WORD", value_parser = clap::builder::PossibleValuesParser::new(report::THRESHOLDS))]
    gate_threshold: Option<String>,
    /// Also list the files of a folder that are no report, and why not
    #[arg(long)]
    all: bool,
    /// One JSON object a file, in the order of the words; for a folder or an archive one for each report in it
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args) -> Answer {
    let ask = report::Ask::new(&args.report_format, args.gate_threshold.as_deref()).map_err(|e| {
        Failure::usage(format!("--report-format: {e}"), "say NAME for all files, or GLOB=NAME for some of them")
    })?;
    let mut inspecting = Inspecting { world, args, ask, exit: Exit::Done };
    for file in &args.files {
        inspecting.word(file)?;
    }
    Ok(inspecting.exit)
}

struct Inspecting<'a> {
    world: &'a mut World,
    args: &'a Args,
    ask: report::Ask,
    exit: Exit,
}

impl Inspecting<'_> {
    /// One word of the command line.
    fn word(&mut self, file: &Path) -> anyhow::Result<()> {
        let (path, name) = (self.world.at(file), file.display().to_string());
        if path.is_dir() {
            return self.folder(&path, &name);
        }
        let kind = if self.ask.forced.is_none() { other::kind(&path) } else { None };
        let answer = match kind {
            Some(other::Kind::Key) => other::key(&path, &name),
            Some(other::Kind::Record) => other::record(&path, &name),
            None => {
                if let (Opened::Archive(archive), _) = self.report(&path, &name, true)?
                    && archive.others > 0
                {
                    let (reports, others) = (many(archive.reports, "report", "reports"), archive.others);
                    self.say(&format!("{name}: {reports}; passed over: {}", many(others, "other file", "other files")));
                }
                return Ok(());
            }
        };
        if answer.get("error").is_some() {
            self.exit = Exit::Failed;
        }
        self.tell(&answer, || other::told(&answer))
    }

    /// Shows what is at `path`, and says how many reports that were.
    fn report(&mut self, path: &Path, name: &str, named: bool) -> anyhow::Result<(Opened, u64)> {
        let mut reports = Reports::default();
        let opened = {
            let world = &mut *self.world;
            let terminal = world.stderr_is_terminal;
            let mut shown = progress::Shown::new(&mut world.stderr, &world.now, terminal);
            let mut step = |what: &str, done: u64, of: Option<u64>| shown.step(what, done, of, progress::Unit::Bytes);
            report::open(path, name, &self.ask, named, &mut reports, &mut step)
        };
        let archive = match &opened {
            Opened::Archive(archive) => Some(archive),
            _ => None,
        };
        let (runs, _) = reports.finish();
        for run in &runs {
            if run.verdict == Verdict::Refused {
                self.exit = Exit::Failed;
            }
            self.tell(&answer::json(run, archive), || answer::told(run))?;
        }
        Ok((opened, runs.len() as u64))
    }

    fn folder(&mut self, root: &Path, name: &str) -> anyhow::Result<()> {
        let (files, over) = walk::files(root, name)?;
        let (mut reports, mut others) = (0, 0);
        for (path, shown) in &files {
            let (opened, n) = self.report(path, shown, false)?;
            reports += n;
            match opened {
                Opened::Other(why) => {
                    others += 1;
                    if self.args.all {
                        let answer = json!({"file": shown, "noReport": why});
                        self.tell(&answer, || shown::line(&format!("{shown}: no report: {why}")).into_owned())?;
                    }
                }
                Opened::Archive(archive) => others += archive.others,
                Opened::Report => {}
            }
        }
        if reports == 0 || !over.problems.is_empty() {
            self.exit = Exit::Failed;
        }
        words::warn(self.world, &over.problems);
        let mut passed = Vec::new();
        if others > 0 {
            let hint = if self.args.all { "" } else { " (--all lists them)" };
            passed.push(format!("{}{hint}", many(others, "other file", "other files")));
        }
        if over.hidden > 0 {
            passed.push(many(over.hidden, "hidden folder", "hidden folders"));
        }
        if over.links > 0 {
            passed.push(many(over.links, "link or special file", "links or special files"));
        }
        let passed = if passed.is_empty() { String::new() } else { format!("; passed over: {}", passed.join(", ")) };
        self.say(&format!("{name}: {}{passed}", many(reports, "report", "reports")));
        Ok(())
    }

    fn tell(&mut self, answer: &Value, told: impl FnOnce() -> String) -> anyhow::Result<()> {
        if self.args.json { words::json(self.world, answer) } else { words::writeln_quietly(self.world, &told()) }
    }

    fn say(&mut self, text: &str) {
        self.world.say(&shown::line(text));
    }
}
