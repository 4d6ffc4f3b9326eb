//! Rules of a branch that are in force when they are asked for: rulesets, which everybody may read, and classic branch protection,
//! of which the token of a workflow sees the checks only (GitHub docs, "Get branch protection": Administration).

use super::round::{Round, Unread};
use super::shapes::{Branch, Protection, Rule};
use crate::gather::http::api::segment;
use crate::record::pull_request_v1::Rules;

/// What is known of a branch's rules.
#[derive(Clone, Default)]
pub(super) struct Ruled {
    pub(super) rules: Option<Rules>,
    /// Whether `required_checks` names all that are required.
    pub(super) checks_known: bool,
    /// Whether a merge queue stands before the branch. Classic protection does not tell.
    pub(super) queue: Option<bool>,
}

/// The rules of `branch`. They are asked for once.
pub(super) fn of(round: &mut Round, branch: &str) -> Ruled {
    if branch.is_empty() {
        return Ruled::default();
    }
    if let Some(known) = round.rules.get(branch) {
        return known.clone();
    }
    let ruled = ask(round, branch);
    round.rules.insert(branch.to_owned(), ruled.clone());
    ruled
}

fn ask(round: &mut Round, branch: &str) -> Ruled {
    let (of, name) = (format!("branch {}", crate::gather::report::quoted(branch)), segment(branch));
    let (sets, sets_unread) = round.list::<Rule>(&format!("rules/branches/{name}"), "metadata: read");
    if let Some(unread) = &sets_unread {
        round.say("the rulesets", &of, unread);
    }
    let short = round.get::<Branch>(&format!("branches/{name}"), "contents: read");
    let mut ruled = Ruled { checks_known: sets_unread.is_none(), ..Ruled::default() };
    let mut rules = Rules::default();
    let mut approvals = Approvals { known: sets_unread.is_none(), ..Approvals::default() };
    for rule in &sets {
        add(&mut rules, &mut approvals, rule, &mut ruled);
    }
    match short {
        Ok(short) => {
            let classic = short.protection.unwrap_or_default();
            // before rulesets there was no `enabled`
            let enabled = classic.enabled.or(short.protected);
            rules.protected = short.protected.map(|p| p || !sets.is_empty());
            checks(&mut rules, &classic);
            if enabled != Some(false) {
                let path = format!("branches/{name}/protection");
                let whole = round.get::<Protection>(&path, "Administration: read");
                protection(round, &of, whole, &mut rules, &mut approvals);
            }
            ruled.queue = if sets_unread.is_none() {
                ruled.queue.or((enabled == Some(false)).then_some(false))
            } else {
                ruled.queue
            };
        }
        Err(unread) => {
            ruled.checks_known = false;
            approvals.known = false;
            round.say("the protection", &of, &unread);
            rules.protected = (!sets.is_empty()).then_some(true);
        }
    }
    approvals.write(&mut rules);
    let nothing = rules == Rules::default();
    ruled.rules = (!nothing).then_some(rules);
    ruled
}

/// What is asked for approvals, by all rules together.
#[derive(Default)]
struct Approvals {
    /// By those that could be read.
    most: Option<u32>,
    /// Whether all could be read.
    known: bool,
    dismiss_stale: bool,
    code_owners: bool,
}

impl Approvals {
    fn add(&mut self, count: Option<i64>, dismiss_stale: Option<bool>, code_owners: Option<bool>) {
        let count = count.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        self.most = Some(self.most.unwrap_or(0).max(count));
        self.dismiss_stale |= dismiss_stale == Some(true);
        self.code_owners |= code_owners == Some(true);
    }

    /// What one rule asks for is asked for whatever others say; what none asks for is known only when all are.
    fn write(&self, rules: &mut Rules) {
        let sure = |asked: bool| if asked || self.known { Some(asked) } else { None };
        rules.pull_request_required = sure(self.most.is_some());
        rules.required_approvals = match (self.most, self.known) {
            (Some(n), _) if n > 0 => Some(n),
            (_, true) => Some(0),
            _ => None,
        };
        rules.dismiss_stale = sure(self.dismiss_stale);
        rules.code_owners = sure(self.code_owners);
    }
}

fn add(rules: &mut Rules, approvals: &mut Approvals, rule: &Rule, ruled: &mut Ruled) {
    match (rule.kind.as_deref(), &rule.parameters) {
        (Some("pull_request"), Some(p)) => {
            let stale = p.dismiss_stale_reviews_on_push;
            approvals.add(p.required_approving_review_count, stale, p.require_code_owner_review);
        }
        (Some("pull_request"), None) => {
            approvals.add(None, None, None);
            approvals.known = false;
        }
        (Some("required_status_checks"), Some(p)) => {
            let names = p.required_status_checks.iter().filter_map(|c| c.context.as_deref());
            names.for_each(|name| require(rules, name));
        }
        (Some("required_status_checks"), None) => ruled.checks_known = false,
        (Some("merge_queue"), _) => ruled.queue = Some(true),
        _ => {}
    }
}

fn checks(rules: &mut Rules, classic: &Protection) {
    let Some(asked) = &classic.required_status_checks else { return };
    asked.contexts.iter().for_each(|name| require(rules, name));
    asked.checks.iter().filter_map(|c| c.context.as_deref()).for_each(|name| require(rules, name));
}

fn require(rules: &mut Rules, name: &str) {
    // more than a few hundred are no rule of people
    if rules.required_checks.len() < 300 && !rules.required_checks.iter().any(|known| known == name) {
        rules.required_checks.push(super::shapes::short(name));
    }
}

fn protection(
    round: &mut Round,
    of: &str,
    whole: Result<Protection, Unread>,
    rules: &mut Rules,
    approvals: &mut Approvals,
) {
    match whole {
        Ok(whole) => {
            checks(rules, &whole);
            if let Some(asked) = whole.required_pull_request_reviews {
                let owners = asked.require_code_owner_reviews;
                approvals.add(asked.required_approving_review_count, asked.dismiss_stale_reviews, owners);
            }
        }
        Err(unread) => {
            approvals.known = false;
            round.say("what classic protection asks for approvals", of, &unread);
        }
    }
}
