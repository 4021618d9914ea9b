//! Reports on the controls of a framework, from the log.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::compliance::change_trail::ChangeTrail;
use model::compliance::control_report::rows::{self, ReportRow};
use model::compliance::control_report::{self, ControlReport};
use model::compliance::framework::framework;
use model::compliance::violation::{RULES, rule};
use model::core::act::actions;
use model::core::enums::ReportFigure;
use model::core::refusal::Refusal;

use crate::compliance::read_trail::{position, with_trail};
use crate::core::context::Context;
use crate::core::error::Result;

/// The default span of a report, up to now.
const USUAL_SPAN: SignedDuration = SignedDuration::from_hours(90 * 24);
/// The parameters of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportParameters {
    /// The start of the span; ninety days before its end by default.
    pub from: Option<Timestamp>,
    /// The end of the span, not included; now by default.
    pub to: Option<Timestamp>,
    /// The size of the log up to which events count, one that has a signed checkpoint; the present size by default.
    pub size: Option<i64>,
}

/// Reports on a framework. The report is the same for the same framework, span and size of the log, whenever it is made.
///
/// # Errors
/// 403, 404 for an unknown framework, 422 for a span that ends before it begins or a size without a checkpoint, or the store's.
pub fn report_controls(cx: &mut Context<'_, '_>, id: &str, asked: &ReportParameters) -> Result<ControlReport> {
    cx.allow(actions::AUDIT)?;
    let framework = framework(id).ok_or_else(|| Refusal::not_found(id))?;
    let span = span(cx.now, asked)?;
    let position = position(cx, asked.size)?;
    let sources = cx.services.tools().shipped(None).sources();
    let shipped: BTreeSet<String> = sources.map(|it| it.id.clone()).collect();
    let report =
        |trail: &ChangeTrail| control_report::control_report(trail, framework, span, position.clone(), &shipped);
    with_trail(cx, &position, Some(span.0), report)
}

/// The changes behind a figure of a report, with the span and the position of the log: a figure of the population, or
/// the changes that a rule tested.
///
/// # Errors
/// As [`report_controls`], and 422 for an unknown figure or rule.
pub fn report_rows(
    cx: &mut Context<'_, '_>,
    id: &str,
    which: &Which<'_>,
    asked: &ReportParameters,
) -> Result<ReportRows> {
    cx.allow(actions::AUDIT)?;
    framework(id).ok_or_else(|| Refusal::not_found(id))?;
    let behind = match (which.figure, which.rule) {
        (Some(figure), None) => {
            let figure = figure
                .parse::<ReportFigure>()
                .map_err(|why| Refusal::field("figure", "unknown_word", why))?;
            rows::RowFilter::Figure(figure)
        }
        (None, Some(id)) => rows::RowFilter::Rule(rule(id).ok_or_else(|| {
            let known: Vec<&str> = RULES.iter().map(|it| it.id).collect();
            let why = format!("`{id}` is none of: {}", known.join(", "));
            Refusal::field("rule", "unknown_word", why)
        })?),
        _ => {
            let why = "Name a `figure` or a `rule`, not both.";
            return Err(Refusal::field("figure", "missing", why).into());
        }
    };
    let span = span(cx.now, asked)?;
    let position = position(cx, asked.size)?;
    Ok(ReportRows {
        rows: with_trail(cx, &position, Some(span.0), |trail| rows::rows(trail, behind, span))?,
        span,
        size: position.size,
    })
}

/// The requested figure of a report: one of the two.
#[derive(Debug, Clone, Copy, Default)]
pub struct Which<'w> {
    /// A figure of the population.
    pub figure: Option<&'w str>,
    /// A rule, by its id.
    pub rule: Option<&'w str>,
}

/// The changes behind a figure.
#[derive(Debug)]
pub struct ReportRows {
    /// The changes.
    pub rows: Vec<ReportRow>,
    /// The span that counts.
    pub span: (Timestamp, Timestamp),
    /// The size of the log that counts.
    pub size: u64,
}

pub(crate) fn span(now: Timestamp, asked: &ReportParameters) -> Result<(Timestamp, Timestamp)> {
    let to = asked.to.unwrap_or(now);
    if to > now {
        let text = "`to` lies ahead: nobody can report on what has not happened. Leave it out, and the span ends now.";
        return Err(Refusal::field("to", "in_the_future", text).into());
    }
    let from = match asked.from {
        Some(from) => from,
        None => to.saturating_sub(USUAL_SPAN).unwrap_or(Timestamp::MIN),
    };
    if from >= to {
        let text = "`to` must be later than `from`: the period is empty.";
        return Err(Refusal::field("to", "out_of_order", text).into());
    }
    Ok((from, to))
}
