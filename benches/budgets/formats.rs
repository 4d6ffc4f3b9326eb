//! Every report format that is read as a stream: its rate against the least that could be done with the same bytes, and
//! its peak memory. `cargo bench -- formats`, `cargo bench -- formats --big`.

use super::measure::{Row, alternate, peak_kb, timed, timed_output};
use super::samples::{SAMPLES, Sample};
use super::stage::Stage;
use super::{MB, SLOW_RUNS};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// Large enough that the start of a process does not count, small enough for all formats in a few minutes.
const RATE_BYTES: u64 = 200 * MB;
const BIG_BYTES: u64 = 500 * MB;
const SMALL_BYTES: u64 = 20_000;

/// `inspect` of a large report against the bare tokenizer of its syntax. It also takes the sha256, which the floor of the
/// name `-sha256` takes as well.
pub(crate) fn rates(stage: &Stage) -> Result<()> {
    SAMPLES.iter().try_for_each(|sample| rate(stage, sample))
}

fn rate(stage: &Stage, sample: &Sample) -> Result<()> {
    let (file, bytes, cases) = written(stage, sample, RATE_BYTES)?;
    let name = file.to_str().context("a temporary path that is not UTF-8")?;
    for floor in sample.floors {
        let (ours, least) = alternate(
            SLOW_RUNS,
            |_| {
                let (time, output) = timed_output(stage.vouchsafe().args(["inspect", "--json", name]))?;
                sample.check(&output.stdout, cases)?;
                Ok(time)
            },
            |_| timed(&mut stage.floor([floor, name])),
        )?;
        let what = format!("{}, {} MB: inspect / {}", sample.name, bytes / MB, words(floor));
        // the first is the bare tokenizer; for lines there is none, and nobody does what a loop that drops them does
        let is_tokenizer = Some(floor) == sample.floors.first() && *floor != "floor-lines";
        let budget = if is_tokenizer { ">= 0.60" } else { "-" };
        Row::rates(what, bytes, ours, least, budget).print();
    }
    Ok(fs::remove_file(&file)?)
}

/// Peak memory for reports far larger than it, against a small one of the same format.
pub(crate) fn peaks(stage: &Stage) -> Result<()> {
    for sample in SAMPLES {
        let peak = |bytes| -> Result<(u64, u64)> {
            let (file, bytes, cases) = written(stage, sample, bytes)?;
            let mut inspect = stage.vouchsafe();
            inspect.args(["inspect", "--json"]).arg(&file);
            sample.check(&timed_output(&mut inspect)?.1.stdout, cases)?;
            let peak = peak_kb(&mut inspect)?;
            fs::remove_file(&file)?;
            Ok((bytes, peak))
        };
        let ((_, small), (bytes, large)) = (peak(SMALL_BYTES)?, peak(BIG_BYTES)?);
        Row::peaks(format!("peak memory: {}, {} MB / a small one", sample.name, bytes / MB), large, small).print();
    }
    Ok(())
}

fn written(stage: &Stage, sample: &Sample, bytes: u64) -> Result<(PathBuf, u64, u64)> {
    let file = stage.root.join(sample.name).with_extension("report");
    let (bytes, cases) = sample.write(&file, bytes)?;
    Ok((file, bytes, cases))
}

fn words(floor: &str) -> &'static str {
    match floor {
        "floor-tokens" => "bare quick-xml",
        "floor-tokens-sha256" => "quick-xml and sha256",
        "floor-json" => "serde_json, all ignored",
        "floor-json-slice" => "the same over a slice",
        "floor-json-slice-sha256" => "slice and sha256",
        "floor-json-lines" => "serde_json by the line",
        "floor-json-lines-sha256" => "that and sha256",
        "floor-lines" => "a loop over lines",
        _ => "lines and sha256",
    }
}
