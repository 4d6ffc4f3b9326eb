//! Images, files and reports.

use super::joining::Joining;
use crate::gather::http::{self, Http};
use crate::gather::platform::Env;
use crate::gather::{Progress, artifact, files, image};
use crate::record::parts_v1::{How, Provenance};
use crate::record::run_v1::Artifact;

/// Where GitHub's runner lists the artifacts that steps declared.
const DECLARED: &str = "GITHUB_ARTIFACTS_LIST";

pub(super) fn artifacts(j: &mut Joining, env: &Env, progress: &mut Progress) -> Vec<Artifact> {
    let mut missing = Vec::new();
    let mut given: Vec<(&str, &str)> = j.ask.images.iter().map(|(source, value)| (&**source, &**value)).collect();
    given.extend(env.get(DECLARED).map(|list| (DECLARED, list)));
    let ask = image::Ask {
        dir: &j.ask.dir,
        resolve: j.ask.resolve,
        http: &Http::new(http::Options {
            ca: j.ask.ca.clone(),
            ..http::Options::proxied(|name| env.get(name).map(str::to_owned))
        }),
        docker_config: j.ask.docker_config.as_deref(),
    };
    let images = image::gather(&given, &ask);
    for p in images.provenance {
        j.learned(&p.fact, p.how, p.source.unwrap_or_default());
    }
    let mut all = images.artifacts;
    for problem in images.problems {
        j.unreadable.push(problem.clone());
        missing.push(problem);
    }
    j.warnings.extend(images.warnings);
    match files::expand(&j.ask.dir, &j.ask.artifacts) {
        Ok(expanded) => {
            let (files, problems) = artifact::hash(&expanded, progress);
            let unmatched = expanded.unmatched.iter().map(|p| format!("--artifact `{p}` matched no file"));
            for problem in unmatched.chain(problems).chain(expanded.problems.clone()) {
                j.unreadable.push(problem.clone());
                missing.push(problem);
            }
            if !files.is_empty() {
                j.provenance.push(Provenance {
                    fact: "artifacts".into(),
                    how: How::File,
                    source: Some("--artifact".into()),
                });
            }
            all.extend(files);
        }
        Err(e) => {
            let problem = format!("--artifact: {e:#}");
            j.unreadable.push(problem.clone());
            missing.push(problem);
        }
    }
    if all.is_empty() && missing.is_empty() {
        missing.push("no image and no file was named; say --image or --artifact".into());
    }
    j.section("artifacts", missing, all.is_empty());
    all
}
