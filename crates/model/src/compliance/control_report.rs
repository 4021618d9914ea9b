//! A control report: the population of a span, and for each control of a framework its tests with their exceptions.
//!
//! A report is a pure function of the log up to a size, of the definitions and of the span, so that the same inputs give the
//! same bytes. A report names no people.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proof::crypto::digest_text;
use serde::Serialize;

use crate::compliance::change_trail::{ChangeFacts, ChangeTrail, Dismissed};
use crate::compliance::framework::{Control, Framework};
use crate::compliance::violation::{RULES, Rule, Severity, UNAUTHORIZED_WORK};
pub use crate::core::enums::ReportFormat;
use crate::core::enums::{Kind, Outcome};

/// The most exceptions that a test lists; the count includes all.
pub const MOST_EXCEPTIONS: usize = 1_000;

impl ReportFormat {
    /// The names of all formats, in one line for people.
    pub const NAMES: &str = "`pdf`, `xlsx`, `csv`, `json` or `oscal`";

    /// The format of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// The media type of such a file.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json | Self::Oscal => "application/json",
        }
    }

    /// The end of such a file's name.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Oscal => "oscal.json",
            other => other.as_str(),
        }
    }
}

/// A position in the log: how many events it has and the root of its Merkle tree at that size (RFC 9162).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogPosition {
    /// The number of events.
    pub size: u64,
    /// The root, as `sha256:` and hexadecimal digits.
    pub root: String,
}

/// A report about one framework.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControlReport {
    /// The framework's id.
    pub framework: String,
    /// Its name.
    pub title: String,
    /// The publication that its clauses cite.
    pub source: String,
    /// The digest of framework and rules: another definition gives another report.
    pub definition: String,
    /// The begin of the span.
    pub from: Timestamp,
    /// The end of the span, not included. Deadlines are judged as of this moment.
    pub to: Timestamp,
    /// The log that it was computed from.
    pub log: LogPosition,
    /// The changes whose work began in the span.
    pub population: Population,
    /// Events about people, rights, policies, keys and connections in the span, by kind.
    pub administration: BTreeMap<String, u64>,
    /// Changes of the log that could not be read, and so are in no count.
    pub unreadable: u64,
    /// Each control with its tests.
    pub controls: Vec<ControlResult>,
}

/// The changes of a span, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Population {
    /// Changes whose work began in the span.
    pub changes: u64,
    /// The changes among them whose work has ended with something implemented.
    pub ended: u64,
    /// The changes among them that succeeded.
    pub succeeded: u64,
    /// Changes of which something was rolled back.
    pub rolled_back: u64,
    /// Changes with a break-glass.
    pub break_glass: u64,
    /// Changes that record a deployment without approval, also where their work did not begin in the span.
    pub unauthorized: u64,
    /// Changes by kind.
    pub by_kind: BTreeMap<String, u64>,
    /// Changes by risk; `unknown` for those without one.
    pub by_risk: BTreeMap<String, u64>,
    /// Changes by service; a change with several services counts for each.
    pub by_service: BTreeMap<String, u64>,
    /// Volume and success by the month in UTC in which the work began: `2026-11`.
    pub by_month: BTreeMap<String, MonthFigures>,
}

/// The changes of one month of a span.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MonthFigures {
    /// Changes whose work began in it.
    pub changes: u64,
    /// The changes among them whose work has ended with something implemented.
    pub ended: u64,
    /// The changes among them that succeeded.
    pub succeeded: u64,
}

/// The result of a control's tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Result {
    /// Every test passed for every change that it covered, except for dismissed false positives.
    NoExceptions,
    /// A test found something that nobody dismissed as a false positive.
    Exceptions,
    /// There was nothing to test: no change had what its tests look at.
    NotTested,
    /// None of the policies that enforce it is in force.
    NotEnforced,
}

impl Result {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoExceptions => "no exceptions",
            Self::Exceptions => "exceptions",
            Self::NotTested => "not tested",
            Self::NotEnforced => "not enforced",
        }
    }
}

