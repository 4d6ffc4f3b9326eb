//! GitHub: github.com, hosts with data residency, Enterprise Server. REST API of 2022-11-28.

mod activity;
mod answers;
mod bind;
mod changes;
mod checks;
mod doors;
mod edits;
mod event;
mod found;
mod population;
#[cfg(test)]
mod prism_tests;
mod protected;
mod protection;
mod pull;
mod push_event;
mod pushes;
mod reach;
mod reviews;
mod round;
mod rules;
mod runs;
mod shapes;
mod span;
mod suites;
#[cfg(test)]
mod tests;
mod timeline;

pub(super) use changes::changes;
pub(super) use reach::reach;

use super::{Asking, Collected, Delivered, EventError, Period, Population};

pub(super) fn pushes(asking: &Asking, period: &Period) -> Collected {
    pushes::of(asking, period)
}

pub(super) fn event(event: &Delivered, asking: Option<&Asking>) -> Result<Collected, EventError> {
    event::of(event, asking)
}

pub(super) fn population(asking: &Asking, period: &Period) -> Population {
    population::of(asking, period)
}
