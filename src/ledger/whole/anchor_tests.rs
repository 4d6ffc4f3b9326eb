use super::find::{LONGEST, MARK};
use super::*;
use crate::seal::key::PrivateKey;
use crate::seal::signer::Signer;
use proptest::prelude::*;

fn signer(seed: u8) -> Signer {
    Signer::Key(PrivateKey::generate([seed; 32]))
}

fn checkpoint(size: u64) -> Checkpoint {
    let origin = format!("{MARK}{}/env=p", uuid::Uuid::nil());
    Checkpoint { origin, size, root: Sha256Digest::of(&size.to_be_bytes()) }
}

fn note(size: u64) -> String {
    checkpoint(size).sign(&signer(1)).unwrap()
}

fn found(text: &str) -> Vec<(String, u64, bool)> {
    let mut anchors = Anchors::default();
    anchors.read("f", text.as_bytes(), &TrustSet::of(signer(1).public_key())).unwrap();
    anchors.all.iter().map(|a| (a.from.clone(), a.checkpoint.size, a.proof == Proof::NoLedger)).collect()
}

#[test]
fn checkpoints_are_found_in_any_text() {
    let timed = |note: &str| -> String {
        let line = |(n, l): (usize, &str)| format!("2026-11-23T10:00:{n:02}.1234567Z {l}\n");
        note.lines().enumerate().map(line).collect()
    };
    let receipt = |note: &str| serde_json::json!({"ledger": {"slot": 1, "checkpoint": note}}).to_string();
    let again = |line: &str| serde_json::json!({"log": line, "stream": "stdout"}).to_string();
    let table = [
        ("the note", note(7), vec![("f:1", 7)]),
        ("with Windows' line ends", note(7).replace('\n', "\r\n"), vec![("f:1", 7)]),
        ("after other words", format!("recorded: x\n  ledger slot 6\n{}done\n", note(7)), vec![("f:3", 7)]),
        ("with a time before every line", format!("{}{}", timed("hello"), timed(&note(7))), vec![("f:2", 7)]),
        ("without its blank line", note(7).replace("\n\n", "\n"), vec![("f:1", 7)]),
        ("indented", note(7).lines().map(|l| format!("    {l}\n")).collect(), vec![("f:1", 7)]),
        ("quoted in a mail", note(7).lines().map(|l| format!("> {l}\n")).collect(), vec![("f:1", 7)]),
        ("two in a row", note(7) + &note(8), vec![("f:1", 7), ("f:6", 8)]),
        ("one twice", note(7) + &note(7), vec![("f:1", 7)]),
        ("a receipt", receipt(&note(7)), vec![("f:1", 7)]),
        (
            "a receipt for people",
            serde_json::to_string_pretty(&serde_json::json!({"c": note(7)})).unwrap(),
            vec![("f:2", 7)],
        ),
        ("a receipt in a log in JSON", again(&receipt(&note(7))), vec![("f:1", 7)]),
        ("two receipts", format!("{}\n{}\n", receipt(&note(7)), receipt(&note(8))), vec![("f:1", 7), ("f:2", 8)]),
        ("with a witness", format!("{}— witness.example/w AAAAAAAAAA==\n", note(7)), vec![("f:1", 7)]),
    ];
    for (what, text, want) in table {
        let want: Vec<_> = want.into_iter().map(|(from, size)| (from.to_owned(), size, true)).collect();
        assert_eq!(found(&text), want, "{what}\n{text}");
    }
}

#[test]
fn what_is_not_whole_is_none_and_what_is_not_signed_is_told() {
    let whole = note(7);
    let lines: Vec<&str> = whole.lines().collect();
    for cut in 1..lines.len() {
        assert_eq!(found(&lines[..cut].join("\n")), [], "{cut}");
    }
    assert_eq!(found(&whole.replace("\n7\n", "\n8\n")), [("f:1".into(), 8, false)]);
    let stranger = checkpoint(7).sign(&signer(2)).unwrap();
    assert_eq!(found(&stranger), [("f:1".into(), 7, false)]);
    // The false one does not hide the true one.
    assert_eq!(found(&(stranger + &whole)), [("f:1".into(), 7, false), ("f:6".into(), 7, true)]);
    assert_eq!(found(&format!("{MARK}\n{MARK} \n{MARK}x\\n\\")), []);
}

#[test]
fn a_line_without_an_end_is_cut_and_what_follows_is_found() {
    let text = format!("{}\n{}", "x".repeat(3 * LONGEST as usize), note(7));
    assert_eq!(found(&text), [("f:2".into(), 7, true)]);
}

proptest! {
    #[test]
    fn any_text_never_panics(text: String, bytes: Vec<u8>) {
        let _ = found(&format!("{MARK}{text}"));
        let _ = found(&text.replace('a', MARK));
        let _ = Anchors::default().read("f", &bytes[..], &TrustSet::default());
    }

    #[test]
    fn a_note_is_found_between_any_lines(before in "[^\\n]{0,20}", prefix in "[0-9T:Z ]{0,20}") {
        let prefix = if prefix.is_empty() { prefix } else { prefix + " " };
        let text: String = note(9).lines().map(|l| format!("{prefix}{l}\n")).collect();
        prop_assert_eq!(found(&format!("{before}\n{text}{before}")), [("f:2".to_owned(), 9, true)]);
    }
}
