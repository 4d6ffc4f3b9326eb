//! A strict, bounded JSON tokenizer for reports (RFC 8259): what is asked for is kept, everything else checked and dropped.
//!
//! Our own and not serde_json, which takes the last of two equal keys, holds what it is asked for whole, and lets a
//! string it ignores be anything; the tests hold both against each other. UTF-8 only. A key that stands twice in an
//! object that is read is refused: two readers could take one each.

mod keys;
mod read;
mod scan;
mod sketch;
mod skip;
mod string;
mod utf8;

#[cfg(test)]
mod tests;

use super::decoded::Decoded;
use super::input::Input;
use super::refusal::{Place, Refusal, quoted};
use super::source::Source;
use keys::Keys;
pub(crate) use read::Kind;
pub(crate) use sketch::Sketch;
use std::io::Read;
use utf8::{check, encoding};

/// Bytes that are held at once. No token is ever held whole: a longer string goes on in memory of its own.
const BLOCK: usize = 64 * 1024;

/// Values inside each other.
pub(crate) const DEPTH_LIMIT: usize = 128;

/// Bytes of a number; JSON sets no limit, and no tool needs a tenth of this.
pub(crate) const NUMBER_BYTES: usize = 1024;

const TRUNCATED: &str = "The file is cut short: let its writer finish before it is read, or run the tests again";
const INVALID: &str = "It is not JSON: report it to the authors of the tool that wrote it";

/// What comes next in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// An object begins.
    Object,
    /// Its next key; a value follows.
    Key(&'a [u8]),
    /// An array begins.
    Array,
    /// The innermost object or array ends.
    Close,
    /// A string, decoded; one that is too long is cut as names are.
    String(&'a [u8]),
    /// A number, as it is written.
    Number(&'a [u8]),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// The document is over.
    End,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A value: at the beginning, behind a key, behind a comma in an array.
    Value,
    /// What stands first in an object or array, or its end.
    First,
    /// A comma, or the end of the object, array or document.
    After,
}

/// A token, without its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Object,
    Key,
    Array,
    Close,
    String,
    Number(usize),
    Bool(bool),
    Null,
    End,
}

/// Reads one document, or one after the other.
pub(crate) struct Json<'s> {
    source: Source<'s>,
    state: State,
    depth: usize,
    /// One bit a level, the innermost lowest: 1 for an object. [`DEPTH_LIMIT`] levels fit.
    objects: u128,
    keys: Keys,
    /// The text of the last key or string.
    text: Vec<u8>,
    /// Buffers that keys have left.
    spare: Vec<Vec<u8>>,
    /// More documents may follow the first.
    many: bool,
}

impl<'s> Json<'s> {
    /// Begins to read the document that `input` is.
    pub(crate) fn open(input: &'s mut Input<'_>) -> Result<Self, Refusal> {
        let mark = encoding(input.head()?)?;
        Self::new(input, mark)
    }

    /// Begins to read documents one behind the other, white space between them (JSON lines).
    pub(crate) fn open_many(input: &'s mut Input<'_>) -> Result<Self, Refusal> {
        Ok(Self { many: true, ..Self::open(input)? })
    }

    fn new(from: &'s mut dyn Read, mark: usize) -> Result<Self, Refusal> {
        let (keys, text, spare) = (Keys::default(), Vec::new(), Vec::new());
        let source = Source::new(Decoded::new(from, mark, None)?, BLOCK, check);
        Ok(Self { source, state: State::Value, depth: 0, objects: 0, keys, text, spare, many: false })
    }

