//! Anchors: checkpoints that somebody kept elsewhere. Each shows that the ledger was once so large and had that root.
//!
//! They are found in any text: a note as it is, the log of a CI job that puts a time before every line, a receipt in JSON.
//! What is found counts only by its signature, so finding may be lenient.

use super::finding::leaves;
use crate::record::digest::Sha256Digest;
use crate::seal::tlog::checkpoint::Checkpoint;
use crate::seal::trust::TrustSet;
use serde::Serialize;
use std::io::BufRead;

/// What the origin of every ledger begins with.
const MARK: &str = "vouchsafe.dev/ledger/";
/// The longest line that is read, in bytes: a receipt is some kilobytes.
const LONGEST: u64 = 1 << 20;
/// Lines that may stand between the parts of a note.
const PATIENCE: u32 = 4;
/// Signatures of one note.
const MOST_SIGNATURES: usize = 64;
/// Anchors that are looked at; a directory of a hundred thousand job logs has them.
const MOST: usize = 1 << 18;

/// A checkpoint that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// The file and line.
    pub(crate) from: String,
    /// What it says.
    pub(crate) checkpoint: Checkpoint,
    /// What became of it.
    pub(crate) proof: Proof,
}

/// What an anchor showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Proof {
    /// Nothing yet: no ledger of its origin was met.
    NoLedger,
    /// No trusted key signed it; why.
    Unsigned(String),
    /// The ledger had that root at that size.
    Proved,
    /// The ledger has another root at that size.
    OtherRoot,
    /// The ledger is smaller; by so many leaves.
    Beyond(u64),
    /// The ledger is broken there: its root at that size cannot be told.
    Unknown,
}

impl Proof {
    /// In words, for the ledger or the summary.
    pub(crate) fn why(&self, size: u64) -> String {
        match self {
            Self::NoLedger => "no ledger here has its origin: that ledger is gone, or is kept elsewhere".to_owned(),
            Self::Unsigned(why) => why.clone(),
            Self::Proved => format!("the ledger had this root at {size} leaves"),
            Self::OtherRoot => format!("the ledger has another root at {size} leaves: it was rewritten"),
            Self::Beyond(by) => {
                format!("the ledger ends {by} leaves before it: at least {} cut off its end", leaves(size - by, size))
            }
            Self::Unknown => format!("the ledger is broken there: its root at {size} leaves cannot be told"),
        }
    }
}

/// The anchors of one call, and how far the ledgers got with them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Anchors {
    /// In the order they were found; each said once.
    pub(crate) all: Vec<Anchor>,
    /// Found and not kept, because there are too many.
    pub(crate) omitted: u64,
}

impl Anchors {
    /// Finds every checkpoint in `text`, which `name` names. Answers with how many it held, also those known already.
    pub(crate) fn read(&mut self, name: &str, text: impl BufRead, trust: &TrustSet) -> std::io::Result<u64> {
        let mut finder = Finder::default();
        let mut count = 0;
        let mut take = |anchors: &mut Self, found: Option<(u64, String)>| {
            if let Some((line, note)) = found
                && let Ok(checkpoint) = Checkpoint::peek(&note)
            {
                count += 1;
                anchors.add(format!("{name}:{line}"), &note, checkpoint, trust);
            }
        };
        each_line(text, |number, line| finder.line(number, line).into_iter().for_each(|f| take(self, Some(f))))?;
        take(self, finder.finish());
        Ok(count)
    }

    fn add(&mut self, from: String, note: &str, checkpoint: Checkpoint, trust: &TrustSet) {
        // Every attest says the newest one, and a log may say it twice; the bad signature of one is not that of the other.
        let proof = match Checkpoint::open(note, trust) {
            Ok(_) => Proof::NoLedger,
            Err(e) => Proof::Unsigned(e.to_string()),
        };
        if self.all.iter().rev().take(64).any(|a| a.checkpoint == checkpoint && a.proof == proof) {
            return;
        }
        if self.all.len() == MOST {
            self.omitted += 1;
            return;
        }
        self.all.push(Anchor { from, checkpoint, proof });
    }

    /// Where the anchors of `origin` stand in [`Anchors::all`], the smallest first; only those that are signed.
    pub(super) fn of(&self, origin: &str) -> Vec<usize> {
        let is_ours = |a: &Anchor| a.checkpoint.origin == origin && !matches!(a.proof, Proof::Unsigned(_));
        let mut ours: Vec<usize> = (0..).zip(&self.all).filter(|(_, a)| is_ours(a)).map(|(n, _)| n).collect();
        ours.sort_by_key(|n| self.size(*n));
        ours
    }

    pub(super) fn size(&self, n: usize) -> Option<u64> {
        self.all.get(n).map(|a| a.checkpoint.size)
    }

