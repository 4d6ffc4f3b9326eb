//! A person at a terminal. No variable names them reliably (`USER` is anybody's to set): the caller asks the operating
//! system for the operator, makes the run's id, and reads the commit from the local repository.

use super::env::Env;
use super::facts::Reader;

pub(super) const VARIABLES: &[&str] = &[];

/// Always: it is asked last.
pub(super) fn detects(_: &Env) -> bool {
    true
}

pub(super) fn read(_: &mut Reader) {}
