//! Pipelines of a merge request: checks on what was merged, and the merge train.

use super::rules::PIPELINE;
use super::shapes::{Car, MergeRequest, Pipeline, Project};
use super::{Asking, merge_request, project, unread};
use crate::gather::http::api::{ApiError, List};
use crate::record::pull_request_v1::Check;
use chrono::{DateTime, Utc};

/// What the pipelines tell.
#[derive(Default)]
pub(super) struct Checked {
    pub checks: Vec<Check>,
    /// Whether a merge train brought it.
    pub train: bool,
    /// Whether it was merged past the train that it waited in.
    pub skipped_train: bool,
}

/// The head pipeline, and the one of the train.
pub(super) fn of(asking: &Asking, mr: &MergeRequest, settings: Option<&Project>, missing: &mut Vec<String>) -> Checked {
    let way = merge_request(asking, &mr.iid.to_string());
    let pages = asking.api.pages::<List<Pipeline>>(&format!("{way}/pipelines?per_page=100"));
    if let Some(e) = &pages.missing {
        missing.push(unread("its pipelines, which tell whether it came by a merge train,", e));
    }
    let of_train = format!("refs/merge-requests/{}/train", mr.iid);
    let newest = |wanted: &dyn Fn(&Pipeline) -> bool| {
        pages.items.iter().filter(|p| wanted(p)).max_by_key(|p| (p.created_at, p.id)).cloned()
    };
    let train =
        newest(&|p| p.git_ref.as_deref() == Some(&of_train) && before(p.created_at, mr.merged_at) != Some(false));
    let head = mr.head_pipeline.clone().or_else(|| newest(&|p| p.sha.is_some() && p.sha == mr.sha));
    let mut told = Checked::default();
    if let Some(pipeline) = &train {
        told.train = pipeline.status.as_deref() == Some("success") && mr.is_merged();
        // Premium has trains, and tells what became of each car; the pipeline is what is left where that may not be read
        match asking.api.find::<Car>(&format!("{}/merge_trains/merge_requests/{}", project(asking), mr.iid)) {
            Ok(Some(car)) => {
                told.train = car.status.as_deref() == Some("merged");
                told.skipped_train = car.status.as_deref() == Some("skip_merged");
            }
            Ok(None) | Err(ApiError::Forbidden(..) | ApiError::Unauthorized(_)) => {}
            Err(e) => missing.push(unread("what became of it in the merge train", &e)),
        }
    }
    let required = settings.and_then(|s| s.only_allow_merge_if_pipeline_succeeds);
    let skipping = settings.is_some_and(|s| s.allow_merge_on_skipped_pipeline == Some(true));
    let may_be_skipped = |p: &Pipeline| skipping && p.status.as_deref() == Some("skipped");
    let train = train.filter(|t| head.as_ref().is_none_or(|head| head.id != t.id));
    for (pipeline, name) in [(head, PIPELINE), (train, "merge train")] {
        let Some(mut pipeline) = pipeline else { continue };
        if pipeline.finished_at.is_none()
            && is_final(&pipeline)
            && let Some(id) = pipeline.id
            && let Ok(whole) = asking.api.get::<Pipeline>(&format!("{}/pipelines/{id}", project(asking)))
        {
            pipeline.finished_at = whole.finished_at;
        }
        told.checks.push(Check {
            name: name.to_owned(),
            result: pipeline.status.clone().unwrap_or_else(|| "unknown".to_owned()),
            finished_on: pipeline.finished_at,
            required: required.map(|required| required && !may_be_skipped(&pipeline)),
            passed_at_merge: passed(&pipeline, mr.merged_at),
        });
    }
    told
}

/// Whether it had succeeded by the merge. What moved afterwards may have been retried: what it was before is not told any more.
fn passed(pipeline: &Pipeline, merged: Option<DateTime<Utc>>) -> Option<bool> {
    merged?;
    if before(pipeline.created_at, merged) == Some(false) {
        return Some(false);
    }
    if !is_final(pipeline) {
        return pipeline.finished_at.is_none().then_some(false);
    }
    let settled = pipeline.finished_at.or(pipeline.updated_at);
    (before(settled, merged)?).then(|| pipeline.status.as_deref() == Some("success"))
}

/// Skipped is over, and no success.
fn is_final(pipeline: &Pipeline) -> bool {
    matches!(pipeline.status.as_deref(), Some("success" | "failed" | "canceled" | "skipped"))
}

/// Whether `time` is not after the merge.
fn before(time: Option<DateTime<Utc>>, merged: Option<DateTime<Utc>>) -> Option<bool> {
    Some(time? <= merged?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_ended_after_the_merge_may_have_been_green_before() {
        let at = |time: &str| Some(format!("2026-11-24T{time}:00Z").parse::<DateTime<Utc>>().unwrap());
        let merged = at("10:00");
        for (status, created, updated, finished, passes) in [
            ("success", "09:00", "09:30", Some("09:30"), Some(true)),
            ("success", "09:00", "09:30", None, Some(true)),
            ("success", "09:00", "10:30", Some("10:30"), None),
            ("success", "10:05", "10:30", Some("10:30"), Some(false)),
            ("failed", "09:00", "09:30", Some("09:30"), Some(false)),
            ("failed", "09:00", "11:00", Some("11:00"), None),
            ("skipped", "09:00", "09:00", None, Some(false)),
            ("canceled", "09:00", "09:10", Some("09:10"), Some(false)),
            ("running", "09:00", "10:30", None, Some(false)),
            ("running", "09:00", "10:30", Some("09:30"), None),
            ("manual", "09:00", "09:10", None, Some(false)),
        ] {
            let pipeline = Pipeline {
                status: Some(status.into()),
                created_at: at(created),
                updated_at: at(updated),
                finished_at: finished.and_then(at),
                ..Pipeline::default()
            };
            assert_eq!(passed(&pipeline, merged), passes, "{status} {created} {updated} {finished:?}");
            assert_eq!(passed(&pipeline, None), None);
        }
    }
}
