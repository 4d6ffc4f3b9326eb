//! `--image`: an image named by hand.

use super::reference::Reference;
use super::{Ask, Found, registry};
use crate::record::digest::DigestSet;
use crate::record::parts_v1::How;
use crate::record::run_v1::{Artifact, ArtifactKind};
use anyhow::bail;

/// `--image`: a digest is taken as given; a tag needs `--resolve`, for it may name another image tomorrow.
pub(super) fn read(ask: &Ask<'_>, text: &str) -> anyhow::Result<Found> {
    let reference = Reference::parse(text.trim())?;
    if ask.resolve {
        return registry::resolve(ask, &reference);
    }
    let Some(digest) = reference.digest else {
        bail!(
            "it has no digest, and a tag may name another image tomorrow. Add --resolve to ask the registry, or give \
             the digest: `docker buildx imagetools inspect {reference}` prints it, `--metadata-file` of the build \
             writes it"
        );
    };
    let artifact = Artifact {
        kind: ArtifactKind::Image,
        name: reference.name(),
        digest: DigestSet::sha256(digest),
        media_type: None,
        size: None,
        tag: reference.tag,
        platform: None,
        index: None,
    };
    Ok(Found { artifacts: vec![artifact], how: How::Flag, warnings: Vec::new() })
}
