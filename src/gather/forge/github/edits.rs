//! Files that decide what a pipeline does, among those that commits without a pull request changed. Of a pull request, its own
//! list of files tells.

use super::answers::{missing, path};
use crate::gather::forge::{Asking, Push};
use crate::gather::http::api::{ApiError, segment};
use serde::Deserialize;

/// Files that one answer names at most (REST API, "Compare two commits").
const MOST_FILES: usize = 300;
/// Commits that are asked about one by one.
const MOST_COMMITS: usize = 30;

#[derive(Deserialize)]
struct Answer {
    files: Option<Vec<File>>,
}

/// A file that was renamed has both names.
#[derive(Deserialize)]
struct File {
    filename: Option<String>,
    previous_filename: Option<String>,
}

/// Fills in what is not known yet.
pub(super) fn complete(asking: &Asking, push: &mut Push) {
    let alone = push.changes.len() == 1;
    for change in &mut push.changes {
        if change.pull_request.is_some() || change.pipeline_files.is_some() || change.commits.is_empty() {
            continue;
        }
        let requests: Vec<String> = match (&push.before, &push.after) {
            (Some(before), Some(after)) if alone => {
                vec![format!("compare/{}...{}?per_page=1", segment(before), segment(after))]
            }
            _ => change.commits.iter().map(|sha| format!("commits/{}", segment(sha))).collect(),
        };
        match files(asking, &requests) {
            Ok((names, whole)) => {
                let known = asking.pipeline_files.among(names.iter().map(String::as_str));
                let whole = whole && change.commit_count.is_none_or(|n| alone || n <= change.commits.len() as u64);
                // of files that could not all be seen, nobody can say that none is among them
                change.pipeline_files = (whole || !known.is_empty()).then_some(known);
                if !whole {
                    change
                        .missing
                        .push("all of the changed files: there are more than GitHub tells at once".to_owned());
                }
            }
            Err(e) => change.missing.push(missing("the changed files", &e, super::activity::PERMISSION)),
        }
    }
}

/// The names of all files, and whether that is all.
fn files(asking: &Asking, requests: &[String]) -> Result<(Vec<String>, bool), ApiError> {
    let mut names = Vec::new();
    let mut whole = requests.len() <= MOST_COMMITS;
    for request in requests.iter().take(MOST_COMMITS) {
        let answer: Answer = asking.api.get(&format!("{}/{request}", path(asking)))?;
        let files = answer.files.unwrap_or_default();
        whole &= files.len() < MOST_FILES;
        names.extend(files.into_iter().flat_map(|f| [f.filename, f.previous_filename]).flatten());
    }
    Ok((names, whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gather::forge::cases::{serve, with_api};
    use crate::record::change_v1::{Change, Via};
    use serde_json::{Value, json};

    fn push(changes: Vec<Change>, before: Option<&str>) -> Push {
        Push {
            git_ref: "refs/heads/main".into(),
            before: before.map(str::to_owned),
            after: Some("b".into()),
            occurred_on: None,
            pusher: None,
            via: Via::DirectPush,
            protected: Some(true),
            changes,
            missing: vec![],
        }
    }

    fn direct(commits: &[&str]) -> Change {
        Change { commits: commits.iter().map(|c| (*c).to_owned()).collect(), ..Change::by(Via::DirectPush) }
    }

    fn ask(mut push: Push, routes: Value) -> Push {
        let server = serve("github", serde_json::from_value(routes).unwrap(), Default::default());
        with_api(&server, "example/shop", &mut |asking| complete(asking, &mut push));
        push
    }

    fn named(names: &[&str]) -> Value {
        json!({"files": names.iter().map(|n| json!({"filename": n})).collect::<Vec<_>>()})
    }

    #[test]
    fn a_push_is_compared_and_a_rename_has_two_names() {
        let moved = json!({"files": [{"filename": "old.yml", "previous_filename": ".github/workflows/ci.yml"}, {"filename": "a.rs"}]});
        let found = ask(push(vec![direct(&["b"])], Some("a")), json!({"repos/example/shop/compare/a...b": moved}));
        assert_eq!(found.changes[0].pipeline_files.clone().unwrap(), [".github/workflows/ci.yml"]);
        let none =
            ask(push(vec![direct(&["b"])], Some("a")), json!({"repos/example/shop/compare/a...b": named(&["a.rs"])}));
        assert_eq!(none.changes[0].pipeline_files, Some(vec![]));
        assert!(none.changes[0].missing.is_empty());
    }

    #[test]
    fn beside_other_changes_and_on_new_branches_each_commit_is_asked() {
        let routes = json!({"repos/example/shop/commits/x": named(&["Jenkinsfile"]), "repos/example/shop/commits/y": named(&["a.rs"])});
        let found = ask(push(vec![direct(&["x", "y"]), direct(&["y"])], Some("a")), routes.clone());
        assert_eq!(found.changes[0].pipeline_files.clone().unwrap(), ["Jenkinsfile"]);
        assert_eq!(found.changes[1].pipeline_files, Some(vec![]));
        assert_eq!(
            ask(push(vec![direct(&["x"])], None), routes).changes[0].pipeline_files.clone().unwrap(),
            ["Jenkinsfile"]
        );
    }

    #[test]
    fn of_too_many_files_none_is_not_known() {
        let many: Vec<String> = (0..300).map(|n| format!("{n}.rs")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let found =
            ask(push(vec![direct(&["b"])], Some("a")), json!({"repos/example/shop/compare/a...b": named(&many)}));
        assert_eq!(found.changes[0].pipeline_files, None);
        assert!(found.changes[0].missing[0].contains("more than GitHub tells at once"));
        let refused = json!({"repos/example/shop/compare/a...b": {"$status": 403, "$body": {}}});
        let found = ask(push(vec![direct(&["b"])], Some("a")), refused);
        assert_eq!(found.changes[0].pipeline_files, None);
        assert!(found.changes[0].missing[0].contains("`contents: read`"), "{:?}", found.changes[0].missing);
    }
}
