//! TRX as VSTest writes it, NUnit 3, xUnit.net 3, Cobertura as coverage.py writes it.

use super::{PER_SUITE, Part, is_skipped, skipped};

pub(super) const TRX: &[Part] =
    &[Part { head: trx_head, suite: trx_results }, Part { head: trx_definitions, suite: trx_tests }];

fn trx_head(_: u64) -> String {
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<TestRun id=\"f4def32b-24e7-46e0-a8bf-20f18b91530a\" \
     name=\"ci@build 2026-11-25 10:00:00\" xmlns=\"http://microsoft.com/schemas/VisualStudio/TeamTest/2010\">\n  \
     <Times creation=\"2026-11-25T10:00:00.0000000+00:00\" start=\"2026-11-25T10:00:00.0000000+00:00\" \
     finish=\"2026-11-25T10:01:00.0000000+00:00\" />\n  <Results>\n"
        .to_owned()
}

fn trx_results(out: &mut String, suite: u64) {
    for case in 0..PER_SUITE {
        let outcome = if is_skipped(case) { "NotExecuted" } else { "Passed" };
        *out += &format!(
            "    <UnitTestResult executionId=\"{}\" testId=\"{}\" testName=\"Shop.Basket{suite}.Keeps(visitor: {case}, \
             name: &quot;A &amp; B&quot;)\" computerName=\"build\" duration=\"00:00:00.0125000\" \
             startTime=\"2026-11-25T10:00:00.1234567+00:00\" endTime=\"2026-11-25T10:00:00.1359567+00:00\" \
             testType=\"13cdc9d9-ddb5-4fa4-a97d-d965ccfc6d4b\" outcome=\"{outcome}\" \
             testListId=\"8c84fa94-04c1-424b-9868-57a2d4851a1d\" relativeResultsDirectory=\"{}\" />\n",
            guid(1, suite, case),
            guid(0, suite, case),
            guid(1, suite, case)
        );
    }
}

fn trx_definitions(_: u64) -> String {
    "  </Results>\n  <TestDefinitions>\n".to_owned()
}

fn trx_tests(out: &mut String, suite: u64) {
    for case in 0..PER_SUITE {
        *out += &format!(
            "    <UnitTest name=\"Shop.Basket{suite}.Keeps(visitor: {case}, name: &quot;A &amp; B&quot;)\" \
             storage=\"/src/shop.tests/bin/release/net10.0/shop.tests.dll\" id=\"{}\">\n      <Execution id=\"{}\" />\n      \
             <TestMethod codeBase=\"/src/shop.tests/bin/Release/net10.0/Shop.Tests.dll\" \
             adapterTypeName=\"executor://xunit/VsTestRunner2/netcoreapp\" className=\"Shop.Basket{suite}\" \
             name=\"Keeps\" />\n    </UnitTest>\n",
            guid(0, suite, case),
            guid(1, suite, case)
        );
    }
}

pub(super) fn trx_end(suites: u64) -> String {
    let (all, skipped) = (suites * PER_SUITE, skipped(suites));
    format!(
        "  </TestDefinitions>\n  <ResultSummary outcome=\"Completed\">\n    <Counters total=\"{all}\" executed=\"{passed}\" \
         passed=\"{passed}\" failed=\"0\" error=\"0\" timeout=\"0\" aborted=\"0\" inconclusive=\"0\" notExecuted=\"{skipped}\" \
         />\n  </ResultSummary>\n</TestRun>\n",
        passed = all - skipped
    )
}

fn guid(kind: u64, suite: u64, case: u64) -> String {
    format!("{suite:08x}-{case:04x}-4{kind:03x}-8000-{:012x}", suite * PER_SUITE + case)
}

pub(super) const NUNIT3: &[Part] = &[Part { head: nunit3_head, suite: nunit3_suite }];

fn nunit3_head(suites: u64) -> String {
    let (all, skipped) = (suites * PER_SUITE, skipped(suites));
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\"?>\n<test-run id=\"2\" testcasecount=\"{all}\" \
         result=\"Passed\" total=\"{all}\" passed=\"{}\" failed=\"0\" inconclusive=\"0\" skipped=\"{skipped}\" asserts=\"0\" \
         engine-version=\"3.18.3.0\" clr-version=\"8.0.11\" start-time=\"2026-11-25 10:00:00Z\" \
         end-time=\"2026-11-25 10:01:00Z\" duration=\"60.000000\">\n",
        all - skipped
    )
}

