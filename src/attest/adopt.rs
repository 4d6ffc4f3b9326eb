//! Names in the ledger what stands in the vault and is named by no leaf.
//!
//! Nothing is named twice, however many do this at once: whoever appends has read every entry up to the head that it builds
//! on, and every entry that it loses a race to. So each record is either seen in an entry before, or appended after it.

use super::append::{AppendError, Appended, Writer, append};
use crate::ledger::head::Head;
use crate::ledger::leaf::{Logged, Said, Via};
use crate::ledger::orphans::{self, Named};
use crate::ledger::{Entry, Verdict};
use crate::vault::address::Address;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// Records in one entry.
const MOST: usize = 500;

/// What is to be adopted.
pub(crate) struct Adopting<'a> {
    pub(crate) environment: &'a str,
    /// Only records of these days; none: all.
    pub(crate) days: &'a [NaiveDate],
    /// A record that is younger may be on its way into the ledger by itself.
    pub(crate) grace: TimeDelta,
    /// Until when a record of that time has to be kept; `None`: for ever.
    pub(crate) keep_until: &'a dyn Fn(DateTime<Utc>) -> Option<DateTime<Utc>>,
    /// Only tell.
    pub(crate) dry_run: bool,
}

/// What became of one record that no leaf named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is valid: a leaf names it from now on, or would.
    Adopted,
    /// It is valid and younger than the grace period.
    Young,
    /// It is not valid, and the ledger does not vouch for it.
    Refused,
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Adopted {
    /// By fate: adopted, young, refused.
    pub(crate) adopted: u64,
    pub(crate) young: u64,
    pub(crate) refused: u64,
    /// The last append.
    pub(crate) last: Option<Appended>,
    /// What a person should know.
    pub(crate) warnings: Vec<String>,
}

/// Finds, judges and appends. `tell` hears of every record, an adopted one after its leaf stands.
pub(crate) fn adopt(
    writer: &Writer,
    ask: &Adopting,
    tell: &mut dyn FnMut(&Entry, Fate) -> anyhow::Result<()>,
) -> anyhow::Result<Adopted> {
    let folder = Address::environment_prefix(ask.environment);
    let prefixes: Vec<String> = match ask.days {
        [] => vec![folder],
        days => days.iter().map(|day| format!("{folder}date={day}/")).collect(),
    };
    let head = read_head(writer, ask)?;
    let oldest = ask.days.iter().min().and_then(|day| day.and_hms_opt(0, 0, 0)).map(|t| t.and_utc());
    let mut named = match oldest {
        None => Named::all(writer.vault, writer.trust, &head),
        Some(oldest) => Named::since(writer.vault, writer.trust, &head, oldest),
    }?;
    drop(head);
    let mut done = Adopted::default();
    for prefix in prefixes {
        let mut after = None;
        loop {
            let (found, more) = orphans::unnamed(writer.vault, &prefix, after.as_ref(), &named, MOST)?;
            some(writer, ask, &mut named, &found, &mut done, tell)?;
            after = more;
            if after.is_none() {
                break;
            }
        }
    }
    done.warnings.append(&mut named.doubts);
    Ok(done)
}

/// Judges these and appends the valid ones, in one entry.
fn some(
    writer: &Writer,
    ask: &Adopting,
    named: &mut Named,
    found: &[Address],
    done: &mut Adopted,
    tell: &mut dyn FnMut(&Entry, Fate) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let now = (writer.now)();
    let mut ripe: Vec<(Entry, Logged)> = Vec::new();
    for found in found.chunks(orphans::AT_ONCE) {
        for entry in orphans::judged(writer.vault, writer.trust, found) {
            match logged(&entry, ask) {
                None => {
                    done.refused += 1;
                    tell(&entry, Fate::Refused)?;
                }
                Some(logged) if now - logged.recorded_on < ask.grace => {
                    done.young += 1;
                    tell(&entry, Fate::Young)?;
                }
                Some(logged) => ripe.push((Entry { payload: None, record: None, ..entry }, logged)),
            }
        }
    }
    if ripe.is_empty() {
        return Ok(());
    }
    if !ask.dry_run {
        // What others appended since the ledger was read. From this head on the append itself sees everything.
        let head = read_head(writer, ask)?;
        named.catch_up(writer.vault, writer.trust, &head)?;
        ripe.retain(|(_, logged)| !named.holds(&logged.address));
        let said: Vec<Said> = ripe.iter().map(|(_, logged)| Said::Record(logged.clone())).collect();
        if said.is_empty() {
            return Ok(());
        }
        let mut at = append(writer, head, said)?;
        done.warnings.append(&mut at.warnings);
        done.last = Some(at);
    }
    for (entry, _) in &ripe {
        done.adopted += 1;
        tell(entry, Fate::Adopted)?;
    }
    Ok(())
}

