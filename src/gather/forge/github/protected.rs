//! Which branches are protected: by classic protection or by rulesets.
//!
//! GitHub calls a branch protected as soon as any ruleset is for it, and many organisations have one for all branches, about names,
//! messages or signatures. Such a branch takes pushes and rewrites from everybody, so it is not called protected here: a rule has
//! to guard what comes in, or that what came in stays.

use super::answers::{Told, missing, path, sort_out};
use crate::gather::forge::Asking;
use crate::gather::http::api::{ApiError, List, segment};
use serde::Deserialize;
use std::cell::Cell;
use std::collections::BTreeMap;

/// Branches whose rules are asked for one by one.
const MOST_ASKED: u32 = 100;
/// Types of rules that guard a branch (REST API, "Rules").
const GUARDS: &[&str] = &[
    "code_scanning",
    "deletion",
    "merge_queue",
    "non_fast_forward",
    "pull_request",
    "required_deployments",
    "required_status_checks",
    "update",
    "workflows",
];

/// What is known of one branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is protected.
    Protected,
    /// It is there, and not protected.
    Open,
    /// It is gone, and no ruleset guards it. Classic protection of a branch that is gone cannot be read.
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
    protection: Option<Classic>,
}

#[derive(Deserialize)]
struct Classic {
    enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Branch {
    /// Whether it has classic protection; servers without rulesets tell only that it is protected.
    fn is_classic(&self) -> bool {
        self.protected && self.protection.as_ref().and_then(|p| p.enabled) != Some(false)
    }
}

/// The branches of a repository that are protected.
pub(super) struct Protected {
    /// Whether by classic protection.
    names: BTreeMap<String, bool>,
    complete: bool,
    asked: Cell<u32>,
}

/// Asks for all of them: "only branches protected by branch protections or rulesets" (REST API, "List branches").
pub(super) fn all(asking: &Asking, said: &mut Vec<String>) -> Protected {
    let request = format!("{}/branches?protected=true&per_page=100", path(asking));
    let pages = asking.api.pages::<List<Told<Branch>>>(&request);
    let (branches, other) = sort_out(pages.items, "protected branches");
    let complete = pages.missing.is_none() && other.is_none();
    said.extend(pages.missing.map(|e| missing("which branches are protected", &e, super::activity::PERMISSION)));
    said.extend(other);
    let branches = branches.into_iter().filter(|b| b.protected);
    let names = branches.map(|b| (b.name.clone(), b.is_classic())).collect();
    Protected { names, complete, asked: Cell::new(0) }
}

impl Protected {
    /// What is known of `branch`; `gone`: it was deleted.
    pub(super) fn of(&self, asking: &Asking, branch: &str, gone: bool) -> Standing {
        // what it is if its rules cannot be read, and what it is if none of them guards it
        let (unread, unguarded) = match (self.names.get(branch), self.complete, gone) {
            (Some(true), _, _) => return Standing::Protected,
            (Some(false), _, _) => (Standing::Protected, Standing::Open),
            (None, true, false) => return Standing::Open,
            (None, true, true) => (Standing::Gone, Standing::Gone),
            (None, false, _) => (Standing::Unread, Standing::Unread),
        };
        if self.asked.get() >= MOST_ASKED {
            return unread;
        }
        self.asked.set(self.asked.get() + 1);
        match guarded(asking, branch) {
            Ok(true) => Standing::Protected,
            Ok(false) => unguarded,
            Err(_) => unread,
        }
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
        Ok(Some(branch)) if branch.is_classic() => return (Standing::Protected, None),
        Ok(Some(_)) => Standing::Open,
        Ok(None) => Standing::Gone,
        Err(e) => return unread(&e),
    };
    match guarded(asking, branch) {
        Ok(true) => (Standing::Protected, None),
        Ok(false) => (is, None),
        // A server that knows no rulesets has none.
        Err(ApiError::NotFound(_)) => (is, None),
        Err(e) => unread(&e),
    }
}

/// Whether a rule that is in force guards the branch, or guarded one of that name.
fn guarded(asking: &Asking, branch: &str) -> Result<bool, ApiError> {
    let request = format!("{}/rules/branches/{}?per_page=100", path(asking), segment(branch));
    let rules = asking.api.get::<Vec<Rule>>(&request)?;
    Ok(rules.iter().any(|r| r.kind.as_deref().is_some_and(|kind| GUARDS.contains(&kind))))
}
