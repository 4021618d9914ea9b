//! Recurring failures: those that share a service and a root cause, an alert, a failed step or a template.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::core::enums::{ProblemState, RecurrenceKind};
use crate::incident::problem::ProblemRecord;

/// The fewest failures with a shared pattern for a proposed problem.
pub const LEAST: usize = 3;
/// The cause of reviews that found none; such failures share nothing.
const NOT_FOUND: &str = "unknown";

/// A failure: an incident, or a change that failed without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its key: that of the incident, or of the change.
    pub key: String,
    /// When it began.
    pub at: Timestamp,
    /// The services.
    pub services: BTreeSet<String>,
    /// The root cause that a completed review named.
    pub cause: Option<String>,
    /// The identifier of one alert within one connection.
    pub alert: Option<String>,
    /// The texts of the steps that failed, in small letters.
    pub steps: BTreeSet<String>,
    /// The templates of the changes.
    pub templates: BTreeSet<String>,
    /// The keys of changes that are part of the same failure.
    pub also: BTreeSet<String>,
}

/// The common pattern of failures: its kind, and its value within the kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    /// The kind.
    pub kind: RecurrenceKind,
    /// The service, where the kind has one.
    pub service: String,
    /// Cause, alert, step or template.
    pub what: String,
}

/// A problem that failures propose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The shared pattern.
    pub pattern: Pattern,
    /// The keys of the failures, the earliest first.
    pub cases: Vec<String>,
    /// Their services.
    pub services: BTreeSet<String>,
}

/// Further cases of an existing problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Further {
    /// The problem's key.
    pub problem: String,
    /// The keys of the failures, the earliest first.
    pub cases: Vec<String>,
}

impl Failure {
    fn patterns(&self) -> Vec<Pattern> {
        let pattern = |kind, service: &str, what: &str| Pattern {
            kind,
            service: service.to_owned(),
            what: what.to_owned(),
        };
        let mut found = Vec::new();
        for service in &self.services {
            if let Some(cause) = self.cause.as_ref().filter(|cause| *cause != NOT_FOUND) {
                found.push(pattern(RecurrenceKind::Cause, service, cause));
            }
            found.extend(
                self.steps
                    .iter()
                    .map(|step| pattern(RecurrenceKind::Step, service, step)),
            );
        }
        found.extend(self.alert.iter().map(|alert| pattern(RecurrenceKind::Alert, "", alert)));
        let templates = self.templates.iter();
        found.extend(templates.map(|template| pattern(RecurrenceKind::Template, "", template)));
        found
    }

    fn is_among(&self, keys: &BTreeSet<String>) -> bool {
        keys.contains(&self.key) || self.also.iter().any(|key| keys.contains(key))
    }
}

/// The failures of each pattern, the earliest first; patterns in the order of what they explain: a cause first.
fn groups(failures: &[Failure]) -> BTreeMap<Pattern, Vec<&Failure>> {
    let mut found: BTreeMap<Pattern, Vec<&Failure>> = BTreeMap::new();
    for failure in failures {
        for pattern in failure.patterns() {
            found.entry(pattern).or_default().push(failure);
        }
    }
    for group in found.values_mut() {
        group.sort_by(|one, other| (one.at, &one.key).cmp(&(other.at, &other.key)));
    }
    found
}

fn keys<'k>(cases: impl IntoIterator<Item = &'k String>) -> BTreeSet<String> {
    cases.into_iter().cloned().collect()
}

/// The problems that the failures propose, and further cases of existing problems. A failure counts for one proposal alone, and
/// for none while it is a case of an active problem. A dismissed problem is proposed again only for as many new failures.
#[must_use]
pub fn propose(failures: &[Failure], problems: &[ProblemRecord]) -> (Vec<Proposal>, Vec<Further>) {
    let mut taken: BTreeSet<String> = problems.iter().flat_map(|it| it.cases.iter().cloned()).collect();
    let (mut proposals, mut further) = (Vec::new(), Vec::<Further>::new());
    for (pattern, group) in groups(failures) {
        let is_known = |problem: &&ProblemRecord| is_of_problem(problem, (&pattern, &group), failures);
        let mut known = problems.iter().filter(is_known);
        let in_use = known.find(|problem| problem.state != ProblemState::Dismissed);
        let fresh: Vec<&Failure> = group
            .iter()
            .copied()
            .filter(|failure| !failure.is_among(&taken))
            .collect();
        if fresh.is_empty() || (in_use.is_none() && fresh.len() < LEAST) {
            continue;
        }
        for failure in &fresh {
            taken.insert(failure.key.clone());
            taken.extend(failure.also.iter().cloned());
        }
        let cases = fresh.iter().map(|failure| failure.key.clone()).collect();
        match in_use {
            Some(problem) => further.push(Further {
                problem: problem.key.clone(),
                cases,
            }),
            None => proposals.push(Proposal {
                services: services(&pattern, &fresh),
                pattern,
                cases,
            }),
        }
    }
    (proposals, further)
}

fn services(pattern: &Pattern, cases: &[&Failure]) -> BTreeSet<String> {
    if !pattern.service.is_empty() {
        return BTreeSet::from([pattern.service.clone()]);
    }
    cases
        .iter()
        .flat_map(|failure| failure.services.iter().cloned())
        .collect()
}

/// Whether the failures of a pattern belong to a problem: they share the pattern of its cases. A problem that a person recorded
/// has the named service and root cause, the alert of its cases, and the common traits of at least two cases.
fn is_of_problem(problem: &ProblemRecord, (pattern, group): (&Pattern, &[&Failure]), failures: &[Failure]) -> bool {
    let cases = keys(&problem.cases);
    if problem.pattern != RecurrenceKind::Named {
        return problem.pattern == pattern.kind && group.iter().any(|failure| failure.is_among(&cases));
    }
    let is_of_cause = pattern.kind == RecurrenceKind::Cause && problem.cause.as_ref() == Some(&pattern.what);
    if is_of_cause && problem.services.iter().any(|key| key.as_str() == pattern.service) {
        return true;
    }
    let of_cases = |failure: &&&Failure| failure.is_among(&cases);
    let shared = group.iter().filter(of_cases).count();
    let least = if pattern.kind == RecurrenceKind::Alert { 1 } else { 2 };
    let own = failures.iter().filter(|failure| failure.is_among(&cases)).count();
    shared >= least && shared == own
}

/// The times of the failures that belong to a problem: its cases, and failures with their pattern.
#[must_use]
pub fn times(problem: &ProblemRecord, failures: &[Failure]) -> Vec<Timestamp> {
    let cases = keys(&problem.cases);
    let mut found: BTreeSet<(Timestamp, &str)> = failures
        .iter()
        .filter(|failure| failure.is_among(&cases))
        .map(|failure| (failure.at, failure.key.as_str()))
        .collect();
    for (pattern, group) in groups(failures) {
        if is_of_problem(problem, (&pattern, &group), failures) {
            found.extend(group.iter().map(|failure| (failure.at, failure.key.as_str())));
        }
    }
    found.into_iter().map(|(at, _)| at).collect()
}

impl RecurrenceKind {
    /// The label of the shared trait.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Cause => "the same service and root cause",
            Self::Alert => "the same alert",
            Self::Step => "the same service and failed step",
            Self::Template => "the same template",
            Self::Named => "named by a person",
        }
    }
}

#[cfg(test)]
mod tests;
