//! A question to a time-stamping authority (RFC 3161 section 3.4: time-stamp protocol over HTTP).

use super::address::{is_loopback, parse, place, redirected};
use super::{Http, HttpError, Limits, Response, tries};
use ::http::header::{ACCEPT, CONTENT_TYPE};
use std::time::Duration;
use url::Url;

/// A pipeline waits no longer than this, the second try included: without a time-stamp the evidence still stands.
const WHOLE: Duration = Duration::from_secs(5);
const TRIES: u32 = 2;
const REDIRECTS: u32 = 3;
const MAX_BYTES: usize = 64 << 10;

impl Http {
    /// Posts the DER of a `TimeStampReq` to `url` and returns the answer's body as received, unread and at most 64 KiB.
    ///
    /// Tried once more after a failed connection, a 5xx or a 429; 5 s in all. A status other than 2xx is an error here.
    pub(crate) fn timestamp(&self, url: &str, request: &[u8]) -> Result<Vec<u8>, HttpError> {
        let url = parse(url)?;
        let client = &self.live()?.client;
        let whole = WHOLE.min(self.options.whole);
        let (last, answer) = self.wait(&url, whole, ask(client, url.clone(), request))?;
        usable(&answer).map_err(|why| HttpError::Answer(place(&last), why))?;
        Ok(answer.body)
    }
}

async fn ask(client: &reqwest::Client, mut url: Url, request: &[u8]) -> Result<(Url, Response), HttpError> {
    for _ in 0..=REDIRECTS {
        allowed(&url)?;
        let post = || {
            let post = client.post(url.clone()).header(CONTENT_TYPE, "application/timestamp-query");
            post.header(ACCEPT, "application/timestamp-reply").body(request.to_vec())
        };
        let answer = tries(post, &url, Limits { body: MAX_BYTES, ..Limits::default() }, TRIES).await?;
        // A question may be asked again elsewhere (RFC 9110 section 15.4 leaves it open for 301 and 302). 303 would be a GET.
        if !matches!(answer.status, 301 | 302 | 307 | 308) {
            return Ok((url, answer));
        }
        url = redirected(&url, &answer)?;
    }
    Err(HttpError::Redirect(place(&url), format!("more than {REDIRECTS} in a row")))
}

/// Most public authorities are asked over plain http, and that is enough: the question is a digest, and the answer is
/// signed and holds our nonce. Only what is beside the question, a password in the address, needs TLS.
fn allowed(url: &Url) -> Result<(), HttpError> {
    let secret = !url.username().is_empty() || url.password().is_some();
    match url.scheme() {
        "http" if secret && !is_loopback(url) => {
            Err(HttpError::Address(place(url), "a password is not sent without TLS; write https".into()))
        }
        "http" | "https" => Ok(()),
        _ => Err(HttpError::Address(place(url), "a time-stamping authority is asked over https or http".into())),
    }
}

