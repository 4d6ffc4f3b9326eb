use super::*;
use crate::gather::http::Options;
use crate::gather::http::loopback::{Answer, Asked, Server};
use ::http::header::AUTHORIZATION;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

const SECRET: &str = "S3CRET";
/// 2026-11-25T12:00:00Z
const NOW: i64 = 1_795_608_000;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(NOW + seconds, 0).unwrap()
}

/// Asks `server` through an API that never really waits; a budget of `budget` seconds.
fn asked<T>(server: &Server, budget: u64, ask: impl FnOnce(&Api) -> T) -> T {
    let http = Http::new(Options { tries: 1, whole: Duration::from_secs(5), ..Options::default() });
    let patience =
        Patience { budget: Duration::from_secs(budget), second: Duration::from_nanos(1), ..Patience::default() };
    let now = || at(0);
    let token = Some((AUTHORIZATION, Secret::new(format!("Bearer {SECRET}"))));
    ask(&Api::new(&http, &server.url("/v1/"), token, vec![], &now, patience).unwrap())
}

fn with(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
    Answer::With(status, headers.iter().map(|(n, v)| (*n, (*v).to_owned())).collect(), body.into())
}

fn json_get(server: &Server, path: &str) -> Result<Value, ApiError> {
    asked(server, 60, |api| api.get(path))
}

fn said(server: &Server, path: &str) -> String {
    json_get(server, path).unwrap_err().to_string()
}

fn has_token(asked: &Asked) -> bool {
    asked.header("authorization").is_some_and(|h| h.contains(SECRET))
}

/// The other origin of the same server.
fn elsewhere(asked: &Asked, path: &str) -> String {
    asked.header("host").unwrap().replace("127.0.0.1", "http://localhost") + path
}

#[test]
fn an_answer_is_asked_for_with_the_token_below_the_address() {
    let server = Server::start(|_, _| with(200, &[], "\u{feff}{\"a\": 1}"));
    assert_eq!(json_get(&server, "repos/acme/shop?x=1").unwrap(), json!({"a": 1}));
    let request = &server.asked()[0];
    assert_eq!(request.path, "/v1/repos/acme/shop?x=1");
    assert_eq!(request.header("accept"), Some("application/json"));
    assert!(has_token(request));
}

#[test]
fn a_name_that_climbs_is_not_asked() {
    let server = Server::start(|_, _| with(200, &[], "{}"));
    for name in ["..", "../../user", ".", "x/../../user", "a/..", "..\\..\\user"] {
        for path in [format!("repos/{name}/pulls"), format!("repos/{}/pulls", segment(name))] {
            let said = said(&server, &path);
            assert!(said.contains("/v1/…") && (said.contains("leads elsewhere") || said.contains("`\\`")), "{said}");
        }
    }
    assert!(server.asked().is_empty());
    // what looks like an address is a path below the API's
    for path in ["http://localhost/x", "//localhost/x", "https:localhost"] {
        json_get(&server, path).unwrap();
    }
    assert!(server.asked().iter().all(|a| a.path.starts_with("/v1/")), "{:?}", server.asked());
}

#[test]
fn an_address_that_is_no_apis_is_refused() {
    let http = Http::new(Options::default());
    let now = || at(0);
    let new = |base: &str| Api::new(&http, base, None, vec![], &now, Patience::default()).err().map(|e| e.to_string());
    for good in ["https://api.example", "https://h.example:8443/api/v3/", "https://h.example/git//"] {
        assert_eq!(new(good), None, "{good}");
    }
    for bad in [
        "api.example",
        "",
        "data:x",
        "https://u:S3CRET@h.example/api",
        "https://S3CRET@h.example/api",
        "https://h.example/api?private_token=S3CRET",
        "https://h.example/api#S3CRET",
    ] {
        let error = new(bad).unwrap_or_else(|| panic!("{bad}"));
        assert!(!error.contains(SECRET), "{error}");
    }
}

