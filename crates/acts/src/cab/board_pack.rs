//! The board pack of a month: its figures, failures and emergencies, the changes that came from boards' reviews, and
//! the high-risk changes ahead. Each figure names the metric whose rows are counted.

use jiff::{SignedDuration, Timestamp};
use model::cab::agenda::{Agenda, AgendaState, month_span};
use model::cab::agenda_item::{AgendaItem, ItemOutcome};
use model::change::record::Change;
use model::core::act::actions;
use model::core::enums::{Level, State};
use model::core::refusal::Refusal;
use model::report::definition::Definition;
use model::report::figure::Figure;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::cab::listed_items::items_of;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::report::find_figures::{RowOfFigure, find_figure, find_rows};
use crate::report::metric_query::{MetricQuery, read_query};

/// The metrics of a pack.
pub const METRICS: [&str; 7] = [
    "deployment_frequency",
    "success_share",
    "change_failure_rate",
    "recovery_time",
    "emergency_share",
    "lead_time",
    "time_to_approve",
];
/// The metric that counts failures.
pub const FAILURES: &str = "change_failure_rate";
/// The metric that counts emergencies.
pub const EMERGENCIES: &str = "emergency_volume";
/// How far ahead high-risk changes are listed, in days.
pub const AHEAD_DAYS: i64 = 31;
/// The most rows of each list.
pub const MOST_ROWS: usize = 100;
/// The most meetings of a month that are read.
const MOST_MEETINGS: i64 = 100;
/// The most upcoming changes that are read, the next ones first.
const MOST_LOOKED: i64 = 1_000;

/// A figure of the month.
#[derive(Debug, Clone)]
pub struct PackFigure {
    /// The metric.
    pub definition: &'static Definition,
    /// Its value.
    pub figure: Figure,
}

/// A change of high risk that is ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upcoming {
    /// The change's key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// When it is planned.
    pub starts_at: Timestamp,
}

/// A board's decisions in a month about one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// The meeting: its id.
    pub meeting: String,
    /// The item, with its outcome and its votes.
    pub item: AgendaItem,
}

/// The pack of a month.
#[derive(Debug, Clone)]
pub struct BoardPack {
    /// The month, such as 2026-10.
    pub month: String,
    /// Its first instant in UTC.
    pub from: Timestamp,
    /// The first instant after the month.
    pub to: Timestamp,
    /// Its figures.
    pub figures: Vec<PackFigure>,
    /// The deployments that failed.
    pub failures: Vec<RowOfFigure>,
    /// The emergencies.
    pub emergencies: Vec<RowOfFigure>,
    /// The boards' decisions, from the signed minutes.
    pub reviewed: Vec<Reviewed>,
    /// The high-risk changes ahead; for a past month, those that were ahead at its end.
    pub upcoming: Vec<Upcoming>,
}

impl BoardPack {
    /// How often boards decided an outcome.
    #[must_use]
    pub fn count(&self, outcome: ItemOutcome) -> usize {
        let came = |it: &&Reviewed| it.item.outcome == Some(outcome);
        self.reviewed.iter().filter(came).count()
    }

    /// How many decisions had an effect: conditions, returns and rejections.
    #[must_use]
    pub fn changed(&self) -> usize {
        let outcomes = [
            ItemOutcome::ApprovedWithConditions,
            ItemOutcome::Returned,
            ItemOutcome::Rejected,
        ];
        outcomes.into_iter().map(|outcome| self.count(outcome)).sum()
    }

    /// The pack as JSON.
    #[must_use]
    pub fn value(&self) -> Value {
        let figure = |it: &PackFigure| {
            let mut value = json!({
                "metric": it.definition.id, "hits": it.figure.hits, "of": it.figure.of,
                "rows": self.rows_path(&it.definition.id),
            });
            if let Some(estimate) = it.figure.estimate {
                value["value"] = json!(estimate.value);
            }
            value
        };
        let row = |it: &RowOfFigure| json!({"change_key": it.key, "service": it.service, "at": it.at});
        let reviewed = |it: &Reviewed| {
            json!({
                "meeting": it.meeting, "change_key": it.item.change_key, "outcome": it.item.outcome, "yes": it.item.yes,
                "no": it.item.no,
            })
        };
        let upcoming = |it: &Upcoming| json!({"change_key": it.key, "starts_at": it.starts_at});
        json!({
            "month": self.month, "from": self.from, "to": self.to,
            "figures": self.figures.iter().map(figure).collect::<Vec<Value>>(),
            "failures": self.failures.iter().map(row).collect::<Vec<Value>>(),
            "emergencies": self.emergencies.iter().map(row).collect::<Vec<Value>>(),
            "reviewed": self.reviewed.iter().map(reviewed).collect::<Vec<Value>>(),
            "upcoming": self.upcoming.iter().map(upcoming).collect::<Vec<Value>>(),
        })
    }

