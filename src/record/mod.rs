//! THE GROUND: what is claimed, every version of it. Imports nothing of ours.
//!
//! A predicate type picks its reader from [`KINDS`]. Older rows lift their record to today's shape with pure
//! functions; a released shape never changes (golden files in `fixtures/envelopes/` prove it).

pub(crate) mod bypass_v1;
pub(crate) mod change_v1;
pub(crate) mod digest;
pub(crate) mod head;
pub(crate) mod identity_v1;
pub(crate) mod json;
pub(crate) mod parts_v1;
pub(crate) mod population_v1;
pub(crate) mod pull_request_v1;
pub(crate) mod quick;
pub(crate) mod review_v1;
pub(crate) mod run_v1;
pub(crate) mod test_result;
pub(crate) mod test_run_v1;

pub(crate) use bypass_v1::BypassRecord;
pub(crate) use change_v1::ChangeRecord;
pub(crate) use identity_v1::without_identity;
pub(crate) use population_v1::PopulationRecord;
pub(crate) use review_v1::ReviewRecord;
pub(crate) use run_v1::RunRecord;

/// The namespace of all our predicate types.
pub(crate) const NAMESPACE: &str = "https://vouchsafe.dev";

/// Version that new records carry. Same major as the predicate type's.
pub(crate) const SCHEMA_VERSION: &str = "1.0.0";

/// A kind of record in one major version.
pub(crate) struct Kind {
    /// `run`: the word in the address and in the predicate type.
    pub name: &'static str,
    /// Major version.
    pub major: u32,
    /// Reads a predicate of this kind and version, lifted to today's shape.
    read: fn(&[u8], &mut Vec<String>) -> Result<Record, serde_json::Error>,
    /// The JSON Schema (draft 2020-12) of the predicate.
    pub schema: fn() -> schemars::Schema,
}

/// TABLE of every record version ever released.
pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "run",
        major: 1,
        read: |b, extra| Ok(Record::Run(quickly(b, extra)?)),
        schema: schema_of::<RunRecord>,
    },
    Kind {
        name: "change",
        major: 1,
        read: |b, extra| Ok(Record::Change(tolerant(b, extra)?)),
        schema: schema_of::<ChangeRecord>,
    },
    Kind {
        name: "bypass",
        major: 1,
        read: |b, extra| Ok(Record::Bypass(tolerant(b, extra)?)),
        schema: schema_of::<BypassRecord>,
    },
    Kind {
        name: "review",
        major: 1,
        read: |b, extra| Ok(Record::Review(tolerant(b, extra)?)),
        schema: schema_of::<ReviewRecord>,
    },
    Kind {
        name: "population",
        major: 1,
        read: |b, extra| Ok(Record::Population(tolerant(b, extra)?)),
        schema: schema_of::<PopulationRecord>,
    },
];

impl Kind {
    /// `https://vouchsafe.dev/run/v1`. Compared as an opaque string (in-toto v1, predicate types).
    pub(crate) fn predicate_type(&self) -> String {
        format!("{NAMESPACE}/{}/v{}", self.name, self.major)
    }
}

/// A record of any kind, in today's shape.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub(crate) enum Record {
    /// One pipeline run or manual deployment.
    Run(Box<RunRecord>),
    /// How commits got onto a branch.
    Change(Box<ChangeRecord>),
    /// A control that was set aside.
    Bypass(Box<BypassRecord>),
    /// A later review.
    Review(Box<ReviewRecord>),
    /// What the platform says happened.
    Population(Box<PopulationRecord>),
}

/// A predicate, read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Read {
    /// The record.
    pub record: Record,
    /// The version it was written in.
    pub source_version: String,
    /// Paths of fields that this program does not know: a newer minor version wrote them. Kept in the signed bytes.
    pub unknown_fields: Vec<String>,
}

