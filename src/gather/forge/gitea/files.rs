//! Files among the changed ones that decide what a pipeline does.

use super::super::brought::{self, short};
use super::shapes::{Commit, File};
use super::{Asking, READ, repository, unread};
use crate::gather::http::api::{List, segment};

/// Commits without a pull request whose files are looked at, one question each.
const MOST_COMMITS: usize = 20;

/// Those of a pull request.
pub(super) fn of_request(asking: &Asking, number: &str, missing: &mut Vec<String>) -> Option<Vec<String>> {
    let way = format!("{}/pulls/{}/files?limit=50", repository(asking), segment(number));
    let pages = asking.api.pages::<List<File>>(&way);
    if let Some(e) = pages.missing {
        missing.push(unread("its changed files", &e, READ));
        return None;
    }
    Some(among(asking, &pages.items))
}

/// Those of commits.
pub(super) fn of_commits(
    asking: &Asking,
    commits: &[&brought::Commit],
    missing: &mut Vec<String>,
) -> Option<Vec<String>> {
    if commits.len() > MOST_COMMITS {
        missing.push(format!(
            "the changed files of {} commits: more than {MOST_COMMITS} are not looked at",
            commits.len()
        ));
        return None;
    }
    let mut all: Vec<String> = Vec::new();
    for commit in commits {
        let query = "stat=false&files=true&verification=false";
        let way = format!("{}/git/commits/{}?{query}", repository(asking), segment(&commit.sha));
        match asking.api.get::<Commit>(&way) {
            Ok(Commit { files: Some(files), .. }) => {
                among(asking, &files).into_iter().for_each(|file| {
                    if !all.contains(&file) {
                        all.push(file)
                    }
                });
            }
            Ok(_) => {
                missing.push(format!("the changed files of {} are not told", short(&commit.sha)));
                return None;
            }
            Err(e) => {
                missing.push(unread(&format!("the changed files of {}", short(&commit.sha)), &e, READ));
                return None;
            }
        }
    }
    Some(all)
}

fn among(asking: &Asking, files: &[File]) -> Vec<String> {
    // what moved away from such a path was one, too
    let paths = files.iter().flat_map(|f| [&f.filename, &f.previous_filename]).flatten();
    asking.pipeline_files.among(paths.map(String::as_str))
}
