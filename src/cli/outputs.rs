//! What later steps and jobs of a pipeline read: a GitHub step's outputs, GitLab's dotenv variables.

use super::told::Told;
use super::world::World;
use anyhow::{Context as _, bail};
use std::io::Write as _;
use std::path::Path;

/// Name, and value where there is one. Names are those of `action.yml`.
fn values(world: &World, told: &Told) -> Vec<(&'static str, String)> {
    let receipt = told.receipt.as_ref();
    let all = [
        ("bundle-path", told.bundle.as_ref().map(|file| world.at(file).display().to_string())),
        ("address", receipt.map(|r| r.address.clone())),
        ("uri", receipt.map(|r| r.uri.clone())),
        ("sha256", receipt.map(|r| r.sha256.to_string())),
        ("outcome", Some(told.record.run.outcome.as_str().to_owned())),
        ("checkpoint", receipt.and_then(|r| r.ledger.as_ref()).map(|at| at.checkpoint.clone())),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Appends to `$GITHUB_OUTPUT` (GitHub docs, "Workflow commands", multiline strings).
///
/// Each value stands between lines with a word that nobody could guess, so that none of them can end early and add an
/// output of its own.
pub(super) fn github(world: &mut World, file: &Path, told: &Told) -> anyhow::Result<()> {
    let mut text = String::new();
    for (name, value) in values(world, told) {
        let mut random = [0u8; 16];
        if !(world.random)(&mut random) {
            bail!("no outputs were written: the operating system gave no random bytes to keep them apart");
        }
        let word = format!("vouchsafe_{}", uuid::Uuid::from_bytes(random).simple());
        if value.contains(&word) {
            bail!("no outputs were written: `{name}` holds the word that ends it");
        }
        // the value's own last line end would be a line of its own
        text += &format!("{name}<<{word}\n{}\n{word}\n", value.trim_end_matches('\n'));
    }
    let path = world.at(file);
    let mut all = std::fs::OpenOptions::new().append(true).create(true).open(&path).with_context(|| could_not(file))?;
    all.write_all(text.as_bytes()).with_context(|| could_not(file))
}

/// Writes a dotenv report (GitLab docs, `artifacts:reports:dotenv`): one variable a line, no quotes, nothing on several lines.
///
/// `VOUCHSAFE_OUTCOME` alone would be the twin of a flag, and a later step would take this run's outcome for its own.
pub(super) fn dotenv(world: &World, file: &Path, told: &Told) -> anyhow::Result<()> {
    let mut text = String::new();
    for (name, value) in values(world, told) {
        if !value.contains(|c: char| c.is_control()) {
            text += &format!("VOUCHSAFE_RECORD_{}={value}\n", name.replace('-', "_").to_uppercase());
        }
    }
    std::fs::write(world.at(file), text).with_context(|| could_not(file))
}

fn could_not(file: &Path) -> String {
    format!("the outputs could not be written to `{}`", file.display())
}
