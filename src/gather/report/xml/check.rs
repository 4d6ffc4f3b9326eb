//! What may stand in an XML document as it is, whatever it means there.

use super::super::decoded::{WRITE_UTF8, valid};
use super::super::refusal::Refusal;
use super::scan;

/// The [`Check`](super::super::source::Check) of XML: UTF-8 and the characters that are allowed; those of `ASCII` alone
/// where that is declared.
pub(super) fn check<const ASCII: bool>(text: &[u8], last: bool) -> (usize, Option<Refusal>) {
    if scan::is_plain(text) {
        return (text.len(), None);
    }
    let (valid, broken) = valid(text, last);
    match scan::forbidden(&text[..valid], ASCII) {
        Some(at) => (at, Some(forbidden(&text[at..], ASCII))),
        None => (valid, broken.then(|| Refusal::new("bytes that are not UTF-8").help(WRITE_UTF8))),
    }
}

/// The refusal for the character that `text` begins with.
fn forbidden(text: &[u8], ascii: bool) -> Refusal {
    let c = text.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()).unwrap_or('\u{FFFD}');
    if ascii && !c.is_ascii() {
        return Refusal::new("it declares US-ASCII and holds other characters").help(WRITE_UTF8);
    }
    Refusal::new(format!("the character U+{:04X} is not allowed in XML", u32::from(c)))
        .help("Let the tool that writes it leave control characters out")
}
