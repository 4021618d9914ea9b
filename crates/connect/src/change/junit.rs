//! JUnit XML, which has no standard but a common core: `testsuites`, `testsuite` (nested at will)
//! and `testcase` with `failure`, `error` or `skipped` inside.
//!
//! The test cases are counted; the suites' attributes are only compared with them. An attribute can make the judgement worse
//! but never better. A suite has not passed if it claims a failure that no test case shows, claims more test cases than there
//! are (as after a run that broke off), or has counts that are no numbers. Document types and entities are refused.
//!
//! Runners that repeat failed tests (Maven Surefire's `flakyFailure`, `flakyError`, `rerunFailure` and `rerunError`) may count
//! each run in the attributes: the listed reruns of the test cases explain such a count. A test case that passed in a rerun has
//! passed; one of which only failed reruns are listed cannot be judged.
//!
//! gotestsum (`--rerun-fails`) lists each run as a test case of its own, the failed ones first. Names are unique in a package of
//! Go, so there a failed test case beside one passed of the same name was run again, unless all tests were repeated (`-count`).

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::change::evidence::{self, Kind, Reading, Unreadable};

/// The deepest nesting of elements.
pub const DEPTH_MAX: usize = 100;
/// The most attributes of one element.
pub const ATTRIBUTES_MAX: usize = 256;
/// How many failed test cases a report names.
pub const FAILED_NAMED_MAX: usize = 20;
/// How many disagreements a report lists.
pub const DISAGREEMENTS_MAX: usize = 5;

/// The result of a run of tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How often each outcome was counted among the test cases.
    pub totals: Totals,
    /// The sum of the test cases' times, in milliseconds.
    pub time_ms: u64,
    /// The first failed test cases in the document's order, as `class.name`.
    pub failed: Vec<String>,
    /// The names of the suites with test cases of their own.
    pub suites: BTreeSet<String>,
    /// The suites with a failed test case.
    pub failed_suites: BTreeSet<String>,
    /// How many test cases passed only in a rerun.
    pub flaky: u64,
    /// How many test cases show neither a pass nor a failure.
    pub undecided: u64,
    /// Where the attributes of a suite contradict its test cases, one sentence each.
    pub disagreements: Vec<String>,
    /// Whether a suite claims more failures and errors than its test cases show, or more test cases than there are, reports one
    /// outside of any test case, or has a count that is no number.
    pub claims_worse: bool,
}

/// How often each outcome was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All test cases.
    pub tests: u64,
    /// Test cases whose expectation did not hold.
    pub failures: u64,
    /// Test cases that could not be carried out.
    pub errors: u64,
    /// Those that were left out.
    pub skipped: u64,
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
    }

    /// Takes out failed runs of a test that passed in the end.
    fn leave_out(&mut self, failed_runs: u64) {
        self.tests -= failed_runs;
        self.failures -= failed_runs;
    }

    fn bad(self) -> u64 {
        self.failures + self.errors
    }
}

impl Report {
    /// Passed means: at least one test case that ran, none failed, in error or undecided, and no claim to the
    /// contrary.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.has_no_failure() && self.undecided == 0
    }

    fn has_no_failure(&self) -> bool {
        self.totals.tests > self.totals.skipped && self.totals.bad() == 0 && !self.claims_worse
    }

    /// The suites that a later report must have run to replace this one: of a failed report the suites that failed, if any.
    fn shown_suites(&self) -> Vec<String> {
        let shown = match self.failed_suites.is_empty() {
            true => &self.suites,
            false => &self.failed_suites,
        };
        evidence::findings(shown.iter().cloned())
    }

    /// The same in the form that all evidence shares.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let totals = self.totals;
        let mut summary = format!(
            "{}: {}, {}, {} skipped, in {}.{:03} s.",
            evidence::count(totals.tests, "test"),
            evidence::count(totals.failures, "failure"),
            evidence::count(totals.errors, "error"),
            totals.skipped,
            self.time_ms / 1_000,
            self.time_ms % 1_000,
        );
        if !self.failed.is_empty() {
            summary.push_str(&format!(" Failed: {}", self.failed.join(", ")));
            let unnamed = totals.bad().saturating_sub(self.failed.len() as u64);
            if unnamed > 0 {
                summary.push_str(&format!(" and {unnamed} more"));
            }
            summary.push('.');
        }
        if self.flaky > 0 {
            let tests = evidence::count(self.flaky, "test");
            summary.push_str(&format!(" {tests} passed only in a rerun."));
        }
        if self.undecided > 0 {
            let tests = evidence::count(self.undecided, "test");
            summary.push_str(&format!(
                " {tests} cannot be judged: neither a pass nor a failure is listed."
            ));
        }
        if totals.tests == totals.skipped {
            summary.push_str(" No test ran, so nothing was shown.");
        }
        for sentence in &self.disagreements {
            summary.push(' ');
            summary.push_str(sentence);
        }
        Reading {
            kind: Kind::Junit,
            summary,
            passed: Some(self.passed()),
            is_undecided: self.undecided > 0 && self.has_no_failure(),
            subjects: Vec::new(),
            findings: Vec::new(),
            suites: self.shown_suites(),
        }
    }
}