#[test]
fn statuses_are_told_apart() {
    let table = [
        (401, "`/v1/x` was refused (401): the token is wrong or has expired"),
        (403, "`/v1/x` was refused (403); it needs pull_requests=read"),
        (404, "`/v1/x` was not found (404): it is not there, or the token may not see it"),
        (202, "`/v1/x` is not ready yet (202)"),
        (204, "`/v1/x` was answered with something else than expected: it is empty (status 204)"),
        (205, "`/v1/x` was answered with something else than expected: it is empty (status 205)"),
        (304, "`/v1/x` was answered with status 304"),
        (410, "`/v1/x` was answered with status 410"),
        (502, "`/v1/x` was answered with status 502"),
    ];
    for (status, wanted) in table {
        let server =
            Server::start(move |_, _| with(status, &[("x-accepted-github-permissions", "pull_requests=read")], ""));
        assert_eq!(said(&server, "x?private_token=S3CRET"), wanted);
        assert_eq!(server.asked().len(), 1, "{status} is not asked again");
        let found = asked(&server, 60, |api| api.find::<Value>("x"));
        assert_eq!(matches!(found, Ok(None)), status == 404, "{status}");
    }
    // a header of others is not repeated as it comes
    let server = Server::start(|_, _| with(403, &[("x-accepted-github-permissions", "<b>S3CRET")], ""));
    assert_eq!(said(&server, "x"), "`/v1/x` was refused (403)");
}

