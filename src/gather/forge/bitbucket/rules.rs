//! Restrictions of a branch, as they stand when they are asked for.

use super::super::loose::list;
use super::desk::Desk;
use super::shapes::{Name, Paged};
use super::{ADMIN, Asking, PULL_REQUESTS, repository, say, unread};
use crate::record::pull_request_v1::Rules;
use globset::GlobBuilder;
use serde::Deserialize;

/// What is known of a branch's rules.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// `None` where they could not be read.
    pub(super) rules: Option<Rules>,
    /// Builds that have to pass; `None` where that could not be read.
    pub(super) builds: Option<u32>,
}

/// All restrictions of the repository, and the branching model that some are by.
pub(super) type All = (Vec<Restriction>, Model);

/// The rules of `branch`.
pub(super) fn of<'a>(asking: &Asking, branch: &str, desk: &'a mut Desk) -> &'a Known {
    if !desk.rules.contains_key(branch) {
        let known = match all(asking, desk) {
            Some((restrictions, model)) if !branch.is_empty() => known(restrictions, model, branch),
            _ => Known::default(),
        };
        desk.rules.insert(branch.to_owned(), known);
    }
    desk.rules.entry(branch.to_owned()).or_default()
}

/// What is asked once.
fn all<'a>(asking: &Asking, desk: &'a mut Desk) -> Option<&'a All> {
    if desk.restrictions.is_none() {
        desk.restrictions = Some(read(asking, &mut desk.missing));
    }
    desk.restrictions.as_ref().and_then(Option::as_ref)
}

fn read(asking: &Asking, missing: &mut Vec<String>) -> Option<All> {
    let way = format!("{}/branch-restrictions?pagelen=100", repository(asking));
    let pages = asking.api.pages::<Paged<Restriction>>(&way);
    if let Some(e) = pages.missing {
        say(missing, unread("the restrictions of branches", &e, ADMIN));
        return None;
    }
    let typed = pages.items.iter().any(|r| r.branch_match_kind.as_deref() == Some("branching_model"));
    if !typed {
        return Some((pages.items, Model::default()));
    }
    let model = asking.api.get::<Model>(&format!("{}/branching-model", repository(asking)));
    let model = model.map_err(|e| say(missing, unread("the branching model", &e, PULL_REQUESTS)));
    Some((pages.items, model.ok()?))
}

fn known(all: &[Restriction], model: &Model, branch: &str) -> Known {
    let own: Vec<&Restriction> = all.iter().filter(|r| is_for(r, branch, model)).collect();
    let has = |kinds: &[&str]| own.iter().any(|r| r.kind.as_deref().is_some_and(|kind| kinds.contains(&kind)));
    let most = |kinds: &[&str]| {
        let all = own.iter().filter(|r| r.kind.as_deref().is_some_and(|kind| kinds.contains(&kind)));
        all.filter_map(|r| r.value).max().unwrap_or(0)
    };
    let nobody = |r: &&&Restriction| r.kind.as_deref() == Some("push") && r.users.is_empty() && r.groups.is_empty();
    let rules = Rules {
        protected: Some(has(&["push", "force", "delete", "restrict_merges"])),
        pull_request_required: Some(own.iter().any(|r| nobody(&r))),
        required_approvals: Some(most(&["require_approvals_to_merge", "require_default_reviewer_approvals_to_merge"])),
        dismiss_stale: Some(has(&["reset_pullrequest_approvals_on_change", "smart_reset_pullrequest_approvals"])),
        code_owners: None,
        required_checks: Vec::new(),
    };
    Known { rules: Some(rules), builds: Some(most(&["require_passing_builds_to_merge"])) }
}

/// Whether a restriction is for `branch`: by its pattern, or by its type in the branching model.
fn is_for(restriction: &Restriction, branch: &str, model: &Model) -> bool {
    if restriction.branch_match_kind.as_deref() != Some("branching_model") {
        let pattern = restriction.pattern.as_deref().unwrap_or_default();
        let glob = GlobBuilder::new(pattern).literal_separator(false).build();
        return glob.map_or(pattern == branch, |glob| glob.compile_matcher().is_match(branch));
    }
    let named = |of: &Option<ModelBranch>| {
        let name = of.as_ref().and_then(|b| b.branch.as_ref().and_then(|b| b.name.clone()).or_else(|| b.name.clone()));
        name.as_deref() == Some(branch)
    };
    match restriction.branch_type.as_deref() {
        Some("development") => named(&model.development),
        Some("production") => named(&model.production),
        kind => model.branch_types.iter().any(|t| {
            t.kind.as_deref() == kind && t.prefix.as_deref().is_some_and(|p| !p.is_empty() && branch.starts_with(p))
        }),
    }
}

/// One rule for branches.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Restriction {
    kind: Option<String>,
    value: Option<u32>,
    /// `glob` or `branching_model`.
    branch_match_kind: Option<String>,
    branch_type: Option<String>,
    pattern: Option<String>,
    #[serde(default, deserialize_with = "list")]
    users: Vec<serde::de::IgnoredAny>,
    #[serde(default, deserialize_with = "list")]
    groups: Vec<serde::de::IgnoredAny>,
}

/// Which branches are of which type.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Model {
    development: Option<ModelBranch>,
    production: Option<ModelBranch>,
    #[serde(default, deserialize_with = "list")]
    branch_types: Vec<BranchType>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct ModelBranch {
    name: Option<String>,
    branch: Option<Name>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct BranchType {
    kind: Option<String>,
    prefix: Option<String>,
}
