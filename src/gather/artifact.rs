//! Files that the run made, by digest.

use super::Progress;
use super::files::Expanded;
use crate::record::digest::{DigestSet, Sha256Digest};
use crate::record::run_v1::{Artifact, ArtifactKind};
use std::fs::File;
use std::path::Path;

/// Hashes every file that `expanded` names, in constant memory, and what could not be hashed, in words.
///
/// `progress` is told the name, the bytes done and the bytes of each file.
pub(crate) fn hash(expanded: &Expanded, progress: &mut Progress<'_>) -> (Vec<Artifact>, Vec<String>) {
    let mut artifacts = Vec::with_capacity(expanded.files.len());
    let mut problems = Vec::new();
    for (path, shown) in &expanded.files {
        match one(path, shown, progress) {
            Ok((digest, size)) => artifacts.push(Artifact {
                kind: ArtifactKind::File,
                name: shown.clone(),
                digest: DigestSet::sha256(digest),
                media_type: None,
                size: Some(size),
                tag: None,
                platform: None,
                index: None,
            }),
            Err(cause) => problems.push(format!("could not hash `{shown}`: {cause}")),
        }
    }
    (artifacts, problems)
}

fn one(path: &Path, shown: &str, progress: &mut Progress<'_>) -> Result<(Sha256Digest, u64), String> {
    let say = |e: std::io::Error| e.to_string();
    // Before opening: a pipe would wait for a writer for ever, a device need not end.
    if !std::fs::metadata(path).map_err(say)?.is_file() {
        return Err("it is not a regular file".into());
    }
    let file = File::open(path).map_err(say)?;
    let before = file.metadata().map_err(say)?;
    if !before.is_file() {
        return Err("it is not a regular file".into());
    }
    let (digest, size) =
        Sha256Digest::of_reader(&file, |done| progress(shown, done, Some(before.len()))).map_err(say)?;
    let after = file.metadata().map_err(say)?;
    // A digest of half the old and half the new content would match nothing that was ever deployed.
    if size != after.len() || before.modified().ok() != after.modified().ok() {
        return Err("it changed while it was read. Attest after the step that writes it".into());
    }
    Ok((digest, size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gather::files::expand;
    use std::fs;
    use tempfile::TempDir;

    #[test]
    fn files_are_hashed_with_progress() {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("abc"), "abc").unwrap();
        fs::write(dir.path().join("empty"), "").unwrap();
        fs::write(dir.path().join("long"), vec![0u8; 1_000_000]).unwrap();
        let mut seen = Vec::new();
        let expanded = expand(dir.path(), &["*".into()]).unwrap();
        let (artifacts, problems) = hash(&expanded, &mut |name, n, of| seen.push((name.to_owned(), n, of)));
        assert!(problems.is_empty(), "{problems:?}");
        let got: Vec<_> =
            artifacts.iter().map(|a| (a.name.as_str(), a.size, a.digest.sha256.unwrap().to_string())).collect();
        // FIPS 180-4 for "abc" and the empty message; `head -c 1000000 /dev/zero | sha256sum` for the zeros.
        for (got, want) in got.iter().zip([
            ("abc", Some(3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned()),
            ("empty", Some(0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".to_owned()),
            ("long", Some(1_000_000), "d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025".to_owned()),
        ]) {
            assert_eq!(*got, want);
        }
        assert_eq!(seen.last(), Some(&("long".to_owned(), 1_000_000, Some(1_000_000))));
        assert!(seen.iter().filter(|s| s.0 == "long").count() > 1, "told along the way");
    }

    #[cfg(unix)]
    #[test]
    fn pipes_devices_and_missing_files_are_named_and_do_not_hang() {
        let dir = TempDir::new().unwrap();
        let made = std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap();
        assert!(made.success());
        fs::write(dir.path().join("gone"), "x").unwrap();
        let expanded = expand(dir.path(), &["*".into(), "/dev/zero".into()]).unwrap();
        fs::remove_file(dir.path().join("gone")).unwrap();
        let (artifacts, problems) = hash(&expanded, &mut |_, _, _| {});
        assert_eq!(artifacts, []);
        assert_eq!(problems.len(), 3, "{problems:?}");
        for (problem, word) in problems.iter().zip(["/dev/zero", "gone", "pipe"]) {
            assert!(problem.contains(word), "{problem}");
        }
        assert!(problems[2].contains("not a regular file"), "{}", problems[2]);
    }

    #[test]
    fn a_file_that_grows_meanwhile_is_not_recorded() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("growing");
        fs::write(&path, vec![0u8; 600_000]).unwrap();
        let expanded = expand(dir.path(), &["*".into()]).unwrap();
        let mut grown = false;
        let (artifacts, problems) = hash(&expanded, &mut |_, _, _| {
            if !std::mem::replace(&mut grown, true) {
                fs::write(&path, vec![1u8; 700_000]).unwrap();
            }
        });
        assert_eq!(artifacts, []);
        assert!(problems[0].contains("changed while"), "{problems:?}");
    }
}
