//! What a webhook tells: a push, or a merge.

use super::changes::{self, Desk};
use super::hook::{Kind, Merge, Project, Push, time};
use super::merge_requests::name_commits;
use super::moved::{Moved, asked, finish};
use super::protection::Protection;
use super::user::User;
use super::{Asking, Collected, Delivered, EventError, Span};
use crate::gather::forge::signature;
use crate::gather::tickets;
use crate::record::change_v1::{Change, Via};
use crate::record::parts_v1::Actor;
use crate::record::pull_request_v1::PullRequest;
use serde::de::DeserializeOwned;

/// Events that GitLab sends and that say nothing of how a branch moved.
const OTHERS: &[&str] = &[
    "tag_push",
    "issue",
    "work_item",
    "note",
    "wiki_page",
    "pipeline",
    "build",
    "job",
    "deployment",
    "release",
    "feature_flag",
    "emoji",
    "access_token",
    "milestone",
    "member",
    "subgroup",
    "project",
    "vulnerability",
    "user_add_to_group",
    "repository_update",
];
/// How many commits a push hook names.
const NAMED: u64 = 20;

pub(in super::super) fn event(delivered: &Delivered, asking: Option<&Asking>) -> Result<Collected, EventError> {
    let authentic = authentic(delivered)?;
    let kind: Kind = body(delivered)?;
    let kind = kind.object_kind.or(kind.event_name).unwrap_or_default();
    let source = match delivered.header("x-gitlab-event") {
        Some(_) => format!("webhook of GitLab: {kind}"),
        None => format!("event of GitLab: {kind}"),
    };
    let mut all = Collected { authentic, source, ..Collected::default() };
    match kind.as_str() {
        "push" => push(body(delivered)?, delivered, asking, &mut all)?,
        "merge_request" => merge(body(delivered)?, delivered, asking, &mut all)?,
        other if OTHERS.contains(&other) => all.passed_over.push(format!("{other}: no branch moved")),
        other => {
            return Err(EventError::Unknown(format!(
                "object_kind `{}`",
                other.escape_default().take(60).collect::<String>()
            )));
        }
    }
    Ok(all)
}

/// GitLab sends the secret itself, in `X-Gitlab-Token`.
fn authentic(delivered: &Delivered) -> Result<bool, EventError> {
    let Some(secret) = delivered.secret else { return Ok(false) };
    let no = |why: &str| Err(EventError::NotAuthentic(why.to_owned()));
    match delivered.header("x-gitlab-token") {
        Some(token) if signature::same(secret, token) => Ok(true),
        Some(_) => no("its X-Gitlab-Token is not the secret that was given"),
        None => no("a secret was given, and there is no X-Gitlab-Token to compare it with: hand the headers over, too"),
    }
}

fn body<T: DeserializeOwned>(delivered: &Delivered) -> Result<T, EventError> {
    serde_json::from_slice(delivered.body)
        .map_err(|e| EventError::Shape(format!("line {} column {}: {:?}", e.line(), e.column(), e.classify())))
}

/// A commit's id; zeros mean that there is none.
fn sha(text: &str, what: &str) -> Result<Option<String>, EventError> {
    if !matches!(text.len(), 40 | 64) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(EventError::Shape(format!("`{what}` is no commit")));
    }
    Ok(text.bytes().any(|b| b != b'0').then(|| text.to_ascii_lowercase()))
}

/// The API, unless it is asked about another project than the event is of.
fn same<'a>(asking: Option<&'a Asking<'a>>, project: &Project, missing: &mut Vec<String>) -> Option<&'a Asking<'a>> {
    let Some(asking) = asking else {
        missing.push("which merge requests brought its commits, and who approved them, is not told by the event; give --api-token".to_owned());
        return None;
    };
    let named = project.path_with_namespace.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(asking.repository));
    let known = project.id.is_some_and(|id| asking.repository_id == Some(id.to_string().as_str()));
    if named || known {
        return Some(asking);
    }
    missing.push("the event is of another project than the API was to be asked about, so it was not asked".to_owned());
    None
}

