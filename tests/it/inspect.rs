//! `inspect`: one JSON object a file, in order, for anything.

use crate::stage::{GREEN, RED, Stage};

#[test]
fn every_file_gets_its_line_in_order() {
    let stage = Stage::new();
    stage.write("green.xml", GREEN);
    stage.write("red.xml", RED);
    stage.write("cut.xml", &GREEN[..GREEN.len() - 10]);
    stage.write("none.xml", "<testsuite tests=\"0\"/>");
    stage.play(&["key", "new", "--output", "k.pem"]).exits(0);
    stage.play(&["attest", "-e", "p", "--signing-key", "k.pem", "--output", "record.json"]).exits(0);
    let words =
        ["inspect", "--json", "green.xml", "red.xml", "cut.xml", "none.xml", "missing.xml", "k.pem", "record.json"];
    let played = stage.play(&words).exits(1);
    let lines = played.json_lines();
    let verdicts: Vec<_> = lines.iter().map(|l| l["verdict"].as_str().unwrap_or("-")).collect();
    assert_eq!(verdicts, ["passed", "failed", "refused", "empty", "refused", "-", "-"]);
    let green = &lines[0];
    for (field, want) in [("total", 2), ("passed", 2), ("failed", 0), ("errored", 0), ("skipped", 0), ("flaky", 0)] {
        assert_eq!(green[field], want, "{field}");
    }
    assert_eq!(green["file"], "green.xml");
    assert_eq!(green["format"], "junit");
    assert_eq!(green["sha256"].as_str().unwrap().len(), 64);
    assert!(lines[2]["error"].as_str().unwrap().len() > 10 && lines[2].get("total").is_none(), "{}", lines[2]);
    assert!(lines[4]["error"].is_string());
    assert_eq!(lines[5]["format"], "privateKey");
    assert_eq!(lines[6]["predicateType"], "https://vouchsafe.dev/run/v1");
    assert_eq!(lines[6]["verified"], false);
    assert!(!played.out.contains("PRIVATE KEY"), "no secret is printed");
    stage.play(&["inspect", "--json", "green.xml"]).exits(0);
    stage.play(&["inspect"]).exits(2);
}

