//! Files among the changed ones that decide what a pipeline does.

use super::super::brought::{Commit, short};
use super::shapes::{Diff, Paged};
use super::{Asking, PULL_REQUESTS, repository, unread};
use crate::gather::http::api::{ApiError, segment};

/// Commits without a pull request whose files are looked at, one question each.
const MOST_COMMITS: usize = 20;

/// Those of a pull request.
pub(super) fn of_request(asking: &Asking, number: &str, missing: &mut Vec<String>) -> Option<Vec<String>> {
    let way = format!("{}/pullrequests/{}/diffstat?pagelen=100", repository(asking), segment(number));
    let read = among(asking, &way);
    read.map_err(|e| missing.push(unread("its changed files", &e, PULL_REQUESTS))).ok()
}

/// Those of commits, each against its first parent.
pub(super) fn of_commits(asking: &Asking, commits: &[&Commit], missing: &mut Vec<String>) -> Option<Vec<String>> {
    if commits.len() > MOST_COMMITS {
        missing.push(format!(
            "the changed files of {} commits: more than {MOST_COMMITS} are not looked at",
            commits.len()
        ));
        return None;
    }
    let mut all: Vec<String> = Vec::new();
    for commit in commits {
        let way = format!("{}/diffstat/{}?pagelen=100", repository(asking), segment(&commit.sha));
        match among(asking, &way) {
            Ok(found) => found.into_iter().for_each(|file| {
                if !all.contains(&file) {
                    all.push(file)
                }
            }),
            Err(e) => {
                missing.push(unread(&format!("the changed files of {}", short(&commit.sha)), &e, PULL_REQUESTS));
                return None;
            }
        }
    }
    Some(all)
}

fn among(asking: &Asking, way: &str) -> Result<Vec<String>, ApiError> {
    let pages = asking.api.pages::<Paged<Diff>>(way);
    if let Some(e) = pages.missing {
        return Err(e);
    }
    // what moved away from such a path was one, too
    let paths = pages.items.iter().flat_map(|d| [&d.new, &d.old]).flatten().filter_map(|p| p.path.as_deref());
    Ok(asking.pipeline_files.among(paths))
}
