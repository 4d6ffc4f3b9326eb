//! Reading what was kept elsewhere: files and folders that may hold checkpoints.

use crate::cli::exit::Failure;
use crate::cli::world::World;
use crate::ledger::whole::Anchors;
use crate::seal::trust::TrustSet;
use anyhow::Context as _;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Files that are looked at in one folder, and how deep.
const MOST_FILES: usize = 200_000;
const DEEPEST: usize = 16;

/// Every checkpoint in these files and folders, and what a person should know: where there was none.
pub(super) fn read(world: &World, paths: &[PathBuf], trust: &TrustSet) -> Result<(Anchors, Vec<String>), Failure> {
    let mut anchors = Anchors::default();
    let mut without = Vec::new();
    for path in paths {
        let full = world.at(path);
        let mut found = 0;
        if full.is_dir() {
            let files = walkdir::WalkDir::new(&full).max_depth(DEEPEST).sort_by_file_name().into_iter();
            let mut looked = 0;
            for entry in files {
                let entry = entry.with_context(|| format!("could not read the folder `{}`", path.display()))?;
                if !entry.file_type().is_file() {
                    continue;
                }
                looked += 1;
                if looked > MOST_FILES {
                    return Err(Failure::failed(
                        anyhow::anyhow!("there are more than {MOST_FILES} files in `{}`", path.display()),
                        "name smaller folders, or the files that hold checkpoints",
                    ));
                }
                let below = entry.path().strip_prefix(&full).unwrap_or(entry.path());
                found += one(entry.path(), &path.join(below), trust, &mut anchors)?;
            }
        } else {
            found += one(&full, path, trust, &mut anchors)?;
        }
        if found == 0 {
            without.push(format!("no checkpoint was found in `{}`", path.display()));
        }
    }
    Ok((anchors, without))
}

fn one(full: &Path, shown: &Path, trust: &TrustSet, anchors: &mut Anchors) -> Result<u64, Failure> {
    let name = shown.display().to_string();
    let found = File::open(full).and_then(|file| anchors.read(&name, BufReader::new(file), trust));
    Ok(found.with_context(|| format!("could not read `{name}`"))?)
}

/// The time-stamps beside the ledgers: what to say of them, and whether each that was checked holds.
#[cfg(feature = "tsa")]
pub(super) fn stamps(
    world: &World,
    roots: Option<&Path>,
    vault: &crate::vault::Vault,
    trust: &TrustSet,
    anchors: &mut Anchors,
) -> Result<(Vec<String>, bool), Failure> {
    use crate::ledger::stamps;
    let pem = match roots {
        Some(file) => {
            let text = std::fs::read_to_string(world.at(file));
            Some(text.with_context(|| format!("could not read the certificates in `{}`", file.display()))?)
        }
        None => None,
    };
    let (all, unchecked) = stamps::read(vault, pem.as_deref(), trust, anchors)?;
    let mut lines: Vec<String> = Vec::new();
    if unchecked > 0 {
        lines.push(format!(
            "time-stamps: {unchecked}, not checked: say --tsa-roots FILE, the certificates of their authorities"
        ));
    }
    for s in &all {
        lines.push(match &s.stamp {
            Ok((on, signer)) => {
                format!("time-stamp: {} leaves stood there on {on}, says {signer} ({})", s.size, s.address)
            }
            Err(why) => format!("time-stamp: {} does not hold: {why}", s.address),
        });
    }
    Ok((lines, all.iter().all(|s| s.stamp.is_ok())))
}
