//! What the measured commands run on: a small repository, a key, reports and artifacts of any size.

use super::MB;
use super::measure::{timed, timed_output};
use anyhow::Result;
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_vouchsafe");

/// A small repository with one commit, a key and a small report, on the disk that holds `target/` (a tmpfs has no fsync).
pub(crate) struct Stage {
    pub(crate) root: PathBuf,
    repository: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) public: PathBuf,
    pub(crate) report: PathBuf,
    _keep: tempfile::TempDir,
}

impl Stage {
    pub(crate) fn new() -> Result<Self> {
        let keep = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let root = keep.path().to_owned();
        let repository = root.join("repository");
        commit_something(&repository)?;
        let (key, public, report) = (root.join("bench.key"), root.join("bench.pem"), root.join("small.xml"));
        write_junit(&report, 20_000)?;
        let stage = Self { root, repository, key, public, report, _keep: keep };
        timed(stage.vouchsafe().args(["key", "new", "--output"]).arg(&stage.key))?;
        let (_, told) =
            timed_output(stage.vouchsafe().args(["key", "show", "--pem", "--signing-key"]).arg(&stage.key))?;
        fs::write(&stage.public, told.stdout)?;
        Ok(stage)
    }

    /// The program in the small repository, with nothing of the caller's environment.
    pub(crate) fn vouchsafe(&self) -> Command {
        self.command(Path::new(BINARY))
    }

    pub(crate) fn attest(&self, vault: &Path, run: usize) -> Command {
        let mut command = self.vouchsafe();
        command.env("GITHUB_RUN_ID", (9_000_000 + run).to_string());
        command.args(["attest", "--environment", "bench", "--json", "--outcome", "succeeded", "--vault"]).arg(vault);
        command.arg("--signing-key").arg(&self.key);
        command
    }

    /// A vault of `records` records, one a run.
    pub(crate) fn fill(&self, vault: &Path, records: usize) -> Result<()> {
        (0..records).try_for_each(|n| timed(self.attest(vault, n).arg("--report").arg(&self.report)).map(|_| ()))
    }

    pub(crate) fn floor<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.command(&std::env::current_exe().unwrap_or_default());
        command.args(args);
        command
    }

    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.repository).env_clear().env("HOME", &self.root).env("GITHUB_ACTIONS", "true");
        command.env("GITHUB_RUN_ATTEMPT", "1").env("GITHUB_REPOSITORY", "example/bench").env("GITHUB_ACTOR", "bench");
        command
    }
}

/// Zeros, really written: a sparse file would be read without touching the page cache.
pub(crate) fn zeros(path: &Path, bytes: u64) -> Result<()> {
    std::io::copy(&mut std::io::repeat(0).take(bytes), &mut File::create(path)?)?;
    Ok(())
}

fn commit_something(at: &Path) -> Result<()> {
    let repository = git2::Repository::init(at)?;
    for n in 0..20 {
        fs::write(at.join(format!("file-{n}.txt")), format!("file {n}\n"))?;
    }
    let mut index = repository.index()?;
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None)?;
    index.write()?;
    let tree = repository.find_tree(index.write_tree()?)?;
    let who = git2::Signature::now("Bench", "bench@example.com")?;
    repository.commit(Some("HEAD"), &who, &who, "Add twenty files", &tree, &[])?;
    Ok(())
}

/// Writes suites of 1,000 cases, 20 of them failed with a stack, until `bytes` are reached: (bytes, cases).
pub(crate) fn write_junit(path: &Path, bytes: u64) -> Result<(u64, u64)> {
    let mut out = BufWriter::new(File::create(path)?);
    let (mut written, mut cases, mut suite) = (0_u64, 0_u64, 0_u64);
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let per_suite = if bytes < MB { 100 } else { 1000 };
    while written < bytes {
        text += &format!(
            "<testsuite name=\"com.example.Suite{suite}\" tests=\"{per_suite}\" failures=\"{}\" errors=\"0\" \
             skipped=\"0\" time=\"12.5\">\n",
            per_suite / 50
        );
        for case in 0..per_suite {
            text += &format!(
                "  <testcase classname=\"com.example.shop.Suite{suite}\" name=\"keeps the basket of visitor {case} &amp; \
                 its total\" time=\"0.0125\""
            );
            if case % 50 == 0 {
                text += "><failure message=\"expected: 3 but was: 4\" type=\"org.opentest4j.AssertionFailedError\">";
                for line in 0..12 {
                    text += &format!("\tat com.example.shop.Basket.total(Basket.java:{line}) &lt;generated&gt;\n");
                }
                text += "</failure></testcase>\n";
            } else {
                text += "/>\n";
            }
        }
        text += "</testsuite>\n";
        out.write_all(text.as_bytes())?;
        written += text.len() as u64;
        cases += per_suite;
        suite += 1;
        text.clear();
    }
    let end = "</testsuites>\n";
    out.write_all(end.as_bytes())?;
    out.flush()?;
    Ok((written + end.len() as u64, cases))
}
