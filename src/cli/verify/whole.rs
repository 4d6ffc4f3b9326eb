//! A vault, or a copy of one.

use super::{Args, anchors, open_vault, progress, told, trust, words};
use crate::cli::exit::{Answer, Exit, Failure};
use crate::cli::list::Tally;
use crate::cli::world::World;
use crate::export::shown;
use crate::ledger::Verdict;
use crate::ledger::whole::{self, Anchors, Finding, Ledger, State, Told, Weight, Whole};
use crate::vault::Versions;
use serde_json::{Value, json};

/// Threads that wait for a bucket: more than there are cores.
const REMOTE: usize = 8;
/// Anchors that were not proved and are told one by one.
const MOST_ANCHORS: usize = 20;

/// Verifies the vault at `url`.
pub(super) fn run(world: &mut World, args: &Args, url: &str) -> Answer {
    let filter = args.scope.filter(world)?;
    let vault = open_vault(world, url)?;
    let mut trusting = trust::trust_set(world, &args.trust, vault.local_root())?;
    super::believe(world, args, &mut trusting)?;
    let (mut anchors, without) = anchors::read(world, &args.anchor, &trusting.set)?;
    #[cfg(feature = "tsa")]
    let (stamps, stamped) = anchors::stamps(world, args.tsa_roots.as_deref(), &vault, &trusting.set, &mut anchors)?;
    #[cfg(not(feature = "tsa"))]
    let (stamps, stamped) = (Vec::<String>::new(), true);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if vault.is_local() { cores } else { cores.max(REMOTE) };
    let now = (world.now)();
    let ask = whole::Ask { vault: &vault, trust: &trusting.set, filter: &filter, now, grace: args.grace, threads };
    let mut tally = Tally::default();
    let mut finding = false;
    let answer = whole::verify(&ask, &mut anchors, &mut |step| {
        let (what, done, unit) = match step {
            Told::Walked(entries) => ("walked the ledger", entries, progress::Unit::Entries),
            Told::Record(judged) => {
                tally.see(&judged.entry);
                let identity = judged.identity.as_ref();
                tally.see_identity(identity);
                tally.on_their_way += u64::from(judged.on_its_way);
                finding |= judged.finding;
                let fine = matches!(judged.entry.verdict, Verdict::Valid | Verdict::Expired) && !judged.finding;
                if args.json {
                    words::json(world, &told::record(&judged.entry, identity, Some(judged.at)))?;
                } else if args.all || !fine {
                    words::writeln_quietly(world, &told::line(&judged.entry))?;
                }
                if let (false, Some(line)) = (args.json, told::identity_line(&judged.entry, identity)) {
                    words::writeln_quietly(world, &line)?;
                }
                ("verified", tally.total, progress::Unit::Records)
            }
        };
        if world.stderr_is_terminal && done % 64 == 0 {
            let mut shown = progress::Shown::new(&mut world.stderr, &world.now, true).since(now);
            shown.step(what, done, None, unit);
        }
        Ok(())
    })?;
    if answer.empty {
        return Err(Failure::failed(
            anyhow::anyhow!("there is no record under evidence/ and no ledger in {}", shown::line(url)),
            "name the vault with --vault, or the folder that holds evidence/",
        ));
    }
    let exit = exit(&answer, &anchors, without.is_empty() && stamped, tally.exit().or(found(finding)));
    if args.json {
        for ledger in &answer.ledgers {
            words::json(world, &ledger_json(ledger))?;
        }
        words::json(
            world,
            &summary_json(&answer, &anchors, (&without, &stamps), told::counts(&tally, &trusting.from)),
        )?;
    } else {
        let mut lines = told::count_lines(&tally, &trusting.from);
        lines.extend(answer.ledgers.iter().flat_map(ledger_lines));
        lines.extend(answer.findings.told().iter().map(|f| format!("  {}", finding_line(f))));
        lines.extend(without);
        lines.extend(stamps);
        lines.extend(anchor_lines(&anchors, anchors.kept().next().is_none() && args.anchor.is_empty()));
        lines.push(versions(&answer.versions));
        lines.iter().for_each(|line| world.say(&shown::line(line)));
    }
    Ok(exit)
}

fn found(finding: bool) -> Exit {
    if finding { Exit::Findings } else { Exit::Done }
}

fn exit(answer: &Whole, anchors: &Anchors, all_found: bool, records: Exit) -> Exit {
    let weighed = |worst: Option<Weight>| match worst {
        Some(Weight::Broken) => Exit::Unverified,
        Some(Weight::Finding) => Exit::Findings,
        Some(Weight::Note) | None => Exit::Done,
    };
    let ledgers = answer.ledgers.iter().map(|ledger| match ledger.state {
        State::Whole => weighed(ledger.findings.worst()),
        State::Gap | State::Forked | State::Truncated => Exit::Unverified,
    });
    let proved = all_found && anchors.omitted == 0 && anchors.not_proved().next().is_none();
    let anchored = if proved { Exit::Done } else { Exit::Unverified };
    ledgers.chain([weighed(answer.findings.worst()), anchored]).fold(records, Exit::or)
}

