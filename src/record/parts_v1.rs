//! The parts that every record of major version 1 shares. Frozen once released: a released meaning never changes.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which program wrote the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tool {
    /// `vouchsafe`.
    pub name: String,
    /// Its semantic version.
    pub version: String,
}

/// How a fact became known. Only `oidc` (signature checked) and `api` (asked over TLS) are more than a claim
/// of the machine that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum How {
    /// A claim in a token that the platform signed.
    Oidc,
    /// An environment variable that the CI platform sets.
    CiEnvironment,
    /// The event payload file that the platform leaves beside the run.
    EventFile,
    /// The local git repository.
    Git,
    /// The platform's API.
    Api,
    /// A container registry.
    Registry,
    /// A word on the command line, or its `VOUCHSAFE_*` twin.
    Flag,
    /// `vouchsafe.toml`.
    Configuration,
    /// A file that the pipeline left: a report, an artifact, a build's metadata.
    File,
    /// The operating system: user, host, architecture.
    OsUser,
    /// The clock of the machine that wrote the record.
    Clock,
    /// Worked out from other facts of this record.
    Derived,
}

/// Source of `run.attempt` where the platform counts no attempts and the vault does: a record of the same run by another job
/// is an earlier attempt.
pub(crate) const COUNTED_IN_VAULT: &str = "counted in the vault, because the platform counts none";

/// Where one fact of the record came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Provenance {
    /// The fact, as a path in the record: `run.id`, `commit.sha`.
    pub fact: String,
    /// How it became known.
    pub how: How,
    /// The variable, flag, file or address that told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// How much of a section could be learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Status {
    /// All that the section can hold for this platform and these words.
    Complete,
    /// Something is missing; `why` says what.
    Partial,
    /// Nothing could be learned; `why` says the reason.
    Unavailable,
}

/// What could not be learned is said, never left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Completeness {
    /// The section of the record: `commit`, `tests`, `changes` …
    pub section: String,
    /// How much is known.
    pub status: Status,
    /// What is missing and why. Present unless complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How the run ended. Unknown is not succeeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Outcome {
    /// Every step that counts ended well.
    Succeeded,
    /// Something failed.
    Failed,
    /// Somebody or something stopped it.
    Cancelled,
    /// Nobody told.
    #[default]
    Unknown,
}

impl Outcome {
    /// The word as it stands in the record.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

/// Any identity that acts: a person or a machine account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Actor {
    /// The platform's stable id. Logins can be renamed and reused, ids cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The login or user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The name for people to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Who answers for the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operator {
    /// The platform's stable id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The login or user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The name for people to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How we know: `oidc`, `ciEnvironment`, `osUser`, `flag`.
    pub how: How,
    /// The person for whom a machine account acted, where that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Actor>,
}

/// One pipeline run or manual deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    /// `github`, `gitlab`, … or `manual`.
    pub platform: String,
    /// The platform's id of the run.
    pub id: String,
    /// Which attempt at this run, from 1.
    pub attempt: u32,
    /// The number that people see, where it differs from the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Page of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Workflow or pipeline name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// File and ref that defined the workflow, as the platform writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_ref: Option<String>,
    /// Commit that the workflow file was taken from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_sha: Option<String>,
    /// The job in which the record was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// The platform's id of that job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// What set the run off: `push`, `schedule`, `merge_request_event` … in the platform's own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Who or what set the run off, where that is told apart from the operator (a re-run by somebody else).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator: Option<Actor>,
    /// Start of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_on: Option<DateTime<Utc>>,
    /// End of the run, as far as it had come when the record was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Outcome,
    /// What the jobs before this one ended with, in the platform's own words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobResult>,
    /// SLSA `builder.id`: who ran it (SLSA provenance v1, `runDetails.builder.id`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builder_id: Option<String>,
    /// SLSA `invocationId`: this very attempt (SLSA provenance v1, `runDetails.metadata.invocationId`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocation_id: Option<String>,
}

/// What one job ended with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobResult {
    /// The job's name or key.
    pub name: String,
    /// The platform's word, untouched: `success`, `failure`, `skipped` …
    pub result: String,
}

/// The repository the run is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Repository {
    /// Full name, `group/project`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The platform's stable id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its page or clone address, credentials removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Default branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_branch: Option<String>,
}

/// A ticket that the change answers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ticket {
    /// `SHOP-123`, `#45`.
    pub id: String,
    /// Where it was named: `branch`, `commitMessage`, `pullRequestTitle`, `flag`.
    pub named_in: String,
}
