//! `go test -json -v`, libtest's JSON, TAP 13 as `node --test` writes it, LCOV as geninfo writes it.

use super::{PER_SUITE, Part, is_skipped, skipped};

pub(super) fn nothing(_: u64) -> String {
    String::new()
}

pub(super) const GO: &[Part] = &[Part { head: nothing, suite: go_package }];

fn go_package(out: &mut String, suite: u64) {
    let event = |action: &str, rest: &str| {
        format!(
            "{{\"Time\":\"2026-11-25T10:00:00.027863527Z\",\"Action\":\"{action}\",\"Package\":\"example.org/shop/basket{suite}\"\
             {rest}}}\n"
        )
    };
    *out += &event("start", "");
    for case in 0..PER_SUITE {
        let name = format!("TestKeeps/visitor_{case}");
        let (end, shown) = if is_skipped(case) { ("skip", "SKIP") } else { ("pass", "PASS") };
        *out += &event("run", &format!(",\"Test\":\"{name}\""));
        *out += &event("output", &format!(",\"Test\":\"{name}\",\"Output\":\"=== RUN   {name}\\n\""));
        *out += &event("output", &format!(",\"Test\":\"{name}\",\"Output\":\"    --- {shown}: {name} (0.01s)\\n\""));
        *out += &event(end, &format!(",\"Test\":\"{name}\",\"Elapsed\":0.01"));
    }
    *out += &event("output", ",\"Output\":\"PASS\\n\"");
    *out += &event("output", &format!(",\"Output\":\"ok  \\texample.org/shop/basket{suite}\\t1.250s\\n\""));
    *out += &event("pass", ",\"Elapsed\":1.25");
}

pub(super) const LIBTEST: &[Part] = &[Part { head: libtest_head, suite: libtest_module }];

fn libtest_head(suites: u64) -> String {
    format!("{{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": {} }}\n", suites * PER_SUITE)
}

fn libtest_module(out: &mut String, suite: u64) {
    for case in 0..PER_SUITE {
        let name = format!("shop::basket{suite}::tests::keeps_visitor_{case}");
        let event = if is_skipped(case) { "ignored" } else { "ok" };
        *out += &format!(
            "{{ \"type\": \"test\", \"event\": \"started\", \"name\": \"{name}\" }}\n\
             {{ \"type\": \"test\", \"name\": \"{name}\", \"event\": \"{event}\" }}\n"
        );
    }
}

pub(super) fn libtest_end(suites: u64) -> String {
    format!(
        "{{ \"type\": \"suite\", \"event\": \"ok\", \"passed\": {}, \"failed\": 0, \"ignored\": {}, \"measured\": 0, \
         \"filtered_out\": 0, \"exec_time\": 60.006810613 }}\n",
        suites * PER_SUITE - skipped(suites),
        skipped(suites)
    )
}

pub(super) const TAP: &[Part] = &[Part { head: tap_head, suite: tap_points }];

fn tap_head(_: u64) -> String {
    "TAP version 13\n".to_owned()
}

fn tap_points(out: &mut String, suite: u64) {
    for case in 0..PER_SUITE {
        let (number, skip) = (suite * PER_SUITE + case + 1, if is_skipped(case) { " # SKIP" } else { "" });
        *out += &format!(
            "# Subtest: basket {suite} keeps visitor {case}\nok {number} - basket {suite} keeps visitor {case}{skip}\n  ---\n  \
             duration_ms: 0.720225\n  type: 'test'\n  ...\n"
        );
    }
}

pub(super) fn tap_end(suites: u64) -> String {
    let (all, skipped) = (suites * PER_SUITE, skipped(suites));
    format!(
        "1..{all}\n# tests {all}\n# suites 0\n# pass {}\n# fail 0\n# cancelled 0\n# skipped {skipped}\n# todo 0\n\
         # duration_ms 60000.5\n",
        all - skipped
    )
}

pub(super) const LCOV: &[Part] = &[Part { head: nothing, suite: lcov_file }];

fn lcov_file(out: &mut String, suite: u64) {
    *out += &format!("TN:\nSF:/src/shop/basket{suite}.c\nFN:1,keep\nFNDA:98,keep\nFNF:1\nFNH:1\n");
    for line in 0..PER_SUITE {
        let hits = u64::from(!is_skipped(line)) * (line + 1);
        *out += &format!("DA:{},{hits}\n", line + 1);
    }
    *out += &format!("LF:{PER_SUITE}\nLH:{}\nend_of_record\n", PER_SUITE - skipped(1));
}