    /// The address of the rows behind a figure, below the tenant's.
    #[must_use]
    pub fn rows_path(&self, metric: &str) -> String {
        format!("/metrics/{metric}?from={}&to={}", self.from, self.to)
    }

    /// The pack as canonical JSON.
    #[must_use]
    pub fn text(&self) -> String {
        proof::canonical::to_text(&self.value()).expect("texts, times and whole numbers have canonical bytes")
    }

    /// SHA-256 of the pack as canonical JSON: its content when an agenda was frozen.
    #[must_use]
    pub fn digest(&self) -> String {
        proof::canonical::digest(&self.value()).expect("texts, times and whole numbers have canonical bytes")
    }
}

/// Finds the pack of a month (`GET /board-packs/{month}`); days are those of UTC.
///
/// # Errors
/// 403; 422 for a malformed or future month; the store's.
pub fn find_pack(cx: &mut Context<'_, '_>, month: &str) -> Result<BoardPack> {
    cx.allow(actions::READ)?;
    let Some((from, to)) = month_span(month) else {
        let text = format!("`{month}` is not a month such as 2026-10.");
        return Err(Refusal::field("month", "not_a_month", text).into());
    };
    if from > cx.now {
        let text = format!("The month {month} has not begun.");
        return Err(Refusal::field("month", "ahead", text).into());
    }
    let mut figures = Vec::new();
    for id in METRICS {
        let query = question(cx.now, id, (from, to))?;
        let found = find_figure(cx, &query)?;
        figures.push(PackFigure {
            definition: found.definition,
            figure: found.whole,
        });
    }
    Ok(BoardPack {
        month: month.to_owned(),
        from,
        to,
        figures,
        failures: hits(cx, FAILURES, (from, to))?,
        emergencies: hits(cx, EMERGENCIES, (from, to))?,
        reviewed: reviewed(cx, (from, to))?,
        upcoming: upcoming(cx, to.min(cx.now))?,
    })
}

fn question(now: Timestamp, id: &str, (from, to): (Timestamp, Timestamp)) -> Result<MetricQuery> {
    let (from, to) = (from.to_string(), to.min(now).to_string());
    read_query(id, now, |name| match name {
        "from" => Some(from.as_str()),
        "to" => Some(to.as_str()),
        _ => None,
    })
}

fn hits(cx: &mut Context<'_, '_>, id: &str, span: (Timestamp, Timestamp)) -> Result<Vec<RowOfFigure>> {
    let query = question(cx.now, id, span)?;
    let mut rows = find_rows(cx, &query)?;
    rows.retain(|row| row.counted == "hit");
    rows.truncate(MOST_ROWS);
    Ok(rows)
}

/// The boards' decisions at the meetings of a month.
fn reviewed(cx: &mut Context<'_, '_>, (from, to): (Timestamp, Timestamp)) -> Result<Vec<Reviewed>> {
    let filter = Filter::new()
        .equals("state", AgendaState::Signed.as_str())
        .at_least("starts_at", from)
        .less("starts_at", to);
    let agendas = record::bodies::<Agenda>(cx.tx, &filter.order_by("starts_at").limit(MOST_MEETINGS))?;
    let mut found = Vec::new();
    for agenda in agendas {
        for item in items_of(cx, &agenda.id)? {
            found.push(Reviewed {
                meeting: agenda.id.0.clone(),
                item,
            });
        }
    }
    Ok(found)
}

/// The high-risk changes that are planned for the days after an instant. A change planned after the end of a past month
/// stays on that month's list once it has begun.
fn upcoming(cx: &mut Context<'_, '_>, from: Timestamp) -> Result<Vec<Upcoming>> {
    let until = from.checked_add(SignedDuration::from_hours(24 * AHEAD_DAYS));
    let is_past = from < cx.now;
    let filter = Filter::new()
        .at_least("planned_start", from)
        .less("planned_start", until.unwrap_or(Timestamp::MAX))
        .order_by("planned_start")
        .order_by("number")
        .limit(MOST_LOOKED);
    let scope = cx.scope()?;
    let mut found = Vec::new();
    for change in record::bodies::<Change>(cx.tx, &filter)? {
        let is_off = matches!(change.state, State::Draft | State::Cancelled | State::Rejected);
        let is_ahead = match is_past {
            true => change.created_at < from,
            false => change.state.is_before_start(),
        };
        let is_seen = scope.as_ref().is_none_or(|scope| scope.sees(&change));
        if let Some(starts_at) = change.planned_start
            && change.risk.level == Level::High
            && is_ahead
            && !is_off
            && is_seen
        {
            found.push(Upcoming {
                key: change.key,
                title: change.content.title,
                starts_at,
            });
        }
    }
    found.truncate(MOST_ROWS);
    Ok(found)
}
