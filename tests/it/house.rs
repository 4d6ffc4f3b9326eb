//! The house rules of ARCHITECTURE.md, read from the source itself.

use std::path::{Path, PathBuf};

/// Floors, lowest first. Rooms on one floor are strangers to each other.
const FLOORS: &[&[&str]] = &[
    &["record"],
    &["gather", "seal", "vault"],
    &["ledger"],
    &["attest"],
    &["export"],
    &["cli"],
    &["lib", "main", "launch"],
];

fn sources() -> Vec<(PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = walkdir::WalkDir::new(&src).into_iter().filter_map(Result::ok);
    let files = files.filter(|e| e.path().extension().is_some_and(|x| x == "rs"));
    files
        .map(|e| (e.path().strip_prefix(&src).unwrap().to_owned(), std::fs::read_to_string(e.path()).unwrap()))
        .collect()
}

fn room(path: &Path) -> String {
    path.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

fn floor(room: &str) -> usize {
    FLOORS
        .iter()
        .position(|f| f.contains(&room))
        .unwrap_or_else(|| panic!("`{room}` has no floor: say where it belongs"))
}

/// Rooms that a source text names through `crate::`.
fn named(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => rooms.push(std::mem::take(&mut word)),
                    c if depth == 0 => word.push(c),
                    _ => {}
                }
            }
            rooms.push(word);
        } else {
            rooms.push(rest.to_owned());
        }
    }
    let first = |r: &String| r.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    rooms.iter().map(first).filter(|r| !r.is_empty()).collect()
}

#[test]
fn imports_are_found_in_every_form() {
    let text = "use crate::vault::{A, B};\nlet x = crate::seal::open();\nuse crate::{record::{json, digest}, gather};";
    assert_eq!(named(text), ["vault", "seal", "record", "gather"]);
}

#[test]
fn arrows_only_go_down_and_pillars_are_strangers() {
    for (path, text) in sources() {
        let here = room(&path);
        for there in named(&text) {
            let up = floor(&there) >= floor(&here) && there != here;
            assert!(!up, "{}: `{here}` may not import `{there}`", path.display());
        }
    }
}

/// Source text without its tests: up to the first test module that stands in the file itself.
fn without_tests(text: &str) -> &str {
    let inline = |at: &usize| text[*at..].lines().nth(1).is_some_and(|l| l.starts_with("mod ") && l.ends_with('{'));
    let at = text.match_indices("#[cfg(test)]").map(|(at, _)| at).find(inline);
    &text[..at.unwrap_or(text.len())]
}

fn is_test(path: &Path) -> bool {
    path.to_string_lossy().ends_with("tests.rs") || path.components().any(|c| c.as_os_str() == "tests")
}

fn only(what: &str, rooms: &[&str]) {
    for (path, text) in sources() {
        if is_test(&path) {
            continue;
        }
        let uses = without_tests(&text).contains(what);
        assert!(!uses || rooms.contains(&room(&path).as_str()), "{} may not say `{what}`", path.display());
    }
}

#[test]
fn only_the_door_in_puts_and_only_the_door_out_reads() {
    only(".put_once(", &["attest", "vault"]);
    only("vault.get(", &["ledger", "vault"]);
    only("vault.list(", &["vault"]);
    only("vault.sweep(", &["ledger", "vault"]);
}

#[test]
fn nothing_deletes_or_overwrites() {
    for word in [".delete(", "delete_stream", "PutMode::Overwrite", "remove_dir"] {
        only(word, &[]);
    }
    // The spool is no vault: what it holds is delivered and then goes, or it would grow for ever on a persistent runner.
    // One file removes there, only what is in the vault and the ledger or is litter of a kill.
    let removes = |(path, text): &(PathBuf, String)| !is_test(path) && without_tests(text).contains("remove_file");
    let files: Vec<_> = sources().into_iter().filter(removes).map(|(path, _)| path).collect();
    assert_eq!(files, [Path::new("attest/spool/disk.rs")], "may say `remove_file`");
}

#[test]
fn only_the_vault_and_the_platforms_http_are_async() {
    only("tokio::", &["vault", "gather"]);
    for (path, text) in sources() {
        let text = without_tests(&text);
        let http = path.starts_with("gather/http") || path.starts_with("vault");
        assert!(http || !(text.contains("async fn") || text.contains("async move")), "{} is async", path.display());
    }
}

#[test]
fn only_main_looks_at_the_process() {
    for word in ["std::env::var", "std::env::args", "std::env::current_dir", "Utc::now", "SystemTime::now"] {
        only(word, &["main"]);
    }
}
