use super::disk::TAP;
use super::*;
use crate::record::json;
use crate::vault::address::{About, Address, Parts};
use crate::vault::lock::{Mode, Retention};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::fs;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

#[allow(clippy::disallowed_methods, reason = "the age of a real file is measured by the real clock")]
fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

fn later() -> DateTime<Utc> {
    now() + TimeDelta::minutes(61)
}

fn bundle(n: usize) -> Vec<u8> {
    format!("{{\"n\":{n},\"pad\":\"{}\"}}", "x".repeat(n % 7 * 1000)).into_bytes()
}

fn parcel(bundle: &[u8]) -> Parcel {
    let on = |t: &str| t.parse::<DateTime<Utc>>().unwrap();
    Parcel {
        vault: "s3://evidence/prefix".into(),
        address: Address::parse("evidence/env=prod/date=2026-11-22/run=github-1-1/run.json").unwrap(),
        sha256: Sha256Digest::of(bundle),
        environment: "prod".into(),
        run_id: "1".into(),
        recorded_on: on("2026-11-22T10:00:00.123456789Z"),
        lock: Some(Retention { mode: Mode::Compliance, until: on("2027-12-27T10:00:00Z"), legal_hold: true }),
        keep_until: Some(on("2027-12-27T10:00:00Z")),
        kept_on: on("2026-11-22T10:00:01Z"),
    }
}

fn keep(folder: &Path, n: usize) -> Result<Held, SpoolError> {
    Spool::at(folder.to_owned()).keep(&parcel(&bundle(n)), &bundle(n))
}

/// As a process that starts now sees the folder.
fn look(folder: &Path, now: DateTime<Utc>) -> Vec<Waiting> {
    Spool::at(folder.to_owned()).waiting(now).unwrap().collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_record_waits_until_it_is_delivered() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("deep/spool");
    let spool = Spool::at(folder.clone());
    assert_eq!(spool.waiting(now()).unwrap().count(), 0);
    assert!(!folder.exists(), "looking makes nothing");
    let (bytes, label) = (bundle(1), parcel(&bundle(1)));
    let held = spool.keep(&label, &bytes).unwrap();
    assert_eq!((held.parcel(), held.bundle().unwrap()), (&label, bytes.clone()));
    let sha = label.sha256;
    assert_eq!(held.file(), folder.join(format!("{sha}.json")));
    assert_eq!(fs::read(held.file()).unwrap(), bytes, "untouched");
    assert_eq!(names(&folder), [".gitignore".to_owned(), format!("{sha}.json"), format!("{sha}.parcel")]);
    assert_eq!(fs::read_to_string(folder.join(".gitignore")).unwrap(), "*\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |p: &Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        for name in names(&folder) {
            assert_eq!(mode(&folder.join(&name)), 0o600, "{name}");
        }
    }
    // Neither this spool, nor a clone, nor another process's hands out what is held.
    for spool in [&spool, &spool.clone(), &Spool::at(folder.clone())] {
        let seen: Vec<_> = spool.waiting(now()).unwrap().collect();
        assert!(matches!(&seen[..], [Waiting::Busy(file)] if file == held.file()), "{seen:?}");
        assert!(matches!(spool.keep(&label, &bytes), Err(SpoolError::Busy { .. })));
    }
    drop(held);
    let mut seen = look(&folder, now());
    let Some(Waiting::Ready(held)) = seen.pop() else { panic!("{seen:?}") };
    assert_eq!((held.parcel(), held.bundle().unwrap()), (&label, bytes));
    held.delivered().unwrap();
    assert_eq!(names(&folder), [".gitignore"]);
    assert_eq!(look(&folder, now()).len(), 0);
}

#[test]
fn what_was_let_go_is_free_though_a_starting_child_has_the_file_too() {
    let dir = TempDir::new().unwrap();
    let held = keep(dir.path(), 1).unwrap();
    let inherited = held._lock.file().try_clone().unwrap();
    drop(held);
    let seen = look(dir.path(), now());
    assert!(matches!(&seen[..], [Waiting::Ready(_)]), "{seen:?}");
    drop(inherited);
}

