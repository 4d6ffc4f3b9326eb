//! The versions of a merge request: what its source branch held, and since when. GitLab keeps no commit with an approval; the version
//! that stood when it was given tells it.

use super::shapes::Version;
use super::{Asking, merge_request};
use crate::gather::http::api::{ApiError, List};
use chrono::{DateTime, TimeDelta, Utc};

/// Oldest first.
#[derive(Default)]
pub(super) struct Versions(Vec<Version>);

/// All of them: half of them would tell a wrong commit.
pub(super) fn of(asking: &Asking, iid: &str) -> Result<Versions, ApiError> {
    let pages = asking.api.pages::<List<Version>>(&format!("{}/versions?per_page=100", merge_request(asking, iid)));
    match pages.missing {
        None => Ok(Versions::new(pages.items)),
        Some(e) => Err(e),
    }
}

impl Versions {
    fn new(mut all: Vec<Version>) -> Self {
        all.sort_by_key(|version| (version.created_at, version.id));
        Self(all)
    }

    /// The version that stood at `time`.
    fn at(&self, time: DateTime<Utc>) -> Option<&Version> {
        self.0.iter().rev().find(|version| version.created_at.is_some_and(|created| created <= time))
    }

    /// The commit that stood at `time`, and whether `head` is something else. A rebase that changed nothing of the change itself (the
    /// same patch id, by which GitLab keeps or resets approvals) is not something else.
    pub(super) fn stale(&self, time: Option<DateTime<Utc>>, head: Option<&str>) -> (Option<String>, Option<bool>) {
        let Some(version) = time.and_then(|time| self.at(time)) else { return (None, None) };
        let commit = version.head_commit_sha.clone();
        let merged = self.0.iter().rev().find(|v| v.head_commit_sha.as_deref() == head && head.is_some());
        let stale = match (&commit, head) {
            (Some(commit), Some(head)) => {
                Some(commit != head && !merged.is_some_and(|merged| same_patch(version, merged)))
            }
            _ => None,
        };
        (commit, stale)
    }

    /// Whether the push of about `time` changed the change itself; a rebase does not. What cannot be told counts as a change.
    pub(super) fn changed(&self, time: Option<DateTime<Utc>>) -> bool {
        let Some(time) = time else { return true };
        let near = |version: &Version| version.created_at.map(|created| (created - time).abs());
        let pushed = (0..self.0.len()).min_by_key(|at| self.0.get(*at).and_then(near).unwrap_or(TimeDelta::MAX));
        let Some(at) = pushed else { return true };
        let (Some(version), Some(before)) = (self.0.get(at), at.checked_sub(1).and_then(|at| self.0.get(at))) else {
            return true;
        };
        near(version).is_none_or(|apart| apart > TimeDelta::seconds(60)) || !same_patch(before, version)
    }
}

fn same_patch(a: &Version, b: &Version) -> bool {
    a.patch_id_sha.is_some() && a.patch_id_sha == b.patch_id_sha
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(minute: u32) -> DateTime<Utc> {
        format!("2026-11-24T10:{minute:02}:00Z").parse().unwrap()
    }

    fn versions(all: &[(u32, &str, Option<&str>)]) -> Versions {
        let one = |(id, (minute, sha, patch)): (usize, &(u32, &str, Option<&str>))| Version {
            id: Some(id as u64),
            head_commit_sha: Some((*sha).to_owned()),
            created_at: Some(time(*minute)),
            patch_id_sha: patch.map(str::to_owned),
        };
        Versions::new(all.iter().enumerate().map(one).rev().collect())
    }

    #[test]
    fn an_approval_is_of_the_version_that_stood_then() {
        let all = versions(&[(0, "a", Some("p")), (10, "b", Some("q")), (20, "a", Some("p")), (30, "c", Some("p"))]);
        let told = |minute, head| all.stale(Some(time(minute)), Some(head));
        let of = |sha: &str, stale| (Some(sha.to_owned()), Some(stale));
        assert_eq!(told(5, "c"), of("a", false), "rebased: the same patch");
        assert_eq!(told(15, "c"), of("b", true));
        assert_eq!(told(10, "a"), of("b", true), "in the same second the newer version stood");
        assert_eq!(told(5, "a"), of("a", false), "pushed away and back");
        assert_eq!(told(35, "x"), of("c", true), "merged was what no version holds");
        assert_eq!(all.stale(None, Some("c")), (None, None));
        assert_eq!(all.stale(Some(time(5)), None).1, None);
        assert_eq!(versions(&[(10, "a", None)]).stale(Some(time(5)), Some("a")), (None, None), "before the first");
        assert_eq!(versions(&[(0, "a", None), (9, "b", None)]).stale(Some(time(5)), Some("b")), of("a", true));
    }

    #[test]
    fn a_rebase_is_no_contribution() {
        let all = versions(&[(0, "a", Some("p")), (10, "b", Some("p")), (20, "c", Some("q"))]);
        assert!(!all.changed(Some(time(10))));
        assert!(all.changed(Some(time(20))) && all.changed(Some(time(0))) && all.changed(None));
        assert!(all.changed(Some(time(15))), "no version of about then");
        assert!(versions(&[(0, "a", None), (10, "b", None)]).changed(Some(time(10))), "no patch ids, no excuse");
    }
}