/// A control with what its tests found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControlResult {
    /// The control's id.
    pub id: String,
    /// The clause.
    pub clause: String,
    /// The objective of the control.
    pub objective: String,
    /// How Assent enforces it.
    pub enforcement: String,
    /// The policies that enforce it, by id.
    pub policies: Vec<String>,
    /// The policies among them that were not in force all through the span.
    pub not_in_force: Vec<String>,
    /// Why it counts as not enforced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The common result of the tests.
    pub result: Result,
    /// Each test.
    pub tests: Vec<TestResult>,
}

/// A test with its exceptions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestResult {
    /// The rule's id.
    pub rule: String,
    /// The finding.
    pub title: String,
    /// The comparison that it makes.
    pub test: String,
    /// How much an exception matters.
    pub severity: Severity,
    /// How many changes were tested: those to which the rule applies.
    pub tested: u64,
    /// How many exceptions there are, without those that were dismissed.
    pub found: u64,
    /// How many were dismissed as false positives.
    #[serde(skip_serializing_if = "is_none")]
    pub dismissed: u64,
    /// The exceptions, also those that were dismissed, at most [`MOST_EXCEPTIONS`], in the order of the changes' numbers.
    pub exceptions: Vec<Exception>,
}

/// A change that violates a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exception {
    /// The key of the change.
    pub change: String,
    /// The finding, and whether it was dismissed.
    pub text: String,
    /// The dismissal as a false positive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<Dismissed>,
}

