//! The trust set as a JSON file, read strictly.

use super::error::shown;
use super::key::PublicKey;
use super::strict_json::{self, Numbers};
use super::trust::{PinnedIssuer, TrustError, TrustSet, TrustedKey, VERSION};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The largest file that is read, in bytes.
const MAX_BYTES: usize = 4 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u64,
    keys: Vec<Row>,
    /// Absent in files that pin nothing, also in all that were written before there was such a thing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    issuers: Vec<IssuerRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct IssuerRow {
    issuer: String,
    jwks: Value,
    pinned_on: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Row {
    keyid: String,
    public_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_from: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_until: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environments: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_on: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_why: Option<String>,
}

impl TrustSet {
    /// Reads the JSON file strictly: every key whole, not weak, under its own keyid, and only once.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, TrustError> {
        #[derive(Deserialize)]
        struct Version {
            version: u64,
        }
        if bytes.len() > MAX_BYTES {
            return Err(TrustError::Shape(format!("it has {} bytes, more than {MAX_BYTES}", bytes.len())));
        }
        strict_json::check(bytes, Numbers::Any)?;
        let shape = |e: serde_json::Error| TrustError::Shape(strict_json::complaint(&e));
        // the version first: a newer file may have members that are not known here, and should say so by its version
        let version = serde_json::from_slice::<Version>(bytes).map_err(shape)?.version;
        if version != VERSION {
            return Err(TrustError::Version(version));
        }
        let file: File = serde_json::from_slice(bytes).map_err(shape)?;
        let mut set = Self::default();
        for (index, row) in file.keys.into_iter().enumerate() {
            let wrong = |why: String| TrustError::Key { index, why };
            let key = PublicKey::parse(&row.public_key).map_err(|e| wrong(e.to_string()))?;
            if key.keyid() != row.keyid {
                return Err(wrong(format!("its keyid is {}, not `{}`", key.keyid(), shown(&row.keyid))));
            }
            let trusted = TrustedKey {
                key,
                name: row.name,
                valid_from: row.valid_from,
                valid_until: row.valid_until,
                environments: row.environments,
                revoked_on: row.revoked_on,
                revoked_why: row.revoked_why,
            };
            set.add(trusted).map_err(|e| match e {
                TrustError::Key { why, .. } => wrong(why),
                other => wrong(other.to_string()),
            })?;
        }
        for row in file.issuers {
            let IssuerRow { issuer, jwks, pinned_on } = row;
            set.pin(PinnedIssuer { issuer, jwks: jwks.to_string(), pinned_on })?;
        }
        Ok(set)
    }

    /// The JSON file: pretty, the same bytes for the same set, a newline at the end.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let row = |(keyid, k): (&str, &TrustedKey)| Row {
            keyid: keyid.to_owned(),
            public_key: k.key.to_pem(),
            name: k.name.clone(),
            valid_from: k.valid_from,
            valid_until: k.valid_until,
            environments: k.environments.clone(),
            revoked_on: k.revoked_on,
            revoked_why: k.revoked_why.clone(),
        };
        let issuer = |pinned: &PinnedIssuer| {
            let jwks = serde_json::from_str(&pinned.jwks)?;
            Ok(IssuerRow { issuer: pinned.issuer.clone(), jwks, pinned_on: pinned.pinned_on })
        };
        let issuers = self.issuers().iter().map(issuer).collect::<Result<_, serde_json::Error>>()?;
        let file = File { version: VERSION, keys: self.iter().map(row).collect(), issuers };
        let mut bytes = serde_json::to_vec_pretty(&file)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}
