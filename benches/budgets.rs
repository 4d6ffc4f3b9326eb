//! The performance budgets, each as a ratio to a floor measured in the same run: `cargo bench`, `cargo bench -- --big`.
//!
//! A floor is this binary called again with a hidden word, so that both sides pay for a process start.
//! Nothing here asserts a time: machines differ, ratios hardly do. It fails only when something could not be run.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is the result")]
#![allow(clippy::disallowed_methods, reason = "a bench is a process of its own: it has no `World`")]

use anyhow::{Context, Result, bail, ensure};
use ed25519_dalek::{Signer, SigningKey, pkcs8::DecodePrivateKey};
use quick_xml::{Reader, events::Event};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_vouchsafe");
const MB: u64 = 1_000_000;
/// Odd, so that the median is one of the measured values.
const RUNS: usize = 31;
const SLOW_RUNS: usize = 5;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["floor-attest", key, report, out] => floor_attest(key.as_ref(), report.as_ref(), out.as_ref()),
        ["floor-tokens", report] => floor_tokens(report.as_ref(), false),
        ["floor-tokens-sha256", report] => floor_tokens(report.as_ref(), true),
        words if words.contains(&"--bench") => budgets(words.contains(&"--big")),
        // `cargo test --all-targets` comes here: there is nothing to assert
        _ => Ok(()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("budgets: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// One line of the table.
struct Row {
    what: &'static str,
    ours: String,
    floor: String,
    ratio: String,
    budget: &'static str,
}

fn budgets(big: bool) -> Result<()> {
    ensure!(!cfg!(debug_assertions), "a debug build measures nothing: use `cargo bench`");
    let stage = Stage::new()?;
    let mut rows = vec![start(&stage)?, attest(&stage)?, artifact(&stage)?];
    rows.extend(junit(&stage)?);
    rows.push(size()?);
    if big {
        rows.extend(memory(&stage)?);
    }
    println!("{:<58} {:>12} {:>12} {:>8}  budget", "what", "ours", "floor", "ratio");
    for row in rows {
        println!("{:<58} {:>12} {:>12} {:>8}  {}", row.what, row.ours, row.floor, row.ratio, row.budget);
    }
    println!("medians of {RUNS} alternating runs ({SLOW_RUNS} for the large files); ratio = ours / floor");
    Ok(())
}

// ---------------------------------------------------------------------------------------------- the rows

/// What every command pays before it does anything.
fn start(stage: &Stage) -> Result<Row> {
    let (ours, floor) = alternate(
        RUNS,
        |_| timed(stage.vouchsafe().arg("--version")),
        |_| timed(&mut stage.floor(["floor-tokens", stage.report.to_str().unwrap_or_default()])),
    )?;
    Ok(Row::times("start: vouchsafe --version / read one small report", ours, floor, "-"))
}

/// `attest` to a local vault, against a process that only reads, hashes, signs, makes it durable twice (spool and
/// vault) and exits.
fn attest(stage: &Stage) -> Result<Row> {
    let vault = stage.root.join("vault");
    let out = stage.root.join("floor");
    fs::create_dir_all(&out)?;
    let (ours, floor) = alternate(
        RUNS,
        |n| timed(stage.attest(&vault, n).arg("--report").arg(&stage.report)),
        |n| {
            let out = out.join(n.to_string());
            timed(&mut stage.floor([Path::new("floor-attest"), &stage.key, &stage.report, &out]))
        },
    )?;
    Ok(Row::times("attest: local vault, one JUnit file, small repository", ours, floor, "<= 2.00"))
}

/// sha256 of a 256 MB artifact that is in the page cache, against OpenSSL.
fn artifact(stage: &Stage) -> Result<Row> {
    let file = stage.root.join("artifact.bin");
    zeros(&file, 256 * MB)?;
    let vault = stage.root.join("vault");
    let (ours, floor) = alternate(
        SLOW_RUNS,
        |n| timed(stage.attest(&vault, 1000 + n).arg("--dry-run").arg("--artifact").arg(&file)),
        |_| timed(Command::new("openssl").args(["dgst", "-sha256"]).arg(&file)),
    )?;
    fs::remove_file(&file)?;
    Ok(Row::rates("sha256 of a 256 MB artifact / openssl dgst", 256 * MB, ours, floor, ">= 0.90"))
}

/// Reading a 200 MB report, against the bare tokenizer, and against tokenizer and sha256 (which `inspect` must do too).
fn junit(stage: &Stage) -> Result<Vec<Row>> {
    let file = stage.root.join("large.xml");
    let (bytes, cases) = write_junit(&file, 200 * MB)?;
    let file_name = file.to_str().context("a temporary path that is not UTF-8")?;
    let inspect = |_| {
        let (time, output) = timed_output(stage.vouchsafe().args(["inspect", "--json", file_name]))?;
        // the rate counts only if the whole file was read
        let told: serde_json::Value =
            serde_json::from_slice(&output.stdout).context("could not read inspect's JSON")?;
        ensure!(told["total"] == cases, "inspect saw {} of {cases} cases: {told}", told["total"]);
        Ok(time)
    };
    let (ours, bare) = alternate(SLOW_RUNS, inspect, |_| timed(&mut stage.floor(["floor-tokens", file_name])))?;
    let (ours2, both) = alternate(SLOW_RUNS, inspect, |_| timed(&mut stage.floor(["floor-tokens-sha256", file_name])))?;
    fs::remove_file(&file)?;
    Ok(vec![
        Row::rates("JUnit, 200 MB: inspect / bare quick-xml tokenizer", bytes, ours, bare, ">= 0.60"),
        Row::rates("JUnit, 200 MB: inspect / tokenizer and sha256", bytes, ours2, both, "-"),
    ])
}

/// The stripped release binary, which is the one under test here: the bench profile inherits `release`.
fn size() -> Result<Row> {
    let bytes = fs::metadata(BINARY)?.len();
    let budget = 15 * MB;
    Ok(Row {
        what: "size of the binary, bytes / 15 MB",
        ours: bytes.to_string(),
        floor: budget.to_string(),
        ratio: ratio(bytes as f64 / budget as f64),
        budget: "<= 1.00",
    })
}

/// Peak memory for inputs far larger than it: an artifact of 1 GB and a report of 500 MB, against a small run.
fn memory(stage: &Stage) -> Result<Vec<Row>> {
    let vault = stage.root.join("vault");
    let small = peak_kb(stage.attest(&vault, 2000).arg("--dry-run").arg("--artifact").arg(&stage.report))?;
    let file = stage.root.join("artifact.bin");
    zeros(&file, 1000 * MB)?;
    let artifact = peak_kb(stage.attest(&vault, 2001).arg("--dry-run").arg("--artifact").arg(&file))?;
    fs::remove_file(&file)?;

    let small_report = peak_kb(stage.vouchsafe().args(["inspect", "--json"]).arg(&stage.report))?;
    let file = stage.root.join("large.xml");
    write_junit(&file, 500 * MB)?;
    let report = peak_kb(stage.vouchsafe().args(["inspect", "--json"]).arg(&file))?;
    fs::remove_file(&file)?;
    Ok(vec![
        Row::peaks("peak memory: 1 GB artifact / a small one", artifact, small),
        Row::peaks("peak memory: 500 MB JUnit / a small one", report, small_report),
    ])
}

// -------------------------------------------------------------------------------------------- the floors

/// The least that an honest `attest` can do: read, hash, sign, make durable in the spool, make durable in the vault.
fn floor_attest(key: &Path, report: &Path, out: &Path) -> Result<()> {
    let pem = fs::read_to_string(key)?;
    let key = SigningKey::from_pkcs8_pem(&pem).context("could not read the key")?;
    let mut record = Sha256::digest(fs::read(report)?).to_vec();
    let signature = key.sign(&record);
    record.extend_from_slice(&signature.to_bytes());
    record.resize(4096, b' '); // about the size of a bundle
    for place in ["spool", "vault"] {
        let mut file = File::create_new(out.with_extension(place))?;
        file.write_all(&record)?;
        file.sync_all()?;
    }
    Ok(())
}

/// Pulls every event out of a report and drops it; with `hash`, sha256 over the same bytes on the way.
fn floor_tokens(report: &Path, hash: bool) -> Result<()> {
    let file = File::open(report)?;
    if hash {
        drain(BufReader::with_capacity(1 << 16, Hashing { inner: file, sha256: Sha256::new() }))
    } else {
        drain(BufReader::with_capacity(1 << 16, file))
    }
}

fn drain(input: impl BufRead) -> Result<()> {
    let mut reader = Reader::from_reader(input);
    let mut buffer = Vec::new();
    let mut events = 0_u64;
    while !matches!(reader.read_event_into(&mut buffer)?, Event::Eof) {
        events += 1;
        buffer.clear();
    }
    ensure!(std::hint::black_box(events) > 0, "an empty report measures nothing");
    Ok(())
}

struct Hashing {
    inner: File,
    sha256: Sha256,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.sha256.update(buffer.get(..n).unwrap_or_default());
        Ok(n)
    }
}

// --------------------------------------------------------------------------------------------- the stage

/// A small repository with one commit, a key and a small report, on the disk that holds `target/` (a tmpfs has no fsync).
struct Stage {
    root: PathBuf,
    repository: PathBuf,
    key: PathBuf,
    report: PathBuf,
    _keep: tempfile::TempDir,
}

impl Stage {
    fn new() -> Result<Self> {
        let keep = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let root = keep.path().to_owned();
        let repository = root.join("repository");
        commit_something(&repository)?;
        let (key, report) = (root.join("bench.key"), root.join("small.xml"));
        write_junit(&report, 20_000)?;
        let stage = Self { root, repository, key, report, _keep: keep };
        timed(stage.vouchsafe().args(["key", "new", "--out"]).arg(&stage.key))?;
        Ok(stage)
    }

    /// The program in the small repository, with nothing of the caller's environment.
    fn vouchsafe(&self) -> Command {
        self.command(Path::new(BINARY))
    }

    fn attest(&self, vault: &Path, run: usize) -> Command {
        let mut command = self.vouchsafe();
        command.env("GITHUB_RUN_ID", (9_000_000 + run).to_string());
        command.args(["attest", "--environment", "bench", "--json", "--outcome", "succeeded", "--vault"]).arg(vault);
        command.arg("--signing-key").arg(&self.key);
        command
    }

    fn floor<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.command(&std::env::current_exe().unwrap_or_default());
        command.args(args);
        command
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.repository).env_clear().env("HOME", &self.root).env("GITHUB_ACTIONS", "true");
        command.env("GITHUB_RUN_ATTEMPT", "1").env("GITHUB_REPOSITORY", "example/bench").env("GITHUB_ACTOR", "bench");
        command
    }
}

