//! A folder: every file in it, in the order of names, and nothing outside of it.

use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Files that are looked at. More are a mistake in the word.
const FILES: usize = 100_000;

/// What was passed over, for the word about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PassedOver {
    /// Folders whose names begin with a dot.
    pub(super) hidden: u64,
    /// Links to folders, links that lead out of the folder, and what is no regular file.
    pub(super) links: u64,
    /// What could not be looked at, and why.
    pub(super) problems: Vec<String>,
}

/// The files below `root`, which is shown as `shown`: where to open each and how to show it.
pub(super) fn files(root: &Path, shown: &str) -> anyhow::Result<(Vec<(PathBuf, String)>, PassedOver)> {
    let (mut files, mut over) = (Vec::new(), PassedOver::default());
    let inside = std::fs::canonicalize(root)?;
    let mut walk = WalkDir::new(root).min_depth(1).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                let path = e.path().map(|p| p.display().to_string()).unwrap_or_default();
                let cause = e.io_error().map_or_else(|| e.to_string(), ToString::to_string);
                over.problems.push(format!("could not search `{path}`: {cause}"));
                continue;
            }
        };
        if entry.file_type().is_dir() {
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                over.hidden += 1;
                walk.skip_current_dir();
            }
            continue;
        }
        let path = entry.path();
        let file = match entry.path_is_symlink() {
            true => std::fs::canonicalize(path).is_ok_and(|to| to.starts_with(&inside) && to.is_file()),
            false => entry.file_type().is_file(),
        };
        if !file {
            over.links += 1;
            continue;
        }
        let below = path.strip_prefix(root).unwrap_or(path);
        let below: Vec<_> = below.components().map(|c| c.as_os_str().to_string_lossy()).collect();
        let told = format!("{}/{}", shown.trim_end_matches('/'), below.join("/"));
        files.push((entry.into_path(), told));
        if files.len() > FILES {
            anyhow::bail!("`{shown}` holds more than {FILES} files. Name a folder in it");
        }
    }
    Ok((files, over))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_order_and_hidden_folders_do_not() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["b.xml", "a/z.xml", "a/y.xml", ".git/x.xml", "a/.cache/x.xml", ".hidden.xml"] {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let (files, over) = files(dir.path(), "r/").unwrap();
        let names: Vec<_> = files.iter().map(|(_, shown)| shown.as_str()).collect();
        assert_eq!(names, ["r/.hidden.xml", "r/a/y.xml", "r/a/z.xml", "r/b.xml"]);
        assert_eq!(over, PassedOver { hidden: 2, ..PassedOver::default() });
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_folder_and_loops_are_passed_over() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("r");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("a.xml"), "x").unwrap();
        std::fs::write(dir.path().join("out.xml"), "x").unwrap();
        symlink("a.xml", root.join("b.xml")).unwrap();
        symlink("../out.xml", root.join("c.xml")).unwrap();
        symlink(".", root.join("d")).unwrap();
        symlink("nowhere", root.join("e")).unwrap();
        let (files, over) = files(&root, "r").unwrap();
        let names: Vec<_> = files.iter().map(|(_, shown)| shown.as_str()).collect();
        assert_eq!(names, ["r/a.xml", "r/b.xml"]);
        assert_eq!(over.links, 3);
    }
}
