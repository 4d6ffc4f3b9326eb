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
