//! The changes behind a figure of a control report.

use jiff::Timestamp;
use serde::Serialize;

use super::{Exception, Spanned, looked_at, was_rolled_back};
use crate::compliance::change_trail::{ChangeFacts, ChangeTrail};
use crate::compliance::violation::Rule;
use crate::core::enums::{Kind, Level, ReportFigure, State};

/// A figure of a report: one of its population, or the changes that a rule tested.
#[derive(Clone, Copy)]
pub enum Asked {
    /// Of the population.
    Figure(ReportFigure),
    /// Of the tests.
    Rule(&'static Rule),
}

/// A change behind a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportRow {
    /// Its key.
    pub change: String,
    /// Its kind.
    pub kind: String,
    /// Its risk; `unknown` without one.
    pub risk: String,
    /// Its services.
    pub services: Vec<String>,
    /// When its work began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// The exception that the rule found, and its dismissal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
}

/// The changes behind a figure of a report over a span `[from, to)`, in the order of their numbers.
#[must_use]
pub fn rows(trail: &ChangeTrail, asked: Asked, (from, to): (Timestamp, Timestamp)) -> Vec<ReportRow> {
    let spanned = Spanned::read(trail, (from, to));
    match asked {
        Asked::Figure(figure) => {
            let all = spanned.changes.iter().chain(&spanned.strayed);
            let mut found: Vec<&ChangeFacts> = all
                .filter(|it| {
                    it.started().is_some_and(|at| at >= from && at < to) || figure == ReportFigure::Unauthorized
                })
                .filter(|it| counts(figure, it))
                .collect();
            found.sort_by_key(|it| it.number);
            found.into_iter().map(|it| row(it, None)).collect()
        }
        Asked::Rule(rule) => {
            let tested = looked_at(rule, (spanned.changes.as_slice(), spanned.strayed.as_slice()));
            tested
                .into_iter()
                .map(|it| row(it, Exception::found(rule, it, to).map(|it| it.text)))
                .collect()
        }
    }
}

/// A change whose work began, with the facts by which a sample is stratified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its key.
    pub key: String,
    /// Its kind.
    pub kind: Kind,
    /// Its risk; `None` without one.
    pub risk: Option<Level>,
    /// Its state.
    pub state: State,
    /// Its services, each once, in the order of their keys.
    pub services: Vec<String>,
    /// When its work began.
    pub started_at: Timestamp,
}

/// All changes whose work began, in the order of their numbers: those of a span are the population of its reports.
#[must_use]
pub fn members(trail: &ChangeTrail) -> Vec<Member> {
    let (mut facts, _) = trail.facts();
    facts.sort_by_key(|it| it.number);
    let member = |it: ChangeFacts| {
        let started_at = it.started()?;
        let row = row(&it, None);
        Some(Member {
            key: row.change,
            kind: it.kind,
            risk: it.risk.level,
            state: it.state,
            services: row.services,
            started_at,
        })
    };
    facts.into_iter().filter_map(member).collect()
}

/// Whether a change is in a figure, as the population counts it.
fn counts(figure: ReportFigure, it: &ChangeFacts) -> bool {
    match figure {
        ReportFigure::Changes => true,
        ReportFigure::Ended => it.succeeded().is_some(),
        ReportFigure::Succeeded => it.succeeded() == Some(true),
        ReportFigure::RolledBack => was_rolled_back(it),
        ReportFigure::Emergency => it.kind == Kind::Emergency,
        ReportFigure::BreakGlass => it.break_glass.is_some(),
        ReportFigure::Unauthorized => it.unauthorized || !it.strays.is_empty(),
    }
}

fn row(it: &ChangeFacts, exception: Option<String>) -> ReportRow {
    let mut services: Vec<String> = it.targets.iter().map(|target| target.service.clone()).collect();
    services.sort_unstable();
    services.dedup();
    ReportRow {
        change: it.key.clone(),
        kind: it.kind.as_str().to_owned(),
        risk: it.risk.level.map_or("unknown", |level| level.as_str()).to_owned(),
        services,
        started_at: it.started(),
        exception,
    }
}
