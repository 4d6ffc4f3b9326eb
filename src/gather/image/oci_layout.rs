//! A folder in the OCI image layout (image-spec 1.1, `image-layout.md`).

use super::manifest::{self, BYTES, Descriptor, Document, ENTRIES, Platform};
use super::reference::Reference;
use super::{Ask, Found, read_file};
use crate::record::digest::{DigestSet, Sha256Digest};
use crate::record::parts_v1::How;
use crate::record::run_v1::{Artifact, ArtifactKind};
use anyhow::{Context, bail};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

/// Names every index and manifest of the layout. Each of them, and each configuration, is hashed and must be what its
/// digest says; layers must be there with the right size (the manifest's digest binds their content).
pub(super) fn read(ask: &Ask<'_>, path: &str) -> anyhow::Result<Found> {
    let dir = ask.dir.join(path);
    if dir.is_file() {
        bail!("it is a file. Unpack it (`mkdir layout && tar -xf {path} -C layout`) and name the folder");
    }
    let marker = read_file(&dir, "oci-layout", 4096).context("it is not a folder in the OCI image layout")?;
    let marker: Marker = serde_json::from_slice(&marker).context("`oci-layout` cannot be read")?;
    if !marker.image_layout_version.starts_with("1.") {
        bail!("the layout has version `{}`; this program reads 1.x", marker.image_layout_version);
    }
    let index = read_file(&dir, "index.json", BYTES as u64)?;
    // `index.json` is the folder's table of contents: it is never pushed and its digest names nothing.
    let index = Document::parse(&index, None).context("`index.json`")?;
    let Some(entries) = index.manifests else { bail!("`index.json` is not an index") };
    let mut layout = Layout {
        dir,
        found: Found { artifacts: Vec::new(), how: How::File, warnings: Vec::new() },
        seen: BTreeSet::new(),
    };
    // A list and no recursion: an index may list indexes, and a hostile one as deep as it likes.
    let mut open: Vec<Entry> = Vec::new();
    for entry in entries {
        let (name, tag) = layout.name(path, &entry);
        open.push(Entry { descriptor: entry, name, tag, index: None });
    }
    open.reverse();
    while let Some(entry) = open.pop() {
        if layout.seen.len() >= ENTRIES {
            bail!("the layout lists more than {ENTRIES} manifests");
        }
        let place = entry.descriptor.digest.clone();
        let below = layout.visit(entry).with_context(|| format!("blob `{place}`"))?;
        open.extend(below.into_iter().rev());
    }
    if layout.found.artifacts.is_empty() {
        bail!("the layout holds no image");
    }
    Ok(layout.found)
}

struct Layout {
    dir: PathBuf,
    found: Found,
    seen: BTreeSet<(String, Sha256Digest)>,
}

struct Entry {
    descriptor: Descriptor,
    name: String,
    tag: Option<String>,
    index: Option<Sha256Digest>,
}

impl Layout {
    /// Checks one index or manifest, records it, and answers what it lists.
    fn visit(&mut self, entry: Entry) -> anyhow::Result<Vec<Entry>> {
        let Entry { descriptor, name, tag, index } = entry;
        let digest = manifest::sha256(&descriptor.digest)?;
        if !self.seen.insert((name.clone(), digest)) {
            return Ok(Vec::new());
        }
        let mut artifact = Artifact {
            kind: descriptor.media_type.as_deref().and_then(manifest::kind_of).unwrap_or(ArtifactKind::Image),
            name: name.clone(),
            digest: DigestSet::sha256(digest),
            media_type: descriptor.media_type.clone(),
            size: descriptor.size,
            tag: tag.clone(),
            platform: descriptor.platform.as_ref().and_then(Platform::shown),
            index: index.map(|i| format!("sha256:{i}")),
        };
        if index.is_some() && !self.holds(digest) {
            // Allowed (a sparse layout): the index still binds the digest.
            self.found
                .warnings
                .push(format!("blob `sha256:{digest}` is listed and not in the layout; it was not checked"));
            self.found.artifacts.push(artifact);
            return Ok(Vec::new());
        }
        let bytes = self.checked(&descriptor, digest)?;
        let document = Document::parse(&bytes, descriptor.media_type.as_deref())?;
        artifact.kind = document.kind();
        artifact.size = Some(bytes.len() as u64);
        artifact.media_type = artifact.media_type.or_else(|| document.media_type.clone());
        if let Some(config) = &document.config {
            let platform = self.config(config).context("config")?;
            artifact.platform = artifact.platform.or(platform);
        }
        for (n, layer) in document.layers.iter().enumerate() {
            self.layer(layer).with_context(|| format!("layers[{n}]"))?;
        }
        self.found.artifacts.push(artifact);
        // The listing leaves out what is no image; its artifacts and the descriptors go by the digest.
        let listed = document.listed(&name, tag.as_deref(), digest)?;
        let wanted: BTreeSet<_> =
            listed.iter().filter_map(|a| a.digest.sha256).map(|d| format!("sha256:{d}")).collect();
        let below = document.manifests.into_iter().flatten().filter(|d| wanted.contains(&d.digest));
        Ok(below.map(|d| Entry { descriptor: d, name: name.clone(), tag: tag.clone(), index: Some(digest) }).collect())
    }

