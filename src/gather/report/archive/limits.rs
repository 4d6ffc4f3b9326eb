//! What an archive may cost, and the readers that hold it to that.

use crate::gather::report::refusal::Refusal;
use std::cell::Cell;
use std::io::{self, Read};

/// What an archive may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of the archive itself.
    pub(crate) packed: u64,
    /// Bytes of all that is unpacked from it.
    pub(crate) unpacked: u64,
    /// How many times its packed size it may unpack to.
    pub(crate) ratio: u64,
    /// Bytes below which nobody asks for that ratio.
    pub(crate) free: u64,
    /// Members, folders and links among them.
    pub(crate) members: u64,
    /// Bytes of a member's name.
    pub(crate) name: usize,
    /// Bytes of one report; a larger one is refused, the rest of the archive is not.
    pub(crate) report: u64,
}

/// The limits. Deflate reaches 1032 times (zlib's documentation); reports that say the same thousands of times reach 150.
pub(crate) const LIMITS: Limits = Limits {
    packed: 8 << 30,
    unpacked: 8 << 30,
    ratio: 250,
    free: 16 << 20,
    members: 10_000,
    name: 1024,
    report: crate::gather::report::input::FILE_LIMIT,
};

/// What has been unpacked so far, from how much.
pub(super) struct Meter {
    pub(super) limits: Limits,
    packed: Cell<u64>,
    unpacked: Cell<u64>,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, packed: Cell::new(0), unpacked: Cell::new(0) }
    }

    /// Counts what is read from the archive.
    pub(super) fn packed<R: Read>(&self, from: R) -> Packed<'_, R> {
        Packed { from, meter: self }
    }

    /// Counts what is unpacked, and stops at the limits.
    pub(super) fn unpacked<R: Read>(&self, from: R) -> Unpacked<'_, R> {
        Unpacked { from, meter: self }
    }

    fn check(&self) -> Result<(), Refusal> {
        let Limits { unpacked: most, ratio, free, .. } = self.limits;
        let (packed, unpacked) = (self.packed.get(), self.unpacked.get());
        if unpacked > most {
            let what = format!("it unpacks to more than {most} bytes");
            return Err(Refusal::new(what).help("Pack the reports alone"));
        }
        if unpacked > free && unpacked / ratio > packed {
            let what = format!("it unpacks to more than {ratio} times its size, as bombs do");
            return Err(Refusal::new(what).help("Unpack it first, if you know what it holds"));
        }
        Ok(())
    }
}

/// See [`Meter::packed`].
pub(super) struct Packed<'a, R> {
    from: R,
    meter: &'a Meter,
}

impl<R: Read> Read for Packed<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(into)?;
        self.meter.packed.set(self.meter.packed.get() + n as u64);
        Ok(n)
    }
}

/// See [`Meter::unpacked`].
pub(super) struct Unpacked<'a, R> {
    from: R,
    meter: &'a Meter,
}

impl<R: Read> Read for Unpacked<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(into)?;
        self.meter.unpacked.set(self.meter.unpacked.get() + n as u64);
        self.meter.check().map_err(io::Error::other)?;
        Ok(n)
    }
}

/// What an error of a stream means for the archive.
pub(super) fn refusal(error: &io::Error) -> Refusal {
    if let Some(refusal) = error.get_ref().and_then(|e| e.downcast_ref::<Refusal>()) {
        return refusal.clone();
    }
    let again = "Fetch or make it again";
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Refusal::new("it ends too early: it was cut short").help(again),
        _ => Refusal::new(format!("it cannot be unpacked: {error}")).help(again),
    }
}

/// Fills `into` as far as `from` goes.
pub(super) fn fill(from: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    let mut at = 0;
    while at < into.len() {
        match from.read(&mut into[at..]) {
            Ok(0) => break,
            Ok(n) => at += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(at)
}
