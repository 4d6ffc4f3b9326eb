//! vouchsafe: signed, write-once evidence of what a pipeline run did.
//!
//! The map, from the ground up; an arrow only ever goes down (see ARCHITECTURE.md):
//!
//! - `record`: what is claimed, every version of it;
//! - `gather`, `seal`, `vault`: three pillars, strangers to each other: facts, signature, write-once store;
//! - `attest`: the one door in; `ledger`: the one door out;
//! - `export`: what people ask of the ledger;
//! - `cli`: words to calls, calls to words, exit codes.

mod gather;
mod record;
mod seal;
mod vault;
