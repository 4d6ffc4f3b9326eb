use super::super::RunRecord;
use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What serde_json and serde_ignored make of the same text: the value, when every field is known.
fn thorough<T: de::DeserializeOwned>(text: &str) -> Option<T> {
    let mut unknown = 0;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_ignored::deserialize(&mut reader, |_| unknown += 1).ok()?;
    reader.end().ok()?;
    (unknown == 0).then_some(value)
}

/// A record with every field that its schema names.
fn full() -> Value {
    let digest = "ab".repeat(32);
    let actor = json!({"id": "7", "login": "o", "name": "Ö \u{202e}"});
    json!({
        "schemaVersion": "1.0.0", "recordId": "01a20684-02c6-7218-a017-23ed9a5ba5a4",
        "recordedOn": "2026-11-23T03:47:24.486Z", "environment": "prod", "component": "api",
        "run": {"platform": "github", "id": "1", "attempt": 2, "outcome": "succeeded",
            "startedOn": "2026-11-23T03:47:24Z", "finishedOn": "2026-11-23T03:47:24.486Z"},
        "repository": {"name": "a/b"},
        "operator": {"id": "7", "login": "o", "how": "ciEnvironment"},
        "commit": {"sha": "c".repeat(40), "parents": [], "tags": ["v1"], "dirty": false, "signature": "unsigned",
            "author": {"name": "A", "email": "a@b", "on": "2026-11-23T03:46:27+01:00"}},
        "artifacts": [{"kind": "file", "name": "x", "digest": {"sha256": digest}, "size": 123456789012u64}],
        "tests": [{"file": "r.xml", "format": "junit", "sha256": digest, "size": 12162, "verdict": "failed",
            "counts": {"total": 3, "passed": 1, "failed": 1, "errored": 1, "skipped": 0, "flaky": 0},
            "failing": [{"suite": "s", "name": "n \"q\" \\ \n é", "outcome": "failed"}, {"name": "m", "outcome": "errored"}],
            "durationSeconds": 1.1, "warnings": ["w"]}],
        "changes": [], "tickets": [],
        "variables": {"A": "1", "B\t": ""},
        "emergency": {"reason": "r", "approvedBy": actor, "reviewDueOn": "2026-12-01"},
        "manual": {"command": ["a"], "exitCode": -1, "tty": true},
        "tool": {"name": "vouchsafe", "version": "0.1.0"},
        "completeness": [{"section": "commit", "status": "partial", "why": "w"}],
        "provenance": [{"fact": "run.id", "how": "flag", "source": null}]
    })
}

#[test]
fn a_whole_record_is_read_alike_and_not_given_up() {
    for text in [full().to_string(), serde_json::to_string_pretty(&full()).unwrap()] {
        let record = read::<RunRecord>(&text);
        assert!(record.is_some());
        assert_eq!(record, thorough(&text));
    }
}

#[test]
fn it_gives_up_where_a_record_is_not_whole_or_not_alone() {
    let text = full().to_string();
    for (from, to) in [
        ("\"environment\":\"prod\"", "\"environment\":1"),
        ("\"environment\":\"prod\"", "\"environment\":\"prod\",\"environment\":\"prod\""),
        ("\"environment\":\"prod\"", "\"environment\":\"prod\",\"later\":[{}]"),
        ("\"environment\":\"prod\",", ""),
        ("\"attempt\":2", "\"attempt\":-2"),
        ("\"attempt\":2", "\"attempt\":02"),
        ("\"attempt\":2", "\"attempt\":2-1"),
        ("\"attempt\":2", "\"attempt\":2.0"),
        ("\"attempt\":2", "\"attempt\":18446744073709551616"),
        ("\"parents\":[]", "\"parents\":[,]"),
        ("\"warnings\":[\"w\"]", "\"warnings\":[\"w\",]"),
        ("\"warnings\":[\"w\"]", "\"warnings\":[\"w\" \"w\"]"),
        ("\"tty\":true", "\"tty\":truex"),
        ("\"tty\":true", "\"tty\":tru"),
        ("\"tty\":true", "\"tty\":true,"),
        ("\"unsigned\"", "\"signed\""),
        ("\"signature\":\"unsigned\"", "\"signature\":\"unsigned\n\""),
        ("T03:46:27+01:00", "T03:46:27"),
    ] {
        assert!(text.contains(from), "{from}");
        let changed = text.replace(from, to);
        assert_eq!(read::<RunRecord>(&changed), None, "{to}");
        assert_eq!(thorough::<RunRecord>(&changed), None, "{to}");
    }
    for changed in [format!("{text}x"), format!("{text}{text}"), String::new(), "null".into(), text[..99].into()] {
        assert_eq!(read::<RunRecord>(&changed), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_byte_is_read_alike_or_given_up(at: prop::sample::Index, byte in 0x09..0x80u8) {
        let mut bytes = full().to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        if let Some(record) = read::<RunRecord>(&text) {
            prop_assert_eq!(Some(record), thorough(&text));
        }
    }

    #[test]
    fn any_string_and_number_is_read_alike(s in ".*", n: i64, u: u64, f: f64) {
        let text = json!([s, n, u, f]).to_string();
        let ours = read::<(String, i64, u64, f64)>(&text);
        prop_assert!(ours.is_some());
        prop_assert_eq!(ours, thorough(&text));
    }
}
