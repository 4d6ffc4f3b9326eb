//! What a record's platform identity is worth: the platform's token, checked against keys that somebody pinned, against what our
//! own signature covers, and against what the record says.
//!
//! Offline, and years later: a token's `exp` says until when it opened doors, and nothing of what it proves.

mod claims;
mod compare;
#[cfg(test)]
mod tests;

pub(crate) use claims::kept;
pub(crate) use compare::contradictions;

use super::{Entry, Verdict};
use crate::record::digest::Sha256Digest;
use crate::record::identity_v1::{Binding, Identity};
use crate::record::{RunRecord, json, without_identity};
use crate::seal::statement::parse_statement;
use crate::seal::token::{self, Claims, TokenError};
use crate::seal::trust::TrustSet;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use compare::Weight;

/// How long before the record's own time a token for that very record may have been issued: two clocks differ.
const BEFORE: TimeDelta = TimeDelta::minutes(15);
/// How long after: gathering begins at the record's time, and reports, files and APIs may keep it busy.
const AFTER: TimeDelta = TimeDelta::minutes(60);
/// How long after the end of a token that a job was given at its start the job may have made its record.
const JOB: TimeDelta = TimeDelta::hours(24);

/// What a platform's identity is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// It holds, by keys that were pinned.
    Confirmed,
    /// It holds, by keys that the record itself brought along: whoever wrote the record could have made them.
    Claimed,
    /// There is no token, or no key, to check.
    Unchecked,
    /// It holds, or cannot be checked, and says something else than the record.
    Contradicted,
    /// It does not hold, or is another record's.
    Broken,
}

impl State {
    /// The word in every output.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Claimed => "claimed",
            Self::Unchecked => "unchecked",
            Self::Contradicted => "contradicted",
            Self::Broken => "broken",
        }
    }
}

/// What a platform's identity is worth, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) state: State,
    pub(crate) why: String,
    /// Who issued the token, as the record says.
    pub(crate) issuer: String,
}

/// The audience of a token for the record of these bytes, which have no `identity`.
pub(crate) fn audience(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256Digest::of(bytes))
}

/// The audience of a token for `record`.
pub(crate) fn audience_of(record: &RunRecord) -> Result<String, serde_json::Error> {
    let without = RunRecord { identity: None, ..record.clone() };
    Ok(audience(&json::to_vec(&without)?))
}

/// Checks the identity of a record whose own signature holds; `None` where there is none.
pub(crate) fn check(entry: &Entry, trust: &TrustSet) -> Option<Checked> {
    let run = entry.record.as_ref()?.as_run()?;
    let identity = run.identity.as_ref()?;
    if !matches!(entry.verdict, Verdict::Valid | Verdict::Unlinked | Verdict::Moved) {
        return None;
    }
    let payload = entry.payload.as_deref().and_then(|payload| parse_statement(payload).ok())?;
    let (state, why) = judge(run, identity, payload.predicate()?, trust).unwrap_or_else(|why| (State::Broken, why));
    Some(Checked { state, why, issuer: identity.issuer.clone() })
}

/// The verdict; an error is why it is broken.
fn judge(run: &RunRecord, identity: &Identity, predicate: &[u8], trust: &TrustSet) -> Result<(State, String), String> {
    let unreadable = |e: serde_json::Error| format!("the record without it cannot be read: {e}");
    let ours = audience(&without_identity(predicate).map_err(unreadable)?);
    let Some(token) = &identity.token else { return without_token(run, identity, &ours) };
    if Sha256Digest::of(token.as_bytes()).to_string() != identity.token_sha256 {
        return Err("the token is not the one whose digest the record names".to_owned());
    }
    let claims = token::peek_unverified(token).map_err(|e| format!("the token cannot be read: {e}"))?;
    if claims.text("iss") != Some(&identity.issuer) {
        return Err("the token is another issuer's than the record says".to_owned());
    }
    bound(identity.binding, &claims.audiences(), &ours)?;
    let misquoted = |(name, value): (&String, &String)| kept(&claims, true).get(name) != Some(value);
    if identity.claims.iter().any(misquoted) {
        return Err("the token does not say what the record quotes from it".to_owned());
    }
    in_time(run.recorded_on, identity.binding, &claims)?;
    let (mut state, mut why) = signed(identity, token, trust)?;
    let differences = compare::with(&kept(&claims, true), run);
    // Nothing else ties the two together.
    let elsewhere = |d: &&compare::Difference| d.weight != Weight::Fact && identity.binding == Binding::TokenDigest;
    if let Some(other) = differences.iter().find(elsewhere) {
        return Err(format!("the token is another run's: {}", other.told));
    }
    let mut told: Vec<String> = differences.into_iter().map(|d| d.told).collect();
    told.extend(identity.contradictions.iter().filter(|c| !told.contains(c)).cloned().collect::<Vec<_>>());
    if !told.is_empty() {
        return Ok((State::Contradicted, format!("{}; {why}", told.join("; "))));
    }
    if !compare::names_the_run(&kept(&claims, true), run) {
        why = format!("the token does not say which run it is for; {why}");
        state = state.max(State::Claimed);
    }
    Ok((state, why))
}

