//! `[registry/]repository[:tag][@sha256:…]` (distribution `reference.go`, its grammar).

use crate::record::digest::Sha256Digest;
use std::fmt;

/// The registry that a name without one means.
pub(super) const DOCKER_HUB: &str = "docker.io";

/// An image reference. Printing gives the full form, and reading that gives the same reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// `host[:port]`, `docker.io` where none was given.
    pub registry: String,
    /// `library/nginx`.
    pub repository: String,
    pub tag: Option<String>,
    pub digest: Option<Sha256Digest>,
}

/// Why a text is no reference.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not an image reference: {why}")]
pub(super) struct NotAReference {
    text: String,
    why: &'static str,
}

impl Reference {
    pub(super) fn parse(text: &str) -> Result<Self, NotAReference> {
        parse(text).map_err(|why| NotAReference { text: text.chars().take(300).collect(), why })
    }

    /// `registry/repository`: the name under which the image is recorded.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@sha256:{digest}")?;
        }
        Ok(())
    }
}

fn parse(text: &str) -> Result<Reference, &'static str> {
    let (rest, digest) = match text.split_once('@') {
        None => (text, None),
        Some((rest, digest)) => (rest, Some(parse_digest(digest)?)),
    };
    let (rest, tag) = match rest.rsplit_once(':') {
        // A colon before the last slash belongs to a port.
        Some((rest, tag)) if !tag.contains('/') => (rest, Some(tag)),
        _ => (rest, None),
    };
    if tag.is_some_and(|t| !is_tag(t)) {
        return Err("a tag has 1 to 128 letters, digits, `_`, `.` and `-`, and does not begin with `.` or `-`");
    }
    let (registry, repository) = match rest.split_once('/') {
        Some((first, rest)) if first == "localhost" || first.contains(['.', ':']) => (first, rest),
        _ => (DOCKER_HUB, rest),
    };
    if !is_host(registry) {
        return Err("the registry is not a host name with an optional port");
    }
    let registry = registry.to_ascii_lowercase();
    let hub = matches!(registry.as_str(), DOCKER_HUB | "index.docker.io" | "registry-1.docker.io");
    let registry = if hub { DOCKER_HUB.to_owned() } else { registry };
    if repository.is_empty() {
        return Err("it names no repository");
    }
    if !repository.split('/').all(is_component) {
        return Err("a repository has lower-case letters and digits, joined by `.`, `_`, `__` or `-`");
    }
    // `docker run <64 hex digits>` means an image id, so the grammar forbids such a name.
    if repository.len() == 64 && repository.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("64 hex digits are an image id, not a name");
    }
    let library = hub && !repository.contains('/');
    let repository = if library { format!("library/{repository}") } else { repository.to_owned() };
    if registry.len() + 1 + repository.len() > 255 {
        return Err("the name is longer than 255 characters");
    }
    Ok(Reference { registry, repository, tag: tag.map(str::to_owned), digest })
}

fn parse_digest(text: &str) -> Result<Sha256Digest, &'static str> {
    let hex = text.strip_prefix("sha256:").ok_or("only `sha256:` digests are supported")?;
    // OCI image-spec, descriptor.md: lower case only.
    let lower = hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    Sha256Digest::parse(hex).filter(|_| lower).ok_or("a sha256 digest has 64 lower-case hex digits")
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut bytes = tag.bytes();
    bytes.next().is_some_and(word) && tag.len() <= 128 && bytes.all(|b| word(b) || matches!(b, b'.' | b'-'))
}

/// Runs of letters and digits, joined by one `.`, one or two `_`, or any number of `-`.
fn is_component(text: &str) -> bool {
    let alnum = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let joints: Vec<&str> = text.split(alnum).filter(|j| !j.is_empty()).collect();
    let ends = text.starts_with(alnum) && text.ends_with(alnum);
    ends && joints.iter().all(|j| matches!(*j, "." | "_" | "__") || j.bytes().all(|b| b == b'-'))
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    if port.is_some_and(|p| p.parse::<u16>().is_err() || p.starts_with('+')) {
        return false;
    }
    if let Some(ip) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        return ip.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let edge = |c: char| c.is_ascii_alphanumeric();
    host.split('.').all(|p| p.starts_with(edge) && p.ends_with(edge) && p.chars().all(|c| edge(c) || c == '-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn references_in_full() {
        for (text, full) in [
            ("nginx", "docker.io/library/nginx".to_owned()),
            ("acme/shop:1.2", "docker.io/acme/shop:1.2".into()),
            ("index.docker.io/nginx:1", "docker.io/library/nginx:1".into()),
            ("localhost/a", "localhost/a".into()),
            ("localhost:5000/a/b:x", "localhost:5000/a/b:x".into()),
            ("[::1]:5000/a", "[::1]:5000/a".into()),
            ("ghcr.example/Acme".to_lowercase().as_str(), "ghcr.example/acme".into()),
            ("REG.example:443/a-b__c.d/e---f:V_1.0-x", "reg.example:443/a-b__c.d/e---f:V_1.0-x".into()),
            (&format!("reg.example/a@sha256:{HEX}"), format!("reg.example/a@sha256:{HEX}")),
            (&format!("reg.example:1/a:t@sha256:{HEX}"), format!("reg.example:1/a:t@sha256:{HEX}")),
        ] {
            assert_eq!(Reference::parse(text).unwrap().to_string(), full, "{text}");
        }
    }

    #[test]
    fn what_is_no_reference() {
        let upper = format!("a@sha256:{}", HEX.to_uppercase());
        let long = format!("reg.example/{}", "a".repeat(250));
        for text in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            "A",
            "Acme/shop",
            "a:",
            "a:.x",
            "a: b",
            "a b",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "a._b",
            "a@",
            "a@sha256:",
            "a@sha256:abc",
            "a@sha512:abc",
            "a@md5:x",
            "reg.example:99999/a",
            "reg.example:/a",
            "reg.example:+1/a",
            "-reg.example/a",
            "reg..example/a",
            "[::zz]/a",
            "https://reg.example/a",
            "a\n",
            HEX,
            &upper,
            &long,
            &format!("a@sha256:{HEX}@sha256:{HEX}"),
            &format!("a:{}", "t".repeat(129)),
            "é",
        ] {
            assert!(Reference::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_reading_round_trip(
            registry in "(localhost|[a-z0-9]{1,5}(-[a-z0-9]{1,3})?\\.[a-z]{2,4})(:[1-9][0-9]{0,3})?|\\[::1\\](:80)?",
            repository in "[a-z0-9]{1,5}((\\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,5}){0,3}",
            tag in proptest::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}"),
            digest in proptest::option::of(any::<[u8; 32]>()),
        ) {
            let digest = digest.map(Sha256Digest::from_bytes);
            let reference = Reference { registry, repository, tag, digest };
            prop_assert_eq!(Reference::parse(&reference.to_string()).unwrap(), reference);
        }

        #[test]
        fn what_is_read_is_read_again_the_same(text in "[a-zA-Z0-9./:@_\\[\\]-]{0,40}") {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(Reference::parse(&reference.to_string()).unwrap(), reference);
            }
        }
    }
}
