//! vouchsafe: signed, write-once evidence of what a pipeline run did.
//!
//! The map, from the ground up; an arrow only ever goes down (see ARCHITECTURE.md):
//!
//! - `record`: what is claimed, every version of it;
//! - `gather`, `seal`, `vault`: three pillars, strangers to each other: facts, signature, write-once store;
//! - `ledger`: the one door out; `attest`: the one door in;
//! - `export`: what people ask of the ledger;
//! - `cli`: words to calls, calls to words, exit codes.
//!
//! The library exports one function, [`run`], and the [`World`] it runs in: tests run the whole program in-process.

mod attest;
mod cli;
mod export;
mod gather;
mod ledger;
mod record;
mod seal;
mod vault;

pub use cli::{Ended, Launch, Launcher, Random, World, run};

/// Any bytes as a report. For `fuzz/`.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzz_report(bytes: &[u8]) {
    gather::report::fuzz(bytes);
}

/// Any bytes as an archive of reports. For `fuzz/`.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzz_archive(bytes: &[u8]) {
    gather::report::fuzz_archive(bytes);
}

/// Any bytes as a record of the vault. For `fuzz/`.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzz_record(bytes: &[u8]) {
    ledger::fuzz(bytes);
}

/// Any text as what a CI platform leaves: the result of jobs, an address. For `fuzz/`.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzz_platform(bytes: &[u8]) {
    gather::fuzz(bytes);
}

/// Any bytes as what a forge sends: headers, pages, events. For `fuzz/`.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzz_forge(bytes: &[u8]) {
    gather::forge::fuzz(bytes);
}

/// Any bytes as what stands in a ledger. For `fuzz/`.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzz_ledger(bytes: &[u8]) {
    attest::fuzz(bytes);
}
