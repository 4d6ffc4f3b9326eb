//! A JSON API behind a token: pages followed to their end, limits waited for or told, refusals told with what would help.
//!
//! The token goes to the API's own origin and nowhere else: a next page or a redirect that leads to another host does not get it.

mod error;
mod limit;
mod link;
mod page;
mod path;
#[cfg(test)]
mod tests;

pub(crate) use error::ApiError;
pub(crate) use page::{List, Page, Pages};
pub(crate) use path::segment;

use super::address::{LONGEST, parse, place, told};
use super::{Header, Http, HttpError, Limits, Response, Secret};
use ::http::header::{ACCEPT, CONTENT_TYPE, HeaderName, LINK};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use std::cell::Cell;
use std::time::Duration;
use url::Url;

/// Pages of one answer that are followed.
const MOST_PAGES: u32 = 200;
/// Items of all its pages.
const MOST_ITEMS: usize = 100_000;
/// Bytes of all its pages.
const MOST_BYTES: usize = 256 * 1024 * 1024;
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

/// Questions in a row that brought no answer at all; the next ones would only make a deployment wait.
const MOST_UNHEARD: u32 = 2;

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
    unheard: Cell<u32>,
}

impl<'a> Api<'a> {
    /// The API at `base`. An error means that the address is none that an API can have.
    pub(crate) fn new(
        http: &'a Http,
        base: &str,
        token: Option<(HeaderName, Secret)>,
        plain: Vec<(HeaderName, &'static str)>,
        now: &'a dyn Fn() -> DateTime<Utc>,
        patience: Patience,
    ) -> Result<Self, HttpError> {
        let base = parse(&format!("{}/", base.trim_end_matches('/')))?;
        let wrong = match () {
            () if base.cannot_be_a_base() || base.host_str().is_none() => Some("it names no host"),
            () if base.query().is_some() || base.fragment().is_some() => {
                Some("the address of an API ends before a `?` or `#`")
            }
            () if !base.username().is_empty() || base.password().is_some() => {
                Some("a user or password in it is not sent; the token is said on its own")
            }
            () => None,
        };
        if let Some(why) = wrong {
            return Err(HttpError::Address(place(&base), why.to_owned()));
        }
        let left = Cell::new(patience.budget);
        Ok(Self { http, base, token, plain, now, started: now(), patience, left, unheard: Cell::new(0) })
    }

    /// The API's address, as it may be told.
    pub(crate) fn place(&self) -> String {
        place(&self.base).trim_end_matches('/').to_owned()
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
        all.request = told(&url);
        let (mut bytes, mut seen) = (0, vec![url.clone()]);
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
            bytes += answer.body.len();
            let Some(next) = next.or_else(|| next_link(&answer)) else { return all };
            let next = self.next(&url, &next).and_then(|next| match () {
                () if seen.contains(&next) => Err("its next page is one that was read already"),
                () if all.read >= MOST_PAGES => Err("there are more than 200 pages of it"),
                () if all.items.len() >= MOST_ITEMS || bytes >= MOST_BYTES => Err("there is more of it than is kept"),
                () => Ok(next),
            });
            match next {
                Ok(next) => seen.push(next.clone()),
                Err(why) => {
                    all.missing = Some(ApiError::Cut(self.path(&url), why.to_owned()));
                    return all;
                }
            }
            url.clone_from(&seen[seen.len() - 1]);
        }
    }

