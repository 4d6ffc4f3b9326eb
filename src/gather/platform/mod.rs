//! CI platforms: which one runs us, and what it claims. Environment variables are claims, so each fact keeps its source.

mod actions;
mod azure;
mod bitbucket;
mod buildkite;
mod circleci;
mod drone;
pub(crate) mod env;
mod event;
mod facts;
mod forgejo;
mod gitea;
mod github;
mod gitlab;
mod jenkins;
mod manual;
mod woodpecker;

pub(crate) use env::Env;
pub(crate) use facts::PlatformFacts;

use crate::record::parts_v1::Status;
use facts::Reader;

/// A CI platform.
pub(crate) struct Platform {
    /// The word in `run.platform` and in addresses.
    pub(crate) name: &'static str,
    /// Variables worth keeping beside the facts: harmless, and not facts of the record themselves.
    pub(crate) variables: &'static [&'static str],
    /// Whether it runs us.
    detects: fn(&Env) -> bool,
    /// Reads what it tells.
    read: fn(&mut Reader),
}

/// TABLE of platforms, in the order in which they are asked: Forgejo also claims to be Gitea, and both to be GitHub.
pub(crate) const PLATFORMS: &[Platform] = &[
    row("forgejo", forgejo::VARIABLES, forgejo::detects, forgejo::read),
    row("gitea", gitea::VARIABLES, gitea::detects, gitea::read),
    row("github", github::VARIABLES, github::detects, github::read),
    row("gitlab", gitlab::VARIABLES, gitlab::detects, gitlab::read),
    row("bitbucket", bitbucket::VARIABLES, bitbucket::detects, bitbucket::read),
    row("azure", azure::VARIABLES, azure::detects, azure::read),
    row("jenkins", jenkins::VARIABLES, jenkins::detects, jenkins::read),
    row("circleci", circleci::VARIABLES, circleci::detects, circleci::read),
    row("buildkite", buildkite::VARIABLES, buildkite::detects, buildkite::read),
    row("woodpecker", woodpecker::VARIABLES, woodpecker::detects, woodpecker::read),
    row("drone", drone::VARIABLES, drone::detects, drone::read),
    MANUAL,
];

/// A person at a terminal: what is left when nothing else claims the run.
const MANUAL: Platform = row("manual", manual::VARIABLES, manual::detects, manual::read);

const fn row(
    name: &'static str,
    variables: &'static [&'static str],
    detects: fn(&Env) -> bool,
    read: fn(&mut Reader),
) -> Platform {
    Platform { name, variables, detects, read }
}

/// The platform that runs us; `manual` where none says so.
pub(crate) fn detect(env: &Env) -> &'static Platform {
    PLATFORMS.iter().find(|p| (p.detects)(env)).unwrap_or(&MANUAL)
}

/// The platform called `name`.
#[cfg(test)]
pub(crate) fn by_name(name: &str) -> Option<&'static Platform> {
    PLATFORMS.iter().find(|p| p.name == name)
}

impl Platform {
    /// Whether this is a person at a terminal.
    pub(crate) fn is_manual(&self) -> bool {
        self.name == MANUAL.name
    }

    /// Reads what the platform tells. Never fails: what is missing or odd stands in `warnings` and `completeness`.
    pub(crate) fn read(&self, env: &Env) -> PlatformFacts {
        let mut r = Reader::new(env, self.name);
        (self.read)(&mut r);
        if !self.is_manual() {
            self.say_what_lacks(&mut r);
        }
        r.facts
    }

    fn say_what_lacks(&self, r: &mut Reader) {
        let name = self.name;
        if r.facts.run.id.is_empty() {
            r.warn(format!(
                "{name} did not tell the id of the run; name it with a flag, or two runs may look like one"
            ));
        }
        if r.facts.operator.is_none() {
            r.lacks("operator", Status::Unavailable, &format!("{name} did not tell who set the run off"));
        }
        if r.facts.commit.is_none() {
            r.lacks(
                "commit",
                Status::Partial,
                &format!("{name} did not tell the commit id; the local repository must"),
            );
        }
    }
}

#[cfg(test)]
mod tests;
