//! The world as values: what the process was given and where its words go. Nothing below touches the process itself.

use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A source of random bytes.
pub type Random = Box<dyn FnMut(&mut [u8]) -> bool>;

/// A command to start, with the streams and the terminal of this process.
pub struct Launch {
    /// The program, as the shell would find it.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables of this process that it does not get.
    pub without: Vec<&'static str>,
    /// Variables that it gets besides.
    pub with: Vec<(&'static str, String)>,
}

/// How a command ended.
pub struct Ended {
    /// Its exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The first signal that asked this process, or its whole group, to stop meanwhile.
    pub stopped_by: Option<i32>,
}

/// Starts a command and waits for its end; an error means that it was never started.
pub type Launcher = Box<dyn FnMut(&Launch) -> std::io::Result<Ended>>;

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
    /// Starts commands.
    pub launch: Launcher,
    /// Whether a person can type an answer.
    pub stdin_is_terminal: bool,
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

    /// Text for people. A closed stream is not an error: the record matters more than the words about it.
    pub(crate) fn say(&mut self, text: &str) {
        let text: Vec<_> = text.split('\n').map(no_command).collect();
        self.command(&text.join("\n"));
    }

    /// A question, whose answer comes on the same line.
    pub(crate) fn prompt(&mut self, question: &str) {
        let _ = self.stderr.write_all(question.as_bytes()).and_then(|()| self.stderr.flush());
    }

    /// A line that a CI runner may take for a command of ours.
    pub(crate) fn command(&mut self, line: &str) {
        // One write: standard error is not buffered.
        let _ = self.stderr.write_all(format!("{line}\n").as_bytes());
    }
}

/// The line with what a CI runner would obey taken apart: GitHub's `::command::` at the start of a line and its older
/// `##[command]` anywhere in it (actions/runner, `ActionCommand.cs`), Azure's `##vso[command]`, TeamCity's `##teamcity[`.
fn no_command(line: &str) -> Cow<'_, str> {
    let mut line = Cow::Borrowed(line);
    if line.trim_start().starts_with("::") {
        line = line.replacen("::", ": :", 1).into();
    }
    for start in ["##[", "##vso[", "##teamcity["] {
        if line.contains(start) {
            line = line.replace(start, &format!("# {}", &start[1..])).into();
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_others_is_a_command() {
        for (line, want) in [
            ("::warning::x", ": :warning::x"),
            ("  ::add-mask::x", "  : :add-mask::x"),
            ("a ::b", "a ::b"),
            ("a ##[group]x ##vso[task.setvariable]y", "a # #[group]x # #vso[task.setvariable]y"),
            ("##teamcity[x]", "# #teamcity[x]"),
            ("## a", "## a"),
        ] {
            assert_eq!(no_command(line), want);
        }
    }
}
