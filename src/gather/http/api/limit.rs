//! Limits: whether an answer says that the API was asked too often, and how long it asks to wait.
//!
//! GitHub (docs, "Rate limits for the REST API") answers 403 or 429: with `x-ratelimit-remaining: 0` and the end of the window, or with
//! `retry-after`, or with a message alone, and then asks for a minute. GitLab answers 429 with `Retry-After` and `RateLimit-Reset`,
//! Bitbucket 429 with nothing. A window that is not used up (`remaining` above 0) does not say when the limit ends.

use crate::gather::http::Response;
use chrono::{DateTime, TimeDelta, Utc};

/// Where nothing is said: GitHub asks for at least a minute, GitLab's windows last one.
const UNSAID: u32 = 60;
/// Bytes of a body that are searched for the word.
const SEARCHED: usize = 16 * 1024;

/// An answer that comes too early to be the last word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// Seconds to wait.
    pub(super) seconds: u32,
    /// Whether the answer says so itself.
    pub(super) said: bool,
    /// Whether the reason is that too much was asked, and not that the server rests.
    pub(super) asked_too_often: bool,
}

/// What `answer`, which came at `now`, says about asking again.
pub(super) fn of(answer: &Response, now: DateTime<Utc>) -> Option<Limit> {
    // moments are told by the server's clock, and ours may differ
    let now = answer.header("date").and_then(date).unwrap_or(now);
    let used_up = |header: &str| answer.header(header).is_some_and(|left| left.trim() == "0");
    let after = answer.header("retry-after").and_then(|text| after(text, now));
    let asked_too_often = match answer.status {
        429 => true,
        403 => after.is_some() || used_up("x-ratelimit-remaining") || says_so(answer),
        _ => false,
    };
    let rests = answer.status == 503 && after.is_some();
    if !(asked_too_often || rests) {
        return None;
    }
    let window = |left: &str, end: &str| {
        let open = answer.header(left).is_some_and(|left| left.trim() != "0");
        answer.header(end).filter(|_| !open).and_then(|text| reset(text, now))
    };
    let seconds = after
        .or_else(|| window("x-ratelimit-remaining", "x-ratelimit-reset"))
        .or_else(|| window("ratelimit-remaining", "ratelimit-reset"));
    let bounded = |s: i64| u32::try_from(s.clamp(1, i64::from(u32::MAX))).unwrap_or(u32::MAX);
    Some(Limit { seconds: seconds.map_or(UNSAID, bounded), said: seconds.is_some(), asked_too_often })
}

impl Limit {
    /// For people: when the API answers again, by our clock.
    pub(super) fn until(&self, now: DateTime<Utc>) -> String {
        if !self.said {
            return "; it does not say for how long".to_owned();
        }
        match now.checked_add_signed(TimeDelta::seconds(self.seconds.into())).filter(|_| self.seconds < 1_000_000_000) {
            Some(at) => format!("; it answers again in {} s, at {}", self.seconds, at.format("%Y-%m-%dT%H:%M:%SZ")),
            None => "; it does not answer again in our time".to_owned(),
        }
    }
}

/// Seconds, or a moment (RFC 9110, 10.2.3).
fn after(text: &str, now: DateTime<Utc>) -> Option<i64> {
    text.trim().parse::<u32>().ok().map(i64::from).or_else(|| Some((date(text)? - now).num_seconds()))
}

/// Seconds since 1970, or seconds from now, as gateways count (draft-ietf-httpapi-ratelimit-headers-06).
fn reset(text: &str, now: DateTime<Utc>) -> Option<i64> {
    let number: i64 = text.trim().parse().ok().filter(|n| *n >= 0)?;
    // one more: a window ends within its last second
    Some(if number >= 1_000_000_000 { number - now.timestamp() + 1 } else { number })
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|t| t.to_utc())
}