/// Zeros, really written: a sparse file would be read without touching the page cache.
fn zeros(path: &Path, bytes: u64) -> Result<()> {
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
fn write_junit(path: &Path, bytes: u64) -> Result<(u64, u64)> {
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

// ------------------------------------------------------------------------------------------- the measures

/// Runs both sides in turn, so that a busy machine is busy for both, and takes the medians. One round warms up.
fn alternate(
    runs: usize,
    mut ours: impl FnMut(usize) -> Result<Duration>,
    mut floor: impl FnMut(usize) -> Result<Duration>,
) -> Result<(Duration, Duration)> {
    let mut times = (Vec::new(), Vec::new());
    for n in 0..=runs {
        let pair = (ours(n)?, floor(n)?);
        if n > 0 {
            times.0.push(pair.0);
            times.1.push(pair.1);
        }
    }
    Ok((median(times.0)?, median(times.1)?))
}

fn median(mut times: Vec<Duration>) -> Result<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied().context("no run to take a median of")
}

fn timed(command: &mut Command) -> Result<Duration> {
    timed_output(command).map(|(time, _)| time)
}

/// Wall time from start to exit; anything but exit code 0 is an error, since a refusal is quick.
fn timed_output(command: &mut Command) -> Result<(Duration, Output)> {
    let begin = Instant::now();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("could not start {command:?}"))?;
    let time = begin.elapsed();
    if !output.status.success() {
        bail!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok((time, output))
}

/// Peak resident memory in kB: the kernel's own high-water mark, read until the process is gone.
fn peak_kb(command: &mut Command) -> Result<u64> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let end = loop {
        let told = fs::read_to_string(&status).unwrap_or_default();
        let mark = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = mark.and_then(|kb| kb.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0).max(peak);
        if let Some(end) = child.try_wait()? {
            break end;
        }
        std::thread::sleep(Duration::from_micros(200));
    };
    ensure!(end.success(), "{command:?}: {end}");
    ensure!(peak > 0, "no VmHWM in {status}: the peak can be read on Linux only");
    Ok(peak)
}

impl Row {
    fn times(what: &'static str, ours: Duration, floor: Duration, budget: &'static str) -> Self {
        let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        Self { what, ours: ms(ours), floor: ms(floor), ratio: ratio(ours.as_secs_f64() / floor.as_secs_f64()), budget }
    }

    fn rates(what: &'static str, bytes: u64, ours: Duration, floor: Duration, budget: &'static str) -> Self {
        let rate = |time: Duration| format!("{:.0} MB/s", bytes as f64 / MB as f64 / time.as_secs_f64());
        Self {
            what,
            ours: rate(ours),
            floor: rate(floor),
            ratio: ratio(floor.as_secs_f64() / ours.as_secs_f64()),
            budget,
        }
    }

    fn peaks(what: &'static str, ours: u64, floor: u64) -> Self {
        let mb = |kb: u64| format!("{:.1} MB", kb as f64 / 1e3);
        Self { what, ours: mb(ours), floor: mb(floor), ratio: ratio(ours as f64 / floor as f64), budget: "constant" }
    }
}

fn ratio(value: f64) -> String {
    format!("{value:.2}")
}
