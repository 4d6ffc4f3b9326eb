//! The one HTTP client of this pillar: bounded in time, size, tries and redirects; careful with secrets.
//!
//! Asynchronous inside, blocking outside: who gathers does one thing after another.

mod address;
pub(crate) mod api;
mod error;
#[cfg(test)]
pub(crate) mod loopback;
mod options;
mod secret;
#[cfg(test)]
mod tests;
#[cfg(feature = "tsa")]
mod timestamp;
#[cfg(test)]
mod tls_tests;

pub(crate) use address::is_loopback;
use address::{parse, place, redirected};
pub(crate) use error::HttpError;
use error::{DISTRUST, chain, helped};
pub(crate) use options::Options;
pub(crate) use secret::{Header, Secret};

use ::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use std::sync::OnceLock;
use std::time::Duration;
use url::Url;

/// What one call may bring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of the answer's body.
    pub body: usize,
    /// Redirects that are followed.
    pub redirects: u32,
    /// Whether they may lead to another origin, without the secrets.
    pub away: bool,
    /// Whether an answer that says how long to wait is waited for here; else it is the caller's.
    pub waits: bool,
}

impl Limits {
    /// For an API: nobody answers in its place, and its limits are waited for by who knows how long may be waited.
    pub(crate) fn api() -> Self {
        Self { away: false, waits: false, ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 4 * 1024 * 1024, redirects: 3, away: true, waits: true }
    }
}

/// An answer, whatever its status.
pub(crate) struct Response {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as received: never decompressed, so that it can be hashed.
    pub body: Vec<u8>,
}

