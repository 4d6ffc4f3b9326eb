//! stub
use super::{Asking, Collected, Delivered, EventError};
pub(in super::super) fn event(_: &Delivered, _: Option<&Asking>) -> Result<Collected, EventError> {
    Err(EventError::Unknown(String::new()))
}
