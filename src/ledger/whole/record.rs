//! One record and what the ledger says of it.

use super::finding::span;
use super::rows::{At, Named, Rows};
use crate::ledger::identity::Checked;
use crate::ledger::leaf::Via;
use crate::ledger::{Entry, Verdict};
use chrono::{DateTime, TimeDelta, Utc};

/// A delay that is told.
const LATE: TimeDelta = TimeDelta::hours(1);

/// A record with its last verdict.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    /// The record, judged by itself and by the ledger.
    pub(crate) entry: Entry,
    /// The leaf that names it.
    pub(crate) at: Option<At>,
    /// Unlinked, and so young that its leaf may be on the way.
    pub(crate) on_its_way: bool,
    /// Somebody has to look at it, though the verdict is good.
    pub(crate) finding: bool,
    /// What the platform's identity in it is worth, if it has one.
    pub(crate) identity: Option<Checked>,
}

/// Judges a record that was judged by itself. `rows`: the ledger of its environment.
pub(super) fn judge(mut entry: Entry, rows: Option<&Rows>, now: DateTime<Utc>, grace: TimeDelta) -> Judged {
    let named = rows.and_then(|rows| rows.see(&entry.address));
    let at = named.map(|named| named.at);
    let recorded_on = entry.record.as_ref().map(|record| record.head().recorded_on);
    let mut judged =
        Judged { at, on_its_way: false, finding: false, identity: None, entry: Entry::unread("", String::new()) };
    let same = named.zip(entry.sha256).map(|(named, sha256)| named.is(&sha256));
    match (entry.verdict, named) {
        (Verdict::Valid | Verdict::Unsupported, Some(named)) if same == Some(false) => {
            let now_there = match &entry.keyid {
                Some(keyid) => format!("what stands there now is validly signed by {keyid}"),
                None => "what stands there now has no valid signature".to_owned(),
            };
            entry.verdict = Verdict::Altered;
            entry.why = format!("{}, logged {} other bytes; {now_there}", place(&named.at), on(named.logged_on));
            if let Some(later) = named.contradicted {
                entry.why += &format!("; {} logged others again", place(&later));
            }
        }
        (Verdict::Valid | Verdict::Unsupported, Some(named)) => {
            entry.why += &format!("; {}", place(&named.at));
            judged.finding = link(&mut entry, &named, recorded_on);
        }
        (Verdict::Valid | Verdict::Unsupported, None) => {
            let unlinked =
                if rows.is_some() { "no leaf of the ledger names it" } else { "its environment has no ledger" };
            // A clock that is ahead must not make a record young for ever.
            let young = recorded_on.is_some_and(|on| (now - on).abs() < grace);
            judged.on_its_way = entry.verdict == Verdict::Valid && young;
            let wait = if judged.on_its_way { ", and it is young: it may be on its way" } else { "" };
            entry.why = format!("{unlinked}{wait}; {}", entry.why);
            if entry.verdict == Verdict::Valid {
                entry.verdict = Verdict::Unlinked;
            }
        }
        (_, Some(named)) if same == Some(false) => {
            entry.why += &format!("; {} logged other bytes", place(&named.at));
        }
        _ => {}
    }
    // A verdict needs neither, and a vault of them does not fit into memory.
    (entry.record, entry.payload) = (None, None);
    judged.entry = entry;
    judged
}

/// What a good record's leaf adds. Whether somebody has to look at it.
fn link(entry: &mut Entry, named: &Named, recorded_on: Option<DateTime<Utc>>) -> bool {
    let mut finding = false;
    if let Some(later) = named.contradicted {
        entry.why += &format!("; {} logged other bytes for the same address later", place(&later));
        finding = true;
    }
    let Some(recorded_on) = recorded_on else { return finding };
    let delay = named.logged_on - recorded_on;
    if delay > LATE {
        let how = match named.via {
            Via::Attest => "by a step that says it did so at once",
            Via::Spool => "out of a spool",
            Via::Adopt => "by somebody who found it",
        };
        entry.why += &format!(", logged {} after it was recorded, {how}", span(delay));
        finding |= named.via == Via::Attest;
    }
    if !named.says(recorded_on) {
        entry.why += "; the leaf says that it was recorded at another time";
        finding = true;
    }
    finding
}

/// `leaf 4, slot 3`.
pub(super) fn place(at: &At) -> String {
    match at.slot {
        Some(slot) => format!("leaf {} in slot {slot}", at.leaf),
        None => format!("leaf {}", at.leaf),
    }
}

/// A moment for people.
pub(crate) fn on(on: DateTime<Utc>) -> String {
    on.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
