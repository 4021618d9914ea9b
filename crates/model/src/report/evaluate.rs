//! The rows that a definition counts in a window, and the value of each: hit or miss, a number of minutes, or excluded.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::report::change_outcome::{ApprovalSpan, ChangeOutcome, TargetOutcome};
use crate::report::definition::{Definition, Exclusion, Measure, Population};
pub use crate::report::deployments::FailureTerms;
use crate::report::deployments::{Deployed, Deployment};
use crate::report::population::{Dimension, Facts, RowFilter, values};
pub use crate::report::window::{LOOK_AHEAD_DAYS, LOOK_BACK_DAYS, Window};

/// One thing that a figure counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted<'r> {
    /// The change.
    pub row: &'r ChangeOutcome,
    /// The target; `None` where changes are counted.
    pub target: Option<&'r TargetOutcome>,
    /// The approval rule.
    pub approval: Option<&'r ApprovalSpan>,
    /// The time at which it counts.
    pub at: Timestamp,
    /// Whether it is a hit of the measure.
    pub is_hit: bool,
    /// The duration, where the measure is a time.
    pub minutes: Option<i64>,
    /// The reason for its exclusion.
    pub exclusion: Option<Exclusion>,
    /// Its groups.
    pub groups: Vec<String>,
}

/// The question.
#[derive(Debug, Clone)]
pub struct Question<'q> {
    /// The metric.
    pub definition: &'q Definition,
    /// When.
    pub window: Window,
    /// The rows.
    pub filter: &'q RowFilter,
    /// The dimension by which the figure is split.
    pub by: Option<Dimension>,
}

/// The shared data of several evaluations over one window: the rows, and the deployments in their order.
#[derive(Debug, Clone)]
pub struct Base<'r> {
    rows: &'r [ChangeOutcome],
    window: Window,
    has_deployments: bool,
    deployed: Deployed<'r>,
}

/// Whether a definition is about deployments.
fn looks_at_deployments(definition: &Definition) -> bool {
    matches!(definition.population, Population::Deployments | Population::Changes)
}

impl<'r> Base<'r> {
    /// The base of a question. `rows` reach [`LOOK_BACK_DAYS`] further back than its window, and are not filtered.
    #[must_use]
    pub fn of(question: &Question<'_>, rows: &'r [ChangeOutcome]) -> Self {
        let has_deployments = looks_at_deployments(question.definition);
        Self {
            rows,
            window: question.window,
            has_deployments,
            deployed: match has_deployments {
                true => Deployed::of(rows, question.window),
                false => Deployed::default(),
            },
        }
    }

    /// Whether it is the base of another question over the same rows, too.
    #[must_use]
    pub fn is_of(&self, question: &Question<'_>) -> bool {
        self.window == question.window && self.has_deployments == looks_at_deployments(question.definition)
    }

