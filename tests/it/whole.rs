//! The attacker's list: everything that can be done to a vault, found and named, with the right exit code.

use crate::stage::{GREEN, Played, Stage};
use serde_json::Value;
use std::path::Path;

const PROD: &str = ".vouchsafe/ledger/env=production";

/// A production of `n` runs, one a day at 10 o'clock, and the checkpoint that each printed.
fn history(n: u32) -> (Stage, Vec<String>) {
    let mut stage = Stage::github();
    stage.write("r.xml", GREEN);
    let printed = (1..=n).map(|run| attest(&mut stage, "production", run)).collect();
    (stage, printed)
}

/// Attests run `run` on the day of that number; answers with what was said.
fn attest(stage: &mut Stage, environment: &str, run: u32) -> String {
    stage.now = format!("2026-11-{:02}T10:00:00Z", run).parse().unwrap();
    stage.env.insert("GITHUB_RUN_ID".into(), run.to_string());
    stage.play(&["attest", "-e", environment, "--report", "r.xml", "--outcome", "success"]).exits(0).err
}

fn address(run: u32) -> String {
    format!("evidence/env=production/date=2026-11-{run:02}/run=github-{run}-1/run.json")
}

fn slot(number: u64) -> String {
    format!("{PROD}/{:012}", 999_999_999_999 - number)
}

#[allow(clippy::disallowed_methods, reason = "this is the attacker")]
fn remove(stage: &Stage, path: &str) {
    let path = stage.at(path);
    if path.is_dir() { std::fs::remove_dir_all(path).unwrap() } else { std::fs::remove_file(path).unwrap() }
}

fn forget(stage: &Stage, run: u32) {
    remove(stage, &format!(".vouchsafe/{}", address(run)));
}

fn record(stage: &Stage, run: u32) -> Vec<u8> {
    std::fs::read(stage.at(".vouchsafe").join(address(run))).unwrap()
}

