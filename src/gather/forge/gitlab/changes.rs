//! The merge requests that brought the commits of a span.

use super::shapes::{Commit, MergeRequest, Project};
use super::{Asking, Found, Span, commits, files, merge_request, merge_requests, project, rules, say, short, unread};
use crate::gather::http::api::{ApiError, List, segment};
use crate::record::change_v1::{Change, Via};
use crate::record::parts_v1::Actor;
use crate::record::pull_request_v1::Rules;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, HashSet};

/// Seconds that are waited, one after the other, for a merge request that GitLab does not know yet as merged.
const WAITS: &[u32] = &[2, 5, 10];

/// What is asked once, however many spans are looked at.
#[derive(Default)]
pub(super) struct Desk {
    settings: Option<Option<Project>>,
    rules: BTreeMap<String, Rules>,
    known: BTreeMap<u64, (Brought, Vec<String>)>,
    pub missing: Vec<String>,
}

/// A change, and what else GitLab told of it that makes a bypass.
#[derive(Clone)]
pub(super) struct Brought {
    pub change: Change,
    pub overridden: Option<(Actor, Option<DateTime<Utc>>)>,
    pub skipped_train: bool,
}

impl Brought {
    pub(super) fn by(change: Change) -> Self {
        Self { change, overridden: None, skipped_train: false }
    }
}

impl Desk {
    /// The project and its settings.
    pub(super) fn settings(&mut self, asking: &Asking) -> Option<&Project> {
        if self.settings.is_none() {
            let read = asking.api.get::<Project>(&project(asking));
            let read = read.map_err(|e| say(&mut self.missing, unread("the settings of the project", &e)));
            self.settings = Some(read.ok());
        }
        self.settings.as_ref().and_then(Option::as_ref)
    }

    /// The rules of a branch.
    pub(super) fn rules(&mut self, asking: &Asking, branch: &str) -> &Rules {
        if !branch.is_empty() && !self.rules.contains_key(branch) {
            let settings = self.settings(asking).cloned();
            let read = rules::of(asking, branch, settings.as_ref(), &mut self.missing);
            self.rules.insert(branch.to_owned(), read);
        }
        self.rules.entry(branch.to_owned()).or_default()
    }
}

pub(in super::super) fn changes(asking: &Asking, span: &Span) -> Found {
    let mut desk = Desk::default();
    let mut missing = Vec::new();
    let brought = of(asking, span, &mut desk, &mut missing);
    missing.extend(desk.missing);
    Found { changes: brought.into_iter().map(|b| b.change).collect(), missing, source: asking.api.place() }
}

/// One a merge request, newest first, and one for the commits that none brought.
pub(super) fn of(asking: &Asking, span: &Span, desk: &mut Desk, missing: &mut Vec<String>) -> Vec<Brought> {
    if let Some(open) = &span.pull_request {
        return not_merged(asking, &open.number, span, desk, missing);
    }
    let all = commits::of(asking, span, missing);
    let ids: HashSet<&str> = all.iter().map(|c| c.id.as_str()).collect();
    let mut covered: HashSet<String> = HashSet::new();
    let (mut seen, mut brought, mut direct, mut unknown) = (HashSet::new(), Vec::new(), Vec::new(), Vec::new());
    let mut stopped = false;
    for commit in &all {
        if covered.contains(&commit.id) {
            continue;
        }
        if stopped {
            unknown.push(commit.clone());
            continue;
        }
        let found = match merged_with(asking, commit, span) {
            Ok(found) => found,
            Err(e) => {
                missing.push(unread(&format!("the merge requests of commit {}", short(&commit.id)), &e));
                stopped = true;
                unknown.push(commit.clone());
                continue;
            }
        };
        let chosen = choose(&found, &commit.id, &ids);
        if chosen.len() > 1 {
            missing.push(format!(
                "commit {} was merged into several branches; which one was deployed is not known",
                short(&commit.id)
            ));
        }
        for mr in &chosen {
            if !desk.known.contains_key(&mr.iid) {
                let told = merge_requests::of(asking, mr, &all, desk);
                desk.known.insert(mr.iid, told);
            }
            let Some((told, came)) = desk.known.get(&mr.iid) else { continue };
            covered.extend(came.iter().filter(|id| ids.contains(id.as_str())).cloned());
            covered.insert(commit.id.clone());
            if seen.insert(mr.iid) {
                brought.push((mr.iid, told.clone(), came.clone(), Vec::new()));
            }
            // GitLab lists no commits of old merge requests any more: each names itself
            if let Some(entry) = brought.iter_mut().find(|entry| entry.0 == mr.iid) {
                entry.3.push(commit.id.clone());
            }
        }
        if chosen.is_empty() {
            direct.push(commit.clone());
        }
    }
    let mut out: Vec<Brought> = Vec::new();
    for (_, mut told, came, named) in brought {
        let its = |c: &&Commit| came.contains(&c.id) || named.contains(&c.id);
        merge_requests::name_commits(&mut told.change, all.iter().filter(its).map(|c| c.id.clone()).collect());
        out.push(told);
    }
    // what a merge request lists came by it, though GitLab may not have tied the commit to it yet
    direct.retain(|commit| !covered.contains(&commit.id));
    unknown.retain(|commit| !covered.contains(&commit.id));
    for (via, commits) in [(Via::DirectPush, direct), (Via::Unknown, unknown)] {
        if commits.is_empty() {
            continue;
        }
        let mut change = Change::by(via);
        let settings = desk.settings(asking).cloned();
        if via == Via::DirectPush {
            change.pipeline_files = files::of_commits(asking, &commits, settings.as_ref(), &mut change.missing);
            change.rules = span.branch.as_deref().map(|branch| desk.rules(asking, branch).clone());
        }
        merge_requests::name_commits(&mut change, commits.into_iter().map(|c| c.id).collect());
        out.push(Brought::by(change));
    }
    out
}