fn archive(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/fixtures/archives/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn lines(played: &crate::stage::Played) -> Vec<(String, String)> {
    let text = |l: &serde_json::Value, field: &str| l[field].as_str().unwrap_or("-").to_owned();
    played.json_lines().iter().map(|l| (text(l, "file"), text(l, "verdict"))).collect()
}

#[test]
fn an_archive_is_shown_by_its_reports_and_nothing_is_unpacked() {
    let stage = Stage::new();
    stage.write("ci.zip", archive("fail_archiver.zip"));
    stage.write("ci.tar.gz", archive("fail_gnu.tar.gz"));
    stage.write("a.xml.gz", archive("good_single.xml.gz"));
    stage.write("cut.zip", &archive("fail_go.zip")[..500]);
    let before = stage.files("");
    let played = stage.play(&["inspect", "--json", "ci.zip", "a.xml.gz", "cut.zip", "ci.tar.gz"]).exits(1);
    let seen = lines(&played);
    let seen: Vec<_> = seen.iter().map(|(file, verdict)| (file.as_str(), verdict.as_str())).collect();
    assert_eq!(
        seen[..4],
        [
            ("ci.zip!junit/a.xml", "passed"),
            ("ci.zip!junit/b.xml", "failed"),
            ("a.xml.gz!a.xml", "passed"),
            ("cut.zip", "refused"),
        ]
    );
    assert_eq!(seen.len(), 7);
    let line = &played.json_lines()[0];
    assert_eq!(line["archive"]["file"], "ci.zip");
    assert_eq!(line["archive"]["sha256"].as_str().unwrap().len(), 64);
    assert_ne!(line["archive"]["sha256"], line["sha256"]);
    assert!(played.err.contains("ci.zip: 2 reports; passed over: 1 other file"), "{}", played.err);
    assert_eq!(stage.files(""), before);
    stage.play(&["inspect", "ci.zip", "a.xml.gz"]).exits(0);
    // an archive under the name of a report is not what it says
    stage.write("packed.xml", archive("good_single.xml.gz"));
    assert_eq!(
        lines(&stage.play(&["inspect", "--json", "packed.xml"]).exits(1)),
        [("packed.xml".into(), "refused".into())]
    );
}

#[test]
fn a_folder_is_shown_by_its_reports_in_order() {
    let stage = Stage::new();
    stage.write("r/b.xml", RED);
    stage.write("r/a/z.xml", GREEN);
    stage.write("r/a/pom.xml", "<project/>");
    stage.write("r/README.md", "hello");
    stage.write("r/.cache/old.xml", GREEN);
    stage.write("r/ci.zip", archive("good_infozip_stored.zip"));
    let played = stage.play(&["inspect", "--json", "r"]).exits(0);
    let seen = lines(&played);
    let seen: Vec<_> = seen.iter().map(|(file, verdict)| (file.as_str(), verdict.as_str())).collect();
    assert_eq!(seen, [("r/a/z.xml", "passed"), ("r/b.xml", "failed"), ("r/ci.zip!junit/a.xml", "passed")]);
    assert!(
        played.err.contains("r: 3 reports; passed over: 3 other files (--all lists them), 1 hidden folder"),
        "{}",
        played.err
    );
    let all = stage.play(&["inspect", "--all", "r"]).exits(0);
    assert!(all.out.contains("r/README.md: no report: it is in no report format"), "{}", all.out);
    assert!(all.out.contains("r/a/pom.xml: no report: its root element is `project`"), "{}", all.out);
    // a file that is named has to be one, and a folder has to hold one
    stage.play(&["inspect", "r/README.md"]).exits(1);
    std::fs::create_dir(stage.at("none")).unwrap();
    let none = stage.play(&["inspect", "none"]).exits(1);
    assert!(none.err.contains("none: 0 reports"), "{}", none.err);
    // a report whose writer did not begin is no other file
    stage.write("r/TEST-empty.xml", "");
    let empty = stage.play(&["inspect", "--json", "r"]).exits(1);
    assert!(lines(&empty).contains(&("r/TEST-empty.xml".into(), "refused".into())));
}

#[test]
fn a_format_is_forced_for_all_or_some_and_an_unknown_one_is_a_wrong_word() {
    let stage = Stage::new();
    stage.write("r/odd.txt", format!("<!-- {} -->{GREEN}", "x".repeat(70_000)));
    stage.write("r/b.xml", RED);
    assert_eq!(lines(&stage.play(&["inspect", "--json", "r"]).exits(0)).len(), 1);
    let forced = stage.play(&["inspect", "--json", "--report-format", "odd.txt=junit", "r"]).exits(0);
    assert_eq!(lines(&forced), [("r/b.xml".into(), "failed".into()), ("r/odd.txt".into(), "passed".into())]);
    stage.play(&["inspect", "--report-format", "junit", "r/odd.txt"]).exits(0);
    for command in [&["inspect", "r"][..], &["attest", "-e", "p"]] {
        let wrong = stage.play(&[command, &["--report-format", "r/*=junkit"]].concat()).exits(2);
        assert!(wrong.err.contains("no report format `junkit`; there are: junit"), "{}", wrong.err);
        let wrong = stage.play(&[command, &["--gate-threshold", "awful"]].concat()).exits(2);
        assert!(wrong.err.contains("critical, high, medium, low"), "{}", wrong.err);
    }
}

#[test]
fn hostile_names_move_no_terminal() {
    let stage = Stage::new();
    stage.write("r/\u{1b}[2J\u{202e}.xml", RED.replace("\"two\"", "\"&#x85;two\""));
    let played = stage.play(&["inspect", "r"]).exits(0);
    assert!(played.out.starts_with("r/[U+001B][2J[U+202E].xml: failed"), "{}", played.out);
    let json = stage.play(&["inspect", "--json", "r"]).exits(0);
    assert_eq!(json.json()["file"], "r/\u{1b}[2J\u{202e}.xml");
    assert!(!json.out.contains(['\u{1b}', '\u{202e}']));
    stage.play(&["attest", "-e", "p", "--report", "r/*.xml"]).exits(0);
    let shown = stage.play(&["show"]).exits(0);
    assert!(shown.out.contains("r/[U+001B][2J[U+202E].xml failed: 2 tests, 1 passed"), "{}", shown.out);
    assert!(!shown.out.contains(['\u{1b}', '\u{202e}', '\u{85}']));
}
