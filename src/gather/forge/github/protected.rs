//! Which branches are protected: by classic protection or by rulesets.

use super::answers::{Told, missing, path, sort_out};
use crate::gather::forge::Asking;
use crate::gather::http::api::{ApiError, List, segment};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::cell::Cell;
use std::collections::BTreeSet;

/// Branches whose rules are asked for one by one.
const MOST_ASKED: u32 = 100;

/// What is known of one branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is protected.
    Protected,
    /// It is there, and not protected.
    Open,
    /// It is gone, and no ruleset names it. Classic protection of a branch that is gone cannot be read.
    Gone,
    /// It could not be read.
    Unread,
}

impl Standing {
    /// As it stands in a record.
    pub(super) fn protected(self) -> Option<bool> {
        match self {
            Self::Protected => Some(true),
            Self::Open => Some(false),
            Self::Gone | Self::Unread => None,
        }
    }

    /// Whether pushes to such a branch are recorded: what may be protected is.
    pub(super) fn is_recorded(self) -> bool {
        matches!(self, Self::Protected | Self::Unread)
    }
}

#[derive(Deserialize)]
struct Branch {
    name: String,
    protected: bool,
}

/// The branches of a repository that are protected.
pub(super) struct Protected {
    names: BTreeSet<String>,
    complete: bool,
    asked: Cell<u32>,
}

/// Asks for all of them. GitHub means those "protected by branch protections or rulesets" (REST API, "List branches").
pub(super) fn all(asking: &Asking, said: &mut Vec<String>) -> Protected {
    let request = format!("{}/branches?protected=true&per_page=100", path(asking));
    let pages = asking.api.pages::<List<Told<Branch>>>(&request);
    let (branches, other) = sort_out(pages.items, "protected branches");
    let complete = pages.missing.is_none() && other.is_none();
    said.extend(pages.missing.map(|e| missing("which branches are protected", &e, super::activity::PERMISSION)));
    said.extend(other);
    let names = branches.into_iter().filter(|b| b.protected).map(|b| b.name).collect();
    Protected { names, complete, asked: Cell::new(0) }
}

impl Protected {
    /// What is known of `branch`; `gone`: it was deleted.
    pub(super) fn of(&self, asking: &Asking, branch: &str, gone: bool) -> Standing {
        if self.names.contains(branch) {
            return Standing::Protected;
        }
        let otherwise = match (self.complete, gone) {
            (true, false) => return Standing::Open,
            (true, true) => Standing::Gone,
            (false, _) => Standing::Unread,
        };
        if self.asked.get() >= MOST_ASKED {
            return otherwise;
        }
        self.asked.set(self.asked.get() + 1);
        if rules(asking, branch).is_ok_and(|any| any) { Standing::Protected } else { otherwise }
    }
}

/// What is known of one branch, and why it could not be read.
pub(super) fn one(asking: &Asking, branch: &str) -> (Standing, Option<String>) {
    let unread = |e: &ApiError| {
        let what = format!("whether `{branch}` is protected");
        (Standing::Unread, Some(missing(&what, e, super::activity::PERMISSION)))
    };
    let found = asking.api.find::<Branch>(&format!("{}/branches/{}", path(asking), segment(branch)));
    let is = match found {
        Ok(Some(branch)) if branch.protected => return (Standing::Protected, None),
        Ok(Some(_)) => Standing::Open,
        Ok(None) => Standing::Gone,
        Err(e) => return unread(&e),
    };
    match rules(asking, branch) {
        Ok(true) => (Standing::Protected, None),
        Ok(false) => (is, None),
        // A server that knows no rulesets has none.
        Err(ApiError::NotFound(_)) => (is, None),
        Err(e) => unread(&e),
    }
}

/// Whether any ruleset is in force for the branch, or for a branch of that name.
fn rules(asking: &Asking, branch: &str) -> Result<bool, ApiError> {
    let request = format!("{}/rules/branches/{}?per_page=1", path(asking), segment(branch));
    asking.api.get::<Vec<IgnoredAny>>(&request).map(|rules| !rules.is_empty())
}
