//! Pushes and the bypasses that they show: one line a case.

use super::*;
use crate::record::parts_v1::Actor;
use crate::record::pull_request_v1::{Approval, Check, PullRequest, Rules};
use Via::{DirectPush, ForcePush, MergeQueue, PullRequest as Request, Unknown};

/// Via, protected, changes; bypasses as `kind: piece of what`, pieces of doubts.
type Row = (Via, Option<bool>, Vec<Change>, &'static [&'static str], &'static [&'static str]);

fn push(via: Via, protected: Option<bool>, changes: Vec<Change>) -> Push {
    Push {
        git_ref: "refs/heads/main".into(),
        before: Some("b".repeat(40)),
        after: Some("a".repeat(40)),
        occurred_on: Some("2026-03-01T10:00:00Z".parse().unwrap()),
        pusher: Some(Actor { login: Some("pusher".into()), ..Actor::default() }),
        via,
        protected,
        changes,
        missing: vec![],
    }
}

fn direct(commits: &[&str]) -> Change {
    Change { commits: commits.iter().map(|c| (*c).to_owned()).collect(), ..Change::by(DirectPush) }
}

/// A pull request with what its checks (`name:required:passed`, `?` where it cannot be told) and its approval came to.
fn request(checks: &[&str], verdict: Option<Approved>, required: Option<u32>) -> Change {
    let three = |word: &str| match word {
        "yes" => Some(true),
        "no" => Some(false),
        "?" => None,
        other => panic!("{other}"),
    };
    let check = |text: &&str| {
        let [name, required, passed] = text.split(':').collect::<Vec<_>>()[..] else { panic!("{text}") };
        Check {
            name: name.into(),
            result: "failure".into(),
            finished_on: None,
            required: three(required),
            passed_at_merge: three(passed),
        }
    };
    Change {
        pull_request: Some(PullRequest {
            number: "7".into(),
            merge_commit: Some("c".repeat(40)),
            merged_by: Some(Actor { login: Some("merger".into()), ..Actor::default() }),
            merged_on: Some("2026-03-01T09:59:58Z".parse().unwrap()),
            ..PullRequest::default()
        }),
        checks: checks.iter().map(check).collect(),
        approval: verdict.map(|verdict| Approval { verdict, counted: 0, required, why: "so it is".into() }),
        rules: Some(Rules { required_approvals: required, ..Rules::default() }),
        ..Change::by(Request)
    }
}

fn with(mut change: Change, edit: impl FnOnce(&mut Change)) -> Change {
    edit(&mut change);
    change
}

#[test]
fn a_push_shows_what_it_shows() {
    let (yes, no, unknown) = (Some(true), Some(false), None);
    let files = |files: &[&str]| Some(files.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>());
    let edits = |change| with(change, |c| c.pipeline_files = files(&[".github/workflows/ci.yml"]));
    let needs = |change, name: &str| with(change, |c| c.rules.as_mut().unwrap().required_checks.push(name.into()));
    let (approved, refused, unsure) = (Some(Approved::Yes), Some(Approved::No), Some(Approved::Unknown));
    let good = || request(&["test:yes:yes"], approved, Some(1));
    #[rustfmt::skip]
    let cases: Vec<Row> = vec![
        // around pull requests
        (DirectPush, yes, vec![direct(&["x", "y"])], &["directPush: 2 commits without a pull request: x, y"], &[]),
        (DirectPush, yes, vec![], &["directPush: refs/heads/main was pushed to"], &[]),
        (DirectPush, no, vec![direct(&["x"])], &[], &[]),
        (DirectPush, unknown, vec![direct(&["x"])], &[], &["whether the branch is protected"]),
        (Unknown, yes, vec![direct(&["x"])], &["directPush: 1 commit without a pull request: x"], &[]),
        (Unknown, yes, vec![], &[], &["how its commits came"]),
        (Unknown, no, vec![], &[], &[]),
        (ForcePush, yes, vec![], &["forcePush: rewritten: bbbb"], &[]),
        (ForcePush, yes, vec![direct(&["x"])], &["forcePush: 1 commit without a pull request: x"], &[]),
        (ForcePush, no, vec![], &[], &[]),
        (ForcePush, unknown, vec![], &[], &["whether the branch is protected"]),
        // by pull requests
        (Request, yes, vec![good()], &[], &[]),
        (MergeQueue, yes, vec![good(), good()], &[], &[]),
        (Request, yes, vec![direct(&["x"])], &[], &[]), // the forge says that it was a merge
        (Request, yes, vec![request(&["test:yes:no"], approved, Some(1))], &["adminMerge: check `test` had not succeeded"], &[]),
        (Request, unknown, vec![request(&["test:yes:no"], approved, Some(1))], &["adminMerge: check `test`"], &[]),
        (Request, no, vec![request(&["test:yes:no"], approved, Some(1))], &[], &[]),
        (Request, yes, vec![with(request(&["test:yes:no"], approved, Some(1)), |c| c.checks[0].result = "skipped".into())], &[], &[]),
        (Request, yes, vec![request(&["lint:no:no"], approved, Some(1))], &[], &[]),
        (Request, yes, vec![request(&["lint:?:no"], approved, Some(1))], &[], &[]),
        (Request, yes, vec![request(&["test:yes:?"], approved, Some(1))], &[], &["check `test`"]),
        (Request, yes, vec![request(&[], refused, Some(1))], &["adminMerge: approvals: so it is"], &[]),
        (Request, yes, vec![request(&[], refused, Some(0))], &[], &[]),
        (Request, yes, vec![request(&[], refused, None)], &[], &[]),
        (Request, yes, vec![request(&[], unsure, Some(2))], &[], &["approvals: so it is"]),
        (Request, yes, vec![request(&[], None, Some(2))], &[], &[]),
        (Request, yes, vec![needs(good(), "scan")], &["adminMerge: check `scan` was never reported"], &[]),
        (Request, yes, vec![needs(good(), "test")], &[], &[]),
        (Request, yes, vec![with(needs(good(), "scan"), |c| c.missing.push("checks: 403".into()))], &[], &[]),
        (MergeQueue, yes, vec![good(), request(&["test:yes:no"], refused, Some(1))], &["adminMerge: check `test`"], &[]),
        // pipeline files, whoever approved
        (Request, yes, vec![edits(good())], &["pipelineEdit: .github/workflows/ci.yml"], &[]),
        (Request, no, vec![edits(good())], &["pipelineEdit: .github/workflows/ci.yml"], &[]),
        (DirectPush, yes, vec![edits(direct(&["x"]))], &["directPush: 1 commit", "pipelineEdit: .github/"], &[]),
        (DirectPush, yes, vec![with(direct(&["x"]), |c| c.pipeline_files = files(&[]))], &["directPush: 1 commit"], &[]),
    ];
    for (at, (via, protected, changes, expected, doubt)) in cases.into_iter().enumerate() {
        let push = push(via, protected, changes);
        let found = of_push(&push);
        let told: Vec<String> = found.iter().map(|b| format!("{}: {}", b.kind.as_str(), b.what.join(" | "))).collect();
        let fits = |(told, wanted): (&String, &&str)| {
            let (kind, piece) = wanted.split_once(": ").unwrap();
            told.starts_with(&format!("{kind}: ")) && told.contains(piece)
        };
        let same = told.len() == expected.len() && told.iter().zip(expected).all(fits);
        assert!(same, "case {at}: {told:?}, expected {expected:?}");
        let said = doubts(&push);
        let same = said.len() == doubt.len() && said.iter().zip(doubt).all(|(s, d)| s.contains(d));
        assert!(same, "case {at}: {said:?}, expected {doubt:?}");
        for bypass in found {
            assert_eq!(bypass.certainty, Certainty::Derived);
            assert_eq!((bypass.git_ref.as_deref(), bypass.before), (Some("refs/heads/main"), push.before.clone()));
        }
    }
}

