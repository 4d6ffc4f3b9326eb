//! Long work says how far it is: nothing in the first second, then a line that is written over, on a terminal only.

use chrono::{DateTime, Utc};
use std::io::Write;

/// Shows progress on `out`.
pub(crate) struct Shown<'a> {
    out: &'a mut dyn Write,
    now: &'a dyn Fn() -> DateTime<Utc>,
    terminal: bool,
    began: DateTime<Utc>,
    last: DateTime<Utc>,
    wrote: bool,
}

impl<'a> Shown<'a> {
    /// Progress on `out`, which is written to only if a person reads it.
    pub(crate) fn new(out: &'a mut dyn Write, now: &'a dyn Fn() -> DateTime<Utc>, terminal: bool) -> Self {
        let began = now();
        Self { out, now, terminal, began, last: began, wrote: false }
    }

    /// Goes on with work that began at `began`: for a caller that needs the stream in between.
    pub(crate) fn since(mut self, began: DateTime<Utc>) -> Self {
        self.began = began;
        self.last = began;
        self
    }

    /// One step: what is being done, how much of how much.
    pub(crate) fn step(&mut self, what: &str, done: u64, of: Option<u64>, unit: Unit) {
        if !self.terminal {
            return;
        }
        let now = (self.now)();
        if (now - self.began).num_milliseconds() < 1000 || (now - self.last).num_milliseconds() < 200 {
            return;
        }
        self.last = now;
        self.wrote = true;
        let of = of.map(|n| format!(" of {}", unit.show(n))).unwrap_or_default();
        let what = crate::export::shown::line(what);
        let _ = write!(self.out, "\r\x1b[K{what}: {}{of}", unit.show(done));
        let _ = self.out.flush();
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if self.wrote {
            let _ = write!(self.out, "\r\x1b[K");
        }
    }
}

/// What is counted.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    /// Bytes, shown in decimal megabytes.
    Bytes,
    /// Records.
    Records,
    /// Entries of a ledger.
    Entries,
    /// Tiles of a ledger.
    Tiles,
}

impl Unit {
    fn show(self, n: u64) -> String {
        match self {
            Self::Bytes => format!("{:.1} MB", n as f64 / 1e6),
            Self::Records => format!("{n} records"),
            Self::Entries => format!("{n} entries"),
            Self::Tiles => format!("{n} tiles"),
        }
    }
}
