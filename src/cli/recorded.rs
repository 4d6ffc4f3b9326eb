//! What becomes of a run's record beside being stored: the flags that `attest` and `run` share, the copies and what is told.

use super::emergency;
use super::exit::{Answer, Exit, Failure};
use super::storing::{self, PlaceArgs, Ready, Went, seal_failure};
use super::told::{self, Told};
use super::words;
use super::world::World;
use crate::attest::spool::Held;
use crate::attest::{self, Sealed};
use crate::gather::Gathered;
use crate::record::Record;
use crate::seal::signer::Signer;
use std::path::{Path, PathBuf};

/// Where the record goes and what is told of it.
#[derive(clap::Args, Debug)]
pub(crate) struct StoringArgs {
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Also write the signed bundle to this file
    #[arg(help_heading = "What is told", long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Also write a standard statement, signed by the same key: test-result (one file a report)
    #[arg(help_heading = "What is told", long, value_name = "KIND", value_parser = ["test-result"], action = clap::ArgAction::Append)]
    pub(crate) emit: Vec<String>,
    /// Folder for what --emit writes
    #[arg(help_heading = "What is told", long, value_name = "DIR", default_value = ".")]
    pub(crate) emit_dir: PathBuf,
    /// Append a summary in Markdown to this file ($GITHUB_STEP_SUMMARY)
    #[arg(help_heading = "What is told", long, value_name = "FILE")]
    pub(crate) summary: Option<PathBuf>,
    /// Append the outputs of a GitHub step to this file ($GITHUB_OUTPUT): bundle-path, address, uri, sha256, outcome, checkpoint
    #[arg(help_heading = "What is told", long, value_name = "FILE")]
    pub(crate) step_outputs: Option<PathBuf>,
    /// Write variables for later jobs to this file (GitLab's dotenv report): VOUCHSAFE_RECORD_ADDRESS, _URI, _SHA256, _OUTCOME, _BUNDLE_PATH
    #[arg(help_heading = "What is told", long, value_name = "FILE")]
    pub(crate) dotenv: Option<PathBuf>,
}

/// Signs the record, keeps it, delivers it and tells of it, and puts the bypass of an emergency beside it. `earlier` is a word
/// about the same run that waits in the spool and that this record replaces as soon as it is safe itself.
pub(crate) fn store(
    world: &mut World,
    args: &StoringArgs,
    gathered: &Gathered,
    ready: &mut Ready,
    json: bool,
    earlier: Option<Held>,
) -> Answer {
    let record = Record::from(gathered.record.clone());
    let mut bundle = None;
    let mut keep = |world: &World, record: &Record, sealed: &Sealed, signer: &Signer| {
        let written = copies(world, args, record, sealed, signer);
        bundle = args.output.as_deref().filter(|_| written.is_ok()).map(Path::to_owned);
        written
    };
    let mut went = Went::default();
    let way = storing::put(world, &args.place, &record, ready, (json, earlier), &mut keep, &mut went);
    let again = went.again.as_ref().and_then(|(record, _)| record.as_run());
    let told = Told {
        gathered,
        record: again.unwrap_or(&gathered.record),
        receipt: went.receipt.clone(),
        bundle,
        failure: way.as_ref().err(),
    };
    told::leave(world, args, &told);
    if way.as_ref().is_err_and(|failure| failure.exit == Exit::Undelivered) && !ready.local() {
        ready.give_up("it did not answer for the record of the run".to_owned());
    }
    let bypass = emergency::put(world, &args.place, again.unwrap_or(&gathered.record), ready);
    let bypass = storing::forgiven(world, &args.place, bypass);
    match (storing::forgiven(world, &args.place, way), bypass) {
        (Ok(_), bypass) => bypass,
        (Err(first), Ok(_)) => Err(first),
        (Err(first), Err(second)) => {
            words::tell(world, &second);
            Err(Failure { exit: first.exit.max(second.exit), ..first })
        }
    }
}

/// Writes what --output and --emit ask for. The vault comes first: a full disk here must not keep the record from it.
fn copies(world: &World, args: &StoringArgs, record: &Record, sealed: &Sealed, signer: &Signer) -> Result<(), Failure> {
    if let Some(file) = &args.output {
        told::write(world, file, &sealed.bytes)?;
    }
    if let (false, Some(run)) = (args.emit.is_empty(), record.as_run()) {
        for (n, bundle) in attest::test_results(run, signer).map_err(seal_failure)?.iter().enumerate() {
            told::write(world, &args.emit_dir.join(format!("test-result-{}.json", n + 1)), bundle)?;
        }
    }
    Ok(())
}