fn put(stage: &Stage, address: &str, bytes: &[u8]) {
    stage.write(&format!(".vouchsafe/{address}"), bytes);
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let to = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(to).unwrap(),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// What `verify --json` said.
struct Verified {
    code: u8,
    lines: Vec<Value>,
}

fn verify(stage: &Stage, words: &[&str]) -> Verified {
    let played: Played = stage.play(&[&["verify", "--json"], words].concat());
    assert!(played.code != 1 && played.code != 2, "{}", played.err);
    Verified { code: played.code, lines: played.json_lines() }
}

impl Verified {
    fn of(&self, run: u32) -> &Value {
        let wanted = address(run);
        self.lines.iter().find(|l| l["address"] == wanted.as_str()).unwrap_or_else(|| panic!("{wanted}: {self}"))
    }

    fn ledger(&self, environment: &str) -> &Value {
        self.lines.iter().find(|l| l["ledger"] == environment).unwrap_or_else(|| panic!("{environment}: {self}"))
    }

    fn summary(&self) -> &Value {
        &self.lines.last().unwrap()["summary"]
    }

    /// The exit code, the verdict of a run, words in its reason.
    #[track_caller]
    fn says(&self, code: u8, run: u32, verdict: &str, words: &[&str]) {
        assert_eq!(self.code, code, "{self}");
        let line = self.of(run);
        assert_eq!(line["verdict"], verdict, "{line}");
        let why = line["why"].as_str().unwrap();
        words.iter().for_each(|word| assert!(why.contains(word), "{word}: {why}"));
    }

    /// The exit code, the state of the production ledger, words in one of its findings.
    #[track_caller]
    fn finds(&self, code: u8, state: &str, words: &[&str]) {
        assert_eq!(self.code, code, "{self}");
        let ledger = self.ledger("production");
        assert_eq!(ledger["state"], state, "{ledger}");
        let told = ledger["findings"].to_string();
        words.iter().for_each(|word| assert!(told.contains(word), "{word}: {told}"));
    }

    #[track_caller]
    fn only(&self, verdicts: Value) {
        assert_eq!(self.summary()["verdicts"], verdicts, "{self}");
    }
}

impl std::fmt::Display for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "exit {}", self.code)?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[test]
fn everything_is_there_and_each_record_knows_its_place() {
    let (mut stage, _) = history(5);
    attest(&mut stage, "staging", 6);
    attest(&mut stage, "eu prod", 7);
    let verified = verify(&stage, &[]);
    assert_eq!(verified.code, 0, "{verified}");
    verified.only(serde_json::json!({"valid": 7}));
    assert_eq!(verified.summary()["ledgers"], serde_json::json!({"whole": 3}));
    verified.says(0, 3, "valid", &["leaf 2 in slot 2", "trusted"]);
    assert_eq!((&verified.of(3)["leaf"], &verified.of(3)["slot"]), (&2.into(), &2.into()));
    let ledger = verified.ledger("production");
    assert_eq!((&ledger["records"], &ledger["entries"], &ledger["head"]["size"]), (&5.into(), &5.into(), &5.into()));
    assert_eq!(verified.ledger("eu prod")["state"], "whole");
    // For people: not a line for each that is fine, and an honest word about what no ledger can show.
    let told = stage.play(&["verify"]).exits(0);
    assert_eq!(told.out, "");
    for word in ["7 records: 7 valid", "ledger production: whole, 5 entries", "no anchor was named", "keeps none"] {
        assert!(told.err.contains(word), "{word}: {}", told.err);
    }
    assert_eq!(stage.play(&["verify", "--all"]).exits(0).out.lines().count(), 7);
    // One environment, one period: the ledger is walked whole all the same.
    let some = verify(&stage, &["--environment", "production", "--from", "2026-11-02", "--to", "2026-11-03"]);
    some.only(serde_json::json!({"valid": 2}));
    assert_eq!((some.code, &some.ledger("production")["records"]), (0, &5.into()));
    assert!(!some.lines.iter().any(|l| l["ledger"] == "staging"), "{some}");
    // A copy without the sidecars is as good.
    copy(&stage.at(".vouchsafe"), &stage.at("copy"));
    let copied = verify(&stage, &["copy"]);
    assert_eq!((copied.code, &copied.summary()["records"]), (0, &7.into()), "{copied}");
}

#[test]
fn a_record_that_is_deleted_is_missing() {
    let (stage, _) = history(5);
    forget(&stage, 3);
    let verified = verify(&stage, &[]);
    verified.says(3, 3, "missing", &["leaf 2 in slot 2", "2026-11-03", "nothing stands there", "sha256"]);
    verified.only(serde_json::json!({"valid": 4, "missing": 1}));
    assert_eq!(verified.of(3)["sha256"], Value::Null, "of what stands there, which is nothing");
    let told = stage.play(&["verify"]).exits(3);
    assert!(told.out.starts_with("missing") && told.out.contains("run=github-3-1"), "{}", told.out);
    // Out of the period that was asked for.
    assert_eq!(verify(&stage, &["--from", "2026-11-04"]).code, 0);
    // All of them.
    remove(&stage, ".vouchsafe/evidence");
    verify(&stage, &[]).only(serde_json::json!({"missing": 5}));
}

#[test]
fn an_entry_that_is_deleted_is_a_gap() {
    let (stage, _) = history(5);
    let whole = stage.at("whole");
    copy(&stage.at(".vouchsafe"), &whole);
    for (number, words) in [
        (2, ["slot 2 is missing", "leaf 2 cannot be known"]),
        (0, ["slot 0 is missing", "leaf 0 cannot be known"]),
        (3, ["slot 3 is missing", "leaf 3 cannot be known"]),
    ] {
        remove(&stage, ".vouchsafe");
        copy(&whole, &stage.at(".vouchsafe"));
        remove(&stage, &slot(number));
        let verified = verify(&stage, &[]);
        verified.finds(3, "gap", &words);
        verified.says(3, number as u32 + 1, "unlinked", &["no leaf of the ledger names it"]);
        verified.only(serde_json::json!({"valid": 4, "unlinked": 1}));
    }
    remove(&stage, ".vouchsafe");
    copy(&whole, &stage.at(".vouchsafe"));
    remove(&stage, ".vouchsafe/ledger");
    let verified = verify(&stage, &[]);
    assert_eq!(verified.code, 4, "{verified}");
    verified.only(serde_json::json!({"unlinked": 5}));
    verified.says(4, 1, "unlinked", &["its environment has no ledger"]);
    assert!(verified.summary()["findings"].to_string().contains("has records and no ledger"), "{verified}");
}