fn read_head(writer: &Writer, ask: &Adopting) -> Result<Head, AppendError> {
    Ok(Head::read(writer.vault, writer.trust, ask.environment)?)
}

/// The leaf of a valid record.
fn logged(entry: &Entry, ask: &Adopting) -> Option<Logged> {
    let (Verdict::Valid, Some(record), Some(sha256)) = (entry.verdict, &entry.record, entry.sha256) else {
        return None;
    };
    Some(Logged {
        address: entry.address.clone(),
        sha256,
        recorded_on: record.head().recorded_on,
        keep_until: (ask.keep_until)(record.head().recorded_on),
        via: Via::Adopt,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::slot::{self, Slot};
    use crate::ledger::written;
    use crate::record::Record;
    use crate::record::run_v1::RunRecord;
    use crate::seal::key::PrivateKey;
    use crate::seal::signer::Signer;
    use crate::seal::trust::TrustSet;
    use crate::vault::{Tags, Vault};
    use std::collections::BTreeMap;
    use uuid::Uuid;

    fn signer() -> Signer {
        Signer::Key(PrivateKey::generate([1; 32]))
    }

    fn now() -> DateTime<Utc> {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    /// A record of `prod` in the vault, with or without a leaf; its address.
    fn record(vault: &Vault, id: &str, recorded_on: &str, by: &Signer) -> String {
        let json = serde_json::json!({
            "schemaVersion": "1.0.0", "recordId": Uuid::from_u128(7), "recordedOn": recorded_on, "environment": "prod",
            "run": {"platform": "manual", "id": id, "attempt": 1, "outcome": "succeeded"},
            "tool": {"name": "vouchsafe", "version": "0"}, "completeness": [], "provenance": [],
        });
        let run: RunRecord = serde_json::from_value(json).unwrap();
        let run = Record::from(run);
        let sealed = crate::attest::seal(&run, by).unwrap();
        let address = crate::ledger::address_of(&run);
        let tags = Tags { env: "prod".into(), run_id: id.into(), date: run.head().recorded_on.date_naive() };
        vault.put_once(&address, &sealed.bytes, &tags, None).unwrap();
        address.to_string()
    }

    fn adopt_once(vault: &Vault, ask: &Adopting) -> (Adopted, BTreeMap<String, Fate>) {
        let (signer, trust) = (signer(), TrustSet::of(signer().public_key()));
        let tags = Tags { env: "prod".into(), run_id: "x".into(), date: now().date_naive() };
        let writer = Writer {
            vault,
            signer: &signer,
            trust: &trust,
            lock: None,
            tags: &tags,
            now: &now,
            fresh: Uuid::from_u128(1),
        };
        let mut told = BTreeMap::new();
        let done = adopt(&writer, ask, &mut |entry, fate| {
            assert_eq!(told.insert(entry.address.clone(), fate), None, "told once");
            Ok(())
        });
        (done.unwrap(), told)
    }

    fn ask() -> Adopting<'static> {
        Adopting {
            environment: "prod",
            days: &[],
            grace: TimeDelta::minutes(15),
            keep_until: &|_| None,
            dry_run: false,
        }
    }

    /// The addresses that the leaves name, in order.
    fn named(vault: &Vault) -> Vec<String> {
        let mut all = Vec::new();
        for n in 0.. {
            let Ok(bytes) = vault.get(&slot::address("ledger/env=prod/", n).unwrap(), None) else { break };
            let slot = Slot::parse(&bytes).unwrap();
            all.extend(slot.leaves.iter().filter_map(|(_, l)| l.record().map(|r| r.address.clone())));
        }
        all
    }

    #[test]
    fn only_what_is_valid_and_old_enough_is_adopted_and_only_once() {
        let dir = tempfile::tempdir().unwrap();
        let vault = written::vault(dir.path());
        let good = record(&vault, "good", "2026-11-23T11:00:00Z", &signer());
        let young = record(&vault, "young", "2026-11-23T11:50:00Z", &signer());
        let stranger = Signer::Key(PrivateKey::generate([2; 32]));
        let untrusted = record(&vault, "untrusted", "2026-11-23T11:00:00Z", &stranger);
        let moved = good.replace("manual-good", "manual-moved");
        let broken = good.replace("manual-good", "manual-broken");
        for (to, bytes) in [(&moved, std::fs::read(dir.path().join(&good)).unwrap()), (&broken, b"{}".to_vec())] {
            std::fs::create_dir_all(dir.path().join(to).parent().unwrap()).unwrap();
            std::fs::write(dir.path().join(to), bytes).unwrap();
        }
        let want = |good_too: bool| {
            let mut want: BTreeMap<String, Fate> =
                [&untrusted, &moved, &broken].map(|a| (a.clone(), Fate::Refused)).into();
            want.insert(young.clone(), Fate::Young);
            want.extend(good_too.then(|| (good.clone(), Fate::Adopted)));
            want
        };
        let (dry, told) = adopt_once(&vault, &Adopting { dry_run: true, ..ask() });
        assert_eq!((dry.adopted, told, named(&vault).len()), (1, want(true), 0));
        let (done, told) = adopt_once(&vault, &ask());
        assert_eq!((done.adopted, done.young, done.refused, told), (1, 1, 3, want(true)));
        assert_eq!(named(&vault), std::slice::from_ref(&good));
        let (again, told) = adopt_once(&vault, &ask());
        assert_eq!((again.adopted, told), (0, want(false)));
        let (later, _) = adopt_once(&vault, &Adopting { grace: TimeDelta::zero(), ..ask() });
        assert_eq!((later.adopted, named(&vault)), (1, vec![good.clone(), young]));
        // Altered after it was logged: that is no orphan, and is not named anew.
        let later = record(&written::vault(&dir.path().join("b")), "good", "2026-11-23T11:00:00Z", &stranger);
        std::fs::copy(dir.path().join("b").join(&later), dir.path().join(&good)).unwrap();
        assert!(!adopt_once(&vault, &ask()).1.contains_key(&good));
    }

    #[test]
    fn only_the_days_that_are_asked_for_are_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let vault = written::vault(dir.path());
        let old = record(&vault, "old", "2026-11-20T11:00:00Z", &signer());
        let new = record(&vault, "new", "2026-11-22T11:00:00Z", &signer());
        let days: Vec<NaiveDate> = ["2026-11-22", "2026-11-23"].map(|d| d.parse().unwrap()).into();
        let (_, told) = adopt_once(&vault, &Adopting { days: &days, ..ask() });
        assert_eq!(told.keys().collect::<Vec<_>>(), [&new]);
        let (_, told) = adopt_once(&vault, &ask());
        assert_eq!(told.keys().collect::<Vec<_>>(), [&old]);
        assert_eq!(adopt_once(&vault, &Adopting { days: &days, ..ask() }).0.adopted, 0);
        assert_eq!(named(&vault), [new, old]);
    }

    #[test]
    fn many_go_in_few_entries() {
        let dir = tempfile::tempdir().unwrap();
        let vault = written::vault(dir.path());
        for n in 0..MOST + 20 {
            record(&vault, &format!("r{n}"), "2026-11-23T11:00:00Z", &signer());
        }
        let (done, told) = adopt_once(&vault, &ask());
        let at = done.last.unwrap();
        assert_eq!((done.adopted, told.len(), at.slot, at.size), (520, 520, 1, 520));
        assert_eq!(adopt_once(&vault, &ask()).0.adopted, 0);
    }

    #[test]
    fn of_a_broken_ledger_what_is_left_counts() {
        let dir = tempfile::tempdir().unwrap();
        let vault = written::vault(dir.path());
        for n in 0..4 {
            record(&vault, &format!("r{n}"), "2026-11-23T11:00:00Z", &signer());
            assert_eq!(adopt_once(&vault, &ask()).0.adopted, 1);
        }
        std::fs::remove_file(dir.path().join("ledger/env=prod").join(slot::name(1))).unwrap();
        let (done, told) = adopt_once(&vault, &ask());
        assert_eq!((done.adopted, told.len()), (1, 1), "what only the missing slot named is named again");
        assert!(done.warnings.iter().any(|w| w.contains("slot 1")), "{:?}", done.warnings);
    }

    #[test]
    fn adopters_at_once_name_every_record_once() {
        for round in 0..6 {
            let dir = tempfile::tempdir().unwrap();
            let vault = written::vault(dir.path());
            let mut all: Vec<String> =
                (0..12).map(|n| record(&vault, &format!("r{n}"), "2026-11-23T11:00:00Z", &signer())).collect();
            all.sort();
            let adopted: u64 = std::thread::scope(|s| {
                let one = || adopt_once(&written::vault(dir.path()), &ask()).0.adopted;
                let threads: Vec<_> = (0..5).map(|_| s.spawn(one)).collect();
                threads.into_iter().map(|t| t.join().unwrap()).sum()
            });
            let mut leaves = named(&vault);
            leaves.sort();
            assert_eq!(leaves, all, "round {round}");
            assert!(adopted >= 12);
        }
    }
}