/// The merge request for which the platform runs.
fn not_merged(asking: &Asking, iid: &str, span: &Span, desk: &mut Desk, missing: &mut Vec<String>) -> Vec<Brought> {
    match asking.api.get::<MergeRequest>(&merge_request(asking, iid)) {
        Ok(mr) => {
            let (mut told, _) = merge_requests::of(asking, &mr, &[], desk);
            merge_requests::name_commits(&mut told.change, vec![span.head.clone()]);
            vec![told]
        }
        Err(e) => {
            missing.push(unread("the merge request for which it runs", &e));
            Vec::new()
        }
    }
}

/// The merge requests that GitLab ties to a commit, merged into the branch that is looked at. A fresh commit is waited for: GitLab
/// marks a merge request as merged after the branch moved.
fn merged_with(asking: &Asking, commit: &Commit, span: &Span) -> Result<Vec<MergeRequest>, ApiError> {
    let way = format!("{}/repository/commits/{}/merge_requests?per_page=100", project(asking), segment(&commit.id));
    let fresh = commit.committed_date.is_some_and(|on| (asking.api.now() - on).abs() < TimeDelta::minutes(5));
    let mut waits = WAITS.iter();
    loop {
        let pages = asking.api.pages::<List<MergeRequest>>(&way);
        if let Some(e) = pages.missing {
            return Err(e);
        }
        let here =
            |mr: &MergeRequest| span.branch.is_none() || mr.target_branch.is_none() || mr.target_branch == span.branch;
        let all: Vec<MergeRequest> = pages.items.into_iter().filter(here).collect();
        let locked = all.iter().any(|mr| mr.state.as_deref() == Some("locked"));
        let merged: Vec<MergeRequest> = all.into_iter().filter(MergeRequest::is_merged).collect();
        let again = merged.is_empty() && (fresh && commit.id == span.head || locked);
        if !again || !waits.next().is_some_and(|seconds| asking.api.wait(*seconds)) {
            return Ok(merged);
        }
    }
}

/// The one that brought the commit: by what the merge left on the branch (merge, squash or the tip itself), else because it lists
/// the commit; of several the first that was merged. Into several branches, with none to tell them apart: all of them.
fn choose<'a>(found: &'a [MergeRequest], commit: &str, span: &HashSet<&str>) -> Vec<&'a MergeRequest> {
    let here = |sha: &Option<String>| sha.as_deref().is_some_and(|sha| span.contains(sha));
    let this = |sha: &Option<String>| sha.as_deref() == Some(commit);
    let strength = |mr: &MergeRequest| {
        if this(&mr.merge_commit_sha) || this(&mr.squash_commit_sha) {
            0
        } else if here(&mr.merge_commit_sha) || here(&mr.squash_commit_sha) {
            1
        } else if here(&mr.sha) && mr.merge_commit_sha.is_none() && mr.squash_commit_sha.is_none() {
            2
        } else {
            3
        }
    };
    let Some(best) = found.iter().map(strength).min() else { return Vec::new() };
    let mut chosen: Vec<&MergeRequest> = found.iter().filter(|mr| strength(mr) == best).collect();
    chosen.sort_by_key(|mr| (mr.merged_at.is_none(), mr.merged_at, mr.iid));
    let first = chosen.first().map(|mr| &mr.target_branch);
    if chosen.iter().all(|mr| Some(&mr.target_branch) == first) {
        chosen.truncate(1);
    }
    chosen
}