#[test]
fn records_that_are_swapped_or_moved_or_replayed_are_moved() {
    let (stage, _) = history(4);
    let (one, two) = (record(&stage, 1), record(&stage, 2));
    put(&stage, &address(1), &two);
    put(&stage, &address(2), &one);
    let verified = verify(&stage, &[]);
    verified.says(3, 1, "moved", &["belongs at", "run=github-2-1", "leaf 0 in slot 0 logged other bytes"]);
    verified.says(3, 2, "moved", &["run=github-1-1"]);
    put(&stage, &address(1), &one);
    put(&stage, &address(2), &two);
    assert_eq!(verify(&stage, &[]).code, 0);
    // Moved away: it is missing where it was.
    forget(&stage, 1);
    put(&stage, &address(9), &one);
    let verified = verify(&stage, &[]);
    verified.says(3, 9, "moved", &["run=github-1-1"]);
    verified.says(3, 1, "missing", &[]);
    // Replayed: it stands where it was, too.
    put(&stage, &address(1), &one);
    let verified = verify(&stage, &[]);
    verified.says(3, 9, "moved", &[]);
    verified.says(3, 1, "valid", &[]);
}

#[test]
fn a_record_that_is_signed_again_is_altered_or_untrusted() {
    let (mut stage, _) = history(3);
    // The same run in another vault: by the same key, by another one that is trusted, and by one that is not.
    let again = |stage: &mut Stage, vault: &str, words: &[&str]| {
        stage.now = "2026-11-02T10:00:07Z".parse().unwrap();
        stage.env.insert("GITHUB_RUN_ID".into(), "2".into());
        let words = [&["attest", "-e", "production", "--report", "r.xml", "--vault", vault][..], words].concat();
        stage.play(&words).exits(0);
        std::fs::read(stage.at(vault).join(address(2))).unwrap()
    };
    let other = stage.play(&["key", "new", "--output", "other.pem"]).exits(0);
    stage.write("other.pub", other.out);
    let same_key = again(&mut stage, "again", &[]);
    let other_key = again(&mut stage, "other", &["--signing-key", "other.pem"]);
    put(&stage, &address(2), &same_key);
    let verified = verify(&stage, &[]);
    verified.says(3, 2, "altered", &["leaf 1 in slot 1", "other bytes", "validly signed by SHA256:"]);
    put(&stage, &address(2), &other_key);
    verify(&stage, &[]).says(3, 2, "untrusted", &["leaf 1 in slot 1 logged other bytes"]);
    let pem = stage.play(&["key", "show", "--pem"]).exits(0).out;
    stage.write("public.pem", pem);
    let both = verify(&stage, &["--key", "public.pem", "--key", "other.pub"]);
    both.says(3, 2, "altered", &["other bytes", "validly signed by SHA256:"]);
    // One byte.
    let mut bent = record(&stage, 3);
    let at = bent.windows(9).position(|w| w == b"\"payload\"").unwrap() + 40;
    bent[at] ^= 1;
    put(&stage, &address(3), &bent);
    verify(&stage, &[]).says(3, 3, "invalid", &["leaf 2 in slot 2 logged other bytes"]);
}

