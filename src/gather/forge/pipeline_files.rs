//! Files that decide what a pipeline does. Who changes them changes the controls.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use std::collections::HashSet;

/// Where the CI systems that we know read their definitions, and where reviewers are named.
pub(crate) const DEFAULT: &[&str] = &[
    ".github/workflows/**",
    ".github/actions/**",
    "**/action.yml",
    "**/action.yaml",
    ".forgejo/**",
    ".gitea/**",
    "**/*.gitlab-ci*.yml",
    ".gitlab-ci/**",
    ".gitlab/ci/**",
    ".gitlab/merge_request_approvals.yml",
    "bitbucket-pipelines.yml",
    "**/Jenkinsfile*",
    "azure-pipelines*.{yml,yaml}",
    ".azure-pipelines/**",
    ".circleci/**",
    ".buildkite/**",
    ".woodpecker.{yml,yaml}",
    ".woodpecker/**",
    ".drone.{yml,star,jsonnet}",
    ".travis.yml",
    ".tekton/**",
    ".teamcity/**",
    "buildspec*.{yml,yaml}",
    "cloudbuild*.{yml,yaml}",
    "vouchsafe.toml",
    "CODEOWNERS",
    ".github/CODEOWNERS",
    ".gitlab/CODEOWNERS",
    ".bitbucket/CODEOWNERS",
    "docs/CODEOWNERS",
];

/// A set of patterns over paths in a repository.
#[derive(Clone, Debug)]
pub(crate) struct PipelineFiles(GlobSet);

impl PipelineFiles {
    /// The known ones and `more`. An error names the pattern that is none.
    pub(crate) fn new(more: &[String]) -> Result<Self, String> {
        let mut set = GlobSetBuilder::new();
        for pattern in DEFAULT.iter().copied().chain(more.iter().map(String::as_str)) {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            set.add(glob.map_err(|e| format!("`{pattern}`: {}", e.kind()))?);
        }
        set.build().map(Self).map_err(|e| e.to_string())
    }

    /// Those of `paths` that are such files, in their order, each once.
    pub(crate) fn among<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut seen = HashSet::new();
        paths.into_iter().filter(|path| self.0.is_match(path) && seen.insert(*path)).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_of_pipelines_are_known_and_source_is_not() {
        let set = PipelineFiles::new(&["deploy/*.sh".to_owned()]).unwrap();
        let all = [
            ".github/workflows/ci.yml",
            ".github/workflows/sub/x.yaml",
            "action.yml",
            "tools/x/action.yml",
            ".gitlab-ci.yml",
            "sub/.gitlab-ci-deploy.yml",
            "ci/build.gitlab-ci.yml",
            "bitbucket-pipelines.yml",
            "Jenkinsfile",
            "jobs/Jenkinsfile.deploy",
            "azure-pipelines-release.yml",
            "azure-pipelines.yaml",
            ".drone.star",
            ".circleci/config.yml",
            "CODEOWNERS",
            "deploy/go.sh",
            "CODEOWNERS",
        ];
        assert_eq!(set.among(all), all[..all.len() - 1], "each once");
        let none = ["src/main.rs", "github/workflows/x.yml", "deploy/sub/go.sh", "docs/Jenkinsfile/x", "my-action.yml"];
        assert_eq!(set.among(none), Vec::<String>::new());
        assert!(PipelineFiles::new(&["a[".to_owned()]).unwrap_err().contains("`a[`"));
    }
}
