//! A JSON API behind a token: pages followed to their end, limits waited for or told, refusals told with what would help.
//!
//! The token goes to the API's own origin and nowhere else: a next page or a redirect that leads to another host does not get it.

use super::{Header, Http, HttpError, Limits, Response, Secret};
use crate::gather::http::address::parse;
use ::http::header::{ACCEPT, HeaderName};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use std::cell::Cell;
use std::time::Duration;
use url::Url;

/// Pages of one answer that are followed.
const MOST_PAGES: u32 = 200;
/// Bytes of one page.
const LARGEST: usize = 16 * 1024 * 1024;

/// How long an API is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// What may be spent on waiting altogether: for limits that end soon, and for what the platform does not know yet.
    pub(crate) budget: Duration,
    /// What one second of waiting lasts. Tests shorten it.
    pub(crate) second: Duration,
    /// How long questions are asked at all, by the clock.
    pub(crate) whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { budget: Duration::from_secs(60), second: Duration::from_secs(1), whole: Duration::from_secs(300) }
    }
}

/// The API.
pub(crate) struct Api<'a> {
    http: &'a Http,
    base: Url,
    token: Option<(HeaderName, Secret)>,
    plain: Vec<(HeaderName, &'static str)>,
    now: &'a dyn Fn() -> DateTime<Utc>,
    started: DateTime<Utc>,
    patience: Patience,
    left: Cell<Duration>,
    asked: Cell<u64>,
}

/// Why an API did not tell. Names paths, never queries with secrets, headers or bodies.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The token is no good.
    #[error("{0} was refused (401): the token is wrong or has expired")]
    Unauthorized(String),
    /// The token may not.
    #[error("{0} was refused (403){1}")]
    Forbidden(String, String),
    /// Not there, or hidden: platforms answer so to who may not know that it is there.
    #[error("{0} was not found (404): it is not there, or the token may not see it")]
    NotFound(String),
    /// Asked too often.
    #[error("{0} was refused because the API was asked too often{1}")]
    Limited(String, String),
    /// Any other status.
    #[error("{0} was answered with status {1}")]
    Status(String, u16),
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An answer that is not what this API answers.
    #[error("{0} was answered with something else than expected: {1}")]
    Shape(String, String),
    /// The answer goes on, and is not followed.
    #[error("{0} goes on: {1}")]
    Cut(String, String),
    /// Time is up.
    #[error("{0} was not asked any more: questions to the API took longer than {1} s")]
    OutOfTime(String, u64),
}

impl ApiError {
    /// Whether the token may be what is wrong.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Unauthorized(_) | Self::Forbidden(..) | Self::NotFound(_))
    }
}

/// A page of an answer.
pub(crate) trait Page: DeserializeOwned {
    /// What it lists.
    type Item;
    /// Its items; the address of the next page and how many there are in all, where the body tells.
    fn open(self) -> (Vec<Self::Item>, Option<String>, Option<u64>);
}

/// A page that is a list, with the next one in the `Link` header (RFC 8288).
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct List<T>(Vec<T>);

impl<T: DeserializeOwned> Page for List<T> {
    type Item = T;
    fn open(self) -> (Vec<T>, Option<String>, Option<u64>) {
        (self.0, None, None)
    }
}

/// All pages, as far as they could be read.
#[derive(Debug)]
pub(crate) struct Pages<T> {
    /// What they list, in the order of the answer.
    pub(crate) items: Vec<T>,
    /// Pages that were read.
    pub(crate) read: u32,
    /// How many items the platform says there are.
    pub(crate) told: Option<u64>,
    /// Why it ends before its end.
    pub(crate) missing: Option<ApiError>,
    /// The first request, as it may be told.
    pub(crate) request: String,
}

