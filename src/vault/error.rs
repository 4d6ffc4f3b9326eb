//! What can go wrong with a store, in words that say what to do; never a secret, a signature or a whole answer.

use super::Put;
use super::lock::Retention;
use crate::record::digest::Sha256Digest;

/// An error of the vault. A caller branches on the variant; the message is for people.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    /// The vault's URL cannot be understood.
    #[error("could not open the vault `{url}`: {why}")]
    Url { url: String, why: String },
    /// No credentials, or the place that gives them out did not.
    #[error(
        "could not get credentials for {location}: {why}\nset AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or let the runner \
         have a role (web identity, container or instance). Profiles of ~/.aws and SSO are not read: run \
         `eval \"$(aws configure export-credentials --format env)\"` first"
    )]
    Credentials { location: String, why: String },
    /// The store knows us not, or may not let us.
    #[error("could not {doing}: the store refused it ({why})\n{help}")]
    Denied { doing: String, why: String, help: &'static str },
    /// The bucket is not there.
    #[error(
        "could not find the bucket of {location}: {why}\ncreate it (with versioning and object lock) or correct the URL"
    )]
    NoBucket { location: String, why: String },
    /// No answer that settles anything, after every retry.
    #[error(
        "could not {doing}: {why} ({tries} tries)\ncheck the endpoint, the region, the network and (for a private certificate) AWS_CA_BUNDLE, then try again"
    )]
    Unreachable { doing: String, why: String, tries: u32 },
    /// A different object stands at the address. Both are kept: write-once held. `theirs` is what stands there, read whole
    /// (at most [`LIMIT`](super::LIMIT)), so that a lost race needs no second read. The one box keeps every `Result` small.
    #[error(
        "a different record already stands at `{address}`: sha256 {theirs_sha256}, ours is {ours_sha256}\nnothing was \
         overwritten; if both are real, name them apart with --component"
    )]
    Different {
        address: String,
        uri: String,
        ours_sha256: Box<Sha256Digest>,
        theirs_sha256: Sha256Digest,
        theirs: Vec<u8>,
    },
    /// The store accepted our bytes and gives back others.
    #[error(
        "the store does not give back what it accepted at {uri}: sha256 {theirs_sha256}, ours is {ours_sha256}\ndo not \
         trust this store; `vouchsafe doctor` tells more"
    )]
    Corrupt { uri: String, ours_sha256: Sha256Digest, theirs_sha256: Sha256Digest },
    /// The record is stored, but not under the lock that was asked for.
    #[error("the record is stored at {}, but the lock was not observed: asked for {asked}, {why}", put.uri)]
    LockNotObserved { asked: Retention, why: String, put: Box<Put> },
    /// The store refused the put because of the lock. Nothing is stored.
    #[error(
        "{location} refused the object lock, nothing was stored: {why}\nuse a bucket that was created with object lock, or \
         say --lock-mode none and live without WORM"
    )]
    LockRefused { location: String, why: String },
    /// More than we are ready to hold in memory.
    #[error("`{address}` is {size} bytes; a record is at most {limit}")]
    TooLarge { address: String, size: u64, limit: u64 },
    /// Nothing stands there.
    #[error("there is nothing at {place}")]
    NotFound { place: String },
    /// Anything else.
    #[error("could not {doing}: {why}")]
    Other { doing: String, why: String },
}

/// Makes text of a store or library fit for a message: our secrets and every URL's user and query (passwords and signatures
/// live there) taken out, control characters dropped, at most 300 characters.
pub(super) fn scrub(text: &str, secrets: &[String]) -> String {
    let mut clean = text.to_owned();
    for secret in secrets.iter().filter(|s| s.len() >= 4) {
        clean = clean.replace(secret.as_str(), "***");
    }
    let mut words = Vec::new();
    for word in clean.split_whitespace() {
        let mut word = word.to_owned();
        if let Some((before, host)) = word.rsplit_once('@')
            && let Some((scheme, _)) = before.split_once("://")
        {
            word = format!("{scheme}://…@{host}");
        }
        // A query, or a bare pair of one.
        let lower = word.to_ascii_lowercase();
        let at = [lower.find("://").and_then(|_| lower.find('?')), lower.find("x-amz-"), lower.find("signature=")];
        words.push(match at.into_iter().flatten().min() {
            Some(at) if lower.contains('=') => format!("{}…", word.get(..at).unwrap_or_default()),
            _ => word,
        });
    }
    let clean: String = words.join(" ").chars().filter(|c| !c.is_control()).collect();
    match clean.char_indices().nth(300) {
        Some((at, _)) => format!("{}…", clean.get(..at).unwrap_or_default()),
        None => clean,
    }
}

/// The innermost cause, which says most in fewest words.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut at = error;
    while let Some(next) = at.source() {
        at = next;
    }
    at.to_string()
}

/// The first error of type `T` in a chain of causes.
pub(super) fn find<'a, T: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a T> {
    let mut at = Some(error);
    while let Some(e) = at {
        if let Some(found) = e.downcast_ref() {
            return Some(found);
        }
        at = e.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_secret_or_signature_gets_into_a_message() {
        let secrets = ["wJalrXUtnFEMI".to_owned(), "AQoEXAMPLEtoken//".to_owned(), String::new()];
        for (text, want) in [
            ("plain words", "plain words"),
            ("key wJalrXUtnFEMI said no", "key *** said no"),
            ("GET https://b.s3.amazonaws.com/k?X-Amz-Signature=abc failed", "GET https://b.s3.amazonaws.com/k… failed"),
            ("bad x-amz-security-token=AQoEXAMPLEtoken// here", "bad … here"),
            (
                "Authorization: AWS4-HMAC-SHA256 Credential=AK/1, Signature=deadbeef",
                "Authorization: AWS4-HMAC-SHA256 Credential=AK/1, …",
            ),
            ("in s3://AK:SECRET@host/b?", "in s3://…@host/b?"),
            ("a\u{1b}[31mb\0\nc", "a[31mb c"),
        ] {
            assert_eq!(scrub(text, &secrets), want);
        }
        assert_eq!(scrub(&"x".repeat(5000), &[]).chars().count(), 301);
    }

    proptest! {
        #[test]
        fn scrubbing_never_panics_and_is_bounded(text: String, secret in "[A-Za-z0-9]{8,20}") {
            let out = scrub(&format!("{text}{secret}{text}"), std::slice::from_ref(&secret));
            prop_assert!(!out.contains(&secret));
            prop_assert!(out.chars().count() <= 301);
        }
    }
}