#[test]
fn where_the_disk_has_no_locks_a_process_still_knows_its_own() {
    let dir = TempDir::new().unwrap();
    let spool = Spool::at(dir.path().into());
    let held = spool.keep(&parcel(&bundle(1)), &bundle(1)).unwrap();
    held._lock.file().unlock().unwrap();
    let seen: Vec<_> = spool.clone().waiting(now()).unwrap().collect();
    assert!(matches!(&seen[..], [Waiting::Busy(_)]), "{seen:?}");
    // Another process cannot know. It delivers the same bytes to the same place, and whoever is second finds them gone.
    let mut seen = look(dir.path(), now());
    let Some(Waiting::Ready(theirs)) = seen.pop() else { panic!("{seen:?}") };
    theirs.delivered().unwrap();
    held.delivered().unwrap();
    assert_eq!(names(dir.path()), [".gitignore"]);
}

#[test]
fn a_label_that_changed_hands_while_it_was_opened_is_not_ours() {
    let dir = TempDir::new().unwrap();
    let label = keep(dir.path(), 1).unwrap().file().with_extension("parcel");
    let text = fs::read(&label).unwrap();
    let theirs = std::rc::Rc::new(std::cell::RefCell::new(None));
    let slot = std::rc::Rc::clone(&theirs);
    tap(Some(Box::new(move |what, place: &Path| {
        if what == "lock" && slot.borrow().is_none() {
            fs::remove_file(place).unwrap();
            fs::write(place, &text).unwrap();
            let file = fs::File::open(place).unwrap();
            file.lock().unwrap();
            *slot.borrow_mut() = Some(file);
        }
        Ok(())
    })));
    let seen = look(dir.path(), now());
    tap(None);
    assert!(theirs.borrow().is_some());
    assert!(matches!(&seen[..], [Waiting::Busy(_)]), "{seen:?}");
}

