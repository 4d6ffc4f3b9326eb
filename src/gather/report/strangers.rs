//! What some tools write in a format of their own, by its root element, and which of their options helps.

use super::refusal::{Refusal, quoted};

/// A root element, whose it is, and what to do instead.
struct Stranger {
    roots: &'static [&'static str],
    what: &'static str,
    help: &'static str,
}

/// TABLE of the strangers.
const STRANGERS: &[Stranger] = &[
    Stranger {
        roots: &["TestLog", "TestResult", "BoostTestLog", "BoostTestReport"],
        what: "Boost.Test's own format",
        help: "Run the tests with `--logger=JUNIT,all,FILE` (Boost 1.62 or later)",
    },
    Stranger {
        roots: &["Catch", "Catch2TestRun"],
        what: "Catch2's own format",
        help: "Run the tests with `--reporter junit`",
    },
    Stranger { roots: &["doctest"], what: "doctest's own format", help: "Run the tests with `--reporters=junit`" },
    Stranger { roots: &["Site"], what: "the format of CTest and CDash", help: "Run `ctest --output-junit FILE`" },
    Stranger {
        roots: &["robot"],
        what: "Robot Framework's own format",
        help: "Run `robot --xunit FILE`, or `rebot --xunit FILE` on this file",
    },
    Stranger {
        roots: &["testng-results"],
        what: "TestNG's own format",
        help: "Take the JUnit files that TestNG or Surefire write beside it (`junitreports/`, `surefire-reports/`)",
    },
    Stranger { roots: &["TestCase"], what: "Qt Test's own format", help: "Run the tests with `-o FILE,junitxml`" },
    Stranger {
        roots: &["checkstyle", "pmd", "BugCollection", "FileChecks"],
        what: "a list of findings in code, not of tests",
        help: "Let the tool write SARIF",
    },
    Stranger {
        roots: &["CoverageSession", "CoverageDSPriv", "mutations"],
        what: "a format of coverage or mutation testing that is not read",
        help: "Let the tool write Cobertura XML (ReportGenerator converts many)",
    },
];

/// Says whose a file is that has this root element, where that is known.
pub(crate) fn refusal(root: &str) -> Option<Refusal> {
    let stranger = STRANGERS.iter().find(|stranger| stranger.roots.contains(&root))?;
    let what = format!("its root element is {}: {}", quoted(root), stranger.what);
    Some(Refusal::new(what).help(stranger.help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_root_is_told_once_and_with_help() {
        let roots: Vec<_> = STRANGERS.iter().flat_map(|stranger| stranger.roots).collect();
        assert_eq!(roots.iter().collect::<HashSet<_>>().len(), roots.len());
        for root in roots {
            let said = refusal(root).unwrap().to_string();
            assert!(said.contains(&format!("`{root}`")) && said.contains(". "), "{said}");
        }
        assert!(refusal("other").is_none());
    }
}
