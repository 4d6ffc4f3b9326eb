//! The performance budgets, each as a ratio to a floor measured in the same run: `cargo bench`, `cargo bench -- --big`,
//! and a part of them by its word, `cargo bench -- formats`.
//!
//! A floor is this binary called again with a hidden word, so that both sides pay for a process start.
//! Nothing here asserts a time: machines differ, ratios hardly do. It fails only when something could not be run.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is the result")]
#![allow(clippy::disallowed_methods, reason = "a bench is a process of its own: it has no `World`")]

mod floors;
mod formats;
mod many;
mod measure;
mod samples;
mod stage;

use anyhow::{Result, bail, ensure};
use floors::{floor_attest, floor_report, floor_verify};
use measure::{Row, alternate, peak_kb, ratio, timed};
use stage::{Stage, zeros};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

const BINARY: &str = env!("CARGO_BIN_EXE_vouchsafe");
const MB: u64 = 1_000_000;
/// Odd, so that the median is one of the measured values.
const RUNS: usize = 31;
const SLOW_RUNS: usize = 5;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["floor-attest", key, report, out] => floor_attest(key.as_ref(), report.as_ref(), out.as_ref()),
        ["floor-verify", key, vault] => floor_verify(key.as_ref(), vault.as_ref()),
        [floor, report] if floor.starts_with("floor-") => floor_report(floor, report.as_ref()),
        // `cargo bench -- fill FOLDER 100000`: a vault to measure by hand, its keys beside it
        ["fill", folder, records, ..] => fill(folder.as_ref(), records),
        words if words.contains(&"--bench") => budgets(words),
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

/// A part of the table, and whether with the slow half of it.
type Part = fn(&Stage, bool) -> Result<()>;

/// TABLE of the parts, by the word that asks for it alone.
const PARTS: &[(&str, Part)] = &[
    ("start", |stage, _| print([start(stage)?])),
    ("attest", |stage, _| print([attest(stage)?])),
    ("artifact", artifact),
    ("formats", formats),
    ("size", |_, _| print([size()?])),
    ("verify", |stage, big| print(verify(stage, if big { 100_000 } else { 5_000 })?)),
];

fn budgets(words: &[&str]) -> Result<()> {
    ensure!(!cfg!(debug_assertions), "a debug build measures nothing: use `cargo bench`");
    let asked: Vec<_> = words.iter().filter(|word| !word.starts_with("--")).collect();
    if let Some(unknown) = asked.iter().find(|word| PARTS.iter().all(|(name, _)| name != **word)) {
        let names: Vec<_> = PARTS.iter().map(|(name, _)| *name).collect();
        bail!("there is no part `{unknown}`; there are: {}", names.join(", "));
    }
    let stage = Stage::new()?;
    println!("{:<58} {:>12} {:>12} {:>8}  budget", "what", "ours", "floor", "ratio");
    // each line as soon as it is known: the whole table takes minutes
    for (name, part) in PARTS {
        if asked.is_empty() || asked.contains(&name) {
            part(&stage, words.contains(&"--big"))?;
        }
    }
    println!("medians of {RUNS} alternating runs ({SLOW_RUNS} for the large files); ratio = ours / floor");
    Ok(())
}

fn print(rows: impl IntoIterator<Item = Row>) -> Result<()> {
    rows.into_iter().for_each(|row| row.print());
    Ok(())
}

fn fill(folder: &Path, records: &str) -> Result<()> {
    let stage = Stage::new()?;
    many::fill(&stage, folder, records.parse()?)?;
    fs::copy(&stage.key, folder.with_extension("key"))?;
    fs::copy(&stage.public, folder.with_extension("pem"))?;
    Ok(())
}

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

/// sha256 of a 256 MB artifact that is in the page cache, against OpenSSL; with `big`, peak memory for one of 1 GB.
fn artifact(stage: &Stage, big: bool) -> Result<()> {
    let file = stage.root.join("artifact.bin");
    zeros(&file, 256 * MB)?;
    let vault = stage.root.join("vault");
    let dry_run = |n, file: &Path| {
        let mut command = stage.attest(&vault, n);
        command.arg("--dry-run").arg("--artifact").arg(file);
        command
    };
    let (ours, floor) = alternate(
        SLOW_RUNS,
        |n| timed(&mut dry_run(1000 + n, &file)),
        |_| timed(Command::new("openssl").args(["dgst", "-sha256"]).arg(&file)),
    )?;
    fs::remove_file(&file)?;
    Row::rates("sha256 of a 256 MB artifact / openssl dgst", 256 * MB, ours, floor, ">= 0.90").print();
    if big {
        let small = peak_kb(&mut dry_run(2000, &stage.report))?;
        zeros(&file, 1000 * MB)?;
        let large = peak_kb(&mut dry_run(2001, &file))?;
        fs::remove_file(&file)?;
        Row::peaks("peak memory: 1 GB artifact / a small one", large, small).print();
    }
    Ok(())
}

/// The rates of the report formats; with `big`, their peak memory for 500 MB.
fn formats(stage: &Stage, big: bool) -> Result<()> {
    formats::rates(stage)?;
    if big { formats::peaks(stage) } else { Ok(()) }
}

/// The stripped release binary, which is the one under test here: the bench profile inherits `release`.
fn size() -> Result<Row> {
    let bytes = fs::metadata(BINARY)?.len();
    let budget = 15 * MB;
    Ok(Row {
        what: "size of the binary, bytes / 15 MB".to_owned(),
        ours: bytes.to_string(),
        floor: budget.to_string(),
        ratio: ratio(bytes as f64 / budget as f64),
        budget: "<= 1.00",
    })
}

/// `verify` of a vault with its ledger, against reading the records and nothing but `verify_strict` on all cores; and its
/// memory. With `--big` of 100,000 records and of 10,000, and once more over tiles; else of 5,000 and 500.
fn verify(stage: &Stage, many: u64) -> Result<Vec<Row>> {
    let (few, lot) = (stage.root.join("few"), stage.root.join("lot"));
    many::fill(stage, &few, many / 10)?;
    many::fill(stage, &lot, many)?;
    let verify = |vault: &Path| {
        let mut command = stage.vouchsafe();
        command.args(["verify", "--vault"]).arg(vault).arg("--key").arg(&stage.public);
        command
    };
    let rate = |time: Duration| format!("{:.0}/s", many as f64 / time.as_secs_f64());
    let against_floor = |what: &'static str| -> Result<Row> {
        let (ours, floor) = alternate(
            SLOW_RUNS,
            |_| timed(&mut verify(&lot)),
            |_| timed(&mut stage.floor([Path::new("floor-verify"), &stage.key, &lot])),
        )?;
        let ratio = ratio(floor.as_secs_f64() / ours.as_secs_f64());
        Ok(Row { what: what.to_owned(), ours: rate(ours), floor: rate(floor), ratio, budget: ">= 0.80" })
    };
    let entries = against_floor("verify: records and entries / read and verify_strict, all cores")?;
    let peaks =
        |what: &str| -> Result<Row> { Ok(Row::peaks(what, peak_kb(&mut verify(&lot))?, peak_kb(&mut verify(&few))?)) };
    let memory = peaks("peak memory: verify of that many records / of a tenth")?;
    timed(stage.vouchsafe().args(["ledger", "compact", "--vault"]).arg(&lot).arg("--key").arg(&stage.public))?;
    let tiles = against_floor("verify: records and tiles / the same")?;
    Ok(vec![entries, tiles, memory])
}
