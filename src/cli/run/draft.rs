//! A first word about a run, signed and kept before its command begins. Who kills the wrapper does not kill the evidence: the
//! next `vouchsafe` that looks into this spool delivers it, with an outcome that is unknown.

use super::Args;
use crate::attest;
use crate::attest::spool::Held;
use crate::cli::about::{self, AboutArgs, Known};
use crate::cli::exit::Failure;
use crate::cli::storing::{self, Ready};
use crate::cli::twins::Sources;
use crate::cli::world::World;
use crate::cli::{delivery, words};
use crate::record::parts_v1::{Completeness, Status};

/// What the record says of its own end.
const WHY: &str =
    "written before the command began; nothing was heard of it afterwards: the wrapper or the machine was stopped";

/// Signs and keeps it, and holds it as long as the wrapper lives. `None` where the disk does not take it, which is told and
/// does not keep anybody from deploying.
pub(super) fn keep(
    world: &mut World,
    args: &Args,
    about: &AboutArgs,
    sources: &Sources,
    ready: &Ready,
    known: Known,
) -> Result<Option<Held>, Failure> {
    // Reports and artifacts are the command's to write.
    let nothing_yet = AboutArgs {
        report: Vec::new(),
        artifact: Vec::new(),
        image_metadata: Vec::new(),
        oci_layout: Vec::new(),
        iidfile: Vec::new(),
        resolve: false,
        ..about.clone()
    };
    let mut record = about::gathered(world, &nothing_yet, known, sources)?.record;
    record.run.finished_on = None;
    record.provenance.retain(|p| p.fact != "run.finishedOn");
    record.completeness.retain(|c| c.section != "run");
    record.completeness.push(Completeness { section: "run".into(), status: Status::Partial, why: Some(WHY.into()) });
    let (lock, keep_until) = args.storing.place.lock.at(ready.local(), record.recorded_on)?;
    let record = record.into();
    let sealed = attest::seal(&record, &ready.signer).map_err(storing::seal_failure)?;
    let parcel = delivery::parcel(world, &args.storing.place.vault, ready.vault(), &record, &sealed, lock, keep_until);
    match ready.spool.keep(&parcel, &sealed.bytes) {
        Ok(held) => Ok(Some(held)),
        Err(e) => {
            words::warn(world, &[format!("if this wrapper is killed, nothing will tell of it: {e}")]);
            Ok(None)
        }
    }
}
