//! What is asked once, however often it is looked at.

use super::super::brought::{self, Belongs, short};
use super::changes::WAITS;
use super::rules::{self, Known};
use super::shapes::{Commit, Paged, PullRequest, Repository};
use super::{Asking, PULL_REQUESTS, repository, say, unread};
use crate::gather::http::api::{ApiError, segment};
use std::collections::BTreeMap;

const LINKS: &str = "the app \"Pull Request Commit Links\" has to be installed in the workspace";

/// Answers that stay.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) rules: BTreeMap<String, Known>,
    /// All restrictions; `None` inside where they could not be read.
    pub(super) restrictions: Option<Option<rules::All>>,
    /// The commits of pull requests, newest first; `None` where they could not be read.
    pub(super) own: BTreeMap<String, Option<Vec<brought::Commit>>>,
    /// The repository; `None` inside where it could not be read.
    repository: Option<Option<Repository>>,
    /// Whole pull requests.
    pub(super) requests: BTreeMap<String, PullRequest>,
    /// What could not be read, and is of no single change.
    pub(super) missing: Vec<String>,
}

impl Desk {
    /// A whole pull request.
    pub(super) fn request(&mut self, asking: &Asking, number: &str) -> Result<&PullRequest, ApiError> {
        if !self.requests.contains_key(number) {
            let way = format!("{}/pullrequests/{}", repository(asking), segment(number));
            let read = asking.api.get::<PullRequest>(&way)?;
            if read.id.to_string() != number {
                return Err(ApiError::Shape(format!("`{way}`"), "it is another pull request".into()));
            }
            self.requests.insert(number.to_owned(), read);
        }
        let way = || format!("pull request {number}");
        self.requests.get(number).ok_or_else(|| ApiError::NotFound(way()))
    }

    /// The commits of a pull request, newest first.
    pub(super) fn own(&mut self, asking: &Asking, number: &str) -> &Option<Vec<brought::Commit>> {
        self.own.entry(number.to_owned()).or_insert_with(|| {
            let way = format!("{}/pullrequests/{}/commits?pagelen=100", repository(asking), segment(number));
            let pages = asking.api.pages::<Paged<Commit>>(&way);
            pages.missing.is_none().then(|| brought::newest_first(pages.items.into_iter().map(Into::into).collect()))
        })
    }

    /// The pull requests as part of which a commit was reviewed. While Bitbucket indexes them it answers 202.
    pub(super) fn belongs(&mut self, asking: &Asking, commit: &brought::Commit, whole: bool) -> Belongs {
        let way = format!("{}/commit/{}/pullrequests?pagelen=50", repository(asking), segment(&commit.sha));
        let mut waits = WAITS.iter();
        let pages = loop {
            let pages = asking.api.pages::<Paged<PullRequest>>(&way);
            let not_yet = matches!(pages.missing, Some(ApiError::NotYet(_)));
            if !not_yet || !waits.next().is_some_and(|seconds| asking.api.wait(*seconds)) {
                break pages;
            }
        };
        if let Some(e) = pages.missing {
            if !whole {
                let what = format!("the pull requests of commit {}", short(&commit.sha));
                say(&mut self.missing, unread(&what, &e, LINKS));
            }
            return Belongs::Never;
        }
        let mut all = Vec::new();
        for found in pages.items {
            // the list tells neither state nor merge commit
            match self.request(asking, &found.id.to_string()) {
                Ok(whole) if whole.is_merged() => all.push(whole.candidate()),
                Ok(_) => {}
                Err(e) => {
                    say(&mut self.missing, unread(&format!("pull request {}", found.id), &e, PULL_REQUESTS));
                    return Belongs::Untold;
                }
            }
        }
        Belongs::To(all)
    }
}

/// The repository as Bitbucket tells it.
pub(super) fn told<'a>(asking: &Asking, desk: &'a mut Desk) -> Option<&'a Repository> {
    if desk.repository.is_none() {
        let read = asking.api.get::<Repository>(&repository(asking));
        let read = read.map_err(|e| say(&mut desk.missing, unread("the repository", &e, PULL_REQUESTS)));
        desk.repository = Some(read.ok());
    }
    desk.repository.as_ref().and_then(Option::as_ref)
}

/// The branch that is the repository's main one.
pub(super) fn main_branch<'a>(asking: &Asking, desk: &'a mut Desk) -> Option<&'a String> {
    told(asking, desk)?.mainbranch.as_ref()?.name.as_ref()
}