#[test]
fn a_broken_gateway_is_asked_again_within_bounds() {
    let server = Server::start(|_, n| if n == 0 { with(502, &[], "") } else { with(200, &[], "1") });
    let http = Http::new(Options { tries: 2, ..Options::default() });
    let now = || at(0);
    let api = Api::new(&http, &server.url("/v1"), None, vec![], &now, Patience::default()).unwrap();
    assert_eq!(api.get::<u8>("x").unwrap(), 1);
    let server = Server::start(|_, _| with(503, &[], ""));
    let api = Api::new(&http, &server.url("/v1"), None, vec![], &now, Patience::default()).unwrap();
    assert!(matches!(api.get::<u8>("x"), Err(ApiError::Status(_, 503))));
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn an_answer_of_another_shape_is_told_and_not_quoted() {
    let page = "it is a page for people, as proxies and login pages answer. Is this the API's address?";
    let table = [
        ("<!DOCTYPE html><p>S3CRET", "application/json", page),
        ("please log in, S3CRET", "text/html; charset=utf-8", page),
        ("S3CRET", "text/plain", "it is not JSON at line 1 column 1"),
        ("1 S3CRET", "application/json", "it is not JSON at line 1 column 3"),
        (r#""S3CRET""#, "application/json", "it has another shape at line 1 column 8"),
        (" \n", "application/json", "it is empty (status 200)"),
    ];
    for (body, kind, wanted) in table {
        let server = Server::start(move |_, _| with(200, &[("content-type", kind)], body));
        let error = asked(&server, 60, |api| api.get::<u32>("x")).unwrap_err();
        assert_eq!(error.to_string(), format!("`/v1/x` was answered with something else than expected: {wanted}"));
        assert!(!format!("{error:?}").contains(SECRET), "{error:?}");
    }
    let deep = "[".repeat(100_000);
    let server = Server::start(move |_, _| with(200, &[], &deep));
    assert!(matches!(json_get(&server, "x"), Err(ApiError::Shape(..))));
}

#[test]
fn a_redirect_is_followed_at_home_with_the_token_and_nowhere_else() {
    for status in ["301", "302", "307", "308"] {
        let server = Server::start(|asked, _| match asked.path.as_str() {
            "/end" => with(200, &[], "1"),
            path => {
                let (status, way) = path.trim_start_matches("/v1/").split_once('/').unwrap();
                let to = match way {
                    // GitHub for a repository that was renamed
                    "home" => "/end".to_owned(),
                    "away" => elsewhere(asked, "/end?S3CRET"),
                    "port" => "http://127.0.0.1:1/end".to_owned(),
                    "user" => format!("http://S3CRET@{}/end", asked.header("host").unwrap()),
                    "long" => format!("/{}", "S3CRET".repeat(2000)),
                    _ => "/v1/302/loop".to_owned(),
                };
                with(status.parse().unwrap(), &[("location", &to)], "")
            }
        });
        assert_eq!(json_get(&server, &format!("{status}/home")).unwrap(), 1);
        assert!(server.asked().iter().all(has_token));
        let before = server.asked().len();
        for way in ["away", "port", "user", "long", "loop"] {
            let error = json_get(&server, &format!("{status}/{way}")).unwrap_err();
            assert!(matches!(error, ApiError::Http(HttpError::Redirect(..))), "{error}");
            assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
        }
        let ends = server.asked()[before..].iter().filter(|a| a.path.starts_with("/end")).count();
        assert_eq!(ends, 0, "nobody else is asked");
    }
}

/// A list of `most` pages with one number each.
fn pages(most: u32, next: impl Fn(&Asked, u32) -> String + Send + Sync + 'static) -> Server {
    Server::start(move |asked, n| {
        let n = n as u32 + 1;
        let link = format!("<{}>; rel=\"next\"", next(asked, n + 1));
        let headers: &[_] = if n < most { &[("link", &*link)] } else { &[] };
        with(200, headers, &format!("[{n}]"))
    })
}

fn listed(server: &Server) -> Pages<u32> {
    asked(server, 60, |api| api.pages::<List<u32>>("x?per_page=1&private_token=S3CRET&Job%5Ftoken=S3CRET&y=2"))
}

#[test]
fn pages_are_followed_to_their_end() {
    type Next = fn(&Asked, u32) -> String;
    let ways: [Next; 3] = [
        |asked, n| format!("http://{}/v1/x?page={n}", asked.header("host").unwrap()),
        |_, n| format!("/v1/x?page={n}#part"),
        |_, n| format!("?page={n}"),
    ];
    for way in ways {
        let server = pages(3, way);
        let all = listed(&server);
        assert_eq!((all.items, all.read, all.missing.is_none()), (vec![1, 2, 3], 3, true));
        assert_eq!(all.request, server.url("/v1/x?per_page=1&y=2"), "no secret is recorded");
        assert!(server.asked().iter().all(has_token));
    }
    let server = pages(9, |_, n| format!("?page={n}"));
    let some = asked(&server, 60, |api| api.pages_while::<List<u32>>("x", &mut |n| *n < 3));
    assert_eq!((some.items, some.read, some.missing.is_none()), (vec![1, 2], 3, true));
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn two_link_headers_are_one_list() {
    let server = Server::start(|_, n| match n {
        0 => {
            with(200, &[("link", "</v1/x>; rel=first"), ("link", "</v1/x?page=2>; title=\"\u{e4}\"; rel=next")], "[1]")
        }
        _ => with(200, &[], "[2]"),
    });
    assert_eq!(listed(&server).items, [1, 2]);
}

#[test]
fn pages_that_lead_elsewhere_are_cut() {
    type Next = fn(&Asked, u32) -> String;
    let ways: [(Next, &str); 6] = [
        (|asked, _| elsewhere(asked, "/v1/x?S3CRET"), "on another host"),
        (|_, _| "//127.0.0.1:1/v1/x?S3CRET".to_owned(), "on another host"),
        (
            |asked, _| format!("https://{}/v1/x?S3CRET", asked.header("host").unwrap()),
            "on another host, port or scheme",
        ),
        (|asked, _| format!("http://u:S3CRET@{}/v1/x", asked.header("host").unwrap()), "names a user"),
        (|_, _| "http://[S3CRET".to_owned(), "is none"),
        (|_, _| format!("/v1/x?{}", "S3CRET".repeat(2000)), "longer than an address"),
    ];
    for (way, wanted) in ways {
        let server = pages(3, way);
        let all = listed(&server);
        let missing = all.missing.unwrap();
        assert_eq!((all.items.as_slice(), server.asked().len()), (&[1][..], 1), "{missing}");
        assert!(missing.to_string().contains(wanted), "{missing}");
        assert!(!format!("{missing:?}").contains(SECRET), "{missing:?}");
    }
}

#[test]
fn pages_without_an_end_are_cut() {
    let server = pages(1000, |_, n| format!("?page={}", n % 5));
    let all = listed(&server);
    assert_eq!(all.items.len(), 6);
    assert!(all.missing.unwrap().to_string().contains("read already"));

    let server = pages(1000, |_, n| format!("?page={n}"));
    let all = listed(&server);
    assert_eq!((all.items.len(), all.read, server.asked().len()), (200, 200, 200));
    assert!(all.missing.unwrap().to_string().contains("more than 200 pages"));

    let full = format!("[{}0]", "0,".repeat(9_999));
    let server = Server::start(move |_, n| with(200, &[("link", &*format!("<?page={n}>; rel=next"))], &full));
    let all = listed(&server);
    assert_eq!(all.items.len(), MOST_ITEMS);
    assert!(all.missing.unwrap().to_string().contains("more of it than is kept"));
}

#[test]
fn a_page_is_bounded() {
    let many = format!("[{}0]", "0,".repeat(10_000));
    let server = Server::start(move |_, _| with(200, &[], &many));
    assert!(matches!(listed(&server).missing, Some(ApiError::Shape(..))));
    let server = Server::start(|_, _| Answer::Endless);
    assert!(matches!(listed(&server).missing, Some(ApiError::Http(HttpError::TooLarge(_, LARGEST)))));
}

#[test]
fn a_page_that_fails_leaves_those_before_it() {
    let server = Server::start(|_, n| match n {
        0 => with(200, &[("link", "<?page=2>; rel=next")], "[1]"),
        _ => with(403, &[], ""),
    });
    let all = listed(&server);
    assert_eq!((all.items.as_slice(), all.read), (&[1][..], 1));
    assert!(matches!(all.missing, Some(ApiError::Forbidden(..))));
}

#[test]
fn short_limits_are_waited_for_and_the_budget_is_one_for_all() {
    let server = Server::start(|_, n| match n % 2 {
        0 => with(429, &[("retry-after", "25")], ""),
        _ => with(200, &[], "1"),
    });
    asked(&server, 60, |api| {
        assert_eq!(api.get::<u8>("a").unwrap(), 1);
        assert_eq!(api.get::<u8>("b").unwrap(), 1);
        let error = api.get::<u8>("c").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`/v1/c` was refused because the API was asked too often; it answers again in 25 s, at 2026-11-25T12:00:25Z"
        );
        assert!(api.wait(10) && !api.wait(1), "10 s were left");
    });
    assert_eq!(server.asked().len(), 5);
}

#[test]
fn long_limits_and_refusals_are_not_waited_for() {
    let reset = (NOW + 1800).to_string();
    let server =
        Server::start(move |_, _| with(403, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset)], ""));
    let said = said(&server, "x");
    assert!(said.ends_with("it answers again in 1801 s, at 2026-11-25T12:30:01Z"), "{said}");
    assert_eq!(server.asked().len(), 1);
    let server = Server::start(|_, _| with(403, &[("x-ratelimit-remaining", "99")], r#"{"message":"Not accessible"}"#));
    assert!(matches!(json_get(&server, "x"), Err(ApiError::Forbidden(..))));
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn who_is_refused_again_waits_longer_each_time() {
    // a window that has ended, for ever: 1 + 2 + 4 + 8 + 16 s of 60
    let server = Server::start(|_, _| with(429, &[("x-ratelimit-reset", &(NOW - 9).to_string())], ""));
    assert!(matches!(json_get(&server, "x"), Err(ApiError::Limited(..))));
    assert_eq!(server.asked().len(), 6);
    // a server that rests is waited for once, here and not below
    let server =
        Server::start(|_, n| if n == 0 { with(503, &[("retry-after", "9")], "") } else { with(200, &[], "1") });
    assert_eq!(json_get(&server, "x").unwrap(), 1);
    let server = Server::start(|_, _| with(503, &[("retry-after", "61")], ""));
    assert!(matches!(json_get(&server, "x"), Err(ApiError::Status(_, 503))));
}

#[test]
fn questions_end_with_their_time() {
    let server = pages(1000, |_, n| format!("?page={n}"));
    let clock = AtomicI64::new(0);
    let now = || at(clock.fetch_add(40, SeqCst));
    let http = Http::new(Options { tries: 1, ..Options::default() });
    let patience = Patience { second: Duration::from_nanos(1), ..Patience::default() };
    let api = Api::new(&http, &server.url("/v1"), None, vec![], &now, patience).unwrap();
    let all = api.pages::<List<u32>>("x");
    assert!((1..9).contains(&all.read), "{}", all.read);
    assert_eq!(
        all.missing.unwrap().to_string(),
        "`/v1/x` was not asked any more: questions to the API took longer than 300 s"
    );
}

#[test]
fn a_server_that_hangs_or_drips_is_left() {
    for answer in [|| Answer::Hang, || Answer::Drip] {
        let server = Server::start(move |_, _| answer());
        let http = Http::new(Options { tries: 3, whole: Duration::from_millis(300), ..Options::default() });
        let now = || at(0);
        let api = Api::new(&http, &server.url("/v1"), None, vec![], &now, Patience::default()).unwrap();
        let start = std::time::Instant::now();
        let error = api.get::<Value>("x?S3CRET").unwrap_err();
        assert!(matches!(error, ApiError::Http(HttpError::Timeout(..))), "{error}");
        assert!(!format!("{error:?}").contains(SECRET));
        assert!(start.elapsed() < Duration::from_secs(3));
    }
}
