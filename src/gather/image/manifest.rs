//! Image manifests and indexes (OCI image-spec 1.1 `manifest.md`, `image-index.md`; docker image manifest v2, schema 2).

use crate::record::digest::{DigestSet, Sha256Digest};
use crate::record::run_v1::{Artifact, ArtifactKind};
use anyhow::{Context, bail};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Largest manifest that is read; what registries accept (distribution-spec: at least 4 MiB must be).
pub(super) const BYTES: usize = 4 * 1024 * 1024;
/// Entries of an index that are read.
pub(super) const ENTRIES: usize = 1000;

/// The media types that are asked for, indexes first: an old registry picks the first that it knows.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// A manifest or an index: which of the two, `manifests` tells.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    schema_version: u32,
    pub media_type: Option<String>,
    pub config: Option<Descriptor>,
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    pub manifests: Option<Vec<Descriptor>>,
}

/// A digest with what is known of the bytes behind it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub media_type: Option<String>,
    pub digest: String,
    pub size: Option<u64>,
    pub platform: Option<Platform>,
    #[serde(default)]
    pub annotations: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Platform {
    #[serde(default)]
    pub os: String,
    #[serde(default)]
    pub architecture: String,
    #[serde(default)]
    pub variant: String,
}

impl Platform {
    /// `os/architecture[/variant]`. `None` if it says nothing.
    pub(super) fn shown(&self) -> Option<String> {
        if self.os.is_empty() && self.architecture.is_empty() {
            return None;
        }
        let variant = if self.variant.is_empty() { String::new() } else { format!("/{}", self.variant) };
        Some(format!("{}/{}{variant}", self.os, self.architecture))
    }
}

impl Descriptor {
    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(name).map(String::as_str)
    }

    /// BuildKit puts provenance and SBOMs beside the images of an index and marks them like this.
    fn is_attestation(&self) -> bool {
        self.annotation("vnd.docker.reference.type") == Some("attestation-manifest")
    }
}

impl Document {
    /// Reads a manifest or index; `declared` is the media type by which it was announced.
    pub(super) fn parse(bytes: &[u8], declared: Option<&str>) -> anyhow::Result<Self> {
        let document: Self = serde_json::from_slice(bytes).context("it is not an image manifest")?;
        if document.schema_version != 2 {
            bail!(
                "it is an image manifest of schema {}; only 2 has digests that can be recomputed",
                document.schema_version
            );
        }
        // Both shapes in one document mean different things to different readers (CVE-2021-41190).
        if document.manifests.is_some() == document.config.is_some() {
            bail!("it must have either `config` or `manifests`");
        }
        if document.manifests.as_ref().is_some_and(|m| m.len() > ENTRIES) {
            bail!("the index lists more than {ENTRIES} manifests");
        }
        let declared = declared.map(|d| d.split(';').next().unwrap_or(d).trim());
        if let (Some(own), Some(declared)) = (document.media_type.as_deref(), declared)
            && kind_of(own).is_some()
            && kind_of(declared).is_some()
            && kind_of(own) != kind_of(declared)
        {
            bail!("it was announced as `{declared}` and calls itself `{own}`");
        }
        Ok(document)
    }

    pub(super) fn kind(&self) -> ArtifactKind {
        if self.manifests.is_some() { ArtifactKind::ImageIndex } else { ArtifactKind::ImageManifest }
    }

    /// One artifact for each platform manifest that this index (`digest`) lists, in its order. Attestation manifests
    /// are left out: they are no images, and the index's digest covers them.
    pub(super) fn listed(&self, name: &str, tag: Option<&str>, digest: Sha256Digest) -> anyhow::Result<Vec<Artifact>> {
        let entries = self.manifests.iter().flatten().enumerate().filter(|(_, d)| !d.is_attestation());
        entries
            .map(|(n, entry)| {
                Ok(Artifact {
                    kind: kind_of(entry.media_type.as_deref().unwrap_or_default()).unwrap_or(ArtifactKind::Image),
                    name: name.to_owned(),
                    digest: DigestSet::sha256(sha256(&entry.digest).with_context(|| format!("manifests[{n}].digest"))?),
                    media_type: entry.media_type.clone(),
                    size: entry.size,
                    tag: tag.map(str::to_owned),
                    platform: entry.platform.as_ref().and_then(Platform::shown),
                    index: Some(format!("sha256:{digest}")),
                })
            })
            .collect()
    }
}

/// What a media type says of the bytes. `None` for anything that is no image manifest or index.
pub(super) fn kind_of(media_type: &str) -> Option<ArtifactKind> {
    match media_type {
        "application/vnd.oci.image.index.v1+json" | "application/vnd.docker.distribution.manifest.list.v2+json" => {
            Some(ArtifactKind::ImageIndex)
        }
        "application/vnd.oci.image.manifest.v1+json" | "application/vnd.docker.distribution.manifest.v2+json" => {
            Some(ArtifactKind::ImageManifest)
        }
        _ => None,
    }
}

/// Reads `sha256:` and 64 lower-case hex digits (OCI image-spec, `descriptor.md`).
pub(super) fn sha256(text: &str) -> anyhow::Result<Sha256Digest> {
    let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
    let digest = text.strip_prefix("sha256:").filter(|_| lower).and_then(Sha256Digest::parse);
    digest.with_context(|| {
        let shown: String = text.chars().take(100).flat_map(char::escape_debug).collect();
        format!("`{shown}` is not `sha256:` and 64 lower-case hex digits")
    })
}