    fn holds(&self, digest: Sha256Digest) -> bool {
        self.dir.join(blob(digest)).exists()
    }

    /// The bytes of a small blob, which are what `digest` and the descriptor's size say.
    fn checked(&self, descriptor: &Descriptor, digest: Sha256Digest) -> anyhow::Result<Vec<u8>> {
        let bytes = read_file(&self.dir, blob(digest), BYTES as u64)?;
        let actual = Sha256Digest::of(&bytes);
        if actual != digest {
            bail!("its bytes hash to sha256:{actual}: the layout is damaged or was altered");
        }
        if descriptor.size.is_some_and(|size| size != bytes.len() as u64) {
            bail!(
                "it has {} bytes, not the {} that its descriptor says",
                bytes.len(),
                descriptor.size.unwrap_or_default()
            );
        }
        Ok(bytes)
    }

    /// The platform that a configuration names, once its bytes are checked.
    fn config(&mut self, config: &Descriptor) -> anyhow::Result<Option<String>> {
        let digest = manifest::sha256(&config.digest)?;
        if !self.holds(digest) {
            self.found.warnings.push(format!("configuration `sha256:{digest}` is not in the layout"));
            return Ok(None);
        }
        let bytes = self.checked(config, digest)?;
        Ok(serde_json::from_slice::<Platform>(&bytes).ok().and_then(|p| p.shown()))
    }

    fn layer(&mut self, layer: &Descriptor) -> anyhow::Result<()> {
        let path = self.dir.join(blob(manifest::sha256(&layer.digest)?));
        match std::fs::metadata(&path) {
            Ok(meta) if layer.size.is_some_and(|size| size != meta.len()) => {
                bail!(
                    "`{}` has {} bytes, not the {} that the manifest says",
                    layer.digest,
                    meta.len(),
                    layer.size.unwrap_or_default()
                )
            }
            Ok(_) => {}
            Err(_) => self.found.warnings.push(format!("layer `{}` is not in the layout", layer.digest)),
        }
        Ok(())
    }

    /// Repository and tag. `ref.name` is a whole reference for some tools and only a tag for others; containerd and
    /// buildx put the reference beside it.
    fn name(&mut self, path: &str, entry: &Descriptor) -> (String, Option<String>) {
        let whole = entry.annotation("io.containerd.image.name");
        let tag = entry.annotation("org.opencontainers.image.ref.name");
        let reference = whole.or(tag.filter(|t| t.contains(['/', ':', '@'])));
        let folder = Path::new(path).to_string_lossy().into_owned();
        match reference.map(Reference::parse) {
            Some(Ok(reference)) => (reference.name(), reference.tag),
            Some(Err(e)) => {
                self.found.warnings.push(format!("`index.json`: {e}; the image goes by the folder's name"));
                (folder, None)
            }
            None => (folder, tag.map(str::to_owned)),
        }
    }
}

fn blob(digest: Sha256Digest) -> PathBuf {
    Path::new("blobs/sha256").join(digest.to_string())
}