#[test]
fn the_oldest_comes_first() {
    let dir = TempDir::new().unwrap();
    for (n, day) in [(1, "2026-11-03"), (2, "2026-11-01"), (3, "2026-11-02")] {
        let label = Parcel { kept_on: format!("{day}T00:00:00Z").parse().unwrap(), ..parcel(&bundle(n)) };
        Spool::at(dir.path().into()).keep(&label, &bundle(n)).unwrap();
    }
    // Older than all of them by its file.
    let bare = dir.path().join(format!("{}.json", Sha256Digest::of(b"{}")));
    fs::write(&bare, "{}").unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(&bare).unwrap().set_modified(old).unwrap();
    let seen = look(dir.path(), now());
    let order: Vec<_> = seen
        .iter()
        .map(|w| match w {
            Waiting::Ready(held) => held.parcel().kept_on.to_string()[..10].to_owned(),
            Waiting::Unlabelled(bare) => String::from_utf8(bare.bundle().unwrap()).unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(order, ["{}", "2026-11-01", "2026-11-02", "2026-11-03"]);
}

#[test]
fn the_same_record_again_is_taken_over() {
    let dir = TempDir::new().unwrap();
    let spool = Spool::at(dir.path().into());
    let (bytes, label) = (bundle(1), parcel(&bundle(1)));
    drop(spool.keep(&label, &bytes).unwrap());
    let again = Parcel { kept_on: now(), lock: None, ..label.clone() };
    assert_eq!(spool.keep(&again, &bytes).unwrap().parcel(), &label, "the first label stands");
    let elsewhere = Parcel { vault: "s3://other".into(), ..label.clone() };
    let error = spool.keep(&elsewhere, &bytes).unwrap_err();
    assert!(matches!(error, SpoolError::Elsewhere { .. }), "{error}");
    assert_eq!(look(dir.path(), now()).len(), 1);
    // A label that a kill left alone promises nothing.
    fs::remove_file(dir.path().join(format!("{}.json", label.sha256))).unwrap();
    assert_eq!(spool.keep(&elsewhere, &bytes).unwrap().parcel(), &elsewhere);
}

#[test]
fn a_bundle_without_a_label_gets_one_by_keeping_it() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join(format!("{}.json", Sha256Digest::of(&bundle(1))));
    fs::write(&file, bundle(1)).unwrap();
    let mut seen = look(dir.path(), now());
    let Some(Waiting::Unlabelled(bare)) = seen.pop() else { panic!("{seen:?}") };
    assert_eq!(bare.file(), file);
    let spool = Spool::at(dir.path().into());
    spool.keep(&parcel(&bundle(1)), &bare.bundle().unwrap()).unwrap().delivered().unwrap();
    assert_eq!(names(dir.path()), [".gitignore"]);
}

#[test]
fn what_could_not_come_out_again_does_not_go_in() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("spool");
    let bytes = bundle(1);
    let label = parcel(&bytes);
    let big = vec![b'x'; usize::try_from(vault::LIMIT).unwrap() + 1];
    for (label, bytes, word) in [
        (Parcel { sha256: Sha256Digest::of(b""), ..label.clone() }, &bytes, "its label says"),
        (
            Parcel { address: Address::parse("cron.d/x").unwrap(), ..label.clone() },
            &bytes,
            "not the address of a record",
        ),
        (Parcel { environment: "\u{1b}".repeat(200_000), ..label.clone() }, &bytes, "larger than 1048576"),
        (parcel(&big), &big, "at most 67108864"),
    ] {
        let error = Spool::at(folder.clone()).keep(&label, bytes).unwrap_err();
        assert!(matches!(error, SpoolError::Unfit { .. }) && error.to_string().contains(word), "{error}");
    }
    assert!(!folder.exists(), "nothing was begun");
    fs::write(&folder, "a file").unwrap();
    let error = Spool::at(folder.clone()).keep(&label, &bytes).unwrap_err();
    assert!(matches!(error, SpoolError::Disk { .. }) && error.to_string().contains("--spool"), "{error}");
    assert!(Spool::at(folder).waiting(now()).is_err());
}

