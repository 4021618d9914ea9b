//! The changes behind a figure of a control report.

use jiff::Timestamp;
use serde::Serialize;

use super::{Exception, each_in, is_tested, was_rolled_back};
use crate::compliance::change_trail::{ChangeFacts, ChangeTrail};
use crate::compliance::violation::Rule;
use crate::core::enums::{Kind, Level, ReportFigure, State};

/// A figure of a report: one of its population, or the changes that a rule tested.
#[derive(Clone, Copy)]
pub enum RowFilter {
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
pub fn rows(trail: &ChangeTrail, asked: RowFilter, (from, to): (Timestamp, Timestamp)) -> Vec<ReportRow> {
    let mut found = Vec::new();
    each_in(trail, (from, to), |it, has_begun| match asked {
        RowFilter::Figure(figure) => {
            if (has_begun || figure == ReportFigure::Unauthorized) && counts(figure, &it) {
                found.push(row(&it, None));
            }
        }
        RowFilter::Rule(rule) => {
            if is_tested(rule, &it, has_begun) {
                found.push(row(&it, Exception::found(rule, &it, to).map(|it| it.text)));
            }
        }
    });
    found
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
    let mut members = Vec::new();
    trail.each(|it| {
        let Some(started_at) = it.started() else { return };
        let row = row(&it, None);
        members.push(Member {
            key: row.change,
            kind: it.kind,
            risk: it.risk.level,
            state: it.state,
            services: row.services,
            started_at,
        });
    });
    members
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
