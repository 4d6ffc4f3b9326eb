use super::loopback::{Answer, Server};
use super::*;
use ::http::header::{ACCEPT, AUTHORIZATION, LOCATION};
use std::time::Instant;

fn ok(body: &str) -> Answer {
    Answer::With(200, vec![("x-answer", "yes".into())], body.as_bytes().to_vec())
}

fn client() -> Http {
    Http::new(Options { whole: Duration::from_secs(10), ..Options::default() })
}

fn get(http: &Http, url: &str) -> Result<Response, HttpError> {
    http.get(url, &[], Limits::default())
}

fn error(answer: Result<Response, HttpError>) -> HttpError {
    answer.err().expect("this must fail")
}

#[test]
fn an_answer_comes_whole() {
    let server = Server::start(|_, _| ok("hello"));
    let answer = get(&client(), &server.url("/a?b=c")).unwrap();
    assert_eq!((answer.status, answer.body.as_slice(), answer.header("X-Answer")), (200, &b"hello"[..], Some("yes")));
    let asked = server.asked();
    assert_eq!(asked[0].path, "/a?b=c");
    assert!(asked[0].header("user-agent").unwrap().starts_with("vouchsafe/"));
    assert_eq!(asked[0].header("accept-encoding"), None, "a compressed body could not be hashed");
}

