#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use super::*;

fn report(text: &str) -> Report {
    read(text.as_bytes()).unwrap()
}

fn reason(text: &str) -> String {
    read(text.as_bytes()).unwrap_err().reason
}

fn totals(tests: u64, failures: u64, errors: u64, skipped: u64) -> Totals {
    Totals {
        tests,
        failures,
        errors,
        skipped,
    }
}

#[test]
fn cases_are_counted_through_nested_suites() {
    let it = report(
        r#"<?xml version="1.0" encoding="UTF-8"?>
        <testsuites tests="6" failures="1" errors="1" skipped="2" time="9">
          <testsuite name="outer" tests="6">
            <properties><property name="a" value="b"/></properties>
            <testcase classname="shop.Cart" name="adds" time="1.25"/>
            <testsuite name="inner" tests="5" failures="1" errors="1" skipped="2">
              <testcase classname="shop.Cart" name="removes &lt;all&gt;" time="0.5"><failure message="no">&#x41;&amp;</failure></testcase>
              <testcase name="pays" time="1,000.25"><error><![CDATA[<boom>]]></error></testcase>
              <testcase name="ships"><skipped/></testcase>
              <testcase name="asks" status="notrun"/>
              <testcase name="retries"><flakyFailure/><system-out>x<failure/></system-out></testcase>
            </testsuite>
          </testsuite>
        </testsuites>"#,
    );
    assert_eq!(it.totals, totals(6, 1, 1, 2));
    assert_eq!(it.time_ms, 1_002_000);
    assert_eq!(it.failed, ["shop.Cart.removes <all>", "pays"]);
    assert_eq!(it.disagreements, Vec::<String>::new());
    assert!(!it.passed());
    assert_eq!(
        it.reading().summary,
        "6 tests: 1 failure, 1 error, 2 skipped, in 1002.000 s. \
         Failed: shop.Cart.removes <all>, pays. 1 test passed only in a rerun."
    );
}

