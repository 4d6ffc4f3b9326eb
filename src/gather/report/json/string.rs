//! Strings: escapes decoded, control characters refused, and no more memory than a limit, however long they are.

use super::super::name::{NAME_LIMIT, told};
use super::super::refusal::{Refusal, quoted};
use super::{INVALID, Json, TRUNCATED, scan};
use crate::record::digest::Sha256Digest;
use sha2::{Digest as _, Sha256};

/// Bytes of a string that are kept. A longer one is cut as a name is: its beginning, its length, its digest.
pub(crate) const STRING_LIMIT: usize = 1 << 20;

/// What is known of a string that is too long to keep.
type Long = Option<(Sha256, usize)>;

impl Json<'_> {
    /// Reads the string that begins here, into `text` where it is to be kept.
    #[inline]
    pub(super) fn string<const KEEP: bool>(&mut self) -> Result<(), Refusal> {
        if KEEP {
            self.text.clear();
        }
        self.source.consume(1);
        let ahead = self.source.ahead()?;
        match scan::string_stop(ahead) {
            // most strings: at hand as a whole and without an escape
            Some(end) if ahead[end] == b'"' => {
                if KEEP {
                    self.text.extend_from_slice(&ahead[..end]);
                }
                self.source.consume(end + 1);
                Ok(())
            }
            _ => self.long_string::<KEEP>(),
        }
    }

    /// The same for a string that has escapes or goes on in the next block.
    fn long_string<const KEEP: bool>(&mut self) -> Result<(), Refusal> {
        let mut long = None;
        loop {
            let ahead = self.source.ahead()?;
            let stop = scan::string_stop(ahead);
            let end = stop.unwrap_or(ahead.len());
            if KEEP {
                keep(&mut self.text, &mut long, &ahead[..end]);
            }
            let b = ahead.get(end).copied();
            let over = ahead.is_empty();
            self.source.consume(end);
            match b {
                Some(b'"') => {
                    self.source.consume(1);
                    break;
                }
                Some(b'\\') => {
                    let mut utf8 = [0; 4];
                    let c = self.escape()?;
                    if KEEP {
                        keep(&mut self.text, &mut long, c.encode_utf8(&mut utf8).as_bytes());
                    }
                }
                Some(control) => {
                    let what = format!("the character U+{control:04X} stands in a string without an escape");
                    return Err(self.here(what).help(INVALID));
                }
                None if over => return Err(self.refuse("a string that begins here does not end").help(TRUNCATED)),
                None => {}
            }
        }
        if let Some((hasher, length)) = long {
            let digest = Sha256Digest::from_bytes(hasher.finalize().into());
            self.text = told(&self.text, length, &digest);
        }
        Ok(())
    }

    /// Reads the escape that begins here (RFC 8259, section 7). Half a surrogate pair is no character and refused.
    fn escape(&mut self) -> Result<char, Refusal> {
        // no further than it goes: what stands behind it is not yet to be judged
        let mut length = if self.source.peek(2)?.get(1) == Some(&b'u') { 6 } else { 2 };
        if let [_, b'u', b'D' | b'd', b'8' | b'9' | b'A' | b'B' | b'a' | b'b', ..] = self.source.peek(length)? {
            length = 12;
        }
        let ahead = self.source.peek(length)?;
        let (c, length) = match ahead.get(1) {
            Some(b'"') => (Some('"'), 2),
            Some(b'\\') => (Some('\\'), 2),
            Some(b'/') => (Some('/'), 2),
            Some(b'b') => (Some('\u{8}'), 2),
            Some(b'f') => (Some('\u{c}'), 2),
            Some(b'n') => (Some('\n'), 2),
            Some(b'r') => (Some('\r'), 2),
            Some(b't') => (Some('\t'), 2),
            Some(b'u') => unicode(ahead),
            Some(_) => (None, 2),
            None => return Err(self.refuse("a string that begins here does not end").help(TRUNCATED)),
        };
        if let Some(c) = c {
            self.source.consume(length);
            return Ok(c);
        }
        // nothing closes the string: it is cut within the escape
        if ahead.len() < length {
            return Err(self.refuse("a string that begins here does not end").help(TRUNCATED));
        }
        let shown = String::from_utf8_lossy(&ahead[..length]).into_owned();
        Err(self.here(format!("{} is no escape of a character", quoted(&shown))).help(INVALID))
    }
}

/// The character behind `\uXXXX` or a pair of them, and how many bytes were looked at.
fn unicode(text: &[u8]) -> (Option<char>, usize) {
    let unit = |at: usize| -> Option<u32> {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |n, b| Some(n << 4 | char::from(*b).to_digit(16)?))
    };
    match unit(0) {
        Some(high @ 0xD800..=0xDBFF) => match unit(6) {
            Some(low @ 0xDC00..=0xDFFF) => (char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), 12),
            _ => (None, 6),
        },
        Some(unit) => (char::from_u32(unit), 6),
        None => (None, 6),
    }
}

/// Adds `part`, up to the limit; beyond it, only to length and digest.
#[inline]
fn keep(text: &mut Vec<u8>, long: &mut Long, part: &[u8]) {
    if long.is_none() && text.len() + part.len() <= STRING_LIMIT {
        text.extend_from_slice(part);
        return;
    }
    let (hasher, length) = long.get_or_insert_with(|| {
        let begun = (Sha256::new_with_prefix(&text), text.len());
        // what is kept of a name, and the rest of a character that ends behind it
        text.truncate(NAME_LIMIT + 4);
        text.shrink_to_fit();
        begun
    });
    hasher.update(part);
    *length += part.len();
}