#[test]
fn a_client_error_is_an_answer_and_is_not_tried_again() {
    let server = Server::start(|_, _| Answer::With(404, vec![], b"no".to_vec()));
    assert_eq!(get(&client(), &server.url("/")).unwrap().status, 404);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn passing_faults_are_tried_again_and_lasting_ones_end() {
    let server = Server::start(|_, n| match n {
        0 => Answer::With(503, vec![("retry-after", "0".into())], vec![]),
        1 => Answer::Close,
        _ => ok("at last"),
    });
    assert_eq!(get(&client(), &server.url("/")).unwrap().status, 200);
    assert_eq!(server.asked().len(), 3);

    let server = Server::start(|_, _| Answer::With(500, vec![("retry-after", "0".into())], vec![]));
    assert_eq!(get(&client(), &server.url("/")).unwrap().status, 500);
    assert_eq!(server.asked().len(), 3);

    // Asked to wait longer than the run should: the answer stands.
    let server = Server::start(|_, _| Answer::With(429, vec![("retry-after", "3600".into())], vec![]));
    let start = Instant::now();
    assert_eq!(get(&client(), &server.url("/")).unwrap().status, 429);
    assert_eq!(server.asked().len(), 1);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_body_over_the_limit_is_refused_with_and_without_a_length() {
    let limits = Limits { body: 10, ..Limits::default() };
    for endless in [false, true] {
        let server = Server::start(move |_, _| if endless { Answer::Endless } else { ok("eleven long") });
        let error = error(client().get(&server.url("/"), &[], limits));
        assert!(matches!(error, HttpError::TooLarge(_, 10)), "{error}");
    }
    let server = Server::start(|_, _| ok("ten bytes!"));
    assert_eq!(client().get(&server.url("/"), &[], limits).unwrap().body.len(), 10);
}

#[test]
fn silence_ends_in_time() {
    let server = Server::start(|_, _| Answer::Hang);
    let http = Http::new(Options { whole: Duration::from_millis(300), ..Options::default() });
    let start = Instant::now();
    let error = error(get(&http, &server.url("/secret-free?token=S3CRET")));
    assert!(matches!(error, HttpError::Timeout(..)), "{error}");
    assert!(!error.to_string().contains("S3CRET"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_redirect_keeps_the_secret_on_its_origin() {
    let server = Server::start(|asked, _| match asked.path.as_str() {
        "/same" => Answer::With(302, vec![("location", "/end".into())], vec![]),
        "/other" => {
            let port = asked.header("host").unwrap().rsplit(':').next().unwrap().to_owned();
            Answer::With(307, vec![("location", format!("http://localhost:{port}/end"))], vec![])
        }
        "/loop" => Answer::With(301, vec![("location", "/loop".into())], vec![]),
        "/nowhere" => Answer::With(301, vec![], vec![]),
        "/down" => Answer::With(301, vec![("location", "http://192.0.2.1/".into())], vec![]),
        _ => ok("end"),
    });
    let token = Secret::new("Bearer S3CRET".into());
    let headers = [(AUTHORIZATION, Header::Secret(&token)), (ACCEPT, Header::Plain("text/plain"))];
    let http = client();
    http.get(&server.url("/same"), &headers, Limits::default()).unwrap();
    http.get(&server.url("/other"), &headers, Limits::default()).unwrap();
    let asked = server.asked();
    let sent: Vec<_> = asked.iter().map(|a| (a.header("authorization").is_some(), a.header("accept"))).collect();
    let accept = Some("text/plain");
    assert_eq!(sent, [(true, accept), (true, accept), (true, accept), (false, accept)]);
    assert_eq!(asked[3].header("host").unwrap(), server.other_host());

    let before = server.asked().len();
    assert!(matches!(error(get(&http, &server.url("/loop"))), HttpError::Redirect(..)));
    assert_eq!(server.asked().len() - before, 4, "the first and three redirects");
    assert!(matches!(error(get(&http, &server.url("/nowhere"))), HttpError::Redirect(..)));
    assert!(matches!(error(get(&http, &server.url("/down"))), HttpError::Address(..)));
}

#[test]
fn a_redirect_never_leaves_tls() {
    let from = Url::parse("https://reg.example/v2/a").unwrap();
    let to = |location: &str| {
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_str(location).unwrap())]);
        redirected(&from, &Response { status: 307, headers, body: Vec::new() })
    };
    assert_eq!(to("/b?c").unwrap().as_str(), "https://reg.example/b?c");
    assert_eq!(to("//other.example/b").unwrap().as_str(), "https://other.example/b");
    for bad in ["http://reg.example/b", "http://127.0.0.1/b", "file:///etc/passwd", "https://"] {
        assert!(matches!(to(bad), Err(HttpError::Redirect(..))), "{bad}");
    }
}

#[test]
fn only_https_is_asked_away_from_this_machine() {
    let http = client();
    for bad in [
        "http://192.0.2.1/x?token=S3CRET",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://localhost.example/",
        "no address",
    ] {
        let error = error(get(&http, bad));
        assert!(matches!(error, HttpError::Address(..)), "{bad}: {error}");
        assert!(!error.to_string().contains("S3CRET"), "{error}");
    }
    let named = Http::new(Options { plain_http: vec!["192.0.2.1:5000".into()], ..Options::default() });
    assert!(named.allowed(&Url::parse("http://192.0.2.1:5000/v2/").unwrap()).is_ok());
    assert!(named.allowed(&Url::parse("http://192.0.2.1:5001/v2/").unwrap()).is_err());
}

#[test]
fn nobody_there_is_said_with_the_host() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let http = Http::new(Options { tries: 1, ..Options::default() });
    let error = error(get(&http, &format!("http://user:S3CRET@127.0.0.1:{port}/x")));
    assert!(matches!(error, HttpError::Unreachable(..)), "{error}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}/x")), "{error}");
    assert!(!error.to_string().contains("S3CRET"), "{error}");
}

#[test]
fn a_header_that_would_break_the_request_is_refused() {
    let server = Server::start(|_, _| ok(""));
    let token = Secret::new("S3CRET\r\nx-evil: 1".into());
    let headers = [(AUTHORIZATION, Header::Secret(&token))];
    let error = error(client().get(&server.url("/"), &headers, Limits::default()));
    assert!(error.to_string().contains("authorization") && !error.to_string().contains("S3CRET"), "{error}");
    assert!(server.asked().is_empty());
}
