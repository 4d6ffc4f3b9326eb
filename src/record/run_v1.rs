//! `https://vouchsafe.dev/run/v1`: what one pipeline run or manual deployment did. Frozen once released.

use super::change_v1::Change;
use super::digest::{DigestSet, Sha256Digest};
use super::identity_v1::Identity;
use super::parts_v1::{Actor, Completeness, Operator, Provenance, Repository, Run, Ticket, Tool};
use super::test_run_v1::TestRun;
use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The record of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunRecord {
    /// Semantic version of this shape. Same major: fields are only added.
    pub schema_version: String,
    /// UUIDv7 of this record.
    pub record_id: Uuid,
    /// When the record was made, by the clock of the machine that made it.
    pub recorded_on: DateTime<Utc>,
    /// The environment that was deployed to or tested for.
    pub environment: String,
    /// Which of several records of the same run this is: a service of a monorepo, a leg of a matrix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The run.
    pub run: Run,
    /// The repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<Repository>,
    /// Who answers for it. Absent when nobody could be named; `completeness` says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<Operator>,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// Images and files that this run made or deployed.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// One entry a report.
    #[serde(default)]
    pub tests: Vec<TestRun>,
    /// Commands that ran tests or scans, as they were told with their exit codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_commands: Vec<TestCommand>,
    /// How the commits got here since the previous deployment.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// The deployment before this one, since which `changes` tells. Absent where there was none, or it was not looked for;
    /// `completeness` and `provenance` of `changes` say which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// Tickets named by branch, commit message, pull request title or flag.
    #[serde(default)]
    pub tickets: Vec<Ticket>,
    /// The machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runner: Option<Runner>,
    /// Environment variables from the allow-list and `--env`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// A deployment that set the usual controls aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Emergency>,
    /// What a manual deployment ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manual: Option<Manual>,
    /// The program that wrote this.
    pub tool: Tool,
    /// One line a section: complete, partial or unavailable, and why.
    pub completeness: Vec<Completeness>,
    /// Where each fact came from.
    pub provenance: Vec<Provenance>,
    /// What the platform itself signed about this run. Always the last field: the token's audience is the digest of all that stands
    /// before it (`record::without_identity`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
}

/// The newest record before this one of another run that deployed the same component of the same repository to the same
/// environment and succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Previous {
    /// Its address in the vault.
    pub address: String,
    /// SHA-256 of the stored object, as it was read.
    pub sha256: Sha256Digest,
    /// The commit that it deployed.
    pub commit: String,
    /// When it was made, by the clock of the machine that made it.
    pub recorded_on: DateTime<Utc>,
}

/// A command that ran tests or scans. A report may be silent about what did not load; the exit code is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestCommand {
    /// The name it was given.
    pub name: String,
    /// How it ended; 0 is success.
    pub exit_code: i32,
    /// Reports of this record that are its.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<String>,
}

/// A git commit, from the raw object where the repository was there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Commit {
    /// Commit id, 40 or 64 lower-case hex digits.
    pub sha: String,
    /// Tree id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// Parent ids from the raw object, also in a shallow clone. Absent when the object was not there; empty for a root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parents: Option<Vec<String>>,
    /// Full ref, `refs/heads/main`.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub git_ref: Option<String>,
    /// Branch, where the run is on one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Tag, where the run is for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Tags in the repository that point here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Branch that a pull request goes into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_ref: Option<String>,
    /// Tip of the pull request's source branch, when `sha` is a merge commit that the platform made for the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_sha: Option<String>,
    /// Where the branch stood before the push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Whether the ref is protected, where the platform tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ref_protected: Option<bool>,
    /// Author and authoring time (settable by the author).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Signature>,
    /// Committer and commit time (settable by the committer).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committer: Option<Signature>,
    /// First line of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whether the commit object carries a signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<CommitSignature>,
    /// Whether tracked files differed from the commit when the record was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
    /// Whether the clone is shallow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shallow: Option<bool>,
}

/// Name, address and time in a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Signature {
    /// Name.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// Time with its zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<DateTime<FixedOffset>>,
}

/// State of a commit's own signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CommitSignature {
    /// None.
    Unsigned,
    /// An OpenPGP signature is there; it was not checked.
    OpenPgpUnverified,
    /// An SSH signature is there; it was not checked.
    SshUnverified,
    /// An X.509 (S/MIME) signature is there; it was not checked.
    X509Unverified,
    /// Something signature-like of unknown kind is there.
    UnknownUnverified,
}

/// An image or file, by digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Artifact {
    /// What it is.
    pub kind: ArtifactKind,
    /// Repository of the image, or path of the file.
    pub name: String,
    /// Its digest.
    pub digest: DigestSet,
    /// Media type, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Bytes, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Tag by which an image was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// `os/architecture[/variant]` of a platform manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Digest of the index that lists this manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
}

/// What an artifact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ArtifactKind {
    /// A multi-platform image index or manifest list.
    ImageIndex,
    /// An image manifest of one platform.
    ImageManifest,
    /// An image by a digest whose kind is not known.
    Image,
    /// An image configuration, which docker calls the image id. Not the digest that a registry deploys.
    ImageConfig,
    /// A file.
    File,
}

/// The machine that ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Runner {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Architecture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// Hosted by the platform or by the user, in the platform's word. A self-hosted runner weakens every claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Image of the machine or job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// Why the usual controls were set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Emergency {
    /// Why.
    pub reason: String,
    /// Its ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Who agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<Actor>,
    /// Day by which it has to be reviewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_due_on: Option<NaiveDate>,
}

/// `user.name` and `user.email` of git's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GitUser {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// What a manual deployment ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manual {
    /// Program and arguments, secrets redacted. Empty when a person only recorded what they had done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Exit code of the command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Why the command could not be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_started: Option<String>,
    /// Host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Login of the operating-system user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_user: Option<String>,
    /// Who git would name as the author of a commit on this machine (settable by anybody who uses it).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_user: Option<GitUser>,
    /// Whether a person sat at a terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tty: Option<bool>,
    /// Why it was done by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
