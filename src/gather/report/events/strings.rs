//! The strings in a JSON text that is longer than is held.

use super::super::refusal::Refusal;

/// Levels of arrays and objects in one line.
pub(super) const DEPTH_LIMIT: usize = 128;

/// Bytes of a string in a line that is too long to be held, as it is written: more than a name may have.
const STRING_LIMIT: usize = 64 * 1024;

/// Where in a JSON text a byte stands.
#[derive(Default)]
pub(super) struct Strings {
    inside: bool,
    /// Bytes of the present string.
    length: usize,
    /// The rest of the present string is left out.
    cut: bool,
    escape: Escape,
    depth: usize,
}

/// How much of an escape is still to come.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    Letter,
    Digits(u8),
}

impl Strings {
    /// Goes on by a byte and says whether it belongs into the shortened text.
    pub(super) fn pass(&mut self, b: u8) -> Result<bool, Refusal> {
        if self.inside {
            return self.pass_inside(b);
        }
        match b {
            b'"' => (self.inside, self.length, self.cut) = (true, 0, false),
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > DEPTH_LIMIT {
            return Err(Refusal::new(format!("arrays and objects are nested more than {DEPTH_LIMIT} deep")));
        }
        Ok(true)
    }

    fn pass_inside(&mut self, b: u8) -> Result<bool, Refusal> {
        // whole characters and whole escapes only
        self.cut |= self.length >= STRING_LIMIT && self.escape == Escape::None && b & 0xC0 != 0x80;
        self.length += 1;
        self.inside = (self.escape, b) != (Escape::None, b'"');
        self.escape = match (self.escape, b) {
            (Escape::None, b'\\') => Escape::Letter,
            (Escape::None, 0x20..) => Escape::None,
            (Escape::Letter, b'u') => Escape::Digits(4),
            (Escape::Letter, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Escape::None,
            (Escape::Digits(1), b) if b.is_ascii_hexdigit() => Escape::None,
            (Escape::Digits(n), b) if b.is_ascii_hexdigit() => Escape::Digits(n - 1),
            (Escape::None, _) => return Err(Refusal::new("a control character inside a string")),
            _ => return Err(Refusal::new("an escape that JSON does not have")),
        };
        Ok(!self.cut || !self.inside)
    }
}