impl Response {
    /// A header as text. `None` if absent or not ASCII.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The client. Starts (TLS roots, runtime) at the first call: most runs make none.
pub(crate) struct Http {
    options: Options,
    live: OnceLock<Live>,
}

struct Live {
    client: reqwest::Client,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Live {
    fn drop(&mut self) {
        // A name lookup that hangs in its thread must not hold up the end of the program.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Http {
    /// A client that behaves as `options` say. Nothing is opened yet.
    pub(crate) fn new(options: Options) -> Self {
        Self { options, live: OnceLock::new() }
    }

    /// Gets `url`. A status of 4xx or 5xx is an answer, not an error.
    ///
    /// Tried again after a failed connection, a 5xx or a 429 (`Retry-After` is obeyed up to 10 s). Must not be called
    /// from inside an async task.
    pub(crate) fn get(
        &self,
        url: &str,
        headers: &[(HeaderName, Header<'_>)],
        limits: Limits,
    ) -> Result<Response, HttpError> {
        let url = parse(url)?;
        let client = &self.live()?.client;
        self.wait(&url, self.options.whole, self.follow(client, url.clone(), headers, limits))
    }

    /// Posts `fields` as a form to `url`, once, and follows no redirect: the fields may be secrets.
    pub(crate) fn post_form(&self, url: &str, fields: &[(&str, &str)], limits: Limits) -> Result<Response, HttpError> {
        let url = parse(url)?;
        self.allowed(&url)?;
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.live()?.client.post(url.clone()).body(body);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = self.wait(&url, self.options.whole, once(request, &url, limits.body))?;
        if (300..400).contains(&answer.status) {
            return Err(HttpError::Redirect(place(&url), "what was posted is not sent on".into()));
        }
        Ok(answer)
    }

    /// Whether `host` (with its port, if any) may be asked without TLS.
    pub(crate) fn may_be_plain(&self, host: &str) -> bool {
        Url::parse(&format!("http://{host}/")).is_ok_and(|url| self.allowed(&url).is_ok())
    }

    fn wait<T>(
        &self,
        url: &Url,
        whole: Duration,
        work: impl Future<Output = Result<T, HttpError>>,
    ) -> Result<T, HttpError> {
        let Some(runtime) = &self.live()?.runtime else { return Err(HttpError::Client("it has been closed".into())) };
        // The timer starts inside the runtime.
        let answer = runtime
            .block_on(async { tokio::time::timeout(whole, work).await })
            .unwrap_or_else(|_| Err(HttpError::Timeout(place(url), whole.as_secs_f32())));
        answer.map_err(|e| match (e, self.options.proxy()) {
            (HttpError::Unreachable(place, why), Some(proxy)) if url.scheme() == "https" => {
                HttpError::Unreachable(place, format!("{why}. HTTPS_PROXY names `{proxy}`"))
            }
            (other, _) => other,
        })
    }

    async fn follow(
        &self,
        client: &reqwest::Client,
        mut url: Url,
        headers: &[(HeaderName, Header<'_>)],
        limits: Limits,
    ) -> Result<Response, HttpError> {
        let asked = url.origin();
        for _ in 0..=limits.redirects {
            self.allowed(&url)?;
            let mut sent = HeaderMap::new();
            for (name, value) in headers {
                let (text, secret) = match value {
                    Header::Plain(text) => (*text, false),
                    Header::Secret(_) if url.origin() != asked => continue,
                    Header::Secret(secret) => (secret.expose(), true),
                };
                let mut value = HeaderValue::from_str(text).map_err(|_| {
                    HttpError::Address(place(&url), format!("header `{name}` has a value that cannot be sent"))
                })?;
                value.set_sensitive(secret);
                sent.insert(name.clone(), value);
            }
            let get = || client.get(url.clone()).headers(sent.clone());
            let response = tries(get, &url, limits, self.options.tries).await?;
            if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(response);
            }
            let next = redirected(&url, &response)?;
            if !limits.away && (next.origin() != asked || !next.username().is_empty() || next.password().is_some()) {
                let why = "it leads to another host, port, scheme or user, which is not believed in its place";
                return Err(HttpError::Redirect(place(&url), why.into()));
            }
            url = next;
        }
        Err(HttpError::Redirect(place(&url), format!("more than {} in a row", limits.redirects)))
    }

    /// TLS everywhere, except where nobody can listen or somebody said so.
    fn allowed(&self, url: &Url) -> Result<(), HttpError> {
        let host = url.host_str().unwrap_or_default();
        let with_port = url.port().map_or_else(|| host.to_owned(), |p| format!("{host}:{p}"));
        match url.scheme() {
            "https" => Ok(()),
            "http" if is_loopback(url) => Ok(()),
            "http" if self.options.plain_http.iter().any(|h| *h == host || *h == with_port) => Ok(()),
            _ => Err(HttpError::Address(place(url), "only https is asked".into())),
        }
    }

    fn live(&self) -> Result<&Live, HttpError> {
        if let Some(live) = self.live.get() {
            return Ok(live);
        }
        // Fails only when somebody installed one already: there is one provider in this binary.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = self.options.client()?;
        let failed = |e: std::io::Error| HttpError::Client(chain(&e));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        Ok(self.live.get_or_init(|| Live { client, runtime: Some(runtime) }))
    }
}

/// One request, at most `tries` times: again after what may pass.
async fn tries(
    request: impl Fn() -> reqwest::RequestBuilder,
    url: &Url,
    limits: Limits,
    tries: u32,
) -> Result<Response, HttpError> {
    let mut pause = Duration::from_millis(200);
    for left in (0..tries.max(1)).rev() {
        let answer = once(request(), url, limits.body).await;
        let wait = match &answer {
            Ok(r) if !limits.waits && (r.status == 429 || r.headers.contains_key(RETRY_AFTER)) => return answer,
            Ok(r) if matches!(r.status, 429 | 500 | 502 | 503 | 504) => retry_after(r).unwrap_or(pause),
            Err(HttpError::Unreachable(_, why)) if !why.contains(DISTRUST) => pause,
            _ => return answer,
        };
        if left == 0 || wait > Duration::from_secs(10) {
            return answer;
        }
        tokio::time::sleep(wait).await;
        pause *= 4;
    }
    Err(HttpError::Unreachable(place(url), "it was not tried".into()))
}

async fn once(request: reqwest::RequestBuilder, url: &Url, most: usize) -> Result<Response, HttpError> {
    let broken = |e: reqwest::Error| HttpError::Unreachable(place(url), helped(chain(&e.without_url())));
    let mut answer = request.send().await.map_err(broken)?;
    if answer.content_length().is_some_and(|n| n > most as u64) {
        return Err(HttpError::TooLarge(place(url), most));
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(broken)? {
        if body.len() + piece.len() > most {
            return Err(HttpError::TooLarge(place(url), most));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Response { status: answer.status().as_u16(), headers: std::mem::take(answer.headers_mut()), body })
}

/// Seconds that the server asks to wait. Its other form, a date, is left to our own pause: clocks differ.
fn retry_after(response: &Response) -> Option<Duration> {
    response.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
