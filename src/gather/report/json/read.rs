//! Reading what is expected: an object key by key, an array value by value, and what stands in them.
//!
//! Whatever a closure leaves unread is skipped, and checked on the way.

use super::super::name::{cut, kept};
use super::super::outcome::{Number, Time};
use super::super::refusal::{Refusal, quoted};
use super::{Json, State, Token};

/// What a value is, by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
    /// Nothing that can be read.
    Other,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Bool => "`true` or `false`",
            Self::Null => "`null`",
            Self::Other => "something that is not JSON",
        }
    }
}

impl Json<'_> {
    /// Whether another document begins, where there may be many.
    pub(crate) fn another(&mut self) -> Result<bool, Refusal> {
        let more = self.significant()?.is_some();
        if more && self.many && self.state == State::After {
            self.state = State::Value;
        }
        Ok(more)
    }

    /// Checks that nothing stands behind the document.
    pub(crate) fn end(&mut self) -> Result<(), Refusal> {
        self.token::<true>().map(|_| ())
    }

    /// What the value that is next is.
    pub(crate) fn kind(&mut self) -> Result<Kind, Refusal> {
        Ok(match self.significant()? {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Null,
            _ => Kind::Other,
        })
    }

    /// Reads an object: `each` is told every key and reads its value, or leaves it. False for `null`; anything else is
    /// refused.
    pub(crate) fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, &str) -> Result<(), Refusal>,
    ) -> Result<bool, Refusal> {
        if !self.enter_or_null(Token::Object, Kind::Object)? {
            return Ok(false);
        }
        let depth = self.depth;
        while self.token::<true>()? == Token::Key {
            // the key stays where it was decoded; its value is read into a buffer that an earlier key has left
            let key = std::mem::replace(&mut self.text, self.spare.pop().unwrap_or_default());
            each(self, std::str::from_utf8(&key).unwrap_or_default())?;
            self.leave_value(depth)?;
            self.spare.push(key);
        }
        Ok(true)
    }

    /// Reads an array: `each` reads a value, or leaves it. False for `null`; anything else is refused.
    pub(crate) fn array(&mut self, mut each: impl FnMut(&mut Self) -> Result<(), Refusal>) -> Result<bool, Refusal> {
        if !self.enter_or_null(Token::Array, Kind::Array)? {
            return Ok(false);
        }
        let depth = self.depth;
        while self.element()? {
            each(self)?;
            self.leave_value(depth)?;
        }
        Ok(true)
    }

    fn enter_or_null(&mut self, wanted: Token, kind: Kind) -> Result<bool, Refusal> {
        let found = self.kind()?;
        if found != kind && !matches!(found, Kind::Null | Kind::Other) {
            let what = format!("{} stands where {} should", found.as_str(), kind.as_str());
            return Err(self.refuse(what).help("Check which version of the format the tool writes"));
        }
        Ok(self.token::<true>()? == wanted)
    }

    /// Whether the array that is open has another value, which is next; closes it where it has not.
    fn element(&mut self) -> Result<bool, Refusal> {
        match (self.state, self.significant()?) {
            (_, Some(b']')) => {
                self.close::<true>()?;
                return Ok(false);
            }
            (State::First, _) => {}
            (_, Some(b',')) => self.source.consume(1),
            (_, other) => return Err(self.unexpected(other, "`,` or `]`")),
        }
        self.state = State::Value;
        Ok(true)
    }

    /// Skips the value that a closure has left unread.
    #[inline]
    fn leave_value(&mut self, depth: usize) -> Result<(), Refusal> {
        debug_assert_eq!(self.depth, depth, "a value is read whole or not at all");
        if self.state == State::Value { self.skip() } else { Ok(()) }
    }

    /// The string that is next; `None` for another value, which is skipped.
    #[inline]
    pub(crate) fn text(&mut self) -> Result<Option<&str>, Refusal> {
        if self.significant()? != Some(b'"') {
            self.skip()?;
            return Ok(None);
        }
        self.string::<true>()?;
        self.state = State::After;
        Ok(Some(std::str::from_utf8(&self.text).unwrap_or_default()))
    }

    /// Takes the string that is next over, cut as a name is. Another value leaves `into` empty.
    pub(crate) fn name(&mut self, into: &mut Vec<u8>) -> Result<(), Refusal> {
        into.clear();
        if let Some(text) = self.text()? {
            into.extend_from_slice(text.as_bytes());
            cut(into);
        }
        Ok(())
    }

    /// The string that is next, cut as a name is, unless it is empty or something else.
    pub(crate) fn told(&mut self) -> Result<Option<String>, Refusal> {
        Ok(self.text()?.filter(|text| !text.is_empty()).map(|text| kept(text.as_bytes())))
    }

    /// The same of one member of the object that is next, whose other members are skipped.
    pub(crate) fn told_at(&mut self, member: &str) -> Result<Option<String>, Refusal> {
        let mut told = None;
        self.object(|json, key| {
            if key == member {
                told = json.told()?;
            }
            Ok(())
        })?;
        Ok(told)
    }

    /// How long the array is that is next; 0 for `null`.
    pub(crate) fn length(&mut self) -> Result<u64, Refusal> {
        let mut length = 0;
        self.array(|_| {
            length += 1;
            Ok(())
        })?;
        Ok(length)
    }

    /// The count that is next; absent for `null`, unreadable for whatever is no plain number.
    pub(crate) fn count(&mut self) -> Result<Number, Refusal> {
        Ok(match self.token_or_skip()? {
            Some(Token::Null) => Number::Absent,
            Some(Token::Number(length)) => Number::parse(&String::from_utf8_lossy(self.source.consumed(length))),
            _ => Number::Unreadable,
        })
    }

    /// `true` or `false`; `None` for anything else.
    pub(crate) fn flag(&mut self) -> Result<Option<bool>, Refusal> {
        Ok(match self.token_or_skip()? {
            Some(Token::Bool(value)) => Some(value),
            _ => None,
        })
    }

    /// The length of time that is next, `per_second` to the second; absent for `null`.
    pub(crate) fn time(&mut self, per_second: f64) -> Result<Time, Refusal> {
        Ok(match self.token_or_skip()? {
            Some(Token::Null) => Time::Absent,
            Some(Token::Number(length)) => match Time::parse(self.source.consumed(length)) {
                Time::Seconds(value) => Time::Seconds(value / per_second),
                other => other,
            },
            Some(Token::String) => Time::Unreadable(kept(&self.text)),
            _ => Time::Unreadable(String::new()),
        })
    }

    /// The text of the number that is next, or the string; empty for anything else.
    pub(crate) fn number_or_text(&mut self) -> Result<String, Refusal> {
        Ok(match self.token_or_skip()? {
            Some(Token::Number(length)) => kept(self.source.consumed(length)),
            Some(Token::String) => kept(&self.text),
            _ => String::new(),
        })
    }

    /// The token of a value that is no object and no array; those are skipped.
    fn token_or_skip(&mut self) -> Result<Option<Token>, Refusal> {
        let b = self.significant()?;
        if matches!(b, Some(b'{' | b'[')) {
            self.skip()?;
            return Ok(None);
        }
        self.value::<true>(b).map(Some)
    }

    /// The refusal for a document that lacks `what`.
    pub(crate) fn lacks(&self, what: &str) -> Refusal {
        Refusal::new(format!("it has no {}", quoted(what))).help("Check that this is a whole report of this format")
    }
}
