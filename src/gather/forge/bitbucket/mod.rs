//! Bitbucket Cloud.
//!
//! It names merge commits by their first twelve digits, tells reviews only as an activity log beside what each participant thinks
//! now, and keeps no history of pushes that its API would tell.

mod changes;
mod checks;
mod desk;
mod event;
mod files;
mod opinions;
mod population;
mod pushes;
mod reach;
mod request;
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

/// What a token has to be allowed for most of what is asked.
const PULL_REQUESTS: &str = "an access token with the scope `pullrequest` may read it";
/// What only who administers the repository may read.
const ADMIN: &str = "an access token with the scope `repository:admin` may read it";

/// The path of the repository.
fn repository(asking: &Asking) -> String {
    let (workspace, slug) = asking.repository.split_once('/').unwrap_or((asking.repository, ""));
    format!("repositories/{}/{}", segment(workspace), segment(slug))
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
