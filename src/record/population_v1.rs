//! `https://vouchsafe.dev/population/v1`: what the platform itself says happened in a period. What records are reconciled
//! against: a run that left none shows here. Frozen once released.

use super::parts_v1::{Actor, Completeness, Provenance, Repository, Run, Tool};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The record of one question to the platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PopulationRecord {
    /// Semantic version of this shape. Same major: fields are only added.
    pub schema_version: String,
    /// UUIDv7 of this record.
    pub record_id: Uuid,
    /// When the record was made, by the clock of the machine that made it.
    pub recorded_on: DateTime<Utc>,
    /// The environment in whose ledger the record stands.
    pub environment: String,
    /// The run in which it was recorded, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<Repository>,
    /// The platform that answered: `github`, `gitlab` …
    pub platform: String,
    /// Start of the period, inclusive.
    pub from: DateTime<Utc>,
    /// End of the period, exclusive.
    pub to: DateTime<Utc>,
    /// What was asked, one entry a question.
    pub queries: Vec<Query>,
    /// Everything that the platform named.
    pub items: Vec<Item>,
    /// The program that wrote this.
    pub tool: Tool,
    /// One line a section: complete, partial or unavailable, and why.
    pub completeness: Vec<Completeness>,
    /// Where each fact came from.
    pub provenance: Vec<Provenance>,
}

/// One question and how far its answer went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Query {
    /// What was asked for.
    pub what: ItemKind,
    /// The request, as it was sent: address with its query, no secrets.
    pub request: String,
    /// When the last page of the answer came.
    pub asked_on: DateTime<Utc>,
    /// Pages that were read.
    pub pages: u32,
    /// Items within the period that came of it.
    pub items: u64,
    /// How many the platform says there are, where it says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<u64>,
    /// Whether all of the answer was read.
    pub complete: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What an item of a population is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ItemKind {
    /// A workflow run or pipeline.
    Run,
    /// A deployment.
    Deployment,
    /// A merged pull request.
    MergedPullRequest,
    /// A push to a branch.
    Push,
}

/// One thing that happened, as the platform names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Item {
    /// What it is.
    pub what: ItemKind,
    /// The platform's id; of a pull request its number, of a push `<ref>@<after>`.
    pub id: String,
    /// Attempts at it, where the platform counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Name of the workflow, title of the pull request, name of the environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How it ended or stands, in the platform's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it began or happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<DateTime<Utc>>,
    /// Its commit: of a merge the merge commit, of a push the commit after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Branch or full ref.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<String>,
    /// Environment of a deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Who set it off, merged or pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
}
