//! GitHub: github.com, hosts with data residency, Enterprise Server. REST API of 2022-11-28.

mod bind;
mod changes;
mod checks;
mod pull;
mod reach;
mod reviews;
mod round;
mod rules;
mod shapes;
mod span;
mod timeline;

pub(super) use changes::changes;
pub(super) use reach::reach;

use super::{Asking, Collected, Delivered, EventError, Period, Population};

pub(super) fn pushes(_: &Asking, _: &Period) -> Collected {
    Collected::default()
}

pub(super) fn event(_: &Delivered, _: Option<&Asking>) -> Result<Collected, EventError> {
    Err(EventError::Unknown(String::new()))
}

pub(super) fn population(_: &Asking, _: &Period) -> Population {
    Population::default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn cases() {
        super::super::cases::run_all("github", 40);
    }
}
