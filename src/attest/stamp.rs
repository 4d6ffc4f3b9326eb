//! RFC 3161 time over a checkpoint: an authority's word that the ledger stood so at that time. Kept in the vault as it came.

use crate::gather::http::Http;
use crate::ledger::slot;
use crate::seal::timestamp;
use crate::vault::address::Address;
use crate::vault::lock::Retention;
use crate::vault::{Tags, Vault, VaultError};
use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};

/// Clocks may differ by so much before it is worth a word.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// The state of a ledger that is stamped.
pub(crate) struct State<'a> {
    pub(crate) environment: &'a str,
    pub(crate) size: u64,
    /// The signed checkpoint: its bytes are what is stamped.
    pub(crate) note: &'a str,
    pub(crate) tags: &'a Tags,
    /// The lock of the answer in the vault.
    pub(crate) lock: Option<&'a Retention>,
}

/// Who is asked.
pub(crate) struct Authority<'a> {
    pub(crate) url: &'a str,
    pub(crate) http: &'a Http,
    /// Random: an old answer does not fit a new question.
    pub(crate) nonce: [u8; 8],
}

/// Has the authority at `url` stamp the signed note and puts its answer beside the ledger. Answers with the time that it
/// says and what a person should know.
pub(crate) fn stamp(
    at: &State,
    vault: &Vault,
    tsa: &Authority,
    now: DateTime<Utc>,
) -> anyhow::Result<(DateTime<Utc>, Vec<String>)> {
    let note = at.note.as_bytes();
    let (url, nonce) = (tsa.url, tsa.nonce);
    let answer = tsa.http.timestamp(url, &timestamp::request(note, nonce))?;
    let stamp =
        timestamp::read(&answer, note, Some(nonce)).with_context(|| format!("could not use what `{url}` answered"))?;
    let mut warnings = Vec::new();
    if (stamp.on - now).abs() > SKEW {
        warnings
            .push(format!("the time-stamp says {}, this machine's clock says {now}: one of them is wrong", stamp.on));
    }
    // First what was stamped: an answer alone holds a digest and nothing to compare it with.
    for (place, bytes) in
        [(slot::checkpoint_name(at.environment, at.size), note), (slot::stamp_name(at.environment, at.size), &answer)]
    {
        match vault.put_once(&Address::parse(&place)?, bytes, at.tags, at.lock) {
            Ok(put) => warnings.extend(put.warnings),
            // Another step had the same state stamped: one answer is enough.
            Err(VaultError::Different { .. }) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok((stamp.on, warnings))
}
