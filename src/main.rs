//! The process: builds the real [`World`] and runs in it.

mod launch;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use vouchsafe::{World, run};

#[allow(clippy::disallowed_methods, reason = "the one place that looks at the process")]
fn main() -> ExitCode {
    let text = |s: std::ffi::OsString| s.to_string_lossy().into_owned();
    run(World {
        args: std::env::args_os().collect(),
        env: std::env::vars_os().map(|(k, v)| (text(k), text(v))).collect(),
        cwd: std::env::current_dir().unwrap_or_else(|_| ".".into()),
        now: Box::new(|| chrono::SubsecRound::trunc_subsecs(chrono::Utc::now(), 3)),
        random: Box::new(|buffer| getrandom::fill(buffer).is_ok()),
        stdin: Box::new(std::io::stdin()),
        stdout: Box::new(std::io::BufWriter::new(std::io::stdout())),
        stderr: Box::new(std::io::stderr()),
        launch: Box::new(launch::launch),
        stdin_is_terminal: std::io::stdin().is_terminal(),
        stdout_is_terminal: std::io::stdout().is_terminal(),
        stderr_is_terminal: std::io::stderr().is_terminal(),
        user: whoami::username().ok().filter(|u| !u.is_empty()),
        host: whoami::hostname().ok().filter(|h| !h.is_empty()),
    })
}