#[test]
fn what_is_damaged_is_told_and_stays() {
    type Harm = fn(&Path, &Path);
    fn swap(label: &Path, from: &str, to: &str) {
        let text = fs::read_to_string(label).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(label, text.replace(from, to)).unwrap();
    }
    let table: &[(&str, Harm)] = &[
        ("cut short or changed", |bundle, _| fs::write(bundle, "{\"n\"").unwrap()),
        ("cut short or changed", |bundle, _| fs::write(bundle, "").unwrap()),
        ("it is a folder", |bundle, _| {
            fs::remove_file(bundle).unwrap();
            fs::create_dir(bundle).unwrap();
        }),
        ("it is a folder", |_, label| {
            fs::remove_file(label).unwrap();
            fs::create_dir(label).unwrap();
        }),
        #[cfg(unix)]
        ("it is a symbolic link", |bundle, label| {
            let real = label.with_extension("real");
            fs::rename(bundle, &real).unwrap();
            std::os::unix::fs::symlink(real, bundle).unwrap();
        }),
        #[cfg(unix)]
        ("it is a symbolic link", |bundle, label| {
            // Nor one that leads nowhere.
            fs::remove_file(label).unwrap();
            std::os::unix::fs::symlink(bundle.with_extension("nowhere"), label).unwrap();
        }),
        #[cfg(unix)]
        ("not a regular file", |bundle, _| {
            fs::remove_file(bundle).unwrap();
            assert!(Command::new("mkfifo").arg(bundle).status().unwrap().success());
        }),
        ("larger than 67108864 bytes", |bundle, _| {
            fs::File::options().write(true).open(bundle).unwrap().set_len(vault::LIMIT + 1).unwrap();
        }),
        ("larger than 1048576 bytes", |_, label| {
            fs::File::options().write(true).open(label).unwrap().set_len(parcel::LIMIT * 3).unwrap();
        }),
        ("no parcel: EOF", |_, label| fs::write(label, "").unwrap()),
        ("no parcel: missing field `v`", |_, label| fs::write(label, "{}").unwrap()),
        ("no parcel: EOF", |_, label| fs::write(label, format!("{{\"x\":{}", "[".repeat(900_000))).unwrap()),
        ("no parcel: unknown field `rush`", |_, label| swap(label, "\"vault\"", "\"rush\":1,\"vault\"")),
        ("no parcel: unknown field `[31m`", |_, label| swap(label, "\"vault\"", "\"\\u001b[31m\":1,\"vault\"")),
        ("no parcel: duplicate field `v`", |_, label| swap(label, "\"v\":1", "\"v\":1,\"v\":1")),
        ("no parcel: trailing characters", |_, label| swap(label, "\"v\":1", "\"v\":1}{\"v\":1")),
        ("version 2; this vouchsafe knows version 1", |_, label| fs::write(label, "{\"v\":2,\"to\":[]}").unwrap()),
        ("is not an address in a vault: it leads out", |_, label| swap(label, "evidence/", "../")),
        ("is not the address of a record", |_, label| swap(label, "evidence/env=prod", "etc/cron.d")),
        ("its lock has a mode", |_, label| swap(label, "compliance", "eternal")),
        ("64 hex digits", |bundle, label| swap(label, bundle.file_stem().unwrap().to_str().unwrap(), "ab")),
        ("it is the parcel of 00", |bundle, label| {
            swap(label, bundle.file_stem().unwrap().to_str().unwrap(), &"0".repeat(64));
        }),
        ("its name is not the sha256", |bundle, label| {
            fs::rename(bundle, label.with_file_name("record.json")).unwrap();
            fs::remove_file(label).unwrap();
        }),
        ("its name is not the sha256", |bundle, label| {
            let upper = bundle.file_stem().unwrap().to_str().unwrap().to_uppercase();
            fs::rename(bundle, label.with_file_name(upper + ".json")).unwrap();
            fs::remove_file(label).unwrap();
        }),
    ];
    for (n, (word, harm)) in table.iter().enumerate() {
        let dir = TempDir::new().unwrap();
        let bundle = keep(dir.path(), n).unwrap().file().to_owned();
        harm(&bundle, &bundle.with_extension("parcel"));
        let before = names(dir.path());
        for when in [now(), later()] {
            let seen = look(dir.path(), when);
            let [Waiting::Damaged { file, why }] = &seen[..] else { panic!("{n} {word}: {seen:?}") };
            assert!(why.contains(word), "{n} {word}: {why}");
            assert!(!why.chars().any(json::acts), "{why:?}");
            assert!(fs::symlink_metadata(file).is_ok(), "{n} {word}: {}", file.display());
        }
        assert_eq!(names(dir.path()), before, "{n} {word}");
        // And keeping the same record does not write over it.
        let _ = keep(dir.path(), n);
        for name in before {
            assert!(names(dir.path()).contains(&name), "{n} {word}: {name}");
        }
    }
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = TempDir::new().unwrap();
    let file = keep(dir.path(), 1).unwrap().file().to_owned();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&file).is_ok() {
        return; // Root reads everything.
    }
    let seen = look(dir.path(), now());
    assert!(matches!(&seen[..], [Waiting::Damaged { file: f, .. }] if *f == file), "{seen:?}");
}

