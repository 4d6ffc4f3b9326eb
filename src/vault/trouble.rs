//! What an error of a store means for us: settled, to be settled, or final.

use super::error::{find, innermost, scrub};
use super::wire::Answer;
use super::{Opened, VaultError};
use object_store::client::HttpError;
use std::io;

/// What went wrong with one request.
pub(super) enum Trouble {
    /// Something stands there already.
    Exists,
    /// Nothing stands there.
    Missing,
    /// Refused for now, and surely not done: another writer was in between (S3 409 ConditionalRequestConflict).
    Busy(String),
    /// Nobody knows whether it was done.
    Unclear(String),
    /// No use trying again.
    Firm(VaultError),
}

const HELP_KEY: &str =
    "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: they do not belong together or not here";
const HELP_EXPIRED: &str = "the session has expired: get fresh credentials in the step that runs vouchsafe";
const HELP_CLOCK: &str = "set the clock of this machine";
const HELP_REGION: &str = "set AWS_REGION to the region of the bucket";
const HELP_RIGHTS: &str = "writing needs s3:PutObject, s3:PutObjectTagging, s3:PutObjectRetention and s3:PutObjectLegalHold, reading back \
     s3:GetObject, s3:GetObjectVersion, s3:GetObjectRetention, s3:GetObjectLegalHold and s3:ListBucket";

/// Error codes of S3 that deserve their own advice.
const ADVICE: [(&str, &str); 9] = [
    ("SignatureDoesNotMatch", HELP_KEY),
    ("InvalidAccessKeyId", HELP_KEY),
    ("InvalidToken", HELP_KEY),
    ("InvalidSecurity", HELP_KEY),
    ("ExpiredToken", HELP_EXPIRED),
    ("RequestExpired", HELP_EXPIRED),
    ("RequestTimeTooSkewed", HELP_CLOCK),
    ("AuthorizationHeaderMalformed", HELP_REGION),
    ("AuthorizationQueryParametersError", HELP_REGION),
];

/// What to do about an error code that speaks of credentials, clock or region; `None` for any other.
pub(super) fn advice(code: &str) -> Option<&'static str> {
    ADVICE.iter().find(|(c, _)| *c == code).map(|(_, help)| *help)
}

impl Opened {
    /// Sorts an error of `object_store`. `doing` completes "could not …"; `locking` says that a lock was asked for.
    pub(super) fn sort(&self, error: object_store::Error, doing: &str, locking: bool) -> Trouble {
        if let Some(answer) = find::<Answer>(&error) {
            return self.sort_answer(answer, doing, locking);
        }
        match &error {
            object_store::Error::AlreadyExists { .. } => return Trouble::Exists,
            object_store::Error::NotFound { .. } => return Trouble::Missing,
            _ => {}
        }
        let why = scrub(&innermost(&error), &self.secrets);
        if self.folder.is_some() {
            let linking = error.to_string().contains("Unable to rename file");
            let why = local_cause(find::<io::Error>(&error).map(io::Error::kind), linking, why);
            return Trouble::Firm(VaultError::Other { doing: doing.into(), why });
        }
        if find::<HttpError>(&error).is_some() {
            return Trouble::Unclear(why);
        }
        // An answer that could not be read (no ETag, broken XML) after a request that may well have been done.
        Trouble::Unclear(format!("the store's answer could not be read: {why}"))
    }

    /// Sorts a refusal.
    pub(super) fn sort_answer(&self, answer: &Answer, doing: &str, locking: bool) -> Trouble {
        let why = scrub(&answer.to_string(), &self.secrets);
        let (code, doing, location) = (answer.code.as_str(), doing.to_owned(), self.location.clone());
        if let Some(help) = advice(code).filter(|_| (400..500).contains(&answer.status)) {
            return Trouble::Firm(VaultError::Denied { doing, why, help });
        }
        match answer.status {
            412 => Trouble::Exists,
            409 => Trouble::Busy(why),
            404 if code == "NoSuchBucket" => Trouble::Firm(VaultError::NoBucket { location, why }),
            404 => Trouble::Missing,
            401 | 403 => Trouble::Firm(VaultError::Denied { doing, why, help: HELP_RIGHTS }),
            400 | 405 | 422 | 501 if locking && about_locks(answer) => {
                Trouble::Firm(VaultError::LockRefused { location, why })
            }
            501 => Trouble::Firm(VaultError::Other { doing, why }),
            408 | 429 | 500..=599 => Trouble::Unclear(why),
            300..=399 => {
                let region = answer.region.as_deref().map(|r| format!(": set AWS_REGION={}", scrub(r, &[])));
                let why = format!("{why}; the bucket is in another region{}", region.unwrap_or_default());
                Trouble::Firm(VaultError::Other { doing, why })
            }
            _ => Trouble::Firm(VaultError::Other { doing, why }),
        }
    }
}

/// S3 answers `InvalidRequest` for a bucket without lock and `InvalidArgument` for a bad period; only the message tells.
fn about_locks(answer: &Answer) -> bool {
    let text = format!("{} {}", answer.code, answer.message).to_ascii_lowercase();
    ["lock", "retention", "retain", "worm"].iter().any(|word| text.contains(word))
}

/// The cause of a failed file operation, with the way out. `linking`: it was the link that makes a put write-once.
pub(super) fn local_cause(kind: Option<io::ErrorKind>, linking: bool, why: String) -> String {
    let help = match kind {
        Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => "make room and run the step again",
        Some(io::ErrorKind::ReadOnlyFilesystem) => "mount the folder writable or give another --vault",
        Some(io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) if linking => {
            "this file system has no hard links, which write-once needs; use a local disk or a bucket"
        }
        Some(io::ErrorKind::PermissionDenied) => {
            "the folder must be writable (and readable) by the user that runs this step; in a container mind its uid"
        }
        Some(io::ErrorKind::NotADirectory) => "a file stands where a folder has to be",
        Some(io::ErrorKind::IsADirectory) => "a folder stands where the file has to be",
        _ => return why,
    };
    format!("{why}\n{help}")
}
