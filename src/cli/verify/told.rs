//! What is said of records, for people and for programs.

use crate::cli::list::Tally;
use crate::export::shown;
use crate::ledger::Entry;
use crate::ledger::identity::{Checked, State};
use crate::ledger::whole::At;
use serde_json::{Value, json};

/// A record as one object. `at`: the leaf that names it, where a ledger was read.
pub(super) fn record(entry: &Entry, identity: Option<&Checked>, at: Option<Option<At>>) -> Value {
    let mut line = json!({
        "address": entry.address,
        "verdict": entry.verdict.as_str(),
        "why": entry.why,
        "keyid": entry.keyid,
        "sha256": entry.sha256,
        "predicateType": entry.predicate_type,
        "schemaVersion": entry.source_version,
        "unknownFields": entry.unknown_fields,
        "identity": identity.map(|i| json!({"state": i.state.as_str(), "issuer": i.issuer, "why": i.why})),
    });
    if let (Some(at), Some(line)) = (at, line.as_object_mut()) {
        line.insert("leaf".to_owned(), json!(at.map(|at| at.leaf)));
        line.insert("slot".to_owned(), json!(at.and_then(|at| at.slot)));
    }
    line
}

/// A record as one line.
pub(super) fn line(entry: &Entry) -> String {
    shown::line(&format!("{:<11} {}: {}", entry.verdict.as_str(), entry.address, entry.why)).into_owned()
}

/// What the platform's identity in a record is worth, where somebody has to look at it.
pub(super) fn identity_line(entry: &Entry, identity: Option<&Checked>) -> Option<String> {
    let worth = identity.filter(|i| matches!(i.state, State::Broken | State::Contradicted))?;
    let line = format!("identity    {}: {}: {}", entry.address, worth.state.as_str(), worth.why);
    Some(shown::line(&line).into_owned())
}

/// How many records of which verdict, for programs.
pub(super) fn counts(tally: &Tally, trust: &str) -> Value {
    let by: serde_json::Map<_, _> = tally.by.iter().map(|(v, n)| (v.as_str().to_owned(), json!(n))).collect();
    let identity: serde_json::Map<_, _> =
        tally.identity.iter().map(|(s, n)| (s.as_str().to_owned(), json!(n))).collect();
    json!({
        "records": tally.total, "verdicts": by, "identity": identity, "withUnknownFields": tally.newer,
        "onTheirWay": tally.on_their_way, "trust": trust,
    })
}

/// The same for people.
pub(super) fn count_lines(tally: &Tally, trust: &str) -> Vec<String> {
    let by: Vec<String> = tally.by.iter().map(|(v, n)| format!("{n} {}", v.as_str())).collect();
    let records = if tally.total == 1 { "1 record".to_owned() } else { format!("{} records", tally.total) };
    let by = if by.is_empty() { String::new() } else { format!(": {}", by.join(", ")) };
    let mut lines = vec![format!("{records}{by}")];
    let worth: Vec<String> = tally.identity.iter().map(|(s, n)| format!("{n} {}", s.as_str())).collect();
    if !worth.is_empty() {
        lines.push(format!("platform identity: {}", worth.join(", ")));
    }
    if tally.identity.iter().any(|(state, _)| state == State::Claimed) {
        lines.push(
            "what is only claimed holds by keys that the records brought along: pin those of its issuer, with `vouchsafe key \
             trust --jwks FILE --issuer URL`"
                .to_owned(),
        );
    }
    if tally.newer > 0 {
        lines.push(format!("{} with fields of a newer version, kept and not understood here", tally.newer));
    }
    if tally.on_their_way > 0 {
        lines.push(format!("{} of the unlinked are young: their leaf may be on its way", tally.on_their_way));
    }
    lines.push(format!("trust: {}", shown::line(trust)));
    lines
}