fn push(hook: Push, delivered: &Delivered, asking: Option<&Asking>, all: &mut Collected) -> Result<(), EventError> {
    let project = hook.project.clone().unwrap_or_default();
    all.repository = Some(project.repository());
    let Some(branch) = hook.git_ref.strip_prefix("refs/heads/") else {
        all.passed_over.push("push: not to a branch".to_owned());
        return Ok(());
    };
    let (before, after) = (sha(&hook.before, "before")?, sha(&hook.after, "after")?);
    if hook.ref_protected == Some(false) && project.default_branch.as_deref() != Some(branch) {
        all.passed_over.push("push: to a branch that is not protected".to_owned());
        return Ok(());
    }
    let who = User { id: hook.user_id, username: hook.user_username, name: hook.user_name, bot: None };
    let moved = Moved {
        branch: branch.to_owned(),
        before,
        after,
        // a push hook tells no time
        on: None,
        who: who.known(),
        protected: hook.ref_protected,
    };
    let mut unasked = Vec::new();
    let (pushed, bypasses) = match same(asking, &project, &mut unasked) {
        Some(asking) => {
            let mut desk = Desk::default();
            let told = asked(asking, &mut desk, moved);
            all.missing.extend(desk.missing);
            told
        }
        None => {
            let mut pushed = moved.push();
            let mut change = Change::by(Via::Unknown);
            let total = hook.total_commits_count.unwrap_or(hook.commits.len() as u64);
            let files = hook.commits.iter().flat_map(|c| c.added.iter().chain(&c.modified).chain(&c.removed));
            let found = delivered.pipeline_files.among(files.map(String::as_str));
            let whole = total <= NAMED && total == hook.commits.len() as u64;
            if !whole {
                pushed.missing.push(format!("the event names {} of its {total} commits", hook.commits.len()));
            }
            change.pipeline_files = Some(found).filter(|found| whole || !found.is_empty());
            name_commits(&mut change, hook.commits.iter().rev().map(|c| c.id.clone()).collect());
            change.commit_count = (total > change.commits.len() as u64).then_some(total);
            // a deleted branch got nothing
            if pushed.after.is_some() {
                pushed.changes.push(change.clone());
            } else {
                pushed.via = Via::DirectPush;
            }
            pushed.missing.extend(unasked);
            let brought = pushed.changes.drain(..).map(changes::Brought::by).collect();
            finish(pushed, brought)
        }
    };
    all.pushes.push(pushed);
    all.bypasses.extend(bypasses);
    Ok(())
}

fn merge(hook: Merge, delivered: &Delivered, asking: Option<&Asking>, all: &mut Collected) -> Result<(), EventError> {
    let (project, what) = (hook.project.clone().unwrap_or_default(), &hook.object_attributes);
    all.repository = Some(project.repository());
    if what.action.as_deref() != Some("merge") || what.state.as_deref().is_some_and(|state| state != "merged") {
        all.passed_over.push("merge_request: nothing was merged".to_owned());
        return Ok(());
    }
    let branch =
        what.target_branch.clone().ok_or_else(|| EventError::Shape("`target_branch` is missing".to_owned()))?;
    let tip = what.last_commit.as_ref().and_then(|tip| tip.id.clone());
    let result = what.merge_commit_sha.clone().or(what.squash_commit_sha.clone()).or(tip.clone());
    let after = result.map(|result| sha(&result, "merge_commit_sha")).transpose()?.flatten();
    let mut moved = Moved {
        branch: branch.clone(),
        before: None,
        after: after.clone(),
        on: what.updated_at.as_deref().and_then(time),
        who: hook.user.as_ref().and_then(User::known),
        protected: None,
    };
    let mut missing = vec!["a merge event does not tell where the branch stood before".to_owned()];
    let asking = same(asking, &project, &mut missing);
    if let Some(asking) = asking {
        moved.protected = Protection::default().of(asking, &branch, &mut missing);
    }
    if moved.protected == Some(false) && project.default_branch.as_ref() != Some(&branch) {
        all.passed_over.push("merge_request: merged into a branch that is not protected".to_owned());
        return Ok(());
    }
    let mut pushed = moved.push();
    let request = told(&hook, tip, after.clone());
    let mut brought = Vec::new();
    if let Some(asking) = asking {
        let mut desk = Desk::default();
        let span =
            Span { head: after.clone().unwrap_or_default(), pull_request: Some(request.clone()), ..Span::default() };
        brought = changes::of(asking, &span, &mut desk, &mut missing);
        all.missing.extend(desk.missing);
    }
    if brought.is_empty() {
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        let (title, source, body) = (text(&what.title), text(&what.source_branch), text(&what.description));
        let texts = [("pullRequestTitle", &*title), ("branch", &*source), ("pullRequestBody", &*body)];
        let mut change = Change::by(Via::PullRequest);
        change.tickets = tickets::find(delivered.tickets, &texts);
        change.pull_request = Some(request);
        name_commits(&mut change, after.into_iter().collect());
        brought.push(changes::Brought::by(change));
    }
    pushed.via = brought.first().map_or(Via::Unknown, |b| b.change.via);
    pushed.missing = missing;
    let (pushed, bypasses) = finish(pushed, brought);
    all.pushes.push(pushed);
    all.bypasses.extend(bypasses);
    Ok(())
}

/// The merge request as the event tells it.
fn told(hook: &Merge, tip: Option<String>, merge_commit: Option<String>) -> PullRequest {
    let what = &hook.object_attributes;
    PullRequest {
        number: what.iid.to_string(),
        url: what.url.clone(),
        title: what.title.clone(),
        author: what.author_id.map(|id| Actor { id: Some(id.to_string()), ..Actor::default() }),
        target: what.target_branch.clone(),
        source: what.source_branch.clone(),
        head: tip,
        merge_commit,
        merged_by: hook.user.as_ref().and_then(User::known),
        merged_on: what.updated_at.as_deref().and_then(time),
        method: None,
        from_fork: what.source_project_id.zip(what.target_project_id).map(|(source, target)| source != target),
        labels: hook.labels.iter().filter_map(|label| label.title.clone()).collect(),
    }
}
