//! `vouchsafe inspect`: what would be read from these files.

use super::exit::{Answer, Exit};
use super::world::World;
use super::{progress, words};
use crate::export::shown;
use crate::gather::report;
use crate::record;
use crate::record::digest::Sha256Digest;
use crate::record::test_run_v1::{TestRun, Verdict};
use crate::seal::key::{PrivateKey, PublicKey};
use crate::seal::{self, terms};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Show what would be read from reports, records and keys
///
/// Nothing is trusted and nothing is stored. A report's verdict is passed, failed, empty (no test ran) or refused.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe inspect reports/*.xml
  vouchsafe inspect --json record.json public.pem

Exit codes: 0 every file could be read · 1 at least one was refused")]
pub(crate) struct Args {
    /// Files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Take the files for reports of this format instead of recognising them
    #[arg(long, value_name = "NAME")]
    report_format: Option<String>,
    /// Least severity that fails a scan, where the scanner's own rule should not count
    #[arg(long, value_name = "WORD", value_parser = clap::builder::PossibleValuesParser::new(report::THRESHOLDS))]
    gate_threshold: Option<String>,
    /// One JSON object a file, in the order of the words
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(world: &mut World, args: &Args) -> Answer {
    let mut exit = Exit::Done;
    for file in &args.files {
        let path = world.at(file);
        let name = file.display().to_string();
        let head = head(&path);
        let answer = match kind(&head) {
            Kind::Key if args.report_format.is_none() => key(&path, &name),
            Kind::Record if args.report_format.is_none() => record(&path, &name),
            _ => report(world, args, &path, &name),
        };
        if answer.get("error").is_some() {
            exit = Exit::Failed;
        }
        if args.json {
            words::json(world, &answer)?;
        } else {
            let text = told(&answer);
            words::writeln_quietly(world, &text)?;
        }
    }
    Ok(exit)
}

enum Kind {
    Key,
    Record,
    Report,
}

/// The file's first bytes; empty when it cannot be read, which its reader will then say.
fn head(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    if path.is_file()
        && let Ok(file) = std::fs::File::open(path)
    {
        let _ = file.take(4096).read_to_end(&mut head);
    }
    head
}

fn kind(head: &[u8]) -> Kind {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start();
    if text.starts_with("-----BEGIN") || text.starts_with("ssh-ed25519 ") {
        Kind::Key
    } else if text.starts_with('{')
        && ["\"dsseEnvelope\"", "\"payloadType\"", "sigstore.bundle"].iter().any(|w| text.contains(w))
    {
        Kind::Record
    } else {
        Kind::Report
    }
}

fn report(world: &mut World, args: &Args, path: &Path, name: &str) -> Value {
    let ask = report::Ask { forced: args.report_format.clone(), threshold: args.gate_threshold.clone() };
    let terminal = world.stderr_is_terminal;
    let mut shown = progress::Shown::new(&mut world.stderr, &world.now, terminal);
    let mut step = |what: &str, done: u64, of: Option<u64>| shown.step(what, done, of, progress::Unit::Bytes);
    answer(&report::read(path, name, &ask, &mut step))
}

/// The contract of `inspect --json`; what is absent is left out, never zero.
fn answer(t: &TestRun) -> Value {
    let mut out = json!({
        "file": t.file, "format": t.format, "sha256": t.sha256, "size": t.size, "verdict": t.verdict.as_str(),
        "warnings": t.warnings,
    });
    if let (Some(object), Some(c)) = (out.as_object_mut(), &t.counts) {
        for (name, n) in [
            ("total", c.total),
            ("passed", c.passed),
            ("failed", c.failed),
            ("errored", c.errored),
            ("skipped", c.skipped),
            ("flaky", c.flaky),
        ] {
            object.insert(name.to_owned(), n.into());
        }
    }
    if let (Some(object), Verdict::Refused) = (out.as_object_mut(), t.verdict) {
        object.insert("error".to_owned(), t.error.as_deref().unwrap_or("it cannot be read").into());
    }
    out
}

fn key(path: &Path, name: &str) -> Value {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => zeroize::Zeroizing::new(text),
        Err(e) => return json!({"file": name, "format": "key", "error": format!("could not read it: {e}")}),
    };
    if let Ok(key) = PublicKey::parse(&text) {
        return json!({"file": name, "format": "publicKey", "keyid": key.keyid(), "hint": key.hint()});
    }
    match PrivateKey::parse(&text, None) {
        Ok(key) => json!({"file": name, "format": "privateKey", "keyid": key.public().keyid()}),
        Err(e) => json!({"file": name, "format": "key", "error": e.to_string()}),
    }
}

