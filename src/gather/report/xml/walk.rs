//! A whole document, told element by element to the reader of a format.

use super::super::input::Input;
use super::super::refusal::Refusal;
use super::super::tally::Tally;
use super::{Event, Tag, Xml};

/// Bytes of text that a reader may ask for: a word.
const WORD_LIMIT: usize = 64;

/// What the reader of a format is told.
pub(crate) trait Elements {
    /// Where it adds up.
    fn tally(&mut self) -> &mut Tally;

    /// An element begins; the first one is the root. Says whether [`Elements::word`] wants what stands in it.
    fn open(&mut self, tag: &Tag<'_>) -> Result<bool, Refusal>;

    /// The text at the start of the element that was opened last, trimmed.
    fn word(&mut self, _: &str) {}

    /// The innermost element ends.
    fn close(&mut self) -> Result<(), Refusal>;
}

/// Reads the document in `input` to its end. What `reader` refuses is refused at the place of that element.
#[inline]
pub(crate) fn walk(input: &mut Input<'_>, reader: &mut impl Elements) -> Result<(), Refusal> {
    let mut xml = Xml::open(input)?;
    if let Some(warning) = xml.warning.take() {
        reader.tally().warn(|| warning);
    }
    loop {
        let done = match xml.next()? {
            Event::Open(tag) => reader.open(&tag),
            Event::Close => reader.close().map(|()| false),
            Event::End => return Ok(()),
        };
        if done.map_err(|refusal| refusal.at(xml.source.token_place()))? {
            let word = String::from_utf8_lossy(xml.glimpse(WORD_LIMIT)?).into_owned();
            reader.word(word.trim());
        }
    }
}