/// Why a predicate could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// A kind or major version this program does not know. Its signature and address can still be checked.
    #[error("predicate type `{0}` is not one this version reads")]
    UnknownType(String),
    /// Same major, newer minor, and it says something this program cannot understand.
    #[error("written by schema {version}, newer than {SCHEMA_VERSION}, and not understood: {cause}")]
    Newer {
        /// The version that wrote it.
        version: String,
        /// What was not understood, and where.
        cause: serde_json::Error,
    },
    /// It claims a version that this program knows and does not have its shape.
    #[error("does not have the shape it claims: {0}")]
    Shape(#[from] serde_json::Error),
    /// `schemaVersion` is missing, is not a version, or its major contradicts the predicate type.
    #[error("`schemaVersion` {0}")]
    Version(String),
}

impl ReadError {
    /// Whether a newer vouchsafe may be able to read it.
    pub(crate) fn is_unsupported(&self) -> bool {
        matches!(self, Self::UnknownType(_) | Self::Newer { .. })
    }
}

/// Reads the predicate `bytes` of type `predicate_type`. `bytes` must already be strict JSON (no duplicate keys).
pub(crate) fn read(predicate_type: &str, bytes: &[u8]) -> Result<Read, ReadError> {
    let kind = KINDS
        .iter()
        .find(|k| k.predicate_type() == predicate_type)
        .ok_or_else(|| ReadError::UnknownType(predicate_type.to_owned()))?;
    let mut unknown_fields = Vec::new();
    let read = (kind.read)(bytes, &mut unknown_fields);
    let version = match &read {
        Ok(record) => record.head().schema_version.to_owned(),
        Err(_) => claimed_version(bytes)?,
    };
    let (major, minor) =
        major_minor(&version).ok_or_else(|| ReadError::Version(format!("`{version}` is not MAJOR.MINOR.PATCH")))?;
    if major != kind.major {
        return Err(ReadError::Version(format!("`{version}` contradicts the predicate type `{predicate_type}`")));
    }
    let ours = major_minor(SCHEMA_VERSION).map_or(0, |v| v.1);
    match read {
        Ok(record) => Ok(Read { record, source_version: version, unknown_fields }),
        Err(cause) if minor > ours => Err(ReadError::Newer { version, cause }),
        Err(cause) => Err(cause.into()),
    }
}

/// The version that a predicate claims whose shape was not understood.
fn claimed_version(bytes: &[u8]) -> Result<String, ReadError> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        schema_version: Option<String>,
    }
    serde_json::from_slice::<Version>(bytes)?.schema_version.ok_or_else(|| ReadError::Version("is missing".into()))
}

/// Major and minor of a semantic version whose numbers print back to the same text.
fn major_minor(version: &str) -> Option<(u32, u32)> {
    let numbers: Vec<u32> = version
        .split('.')
        .map(|part| part.parse::<u32>().ok().filter(|n| n.to_string() == part))
        .collect::<Option<_>>()?;
    match numbers[..] {
        [major, minor, _patch] => Some((major, minor)),
        _ => None,
    }
}

/// The record as fast as its text can be copied, where that reader does not give up: vaults hold mostly runs.
fn quickly<T: serde::de::DeserializeOwned>(bytes: &[u8], extra: &mut Vec<String>) -> Result<Box<T>, serde_json::Error> {
    match std::str::from_utf8(bytes).ok().and_then(quick::read) {
        Some(value) => Ok(Box::new(value)),
        None => tolerant(bytes, extra),
    }
}

/// Deserializes and collects the path of every field that the type does not have.
fn tolerant<T: serde::de::DeserializeOwned>(
    bytes: &[u8],
    extra: &mut Vec<String>,
) -> Result<Box<T>, serde_json::Error> {
    let mut de = serde_json::Deserializer::from_slice(bytes);
    let value = serde_ignored::deserialize(&mut de, |path| extra.push(path.to_string()))?;
    de.end()?;
    Ok(Box::new(value))
}

fn schema_of<T: schemars::JsonSchema>() -> schemars::Schema {
    schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}
