//! JSON is written in UTF-8 and in nothing else (RFC 8259, section 8.1).

use super::super::decoded::valid;
use super::super::refusal::{Place, Refusal};
use super::INVALID;

/// The [`Check`](super::super::source::Check) of JSON, which is written in UTF-8.
pub(super) fn check(text: &[u8], last: bool) -> (usize, Option<Refusal>) {
    let (valid, broken) = valid(text, last);
    let what = "bytes that are not UTF-8, which JSON is written in (RFC 8259, section 8.1)";
    (valid, broken.then(|| Refusal::new(what).help("Let the tool write UTF-8")))
}

/// The length of the byte order mark that `head` begins with; the refusal of an encoding that is none of JSON's.
pub(super) fn encoding(head: &[u8]) -> Result<usize, Refusal> {
    let name = match head {
        [0xEF, 0xBB, 0xBF, ..] => return Ok(3),
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] | [0, 0, 0, _, ..] | [_, 0, 0, 0, ..] => "UTF-32",
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, ..] | [_, 0, ..] => "UTF-16",
        _ => return Ok(0),
    };
    let what = format!("the file is in {name}, and JSON is written in UTF-8 (RFC 8259, section 8.1)");
    Err(Refusal::new(what).at(Place::START).help(INVALID))
}
