//! Which files were changed, as far as they decide what a pipeline does.

use super::shapes::{Changes, Commit, Diff, MergeRequest, Project};
use super::{Asking, merge_request, project, short, unread};
use crate::gather::http::api::{ApiError, List, segment};

/// Commits whose files are asked for one by one.
const MOST: usize = 20;

/// Those of a merge request.
pub(super) fn of_merge_request(
    asking: &Asking,
    mr: &MergeRequest,
    settings: Option<&Project>,
    missing: &mut Vec<String>,
) -> Option<Vec<String>> {
    let way = merge_request(asking, &mr.iid.to_string());
    let pages = asking.api.pages::<List<Diff>>(&format!("{way}/diffs?per_page=100"));
    let (diffs, failed, mut cut) = match pages.missing {
        // before GitLab 15.7
        Some(ApiError::NotFound(path)) => match asking.api.get::<Changes>(&format!("{way}/changes")) {
            Ok(changes) => (changes.changes, None, changes.overflow == Some(true)),
            Err(_) => (pages.items, Some(ApiError::NotFound(path)), false),
        },
        failed => (pages.items, failed, false),
    };
    cut |= mr.changes_count.as_deref().is_some_and(|count| count.ends_with('+'));
    let found = among(asking, settings, &diffs);
    if let Some(e) = &failed {
        missing.push(unread("the files that it changes", e));
    } else if cut {
        missing.push("it changes more files than GitLab lists: not all of them are known".to_owned());
    }
    Some(found).filter(|found| !found.is_empty() || failed.is_none() && !cut)
}

/// Those of commits that no merge request brought.
pub(super) fn of_commits(
    asking: &Asking,
    commits: &[Commit],
    settings: Option<&Project>,
    missing: &mut Vec<String>,
) -> Option<Vec<String>> {
    let mut diffs = Vec::new();
    let mut whole = commits.len() <= MOST;
    if !whole {
        missing.push(format!("files are known of {MOST} of {} pushed commits only", commits.len()));
    }
    for commit in commits.iter().take(MOST) {
        let way = format!("{}/repository/commits/{}/diff?per_page=100", project(asking), segment(&commit.id));
        let pages = asking.api.pages::<List<Diff>>(&way);
        diffs.extend(pages.items);
        if let Some(e) = pages.missing {
            missing.push(unread(&format!("the files that commit {} changes", short(&commit.id)), &e));
            whole = false;
            break;
        }
    }
    Some(among(asking, settings, &diffs)).filter(|found| !found.is_empty() || whole)
}

/// The known ones, and the one that the project names in place of `.gitlab-ci.yml`.
fn among(asking: &Asking, settings: Option<&Project>, diffs: &[Diff]) -> Vec<String> {
    let paths = || diffs.iter().flat_map(|d| [d.new_path.as_deref(), d.old_path.as_deref()]).flatten();
    let mut found = asking.pipeline_files.among(paths());
    // `path@group/project` and addresses are files of others
    let own = settings.and_then(|s| s.ci_config_path.as_deref()).filter(|path| !path.is_empty());
    if let Some(own) = own
        && paths().any(|path| path == own)
        && !found.iter().any(|known| known == own)
    {
        found.push(own.to_owned());
    }
    found
}
