//! How the command ended: for the shell, for the record, for people.

use crate::cli::words;
use crate::cli::world::{self, Launch, World};
use crate::export::shown;
use crate::record::parts_v1::Outcome;
use crate::record::run_v1::Manual;
use std::io;

/// SIGHUP, SIGINT, SIGQUIT, SIGTERM: somebody wanted it to stop (signal(7)).
const STOPPING: [i32; 4] = [1, 2, 3, 15];

/// How the command ended.
pub(super) struct Ended {
    /// What `run` ends with for it.
    pub(super) code: u8,
    pub(super) outcome: Outcome,
    exit_code: Option<i32>,
    signal: Option<i32>,
    not_started: Option<(String, Option<&'static str>)>,
}

impl Ended {
    pub(super) fn of(ended: io::Result<world::Ended>) -> Self {
        let mut this = Self { code: 1, outcome: Outcome::Failed, exit_code: None, signal: None, not_started: None };
        match ended {
            Ok(world::Ended { code, signal, stopped_by }) => {
                (this.exit_code, this.signal) = (code, signal);
                let by_will = signal.or(stopped_by).is_some_and(|signal| STOPPING.contains(&signal));
                this.outcome = match code {
                    Some(0) => Outcome::Succeeded,
                    _ if by_will => Outcome::Cancelled,
                    _ => Outcome::Failed,
                };
                // Windows has codes of 32 bits; what does not fit is a failure all the same.
                let own = code.map(|code| u8::try_from(code).unwrap_or(1));
                let by_signal = signal.map(|signal| u8::try_from(128 + signal).unwrap_or(u8::MAX));
                this.code = own.or(by_signal).unwrap_or(1);
            }
            Err(e) => {
                let (code, help) = match e.kind() {
                    io::ErrorKind::NotFound => (127, "check the name; a line for the shell is run by `-- sh -c '…'`"),
                    _ => (126, "it has to be a program, and executable"),
                };
                this.code = code;
                this.not_started = Some((e.to_string(), Some(help)));
            }
        }
        this
    }

    /// Says what the command itself could not.
    pub(super) fn tell(&self, world: &mut World, launch: &Launch) {
        let program = launch.program.to_string_lossy();
        if let Some((why, help)) = &self.not_started {
            words::attend(world, &[format!("could not start `{program}`: {why}")]);
            world.say(&format!("help: {}", help.unwrap_or_default()));
        } else if let Some(signal) = self.signal {
            world.say(&shown::line(&format!("`{program}` was ended by signal {signal}")));
        }
    }

    /// The record's section, completed.
    pub(super) fn in_record(&self, manual: Manual) -> Manual {
        let not_started = self.not_started.as_ref().map(|(why, _)| why.clone());
        Manual { exit_code: self.exit_code, signal: self.signal, not_started, ..manual }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_outcomes() {
        use Outcome::{Cancelled, Failed, Succeeded};
        for (code, signal, stopped_by, want, outcome) in [
            (Some(0), None, None, 0, Succeeded),
            (Some(0), None, Some(15), 0, Succeeded),
            (Some(3), None, None, 3, Failed),
            (Some(255), None, None, 255, Failed),
            (Some(143), None, Some(15), 143, Cancelled),
            (Some(1), None, Some(10), 1, Failed),
            (None, Some(15), None, 143, Cancelled),
            (None, Some(2), Some(2), 130, Cancelled),
            (None, Some(9), None, 137, Failed),
            (None, Some(11), None, 139, Failed),
            (Some(-1), None, None, 1, Failed),
            (Some(0x4000_0000), None, None, 1, Failed),
        ] {
            let ended = Ended::of(Ok(world::Ended { code, signal, stopped_by }));
            assert_eq!((ended.code, ended.outcome), (want, outcome), "{code:?} {signal:?} {stopped_by:?}");
            let manual = ended.in_record(Manual::default());
            assert_eq!((manual.exit_code, manual.signal, manual.not_started), (code, signal, None));
        }
        for (kind, want) in [(io::ErrorKind::NotFound, 127), (io::ErrorKind::PermissionDenied, 126)] {
            let ended = Ended::of(Err(kind.into()));
            assert_eq!((ended.code, ended.outcome), (want, Failed));
            assert!(ended.in_record(Manual::default()).not_started.is_some());
        }
    }
}
