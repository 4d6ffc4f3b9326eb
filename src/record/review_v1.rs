//! `https://vouchsafe.dev/review/v1`: a later review of a bypass or of a run. Frozen once released.

use super::digest::Sha256Digest;
use super::parts_v1::{Completeness, Operator, Provenance, Repository, Run, Tool};
use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The record of one review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReviewRecord {
    /// Semantic version of this shape. Same major: fields are only added.
    pub schema_version: String,
    /// UUIDv7 of this record.
    pub record_id: Uuid,
    /// When the review was made, by the clock of the machine that recorded it.
    pub recorded_on: DateTime<Utc>,
    /// The environment of what is reviewed.
    pub environment: String,
    /// The run in which it was recorded, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The repository of what is reviewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<Repository>,
    /// What is reviewed.
    pub answers: Answers,
    /// Who reviewed it.
    pub reviewer: Operator,
    /// What they decided.
    pub decision: Decision,
    /// What they have to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Ticket for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Whether the reviewer is who did what is reviewed. Such a review does not count. Absent when it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewer_is_actor: Option<bool>,
    /// Day by which it was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_on: Option<NaiveDate>,
    /// The program that wrote this.
    pub tool: Tool,
    /// One line a section: complete, partial or unavailable, and why.
    pub completeness: Vec<Completeness>,
    /// Where each fact came from.
    pub provenance: Vec<Provenance>,
}

/// What a review answers: one stored object, by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answers {
    /// SHA-256 of the stored object, as the ledger has it.
    pub sha256: Sha256Digest,
    /// Where it stands in the vault.
    pub address: String,
    /// Its kind, `bypass` or `run`.
    pub kind: String,
    /// Its record id.
    pub record_id: Uuid,
}

/// What a review decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Decision {
    /// It was right, or can stand.
    Accepted,
    /// It was not right.
    Rejected,
    /// It can stand for now; something has to follow.
    FollowUp,
}

impl Decision {
    /// The word as it stands in the record.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::FollowUp => "followUp",
        }
    }
}