#[test]
fn a_record_without_a_leaf_is_unlinked_and_a_young_one_may_be_on_its_way() {
    let (stage, _) = history(3);
    remove(&stage, &slot(2));
    let verified = verify(&stage, &[]);
    verified.finds(0, "whole", &[]);
    verified.says(0, 3, "unlinked", &["it may be on its way"]);
    assert_eq!(verified.summary()["onTheirWay"], 1);
    verify(&stage, &["--grace", "0s"]).says(4, 3, "unlinked", &["no leaf of the ledger names it"]);
    let mut later = stage;
    later.now = "2026-11-03T10:16:00Z".parse().unwrap();
    verify(&later, &[]).says(4, 3, "unlinked", &["no leaf of the ledger names it"]);
    later.play(&["verify", "--grace", "soon"]).exits(2);
    // Dated ahead, it stays young for no longer.
    later.now = "2026-11-02T10:00:00Z".parse().unwrap();
    assert_eq!(verify(&later, &[]).code, 4);
}

#[test]
fn an_end_that_is_cut_off_shows_against_an_anchor() {
    let (mut stage, printed) = history(6);
    stage.now = "2026-11-20T10:00:00Z".parse().unwrap();
    // The CI logs as they were downloaded: a time before every line.
    for (run, text) in (1..).zip(&printed) {
        let line = |l: &str| format!("2026-11-{run:02}T10:00:01.1234567Z {l}\n");
        stage.write(&format!("logs/{run}/attest.txt"), text.lines().map(line).collect::<String>());
    }
    let clean = verify(&stage, &["--anchor", "logs"]);
    assert_eq!(clean.code, 0, "{clean}");
    let anchors = &clean.summary()["anchors"];
    assert_eq!((&anchors["proved"], &anchors["upTo"], &anchors["found"]), (&6.into(), &6.into(), &6.into()));
    for run in [5, 6] {
        forget(&stage, run);
        remove(&stage, &slot(u64::from(run) - 1));
    }
    let none = verify(&stage, &[]);
    none.finds(0, "whole", &[]);
    none.only(serde_json::json!({"valid": 4}));
    verify(&stage, &["--anchor", "logs/4"]).finds(0, "whole", &[]);
    let verified = verify(&stage, &["--anchor", "logs"]);
    verified.finds(3, "truncated", &["logs/6/attest.txt", "the ledger ends 2 leaves before it", "leaves 4 to 5"]);
    assert_eq!(verified.summary()["anchors"]["proved"], 4);
    let told = stage.play(&["verify", "--anchor", "logs"]).exits(3);
    assert!(told.err.contains("anchors: 4 of 6 proved") && told.err.contains("truncated"), "{}", told.err);
    // An environment that is not asked for is not missing.
    attest(&mut stage, "staging", 7);
    let staging = verify(&stage, &["--environment", "staging", "--anchor", "logs"]);
    assert_eq!((staging.code, &staging.summary()["anchors"]["proved"]), (0, &0.into()), "{staging}");
    // The whole ledger, with all that it named.
    remove(&stage, ".vouchsafe/ledger");
    let verified = verify(&stage, &["--anchor", "logs/1"]);
    assert_eq!(verified.code, 3, "{verified}");
    assert!(verified.summary()["anchors"].to_string().contains("no ledger here has its origin"), "{verified}");
}

#[test]
fn an_end_that_is_written_anew_with_the_real_key_shows_against_an_anchor() {
    let (mut stage, mut printed) = history(4);
    copy(&stage.at(".vouchsafe"), &stage.at("before"));
    printed.extend((5..=6).map(|run| attest(&mut stage, "production", run)));
    stage.write("anchor.txt", &printed[5]);
    stage.write("early.txt", &printed[3]);
    remove(&stage, ".vouchsafe");
    copy(&stage.at("before"), &stage.at(".vouchsafe"));
    for run in 7..=9 {
        attest(&mut stage, "production", run);
    }
    stage.now = "2026-11-20T10:00:00Z".parse().unwrap();
    assert_eq!(verify(&stage, &[]).code, 0, "invisible without an anchor");
    assert_eq!(verify(&stage, &["--anchor", "early.txt"]).code, 0);
    verify(&stage, &["--anchor", "anchor.txt"]).finds(3, "forked", &["another root at 6 leaves", "rewritten"]);
}

