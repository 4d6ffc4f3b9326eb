//! What every record has, whatever its kind.

use super::parts_v1::{Completeness, Repository, Run};
use super::{BypassRecord, ChangeRecord, KINDS, Kind, PopulationRecord, Record, ReviewRecord, RunRecord};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The fields that all kinds share, as they stand in the record.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    /// Its row as it is written today.
    pub kind: &'static Kind,
    /// The version it was written in.
    pub schema_version: &'a str,
    /// Its id.
    pub record_id: Uuid,
    /// When it was made.
    pub recorded_on: DateTime<Utc>,
    /// The environment in whose ledger it stands.
    pub environment: &'a str,
    /// The run that it is about, or in which it was made.
    pub run: Option<&'a Run>,
    /// The repository.
    pub repository: Option<&'a Repository>,
    /// What could not be learned.
    pub completeness: &'a [Completeness],
}

macro_rules! head {
    ($record:expr, $at:literal, $run:expr) => {
        Head {
            kind: &KINDS[$at],
            schema_version: &$record.schema_version,
            record_id: $record.record_id,
            recorded_on: $record.recorded_on,
            environment: &$record.environment,
            run: $run,
            repository: $record.repository.as_ref(),
            completeness: &$record.completeness,
        }
    };
}

impl Record {
    /// The fields that all kinds share.
    pub(crate) fn head(&self) -> Head<'_> {
        match self {
            Self::Run(r) => head!(r, 0, Some(&r.run)),
            Self::Change(r) => head!(r, 1, r.run.as_ref()),
            Self::Bypass(r) => head!(r, 2, r.run.as_ref()),
            Self::Review(r) => head!(r, 3, r.run.as_ref()),
            Self::Population(r) => head!(r, 4, r.run.as_ref()),
        }
    }

    /// The record of a run, if it is one.
    pub(crate) fn as_run(&self) -> Option<&RunRecord> {
        match self {
            Self::Run(run) => Some(run),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($kind:ident $record:ty),*) => {$(
        impl From<$record> for Record {
            fn from(record: $record) -> Self {
                Self::$kind(Box::new(record))
            }
        }
    )*};
}

from!(Run RunRecord, Change ChangeRecord, Bypass BypassRecord, Review ReviewRecord, Population PopulationRecord);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_names_its_own_row() {
        let part = r#""schemaVersion":"1.0.0","recordId":"01945b3e-7a3b-7c3d-8e4f-5a6b7c8d9e0f","recordedOn":"2026-11-25T10:00:00Z","environment":"p","tool":{"name":"vouchsafe","version":"0"},"completeness":[],"provenance":[]"#;
        let own = [
            ("run", r#""run":{"platform":"github","id":"1","attempt":1,"outcome":"succeeded"}"#),
            (
                "change",
                r#""platform":"github","ref":"refs/heads/main","filedOn":"2026-11-25","via":"directPush","changes":[]"#,
            ),
            (
                "bypass",
                r#""platform":"github","kind":"directPush","certainty":"derived","filedOn":"2026-11-25","what":[],"reviewDueOn":"2026-11-27""#,
            ),
            (
                "review",
                r#""answers":{"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","address":"evidence/x","kind":"bypass","recordId":"01945b3e-7a3b-7c3d-8e4f-5a6b7c8d9e0f"},"reviewer":{"how":"flag"},"decision":"accepted""#,
            ),
            (
                "population",
                r#""platform":"github","from":"2026-11-24T00:00:00Z","to":"2026-11-25T00:00:00Z","queries":[],"items":[]"#,
            ),
        ];
        assert_eq!(own.len(), KINDS.len(), "a new kind needs its line here");
        for (kind, (name, rest)) in KINDS.iter().zip(own) {
            let read = super::super::read(&kind.predicate_type(), format!("{{{part},{rest}}}").as_bytes());
            let read = read.unwrap_or_else(|e| panic!("{name}: {e}"));
            let head = read.record.head();
            assert_eq!((head.kind.name, kind.name, head.environment), (name, name, "p"));
        }
    }
}
