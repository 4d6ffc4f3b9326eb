//! PILLAR: facts, normalised at the edge. Knows neither signatures nor stores.

pub(crate) mod artifact;
mod compose;
pub(crate) mod days;
pub(crate) mod files;
pub(crate) mod forge;
pub(crate) mod git;
pub(crate) mod http;
pub(crate) mod identity;
pub(crate) mod image;
pub(crate) mod outcome;
pub(crate) mod pick;
pub(crate) mod platform;
pub(crate) mod redact;
pub(crate) mod report;
pub(crate) mod tickets;
pub(crate) mod variables;

pub(crate) use compose::{Answer, Ask, Emergency, Gathered, TestExit, gather};

/// Told of long work: what is being done, how many bytes of how many (where known).
pub(crate) type Progress<'a> = dyn FnMut(&str, u64, Option<u64>) + 'a;

/// Reads `bytes` as the texts that a platform hands over and asserts what must hold. For `fuzz/`.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok((jobs, outcome)) = outcome::needs(&text) {
        use crate::record::parts_v1::Outcome;
        let failed = jobs.iter().any(|j| outcome::from_word(&j.result) == Some(Outcome::Failed));
        assert!(!failed || outcome == Outcome::Failed, "a failed job is never outvoted");
    }
    let pattern = tickets::pattern(tickets::DEFAULT_PATTERN);
    assert!(pattern.is_ok_and(|p| tickets::find(&p, &[("branch", &text)]).len() <= 100));
    let env = ["GITHUB_RUN_ID", "GITHUB_REF", "GITHUB_SHA", "GITHUB_REPOSITORY", "CI_PIPELINE_ID", "BUILDKITE_COMMIT"];
    for platform in platform::PLATFORMS {
        let env = env.iter().map(|name| ((*name).to_owned(), text.clone().into_owned())).collect();
        let _ = platform.read(&platform::Env::new(env));
    }
}
