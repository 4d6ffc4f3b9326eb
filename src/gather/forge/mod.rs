//! Forges: where the repository lives and changes are reviewed. Who runs the pipeline (`platform/`) may be somebody else: Jenkins
//! builds what GitHub keeps.
//!
//! A forge is asked by its API; what it answers becomes the same facts for all of them (`facts.rs`), and what reviews are worth
//! is decided in one place for all of them (`approval.rs`). Nothing here fails a record: what could not be read is said.

mod approval;
mod bitbucket;
mod brought;
mod bypass;
#[cfg(test)]
mod cases;
mod facts;
#[cfg(fuzzing)]
mod fuzz;
mod gitea;
mod github;
mod gitlab;
mod loose;
mod moved;
mod numbered;
mod pipeline_files;
mod reach;
mod signature;

pub(crate) use facts::{Bypass, Collected, Delivered, EventError, Found, Period, Population, Push, Span};
#[cfg(fuzzing)]
pub(crate) use fuzz::fuzz;
pub(crate) use pipeline_files::PipelineFiles;
pub(crate) use reach::{Given, Reach, name_in, reach, which};

use super::http::api::Api;

/// Everything that a question to a forge needs.
pub(crate) struct Asking<'a> {
    /// The API, with the token.
    pub(crate) api: &'a Api<'a>,
    /// Where the token came from, for people: a variable's or a flag's name.
    pub(crate) token_from: &'a str,
    /// Full name of the repository, `group/project`.
    pub(crate) repository: &'a str,
    /// Its id, where it is known.
    pub(crate) repository_id: Option<&'a str>,
    /// How a ticket looks in titles and branches.
    pub(crate) tickets: &'a regex::Regex,
    /// Which files decide what a pipeline does.
    pub(crate) pipeline_files: &'a PipelineFiles,
}

/// A forge.
pub(crate) struct Forge {
    /// Its name: the platform's word where it runs pipelines, too.
    pub(crate) name: &'static str,
    /// Hosts that are known to be it; one that begins with a dot stands for all below it.
    hosts: &'static [&'static str],
    /// The header by which its webhooks say what they are.
    pub(crate) event_header: &'static str,
    /// Headers that say in which version its API is asked.
    pub(crate) headers: &'static [(&'static str, &'static str)],
    /// How a token comes to us, for who has given none.
    token: &'static str,
    /// How the API of the repository is reached, by what was given.
    reach: fn(&Given) -> Option<Reach>,
    /// The pull requests that brought the commits of a span.
    pub(crate) changes: fn(&Asking, &Span) -> Found,
    /// The pushes to protected branches within a period, and the bypasses among them.
    pub(crate) pushes: fn(&Asking, &Period) -> Collected,
    /// What a webhook tells. The API, where there is one, completes it.
    pub(crate) event: fn(&Delivered, Option<&Asking>) -> Result<Collected, EventError>,
    /// What happened within a period.
    pub(crate) population: fn(&Asking, &Period) -> Population,
}

/// TABLE of forges. Who sends the headers of others, too, stands behind them: Gitea those of GitHub, Forgejo those of both.
pub(crate) const FORGES: &[Forge] = &[
    Forge {
        name: "github",
        hosts: &["github.com", "ssh.github.com", ".ghe.com"],
        event_header: "X-GitHub-Event",
        headers: &[("x-github-api-version", "2022-11-28")],
        token: "give the step GITHUB_TOKEN and the job `pull-requests: read`, or say --api-token",
        reach: github::reach,
        changes: github::changes,
        pushes: github::pushes,
        event: github::event,
        population: github::population,
    },
    Forge {
        name: "gitlab",
        hosts: &["gitlab.com", "altssh.gitlab.com"],
        event_header: "X-Gitlab-Event",
        headers: &[],
        token: "set VOUCHSAFE_API_TOKEN to a project's access token with read_api, or say --api-token",
        reach: gitlab::reach,
        changes: gitlab::changes,
        pushes: gitlab::pushes,
        event: gitlab::event,
        population: gitlab::population,
    },
    Forge {
        name: "bitbucket",
        hosts: &["bitbucket.org", "altssh.bitbucket.org"],
        event_header: "X-Event-Key",
        headers: &[],
        token: "set VOUCHSAFE_API_TOKEN to a repository's access token that may read pull requests, or say --api-token",
        reach: bitbucket::reach,
        changes: bitbucket::changes,
        pushes: bitbucket::pushes,
        event: bitbucket::event,
        population: bitbucket::population,
    },
    Forge {
        name: "gitea",
        hosts: &["gitea.com"],
        event_header: "X-Gitea-Event",
        headers: &[],
        token: "set VOUCHSAFE_API_TOKEN to a token with read:repository, or say --api-token",
        reach: gitea::reach,
        changes: gitea::changes,
        pushes: gitea::pushes,
        event: gitea::event,
        population: gitea::population,
    },
    Forge {
        name: "forgejo",
        hosts: &["codeberg.org"],
        event_header: "X-Forgejo-Event",
        headers: &[],
        token: "set VOUCHSAFE_API_TOKEN to a token with read:repository, or say --api-token",
        reach: gitea::reach,
        changes: gitea::changes,
        pushes: gitea::pushes,
        event: gitea::event,
        population: gitea::population,
    },
];

/// The forge whose webhook this is, by its headers.
pub(crate) fn by_header(event: &Delivered) -> Option<&'static Forge> {
    FORGES.iter().rfind(|f| event.header(f.event_header).is_some())
}

/// The forge called `name`.
pub(crate) fn by_name(name: &str) -> Option<&'static Forge> {
    FORGES.iter().find(|f| f.name == name)
}
