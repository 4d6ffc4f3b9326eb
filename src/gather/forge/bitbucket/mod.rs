//! bitbucket.

use super::{Asking, Collected, Delivered, EventError, Found, Given, Period, Population, Reach, Span};

pub(super) fn reach(_: &Given) -> Option<Reach> {
    None
}

pub(super) fn changes(_: &Asking, _: &Span) -> Found {
    Found::default()
}

pub(super) fn pushes(_: &Asking, _: &Period) -> Collected {
    Collected::default()
}

pub(super) fn event(_: &Delivered, _: Option<&Asking>) -> Result<Collected, EventError> {
    Err(EventError::Unknown(String::new()))
}

pub(super) fn population(_: &Asking, _: &Period) -> Population {
    Population::default()
}
