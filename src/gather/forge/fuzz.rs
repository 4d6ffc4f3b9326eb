//! Any bytes as what a forge sends, for `fuzz/`.

use super::{Delivered, FORGES, PipelineFiles};
use crate::gather::http::{Secret, api};
use crate::gather::tickets;
use std::sync::LazyLock;

/// What says in a header which event it is (GitHub, Gitea and Forgejo, Bitbucket); GitLab's bodies say it.
const EVENTS: [(&str, &[&str]); 4] = [
    (
        "x-github-event",
        &[
            "push",
            "pull_request",
            "pull_request_review",
            "branch_protection_rule",
            "repository_ruleset",
            "delete",
            "ping",
        ],
    ),
    ("x-gitea-event", &["push", "pull_request", "pull_request_approved", "delete"]),
    ("x-event-key", &["repo:push", "pullrequest:fulfilled", "pullrequest:approved"]),
    ("x-gitlab-event", &["Push Hook", "Merge Request Hook"]),
];

static FILES: LazyLock<Option<PipelineFiles>> = LazyLock::new(|| PipelineFiles::new(&[]).ok());
static TICKETS: LazyLock<Option<regex::Regex>> = LazyLock::new(|| tickets::pattern(tickets::DEFAULT_PATTERN).ok());

/// `bytes` as headers of an answer, and as every event of every forge, with headers of its own before an empty line. Asserts that
/// nothing is authentic whose signature nobody checked.
pub(crate) fn fuzz(bytes: &[u8]) {
    let (Some(pipeline_files), Some(tickets)) = (&*FILES, &*TICKETS) else { return };
    api::fuzz(bytes);
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\n\n").unwrap_or(("", &text));
    let own =
        head.lines().filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let own: Vec<(String, String)> = own.take(20).collect();
    let secret = Secret::new("c1f0f1ce-9d3e-4a51-8d57-2a1f6f2f7a10".to_owned());
    let events = EVENTS.iter().flat_map(|(name, values)| values.iter().map(move |value| (*name, *value)));
    for (name, value) in events {
        let named = (name.to_owned(), value.to_owned());
        for forge in FORGES {
            for (secret, headers) in
                [(None, [own.clone(), vec![named.clone()]].concat()), (Some(&secret), vec![named.clone()])]
            {
                let delivered = Delivered { headers: &headers, body: body.as_bytes(), secret, pipeline_files, tickets };
                if let Ok(told) = (forge.event)(&delivered, None) {
                    assert!(!told.authentic, "{} {value}: nobody checked who sent it", forge.name);
                }
            }
        }
    }
}
