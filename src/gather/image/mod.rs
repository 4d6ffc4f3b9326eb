//! Images by digest, from whatever the pipeline already has: a reference, a build's metadata, a layout, a registry.

mod buildx;
mod credentials;
mod github_list;
mod iidfile;
mod manifest;
mod merge;
mod named;
mod oci_layout;
mod reference;
mod registry;
#[cfg(test)]
mod tests;

use super::http::Http;
use crate::record::parts_v1::{Completeness, How, Provenance, Status};
use crate::record::run_v1::Artifact;
use anyhow::{Context, bail};
use std::io::Read;
use std::path::Path;

/// A way to learn of an image.
pub(crate) struct Source {
    /// The flag without its dashes, or the variable.
    pub name: &'static str,
    /// Reads one value.
    read: fn(&Ask<'_>, &str) -> anyhow::Result<Found>,
}

/// TABLE of image sources.
pub(crate) const SOURCES: &[Source] = &[
    Source { name: "image", read: named::read },
    Source { name: "image-metadata", read: buildx::read },
    Source { name: "oci-layout", read: oci_layout::read },
    Source { name: "iidfile", read: iidfile::read },
    Source { name: "GITHUB_ARTIFACTS_LIST", read: github_list::read },
];

/// What the sources may use.
pub(crate) struct Ask<'a> {
    /// Paths are relative to this folder.
    pub dir: &'a Path,
    /// Whether a registry may be asked (`--resolve`).
    pub resolve: bool,
    /// The client to ask it with.
    pub http: &'a Http,
    /// Docker's `config.json` (`$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`).
    pub docker_config: Option<&'a Path>,
}

/// What one source told.
#[derive(Debug)]
struct Found {
    artifacts: Vec<Artifact>,
    how: How,
    warnings: Vec<String>,
}

/// What all sources told.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Every image and file once, indexes before the manifests that they list.
    pub artifacts: Vec<Artifact>,
    /// Which source told of them.
    pub provenance: Vec<Provenance>,
    /// Section `artifacts`, if anything was asked for.
    pub completeness: Option<Completeness>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// Sources that could not be read. The caller decides whether that ends the run.
    pub problems: Vec<String>,
}

/// Reads every `(source, value)`, `source` being the name of a row of [`SOURCES`], and merges what they say.
pub(crate) fn gather(given: &[(&str, &str)], ask: &Ask<'_>) -> Gathered {
    let mut out = Gathered::default();
    let mut found = Vec::new();
    for (name, value) in given {
        // What a variable holds is a path of the runner's own.
        let variable = name.starts_with(|c: char| c.is_ascii_uppercase());
        let asked = if variable { format!("${name}") } else { format!("--{name} {value}") };
        let Some(source) = SOURCES.iter().find(|s| s.name == *name) else {
            out.problems.push(format!("`{asked}` is not a source of images"));
            continue;
        };
        match (source.read)(ask, value) {
            Ok(told) => {
                let source = Some(asked.clone());
                out.warnings.extend(told.warnings);
                if !told.artifacts.is_empty() {
                    out.provenance.push(Provenance { fact: "artifacts".into(), how: told.how, source });
                }
                found.extend(told.artifacts);
            }
            Err(e) => out.problems.push(format!("{asked}: {e:#}")),
        }
    }
    (out.artifacts, out.warnings) = merge::merge(found, out.warnings);
    out.completeness = (!given.is_empty()).then(|| Completeness {
        section: "artifacts".into(),
        status: match (out.problems.is_empty(), out.artifacts.is_empty()) {
            (true, _) => Status::Complete,
            (false, false) => Status::Partial,
            (false, true) => Status::Unavailable,
        },
        why: (!out.problems.is_empty()).then(|| out.problems.join("; ")),
    });
    out
}

/// The bytes of the regular file `path` in `dir`, at most `most` of them. Errors name `path` alone: they end up in records.
fn read_file(dir: &Path, path: impl AsRef<Path>, most: u64) -> anyhow::Result<Vec<u8>> {
    let shown = path.as_ref().display();
    let failed = || format!("could not read `{shown}`");
    let path = dir.join(path.as_ref());
    // Before opening: a pipe would wait for a writer for ever.
    if !std::fs::metadata(&path).with_context(failed)?.is_file() {
        bail!("could not read `{shown}`: it is not a regular file");
    }
    let mut bytes = Vec::new();
    std::fs::File::open(&path).with_context(failed)?.take(most + 1).read_to_end(&mut bytes).with_context(failed)?;
    if bytes.len() as u64 > most {
        bail!("could not read `{shown}`: it is larger than {most} bytes");
    }
    Ok(bytes)
}
