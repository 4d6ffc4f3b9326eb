//! `--metadata-file` of `docker buildx build` and `bake` (buildx `docs/reference/buildx_build.md`, exptypes of BuildKit).

use super::manifest::{self, Descriptor, kind_of};
use super::reference::Reference;
use super::{Ask, Found, read_file};
use crate::record::digest::{DigestSet, Sha256Digest};
use crate::record::parts_v1::How;
use crate::record::run_v1::{Artifact, ArtifactKind};
use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;

/// The file may hold the whole provenance of every target.
const BYTES: u64 = 64 * 1024 * 1024;

/// What is ours to read of one target.
#[derive(Deserialize)]
struct Target {
    #[serde(rename = "containerimage.digest")]
    digest: Option<String>,
    #[serde(rename = "containerimage.config.digest")]
    config: Option<String>,
    #[serde(rename = "containerimage.descriptor")]
    descriptor: Option<Descriptor>,
    #[serde(rename = "image.name")]
    names: Option<String>,
}

/// Reads the file of one build, or of a bake with one object a target.
pub(super) fn read(ask: &Ask<'_>, path: &str) -> anyhow::Result<Found> {
    let bytes = read_file(ask.dir, path, BYTES)?;
    let Value::Object(top) = serde_json::from_slice(&bytes).context("it is not the JSON of a build's metadata")? else {
        bail!("it is not the JSON object of a build's metadata");
    };
    let mut found = Found { artifacts: Vec::new(), how: How::File, warnings: Vec::new() };
    if top.keys().any(|k| k.starts_with("containerimage.")) {
        target(path, Value::Object(top), &mut found)?;
        return Ok(found);
    }
    for (name, value) in top {
        // `buildx.build.ref`, `buildx.build.warnings` stand beside the targets.
        if value.is_object() && !name.starts_with("buildx.build.") {
            target(&name, value, &mut found).with_context(|| format!("target `{name}`"))?;
        }
    }
    if found.artifacts.is_empty() {
        bail!(
            "it names no image digest. The build must make an image: with `--push`, `--load` or `--output type=image`, \
             not only a cache"
        );
    }
    Ok(found)
}

fn target(own_name: &str, value: Value, found: &mut Found) -> anyhow::Result<()> {
    let target: Target = serde_json::from_value(value).context("it does not have the shape of a build's metadata")?;
    let digest = parse("containerimage.digest", target.digest.as_deref())?;
    let config = parse("containerimage.config.digest", target.config.as_deref())?;
    let described = parse("containerimage.descriptor", target.descriptor.as_ref().map(|d| d.digest.as_str()))?;
    if let (Some(digest), Some(described)) = (digest, described)
        && digest != described
    {
        bail!("`containerimage.digest` and `containerimage.descriptor` name different digests");
    }
    let names = names(own_name, target.names.as_deref(), found);
    for (name, tag) in names {
        let artifact = |kind, digest| Artifact {
            kind,
            name: name.clone(),
            digest: DigestSet::sha256(digest),
            media_type: None,
            size: None,
            tag: tag.clone(),
            platform: None,
            index: None,
        };
        match digest.or(described) {
            // The docker exporter of the classic store writes the image id here, for no manifest exists yet.
            Some(digest) if Some(digest) == config => found.warnings.push(format!(
                "`{name}` was built without a manifest: its digest is an image id, not what a registry deploys"
            )),
            Some(digest) => {
                let known = target.descriptor.as_ref();
                let media_type = known.and_then(|d| d.media_type.clone());
                let kind = media_type.as_deref().and_then(kind_of).unwrap_or(ArtifactKind::Image);
                found.artifacts.push(Artifact {
                    size: known.and_then(|d| d.size),
                    platform: known.and_then(|d| d.platform.as_ref()).and_then(|p| p.shown()),
                    media_type,
                    ..artifact(kind, digest)
                });
            }
            None => {}
        }
        found.artifacts.extend(config.map(|config| artifact(ArtifactKind::ImageConfig, config)));
    }
    Ok(())
}

fn parse(field: &str, text: Option<&str>) -> anyhow::Result<Option<Sha256Digest>> {
    text.map(|t| manifest::sha256(t).with_context(|| format!("`{field}`"))).transpose()
}

/// Repositories and tags from `image.name`, a list with commas. A build without a name goes by the target or file.
fn names(own_name: &str, text: Option<&str>, found: &mut Found) -> Vec<(String, Option<String>)> {
    let mut names = Vec::new();
    for text in text.unwrap_or_default().split(',').map(str::trim).filter(|t| !t.is_empty()) {
        match Reference::parse(text) {
            Ok(reference) => names.push((reference.name(), reference.tag)),
            Err(e) => {
                found.warnings.push(format!("image.name: {e}; recorded as it stands"));
                names.push((text.to_owned(), None));
            }
        }
    }
    if names.is_empty() {
        names.push((own_name.to_owned(), None));
    }
    names
}