#[test]
fn passing_needs_a_test_and_no_failure() {
    let passed = |text: &str| report(text).reading().passed;
    assert_eq!(passed("<testsuite/>"), Some(false));
    assert_eq!(passed("<testsuites></testsuites>"), Some(false));
    assert_eq!(passed(r#"<testsuite><testcase name="a"/></testsuite>"#), Some(true));
    for word in ["failure", "error"] {
        let text = format!(r#"<testsuite><testcase name="a"><{word}/></testcase></testsuite>"#);
        assert_eq!(passed(&text), Some(false));
    }
    let both = r#"<testsuite><testcase><failure/><skipped/></testcase></testsuite>"#;
    assert_eq!(report(both).totals, totals(1, 1, 0, 0));
}

#[test]
fn claims_are_compared_and_never_make_it_better() {
    let lying =
        report(r#"<testsuite name="s" tests="9" failures="0"><testcase name="a"><failure/></testcase></testsuite>"#);
    assert_eq!(lying.totals, totals(1, 1, 0, 0));
    assert!(!lying.passed());
    assert_eq!(
        lying.disagreements,
        [
            r#"Suite "s" claims tests 9, its test cases show 1."#,
            r#"Suite "s" claims failures 0, its test cases show 1."#,
        ]
    );
    let worse = report(r#"<testsuite failures="1"><testcase name="a"/></testsuite>"#);
    assert!(worse.claims_worse && !worse.passed());
    let other_word = report(r#"<testsuite failures="1" errors="0"><testcase name="a"><error/></testcase></testsuite>"#);
    assert!(!other_word.claims_worse);
    let direct_only = report(
        r#"<testsuite tests="1"><testcase name="a"/><testsuite tests="1"><testcase name="b"/></testsuite></testsuite>"#,
    );
    assert!(direct_only.passed() && direct_only.disagreements.is_empty());
}

#[test]
fn an_error_beside_the_cases_is_not_overlooked() {
    let it = report(r#"<testsuite name="s"><testcase name="a"/><error message="set-up"/></testsuite>"#);
    assert!(!it.passed());
    assert!(it.disagreements[0].contains("outside of any test case"));
}

#[test]
fn only_the_first_failures_are_named() {
    let cases: String = (0..50)
        .map(|n| format!(r#"<testcase name="case {n}"><failure/></testcase>"#))
        .collect();
    let it = report(&format!("<testsuite>{cases}</testsuite>"));
    assert_eq!(it.totals.failures, 50);
    assert_eq!(it.failed.len(), FAILED_NAMED_MAX);
    assert_eq!(it.failed[0], "case 0");
    assert!(it.reading().summary.contains("and 30 more."));
}

#[test]
fn document_types_and_entities_are_refused() {
    let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuite name="&b;"/>"#;
    assert!(reason(bomb).contains("document type"));
    let file = r#"<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>"#;
    assert!(reason(file).contains("document type"));
    assert!(reason(r#"<testsuite name="&b;"/>"#).contains("broken attribute"));
    assert!(reason("<testsuite>&b;</testsuite>").contains("entity of its own"));
}

#[test]
fn limits_are_kept() {
    let deep = format!("<testsuite>{}", "<a>".repeat(100_000));
    assert!(reason(&deep).contains("too deep"));
    let wide: String = (0..ATTRIBUTES_MAX + 1).map(|n| format!(r#" a{n}="x""#)).collect();
    assert!(reason(&format!("<testsuite{wide}/>")).contains("too many attributes"));
    let long = format!(
        r#"<testsuite><testcase name="{}"><error/></testcase></testsuite>"#,
        "n".repeat(9_999)
    );
    assert_eq!(report(&long).failed[0].len(), 200);
}

#[test]
fn what_is_malformed_or_foreign_is_refused() {
    assert!(reason("<html/>").contains("not JUnit XML"));
    assert!(reason("<testsuite>").contains("too early") || reason("<testsuite>").contains("malformed"));
    assert!(reason("").contains("too early"));
    assert!(reason("<testsuite></testcase>").contains("malformed"));
    assert!(reason("<testsuite/><testsuite/>").contains("more than one root"));
    assert!(reason(r#"<testsuite a="1" a="2"/>"#).contains("broken attribute"));
}

#[test]
fn times_are_read_in_the_forms_that_occur() {
    for (text, wanted) in [
        ("1.25", 1_250),
        ("1,234.5", 1_234_500),
        ("0,5", 500),
        ("3", 3_000),
        (" 2 ", 2_000),
        ("", 0),
        ("-1", 0),
        ("NaN", 0),
        ("1e30", 0),
        ("soon", 0),
    ] {
        assert_eq!(milliseconds(text), wanted, "{text:?}");
    }
}

#[test]
fn a_byte_order_mark_and_a_namespace_prefix_do_no_harm() {
    let it = report("\u{feff}<j:testsuite xmlns:j=\"u\"><j:testcase name=\"a\"/></j:testsuite>");
    assert!(it.passed());
}

#[test]
fn what_ran_no_test_shows_nothing() {
    let skipped = r#"<testsuite tests="2"><testcase name="a"><skipped/></testcase><testcase name="b" status="notrun"/></testsuite>"#;
    let report = read(skipped.as_bytes()).unwrap();
    assert_eq!((report.totals.tests, report.totals.skipped), (2, 2));
    assert!(!report.passed());
    assert!(
        report.reading().summary.contains("No test ran"),
        "{:?}",
        report.reading()
    );
    let one = r#"<testsuite><testcase name="a"><skipped/></testcase><testcase name="b"/></testsuite>"#;
    assert!(read(one.as_bytes()).unwrap().passed());
}

#[test]
fn text_outside_of_the_root_is_no_xml() {
    for document in [
        "<testsuite><testcase/></testsuite>junk",
        "junk<testsuite><testcase/></testsuite>",
    ] {
        let why = read(document.as_bytes()).unwrap_err();
        assert!(why.to_string().contains("outside of its root"), "{why}");
    }
    assert!(read(b"\n<testsuite><testcase/></testsuite>\n").unwrap().passed());
}

#[test]
fn a_run_that_broke_off_or_counts_no_numbers_has_not_passed() {
    for (attributes, case) in [
        (r#"tests="412""#, r#"<testcase name="x"/>"#),
        (
            r#"tests="2" failures="abc""#,
            r#"<testcase name="x"/><testcase name="y"/>"#,
        ),
        (r#"tests="1" failures="-1""#, r#"<testcase name="x"/>"#),
        (r#"tests="1""#, r#"<testcase name="x" status="failed"/>"#),
        (r#"tests="1""#, r#"<testcase name="x" status="Error"/>"#),
    ] {
        let report = read(format!("<testsuite {attributes}>{case}</testsuite>").as_bytes()).unwrap();
        assert!(!report.passed(), "{attributes} {case}: {report:?}");
    }
    let fine = r#"<testsuite tests="1,002" failures="" errors="0"><testcase name="x" status="run"/></testsuite>"#;
    assert!(!read(fine.as_bytes()).unwrap().passed(), "1,001 are missing");
    let fine = r#"<testsuite tests=" 1 " failures="" errors="0"><testcase name="x" status="run"/></testsuite>"#;
    assert!(read(fine.as_bytes()).unwrap().passed());
}

#[test]
fn reruns_explain_what_the_attributes_count_besides() {
    let flaky = report(
        r#"<testsuite name="s" tests="4" failures="1"><testcase name="a"/><testcase name="b"><flakyFailure message="once"/></testcase><testcase name="c"/></testsuite>"#,
    );
    assert!(flaky.passed(), "{flaky:?}");
    assert_eq!(flaky.flaky, 1);
    assert_eq!(flaky.disagreements, Vec::<String>::new());
    // Without the rerun nothing explains the claim, and one rerun explains one run alone.
    for (tests, failures, runs) in [(4, 1, ""), (5, 1, "<flakyFailure/>"), (4, 2, "<flakyError/>")] {
        let text = format!(
            r#"<testsuite tests="{tests}" failures="{failures}"><testcase name="a"/><testcase name="b">{runs}</testcase><testcase name="c"/></testsuite>"#
        );
        assert!(!report(&text).passed(), "{text}");
    }
    let nested = r#"<testsuites tests="3" failures="1"><testsuite tests="3" failures="1"><testcase name="a"><flakyError/></testcase><testcase name="b"/></testsuite></testsuites>"#;
    assert!(report(nested).passed());
    let failed = r#"<testsuite tests="1" failures="1"><testcase name="a"><failure/><rerunFailure/><rerunFailure/></testcase></testsuite>"#;
    assert_eq!(report(failed).reading().passed, Some(false));
    assert!(!report(failed).reading().is_undecided);
}

/// As gotestsum writes a package: the failed runs first, the run that passed as a test case of the same name.
#[test]
fn a_test_of_go_that_was_run_again_and_passed_has_passed() {
    let package = |version: &str, cases: &str, failures: u64, tests: u64| {
        format!(
            r#"<testsuites><testsuite name="shop" tests="{tests}" failures="{failures}"><properties>{version}</properties>{cases}</testsuite></testsuites>"#
        )
    };
    let go = r#"<property name="go.version" value="go1.26 linux/amd64"/>"#;
    let failed = r#"<testcase classname="shop" name="TestPay"><failure message="Failed">once</failure></testcase>"#;
    let passed = r#"<testcase classname="shop" name="TestPay"/>"#;
    let other = r#"<testcase classname="shop" name="TestAdd"/>"#;
    let again = report(&package(go, &format!("{failed}{failed}{other}{passed}"), 2, 4));
    assert!(again.passed(), "{again:?}");
    assert_eq!((again.totals, again.flaky), (totals(2, 0, 0, 0), 1));
    assert_eq!(again.failed, Vec::<String>::new());
    assert_eq!(again.disagreements, Vec::<String>::new());
    for (version, cases, failures, tests) in [
        (go, format!("{failed}{other}"), 1, 2),
        (go, format!("{failed}{failed}{other}"), 2, 3),
        // All were run twice, and the failure may be the later one.
        (go, format!("{failed}{other}{other}{passed}"), 1, 4),
        // Elsewhere two test cases of one name may be two tests.
        ("", format!("{failed}{other}{passed}"), 1, 3),
        // A claim that the runs do not explain.
        (go, format!("{failed}{other}{passed}"), 2, 3),
    ] {
        let text = package(version, &cases, failures, tests);
        assert!(!report(&text).passed(), "{text}");
    }
}

#[test]
fn a_case_that_shows_neither_a_pass_nor_a_failure_cannot_be_judged() {
    for case in [
        r#"<testcase name="a"><rerunFailure/></testcase>"#,
        r#"<testcase name="a"><rerunError/></testcase>"#,
        r#"<testcase name="a" status="inconclusive"/>"#,
    ] {
        let it = report(&format!(r#"<testsuite>{case}<testcase name="b"/></testsuite>"#));
        assert!(!it.passed() && it.reading().is_undecided, "{case}");
        let worse = report(&format!(
            r#"<testsuite>{case}<testcase name="b"><failure/></testcase></testsuite>"#
        ));
        assert!(!worse.passed() && !worse.reading().is_undecided, "{case}");
    }
}

#[test]
fn a_report_names_the_suites_that_it_ran_and_a_failed_one_those_that_failed() {
    let of = |case: &str| {
        let text = format!(
            r#"<testsuites name="all"><testsuite name="basket"><testcase name="a"/></testsuite><testsuite name="checkout">{case}</testsuite></testsuites>"#
        );
        report(&text).reading().suites
    };
    assert_eq!(of(r#"<testcase name="b"/>"#), ["basket", "checkout"]);
    assert_eq!(of(r#"<testcase name="b"><failure/></testcase>"#), ["checkout"]);
}