#[test]
fn only_old_litter_of_ours_is_swept_and_strangers_stay() {
    let dir = TempDir::new().unwrap();
    let sha = parcel(&bundle(1)).sha256;
    let held = keep(dir.path(), 2).unwrap();
    let fresh = keep(dir.path(), 1).unwrap();
    fs::remove_file(fresh.file()).unwrap();
    let staged = dir.path().join(format!(".{sha}.0.part"));
    fs::write(&staged, "{").unwrap();
    for stranger in [".note.0.part", "note.txt", "x.part", &format!(".{sha}.x.part"), &format!("{sha}.txt")] {
        fs::write(dir.path().join(stranger), "").unwrap();
    }
    let all = names(dir.path());
    let _ = look(dir.path(), now());
    assert_eq!(names(dir.path()), all, "young litter stays");
    let _ = look(dir.path(), now() - TimeDelta::days(9));
    assert_eq!(names(dir.path()), all, "a clock that runs behind sweeps nothing");
    // Held by a process that takes very long.
    let lock = fs::File::open(&staged).unwrap();
    lock.lock().unwrap();
    assert_eq!(look(dir.path(), later()).len(), 2, "two are busy");
    assert_eq!(names(dir.path()), all, "what is held stays");
    drop((lock, fresh));
    assert_eq!(look(dir.path(), later()).len(), 1);
    let swept: Vec<_> = all.iter().filter(|n| !names(dir.path()).contains(n)).cloned().collect();
    assert_eq!(swept, [format!(".{sha}.0.part"), format!("{sha}.parcel")]);
    held.delivered().unwrap();
}

/// Runs `work` and kills it before its `n`th change of the disk; in the middle of that change, where it is a write.
/// `None` when there were fewer changes. The kill is a panic: no clean-up of ours stands in a `Drop`, and locks go with
/// their files as they do with a process.
fn killed<T>(n: usize, work: impl FnOnce() -> T) -> Option<String> {
    struct Kill(String);
    let mut left = n;
    tap(Some(Box::new(move |what, place: &Path| {
        if left == 0 {
            if what == "write" {
                fs::write(place, "{\"v\":1,\"va").unwrap();
            }
            std::panic::resume_unwind(Box::new(Kill(format!("{what} {}", place.display()))));
        }
        left -= 1;
        Ok(())
    })));
    let done = catch_unwind(AssertUnwindSafe(work));
    tap(None);
    match done {
        Ok(_) => None,
        Err(e) => Some(e.downcast::<Kill>().expect("a panic of our own making").0),
    }
}

fn tap(tap: Option<disk::Tap>) {
    TAP.with(|slot| *slot.borrow_mut() = tap);
}

/// Nothing, or the whole record; and what is not the record goes with time.
fn nothing_or_whole(folder: &Path, at: &str) -> bool {
    let check = |when| match &look(folder, when)[..] {
        [] => false,
        [Waiting::Ready(held)] => {
            assert_eq!((held.parcel(), held.bundle().unwrap()), (&parcel(&bundle(1)), bundle(1)), "{at}");
            true
        }
        other => panic!("{at}: {other:?}"),
    };
    let whole = check(now());
    assert_eq!(check(later()), whole, "{at}");
    if folder.exists() {
        let left = names(folder).into_iter().filter(|n| n != ".gitignore").count();
        assert_eq!(left, if whole { 2 } else { 0 }, "{at}: litter {:?}", names(folder));
    }
    whole
}

#[test]
fn killed_between_any_two_steps_a_record_is_whole_or_not_there() {
    let mut whole = Vec::new();
    for n in 0.. {
        let dir = TempDir::new().unwrap();
        let folder = dir.path().join("spool");
        let Some(at) = killed(n, || keep(&folder, 1).unwrap()) else { break };
        let words = at.split(&['/', '\\'][..]).next().unwrap().trim().to_owned();
        let waits = nothing_or_whole(&folder, &at);
        whole.push((words, waits));
        // And the step that runs again keeps it.
        let held = keep(&folder, 1).unwrap();
        assert_eq!(held.bundle().unwrap(), bundle(1), "{at}");
        held.delivered().unwrap();
        assert!(!nothing_or_whole(&folder, &at));
    }
    let steps: Vec<_> = whole.iter().map(|(at, waits)| (at.as_str(), *waits)).collect();
    let want = [
        ("make", false),
        ("sync folder", false), // of the parent
        ("ignore", false),
        ("create", false),
        ("write", false),
        ("sync", false),
        ("link", false),
        ("remove", false), // the staged name
        ("create", false),
        ("write", false),
        ("sync", false),
        ("rename", false),
        ("sync folder", true),
    ];
    assert_eq!(steps, want);
}

