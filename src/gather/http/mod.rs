//! The one HTTP client of this pillar: bounded in time, size, tries and redirects; careful with secrets.
//!
//! Asynchronous inside, blocking outside: who gathers does one thing after another.

mod address;
pub(crate) mod api;
#[cfg(test)]
pub(crate) mod loopback;
mod secret;
#[cfg(test)]
mod tests;
#[cfg(feature = "tsa")]
mod timestamp;
#[cfg(test)]
mod tls_tests;

pub(crate) use address::is_loopback;
use address::{parse, place, redirected};
pub(crate) use secret::{Header, Secret};

use ::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use std::sync::OnceLock;
use std::time::Duration;
use url::Url;

/// How the client behaves. `Default` is right for everything but tests and unusual networks.
#[derive(Clone)]
pub(crate) struct Options {
    /// Time to connect.
    pub connect: Duration,
    /// Time for one call, with its retries and redirects.
    pub whole: Duration,
    /// Tries of one request, the first included.
    pub tries: u32,
    /// Proxy for https (`HTTPS_PROXY`). May hold a password, hence no `Debug` here.
    pub https_proxy: Option<String>,
    /// Hosts that are asked directly (`NO_PROXY`).
    pub no_proxy: Option<String>,
    /// Certificate authorities (PEM) that are believed beside the system's.
    pub ca: Option<Vec<u8>>,
    /// `host` or `host:port` that may be asked without TLS. Loopback may always be.
    pub plain_http: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            whole: Duration::from_secs(30),
            tries: 3,
            https_proxy: None,
            no_proxy: None,
            ca: None,
            plain_http: Vec::new(),
        }
    }
}

impl Options {
    /// With proxies by the variables that every such tool reads.
    pub(crate) fn proxied(get: impl Fn(&str) -> Option<String>) -> Self {
        let either = |a: &str, b: &str| get(a).or_else(|| get(b)).filter(|v| !v.is_empty());
        Self {
            https_proxy: either("HTTPS_PROXY", "https_proxy"),
            no_proxy: either("NO_PROXY", "no_proxy"),
            ..Self::default()
        }
    }
}

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

/// Why there is no answer. Messages name hosts and paths, never queries, headers or bodies.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The address is none that may be asked.
    #[error("could not ask `{0}`: {1}")]
    Address(String, String),
    /// The client could not start.
    #[error("could not start the HTTPS client: {0}. Install the system's CA certificates or set SSL_CERT_FILE")]
    Client(String),
    /// The client was told what it cannot do.
    #[error("could not start the HTTPS client: {0}")]
    Settings(String),
    /// No connection, or it broke.
    #[error("could not reach `{0}`: {1}")]
    Unreachable(String, String),
    /// It took too long.
    #[error("could not get `{0}`: no answer within {1:.1} s")]
    Timeout(String, f32),
    /// The body is over the limit.
    #[error("could not get `{0}`: the answer is larger than {1} bytes")]
    TooLarge(String, usize),
    /// The redirect leads nowhere, or there are too many.
    #[error("could not follow the redirect of `{0}`: {1}")]
    Redirect(String, String),
    /// It answered, and not with what was asked for.
    #[cfg(feature = "tsa")]
    #[error("could not use the answer of `{0}`: {1}")]
    Answer(String, String),
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
        answer.map_err(|e| match (e, self.proxy()) {
            (HttpError::Unreachable(place, why), Some(proxy)) if url.scheme() == "https" => {
                HttpError::Unreachable(place, format!("{why}. HTTPS_PROXY names `{proxy}`"))
            }
            (other, _) => other,
        })
    }

    /// The proxy, as it may be told. A scheme is not always said, and then it is http.
    fn proxy(&self) -> Option<String> {
        let told = self.options.https_proxy.as_deref().filter(|p| !p.is_empty())?;
        let url = Url::parse(told).ok().filter(Url::has_host).or_else(|| Url::parse(&format!("http://{told}")).ok());
        Some(place(&url?))
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
        let failed = |e: &dyn std::error::Error| HttpError::Client(chain(e));
        // `no_proxy` also turns off reqwest's own look at the environment, which is not ours to read here.
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.options.connect)
            .user_agent(concat!("vouchsafe/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = self.options.https_proxy.as_deref().filter(|p| !p.is_empty()) {
            let proxy = reqwest::Proxy::https(proxy).map_err(|_| {
                // The address may hold a password.
                HttpError::Settings("the address of the proxy in HTTPS_PROXY cannot be used".into())
            })?;
            let direct = self.options.no_proxy.as_deref().and_then(reqwest::NoProxy::from_string);
            builder = builder.proxy(proxy.no_proxy(direct));
        }
        if let Some(pem) = &self.options.ca {
            let all = reqwest::Certificate::from_pem_bundle(pem).map_err(|_| bad_authority())?;
            if all.is_empty() {
                let why = "the file of certificate authorities (--ca-file) holds none; it holds certificates as PEM";
                return Err(HttpError::Settings(why.into()));
            }
            builder = all.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
        }
        let client = builder.build().map_err(|e| match failed(&e) {
            HttpError::Client(why) if why.contains(DISTRUST) => bad_authority(),
            other => other,
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| failed(&e))?;
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

fn bad_authority() -> HttpError {
    HttpError::Settings(
        "the file of certificate authorities (--ca-file) holds a certificate that cannot be read".into(),
    )
}

/// How rustls begins what it says about a certificate.
const DISTRUST: &str = "invalid peer certificate";

/// With what would help: authorities of one's own are the rule behind a firewall.
fn helped(mut why: String) -> String {
    if why.contains(DISTRUST) && ["UnknownIssuer", "CaUsedAsEndEntity"].iter().any(|word| why.contains(word)) {
        why.push_str(". If it is yours, name its certificate authority with --ca-file or SSL_CERT_FILE");
    }
    why
}

/// An error with its causes: reqwest's own text stops at "error sending request".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
