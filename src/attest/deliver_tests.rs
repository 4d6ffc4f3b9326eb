//! A delivery where any request goes wrong in any way: tried again without faults, as `flush` does, the record stands in the
//! vault once and in the ledger once, and nobody else's entry is lost or called void.

use super::*;
use crate::attest::seal;
use crate::ledger::claim;
use crate::ledger::leaf::{Leaf, Logged as Line, Said};
use crate::ledger::slot::{self, Slot};
use crate::record::digest::Sha256Digest;
use crate::seal::key::PrivateKey;
use crate::vault::fake_s3::Fault::{self, *};
use crate::vault::fake_s3::{FakeS3, Objects, Request, Version};
use crate::vault::lock::Mode;
use crate::vault::{Patience, Settings};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Workers: most of the time is waited for a store that is silent.
const WORKERS: usize = 12;
/// No delivery takes longer, whatever the store does: the patience below, and a slow machine.
const LONGEST: Duration = Duration::from_secs(15);
const LEDGER: &str = "some/prefix/ledger/env=prod/";

/// All that can go wrong with one request. A fault that makes no sense for a request is none.
const FAULTS: [Fault; 24] = [
    DropBefore,
    DropAfter,
    Before(500, "InternalError"),
    After(500, "InternalError"),
    Before(503, "SlowDown"),
    After(503, "SlowDown"),
    Before(429, "TooManyRequests"),
    After(408, "RequestTimeout"),
    Before(409, "ConditionalRequestConflict"),
    After(409, "ConditionalRequestConflict"),
    Before(412, "PreconditionFailed"),
    After(412, "PreconditionFailed"),
    Before(403, "AccessDenied"),
    After(403, "AccessDenied"),
    Before(404, "NoSuchKey"),
    SilentBefore,
    SilentAfter,
    NoEtag,
    Truncate,
    OtherBytes,
    Huge,
    Stall,
    Garbage,
    Stale,
];
/// Those that come in pairs, the worst four first.
const NASTY: [Fault; 10] = [
    DropAfter,
    Before(409, "ConditionalRequestConflict"),
    After(412, "PreconditionFailed"),
    OtherBytes,
    DropBefore,
    After(503, "SlowDown"),
    After(409, "ConditionalRequestConflict"),
    Before(412, "PreconditionFailed"),
    Truncate,
    Garbage,
];

/// What stands there before.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    Empty,
    Three,
    /// The record stands there without a leaf: killed between the two.
    Orphan,
    /// All was done, then killed before anybody was told; others came after.
    Done,
    /// Another record of the same run stands there.
    Conflict,
}

/// Who else writes at the moment of our own create of a slot.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Other {
    Nobody,
    /// An entry of another, so many times.
    Rival(usize),
    /// One entry of another; then one that sees our claim and takes our record along.
    Helper,
    /// Something that is no entry.
    Poison,
}

const SCENARIOS: [(Start, Other); 15] = [
    (Start::Empty, Other::Nobody),
    (Start::Empty, Other::Rival(1)),
    (Start::Empty, Other::Poison),
    (Start::Three, Other::Nobody),
    (Start::Three, Other::Rival(1)),
    (Start::Three, Other::Rival(2)),
    (Start::Three, Other::Helper),
    (Start::Three, Other::Poison),
    (Start::Orphan, Other::Nobody),
    (Start::Orphan, Other::Rival(1)),
    (Start::Orphan, Other::Helper),
    (Start::Done, Other::Nobody),
    (Start::Done, Other::Poison),
    (Start::Conflict, Other::Nobody),
    (Start::Conflict, Other::Rival(1)),
];

/// Those that happen; the rest is for the long test.
const COMMON: [(Start, Other); 5] = [
    (Start::Empty, Other::Nobody),
    (Start::Three, Other::Rival(1)),
    (Start::Three, Other::Helper),
    (Start::Orphan, Other::Nobody),
    (Start::Done, Other::Nobody),
];

