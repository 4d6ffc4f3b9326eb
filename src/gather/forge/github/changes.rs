//! How the commits of a span got onto their branch.

use super::super::{Asking, Found, Span};
use super::round::Round;
use super::shapes::{Commit, Pull};
use super::{bind, doors, pull, rules, span};
use crate::gather::tickets;
use crate::record::change_v1::{Change, Via};
use crate::record::pull_request_v1::PullRequest;

/// The pull requests that brought the commits of a span, newest first; then what came without one; then what cannot be told.
pub(in super::super) fn changes(asking: &Asking, span: &Span) -> Found {
    let source = asking.api.place();
    let mut round = match Round::new(asking) {
        Ok(round) => round,
        Err(why) => return Found { missing: vec![why], source, ..Found::default() },
    };
    let branch = span.branch.as_deref().map(|b| b.strip_prefix("refs/heads/").unwrap_or(b));
    let open = span.pull_request.as_ref().and_then(|own| unmerged(&mut round, own));
    let changes = match open {
        Some(open) => {
            let bound = bind::unmerged(&mut round, open, &span.head);
            vec![pull::change(&mut round, bound)]
        }
        None => arrived(&mut round, span, branch),
    };
    Found { changes, missing: round.missing(), source }
}

/// The pull request for which the platform runs, if it is open still: nothing of it is on a branch yet.
fn unmerged(round: &mut Round, own: &PullRequest) -> Option<Pull> {
    let number = own.number.parse().ok()?;
    match pull::detail(round, number) {
        Ok(pull) => pull.merged_at.is_none().then_some(pull),
        Err(unread) => {
            round.say("what", &format!("pull request {number}"), &unread);
            None
        }
    }
}

fn arrived(round: &mut Round, span: &Span, branch: Option<&str>) -> Vec<Change> {
    let commits = span::commits(round, span);
    let doors = doors::doors(round, &commits, branch);
    let mut changes: Vec<Change> = doors.pulls.into_iter().map(|bound| pull::change(round, bound)).collect();
    for (via, commits) in [(Via::DirectPush, doors.pushed), (Via::Unknown, doors.unknown)] {
        if !commits.is_empty() {
            changes.push(without(round, via, &commits, branch));
        }
    }
    changes
}

/// Commits that no pull request brought, or of which that cannot be told.
fn without(round: &mut Round, via: Via, commits: &[Commit], branch: Option<&str>) -> Change {
    let texts: Vec<_> = commits.iter().map(|c| ("commitMessage", c.commit.message.as_str())).collect();
    Change {
        rules: branch.and_then(|branch| rules::of(round, branch).rules),
        tickets: tickets::find(round.asking.tickets, &texts),
        ..pull::named(via, commits.iter().map(|c| c.sha.clone()).collect())
    }
}
