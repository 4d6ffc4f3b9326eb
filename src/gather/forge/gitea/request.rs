//! One pull request as a change.

use super::super::approval::{self, Case};
use super::super::brought;
use super::changes::Desk;
use super::shapes::{PullRequest, actor};
use super::{Asking, READ, checks, files, reviews, rules, unread};
use crate::gather::tickets;
use crate::record::change_v1::{Change, Via};
use crate::record::parts_v1::Actor;
use crate::record::pull_request_v1;

/// The pull request `number`, of which `merge` is what it left on the target branch.
pub(super) fn of(
    asking: &Asking,
    number: &str,
    method: Option<&'static str>,
    merge: Option<&brought::Commit>,
    desk: &mut Desk,
) -> Change {
    let mut change = Change::by(Via::PullRequest);
    let own = desk.own(asking, number).clone();
    let told = match desk.request(asking, number) {
        Ok(told) => told.clone(),
        Err(e) => {
            change.missing.push(unread(&format!("pull request {number}"), &e, READ));
            change.pull_request = Some(pull_request_v1::PullRequest {
                number: number.to_owned(),
                merge_commit: merge.map(|c| c.sha.clone()),
                method: method.map(str::to_owned),
                ..pull_request_v1::PullRequest::default()
            });
            return change;
        }
    };
    if own.is_none() {
        change.missing.push("its commits could not be read, so who wrote them is not known".to_owned());
    }
    let request = pull_request(&told, own.as_deref(), merge, method);
    let target = request.target.clone().unwrap_or_default();
    let known = rules::of(asking, &target, desk).clone();
    let given = reviews::of(asking, number, request.head.as_deref(), &mut change.missing);
    let mut incomplete = given.missing.clone();
    if told.is_merged() && request.merged_on.is_none() {
        let sentence = "when it was merged could not be read".to_owned();
        change.missing.push(sentence.clone());
        incomplete = incomplete.or(Some(sentence));
    }
    let contributors = own.as_ref().map(|own| {
        let mut once: Vec<Actor> = Vec::new();
        own.iter().filter_map(|c| c.author.clone()).for_each(|a| {
            if !once.contains(&a) {
                once.push(a)
            }
        });
        once
    });
    let protected = known.rules.as_ref().and_then(|r| r.protected);
    let may = |review: &pull_request_v1::Review| given.may(review, protected);
    let case = Case {
        pull_request: &request,
        contributors: contributors.as_deref(),
        rules: known.rules.as_ref(),
        may: &may,
        incomplete: incomplete.as_deref(),
    };
    let mut reviews = given.reviews.clone();
    change.approval = Some(approval::judge(&case, &mut reviews));
    change.reviews = reviews;
    change.checks = checks::of(asking, &request, &known, &mut change.missing);
    change.pipeline_files = files::of_request(asking, number, &mut change.missing);
    let (title, branch) = (request.title.clone().unwrap_or_default(), request.source.clone().unwrap_or_default());
    change.tickets = tickets::find(asking.tickets, &[("pullRequestTitle", &title), ("branch", &branch)]);
    change.rules = known.rules.map(|rules| checks::named(rules, &change.checks));
    change.pull_request = Some(request);
    change
}

fn pull_request(
    told: &PullRequest,
    own: Option<&[brought::Commit]>,
    merge: Option<&brought::Commit>,
    method: Option<&str>,
) -> pull_request_v1::PullRequest {
    let merged = told.is_merged();
    let branch = |end: &Option<super::shapes::End>| {
        let end = end.as_ref()?;
        end.label.clone().filter(|l| !l.is_empty()).or_else(|| end.name.clone())
    };
    let repository = |end: &Option<super::shapes::End>| end.as_ref()?.repo_id.filter(|id| *id > 0);
    pull_request_v1::PullRequest {
        number: told.number.to_string(),
        url: told.html_url.clone(),
        title: told.title.clone(),
        author: actor(told.user.as_ref()),
        target: told.base.as_ref().and_then(|base| base.name.clone()),
        // of another repository the label is `owner:branch`
        source: branch(&told.head),
        head: head(told, own, merge),
        merge_commit: told.merge_commit_sha.clone().filter(|_| merged),
        merged_by: actor(told.merged_by.as_ref()).filter(|_| merged),
        merged_on: told.merged_at.filter(|_| merged),
        method: method.map(str::to_owned),
        from_fork: repository(&told.head).zip(repository(&told.base)).map(|(head, base)| head != base),
        labels: told.labels.iter().filter_map(|l| l.name.clone()).collect(),
    }
}

/// What was merged. `head.sha` is the tip of the source branch as it is now, which may have moved since the merge; the commits of
/// the pull request are those of the merge.
fn head(told: &PullRequest, own: Option<&[brought::Commit]>, merge: Option<&brought::Commit>) -> Option<String> {
    let now = told.head.as_ref().and_then(|head| head.sha.clone()).filter(|sha| !sha.is_empty());
    if !told.is_merged() {
        return now;
    }
    let own = own.unwrap_or_default();
    let listed = |sha: &String| own.iter().any(|c| c.sha == *sha);
    let second = merge.and_then(|m| m.parents.get(1)).filter(|sha| listed(sha)).cloned();
    second.or_else(|| own.first().map(|c| c.sha.clone())).or(now)
}