/// One request of a path: what it is for, and the how manieth of its kind.
type Place = (&'static str, usize);

/// When a fault strikes.
#[derive(Clone, Debug)]
enum Strike {
    /// At these requests.
    At(Vec<(Place, Fault)>),
    /// From this request of all on, for ever: the store goes away.
    From(usize, Fault),
}

#[derive(Debug)]
struct Case {
    start: Start,
    other: Other,
    strike: Strike,
}

fn kind(request: &Request) -> &'static str {
    let name = request.path.rsplit('/').next().unwrap();
    let of = if request.query.contains_key("list-type") {
        return "LIST";
    } else if request.query.contains_key("X-Amz-Signature") {
        return "document";
    } else if request.path.contains("/evidence/") {
        ["PUT record", "GET record"]
    } else if slot::number(name).is_some() {
        ["PUT slot", "GET slot"]
    } else {
        ["PUT claim", "GET claim"]
    };
    of[usize::from(request.method != "PUT")]
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + seconds, 0).unwrap()
}

fn signer(seed: u8) -> Signer {
    Signer::Key(PrivateKey::generate([seed; 32]))
}

fn trust() -> TrustSet {
    let mut trust = TrustSet::of(signer(1).public_key());
    trust.add(crate::seal::trust::TrustedKey::new(signer(2).public_key())).unwrap();
    trust
}

fn record(run: &str, id: u128) -> RunRecord {
    let value = json!({
        "schemaVersion": "1.0.0", "recordId": Uuid::from_u128(id), "recordedOn": at(0), "environment": "prod",
        "run": {"platform": "github", "id": run, "attempt": 1, "outcome": "succeeded"},
        "runner": {"os": if id == 99 { "another" } else { "linux" }},
        "tool": {"name": "vouchsafe", "version": "0.0.0"}, "completeness": [], "provenance": [],
    });
    serde_json::from_value(value).unwrap()
}