    /// All rows of a definition in the window, excluded or not, in the order of time. The base belongs to this question.
    #[must_use]
    pub fn evaluate(&self, question: &Question<'_>, facts: &Facts, terms: FailureTerms) -> Vec<Counted<'r>> {
        let deployments = self.deployed.under(facts, terms);
        let mut counted = match question.definition.population {
            Population::Deployments => of_deployments(question, deployments.as_slice(), facts),
            Population::Changes => of_changes(question, (self.rows, deployments.as_slice()), (facts, terms)),
            Population::Created => of_created(question, self.rows, facts),
            Population::Rules => of_rules(question, self.rows, facts),
        };
        for it in &mut counted {
            // A row counts unless this definition excludes it.
            it.exclusion = it.exclusion.filter(|why| question.definition.exclusions.contains(why));
        }
        counted.sort_by_key(|it| (it.at, it.row.number));
        counted
    }
}

/// All rows of a definition in the window, excluded or not, in the order of time. `rows` reach [`LOOK_BACK_DAYS`] further back,
/// and are not filtered.
#[must_use]
pub fn evaluate<'r>(question: &Question<'_>, rows: &'r [ChangeOutcome], facts: &Facts) -> Vec<Counted<'r>> {
    Base::of(question, rows).evaluate(question, facts, FailureTerms::DEFINED)
}

fn minutes(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_mins().max(0)
}

fn of_deployments<'r>(question: &Question<'_>, all: &[Deployment<'r>], facts: &Facts) -> Vec<Counted<'r>> {
    let names_environment = question.filter.environment.is_some();
    let wanted = all.iter().filter(|it| {
        let is_place = names_environment || facts.production.contains(&it.target.environment);
        is_place && question.window.has(it.at) && question.filter.fits(it.row, Some(it.target), facts)
    });
    wanted.filter_map(|it| one_deployment(question, it, facts)).collect()
}

fn one_deployment<'r>(question: &Question<'_>, it: &Deployment<'r>, facts: &Facts) -> Option<Counted<'r>> {
    let (is_hit, minutes) = match question.definition.measure {
        Measure::Failed => (it.failed, None),
        Measure::Rework => (it.row.is_rework, None),
        Measure::Succeeded => (!it.failed, None),
        // Work that was recorded afterwards has no lead time.
        Measure::Lead if it.row.created_at > it.at => return None,
        Measure::Lead if it.failed && it.exclusion.is_none() => return None,
        Measure::Lead => (true, Some(minutes(it.row.created_at, it.at))),
        Measure::Recovery if !it.failed && it.exclusion.is_none() => return None,
        Measure::Recovery => (
            it.recovered_at.is_some(),
            it.recovered_at.map(|end| minutes(it.began_at(), end)),
        ),
        Measure::Any | Measure::Emergency | Measure::Approval => (true, None),
    };
    Some(Counted {
        row: it.row,
        target: Some(it.target),
        approval: None,
        at: it.at,
        is_hit,
        minutes,
        exclusion: it.exclusion,
        groups: groups(question, it.row, &[it.target], facts),
    })
}

fn groups(question: &Question<'_>, row: &ChangeOutcome, targets: &[&TargetOutcome], facts: &Facts) -> Vec<String> {
    let Some(by) = question.by else { return Vec::new() };
    let mut found: BTreeSet<String> = targets.iter().flat_map(|it| values(row, Some(it), facts, by)).collect();
    if targets.is_empty() {
        found.extend(values(row, None, facts, by));
    }
    found.into_iter().collect()
}

/// The targets of a change that fit the filter; `None` where the change does not.
fn fitting<'r>(question: &Question<'_>, row: &'r ChangeOutcome, facts: &Facts) -> Option<Vec<&'r TargetOutcome>> {
    if row.targets.is_empty() {
        return question.filter.fits(row, None, facts).then(Vec::new);
    }
    let targets = row
        .targets
        .iter()
        .filter(|it| question.filter.fits(row, Some(it), facts));
    let targets: Vec<&TargetOutcome> = targets.collect();
    (!targets.is_empty()).then_some(targets)
}

fn of_changes<'r>(
    question: &Question<'_>,
    (rows, all): (&'r [ChangeOutcome], &[Deployment<'r>]),
    (facts, terms): (&Facts, FailureTerms),
) -> Vec<Counted<'r>> {
    let mut excluded: std::collections::BTreeMap<i64, Vec<Option<Exclusion>>> = std::collections::BTreeMap::new();
    for it in all {
        excluded.entry(it.row.number).or_default().push(it.exclusion);
    }
    let one = |row: &'r ChangeOutcome| {
        let at = row.ended_at.filter(|at| question.window.has(*at))?;
        let targets = fitting(question, row, facts)?;
        // A change is left out where a rule leaves all of its targets out.
        let whys = excluded.get(&row.number).map(Vec::as_slice).unwrap_or_default();
        let is_out = !whys.is_empty() && whys.iter().all(Option::is_some);
        let exclusion = whys.first().copied().flatten().filter(|_| is_out);
        let exclusion = exclusion.or_else(|| row.succeeded.is_none().then_some(Exclusion::Skipped));
        // Work that is under way again has no outcome yet.
        let is_open = row.targets.iter().any(|it| it.outcome.is_none());
        let has_no_lead = question.definition.measure == Measure::Lead && row.created_at > at;
        if is_open || has_no_lead {
            return None;
        }
        Some(Counted {
            row,
            target: None,
            approval: None,
            at,
            is_hit: row.succeeded == Some(true) || (row.fails_by_incidents && !terms.has_incident(row, facts)),
            minutes: Some(minutes(row.created_at, at)),
            exclusion,
            groups: groups(question, row, &targets, facts),
        })
    };
    rows.iter().filter_map(one).collect()
}

fn of_created<'r>(question: &Question<'_>, rows: &'r [ChangeOutcome], facts: &Facts) -> Vec<Counted<'r>> {
    let one = |row: &'r ChangeOutcome| {
        let at = Some(row.created_at).filter(|at| question.window.has(*at))?;
        let targets = fitting(question, row, facts)?;
        Some(Counted {
            row,
            target: None,
            approval: None,
            at,
            is_hit: row.is_emergency(),
            minutes: None,
            exclusion: None,
            groups: groups(question, row, &targets, facts),
        })
    };
    rows.iter().filter_map(one).collect()
}

fn of_rules<'r>(question: &Question<'_>, rows: &'r [ChangeOutcome], facts: &Facts) -> Vec<Counted<'r>> {
    let mut counted = Vec::new();
    for row in rows {
        let Some(targets) = fitting(question, row, facts) else {
            continue;
        };
        let is_theirs = |span: &&ApprovalSpan| {
            let wanted = question.filter.approver.as_ref();
            wanted.is_none_or(|person| span.approver.as_ref() == Some(person))
        };
        let met = row.approvals.iter().filter(|it| question.window.has(it.met_at));
        for span in met.filter(is_theirs) {
            let own = match question.by {
                Some(Dimension::Stage) => vec![span.stage.clone()],
                Some(Dimension::Rule) => vec![span.rule.clone()],
                Some(Dimension::Group) if span.group.is_empty() => Vec::new(),
                Some(Dimension::Group) => vec![span.group.clone()],
                Some(Dimension::Approver) => span.approver.iter().map(|it| it.0.clone()).collect(),
                _ => groups(question, row, &targets, facts),
            };
            counted.push(Counted {
                row,
                target: None,
                approval: Some(span),
                at: span.met_at,
                is_hit: true,
                minutes: Some(span.seconds() / 60),
                exclusion: (span.met_at < span.asked_at).then_some(Exclusion::Clock),
                groups: own,
            });
        }
    }
    counted
}
