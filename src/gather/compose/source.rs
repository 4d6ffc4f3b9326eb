//! Commit and repository: what is inside the commit by git, where the run stands by the platform.

use super::joining::Joining;
use crate::gather::git;
use crate::gather::platform::PlatformFacts;
use crate::record::parts_v1::{How, Repository, Status};
use crate::record::run_v1::Commit;

/// What platform and repository say together about the source.
#[derive(Default)]
pub(super) struct Checkout {
    pub(super) commit: Option<Commit>,
    /// The whole commit message.
    pub(super) message: Option<String>,
    pub(super) remote_url: Option<String>,
}

pub(super) fn checkout(j: &mut Joining, facts: &PlatformFacts) -> Checkout {
    // Where the platform names a branch and no id, git's HEAD gives the id.
    let theirs = facts.commit.clone().or_else(|| facts.commit_without_id.clone());
    let mut wanted = theirs.as_ref().map(|c| c.sha.clone()).filter(|s| !s.is_empty());
    if let Some(told) = &j.ask.commit {
        if let Some(sha) = wanted.as_ref().filter(|s| *s != told) {
            j.warnings.push(format!("told commit {told}, the platform says {sha}"));
        }
        wanted = Some(told.clone());
        j.told("commit.sha", "commit");
    }
    match git::read(&j.ask.dir, wanted.as_deref()) {
        Ok(Some(git)) => {
            for p in git.provenance {
                // The platform's word for the ref stands where it gave one; git knows what is inside the commit.
                if !j.provenance.iter().any(|known| known.fact == p.fact) {
                    j.provenance.push(p);
                }
            }
            for c in git.completeness {
                j.section(&c.section, c.why.into_iter().collect(), c.status == Status::Unavailable);
            }
            j.warnings.extend(git.warnings);
            let commit = match (git.commit, theirs) {
                (Some(local), Some(theirs)) => Some(merged(local, theirs)),
                (local, theirs) => local.or(theirs.filter(|c| !c.sha.is_empty())),
            };
            j.section("commit", Vec::new(), commit.is_none());
            if commit.is_none() {
                j.forget("commit.");
            }
            return Checkout { commit, message: git.message, remote_url: git.remote_url };
        }
        Ok(None) if wanted.is_some() => {
            j.section("commit", vec!["no repository here: only what the platform tells is known".into()], false);
        }
        Ok(None) => {
            j.section("commit", vec!["no repository here, and no platform names a commit".into()], true);
        }
        Err(e) => {
            let warning = format!("the repository could not be read: {e}");
            j.warnings.push(warning.clone());
            j.section("commit", vec![warning], wanted.is_none());
        }
    }
    let told = wanted.map(|sha| Commit { sha, ..theirs.unwrap_or_default() });
    if told.is_none() {
        j.forget("commit.");
    }
    Checkout { commit: told, ..Checkout::default() }
}

/// The object's own facts from git, the run's facts (ref, branch, pull request head) from the platform.
fn merged(local: Commit, theirs: Commit) -> Commit {
    Commit {
        git_ref: theirs.git_ref.or(local.git_ref),
        branch: theirs.branch.or(local.branch),
        tag: theirs.tag.or(local.tag),
        base_ref: theirs.base_ref,
        head_sha: theirs.head_sha,
        before: theirs.before,
        ref_protected: theirs.ref_protected,
        subject: local.subject.or(theirs.subject),
        author: local.author.or(theirs.author),
        ..local
    }
}

pub(super) fn repository(j: &mut Joining, facts: &PlatformFacts, remote: Option<String>) -> Option<Repository> {
    let mut repository = facts.repository.clone().unwrap_or_default();
    if repository.url.is_none() && remote.is_some() {
        repository.url = remote;
        j.learned("repository.url", How::Git, "remote.origin.url");
    }
    let known = repository != Repository::default();
    let missing =
        if known { Vec::new() } else { vec!["neither a platform nor a remote names the repository".to_owned()] };
    j.section("repository", missing, !known);
    known.then_some(repository)
}