/// Reads a report.
///
/// # Errors
/// [`Unreadable`] as in [`crate::change::evidence_formats::read`], for a document type, an entity of its own, or a root that is
/// neither `testsuites` nor `testsuite`.
pub fn read(document: &[u8]) -> Result<Report, Unreadable> {
    let mut reader = Reader::from_str(evidence::text(document)?);
    reader.config_mut().check_comments = true;
    let mut walk = Walk::default();
    loop {
        let event = reader.read_event().map_err(|error| {
            let at = reader.error_position();
            Unreadable::because(format_args!("the XML is malformed at byte {at}: {error}"))
        })?;
        match event {
            Event::Start(element) => walk.open(&element)?,
            Event::Empty(element) => {
                walk.open(&element)?;
                walk.close();
            }
            Event::End(_) => walk.close(),
            Event::DocType(_) => {
                return Err(Unreadable::because("the XML has a document type, which is refused"));
            }
            Event::GeneralRef(entity) => refuse_own_entity(&entity)?,
            Event::Eof => return walk.finish(),
            Event::Text(text) if walk.open.is_empty() && !text.trim_start_matches('\u{feff}').trim().is_empty() => {
                return Err(Unreadable::because("the XML has text outside of its root element"));
            }
            Event::Text(_) | Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

fn refuse_own_entity(entity: &quick_xml::events::BytesRef<'_>) -> Result<(), Unreadable> {
    if entity.is_char_ref() || matches!(&**entity, "amp" | "lt" | "gt" | "quot" | "apos") {
        return Ok(());
    }
    Err(Unreadable::because(
        "the XML has an entity of its own, which is refused",
    ))
}

/// An element that is open.
enum Open {
    Suite(Suite),
    Case(Case),
    Other,
}

struct Suite {
    name: String,
    claims: Claims,
    /// The test cases directly inside, and those of all suites inside too: tools differ in which
    /// of the two their attributes count.
    direct: Totals,
    all: Totals,
    /// How many reruns the test cases list, which the attributes may count as well: directly inside, and in all suites.
    direct_reruns: u64,
    all_reruns: u64,
    /// The attributes that should count something and hold no number.
    no_numbers: Vec<&'static str>,
    /// Whether it is a package of Go, and how often each of its tests ran.
    is_go: bool,
    runs: BTreeMap<String, Runs>,
}

/// The outcomes of the test cases of one name.
#[derive(Default)]
struct Runs {
    failed: u64,
    passed: u64,
    others: u64,
}

#[derive(Default)]
struct Claims {
    tests: Option<u64>,
    failures: Option<u64>,
    errors: Option<u64>,
    skipped: Option<u64>,
}

struct Case {
    /// The full name, and below the one shortened for people.
    full: String,
    name: String,
    time_ms: u64,
    outcome: Outcome,
    /// Runs that failed before one passed, and failed runs after the first.
    flaky_runs: u64,
    failed_reruns: u64,
}

/// Ordered from good to bad; a test case has the worst of its outcomes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Passed,
    Skipped,
    /// A value that means neither.
    Undecided,
    Failure,
    Error,
}

impl Outcome {
    fn of(element: &str) -> Option<Self> {
        match element {
            "skipped" => Some(Self::Skipped),
            "failure" => Some(Self::Failure),
            "error" => Some(Self::Error),
            _ => None,
        }
    }
}

/// The position in the document: the open elements, and the results so far.
#[derive(Default)]
struct Walk {
    open: Vec<Open>,
    has_root: bool,
    report: Report,
}

impl Walk {
    fn open(&mut self, element: &BytesStart<'_>) -> Result<(), Unreadable> {
        if self.open.len() >= DEPTH_MAX {
            return Err(Unreadable::because("the XML is nested too deep"));
        }
        let local_name = element.local_name();
        let name = local_name.as_ref();
        let is_suite = matches!(name, "testsuites" | "testsuite");
        if self.open.is_empty() {
            if self.has_root {
                return Err(Unreadable::because("the XML has more than one root element"));
            }
            if !is_suite {
                return Err(Unreadable::because(
                    "the document is not JUnit XML: its root is neither testsuites nor testsuite",
                ));
            }
            self.has_root = true;
        }
        let attributes = Attributes::of(element)?;
        let is_in_case = self.open.iter().any(|it| matches!(it, Open::Case(_)));
        let opened = if is_in_case {
            self.judge(name);
            Open::Other
        } else if is_suite {
            Open::Suite(Suite::of(&attributes))
        } else if name == "testcase" {
            Open::Case(Case::of(&attributes))
        } else {
            if name == "property"
                && attributes.get("name") == Some("go.version")
                && let Some(suite) = self.suite()
            {
                suite.is_go = true;
            }
            // An error beside the test cases, as some tools report a failed set-up.
            if Outcome::of(name) > Some(Outcome::Skipped) {
                self.outside_of_cases(name);
            }
            Open::Other
        };
        self.open.push(opened);
        Ok(())
    }

    /// Applies an element directly inside a test case.
    fn judge(&mut self, element: &str) {
        let Some(Open::Case(case)) = self.open.last_mut() else {
            return;
        };
        match element {
            "flakyFailure" | "flakyError" => case.flaky_runs += 1,
            "rerunFailure" | "rerunError" => case.failed_reruns += 1,
            _ => {
                if let Some(outcome) = Outcome::of(element) {
                    case.outcome = case.outcome.max(outcome);
                }
            }
        }
    }

    fn outside_of_cases(&mut self, element: &str) {
        self.report.claims_worse = true;
        let suite = self.suite().map(|it| it.name.clone()).unwrap_or_default();
        self.disagree(format!("Suite {suite:?} reports {element} outside of any test case."));
    }

    fn suite(&mut self) -> Option<&mut Suite> {
        self.open.iter_mut().rev().find_map(|it| match it {
            Open::Suite(suite) => Some(suite),
            Open::Case(_) | Open::Other => None,
        })
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::Suite(mut suite)) => {
                self.settle_reruns(&mut suite);
                self.close_suite(&suite);
            }
            Some(Open::Case(case)) => self.close_case(case),
            Some(Open::Other) | None => {}
        }
    }

    fn close_case(&mut self, case: Case) {
        let outcome = case.judged();
        let totals = Totals {
            tests: 1,
            failures: u64::from(outcome == Outcome::Failure),
            errors: u64::from(outcome == Outcome::Error),
            skipped: u64::from(outcome == Outcome::Skipped),
        };
        let reruns = case.flaky_runs + case.failed_reruns;
        self.report.flaky += u64::from(outcome == Outcome::Passed && case.flaky_runs > 0);
        self.report.undecided += u64::from(outcome == Outcome::Undecided);
        self.report.totals.add(totals);
        self.report.time_ms = self.report.time_ms.saturating_add(case.time_ms);
        if totals.bad() > 0 && self.report.failed.len() < FAILED_NAMED_MAX {
            self.report.failed.push(case.name);
        }
        if let Some(suite) = self.suite() {
            suite.direct.add(totals);
            suite.all.add(totals);
            suite.direct_reruns += reruns;
            suite.all_reruns += reruns;
            if suite.is_go {
                suite.runs.entry(case.full).or_default().note(outcome);
            }
        }
    }

    /// Counts the failed runs of a test as reruns where it passed when it was run again.
    fn settle_reruns(&mut self, suite: &mut Suite) {
        let runs = std::mem::take(&mut suite.runs);
        // Where a test that never failed ran twice, all were repeated, and the last run is unknown.
        if runs.values().any(|it| it.failed == 0 && it.passed + it.others > 1) {
            return;
        }
        for (full, runs) in runs {
            if runs.failed == 0 || runs.passed != 1 || runs.others > 0 {
                continue;
            }
            let name = evidence::label(&full);
            self.report.failed.retain(|it| *it != name);
            self.report.flaky += 1;
            self.report.totals.leave_out(runs.failed);
            suite.direct.leave_out(runs.failed);
            suite.all.leave_out(runs.failed);
            suite.direct_reruns += runs.failed;
            suite.all_reruns += runs.failed;
        }
    }

    fn close_suite(&mut self, suite: &Suite) {
        self.note_suite(suite);
        let claimed_bad = suite
            .claims
            .failures
            .unwrap_or(0)
            .saturating_add(suite.claims.errors.unwrap_or(0));
        let is_cut = suite
            .claims
            .tests
            .is_some_and(|claimed| claimed > suite.all.tests + suite.all_reruns);
        if claimed_bad > suite.all.bad() + suite.all_reruns || is_cut || !suite.no_numbers.is_empty() {
            self.report.claims_worse = true;
        }
        for what in &suite.no_numbers {
            let name = &suite.name;
            self.disagree(format!("Suite {name:?} counts {what} by what is no number."));
        }
        for sentence in suite.disagreements() {
            self.disagree(sentence);
        }
        if let Some(parent) = self.suite() {
            parent.all.add(suite.all);
            parent.all_reruns += suite.all_reruns;
        }
    }

    fn note_suite(&mut self, suite: &Suite) {
        if suite.direct.tests > 0 {
            self.report.suites.insert(suite.name.clone());
        }
        if suite.direct.bad() > 0 {
            self.report.failed_suites.insert(suite.name.clone());
        }
    }

    fn disagree(&mut self, sentence: String) {
        if self.report.disagreements.len() < DISAGREEMENTS_MAX {
            self.report.disagreements.push(sentence);
        }
    }

    fn finish(self) -> Result<Report, Unreadable> {
        if !self.has_root || !self.open.is_empty() {
            return Err(Unreadable::because("the XML ends too early"));
        }
        Ok(self.report)
    }
}