    /// The next event.
    pub(crate) fn next(&mut self) -> Result<Event<'_>, Refusal> {
        Ok(match self.token::<true>()? {
            Token::Object => Event::Object,
            Token::Key => Event::Key(&self.text),
            Token::Array => Event::Array,
            Token::Close => Event::Close,
            Token::String => Event::String(&self.text),
            Token::Number(length) => Event::Number(self.source.consumed(length)),
            Token::Bool(value) => Event::Bool(value),
            Token::Null => Event::Null,
            Token::End => Event::End,
        })
    }

    /// The refusal for `what`, placed at the token that was read last.
    pub(crate) fn refuse(&self, what: impl Into<String>) -> Refusal {
        Refusal::new(what).at(self.source.token_place())
    }

    /// Reads one token; `KEEP` its text, and whether a key stands twice.
    #[inline]
    fn token<const KEEP: bool>(&mut self) -> Result<Token, Refusal> {
        let mut b = self.significant()?;
        let object = self.objects & 1 == 1;
        match self.state {
            State::Value => {}
            State::First => match b {
                Some(b'}') if object => return self.close::<KEEP>(),
                Some(b']') if !object => return self.close::<KEEP>(),
                _ if object => return self.key::<KEEP>(b),
                _ => {}
            },
            State::After if self.depth == 0 => match b {
                None => return Ok(Token::End),
                Some(_) if self.many => {}
                Some(_) => {
                    let what = "something stands after the end of the document";
                    return Err(self.here(what).help("Give each report its own file"));
                }
            },
            State::After => match b {
                Some(b'}') if object => return self.close::<KEEP>(),
                Some(b']') if !object => return self.close::<KEEP>(),
                Some(b',') => {
                    self.source.consume(1);
                    b = self.significant()?;
                    if object {
                        return self.key::<KEEP>(b);
                    }
                }
                other => return Err(self.unexpected(other, if object { "`,` or `}`" } else { "`,` or `]`" })),
            },
        }
        self.value::<KEEP>(b)
    }

    /// The next byte that is not white space, which stays to be read.
    #[inline(always)]
    fn significant(&mut self) -> Result<Option<u8>, Refusal> {
        // compact JSON has no white space
        match self.source.at_hand().first() {
            Some(&b) if b > b' ' => {
                self.source.begin();
                Ok(Some(b))
            }
            _ => self.behind_space(),
        }
    }

    fn behind_space(&mut self) -> Result<Option<u8>, Refusal> {
        loop {
            let text = self.source.ahead()?;
            if text.is_empty() {
                return Ok(None);
            }
            let space = scan::space(text);
            let b = text.get(space).copied();
            self.source.consume(space);
            if b.is_some() {
                self.source.begin();
                return Ok(b);
            }
        }
    }

    /// Reads the value that begins with `b`.
    #[inline]
    fn value<const KEEP: bool>(&mut self, b: Option<u8>) -> Result<Token, Refusal> {
        let token = match b {
            Some(b'"') => {
                self.string::<KEEP>()?;
                Token::String
            }
            Some(b'-' | b'0'..=b'9') => Token::Number(self.number()?),
            Some(b'{') => return self.enter::<KEEP>(true),
            Some(b'[') => return self.enter::<KEEP>(false),
            Some(b't') => self.literal(b"true", Token::Bool(true))?,
            Some(b'f') => self.literal(b"false", Token::Bool(false))?,
            Some(b'n') => self.literal(b"null", Token::Null)?,
            other => return Err(self.unexpected(other, "a value")),
        };
        self.state = State::After;
        Ok(token)
    }

    /// Reads a key and the colon behind it.
    #[inline]
    fn key<const KEEP: bool>(&mut self, b: Option<u8>) -> Result<Token, Refusal> {
        if b != Some(b'"') {
            return Err(self.unexpected(b, "a key in quotes"));
        }
        self.string::<KEEP>()?;
        if KEEP && let Err(what) = self.keys.add(&self.text) {
            let what = format!("the key {} {what}", quoted(&String::from_utf8_lossy(&self.text)));
            return Err(self.refuse(what).help("Report it to the authors of the tool that wrote it"));
        }
        match self.significant()? {
            Some(b':') => self.source.consume(1),
            other => return Err(self.unexpected(other, "`:`")),
        }
        self.state = State::Value;
        Ok(Token::Key)
    }

    #[inline]
    fn enter<const KEEP: bool>(&mut self, object: bool) -> Result<Token, Refusal> {
        if self.depth == DEPTH_LIMIT {
            return Err(self.here(format!("values are nested more than {DEPTH_LIMIT} deep")));
        }
        self.source.consume(1);
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(object);
        self.state = State::First;
        if KEEP {
            self.keys.enter();
        }
        Ok(if object { Token::Object } else { Token::Array })
    }

    #[inline]
    fn close<const KEEP: bool>(&mut self) -> Result<Token, Refusal> {
        self.source.consume(1);
        self.depth -= 1;
        self.objects >>= 1;
        self.state = State::After;
        if KEEP {
            self.keys.leave();
        }
        Ok(Token::Close)
    }

    #[inline]
    fn literal(&mut self, word: &[u8], token: Token) -> Result<Token, Refusal> {
        let ahead = self.source.peek(word.len())?;
        if ahead == word {
            self.source.consume(word.len());
            return Ok(token);
        }
        if word.starts_with(ahead) {
            return Err(self.cut());
        }
        let b = ahead.first().copied();
        Err(self.unexpected(b, "a value"))
    }

    /// Reads a number and gives its length.
    #[inline]
    fn number(&mut self) -> Result<usize, Refusal> {
        let part = |b: &u8| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let text = self.source.ahead()?;
        let length = match text.iter().position(|b| !part(b)) {
            Some(length) => length,
            // it may go on in the next block
            None => {
                let text = self.source.peek(NUMBER_BYTES + 1)?;
                text.iter().position(|b| !part(b)).unwrap_or(text.len())
            }
        };
        if length > NUMBER_BYTES {
            return Err(self.here(format!("a number is longer than {NUMBER_BYTES} bytes")));
        }
        self.source.consume(length);
        let number = self.source.consumed(length);
        if is_number(number) {
            return Ok(length);
        }
        let what = format!("{} is not a number in JSON", quoted(&String::from_utf8_lossy(number)));
        // a number at the very end of the file may be half of one
        let ends = self.source.ahead()?.is_empty();
        Err(self.refuse(what).help(if ends { TRUNCATED } else { INVALID }))
    }

    /// The refusal for what stands here in the place of `wanted`.
    #[cold]
    fn unexpected(&mut self, b: Option<u8>, wanted: &str) -> Refusal {
        if b.is_none() {
            return self.cut();
        }
        let ahead = match self.source.peek(8) {
            Ok(ahead) => ahead,
            Err(refusal) => return refusal,
        };
        if ahead == b"<<<<<<< " {
            let help = "Resolve it, or better: run the tests again";
            return self.here("the file holds the marks of a merge conflict").help(help);
        }
        let c = String::from_utf8_lossy(ahead).chars().next().unwrap_or('\0');
        let shown = if c.is_control() { format!("U+{:04X}", u32::from(c)) } else { quoted(c.encode_utf8(&mut [0; 4])) };
        self.here(format!("{shown} stands where {wanted} should")).help(INVALID)
    }

    /// The refusal for a file that ends too early.
    #[cold]
    fn cut(&self) -> Refusal {
        let what = match (self.depth, self.objects & 1) {
            (0, _) => "the file ends before the document does",
            (_, 1) => "the file ends where an object is still open",
            _ => "the file ends where an array is still open",
        };
        self.here(what).help(TRUNCATED)
    }

    fn here(&self, what: impl Into<String>) -> Refusal {
        Refusal::new(what).at(self.place())
    }

    /// Where reading stands.
    fn place(&self) -> Place {
        self.source.place()
    }
}

/// Whether `text`, which is not empty and made of nothing else than digits, `+-.eE`, is a number (RFC 8259, section 6).
#[inline]
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = text.strip_prefix(b"-").unwrap_or(text);
    let n = digits(whole);
    if n == 0 || (n > 1 && whole[0] == b'0') {
        return false;
    }
    let mut rest = &whole[n..];
    if let [b'.', fraction @ ..] = rest {
        let n = digits(fraction);
        if n == 0 {
            return false;
        }
        rest = &fraction[n..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', digits @ ..] => digits,
            digits => digits,
        };
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}