#[test]
fn killed_while_it_is_removed_a_record_is_whole_or_not_there() {
    let mut whole = Vec::new();
    for n in 0.. {
        let dir = TempDir::new().unwrap();
        let held = keep(dir.path(), 1).unwrap();
        let Some(at) = killed(n, || held.delivered().unwrap()) else { break };
        whole.push(nothing_or_whole(dir.path(), &at));
    }
    assert_eq!(whole, [true, false, false], "bundle, parcel, folder");
}

#[test]
fn killed_while_a_bare_bundle_gets_its_label_it_still_waits() {
    let mut seen = Vec::new();
    for n in 0.. {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join(format!("{}.json", Sha256Digest::of(&bundle(1)))), bundle(1)).unwrap();
        let Some(at) = killed(n, || keep(dir.path(), 1).unwrap()) else { break };
        seen.push(match &look(dir.path(), later())[..] {
            [Waiting::Unlabelled(_)] => "bare",
            [Waiting::Ready(_)] => "ready",
            other => panic!("{at}: {other:?}"),
        });
    }
    assert_eq!(seen, ["bare", "bare", "bare", "bare", "bare", "ready", "ready"]);
}

#[test]
fn a_step_that_fails_keeps_nothing_or_all_and_leaves_no_litter() {
    for n in 0.. {
        let dir = TempDir::new().unwrap();
        let folder = dir.path().join("spool");
        let failed = std::rc::Rc::new(std::cell::RefCell::new(String::new()));
        let told = std::rc::Rc::clone(&failed);
        let mut left: usize = n;
        tap(Some(Box::new(move |what, place: &Path| {
            left = left.wrapping_sub(1);
            if left != usize::MAX {
                return Ok(());
            }
            if what == "write" {
                fs::write(place, "{\"v\"").unwrap();
            }
            *told.borrow_mut() = what.to_owned();
            Err(io::ErrorKind::StorageFull.into())
        })));
        let kept = keep(&folder, 1);
        tap(None);
        let failed = failed.borrow();
        match (failed.as_str(), kept) {
            ("", kept) => {
                kept.unwrap();
                break;
            }
            // No hard links here: renamed instead. Neither a second name nor `.gitignore` is worth a record.
            ("link" | "ignore" | "remove" | "lock", kept) => {
                drop(kept.unwrap());
                assert!(nothing_or_whole(&folder, &failed));
            }
            (_, Ok(_)) => panic!("{failed} failed and nobody noticed"),
            (_, Err(SpoolError::Disk { cause, .. })) => {
                assert_eq!(cause.kind(), io::ErrorKind::StorageFull, "{failed}");
                let names = if folder.exists() { names(&folder) } else { Vec::new() };
                let left: Vec<_> = names.into_iter().filter(|n| n != ".gitignore").collect();
                // The last sync is of a record that stands whole.
                assert_eq!(
                    left.len(),
                    if failed.as_str() == "sync folder" && !left.is_empty() { 2 } else { 0 },
                    "{failed}: {left:?}"
                );
            }
            (_, Err(e)) => panic!("{failed}: {e}"),
        }
    }
}

#[test]
fn a_record_that_cannot_be_removed_waits_on() {
    for fails in ["json", "parcel"] {
        let dir = TempDir::new().unwrap();
        let held = keep(dir.path(), 1).unwrap();
        tap(Some(Box::new(move |_, place: &Path| {
            if place.extension().is_some_and(|x| x == fails) {
                Err(io::ErrorKind::PermissionDenied.into())
            } else {
                Ok(())
            }
        })));
        let error = held.delivered().unwrap_err();
        tap(None);
        assert!(error.to_string().starts_with("could not remove"), "{error}");
        assert_eq!(nothing_or_whole(dir.path(), fails), fails == "json");
    }
}

