//! Forgejo and Gitea: one API under two names.
//!
//! They name merge commits, tell of every review whether it still stands and whether its author's word counts, and keep an activity
//! feed that tells pushes.

mod changes;
mod checks;
mod event;
mod files;
mod population;
mod pushes;
mod reach;
mod request;
mod reviews;
mod rules;
mod shapes;
#[cfg(test)]
mod tests;

use super::{Asking, Collected, EventError, Found, Period, Population, Span};
use crate::gather::http::api::{ApiError, segment};

pub(super) use changes::changes;
pub(super) use event::event;
pub(super) use population::population;
pub(super) use pushes::pushes;
pub(super) use reach::reach;

/// What a token has to be allowed.
const READ: &str = "a token with the scope `read:repository` may read it";
/// What only who administers the repository may read.
const ADMIN: &str = "a token of an administrator of the repository may read it";

/// The path of the repository.
fn repository(asking: &Asking) -> String {
    let (owner, name) = asking.repository.split_once('/').unwrap_or((asking.repository, ""));
    format!("repos/{}/{}", segment(owner), segment(name))
}

/// The sentence for what an error kept from us; `help` where the token may be what is wrong.
fn unread(what: &str, error: &ApiError, help: &str) -> String {
    match error.is_refusal() && !help.is_empty() {
        true => format!("{what}: {error}; {help}"),
        false => format!("{what}: {error}"),
    }
}

/// Says something once.
fn say(missing: &mut Vec<String>, sentence: String) {
    if !missing.contains(&sentence) {
        missing.push(sentence);
    }
}
