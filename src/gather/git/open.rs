//! Finding and opening the repository.

use super::GitError;
use git2::{ErrorCode, Repository};
use std::path::{Path, PathBuf};
use std::sync::Once;

static SETTINGS: Once = Once::new();

/// libgit2's two process-wide settings, once, before this program opens any repository.
///
/// Owner validation guards against configuration that makes git run programs (fsmonitor, pagers, filters, hooks).
/// libgit2 runs none of these, and we only read; a container job must read the checkout of another user.
/// `partialclone` only says that objects may be missing, which is handled wherever one is read.
#[allow(unsafe_code)]
fn settings() {
    // SAFETY: both write a plain static inside libgit2. `Once` makes this the only write and lets nobody open a
    // repository (and so read them) before it has returned: `open` below is the only door to libgit2.
    SETTINGS.call_once(|| unsafe {
        // Neither can fail in a way that matters: unset, the repository is refused with a clear error.
        let _ = git2::opts::set_verify_owner_validation(false);
        let _ = git2::opts::set_extensions(&["partialclone"]);
    });
}

/// The repository at or above `dir`. `Ok(None)` when there is none; an error when there is one and it cannot be opened.
pub(super) fn open(dir: &Path) -> Result<Option<Repository>, GitError> {
    settings();
    let error = match Repository::discover(dir) {
        Ok(repo) => return Ok(Some(repo)),
        Err(e) => e,
    };
    // libgit2 says "not found" also for a `.git` that leads nowhere (a worktree whose repository is not mounted).
    let found = dot_git(dir);
    if error.code() == ErrorCode::NotFound && found.is_none() {
        return Ok(None);
    }
    let path = found.as_deref().unwrap_or(dir).display().to_string();
    let cause = error.message().trim().to_owned();
    let unsupported = ["object format", "extension name", "repository version"].iter().any(|w| cause.contains(w));
    if unsupported {
        return Err(GitError::Unsupported { path, what: cause });
    }
    Err(GitError::Open { path, cause })
}

/// The nearest `.git` at or above `dir`, whatever state it is in.
fn dot_git(dir: &Path) -> Option<PathBuf> {
    let dir = dir.canonicalize().ok()?;
    dir.ancestors().map(|d| d.join(".git")).find(|p| p.symlink_metadata().is_ok())
}