/// Delivers all that waits, until nothing does; the digests, in order.
fn flush(spool: &Spool) -> Vec<Sha256Digest> {
    let mut done = Vec::new();
    loop {
        let mut busy = false;
        for waiting in spool.waiting(later()).unwrap() {
            match waiting {
                Waiting::Ready(held) => {
                    let bytes = held.bundle().unwrap();
                    std::thread::sleep(Duration::from_micros(bytes.len() as u64 % 3000));
                    done.push(held.parcel().sha256);
                    held.delivered().unwrap();
                }
                Waiting::Busy(_) => busy = true,
                other => panic!("{other:?}"),
            }
        }
        if !busy {
            return done;
        }
    }
}

fn each_once(mut done: Vec<Sha256Digest>, of: usize) {
    let mut want: Vec<_> = (0..of).map(|n| Sha256Digest::of(&bundle(n))).collect();
    done.sort();
    want.sort();
    assert_eq!(done, want);
}

#[test]
fn threads_that_flush_one_spool_deliver_each_record_once() {
    let dir = TempDir::new().unwrap();
    for n in 0..50 {
        drop(keep(dir.path(), n).unwrap());
    }
    // Two share a spool, two have their own: the mark of the process and the lock of the file, both.
    let shared = Spool::at(dir.path().into());
    let spools = [shared.clone(), shared, Spool::at(dir.path().into()), Spool::at(dir.path().into())];
    let threads: Vec<_> = spools.map(|s| std::thread::spawn(move || flush(&s))).into();
    each_once(threads.into_iter().flat_map(|t| t.join().unwrap()).collect(), 50);
    assert_eq!(names(dir.path()), [".gitignore"]);
}

const CHILD: &str = "VOUCHSAFE_TEST_SPOOL";