/// Lenient about the type, which authorities get wrong, and the body says itself what it is; but a page for people is
/// told as such, and not as broken DER.
fn usable(answer: &Response) -> Result<(), String> {
    if !(200..300).contains(&answer.status) {
        return Err(format!("it has the status {}", answer.status));
    }
    let kind = answer.header(CONTENT_TYPE.as_str()).unwrap_or_default().trim().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default();
    if kind.starts_with("text/") || kind.ends_with("json") || kind.ends_with("xml") {
        let kind: String = kind.chars().take(40).collect();
        return Err(format!(
            "it is `{}` and no time-stamp. Is this the address of a time-stamping authority?",
            kind.escape_debug()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::super::loopback::{Answer, Server};
    use super::*;
    use std::time::Instant;

    const REPLY: &str = "application/timestamp-reply";

    fn http() -> Http {
        Http::new(Options::default())
    }

    fn reply(kind: &str, body: &[u8]) -> Answer {
        Answer::With(200, vec![("content-type", kind.into())], body.to_vec())
    }

    #[test]
    fn the_question_is_posted_and_the_answer_comes_as_it_is() {
        let server = Server::start(|_, _| reply(REPLY, b"\x30\x00\xff"));
        assert_eq!(http().timestamp(&server.url("/tsa?x=1"), b"\x30\x01question").unwrap(), b"\x30\x00\xff");
        let asked = server.asked();
        assert_eq!((asked[0].path.as_str(), asked[0].body.as_str()), ("/tsa?x=1", "0\u{1}question"));
        assert_eq!(asked[0].header("content-type"), Some("application/timestamp-query"));
        assert_eq!(asked[0].header("accept"), Some(REPLY));
        assert_eq!(asked[0].header("accept-encoding"), None);
    }

    #[test]
    fn the_type_is_read_leniently_and_pages_are_told() {
        for good in [
            REPLY,
            "Application/Timestamp-Reply; x=y",
            "application/octet-stream",
            "application/timestamp-response",
            "",
        ] {
            let server = Server::start(move |_, _| reply(good, b"x"));
            assert!(http().timestamp(&server.url("/"), b"q").is_ok(), "{good}");
        }
        for bad in ["text/html; charset=utf-8", "application/json", "application/problem+json", "application/xml"] {
            let server = Server::start(move |_, _| reply(bad, b"x"));
            let error = http().timestamp(&server.url("/tsa"), b"q").unwrap_err();
            assert!(matches!(error, HttpError::Answer(..)) && error.to_string().contains("/tsa"), "{bad}: {error}");
        }
    }

    #[test]
    fn one_more_try_and_no_third() {
        let server = Server::start(|_, n| match n {
            0 => Answer::With(503, vec![], vec![]),
            _ => reply(REPLY, b"late"),
        });
        assert_eq!(http().timestamp(&server.url("/"), b"q").unwrap(), b"late");
        assert_eq!(server.asked().len(), 2);
        assert_eq!(server.asked()[1].body, "q");

        let server = Server::start(|_, _| Answer::Close);
        assert!(matches!(http().timestamp(&server.url("/"), b"q").unwrap_err(), HttpError::Unreachable(..)));
        assert_eq!(server.asked().len(), 2);

        let server = Server::start(|_, _| Answer::With(403, vec![], b"no".to_vec()));
        assert!(http().timestamp(&server.url("/"), b"q").unwrap_err().to_string().contains("403"));
        assert_eq!(server.asked().len(), 1);
    }

    #[test]
    fn time_and_size_are_bounded() {
        let server = Server::start(|_, _| Answer::Hang);
        let start = Instant::now();
        let error = http().timestamp(&server.url("/"), b"q").unwrap_err();
        assert!(matches!(error, HttpError::Timeout(..)) && error.to_string().contains("5.0 s"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(9));
        let server = Server::start(|_, _| Answer::Endless);
        assert!(matches!(http().timestamp(&server.url("/"), b"q").unwrap_err(), HttpError::TooLarge(..)));
        let server = Server::start(|_, _| reply(REPLY, &vec![7; MAX_BYTES]));
        assert_eq!(http().timestamp(&server.url("/"), b"q").unwrap().len(), MAX_BYTES);
    }

    #[test]
    fn a_redirect_is_asked_again_and_leads_nowhere_else() {
        let server = Server::start(|asked, _| match asked.path.as_str() {
            "/end" => reply(REPLY, asked.body.as_bytes()),
            "/301" => Answer::With(301, vec![("location", "/end".into())], vec![]),
            "/308" => Answer::With(308, vec![("location", "/301".into())], vec![]),
            "/303" => Answer::With(303, vec![("location", "/end".into())], vec![]),
            "/file" => Answer::With(302, vec![("location", "file:///etc/passwd".into())], vec![]),
            _ => Answer::With(307, vec![("location", "/loop".into())], vec![]),
        });
        assert_eq!(http().timestamp(&server.url("/308"), b"q").unwrap(), b"q");
        for bad in ["/303", "/file", "/loop"] {
            assert!(http().timestamp(&server.url(bad), b"q").is_err(), "{bad}");
        }
    }

    #[test]
    fn plain_http_is_for_questions_and_not_for_passwords() {
        let verdict = |url: &str| allowed(&Url::parse(url).unwrap());
        for good in
            ["http://time.example/", "https://time.example/", "https://a:b@time.example/", "http://a:b@127.0.0.1/"]
        {
            assert!(verdict(good).is_ok(), "{good}");
        }
        for bad in [
            "http://a:S3CRET@time.example/",
            "http://S3CRET@time.example/",
            "ftp://time.example/",
            "file:///etc/passwd",
        ] {
            let error = verdict(bad).unwrap_err();
            assert!(!error.to_string().contains("S3CRET"), "{error}");
        }
    }

    /// Part of `tests/outside/verify/tsa.sh`: asks real authorities what `seal::timestamp` wrote down for us.
    #[test]
    #[ignore = "needs tsa.sh"]
    #[allow(
        clippy::disallowed_methods,
        reason = "the outside script tells a test where its folder is; nothing else can"
    )]
    fn outside_question() {
        let folder = std::path::PathBuf::from(std::env::var("VOUCHSAFE_TEST_TSA").unwrap());
        let request = std::fs::read(folder.join("request.tsq")).unwrap();
        for line in std::fs::read_to_string(folder.join("authorities")).unwrap().lines() {
            let (name, url) = line.split_once(' ').unwrap();
            std::fs::write(folder.join(format!("{name}.tsr")), http().timestamp(url, &request).unwrap()).unwrap();
        }
    }
}