impl<'a> Api<'a> {
    /// The API at `base`. An error means that the address is none.
    pub(crate) fn new(
        http: &'a Http,
        base: &str,
        token: Option<(HeaderName, Secret)>,
        plain: Vec<(HeaderName, &'static str)>,
        now: &'a dyn Fn() -> DateTime<Utc>,
        patience: Patience,
    ) -> Result<Self, HttpError> {
        let base = parse(&format!("{}/", base.trim_end_matches('/')))?;
        let left = Cell::new(patience.budget);
        Ok(Self { http, base, token, plain, now, started: now(), patience, left, asked: Cell::new(0) })
    }

    /// The API's address, as it may be told.
    pub(crate) fn place(&self) -> String {
        super::address::place(&self.base).trim_end_matches('/').to_owned()
    }

    /// The clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.now)()
    }

    /// Waits for something that may come, if there is time left to wait; whether it waited.
    pub(crate) fn wait(&self, seconds: u32) -> bool {
        let Some(left) = self.left.get().checked_sub(Duration::from_secs(seconds.into())) else { return false };
        self.left.set(left);
        std::thread::sleep(self.patience.second * seconds);
        true
    }

    /// What `path` answers. It begins below the API's address, without a slash.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let url = self.url(path)?;
        let answer = self.ask(&url)?;
        self.read(&url, &answer)
    }

    /// What `path` answers; `None` where it says that there is nothing.
    pub(crate) fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ApiError> {
        match self.get(path) {
            Ok(found) => Ok(Some(found)),
            Err(ApiError::NotFound(_)) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// All pages that `path` answers with.
    pub(crate) fn pages<P: Page>(&self, path: &str) -> Pages<P::Item> {
        self.pages_while::<P>(path, &mut |_| true)
    }

    /// Pages until `wanted` says that an item and all behind it are not.
    pub(crate) fn pages_while<P: Page>(&self, path: &str, wanted: &mut dyn FnMut(&P::Item) -> bool) -> Pages<P::Item> {
        let mut all = Pages { items: Vec::new(), read: 0, told: None, missing: None, request: String::new() };
        let mut url = match self.url(path) {
            Ok(url) => url,
            Err(e) => {
                all.missing = Some(e);
                return all;
            }
        };
        all.request = url.to_string();
        let mut seen = vec![url.clone()];
        loop {
            let page = self.ask(&url).and_then(|answer| Ok((self.read::<P>(&url, &answer)?, answer)));
            let (page, answer) = match page {
                Ok(page) => page,
                Err(e) => {
                    all.missing = Some(e);
                    return all;
                }
            };
            all.read += 1;
            let (items, next, told) = page.open();
            all.told = told.or(all.told);
            for item in items {
                if !wanted(&item) {
                    return all;
                }
                all.items.push(item);
            }
            let Some(next) = next.or_else(|| next_link(&answer)) else { return all };
            let cut = |why: &str| Some(ApiError::Cut(self.path(&url), why.to_owned()));
            let Ok(next) = url.join(&next) else {
                all.missing = cut("the address of its next page is none");
                return all;
            };
            if next.origin() != self.base.origin() {
                all.missing = cut("its next page is on another host, which does not get the token");
                return all;
            }
            if seen.contains(&next) {
                all.missing = cut("its next page is one that was read already");
                return all;
            }
            if all.read >= MOST_PAGES {
                all.missing = cut("there are more than 200 pages of it");
                return all;
            }
            seen.push(next.clone());
            url = next;
        }
    }

    fn url(&self, path: &str) -> Result<Url, ApiError> {
        let url = self.base.join(path.trim_start_matches('/'));
        let url = url.map_err(|e| HttpError::Address("an address of the API".into(), e.to_string()))?;
        // A name that was meant for a segment must not lead out of the API.
        if url.origin() != self.base.origin() || !url.path().starts_with(self.base.path()) {
            return Err(
                HttpError::Address(super::address::place(&url), "it is not below the API's address".into()).into()
            );
        }
        Ok(url)
    }

    /// The path as it stands in messages.
    fn path(&self, url: &Url) -> String {
        format!("`{}`", url.path())
    }

    fn ask(&self, url: &Url) -> Result<Response, ApiError> {
        loop {
            let spent = ((self.now)() - self.started).to_std().unwrap_or_default();
            if spent > self.patience.whole {
                return Err(ApiError::OutOfTime(self.path(url), self.patience.whole.as_secs()));
            }
            self.asked.set(self.asked.get() + 1);
            let mut headers = vec![(ACCEPT, Header::Plain("application/json"))];
            headers.extend(self.plain.iter().map(|(name, value)| (name.clone(), Header::Plain(value))));
            headers.extend(self.token.iter().map(|(name, secret)| (name.clone(), Header::Secret(secret))));
            let answer = self.http.get(url.as_str(), &headers, Limits { body: LARGEST, redirects: 3 })?;
            match self.refusal(url, &answer) {
                None => return Ok(answer),
                Some(ApiError::Limited(path, why)) => {
                    let wait = self.limited_for(&answer).filter(|s| self.wait(*s));
                    if wait.is_none() {
                        return Err(ApiError::Limited(path, why));
                    }
                }
                Some(other) => return Err(other),
            }
        }
    }

    /// What a status other than success means.
    fn refusal(&self, url: &Url, answer: &Response) -> Option<ApiError> {
        let path = || self.path(url);
        let limited = answer.status == 429
            || answer.status == 403
                && (answer.header("x-ratelimit-remaining") == Some("0") || answer.header("retry-after").is_some());
        Some(match answer.status {
            200..=299 => return None,
            _ if limited => {
                let until =
                    self.limited_for(answer).map(|s| format!("; it answers again in {s} s")).unwrap_or_default();
                ApiError::Limited(path(), until)
            }
            401 => ApiError::Unauthorized(path()),
            403 => ApiError::Forbidden(path(), needs(answer)),
            404 => ApiError::NotFound(path()),
            other => ApiError::Status(path(), other),
        })
    }

    /// Seconds until the API answers again: `Retry-After`, or the end of the window that GitHub (`x-ratelimit-reset`) and GitLab
    /// (`RateLimit-Reset`) name in seconds since 1970.
    fn limited_for(&self, answer: &Response) -> Option<u32> {
        let number = |name: &str| answer.header(name)?.trim().parse::<i64>().ok();
        let until = |at: i64| at - (self.now)().timestamp() + 1;
        let seconds = number("retry-after")
            .or_else(|| number("x-ratelimit-reset").map(until))
            .or_else(|| number("ratelimit-reset").map(until));
        u32::try_from(seconds?.clamp(1, i64::from(u32::MAX))).ok()
    }

    fn read<T: DeserializeOwned>(&self, url: &Url, answer: &Response) -> Result<T, ApiError> {
        serde_json::from_slice(&answer.body).map_err(|e| {
            // serde's own message may quote the answer
            let what = if e.is_data() { "it has another shape" } else { "it is not JSON" };
            ApiError::Shape(self.path(url), format!("{what} at line {} column {}", e.line(), e.column()))
        })
    }
}

/// The permission that GitHub says would have been enough (GitHub docs, "Troubleshooting the REST API").
fn needs(answer: &Response) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-=,; ".contains(c);
    match answer.header("x-accepted-github-permissions").filter(|h| h.chars().all(fits) && h.len() <= 200) {
        Some(permissions) if !permissions.is_empty() => format!("; it needs {permissions}"),
        _ => String::new(),
    }
}

/// The target of `rel="next"` in a `Link` header (RFC 8288).
fn next_link(answer: &Response) -> Option<String> {
    let link = answer.header("link")?;
    link.split(',').find_map(|part| {
        let (target, parameters) = part.trim().strip_prefix('<')?.split_once('>')?;
        let next = |p: &str| {
            p.trim().strip_prefix("rel=").is_some_and(|rel| rel.trim_matches('"').split(' ').any(|word| word == "next"))
        };
        parameters.split(';').any(next).then(|| target.to_owned())
    })
}

/// A name as one segment of a path: nothing in it can lead anywhere else (RFC 3986, 2.3).
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => out.push(char::from(byte)),
            // a segment of nothing but dots climbs
            b'.' if !text.bytes().all(|b| b == b'.') => out.push('.'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
