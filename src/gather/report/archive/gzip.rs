//! gzip (RFC 1952): of a tar, or of one report.

use super::limits::{Meter, fill, refusal};
use super::sink::{Kind, Sink};
use super::{Seekable, tar};
use crate::gather::report::HEAD;
use crate::gather::report::refusal::Refusal;
use flate2::read::{GzDecoder, MultiGzDecoder};
use std::io::Read;

pub(super) fn recognises(head: &[u8]) -> bool {
    head.starts_with(&[0x1F, 0x8B, 8])
}

/// Reads all of it: trailing bytes that are no further gzip member are an error of the decoder.
pub(super) fn read(file: &mut dyn Seekable, _: u64, meter: &Meter, sink: &mut Sink<'_>) -> Result<(), Refusal> {
    let mut unpacked = meter.unpacked(MultiGzDecoder::new(meter.packed(file)));
    let mut head = [0; tar::BLOCK];
    let n = fill(&mut unpacked, &mut head).map_err(|e| refusal(&e))?;
    let mut whole = (&head[..n]).chain(unpacked);
    if tar::recognises(&head[..n]) {
        return tar::walk(&mut whole, sink);
    }
    let name = sink.without_ending(".gz");
    sink.member(name.as_bytes(), Kind::File, &mut whole)?;
    // what is no report was not read to its end, where the checksum is
    sink.drain(&mut whole)
}

/// The first bytes of what is packed in a file that begins with `head`, as far as they can be had from there.
pub(super) fn peek(head: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // an error says that `head` ends before its stream does, or that it is none
    let _ = GzDecoder::new(head).take(HEAD as u64).read_to_end(&mut out);
    out
}
