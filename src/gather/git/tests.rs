//! Real repositories, made with git2 and, where a clone is wanted, with the git program.

use super::*;
use crate::record::run_v1::CommitSignature;
use git2::{Repository, Signature, Time};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

fn repo() -> (TempDir, Repository) {
    let dir = TempDir::new().unwrap();
    let mut options = git2::RepositoryInitOptions::new();
    let repo = Repository::init_opts(dir.path(), options.initial_head("main")).unwrap();
    (dir, repo)
}

fn add(repo: &Repository, file: &str, text: &str, parents: &[Oid]) -> Oid {
    fs::write(repo.workdir().unwrap().join(file), text).unwrap();
    let mut index = repo.index().unwrap();
    index.add_path(Path::new(file)).unwrap();
    index.write().unwrap();
    let tree = repo.find_tree(index.write_tree().unwrap()).unwrap();
    let who = Signature::new("Ada", "ada@example.com", &Time::new(1_700_000_000, 120)).unwrap();
    let parents: Vec<_> = parents.iter().map(|p| repo.find_commit(*p).unwrap()).collect();
    let parents: Vec<_> = parents.iter().collect();
    let oid = repo.commit(None, &who, &who, &format!("add {file}\n\nbody"), &tree, &parents).unwrap();
    repo.reference("refs/heads/main", oid, true, "test").unwrap();
    oid
}

/// A repository with a root, two branches and their merge; HEAD is the merge.
fn merged() -> (TempDir, Repository, [Oid; 3]) {
    let (dir, repo) = repo();
    let root = add(&repo, "a.txt", "a", &[]);
    let left = add(&repo, "b.txt", "b", &[root]);
    let right = add(&repo, "c.txt", "c", &[root]);
    let merge = add(&repo, "d.txt", "d", &[left, right]);
    (dir, repo, [left, right, merge])
}

fn git(dir: &Path, args: &[&str]) -> String {
    let out = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "protocol.file.allow=always"])
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("these tests need the git program");
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn status(facts: &GitFacts) -> (Status, String) {
    assert_eq!(facts.completeness.len(), 1);
    (facts.completeness[0].status, facts.completeness[0].why.clone().unwrap_or_default())
}

#[test]
fn no_repository_is_not_an_error() {
    let dir = TempDir::new().unwrap();
    assert!(read(dir.path(), None).unwrap().is_none());
    assert!(read(dir.path(), Some(&"a".repeat(40))).unwrap().is_none());
}

#[test]
fn a_commit_is_read_whole_from_a_folder_below() {
    let (dir, repo, [left, right, merge]) = merged();
    repo.remote("origin", "https://ci:s3cret@git.example/acme/shop.git").unwrap();
    repo.tag_lightweight("v1", &repo.find_object(merge, None).unwrap(), false).unwrap();
    let who = Signature::now("Ada", "ada@example.com").unwrap();
    repo.tag("release/1.0", &repo.find_object(merge, None).unwrap(), &who, "msg", false).unwrap();
    repo.tag_lightweight("old", &repo.find_object(left, None).unwrap(), false).unwrap();
    let below = dir.path().join("sub/folder");
    fs::create_dir_all(&below).unwrap();
    let facts = read(&below, None).unwrap().unwrap();
    let commit = facts.commit.as_ref().unwrap();
    assert_eq!(commit.sha, merge.to_string());
    assert_eq!(commit.tree.as_deref(), Some(&*repo.find_commit(merge).unwrap().tree_id().to_string()));
    assert_eq!(commit.parents, Some(vec![left.to_string(), right.to_string()]));
    assert_eq!(commit.author.as_ref().unwrap().on.unwrap().to_rfc3339(), "2023-11-15T00:13:20+02:00");
    assert_eq!(commit.subject.as_deref(), Some("add d.txt"));
    assert_eq!(facts.message.as_deref(), Some("add d.txt\n\nbody"));
    assert_eq!(commit.tags, ["release/1.0", "v1"]);
    assert_eq!((commit.git_ref.as_deref(), commit.branch.as_deref()), (Some("refs/heads/main"), Some("main")));
    assert_eq!((commit.dirty, commit.shallow), (Some(false), Some(false)));
    assert_eq!(commit.signature, Some(CommitSignature::Unsigned));
    assert_eq!(facts.remote_url.as_deref(), Some("https://git.example/acme/shop.git"));
    assert_eq!(status(&facts), (Status::Complete, String::new()));
    assert_eq!(facts.warnings, Vec::<String>::new());
    assert!(facts.provenance.iter().any(|p| p.fact == "commit.parents" && p.how == How::Git));
}

