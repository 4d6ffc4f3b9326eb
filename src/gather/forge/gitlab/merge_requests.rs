//! One merge request as a change.

use super::changes::{Brought, Desk};
use super::shapes::{Commit, Issue, MergeRequest};
use super::user::User;
use super::{Asking, approvals, checks, files, merge_request, unread};
use crate::gather::http::api::List;
use crate::gather::tickets;
use crate::record::change_v1::{Change, Via};
use crate::record::parts_v1::Ticket;
use crate::record::pull_request_v1::PullRequest;

/// Commits that one change names.
const MOST_NAMED: usize = 100;

/// The merge request `found`, and the ids of all commits that came by it.
pub(super) fn of(asking: &Asking, found: &MergeRequest, commits: &[Commit], desk: &mut Desk) -> (Brought, Vec<String>) {
    let way = merge_request(asking, &found.iid.to_string());
    let mut missing = Vec::new();
    let read = asking.api.get::<MergeRequest>(&way).map_err(|e| missing.push(unread("its details", &e)));
    let mr = read.ok().filter(|mr| mr.iid == found.iid).unwrap_or_else(|| found.clone());
    let own = asking.api.pages::<List<Commit>>(&format!("{way}/commits?per_page=100"));
    if let Some(e) = &own.missing {
        missing.push(unread("its commits", e));
    }
    let results = [&mr.merge_commit_sha, &mr.squash_commit_sha, &mr.sha].into_iter().flatten().cloned();
    let came: Vec<String> = results.chain(own.items.iter().map(|c| c.id.clone())).collect();

    let settings = desk.settings(asking).cloned();
    let pull_request =
        pull_request(&mr, method(&mr, &own.items, commits, settings.as_ref().and_then(|s| s.merge_method.as_deref())));
    let mut rules = desk.rules(asking, mr.target_branch.as_deref().unwrap_or_default()).clone();
    let reviewed = approvals::of(asking, &mr, &own.items, &pull_request, &mut rules, &mut missing);
    let checked = checks::of(asking, &mr, settings.as_ref(), &mut missing);
    let pipeline_files = files::of_merge_request(asking, &mr, settings.as_ref(), &mut missing);
    let change = Change {
        via: if checked.train { Via::MergeQueue } else { Via::PullRequest },
        tickets: named(asking, &mr, &way),
        pull_request: Some(pull_request),
        reviews: reviewed.reviews,
        approval: Some(reviewed.approval),
        checks: checked.checks,
        rules: Some(rules),
        pipeline_files,
        missing,
        ..Change::by(Via::PullRequest)
    };
    let brought = Brought { change, overridden: reviewed.overridden, skipped_train: checked.skipped_train };
    (brought, came)
}

/// Names the commits of a change, as many as a record names.
pub(super) fn name_commits(change: &mut Change, commits: Vec<String>) {
    change.commit_count = (commits.len() > MOST_NAMED).then_some(commits.len() as u64);
    change.commits = commits;
    change.commits.truncate(MOST_NAMED);
}

fn pull_request(mr: &MergeRequest, method: Option<&str>) -> PullRequest {
    PullRequest {
        number: mr.iid.to_string(),
        url: mr.web_url.clone(),
        title: mr.title.clone(),
        author: mr.author.as_ref().and_then(User::known),
        target: mr.target_branch.clone(),
        source: mr.source_branch.clone(),
        head: mr.sha.clone(),
        merge_commit: mr.result().filter(|_| mr.is_merged()).cloned(),
        merged_by: mr.merger().and_then(User::known).filter(|_| mr.is_merged()),
        merged_on: mr.merged_at.filter(|_| mr.is_merged()),
        method: method.map(str::to_owned),
        from_fork: mr.source_project_id.zip(mr.target_project_id).map(|(source, target)| source != target),
        labels: mr.labels.clone(),
    }
}

/// GitLab tells no method; what it left behind does. `squash_commit_sha` may be null although it was squashed: then one commit
/// stands where several were, and it has one parent.
fn method<'a>(mr: &MergeRequest, own: &[Commit], span: &[Commit], setting: Option<&str>) -> Option<&'a str> {
    if !mr.is_merged() {
        return None;
    }
    if mr.squash_commit_sha.is_some() {
        return Some("squash");
    }
    let Some(merge) = mr.merge_commit_sha.as_deref().filter(|merge| Some(*merge) != mr.sha.as_deref()) else {
        return mr.sha.as_ref().map(|_| "fastForward");
    };
    let known = span.iter().find(|c| c.id == merge).filter(|c| !c.parent_ids.is_empty());
    match known.map(|c| c.parent_ids.len()) {
        Some(1) if own.iter().any(|c| c.id == merge) => Some("fastForward"),
        Some(1) if mr.squash == Some(true) => Some("squash"),
        Some(1) => Some("rebase"),
        Some(_) => Some("merge"),
        None => (setting == Some("merge")).then_some("merge"),
    }
}

/// Tickets of title, branch and description; of other trackers also those that GitLab says it closes.
fn named(asking: &Asking, mr: &MergeRequest, way: &str) -> Vec<Ticket> {
    let text = |t: &'_ Option<String>| t.clone().unwrap_or_default();
    let (title, branch, body) = (text(&mr.title), text(&mr.source_branch), text(&mr.description));
    let texts = [("pullRequestTitle", &*title), ("branch", &*branch), ("pullRequestBody", &*body)];
    let found = tickets::find(asking.tickets, &texts);
    if !found.is_empty() {
        return found;
    }
    let closes = asking.api.pages::<List<Issue>>(&format!("{way}/closes_issues?per_page=100"));
    let id = |issue: Issue| match (issue.iid, issue.id) {
        (Some(iid), _) => Some(format!("#{iid}")),
        (None, Some(serde_json::Value::String(id))) => Some(id),
        _ => None,
    };
    let ticket = |id: String| Ticket { id, named_in: "closesIssues".to_owned() };
    closes.items.into_iter().filter_map(id).take(100).map(ticket).collect()
}
