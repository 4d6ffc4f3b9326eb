//! `--iidfile` of docker, podman and buildah: one image id.

use super::{Ask, Found, manifest, read_file};
use crate::record::digest::DigestSet;
use crate::record::parts_v1::How;
use crate::record::run_v1::{Artifact, ArtifactKind};
use anyhow::Context;

/// An image id is the digest of the configuration with docker's classic store, podman and buildah, and that of the
/// manifest or index with docker's containerd store. The file does not say which, so it is recorded as the weaker one
/// unless another source names the same digest.
pub(super) fn read(ask: &Ask<'_>, path: &str) -> anyhow::Result<Found> {
    let bytes = read_file(ask.dir, path, 1024)?;
    let text = std::str::from_utf8(&bytes).context("it is not text")?.trim();
    // podman and buildah write the bare digits.
    let prefixed = if text.contains(':') { text.to_owned() } else { format!("sha256:{text}") };
    let artifact = Artifact {
        kind: ArtifactKind::ImageConfig,
        name: path.to_owned(),
        digest: DigestSet::sha256(manifest::sha256(&prefixed).context("it holds no image id")?),
        media_type: None,
        size: None,
        tag: None,
        platform: None,
        index: None,
    };
    let warning = format!(
        "`{path}` holds an image id, which is usually not the digest that a registry deploys. Add --image-metadata or \
         --image NAME@sha256:…"
    );
    Ok(Found { artifacts: vec![artifact], how: How::File, warnings: vec![warning] })
}