#[test]
fn a_root_commit_has_no_parents_and_says_so() {
    let (dir, repo) = repo();
    add(&repo, "a.txt", "a", &[]);
    let facts = read(dir.path(), None).unwrap().unwrap();
    assert_eq!(facts.commit.unwrap().parents, Some(vec![]));
}

#[test]
fn a_shallow_merge_still_shows_both_parents() {
    let (dir, _, [left, right, merge]) = merged();
    let into = TempDir::new().unwrap();
    let url = format!("file://{}", dir.path().display());
    git(into.path(), &["clone", "-q", "--depth", "1", &url, "clone"]);
    let clone = into.path().join("clone");
    // What git itself shows, so that this test stays a test of the shallow case.
    assert_eq!(git(&clone, &["log", "--format=%P"]).trim(), "");
    let facts = read(&clone, Some(&merge.to_string())).unwrap().unwrap();
    let commit = facts.commit.as_ref().unwrap();
    assert_eq!(commit.parents, Some(vec![left.to_string(), right.to_string()]));
    assert_eq!((commit.shallow, commit.dirty), (Some(true), Some(false)));
    assert_eq!(status(&facts).0, Status::Complete);
    // The parent is named, and is not there.
    let facts = read(&clone, Some(&left.to_string())).unwrap().unwrap();
    let (partial, why) = status(&facts);
    assert_eq!(partial, Status::Partial);
    assert!(why.contains("shallow clone") && why.contains(&merge.to_string()), "{why}");
    let commit = facts.commit.unwrap();
    assert_eq!((commit.sha, commit.parents, commit.shallow), (left.to_string(), None, Some(true)));

    // A linked worktree keeps the mark elsewhere.
    git(&clone, &["worktree", "add", "-q", "--detach", "../linked"]);
    let facts = read(&into.path().join("linked"), None).unwrap().unwrap();
    let commit = facts.commit.unwrap();
    assert_eq!((commit.shallow, commit.branch, commit.dirty), (Some(true), None, Some(false)));
    assert_eq!(commit.parents, Some(vec![left.to_string(), right.to_string()]));
}

#[test]
fn another_commit_than_head_is_read_with_a_warning() {
    let (dir, _, [left, _, merge]) = merged();
    let facts = read(dir.path(), Some(&left.to_string().to_uppercase())).unwrap().unwrap();
    let commit = facts.commit.as_ref().unwrap();
    assert_eq!((commit.sha.clone(), commit.branch.clone()), (left.to_string(), None));
    assert_eq!(commit.dirty, Some(true), "the working folder is not that commit");
    assert_eq!(facts.head, Some(merge.to_string()));
    assert!(facts.warnings.iter().any(|w| w.contains(&merge.to_string())), "{:?}", facts.warnings);
}

#[test]
fn words_that_are_no_commit_id() {
    let (dir, _, [_, _, merge]) = merged();
    assert_eq!(read(dir.path(), Some("HEAD")).unwrap().unwrap().commit.unwrap().sha, merge.to_string());
    for bad in ["main", "", &merge.to_string()[..7]] {
        let facts = read(dir.path(), Some(bad)).unwrap().unwrap();
        assert_eq!(status(&facts).0, Status::Unavailable, "{bad}");
        assert!(facts.commit.is_none());
    }
    let other = "b".repeat(64);
    let facts = read(dir.path(), Some(&other)).unwrap().unwrap();
    assert_eq!(status(&facts).0, Status::Partial);
    assert_eq!(facts.commit.unwrap().sha, other);
}

#[test]
fn a_tag_object_leads_to_its_commit_and_a_tree_is_refused() {
    let (dir, repo, [_, _, merge]) = merged();
    let who = Signature::now("Ada", "ada@example.com").unwrap();
    let tag = repo.tag("v2", &repo.find_object(merge, None).unwrap(), &who, "msg", false).unwrap();
    let facts = read(dir.path(), Some(&tag.to_string())).unwrap().unwrap();
    assert_eq!(facts.commit.unwrap().sha, merge.to_string());
    assert_eq!(facts.warnings.len(), 1, "{:?}", facts.warnings);
    let tree = repo.find_commit(merge).unwrap().tree_id().to_string();
    let error = read(dir.path(), Some(&tree)).unwrap_err().to_string();
    assert!(error.contains("tree, not a commit"), "{error}");
}

