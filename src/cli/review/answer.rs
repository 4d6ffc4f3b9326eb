//! What a review answers: one record that verifies.

use crate::cli::exit::{Exit, Failure};
use crate::export::shown;
use crate::ledger::filter::Filter;
use crate::ledger::{self, Entry, Verdict};
use crate::record::Record;
use crate::record::digest::Sha256Digest;
use crate::seal::trust::TrustSet;
use crate::vault::Vault;
use crate::vault::address::Address;

/// A record that verifies, and what names it.
pub(super) struct Found {
    pub(super) address: String,
    pub(super) sha256: Sha256Digest,
    pub(super) record: Record,
}

/// The record that is meant: by address, record id or digest.
pub(super) fn find(vault: &Vault, trust: &TrustSet, scope: &Filter, which: &str) -> Result<Found, Failure> {
    if which.starts_with("evidence/") {
        return verified(ledger::open(vault, trust, &Address::parse(which)?));
    }
    let digest = Sha256Digest::parse(which);
    let id = uuid::Uuid::parse_str(which).ok();
    if digest.is_none() && id.is_none() {
        return Err(Failure::usage(
            format!("`{}` is neither an address nor a record id nor a SHA-256", shown::line(which)),
            "`vouchsafe review --list` shows addresses",
        ));
    }
    let (entries, _) = ledger::entries(vault, trust, scope)?;
    let meant = |entry: &Entry| {
        let by_id = id.is_some() && entry.record.as_ref().map(|r| r.head().record_id) == id;
        by_id || digest.is_some() && entry.sha256 == digest
    };
    let mut found: Vec<Entry> = entries.filter(meant).take(2).collect();
    match (found.pop(), found.pop()) {
        (Some(one), None) => verified(one),
        (Some(one), Some(other)) => Err(Failure::failed(
            anyhow::anyhow!("several records are `{}`: {} and {}", shown::line(which), other.address, one.address),
            "say the address of the one you mean",
        )),
        (None, _) => Err(Failure::failed(
            anyhow::anyhow!("no record of this vault is `{}`", shown::line(which)),
            "`vouchsafe review --list` and `vouchsafe list` show what is there",
        )),
    }
}

/// What does not verify is not answered: nobody could tell later what was reviewed.
fn verified(entry: Entry) -> Result<Found, Failure> {
    let Some(sha256) = entry.sha256 else {
        return Err(Failure::failed(
            anyhow::anyhow!("{} {}", entry.address, entry.why),
            "`vouchsafe review --list` and `vouchsafe list` show what is there",
        ));
    };
    match (entry.verdict, entry.record) {
        (Verdict::Valid, Some(record)) => Ok(Found { address: entry.address, sha256, record }),
        (verdict, _) => Err(Failure {
            exit: if verdict == Verdict::Unsupported { Exit::Findings } else { Exit::Unverified },
            error: anyhow::anyhow!(
                "{} does not verify, so it is not reviewed: {}: {}",
                entry.address,
                verdict.as_str(),
                entry.why
            ),
            help: Some("`vouchsafe verify` tells more; name the key that signed it with --key or --trust".into()),
        }),
    }
}
