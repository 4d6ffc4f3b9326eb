//! What is around the commit: tags, uncommitted changes, the depth of the clone.

use git2::{AttrCheckFlags, Delta, DiffOptions, Error, ObjectType, Oid, Repository};
use std::path::Path;

/// Tags that are recorded for one commit.
const TAGS: usize = 100;
/// Tags that are looked at. A monorepo may have tens of thousands.
const TAGS_READ: usize = 100_000;

/// Whether history was cut off. A linked worktree keeps the mark in the main repository, where libgit2 does not look.
pub(super) fn is_shallow(repo: &Repository) -> bool {
    repo.is_shallow() || repo.commondir().join("shallow").metadata().is_ok_and(|m| m.len() > 0)
}

/// Names of the tags that lead to `commit` (annotated ones peeled), sorted, and what was left out.
pub(super) fn tags(repo: &Repository, commit: Oid) -> Result<(Vec<String>, Option<String>), Error> {
    let odb = repo.odb()?;
    let mut names = Vec::new();
    let mut unread = false;
    for (n, reference) in repo.references_glob("refs/tags/*")?.enumerate() {
        if n == TAGS_READ {
            unread = true;
            break;
        }
        // A broken loose ref says nothing about this commit.
        let Ok(reference) = reference else { continue };
        let Some(target) = reference.target() else { continue };
        let points_here = target == commit
            || reference.target_peel() == Some(commit)
            || (odb.read_header(target).is_ok_and(|(_, kind)| kind == ObjectType::Tag)
                && repo.find_tag(target).and_then(|t| t.peel()).is_ok_and(|o| o.id() == commit));
        if points_here {
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            names.push(name.strip_prefix("refs/tags/").unwrap_or(&name).to_owned());
        }
    }
    names.sort_unstable();
    let more = names.len().saturating_sub(TAGS);
    names.truncate(TAGS);
    let warning = match (more, unread) {
        (0, false) => None,
        (0, true) => Some(format!("the repository has more than {TAGS_READ} tags; the rest was not looked at")),
        (more, _) => Some(format!("{more} more tags point at the commit; the first {TAGS} were recorded")),
    };
    Ok((names, warning))
}

/// Whether tracked files differ from the tree `tree` (hex), in the index or in the working folder, and what stays open.
///
/// `None` in a bare repository, and when the only differences are in files that an external filter rewrites (git-lfs):
/// libgit2 runs no filters, so it cannot tell. Submodules are left out: each is a repository of its own.
pub(super) fn dirty(repo: &Repository, tree: &str) -> Result<(Option<bool>, Option<String>), Error> {
    if repo.is_bare() {
        return Ok((None, None));
    }
    let tree = repo.find_tree(Oid::from_str(tree)?)?;
    let mut options = DiffOptions::new();
    options.ignore_submodules(true).include_typechange(true).skip_binary_check(true);
    let index = repo.index()?;
    if repo.diff_tree_to_index(Some(&tree), Some(&index), Some(&mut options))?.deltas().len() > 0 {
        return Ok((Some(true), None));
    }
    let diff = repo.diff_index_to_workdir(Some(&index), Some(&mut options))?;
    let mut filtered = 0usize;
    for delta in diff.deltas() {
        let path = delta.old_file().path().unwrap_or(Path::new(""));
        // A sparse checkout leaves files out on purpose; libgit2 minds the mark only where the file is there.
        let sparse = index.get_path(path, 0).is_some_and(|e| e.flags_extended & SKIP_WORKTREE != 0);
        if delta.status() == Delta::Deleted && sparse {
            continue;
        }
        if delta.status() == Delta::Modified && is_filtered(repo, path) {
            filtered += 1;
            continue;
        }
        return Ok((Some(true), None));
    }
    if filtered > 0 {
        let why =
            format!("{filtered} file(s) pass through an external filter (git-lfs); whether they differ is not known");
        return Ok((None, Some(why)));
    }
    Ok((Some(false), None))
}

/// `skip-worktree` in the extended flags of an index entry (git `Documentation/gitformat-index`).
const SKIP_WORKTREE: u16 = 1 << 14;

fn is_filtered(repo: &Repository, path: &Path) -> bool {
    let filter = repo.get_attr_bytes(path, "filter", AttrCheckFlags::FILE_THEN_INDEX);
    filter.ok().flatten().is_some_and(|f| !f.is_empty())
}
