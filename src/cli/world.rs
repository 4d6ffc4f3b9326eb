//! The world as values: what the process was given and where its words go. Nothing below touches the process itself.

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A source of random bytes.
pub type Random = Box<dyn FnMut(&mut [u8]) -> bool>;

/// Everything the program may know of the process it runs in. `main.rs` builds the real one, tests build their own.
pub struct World {
    /// Command line, program name first.
    pub args: Vec<OsString>,
    /// Environment variables; bytes that are not UTF-8 are replaced.
    pub env: BTreeMap<String, String>,
    /// Working directory.
    pub cwd: PathBuf,
    /// The clock.
    pub now: Box<dyn Fn() -> DateTime<Utc>>,
    /// Fills a buffer with random bytes from the operating system; false when it has none to give.
    pub random: Random,
    /// Standard input.
    pub stdin: Box<dyn Read>,
    /// Machine output.
    pub stdout: Box<dyn Write>,
    /// Human output.
    pub stderr: Box<dyn Write>,
    /// Whether a person reads standard output.
    pub stdout_is_terminal: bool,
    /// Whether a person reads standard error (then long work shows its progress).
    pub stderr_is_terminal: bool,
    /// Login of the operating-system user, where it has one.
    pub user: Option<String>,
    /// Host name, where it can be told.
    pub host: Option<String>,
}

impl World {
    /// The variable's value; empty counts as absent.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// `path` as seen from the working directory.
    pub(crate) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.cwd.join(path)
    }

    /// The user's configuration folder for vouchsafe (XDG Base Directory specification; `%APPDATA%` on Windows).
    pub(crate) fn config_dir(&self) -> Option<PathBuf> {
        let base = self
            .var("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| self.var("APPDATA").filter(|_| cfg!(windows)).map(PathBuf::from))
            .or_else(|| self.var("HOME").map(|h| Path::new(h).join(".config")))?;
        Some(self.at(base).join("vouchsafe"))
    }

    /// One line for people. A closed stream is not an error: the record matters more than the words about it.
    pub(crate) fn say(&mut self, line: &str) {
        // One write a line: standard error is not buffered.
        let _ = self.stderr.write_all(format!("{line}\n").as_bytes());
    }
}
