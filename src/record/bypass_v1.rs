//! `https://vouchsafe.dev/bypass/v1`: a control that was set aside. A record of its own, so that it cannot be taken for an
//! absence. Frozen once released.

use super::parts_v1::{Actor, Completeness, Provenance, Repository, Run, Tool};
use super::pull_request_v1::PullRequest;
use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The record of one bypass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BypassRecord {
    /// Semantic version of this shape. Same major: fields are only added.
    pub schema_version: String,
    /// UUIDv7 of this record.
    pub record_id: Uuid,
    /// When the record was made, by the clock of the machine that made it.
    pub recorded_on: DateTime<Utc>,
    /// The environment in whose ledger the record stands.
    pub environment: String,
    /// Which of several records of the same run this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The run: of an emergency the deployment itself, else the one in which it was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<Repository>,
    /// The platform that told: `github`, `gitlab` … or `manual`.
    pub platform: String,
    /// What was set aside.
    pub kind: BypassKind,
    /// How certain it is: told by the platform or by the person, or worked out from what happened.
    pub certainty: Certainty,
    /// Who did it. Absent when nobody could be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// When it happened, as the platform tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_on: Option<DateTime<Utc>>,
    /// Day (UTC) under which the record is filed: of the event, or of the record where the event has no time.
    pub filed_on: NaiveDate,
    /// Full ref that it is about, `refs/heads/main`.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<String>,
    /// Commit at which the branch stood before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Commit that it brought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The pull request, where it was one that was merged against a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PullRequest>,
    /// What exactly: the rules, checks or files. One line each.
    pub what: Vec<String>,
    /// Why, where somebody said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Who agreed beforehand, where somebody said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<Actor>,
    /// Day by which somebody else has to have reviewed it.
    pub review_due_on: NaiveDate,
    /// The program that wrote this.
    pub tool: Tool,
    /// One line a section: complete, partial or unavailable, and why.
    pub completeness: Vec<Completeness>,
    /// Where each fact came from.
    pub provenance: Vec<Provenance>,
}

/// What was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum BypassKind {
    /// Commits on a protected branch that no pull request brought.
    DirectPush,
    /// History of a protected branch rewritten.
    ForcePush,
    /// A pull request merged while required checks had not succeeded or required approvals were missing.
    AdminMerge,
    /// The platform itself says that its rules were bypassed.
    RulesetBypass,
    /// Files changed that decide what the pipeline does.
    PipelineEdit,
    /// Protection of a branch taken away or weakened.
    ProtectionChange,
    /// A deployment that set the usual controls aside.
    EmergencyDeploy,
}

impl BypassKind {
    /// The word as it stands in the record.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::DirectPush => "directPush",
            Self::ForcePush => "forcePush",
            Self::AdminMerge => "adminMerge",
            Self::RulesetBypass => "rulesetBypass",
            Self::PipelineEdit => "pipelineEdit",
            Self::ProtectionChange => "protectionChange",
            Self::EmergencyDeploy => "emergencyDeploy",
        }
    }
}

/// How certain a bypass is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Certainty {
    /// The platform says so (rule suite, audit event, webhook).
    Confirmed,
    /// A person said so.
    Declared,
    /// It follows from what the platform tells of the push, the pull request and the rules.
    Derived,
}