    /// Settles one: this is the root at its size, or nobody can tell.
    pub(super) fn settle(&mut self, n: usize, proof: impl FnOnce(&Checkpoint) -> Proof) {
        if let Some(anchor) = self.all.get_mut(n) {
            anchor.proof = proof(&anchor.checkpoint);
        }
    }

    /// The same with the root that the ledger had.
    pub(super) fn compare(&mut self, n: usize, root: Sha256Digest) {
        self.settle(n, |said| if said.root == root { Proof::Proved } else { Proof::OtherRoot });
    }

    /// How many hold, and the size of the largest of them.
    pub(crate) fn proved(&self) -> (usize, Option<u64>) {
        let proved = self.all.iter().filter(|a| a.proof == Proof::Proved).map(|a| a.checkpoint.size);
        (proved.clone().count(), proved.max())
    }
}

/// Lines with their numbers from 1, in bounded memory: of a longer one the beginning.
fn each_line(mut text: impl BufRead, mut each: impl FnMut(u64, &str)) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        if std::io::Read::take(&mut text, LONGEST).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let whole = bytes.ends_with(b"\n");
        each(number, &String::from_utf8_lossy(&bytes));
        if !whole {
            skip_line(&mut text)?;
        }
    }
    Ok(())
}

fn skip_line(text: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = text.fill_buf()?;
        let (used, done) = match buffer.iter().position(|b| *b == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        text.consume(used);
        if done {
            return Ok(());
        }
    }
}

/// Puts notes together again, line by line, whatever stands before each line.
#[derive(Default)]
struct Finder {
    open: Option<Open>,
}

/// A note of which some lines were seen.
struct Open {
    line: u64,
    origin: String,
    size: Option<String>,
    root: Option<String>,
    signatures: Vec<String>,
    patience: u32,
}

impl Finder {
    /// Takes a line; answers with the notes that it ends or holds, each with the number of its first line.
    fn line(&mut self, number: u64, line: &str) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        if let Some(at) = line.find(MARK) {
            let rest = line.get(at..).unwrap_or_default().trim_end();
            if rest.contains("\\n") {
                found.extend(in_json(rest).into_iter().map(|note| (number, note)));
                return found;
            }
            let (origin, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            if rest.is_empty() {
                found.extend(self.finish());
                let (line, origin) = (number, origin.to_owned());
                self.open = Some(Open { line, origin, size: None, root: None, signatures: vec![], patience: PATIENCE });
                return found;
            }
            if let Some(open) = self.open.as_mut().filter(|open| open.origin == origin && open.root.is_some()) {
                open.sign(format!("— {origin} {}", rest.trim()));
                return found;
            }
        }
        let Some(open) = self.open.as_mut() else { return found };
        // What a log puts before a line ends in a space.
        let word = line.split_whitespace().next_back().unwrap_or_default();
        if open.size.is_none() {
            open.size = Some(word.to_owned()).filter(|w| w.parse::<u64>().is_ok());
            open.patience -= u32::from(open.size.is_none());
        } else if open.root.is_none() {
            open.root = Some(word.to_owned()).filter(|w| w.len() == 44 && w.ends_with('='));
            open.patience -= u32::from(open.root.is_none());
        } else if let Some(at) = line.find("— ") {
            // A witness has signed, too.
            open.sign(line.get(at..).unwrap_or_default().trim_end().to_owned());
        } else {
            open.patience -= 1;
        }
        if open.patience == 0 {
            found.extend(self.finish());
        }
        found
    }

    /// The note that is open, if it is whole.
    fn finish(&mut self) -> Option<(u64, String)> {
        let Open { line, origin, size: Some(size), root: Some(root), signatures, .. } = self.open.take()? else {
            return None;
        };
        let note = format!("{origin}\n{size}\n{root}\n\n{}\n", signatures.join("\n"));
        (!signatures.is_empty()).then_some((line, note))
    }
}

impl Open {
    fn sign(&mut self, line: String) {
        if self.signatures.len() < MOST_SIGNATURES {
            self.signatures.push(line);
        }
        self.patience = PATIENCE;
    }
}

/// The notes in a line of JSON, also where that JSON stands in a string of another one.
fn in_json(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find(MARK) {
        rest = rest.get(at..).unwrap_or_default();
        let end = rest.find('"').unwrap_or(rest.len());
        let mut text = rest.get(..end).unwrap_or_default().trim_end_matches('\\').to_owned();
        for _ in 0..3 {
            if !text.contains('\\') {
                break;
            }
            let Ok(plain) = serde_json::from_str::<String>(&format!("\"{text}\"")) else { break };
            text = plain;
        }
        found.extend((text.contains('\n')).then_some(text));
        rest = rest.get(end..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
#[path = "anchor_tests.rs"]
mod tests;