fn nunit3_suite(out: &mut String, suite: u64) {
    *out += &format!(
        "  <test-suite type=\"TestFixture\" id=\"0-{suite}\" name=\"Basket{suite}\" fullname=\"Shop.Basket{suite}\" \
         classname=\"Shop.Basket{suite}\" runstate=\"Runnable\" testcasecount=\"{PER_SUITE}\" result=\"Passed\" \
         duration=\"1.250000\" total=\"{PER_SUITE}\" passed=\"{}\" failed=\"0\" warnings=\"0\" inconclusive=\"0\" \
         skipped=\"{}\" asserts=\"0\">\n",
        PER_SUITE - skipped(1),
        skipped(1)
    );
    for case in 0..PER_SUITE {
        let result = if is_skipped(case) { "Skipped\" label=\"Ignored" } else { "Passed" };
        *out += &format!(
            "    <test-case id=\"1-{suite}-{case}\" name=\"Keeps({case},&quot;A &amp; B&quot;)\" \
             fullname=\"Shop.Basket{suite}.Keeps({case},&quot;A &amp; B&quot;)\" methodname=\"Keeps\" \
             classname=\"Shop.Basket{suite}\" runstate=\"Runnable\" seed=\"1234567890\" result=\"{result}\" \
             start-time=\"2026-11-25 10:00:00Z\" end-time=\"2026-11-25 10:00:00Z\" duration=\"0.012500\" asserts=\"1\" />\n"
        );
    }
    *out += "  </test-suite>\n";
}

pub(super) fn nunit3_end(_: u64) -> String {
    "</test-run>\n".to_owned()
}

pub(super) const XUNIT: &[Part] = &[Part { head: xunit_head, suite: xunit_collection }];

fn xunit_head(suites: u64) -> String {
    let (all, skipped) = (suites * PER_SUITE, skipped(suites));
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<assemblies schema-version=\"3\" id=\"0\" computer=\"build\" user=\"ci\" \
         start-rtf=\"2026-11-25T10:00:00.1234567+00:00\" timestamp=\"11/25/2026 10:00:00\">\n  <assembly id=\"1\" \
         name=\"Shop.Tests.dll\" run-date=\"2026-11-25\" run-time=\"10:00:00\" time=\"60.0\" total=\"{all}\" passed=\"{}\" \
         failed=\"0\" skipped=\"{skipped}\" not-run=\"0\" errors=\"0\" test-framework=\"xUnit.net v3 3.2.0\">\n    <errors />\n",
        all - skipped
    )
}

fn xunit_collection(out: &mut String, suite: u64) {
    *out += &format!(
        "    <collection id=\"c{suite}\" name=\"Test collection for Shop.Basket{suite}\" time=\"1.25\" total=\"{PER_SUITE}\" \
         passed=\"{}\" failed=\"0\" skipped=\"{}\" not-run=\"0\">\n",
        PER_SUITE - skipped(1),
        skipped(1)
    );
    for case in 0..PER_SUITE {
        *out += &format!(
            "      <test id=\"{}\" name=\"Shop.Basket{suite}.Keeps(visitor: {case}, name: &quot;A &amp; B&quot;)\" \
             type=\"Shop.Basket{suite}\" method=\"Keeps\" ",
            guid(0, suite, case)
        );
        *out += if is_skipped(case) {
            "result=\"Skip\" time=\"0\">\n        <reason><![CDATA[not on this machine]]></reason>\n      </test>\n"
        } else {
            "result=\"Pass\" time=\"0.0125\" source-file=\"/src/Shop.Tests/Basket.cs\" source-line=\"42\" />\n"
        };
    }
    *out += "    </collection>\n";
}

pub(super) fn xunit_end(_: u64) -> String {
    "  </assembly>\n</assemblies>\n".to_owned()
}

pub(super) const COBERTURA: &[Part] = &[Part { head: cobertura_head, suite: cobertura_class }];

fn cobertura_head(suites: u64) -> String {
    let (all, missed) = (suites * PER_SUITE, skipped(suites));
    format!(
        "<?xml version=\"1.0\" ?>\n<coverage version=\"7.17.4\" timestamp=\"1795591310231\" lines-valid=\"{all}\" \
         lines-covered=\"{}\" line-rate=\"0.98\" branches-covered=\"0\" branches-valid=\"0\" branch-rate=\"0\" \
         complexity=\"0\">\n\t<sources>\n\t\t<source>.</source>\n\t</sources>\n\t<packages>\n\t\t<package name=\"shop\" \
         line-rate=\"0.98\" branch-rate=\"0\" complexity=\"0\">\n\t\t\t<classes>\n",
        all - missed
    )
}

fn cobertura_class(out: &mut String, suite: u64) {
    *out += &format!(
        "\t\t\t\t<class name=\"basket{suite}.py\" filename=\"shop/basket{suite}.py\" complexity=\"0\" line-rate=\"0.98\" \
         branch-rate=\"0\">\n\t\t\t\t\t<methods/>\n\t\t\t\t\t<lines>\n"
    );
    for line in 0..PER_SUITE {
        let hits = u64::from(!is_skipped(line)) * (line + 1);
        *out += &format!("\t\t\t\t\t\t<line number=\"{}\" hits=\"{hits}\"/>\n", line + 1);
    }
    *out += "\t\t\t\t\t</lines>\n\t\t\t\t</class>\n";
}

pub(super) fn cobertura_end(_: u64) -> String {
    "\t\t\t</classes>\n\t\t</package>\n\t</packages>\n</coverage>\n".to_owned()
}
