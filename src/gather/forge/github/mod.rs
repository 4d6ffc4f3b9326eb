//! github.

mod activity;
mod answers;
mod event;
mod population;
mod protected;
mod protection;
mod push_event;
mod pushes;
mod suites;

use super::{Asking, Collected, Delivered, EventError, Found, Given, Period, Population, Reach, Span};

pub(super) fn reach(_: &Given) -> Option<Reach> {
    None
}

pub(super) fn changes(_: &Asking, _: &Span) -> Found {
    Found::default()
}

pub(super) fn pushes(asking: &Asking, period: &Period) -> Collected {
    pushes::of(asking, period)
}

pub(super) fn event(event: &Delivered, asking: Option<&Asking>) -> Result<Collected, EventError> {
    event::of(event, asking)
}

pub(super) fn population(asking: &Asking, period: &Period) -> Population {
    population::of(asking, period)
}
