//! Our requests and our readers against GitHub's own description of its API, as Prism serves it. `tests/outside/prism/run.sh` starts
//! it, requires every test here, and looks at what Prism said of our requests.

use crate::gather::forge::{Asking, Period, PipelineFiles, Span};
use crate::gather::http::api::{Api, Patience};
use crate::gather::http::{Http, Options, Secret};
use crate::gather::tickets;
use crate::record::bypass_v1::BypassKind;
use crate::record::population_v1::ItemKind;
use std::time::Duration;

/// Rounds of answers at random.
const ROUNDS: u32 = 30;

#[allow(clippy::disallowed_methods, reason = "the outside script tells a test where Prism is; nothing else can")]
fn url() -> String {
    let name = "VOUCHSAFE_TEST_GITHUB";
    std::env::var(name).unwrap_or_else(|_| panic!("{name}: run tests/outside/prism/run.sh"))
}

/// Asks Prism, which is told what to answer by `prefer`.
fn with_prism<T>(prefer: &'static str, ask: impl FnOnce(&Asking) -> T) -> T {
    let http = Http::new(Options { tries: 1, whole: Duration::from_secs(60), ..Options::default() });
    let token = (::http::header::AUTHORIZATION, Secret::new("Bearer test".into()));
    let plain = vec![(::http::HeaderName::from_static("prefer"), prefer)];
    let now = || "2026-11-25T12:00:00Z".parse().unwrap();
    let patience = Patience { second: Duration::from_micros(10), ..Patience::default() };
    let api = Api::new(&http, &url(), Some(token), plain, &now, patience).unwrap();
    let (tickets, files) = (tickets::pattern(tickets::DEFAULT_PATTERN).unwrap(), PipelineFiles::new(&[]).unwrap());
    let asking = Asking {
        token_from: "--api-token",
        api: &api,
        repository: "octocat/hello-world",
        repository_id: None,
        tickets: &tickets,
        pipeline_files: &files,
    };
    ask(&asking)
}

fn period(from: &str) -> Period {
    Period { from: from.parse().unwrap(), to: "2100-01-01T00:00:00Z".parse().unwrap() }
}

fn span() -> Span {
    let head = "6dcb09b5b57875f334f61aebed695e2e4193db5e".to_owned();
    Span { base: Some("1".repeat(40)), head, branch: Some("main".into()), pull_request: None }
}

/// A request that the description does not know, or not so.
fn is_wrong(said: &str) -> bool {
    ["status 4", "(404)", "(401)", "(403)"].iter().any(|piece| said.contains(piece))
}

#[test]
#[ignore = "needs Prism: tests/outside/prism/run.sh"]
fn the_examples_of_the_description_are_read() {
    with_prism("code=200", |asking| {
        let found = super::pushes(asking, &period("2011-01-01T00:00:00Z"));
        assert_eq!(found.repository.as_ref().unwrap().name.as_deref(), Some("octocat/Hello-World"));
        let [push] = &found.pushes[..] else { panic!("{found:#?}") };
        assert_eq!(push.pusher.as_ref().unwrap().login.as_deref(), Some("octocat"));
        let suite = found.bypasses.iter().find(|b| b.kind == BypassKind::RulesetBypass).unwrap();
        assert_eq!(
            suite.what,
            ["`pull_request` of the branch's protection: Changes must be made through a pull request."]
        );
        // the examples go on, on a host that the token is not for
        for said in found.missing.iter().chain(&push.missing).chain(&suite.missing) {
            assert!(!is_wrong(said), "{said}");
        }

        let found = super::population(asking, &period("2011-01-01T00:00:00Z"));
        for kind in [ItemKind::Run, ItemKind::Deployment, ItemKind::MergedPullRequest, ItemKind::Push] {
            let query = found.queries.iter().find(|q| q.what == kind).unwrap();
            assert!(query.items > 0, "{query:?}");
        }
        let deployment = found.items.iter().find(|i| i.what == ItemKind::Deployment).unwrap();
        assert_eq!(
            (deployment.environment.as_deref(), deployment.status.as_deref()),
            (Some("production"), Some("success"))
        );
        assert!(!found.missing.iter().any(|said| is_wrong(said)), "{:?}", found.missing);

        let found = super::changes(asking, &span());
        assert!(!found.missing.iter().any(|said| is_wrong(said)), "{:?}", found.missing);
    });
}

#[test]
#[ignore = "needs Prism: tests/outside/prism/run.sh"]
fn answers_at_random_are_survived() {
    let (mut pushes, mut items) = (0, 0);
    for _ in 0..ROUNDS {
        with_prism("dynamic=true", |asking| {
            let found = super::pushes(asking, &period("1800-01-01T00:00:00Z"));
            pushes += found.pushes.len();
            let all = found.pushes.iter().flat_map(|p| &p.missing).chain(&found.missing);
            all.for_each(|said| assert!(!said.contains("status 4"), "{said}"));
            let found = super::population(asking, &period("1800-01-01T00:00:00Z"));
            items += found.items.len();
            found.missing.iter().for_each(|said| assert!(!said.contains("status 4"), "{said}"));
            super::changes(asking, &span());
        });
    }
    assert!(pushes >= 5 && items >= 5, "{pushes} pushes and {items} items: the answers did not reach the readers");
}
