//! `$GITHUB_ARTIFACTS_LIST`: what earlier steps declared (actions/runner 2.336, `ArtifactsListFileCommand`, version 1).

use super::reference::Reference;
use super::{Ask, Found, manifest, read_file};
use crate::record::digest::DigestSet;
use crate::record::parts_v1::How;
use crate::record::run_v1::{Artifact, ArtifactKind};
use anyhow::{Context, bail};
use serde::Deserialize;

/// 500 subjects a job are what the runner takes.
const BYTES: u64 = 4 * 1024 * 1024;

#[derive(Deserialize)]
struct List {
    version: u32,
    subjects: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    digest: String,
    kind: String,
}

/// Reads the file that the variable names. Empty: the runner has the feature turned off.
pub(super) fn read(ask: &Ask<'_>, path: &str) -> anyhow::Result<Found> {
    let mut found = Found { artifacts: Vec::new(), how: How::File, warnings: Vec::new() };
    if path.trim().is_empty() {
        return Ok(found);
    }
    let bytes = read_file(ask.dir, path, BYTES)?;
    if bytes.trim_ascii().is_empty() {
        return Ok(found);
    }
    let list: List = serde_json::from_slice(&bytes).context("it is not the runner's list of artifacts")?;
    if list.version != 1 {
        bail!("it has version {}; this program reads 1. Name the images with --image", list.version);
    }
    for (n, subject) in list.subjects.into_iter().enumerate() {
        let digest = manifest::sha256(&subject.digest).with_context(|| format!("subjects[{n}].digest"))?;
        let (kind, name, tag) = match subject.kind.as_str() {
            "file" => (ArtifactKind::File, subject.name, None),
            "oci" => match Reference::parse(&subject.name) {
                Ok(r) if r.digest.is_some_and(|d| d != digest) => {
                    bail!("subjects[{n}]: the name `{}` holds another digest than `digest`", subject.name)
                }
                Ok(r) => (ArtifactKind::Image, r.name(), r.tag),
                Err(e) => {
                    found.warnings.push(format!("subjects[{n}].name: {e}; recorded as it stands"));
                    (ArtifactKind::Image, subject.name, None)
                }
            },
            other => bail!("subjects[{n}].kind: `{other}` is neither `oci` nor `file`"),
        };
        let digest = DigestSet::sha256(digest);
        found.artifacts.push(Artifact {
            kind,
            name,
            digest,
            media_type: None,
            size: None,
            tag,
            platform: None,
            index: None,
        });
    }
    Ok(found)
}
