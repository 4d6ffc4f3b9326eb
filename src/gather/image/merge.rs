//! One image told of by several sources is one artifact; two images under one name are a contradiction.

use crate::record::digest::Sha256Digest;
use crate::record::run_v1::{Artifact, ArtifactKind};
use std::collections::BTreeMap;

/// Merges equal artifacts, keeps the order of first appearance, and adds a warning for every contradiction.
pub(super) fn merge(found: Vec<Artifact>, mut warnings: Vec<String>) -> (Vec<Artifact>, Vec<String>) {
    let mut merged: Vec<Artifact> = Vec::new();
    for artifact in found {
        match merged.iter_mut().find(|m| same(m, &artifact)) {
            Some(known) => absorb(known, artifact),
            None => merged.push(artifact),
        }
    }
    drop_known_ids(&mut merged);
    contradictions(&merged, &mut warnings);
    warnings.sort();
    warnings.dedup();
    (merged, warnings)
}

/// How much a kind says. An image of unknown kind gives way to what it turns out to be.
fn is_image(kind: ArtifactKind) -> bool {
    matches!(kind, ArtifactKind::Image | ArtifactKind::ImageIndex | ArtifactKind::ImageManifest)
}

fn same(a: &Artifact, b: &Artifact) -> bool {
    let kinds = a.kind == b.kind || (is_image(a.kind) && is_image(b.kind));
    let tags = a.tag == b.tag || a.tag.is_none() || b.tag.is_none();
    kinds && tags && a.name == b.name && a.digest == b.digest
}

fn absorb(known: &mut Artifact, other: Artifact) {
    if known.kind == ArtifactKind::Image {
        known.kind = other.kind;
    }
    known.media_type = known.media_type.take().or(other.media_type);
    known.size = known.size.or(other.size);
    known.tag = known.tag.take().or(other.tag);
    known.platform = known.platform.take().or(other.platform);
    known.index = known.index.take().or(other.index);
}

/// An image id that another source calls a manifest or index is one (docker's containerd store), and says nothing new.
fn drop_known_ids(merged: &mut Vec<Artifact>) {
    let mut known: BTreeMap<Sha256Digest, usize> = BTreeMap::new();
    for (n, artifact) in merged.iter().enumerate() {
        if let Some(digest) = artifact.digest.sha256.filter(|_| is_image(artifact.kind)) {
            known.entry(digest).or_insert(n);
        }
    }
    merged.retain(|a| a.kind != ArtifactKind::ImageConfig || !a.digest.sha256.is_some_and(|d| known.contains_key(&d)));
}

/// Two whole images (not platforms of an index) with one name, one tag or none, and different digests.
fn contradictions(merged: &[Artifact], warnings: &mut Vec<String>) {
    let whole: Vec<&Artifact> = merged
        .iter()
        .filter(|a| match a.kind {
            ArtifactKind::File => true,
            kind => is_image(kind) && a.index.is_none(),
        })
        .collect();
    for (n, a) in whole.iter().enumerate() {
        for b in whole.iter().skip(n + 1) {
            let clash =
                a.name == b.name && a.digest != b.digest && (a.tag == b.tag || a.tag.is_none() || b.tag.is_none());
            let kinds = (a.kind == ArtifactKind::File) == (b.kind == ArtifactKind::File);
            if let (true, true, Some(one), Some(two)) = (clash, kinds, a.digest.sha256, b.digest.sha256) {
                let tag = a.tag.as_ref().or(b.tag.as_ref()).map(|t| format!(":{t}")).unwrap_or_default();
                warnings.push(format!("`{}{tag}` is named with two digests, sha256:{one} and sha256:{two}", a.name));
            }
        }
    }
}