fn record(path: &Path, name: &str) -> Value {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).and_then(|f| f.take(terms::MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    if let Err(e) = opened {
        return json!({"file": name, "format": "record", "error": format!("could not read it: {e}")});
    }
    let sha256 = Sha256Digest::of(&bytes);
    match seal::peek_unverified(&bytes) {
        Err(e) => json!({"file": name, "format": "record", "sha256": sha256, "error": e.to_string()}),
        Ok(seen) => {
            let mut out = json!({
                "file": name, "format": "record", "sha256": sha256, "verified": false,
                "signatures": seen.signatures, "claimedKeyids": seen.claimed_keyids, "payloadType": seen.payload_type,
                "payloadSha256": Sha256Digest::of(&seen.payload),
            });
            let Some(object) = out.as_object_mut() else { return out };
            let statement = match seen.statement {
                Ok(statement) => statement,
                Err(e) => {
                    object.insert("error".into(), e.to_string().into());
                    return out;
                }
            };
            object.insert("predicateType".into(), statement.predicate_type.clone().into());
            object.insert("subjects".into(), json!(statement.subjects));
            match record::read(&statement.predicate_type, statement.predicate().unwrap_or(b"null")) {
                Ok(read) => {
                    object.insert("schemaVersion".into(), read.source_version.into());
                    object.insert("unknownFields".into(), read.unknown_fields.into());
                }
                Err(e) if e.is_unsupported() => drop(object.insert("unsupported".into(), e.to_string().into())),
                Err(e) => drop(object.insert("error".into(), e.to_string().into())),
            }
            out
        }
    }
}

/// The same facts for people: one line, then one for each warning.
fn told(answer: &Value) -> String {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut line = format!("{}: ", text("file"));
    match answer.get("verdict").and_then(Value::as_str) {
        Some("refused") => line += &format!("refused: {}", text("error")),
        Some(verdict) => {
            let n = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
            line += &format!(
                "{verdict} ({}): {} tests, {} passed, {} failed, {} errored, {} skipped, {} flaky",
                text("format"),
                n("total"),
                n("passed"),
                n("failed"),
                n("errored"),
                n("skipped"),
                n("flaky")
            );
        }
        None => {
            let rest = answer.as_object().into_iter().flatten().filter(|(k, _)| *k != "file");
            let rest: Vec<String> =
                rest.map(|(k, v)| format!("{k} {}", v.as_str().map_or_else(|| v.to_string(), str::to_owned))).collect();
            line += &rest.join(", ");
        }
    }
    let mut out = shown::line(&line).into_owned();
    for warning in answer.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        out += &format!("\n  note: {}", shown::line(warning.as_str().unwrap_or_default()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_the_contract_of_every_field() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let refused = answer(&report::read(Path::new(path), "x", &report::Ask::default(), &mut |_, _, _| {}));
        assert_eq!(refused["verdict"], "refused");
        assert!(refused.get("total").is_none(), "absent is not zero");
        assert!(refused["error"].is_string() && refused["sha256"].is_string());
        assert!(crate::record::json::to_string(&refused).unwrap().len() > 10);
    }
}
