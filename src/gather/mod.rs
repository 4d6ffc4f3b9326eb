//! PILLAR: facts, normalised at the edge. Knows neither signatures nor stores.

pub(crate) mod artifact;
mod compose;
pub(crate) mod files;
pub(crate) mod git;
pub(crate) mod http;
pub(crate) mod image;
pub(crate) mod outcome;
pub(crate) mod platform;
pub(crate) mod report;
pub(crate) mod tickets;
pub(crate) mod variables;

pub(crate) use compose::{Ask, Gathered, gather};

/// Told of long work: what is being done, how many bytes of how many (where known).
pub(crate) type Progress<'a> = dyn FnMut(&str, u64, Option<u64>) + 'a;
