//! The bytes of a report in UTF-8, whatever it is written in.

use super::refusal::{Place, Refusal};
use encoding_rs::{Decoder, DecoderResult, Encoding};
use std::io::{self, ErrorKind, Read};

/// Bytes that are decoded at once.
const RAW: usize = 16 * 1024;

pub(super) const WRITE_UTF8: &str = "Let the tool that writes it use UTF-8";

/// A report that is read as one of several encodings.
pub(super) struct Decoded<'s> {
    from: &'s mut dyn Read,
    /// Absent for UTF-8, which goes through as it is.
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    at: usize,
    to: usize,
    /// What follows is no character in the file's encoding: it ends here.
    malformed: bool,
    done: bool,
}

impl<'s> Decoded<'s> {
    /// Reads `from`, which stands at the file's first byte, behind a byte order mark of `mark` bytes.
    pub(super) fn new(
        from: &'s mut dyn Read,
        mark: usize,
        encoding: Option<&'static Encoding>,
    ) -> Result<Self, Refusal> {
        let unreadable = |e| Refusal::new(format!("the file could not be read: {e}"));
        from.read_exact(&mut [0; 3][..mark]).map_err(unreadable)?;
        let decoder = encoding.map(Encoding::new_decoder_without_bom_handling);
        let raw = vec![0; if decoder.is_some() { RAW } else { 0 }];
        Ok(Self { from, decoder, raw, at: 0, to: 0, malformed: false, done: false })
    }

    /// Reads into `into`, which has room for some characters; 0 at the end.
    pub(super) fn fill(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(decoder) = &mut self.decoder else { return self.from.read(into) };
        while !self.malformed && !self.done {
            if self.at == self.to {
                (self.at, self.to) = (0, self.from.read(&mut self.raw)?);
            }
            let last = self.to == 0;
            let raw = &self.raw[self.at..self.to];
            let (result, read, written) = decoder.decode_to_utf8_without_replacement(raw, into, last);
            self.at += read;
            self.malformed = matches!(result, DecoderResult::Malformed(..));
            self.done = last && result == DecoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }

    /// Why it ends where it does, unless the file does.
    pub(super) fn fault(&self) -> Option<Refusal> {
        let what = "bytes that are no character in the encoding of this file";
        self.malformed.then(|| Refusal::new(what).help(WRITE_UTF8))
    }
}

/// The refusal of a file that could be read up to `place`.
pub(super) fn unread(error: &io::Error, place: Place) -> Refusal {
    match error.kind() {
        ErrorKind::FileTooLarge => Refusal::new("the file is larger than is read").help("Split the report"),
        _ => Refusal::new(format!("the file could not be read on: {error}")).at(place),
    }
}

/// How many of the first bytes are valid UTF-8, and whether what is wrong behind them stays so: a character that is cut
/// may go on in the next block, unless this is the `last`.
pub(super) fn valid(text: &[u8], last: bool) -> (usize, bool) {
    match std::str::from_utf8(text) {
        Ok(_) => (text.len(), false),
        Err(e) => (e.valid_up_to(), e.error_len().is_some() || last),
    }
}