#[test]
fn unborn_bare_and_detached() {
    let (dir, repo) = repo();
    let facts = read(dir.path(), None).unwrap().unwrap();
    assert_eq!((facts.commit, facts.head.clone()), (None, None));
    assert_eq!(facts.completeness[0].status, Status::Unavailable);
    // The platform's commit is still the commit.
    let facts = read(dir.path(), Some(&"c".repeat(40))).unwrap().unwrap();
    assert_eq!((status(&facts).0, facts.commit.unwrap().sha), (Status::Partial, "c".repeat(40)));

    let oid = add(&repo, "a.txt", "a", &[]);
    repo.set_head_detached(oid).unwrap();
    let commit = read(dir.path(), None).unwrap().unwrap().commit.unwrap();
    assert_eq!((commit.sha, commit.git_ref, commit.dirty), (oid.to_string(), None, Some(false)));

    git(dir.path(), &["clone", "-q", "--bare", ".", "bare.git"]);
    let facts = read(&dir.path().join("bare.git"), None).unwrap().unwrap();
    let commit = facts.commit.unwrap();
    assert_eq!((commit.sha, commit.dirty), (oid.to_string(), None));
}

#[test]
fn dirty_means_tracked_files() {
    let (dir, repo, _) = merged();
    let dirty = || read(dir.path(), None).unwrap().unwrap().commit.unwrap().dirty;
    fs::write(dir.path().join("untracked.txt"), "x").unwrap();
    assert_eq!(dirty(), Some(false), "an untracked file");
    fs::write(dir.path().join("a.txt"), "changed").unwrap();
    assert_eq!(dirty(), Some(true), "a changed file");
    fs::write(dir.path().join("a.txt"), "a").unwrap();
    assert_eq!(dirty(), Some(false), "changed back");
    fs::remove_file(dir.path().join("a.txt")).unwrap();
    assert_eq!(dirty(), Some(true), "a deleted file");
    fs::write(dir.path().join("a.txt"), "a").unwrap();
    let mut index = repo.index().unwrap();
    index.add_path(Path::new("untracked.txt")).unwrap();
    index.write().unwrap();
    assert_eq!(dirty(), Some(true), "a staged file");
}

#[test]
fn sparse_lfs_and_partial_checkouts() {
    let (dir, _, _) = merged();
    fs::create_dir(dir.path().join("deep")).unwrap();
    fs::write(dir.path().join("deep/x.txt"), "x").unwrap();
    fs::write(dir.path().join("big.bin"), "oid sha256:pointer").unwrap();
    fs::write(dir.path().join(".gitattributes"), "*.bin filter=lfs\n").unwrap();
    git(dir.path(), &["add", "."]);
    git(dir.path(), &["commit", "-q", "-m", "more"]);
    let read = |dir: &Path| read(dir, None).unwrap().unwrap();

    fs::write(dir.path().join("big.bin"), "the real and big content").unwrap();
    let facts = read(dir.path());
    assert_eq!(facts.commit.unwrap().dirty, None);
    assert!(facts.warnings.iter().any(|w| w.contains("filter")), "{:?}", facts.warnings);
    fs::write(dir.path().join("a.txt"), "changed").unwrap();
    assert_eq!(read(dir.path()).commit.unwrap().dirty, Some(true));
    git(dir.path(), &["checkout", "-q", "--", "."]);

    git(dir.path(), &["sparse-checkout", "set", "--no-cone", "/a.txt"]);
    assert!(!dir.path().join("deep/x.txt").exists());
    assert_eq!(read(dir.path()).commit.unwrap().dirty, Some(false));

    // How older versions of git mark a partial clone.
    git(dir.path(), &["config", "core.repositoryFormatVersion", "1"]);
    git(dir.path(), &["config", "extensions.partialClone", "origin"]);
    assert_eq!(read(dir.path()).commit.unwrap().dirty, Some(false));
    git(dir.path(), &["config", "--unset", "extensions.partialClone"]);

    git(dir.path(), &["config", "uploadpack.allowFilter", "true"]);
    let into = TempDir::new().unwrap();
    let url = format!("file://{}", dir.path().display());
    git(into.path(), &["clone", "-q", "--filter=tree:0", "--no-checkout", &url, "treeless"]);
    let facts = read(&into.path().join("treeless"));
    let (partial, why) = status(&facts);
    assert_eq!((partial, facts.commit.unwrap().dirty), (Status::Partial, None), "{why}");
}