impl Suite {
    fn of(attributes: &Attributes) -> Self {
        Self {
            name: evidence::label(attributes.get("name").unwrap_or_default()),
            claims: Claims {
                tests: attributes.number("tests"),
                failures: attributes.number("failures"),
                errors: attributes.number("errors"),
                skipped: attributes.number("skipped"),
            },
            direct: Totals::default(),
            all: Totals::default(),
            direct_reruns: 0,
            all_reruns: 0,
            no_numbers: attributes.no_numbers(),
            is_go: false,
            runs: BTreeMap::new(),
        }
    }

    fn disagreements(&self) -> impl Iterator<Item = String> {
        [
            ("tests", self.claims.tests, self.direct.tests, self.all.tests),
            (
                "failures",
                self.claims.failures,
                self.direct.failures,
                self.all.failures,
            ),
            ("errors", self.claims.errors, self.direct.errors, self.all.errors),
            ("skipped", self.claims.skipped, self.direct.skipped, self.all.skipped),
        ]
        .into_iter()
        .filter_map(|(what, claim, direct, all)| {
            let is_explained = |claim: &u64| {
                (direct..=direct + self.direct_reruns).contains(claim) || (all..=all + self.all_reruns).contains(claim)
            };
            let claim = claim.filter(|claim| !is_explained(claim))?;
            let name = &self.name;
            Some(format!(
                "Suite {name:?} claims {what} {claim}, its test cases show {all}."
            ))
        })
    }
}