#[test]
fn an_anchor_is_found_in_receipts_and_counts_only_by_its_signature() {
    let (mut stage, printed) = history(2);
    stage.env.insert("GITHUB_RUN_ID".into(), "3".into());
    let receipt = stage.play(&["attest", "-e", "production", "--report", "r.xml", "--json"]).exits(0).out;
    stage.write("receipts.jsonl", &receipt);
    stage.now = "2026-11-20T10:00:00Z".parse().unwrap();
    let verified = verify(&stage, &["--anchor", "receipts.jsonl"]);
    assert_eq!((verified.code, &verified.summary()["anchors"]["upTo"]), (0, &3.into()), "{verified}");
    stage.write("false.txt", printed[1].replace("\n2\n", "\n3\n"));
    let verified = verify(&stage, &["--anchor", "false.txt"]);
    assert_eq!(verified.code, 3);
    assert!(verified.summary()["anchors"]["notProved"][0]["why"].as_str().unwrap().contains("does not hold"));
    stage.write("nothing.txt", "hello");
    let told = stage.play(&["verify", "--anchor", "nothing.txt"]).exits(3);
    assert!(told.err.contains("no checkpoint was found in `nothing.txt`"), "{}", told.err);
    stage.play(&["verify", "--anchor", "no-such-file"]).exits(1);
    stage.play(&["verify", &format!(".vouchsafe/{}", address(1)), "--anchor", "receipts.jsonl"]).exits(2);
}

#[test]
fn what_is_put_into_slots_is_told_apart_from_what_was_there() {
    let (mut stage, _) = history(4);
    stage.now = "2026-11-20T10:00:00Z".parse().unwrap();
    copy(&stage.at(".vouchsafe"), &stage.at("whole"));
    let fresh = |stage: &Stage| {
        remove(stage, ".vouchsafe");
        copy(&stage.at("whole"), &stage.at(".vouchsafe"));
    };
    let folder = stage.at(".");
    let read = |number| std::fs::read_to_string(folder.join(slot(number))).unwrap();
    // Garbage at the end, and far beyond it.
    for number in [4, 5_000_000] {
        stage.write(&slot(number), "garbage");
        verify(&stage, &[]).finds(4, "whole", &["it holds no entry", &format!("\"slot\":{number}")]);
        fresh(&stage);
    }
    // A writer passes over it; what is there is void from then on.
    stage.write(&slot(4), "garbage");
    attest(&mut stage, "production", 5);
    stage.now = "2026-11-20T10:00:00Z".parse().unwrap();
    let verified = verify(&stage, &[]);
    verified.finds(4, "whole", &["it is void"]);
    verified.says(4, 5, "valid", &["leaf 5 in slot 5"]);
    fresh(&stage);
    // Garbage in the place of an entry.
    stage.write(&slot(2), "garbage");
    let verified = verify(&stage, &[]);
    verified.finds(3, "gap", &["slot 2, on which it builds, holds no entry any more", "leaf 2 cannot be known"]);
    verified.says(3, 3, "unlinked", &[]);
    fresh(&stage);
    // A changed entry, and one with the checkpoint of another.
    stage.write(&slot(1), read(1).replace("\"records\":2", "\"records\":7"));
    verify(&stage, &[]).finds(4, "whole", &["its count of records"]);
    fresh(&stage);
    let note = |text: &str| serde_json::from_str::<Value>(text).unwrap()["checkpoint"].to_string();
    stage.write(&slot(1), read(1).replace(&note(&read(1)), &note(&read(3))));
    verify(&stage, &[]).finds(3, "gap", &["slot 1", "leaf 1 cannot be known"]);
    fresh(&stage);
    stage.write(&slot(3), read(3).replace(&note(&read(3)), &note(&read(1))));
    let verified = verify(&stage, &[]);
    verified.finds(4, "whole", &["it holds no entry", "\"slot\":3"]);
    verified.says(4, 4, "unlinked", &[]);
    fresh(&stage);
    // An entry of another environment.
    attest(&mut stage, "staging", 6);
    stage.now = "2026-11-20T10:00:00Z".parse().unwrap();
    let foreign = std::fs::read(stage.at(slot(0).replace("production", "staging"))).unwrap();
    for number in [0, 2] {
        stage.write(&slot(number), &foreign);
        verify(&stage, &[]).finds(3, "gap", &["it belongs elsewhere", &format!("slot {number}")]);
        stage.write(&slot(number), std::fs::read(stage.at(slot(number).replace(".vouchsafe", "whole"))).unwrap());
    }
    assert_eq!(verify(&stage, &[]).code, 0);
    // What is no part of a ledger at all.
    stage.write(&format!("{PROD}/notes.txt"), "hello");
    let verified = verify(&stage, &[]);
    assert_eq!(verified.code, 4);
    assert!(verified.summary()["findings"].to_string().contains("notes.txt"), "{verified}");
}

