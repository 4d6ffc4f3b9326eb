//! One integration binary: stories through the whole program, in-process, each in a world of its own.

mod attest;
mod bad_input;
mod corpus;
mod help;
mod house;
mod inspect;
mod key;
mod list;
mod readme;
mod stage;
mod verify;
