//! The floors: the least work that could give the same answer, each in a process of its own.

use anyhow::{Context, Result, bail, ensure};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey, pkcs8::DecodePrivateKey};
use quick_xml::{Reader, events::Event};
use serde::{Deserialize as _, de::IgnoredAny};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

/// The least that an honest `attest` can do: read, hash, sign, make durable in the spool, make durable in the vault.
pub(crate) fn floor_attest(key: &Path, report: &Path, out: &Path) -> Result<()> {
    let pem = fs::read_to_string(key)?;
    let key = SigningKey::from_pkcs8_pem(&pem).context("could not read the key")?;
    let mut record = Sha256::digest(fs::read(report)?).to_vec();
    let signature = key.sign(&record);
    record.extend_from_slice(&signature.to_bytes());
    record.resize(4096, b' '); // about the size of a bundle
    for place in ["spool", "vault"] {
        let mut file = File::create_new(out.with_extension(place))?;
        file.write_all(&record)?;
        file.sync_all()?;
    }
    Ok(())
}

/// Drains a report as the hidden word says; with `-sha256` behind it, over the same bytes on the way.
pub(crate) fn floor_report(word: &str, report: &Path) -> Result<()> {
    let file = File::open(report)?;
    match word.strip_suffix("-sha256") {
        Some(word) => drain(word, BufReader::with_capacity(1 << 16, Hashing { inner: file, sha256: Sha256::new() })),
        None => drain(word, BufReader::with_capacity(1 << 16, file)),
    }
}

/// Pulls every token out and drops it. Not over `dyn BufRead`: serde_json asks for each byte.
fn drain(word: &str, mut input: impl BufRead) -> Result<()> {
    match word {
        "floor-tokens" => tokens(input),
        "floor-json" => document(serde_json::Deserializer::from_reader(input)),
        "floor-json-slice" => {
            let mut all = Vec::new();
            input.read_to_end(&mut all)?;
            document(serde_json::Deserializer::from_slice(&all))
        }
        "floor-json-lines" => each_line(input, |line| Ok(serde_json::from_slice::<IgnoredAny>(line).map(|_| ())?)),
        "floor-lines" => each_line(input, |line| {
            std::hint::black_box(line);
            Ok(())
        }),
        _ => bail!("there is no floor `{word}`"),
    }
}

/// Reads every record under `evidence/`, and checks its one signature strictly, on all cores.
pub(crate) fn floor_verify(key: &Path, vault: &Path) -> Result<()> {
    let public =
        SigningKey::from_pkcs8_pem(&fs::read_to_string(key)?).context("could not read the key")?.verifying_key();
    let files = walkdir::WalkDir::new(vault.join("evidence")).into_iter().collect::<Result<Vec<_>, _>>()?;
    let files: Vec<_> = files.into_iter().filter(|f| f.path().extension().is_some_and(|e| e == "json")).collect();
    ensure!(!files.is_empty(), "no record under {}", vault.display());
    let cores = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        let work =
            |chunk: &[walkdir::DirEntry]| chunk.iter().try_for_each(|file| strict(&fs::read(file.path())?, &public));
        let workers: Vec<_> =
            files.chunks(files.len().div_ceil(cores)).map(|chunk| scope.spawn(move || work(chunk))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a worker panicked")))
    })
}

/// The signature of one bundle over the pre-authentication encoding of DSSE (protocol.md, `PAE`).
fn strict(bundle: &[u8], public: &VerifyingKey) -> Result<()> {
    let bundle: serde_json::Value = serde_json::from_slice(bundle)?;
    let envelope = &bundle["dsseEnvelope"];
    let text =
        |value: &serde_json::Value| value.as_str().map(str::to_owned).context("not the bundle that was expected");
    let payload = BASE64_STANDARD.decode(text(&envelope["payload"])?)?;
    let signature = BASE64_STANDARD.decode(text(&envelope["signatures"][0]["sig"])?)?;
    let kind = text(&envelope["payloadType"])?;
    let mut signed = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    signed.extend_from_slice(&payload);
    Ok(public.verify_strict(&signed, &Signature::from_slice(&signature)?)?)
}

fn tokens(input: impl BufRead) -> Result<()> {
    let mut reader = Reader::from_reader(input);
    let mut buffer = Vec::new();
    let mut events = 0_u64;
    while !matches!(reader.read_event_into(&mut buffer)?, Event::Eof) {
        events += 1;
        buffer.clear();
    }
    ensure!(std::hint::black_box(events) > 0, "an empty report measures nothing");
    Ok(())
}

/// One document to its end, with no value kept.
fn document<'de>(mut json: serde_json::Deserializer<impl serde_json::de::Read<'de>>) -> Result<()> {
    IgnoredAny::deserialize(&mut json)?;
    Ok(json.end()?)
}

fn each_line(mut input: impl BufRead, what: impl Fn(&[u8]) -> Result<()>) -> Result<()> {
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        what(&line)?;
        line.clear();
    }
    Ok(())
}

struct Hashing {
    inner: File,
    sha256: Sha256,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.sha256.update(buffer.get(..n).unwrap_or_default());
        Ok(n)
    }
}