impl Runs {
    fn note(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failure => self.failed += 1,
            Outcome::Skipped | Outcome::Undecided | Outcome::Error => self.others += 1,
        }
    }
}

impl Case {
    fn of(attributes: &Attributes) -> Self {
        let name = attributes.get("name").unwrap_or("(unnamed)");
        let full = match attributes.get("classname") {
            Some(class) if !class.is_empty() => format!("{class}.{name}"),
            _ => name.to_owned(),
        };
        // Some tools report the outcome of a test by an attribute alone: GoogleTest that it did not run.
        let status = attributes.get("status").unwrap_or_default().to_ascii_lowercase();
        let outcome = match status.as_str() {
            "notrun" | "skipped" | "disabled" | "ignored" => Outcome::Skipped,
            "failed" | "failure" | "fail" => Outcome::Failure,
            "error" | "broken" | "timeout" | "timedout" | "aborted" => Outcome::Error,
            "unknown" | "inconclusive" => Outcome::Undecided,
            _ => Outcome::Passed,
        };
        Self {
            name: evidence::label(&full),
            full,
            time_ms: attributes.get("time").map_or(0, milliseconds),
            outcome,
            flaky_runs: 0,
            failed_reruns: 0,
        }
    }

    /// Its outcome: runners list failed reruns beside a failure, and flaky runs beside a pass.
    fn judged(&self) -> Outcome {
        match self.outcome {
            Outcome::Passed if self.failed_reruns > 0 => Outcome::Undecided,
            outcome => outcome,
        }
    }
}

