//! The trust set: whose signatures count, from when to when, and for which environments.

use super::error::shown;
use super::key::PublicKey;
use super::strict_json::StrictError;
use super::token;
use chrono::{DateTime, SecondsFormat, Utc};

/// The version that is written, and the only one that is read.
pub(super) const VERSION: u64 = 1;
/// Bounds the work of trying every key on every signature.
const MAX_KEYS: usize = 1024;
/// Bounds the same for key sets of issuers.
const MAX_ISSUERS: usize = 256;

/// A key and what it is trusted for. Only ever whole: reading and adding check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrustedKey {
    /// The key.
    pub(crate) key: PublicKey,
    /// Who or what holds it.
    pub(crate) name: Option<String>,
    /// First instant that it is trusted for. `None`: from the beginning.
    pub(crate) valid_from: Option<DateTime<Utc>>,
    /// Last instant that it is trusted for. `None`: no end.
    pub(crate) valid_until: Option<DateTime<Utc>>,
    /// Environments that it may sign for; `*` stands for any characters. `None`: all.
    pub(crate) environments: Option<Vec<String>>,
    /// From this instant on it is trusted for nothing; set it to when the key may have got lost, not to today.
    pub(crate) revoked_on: Option<DateTime<Utc>>,
    /// Why.
    pub(crate) revoked_why: Option<String>,
}

impl TrustedKey {
    /// A key that is trusted for everything.
    pub(crate) fn new(key: PublicKey) -> Self {
        let (valid_from, valid_until, revoked_on) = (None, None, None);
        Self { key, name: None, valid_from, valid_until, environments: None, revoked_on, revoked_why: None }
    }

    fn check(&self) -> Result<(), String> {
        if self.valid_from.zip(self.valid_until).is_some_and(|(from, until)| from > until) {
            return Err("validFrom is after validUntil".into());
        }
        if self.environments.as_ref().is_some_and(|list| list.is_empty() || list.iter().any(String::is_empty)) {
            return Err("environments is empty; leave it out to mean all".into());
        }
        if self.revoked_why.is_some() && self.revoked_on.is_none() {
            return Err("revokedWhy stands without revokedOn".into());
        }
        Ok(())
    }
}

/// A key set (RFC 7517) with which somebody else signs identity tokens, as it was when somebody looked at it and believed it.
/// Issuers change their keys, so that one may have several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PinnedIssuer {
    /// Who signs (`iss`), exactly as it stands in the tokens.
    pub(crate) issuer: String,
    /// The key set, as JSON.
    pub(crate) jwks: String,
    /// When it was pinned.
    pub(crate) pinned_on: DateTime<Utc>,
}

/// Why a trust set was not read or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustError {
    /// Not strict JSON.
    #[error("could not read the trust set: {0}")]
    Json(#[from] StrictError),
    /// JSON of another shape. An unknown member is one: it may be a limit that has to hold.
    #[error("could not read the trust set: {0}")]
    Shape(String),
    /// Written by a newer program.
    #[error("could not read the trust set: its version is {0}, and this program reads {VERSION}")]
    Version(u64),
    /// A key in it is wrong.
    #[error("could not trust keys[{index}]: {why}")]
    Key {
        /// Which key, from 0.
        index: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A key set in it is wrong.
    #[error("could not trust issuers[{index}]: {why}")]
    Issuer {
        /// Which one, from 0.
        index: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The key set is in it already.
    #[error("these keys of {0} are in the trust set already")]
    Pinned(String),
    /// The key is in it already.
    #[error("the key {0} is in the trust set already")]
    Known(String),
    /// The key is not in it.
    #[error("the key {0} is not in the trust set")]
    Unknown(String),
    /// The key is revoked already, from an earlier instant.
    #[error("the key {keyid} is revoked since {since} already; a revocation is only ever moved to an earlier time")]
    Revoked {
        /// The key.
        keyid: String,
        /// Since when.
        since: String,
    },
}

/// Why a key's signature does not count here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Distrust {
    /// No such key.
    #[error("the key {0} is not in the trust set")]
    Unknown(String),
    /// Before its window.
    #[error("the key {0} is trusted only from {1} on")]
    NotYetValid(String, String),
    /// After its window.
    #[error("the key {0} was trusted only until {1}")]
    Expired(String, String),
    /// Not for this environment.
    #[error("the key {0} may not sign for the environment `{1}`, only for {2}")]
    NotForEnvironment(String, String, String),
    /// Revoked.
    #[error("the key {0} is revoked since {1}{why}", why = .2.as_ref().map_or(String::new(), |w| format!(": {w}")))]
    Revoked(String, String, Option<String>),
}

/// That a key is trusted for something, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trusted {
    /// One line: which key, for what, from when to when.
    pub(crate) why: String,
    /// The key's name.
    pub(crate) name: Option<String>,
}

/// The public keys that are believed, in the order they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TrustSet {
    keys: Vec<(String, TrustedKey)>,
    issuers: Vec<PinnedIssuer>,
}

impl TrustSet {
    /// A set that trusts `key` for everything: what a single `public.pem` says.
    pub(crate) fn of(key: PublicKey) -> Self {
        Self { keys: vec![(key.keyid(), TrustedKey::new(key))], issuers: Vec::new() }
    }