/// What can be said where the token was not kept.
fn without_token(run: &RunRecord, identity: &Identity, ours: &str) -> Result<(State, String), String> {
    if let (Binding::Audience, Some(aud)) = (identity.binding, identity.claims.get("aud")) {
        bound(identity.binding, &[aud], ours)?;
    }
    let mut told = contradictions(&identity.claims, run);
    told.extend(identity.contradictions.iter().filter(|c| !told.contains(c)).cloned().collect::<Vec<_>>());
    if !told.is_empty() {
        return Ok((State::Contradicted, told.join("; ")));
    }
    let checked = match identity.checked_on {
        Some(on) => format!("when the record was made, on {}, it held, says the record", text(on)),
        None => "it was not checked when the record was made either".to_owned(),
    };
    Ok((State::Unchecked, format!("the token was not kept, so it cannot be checked any more; {checked}")))
}

/// Whether the token is for this record.
fn bound(binding: Binding, audiences: &[&str], ours: &str) -> Result<(), String> {
    // A token for one record must not pass as one that was fixed before.
    let by_digest = binding == Binding::Audience || audiences.iter().any(|aud| aud.starts_with("sha256:"));
    if by_digest && audiences.len() != 1 {
        return Err(format!("the token is for {} audiences, and not for this record alone", audiences.len()));
    }
    if by_digest && audiences != [ours] {
        return Err("the token is for another record, or the record was changed after it was issued".to_owned());
    }
    Ok(())
}

/// Whether the token was issued when it must have been.
fn in_time(recorded_on: DateTime<Utc>, binding: Binding, claims: &Claims) -> Result<(), String> {
    let Some(issued) = claims.issued_on() else { return Err("the token does not say when it was issued".to_owned()) };
    let latest = match binding {
        Binding::Audience => issued + BEFORE,
        // It was there when the job began.
        Binding::TokenDigest => claims.ends_on().unwrap_or(issued).max(issued) + JOB,
    };
    let earliest = match binding {
        Binding::Audience => issued - AFTER,
        Binding::TokenDigest => issued - BEFORE,
    };
    if recorded_on < earliest || recorded_on > latest {
        let (issued, recorded) = (text(issued), text(recorded_on));
        return Err(format!("the token was issued on {issued}, and the record says that it was made on {recorded}"));
    }
    Ok(())
}

/// Whose keys the signature holds by. A pinned set that does not have the key says nothing: issuers change their keys.
fn signed(identity: &Identity, token: &str, trust: &TrustSet) -> Result<(State, String), String> {
    let issuer = &identity.issuer;
    let pinned: Vec<_> = trust.issuers().iter().filter(|pinned| pinned.issuer == *issuer).collect();
    for set in &pinned {
        match token::verify(token, &set.jwks) {
            Ok(_) => {
                let what = match identity.binding {
                    Binding::Audience => "signed for this very record",
                    Binding::TokenDigest => "signed a token of this run, which the record names",
                };
                let on = set.pinned_on.date_naive();
                return Ok((State::Confirmed, format!("{issuer} {what}, by keys that were pinned on {on}")));
            }
            Err(TokenError::UnknownKey) => {}
            Err(e) => return Err(format!("the token does not hold by the pinned keys of {issuer}: {e}")),
        }
    }
    let rest = match pinned.len() {
        0 => "no keys of that issuer are pinned here",
        _ => "the pinned keys of that issuer do not have the one that it names, so they are from another time",
    };
    let Some(jwks) = &identity.jwks else {
        return Ok((State::Unchecked, format!("{rest}, and the record brought none along")));
    };
    match token::verify(token, jwks) {
        Ok(_) => {
            let why = format!("it holds by keys that the record itself brought along, which proves nothing; {rest}");
            Ok((State::Claimed, why))
        }
        Err(e) => Err(format!("the token does not hold by the keys that the record brought along: {e}")),
    }
}

fn text(on: DateTime<Utc>) -> String {
    on.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// How many records have an identity of which worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts(std::collections::BTreeMap<State, u64>);

impl Counts {
    /// Counts one.
    pub(crate) fn see(&mut self, state: State) {
        *self.0.entry(state).or_default() += 1;
    }

    /// The states that there are, the best first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (State, u64)> + '_ {
        self.0.iter().map(|(state, n)| (*state, *n))
    }

    /// The worst of them.
    pub(crate) fn worst(&self) -> Option<State> {
        self.0.keys().next_back().copied()
    }
}