fn finding_line(finding: &Finding) -> String {
    let weight = match finding.weight {
        Weight::Note => "note",
        Weight::Finding => "finding",
        Weight::Broken => "broken",
    };
    let slot = finding.slot.map(|slot| format!(" slot {slot}:")).unwrap_or_default();
    format!("{weight}:{slot} {}", finding.what)
}

fn ledger_lines(ledger: &Ledger) -> Vec<String> {
    let Ledger { environment, state, entries, records, heartbeats, late, .. } = ledger;
    let head = match &ledger.head {
        Some(h) => {
            let leaves = shown::many(h.size, "leaf", "leaves");
            format!("head slot {} with {leaves} of {}, key {}", h.slot, whole::moment(h.on), h.keyid)
        }
        None => "no head that a trusted key signed".to_owned(),
    };
    let state = state.as_str();
    let entries = shown::many(*entries, "entry", "entries");
    let records = shown::many(*records, "record", "records");
    let heartbeats = shown::many(*heartbeats, "heartbeat", "heartbeats");
    let mut lines = vec![format!("ledger {environment}: {state}, {entries} ({records}, {heartbeats}), {head}")];
    if *late > 0 {
        lines.push(format!("  note: {late} records came more than an hour late, out of a spool or found later"));
    }
    lines.extend(ledger.findings.told().iter().map(|f| format!("  {}", finding_line(f))));
    lines
}

fn ledger_json(ledger: &Ledger) -> Value {
    let head = ledger.head.as_ref();
    let head =
        head.map(|h| json!({"slot": h.slot, "size": h.size, "root": h.root, "loggedOn": h.on, "keyid": h.keyid}));
    json!({
        "ledger": ledger.environment,
        "state": ledger.state,
        "origin": ledger.origin,
        "head": head,
        "entries": ledger.entries,
        "leaves": ledger.leaves,
        "records": ledger.records,
        "heartbeats": ledger.heartbeats,
        "late": ledger.late,
        "findings": ledger.findings.told(),
    })
}

fn summary_json(answer: &Whole, anchors: &Anchors, said: (&[String], &[String]), mut counts: Value) -> Value {
    let (without, stamps) = said;
    let (proved, up_to) = anchors.proved();
    let not_proved: Vec<Value> = anchors
        .not_proved()
        .map(|a| {
            let said = &a.checkpoint;
            json!({"from": a.from, "origin": said.origin, "size": said.size, "why": a.proof.why(said.size)})
        })
        .collect();
    let states = answer.ledgers.iter().fold(serde_json::Map::new(), |mut states, ledger| {
        let n = states.get(ledger.state.as_str()).and_then(Value::as_u64).unwrap_or_default();
        states.insert(ledger.state.as_str().to_owned(), json!(n + 1));
        states
    });
    let versions = match &answer.versions {
        Versions::Listed => json!({"seen": true}),
        Versions::NotKept => json!({"seen": false, "why": "this store keeps no versions"}),
        Versions::Unseen(why) => json!({"seen": false, "why": why}),
    };
    if let Some(summary) = counts.as_object_mut() {
        summary.insert("ledgers".to_owned(), Value::Object(states));
        let anchors = json!({
            "found": found_in(anchors), "proved": proved, "upTo": up_to,
            "notProved": not_proved, "nothingFoundIn": without,
        });
        summary.insert("anchors".to_owned(), anchors);
        summary.insert("timeStamps".to_owned(), json!(stamps));
        summary.insert("versions".to_owned(), versions);
        summary.insert("findings".to_owned(), json!(answer.findings.told()));
    }
    json!({"summary": counts})
}

/// Checkpoints that were found in what was kept elsewhere.
fn found_in(anchors: &Anchors) -> u64 {
    anchors.kept().count() as u64 + anchors.omitted
}

fn anchor_lines(anchors: &Anchors, none_said: bool) -> Vec<String> {
    if none_said {
        return vec![
            "no anchor was named: what was cut off the end of a ledger together with its records shows only against a \
             checkpoint that was kept elsewhere (CI logs have them; say --anchor)"
                .to_owned(),
        ];
    }
    let (proved, up_to) = anchors.proved();
    let up_to = up_to.map(|size| format!(", the largest of {size} leaves")).unwrap_or_default();
    let mut lines = vec![format!("anchors: {proved} of {} proved{up_to}", found_in(anchors))];
    let not_proved: Vec<_> = anchors.not_proved().collect();
    for anchor in not_proved.iter().take(MOST_ANCHORS) {
        lines.push(format!("  not proved: {}: {}", anchor.from, anchor.proof.why(anchor.checkpoint.size)));
    }
    let more = (not_proved.len().saturating_sub(MOST_ANCHORS)) as u64 + anchors.omitted;
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines
}

fn versions(versions: &Versions) -> String {
    match versions {
        Versions::Listed => "versions: all were seen".to_owned(),
        Versions::NotKept => {
            "versions: this store keeps none, so what was overwritten left no trace but in the ledger".to_owned()
        }
        Versions::Unseen(why) => format!("versions: not seen: {why}"),
    }
}
