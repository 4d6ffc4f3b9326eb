//! CTRF as its reporters write it (indented), Jest's and Vitest's JSON (one line), SARIF (indented by two, as most write it).

use super::{PER_SUITE, Part, is_skipped, skipped};

pub(super) const CTRF: &[Part] = &[Part { head: ctrf_head, suite: ctrf_suite }];

fn ctrf_head(suites: u64) -> String {
    let (all, skipped) = (suites * PER_SUITE, skipped(suites));
    format!(
        "{{\n  \"reportFormat\": \"CTRF\",\n  \"specVersion\": \"0.0.0\",\n  \"results\": {{\n    \"tool\": {{\n      \
         \"name\": \"jest\"\n    }},\n    \"summary\": {{\n      \"tests\": {all},\n      \"passed\": {},\n      \
         \"failed\": 0,\n      \"pending\": 0,\n      \"skipped\": {skipped},\n      \"other\": 0,\n      \
         \"start\": 1795591678321,\n      \"stop\": 1795591738321\n    }},\n    \"tests\": [\n",
        all - skipped
    )
}

fn ctrf_suite(out: &mut String, suite: u64) {
    for case in 0..PER_SUITE {
        comma(out, suite + case, ",\n");
        let status = if is_skipped(case) { "skipped" } else { "passed" };
        *out += &format!(
            "      {{\n        \"name\": \"basket {suite} keeps visitor {case} \\\"A & B\\\"\",\n        \"duration\": 12,\n        \
             \"status\": \"{status}\",\n        \"rawStatus\": \"{status}\",\n        \"type\": \"unit\",\n        \
             \"filePath\": \"src/basket{suite}.test.js\",\n        \"retries\": 0,\n        \"flaky\": false,\n        \
             \"suite\": \"src/basket{suite}.test.js > basket {suite}\"\n      }}"
        );
    }
}

pub(super) fn ctrf_end(_: u64) -> String {
    "\n    ],\n    \"environment\": {\n      \"osPlatform\": \"linux\"\n    }\n  }\n}\n".to_owned()
}

pub(super) const JEST: &[Part] = &[Part { head: jest_head, suite: jest_file }];

fn jest_head(suites: u64) -> String {
    let (all, skipped) = (suites * PER_SUITE, skipped(suites));
    format!(
        "{{\"numFailedTestSuites\":0,\"numFailedTests\":0,\"numPassedTestSuites\":{suites},\"numPassedTests\":{},\
         \"numPendingTestSuites\":0,\"numPendingTests\":{skipped},\"numRuntimeErrorTestSuites\":0,\"numTodoTests\":0,\
         \"numTotalTestSuites\":{suites},\"numTotalTests\":{all},\"openHandles\":[],\"snapshot\":{{\"added\":0,\
         \"failure\":false,\"total\":0,\"uncheckedKeysByFile\":[]}},\"startTime\":1795591598875,\"success\":true,\
         \"testResults\":[",
        all - skipped
    )
}

fn jest_file(out: &mut String, suite: u64) {
    comma(out, suite, ",");
    *out += "{\"assertionResults\":[";
    for case in 0..PER_SUITE {
        comma(out, case, ",");
        let status = if is_skipped(case) { "pending" } else { "passed" };
        *out += &format!(
            "{{\"ancestorTitles\":[\"basket {suite}\"],\"duration\":12,\"failing\":false,\"failureDetails\":[],\
             \"failureMessages\":[],\"fullName\":\"basket {suite} keeps visitor {case} \\\"A & B\\\"\",\"invocations\":1,\
             \"location\":null,\"numPassingAsserts\":1,\"retryMessages\":[],\"retryReasons\":[],\"status\":\"{status}\",\
             \"title\":\"keeps visitor {case} \\\"A & B\\\"\",\"startAt\":1795591599338}}"
        );
    }
    *out += &format!(
        "],\"endTime\":1795591599340,\"message\":\"\",\"name\":\"/src/shop/src/basket{suite}.test.js\",\
         \"startTime\":1795591599011,\"status\":\"passed\",\"summary\":\"\"}}"
    );
}

pub(super) fn jest_end(_: u64) -> String {
    "],\"wasInterrupted\":false}\n".to_owned()
}

pub(super) const SARIF: &[Part] = &[Part { head: sarif_head, suite: sarif_results }];

fn sarif_head(_: u64) -> String {
    "{\n  \"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n  \"version\": \"2.1.0\",\n  \"runs\": [\n    {\n      \
     \"tool\": {\n        \"driver\": {\n          \"name\": \"scanner\",\n          \"version\": \"1.2.3\",\n          \
     \"rules\": [\n            {\n              \"id\": \"long-line\",\n              \"defaultConfiguration\": {\n                \
     \"level\": \"warning\"\n              }\n            }\n          ]\n        }\n      },\n      \"results\": [\n"
        .to_owned()
}

/// Half of them tell their level, and half leave it to their rule.
fn sarif_results(out: &mut String, suite: u64) {
    for finding in 0..PER_SUITE {
        comma(out, suite + finding, ",\n");
        let level = if finding.is_multiple_of(2) { "\n          \"level\": \"note\"," } else { "" };
        *out += &format!(
            "        {{\n          \"ruleId\": \"long-line\",\n          \"ruleIndex\": 0,{level}\n          \"message\": {{\n            \
             \"text\": \"Line {finding} is longer than \\\"120\\\" columns\"\n          }},\n          \"locations\": [\n            \
             {{\n              \"physicalLocation\": {{\n                \"artifactLocation\": {{\n                  \
             \"uri\": \"src/basket{suite}.c\"\n                }},\n                \"region\": {{\n                  \
             \"startLine\": {finding},\n                  \"startColumn\": 121,\n                  \"endColumn\": 140\n                \
             }}\n              }}\n            }}\n          ],\n          \"partialFingerprints\": {{\n            \
             \"primaryLocationLineHash\": \"{suite:016x}:{finding}\"\n          }}\n        }}"
        );
    }
}

pub(super) fn sarif_end(_: u64) -> String {
    "\n      ]\n    }\n  ]\n}\n".to_owned()
}

fn comma(out: &mut String, n: u64, comma: &str) {
    if n > 0 {
        *out += comma;
    }
}
