//! One integration binary: stories through the whole program, in-process, each in a world of its own.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test that cannot go on fails")]

mod action;
mod attest;
mod bad_input;
mod changes;
mod collect;
mod corpus;
mod fake_github;
mod gitlab;
mod help;
mod house;
mod identity;
mod inspect;
mod key;
mod ledger;
mod list;
mod outputs;
mod readme;
mod review;
mod run;
mod spool;
mod stage;
mod verify;
mod whole;