#[test]
fn a_clock_that_goes_back_is_found() {
    let (mut stage, _) = history(4);
    attest(&mut stage, "production", 2);
    stage.now = "2026-11-02T12:00:00Z".parse().unwrap();
    stage.env.insert("GITHUB_RUN_ID".into(), "99".into());
    stage.play(&["attest", "-e", "production", "--report", "r.xml"]).exits(0);
    stage.now = "2026-11-20T10:00:00Z".parse().unwrap();
    // Whoever dates a record back has to date its leaf back, too, and that stands after later ones.
    verify(&stage, &[]).finds(4, "whole", &["leaf 4: the clock goes back by 1 d 22 h"]);
}

#[test]
fn a_record_that_came_late_says_so() {
    let (mut stage, _) = history(2);
    // A vault that cannot be written to: a file stands where a folder has to be.
    let (evidence, aside) = (stage.at(".vouchsafe/evidence"), stage.at("aside"));
    std::fs::rename(&evidence, &aside).unwrap();
    stage.write(".vouchsafe/evidence", "not a folder");
    stage.now = "2026-11-03T10:00:00Z".parse().unwrap();
    stage.env.insert("GITHUB_RUN_ID".into(), "3".into());
    stage.play(&["attest", "-e", "production", "--report", "r.xml"]).exits(6);
    std::fs::remove_file(&evidence).unwrap();
    std::fs::rename(&aside, &evidence).unwrap();
    stage.now = "2026-11-06T12:00:00Z".parse().unwrap();
    stage.play(&["flush"]).exits(0);
    let verified = verify(&stage, &[]);
    verified.says(0, 3, "valid", &["logged 3 d 2 h after it was recorded, out of a spool"]);
    assert_eq!(verified.ledger("production")["late"], 1);
}

#[test]
fn a_record_that_is_gone_after_its_time_is_expired() {
    let (mut stage, _) = history(3);
    forget(&stage, 1);
    verify(&stage, &[]).says(3, 1, "missing", &[]);
    stage.now = "2028-06-01T10:00:00Z".parse().unwrap();
    let verified = verify(&stage, &[]);
    verified.says(0, 1, "expired", &["had to be kept until", "and is gone"]);
    verified.only(serde_json::json!({"valid": 2, "expired": 1}));
    assert_eq!(stage.play(&["verify"]).exits(0).out, "");
}

#[test]
fn a_name_that_is_no_address_is_told() {
    let (stage, _) = history(1);
    stage.write(".vouchsafe/evidence/env=production/a\\b.json", "x");
    let verified = verify(&stage, &[]);
    assert_eq!(verified.code, 4, "{verified}");
    assert!(verified.summary()["findings"].to_string().contains("is no address of a vault"), "{verified}");
}
