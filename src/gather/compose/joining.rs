//! A record in the making.

use super::Ask;
use crate::record::parts_v1::{Completeness, How, Provenance, Status};

/// A record in the making: what was asked, and what has been learned of how.
pub(super) struct Joining<'a> {
    pub(super) ask: &'a Ask,
    pub(super) provenance: Vec<Provenance>,
    pub(super) completeness: Vec<Completeness>,
    pub(super) warnings: Vec<String>,
    pub(super) unreadable: Vec<String>,
}

impl Joining<'_> {
    /// Notes how a fact became known; the last word on it counts.
    pub(super) fn learned(&mut self, fact: &str, how: How, source: impl Into<String>) {
        self.provenance.retain(|p| p.fact != fact);
        self.provenance.push(Provenance { fact: fact.to_owned(), how, source: Some(source.into()) });
    }

    /// Notes that a fact came by a flag, or by its twin in the environment or in the file of defaults.
    pub(super) fn told(&mut self, fact: &str, flag: &str) {
        let (how, source) = self.ask.sources.get(flag).cloned().unwrap_or_else(|| (How::Flag, format!("--{flag}")));
        self.learned(fact, how, source);
    }

    /// Says how much of a section is known; what several say of one section adds up.
    pub(super) fn section(&mut self, section: &str, missing: Vec<String>, nothing: bool) {
        let status = match (missing.is_empty(), nothing) {
            (true, _) => Status::Complete,
            (false, false) => Status::Partial,
            (false, true) => Status::Unavailable,
        };
        let why = (!missing.is_empty()).then(|| missing.join("; "));
        match self.completeness.iter_mut().find(|c| c.section == section) {
            Some(known) => {
                known.why = [known.why.take(), why].into_iter().flatten().reduce(|a, b| format!("{a}; {b}"));
                known.status = match (known.status, status) {
                    (a, b) if a == b => a,
                    (Status::Complete, b) => b,
                    (a, Status::Complete) => a,
                    _ => Status::Partial,
                };
            }
            None => self.completeness.push(Completeness { section: section.to_owned(), status, why }),
        }
    }

    /// Takes back where facts came from that did not enter the record.
    pub(super) fn forget(&mut self, facts: &str) {
        self.provenance.retain(|p| !p.fact.starts_with(facts));
    }
}