impl Exception {
    /// A rule's finding about a change as of a moment; `None` without a finding.
    #[must_use]
    pub fn found(rule: &Rule, facts: &ChangeFacts, as_of: Timestamp) -> Option<Self> {
        let mut text = (rule.find)(facts, as_of)?;
        let dismissed = facts.dismissed.get(rule.id).cloned();
        if let Some(dismissed) = &dismissed {
            text.push_str(&dismissed.mark());
        }
        Some(Self {
            change: facts.key.clone(),
            text,
            dismissed,
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// The digest over a framework and all rules, as `sha256:` and hexadecimal digits.
#[must_use]
pub fn definition(framework: &Framework) -> String {
    let rules: Vec<_> = RULES.iter().map(|it| (it.id, it.test, it.severity)).collect();
    let bytes = serde_json::to_vec(&(framework, rules)).unwrap_or_default();
    digest_text(&bytes)
}

/// Reports on a framework over a span `[from, to)`, from the changes of a log. `shipped` are the policies that come with the program,
/// which are in force until others are.
#[must_use]
pub fn control_report(
    trail: &ChangeTrail,
    framework: &Framework,
    (from, to): (Timestamp, Timestamp),
    log: LogPosition,
    shipped: &BTreeSet<String>,
) -> ControlReport {
    let told = trail.policies(from, to);
    let definition = match told.iter().all(|(_, policies)| policies.is_some()) {
        true => definition(framework),
        // The log does not contain the policies that come with the program.
        false => digest_text(&serde_json::to_vec(&(definition(framework), shipped)).unwrap_or_default()),
    };
    let in_force: Vec<InForce<'_>> = told
        .into_iter()
        .map(|(since, policies)| (since, policies.unwrap_or(shipped)))
        .collect();
    // Each rule tests each change once, whatever number of controls names the rule.
    let is_used = |rule: &&Rule| framework.controls.iter().any(|it| it.rules.contains(&rule.id));
    let mut tests: Vec<(&Rule, TestResult)> = RULES
        .iter()
        .filter(is_used)
        .map(|rule| (rule, TestResult::of(rule)))
        .collect();
    let mut population = Population::default();
    let unreadable = each_in(trail, (from, to), |facts, has_begun| {
        population.take(&facts, has_begun);
        for (rule, test) in &mut tests {
            if is_tested(rule, &facts, has_begun) {
                test.take(rule, &facts, to);
            }
        }
    });
    ControlReport {
        framework: framework.id.to_owned(),
        title: framework.title.to_owned(),
        source: framework.source.to_owned(),
        definition,
        from,
        to,
        log,
        population,
        administration: trail.administration(from, to),
        unreadable,
        controls: framework
            .controls
            .iter()
            .map(|it| judged(it, &tests, (in_force.as_slice(), to)))
            .collect(),
    }
}

/// The policies in force since a moment.
type InForce<'p> = (Timestamp, &'p BTreeSet<String>);

/// Passes on each change that a report over a span `[from, to)` looks at, in the order of their numbers, and returns how many
/// could not be read: the changes whose work began in the span, and those of which a deployment without a lawful start falls
/// into it, whatever became of the change. The flag tells the first from the second.
fn each_in(trail: &ChangeTrail, (from, to): (Timestamp, Timestamp), mut take: impl FnMut(ChangeFacts, bool)) -> u64 {
    trail.each(|mut it| {
        it.strays.retain(|stray| stray.is_in(from, to));
        let has_begun = it.started().is_some_and(|at| at >= from && at < to);
        if has_begun || !it.strays.is_empty() {
            take(it, has_begun);
        }
    })
}

/// Whether a rule tests a change of [`each_in`].
fn is_tested(rule: &Rule, facts: &ChangeFacts, has_begun: bool) -> bool {
    (has_begun || rule.id == UNAUTHORIZED_WORK) && (rule.applies)(facts)
}

/// Whether something of a change was rolled back.
fn was_rolled_back(it: &ChangeFacts) -> bool {
    it.way_back_taken || it.outcome == Some(Outcome::RolledBack)
}

impl Population {
    /// Counts a change of [`each_in`].
    fn take(&mut self, it: &ChangeFacts, has_begun: bool) {
        self.unauthorized += u64::from((has_begun && it.unauthorized) || !it.strays.is_empty());
        if !has_begun {
            return;
        }
        let succeeded = it.succeeded();
        self.changes += 1;
        self.ended += u64::from(succeeded.is_some());
        self.succeeded += u64::from(succeeded == Some(true));
        if let Some(at) = it.started() {
            let month = at.strftime("%Y-%m").to_string();
            let month = self.by_month.entry(month).or_default();
            month.changes += 1;
            month.ended += u64::from(succeeded.is_some());
            month.succeeded += u64::from(succeeded == Some(true));
        }
        self.rolled_back += u64::from(was_rolled_back(it));
        self.break_glass += u64::from(it.break_glass.is_some());
        *self.by_kind.entry(it.kind.as_str().to_owned()).or_default() += 1;
        let risk = it.risk.level.map_or("unknown", |level| level.as_str());
        *self.by_risk.entry(risk.to_owned()).or_default() += 1;
        let mut services: Vec<&str> = it.targets.iter().map(|target| target.service.as_str()).collect();
        services.sort_unstable();
        services.dedup();
        for service in services {
            *self.by_service.entry(service.to_owned()).or_default() += 1;
        }
    }
}

fn judged(
    control: &Control,
    tests: &[(&Rule, TestResult)],
    (in_force, as_of): (&[InForce<'_>], Timestamp),
) -> ControlResult {
    let tests: Vec<TestResult> = control
        .rules
        .iter()
        .filter_map(|id| tests.iter().find(|(rule, _)| rule.id == *id))
        .map(|(_, test)| test.clone())
        .collect();
    let policies: Vec<String> = control.policies.iter().map(|id| (*id).to_owned()).collect();
    let is_missing = |id: &&String| in_force.iter().any(|(_, set)| !set.contains(*id));
    let not_in_force: Vec<String> = policies.iter().filter(is_missing).cloned().collect();
    let reason = unenforced(&policies, in_force, as_of).map(|gaps| {
        let names = not_in_force.join(", ");
        match gaps.as_str() {
            "" => format!("No policy that enforces it is in force: {names}."),
            _ => format!("No policy that enforces it was in force during {gaps}: {names}."),
        }
    });
    let result = match tests.iter().any(|test| test.found > 0) {
        _ if reason.is_some() => Result::NotEnforced,
        true => Result::Exceptions,
        false if tests.iter().all(|test| test.tested == 0) => Result::NotTested,
        false => Result::NoExceptions,
    };
    ControlResult {
        id: control.id.to_owned(),
        clause: control.clause.to_owned(),
        objective: control.objective.to_owned(),
        enforcement: control.enforcement.to_owned(),
        policies,
        not_in_force,
        reason,
        result,
        tests,
    }
}

/// When none of some policies was in force, as intervals of ISO 8601; empty for never, `None` where one always was.
fn unenforced(policies: &[String], in_force: &[InForce<'_>], to: Timestamp) -> Option<String> {
    let is_gap = |(_, set): &InForce<'_>| !policies.is_empty() && !policies.iter().any(|id| set.contains(id));
    if in_force.iter().all(is_gap) {
        return Some(String::new());
    }
    let ends = in_force.iter().skip(1).map(|(since, _)| *since).chain([to]);
    let mut gaps: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (one, until) in in_force.iter().zip(ends).filter(|(one, _)| is_gap(one)) {
        match gaps.last_mut() {
            Some(last) if last.1 == one.0 => last.1 = until,
            _ => gaps.push((one.0, until)),
        }
    }
    let spans = gaps.iter().map(|(since, until)| format!("{since}/{until}"));
    let spans = spans.collect::<Vec<_>>().join(", ");
    (!gaps.is_empty()).then_some(spans)
}

impl TestResult {
    /// A test of no change yet.
    fn of(rule: &Rule) -> Self {
        Self {
            rule: rule.id.to_owned(),
            title: rule.title.to_owned(),
            test: rule.test.to_owned(),
            severity: rule.severity,
            tested: 0,
            found: 0,
            dismissed: 0,
            exceptions: Vec::new(),
        }
    }

    /// Tests the next change.
    fn take(&mut self, rule: &Rule, facts: &ChangeFacts, as_of: Timestamp) {
        self.tested += 1;
        let Some(exception) = Exception::found(rule, facts, as_of) else {
            return;
        };
        match exception.dismissed {
            Some(_) => self.dismissed += 1,
            None => self.found += 1,
        }
        if self.exceptions.len() < MOST_EXCEPTIONS {
            self.exceptions.push(exception);
        }
    }

    /// The number of exceptions, as text.
    #[must_use]
    pub fn found_line(&self) -> String {
        let line = format!("{} of {}", self.found, self.tested);
        match self.dismissed {
            0 => line,
            dismissed => format!("{line}, {dismissed} dismissed"),
        }
    }
}

impl ControlResult {
    /// Its policies in one line, with a mark on those that are not in force.
    #[must_use]
    pub fn policy_line(&self) -> String {
        let one = |id: &String| match self.not_in_force.contains(id) {
            true => format!("{id} (not in force)"),
            false => id.clone(),
        };
        self.policies.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

impl ControlReport {
    /// The share of emergencies among the changes of the span, as counts.
    #[must_use]
    pub fn emergencies(&self) -> u64 {
        self.population
            .by_kind
            .get(Kind::Emergency.as_str())
            .copied()
            .unwrap_or_default()
    }

    /// The figures of the population, each with its label, as every form of the report shows them.
    #[must_use]
    pub fn figures(&self) -> Vec<(&'static str, u64)> {
        let counted = &self.population;
        vec![
            ("Changes whose work began in the span", counted.changes),
            ("Work ended", counted.ended),
            ("Succeeded", counted.succeeded),
            ("Rolled back", counted.rolled_back),
            ("Emergency", self.emergencies()),
            ("Break-glass", counted.break_glass),
            ("Unauthorized", counted.unauthorized),
            (
                "Changes of people, rights, policies and keys",
                self.administration.values().sum(),
            ),
            ("Changes of the log that could not be read", self.unreadable),
        ]
    }

    /// The inputs of the report: label and value.
    #[must_use]
    pub fn inputs(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Framework", self.title.clone()),
            ("Source", self.source.clone()),
            ("From", self.from.to_string()),
            ("To", self.to.to_string()),
            ("Size of the log", self.log.size.to_string()),
            ("Root of the log", self.log.root.clone()),
            ("Definition", self.definition.clone()),
        ]
    }

    /// The exceptions as rows: control, clause, rule, severity, change, text. A control that is not enforced has a row without
    /// a rule.
    pub fn rows(&self) -> impl Iterator<Item = [&str; 6]> {
        self.controls.iter().flat_map(|control| {
            let reason = control.reason.iter();
            let reason =
                reason.map(move |text| [control.id.as_str(), control.clause.as_str(), "", "", "", text.as_str()]);
            let exceptions = control.tests.iter().flat_map(move |test| {
                test.exceptions.iter().map(move |it| {
                    [
                        control.id.as_str(),
                        control.clause.as_str(),
                        test.rule.as_str(),
                        test.severity.as_str(),
                        it.change.as_str(),
                        it.text.as_str(),
                    ]
                })
            });
            reason.chain(exceptions)
        })
    }
}

pub mod rows;

#[cfg(test)]
mod tests;