/// GitHub's message, and that of older Enterprise Servers. It is the only sign where no header is sent.
fn says_so(answer: &Response) -> bool {
    let body = answer.body.get(..SEARCHED).unwrap_or(&answer.body);
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    ["secondary rate limit", "api rate limit exceeded", "abuse detection mechanism"]
        .iter()
        .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::http::{HeaderMap, HeaderName, HeaderValue};

    /// 2026-11-25T12:00:00Z
    const NOW: i64 = 1_795_608_000;

    fn limit(status: u16, headers: &[(&str, String)], body: &str) -> Option<(u32, bool)> {
        let headers =
            headers.iter().map(|(n, v)| (n.parse::<HeaderName>().unwrap(), HeaderValue::from_str(v).unwrap()));
        let answer = Response { status, headers: HeaderMap::from_iter(headers), body: body.into() };
        of(&answer, DateTime::from_timestamp(NOW, 0).unwrap()).map(|l| (l.seconds, l.said))
    }

    fn h(name: &'static str, value: impl ToString) -> (&'static str, String) {
        (name, value.to_string())
    }

    #[test]
    fn limits_are_told_from_refusals() {
        let none = h("x-ratelimit-remaining", 0);
        let some = h("x-ratelimit-remaining", 4711);
        let secondary = r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes."}"#;
        type Row = (&'static str, u16, Vec<(&'static str, String)>, &'static str, Option<(u32, bool)>);
        let table: Vec<Row> = vec![
            ("GitHub, window used up", 403, vec![none.clone(), h("x-ratelimit-reset", NOW + 30)], "", Some((31, true))),
            ("the same as 429", 429, vec![none.clone(), h("x-ratelimit-reset", NOW + 30)], "", Some((31, true))),
            ("GitHub, secondary", 403, vec![some.clone(), h("retry-after", 7)], secondary, Some((7, true))),
            (
                "its window is not what ends it",
                403,
                vec![some.clone(), h("x-ratelimit-reset", NOW + 1800)],
                secondary,
                Some((60, false)),
            ),
            ("no header at all", 403, vec![], secondary, Some((60, false))),
            (
                "an older Enterprise Server",
                403,
                vec![],
                "You have triggered an abuse detection mechanism.",
                Some((60, false)),
            ),
            (
                "GitLab",
                429,
                vec![h("ratelimit-remaining", 0), h("ratelimit-reset", NOW + 20)],
                "Retry later",
                Some((21, true)),
            ),
            ("GitLab, both", 429, vec![h("retry-after", 5), h("ratelimit-reset", NOW + 20)], "", Some((5, true))),
            (
                "GitLab, wrong window",
                429,
                vec![h("ratelimit-remaining", 595), h("ratelimit-reset", NOW + 20)],
                "",
                Some((60, false)),
            ),
            ("a gateway counts from now", 429, vec![h("ratelimit-reset", 12)], "", Some((12, true))),
            ("Bitbucket", 429, vec![], "Rate limit for this resource has been exceeded", Some((60, false))),
            ("a date", 429, vec![h("retry-after", "Wed, 25 Nov 2026 12:00:09 GMT")], "", Some((9, true))),
            (
                "a date by the server's clock",
                429,
                vec![h("date", "Wed, 25 Nov 2026 11:00:00 GMT"), h("retry-after", "Wed, 25 Nov 2026 11:00:09 GMT")],
                "",
                Some((9, true)),
            ),
            (
                "our clock is an hour ahead",
                403,
                vec![h("date", "Wed, 25 Nov 2026 11:00:00 GMT"), none.clone(), h("x-ratelimit-reset", NOW - 3600 + 30)],
                "",
                Some((31, true)),
            ),
            ("a window that has ended", 403, vec![none.clone(), h("x-ratelimit-reset", NOW - 5)], "", Some((1, true))),
            (
                "nonsense",
                429,
                vec![h("retry-after", "soon"), h("x-ratelimit-reset", "-1"), h("date", "now")],
                "",
                Some((60, false)),
            ),
            (
                "for ever",
                429,
                vec![h("retry-after", u64::MAX), h("ratelimit-reset", i64::MAX)],
                "",
                Some((u32::MAX, true)),
            ),
            ("a server that rests", 503, vec![h("retry-after", 3)], "", Some((3, true))),
            ("a server that is broken", 503, vec![], "", None),
            (
                "a refusal",
                403,
                vec![some.clone(), h("x-ratelimit-reset", NOW + 30)],
                r#"{"message":"Resource not accessible by integration"}"#,
                None,
            ),
            ("a plain refusal", 403, vec![], "", None),
            ("no such thing", 404, vec![none.clone(), h("x-ratelimit-reset", NOW + 30)], "", None),
            ("the last that was allowed", 200, vec![none, h("x-ratelimit-reset", NOW + 30)], secondary, None),
        ];
        for (what, status, headers, body, wanted) in table {
            assert_eq!(limit(status, &headers, body), wanted, "{what}");
        }
    }

    #[test]
    fn the_end_of_a_limit_is_told_by_our_clock() {
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        let told = |seconds, said| Limit { seconds, said, asked_too_often: true }.until(now);
        assert_eq!(told(600, true), "; it answers again in 600 s, at 2026-11-25T12:10:00Z");
        assert_eq!(told(60, false), "; it does not say for how long");
        assert_eq!(told(u32::MAX, true), "; it does not answer again in our time");
    }
}