    /// The address of the page after `url`, if it may have the token.
    fn next(&self, url: &Url, next: &str) -> Result<Url, &'static str> {
        if next.len() > LONGEST {
            return Err("the address of its next page is longer than an address is");
        }
        let mut next = url.join(next).map_err(|_| "the address of its next page is none")?;
        next.set_fragment(None);
        if next.origin() != self.base.origin() {
            return Err("its next page is on another host, port or scheme, which does not get the token");
        }
        if !next.username().is_empty() || next.password().is_some() {
            return Err("the address of its next page names a user");
        }
        Ok(next)
    }

    fn url(&self, path: &str) -> Result<Url, ApiError> {
        let refused = |why: &str| HttpError::Address(format!("{}/…", self.place()), why.to_owned());
        if let Some(why) = path::climbs(path) {
            return Err(refused(why).into());
        }
        let url = parse(&format!("{}{}", self.base, path.trim_start_matches('/')))?;
        if url.origin() != self.base.origin() || !url.path().starts_with(self.base.path()) {
            return Err(refused("the address is not below the API's").into());
        }
        Ok(url)
    }

    /// The path as it stands in messages.
    fn path(&self, url: &Url) -> String {
        format!("`{}`", super::address::short(url.path()))
    }

    fn ask(&self, url: &Url) -> Result<Response, ApiError> {
        let mut least = 1;
        loop {
            let spent = ((self.now)() - self.started).to_std().unwrap_or_default();
            if spent > self.patience.whole {
                return Err(ApiError::OutOfTime(self.path(url), self.patience.whole.as_secs()));
            }
            if self.unheard.get() >= MOST_UNHEARD {
                return Err(ApiError::Silent(self.path(url)));
            }
            let mut headers = vec![(ACCEPT, Header::Plain("application/json"))];
            headers.extend(self.plain.iter().map(|(name, value)| (name.clone(), Header::Plain(value))));
            headers.extend(self.token.iter().map(|(name, secret)| (name.clone(), Header::Secret(secret))));
            let answer = self.http.get(url.as_str(), &headers, Limits { body: LARGEST, ..Limits::api() });
            let silent = matches!(answer, Err(HttpError::Unreachable(..) | HttpError::Timeout(..)));
            self.unheard.set(if silent { self.unheard.get() + 1 } else { 0 });
            let answer = answer?;
            let Some(limit) = limit::of(&answer, (self.now)()) else {
                return self.refusal(url, &answer).map_or(Ok(answer), Err);
            };
            // longer with each time: who asks on within a limit may be shut out (GitHub docs)
            if !self.wait(limit.seconds.max(least)) {
                return Err(match limit.asked_too_often {
                    true => ApiError::Limited(self.path(url), limit.until((self.now)())),
                    false => ApiError::Status(self.path(url), answer.status),
                });
            }
            least = least.saturating_mul(2);
        }
    }

    /// What a status other than success means.
    fn refusal(&self, url: &Url, answer: &Response) -> Option<ApiError> {
        let path = self.path(url);
        Some(match answer.status {
            202 => ApiError::NotYet(path),
            200..=299 => return None,
            401 => ApiError::Unauthorized(path),
            403 => ApiError::Forbidden(path, needs(answer)),
            404 => ApiError::NotFound(path),
            other => ApiError::Status(path, other),
        })
    }

    fn read<T: DeserializeOwned>(&self, url: &Url, answer: &Response) -> Result<T, ApiError> {
        let shape = |what: String| ApiError::Shape(self.path(url), what);
        // RFC 8259, 8.1: a byte order mark may be passed over
        let body = answer.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&answer.body);
        serde_json::from_slice(body).map_err(|e| {
            // serde's own message may quote the answer
            let what = match e.is_data() {
                true => "it has another shape",
                false if body.trim_ascii().is_empty() => {
                    return shape(format!("it is empty (status {})", answer.status));
                }
                false if is_page(answer, body) => {
                    return shape(
                        "it is a page for people, as proxies and login pages answer. Is this the API's address?"
                            .to_owned(),
                    );
                }
                false => "it is not JSON",
            };
            shape(format!("{what} at line {} column {}", e.line(), e.column()))
        })
    }
}

fn is_page(answer: &Response, body: &[u8]) -> bool {
    let kind = answer.header(CONTENT_TYPE.as_str()).unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/html") || body.trim_ascii_start().starts_with(b"<")
}

/// `bytes` as headers and as the body of an answer, and as a name in a path. For `fuzz/`.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(target) = link::next(&text) {
        assert!(text.contains(&target) && !target.contains('>'), "a target is a part of its header");
    }
    let line = text.split('\n').next().unwrap_or_default();
    for (status, name) in [(429, "retry-after"), (403, "x-ratelimit-reset"), (503, "retry-after"), (403, "date")] {
        let value = ::http::HeaderValue::from_bytes(line.as_bytes());
        let headers = value.into_iter().map(|value| (HeaderName::from_static(name), value)).collect();
        let answer = Response { status, headers, body: bytes.to_vec() };
        if let Some(limit) = limit::of(&answer, DateTime::UNIX_EPOCH) {
            assert!(limit.seconds > 0, "who waits for nothing asks for ever");
            let _ = limit.until(DateTime::UNIX_EPOCH);
        }
    }
    let _ = serde_json::from_slice::<List<serde_json::Value>>(bytes).map(List::open);
    let path = format!("repos/{}/pulls", segment(line));
    if let (None, Ok(url)) = (path::climbs(&path), Url::parse(&format!("https://api.example/{path}"))) {
        assert!(
            url.path_segments().is_some_and(|s| s.count() == 3) && url.query().is_none(),
            "a name stays in its place"
        );
        let _ = told(&url);
    }
    if let Some(told) = Url::parse(&text).ok().and_then(|url| Url::parse(&told(&url)).ok()) {
        assert!(told.query_pairs().all(|(name, _)| !name.eq_ignore_ascii_case("private_token")), "a secret is told");
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

/// The next page by the `Link` headers: there may be several (RFC 9110, 5.3).
fn next_link(answer: &Response) -> Option<String> {
    answer.headers.get_all(LINK).iter().find_map(|value| link::next(&String::from_utf8_lossy(value.as_bytes())))
}