/// The few attributes that matter.
struct Attributes(Vec<(&'static str, String)>);

impl Attributes {
    const WANTED: [&'static str; 8] = [
        "name",
        "classname",
        "time",
        "status",
        "tests",
        "failures",
        "errors",
        "skipped",
    ];

    fn of(element: &BytesStart<'_>) -> Result<Self, Unreadable> {
        let broken = |error: &dyn std::fmt::Display| {
            Unreadable::because(format_args!("the XML has a broken attribute: {error}"))
        };
        let mut found = Vec::new();
        for (number, attribute) in element.attributes().enumerate() {
            if number >= ATTRIBUTES_MAX {
                return Err(Unreadable::because("the XML has an element with too many attributes"));
            }
            let attribute = attribute.map_err(|error| broken(&error))?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| broken(&error))?;
            let key = attribute.key.as_ref();
            if let Some(wanted) = Self::WANTED.into_iter().find(|wanted| *wanted == key) {
                found.push((wanted, value.into_owned()));
            }
        }
        Ok(Self(found))
    }

    fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(wanted, _)| *wanted == key);
        found.map(|(_, value)| value.as_str())
    }

    /// Some tools part thousands by a comma.
    fn number(&self, key: &str) -> Option<u64> {
        self.get(key)?.trim().replace(',', "").parse().ok()
    }

    fn no_numbers(&self) -> Vec<&'static str> {
        let counts = ["tests", "failures", "errors", "skipped"].into_iter();
        let is_said = |key: &&str| self.get(key).is_some_and(|value| !value.trim().is_empty());
        counts
            .filter(is_said)
            .filter(|key| self.number(key).is_none())
            .collect()
    }
}

/// Reads seconds such as `1.25`, `1,234.5` (a separator of thousands) or `0,5` (a decimal comma).
/// The time is for information only, so an unreadable one counts as nothing.
fn milliseconds(text: &str) -> u64 {
    const LONGEST_SECONDS: f64 = 1e9;
    let plain = if text.contains('.') {
        text.replace(',', "")
    } else {
        text.replace(',', ".")
    };
    match plain.trim().parse::<f64>() {
        Ok(seconds) if (0.0..=LONGEST_SECONDS).contains(&seconds) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range was checked"
            )]
            let whole = (seconds * 1_000.0).round() as u64;
            whole
        }
        _ => 0,
    }
}

#[cfg(test)]
#[path = "junit_tests.rs"]
mod tests;