#[test]
fn a_bypass_names_who_when_and_the_commit_that_it_brought() {
    let merge = request(&["test:yes:no"], None, None);
    let by = |b: &Bypass| b.actor.as_ref().unwrap().login.clone().unwrap();
    let found = of_push(&push(Request, Some(true), vec![merge.clone()]));
    assert_eq!(by(&found[0]), "merger");
    assert_eq!(found[0].commit, Some("c".repeat(40)));
    assert_eq!(found[0].occurred_on, Some("2026-03-01T09:59:58Z".parse().unwrap()));
    assert_eq!(found[0].pull_request.as_ref().unwrap().number, "7");

    let nobody = with(merge, |c| c.pull_request.as_mut().unwrap().merged_by = None);
    assert_eq!(by(&of_push(&push(Request, Some(true), vec![nobody]))[0]), "pusher");

    let found = of_push(&push(DirectPush, Some(true), vec![direct(&["x", "y"])]));
    assert_eq!((by(&found[0]), found[0].commit.clone()), ("pusher".into(), Some("a".repeat(40))));
}

#[test]
fn a_protected_branch_that_is_deleted_has_lost_its_history() {
    let gone = Push { after: None, ..push(ForcePush, Some(true), vec![]) };
    let found = of_push(&gone);
    assert_eq!((found.len(), found[0].kind), (1, BypassKind::ForcePush));
    assert_eq!((found[0].what.join("|"), found[0].commit.clone()), ("refs/heads/main was deleted".into(), None));
    assert_eq!(of_push(&Push { after: None, ..push(ForcePush, Some(false), vec![]) }), vec![]);
}

#[test]
fn a_direct_push_that_the_rules_allow_sets_nothing_aside_and_many_commits_are_counted() {
    let all: Vec<String> = (0..12).map(|n| format!("c{n}")).collect();
    let rules = Rules { pull_request_required: Some(true), ..Rules::default() };
    let change = Change { commits: all, commit_count: Some(300), rules: Some(rules), ..Change::by(DirectPush) };
    let found = of_push(&push(DirectPush, Some(true), vec![change.clone()]));
    let line = &found[0].what[0];
    assert!(line.starts_with("300 commits without a pull request: c0, ") && line.ends_with("c9, …"), "{line}");
    let may = |edit: fn(&mut Rules)| {
        let change = with(change.clone(), |c| {
            let rules = c.rules.as_mut().unwrap();
            rules.pull_request_required = Some(false);
            edit(rules);
        });
        of_push(&push(DirectPush, Some(true), vec![change])).is_empty()
    };
    assert!(may(|_| {}));
    assert!(!may(|rules| rules.required_checks.push("test".into())));
    assert!(!may(|rules| rules.required_approvals = Some(1)));
    assert!(!may(|rules| rules.pull_request_required = None), "unknown is not no");
}
