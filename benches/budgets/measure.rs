//! Wall time, peak memory, and the lines of the table.

use super::MB;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// One line of the table.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) ours: String,
    pub(crate) floor: String,
    pub(crate) ratio: String,
    pub(crate) budget: &'static str,
}

impl Row {
    pub(crate) fn print(&self) {
        println!("{:<58} {:>12} {:>12} {:>8}  {}", self.what, self.ours, self.floor, self.ratio, self.budget);
    }

    pub(crate) fn times(what: impl Into<String>, ours: Duration, floor: Duration, budget: &'static str) -> Self {
        let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        Self {
            what: what.into(),
            ours: ms(ours),
            floor: ms(floor),
            ratio: ratio(ours.as_secs_f64() / floor.as_secs_f64()),
            budget,
        }
    }

    pub(crate) fn rates(
        what: impl Into<String>,
        bytes: u64,
        ours: Duration,
        floor: Duration,
        budget: &'static str,
    ) -> Self {
        let rate = |time: Duration| format!("{:.0} MB/s", bytes as f64 / MB as f64 / time.as_secs_f64());
        Self {
            what: what.into(),
            ours: rate(ours),
            floor: rate(floor),
            ratio: ratio(floor.as_secs_f64() / ours.as_secs_f64()),
            budget,
        }
    }

    pub(crate) fn peaks(what: impl Into<String>, ours: u64, floor: u64) -> Self {
        let mb = |kb: u64| format!("{:.1} MB", kb as f64 / 1e3);
        Self {
            what: what.into(),
            ours: mb(ours),
            floor: mb(floor),
            ratio: ratio(ours as f64 / floor as f64),
            budget: "constant",
        }
    }
}

pub(crate) fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

/// Runs both sides in turn, so that a busy machine is busy for both, and takes the medians. One round warms up.
pub(crate) fn alternate(
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

pub(crate) fn timed(command: &mut Command) -> Result<Duration> {
    timed_output(command).map(|(time, _)| time)
}

/// Wall time from start to exit; anything but exit code 0 is an error, since a refusal is quick.
pub(crate) fn timed_output(command: &mut Command) -> Result<(Duration, Output)> {
    let begin = Instant::now();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("could not start {command:?}"))?;
    let time = begin.elapsed();
    if !output.status.success() {
        bail!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok((time, output))
}

/// Peak resident memory in kB: the kernel's own high-water mark, read until the process is gone. A process of a few
/// milliseconds may be gone before the first look, or be seen only before it has begun, so a few tries.
pub(crate) fn peak_kb(command: &mut Command) -> Result<u64> {
    let begin = Instant::now();
    let mut peak = 0;
    for _ in 0..10 {
        peak = peak_once(command)?.max(peak);
        if peak > 0 && begin.elapsed() > Duration::from_millis(500) {
            break;
        }
    }
    ensure!(peak > 0, "no VmHWM in /proc for {command:?}: the peak can be read on Linux only");
    Ok(peak)
}

fn peak_once(command: &mut Command) -> Result<u64> {
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
        std::thread::sleep(Duration::from_micros(100));
    };
    ensure!(end.success(), "{command:?}: {end}");
    Ok(peak)
}
