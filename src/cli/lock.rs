//! The flags of every command that puts: how long the store must keep it, and under which lock.

use super::exit::Failure;
use crate::vault::lock::{Mode, Period, Retention};
use chrono::{DateTime, Utc};

/// How what is written is kept.
#[derive(clap::Args, Debug)]
pub(super) struct LockArgs {
    /// How long the store must keep the record: 400d, 13mo, 2y
    #[arg(help_heading = "How it is kept", long, value_name = "PERIOD", default_value = Period::DEFAULT)]
    retain: String,
    /// Lock to ask of the store; default: compliance where the store can lock, none in a folder
    #[arg(help_heading = "How it is kept", long, value_name = "MODE", value_parser = ["compliance", "governance", "none"])]
    lock_mode: Option<String>,
    /// Also put a legal hold on the record
    #[arg(help_heading = "How it is kept", long)]
    legal_hold: bool,
}

/// The words of [`LockArgs`], understood.
#[derive(Clone, Copy)]
pub(super) struct Keep {
    period: Period,
    mode: Option<Mode>,
    legal_hold: bool,
}

impl LockArgs {
    /// What the words mean for a store, which is `local` if it is a folder.
    pub(super) fn keep(&self, local: bool) -> Result<Keep, Failure> {
        let period = Period::parse(&self.retain)
            .map_err(|e| Failure::usage(e.to_string(), "13 months and a margin are 400d"))?;
        let mode = match self.lock_mode.as_deref() {
            Some("none") if self.legal_hold => {
                return Err(Failure::usage(
                    "--legal-hold and --lock-mode none contradict each other",
                    "leave one of them out",
                ));
            }
            Some("none") => None,
            Some("governance") => Some(Mode::Governance),
            Some(_) => Some(Mode::Compliance),
            None => (!local || self.legal_hold).then_some(Mode::Compliance),
        };
        Ok(Keep { period, mode, legal_hold: self.legal_hold })
    }

    /// The lock to ask for, and until when the record has to be kept, locked or not.
    pub(super) fn at(
        &self,
        local: bool,
        recorded_on: DateTime<Utc>,
    ) -> Result<(Option<Retention>, Option<DateTime<Utc>>), Failure> {
        let keep = self.keep(local)?;
        // From the record's own time: a step that runs twice asks for the lock that stands.
        let beyond = || Failure::usage(format!("--retain {} is beyond the calendar", self.retain), "say 400d");
        keep.period.after(recorded_on).ok_or_else(beyond)?;
        Ok((keep.lock(recorded_on), keep.until(recorded_on)))
    }
}

impl Keep {
    /// The lock of what is of that time.
    pub(super) fn lock(&self, on: DateTime<Utc>) -> Option<Retention> {
        let until = self.period.after(on)?;
        self.mode.map(|mode| Retention { mode, until, legal_hold: self.legal_hold })
    }

    /// Until when it has to be kept. A legal hold has no end that anybody knows.
    pub(super) fn until(&self, on: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.period.after(on).filter(|_| !self.legal_hold)
    }
}
