//! Populations.

use super::*;
use crate::gather::forge::Population;
use crate::record::population_v1::ItemKind;

fn population(more: Value) -> (Population, Vec<String>) {
    ask(routes(more), &mut |asking| (cases::forge("gitlab").population)(asking, &day()))
}

#[test]
fn a_population_is_what_began_in_the_period_page_by_page() {
    let pipeline = |id: u64, time: &str, status: &str| json!({"id": id, "status": status, "created_at": time, "sha": sha('a'), "ref": "main"});
    let (told, asked) = population(json!({
        "/pipelines": {"$pages": [[pipeline(4, "2026-11-25T00:00:00Z", "running"), pipeline(3, "2026-11-24T23:59:59Z", "canceled")],
                                  [pipeline(3, "2026-11-24T23:59:59Z", "canceled"), pipeline(2, "2026-11-24T00:00:00Z", "success"),
                                   pipeline(1, "2026-11-23T23:59:59Z", "failed")]]},
        "/pipelines?source=parent_pipeline": [pipeline(9, "2026-11-24T12:00:00Z", "success")],
        "/deployments": [
            {"id": 41, "status": "success", "created_at": "2026-11-20T10:00:00Z", "sha": sha('a'), "ref": "main",
             "environment": {"name": "production"}, "deployable": {"started_at": "2026-11-24T10:00:00Z"}, "user": {"id": 13, "username": "cyd"}},
            {"id": 42, "status": "created", "created_at": "2026-11-20T10:00:00Z", "deployable": null},
        ],
        "/merge_requests": [
            {"iid": 5, "state": "merged", "title": "Cents", "merged_at": "2026-11-24T10:00:00Z", "squash_commit_sha": sha('d'), "target_branch": "main"},
            {"iid": 4, "state": "merged", "merged_at": "2026-11-20T10:00:00Z"},
        ],
        "/events": [pushed(2, "2026-11-24T10:00:01Z", "main", Some('c'), Some('a')), pushed(3, "2026-11-24T11:00:01Z", "main", Some('a'), None)],
    }));
    assert_eq!(told.missing, Vec::<String>::new());
    let ids: Vec<(ItemKind, &str)> = told.items.iter().map(|i| (i.what, i.id.as_str())).collect();
    let after = format!("refs/heads/main@{}", sha('a'));
    assert_eq!(
        ids,
        [
            (ItemKind::Run, "2"),
            (ItemKind::Run, "3"),
            (ItemKind::Run, "9"),
            (ItemKind::Deployment, "41"),
            (ItemKind::MergedPullRequest, "5"),
            (ItemKind::Push, after.as_str()),
            (ItemKind::Push, "refs/heads/main@deleted"),
        ]
    );
    assert_eq!(told.items[1].status.as_deref(), Some("canceled"));
    assert_eq!(
        (told.items[3].environment.as_deref(), told.items[4].commit.clone()),
        (Some("production"), Some(sha('d')))
    );
    let counts: Vec<(u32, u64, bool)> = told.queries.iter().map(|q| (q.pages, q.items, q.complete)).collect();
    assert_eq!(counts, [(2, 2, true), (1, 1, true), (1, 1, true), (1, 1, true), (1, 2, true)]);
    assert!(told.queries.iter().all(|q| q.request.contains("/projects/shop%2Fapi/")));
    assert!(asked.iter().any(|path| path.contains("updated_after=2026-11-23T23%3A59%3A59Z")), "{asked:?}");
}

#[test]
fn a_question_that_is_refused_is_kept_as_not_answered() {
    let refused = json!({"$status": 403, "$body": {}});
    let (told, _) =
        population(json!({"/pipelines": refused, "/deployments": [], "/merge_requests": [], "/events": []}));
    assert_eq!(told.queries.iter().map(|q| q.complete).collect::<Vec<_>>(), [false, false, true, true, true]);
    assert!(told.queries[0].why.as_ref().unwrap().contains("read_api"), "{:?}", told.queries[0]);
}
