//! Checking and dropping what is at hand in one go, for most of most reports is not asked for.
//!
//! What is unusual is left to the slow way, which reads token by token, crosses from block to block, and refuses.

use super::{DEPTH_LIMIT, Json, Refusal, State, is_number, scan};

/// Where a tokenizer stands.
#[derive(Clone, Copy, Debug)]
struct Stand {
    state: State,
    depth: usize,
    objects: u128,
}

impl Json<'_> {
    /// Checks the value that is next and drops it, keys that stand twice in it aside.
    pub(crate) fn skip(&mut self) -> Result<(), Refusal> {
        let floor = self.depth;
        loop {
            let text = self.source.ahead()?;
            let mut stand = Stand { state: self.state, depth: self.depth, objects: self.objects };
            let length = run(text, &mut stand, floor);
            self.source.consume(length);
            (self.state, self.depth, self.objects) = (stand.state, stand.depth, stand.objects);
            if length > 0 && self.depth == floor && self.state == State::After {
                return Ok(());
            }
            self.token::<false>()?;
            if self.depth == floor {
                return Ok(());
            }
        }
    }
}

/// Passes over what is usual in `text`, up to the end of the value at `floor`: how many bytes, and where it stands then.
fn run(text: &[u8], stand: &mut Stand, floor: usize) -> usize {
    let mut done = 0;
    let mut at = 0;
    loop {
        let Some(mut b) = significant(text, &mut at) else { return done };
        let object = stand.objects & 1 == 1;
        let mut key = false;
        if stand.state != State::Value {
            if stand.depth == 0 {
                return done;
            }
            if b == if object { b'}' } else { b']' } {
                at += 1;
                *stand = Stand { state: State::After, depth: stand.depth - 1, objects: stand.objects >> 1 };
                done = at;
                if stand.depth == floor {
                    return done;
                }
                continue;
            }
            if stand.state == State::After {
                if b != b',' {
                    return done;
                }
                at += 1;
                match significant(text, &mut at) {
                    Some(next) => b = next,
                    None => return done,
                }
            }
            key = object;
        }
        if key {
            if b != b'"' {
                return done;
            }
            let Some(end) = string_end(text, at + 1) else { return done };
            at = end;
            if significant(text, &mut at) != Some(b':') {
                return done;
            }
            at += 1;
            match significant(text, &mut at) {
                Some(next) => b = next,
                None => return done,
            }
        }
        let end = match b {
            b'"' => string_end(text, at + 1),
            b'{' | b'[' if stand.depth < DEPTH_LIMIT => {
                at += 1;
                let objects = stand.objects << 1 | u128::from(b == b'{');
                *stand = Stand { state: State::First, depth: stand.depth + 1, objects };
                done = at;
                continue;
            }
            b'-' | b'0'..=b'9' => number_end(text, at),
            b't' => text[at..].starts_with(b"true").then_some(at + 4),
            b'f' => text[at..].starts_with(b"false").then_some(at + 5),
            b'n' => text[at..].starts_with(b"null").then_some(at + 4),
            _ => None,
        };
        let Some(end) = end else { return done };
        (at, done) = (end, end);
        stand.state = State::After;
        if stand.depth == floor {
            return done;
        }
    }
}

/// Passes over white space; gives what comes behind it.
#[inline]
fn significant(text: &[u8], at: &mut usize) -> Option<u8> {
    match text.get(*at) {
        Some(&b) if b > b' ' => Some(b),
        _ => {
            *at += scan::space(&text[*at..]);
            text.get(*at).copied()
        }
    }
}

/// Where a string ends whose inside begins at `at`.
#[inline]
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += scan::string_stop(&text[at..])?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += match &text[at..] {
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            // surrogates, which come in pairs, begin with D
            [b'\\', b'u', a, b, c, d, ..]
                if !matches!(a, b'D' | b'd') && [a, b, c, d].iter().all(|x| x.is_ascii_hexdigit()) =>
            {
                6
            }
            _ => return None,
        };
    }
}

/// Where a number ends, unless it may go on in the next block or is none.
#[inline]
fn number_end(text: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    while let b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E' = text.get(end)? {
        end += 1;
    }
    let number = &text[at..end];
    let plain = number[0] != b'0' && number.iter().all(u8::is_ascii_digit) && number.len() < 32;
    (plain || (number.len() <= super::NUMBER_BYTES && is_number(number))).then_some(end)
}
