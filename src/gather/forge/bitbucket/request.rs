//! One pull request as a change.

use super::super::approval::{self, Case};
use super::super::brought;
use super::desk::Desk;
use super::shapes::{Activity, Paged, PullRequest, actor};
use super::{Asking, PULL_REQUESTS, checks, files, opinions, repository, rules, unread};
use crate::gather::http::api::segment;
use crate::gather::tickets;
use crate::record::change_v1::{Change, Via};
use crate::record::pull_request_v1;
use chrono::{DateTime, Utc};

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
            change.missing.push(unread(&format!("pull request {number}"), &e, PULL_REQUESTS));
            change.pull_request = Some(pull_request_v1::PullRequest {
                number: number.to_owned(),
                merge_commit: merge.map(|c| c.sha.clone()),
                method: method.map(str::to_owned),
                ..pull_request_v1::PullRequest::default()
            });
            return change;
        }
    };
    let way = format!("{}/pullrequests/{}/activity?pagelen=50", repository(asking), segment(number));
    let activity = asking.api.pages::<Paged<Activity>>(&way);
    let mut incomplete = activity.missing.map(|e| unread("its activity", &e, PULL_REQUESTS));
    change.missing.extend(incomplete.clone());
    if own.is_none() {
        change.missing.push("its commits could not be read, so who wrote them is not known".to_owned());
    }

    let mut request = pull_request(&told, own.as_deref(), merge, method);
    if told.is_merged() {
        request.merged_on = merged_on(&activity.items).or_else(|| made_by_merge(own.as_deref(), merge));
        if request.merged_on.is_none() {
            let sentence = "when it was merged could not be read".to_owned();
            change.missing.push(sentence.clone());
            incomplete = incomplete.or(Some(sentence));
        }
    }
    if told.participants.is_none() {
        incomplete = incomplete.or(Some("what its participants think could not be read".to_owned()));
    }
    let known = rules::of(asking, request.target.as_deref().unwrap_or_default(), desk).clone();
    change.reviews = opinions::of(&told, &activity.items, incomplete.is_none());
    let contributors = own.as_ref().map(|own| opinions::contributors(own, &activity.items));
    // whoever may read a repository may approve its pull requests
    let may = |_: &pull_request_v1::Review| Some(true);
    let case = Case {
        pull_request: &request,
        contributors: contributors.as_deref(),
        rules: known.rules.as_ref(),
        may: &may,
        incomplete: incomplete.as_deref(),
    };
    change.approval = Some(approval::judge(&case, &mut change.reviews));
    change.checks = checks::of(asking, &request, known.builds, &mut change.missing);
    change.pipeline_files = files::of_request(asking, number, &mut change.missing);
    let (title, branch) = (request.title.clone().unwrap_or_default(), request.source.clone().unwrap_or_default());
    change.tickets = tickets::find(asking.tickets, &[("pullRequestTitle", &title), ("branch", &branch)]);
    change.rules = known.rules;
    change.pull_request = Some(request);
    change
}

/// When the activity says that it was merged.
pub(super) fn merged_on(activity: &[Activity]) -> Option<DateTime<Utc>> {
    let merges = activity.iter().filter_map(|a| a.update.as_ref()).filter(|u| u.state.as_deref() == Some("MERGED"));
    merges.filter_map(|u| u.date).min()
}

/// A commit that Bitbucket made for the merge tells when that was; one that was made before only tells when it was made.
fn made_by_merge(own: Option<&[brought::Commit]>, merge: Option<&brought::Commit>) -> Option<DateTime<Utc>> {
    let merge = merge?;
    let made = merge.parents.len() > 1 || own.is_some_and(|own| !own.iter().any(|c| c.sha == merge.sha));
    merge.made_on.filter(|_| made)
}

/// Abbreviated ids are given in full where the commit is known.
fn pull_request(
    told: &PullRequest,
    own: Option<&[brought::Commit]>,
    merge: Option<&brought::Commit>,
    method: Option<&str>,
) -> pull_request_v1::PullRequest {
    let whole = |known: Option<&brought::Commit>, short: &str| match known {
        Some(known) if brought::is_abbreviation(short, &known.sha) => known.sha.clone(),
        _ => short.to_owned(),
    };
    let head = told.head().map(|short| {
        let known = own.and_then(|own| own.iter().find(|c| brought::is_abbreviation(short, &c.sha)));
        whole(known, short)
    });
    let merged = told.merge_commit.as_ref().and_then(|c| c.hash.as_deref()).filter(|_| told.is_merged());
    let from = |end: &Option<super::shapes::End>| {
        let repository = end.as_ref()?.repository.as_ref()?;
        repository.uuid.clone().or_else(|| repository.full_name.clone())
    };
    pull_request_v1::PullRequest {
        number: told.id.to_string(),
        url: told.page(),
        title: told.title.clone(),
        author: actor(told.author.as_ref()),
        target: told.destination.as_ref().and_then(|end| end.name()).map(str::to_owned),
        source: told.source.as_ref().and_then(|end| end.name()).map(str::to_owned),
        head,
        merge_commit: merged.map(|short| whole(merge, short)),
        merged_by: actor(told.closed_by.as_ref()).filter(|_| told.is_merged()),
        merged_on: None,
        method: method.map(str::to_owned),
        from_fork: from(&told.source).zip(from(&told.destination)).map(|(source, target)| source != target),
        labels: Vec::new(),
    }
}