    /// Adds a key that is not there yet.
    pub(crate) fn add(&mut self, key: TrustedKey) -> Result<(), TrustError> {
        let (index, keyid) = (self.keys.len(), key.key.keyid());
        if index == MAX_KEYS {
            return Err(TrustError::Key { index, why: format!("there are {MAX_KEYS} keys already") });
        }
        key.check().map_err(|why| TrustError::Key { index, why })?;
        if self.get(&keyid).is_some() {
            return Err(TrustError::Known(keyid));
        }
        self.keys.push((keyid, key));
        Ok(())
    }

    /// Pins a key set of an issuer, beside those that are pinned already.
    pub(crate) fn pin(&mut self, mut pinned: PinnedIssuer) -> Result<(), TrustError> {
        let index = self.issuers.len();
        let wrong = |why: String| TrustError::Issuer { index, why };
        if index == MAX_ISSUERS {
            return Err(wrong(format!("there are {MAX_ISSUERS} key sets already")));
        }
        let loopback = ["http://127.0.0.1", "http://localhost"].iter().any(|start| pinned.issuer.starts_with(start));
        let odd = pinned.issuer.chars().any(|c| c.is_whitespace() || c.is_control());
        if odd || !(pinned.issuer.starts_with("https://") || loopback) {
            return Err(wrong(format!("the issuer `{}` is no https:// address", shown(&pinned.issuer))));
        }
        token::kids(&pinned.jwks).map_err(|e| wrong(e.to_string()))?;
        // one spelling of a set, whatever its white space
        let jwks: serde_json::Value = serde_json::from_str(&pinned.jwks).map_err(|e| wrong(e.to_string()))?;
        pinned.jwks = jwks.to_string();
        if self.issuers.iter().any(|p| p.issuer == pinned.issuer && p.jwks == pinned.jwks) {
            return Err(TrustError::Pinned(pinned.issuer));
        }
        self.issuers.push(pinned);
        Ok(())
    }

    /// The pinned key sets, in the order of the file.
    pub(crate) fn issuers(&self) -> &[PinnedIssuer] {
        &self.issuers
    }

    /// Revokes a key from `on` on, which may be moved to an earlier instant later, and never back.
    pub(crate) fn revoke(&mut self, keyid: &str, on: DateTime<Utc>, why: Option<String>) -> Result<(), TrustError> {
        let unknown = || TrustError::Unknown(keyid.to_owned());
        let key = self.keys.iter_mut().find(|(id, _)| id == keyid).map(|(_, k)| k).ok_or_else(unknown)?;
        if let Some(since) = key.revoked_on.filter(|since| *since <= on) {
            return Err(TrustError::Revoked { keyid: keyid.to_owned(), since: text(since) });
        }
        key.revoked_on = Some(on);
        key.revoked_why = why.or(key.revoked_why.take());
        Ok(())
    }

    /// The key of that keyid.
    pub(crate) fn get(&self, keyid: &str) -> Option<&TrustedKey> {
        self.iter().find(|(id, _)| *id == keyid).map(|(_, k)| k)
    }

    /// Every key with its keyid, in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &TrustedKey)> {
        self.keys.iter().map(|(id, k)| (id.as_str(), k))
    }

    /// Whether a signature by `keyid` counts for `environment` at the instant `on`, and why.
    ///
    /// Take `on` from something that the signer cannot choose where there is such a thing (the store's time, the
    /// ledger): whoever steals a key can date a record back.
    pub(crate) fn covers(&self, keyid: &str, environment: &str, on: DateTime<Utc>) -> Result<Trusted, Distrust> {
        let key = self.get(keyid).ok_or_else(|| Distrust::Unknown(shown(keyid)))?;
        let who = key.name.as_ref().map_or(keyid.to_owned(), |name| format!("{keyid} ({name})"));
        if let Some(since) = key.revoked_on.filter(|since| on >= *since) {
            return Err(Distrust::Revoked(who, text(since), key.revoked_why.clone()));
        }
        if let Some(from) = key.valid_from.filter(|from| on < *from) {
            return Err(Distrust::NotYetValid(who, text(from)));
        }
        if let Some(until) = key.valid_until.filter(|until| on > *until) {
            return Err(Distrust::Expired(who, text(until)));
        }
        let list = key.environments.as_deref();
        if list.is_some_and(|list| !list.iter().any(|pattern| matches(pattern, environment))) {
            let allowed = list.unwrap_or_default().join(", ");
            return Err(Distrust::NotForEnvironment(who, shown(environment), allowed));
        }
        let mut why = format!("the key {who} is trusted for ");
        why.push_str(&list.map_or("all environments".to_owned(), |list| list.join(", ")));
        let limits = [("from", key.valid_from), ("until", key.valid_until), ("and revoked only since", key.revoked_on)];
        for (word, limit) in limits {
            if let Some(limit) = limit {
                why.push_str(&format!(" {word} {}", text(limit)));
            }
        }
        Ok(Trusted { why, name: key.name.clone() })
    }
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Whether `text` is `pattern`, where `*` stands for any characters, also none. In linear memory and without recursion.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        // the earliest place leaves the most for the parts that follow
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