#[test]
fn a_submodule_is_its_own_repository() {
    let (inner, _, [_, _, merge]) = merged();
    let (dir, _, _) = merged();
    let url = inner.path().display().to_string();
    git(dir.path(), &["submodule", "--quiet", "add", &url, "inner"]);
    git(dir.path(), &["commit", "-q", "-m", "with submodule"]);
    fs::write(dir.path().join("inner/a.txt"), "changed").unwrap();
    assert_eq!(read(dir.path(), None).unwrap().unwrap().commit.unwrap().dirty, Some(false));
    let inside = read(&dir.path().join("inner"), None).unwrap().unwrap().commit.unwrap();
    assert_eq!((inside.sha, inside.dirty), (merge.to_string(), Some(true)));
}

#[test]
fn what_cannot_be_opened_says_why() {
    let dir = TempDir::new().unwrap();
    git(dir.path(), &["init", "-q", "--object-format=sha256", "."]);
    let error = read(dir.path(), None).unwrap_err();
    assert!(matches!(error, GitError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("sha256"), "{error}");

    // A worktree whose repository is not mounted in this container.
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join(".git"), "gitdir: /nowhere/at/all\n").unwrap();
    let error = read(dir.path(), None).unwrap_err();
    assert!(matches!(error, GitError::Open { .. }), "{error}");

    // Future formats.
    let (dir, _, _) = merged();
    git(dir.path(), &["config", "core.repositoryFormatVersion", "1"]);
    git(dir.path(), &["config", "extensions.refStorage", "reftable"]);
    let error = read(dir.path(), None).unwrap_err();
    assert!(matches!(error, GitError::Unsupported { .. }), "{error}");
}

#[test]
fn a_corrupt_repository_is_an_error_that_names_the_object() {
    let (dir, _, [_, _, merge]) = merged();
    let hex = merge.to_string();
    let object = dir.path().join(".git/objects").join(&hex[..2]).join(&hex[2..]);
    fs::remove_file(&object).unwrap();
    let error = read(dir.path(), None).unwrap_err();
    assert!(matches!(&error, GitError::Object { object, .. } if *object == hex), "{error}");
    fs::write(&object, "not zlib").unwrap();
    let error = read(dir.path(), None).unwrap_err();
    assert!(matches!(&error, GitError::Object { object, .. } if *object == hex), "{error}");
    fs::write(dir.path().join(".git/HEAD"), "").unwrap();
    let error = read(dir.path(), None).unwrap_err();
    assert!(matches!(&error, GitError::Object { .. } | GitError::Open { .. }), "{error}");
}

#[test]
fn reading_writes_nothing() {
    let (dir, _, _) = merged();
    fs::write(dir.path().join("a.txt"), "a").unwrap();
    let listing = || {
        let mut all: Vec<_> = walkdir::WalkDir::new(dir.path())
            .into_iter()
            .map(|e| e.unwrap())
            .map(|e| (e.path().to_owned(), e.metadata().unwrap().modified().unwrap(), e.metadata().unwrap().len()))
            .collect();
        all.sort();
        all
    };
    let before = listing();
    read(dir.path(), None).unwrap().unwrap();
    assert_eq!(listing(), before);
}

/// A container job runs as root on the runner's checkout. Only root can make such a folder, so only root runs this.
#[cfg(unix)]
#[test]
fn a_checkout_of_another_user_is_read() {
    use std::os::unix::fs::{MetadataExt, chown};
    let (dir, _, [_, _, merge]) = merged();
    if fs::metadata(dir.path()).unwrap().uid() != 0 {
        eprintln!("skipped: needs root to give files to another user");
        return;
    }
    for entry in walkdir::WalkDir::new(dir.path()) {
        chown(entry.unwrap().path(), Some(12345), Some(12345)).unwrap();
    }
    let mut refused = Command::new("git");
    refused.args(["log", "-1"]).current_dir(dir.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
    let refused = refused.output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("dubious ownership"), "git itself refuses this folder");
    let facts = read(dir.path(), None).unwrap().unwrap();
    assert_eq!(facts.commit.unwrap().sha, merge.to_string());
}

#[test]
fn many_tags_are_cut_and_said() {
    let (dir, repo, [_, _, merge]) = merged();
    let object = repo.find_object(merge, None).unwrap();
    for n in 0..105 {
        repo.tag_lightweight(&format!("v{n:03}"), &object, false).unwrap();
    }
    let facts = read(dir.path(), None).unwrap().unwrap();
    let tags = facts.commit.unwrap().tags;
    assert_eq!((tags.len(), tags[0].as_str(), tags[99].as_str()), (100, "v000", "v099"));
    assert!(facts.warnings[0].starts_with("5 more tags"), "{:?}", facts.warnings);
}
