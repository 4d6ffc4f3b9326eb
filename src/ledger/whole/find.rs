//! Finds signed checkpoints in any text: a note as it is, the log of a CI job that puts a time before every line, a receipt
//! in JSON. What is found counts only by its signature, so finding may be lenient.

use std::io::BufRead;

/// What the origin of every ledger begins with.
pub(super) const MARK: &str = "vouchsafe.dev/ledger/";
/// Signatures of one note.
const MOST_SIGNATURES: usize = 64;
/// Lines that may stand between the parts of a note.
const PATIENCE: u32 = 4;
/// The longest line that is read, in bytes: a receipt is some kilobytes.
pub(super) const LONGEST: u64 = 1 << 20;

/// Tells `each` of every note with an origin of ours, and the number of its first line.
pub(crate) fn notes(text: impl BufRead, each: &mut dyn FnMut(u64, &str)) -> std::io::Result<()> {
    let mut finder = Finder::default();
    each_line(text, |number, line| {
        for (number, note) in finder.line(number, line) {
            each(number, &note);
        }
    })?;
    if let Some((number, note)) = finder.finish() {
        each(number, &note);
    }
    Ok(())
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