fn open(fake: &FakeS3) -> Vault {
    let env = [
        ("AWS_ENDPOINT_URL", format!("http://{}", fake.address)),
        ("AWS_ACCESS_KEY_ID", "AKIATEST".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
    ];
    let patience = Patience {
        connect: Duration::from_secs(2),
        request: Duration::from_millis(300),
        tries: 3,
        first_wait: Duration::from_millis(2),
        longest_wait: Duration::from_millis(5),
        total: Duration::from_secs(5),
        seed: 7,
    };
    let env = env.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    Vault::open("s3://vault/some/prefix", &Settings { env, cwd: std::env::temp_dir(), patience }).unwrap()
}

fn deliver_as(vault: &Vault, seed: u8, record: &RunRecord, via: Via) -> Result<Delivered, VaultError> {
    let (signer, trust) = (signer(seed), trust());
    let record = Record::from(record.clone());
    let sealed = seal(&record, &signer).unwrap();
    let lock = Retention { mode: Mode::Compliance, until: at(400 * 86_400), legal_hold: false };
    let keep_until = Some(lock.until);
    let now = || at(10);
    let how = Delivery { vault, signer: &signer, trust: &trust, lock: Some(&lock), keep_until, via, now: &now };
    deliver(&record, &sealed, &how)
}

/// The entries of a store in order, and the digests of what stands in slots and is none.
fn entries(objects: &Objects) -> (Vec<Slot>, BTreeMap<u64, Sha256Digest>) {
    let (mut slots, mut junk) = (Vec::new(), BTreeMap::new());
    for (key, versions) in objects.range(LEDGER.to_owned()..).rev() {
        let Some(number) = key.strip_prefix(LEDGER).and_then(slot::number) else { continue };
        let bytes = &versions.last().unwrap().bytes;
        match Slot::parse(bytes) {
            Ok(slot) => slots.push(slot),
            Err(_) => drop(junk.insert(number, Sha256Digest::of(bytes))),
        }
    }
    (slots, junk)
}

fn insert(objects: &mut Objects, key: String, bytes: Vec<u8>) {
    let version = Version { id: format!("o{}", objects.len()), bytes, headers: BTreeMap::new(), marker: false };
    assert!(objects.insert(key, vec![version]).is_none());
}

/// What another writes into `number`, the slot that we are about to take.
fn intrude(objects: &mut Objects, number: u64, turn: usize, other: Other) {
    let key = format!("{LEDGER}{}", slot::name(number));
    if objects.contains_key(&key) {
        return;
    }
    if other == Other::Poison {
        return insert(objects, key, b"{\"v\":1}".to_vec());
    }
    let (slots, _) = entries(objects);
    let base = slots.last();
    let line = |name: &str| Line {
        address: format!("evidence/env=prod/date=2026-11-22/run=github-{name}-1/run.json"),
        sha256: Sha256Digest::of(name.as_bytes()),
        recorded_on: at(0),
        keep_until: None,
        via: Via::Attest,
    };
    let mut said = vec![Said::Record(line(&format!("other{turn}")))];
    if other == Other::Helper {
        let folder = claim::folder_of(LEDGER);
        let claims = objects.iter().filter(|(key, _)| key.starts_with(&folder));
        let read = |v: &Vec<Version>| claim::read(&v.last().unwrap().bytes, "ledger/env=prod/", "prod", &trust());
        said.extend(claims.filter_map(|(_, v)| read(v)).map(Said::Record));
    }
    let size = base.map_or(0, |b| b.checkpoint.size);
    let leaves = (size..).zip(said).map(|(seq, said)| Leaf { seq, logged_on: at(9), said });
    let origin = base.map_or(slot::origin("prod", Uuid::nil()), |b| b.checkpoint.origin.clone());
    let slot = Slot::next(base, number, &origin, leaves.collect(), &signer(2)).unwrap();
    insert(objects, key, slot.to_bytes().unwrap());
}

/// One store and one client, used for many cases.
struct Bench {
    ours: RunRecord,
    sha256: Sha256Digest,
    fake: FakeS3,
    vault: Vault,
    starts: Vec<(Start, Objects)>,
}

impl Bench {
    fn new() -> Self {
        let fake = FakeS3::start();
        let vault = open(&fake);
        let ours = record("7", 7);
        let sha256 = Sha256Digest::of(&seal(&Record::from(ours.clone()), &signer(1)).unwrap().bytes);
        let mut bench = Self { ours, sha256, fake, vault, starts: Vec::new() };
        let logged = |run: &str, id| {
            let done = deliver_as(&bench.vault, 1, &record(run, id), Via::Attest).unwrap();
            assert!(done.unlogged.is_none());
        };
        let snapshot = || bench.fake.state.lock().unwrap().objects.clone();
        let mut starts = vec![(Start::Empty, snapshot())];
        (1..=3).for_each(|n| logged(&n.to_string(), n));
        let three = snapshot();
        starts.push((Start::Three, three.clone()));
        logged("7", 7);
        let orphan = |(key, versions): (&String, &Vec<Version>)| {
            (!key.ends_with(&slot::name(3))).then(|| (key.clone(), versions.clone()))
        };
        starts.push((Start::Orphan, snapshot().iter().filter_map(orphan).collect()));
        (4..=5).for_each(|n| logged(&n.to_string(), n));
        starts.push((Start::Done, snapshot()));
        bench.fake.state.lock().unwrap().objects = three;
        logged("7", 99);
        starts.push((Start::Conflict, snapshot()));
        bench.starts = starts;
        bench
    }

    /// Plays one case; answers with the requests of its first delivery, or with what is wrong.
    fn play(&self, case: &Case) -> Result<Vec<Place>, String> {
        let seen = Arc::new(Mutex::new((Vec::<Place>::new(), 0usize)));
        let begin = self.starts.iter().find(|(s, _)| *s == case.start).unwrap().1.clone();
        let log = seen.clone();
        let (other, strike) = (case.other, case.strike.clone());
        let script = move |objects: &mut Objects, request: &Request| {
            let kind = kind(request);
            let mut seen = log.lock().unwrap();
            let place = (kind, 1 + seen.0.iter().filter(|(k, _)| *k == kind).count());
            seen.0.push(place);
            if kind == "PUT slot" {
                let number = slot::number(request.path.rsplit('/').next().unwrap()).unwrap();
                let most = match other {
                    Other::Nobody => 0,
                    Other::Rival(n) => n,
                    Other::Helper => 2,
                    Other::Poison => 1,
                };
                if seen.1 < most {
                    seen.1 += 1;
                    intrude(objects, number, seen.1, other);
                }
            }
            match &strike {
                Strike::At(all) => all.iter().find(|(p, _)| *p == place).map(|(_, fault)| *fault),
                Strike::From(n, fault) => (seen.0.len() >= *n).then_some(*fault),
            }
        };
        {
            let mut state = self.fake.state.lock().unwrap();
            state.objects = begin.clone();
            state.requests.clear();
            state.script = Some(Box::new(script));
        }
        let began = Instant::now();
        // Only a record out of the spool has stood anywhere before: a step that runs again makes another one.
        let stood = matches!(case.start, Start::Orphan | Start::Done);
        let first = deliver_as(&self.vault, 1, &self.ours, if stood { Via::Spool } else { Via::Attest });
        let path = seen.lock().unwrap().0.clone();
        let promised = {
            let mut state = self.fake.state.lock().unwrap();
            // What is still on its way was sent before the answer was given up: it is played to its end by now.
            state.script = None;
            self.check(&state.objects, &begin, case, first.as_ref().ok().map(|d| d.unlogged.is_none()))
        };
        promised.map_err(|e| format!("after the first delivery: {e}"))?;
        // As flush does; then once more, as a flush that was killed before it could tidy up.
        for turn in ["a second", "a third"] {
            let again =
                deliver_as(&self.vault, 1, &self.ours, Via::Spool).map_err(|e| format!("{turn} delivery: {e}"))?;
            if let Some(e) = again.unlogged {
                return Err(format!("{turn} delivery: {e}"));
            }
            let objects = &self.fake.state.lock().unwrap().objects;
            self.check(objects, &begin, case, Some(true)).map_err(|e| format!("after {turn} delivery: {e}"))?;
        }
        let took = began.elapsed();
        if took > LONGEST { Err(format!("it took {took:?}")) } else { Ok(path) }
    }

    /// What must hold of the store. `logged`: `None` where the record was not acknowledged, else whether it was as logged.
    fn check(&self, objects: &Objects, begin: &Objects, case: &Case, logged: Option<bool>) -> Result<(), String> {
        let (slots, junk) = entries(objects);
        let mut before: Option<&Slot> = None;
        let (mut leaves, mut voids) = (BTreeMap::<Sha256Digest, usize>::new(), BTreeSet::new());
        for slot in &slots {
            let follows = (slot.follows(), before.map(|b| b.number));
            if !slot.extends(before) || follows.0 != follows.1 {
                return Err(format!("slot {} does not follow {:?}", slot.number, before.map(|b| b.number)));
            }
            for (_, leaf) in &slot.leaves {
                match &leaf.said {
                    Said::Record(line) => *leaves.entry(line.sha256).or_default() += 1,
                    Said::Void { slot, sha256 } if junk.get(slot) != sha256.as_ref() || !voids.insert(*slot) => {
                        return Err(format!("slot {slot} is called void: {sha256:?}"));
                    }
                    _ => {}
                }
            }
            before = Some(slot);
        }
        for (key, versions) in objects {
            if versions.len() != 1 || begin.get(key).is_some_and(|b| b[0].bytes != versions[0].bytes) {
                return Err(format!("{key} was written twice"));
            }
        }
        if let Some(twice) = leaves.iter().find(|(_, n)| **n > 1) {
            return Err(format!("twice in the ledger: {twice:?}"));
        }
        let sha256 = self.sha256;
        let stands = objects.iter().any(|(k, v)| k.contains("/evidence/") && Sha256Digest::of(&v[0].bytes) == sha256);
        if logged.is_some() && !stands {
            return Err("it is acknowledged and not in the vault".into());
        }
        if logged == Some(true) && !leaves.contains_key(&sha256) {
            return Err("it is told to be in the ledger and is not".into());
        }
        if leaves.contains_key(&sha256) && !stands {
            return Err("it is in the ledger and not in the vault".into());
        }
        let was = entries(begin).0.iter().flat_map(|s| &s.leaves).count();
        let all: usize = leaves.values().sum();
        let ours = usize::from(leaves.contains_key(&sha256) && case.start != Start::Done);
        let others = slots.iter().flat_map(|s| &s.leaves).filter_map(|(_, l)| l.record());
        let others = others.filter(|r| r.address.contains("run=github-other")).count();
        if all != was + ours + others {
            return Err(format!("{all} records in the ledger, not {was} and {ours} and {others}"));
        }
        Ok(())
    }
}

/// Plays them all; the paths of those that held. Fails with what did not.
fn play_all(cases: &[Case]) -> Vec<Vec<Place>> {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let paths = Mutex::new(vec![Vec::new(); cases.len()]);
    std::thread::scope(|s| {
        for _ in 0..WORKERS.min(cases.len()) {
            s.spawn(|| {
                let bench = Bench::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(n) else { return };
                    match bench.play(case) {
                        Ok(path) => paths.lock().unwrap()[n] = path,
                        Err(why) => wrong.lock().unwrap().push(format!("{case:?}\n    {why}")),
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    paths.into_inner().unwrap()
}

fn case((start, other): (Start, Other), strike: Strike) -> Case {
    Case { start, other, strike }
}

/// Scenarios and their requests where nothing goes wrong.
fn paths(scenarios: &[(Start, Other)]) -> Vec<((Start, Other), Vec<Place>)> {
    let cases: Vec<_> = scenarios.iter().map(|s| case(*s, Strike::At(Vec::new()))).collect();
    scenarios.iter().copied().zip(play_all(&cases)).collect()
}

/// Every fault at every request, one at a time.
fn ones(scenarios: &[(Start, Other)]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (scenario, path) in paths(scenarios) {
        for place in &path {
            cases.extend(FAULTS.iter().map(|f| case(scenario, Strike::At(vec![(*place, *f)]))));
        }
        for n in 1..=path.len() {
            let away = [DropBefore, DropAfter, Before(503, "SlowDown"), Before(403, "AccessDenied")];
            cases.extend(away.iter().map(|f| case(scenario, Strike::From(n, *f))));
        }
    }
    cases
}

/// Every two of `faults` at every two requests that are no more than `reach` apart. The same wrong bytes twice are what the
/// store says: no client can tell.
fn twos(scenarios: &[(Start, Other)], faults: &[Fault], reach: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for (scenario, path) in paths(scenarios) {
        // The second may strike the retry of the first.
        let kinds: BTreeSet<_> = path.iter().map(|(kind, _)| *kind).collect();
        let more = kinds.iter().map(|kind| (*kind, 1 + path.iter().filter(|(k, _)| k == kind).count()));
        let places: Vec<Place> = path.iter().copied().chain(more).collect();
        for (n, one) in path.iter().enumerate() {
            for two in places[n + 1..].iter().take(reach) {
                for (a, b) in faults.iter().flat_map(|a| faults.iter().map(move |b| (*a, *b))) {
                    if (a, b) != (OtherBytes, OtherBytes) {
                        cases.push(case(scenario, Strike::At(vec![(*one, a), (*two, b)])));
                    }
                }
            }
        }
    }
    cases
}

/// Plays them and holds that there were as many as there have to be: a path that became shorter would test less in silence.
fn hold(what: &str, cases: &[Case], least: usize) {
    play_all(cases);
    println!("{} cases held: {what}", cases.len());
    assert!(cases.len() >= least, "{} cases, not {least}", cases.len());
}

#[test]
fn whatever_goes_wrong_at_any_request_the_record_is_in_once() {
    hold("every fault at every request", &ones(&COMMON), 900);
}

#[test]
fn two_things_that_go_wrong_in_one_delivery() {
    hold("two faults", &twos(&[(Start::Three, Other::Rival(1))], &NASTY[..4], 2), 400);
}

#[test]
#[ignore = "minutes: tests/outside/faults/run.sh"]
fn every_scenario_every_fault() {
    hold("every fault at every request of every scenario", &ones(&SCENARIOS), 5000);
}

#[test]
#[ignore = "minutes: tests/outside/faults/run.sh"]
fn every_scenario_two_faults() {
    hold("two faults in every common scenario", &twos(&COMMON, &NASTY, 2), 8_000);
}