/// This test binary again, doing `role` in `folder`.
fn child(role: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "--test-threads=1", "attest::spool::tests::the_child"])
        .env(CHILD, format!("{role}={}", folder.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn told(child: Child) -> Vec<String> {
    words(std::io::BufReader::new(child.stdout.unwrap())).collect()
}

fn words(out: impl std::io::BufRead) -> impl Iterator<Item = String> {
    out.lines().map_while(Result::ok).filter_map(|l| l.split_once("told=").map(|(_, word)| word.to_owned()))
}

/// Lets the child say its first word, kills it so much later, and gives all that it said.
fn killed_after(mut child: Child, pause: Duration) -> Vec<String> {
    let mut words = words(std::io::BufReader::new(child.stdout.take().unwrap()));
    let first = words.next();
    std::thread::sleep(pause);
    child.kill().unwrap();
    child.wait().unwrap();
    first.into_iter().chain(words).collect()
}

#[test]
#[ignore = "the other process of the tests below"]
#[allow(clippy::disallowed_methods)]
fn the_child() {
    let Ok(ask) = std::env::var(CHILD) else { return };
    let (role, folder) = ask.split_once('=').unwrap();
    let folder = Path::new(folder);
    let tell = |word: String| writeln!(std::io::stdout(), "told={word}").unwrap();
    match role {
        "flush" => flush(&Spool::at(folder.into())).into_iter().for_each(|sha| tell(sha.to_string())),
        // Says so as soon as it is kept, that is: acknowledged.
        "keep" => (0..1_000_000).for_each(|n| {
            drop(keep(folder, n).unwrap());
            tell(n.to_string());
        }),
        // Says so before it is removed, that is: delivered.
        "deliver" => {
            for waiting in Spool::at(folder.into()).waiting(now()).unwrap() {
                let Waiting::Ready(held) = waiting else { panic!("{waiting:?}") };
                tell(held.parcel().sha256.to_string());
                held.delivered().unwrap();
            }
        }
        other => panic!("{other}"),
    }
}

#[test]
fn processes_that_flush_one_spool_deliver_each_record_once() {
    let dir = TempDir::new().unwrap();
    for n in 0..50 {
        drop(keep(dir.path(), n).unwrap());
    }
    let children: Vec<_> = (0..4).map(|_| child("flush", dir.path())).collect();
    let done: Vec<_> = children.into_iter().flat_map(told).map(|w| Sha256Digest::parse(&w).unwrap()).collect();
    each_once(done, 50);
    assert_eq!(names(dir.path()), [".gitignore"]);
}

#[test]
fn a_process_that_is_killed_loses_nothing_that_it_acknowledged() {
    for round in 0..8 {
        let dir = TempDir::new().unwrap();
        let kept = killed_after(child("keep", dir.path()), Duration::from_micros(20_000 + round * 3_300));
        assert!(!kept.is_empty());
        let waits = |what: &str| -> Vec<String> {
            let seen = Spool::at(dir.path().into()).waiting(now()).unwrap();
            let seen = seen.map(|w| match w {
                Waiting::Ready(held) => Sha256Digest::of(&held.bundle().unwrap()).to_string(),
                other => panic!("{what}: {other:?}"),
            });
            seen.collect()
        };
        let before = waits("kept");
        for n in kept {
            let sha = Sha256Digest::of(&bundle(n.parse().unwrap())).to_string();
            assert!(before.contains(&sha), "{n} was acknowledged and does not wait");
        }
        let delivered = killed_after(child("deliver", dir.path()), Duration::from_micros(round * 1_700));
        assert!(!delivered.is_empty());
        let after = waits("delivered");
        for sha in before {
            assert!(after.contains(&sha) || delivered.contains(&sha), "{sha} is gone and was not delivered");
        }
    }
}

fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
    (0i64..253_402_300_800, 0u32..1_000_000_000).prop_map(|(s, n)| DateTime::from_timestamp(s, n).unwrap())
}

fn any_parcel() -> impl Strategy<Value = (Parcel, Vec<u8>)> {
    let words = (".*", ".*", ".{0,300}", ".*", proptest::option::of(".{0,300}"));
    let times = (any_time(), proptest::option::of(any_time()), any_time());
    let lock = proptest::option::of((any::<bool>(), any_time(), any::<bool>()));
    (words, times, lock, any::<Vec<u8>>()).prop_map(
        |((vault, environment, run_id, platform, component), times, lock, bytes)| {
            let (recorded_on, keep_until, kept_on) = times;
            let about = About::Run { platform, id: run_id.clone(), attempt: "1".into() };
            let date = recorded_on.date_naive();
            let parts =
                Parts { environment: environment.clone(), date, about, kind: "run".into(), component, conflict: None };
            let mode = |strong| if strong { Mode::Compliance } else { Mode::Governance };
            let lock = lock.map(|(strong, until, legal_hold)| Retention { mode: mode(strong), until, legal_hold });
            let (address, sha256) = (Address::of(&parts), Sha256Digest::of(&bytes));
            (Parcel { vault, address, sha256, environment, run_id, recorded_on, lock, keep_until, kept_on }, bytes)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_record_comes_out_as_it_went_in((label, bytes) in any_parcel()) {
        let dir = TempDir::new().unwrap();
        drop(Spool::at(dir.path().into()).keep(&label, &bytes).unwrap());
        let seen = look(dir.path(), now());
        let [Waiting::Ready(held)] = &seen[..] else { panic!("{seen:?}") };
        prop_assert_eq!(held.parcel(), &label);
        prop_assert_eq!(held.bundle().unwrap(), bytes);
    }

    #[test]
    fn no_text_makes_a_parcel_panic(bytes: Vec<u8>, text in "\\{\"v\":[01],?.{0,80}\\}?") {
        let _ = Parcel::read(&bytes);
        let _ = Parcel::read(text.as_bytes());
    }
}
